//! Projects: libraries by path, address and DOI, scripts by their names, and all that can be wrong with them.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;

use super::bundle::{at, done, ran};
use super::servers::{Answer, Server};
use super::{assert_holds, finish, folder};

const VELOCITY: &str = "-- Tells how fast it flows.\nlocal glacier, flow, units = require 'glacier', require 'flow', require 'units'\n\
    require('fs').write('out.txt', units.shown(glacier.speed(flow.factor)))\nprint(units.shown(glacier.speed(flow.factor)))\n";
const FLOW: &str = "return { factor = 3 }\n";

/// A project, and beside it the library that it needs, which needs another.
fn place() -> tempfile::TempDir {
    folder(&[
        ("home/.keep", ""),
        (
            "ice/perilune.toml",
            "# Ours.\n[project]\nname = \"ice\" # short\n\n[scripts]\nvelocity = \"scripts/velocity.lua\"\n",
        ),
        ("ice/scripts/velocity.lua", VELOCITY),
        (
            "ice/units.lua",
            "return { shown = function(v) return ('%d m/yr'):format(v) end }",
        ),
        (
            "glacier/perilune.toml",
            "[project]\nname = \"glacier\"\nversion = \"0.2\"\n[dependencies]\ntools = { path = \"../lib/tools\" }\n",
        ),
        (
            "glacier/glacier.lua",
            "local part = require 'glacier.part'\nreturn { speed = function(f) return f * part.base() end }",
        ),
        (
            "glacier/glacier/part.lua",
            "return { base = function() return require('tools').base end }",
        ),
        ("lib/tools/tools.lua", "return { base = 100 }"),
    ])
}

/// Serves what is put into it; nothing more where that is none.
fn server(text: &'static str) -> (Server, Arc<Mutex<Option<&'static str>>>) {
    let served = Arc::new(Mutex::new(Some(text)));
    let now = served.clone();
    let server = Server::start(move |asked| match (*now.lock().unwrap(), asked.path()) {
        (Some(text), "/flow.lua" | "/records/42/files/flow.lua") => Answer::new(200, "text/plain", text),
        _ => Answer::new(404, "text/plain", "nothing here"),
    });
    (server, served)
}

#[track_caller]
fn refused(here: &Path, working: &str, arguments: &[&str], said: &str) {
    let run = ran(here, working, arguments);
    assert_ne!(run.code, 0, "{arguments:?}: {run:?}");
    assert_holds(&run.err, said);
}

#[test]
fn a_script_of_a_project_has_its_libraries() {
    let here = place();
    let here = here.path();
    let (server, served) = server(FLOW);
    // From a folder within; paths count from the project.
    assert_holds(
        &done(
            here,
            "ice/scripts",
            &["add", "glacier", "--path", "../../glacier"],
        ),
        "glacier 0.2 is in",
    );
    let told = done(here, "ice", &["add", "flow", "--url", &server.url("/flow.lua")]);
    assert_holds(&told, "sha256 ");
    let text = fs::read_to_string(here.join("ice/perilune.toml")).unwrap();
    for part in [
        "# Ours.\n[project]\nname = \"ice\" # short\n",
        "glacier = { path = \"../glacier\" }\n",
        "flow = { url = \"http://127.0.0.1:",
        "sha256 = \"",
        "[scripts]\nvelocity",
    ] {
        assert_holds(&text, part);
    }
    assert_eq!(done(here, "ice", &["run", "velocity"]), "300 m/yr\n");
    // What was fetched once is there without the server.
    *served.lock().unwrap() = None;
    let asked = server.requests().len();
    assert_eq!(done(here, "ice", &["run", "scripts/velocity.lua"]), "300 m/yr\n");
    assert_eq!(done(here, "ice/scripts", &["run", "velocity"]), "300 m/yr\n");
    assert_eq!(
        done(here, "ice", &["-e", "print(require('glacier').speed(2))"]),
        "200\n"
    );
    assert_holds(&done(here, "ice", &["add"]), "3 libraries of ice, all here");
    assert_eq!(server.requests().len(), asked);
    // A file of the store that is not what it was is fetched again, and has its hash then or does not run.
    let stored = here.join("home/.cache/perilune/fetched");
    for entry in fs::read_dir(&stored).unwrap() {
        fs::write(entry.unwrap().path(), "error 'changed'").unwrap();
    }
    refused(here, "ice", &["run", "velocity"], "404");
    *served.lock().unwrap() = Some("error 'another'");
    refused(
        here,
        "ice",
        &["run", "velocity"],
        "has another hash than it must have",
    );
    *served.lock().unwrap() = Some(FLOW);
    assert_eq!(done(here, "ice", &["run", "velocity"]), "300 m/yr\n");
}

#[test]
fn a_file_of_a_record_is_a_library() {
    let here = place();
    let (server, _) = server(FLOW);
    let zenodo = |arguments: &[&str]| {
        let mut command = at(here.path(), "ice");
        command
            .env("PERILUNE_ZENODO_URL", server.url("/"))
            .args(arguments);
        finish(command)
    };
    let added = zenodo(&["add", "flow", "--doi", "10.5281/zenodo.42", "--file", "flow.lua"]);
    assert_eq!(added.code, 0, "{added:?}");
    assert_holds(&added.out, "flow, doi:10.5281/zenodo.42, flow.lua, sha256 ");
    let text = fs::read_to_string(here.path().join("ice/perilune.toml")).unwrap();
    assert_holds(
        &text,
        "flow = { doi = \"10.5281/zenodo.42\", file = \"flow.lua\", sha256 = \"",
    );
    assert_eq!(zenodo(&["-e", "print(require('flow').factor)"]).out, "3\n");
    let other = zenodo(&["add", "x", "--doi", "10.5281/zenodo.43", "--file", "x.lua"]);
    assert_ne!(other.code, 0);
    assert_holds(&other.err, "404");
    assert_eq!(
        fs::read_to_string(here.path().join("ice/perilune.toml")).unwrap(),
        text
    );
}

#[test]
fn what_is_wrong_with_a_project_is_said() {
    let here = place();
    let here = here.path();
    let toml = here.join("ice/perilune.toml");
    let with = |text: &str| fs::write(&toml, text).unwrap();
    let head = "[project]\nname = \"ice\"\n[scripts]\nvelocity = \"scripts/velocity.lua\"\nwater_map = \"scripts/velocity.lua\"\n[dependencies]\n";
    for (dependencies, said) in [
        (
            "glacer = { path = \"../glacier\" }",
            "is the project `glacier` by",
        ),
        (
            "glacier = { path = \"../glacier\", from = 1 }",
            "perilune.toml:7: unknown key `dependencies.glacier.from`",
        ),
        (
            "glacier = { path = \"../nowhere\" }",
            "the library `glacier` is not there",
        ),
        (
            "raster = { path = \"../lib/tools\" }",
            "has the name of a module that ships with perilune",
        ),
        ("glacier = { path = \"../glacier\" }", "no module `flow`"),
        (
            "glacier = { path = \"../lib\" }",
            "the library glacier has no module `glacier`",
        ),
    ] {
        with(&format!("{head}{dependencies}\n"));
        refused(here, "ice", &["run", "velocity"], said);
    }
    with("format = 9\n[projekt]\n");
    refused(
        here,
        "ice",
        &["run", "velocity"],
        "perilune.toml:1: is of form 9, and this perilune knows form 1",
    );
    // Ships, and does not care.
    assert_holds(&done(here, "ice", &["run", "water_threshold", "--help"]), "--");
    with(&format!("{head}glacier = {{ path = \"../glacier\" }}\n"));
    refused(
        here,
        "ice",
        &["run", "water_map"],
        "and a workflow that ships with perilune",
    );
    refused(here, "ice", &["run", "velocty"], "did you mean `velocity`?");
    refused(
        here,
        "ice",
        &["-e", "require 'glacier.prat'"],
        "the library glacier 0.2 has no module `glacier.prat`",
    );
    // Nobody knows which is meant.
    fs::write(here.join("ice/glacier.lua"), "return {}").unwrap();
    refused(
        here,
        "ice",
        &["-e", "require 'glacier'"],
        "two modules are named `glacier`",
    );
    fs::remove_file(here.join("ice/glacier.lua")).unwrap();
    // They need each other.
    fs::write(
        here.join("lib/tools/perilune.toml"),
        "[project]\nname = \"tools\"\n[dependencies]\nglacier = { path = \"../../glacier\" }\n",
    )
    .unwrap();
    refused(
        here,
        "ice",
        &["-e", "print(1)"],
        "in a circle: glacier → tools → glacier",
    );
    fs::remove_file(here.join("lib/tools/perilune.toml")).unwrap();
    refused(
        here,
        "home",
        &["add", "x", "--path", "."],
        "there is no perilune.toml in",
    );
    let before = fs::read_to_string(&toml).unwrap();
    for (arguments, said) in [
        (&["add", "x", "--path", "nowhere"] as &[&str], "is not there"),
        (
            &["add", "a/b", "--path", "../glacier"],
            "it is what scripts require",
        ),
        (&["add", "x"], "--path FOLDER, --url ADDRESS, or --doi DOI"),
        (
            &["add", "x", "--url", "http://example.org/x.lua"],
            "is not protected on its way",
        ),
        (
            &["add", "x", "--doi", "10.1/2", "--file", "x.lua"],
            "is no DOI of Zenodo",
        ),
    ] {
        refused(here, "ice", arguments, said);
        assert_eq!(fs::read_to_string(&toml).unwrap(), before, "{arguments:?}");
    }
}

#[test]
fn libraries_are_named_before_a_script_of_others_runs() {
    let here = place();
    let here = here.path();
    let (server, _) = server("needs { read = { 'dem' } }\nreturn { factor = 3 }\n");
    let url = server.url("/flow.lua");
    for arguments in [
        &["add", "glacier", "--path", "../glacier"] as &[&str],
        &["add", "flow", "--url", &url],
    ] {
        done(here, "ice", arguments);
    }
    let told = done(here, "ice", &["inspect", "velocity"]);
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "libraries flow, http://127.0.0.1:",
        "glacier 0.2 (glacier, glacier.part) tools (tools)",
        "flow, of the library flow, http://",
        "states that it needs more than the script asks for, and does not get it: read = { \"dem\" }",
    ] {
        assert_holds(&told, part);
    }
    let told: Json = serde_json::from_str(&done(here, "ice", &["inspect", "velocity", "--json"])).unwrap();
    assert_eq!(
        told["libraries"]["glacier 0.2"],
        serde_json::json!(["glacier", "glacier.part"])
    );
    let reads = told["asks_for"]["read"].to_string();
    assert_holds(&reads, "lib/tools/tools.lua");
    assert_holds(&reads, "ice/units.lua");
    // Asked about, as any file elsewhere on this machine.
    refused(
        here,
        "ice",
        &["run", "--untrusted", "velocity"],
        "glacier/part.lua",
    );
    refused(
        here,
        "ice",
        &["--allow-all", "run", "--untrusted", "velocity"],
        "asks for more than it stated",
    );
    // Nobody's server hears that somebody looks at a script.
    let heard = server.requests().len();
    fs::remove_dir_all(here.join("home/.cache")).unwrap();
    refused(
        here,
        "ice",
        &["inspect", "velocity"],
        "was not fetched yet; `perilune add`",
    );
    assert_eq!(server.requests().len(), heard);
}

#[test]
fn a_bundle_takes_libraries_along() {
    let here = place();
    let here = here.path();
    let (server, served) = server(FLOW);
    done(here, "ice", &["add", "glacier", "--path", "../glacier"]);
    done(here, "ice", &["add", "flow", "--url", &server.url("/flow.lua")]);
    assert_eq!(done(here, "ice", &["run", "velocity"]), "300 m/yr\n");
    done(
        here,
        "ice",
        &["bundle", "scripts/velocity.lua", "--outputs", "out.txt"],
    );
    let text = fs::read_to_string(here.join("ice/velocity.bundle.lua")).unwrap();
    for part in [
        "library = \"glacier 0.2\"",
        "library = \"flow, http://",
        "package.preload[\"glacier.part\"]",
    ] {
        assert_holds(&text, part);
    }
    assert!(!text.contains(&here.display().to_string()), "{text}");
    *served.lock().unwrap() = None;
    fs::create_dir(here.join("colleague")).unwrap();
    fs::copy(here.join("ice/velocity.bundle.lua"), here.join("colleague/v.lua")).unwrap();
    assert_eq!(
        done(here, "colleague", &["--allow-all", "run", "v.lua"]),
        "300 m/yr\n"
    );
    assert_holds(
        &done(here, "colleague", &["inspect", "v.lua"]),
        "glacier 0.2 (glacier, glacier.part)",
    );
    assert_holds(
        &done(here, "colleague", &["--allow-all", "verify", "v.lua"]),
        "out.txt: the same, byte for byte",
    );
    // A bundle is a library, too.
    fs::write(here.join("glacier/all.lua"), "return require 'glacier'").unwrap();
    done(here, "glacier", &["bundle", "glacier.lua"]);
    fs::write(
        here.join("colleague/perilune.toml"),
        "[project]\nname = \"hers\"\n",
    )
    .unwrap();
    done(
        here,
        "colleague",
        &["add", "glacier", "--path", "../glacier/glacier.bundle.lua"],
    );
    assert_eq!(
        done(here, "colleague", &["-e", "print(require('glacier').speed(1))"]),
        "100\n"
    );
}
