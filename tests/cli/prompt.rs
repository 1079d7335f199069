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
    terminal.expect(">> ");
    terminal.cancel();
    terminal.enter("'still ' .. 'here'");
    terminal.expect("\"still here\"");
    // So does an empty line.
    terminal.go_on("y = {");
    terminal.expect(">> ");
    std::thread::sleep(std::time::Duration::from_millis(100));
    terminal.enter("");
    terminal.expect("(left: the input was not finished)");
    terminal.enter("'and ' .. 'now'");
    terminal.expect("\"and now\"");
    // What was typed in several lines comes back as one, and is completed by what stands above.
    terminal.go_on("json.encode({}, {");
    terminal.press(&format!("pre{TAB}true"));
    terminal.expect("pretty = ");
    terminal.enter("})");
    terminal.expect("\"{}\"");
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
fn errors_in_the_library_name_the_input() {
    let here = folder(&[]);
    let done = piped(
        here.path(),
        "s1 = require 'sentinel1'\ns1.open_stack('nowhere')\n",
    );
    assert_holds(
        &done.err,
        "error: input 2:1: raster.find: nowhere: no such folder (looked in /",
    );
    assert_holds(&done.err, "1 | s1.open_stack('nowhere')");
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
    assert_holds(&again.err, "write over it with :save! mine.lua");
    assert_eq!(
        std::fs::read_to_string(here.path().join("mine.lua")).unwrap(),
        text
    );
    let over = piped(here.path(), "x = 1\nx\n:save! mine.lua\n");
    assert_eq!(
        (over.code, over.out.as_str()),
        (
            0,
            "1\nwrote 4 lines to mine.lua; `perilune run mine.lua` runs it\n"
        ),
        "{over:?}"
    );
    assert_eq!(run(here.path(), &["run", "mine.lua"]).out, "1\n");
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
fn tab_knows_options_of_aliases_methods_choices_and_entries() {
    let here = folder(&[]);
    let mut terminal = Terminal::start(here.path());
    terminal.enter("s1 = require 'sentinel1'");
    terminal.enter("grid = raster.grid { rows = 2, cols = 2 }");
    terminal.enter("scenes = raster.stack { raster.constant(grid, 1), raster.constant(grid, 2) }");
    for (typed, expected) in [
        ("s1.open_stack('x', { relat", "relative_orbit = "),
        ("scenes[1]:write('a', { compr", "compress = "),
        ("scenes[1]:to_pow", "to_power"),
        ("scenes[1].consta", "constant"),
        ("scenes:mean():to_pow", "to_power"),
        ("scenes[1]:plot { colormap = \"infe", "inferno"),
        ("plot.map(scenes[1], { colo", "color"),
        ("scenes[1]:shift { resampling = \"bil", "bilinear"),
        ("scenes:reduce { \"medi", "median"),
        ("require('sentinel1').open_st", "open_stack"),
    ] {
        terminal.press(&format!("{typed}{TAB}"));
        terminal.expect(expected);
        terminal.cancel();
    }
    assert_eq!(terminal.leave(), 0);
}

#[test]
fn questions_are_answered_about_what_stands_there() {
    let here = folder(&[]);
    let ask = |question: &str| {
        let setup = "s1 = require 'sentinel1'\ngrid = raster.grid { crs = 'EPSG:32632', origin = { 0, 0 }, resolution = 10, rows = 2, cols = 2 }\n\
            first = raster.constant(grid, 7):rename 'VV'\np = params { radius = 3 }\nfunction mine(a) end\n";
        let done = piped(here.path(), &format!("{setup}{question}\n"));
        assert_eq!(done.code, 0, "{question}: {}", done.err);
        done.out
    };
    for (question, parts) in [
        // Inherited options, of the figure, the axes and the stretch.
        (
            "?plot.map",
            &["colormap?", "scale_bar?", "percentiles?", "dpi?"][..],
        ),
        (
            "?plot.MapOptions",
            &[
                "table plot.MapOptions",
                "colormap?",
                "scale_bar?",
                "percentiles?",
                "dpi?",
            ],
        ),
        (
            "?params",
            &["params(declaration)", "choices?", "required?", "perilune run"],
        ),
        (
            "?first.VV",
            &["first.VV: a Raster", "VV  float32", "Raster:write"],
        ),
        ("?first:write", &["Raster:write(path, options?)", "overviews?"]),
        ("?first.crs", &["Raster.crs", "EPSG:32632"]),
        ("?s1.open_stack", &["sentinel1.open_stack(", "relative_orbit?"]),
        ("?p", &["p is ", "radius = 3"]),
        ("?mine", &["function (input"]),
        (
            "?print",
            &["https://www.lua.org/manual/5.4/manual.html#pdf-print"],
        ),
        ("?string.format", &["#pdf-string.format"]),
    ] {
        let out = ask(question);
        for part in parts {
            assert_holds(&out, part);
        }
    }
}

#[test]
fn what_other_tools_allow_is_answered_by_what_to_type() {
    let here = folder(&[("x.lua", "print('ran', 1)\n")]);
    for (typed, answer) in [
        ("help", ":help lists commands"),
        ("help(raster.open)", "type ?raster.open"),
        ("exit", "type :quit"),
        ("quit()", "type :quit"),
        ("!ls", "type fs.list(\".\")"),
        ("ls", "type fs.list(\".\")"),
        ("cat x.lua", "type print(fs.read(\"x.lua\"))"),
        ("perilune x.lua", "type :load x.lua"),
        ("perilune run x.lua --a 1", "type :load x.lua a=1"),
        ("x = 1\nx += 1", "Lua has no `+=`; write `x = x + 1`"),
        ("x = 1\nif x != 2 then print(x) end", "Lua writes `~=` for `!=`"),
        ("[1,2]", "Lua writes lists in braces: `{1,2}`"),
        ("import numpy", "modules are loaded by"),
        ("None", "Lua writes `nil`"),
        ("np.mean(1)", "the module here is `raster`"),
        (
            "g = raster.grid{rows=2,cols=2}\na = raster.constant(g, 1)\nprint(a == 1)",
            "an image is never `==` a number; to compare its pixels: `:eq(1)`",
        ),
        (
            "g = raster.grid{rows=2,cols=2}\nraster.constant(g, 1) ~= 2",
            "`:ne(2)`",
        ),
    ] {
        let done = piped(here.path(), &format!("{typed}\n"));
        assert_eq!(done.code, 1, "{typed}");
        assert_holds(&done.err, answer);
    }
    let done = run(here.path(), &["x.lua"]);
    assert_eq!(done.code, 2);
    assert_holds(&done.err, "write `perilune run x.lua`");
    assert_holds(
        &run(here.path(), &["s1_vv_vh"]).err,
        "write `perilune run s1_vv_vh`",
    );
    assert_holds(
        &run(here.path(), &["rnu", "x.lua"]).err,
        "unrecognized subcommand 'rnu'",
    );
    // In scripts too.
    let here = folder(&[("y.lua", "local x = 1\nx += 1\n")]);
    assert_holds(&run(here.path(), &["run", "y.lua"]).err, "write `x = x + 1`");
}

#[test]
fn modules_are_loaded_again_when_their_files_change() {
    let here = folder(&[
        ("mine.lua", "return { value = function() return 'old' end }\n"),
        (
            "user.lua",
            "local mine = require 'mine'\nreturn { value = function() return mine.value() end }\n",
        ),
    ]);
    let change = |text: &str| format!("fs.write('mine.lua', \"{text}\")\n");
    let done = piped(
        here.path(),
        &format!(
            "mine = require 'mine'\nuser = require 'user'\nuser.value()\n{}user.value()\nmine.value()\n{}user.value()\nmine.extra\n",
            change("return { value = function() return 'newer' end, extra = 1 }"),
            change("return {"),
        ),
    );
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, "\"old\"\n\"newer\"\n\"newer\"\n\"newer\"\n1\n"),
        "{}",
        done.err
    );
    assert_holds(&done.err, "(module mine has changed, and was loaded again)");
    assert_holds(&done.err, "cannot be loaded again: mine.lua:1:");
}

#[test]
fn parameters_belong_to_the_script_that_they_were_set_for() {
    let script = |name: &str| format!("local p = params {{\n  radius = 3,\n}}\nprint('{name}', p.radius)\n");
    let here = folder(&[("a.lua", &script("a")), ("b.lua", &script("b"))]);
    let done = piped(
        here.path(),
        ":load a.lua\n:params radius=5\n:load b.lua\n:load a.lua\n:params clear\np.radius\n:load a.lua\n:load b.lua radius=7\n:load b.lua\n:load a.lua\n",
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.out, "a\t3\nb\t3\na\t5\n3\na\t3\nb\t7\nb\t7\na\t3\n");
    // What is set before any is loaded is for the first.
    assert_eq!(
        piped(here.path(), ":params radius=4\n:load a.lua\n:load b.lua\n").out,
        "a\t4\nb\t3\n"
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
