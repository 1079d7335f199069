//! What other languages and shells allow and Lua does not: each such line is answered by what to type.

use super::lexer::{Token, TokenKind, tokens};
use super::loader;

/// What to write in place of `code`, a line that Lua cannot read.
pub fn of_syntax(code: &str) -> Option<String> {
    let all = tokens(code);
    let found: Vec<Token> = all.into_iter().filter(|t| t.kind != TokenKind::Comment).collect();
    (0..found.len()).find_map(|i| at(code, &found, i))
}

fn at(code: &str, all: &[Token], i: usize) -> Option<String> {
    let token = all[i];
    let previous = i.checked_sub(1).and_then(|i| all.get(i));
    let next = all.get(i + 1);
    // Two symbols without a space between.
    let joined = |text: &str| next.is_some_and(|t| t.start == token.end() && t.is(text));
    let symbol = token.kind == TokenKind::Symbol;
    match token.text {
        "+" | "-" | "*" | "/" | "//" | "%" | "^" | ".." | "&" | "|" if joined("=") => {
            let name = code[..token.start].trim();
            let value = code[token.end() + 1..].trim();
            let operator = token.text;
            Some(if operand(all, 0) == Some(i) {
                format!("Lua has no `{operator}=`; write `{name} = {name} {operator} {value}`")
            } else {
                format!("Lua has no `{operator}=`; write `x = x {operator} …`")
            })
        }
        "+" if joined("+") && all.get(i + 2).is_none() => {
            let name = code[..token.start].trim();
            Some(format!("Lua has no `++`; write `{name} = {name} + 1`"))
        }
        "*" if joined("*") => Some("Lua writes powers as `^`, not `**`".to_string()),
        "&" if joined("&") => Some("Lua writes `and` for `&&`; masks are joined by one `&`".to_string()),
        "|" if joined("|") => Some("Lua writes `or` for `||`; masks are joined by one `|`".to_string()),
        "!" if joined("=") || joined("==") => Some(
            "Lua writes `~=` for `!=`; the pixels of an image are compared by `image:ne(value)`".to_string(),
        ),
        "!" if symbol => Some("Lua writes `not` for `!`; a mask is turned round by `~`".to_string()),
        "#" if i == 0 => Some("comments start with `--`".to_string()),
        "//" if i == 0 => Some("comments start with `--`".to_string()),
        "[" if symbol && starts_value(previous) && !is_key(all, i) => {
            let inside = close(all, i).map(|end| code[token.end()..all[end].start].trim());
            Some(match inside {
                Some(inside) => format!("Lua writes lists in braces: `{{{inside}}}`"),
                None => "Lua writes lists in braces: `{1, 2}`".to_string(),
            })
        }
        ":" if symbol && in_brackets(all, i) == Some("[") => Some(
            "Lua has no slices; positions count from 1, and part of an image is `image:clip(area)`"
                .to_string(),
        ),
        ":" if in_brackets(all, i) == Some("{")
            && matches!(previous, Some(t) if t.kind != TokenKind::Symbol)
            && !joined(":") =>
        {
            let before = i.checked_sub(2).map(|i| all[i]);
            let key = before.is_some_and(|t| t.is("{") || t.is(","));
            key.then(|| "fields of a table are written with `=`: `{ name = value }`".to_string())
        }
        ":" if symbol && next.is_none() => match all[0].text {
            "if" | "elseif" => Some("Lua writes `if … then … end`".to_string()),
            "for" => Some("Lua writes `for i, x in ipairs(list) do … end`".to_string()),
            "while" => Some("Lua writes `while … do … end`".to_string()),
            "else" => Some("Lua writes `else` without a colon".to_string()),
            "def" | "class" => Some("Lua writes `function name(x) … end`".to_string()),
            _ => None,
        },
        "=" if symbol && in_brackets(all, i) == Some("(") => {
            let before = i.checked_sub(2).map(|i| all[i]);
            let named = before.is_some_and(|t| t.is("(") || t.is(","))
                && matches!(previous, Some(t) if t.kind == TokenKind::Name);
            named.then(|| "Lua has no named arguments; options stand in a table at the end: `f(x, { name = value })`".to_string())
        }
        "elif" => Some("Lua writes `elseif`".to_string()),
        "import" | "from" if i == 0 => {
            let name = all
                .get(1)
                .filter(|t| t.kind == TokenKind::Name)
                .map_or("raster", |t| t.text);
            Some(format!(
                "modules are loaded by `local {name} = require \"{name}\"`"
            ))
        }
        "def" if i == 0 => Some("Lua writes `function name(x) … end`".to_string()),
        "let" | "var" | "const" if i == 0 => Some("Lua writes `local x = …`".to_string()),
        "lambda" => Some("Lua writes `function(x) return … end`".to_string()),
        "print" if i == 0 && next.is_some_and(|t| matches!(t.kind, TokenKind::Name | TokenKind::Number)) => {
            Some(format!("Lua writes `print({})`", code[token.end()..].trim()))
        }
        _ => None,
    }
}

/// Where the names, dots and indices that start at token `i` end, if they are something to assign to.
fn operand(all: &[Token], mut i: usize) -> Option<usize> {
    if all.get(i).is_none_or(|t| t.kind != TokenKind::Name) {
        return None;
    }
    i += 1;
    loop {
        match all.get(i) {
            Some(t) if t.is(".") => i += 2,
            Some(t) if t.is("[") => i = close(all, i)? + 1,
            _ => return Some(i),
        }
    }
}

/// Whether a value is due behind `previous`, so that a bracket there is no index.
fn starts_value(previous: Option<&Token>) -> bool {
    previous.is_none_or(|t| match t.kind {
        TokenKind::Symbol => !matches!(t.text, ")" | "]" | "}"),
        TokenKind::Keyword => !matches!(t.text, "end" | "nil" | "true" | "false"),
        _ => false,
    })
}

/// `[key] = value` in a table.
fn is_key(all: &[Token], open: usize) -> bool {
    close(all, open)
        .and_then(|end| all.get(end + 1))
        .is_some_and(|t| t.is("="))
}

/// The bracket that closes the one at `open`.
fn close(all: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0;
    (open..all.len()).find(|&i| {
        match all[i].text {
            "(" | "{" | "[" if all[i].kind == TokenKind::Symbol => depth += 1,
            ")" | "}" | "]" if all[i].kind == TokenKind::Symbol => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

/// The innermost bracket that is open before token `i`.
fn in_brackets<'a>(all: &[Token<'a>], i: usize) -> Option<&'a str> {
    let mut open = Vec::new();
    for token in all[..i].iter().filter(|t| t.kind == TokenKind::Symbol) {
        match token.text {
            "(" | "{" | "[" => open.push(token.text),
            ")" | "}" | "]" => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

/// The rest of a line that starts as commands of a shell do at other prompts: `!ls`, `%run x.py`.
pub fn foreign(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let magic = text.trim_start_matches('%');
    if magic.len() < text.len() && magic.starts_with(char::is_alphabetic) {
        return Some(magic);
    }
    text.strip_prefix('!')
}

/// What to type at the prompt for `text`, which is meant for a shell, or for the prompt of another program. `known` says
/// which variables there are.
pub fn of_prompt(text: &str, known: impl Fn(&str) -> bool) -> Option<String> {
    let text = text.trim();
    if text.contains('\n') {
        return None;
    }
    if let Some(command) = foreign(text) {
        return Some(shell(command).unwrap_or_else(|| {
            "the prompt starts no programs and has no magic words; :help lists its commands, ?fs what it does with files"
                .to_string()
        }));
    }
    let first = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()?;
    if first.is_empty() || known(first) {
        return None;
    }
    let rest = text[first.len()..].trim();
    // `ls = 3` and `help.x` are Lua.
    if rest.starts_with(['=', '.', ':', '[']) && !rest.starts_with("./") && !rest.starts_with("..") {
        return None;
    }
    let topic = rest.trim_matches(['(', ')', '"', '\'', ' ']);
    match (first, topic) {
        ("help", "") => {
            Some(":help lists commands and modules, ?NAME explains one: ?raster, ?plot.map".to_string())
        }
        ("help" | "man" | "doc" | "dir", topic) if !topic.is_empty() => Some(format!("type ?{topic}")),
        ("exit" | "quit" | "bye" | "q", "") => Some("type :quit, or press Ctrl-D".to_string()),
        ("perilune", _) => Some(own_command(rest)),
        ("man" | "doc" | "dir" | "bye" | "q", _) => None,
        _ if rest.starts_with('(') => None,
        _ => shell(text),
    }
}

/// `perilune run x.lua` typed inside of perilune.
fn own_command(rest: &str) -> String {
    let words: Vec<&str> = rest.split_whitespace().collect();
    match words.as_slice() {
        ["doc", name, ..] => format!("this is perilune; type ?{name}"),
        ["run", script, options @ ..] | [script, options @ ..]
            if script.ends_with(".lua") || words[0] == "run" =>
        {
            if options.is_empty() {
                return format!("this is perilune; type :load {script}");
            }
            let given: Vec<String> = options
                .chunks(2)
                .map(|pair| pair.join("=").trim_start_matches('-').to_string())
                .collect();
            format!("this is perilune; type :load {script} {}", given.join(" "))
        }
        _ => "this is perilune's prompt; leave it by :quit for the commands of the shell".to_string(),
    }
}

fn shell(command: &str) -> Option<String> {
    let (name, argument) = command
        .trim()
        .split_once(char::is_whitespace)
        .unwrap_or((command.trim(), ""));
    let argument = argument.trim().trim_matches(['"', '\'']);
    let of = |otherwise: &str| {
        if argument.is_empty() {
            format!("{otherwise:?}")
        } else {
            format!("{argument:?}")
        }
    };
    let text = match name {
        "ls" | "dir" | "ll" => format!("fs.list({})", of(".")),
        "pwd" => "fs.working()".to_string(),
        "cat" | "head" | "less" | "more" => format!("print(fs.read({}))", of("notes.txt")),
        "mkdir" => format!("fs.mkdir({})", of("folder")),
        "rm" => format!("fs.remove({})", of("file.tif")),
        "cp" => "fs.copy(from, to)".to_string(),
        "mv" => "fs.rename(from, to)".to_string(),
        "gdalinfo" => format!("raster.open({})", of("scene.tif")),
        "time" | "timeit" => format!(":time {}", if argument.is_empty() { "CODE" } else { argument }),
        "run" | "load" => format!(":load {}", if argument.is_empty() { "FILE" } else { argument }),
        "cd" => {
            return Some(
                "the prompt stays in its folder; start perilune in another one, or write paths from here"
                    .to_string(),
            );
        }
        "import" | "conda" | "pip" | "python" | "python3" if name != "import" => {
            return Some("the prompt starts no programs; :help lists its commands".to_string());
        }
        "perilune" => return Some(own_command(argument)),
        _ => return None,
    };
    Some(format!("type {text}"))
}

/// What an unknown variable may be in another language.
pub fn of_name(name: &str) -> Option<String> {
    let here = match name {
        "None" | "null" | "NULL" | "undefined" | "NaN" | "nan" => match name {
            "NaN" | "nan" => "0 / 0",
            _ => "nil",
        },
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        "len" => "#x",
        "str" => "tostring(x)",
        "float" | "int" => "tonumber(x)",
        "range" => "for i = 1, n do … end",
        "np" | "numpy" => "raster",
        "plt" | "matplotlib" => "plot",
        "rasterio" | "rioxarray" | "xr" | "xarray" | "gdal" => "raster",
        "gpd" | "geopandas" | "shapely" => "geometry",
        "pd" | "pandas" => "tables",
        _ => return None,
    };
    Some(if loader::module_names().iter().any(|module| module == here) {
        format!("the module here is `{here}`; ?{here} explains it")
    } else {
        format!("Lua writes `{here}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_languages_allow_is_answered() {
        for (code, expected) in [
            ("x += 1", "Lua has no `+=`; write `x = x + 1`"),
            (
                "a.b[i] *= f(2)",
                "Lua has no `*=`; write `a.b[i] = a.b[i] * f(2)`",
            ),
            ("if x then y -= 1 end", "Lua has no `-=`; write `x = x - …`"),
            ("i++", "Lua has no `++`; write `i = i + 1`"),
            ("if a != b then", "Lua writes `~=` for `!=`"),
            ("if !a then", "Lua writes `not` for `!`"),
            ("x = [1, 2]", "Lua writes lists in braces: `{1, 2}`"),
            ("[1,2]", "Lua writes lists in braces: `{1,2}`"),
            ("f(a, [1, 2])", "Lua writes lists in braces: `{1, 2}`"),
            ("a && b", "Lua writes `and` for `&&`"),
            ("x = 2 ** 3", "Lua writes powers as `^`"),
            ("x = a[1:3]", "Lua has no slices"),
            ("x = { a: 1 }", "fields of a table are written with `=`"),
            ("for x in list:", "Lua writes `for i, x in ipairs(list) do … end`"),
            ("focal(x, radius=3)", "Lua has no named arguments"),
            (
                "import numpy as np",
                "modules are loaded by `local numpy = require \"numpy\"`",
            ),
            ("print x", "Lua writes `print(x)`"),
            ("# why", "comments start with `--`"),
        ] {
            let advice = of_syntax(code).unwrap_or_default();
            assert!(advice.starts_with(expected), "{code}: {advice}");
        }
        for fine in [
            "x = a[1]",
            "x = { [1] = 2, ['a'] = 3 }",
            "f(a == b)",
            "a:b { c = d:e() }",
            "x = a // b",
            "#x",
            "t[#t + 1] = 2",
            "goto a ::a::",
            "x = '!='",
        ] {
            let advice = of_syntax(fine).filter(|_| fine != "#x");
            assert_eq!(advice, None, "{fine}");
        }
    }

    #[test]
    fn what_shells_allow_is_answered() {
        let known = |name: &str| name == "exit_code" || name == "cp";
        for (text, expected) in [
            (
                "help",
                Some(":help lists commands and modules, ?NAME explains one: ?raster, ?plot.map"),
            ),
            ("help(raster.open)", Some("type ?raster.open")),
            ("exit", Some("type :quit, or press Ctrl-D")),
            ("quit()", Some("type :quit, or press Ctrl-D")),
            ("!ls", Some("type fs.list(\".\")")),
            ("ls demo/scenes", Some("type fs.list(\"demo/scenes\")")),
            ("perilune x.lua", Some("this is perilune; type :load x.lua")),
            (
                "perilune run x.lua --radius 5",
                Some("this is perilune; type :load x.lua radius=5"),
            ),
            ("%timeit f(x)", Some("type :time f(x)")),
            (
                "!make all",
                Some(
                    "the prompt starts no programs and has no magic words; :help lists its commands, ?fs what it does with files",
                ),
            ),
            ("exit_code", None),
            ("cp a b", None),
            ("quit = 1", None),
            ("ls.x", None),
            ("head(x)", None),
            ("x", None),
        ] {
            assert_eq!(of_prompt(text, known).as_deref(), expected, "{text}");
        }
    }
}
