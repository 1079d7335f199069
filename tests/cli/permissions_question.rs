//! The question about a script of others, on a terminal.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::permissions::{at, place, ran};
use super::pty::Terminal;
use super::{assert_holds, finish};

fn terminal(here: &Path, arguments: &[&str]) -> Terminal {
    let mut command = at(here, "work");
    command
        .args(["run", "--untrusted"])
        .args(arguments)
        .arg("../theirs/a.lua");
    Terminal::of(command)
}

const ASKING: &str = "-- Reads a text.\nneeds { read = { '../data' } } print('read: ' .. (require 'fs').read('../data/a.txt'))";
const QUESTION: &str = "| once | no | show: its text] ";

#[test]
fn the_question_is_asked_once_for_each_content() {
    let here = place(ASKING);
    let mut asked = terminal(here.path(), &[]);
    for part in [
        "a.lua is a script of others. Nothing of it has run yet.",
        "| Reads a text.",
        "It asks to",
        "data",
    ] {
        asked.expect(part);
    }
    asked.expect(QUESTION);
    asked.send("maybe\r");
    asked.expect("Answer by one of the words");
    asked.expect(QUESTION);
    asked.send("once\r");
    asked.expect("read: granted");
    assert_eq!(asked.ended(), 0);
    let file = here.path().join("home/.config/perilune/permissions.json");
    assert!(!file.exists());
    // Once was once.
    let mut asked = terminal(here.path(), &[]);
    asked.expect(QUESTION);
    asked.send("no\r");
    asked.expect("Refused: nothing of it was run.");
    assert_eq!(asked.ended(), 1);
    assert!(!asked.whole().contains("read: "));
    let mut asked = terminal(here.path(), &[]);
    asked.expect(QUESTION);
    asked.stop();
    asked.expect("Refused");
    assert_eq!(asked.ended(), 130);
    let mut asked = terminal(here.path(), &[]);
    asked.expect(QUESTION);
    asked.send("yes\r");
    asked.expect("read: granted");
    assert_eq!(asked.ended(), 0);
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // Remembered, also where nobody could be asked, and told.
    let done = ran(here.path(), &["run", "--untrusted", "../theirs/a.lua"]);
    assert_eq!(done.out, "read: granted\n", "{done:?}");
    assert_holds(
        &ran(here.path(), &["inspect", "../theirs/a.lua"]).out,
        "you let this content",
    );
    // From another folder the same words mean another path.
    let mut elsewhere = at(here.path(), "home");
    std::fs::create_dir(here.path().join("home/sub")).unwrap();
    elsewhere.current_dir(here.path().join("home/sub"));
    std::fs::create_dir(here.path().join("home/data")).unwrap();
    elsewhere.args(["run", "--untrusted", "../../theirs/a.lua"]);
    assert_holds(&finish(elsewhere).err, "home/data");
    // Changed content is another.
    std::fs::write(here.path().join("theirs/a.lua"), format!("{ASKING} ")).unwrap();
    let done = ran(here.path(), &["run", "--untrusted", "../theirs/a.lua"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
    let forgotten = ran(here.path(), &["inspect", "../theirs/a.lua", "--forget"]);
    assert_holds(&forgotten.out, "nothing was remembered");
    std::fs::write(here.path().join("theirs/a.lua"), ASKING).unwrap();
    // Forgotten is asked again.
    let text = std::fs::read_to_string(&file).unwrap();
    let forgotten = ran(here.path(), &["inspect", "../theirs/a.lua", "--forget"]);
    assert_holds(&forgotten.out, "is forgotten");
    let done = ran(here.path(), &["run", "--untrusted", "../theirs/a.lua"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
    std::fs::write(&file, text).unwrap();
    let done = ran(here.path(), &["run", "--untrusted", "../theirs/a.lua"]);
    assert_eq!(done.code, 0, "{done:?}");
    // A file of answers that others can write is none.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let done = ran(here.path(), &["run", "--untrusted", "../theirs/a.lua"]);
    assert_eq!(done.code, 2, "{done:?}");
    assert_holds(&done.err, "is not yours alone");
}

#[test]
fn a_changed_module_is_changed_content() {
    let script = "needs { read = { '../data' } } print(require 'helper')";
    let here = place(script);
    let helper = here.path().join("theirs/helper.lua");
    std::fs::write(&helper, "return 'first'").unwrap();
    let mut asked = terminal(here.path(), &[]);
    asked.expect(QUESTION);
    // What is loaded is what was asked about.
    std::fs::write(&helper, "return 'second'").unwrap();
    asked.send("yes\r");
    asked.expect("first");
    assert_eq!(asked.ended(), 0);
    let done = ran(here.path(), &["run", "--untrusted", "../theirs/a.lua"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
}

#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let here = place(ASKING);
    let mut asked = terminal(here.path(), &["--allow-read", "../beside/b.txt"]);
    // Long before the program can have shown anything.
    asked.send("yes\ryes\ryes\r");
    // What is granted without it is told with it.
    asked.expect("Already granted, by your parameters, options and earlier answers, is to");
    asked.expect("beside/b.txt");
    asked.expect(QUESTION);
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert!(!asked.whole().contains("read: "), "{}", asked.whole());
    asked.send("no\r");
    asked.expect("Refused");
    assert_eq!(asked.ended(), 1);
}

#[test]
fn names_cannot_draw_on_the_terminal() {
    let here = place(
        "-- \u{1b}[2J\u{1b}[1;1HIt asks to\\n  read nothing \u{202e}gnihton\nneeds { read = { '../data/\u{1b}]0;x\u{7}', '../data/\\27[8m\\u{202e}fit\\u{2066}', '../data/a\\rb\\nc' } }\nprint('ran')",
    );
    let mut asked = terminal(here.path(), &[]);
    asked.expect(QUESTION);
    asked.send("show\r");
    asked.expect("needs { read");
    asked.expect(QUESTION);
    asked.send("no\r");
    assert_eq!(asked.ended(), 1);
    let screen = asked.whole();
    for hidden in ['\u{1b}', '\u{202e}', '\u{2066}', '\u{7}'] {
        assert!(!screen.contains(hidden), "{}", screen.escape_debug());
    }
    for shown in [
        "\\u{1b}[8m",
        "\\u{202e}fit\\u{2066}",
        "a\\u{d}b\\u{a}c",
        "| \\u{1b}[2J",
    ] {
        assert_holds(&screen, shown);
    }
    let told = ran(here.path(), &["inspect", "../theirs/a.lua"]);
    assert!(
        !told.out.contains('\u{1b}') && !told.out.contains('\u{202e}'),
        "{}",
        told.out.escape_debug()
    );
}
