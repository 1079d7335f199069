//! Lua's tokens with their places, for the prompt, parameters and error reports. It never fails: what is unfinished
//! is a token that says so.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Name,
    Keyword,
    Number,
    /// Quotes or long brackets and what is between.
    String,
    Symbol,
    Comment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: TokenKind,
    pub text: &'a str,
    /// Byte offset in the source.
    pub start: usize,
    /// From 1.
    pub line: usize,
    /// A string or comment that the source ends in the middle of.
    pub unfinished: bool,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub fn is(&self, text: &str) -> bool {
        self.text == text
            && matches!(
                self.kind,
                TokenKind::Symbol | TokenKind::Keyword | TokenKind::Name
            )
    }
}

const KEYWORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

const SYMBOLS: &[&str] = &["...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", ".."];

pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let (kind, length, unfinished) = match first {
            '\n' => {
                line += 1;
                at += 1;
                continue;
            }
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            c if c.is_alphabetic() || c == '_' => {
                let length = rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len());
                let keyword = KEYWORDS.contains(&&rest[..length]);
                (
                    if keyword {
                        TokenKind::Keyword
                    } else {
                        TokenKind::Name
                    },
                    length,
                    false,
                )
            }
            c if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) => {
                (TokenKind::Number, number_length(rest), false)
            }
            '"' | '\'' => {
                let (length, unfinished) = quoted_length(rest, first);
                (TokenKind::String, length, unfinished)
            }
            '-' if rest.starts_with("--") => match long_length(&rest[2..]) {
                Some((length, unfinished)) => (TokenKind::Comment, length + 2, unfinished),
                None => (TokenKind::Comment, rest.find('\n').unwrap_or(rest.len()), false),
            },
            '[' if long_length(rest).is_some() => {
                let (length, unfinished) = long_length(rest).unwrap_or((1, false));
                (TokenKind::String, length, unfinished)
            }
            c => {
                let symbol = SYMBOLS.iter().find(|s| rest.starts_with(**s));
                (TokenKind::Symbol, symbol.map_or(c.len_utf8(), |s| s.len()), false)
            }
        };
        let text = &rest[..length];
        found.push(Token {
            kind,
            text,
            start: at,
            line,
            unfinished,
        });
        line += text.matches('\n').count();
        at += length;
    }
    found
}

/// Generous: everything that can belong to a numeral, with signs behind exponents.
fn number_length(rest: &str) -> usize {
    let hex = rest.starts_with("0x") || rest.starts_with("0X");
    let mut previous = ' ';
    for (i, c) in rest.char_indices() {
        let exponent = if hex {
            matches!(previous, 'p' | 'P')
        } else {
            matches!(previous, 'e' | 'E')
        };
        let belongs = c.is_ascii_alphanumeric()
            || (c == '.' && !rest[i..].starts_with(".."))
            || (matches!(c, '+' | '-') && exponent);
        if !belongs {
            return i;
        }
        previous = c;
    }
    rest.len()
}

fn quoted_length(rest: &str, quote: char) -> (usize, bool) {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return (i, true),
            c if c == quote => return (i + 1, false),
            _ => {}
        }
    }
    (rest.len(), true)
}

/// Length of `[[…]]` or `[=[…]=]` at the start of `rest`.
fn long_length(rest: &str) -> Option<(usize, bool)> {
    let inside = rest.strip_prefix('[')?;
    let level = inside.len() - inside.trim_start_matches('=').len();
    if !inside[level..].starts_with('[') {
        return None;
    }
    let close = format!("]{}]", "=".repeat(level));
    match rest.find(&close) {
        Some(end) => Some((end + close.len(), false)),
        None => Some((rest.len(), true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_kinds_and_places() {
        let found = tokens("local x = 0x1p-4 .. [==[a\n]]b]==] -- note\ny:z('it\\'s', 1e+3...)");
        let texts: Vec<(TokenKind, &str, usize)> = found.iter().map(|t| (t.kind, t.text, t.line)).collect();
        use TokenKind::*;
        assert_eq!(
            texts,
            [
                (Keyword, "local", 1),
                (Name, "x", 1),
                (Symbol, "=", 1),
                (Number, "0x1p-4", 1),
                (Symbol, "..", 1),
                (String, "[==[a\n]]b]==]", 1),
                (Comment, "-- note", 2),
                (Name, "y", 3),
                (Symbol, ":", 3),
                (Name, "z", 3),
                (Symbol, "(", 3),
                (String, "'it\\'s'", 3),
                (Symbol, ",", 3),
                (Number, "1e+3", 3),
                (Symbol, "...", 3),
                (Symbol, ")", 3),
            ]
        );
    }

    #[test]
    fn unfinished_tokens_say_so() {
        for source in ["'abc", "[[abc", "--[[abc", "x = \"a\nb\""] {
            assert!(tokens(source).iter().any(|t| t.unfinished), "{source}");
        }
        assert!(tokens("a -- b").iter().all(|t| !t.unfinished));
    }

    #[test]
    fn odd_text_does_not_stop_it() {
        let found = tokens("é § x \u{0} @");
        assert_eq!(found.len(), 5);
    }
}
