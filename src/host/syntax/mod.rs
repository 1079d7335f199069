//! Lua as a tree, with the places of everything, for what looks at scripts without running them. What Lua refuses is Lua's to say:
//! the tree is made of text that compiles.

mod parse;

pub use parse::parse;

/// Stack for trees as deep as `parse` lets them become, of which little is used by most.
const ROOM: usize = 256 << 20;

/// Does what goes through deep trees on a stack that holds them.
pub fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(ROOM)
            .spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(e) => panic!("no thread can be started: {e}"),
        }
    })
}

/// A name where it stands: the byte at which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    pub text: &'a str,
    pub start: usize,
}

pub type Block<'a> = Vec<Statement<'a>>;

#[derive(Debug)]
pub enum Statement<'a> {
    /// `local a, b <const> = 1, 2`.
    Local {
        names: Vec<Name<'a>>,
        /// Those with an attribute that closes them: their end is their use.
        closed: bool,
        values: Vec<Expression<'a>>,
    },
    Assign {
        targets: Vec<Expression<'a>>,
        values: Vec<Expression<'a>>,
    },
    Call(Expression<'a>),
    Do(Block<'a>),
    While(Expression<'a>, Block<'a>),
    /// The condition sees the locals of the block.
    Repeat(Block<'a>, Expression<'a>),
    If(Vec<(Expression<'a>, Block<'a>)>, Option<Block<'a>>),
    /// `for i = from, to, step`.
    Count(Name<'a>, Vec<Expression<'a>>, Block<'a>),
    /// `for a, b in values`.
    Each(Vec<Name<'a>>, Vec<Expression<'a>>, Block<'a>),
    /// `function a.b:c() … end`; the target is what is assigned to.
    Function(Expression<'a>, Function<'a>),
    LocalFunction(Name<'a>, Function<'a>),
    Return(Vec<Expression<'a>>),
    /// `break`, `goto`, `::label::`.
    Jump,
}

#[derive(Debug)]
pub struct Function<'a> {
    /// With `self` first where it is written with a colon.
    pub parameters: Vec<Name<'a>>,

    pub body: Block<'a>,
}

#[derive(Debug)]
pub struct Expression<'a> {
    pub kind: Kind<'a>,
    pub start: usize,
}

#[derive(Debug)]
pub enum Kind<'a> {
    Nil,
    Boolean(bool),
    /// As it is written.
    Number(&'a str),
    /// With its quotes.
    Text(&'a str),
    Varargs,
    Function(Box<Function<'a>>),
    Name(&'a str),
    /// `a.b`.
    Field(Box<Expression<'a>>, Name<'a>),
    /// `a[b]`.
    Index(Box<Expression<'a>>, Box<Expression<'a>>),
    Call(Box<Expression<'a>>, Vec<Expression<'a>>),
    /// `a:b(…)`.
    Method(Box<Expression<'a>>, Name<'a>, Vec<Expression<'a>>),
    Table(Vec<Entry<'a>>),
    Binary(&'a str, Box<Expression<'a>>, Box<Expression<'a>>),
    Unary(&'a str, Box<Expression<'a>>),
    /// In parentheses, which cut several values down to one.
    Parenthesised(Box<Expression<'a>>),
}

#[derive(Debug)]
pub enum Entry<'a> {
    Item(Expression<'a>),
    Named(Name<'a>, Expression<'a>),
    Keyed(Expression<'a>, Expression<'a>),
}

impl<'a> Expression<'a> {
    /// Whether it may stand for any number of values.
    pub fn is_several(&self) -> bool {
        matches!(self.kind, Kind::Call(..) | Kind::Method(..) | Kind::Varargs)
    }

    /// The expressions that it is made of, in their order.
    pub fn parts(&self) -> Vec<&Expression<'a>> {
        match &self.kind {
            Kind::Nil
            | Kind::Boolean(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Varargs
            | Kind::Name(_)
            | Kind::Function(_) => Vec::new(),
            Kind::Field(of, _) | Kind::Unary(_, of) | Kind::Parenthesised(of) => vec![of],
            Kind::Index(left, right) | Kind::Binary(_, left, right) => vec![left, right],
            Kind::Call(of, given) | Kind::Method(of, _, given) => {
                std::iter::once(&**of).chain(given).collect()
            }
            Kind::Table(entries) => entries
                .iter()
                .flat_map(|entry| match entry {
                    Entry::Item(value) | Entry::Named(_, value) => vec![value],
                    Entry::Keyed(key, value) => vec![key, value],
                })
                .collect(),
        }
    }

    /// The text of a string, where no escape has to be worked out.
    pub fn plain_text(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Text(text) => inside(text),
            _ => None,
        }
    }
}

fn inside(text: &str) -> Option<&str> {
    if text.starts_with('[') {
        let level = text.bytes().skip(1).take_while(|b| *b == b'=').count() + 2;
        return text.get(level..text.len() - level);
    }
    text.get(1..text.len() - 1).filter(|text| !text.contains('\\'))
}

/// The line of a byte and its place in it, in characters, both from 1.
pub fn place(text: &str, start: usize) -> (usize, usize) {
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}
