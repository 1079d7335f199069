//! What log and progress show.

use super::{assert_holds, folder, run};

#[test]
fn messages_go_to_standard_error() {
    let here = folder(&[]);
    let code = "log.debug('a') log.info('%d of %d', 1, 2) log.info('read', 3, nil, 'x%') log.warn('careful') log.error('bad') \
        log.level('debug') log.debug('b') print('out')";
    let done = run(here.path(), &["-e", code]);
    assert_eq!(done.out, "out\n");
    assert_eq!(
        done.err,
        "1 of 2\nread 3 nil x%\nwarning: careful\nerror: bad\ndebug: b\n"
    );
}

#[test]
fn short_work_is_silent_and_quiet_is_too() {
    let here = folder(&[]);
    let code = "for i in progress.each({ 1, 2, 3 }, 'short') do end";
    for options in [&["-e", code] as &[&str], &["--quiet", "-e", code]] {
        let done = run(here.path(), options);
        assert_eq!((done.code, done.err.as_str()), (0, ""));
    }
}

#[test]
fn a_bar_shows_on_a_terminal_and_leaves() {
    let here = folder(&[]);
    let mut terminal = super::pty::Terminal::start(here.path());
    terminal.enter(
        "for i in progress.each({ 1, 2, 3, 4, 5 }, 'waiting') do local t = os.clock() while os.clock() - t < 0.2 do end end print('aft' .. 'er')",
    );
    terminal.expect("waiting [");
    terminal.expect("/5");
    terminal.expect("after");
    assert_eq!(terminal.leave(), 0);
}

#[test]
fn temporary_folders_are_removed_at_the_end() {
    let here = folder(&[]);
    for code in ["print(fs.temporary())", "print(fs.temporary()) error('x')"] {
        let done = run(here.path(), &["-e", code]);
        assert_holds(&done.out, "perilune-");
        assert!(!std::path::Path::new(done.out.trim()).exists());
    }
}

#[test]
fn files_outside_are_refused_unless_allowed() {
    let here = folder(&[]);
    let elsewhere = folder(&[]);
    // The system's temporary folder is allowed too, and these folders are in it.
    let start = |arguments: &[&str]| {
        let mut command = super::perilune(here.path());
        command.args(arguments).env("TMPDIR", here.path());
        super::finish(command)
    };
    let path = elsewhere.path().join("x.txt");
    let shown = path.to_str().unwrap();
    let code = format!("fs.write('{shown}', 'x')");
    let refused = start(&["-e", &code]);
    assert_eq!(refused.code, 1);
    assert_holds(&refused.err, "is outside the working folder");
    assert!(!path.exists());
    let allowed = start(&["--allow-write", elsewhere.path().to_str().unwrap(), "-e", &code]);
    assert_eq!(allowed.code, 0, "{allowed:?}");
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
    // A parameter that names the file allows its folder too.
    std::fs::write(
        here.path().join("s.lua"),
        "local p = params { out = 'x' } require 'fs'.write(p.out, 'x')",
    )
    .unwrap();
    let allowed = start(&["run", "s.lua", "--out", shown]);
    assert_eq!(allowed.code, 0, "{allowed:?}");
    assert!(path.exists());
}
