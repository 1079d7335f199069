//! From tokens to the tree, by recursive descent.

use super::{Block, Entry, Expression, Function, Kind, Name, Statement};
use crate::error::{Error, Result};
use crate::host::lexer::{Token, TokenKind, tokens};

/// How deep expressions and blocks may lie in each other. Lua's own limit is 200, but it counts a row of calls as one.
const DEEPEST: usize = 400;

/// Operators of two sides, with how strongly they hold what stands left and right of them.
const BINARY: &[(&str, u8, u8)] = &[
    ("or", 1, 1),
    ("and", 2, 2),
    ("<", 3, 3),
    (">", 3, 3),
    ("<=", 3, 3),
    (">=", 3, 3),
    ("~=", 3, 3),
    ("==", 3, 3),
    ("|", 4, 4),
    ("~", 5, 5),
    ("&", 6, 6),
    ("<<", 7, 7),
    (">>", 7, 7),
    ("..", 9, 8),
    ("+", 10, 10),
    ("-", 10, 10),
    ("*", 11, 11),
    ("/", 11, 11),
    ("//", 11, 11),
    ("%", 11, 11),
    ("^", 14, 13),
];

const UNARY: u8 = 12;

/// The tree of a text that Lua has compiled.
///
/// # Errors
/// What Lua would refuse, and expressions of some hundred parts.
pub fn parse(text: &str) -> Result<Block<'_>> {
    let mut tokens = tokens(text);
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
    };
    let block = parser.block()?;
    match parser.peek() {
        Some(token) => Err(unexpected(token)),
        None => Ok(block),
    }
}

fn unexpected(token: &Token) -> Error {
    Error::message(format!("line {}: unexpected `{}`", token.line, token.text))
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn next_is(&self, text: &str) -> bool {
        self.peek().is_some_and(|token| token.is(text))
    }

    fn next(&mut self) -> Result<Token<'a>> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token.ok_or_else(|| Error::message("the text ends too early"))
    }

    /// Takes the next token if it is this one.
    fn took(&mut self, text: &str) -> bool {
        let found = self.next_is(text);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Result<usize> {
        let token = self.next()?;
        match token.is(text) {
            true => Ok(token.start),
            false => Err(unexpected(&token)),
        }
    }

    fn name(&mut self) -> Result<Name<'a>> {
        let token = self.next()?;
        match token.kind {
            TokenKind::Name => Ok(Name {
                text: token.text,
                start: token.start,
            }),
            _ => Err(unexpected(&token)),
        }
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        match self.depth <= DEEPEST {
            true => Ok(()),
            false => Err(Error::message(format!(
                "line {}: an expression of more than {DEEPEST} parts is not looked at",
                self.peek().map_or(0, |token| token.line)
            ))),
        }
    }

    fn block(&mut self) -> Result<Block<'a>> {
        self.deeper()?;
        let mut block = Vec::new();
        while let Some(token) = self.peek() {
            if token.kind == TokenKind::Keyword && matches!(token.text, "end" | "else" | "elseif" | "until") {
                break;
            }
            let last = token.is("return");
            if !self.took(";") {
                block.push(self.statement()?);
            }
            if last {
                break;
            }
        }
        self.depth -= 1;
        Ok(block)
    }

    fn block_until(&mut self, end: &str) -> Result<Block<'a>> {
        let block = self.block()?;
        self.expect(end)?;
        Ok(block)
    }

    fn statement(&mut self) -> Result<Statement<'a>> {
        let token = *self
            .peek()
            .ok_or_else(|| Error::message("the text ends too early"))?;
        let keyword = match token.kind {
            TokenKind::Keyword => token.text,
            TokenKind::Symbol if token.text == "::" => "::",
            // Lua 5.4 has it as a keyword.
            _ => return self.assignment_or_call(),
        };
        self.at += 1;
        Ok(match keyword {
            "local" => self.local()?,
            "function" => self.named_function()?,
            "if" => self.branches()?,
            "do" => Statement::Do(self.block_until("end")?),
            "while" => {
                let condition = self.expression()?;
                self.expect("do")?;
                Statement::While(condition, self.block_until("end")?)
            }
            "repeat" => {
                let block = self.block_until("until")?;
                Statement::Repeat(block, self.expression()?)
            }
            "for" => self.loop_over()?,
            "return" => {
                let ends = |token: Option<&Token>| {
                    token.is_none_or(|t| {
                        t.is(";")
                            || matches!(t.text, "end" | "else" | "elseif" | "until")
                                && t.kind == TokenKind::Keyword
                    })
                };
                let values = match ends(self.peek()) {
                    true => Vec::new(),
                    false => self.expressions()?,
                };
                self.took(";");
                Statement::Return(values)
            }
            "break" => Statement::Jump,
            "goto" => {
                self.name()?;
                Statement::Jump
            }
            "::" => {
                self.name()?;
                self.expect("::")?;
                Statement::Jump
            }
            _ => return Err(unexpected(&token)),
        })
    }

    fn local(&mut self) -> Result<Statement<'a>> {
        if self.took("function") {
            let name = self.name()?;
            return Ok(Statement::LocalFunction(name, self.function(None)?));
        }
        let (mut names, mut closed) = (Vec::new(), false);
        loop {
            names.push(self.name()?);
            if self.took("<") {
                closed |= self.name()?.text == "close";
                self.expect(">")?;
            }
            if !self.took(",") {
                break;
            }
        }
        let values = match self.took("=") {
            true => self.expressions()?,
            false => Vec::new(),
        };
        Ok(Statement::Local {
            names,
            closed,
            values,
        })
    }

    fn named_function(&mut self) -> Result<Statement<'a>> {
        let first = self.name()?;
        let mut target = Expression {
            kind: Kind::Name(first.text),
            start: first.start,
        };
        let mut own = None;
        loop {
            let colon = self.next_is(":");
            if !colon && !self.next_is(".") {
                break;
            }
            let at = self.next()?.start;
            let start = target.start;
            target = Expression {
                kind: Kind::Field(Box::new(target), self.name()?),
                start,
            };
            if colon {
                own = Some(Name {
                    text: "self",
                    start: at,
                });
                break;
            }
        }
        Ok(Statement::Function(target, self.function(own)?))
    }

    fn function(&mut self, own: Option<Name<'a>>) -> Result<Function<'a>> {
        self.expect("(")?;

        let mut parameters: Vec<Name> = own.into_iter().collect();
        while !self.took(")") {
            if !self.took("...") {
                parameters.push(self.name()?);
            }
            self.took(",");
        }
        Ok(Function {
            parameters,
            body: self.block_until("end")?,
        })
    }

    fn branches(&mut self) -> Result<Statement<'a>> {
        let mut branches = Vec::new();
        loop {
            let condition = self.expression()?;
            self.expect("then")?;
            branches.push((condition, self.block()?));
            if self.took("elseif") {
                continue;
            }
            let other = match self.took("else") {
                true => Some(self.block()?),
                false => None,
            };
            self.expect("end")?;
            return Ok(Statement::If(branches, other));
        }
    }

    fn loop_over(&mut self) -> Result<Statement<'a>> {
        let mut names = vec![self.name()?];
        if self.took("=") {
            let values = self.expressions()?;
            self.expect("do")?;
            return Ok(Statement::Count(names[0], values, self.block_until("end")?));
        }
        while self.took(",") {
            names.push(self.name()?);
        }
        self.expect("in")?;
        let values = self.expressions()?;
        self.expect("do")?;
        Ok(Statement::Each(names, values, self.block_until("end")?))
    }

    fn assignment_or_call(&mut self) -> Result<Statement<'a>> {
        let first = self.suffixed()?;
        if matches!(first.kind, Kind::Call(..) | Kind::Method(..)) {
            return Ok(Statement::Call(first));
        }
        let mut targets = vec![first];
        while self.took(",") {
            targets.push(self.suffixed()?);
        }
        self.expect("=")?;
        Ok(Statement::Assign {
            targets,
            values: self.expressions()?,
        })
    }

    fn expressions(&mut self) -> Result<Vec<Expression<'a>>> {
        let mut all = vec![self.expression()?];
        while self.took(",") {
            all.push(self.expression()?);
        }
        Ok(all)
    }

    fn expression(&mut self) -> Result<Expression<'a>> {
        self.binary(0)
    }

    /// What operators that hold more strongly than `outer` bind together.
    fn binary(&mut self, outer: u8) -> Result<Expression<'a>> {
        let before = self.depth;
        self.deeper()?;
        let token = *self
            .peek()
            .ok_or_else(|| Error::message("the text ends too early"))?;
        let mut left = if token.is("not") || token.is("-") || token.is("#") || token.is("~") {
            self.at += 1;
            Expression {
                kind: Kind::Unary(token.text, Box::new(self.binary(UNARY)?)),
                start: token.start,
            }
        } else {
            self.simple()?
        };
        while let Some(operator) = self.peek().copied() {
            let found = BINARY.iter().find(|(text, ..)| operator.is(text));
            let Some((_, _, right)) = found.filter(|(_, left, _)| *left > outer) else {
                break;
            };
            self.at += 1;
            self.deeper()?;
            let start = left.start;
            let kind = Kind::Binary(operator.text, Box::new(left), Box::new(self.binary(*right)?));
            left = Expression { kind, start };
        }
        self.depth = before;
        Ok(left)
    }

    fn simple(&mut self) -> Result<Expression<'a>> {
        let token = *self
            .peek()
            .ok_or_else(|| Error::message("the text ends too early"))?;
        let kind = match (token.kind, token.text) {
            (TokenKind::Number, text) => Kind::Number(text),
            (TokenKind::String, text) => Kind::Text(text),
            (TokenKind::Keyword, "nil") => Kind::Nil,
            (TokenKind::Keyword, "true" | "false") => Kind::Boolean(token.text == "true"),
            (TokenKind::Keyword, "function") => {
                self.at += 1;
                let function = self.function(None)?;
                return Ok(Expression {
                    kind: Kind::Function(Box::new(function)),
                    start: token.start,
                });
            }
            (TokenKind::Symbol, "...") => Kind::Varargs,
            (TokenKind::Symbol, "{") => return self.table(),
            _ => return self.suffixed(),
        };
        self.at += 1;
        Ok(Expression {
            kind,
            start: token.start,
        })
    }

    /// A name or something in parentheses, with the fields, indices and calls behind it.
    fn suffixed(&mut self) -> Result<Expression<'a>> {
        let before = self.depth;
        self.deeper()?;
        let token = self.next()?;
        let start = token.start;
        let mut kind = match token.kind {
            TokenKind::Name => Kind::Name(token.text),
            TokenKind::Symbol if token.text == "(" => {
                let inside = self.expression()?;
                self.expect(")")?;
                Kind::Parenthesised(Box::new(inside))
            }
            _ => return Err(unexpected(&token)),
        };
        while let Some(token) = self.peek().copied() {
            let so_far = |kind| Box::new(Expression { kind, start });
            kind = match (token.kind, token.text) {
                (TokenKind::Symbol, ".") => {
                    self.at += 1;
                    Kind::Field(so_far(kind), self.name()?)
                }
                (TokenKind::Symbol, "[") => {
                    self.at += 1;
                    let index = self.expression()?;
                    self.expect("]")?;
                    Kind::Index(so_far(kind), Box::new(index))
                }
                (TokenKind::Symbol, ":") => {
                    self.at += 1;
                    let name = self.name()?;
                    Kind::Method(so_far(kind), name, self.arguments()?)
                }
                (TokenKind::Symbol, "(" | "{") | (TokenKind::String, _) => {
                    Kind::Call(so_far(kind), self.arguments()?)
                }
                _ => break,
            };
            self.deeper()?;
        }
        self.depth = before;
        Ok(Expression { kind, start })
    }

    fn arguments(&mut self) -> Result<Vec<Expression<'a>>> {
        let token = self.next()?;
        match (token.kind, token.text) {
            (TokenKind::String, text) => Ok(vec![Expression {
                kind: Kind::Text(text),
                start: token.start,
            }]),
            (TokenKind::Symbol, "{") => {
                self.at -= 1;
                Ok(vec![self.table()?])
            }
            (TokenKind::Symbol, "(") => {
                if self.took(")") {
                    return Ok(Vec::new());
                }
                let all = self.expressions()?;
                self.expect(")")?;
                Ok(all)
            }
            _ => Err(unexpected(&token)),
        }
    }

    fn table(&mut self) -> Result<Expression<'a>> {
        self.deeper()?;
        let start = self.expect("{")?;
        let mut entries = Vec::new();
        while !self.took("}") {
            let behind = self.tokens.get(self.at + 1);
            let named = self.peek().is_some_and(|token| token.kind == TokenKind::Name)
                && behind.is_some_and(|token| token.is("="));
            entries.push(if named {
                let name = self.name()?;
                self.expect("=")?;
                Entry::Named(name, self.expression()?)
            } else if self.took("[") {
                let key = self.expression()?;
                self.expect("]")?;
                self.expect("=")?;
                Entry::Keyed(key, self.expression()?)
            } else {
                Entry::Item(self.expression()?)
            });
            if !self.took(",") && !self.took(";") && !self.next_is("}") {
                return Err(unexpected(&self.next()?));
            }
        }
        self.depth -= 1;
        Ok(Expression {
            kind: Kind::Table(entries),
            start,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::with_room;
    use super::*;

    /// The tree of an expression with all its brackets.
    fn shown(e: &Expression) -> String {
        let list = |all: &[Expression]| all.iter().map(shown).collect::<Vec<_>>().join(",");
        match &e.kind {
            Kind::Nil => "nil".into(),
            Kind::Boolean(b) => b.to_string(),
            Kind::Number(text) | Kind::Text(text) | Kind::Name(text) => text.to_string(),
            Kind::Varargs => "...".into(),
            Kind::Function(f) => format!("function/{}", f.parameters.len()),
            Kind::Field(of, name) => format!("{}.{}", shown(of), name.text),
            Kind::Index(of, index) => format!("{}[{}]", shown(of), shown(index)),
            Kind::Call(of, given) => format!("{}({})", shown(of), list(given)),
            Kind::Method(of, name, given) => format!("{}:{}({})", shown(of), name.text, list(given)),
            Kind::Table(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|entry| match entry {
                        Entry::Item(e) => shown(e),
                        Entry::Named(name, e) => format!("{}={}", name.text, shown(e)),
                        Entry::Keyed(key, e) => format!("[{}]={}", shown(key), shown(e)),
                    })
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
            Kind::Binary(operator, a, b) => format!("({}{operator}{})", shown(a), shown(b)),
            Kind::Unary(operator, a) => format!("({operator} {})", shown(a)),
            Kind::Parenthesised(a) => format!("<{}>", shown(a)),
        }
    }

    fn expression(text: &str) -> String {
        let text = format!("return {text}");
        match parse(&text).unwrap().as_slice() {
            [Statement::Return(all)] => all.iter().map(shown).collect::<Vec<_>>().join(";"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn operators_bind_as_in_lua() {
        for (text, tree) in [
            ("1 + 2 * 3 ^ 4 ^ 5", "(1+(2*(3^(4^5))))"),
            ("-x ^ 2 .. 'a' .. b", "((- (x^2))..('a'..b))"),
            ("2 ^ -3", "(2^(- 3))"),
            ("not a == b or c and d", "(((not a)==b)or(candd))"),
            ("a - b - c", "((a-b)-c)"),
            ("a | b ~ c & d << 1 + 2", "(a|(b~(c&(d<<(1+2)))))"),
            ("#t // 2 < ~n", "(((# t)//2)<(~ n))"),
        ] {
            assert_eq!(expression(text), tree, "{text}");
        }
    }

    #[test]
    fn calls_fields_and_tables_are_read() {
        for (text, tree) in [
            (
                "a.b[c + 1]:d 'x' { 1, y = 2, [3] = f(); }",
                "a.b[(c+1)]:d('x')({1,y=2,[3]=f()})",
            ),
            ("(f(...)), function(a, b, ...) end", "<f(...)>;function/2"),
            ("require \"raster\".open(p).VV", "require(\"raster\").open(p).VV"),
        ] {
            assert_eq!(expression(text), tree, "{text}");
        }
    }

    #[test]
    fn every_file_of_the_library_is_read() {
        let files = crate::host::documentation::files();
        assert!(files.len() > 20);
        for file in files {
            assert!(
                parse(&file.text).is_ok(),
                "{}: {:?}",
                file.path,
                parse(&file.text).err()
            );
        }
    }

    #[test]
    fn statements_are_read() {
        let text = "local a <const>, b <close> = 1; ::x:: goto x; ; repeat local y until y\n\
            for i = 1, 2 do break end for k, v in pairs(t) do end while true do end do end\n\
            if a then elseif b then else end function a.b:c(d) return end local function f(...) return a, b; end";
        let block = parse(text).unwrap();
        assert_eq!(block.len(), 11, "{block:?}");
        let Statement::Function(_, method) = &block[9] else {
            panic!("{block:?}")
        };
        assert_eq!(method.parameters.len(), 2);
        assert_eq!(method.parameters[0].text, "self");
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        for text in [
            format!("return {}1", "-".repeat(0) + &"(".repeat(100_000)),
            format!("return 1{}", " + 1".repeat(100_000)),
            format!("return a{}", ".b".repeat(100_000)),
            format!("x = {}", "{".repeat(100_000)),
            format!("return {}1", "- ".repeat(100_000)),
            "do ".repeat(100_000),
        ] {
            assert!(with_room(|| parse(&text).is_err()));
        }
    }
}
