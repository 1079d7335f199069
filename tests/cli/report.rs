//! `perilune run --report`: what stands on the page, where, and what never does.

use std::path::Path;

use base64::Engine;
use regex::Regex;

use super::{assert_holds, folder, run};

/// Runs `a.lua` with a report, and gives its exit code, messages and page.
fn reported(here: &Path, more: &[&str]) -> (i32, String, String) {
    let mut arguments = vec!["run", "a.lua", "--report", "out.html"];
    arguments.extend(more);
    let done = run(here, &arguments);
    let page = std::fs::read_to_string(here.join("out.html")).unwrap_or_default();
    (done.code, done.err, page)
}

/// The page of a script that comes to its end.
#[track_caller]
fn page_of(script: &str) -> String {
    let here = folder(&[("a.lua", script)]);
    let (code, err, page) = reported(here.path(), &[]);
    assert_eq!(code, 0, "{err}");
    page
}

/// The part of a page that is about a step.
#[track_caller]
fn step(page: &str, i: usize) -> &str {
    let start = page
        .find(&format!("id=\"step-{i}\""))
        .expect("the step is on the page");
    let rest = &page[start..];
    &rest[..rest.find("</section>").unwrap()]
}

/// By a tool that we did not write.
fn sha256(path: &Path) -> String {
    let told = std::process::Command::new("sha256sum")
        .arg(path)
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    told.split_whitespace().next().unwrap().to_string()
}

/// Without the code, which holds what is printed, too.
fn said(step: &str) -> &str {
    step.rsplit("</details>").next().unwrap()
}

const STEPS: &str = "-- Levels of a lake. By year.\nlocal log = require 'log'\nlocal function tell(words) print(words) end\n\n\
    --%% Read the levels\n-- As *they* were measured.\nlocal n = 41\ntell('first')\nlog.warn('few')\n\n\
    --%% Count\nn = n + 1\ntell('n is ' .. n)\nlocal speak = coroutine.wrap(function() print('one') coroutine.yield() print('two') end)\nspeak()\n\n\
    --%% Again\nspeak()\nfor i = 1, 2 do io.write(i, '\\n') end\n";

#[test]
fn what_is_said_stands_below_the_step_that_says_it() {
    let page = page_of(STEPS);
    assert_holds(&page, "<title>Levels of a lake</title>");
    assert_holds(&page, "<p>By year.</p>");
    let took = Regex::new(r#"class="took"><span class="varies">[^<]*s</span>"#).unwrap();
    for (i, title, expected) in [
        (
            1,
            "Read the levels",
            "<pre class=\"out\">first</pre>\n<p class=\"warning\">Warning: few</p>",
        ),
        (2, "Count", "<pre class=\"out\">n is 42\none</pre>"),
        (3, "Again", "<pre class=\"out\">two\n1\n2</pre>"),
    ] {
        let step = step(&page, i);
        assert_holds(step, &format!("<span>{title}</span>"));
        assert_eq!(said(step).trim(), expected, "{title}");
        // A time for each.
        assert!(took.is_match(step), "{step}");
    }
    assert_holds(step(&page, 1), "<p>As <em>they</em> were measured.</p>");
    assert_holds(
        step(&page, 1),
        "data-n=\"7\"><span class=\"k\">local</span> n = <span class=\"n\">41</span>\n",
    );
    assert!(
        !step(&page, 1).contains("were measured.</span>"),
        "prose is no code"
    );
    let warnings = &page[page.find("id=\"warnings\"").unwrap()..];
    assert_holds(
        warnings,
        "<li>few <small>(<a href=\"#step-1\">Read the levels</a>)</small></li>",
    );
}

/// The clock of a step runs while its images are computed, though Lua does nothing then.
#[test]
fn times_are_of_the_step_that_took_them() {
    let script = "local t = require 'time'\n--%% Quick\nlocal x = 1\n--%% Slow\nlocal n = 0\nfor i = 1, 2e7 do n = n + i end\n--%% Quick again\nprint(n)\n";
    let page = page_of(script);
    let milliseconds = |i: usize| -> f64 {
        let took =
            Regex::new(r#"class="took"><span class="varies">(?:under )?([\d.]+) (ms|s)</span>"#).unwrap();
        let found = took.captures(step(&page, i)).unwrap();
        let number: f64 = found[1].parse().unwrap();
        if &found[2] == "s" { number * 1e3 } else { number }
    };
    assert!(milliseconds(2) > 20.0, "{}", milliseconds(2));
    assert!(
        milliseconds(3) < milliseconds(2) / 2.0,
        "{} {}",
        milliseconds(3),
        milliseconds(2)
    );
}

#[test]
fn nothing_that_a_script_says_is_markup() {
    let script = "-- A <script>title</script>\nlocal tables, plot = require 'tables', require 'plot'\nlocal p = params { x = { '</td><script>', help = '<i>help</i>' } }\n\
        --%% <img src=x onerror=y>\n-- <b>prose</b> [x](javascript:alert)\nprint('<script>alert(1)</script>', p.x)\nio.write('\\27[31mred\\27[0m \\226\\128\\174\\n')\n\
        display(tables.new { { ['<u>'] = '<script>cell</script>' } })\ndisplay('<script>text</script>')\nrequire('log').warn('</p><script>')\n\
        display(plot.line({ 1, 2 }, { 1, 2 }, { title = '<script>figure</script>' }))\n";
    let page = page_of(script);
    assert_holds(
        step(&page, 1),
        "<pre class=\"out\">&lt;script&gt;alert(1)&lt;/script&gt;\t&lt;/td&gt;&lt;script&gt;\nred \u{FFFD}</pre>",
    );
    // The one that there is holds data.
    let scripts = page.matches("<script").count();
    assert_eq!(
        (scripts, page.matches("<script type=\"application/json\"").count()),
        (1, 1)
    );
    let handler = Regex::new(r"(?i)[\s/]on[a-z]+\s*=").unwrap();
    let tags = Regex::new(r"<\s*([a-zA-Z][a-zA-Z0-9]*)[^>]*>").unwrap();
    for found in tags.captures_iter(&page) {
        let (tag, name) = (&found[0], found[1].to_lowercase());
        assert!(
            !["i", "b", "u", "iframe", "object", "embed", "form", "base", "link"].contains(&name.as_str()),
            "{tag}"
        );
        assert!(!handler.is_match(tag) && !tag.contains("javascript:"), "{tag}");
    }
    let json = page
        .split("id=\"provenance\">")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let record: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(record["parameters"]["x"], "</td><script>");
}

/// A reader's browser has nothing to ask for: all is in the page, and the page forbids the rest.
#[test]
fn a_page_needs_nothing_from_elsewhere() {
    let script = "-- See [a page](https://example.org/x) and ![one](https://example.org/y.png).\nlocal raster, plot = require 'raster', require 'plot'\n\
        local image = raster.from_table(raster.grid { rows = 8, cols = 8 }, (function() local t = {} for i = 1, 8 do t[i] = { 1, 2, 3, 4, 5, 6, 7, i } end return t end)())\n\
        display(image)\nlocal figure = plot.map(image)\ndisplay(figure)\nfigure:write('shown.png')\nfigure:write('shown.svg')\nplot.line({ 1, 2 }, { 3, 5 }):write('line.png')\nplot.map(image * 2):write('map.png')\n\
        image:write('a.tif')\n";
    let page = page_of(script);
    for found in Regex::new(r#"(?i)(\w+)\s*=\s*"((?:https?:|//|file:)[^"]*)""#)
        .unwrap()
        .captures_iter(&page)
    {
        assert_eq!(&found[1], "href", "{}", &found[2]);
    }
    for loads in ["url(", "@import", "<link", "<iframe", "<script src", "srcset"] {
        assert!(!page.contains(loads), "{loads}");
    }
    assert_holds(
        &page,
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    );
    // The image, the figure, and the one that was only written; not again what was shown and written.
    let pictures: Vec<&str> = Regex::new(r#"<img alt="[^"]*" src="data:([^;]*);base64,"#)
        .unwrap()
        .captures_iter(&page)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    assert_eq!(pictures, ["image/png", "image/svg+xml", "image/png", "image/png"]);
    assert_holds(&page, "<figcaption class=\"path\">line.png</figcaption>");
    // What moves maps is in the page, allowed by its hash and by nothing else.
    assert_eq!(page.matches("<script").count(), 2);
    let script = page
        .split("<script>")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let here = folder(&[("script", script)]);
    let hex = sha256(&here.path().join("script"));
    let bytes: Vec<u8> = (0..32)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    let hash = base64::engine::general_purpose::STANDARD.encode(bytes);
    assert_holds(&page, &format!("; script-src 'sha256-{hash}'\""));
    let maps: Vec<serde_json::Value> = Regex::new(r#" data-map="([^"]*)""#)
        .unwrap()
        .captures_iter(&page)
        .map(|found| serde_json::from_str(&found[1].replace("&quot;", "\"")).unwrap())
        .collect();
    assert_eq!(maps.len(), 3, "{maps:?}");
    for map in maps {
        assert_eq!(
            (&map[0]["x"], &map[0]["y"]),
            (&serde_json::json!([0.0, 8.0]), &serde_json::json!([8.0, 0.0]))
        );
        assert!(map[0]["at"][2].as_f64().unwrap() > 0.5 && map[0]["crs"].is_null());
    }
    for file in ["a.tif", "line.png", "shown.png", "shown.svg"] {
        assert_holds(&page, &format!("<td class=\"path\">{file}</td>"));
    }
}

#[test]
fn two_runs_differ_in_times_and_memory_alone() {
    let here = folder(&[("a.lua", STEPS)]);
    let varies = Regex::new(r#"<span class="varies">[^<]*</span>"#).unwrap();
    let page = || {
        let (code, err, page) = reported(here.path(), &[]);
        assert_eq!(code, 0, "{err}");
        assert!(varies.find_iter(&page).count() > 6);
        varies.replace_all(&page, "").into_owned()
    };
    assert_eq!(page(), page());
}

#[test]
fn parameters_files_and_the_command_stand_on_the_page() {
    let script = "local raster, tables = require 'raster', require 'tables'\n\
        local p = params { out = { 'o/a.tif', type = 'path', help = 'Where to.' }, n = { 3, unit = 'px' }, none = { type = 'number' } }\n\
        tables.read_csv('in.csv')\nraster.from_table(raster.grid { rows = 1, cols = 2 }, { { 1, 2 } }):write(p.out)\n";
    let here = folder(&[("a.lua", script), ("in.csv", "a,b\n1,2\n"), ("o/old.csv", "")]);
    let (code, err, page) = reported(here.path(), &["--n", "7", "--out", "o/b c.tif"]);
    assert_eq!(code, 0, "{err}");
    assert_holds(&err, "report: out.html");
    assert_holds(
        &page,
        "<td><code>n</code></td><td class=\"path given\">7\u{a0}px</td>",
    );
    assert_holds(&page, "<td class=\"path given\">o/b c.tif</td><td>Where to.</td>");
    assert_holds(&page, "<td><code>none</code></td><td class=\"path\">–</td>");
    assert_holds(
        &page,
        "<pre>perilune run a.lua --report out.html --n 7 --out 'o/b c.tif'</pre>",
    );
    for file in ["o/b c.tif", "in.csv"] {
        let hash = sha256(&here.path().join(file));
        let row = page
            .lines()
            .find(|line| line.contains(&format!("<td class=\"path\">{file}</td>")));
        assert_holds(row.unwrap(), &hash);
    }
    assert!(!page.contains("old.csv"));
}

#[test]
fn what_lets_others_in_stands_nowhere() {
    let script = "local tables = require 'tables'\nlocal p = params { token = { '', type = 'string' }, from = { 'https://host/d.tif?sig=INTEXT', type = 'string' } }\n\
        --%% See https://u:INTITLE@host/x\n-- https://host/y?sig=INPROSE&z=1\nprint(p.from, 'with ' .. p.token)\ndisplay(tables.new { { at = 'https://host/a?X-Amz-Signature=INTABLE&b=1' } })\n\
        require('log').warn('cannot read https://host/e?sig=INWARNING now')\nerror('not at https://u:INERROR@host/f, ' .. p.token)\n";
    let here = folder(&[("a.lua", script)]);
    let (code, _, page) = reported(
        here.path(),
        &["--token", "INTOKEN", "--from=https://host/c.tif?sig=INCOMMAND"],
    );
    assert_eq!(code, 1);
    for secret in [
        "INTEXT",
        "INTITLE",
        "INPROSE",
        "INTABLE",
        "INWARNING",
        "INERROR",
        "INTOKEN",
        "INCOMMAND",
    ] {
        assert!(!page.contains(secret), "{secret} is on the page");
    }
    assert_holds(&page, "cannot read https://host/e now");
    assert_holds(&page, "--token … --from=https://host/c.tif");
}

#[test]
fn an_error_ends_the_page_at_its_place() {
    let script = "local raster = require 'raster'\n--%% Begin\nprint('so far')\n--%% Open\nlocal function get()\n  return raster.open('<none>.tif')\nend\nget()\n--%% Never\nprint('no')\n";
    let here = folder(&[("a.lua", script)]);
    let (code, err, page) = reported(here.path(), &[]);
    assert_eq!(code, 1);
    assert_holds(&err, "error: a.lua:6: raster.open");
    assert_holds(said(step(&page, 1)), "so far");
    let open = step(&page, 2);
    assert_holds(open, "<span class=\"l bad\" id=\"place\" data-n=\"6\">");
    assert_holds(open, "<div class=\"failure\" id=\"failure\" role=\"alert\">");
    assert_holds(
        open,
        "error: a.lua:6: raster.open: no such file: &lt;none&gt;.tif",
    );
    assert_holds(open, "called from a.lua:8");
    assert_holds(step(&page, 3), "not come to");
    assert_holds(&page, "stopped by an error");
    // It is there once, and not as a message of the step too.
    assert_eq!(page.matches("error: a.lua:6").count(), 1);

    for (script, modules, place) in [
        ("--%% One\nlocal x = = 1\n", "", "id=\"place\" data-n=\"2\""),
        (
            "--%% One\nprint(1)\nrequire('m').fail()\n",
            "return { fail = function() error('deep') end }",
            "id=\"place\" data-n=\"3\"",
        ),
    ] {
        let here = folder(&[("a.lua", script), ("m.lua", modules)]);
        let (code, err, page) = reported(here.path(), &[]);
        assert_eq!(code, 1, "{err}");
        assert_holds(step(&page, 1), place);
        assert_holds(step(&page, 1), "id=\"failure\"");
    }
}

#[test]
fn an_error_stands_in_the_step_that_was_running() {
    let here = folder(&[(
        "a.lua",
        "--%% Define\nlocal function get()\n  error('deep')\nend\n--%% Call\nprint('now')\nget()\n--%% Never\n",
    )]);
    let (code, err, page) = reported(here.path(), &[]);
    assert_eq!(code, 1, "{err}");
    assert_holds(step(&page, 1), "id=\"place\" data-n=\"3\"");
    assert!(!step(&page, 1).contains("id=\"failure\""));
    assert_holds(
        step(&page, 2),
        "<div class=\"failure\" id=\"failure\" role=\"alert\">",
    );
    assert_holds(step(&page, 2), "called from a.lua:7");
    assert_holds(step(&page, 3), "not come to");
}

#[test]
fn a_run_that_is_stopped_or_started_wrongly_has_a_page() {
    let here = folder(&[(
        "a.lua",
        "local p = params { n = 1 }\n--%% Turn\nprint('turning')\nwhile true do end\n",
    )]);
    let done = run(
        here.path(),
        &["--time-limit", "1", "run", "--report", "out.html", "a.lua"],
    );
    assert_eq!(done.code, 1, "{}", done.err);
    let page = std::fs::read_to_string(here.path().join("out.html")).unwrap();
    assert_holds(step(&page, 1), "the time limit is over");
    assert_holds(said(step(&page, 1)), "turning");
    let (code, _, page) = reported(here.path(), &["--n", "many"]);
    assert_eq!(code, 2);
    assert_holds(&page, "parameter n must be");
}

#[test]
fn a_page_that_cannot_be_written_is_an_error_before_anything_runs() {
    let here = folder(&[
        ("a.lua", "require('fs').write('ran.txt', 'x')"),
        ("folder.html/x", ""),
    ]);
    for (target, reason) in [
        ("none/out.html", "does not exist"),
        ("folder.html", "is a folder"),
        ("out.txt", "must be the name of a page, such as out.html"),
        ("/proc/out.html", "/proc/out.html"),
    ] {
        let done = run(here.path(), &["run", "a.lua", "--report", target]);
        assert_eq!(done.code, 2, "{target}: {}", done.err);
        assert_holds(&done.err, reason);
        assert!(!here.path().join("ran.txt").exists(), "{target}");
    }
    let done = run(here.path(), &["run", "a.lua", "--report"]);
    assert_holds(&done.err, "--report needs a file");
    let done = run(
        here.path(),
        &["run", "--dry-run", "a.lua", "--report", "out.html"],
    );
    assert_holds(&done.err, "a dry run makes nothing, and no report");
    assert!(!here.path().join("ran.txt").exists() && !here.path().join("out.html").exists());
}

#[test]
fn a_parameter_of_that_name_stays_the_scripts() {
    let here = folder(&[("a.lua", "local p = params { report = 'x' }\nprint(p.report)")]);
    let done = run(here.path(), &["run", "a.lua", "--report", "mine"]);
    assert_eq!((done.code, done.out.as_str()), (0, "mine\n"), "{}", done.err);
    let done = run(
        here.path(),
        &["run", "--report", "out.html", "a.lua", "--report", "mine"],
    );
    assert_eq!((done.code, done.out.as_str()), (0, "mine\n"), "{}", done.err);
    assert!(here.path().join("out.html").exists());
}

/// The user has named the page, not its folder.
#[test]
fn a_script_of_others_gets_no_more_by_a_report() {
    let here = folder(&[
        (
            "theirs/a.lua",
            "print(pcall(require('fs').write, '../pages/mine.txt', 'x'))",
        ),
        ("pages/x", ""),
    ]);
    let at = here.path().join("theirs");
    let done = run(
        &at,
        &[
            "run",
            "--untrusted",
            "--allow-all",
            "a.lua",
            "--report",
            "../pages/out.html",
        ],
    );
    assert_eq!(done.code, 0, "{}", done.err);
    assert_holds(&done.out, "was not granted");
    let page = std::fs::read_to_string(here.path().join("pages/out.html")).unwrap();
    assert_holds(said(step(&page, 0)), "was not granted");
    assert!(!here.path().join("pages/mine.txt").exists());
}

#[test]
fn endless_words_do_not_fill_the_page() {
    let page = page_of("local line = ('x'):rep(999)\nfor i = 1, 3000 do print(line) end\n");
    assert!(page.len() < 2 << 20, "{}", page.len());
    assert_holds(&page, "more that it printed found no room on this page");
}

#[test]
fn verify_leaves_the_page_out() {
    let script = "local raster = require 'raster'\nraster.from_table(raster.grid { rows = 1, cols = 2 }, { { 1, 2 } }):write('a.tif')\n";
    let here = folder(&[("a.lua", script)]);
    let (code, err, _) = reported(here.path(), &[]);
    assert_eq!(code, 0, "{err}");
    let done = run(here.path(), &["verify", "."]);
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    assert_holds(&done.out, "a.tif");
    assert!(
        !done.out.contains("out.html") && !done.err.contains("out.html"),
        "{}\n{}",
        done.out,
        done.err
    );
}
