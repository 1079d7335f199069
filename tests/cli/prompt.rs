//! The prompt, on a terminal and from a pipe.

use super::pty::Terminal;
use super::{assert_holds, folder, piped, run};

const TAB: &str = "\t";
const UP: &str = "\x1b[A";

#[test]
fn values_print_themselves_and_locals_stay() {
    let here = folder(&[]);
    let mut terminal = Terminal::start(here.path());
    terminal.enter("local x = { 1, 2, name = 'a' }");
    terminal.enter("x");
    terminal.expect("{ 1, 2, name = \"a\" }");
    terminal.enter("local function twice(n) return 2 * n end");
    terminal.enter("twice(21)");
    terminal.expect("42");
    terminal.enter("print('side', 'effect')");
    terminal.expect("side\teffect");
    terminal.enter("json.decode");
    terminal.expect("function json.decode(text)");
    terminal.enter("_");
    terminal.expect("function json.decode(text)");
    assert_eq!(terminal.leave(), 0);
}

#[test]
fn unfinished_input_goes_on_and_ctrl_c_gives_it_up() {
    let here = folder(&[]);
    let mut terminal = Terminal::start(here.path());
    terminal.go_on("for i = 1, 3 do");
    terminal.go_on("  print('line ' .. i * 11)");
    terminal.enter("end");
    terminal.expect("line 33");
    terminal.go_on("for i = 1, 3 do");
    terminal.cancel();
    terminal.enter("'still ' .. 'here'");
    terminal.expect("\"still here\"");
    assert_eq!(terminal.leave(), 0);
}

#[test]
fn ctrl_c_stops_what_runs_and_returns() {
    let here = folder(&[]);
    let mut terminal = Terminal::start(here.path());
    for endless in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
    ] {
        terminal.enter(&format!("print('go' .. 'ing') {endless}"));
        terminal.expect("going");
        terminal.stop();
        terminal.expect("interrupted");
    }
    terminal.enter("6 * 7");
    terminal.expect("42");
    assert_eq!(terminal.leave(), 0);
}

#[test]
fn tab_completes_names_options_and_files() {
    let here = folder(&[("scene_one.tif", ""), ("scenes/a.txt", "")]);
    let mut terminal = Terminal::start(here.path());
    terminal.press(&format!("jso{TAB}.enc{TAB}({{}}, {{ pre{TAB}true }})"));
    terminal.expect("json.encode({}, { pretty = ");
    terminal.enter("");
    terminal.expect("\"{}\"");
    terminal.press(&format!("local s = 'scene_{TAB}'"));
    terminal.expect("'scene_one.tif");
    terminal.enter("");
    terminal.enter("measured = { inside = { deepest = 5 } }");
    terminal.press(&format!("meas{TAB}.ins{TAB}.dee{TAB}"));
    terminal.expect("measured.inside.deepest");
    terminal.enter("");
    terminal.expect("5");
    terminal.press(&format!(":lo{TAB}scenes{TAB}a{TAB}"));
    terminal.expect(":load scenes/a.txt");
    terminal.cancel();
    terminal.press(&format!("?json.enc{TAB}"));
    terminal.expect("?json.encode");
    terminal.enter("");
    terminal.expect("Writes a value as JSON text.");
    assert_eq!(terminal.leave(), 0);
}

#[test]
fn history_lasts() {
    let here = folder(&[]);
    let mut terminal = Terminal::start(here.path());
    terminal.enter("11 * 11");
    terminal.expect("121");
    assert_eq!(terminal.leave(), 0);
    let mut terminal = Terminal::start(here.path());
    terminal.press(UP);
    terminal.expect("11 * 11");
    terminal.enter("");
    terminal.expect("121");
    assert_eq!(terminal.leave(), 0);
}

#[test]
fn errors_underline_the_place() {
    let here = folder(&[]);
    let mut terminal = Terminal::start(here.path());
    terminal.enter("local text = json.decod('1')");
    terminal.expect("error: input 1:1: module json has no field `decod`; did you mean `decode`?");
    terminal.expect("1 | local text = json.decod('1')");
    terminal.expect("|                   ^^^^^");
    assert_eq!(terminal.leave(), 0);
}

#[test]
fn a_pipe_is_read_to_its_end_or_first_error() {
    let here = folder(&[]);
    let done = piped(
        here.path(),
        "local x = 20\nfor i = 1, 2 do\n  x = x + i\nend\nx\n?json.decode\n",
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.out.starts_with("23\njson.decode(text) -> any\n"),
        "{}",
        done.out
    );
    let failed = piped(here.path(), "print(1)\nnonsense()\nprint(2)\n");
    assert_eq!((failed.code, failed.out.as_str()), (1, "1\n"));
    assert_holds(&failed.err, "no variable `nonsense`");
    let failed = piped(here.path(), "for i = 1, 2 do\n");
    assert_eq!(failed.code, 1);
    assert_holds(&failed.err, "'end' expected");
}

#[test]
fn a_saved_session_runs_as_a_script() {
    let here = folder(&[]);
    let input = "local list = json.decode('[1, 2, 39]')\nbroken(\nlist[1] +\n  list[2] + list[3]\nlocal f = function(a)\n  return a\nend\nprint(f('done'))\n:save mine.lua\n";
    // The broken line would end a pipe.
    let input = input.replace("broken(\n", "");
    let saved = piped(here.path(), &input);
    assert_eq!(saved.code, 0, "{saved:?}");
    assert_holds(&saved.out, "42\ndone\nwrote ");
    let text = std::fs::read_to_string(here.path().join("mine.lua")).unwrap();
    assert_holds(&text, "local json = require \"json\"\n");
    assert_eq!(run(here.path(), &["run", "mine.lua"]).out, "42\ndone\n");
    // Never over a file that exists.
    let again = piped(here.path(), "x = 1\n:save mine.lua\n");
    assert_eq!(again.code, 1);
    assert_holds(&again.err, "exists already");
    assert_eq!(
        std::fs::read_to_string(here.path().join("mine.lua")).unwrap(),
        text
    );
}

#[test]
fn a_script_can_be_loaded_and_its_parameters_set() {
    let here = folder(&[(
        "work.lua",
        "local p = params {\n  radius = 3, -- of the filter\n}\nlocal area = p.radius ^ 2\nprint('area', area)\n",
    )]);
    let done = piped(
        here.path(),
        ":load work.lua\narea\n:params\n:params radius=5\np.radius\n:load work.lua\narea\n",
    );
    assert_eq!(done.code, 0, "{done:?}");
    let expected =
        "area\t9.0\n9.0\n  --radius NUMBER\n        of the filter\n        [now 3]\n5\narea\t25.0\n25.0\n";
    assert_eq!(done.out, expected);
    assert_holds(
        &piped(here.path(), ":load work.lua\n:params raduis=5\n").err,
        "did you mean `radius`?",
    );
    assert_holds(
        &piped(here.path(), ":load wrk.lua\n").err,
        "did you mean `work.lua`?",
    );
}

#[test]
fn commands_explain_themselves() {
    let here = folder(&[]);
    let help = piped(here.path(), ":help\n");
    for part in [":load FILE", ":save FILE", ":time CODE", "?NAME", "json  "] {
        assert_holds(&help.out, part);
    }
    assert_holds(&piped(here.path(), ":hlep\n").err, "did you mean `:help`?");
    assert_holds(&piped(here.path(), ":load\n").err, ":load needs FILE");
    assert_holds(
        &piped(here.path(), "?json.decoed\n").err,
        "did you mean `json.decode`?",
    );
    assert_holds(&piped(here.path(), ":time 1 + 1\n").out, "on all cores)");
    assert_eq!(piped(here.path(), ":quit\nprint(1)\n").out, "");
}
