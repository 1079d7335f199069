//! Lua set out as the library is: indentation, spaces, blank lines and quotes. Lines end where their author ended them, as tables that are
//! packed and functions of one line are a choice; comments and texts of several lines stay as they are.

use super::lexer::{Token, TokenKind, tokens};
use crate::error::{Error, Result};

const INDENT: &str = "  ";

/// What opens something, and how far the line is indented that it stands on.
struct Open {
    kind: OpenKind,
    indent: usize,
}

#[derive(PartialEq, Eq)]
enum OpenKind {
    Block,
    /// Of a branch or loop until its `then` or `do`: what follows is no block yet.
    Head,
    /// In which all lines stand alike, however they go on.
    Bracket,
    Brace,
}

/// The text set out. `text` is one that Lua has compiled.
///
/// # Errors
/// Where the answer would not be the same program; the text is left alone then.
pub fn format(text: &str) -> Result<String> {
    let before = tokens(text);
    let set = set_out(text, &before);
    let after = tokens(&set);
    let same = before.len() == after.len() && before.iter().zip(&after).all(|(a, b)| alike(a, b));
    match same {
        true => Ok(set),
        false => {
            let differs = before.iter().zip(&after).find(|(a, b)| !alike(a, b));
            let line = differs.map_or(1, |(token, _)| token.line);
            Err(Error::message(format!(
                "line {line}: this cannot be set out without becoming another program"
            )))
        }
    }
}

fn alike(a: &Token, b: &Token) -> bool {
    let comment = a.kind == TokenKind::Comment;
    a.kind == b.kind
        && match a.kind {
            TokenKind::String => quoted(a.text) == quoted(b.text),
            _ if comment => a.text.trim_end() == b.text,
            _ => a.text == b.text,
        }
}

/// A text in double quotes where it is the same in them.
fn quoted(text: &str) -> String {
    let inside = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match inside {
        Some(inside) if !inside.contains(['"', '\\']) => format!("\"{inside}\""),
        _ => text.to_string(),
    }
}

fn set_out(text: &str, all: &[Token]) -> String {
    let mut set = String::with_capacity(text.len());
    let mut opens: Vec<Open> = Vec::new();
    let mut indent = 0;
    for (i, token) in all.iter().enumerate() {
        let previous = i.checked_sub(1).map(|i| &all[i]);
        let between = &text[previous.map_or(0, Token::end)..token.start];
        let breaks = between.matches('\n').count();
        if breaks > 0 || previous.is_none() {
            if previous.is_some() {
                set.push_str(if breaks > 1 { "\n\n" } else { "\n" });
            }
            indent = indent_of(all, i, &opens);
            (0..indent).for_each(|_| set.push_str(INDENT));
        } else if let Some(previous) = previous {
            match token.kind {
                // Comments that are lined up stay so.
                TokenKind::Comment => set.push_str(if between.is_empty() { " " } else { between }),
                _ if previous.kind == TokenKind::Comment || is_spaced(all, i) => set.push(' '),
                _ => {}
            }
        }
        match token.kind {
            TokenKind::String => set.push_str(&quoted(token.text)),
            TokenKind::Comment => set.push_str(token.text.trim_end()),
            _ => set.push_str(token.text),
        }
        follow(token, indent, &mut opens);
    }
    if !set.is_empty() {
        set.push('\n');
    }
    set
}

/// Keeps what is open in step with a token, on a line that is indented so far.
fn follow(token: &Token, indent: usize, opens: &mut Vec<Open>) {
    let mut open = |kind| opens.push(Open { kind, indent });
    match (token.kind, token.text) {
        (TokenKind::Keyword, "if" | "while" | "for") => open(OpenKind::Head),
        (TokenKind::Keyword, "function" | "repeat") => open(OpenKind::Block),
        (TokenKind::Symbol, "(" | "[") => open(OpenKind::Bracket),
        (TokenKind::Symbol, "{") => open(OpenKind::Brace),
        (TokenKind::Keyword, "do") => match opens.last_mut() {
            Some(last) if last.kind == OpenKind::Head => last.kind = OpenKind::Block,
            _ => opens.push(Open {
                kind: OpenKind::Block,
                indent,
            }),
        },
        (TokenKind::Keyword, "then" | "elseif") => {
            if let Some(last) = opens.last_mut() {
                last.kind = if token.text == "then" {
                    OpenKind::Block
                } else {
                    OpenKind::Head
                };
            }
        }
        (TokenKind::Keyword, "end" | "until") | (TokenKind::Symbol, ")" | "}" | "]") => {
            opens.pop();
        }
        _ => {}
    }
}

/// How far the line is indented that begins with token `i`.
fn indent_of(all: &[Token], i: usize, opens: &[Open]) -> usize {
    // A comment stands as what it is written above; above the end of a block, in the block.
    let code = (i..all.len()).find(|&i| all[i].kind != TokenKind::Comment);
    let goes_on = |code| goes_on(all, code);
    let Some(last) = opens.last() else {
        return usize::from(code.is_some_and(goes_on));
    };
    if closes(&all[i]) {
        return closed(all, i, opens);
    }
    let on = match last.kind {
        OpenKind::Head | OpenKind::Bracket => false,
        // Entries begin behind commas.
        OpenKind::Brace => code.is_some_and(|code| goes_on(code) && !after_comma(all, code)),
        OpenKind::Block => code.is_some_and(goes_on),
    };
    // Above what closes, a comment is the last thing inside.
    last.indent + 1 + usize::from(on && !code.is_some_and(|code| closes(&all[code])))
}

/// Whether a line that begins with this token stands as the one that opened what the token closes.
fn closes(token: &Token) -> bool {
    match token.kind {
        TokenKind::Keyword => matches!(token.text, "end" | "until" | "else" | "elseif"),
        TokenKind::Symbol => matches!(token.text, ")" | "}" | "]"),
        _ => false,
    }
}

/// The indentation of a line that begins by closing: that of the line where the outermost of what its first tokens close was opened.
fn closed(all: &[Token], i: usize, opens: &[Open]) -> usize {
    let first = all[i..]
        .iter()
        .take_while(|token| closes(token) && token.line == all[i].line);
    let at = opens.len().saturating_sub(first.count());
    opens.get(at).map_or(0, |open| open.indent)
}

fn after_comma(all: &[Token], i: usize) -> bool {
    before(all, i).is_some_and(|token| token.is(",") || token.is(";"))
}

/// The token before, comments left out.
fn before<'a, 'b>(all: &'b [Token<'a>], i: usize) -> Option<&'b Token<'a>> {
    all[..i]
        .iter()
        .rev()
        .find(|token| token.kind != TokenKind::Comment)
}

/// Whether token `i`, at the beginning of a line, belongs to the statement or the entry of the line before.
fn goes_on(all: &[Token], i: usize) -> bool {
    let Some(previous) = before(all, i) else {
        return false;
    };
    let token = &all[i];
    let joins = |token: &Token| match token.kind {
        TokenKind::Keyword => matches!(token.text, "and" | "or"),
        TokenKind::Symbol => matches!(
            token.text,
            "+" | "-"
                | "*"
                | "/"
                | "//"
                | "%"
                | "^"
                | ".."
                | "=="
                | "~="
                | "<"
                | ">"
                | "<="
                | ">="
                | "&"
                | "|"
                | "~"
                | "<<"
                | ">>"
                | "="
        ),
        _ => false,
    };
    let begins = joins(token) || token.kind == TokenKind::Symbol && matches!(token.text, "." | ":" | ",");
    let ends = joins(previous)
        || previous.kind == TokenKind::Symbol && matches!(previous.text, "," | "." | ":" | "#")
        || previous.kind == TokenKind::Keyword
            && matches!(previous.text, "not" | "in" | "local" | "return")
            && !is_statement(token);
    // A row of arguments without parentheses.
    let argument =
        token.kind == TokenKind::String && ends_value(previous) || token.is("(") && ends_value(previous);
    begins || ends || argument
}

/// Whether a token can only begin or end a statement.
fn is_statement(token: &Token) -> bool {
    token.kind == TokenKind::Keyword && !matches!(token.text, "nil" | "true" | "false" | "not" | "function")
}

/// Whether a value ends with this token, so that brackets and operators behind it belong to it.
fn ends_value(token: &Token) -> bool {
    match token.kind {
        TokenKind::Name | TokenKind::Number | TokenKind::String => true,
        TokenKind::Keyword => matches!(token.text, "end" | "nil" | "true" | "false"),
        TokenKind::Symbol => matches!(token.text, ")" | "]" | "}" | "..."),
        TokenKind::Comment => false,
    }
}

/// Whether there is a space before token `i`, on the same line as the one before it.
fn is_spaced(all: &[Token], i: usize) -> bool {
    let (token, previous) = (&all[i], &all[i - 1]);
    let (this, that) = (token.text, previous.text);
    let symbol = token.kind == TokenKind::Symbol;
    let after_symbol = previous.kind == TokenKind::Symbol;
    // Attributes: `local x <const>`.
    if let Some(start) = attribute(all, i) {
        return i == start;
    }
    if after_symbol {
        match that {
            "(" | "[" | "." | ":" | "#" => return false,
            // `;(f or g)()` at the start of a line.
            ";" if i < 2 || all[i - 2].line < previous.line => return false,
            "{" => return !(symbol && this == "}"),
            "::" => return is_label_end(all, i - 1) && !(symbol && this == ")"),
            // A sign holds to what it is the sign of; two of them would be a comment.
            "-" | "~" if is_sign(all, i - 1) => return symbol && this == "-",
            _ => {}
        }
    }
    if !symbol {
        return true;
    }
    match this {
        ")" | "]" | "," | ";" | "." | ":" => false,
        "::" => !is_label_end(all, i),
        "(" => match previous.kind {
            TokenKind::Keyword => !matches!(that, "function" | "end"),
            // Behind the parameters of a function something new begins.
            _ => !ends_value(previous) || ends_parameters(all, i - 1),
        },
        "[" => !ends_value(previous),
        _ => true,
    }
}

/// Whether `-` or `~` has one side only.
fn is_sign(all: &[Token], i: usize) -> bool {
    before(all, i).is_none_or(|token| !ends_value(token))
}

/// Whether the parameters of a function end with token `i`.
fn ends_parameters(all: &[Token], i: usize) -> bool {
    let mut depth = 0;
    let open = (0..=i).rev().find(|&i| {
        match all[i].text {
            ")" if all[i].kind == TokenKind::Symbol => depth += 1,
            "(" if all[i].kind == TokenKind::Symbol => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    let mut before = all[..open.unwrap_or(0)].iter().rev();
    let named = |token: &&Token| !(token.kind == TokenKind::Name || token.is(".") || token.is(":"));
    all[i].is(")") && before.find(named).is_some_and(|token| token.is("function"))
}

/// Whether the `::` is the second one of a label.
fn is_label_end(all: &[Token], i: usize) -> bool {
    i >= 2 && all[i - 1].kind == TokenKind::Name && all[i - 2].is("::")
}

/// Where the `<` of the attribute stands that token `i` is a part of, or right behind.
fn attribute(all: &[Token], i: usize) -> Option<usize> {
    let start = (i.saturating_sub(2)..=i).find(|&start| {
        let inside = all
            .get(start + 1)
            .is_some_and(|t| matches!(t.text, "const" | "close"));
        all[start].is("<") && inside && all.get(start + 2).is_some_and(|t| t.is(">"))
    })?;
    let declared = (0..start)
        .rev()
        .map(|i| &all[i])
        .find(|token| token.kind != TokenKind::Name && !token.is(",") && !token.is(">") && !token.is("<"));
    declared.is_some_and(|token| token.is("local")).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_indentation_and_quotes_are_those_of_the_library() {
        for (given, expected) in [
            (
                "local   x=1\n\n\n\nlocal y  = {1,2 ,a=3}",
                "local x = 1\n\nlocal y = { 1, 2, a = 3 }\n",
            ),
            ("f'a' g'it\\'s' h'\"'", "f \"a\" g 'it\\'s' h '\"'\n"),
            (
                "if a then\nb()\nelseif c then\n\td()\nelse\ne()\nend",
                "if a then\n  b()\nelseif c then\n  d()\nelse\n  e()\nend\n",
            ),
            ("x = -1-  -2 + - -3 ~ ~4", "x = -1 - -2 + - -3 ~ ~4\n"),
            ("x=a.b : c{}[1]( 2 )", "x = a.b:c {}[1](2)\n"),
            (
                "local a<const>, b  <close> =1,2",
                "local a <const>, b <close> = 1, 2\n",
            ),
            (
                "for i=1,#t do t [i]=not t[ i] end",
                "for i = 1, #t do t[i] = not t[i] end\n",
            ),
            ("goto  x ::x :: f( ... )", "goto x ::x:: f(...)\n"),
            (
                "f(function( a,b )\nreturn a\nend ,{\n1,\n2,\n})",
                "f(function(a, b)\n  return a\nend, {\n  1,\n  2,\n})\n",
            ),
            (
                "x = a\n:b()\n-- why\n:c(function()\nd()\nend)\ny = 1",
                "x = a\n  :b()\n  -- why\n  :c(function()\n    d()\n  end)\ny = 1\n",
            ),
            ("if a and\nb then\nc()\nend", "if a and\n  b then\n  c()\nend\n"),
            (
                "local s = [[\n a\n  b]]\n--%%  Step\nx=1    -- one\n",
                "local s = [[\n a\n  b]]\n--%%  Step\nx = 1    -- one\n",
            ),
            (
                "do\n-- only this\nend\nreturn",
                "do\n  -- only this\nend\nreturn\n",
            ),
            (
                "fail((\"a\")\n:format(a\n..b))\nassert(function() (f)() end)\n;(g)()",
                "fail((\"a\")\n  :format(a\n    .. b))\nassert(function() (f)() end)\n;(g)()\n",
            ),
            (
                "t = {\n[1]=2,\na +\nb,\n}",
                "t = {\n  [1] = 2,\n  a +\n    b,\n}\n",
            ),
            ("repeat\nx()\nuntil y\r\nz()\r\n", "repeat\n  x()\nuntil y\nz()\n"),
            (
                "return {\nf = function() return 1 end,\n}",
                "return {\n  f = function() return 1 end,\n}\n",
            ),
            ("", ""),
        ] {
            let set = format(given).unwrap();
            assert_eq!(set, expected, "{given}");
            assert_eq!(format(&set).unwrap(), set, "twice: {given}");
        }
    }

    #[test]
    fn odd_texts_stay_the_same_program() {
        for text in [
            "x = 1 --[[ a ]] + --[[b]] 2",
            "a = b --c\n(d)()",
            "--[[ a\n b ]] x = 1",
            "x = 0x1p-4 .. 1 ..2",
            "return - - -1",
        ] {
            let set = format(text).unwrap();
            assert_eq!(format(&set).unwrap(), set, "{text}");
        }
    }
}
