//! What an expression gives, as far as its text and the comments of what it calls tell.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::known::{self, Known, Required};
use super::scope::{Scopes, Source, address};
use super::types::Type;
use crate::host::documentation::{Entry as Documentation, Field, Kind as Documented};
use crate::host::syntax::{Entry, Expression, Function, Kind};

/// How deep calls are followed into each other.
const DEEPEST: usize = 40;

pub struct Inference<'a> {
    pub known: &'a Known,
    pub scopes: &'a Scopes<'a>,
    /// Of variables; `None` while one is being found, so that what depends on itself ends.
    locals: RefCell<HashMap<usize, Option<Type>>>,
    results: RefCell<HashMap<usize, Option<Type>>>,
    /// Of the parameters of functions that are given to documented ones, by the function's address.
    pub parameters: RefCell<HashMap<usize, Vec<Type>>>,
    /// The comments of functions, by the function's address.
    pub comments: RefCell<HashMap<usize, &'a Documentation>>,
    /// The tables that `params` was given, by where they begin.
    pub declared: RefCell<HashMap<usize, &'a [Entry<'a>]>>,
    depth: RefCell<usize>,
}

impl<'a> Inference<'a> {
    pub fn new(known: &'a Known, scopes: &'a Scopes<'a>) -> Self {
        Inference {
            known,
            scopes,
            locals: RefCell::default(),
            results: RefCell::default(),
            parameters: RefCell::default(),
            comments: RefCell::default(),
            declared: RefCell::default(),
            depth: RefCell::default(),
        }
    }

    pub fn of(&self, e: &'a Expression<'a>) -> Type {
        self.nth(e, 0)
    }

    /// The n-th value of an expression, from 0.
    fn nth(&self, e: &'a Expression<'a>, n: usize) -> Type {
        if *self.depth.borrow() >= DEEPEST {
            return Type::Unknown;
        }
        *self.depth.borrow_mut() += 1;
        let found = self.found(e, n);
        *self.depth.borrow_mut() -= 1;
        found
    }

    fn found(&self, e: &'a Expression<'a>, n: usize) -> Type {
        match &e.kind {
            Kind::Call(of, given) => self.call(of, given, n),
            Kind::Method(of, name, _) => match self.of(of) {
                Type::Class(class) => match self.known.method(&class, name.text) {
                    Some(entry) if class == "Stack" && entry.name.starts_with("Raster:") => {
                        Type::Class(class)
                    }
                    Some(entry) => self.returned(entry, n),
                    None => Type::Unknown,
                },
                // What is still being found adds nothing to what it depends on.
                Type::Nil => Type::Nil,
                _ => Type::Unknown,
            },
            _ if n > 0 => Type::Unknown,
            Kind::Nil => Type::Nil,
            Kind::Boolean(_) => Type::Boolean,
            Kind::Number(_) => Type::Number,
            Kind::Text(_) => Type::Text,
            Kind::Varargs => Type::Unknown,
            Kind::Function(function) => Type::Body(address(function)),
            Kind::Name(name) => match self.scopes.local(e.start) {
                Some(id) => self.local(id),
                None => self.global(name),
            },
            Kind::Field(of, name) => self.field(&self.of(of), name.text).unwrap_or(Type::Unknown),
            Kind::Index(of, index) => match (self.of(of), &index.kind) {
                (Type::List(of) | Type::Map(of), _) => *of,
                (Type::Class(class), Kind::Text(_)) => index
                    .plain_text()
                    .and_then(|name| self.field(&Type::Class(class), name))
                    .unwrap_or(Type::Unknown),
                (Type::Class(class), _) if self.of(index) == Type::Number => self.item(&class),
                _ => Type::Unknown,
            },
            Kind::Table(entries) => self.table(entries),
            Kind::Binary(operator, left, right) => self.binary(operator, left, right),
            Kind::Unary("not", _) => Type::Boolean,
            Kind::Unary("#", _) => Type::Number,
            Kind::Unary(operator, of) => {
                let name = if *operator == "-" { "unm" } else { "bnot" };
                match self.of(of) {
                    Type::Number => Type::Number,
                    Type::Class(class) => self.operator(&class, name),
                    _ => Type::Unknown,
                }
            }
            Kind::Parenthesised(of) => self.of(of),
        }
    }

    fn table(&self, entries: &'a [Entry<'a>]) -> Type {
        let items = entries.iter().map(|entry| match entry {
            Entry::Item(value) => Some(self.of(value)),
            _ => None,
        });
        let Some(mut types) = items.collect::<Option<Vec<Type>>>().map(Vec::into_iter) else {
            return Type::Table;
        };
        match types.next() {
            Some(first) if first != Type::Unknown && types.all(|other| other == first) => {
                Type::List(Box::new(first))
            }
            _ => Type::Table,
        }
    }

    fn binary(&self, operator: &str, left: &'a Expression<'a>, right: &'a Expression<'a>) -> Type {
        let name = match operator {
            "==" | "~=" | "<" | "<=" | ">" | ">=" => return Type::Boolean,
            "or" => return self.of(left).or(self.of(right)),
            "and" => return self.of(right),
            ".." => "concat",
            "+" => "add",
            "-" => "sub",
            "*" => "mul",
            "/" => "div",
            "//" => "idiv",
            "%" => "mod",
            "^" => "pow",
            "&" => "band",
            "|" => "bor",
            "~" => "bxor",
            "<<" => "shl",
            _ => "shr",
        };
        match (self.of(left), self.of(right)) {
            (Type::Class(class), _) | (_, Type::Class(class)) => self.operator(&class, name),
            (Type::Number | Type::Text, Type::Number | Type::Text) if name == "concat" => Type::Text,
            (Type::Number, Type::Number) => Type::Number,
            (Type::Nil, _) | (_, Type::Nil) => Type::Nil,
            _ => Type::Unknown,
        }
    }

    /// `add(Raster|number): Raster`, `unm: Raster`.
    fn operator(&self, class: &str, name: &str) -> Type {
        let written = self.known.class(class).and_then(|entry| {
            entry
                .operators
                .iter()
                .find(|operator| operator.split(['(', ':']).next() == Some(name))
        });
        let result = written
            .and_then(|operator| operator.rsplit_once(':'))
            .map(|(_, result)| result);
        result.map_or(Type::Unknown, |result| Type::of(result, self.known))
    }

    fn global(&self, name: &str) -> Type {
        if self.known.entry(name).is_some_and(Documentation::is_global) {
            return Type::Documented(name.to_string());
        }
        match known::globals().get(name) {
            Some(members) if !members.is_empty() => Type::Library(name.to_string()),
            _ => Type::Unknown,
        }
    }

    pub fn local(&self, id: usize) -> Type {
        let met = self.locals.borrow().get(&id).cloned();
        match met {
            Some(Some(found)) => return found,
            Some(None) => return Type::Nil,
            None => {}
        }
        self.locals.borrow_mut().insert(id, None);
        let local = &self.scopes.locals[id];
        let record = match local.values.as_slice() {
            [
                Source::Value(
                    Expression {
                        kind: Kind::Table(entries),
                        ..
                    },
                    0,
                ),
            ] => !local.escapes && entries.iter().all(|entry| matches!(entry, Entry::Named(..))),
            _ => false,
        };
        let found = match record {
            true => Type::Record(id),
            false => local
                .values
                .iter()
                .map(|source| self.source(source))
                .fold(Type::Nil, Type::or),
        };
        let found = if found == Type::Nil { Type::Unknown } else { found };
        self.locals.borrow_mut().insert(id, Some(found.clone()));
        found
    }

    fn source(&self, source: &Source<'a>) -> Type {
        match source {
            Source::Value(e, n) => self.nth(e, *n),
            Source::Each(values, n) => self.each(values, *n),
            Source::Function(function) => Type::Body(address(function)),
            Source::Parameter(function, n) => self.parameter(function, *n),
            Source::Number => Type::Number,
            Source::Nothing => Type::Nil,
        }
    }

    fn parameter(&self, function: &'a Function<'a>, n: usize) -> Type {
        let at = address(function);
        if let Some(documentation) = self.comments.borrow().get(&at) {
            let name = function.parameters[n].text;
            let written = documentation.parameters.iter().find(|p| p.name == name);
            return written.map_or(Type::Unknown, |p| Type::of(&p.type_name, self.known));
        }
        let given = self
            .parameters
            .borrow()
            .get(&at)
            .and_then(|types| types.get(n).cloned());
        given.unwrap_or(Type::Unknown)
    }

    /// What an object gives by number.
    fn item(&self, class: &str) -> Type {
        let fields = self.known.class(class).map_or(&[][..], |entry| &entry.fields);
        let item = fields.iter().find(|field| field.name == "[integer]");
        item.map_or(Type::Unknown, |field| Type::of(&field.type_name, self.known))
    }

    /// What a loop gives to its n-th name.
    fn each(&self, values: &'a [Expression<'a>], n: usize) -> Type {
        let [value] = values else { return Type::Unknown };
        if let Kind::Call(of, given) = &value.kind
            && let (Kind::Name(name @ ("ipairs" | "pairs")), [list, ..]) = (&of.kind, given.as_slice())
            && self.scopes.local(of.start).is_none()
        {
            return match (self.of(list), n, *name) {
                (_, 0, "ipairs") => Type::Number,
                (Type::List(of), 1, _) | (Type::Map(of), 1, _) => *of,
                (Type::Class(class), 1, "ipairs") => self.item(&class),
                _ => Type::Unknown,
            };
        }
        match self.of(value) {
            Type::Returning(result) if n == 0 => *result,
            _ => Type::Unknown,
        }
    }

    fn call(&self, of: &'a Expression<'a>, given: &'a [Expression<'a>], n: usize) -> Type {
        if let (Kind::Name("require"), None) = (&of.kind, self.scopes.local(of.start)) {
            let name = given.first().and_then(Expression::plain_text).unwrap_or("");
            return match self.known.require(name) {
                Required::Documented => Type::Module(name.to_string()),
                Required::Own(Some(names)) => Type::Own(name.to_string(), Rc::new(names.clone())),
                _ => Type::Unknown,
            };
        }
        match self.of(of) {
            Type::Documented(name) if name == "params" => match given {
                [
                    Expression {
                        kind: Kind::Table(entries),
                        start,
                    },
                ] if n == 0 => {
                    self.declared.borrow_mut().insert(*start, entries);
                    Type::Parameters(*start)
                }
                _ => Type::Unknown,
            },
            Type::Documented(name) => self
                .known
                .entry(&name)
                .map_or(Type::Unknown, |entry| self.returned(entry, n)),
            Type::Returning(result) if n == 0 => *result,
            Type::Body(function) if n == 0 => self.result(function),
            Type::Nil => Type::Nil,
            _ => match (&of.kind, n) {
                (Kind::Name("tostring"), 0) if self.scopes.local(of.start).is_none() => Type::Text,
                _ => Type::Unknown,
            },
        }
    }

    /// What a documented function gives.
    fn returned(&self, entry: &Documentation, n: usize) -> Type {
        entry
            .returns
            .get(n)
            .map_or(Type::Unknown, |field| Type::of(&field.type_name, self.known))
    }

    /// The first result of a function of the script.
    fn result(&self, function: usize) -> Type {
        if let Some(documentation) = self.comments.borrow().get(&function) {
            return self.returned(documentation, 0);
        }
        let met = self.results.borrow().get(&function).cloned();
        match met {
            Some(Some(found)) => return found,
            Some(None) => return Type::Nil,
            None => {}
        }
        self.results.borrow_mut().insert(function, None);
        let returns = self.scopes.returns.get(&function).map_or(&[][..], Vec::as_slice);
        let firsts = returns
            .iter()
            .map(|values| values.first().map_or(Type::Nil, |value| self.of(value)));
        let found = firsts.fold(Type::Nil, Type::or);
        let found = if found == Type::Nil { Type::Unknown } else { found };
        self.results.borrow_mut().insert(function, Some(found.clone()));
        found
    }

    /// A field of a value of this type; `None` where it is known that there is none.
    pub fn field(&self, of: &Type, name: &str) -> Option<Type> {
        let typed = |field: &Field| Type::of(&field.type_name, self.known);
        match of {
            Type::Module(module) => {
                let full = format!("{module}.{name}");
                if self
                    .known
                    .entry(&full)
                    .is_some_and(|entry| entry.kind == Documented::Function)
                {
                    return Some(Type::Documented(full));
                }
                let fields = self.known.entry(module).map_or(&[][..], |entry| &entry.fields);
                let field = fields.iter().find(|field| field.name == name).map(typed);
                field.or_else(|| self.known.has_beside(module, name).then_some(Type::Unknown))
            }
            Type::Class(class) => {
                let entry = self.known.class(class)?;
                let field = entry.fields.iter().find(|field| field.name == name);
                let any = || entry.fields.iter().find(|field| field.name == "[string]");
                if let Some(method) = self.known.method(class, name) {
                    return Some(Type::Documented(method.name.clone()));
                }
                field.or_else(any).map(typed)
            }
            Type::Own(module, names) => {
                let full = format!("{module}.{name}");
                names.contains(name).then(|| match self.known.entry(&full) {
                    Some(_) => Type::Documented(full),
                    None => Type::Unknown,
                })
            }
            Type::Library(library) => {
                let members = known::globals().get(library)?;
                members.contains(name).then_some(Type::Unknown)
            }
            Type::Parameters(start) => {
                let declared = self.declared.borrow();
                let entries = declared.get(start)?;
                let value = entries.iter().find_map(|entry| match entry {
                    Entry::Named(known, value) if known.text == name => Some(value),
                    _ => None,
                })?;
                Some(self.declared_type(value))
            }
            Type::Record(id) => self.record_field(*id, name),
            Type::Nil => Some(Type::Nil),
            _ => Some(Type::Unknown),
        }
    }

    /// Of a parameter, by what `params` says of it.
    fn declared_type(&self, value: &'a Expression<'a>) -> Type {
        let Kind::Table(entries) = &value.kind else {
            return self.of(value);
        };
        let named = |wanted: &str| {
            entries.iter().find_map(|entry| match entry {
                Entry::Named(name, value) if name.text == wanted => Some(value),
                _ => None,
            })
        };
        if let Some(kind) = named("type") {
            return match kind.plain_text() {
                Some("number" | "integer") => Type::Number,
                Some("string" | "path" | "date") => Type::Text,
                Some("boolean") => Type::Boolean,
                _ => Type::Unknown,
            };
        }
        let first = entries.iter().find_map(|entry| match entry {
            Entry::Item(value) => Some(value),
            _ => None,
        });
        match named("default").or(first).map(|value| self.of(value)) {
            Some(found @ (Type::Number | Type::Text | Type::Boolean)) => found,
            _ => Type::Unknown,
        }
    }

    fn record_field(&self, id: usize, name: &str) -> Option<Type> {
        let local = &self.scopes.locals[id];
        let written = match local.values.first() {
            Some(Source::Value(
                Expression {
                    kind: Kind::Table(entries),
                    ..
                },
                _,
            )) => entries.iter().find_map(|entry| match entry {
                Entry::Named(known, value) if known.text == name => Some(value),
                _ => None,
            }),
            _ => None,
        };
        match (written, local.fields.contains(name)) {
            (Some(value), false) => Some(self.of(value)),
            (_, true) => {
                // The functions of the script's own module are documented under its name.
                let full = format!("{}.{name}", self.known.module);
                Some(match self.known.entry(&full) {
                    Some(_) => Type::Documented(full),
                    None => Type::Unknown,
                })
            }
            (None, false) => None,
        }
    }

    /// The names that `field` knows, for what may have been meant.
    pub fn names(&self, of: &Type) -> Vec<String> {
        match of {
            Type::Module(module) => self
                .known
                .members(module)
                .into_iter()
                .map(str::to_string)
                .collect(),
            Type::Class(class) => {
                let fields = self.known.class(class).map_or(&[][..], |entry| &entry.fields);
                let methods = self.known.methods(class).into_iter().map(str::to_string);
                fields
                    .iter()
                    .map(|field| field.name.clone())
                    .chain(methods)
                    .collect()
            }
            Type::Own(_, names) => names.iter().cloned().collect(),
            Type::Library(library) => known::globals()
                .get(library)
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            Type::Parameters(start) => {
                let declared = self.declared.borrow();
                let entries = declared.get(start).copied().unwrap_or_default();
                named(entries).map(str::to_string).collect()
            }
            Type::Record(id) => {
                let local = &self.scopes.locals[*id];
                let mut names: Vec<String> = local.fields.iter().map(|name| name.to_string()).collect();
                names.sort();
                if let Some(Source::Value(
                    Expression {
                        kind: Kind::Table(entries),
                        ..
                    },
                    _,
                )) = local.values.first()
                {
                    names.extend(named(entries).map(str::to_string));
                }
                names
            }
            _ => Vec::new(),
        }
    }
}

fn named<'a>(entries: &'a [Entry<'a>]) -> impl Iterator<Item = &'a str> {
    entries.iter().filter_map(|entry| match entry {
        Entry::Named(name, _) => Some(name.text),
        _ => None,
    })
}
