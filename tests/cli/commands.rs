//! run, -e, workflows, doc, doctor, types, completions; errors of scripts.

use std::io::Read;
use std::process::Stdio;

use super::{assert_holds, folder, perilune, run};

#[test]
fn code_runs_with_the_modules_in_scope() {
    let here = folder(&[]);
    let done = run(here.path(), &["-e", "print(json.encode({ 1, 2 }))"]);
    assert_eq!(
        (done.code, done.out.as_str(), done.err.as_str()),
        (0, "[1,2]\n", "")
    );
}

#[test]
fn a_failing_script_names_place_and_calls_and_exits_1() {
    let here = folder(&[(
        "s1.lua",
        "local json = require \"json\"\nlocal function read(text)\n  local value = json.decode(text)\n  return value\nend\nread(\"{a}\")\n",
    )]);
    let failed = run(here.path(), &["run", "s1.lua"]);
    assert_eq!(failed.code, 1);
    assert_eq!(
        failed.err,
        "error: s1.lua:3: json.decode: not JSON: key must be a string at line 1 column 2\n  \
         3 |   local value = json.decode(text)\n    \
         |                 ^^^^^^^^^^^\n  \
         called from s1.lua:6\n"
    );
    assert_eq!(failed.out, "");
}

#[test]
fn a_syntax_error_names_its_line() {
    let here = folder(&[("s1.lua", "local x = 1\nlocal y = = 2\n")]);
    let failed = run(here.path(), &["run", "s1.lua"]);
    assert_eq!(failed.code, 1);
    assert_holds(&failed.err, "s1.lua:2: unexpected symbol near '='");
    assert_holds(&failed.err, "2 | local y = = 2");
}

#[test]
fn an_error_in_a_required_file_names_that_file() {
    let here = folder(&[
        (
            "lib/tools.lua",
            "local M = {}\nfunction M.go() error(\"mine\") end\nreturn M\n",
        ),
        ("main.lua", "local tools = require \"lib.tools\"\ntools.go()\n"),
    ]);
    let failed = run(here.path(), &["run", "main.lua"]);
    assert_holds(&failed.err, "error: lib/tools.lua:2: mine");
    assert_holds(&failed.err, "called from main.lua:2");
}

#[test]
fn modules_beside_the_script_are_found() {
    let here = folder(&[
        ("work/tools.lua", "return { answer = 42 }"),
        ("work/main.lua", "print(require \"tools\".answer)"),
    ]);
    let done = run(here.path(), &["run", "work/main.lua"]);
    assert_eq!((done.code, done.out.as_str()), (0, "42\n"));
    let failed = run(here.path(), &["-e", "require \"tols\""]);
    assert_holds(&failed.err, "no module `tols` (looked in /");
    std::fs::write(here.path().join("main.lua"), "require \"tols\"").unwrap();
    let failed = run(here.path(), &["run", "main.lua"]);
    assert_holds(&failed.err, "no module `tols` (looked in /");
}

#[test]
fn modules_that_require_each_other_are_an_error() {
    let here = folder(&[
        ("a.lua", "return require \"b\""),
        ("b.lua", "return require \"a\""),
    ]);
    let failed = run(here.path(), &["run", "a.lua"]);
    assert_eq!(failed.code, 1);
    assert_holds(&failed.err, "requires itself");
}

#[test]
fn a_missing_script_suggests() {
    let here = folder(&[("ratio.lua", "")]);
    let failed = run(here.path(), &["run", "ratoi.lua"]);
    assert_eq!(failed.code, 2);
    assert_holds(&failed.err, "no script `ratoi.lua`: no such file (looked in ");
    assert_holds(&failed.err, "did you mean `ratio.lua`?");
}

#[test]
fn misspelt_variables_and_missing_requires_are_explained() {
    let here = folder(&[
        ("a.lua", "local x = 1\nprint(jsn)"),
        ("b.lua", "print(json.null)"),
    ]);
    assert_holds(
        &run(here.path(), &["run", "a.lua"]).err,
        "a.lua:2: no variable `jsn`",
    );
    assert_holds(
        &run(here.path(), &["run", "b.lua"]).err,
        "b.lua:1: no variable `json`; for the module write `local json = require \"json\"`",
    );
}

#[test]
fn a_variable_that_was_set_to_nil_is_nil() {
    let here = folder(&[("a.lua", "x = nil\nprint(x)\ny = 1\ny = nil\nprint(y)")]);
    let done = run(here.path(), &["run", "a.lua"]);
    assert_eq!((done.out.as_str(), done.code), ("nil\nnil\n", 0));
}

#[test]
fn a_script_may_start_with_a_line_for_the_shell() {
    let here = folder(&[("a.lua", "#!/usr/bin/env -S perilune run\nerror(\"here\")")]);
    assert_holds(&run(here.path(), &["run", "a.lua"]).err, "a.lua:2: here");
}

#[test]
fn wrong_usage_exits_2() {
    let here = folder(&[]);
    for arguments in [
        &["--no-such-option"] as &[&str],
        &["fly"],
        &["run"],
        &["doc", "zzzzqqqq"],
        &["workflows", "copy", "zzzzqqqq"],
        &["--memory", "much", "repl"],
        &["--threads", "0", "repl"],
        &["-e", "1", "doctor"],
    ] {
        let failed = run(here.path(), arguments);
        assert_eq!(failed.code, 2, "{arguments:?}: {failed:?}");
        assert!(!failed.err.is_empty() || !failed.out.is_empty());
    }
}

#[test]
fn help_and_version_exit_0() {
    let here = folder(&[]);
    for arguments in [
        &["--help"] as &[&str],
        &["run", "--help"],
        &["--version"],
        &["doctor", "--help"],
    ] {
        let done = run(here.path(), arguments);
        assert_eq!(done.code, 0, "{arguments:?}");
        assert!(!done.out.is_empty());
    }
}

#[test]
fn doc_shows_suggests_and_searches() {
    let here = folder(&[]);
    let done = run(here.path(), &["doc", "json.encode"]);
    assert_holds(&done.out, "json.encode(value?, options?) -> string");
    assert_holds(&done.out, "pretty?: boolean");
    assert_holds(
        &run(here.path(), &["doc", "encode"]).out,
        "json.encode(value?, options?)",
    );
    assert_holds(
        &run(here.path(), &["doc", "json.encod"]).err,
        "did you mean `json.encode`?",
    );
}

#[test]
fn doctor_names_gdal_and_resources() {
    let done = run(folder(&[]).path(), &["doctor"]);
    assert_eq!(done.code, 0);
    for part in ["GDAL", "cores", "memory", "GTiff", "netCDF"] {
        assert_holds(&done.out, part);
    }
}

#[test]
fn types_writes_stubs_and_settings() {
    let here = folder(&[]);
    let done = run(here.path(), &["types", "."]);
    assert_eq!(done.code, 0, "{done:?}");
    let stub = std::fs::read_to_string(here.path().join(".perilune/types/json.lua")).unwrap();
    assert_holds(&stub, "function json.decode(text) end");
    let settings = std::fs::read_to_string(here.path().join(".luarc.json")).unwrap();
    assert_holds(&settings, ".perilune/types");
    let version = std::fs::read_to_string(here.path().join(".perilune/types/version")).unwrap();
    assert_eq!(version, format!("perilune {}\n", env!("CARGO_PKG_VERSION")));
    // A second time changes nothing, but that modules are gone which an earlier version had.
    let gone = here.path().join(".perilune/types/gone.lua");
    std::fs::write(&gone, "---@meta gone\n").unwrap();
    assert_eq!(run(here.path(), &["types", "."]).code, 0);
    assert!(!gone.exists());
    assert_eq!(
        settings,
        std::fs::read_to_string(here.path().join(".luarc.json")).unwrap()
    );
}

#[test]
fn completions_are_made_for_each_shell() {
    let here = folder(&[]);
    for shell in ["bash", "zsh", "fish"] {
        assert_holds(&run(here.path(), &["completions", shell]).out, "workflows");
    }
}

#[test]
fn workflows_are_listed_copied_and_never_overwritten() {
    let here = folder(&[]);
    let listed = run(here.path(), &["workflows"]);
    assert_eq!(listed.code, 0);
    let Some(name) = listed
        .out
        .lines()
        .next()
        .and_then(|l| l.split_whitespace().next())
    else {
        return;
    };
    if !perilune::host::loader::library_names("workflows")
        .iter()
        .any(|n| n == name)
    {
        return;
    }
    assert_eq!(run(here.path(), &["workflows", "copy", name]).code, 0);
    let copy = here.path().join(format!("{name}.lua"));
    assert!(copy.is_file());
    let again = run(here.path(), &["workflows", "copy", name]);
    assert_eq!(again.code, 2);
    assert_holds(&again.err, "exists already");
    assert_eq!(
        run(here.path(), &["run", &format!("{name}.lua"), "--help"]).code,
        0
    );
}

#[test]
fn a_reader_that_leaves_ends_the_script_quietly() {
    let here = folder(&[("a.lua", "for i = 1, 1e9 do print(i) end")]);
    let mut child = perilune(here.path())
        .args(["run", "a.lua"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut first = [0; 4];
    out.read_exact(&mut first).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(&first, b"1\n2\n");
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
