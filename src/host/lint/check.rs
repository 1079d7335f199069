//! The walk through a script, and what each statement and expression is held against.

use std::collections::HashSet;

use super::infer::Inference;
use super::known::{self, Known, Required};
use super::scope::{Local, Role, Scopes, Source, address};
use super::types::Type;
use super::{Around, Rule};
use crate::error::nearest;
use crate::host::documentation::{self, Kind as Documented};
use crate::host::effects::EFFECTS;
use crate::host::syntax::{Block, Expression, Function, Kind, Name, Statement};
use crate::host::{advice, loader, sandbox};

/// Classes whose objects never change: a method that gives one of them does nothing else.
const UNCHANGING: &[&str] = &[
    "Raster", "Stack", "Grid", "Geometry", "Features", "Items", "Table",
];

pub struct Checker<'a> {
    pub types: Inference<'a>,
    pub known: &'a Known,
    scopes: &'a Scopes<'a>,
    around: &'a Around,
    found: Vec<(usize, Rule, String)>,
    /// How many functions around here are meant to fail.
    expecting: usize,
    /// Whether a method of images is called on a stack, where a stack may be what an image is elsewhere.
    pub each: bool,
}

impl<'a> Checker<'a> {
    pub fn new(known: &'a Known, scopes: &'a Scopes<'a>, around: &'a Around) -> Self {
        Checker {
            types: Inference::new(known, scopes),
            known,
            scopes,
            around,
            found: Vec::new(),
            expecting: 0,
            each: false,
        }
    }

    pub fn run(mut self, block: &'a Block<'a>) -> Vec<(usize, Rule, String)> {
        self.comments(block);
        self.block(block);
        self.globals();
        self.locals();
        self.found
    }

    pub fn report(&mut self, start: usize, rule: Rule, message: String) {
        if self.expecting == 0 || !rule.raises() {
            self.found.push((start, rule, message));
        }
    }

    /// Ties the functions of the script to their comments, before types are asked for.
    fn comments(&self, block: &'a Block<'a>) {
        for statement in block {
            let (target, function) = match statement {
                Statement::Function(target, function) => (target, function),
                _ => continue,
            };
            let Kind::Field(of, name) = &target.kind else {
                continue;
            };
            let Kind::Name(owner) = of.kind else { continue };
            let names = [
                format!("{}.{}", self.known.module, name.text),
                format!("{owner}.{}", name.text),
                format!("{owner}:{}", name.text),
            ];
            if let Some(entry) = names.iter().find_map(|name| self.known.entry(name)) {
                self.types.comments.borrow_mut().insert(address(function), entry);
            }
        }
    }

    fn block(&mut self, block: &'a Block<'a>) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Statement<'a>) {
        match statement {
            Statement::Local { values, .. } => self.all(values),
            Statement::Assign { targets, values } => {
                self.all(values);
                for target in targets {
                    self.assigned(target);
                }
            }
            Statement::Call(call) => {
                self.expression(call);
                self.discarded(call);
            }
            Statement::Do(block) => self.block(block),
            Statement::While(condition, block) => {
                self.expression(condition);
                self.block(block);
            }
            Statement::Repeat(block, condition) => {
                self.block(block);
                self.expression(condition);
            }
            Statement::If(branches, other) => {
                for (condition, block) in branches {
                    self.expression(condition);
                    self.block(block);
                }
                other.iter().for_each(|block| self.block(block));
            }
            Statement::Count(_, values, body) | Statement::Each(_, values, body) => {
                self.all(values);
                self.block(body);
            }
            Statement::Function(target, function) => {
                self.assigned(target);
                self.function(function);
            }
            Statement::LocalFunction(_, function) => self.function(function),
            Statement::Return(values) => self.all(values),
            Statement::Jump => {}
        }
    }

    /// What is assigned to: only parameters have a fixed set of names.
    fn assigned(&mut self, target: &'a Expression<'a>) {
        match &target.kind {
            Kind::Name(_) => {}
            Kind::Field(of, name) => {
                self.expression(of);
                let owner = self.types.of(of);
                if matches!(owner, Type::Parameters(_)) {
                    self.field(&owner, *name, false);
                }
            }
            _ => self.expression(target),
        }
    }

    fn function(&mut self, function: &'a Function<'a>) {
        self.block(&function.body);
    }

    fn all(&mut self, all: &'a [Expression<'a>]) {
        all.iter().for_each(|e| self.expression(e));
    }

    fn expression(&mut self, e: &'a Expression<'a>) {
        match &e.kind {
            Kind::Field(of, name) => {
                self.expression(of);
                let owner = self.types.of(of);
                self.field(&owner, *name, false);
            }
            Kind::Call(of, given) => {
                self.expression(of);
                self.call(of, given);
                let expecting = self.expects(of);
                self.expecting += usize::from(expecting);
                self.all(given);
                self.expecting -= usize::from(expecting);
            }
            Kind::Method(of, name, given) => {
                self.expression(of);
                let owner = self.types.of(of);
                self.field(&owner, *name, true);
                self.method(&owner, *name, given);
                self.all(given);
            }
            Kind::Function(function) => self.function(function),
            _ => e.parts().into_iter().for_each(|part| self.expression(part)),
        }
    }

    fn expects(&self, of: &'a Expression<'a>) -> bool {
        match &of.kind {
            Kind::Name(name) => {
                self.scopes.local(of.start).is_none()
                    && self.around.expecting.iter().any(|known| known == name)
            }
            Kind::Field(of, name) => {
                name.text == "error" && matches!(self.types.of(of), Type::Module(module) if module == "check")
            }
            _ => false,
        }
    }

    /// Whether a value has this field, or this method.
    fn field(&mut self, owner: &Type, name: Name<'a>, called: bool) {
        let (shown, what) = match owner {
            Type::Module(module) | Type::Own(module, _) => (format!("`{module}`"), "function"),
            Type::Library(library) => {
                if let Some(reason) = sandbox::withheld(library, name.text) {
                    let message = format!("{library}.{} is not available: {reason}", name.text);
                    return self.report(name.start, Rule::UndefinedField, message);
                }
                (format!("`{library}`"), "function")
            }
            Type::Class(class) if self.known.is_open(class) => return,
            Type::Class(class) if called => (format!("a {class}"), "method"),
            Type::Class(class) => (format!("a {class}"), "field"),
            Type::Parameters(_) => ("`params`".to_string(), "parameter"),
            Type::Record(id) => (format!("`{}`", self.scopes.locals[*id].name.text), "field"),
            Type::Text if called => return self.field(&Type::Library("string".into()), name, false),
            _ => return,
        };
        let is_there = match owner {
            // What any key gives cannot be called.
            Type::Class(class) if called => {
                self.known.method(class, name.text).is_some()
                    || self
                        .known
                        .class(class)
                        .is_some_and(|entry| entry.fields.iter().any(|field| field.name == name.text))
            }
            owner => self.types.field(owner, name.text).is_some(),
        };
        if is_there {
            if let Type::Module(module) | Type::Own(module, _) = owner {
                self.deprecated(&format!("{module}.{}", name.text), name.start);
            }
            return;
        }
        let names = match owner {
            Type::Class(class) if called => self
                .known
                .methods(class)
                .into_iter()
                .map(str::to_string)
                .collect(),
            owner => self.types.names(owner),
        };
        let hint = nearest(name.text, names.iter().map(String::as_str));
        let hint = hint.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        let message = format!("{shown} has no {what} `{}`{hint}", name.text);
        self.report(name.start, Rule::UndefinedField, message);
    }

    pub fn deprecated(&mut self, name: &str, start: usize) {
        if let Some(instead) = self.known.entry(name).and_then(|entry| entry.deprecated.as_ref()) {
            let message = match instead.is_empty() {
                true => format!("{name} is deprecated"),
                false => format!("{name} is deprecated: {instead}"),
            };
            self.report(start, Rule::Deprecated, message);
        }
    }

    /// A statement that makes something new and lets go of it.
    fn discarded(&mut self, call: &'a Expression<'a>) {
        let Kind::Method(of, name, _) = &call.kind else {
            return;
        };
        let Type::Class(class) = self.types.of(of) else {
            return;
        };
        let Some(entry) = self.known.method(&class, name.text) else {
            return;
        };
        let makes = entry.returns.first().map_or("", |field| field.type_name.as_str());
        let acts = EFFECTS.iter().any(|(known, _)| *known == entry.name);
        if !acts && UNCHANGING.contains(&class.as_str()) && UNCHANGING.contains(&makes) {
            let message = format!(
                "{} gives a new {makes}, which is not kept; a {class} itself never changes",
                entry.name
            );
            self.report(name.start, Rule::DiscardReturns, message);
        }
    }

    fn call(&mut self, of: &'a Expression<'a>, given: &'a [Expression<'a>]) {
        if let (Kind::Name("require"), None) = (&of.kind, self.scopes.local(of.start))
            && let [name, ..] = given
            && let Some(text) = name.plain_text()
            && let Required::Absent = self.known.require(text)
        {
            let names = loader::module_names();
            let near = nearest(text, names.iter().map(String::as_str));
            let hint = near.map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
            let message = format!("no module \"{text}\", in the library or beside the script{hint}");
            return self.report(name.start, Rule::UnresolvedRequire, message);
        }
        if let Type::Documented(name) = self.types.of(of)
            && let Some(entry) = self.known.entry(&name)
        {
            self.arguments(entry, given, of.start);
        }
    }

    fn method(&mut self, owner: &Type, name: Name<'a>, given: &'a [Expression<'a>]) {
        if let Type::Class(class) = owner
            && let Some(entry) = self.known.method(class, name.text)
        {
            self.deprecated(&entry.name, name.start);
            self.each = class == "Stack" && entry.name.starts_with("Raster:");
            self.arguments(entry, given, name.start);
            self.each = false;
        }
    }

    fn globals(&mut self) {
        let there: HashSet<&str> = known::globals().keys().map(String::as_str).collect();
        let set: HashSet<&str> = self.scopes.set.iter().map(|name| name.text).collect();
        let around = self.around;
        let known = |name: &str| {
            there.contains(name)
                || around.globals.iter().any(|known| known == name)
                || documentation::find(name).is_some_and(documentation::Entry::is_global)
        };
        for name in &self.scopes.set {
            if !known(name.text) {
                let message = format!(
                    "`{}` is set without `local`, so that it is a variable of the whole program",
                    name.text
                );
                self.found.push((name.start, Rule::UndefinedGlobal, message));
            }
        }
        for name in &self.scopes.read {
            if known(name.text) || set.contains(name.text) {
                continue;
            }
            let modules = loader::module_names();
            let visible = self
                .scopes
                .locals
                .iter()
                .map(|local| local.name.text)
                .chain(there.iter().copied());
            let hint = if modules.iter().any(|module| module == name.text) {
                format!("; for the module write `local {0} = require \"{0}\"`", name.text)
            } else if let Some(advice) = advice::of_name(name.text) {
                format!("; {advice}")
            } else {
                nearest(name.text, visible).map_or(String::new(), |near| format!("; did you mean `{near}`?"))
            };
            self.found.push((
                name.start,
                Rule::UndefinedGlobal,
                format!("no variable `{}`{hint}", name.text),
            ));
        }
    }

    fn locals(&mut self) {
        for local in &self.scopes.locals {
            self.unused(local);
            self.hiding(local);
        }
    }

    fn unused(&mut self, local: &Local) {
        let used = |local: &Local| local.reads > 0 || local.closed;
        let needless = matches!(local.role, Role::Variable | Role::Function);
        // The places of values that are used have to be counted out.
        let held = local.behind.iter().any(|id| used(&self.scopes.locals[*id]));
        if !needless || used(local) || held || local.name.text.starts_with('_') {
            return;
        }
        let message = match (local.role, local.values.len()) {
            (Role::Function, _) => format!("the function `{}` is never used", local.name.text),
            (_, 1) => format!("`{}` is never used", local.name.text),
            _ => format!("`{}` is set and never read", local.name.text),
        };
        self.found.push((local.name.start, Rule::UnusedLocal, message));
    }

    /// Modules that can no longer be reached by their names.
    fn hiding(&mut self, local: &Local) {
        let Some(hidden) = local.hides.map(|id| &self.scopes.locals[id]) else {
            return;
        };
        let module = match hidden.values.as_slice() {
            [Source::Value(value, 0)] => match &value.kind {
                Kind::Call(of, given) if matches!(of.kind, Kind::Name("require")) => {
                    given.first().and_then(Expression::plain_text)
                }
                _ => None,
            },
            _ => None,
        };
        // The module again, under its name.
        let again = matches!(local.values.as_slice(), [Source::Value(Expression { kind: Kind::Call(of, _), .. }, _)] if matches!(of.kind, Kind::Name("require")));
        if let Some(module) = module.filter(|_| !again) {
            let message = format!("`{}` hides the module {module} from here on", local.name.text);
            self.found.push((local.name.start, Rule::RedefinedLocal, message));
        }
    }

    /// A class that is a table of named fields.
    pub fn table(&self, name: &str) -> Option<&'a documentation::Entry> {
        self.known
            .entry(name)
            .filter(|entry| entry.kind == Documented::Table)
    }
}
