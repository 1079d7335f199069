//! Which variable each name is, what it is given, and whether anything reads it.

use std::collections::{HashMap, HashSet};

use crate::host::syntax::{Block, Expression, Function, Kind, Name, Statement};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Variable,
    Function,
    Parameter,
    Loop,
}

/// Where a value of a variable comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// One of the values of an expression, counted from 0.
    Value(&'a Expression<'a>, usize),
    /// One of the values that a loop goes through.
    Each(&'a [Expression<'a>], usize),
    Function(&'a Function<'a>),
    Parameter(&'a Function<'a>, usize),
    Number,
    Nothing,
}

#[derive(Debug)]
pub struct Local<'a> {
    pub name: Name<'a>,
    pub role: Role,
    pub values: Vec<Source<'a>>,
    pub reads: usize,
    /// The fields that are set by name.
    pub fields: HashSet<&'a str>,
    /// Whether anything is done with it that may set fields elsewhere.
    pub escapes: bool,
    /// The names behind it in the same `local a, b, c`.
    pub behind: Vec<usize>,
    pub closed: bool,
    /// The variable of the same name that it hides.
    pub hides: Option<usize>,
}

#[derive(Default)]
pub struct Scopes<'a> {
    pub locals: Vec<Local<'a>>,
    /// By where the name stands.
    pub uses: HashMap<usize, usize>,
    /// Global names that are read, and those that are set.
    pub read: Vec<Name<'a>>,
    pub set: Vec<Name<'a>>,
    /// What functions return, by their address in the tree.
    pub returns: HashMap<usize, Vec<&'a [Expression<'a>]>>,
    open: Vec<Vec<usize>>,
    functions: Vec<usize>,
    /// The functions of whose text this is a part: that they call themselves is no use of them.
    own: Vec<usize>,
}

/// A function's address in the tree, by which it is known.
pub fn address(function: &Function) -> usize {
    std::ptr::from_ref(function).addr()
}

impl<'a> Scopes<'a> {
    pub fn of(block: &'a Block<'a>) -> Scopes<'a> {
        let mut scopes = Scopes::default();
        scopes.block(block);
        scopes
    }

    pub fn local(&self, start: usize) -> Option<usize> {
        self.uses.get(&start).copied()
    }

    fn declare(&mut self, name: Name<'a>, role: Role, source: Source<'a>) -> usize {
        let hides = self.find(name.text);
        self.locals.push(Local {
            name,
            role,
            values: vec![source],
            reads: 0,
            fields: HashSet::new(),
            escapes: false,
            behind: Vec::new(),
            closed: false,
            hides,
        });
        let id = self.locals.len() - 1;
        if let Some(open) = self.open.last_mut() {
            open.push(id);
        }
        id
    }

    fn find(&self, name: &str) -> Option<usize> {
        let mut visible = self.open.iter().rev().flat_map(|scope| scope.iter().rev());
        visible.find(|id| self.locals[**id].name.text == name).copied()
    }

    fn block(&mut self, block: &'a Block<'a>) {
        self.open.push(Vec::new());
        self.statements(block);
        self.open.pop();
    }

    fn statements(&mut self, block: &'a Block<'a>) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Statement<'a>) {
        match statement {
            Statement::Local {
                names,
                closed,
                values,
            } => {
                self.expressions(values);
                let first = self.locals.len();
                for (i, name) in names.iter().enumerate() {
                    let id = self.declare(*name, Role::Variable, nth(values, i));
                    self.locals[id].closed = *closed;
                    self.locals[id].behind = (id + 1..first + names.len()).collect();
                }
            }
            Statement::Assign { targets, values } => {
                self.expressions(values);
                for (i, target) in targets.iter().enumerate() {
                    self.assign(target, nth(values, i));
                }
            }
            Statement::Call(call) => self.expression(call),
            Statement::Do(block) => self.block(block),
            Statement::While(condition, block) => {
                self.expression(condition);
                self.block(block);
            }
            Statement::Repeat(block, condition) => {
                self.open.push(Vec::new());
                self.statements(block);
                self.expression(condition);
                self.open.pop();
            }
            Statement::If(branches, other) => {
                for (condition, block) in branches {
                    self.expression(condition);
                    self.block(block);
                }
                other.iter().for_each(|block| self.block(block));
            }
            Statement::Count(name, values, body) => {
                self.expressions(values);
                self.open.push(Vec::new());
                self.declare(*name, Role::Loop, Source::Number);
                self.statements(body);
                self.open.pop();
            }
            Statement::Each(names, values, body) => {
                self.expressions(values);
                self.open.push(Vec::new());
                for (i, name) in names.iter().enumerate() {
                    self.declare(*name, Role::Loop, Source::Each(values, i));
                }
                self.statements(body);
                self.open.pop();
            }
            Statement::Function(target, function) => {
                self.assign(target, Source::Function(function));
                self.function(function);
            }
            Statement::LocalFunction(name, function) => {
                let id = self.declare(*name, Role::Function, Source::Function(function));
                self.own.push(id);
                self.function(function);
                self.own.pop();
            }
            Statement::Return(values) => {
                match self.functions.last() {
                    Some(function) => {
                        self.returns.entry(*function).or_default().push(values);
                        self.expressions(values);
                    }
                    // A module hands itself on; what others set in it they know.
                    None => values.iter().for_each(|value| match value.kind {
                        Kind::Name(name) => {
                            self.read_name(Name {
                                text: name,
                                start: value.start,
                            });
                        }
                        _ => self.expression(value),
                    }),
                }
            }
            Statement::Jump => {}
        }
    }

    fn assign(&mut self, target: &'a Expression<'a>, source: Source<'a>) {
        match &target.kind {
            Kind::Name(text) => {
                let name = Name {
                    text,
                    start: target.start,
                };
                match self.find(text) {
                    Some(id) => {
                        self.uses.insert(target.start, id);
                        self.locals[id].values.push(source);
                    }
                    None => self.set.push(name),
                }
            }
            Kind::Field(of, field) => {
                self.owner(of);
                if let Kind::Name(_) = of.kind
                    && let Some(id) = self.local(of.start)
                {
                    self.locals[id].fields.insert(field.text);
                }
            }
            // Of `t[i] = …`, any field may be set.
            _ => self.expression(target),
        }
    }

    /// What a field is taken of: it goes nowhere by that.
    fn owner(&mut self, of: &'a Expression<'a>) {
        match of.kind {
            Kind::Name(text) => {
                self.read_name(Name {
                    text,
                    start: of.start,
                });
            }
            _ => self.expression(of),
        }
    }

    fn read_name(&mut self, name: Name<'a>) -> Option<usize> {
        let id = self.find(name.text);
        match id {
            Some(id) => {
                self.locals[id].reads += usize::from(!self.own.contains(&id));
                self.uses.insert(name.start, id);
            }
            None => self.read.push(name),
        }
        id
    }

    fn expressions(&mut self, all: &'a [Expression<'a>]) {
        all.iter().for_each(|e| self.expression(e));
    }

    fn expression(&mut self, e: &'a Expression<'a>) {
        match &e.kind {
            Kind::Name(text) => {
                if let Some(id) = self.read_name(Name { text, start: e.start }) {
                    self.locals[id].escapes = true;
                }
            }
            Kind::Field(of, _) => self.owner(of),
            Kind::Unary("#", of) => self.owner(of),
            Kind::Call(of, given) => {
                self.owner(of);
                self.expressions(given);
            }
            Kind::Function(function) => self.function(function),
            // Among them a method: it has the object in its hands.
            _ => e.parts().into_iter().for_each(|part| self.expression(part)),
        }
    }

    fn function(&mut self, function: &'a Function<'a>) {
        self.functions.push(address(function));
        self.open.push(Vec::new());
        for (i, name) in function.parameters.iter().enumerate() {
            self.declare(*name, Role::Parameter, Source::Parameter(function, i));
        }
        self.statements(&function.body);
        self.open.pop();
        self.functions.pop();
    }
}

/// The value that the i-th name of several gets.
fn nth<'a>(values: &'a [Expression<'a>], i: usize) -> Source<'a> {
    match (values.get(i), values.last()) {
        (Some(value), _) => Source::Value(value, 0),
        (None, Some(last)) if last.is_several() => Source::Value(last, i + 1 - values.len()),
        _ => Source::Nothing,
    }
}
