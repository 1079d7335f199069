//! Scripts of others: what they are told to be, what is asked, what they get.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use super::standin::{Answer, StandIn};
use super::{Run, assert_holds, finish, folder, perilune};

const CANARY: &str = "tossed-biscuit-in-the-galley";

/// A home folder with secrets, a folder of data, a folder that a script came in, and a working folder.
pub fn place(script: &str) -> tempfile::TempDir {
    let here = folder(&[
        ("home/diary.txt", CANARY),
        ("home/.ssh/id_ed25519", CANARY),
        ("home/.aws/config", CANARY),
        ("home/.config/gcloud/credentials.db", CANARY),
        ("home/.mozilla/firefox/a/logins.json", CANARY),
        ("home/.netrc", "machine 127.0.0.1 login a password hush"),
        ("data/a.txt", "granted"),
        ("beside/b.txt", CANARY),
        ("theirs/with.txt", "came with it"),
        ("work/here.txt", CANARY),
    ]);
    let netrc = here.path().join("home/.netrc");
    std::fs::set_permissions(netrc, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(here.path().join("theirs/a.lua"), script).unwrap();
    here
}

pub fn at(here: &Path, working: &str) -> Command {
    let mut command = perilune(&here.join(working));
    command
        .env("HOME", here.join("home"))
        .env_remove("NETRC")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_CACHE_HOME");
    command
}

pub fn ran(here: &Path, arguments: &[&str]) -> Run {
    let mut command = at(here, "work");
    command.args(arguments);
    finish(command)
}

/// The script, with everything granted that it states.
fn granted(here: &Path, confine: &str, more: &[&str]) -> Run {
    let mut arguments = vec!["--confine", confine, "run", "--untrusted", "--allow-all"];
    arguments.extend(more);
    arguments.push("../theirs/a.lua");
    ran(here, &arguments)
}

fn is_held(here: &Path) -> bool {
    let said = ran(here, &["doctor"]).out;
    said.contains("files by Landlock") && said.contains("programs by seccomp")
}

#[test]
fn inspect_tells_what_a_script_is_and_runs_nothing() {
    let here = place(
        "-- Maps water.\n-- Twice.\nneeds { read = { '../data', '--scene' }, hosts = { '*.example.org', '10.0.0.1' },\n\
         logins = { 'earthdata' }, memory = '2GiB', version = '>= 0.1' }\n\
         local p = params { scene = { 'x.tif', type = 'path', help = 'An image.' }, radius = { 5, unit = 'm' } }\n\
         local raster, helper = require 'raster', require 'helper'\nraster.open(p.scene):write('out.tif')\n\
         require('catalog').stac('https://a.example.org') require('water') require(p.scene) require 'nowhere'\nerror('it ran')",
    );
    std::fs::write(
        here.path().join("theirs/helper.lua"),
        "local fs = require 'fs' return { x = fs.read }",
    )
    .unwrap();
    let told = ran(here.path(), &["inspect", "../theirs/a.lua"]);
    assert_eq!(told.code, 0, "{told:?}");
    let told = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let data = here.path().join("data");
    let data = format!("read all in the folder {}", data.display());
    for part in [
        "Maps water.",
        "Twice.",
        "--scene PATH",
        "An image.",
        "which will do",
        data.as_str(),
        "x.tif (not there yet)",
        "contact *.example.org — every host of this domain",
        "contact 10.0.0.1 — an address of this machine or its network",
        "your login of urs.earthdata.nasa.gov, of which none is known",
        "2.0 GiB of memory",
        "helper (../theirs/helper.lua, with it)",
        "nowhere (NOT there)",
        "names have to be computed",
        "raster.open",
        ":write",
        "catalog.stac",
        "water (module)",
        "no: run as untrusted, it is asked about",
    ] {
        assert_holds(&told, part);
    }
    let told = ran(here.path(), &["inspect", "../theirs/a.lua", "--json"]);
    let told: Json = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["needs"]["read"], json!(["../data", "--scene"]));
    assert_eq!(told["parameters"][1]["unit"], "m");
    assert_eq!(told["calls"]["contact"][0], "catalog.stac");
    assert_eq!(told["remembered"], Json::Null);
    assert_eq!(told["signed_by"], Json::Null);
    // Its hash is what other programs say of the files.
    let sum = Command::new("sh")
        .args(["-c", "(sha256sum < a.lua; sha256sum helper.lua) | sha256sum"])
        .current_dir(here.path().join("theirs"))
        .output()
        .unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    assert_eq!(told["sha256"], sum.split_whitespace().next().unwrap());
    // The help of a script of others is this, too: its own runs it.
    let help = ran(here.path(), &["run", "../theirs/a.lua", "--help", "--untrusted"]);
    assert_holds(&help.out, "Maps water.");
}

#[test]
fn needs_that_have_to_be_computed_are_refused() {
    for (script, said) in [
        (
            "print('ran') needs { read = { os.time() } }",
            "is read before the script runs",
        ),
        ("print('ran') needs { raed = {} }", "did you mean `read`"),
        (
            "print('ran') needs { version = '>= 99' }",
            "needs perilune >= 99, and this is",
        ),
        (
            "print('ran') needs { read = { '~' } }",
            "the whole home folder or more",
        ),
        (
            "print('ran') needs { read = { '/' } }",
            "the whole home folder or more",
        ),
        (
            "print('ran') needs { read = { '~/.ssh/id_ed25519' } }",
            "closed to every script",
        ),
        (
            "print('ran') needs { write = { '~/a.txt' } }",
            "in a folder of its own",
        ),
        (
            "print('ran') needs { read = { '--nothing' } }",
            "the parameter --nothing",
        ),
        ("print('ran') needs { hosts = { '*.org' } }", "the name of a host"),
    ] {
        let here = place(script);
        let done = granted(here.path(), "auto", &[]);
        assert_eq!(done.code, 2, "{script}: {done:?}");
        assert_holds(&done.err, said);
        assert!(!done.out.contains("ran"), "{script}: {done:?}");
    }
    // A script of the user's own runs, and is held to the version alone.
    let here = place("needs { read = { '/anywhere' }, hosts = { 'a.org' } } print('ran')");
    assert_eq!(ran(here.path(), &["run", "../theirs/a.lua"]).out, "ran\n");
    let here = place("needs { version = '>= 99' } print('ran')");
    let done = ran(here.path(), &["run", "../theirs/a.lua"]);
    assert_eq!(done.code, 1);
    assert_holds(&done.err, "needs perilune >= 99");
}

#[test]
fn no_terminal_means_no() {
    let here = place(
        "print('ran') needs { read = { '../data' }, write = { 'out dir' }, hosts = { 'a.example.org' } }",
    );
    let done = ran(here.path(), &["run", "--untrusted", "../theirs/a.lua"]);
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.out.is_empty(), "{done:?}");
    let data = here.path().join("data");
    let option = format!("--allow-read {} --allow-write '", data.display());
    for part in [
        "no terminal to ask you at",
        "Nothing of it was run",
        option.as_str(),
        "--allow-host a.example.org",
    ] {
        assert_holds(&done.err, part);
    }
    // What it says is what lets it run.
    let out = here.path().join("work/out dir");
    let done = ran(
        here.path(),
        &[
            "run",
            "--untrusted",
            "--allow-read",
            data.to_str().unwrap(),
            "--allow-write",
            out.to_str().unwrap(),
            "--allow-host",
            "a.example.org",
            "../theirs/a.lua",
        ],
    );
    assert_eq!(done.out, "ran\n", "{done:?}");
    // At the end of the line, too, where it is pasted.
    let read = format!("--allow-read={}", data.display());
    let pasted = [
        "run",
        "../theirs/a.lua",
        "--untrusted",
        &read,
        "--allow-write",
        out.to_str().unwrap(),
        "--allow-host",
        "a.example.org",
    ];
    let done = ran(here.path(), &pasted);
    assert_eq!(done.out, "ran\n", "{done:?}");
    let done = ran(here.path(), &pasted[..7]);
    assert_eq!(done.code, 2, "{done:?}");
    assert_holds(&done.err, "a value is required for '--allow-host <HOST>'");
    // Who asks for nothing is not asked about.
    let here = place("print(fs and 'global' or 'ran')");
    let done = ran(here.path(), &["run", "../theirs/a.lua", "--untrusted"]);
    assert_eq!((done.code, done.out.as_str()), (1, ""), "{done:?}");
    let here = place("print('ran', (require 'fs').read('../theirs/with.txt'))");
    let done = ran(here.path(), &["run", "../theirs/a.lua", "--untrusted"]);
    assert_eq!(done.out, "ran\tcame with it\n", "{done:?}");
}

#[test]
fn permissions_are_for_scripts_of_others() {
    let here = place("print('ran')");
    for arguments in [
        &["--allow-read", "/", "run", "../theirs/a.lua"][..],
        &["--allow-all", "run", "../theirs/a.lua"],
        &["run", "../theirs/a.lua", "--allow-all"],
        &["--allow-host", "a.org", "-e", "print('ran')"],
    ] {
        let done = ran(here.path(), arguments);
        assert_eq!(done.code, 2, "{done:?}");
        assert_holds(&done.err, "add --untrusted");
    }
    for arguments in [&["--untrusted", "-e", "print('ran')"][..], &["--untrusted"]] {
        let done = ran(here.path(), arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
    }
    let done = ran(
        here.path(),
        &["--untrusted", "--allow-read", "~", "run", "../theirs/a.lua"],
    );
    assert_holds(&done.err, "whole home folder");
    // A parameter of that name does not make a script trusted.
    let here = place("params { untrusted = true } print(pcall((require 'fs').read, 'here.txt'))");
    let done = ran(here.path(), &["run", "../theirs/a.lua", "--untrusted"]);
    assert_holds(&done.out, "false");
}

/// Every way that a script may try, each of which answers with `false` and why, and none with the secret.
fn attempts(here: &Path) -> (String, usize) {
    let theirs = here.join("theirs");
    symlink(here.join("home/diary.txt"), theirs.join("link.txt")).unwrap();
    symlink(here.join("home"), theirs.join("house")).unwrap();
    std::fs::hard_link(here.join("home/diary.txt"), theirs.join("hard.txt")).unwrap();
    std::fs::hard_link(here.join("home/.ssh/id_ed25519"), here.join("data/key.txt")).unwrap();
    let raw = |name: &str, file: &str| {
        let text = format!(
            "<VRTDataset rasterXSize=\"8\" rasterYSize=\"1\"><VRTRasterBand dataType=\"Byte\" band=\"1\" subClass=\"VRTRawRasterBand\">\
             <SourceFilename>{file}</SourceFilename><PixelOffset>1</PixelOffset><LineOffset>8</LineOffset></VRTRasterBand></VRTDataset>"
        );
        std::fs::write(theirs.join(name), text).unwrap();
    };
    raw("absolute.vrt", &here.join("home/diary.txt").display().to_string());
    raw("link.vrt", &theirs.join("link.txt").display().to_string());
    raw("hard.vrt", &theirs.join("hard.txt").display().to_string());
    let h = here.display().to_string();
    let mut lines = vec!["local fs, raster, geometry, tables = require 'fs', require 'raster', require 'geometry', require 'tables' local later = needs".to_string()];
    let mut count = 0;
    let mut attempt = |call: &str| {
        count += 1;
        lines.push(format!("print(pcall(function() return {call} end))"));
    };
    for path in [
        format!("{h}/home/diary.txt"),
        format!("{h}/home/.ssh/id_ed25519"),
        format!("{h}/beside/b.txt"),
        "~/diary.txt".into(),
        "here.txt".into(),
        "../data/../beside/b.txt".into(),
        "../data/key.txt".into(),
        "../theirs/link.txt".into(),
        "../theirs/hard.txt".into(),
        "../theirs/house/diary.txt".into(),
        format!("/proc/self/root{h}/home/diary.txt"),
        "/proc/self/cwd/here.txt".into(),
    ] {
        attempt(&format!("fs.read('{path}')"));
        attempt(&format!("fs.lines('{path}')()"));
        attempt(&format!("fs.copy('{path}', fs.temporary() .. '/x')"));
        attempt(&format!("tables.read_csv('{path}')"));
        attempt(&format!("geometry.read('{path}')"));
        attempt(&format!("raster.open('{path}')"));
        attempt(&format!("raster.open('NETCDF:\"{path}\":v')"));
        attempt(&format!("fs.append('{path}', 'x')"));
        attempt(&format!("fs.write('{path}', 'x')"));
        attempt(&format!("fs.remove('{path}')"));
        attempt(&format!("fs.rename('{path}', '../made/x')"));
    }
    for name in ["absolute.vrt", "link.vrt", "hard.vrt"] {
        attempt(&format!(
            "raster.open('../theirs/{name}'):rename('v'):stats().v.max"
        ));
    }
    for call in [
        "fs.list('~')",
        "fs.list()",
        "fs.glob('../home/*')[1]",
        "fs.exists('../home/diary.txt')",
        "fs.write('../theirs/with.txt', 'x')",
        "fs.write('../data/a.txt', 'x')",
        "fs.mkdir('made')",
        "raster.find('../home')",
        "raster.open('/vsizip/../home/diary.txt/x')",
        "require('helper')",
        "require('..')",
        "later { read = { '../beside' } }",
        "_ENV.needs { hosts = { 'a.org' } }",
    ] {
        attempt(call);
    }
    (lines.join("\n"), count)
}

#[test]
fn nothing_is_open_but_what_was_granted() {
    let here = place("");
    let (attempts, count) = attempts(here.path());
    let script = format!(
        "needs {{ read = {{ '../data' }}, write = {{ '../made', 'one.txt' }} }}\n{attempts}\n\
         print(fs.read('../data/a.txt'), fs.read('../theirs/with.txt'), fs.list('../theirs')[1])\n\
         fs.write('../made/x.txt', 'x') fs.write('one.txt', 'y') print(fs.read('../made/x.txt') .. fs.read('one.txt'))\n\
         fs.write(fs.join(fs.temporary(), 'z'), 'z')\n\
         local r = raster.random(raster.grid{{ crs = 'EPSG:32611', bounds = {{ 0, 0, 64, 64 }}, resolution = 1 }})\n\
         r:write('../made/a.tif') r:write('../made/b.png', {{ dtype = 'uint8', nodata = 0 }}) print(raster.open('../made/a.tif').grid.rows)\n"
    );
    std::fs::write(here.path().join("theirs/a.lua"), script).unwrap();
    std::fs::write(here.path().join("work/helper.lua"), "return 1").unwrap();
    // With the kernel's hold, and by perilune's own checks alone.
    for confine in ["auto", "off"] {
        let done = granted(here.path(), confine, &[]);
        assert_eq!(done.code, 0, "{confine}: {done:?}");
        assert!(
            !done.out.contains(CANARY) && !done.err.contains(CANARY),
            "{confine}: {done:?}"
        );
        assert_eq!(
            done.out.matches("false\t").count(),
            count,
            "{confine}: {}",
            done.out
        );
        assert_holds(&done.out, "granted\tcame with it\ta.lua\n");
        assert_holds(&done.out, "xy\n64\n");
        assert_holds(&done.out, "was not granted to this script to read");
        assert_holds(&done.out, "--allow-read");
        assert_holds(&done.out, "more than it stated before it ran");
        assert_holds(&done.out, "no module `helper` came with this script");
        let kept = |name: &str| std::fs::read_to_string(here.path().join(name)).unwrap();
        assert_eq!(
            (kept("data/a.txt"), kept("theirs/with.txt")),
            ("granted".into(), "came with it".into())
        );
        assert_eq!(
            (kept("work/here.txt"), kept("beside/b.txt")),
            (CANARY.into(), CANARY.into())
        );
    }
}

/// HDF5 opens what external storage names by itself: past perilune's checks, beneath which the kernel stands.
#[test]
fn the_kernel_holds_what_libraries_read() {
    let here = place(
        "needs { read = { '../data' } } local raster = require 'raster'\n\
         print(raster.open('../data/plain.h5'):rename('v'):stats().v.max)\n\
         print(pcall(function() return raster.open('../theirs/outside.h5'):rename('v'):stats().v.max end))",
    );
    if !is_held(here.path()) {
        return;
    }
    let made = |file: &str, of: &Path| {
        let code = format!(
            "import h5py; f = h5py.File('{}', 'w'); f.create_dataset('d', shape=(1, 7), dtype='u1', external=[('{}', 0, 7)]); f.close()",
            here.path().join(file).display(),
            of.display()
        );
        assert!(
            Command::new("/usr/bin/python3")
                .args(["-c", &code])
                .status()
                .unwrap()
                .success()
        );
    };
    std::fs::write(here.path().join("data/seven.bin"), [7u8; 7]).unwrap();
    made("data/plain.h5", &here.path().join("data/seven.bin"));
    made("theirs/outside.h5", &here.path().join("home/diary.txt"));
    let done = granted(here.path(), "require", &[]);
    assert_eq!(done.code, 0, "{done:?}");
    let lines: Vec<&str> = done.out.lines().collect();
    assert!(
        lines[0].starts_with('7') && lines[1].starts_with("false\t"),
        "{done:?}"
    );
}

#[test]
fn servers_are_asked_as_granted_on_every_redirect() {
    let other = StandIn::start("127.0.0.2", |_| Answer::new(200, "secret"));
    let (there, port) = (other.url("/x"), other.address.port());
    let server = StandIn::start("127.0.0.1", move |got| match got.path() {
        "/other" => Answer::to(302, &there),
        "/metadata" => Answer::to(307, "http://169.254.169.254/latest/meta-data/"),
        "/mapped" => Answer::to(302, &format!("http://[::ffff:127.0.0.2]:{port}/x")),
        "/number" => Answer::to(302, &format!("http://2130706434:{port}/x")),
        "/file" => Answer::to(302, "file:///etc/passwd"),
        _ => Answer::json(
            200,
            json!({ "type": "Catalog", "id": "a", "stac_version": "1.0.0", "description": "", "links": [] }),
        ),
    });
    let address = server.address;
    let here = place(&format!(
        "needs {{ hosts = {{ '{address}' }} }} local raster, catalog = require 'raster', require 'catalog'\n\
         print(pcall(catalog.stac, 'http://{address}/'))\n\
         for _, way in ipairs {{ 'other', 'metadata', 'mapped', 'number', 'file' }} do\n\
           print(pcall(raster.open, 'http://{address}/' .. way)) print(pcall(catalog.stac, 'http://{address}/' .. way))\n\
         end\n\
         print(pcall(raster.open, 'http://127.0.0.2:{port}/x'))\n\
         print(pcall(raster.open, 'http://169.254.169.254/latest'))\n\
         print(pcall(raster.open, '/vsicurl/http://localhost:{port}/x'))\n\
         print(pcall(raster.open, 'http://a.example.org/x'))"
    ));
    for confine in ["auto", "off"] {
        let done = granted(here.path(), confine, &[]);
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(done.out.matches("false\t").count(), 14, "{}", done.out);
        assert!(
            done.out.lines().next().unwrap().starts_with("true"),
            "{}",
            done.out
        );
        assert!(
            done.out.matches("was not granted to this script").count() >= 12,
            "{}",
            done.out
        );
        assert_holds(&done.out, "--allow-host 169.254.169.254");
    }
    assert!(other.log().is_empty(), "{:?}", other.log());
    // Own scripts go where they are sent.
    let own = ran(here.path(), &["run", "../theirs/a.lua"]);
    assert_eq!(own.code, 0);
    assert!(!other.log().is_empty());
    // And not where the command line says that none goes.
    let before = server.log().len();
    let host = address.to_string();
    let done = ran(here.path(), &["--deny-host", &host, "run", "../theirs/a.lua"]);
    assert_holds(&done.out, "--deny-host says so");
    assert_eq!(server.log().len(), before);
}

/// The name of this machine is a name of the internet to a script, and leads to this machine.
#[test]
fn a_name_that_leads_to_this_machine_is_refused() {
    use std::net::ToSocketAddrs;
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let name = name.trim().to_ascii_lowercase();
    let resolved = (name.as_str(), 80)
        .to_socket_addrs()
        .map(Iterator::collect::<Vec<_>>);
    let private = |ip: std::net::IpAddr| match ip {
        std::net::IpAddr::V4(four) => four.is_private() || four.is_loopback() || four.is_link_local(),
        std::net::IpAddr::V6(_) => false,
    };
    let Some(ip) = resolved
        .ok()
        .and_then(|found| found.iter().map(|a| a.ip()).find(|ip| private(*ip)))
    else {
        println!("skipped: the name of this machine leads nowhere");
        return;
    };
    let server = StandIn::start(&ip.to_string(), |_| Answer::new(404, ""));
    let port = server.address.port();
    let here = place(&format!(
        "needs {{ hosts = {{ '{name}:{port}' }} }} print(pcall((require 'raster').open, 'http://{name}:{port}/x'))"
    ));
    let done = granted(here.path(), "auto", &[]);
    assert_holds(&done.out, "an address of this machine or its network");
    assert!(server.log().is_empty());
    let network = format!("{ip}/32");
    let done = granted(here.path(), "auto", &["--allow-host", &network]);
    assert!(!done.out.contains("an address of this machine"), "{done:?}");
    assert!(!server.log().is_empty(), "{done:?}");
}

#[test]
fn logins_are_used_where_they_were_granted() {
    let server = StandIn::start("127.0.0.1", |_| Answer::new(404, ""));
    let address = server.address;
    let script = |logins: &str| {
        format!(
            "needs {{ hosts = {{ '{address}' }}, logins = {{ {logins} }} }} print(pcall((require 'raster').open, 'http://{address}/x'))"
        )
    };
    for (logins, sent) in [("", false), ("'127.0.0.1'", true)] {
        let here = place(&script(logins));
        let before = server.log().len();
        let done = granted(here.path(), "auto", &[]);
        assert_eq!(done.code, 0, "{done:?}");
        let requests = server.log();
        assert!(requests.len() > before);
        let told = requests[before..]
            .iter()
            .any(|request| request.header("authorization").is_some());
        assert_eq!(told, sent, "{logins}");
        assert!(!done.out.contains("hush"));
    }
}

#[test]
fn paths_given_as_parameters_are_asked_for_by_their_user() {
    let here = place(
        "needs { write = { '--out' } } local p = params { scene = { type = 'path' }, out = { 'default.txt', type = 'path' }, new = { type = 'path' }, word = '' }\n\
         local fs = require 'fs' print(fs.read(p.scene)) print(pcall(fs.write, p.scene, 'x')) fs.write(p.out, 'out')\n\
         print(pcall(fs.read, p.word)) if p.new then fs.write(p.new .. '/x', 'new') end",
    );
    std::fs::create_dir(here.path().join("out")).unwrap();
    let with = |more: &[&str]| {
        let mut arguments = vec![
            "run",
            "--untrusted",
            "../theirs/a.lua",
            "--scene",
            "../data/a.txt",
            "--word",
            "here.txt",
        ];
        arguments.extend(more);
        ran(here.path(), &arguments)
    };
    let done = with(&["--out", "../out/o.txt", "--new", "../out/new"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_holds(&done.out, "granted\nfalse\t");
    assert_eq!(done.out.matches("false\t").count(), 2, "{done:?}");
    assert_eq!(
        std::fs::read_to_string(here.path().join("out/o.txt")).unwrap(),
        "out"
    );
    assert_eq!(
        std::fs::read_to_string(here.path().join("out/new/x")).unwrap(),
        "new"
    );
    // A default is the script's own.
    let done = with(&[]);
    assert_eq!(done.code, 2, "{done:?}");
    assert_holds(&done.err, "default.txt (not there yet)");
}

#[test]
fn keys_and_logins_are_closed_to_own_scripts_too() {
    let here = place("");
    std::fs::hard_link(
        here.path().join("home/.ssh/id_ed25519"),
        here.path().join("work/hard.txt"),
    )
    .unwrap();
    symlink(here.path().join("home/.ssh"), here.path().join("work/keys")).unwrap();
    std::fs::create_dir_all(here.path().join("home/.config/perilune")).unwrap();
    let mut code = String::new();
    let paths = [
        "~/.ssh/id_ed25519",
        "~/.SSH/id_ed25519",
        "~/.aws/config",
        "~/.config/gcloud/credentials.db",
        "~/.mozilla/firefox/a/logins.json",
        "~/.config/perilune/permissions.json",
        "../work/hard.txt",
        "../work/keys/id_ed25519",
    ];
    for path in paths {
        for call in ["fs.read", "geometry.read", "raster.open", "tables.read_csv"] {
            code.push_str(&format!("print(pcall({call}, '{path}'))\n"));
        }
        code.push_str(&format!("print(pcall(fs.write, '{path}', 'x'))\n"));
    }
    code.push_str("print(pcall(fs.rename, '../home/.ssh', '../work/moved')) print(pcall(fs.remove, '~/.config', { recursive = true }))");
    // In the home folder, where scripts write.
    for confine in ["auto", "off"] {
        let mut command = at(here.path(), "home");
        command.args(["--confine", confine, "--allow-write", "../work", "-e", &code]);
        let done = finish(command);
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(
            done.out.matches("false\t").count(),
            paths.len() * 5 + 2,
            "{}",
            done.out
        );
        assert!(!done.out.contains(CANARY), "{}", done.out);
    }
    let done = ran(
        here.path(),
        &[
            "--deny-read",
            "../data",
            "-e",
            "print(pcall(raster.open, '../data/a.txt')) print(pcall(fs.read, 'here.txt'))",
        ],
    );
    assert_holds(&done.out, "--deny-read says so");
    assert_holds(&done.out, &format!("true\t{CANARY}"));
    let done = ran(
        here.path(),
        &[
            "--deny-write",
            "out",
            "-e",
            "print(pcall(fs.write, 'out/a', 'x')) fs.write('b', 'x')",
        ],
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert_holds(&done.out, "--deny-write or --deny-read says so");
}
