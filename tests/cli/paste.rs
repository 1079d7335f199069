//! Blocks pasted into the prompt, with the marks that most terminals put around a paste and without: the README's, every
//! guide's, and such as break at the ends of lines.

use std::path::Path;

use super::pty::Terminal;
use super::{assert_holds, folder, piped, run};

/// The Lua blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let parts = text.split("```lua\n").skip(1);
    parts
        .map(|part| part.split("```").next().unwrap().to_string())
        .collect()
}

/// Pastes each block, and answers with all that the screen showed. A line behind each says that it was reached.
#[track_caller]
fn paste_all(terminal: &mut Terminal, blocks: &[String], marked: bool) -> String {
    for (i, block) in blocks.iter().enumerate() {
        // Composed, so that the echo of what was typed does not hold it.
        let text = format!("{block}print(\"all of \" .. {i})\n");
        match marked {
            true => terminal.paste_marked(&text),
            false => terminal.paste(&text),
        }
        terminal.expect_within(&format!("all of {i}\r\n"), 240);
    }
    let shown = terminal.whole();
    let wrong = shown
        .lines()
        .find(|line| line.contains("error:") || line.contains("(not run"));
    assert_eq!(wrong, None, "{shown}");
    shown
}

#[test]
fn no_line_of_a_paste_is_lost() {
    let here = folder(&[]);
    let block = "a1=1\na2=2\nprint('sum', a1+a2)\n";
    for (marked, ends) in [(true, "\n"), (false, "\n"), (false, "\r")] {
        let mut terminal = Terminal::start(here.path());
        match marked {
            true => terminal.paste_marked(block),
            false => terminal.paste(&block.replace('\n', ends)),
        }
        terminal.expect("sum\t3");
        assert_eq!(terminal.leave(), 0);
    }
    // More than the terminal's own buffer, with long work in between.
    let mut long = String::from("total = 0\n");
    for i in 1..=600 {
        long.push_str(&format!("total = total + {i} -- line {i}\n"));
        if i % 200 == 0 {
            long.push_str("local t = os.clock() while os.clock() < t + 0.3 do end\n");
        }
    }
    for marked in [true, false] {
        let mut terminal = Terminal::start(here.path());
        match marked {
            true => terminal.paste_marked(&format!("{long}print('is ' .. total)\n")),
            false => terminal.paste(&format!("{long}print('is ' .. total)\n")),
        }
        terminal.expect_within("is 180300", 60);
        assert_eq!(terminal.leave(), 0);
    }
}

#[test]
fn blocks_run_statement_by_statement_and_print_what_expressions_give() {
    let here = folder(&[]);
    let block = "local list = { 3, 1 }\n#list\nfunction twice(n)\n\n  return 2 * n\nend\ntwice(list[1])\n\n-- a comment\njson.encode({ 1 })\n  :upper()\n  :rep(2)\nfor i = 1, 2 do\n\tlocal x = i\nend\nvalue = json.encode({ 2 })\n  :rep(3)\nvalue\n";
    for marked in [true, false] {
        let mut terminal = Terminal::start(here.path());
        match marked {
            true => terminal.paste_marked(block),
            false => terminal.paste(block),
        }
        for expected in ["2\r\n", "6\r\n", "\"[1][1]\"", "\"[2][2][2]\""] {
            terminal.expect(expected);
        }
        terminal.enter("list");
        terminal.expect("{ 3, 1 }");
        assert_eq!(terminal.leave(), 0);
    }
    // From a pipe, too.
    let done = piped(here.path(), block);
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, "2\n6\n\"[1]\"\n\"[1]\"\n\"[1][1]\"\n\"[2][2][2]\"\n"),
        "{}",
        done.err
    );
}

#[test]
fn a_statement_that_fails_ends_its_block() {
    let here = folder(&[]);
    let mut terminal = Terminal::start(here.path());
    terminal.paste_marked("x = 1\nx.y.z = 2\nx = 3\nprint(x)\n");
    terminal.expect("attempt to index");
    terminal.expect("(not run: 2 inputs after this one)");
    terminal.enter("x");
    terminal.expect("1\r\n");
    // What goes on with a failed line is not taken for what goes on with the one before.
    terminal.enter("json.encode({})");
    terminal.enter("json.decode('x')");
    terminal.enter(":upper()");
    terminal.expect("goes on with the input before it");
    terminal.enter("1 + 2");
    terminal.enter(":upper()");
    terminal.expect("goes on with the input before it");
    assert_eq!(terminal.leave(), 0);
}

#[test]
fn the_readmes_blocks_can_be_pasted() {
    let here = folder(&[]);
    make_scenes(here.path());
    for marked in [true, false] {
        let _ = std::fs::remove_file(here.path().join("ratio.png"));
        let _ = std::fs::remove_file(here.path().join("ratio.tif"));
        let mut terminal = Terminal::start(here.path());
        let shown = paste_all(&mut terminal, &blocks("README.md"), marked);
        for part in ["Stack of", "T117-249421-IW2", "Raster 127 × 200", "mean"] {
            assert_holds(&shown, part);
        }
        assert!(here.path().join("ratio.png").is_file() && here.path().join("ratio.tif").is_file());
        assert_eq!(terminal.leave(), 0);
    }
}

#[test]
fn the_guides_blocks_can_be_pasted() {
    let here = folder(&[]);
    let root = here.path();
    make_scenes(root);
    let made = run(
        root,
        &[
            "run",
            "make_cslc_stack",
            "--out",
            "cslc",
            "--dates",
            "5",
            "--rows",
            "320",
            "--cols",
            "1280",
        ],
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let pair = "local grid = raster.grid { crs = 'EPSG:32632', origin = { 0, 0 }, resolution = 10, rows = 300, cols = 300 } \
        local noise = filter.focal_mean(raster.random(grid, { seed = 1 }), { radius = 1 }) \
        noise:write 'a.tif' \
        raster.open('a.tif'):shift({ cols = 1, rows = 2 }):write 'b.tif' \
        geometry.features({ { geometry = geometry.bbox(500, -1500, 1500, -500, 32632), properties = {} } }):write 'outlines.gpkg'";
    let made = run(root, &["-e", pair]);
    assert_eq!(made.code, 0, "{}", made.err);
    let made = run(
        root,
        &[
            "run",
            "make_water_scenes",
            "--out",
            "water_scenes",
            "--scenes",
            "1",
            "--size",
            "320",
        ],
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let made = run(
        root,
        &[
            "run",
            "make_itslive_granules",
            "--count",
            "30",
            "--interval",
            "50",
            "--size",
            "32",
        ],
    );
    assert_eq!(made.code, 0, "{}", made.err);
    for page in [
        "s1_vv_vh",
        "rle",
        "glacier_velocity",
        "itslive_cube",
        "water",
        "learning",
        "figures",
        "reports",
        "jupyter",
        "editor",
    ] {
        for marked in [true, false] {
            let mut terminal = Terminal::start(root);
            paste_all(&mut terminal, &blocks(&format!("docs/guide/{page}.md")), marked);
            assert_eq!(terminal.leave(), 0);
        }
    }
}

#[test]
fn the_guide_of_models_can_be_pasted() {
    let here = folder(&[]);
    let code = r#"
        local learning = require "learning"
        local scenes = {}
        for i = 1, 3 do
          local grid = raster.grid { crs = 32611, origin = { 4000 * i, 0 }, resolution = 10, rows = 64, cols = 64 }
          local vv = (raster.random(grid, { seed = i }) * -20):rename "VV":set_unit "dB"
          scenes[i] = { image = vv:add_bands((vv - 6):rename "VH":set_unit "dB"), labels = vv:lt(-10) }
        end
        local ds = learning.dataset {
          scenes = scenes, classes = { [0] = "land", [1] = "water" }, chip = 32, split = { validation = { "3" }, test = 0 },
        }
        for _, name in ipairs { "water", "unet" } do
          learning.train(ds, { checkpoint = name, model = name .. ".onnx", epochs = 1, normalise = name == "water" })
        end
        scenes[1].image:write "scene.tif""#;
    let made = run(here.path(), &["--quiet", "-e", code]);
    assert_eq!(made.code, 0, "{}", made.err);
    for marked in [true, false] {
        let _ = std::fs::remove_file(here.path().join("water.tif"));
        let mut terminal = Terminal::start(here.path());
        paste_all(&mut terminal, &blocks("docs/guide/models.md"), marked);
        assert!(here.path().join("water.tif").is_file());
        assert_eq!(terminal.leave(), 0);
    }
}

/// Those of archives ask no server here: their modules are stood in for by a thing that answers everything with itself.
#[test]
fn the_guides_of_archives_can_be_pasted() {
    let here = folder(&[]);
    let stand_in = "anything = setmetatable({}, { \
        __index = function(t, key) if type(key) ~= 'number' or key == 1 then return t end end, \
        __call = function(t) return t end, __len = function() return 1 end, __concat = function() return '' end }) \
        require = function() return anything end raster, catalog = anything, anything";
    for page in ["alos_dswe", "itslive_download", "credentials", "sharing-safely"] {
        for marked in [true, false] {
            let mut terminal = Terminal::start(here.path());
            terminal.enter(stand_in);
            paste_all(&mut terminal, &blocks(&format!("docs/guide/{page}.md")), marked);
            assert_eq!(terminal.leave(), 0);
        }
    }
}

#[test]
fn every_guide_is_pasted_by_a_test() {
    let here = include_str!("paste.rs");
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let page = name.trim_end_matches(".md");
        assert!(
            // One that is of the command line alone has nothing to paste.
            blocks(&format!("docs/guide/{page}.md")).is_empty()
                || here.contains(&format!("\"{page}\""))
                || here.contains(&format!("docs/guide/{page}.md")),
            "docs/guide/{name} is pasted by no test"
        );
    }
}

fn make_scenes(root: &Path) {
    let made = run(
        root,
        &[
            "run",
            "make_s1_scenes",
            "--out",
            "demo/scenes",
            "--size",
            "200",
            "--bursts",
            "2",
        ],
    );
    assert_eq!(made.code, 0, "{}", made.err);
}
