//! `perilune lint` and `perilune fmt`, and that all Lua of this repository is as they want it.

use std::path::{Path, PathBuf};

use perilune::host::documentation;
use perilune::host::format::format;
use perilune::host::lexer::{TokenKind, tokens};
use perilune::host::lint::{Around, lint, syntax_error};

use super::{assert_holds, folder, run};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files with this ending below a folder of the repository.
fn files(below: &str, ending: &str) -> Vec<PathBuf> {
    fn find(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => find(&path, ending, found),
                false if path.extension().is_some_and(|e| e == ending) => found.push(path),
                false => {}
            }
        }
    }
    let mut found = Vec::new();
    find(&root().join(below), ending, &mut found);
    found.sort();
    assert!(!found.is_empty());
    found
}

/// The Lua blocks of a page, each at its lines. What the prompt prints by itself, a script prints by `print`.
fn code_of(page: &str) -> String {
    let (mut code, mut inside) = (String::new(), false);
    for line in page.lines() {
        match line {
            "```lua" => inside = true,
            "```" => inside = false,
            line if !inside || line.starts_with('?') => {}
            line => {
                let bare = line.split(" --").next().unwrap_or(line);
                let printed =
                    syntax_error(bare).is_some() && syntax_error(&format!("return {bare}")).is_none();
                match printed {
                    true => code.push_str(&format!("print({bare})")),
                    false => code.push_str(line),
                }
            }
        }
        code.push('\n');
    }
    code
}

#[test]
fn all_lua_of_the_repository_is_clean() {
    let mut found = Vec::new();
    let mut add = |place: &str, text: &str, around: &Around| {
        let findings = lint(text, around).into_iter();
        found.extend(findings.map(|f| {
            format!(
                "{place}:{}:{}: {}: {}",
                f.line,
                f.column,
                f.rule.name(),
                f.message
            )
        }));
    };
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let shown = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    for below in ["stdlib", "scripts"] {
        for path in files(below, "lua") {
            add(&shown(&path), &read(&path), &Around::of(&path));
        }
    }
    let names = |all: &[&str]| all.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    for path in files("tests/lua", "lua") {
        let around = Around {
            globals: names(&[
                "test",
                "assert_error",
                "assert_close",
                "folder",
                "shared",
                "fixture",
            ]),
            expecting: names(&["assert_error"]),
            ..Around::of(&path)
        };
        add(&shown(&path), &read(&path), &around);
    }
    // At the prompt, where guides are pasted, the modules are in scope, and variables need no `local`.
    for path in files("docs/guide", "md")
        .into_iter()
        .chain([root().join("README.md")])
    {
        let requires: String = documentation::entries()
            .iter()
            .filter(|entry| entry.kind == documentation::Kind::Module)
            .map(|entry| format!("{0} = {0} or require \"{0}\" ", entry.name))
            .collect();
        let code = format!(
            "---@diagnostic disable: undefined-global, unused-local, redefined-local, unresolved-require\n{requires}{}",
            code_of(&read(&path))
        );
        add(&shown(&path), &code, &Around::default());
    }
    for entry in documentation::entries() {
        for (i, example) in entry.examples.iter().enumerate() {
            let code = format!("---@diagnostic disable: unused-local\n{}", example.code);
            add(
                &format!("the example {} of {}", i + 1, entry.name),
                &code,
                &Around::default(),
            );
        }
    }
    assert!(found.is_empty(), "{}:\n{}", found.len(), found.join("\n"));
}

#[test]
fn all_lua_of_the_repository_is_set_out() {
    let mut odd = Vec::new();
    for below in ["stdlib", "tests/lua", "scripts"] {
        for path in files(below, "lua") {
            let text = std::fs::read_to_string(&path).unwrap();
            let set = format(&text).unwrap();
            if set != text {
                odd.push(path);
            }
        }
    }
    assert!(odd.is_empty(), "perilune fmt would change {odd:?}");
}

/// The tokens of a text on their lines, all at the left edge, with two spaces wherever there was one.
fn spoiled(text: &str) -> String {
    let (mut spoiled, mut end) = (String::new(), 0);
    for token in tokens(text) {
        let between = &text[end..token.start];
        match (between.matches('\n').count(), token.kind) {
            // Comments behind code keep their column.
            (0, TokenKind::Comment) => spoiled.push_str(between),
            (0, _) if between.is_empty() => {}
            (0, _) => spoiled.push_str("  "),
            (breaks, _) => spoiled.push_str(&"\n".repeat(breaks)),
        }
        spoiled.push_str(token.text);
        end = token.end();
    }
    spoiled
}

#[test]
fn what_has_lost_its_layout_gets_it_back() {
    let all = files("stdlib", "lua")
        .into_iter()
        .chain(files("tests/lua", "lua"));
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(format(&spoiled(&text)).unwrap(), text, "{}", path.display());
    }
}

const WRONG: &str = "local raster = require \"raster\"\nlocal unused = 1\nlocal image = raster.opne(\"a.tif\")\nprint(image)\n";

#[test]
fn lint_knows_the_libraries_and_the_tests_of_a_project() {
    const USES: &str = "local glacier, check = require \"glacier\", require \"check\"\n";
    let script = format!("{USES}check.equal(glacier.speed(2), 200)\nprint(glacier.sped)\n");
    let test = format!(
        "{USES}test(\"a speed\", function()\n  check.error(function() require(\"json\").decode(5) end, \"string\")\n\
         print(folder, fixture(\"a\"), glacier.speed(1))\nend)\n"
    );
    let here = folder(&[
        (
            "ice/perilune.toml",
            "[project]\nname = \"ice\"\n[dependencies]\nglacier = { path = \"../glacier\" }\n",
        ),
        ("ice/scripts/a.lua", &script),
        ("ice/tests/a.lua", &test),
        (
            "glacier/glacier.lua",
            "return { speed = function(f) return f * 100 end }\n",
        ),
    ]);
    let told = run(&here.path().join("ice"), &["lint"]);
    assert_eq!(
        told.out,
        "scripts/a.lua:3:15: undefined-field: `glacier` has no function `sped`; did you mean `speed`?\n",
        "{told:?}"
    );
}

#[test]
fn lint_names_place_rule_and_way_out() {
    let here = folder(&[
        ("a.lua", WRONG),
        ("sub/b.lua", "#!/usr/bin/env perilune\nprnt(1)\n"),
        (".hidden/c.lua", "x = 1"),
        ("good.lua", "print(1)\n"),
    ]);
    let told = run(here.path(), &["lint"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_eq!(
        told.out,
        "a.lua:2:7: unused-local: `unused` is never used\n\
         a.lua:3:22: undefined-field: `raster` has no function `opne`; did you mean `open`?\n\
         sub/b.lua:2:1: undefined-global: no variable `prnt`; did you mean `print`?\n"
    );
    assert_holds(&told.err, "3 findings in 2 files");
    let told = run(here.path(), &["lint", "a.lua", "--json"]);
    assert_eq!(told.code, 1);
    let json: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(json[1]["rule"], "undefined-field");
    assert_eq!(
        (
            json[1]["path"].as_str(),
            json[1]["line"].as_u64(),
            json[1]["column"].as_u64()
        ),
        (Some("a.lua"), Some(3), Some(22))
    );
    let told = run(here.path(), &["lint", "good.lua", "--json"]);
    assert_eq!((told.code, told.out.as_str()), (0, "[]\n"));
    let told = run(here.path(), &["lint", "absent.lua"]);
    assert_eq!(told.code, 2);
    assert_holds(&told.err, "absent.lua");
    assert_holds(&run(here.path(), &["lint", "--help"]).out, "unknown-option");
}

#[test]
fn the_guide_shows_what_lint_says() {
    let page = std::fs::read_to_string(root().join("docs/guide/editor.md")).unwrap();
    let mut blocks = page
        .split("```\n")
        .skip_while(|block| !block.starts_with("--- Open water"));
    let (script, said) = (blocks.next().unwrap(), blocks.nth(1).unwrap());
    let here = folder(&[("water.lua", script)]);
    assert_eq!(run(here.path(), &["lint", "water.lua"]).out, said);
}

#[test]
fn modules_beside_a_script_are_known() {
    let here = folder(&[
        (
            "mine.lua",
            "local M = {}\n--- Twice.\n---@param x number\n---@return number\nfunction M.twice(x) return 2 * x end\n\
             --- Once.\n---@deprecated use `mine.twice`\n---@param x number\nfunction M.once(x) return x end\nreturn M\n",
        ),
        (
            "a.lua",
            "local mine = require \"mine\"\nprint(mine.twise(1), mine.twice(\"a\"), mine.twice(2, 3), mine.once(1), require \"yours\")\n",
        ),
    ]);
    let told = run(here.path(), &["lint", "a.lua"]);
    for part in [
        "a.lua:2:12: undefined-field: `mine` has no function `twise`; did you mean `twice`?",
        "param-type-mismatch: mine.twice: x must be a number, got \"a\" (string)",
        "redundant-parameter: mine.twice takes 1 argument, got 2",
        "deprecated: mine.once is deprecated: use `mine.twice`",
        "unresolved-require: no module \"yours\"",
    ] {
        assert_holds(&told.out, part);
    }
}

#[test]
fn fmt_sets_out_or_tells_and_refuses_what_is_no_lua() {
    let here = folder(&[
        (
            "a.lua",
            "#!/usr/bin/env perilune\n--%%  One\nlocal x={1,2}\n\n\nif x then\nprint( x )\nend",
        ),
        ("bad.lua", "x += 1\n"),
        ("good.lua", "print(1)\n"),
    ]);
    let at = |name: &str| std::fs::read_to_string(here.path().join(name)).unwrap();
    let before = at("a.lua");
    let told = run(here.path(), &["fmt", "--check", "a.lua", "good.lua"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_holds(&told.out, "--- a.lua\n+++ a.lua\n@@ ");
    assert_holds(&told.out, "\n-local x={1,2}\n");
    assert_holds(&told.out, "\n+local x = { 1, 2 }\n");
    assert_eq!(at("a.lua"), before);
    // One that is no Lua, and none is changed.
    let told = run(here.path(), &["fmt", "."]);
    assert_eq!(told.code, 1);
    assert_holds(&told.err, "bad.lua:1: ");
    assert_holds(&told.err, "Lua has no `+=`");
    assert_eq!(at("a.lua"), before);
    let told = run(here.path(), &["fmt", "a.lua", "good.lua"]);
    assert_eq!((told.code, told.out.as_str()), (0, "set out a.lua\n"));
    assert_eq!(
        at("a.lua"),
        "#!/usr/bin/env perilune\n--%%  One\nlocal x = { 1, 2 }\n\nif x then\n  print(x)\nend\n"
    );
    assert_eq!(run(here.path(), &["fmt", "--check", "a.lua", "good.lua"]).code, 0);
    assert_eq!(run(here.path(), &["fmt", "absent.lua"]).code, 2);
}
