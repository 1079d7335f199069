//! `params`: declaration, command line, help.

use super::{assert_holds, folder, run};

const SCRIPT: &str = r#"-- Composites of a stack.
-- One for each orbit.
local p = params {
  folder = "data/rtc",                     -- folder of the products
  radius = { 100, unit = "m", min = 0 },   -- radius of the focal median
  -- which passes to take
  pass = { choices = { "ASCENDING", "DESCENDING" } },
  looks = { default = 4, type = "integer", max = 100 },
  bands = { "VV", "VH" },
  bounds = { type = "list", of = "number", help = "west, south, east, north" },
  start = { type = "date" },
  verbose = false,
}
print(p.folder, p.radius, p.pass, p.looks, table.concat(p.bands, "+"), p.bounds and p.bounds[2], p.start, p.verbose)
"#;

fn script() -> tempfile::TempDir {
    folder(&[("s.lua", SCRIPT)])
}

#[test]
fn defaults_hold_unless_given() {
    let here = script();
    let done = run(here.path(), &["run", "s.lua"]);
    assert_eq!(
        done.out, "data/rtc\t100\tnil\t4\tVV+VH\tnil\tnil\tfalse\n",
        "{}",
        done.err
    );
    let arguments = [
        "run",
        "s.lua",
        "--folder=x y",
        "--radius",
        "12.5",
        "--pass",
        "ASCENDING",
        "--looks",
        "9",
        "--bands",
        "HH,HV",
        "--bounds=-3,50.5,4,51",
        "--start",
        "20200131",
        "--verbose",
    ];
    let done = run(here.path(), &arguments);
    assert_eq!(
        done.out, "x y\t12.5\tASCENDING\t9\tHH+HV\t50.5\t2020-01-31\ttrue\n",
        "{}",
        done.err
    );
    assert_holds(
        &run(here.path(), &["run", "s.lua", "--no-verbose"]).out,
        "\tfalse\n",
    );
}

#[test]
fn wrong_values_are_usage_errors_that_say_what_is_expected() {
    let here = script();
    for (arguments, expected) in [
        (
            &["--radius", "far"] as &[&str],
            "parameter radius must be a number of at least 0 (m), got \"far\"",
        ),
        (
            &["--radius", "-1"],
            "parameter radius must be a number of at least 0 (m), got \"-1\"",
        ),
        (
            &["--radius"],
            "parameter radius must be a number of at least 0 (m), got nothing; write --radius NUMBER",
        ),
        (
            &["--looks", "1.5"],
            "parameter looks must be an integer of at most 100, got \"1.5\"",
        ),
        (
            &["--looks", "101"],
            "parameter looks must be an integer of at most 100, got \"101\"",
        ),
        (
            &["--pass", "UP"],
            "parameter pass must be \"ASCENDING\" or \"DESCENDING\", got \"UP\"",
        ),
        (
            &["--start", "2020-02-30"],
            "parameter start must be a date (yyyy-mm-dd), got \"2020-02-30\"",
        ),
        (
            &["--bounds", "1,b"],
            "parameter bounds must be a list of numbers, got \"1,b\"",
        ),
        (
            &["--verbose=perhaps"],
            "parameter verbose must be true or false, got \"perhaps\"",
        ),
        (
            &["--raduis", "1"],
            "unknown parameter `raduis`; did you mean `radius`?",
        ),
        (
            &["--quiet"],
            "unknown parameter `quiet`; perilune's own options stand before the script",
        ),
        (
            &["data"],
            "`data` is not a parameter; parameters are given as --name value",
        ),
    ] {
        let mut all = vec!["run", "s.lua"];
        all.extend(arguments);
        let failed = run(here.path(), &all);
        assert_eq!(failed.code, 2, "{arguments:?}: {failed:?}");
        assert_holds(&failed.err, expected);
        assert_eq!(failed.out, "", "nothing runs with wrong parameters");
    }
}

#[test]
fn help_lists_parameters_in_order_without_running() {
    let here = script();
    let done = run(here.path(), &["run", "s.lua", "--help"]);
    assert_eq!(
        done.out,
        "Usage: perilune run s.lua [--parameter value]…

Composites of a stack.
One for each orbit.

Parameters:
  --folder STRING
        folder of the products
        [default data/rtc]
  --radius NUMBER
        radius of the focal median
        [unit m; at least 0; default 100]
  --pass ASCENDING|DESCENDING
        which passes to take
        [optional]
  --looks INTEGER
        [at most 100; default 4]
  --bands STRING,STRING,…
        [default VV,VH]
  --bounds NUMBER,NUMBER,…
        west, south, east, north
        [optional]
  --start DATE
        [optional]
  --verbose
        [default false]
"
    );
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn help_of_a_script_that_catches_errors_does_not_run_it() {
    let here = folder(&[(
        "s.lua",
        "local ok = pcall(function() params { a = 1 } end)\nwhile not ok do pcall(error) end\nprint('ran')",
    )]);
    let done = run(here.path(), &["run", "s.lua", "--help"]);
    assert_eq!(done.code, 0);
    assert_holds(&done.out, "--a NUMBER");
    assert!(!done.out.contains("ran"));
}

#[test]
fn help_of_parameters_that_a_module_declares_does_not_run_the_script() {
    let here = folder(&[
        ("settings.lua", "return params { a = 1 } -- how many"),
        ("s.lua", "local p = require 'settings'\nprint('ran', p.a)"),
    ]);
    let done = run(here.path(), &["run", "s.lua", "--help"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_holds(&done.out, "--a NUMBER");
    assert!(!done.out.contains("ran"), "{done:?}");
    assert_eq!(run(here.path(), &["run", "s.lua"]).out, "ran\t1\n");
}

#[test]
fn help_of_a_wrong_declaration_tells_what_is_wrong() {
    let here = folder(&[("s.lua", "params { f = print }\nprint('ran')")]);
    let failed = run(here.path(), &["run", "s.lua", "--help"]);
    assert_eq!((failed.code, failed.out.as_str()), (1, ""));
    assert_holds(&failed.err, "s.lua:1: params: ");
}

#[test]
fn what_is_required_must_be_given() {
    let here = folder(&[(
        "s.lua",
        "local p = params { out = { type = 'path', required = true } } print(p.out)",
    )]);
    let failed = run(here.path(), &["run", "s.lua"]);
    assert_eq!(failed.code, 2);
    assert_holds(&failed.err, "parameter out is missing: give it as --out PATH");
    assert_eq!(
        run(here.path(), &["run", "s.lua", "--out", "x.tif"]).out,
        "x.tif\n"
    );
    assert_eq!(run(here.path(), &["run", "s.lua", "--help"]).code, 0);
}

#[test]
fn a_script_without_parameters_takes_none() {
    let here = folder(&[("s.lua", "print(1)")]);
    let failed = run(here.path(), &["run", "s.lua", "--radius", "3"]);
    assert_eq!((failed.code, failed.out.as_str()), (2, ""));
    assert_holds(
        &failed.err,
        "s.lua declares no parameters, so it cannot take --radius",
    );
    assert_holds(
        &run(here.path(), &["run", "s.lua", "--help"]).out,
        "declares no parameters",
    );
}

#[test]
fn the_table_of_parameters_knows_its_names_and_types() {
    let here = folder(&[
        ("a.lua", "local p = params { radius = 1 }\nprint(p.raduis)"),
        (
            "b.lua",
            "local p = params { radius = 1 }\np.radius = 2\nprint(p.radius)\np.radius = 'far'",
        ),
        ("c.lua", "params { radius = { 1, mni = 3 } }"),
        ("d.lua", "params { f = print }"),
        ("e.lua", "params { a = 1 }\nparams { b = 1 }"),
        ("f.lua", "params { a = { 5, choices = { 1, 2 } } }"),
    ]);
    let failed = |name: &str| {
        let failed = run(here.path(), &["run", name]);
        assert_eq!(failed.code, 1, "{failed:?}");
        failed
    };
    assert_holds(
        &failed("a.lua").err,
        "a.lua:2: params has no parameter `raduis`; did you mean `radius`?",
    );
    let b = failed("b.lua");
    assert_eq!(b.out, "2\n");
    assert_holds(
        &b.err,
        "b.lua:4: parameter radius must be a number, got \"far\" (string)",
    );
    assert_holds(
        &failed("c.lua").err,
        "unknown option `parameter radius.mni`; did you mean `parameter radius.min`?",
    );
    assert_holds(
        &failed("d.lua").err,
        "parameter f must be a default (number, string, boolean or list)",
    );
    assert_holds(
        &failed("e.lua").err,
        "e.lua:2: params: a script declares its parameters once",
    );
    assert_holds(
        &failed("f.lua").err,
        "parameter a must be 1 or 2, got 5 (integer)",
    );
}
