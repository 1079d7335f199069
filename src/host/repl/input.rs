//! What is typed at the prompt, made into chunks: whether it is complete, whether it is an expression, and top-level
//! `local`s turned into variables that the next line still has.

use mlua::{Function, Lua, chunk::ChunkMode};

use crate::host::lexer::{TokenKind, tokens};

/// A piece of input that compiled.
pub struct Chunk {
    pub function: Function,
    /// Its values are to be printed.
    pub expression: bool,
    /// It stands in a script as it is. What is neither does nothing there.
    pub statement: bool,
}

impl Chunk {
    fn statement(function: Function) -> Chunk {
        Chunk {
            function,
            expression: false,
            statement: true,
        }
    }
}

/// Compiles `text` as an expression, or else as statements.
pub fn compile(lua: &Lua, text: &str, name: &str) -> mlua::Result<Chunk> {
    let load = |source: &str| {
        lua.load(source)
            .set_name(name)
            .set_mode(ChunkMode::Text)
            .into_function()
    };
    // The line end tells a string that lacks its quote from one that may go on.
    let persistent = format!("{}\n", keep_locals(text));
    let statement = load(&persistent);
    // A comment alone would make `return` valid, with nothing to show.
    let is_comment = tokens(text).iter().all(|token| token.kind == TokenKind::Comment);
    if is_comment || closed(text).is_some() && statement.is_ok() {
        return statement.map(Chunk::statement);
    }
    if let Some(value) = closed(text)
        && let Ok(function) = load(&format!("return (function() end)({value}\n)"))
    {
        return Ok(Chunk {
            function,
            expression: false,
            statement: false,
        });
    }
    match load(&format!("return {text}\n")) {
        // As arguments of a function: a call behind `return` itself would take this chunk's place, and errors would lose it.
        Ok(_) => Ok(Chunk {
            function: load(&format!("return (function(...) return ... end)({text}\n)"))?,
            expression: true,
            statement: statement.is_ok(),
        }),
        Err(expression_error) => match statement {
            Ok(function) => Ok(Chunk::statement(function)),
            Err(error) if is_incomplete(&expression_error) && !is_incomplete(&error) => Err(expression_error),
            Err(error) => Err(error),
        },
    }
}

/// What stands before the `;` that ends it, after which nothing is shown.
fn closed(text: &str) -> Option<&str> {
    let last = tokens(text)
        .into_iter()
        .rfind(|token| token.kind != TokenKind::Comment);
    last.filter(|token| token.is(";"))
        .map(|token| &text[..token.start])
}

/// Compiles a whole cell, as the script would that it is a part of; the input that begins at byte `last` may be a value, which it gives.
///
/// # Errors
/// What is no Lua as a whole.
pub fn compile_cell(lua: &Lua, text: &str, last: usize, name: &str) -> mlua::Result<Chunk> {
    let load = |source: &str| {
        lua.load(source)
            .set_name(name)
            .set_mode(ChunkMode::Text)
            .into_function()
    };
    let statements = load(&keep_locals(text));
    let value = &text[last..];
    let (value, shown, give) = match closed(value) {
        Some(value) => (value, false, "return (function() end)"),
        None => (value, true, "return (function(...) return ... end)"),
    };
    if statements.is_err() || shown {
        let above = keep_locals(&text[..last]);
        if load(&format!("return {value}\n")).is_ok()
            && let Ok(function) = load(&format!("{above} {give}({value}\n)"))
        {
            return Ok(Chunk {
                function,
                expression: shown,
                statement: statements.is_ok(),
            });
        }
    }
    statements.map(Chunk::statement)
}

pub fn is_incomplete(error: &mlua::Error) -> bool {
    matches!(
        error,
        mlua::Error::SyntaxError {
            incomplete_input: true,
            ..
        }
    )
}

/// The text with `local` taken from its outermost declarations, so that they become variables of the session. Lines
/// and columns stay where they are.
pub fn keep_locals(text: &str) -> String {
    let tokens: Vec<_> = tokens(text)
        .into_iter()
        .filter(|t| t.kind != TokenKind::Comment)
        .collect();
    let mut out = text.to_string().into_bytes();
    let mut insertions: Vec<usize> = Vec::new();
    let (mut depth, mut brackets) = (0i32, 0i32);
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        match token.text {
            "function" | "do" | "if" | "repeat" if token.kind == TokenKind::Keyword => depth += 1,
            "end" | "until" if token.kind == TokenKind::Keyword => depth -= 1,
            "(" | "{" | "[" if token.kind == TokenKind::Symbol => brackets += 1,
            ")" | "}" | "]" if token.kind == TokenKind::Symbol => brackets -= 1,
            "local" if token.kind == TokenKind::Keyword && depth == 0 && brackets == 0 => {
                out[token.start..token.end()].fill(b' ');
                if tokens.get(i + 1).is_some_and(|t| t.is("function")) {
                    i += 1;
                    continue;
                }
                // Names, each perhaps with an attribute: `a <const>, b = …`.
                let mut j = i + 1;
                let mut end = token.end();
                while let Some(name) = tokens.get(j).filter(|t| t.kind == TokenKind::Name) {
                    end = name.end();
                    j += 1;
                    if tokens.get(j).is_some_and(|t| t.is("<"))
                        && let Some(close) = tokens.get(j + 2).filter(|t| t.is(">"))
                    {
                        out[tokens[j].start..close.end()].fill(b' ');
                        j += 3;
                    }
                    match tokens.get(j) {
                        Some(comma) if comma.is(",") => j += 1,
                        _ => break,
                    }
                }
                if end > token.end() && !tokens.get(j).is_some_and(|t| t.is("=")) {
                    insertions.push(end);
                }
                i = j;
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    for at in insertions.into_iter().rev() {
        out.splice(at..at, b" = nil".iter().copied());
    }
    // Only ASCII was replaced by ASCII.
    String::from_utf8(out).unwrap_or_else(|_| text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outermost_locals_are_kept() {
        for (text, expected) in [
            ("local x = 1", "      x = 1"),
            ("local x, y", "      x, y = nil"),
            (
                "local a <const>, b <close> = 1, 2",
                "      a        , b         = 1, 2",
            ),
            (
                "local function f() local y = 1 return y end",
                "      function f() local y = 1 return y end",
            ),
            ("do local x = 1 end local z = 2", "do local x = 1 end       z = 2"),
            (
                "if a then local b = 1 else local c end",
                "if a then local b = 1 else local c end",
            ),
            (
                "for i = 1, 2 do local x = i end",
                "for i = 1, 2 do local x = i end",
            ),
            (
                "repeat local x = 1 until x local y = {f = function() local z end}",
                "repeat local x = 1 until x       y = {f = function() local z end}",
            ),
            ("x = 'local y' -- local z", "x = 'local y' -- local z"),
            ("local x\nlocal y = 1", "      x = nil\n      y = 1"),
        ] {
            assert_eq!(keep_locals(text), expected);
        }
    }

    #[test]
    fn a_cell_gives_its_last_value() {
        let lua = Lua::new();
        for (above, last, expected) in [
            ("local x = 1\n", "x + 1 -- two", Some(2)),
            ("", "6 * 7", Some(42)),
            ("x = 3\n", "x;", None),
            ("x = 3\n", "y = 4", None),
            ("local function f() return y end\n", "f()", Some(4)),
            ("do return end\n", "error 'not come to'", None),
        ] {
            let chunk = compile_cell(&lua, &format!("{above}{last}"), above.len(), "=x").unwrap();
            let value: Option<i64> = chunk.function.call(()).unwrap();
            assert_eq!(value, expected, "{above}{last}");
        }
        assert!(compile_cell(&lua, "x\nx", 2, "=x").is_err());
        // Its lines are those of the cell.
        let chunk = compile_cell(&lua, "\n\nx.y.z", 2, "=cell 1").unwrap();
        let error = chunk.function.call::<()>(()).unwrap_err().to_string();
        assert!(error.contains("cell 1:3: "), "{error}");
    }

    #[test]
    fn incomplete_input_is_told_apart() {
        let lua = Lua::new();
        let outcome = |text: &str| match compile(&lua, text, "=x") {
            Ok(chunk) if chunk.expression => "expression",
            Ok(_) => "statement",
            Err(error) if is_incomplete(&error) => "incomplete",
            Err(_) => "wrong",
        };
        for (text, expected) in [
            ("1 + 1", "expression"),
            ("f(1)", "expression"),
            ("f(1);", "statement"),
            ("x.y; -- quiet", "statement"),
            ("x = 1", "statement"),
            ("-- only this", "statement"),
            ("", "statement"),
            ("for i = 1, 2 do", "incomplete"),
            ("f(1,", "incomplete"),
            ("x =", "incomplete"),
            ("1 +", "incomplete"),
            ("[[abc", "incomplete"),
            ("local p = params {", "incomplete"),
            ("'abc", "wrong"),
            ("x = = 1", "wrong"),
            ("a b", "wrong"),
        ] {
            assert_eq!(outcome(text), expected, "{text}");
        }
    }
}
