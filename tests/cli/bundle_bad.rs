//! Bundles that are cut, changed, of later forms, or lead elsewhere; and one of today's form, which stays readable.

use std::fs;
use std::path::Path;

use super::bundle::{at, done, handed_on, ran};
use super::{assert_holds, finish, folder};

/// Every command that takes one refuses it, and nothing is made.
#[track_caller]
fn refused(here: &Path, text: &str, said: &str) {
    let path = here.join("colleague/bad.lua");
    fs::write(&path, text).unwrap();
    for arguments in [
        &["--allow-all", "run", "bad.lua"][..],
        &["--allow-all", "verify", "bad.lua"],
        &["inspect", "bad.lua"],
        &["unpack", "bad.lua", "new"],
        &["diff", "bad.lua", "water.bundle.lua"],
    ] {
        let run = ran(here, "colleague", arguments);
        assert!(run.code == 2 || run.code == 1, "{arguments:?}: {run:?}");
        assert_holds(&run.err, said);
        assert!(!run.out.contains("factor"), "{run:?}");
    }
    for made in ["out", "new"] {
        assert!(!here.join("colleague").join(made).exists(), "{made}");
    }
}

#[test]
fn damaged_bundles_are_clear_errors() {
    let here = handed_on(&[]);
    let here = here.path();
    let whole = fs::read_to_string(here.join("colleague/water.bundle.lua")).unwrap();
    let half = |part: &str| whole[..whole.find(part).unwrap() + part.len() / 2].to_string();
    refused(
        here,
        &half("[[modules]]"),
        "is cut off: its manifest does not end",
    );
    refused(
        here,
        &half("function M.bright"),
        "is cut off in the module tools.edges",
    );
    refused(here, &half("Brightens an image"), "is cut off in the script");
    refused(
        here,
        &whole.replace("image * factor", "image + factor"),
        "was changed: the module tools.edges has the hash",
    );
    refused(
        here,
        &whole.replace("print('factor'", "error('factor'"),
        "was changed: the script has the hash",
    );
    refused(here, &format!("{whole}\nprint('factor')"), "follow the script");
    refused(
        here,
        &whole.replace("\nend\n", "\nprint('factor') end\n"),
        "what no bundle has there",
    );
    refused(
        here,
        &whole.replace("perilune-bundle 1\n", "perilune-bundle 7\n"),
        "is a bundle of form 7, and this perilune",
    );
    refused(
        here,
        &whole.replacen("[script]", "[script]\nmood = \"good\"", 1),
        "mood",
    );
    refused(
        here,
        &whole.replacen("[script]", "[script", 1),
        "its manifest is not as perilune writes it",
    );
    refused(
        here,
        &whole.replace("path = \"data/a.tif\"", "path = \"/etc/passwd\""),
        "a path is `/etc/passwd`",
    );
    refused(
        here,
        &whole.replace("path = \"data/a.tif\"", "path = \"../../etc/passwd\""),
        "stays in it",
    );
    refused(
        here,
        &whole.replace("name = \"water.lua\"", "name = \"../water.lua\""),
        "script.name is `../water.lua`",
    );
    refused(
        here,
        &whole.replace("name = \"tools.edges\"", "name = \"/tools/edges\""),
        "a module's name is `/tools/edges`",
    );
    let bomb = format!("--[==[ perilune-bundle 1\na = {}", "{ b = ".repeat(200_000));
    refused(here, &bomb, "its manifest does not end");
    refused(here, &format!("{bomb}]==]\n"), "nothing of it was run");
    refused(
        here,
        &format!("{whole}{}", " ".repeat(17 << 20)),
        "is longer than a bundle",
    );
}

#[test]
fn a_manifest_asks_for_what_the_script_states() {
    let here = handed_on(&[]);
    let here = here.path();
    let whole = fs::read_to_string(here.join("colleague/water.bundle.lua")).unwrap();
    for change in [
        ("write = [\"out\"]", "write = [\"out\", \"/\"]"),
        ("write = [\"out\"]", "write = []"),
    ] {
        assert_holds(&whole, change.0);
        fs::write(here.join("colleague/bad.lua"), whole.replace(change.0, change.1)).unwrap();
        let run = ran(here, "colleague", &["--allow-all", "run", "bad.lua"]);
        assert_eq!(run.code, 2, "{run:?}");
        assert_holds(
            &run.err,
            "its manifest asks for other permissions than its script states",
        );
    }
}

#[test]
fn the_prompt_loads_no_bundles() {
    let here = handed_on(&[]);
    let said = {
        let mut command = at(here.path(), "colleague");
        let input = here.path().join("input");
        fs::write(&input, ":load water.bundle.lua\n").unwrap();
        command.stdin(fs::File::open(input).unwrap());
        finish(command)
    };
    assert_holds(
        &format!("{}{}", said.out, said.err),
        "perilune unpack water.bundle.lua",
    );
}

/// Made and signed (by ssh-keygen, with a key that was thrown away) on the day that form 1 was, and never again: whatever perilune is by then, it
/// reads this.
#[test]
fn bundles_of_the_first_form_are_read() {
    let here = folder(&[
        ("home/.keep", ""),
        ("colleague/data/points.csv", "name,value\na,1\nb,2\n"),
    ]);
    let here = here.path();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bundles");
    for (from, to) in [("form_1.lua", "sum.lua"), ("form_1.lua.sig", "sum.lua.sig")] {
        fs::copy(fixtures.join(from), here.join("colleague").join(to)).unwrap();
    }
    let key = fs::read_to_string(fixtures.join("form_1.pub")).unwrap();
    let settings = here.join("home/.config/perilune");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("allowed_signers"), format!("ada@example.org {key}")).unwrap();
    let told = done(here, "colleague", &["inspect", "sum.lua"]);
    for part in [
        "Adds up a column.",
        "signed by    ada@example.org, with SHA256:",
        "Ada Example",
        "CC-BY-4.0",
        "Ends with ]==]",
        "--column value",
        "data/points.csv",
        "(here, the same)",
        "out/sum.txt",
        "tools.add",
    ] {
        assert_holds(&told, part);
    }
    assert_eq!(
        done(here, "colleague", &["--allow-all", "run", "sum.lua"]),
        "3.0\n"
    );
    let told = done(here, "colleague", &["--allow-all", "verify", "sum.lua"]);
    assert_holds(&told, "out/sum.txt: the same, byte for byte");
    done(here, "colleague", &["unpack", "sum.lua"]);
    assert_holds(
        &fs::read_to_string(here.join("colleague/sum/tools/add.lua")).unwrap(),
        "return M",
    );
}
