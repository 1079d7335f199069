//! Scripts that do not end, eat memory, or try what they may not.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::stopping::BOUND;
use super::{Run, assert_holds, folder, perilune, run};

/// Starts a script, waits for its first output, sends SIGINT, and waits for its end.
fn interrupted(folder: &Path, code: &str) -> (Run, Duration) {
    std::fs::write(folder.join("loop.lua"), code).unwrap();
    let mut child: Child = perilune(folder)
        .args(["run", "loop.lua"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    std::io::Read::read_exact(&mut out, &mut [0; 1]).unwrap();
    // Out of `print`, which looks at the flag itself, and into what follows.
    std::thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    // SAFETY: kill has no preconditions; the process is ours and not yet waited for.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGINT) };
    let output = child.wait_with_output().unwrap();
    let run = Run {
        code: output.status.code().unwrap_or(-1),
        out: String::new(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    (run, started.elapsed())
}

#[test]
fn ctrl_c_ends_any_script_within_two_seconds() {
    let here = folder(&[]);
    for code in [
        "print(1) while true do end",
        "print(1) while true do pcall(function() while true do end end) end",
        "print(1) while true do pcall(error) end",
        "print(1) local co = coroutine.wrap(function() while true do pcall(function() while true do end end) end end) while true do pcall(co) end",
        "print(1) local t = setmetatable({}, { __index = function() while true do end end }) while true do pcall(function() return t.x end) end",
        "print(1) table.sort({ 3, 2, 1 }, function() while true do end end)",
        "print(1) string.gsub('aaa', 'a', function() while true do end end)",
        "print(1) local json = require 'json' local x <close> = setmetatable({}, { __close = function() while true do end end })",
    ] {
        let (ended, took) = interrupted(here.path(), code);
        assert_eq!(ended.code, 130, "{code}: {ended:?}");
        assert_holds(&ended.err, "error: interrupted");
        assert!(took < BOUND, "{code}: {took:?}");
    }
}

#[test]
fn an_interruption_says_where() {
    let here = folder(&[]);
    let (ended, _) = interrupted(
        here.path(),
        "local function forever()\n  while true do end\nend\nprint(1)\nforever()\n",
    );
    assert_holds(&ended.err, "called from loop.lua:2");
    assert_holds(&ended.err, "called from loop.lua:5");
}

#[test]
fn the_time_limit_ends_a_script() {
    let here = folder(&[(
        "loop.lua",
        "while true do pcall(function() while true do end end) end",
    )]);
    let started = Instant::now();
    let ended = run(here.path(), &["--time-limit", "0.3", "run", "loop.lua"]);
    assert_eq!(ended.code, 1);
    assert_holds(&ended.err, "stopped: the time limit is over");
    assert!(started.elapsed() < Duration::from_secs(10));
    // And leaves one alone that is done before.
    assert_eq!(
        run(here.path(), &["--time-limit", "30", "-e", "print(1)"]).code,
        0
    );
}

#[test]
fn memory_bombs_end_with_a_message() {
    let here = folder(&[]);
    for code in [
        "local s = string.rep('x', 1e10)",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} for i = 1, 1e12 do t[i] = i end",
        "local t = {} while true do t = { t } end",
        "local t = {} for i = 1, 1e5 do t[i] = i end local all = {} while true do all[#all + 1] = table.move(t, 1, #t, 1, {}) end",
        "local s = string.rep('x', 1e5) local r = s:gsub('.', s)",
    ] {
        let ended = run(here.path(), &["--lua-memory", "64MiB", "-e", code]);
        assert_eq!(ended.code, 1, "{code}: {ended:?}");
        assert_holds(&ended.err, "not enough memory: the script's tables and strings");
        assert_holds(&ended.err, "--lua-memory");
    }
}

#[test]
fn memory_comes_back_after_an_error_that_was_caught() {
    let here = folder(&[]);
    let code = "for i = 1, 5 do print(pcall(string.rep, 'x', 1e10)) end print(#string.rep('x', 1e6))";
    let done = run(here.path(), &["--lua-memory", "64MiB", "-e", code]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_holds(&done.out, "1000000");
}

#[test]
fn deep_recursion_is_an_error() {
    let here = folder(&[("deep.lua", "local function f(n) return 1 + f(n + 1) end\nf(1)\n")]);
    let ended = run(here.path(), &["run", "deep.lua"]);
    assert_eq!(ended.code, 1);
    assert_holds(&ended.err, "deep.lua:1: stack overflow");
    let ended = run(
        here.path(),
        &[
            "-e",
            "local s = string.rep('(', 1e5) assert(load('return ' .. s))",
        ],
    );
    assert_eq!(ended.code, 1);
    assert_holds(&ended.err, "C stack overflow");
}

#[test]
fn repeating_nothing_ends() {
    let here = folder(&[]);
    assert_eq!(
        run(
            here.path(),
            &["-e", "print(#string.rep('', 1e18), #(''):rep(1e18, ''))"]
        )
        .out,
        "0\t0\n"
    );
    assert_eq!(
        run(
            here.path(),
            &["-e", "print(('ab'):rep(3, '-'), string.rep(7, 2), ('x'):rep(-1))"]
        )
        .out,
        "ab-ab-ab\t77\t\n"
    );
}

#[test]
fn bytecode_is_refused() {
    let here = folder(&[]);
    std::fs::write(
        here.path().join("code.luac"),
        b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n",
    )
    .unwrap();
    let ended = run(here.path(), &["run", "code.luac"]);
    assert_eq!(ended.code, 2);
    assert_holds(
        &ended.err,
        "this is compiled Lua; only the text of scripts is run",
    );
    let ended = run(here.path(), &["-e", "print(load('\\27Lua', 'x', 'b'))"]);
    assert_holds(&ended.out, "attempt to load a binary chunk (mode is 't')");
    let ended = run(here.path(), &["-e", "string.dump(print)"]);
    assert_holds(
        &ended.err,
        "string.dump: not available: scripts are text, never bytecode",
    );
}

#[test]
fn what_is_withheld_says_why() {
    let here = folder(&[]);
    for (code, expected) in [
        (
            "os.execute('ls')",
            "os.execute: not available: scripts cannot start programs",
        ),
        (
            "io.popen('ls')",
            "io.popen: not available: scripts cannot start programs",
        ),
        (
            "io.open('/etc/passwd')",
            "io.open: not available: use fs.read and fs.write",
        ),
        (
            "os.getenv('HOME')",
            "os.getenv: not available: the environment may hold credentials",
        ),
        (
            "package.loadlib('x', 'y')",
            "package.loadlib: not available: scripts cannot load native code",
        ),
        ("dofile('x.lua')", "dofile: not available: use `require`"),
        ("os.exit(0)", "os.exit: not available: end a script with `return`"),
        ("debug.sethook()", "attempt to call a nil value (field 'sethook')"),
    ] {
        let ended = run(here.path(), &["-e", code]);
        assert_eq!(ended.code, 1, "{code}");
        assert_holds(&ended.err, expected);
    }
}

#[test]
fn metatables_of_objects_and_strings_cannot_be_broken_into() {
    let here = folder(&[]);
    let code = "print(getmetatable(json.null), pcall(setmetatable, json, {}))";
    assert_holds(
        &run(here.path(), &["-e", code]).out,
        "cannot change a protected metatable",
    );
}

#[test]
fn random_numbers_repeat() {
    let here = folder(&[]);
    let code = "print(math.random(1, 1000000), math.random(1, 1000000))";
    assert_eq!(
        run(here.path(), &["-e", code]).out,
        run(here.path(), &["-e", code]).out
    );
}

#[test]
fn not_utf8_is_named() {
    let here = folder(&[]);
    std::fs::write(here.path().join("latin.lua"), b"-- caf\xe9\n").unwrap();
    let ended = run(here.path(), &["run", "latin.lua"]);
    assert_eq!(ended.code, 2);
    assert_holds(&ended.err, "its text is not UTF-8");
    std::fs::create_dir(here.path().join("folder.lua")).unwrap();
    assert_eq!(run(here.path(), &["run", "folder.lua"]).code, 2);
}

#[test]
fn neighbourhoods_too_large_for_the_memory_are_refused_before_work() {
    let here = folder(&[]);
    let code = "filter.focal_median(raster.random(raster.grid { rows = 2000, cols = 2000 }), { radius = 512 }):write('x.tif')";
    let refused = run(here.path(), &["--memory", "40MiB", "--threads", "2", "-e", code]);
    assert_eq!(refused.code, 1);
    assert_holds(&refused.err, "more than the memory limit of 40 MiB");
    assert_holds(&refused.err, "fewer --threads, or smaller neighbourhoods");
    assert!(!here.path().join("x.tif").exists());
}
