use super::{Around, lint};

/// What is found in a script that has the modules at hand.
fn found(code: &str) -> Vec<String> {
    let text = format!(
        "local raster, filter, plot, tables = require \"raster\", require \"filter\", require \"plot\", require \"tables\"\n{code}\nprint(raster, filter, plot, tables)"
    );
    let findings = lint(&text, &Around::default()).into_iter();
    findings
        .map(|f| format!("{}:{} {}: {}", f.line - 1, f.column, f.rule.name(), f.message))
        .collect()
}

#[test]
fn mistakes_are_found_and_explained() {
    for (code, expected) in [
        (
            "raster.opne(1)",
            "1:8 undefined-field: `raster` has no function `opne`; did you mean `open`?",
        ),
        (
            "print(raster.open('a'):to_bd())",
            "1:24 undefined-field: a Raster has no method `to_bd`; did you mean `to_db`?",
        ),
        (
            "local x = raster.open 'a'\nx = x:to_db()\nprint(x:to_bd())",
            "3:9 undefined-field: a Raster has no method `to_bd`",
        ),
        (
            "local function f(p) return raster.open(p) end\nprint(f('a'):to_bd())",
            "2:14 undefined-field",
        ),
        (
            "for _, b in ipairs(raster.open('a').bands) do print(b:uper()) end",
            "undefined-field: `string` has no function `uper`; did you mean `upper`?",
        ),
        (
            "raster.stack({}):map(function(i) return i:to_bd() end):write 'x'",
            "1:43 undefined-field",
        ),
        (
            "print((raster.open 'a' * 2 + raster.open 'b').grid.rosw)",
            "undefined-field: a Grid has no field `rosw`; did you mean `rows`?",
        ),
        (
            "local p = params { path = 'a', size = { 3, min = 1 } }\nprint(p.pth, p.size)",
            "2:9 undefined-field: `params` has no parameter `pth`; did you mean `path`?",
        ),
        (
            "local p = params { size = { 3, mni = 1 } }\nprint(p)",
            "unknown-option: params: unknown option `size.mni`; did you mean `size.min`?",
        ),
        (
            "local t = { a = 1 }\nt.b = 2\nprint(t.c)",
            "3:9 undefined-field: `t` has no field `c`",
        ),
        (
            "print(string.fromat('a'))",
            "undefined-field: `string` has no function `fromat`; did you mean `format`?",
        ),
        (
            "os.execute 'ls'",
            "undefined-field: os.execute is not available: scripts cannot start programs",
        ),
        (
            "print(filter.lee(raster.open 'a', { loks = 3 }))",
            "1:37 unknown-option: filter.lee: unknown option `loks`; did you mean `looks`?",
        ),
        (
            "print(filter.lee(raster.open 'a', { looks = 'a' }))",
            "param-type-mismatch: filter.lee: looks must be a number",
        ),
        (
            "print(filter.lee(raster.open 'a', { size = 4 }))",
            "param-type-mismatch: filter.lee: size must be an odd",
        ),
        (
            "print(filter.lee('a.tif'))",
            "param-type-mismatch: filter.lee: raster must be a Raster, got \"a.tif\" (string)",
        ),
        (
            "local path = 'a' .. 'b'\nprint(filter.lee(path))",
            "param-type-mismatch: filter.lee: raster must be a Raster, got a string",
        ),
        (
            "print(raster.open())",
            "1:7 missing-parameter: raster.open: the argument path is missing",
        ),
        (
            "print(raster.open('a', {}, 3))",
            "1:28 redundant-parameter: raster.open takes 2 arguments, got 3",
        ),
        ("print(valeu)", "1:7 undefined-global: no variable `valeu`"),
        (
            "print(fs.list '.')",
            "undefined-global: no variable `fs`; for the module write `local fs = require \"fs\"`",
        ),
        (
            "print(None)",
            "undefined-global: no variable `None`; Lua writes `nil`",
        ),
        (
            "result = 3",
            "1:1 undefined-global: `result` is set without `local`",
        ),
        (
            "local x = require 'rastre'",
            "unresolved-require: no module \"rastre\", in the library or beside the script; did you mean \"raster\"?",
        ),
        ("local x = 1", "1:7 unused-local: `x` is never used"),
        ("local x\nx = 1", "1:7 unused-local: `x` is set and never read"),
        (
            "local function f() f() end",
            "1:16 unused-local: the function `f` is never used",
        ),
        (
            "local function f(raster) print(raster) end\nf(1)",
            "1:18 redefined-local: `raster` hides the module raster from here on",
        ),
        (
            "raster.open('a'):to_db()",
            "1:18 discard-returns: Raster:to_db gives a new Raster, which is not kept; a Raster itself never changes",
        ),
        ("x = = 2", "syntax: unexpected symbol near '='"),
    ] {
        let all = found(code);
        assert!(
            all.iter().any(|finding| finding.contains(expected)),
            "{code}\n{all:#?}"
        );
    }
}

#[test]
fn what_is_right_or_cannot_be_told_is_left_alone() {
    for code in [
        "local image = raster.open 'a.tif'\nprint(image.VV, image['VH'], image:to_db().b1, -image, image:gt(3) & image:lt(4))",
        "local a, _, c = string.find('a', 'b')\nprint(a, c)",
        "local _a, b, c = string.find('a', 'b')\nprint(c)",
        "for i = 1, 3 do print(1) end",
        "local function f(unneeded) return 1 end\nprint(f(2))",
        "local t = {}\nfor k, v in pairs { a = 1 } do t[k] = v end\nprint(t.a)",
        "local t = { a = 1 }\nsetmetatable(t, { __index = t })\nprint(t.b)",
        "local t = setmetatable({}, {})\nprint(t.b)",
        "local image\nif raster then image = raster.open 'a' else image = raster.open 'b' end\nprint(image:to_db())",
        "local x = raster.open 'a' or tables.new {}\nprint(x:anything())",
        "print(raster.open(table.unpack { 'a', {} }))",
        "local options = { looks = 3 }\nprint(filter.lee(raster.open 'a', options))",
        "print(filter.lee(raster.open 'a', { ['looks'] = 3 }))",
        "local p = params { path = 'a' }\nprint(raster.open(p.path))",
        "local done <close> = setmetatable({}, { __close = print })",
        "raster.open('a'):write('b')",
        "local ok = pcall(raster.open, 'a')\nprint(ok)",
        "goto done\n::done::",
        "---@class Mine\n---@field a number\nlocal Mine = {}\nfunction Mine:b() return self end\n--- One.\n---@return Mine\nfunction Mine.new() return setmetatable({}, Mine) end\nprint(Mine.new():b())",
    ] {
        assert_eq!(found(code), Vec::<String>::new(), "{code}");
    }
}

#[test]
fn comments_silence_rules() {
    for (code, count) in [
        ("local x = 1 ---@diagnostic disable-line: unused-local", 0),
        (
            "---@diagnostic disable-next-line: unused-local\nlocal x = 1\nlocal y = 2",
            1,
        ),
        (
            "---@diagnostic disable: unused-local\nlocal x = 1\n---@diagnostic enable: unused-local\nlocal y = 2",
            1,
        ),
        ("---@diagnostic disable\nlocal x = 1\nz = 2", 0),
        (
            "---@diagnostic disable-next-line: undefined-field, unused-local\nlocal x = raster.opne",
            0,
        ),
        (
            "---@diagnostic disable-next-line: undefined-field\nlocal x = raster.opne",
            1,
        ),
    ] {
        assert_eq!(found(code).len(), count, "{code}: {:?}", found(code));
    }
}

#[test]
fn functions_that_are_meant_to_fail_may() {
    let around = Around {
        globals: vec!["assert_error".into()],
        expecting: vec!["assert_error".into()],
        ..Around::default()
    };
    let text =
        "local raster = require \"raster\"\nassert_error(function() raster.opne(1) end)\nraster.opne(2)\n";
    let lines: Vec<usize> = lint(text, &around).iter().map(|f| f.line).collect();
    assert_eq!(lines, [3]);
}

#[test]
fn odd_texts_end() {
    let deep = format!("local x = {}1{}", "(".repeat(150), ")".repeat(150));
    let long = format!("local x = 1{}", " + 1".repeat(5000));
    for text in [
        "",
        "#",
        "return",
        "local a = a local b = b.b.b(b)",
        "local function f() return f() end f()",
        &deep,
        &long,
    ] {
        let _ = lint(text, &Around::default());
    }
}
