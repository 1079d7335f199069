//! `perilune test`: the tests of a project.

use std::fs;

use super::bundle::{done, ran};
use super::{assert_holds, folder};

#[test]
fn the_tests_of_a_project_run() {
    let here = folder(&[
        ("home/.keep", ""),
        (
            "ice/perilune.toml",
            "[project]\nname = \"ice\"\n[dependencies]\ntools = { path = \"../tools\" }\n",
        ),
        (
            "ice/ice.lua",
            "return { thick = function(v) return v * require('tools').factor end }",
        ),
        ("tools/tools.lua", "return { factor = 2 }"),
        ("ice/tests/fixtures/one.txt", "1"),
        ("ice/tests/fixtures/broken.lua", "this is no test"),
        (
            "ice/tests/deep/ice.lua",
            "local check, ice, fs = require 'check', require 'ice', require 'fs'\n\
             test('it is thick', function() check.equal(ice.thick(2), 4) end)\n\
             test('files are there', function() check.equal(fs.read(fixture 'one.txt'), '1') fs.write(folder .. '/a.txt', 'x') check.equal(fs.read 'a.txt', 'x') end)\n\
             test('fixtures stay', function() check.error(function() fs.write(fixture 'one.txt', '2') end, 'outside the folders') check.equal(fs.read(fixture 'one.txt'), '1') end)\n\
             test('later', function() check.skip 'needs a GPU' end)\n",
        ),
    ]);
    let here = here.path();
    for threads in ["1", "4"] {
        let told = done(here, "ice", &["test", "--threads", threads]);
        assert_holds(&told, "skipped: needs a GPU: tests/deep/ice.lua: later");
        assert_holds(&told, "3 passed, 0 failed, 1 skipped, in 1 file");
    }
    fs::write(
        here.join("ice/tests/bad.lua"),
        "local check = require 'check'\nprint 'looking'\n\ntest('one is two', function()\n  check.equal(1, 2)\nend)\ntest('it writes elsewhere', function() require('fs').write('../../out.txt', 'x') end)\ntest('fine', function() end)\n",
    )
    .unwrap();
    let told = ran(here, "ice", &["test"]);
    assert_eq!(told.code, 1, "{told:?}");
    for part in [
        "FAILED tests/bad.lua: one is two\n  tests/bad.lua:5: expected 2, got 1",
        "the file has printed:\n  looking",
        "FAILED tests/bad.lua: it writes elsewhere",
        "is outside the working folder",
        "4 passed, 2 failed, 1 skipped, in 2 files",
    ] {
        assert_holds(&told.out, part);
    }
    // By name, by file, and from within.
    let told = done(here, "ice", &["test", "--filter", "thick"]);
    assert_holds(&told, "1 passed, 0 failed, 0 skipped");
    let told = ran(
        here,
        "ice/tests",
        &["test", "bad.lua", "--filter", "two", "--filter", "fine"],
    );
    assert_holds(&told.out, "FAILED bad.lua: one is two");
    assert_holds(&told.out, "1 passed, 1 failed, 0 skipped, in 1 file");
    let told = ran(here, "ice", &["test", "--filter", "nothing is so"]);
    assert_eq!((told.code, told.out.as_str()), (2, ""), "{told:?}");
    assert_holds(&told.err, "no test has `nothing is so` in its name");
    assert_eq!(ran(here, "ice", &["test", "nowhere.lua"]).code, 2);
    assert!(!here.join("out.txt").exists() && !here.join("ice/out.txt").exists());
}

#[test]
fn what_is_no_test_is_said() {
    let here = folder(&[
        ("home/.keep", ""),
        ("a/tests/empty.lua", "x = 1"),
        ("a/tests/wrong.lua", "test 'only a name'"),
        ("a/tests/syntax.lua", "test('x', function("),
        ("b/.keep", ""),
    ]);
    let told = ran(here.path(), "a", &["test"]);
    assert_eq!(told.code, 1, "{told:?}");
    for part in [
        "FAILED tests/empty.lua\n  the file defines no test",
        "test takes what holds, in words, and a function that tries it",
        "FAILED tests/syntax.lua\n",
    ] {
        assert_holds(&told.out, part);
    }
    let told = ran(here.path(), "b", &["test"]);
    assert_eq!(told.code, 2);
    assert_holds(&told.err, "there are no tests");
}

#[test]
fn a_test_that_does_not_end_is_ended() {
    let here = folder(&[
        ("home/.keep", ""),
        (
            "a/tests/long.lua",
            "test('it ends', function() while true do end end)",
        ),
    ]);
    let told = ran(here.path(), "a", &["--time-limit", "1", "test"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_holds(&told.err, "stopped");
}
