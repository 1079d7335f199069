//! The arguments and the options of one call of a native.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Table, Value};

use super::signature::Signature;
use super::value::{FromScript, describe};
use crate::error::{Error, Result, nearest};

/// The positional arguments of a call, asked for by the names that the registration gave them.
pub struct Args {
    pub signature: Rc<Signature>,
    values: Vec<Value>,
}

impl Args {
    /// # Errors
    /// When there are more values than the signature takes.
    pub fn new(signature: Rc<Signature>, mut values: Vec<Value>) -> Result<Self> {
        while !signature.variadic && matches!(values.last(), Some(Value::Nil)) {
            values.pop();
        }
        signature.check_count(values.len())?;
        Ok(Args { signature, values })
    }

    /// The argument `name`, as the type that the caller wants: `let path: String = args.get("path")?`.
    /// `Option<T>` gives `None` for what was left out.
    ///
    /// # Errors
    /// When it is of another type, or was left out and is not optional.
    ///
    /// # Panics
    /// When the registered signature has no such parameter, which is a mistake of the binding.
    pub fn get<T: FromScript>(&self, name: &str) -> Result<T> {
        let position = self.index(name);
        match self.values.get(position) {
            Some(value) => T::from_script(value, name),
            None => T::accept(&Value::Nil).ok_or_else(|| self.missing::<T>(name)),
        }
    }

    /// As `get`, with a condition that the value has to meet: `args.checked("order", "1, 2 or 3", |n| (1..=3).contains(n))`.
    ///
    /// # Errors
    /// As `get`; when the condition does not hold.
    pub fn checked<T: FromScript>(
        &self,
        name: &str,
        expected: &str,
        condition: impl Fn(&T) -> bool,
    ) -> Result<T> {
        let value: Value = self.values.get(self.index(name)).cloned().unwrap_or(Value::Nil);
        check(&value, name, expected, condition)
    }

    /// A string that is one of `choices`; `None` if it was left out.
    ///
    /// # Errors
    /// Anything else, with the nearest choice.
    pub fn choice(&self, name: &str, choices: &[&'static str]) -> Result<Option<&'static str>> {
        let value = self.values.get(self.index(name)).unwrap_or(&Value::Nil);
        choice(value, name, choices)
    }

    /// # Errors
    /// When a parameter before the options that cannot be left out was.
    pub(super) fn check_given(&self) -> Result<()> {
        let positions = self.signature.parameters.iter().enumerate();
        let mut needed = positions.filter(|(_, p)| !p.optional && p.name != "options");
        match needed.find(|(at, _)| self.values.get(*at).is_none_or(Value::is_nil)) {
            Some((_, parameter)) => Err(Error::message(format!(
                "{} is missing; call it as {}",
                parameter.name, self.signature
            ))),
            None => Ok(()),
        }
    }

    /// What follows the named parameters, where the signature ends with `...`.
    pub fn rest(&self) -> &[Value] {
        self.values.get(self.signature.parameters.len()..).unwrap_or(&[])
    }

    /// All values as they came.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Reads the trailing table `options`, which may be left out. Every name that `read` does not ask for is an
    /// error that suggests one that it did, so `read` has to ask for all of them, whatever their values.
    ///
    /// # Errors
    /// What is no table of names; those of `read`; names that it does not ask for.
    pub(super) fn options<R>(&self, read: impl FnOnce(&Options) -> Result<R>) -> Result<R> {
        let value = self.values.get(self.index("options")).unwrap_or(&Value::Nil);
        Options::read(value, "options", read)
    }

    fn index(&self, name: &str) -> usize {
        self.signature
            .position(name)
            .unwrap_or_else(|| panic!("{} has no parameter `{name}`", self.signature))
    }

    fn missing<T: FromScript>(&self, name: &str) -> Error {
        Error::message(format!(
            "{name} is missing: it must be {}; call it as {}",
            T::expected(),
            self.signature
        ))
    }
}

/// A table of named options. Only `Options::read` makes one, and it rejects unknown names.
pub struct Options {
    /// What errors call the table.
    prefix: String,
    table: Option<Table>,
    asked: RefCell<Vec<String>>,
}

impl Options {
    /// Runs `read` over `value` (a table or nil), then rejects names that it did not ask for.
    ///
    /// # Errors
    /// What is no table of names; those of `read`; names that it does not ask for.
    pub fn read<R>(value: &Value, name: &str, read: impl FnOnce(&Options) -> Result<R>) -> Result<R> {
        let table = match value {
            Value::Nil => None,
            Value::Table(table) if table.raw_len() == 0 => Some(table.clone()),
            other => {
                return Err(Error::argument(
                    name,
                    "a table of named options, such as { name = value }",
                    describe(other),
                ));
            }
        };
        let options = Options {
            prefix: if name == "options" {
                String::new()
            } else {
                format!("{name}.")
            },
            table,
            asked: RefCell::default(),
        };
        let result = read(&options)?;
        options.reject_unknown()?;
        Ok(result)
    }

    /// `None` where the option was left out.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn get<T: FromScript>(&self, name: &str) -> Result<Option<T>> {
        Option::<T>::from_script(&self.raw(name)?, &self.label(name))
    }

    /// # Errors
    /// When it is of another type.
    pub fn get_or<T: FromScript>(&self, name: &str, default: T) -> Result<T> {
        Ok(self.get(name)?.unwrap_or(default))
    }

    /// A string that is one of `choices`.
    ///
    /// # Errors
    /// Anything else, with the nearest choice.
    pub fn choice(&self, name: &str, choices: &[&'static str]) -> Result<Option<&'static str>> {
        choice(&self.raw(name)?, &self.label(name), choices)
    }

    /// The value as it came; `Nil` where it was left out.
    ///
    /// # Errors
    /// What a metamethod of the table raises.
    pub fn raw(&self, name: &str) -> Result<Value> {
        if !self.asked.borrow().iter().any(|known| known == name) {
            self.asked.borrow_mut().push(name.to_string());
        }
        match &self.table {
            Some(table) => Ok(table.get(name)?),
            None => Ok(Value::Nil),
        }
    }

    pub fn label(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn given(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        if let Some(table) = &self.table {
            for pair in table.pairs::<Value, Value>() {
                names.push(match pair?.0 {
                    Value::String(s) => s.to_string_lossy(),
                    other => describe(&other),
                });
            }
        }
        names.sort();
        Ok(names)
    }

    pub fn missing(&self, name: &str, expected: &str) -> Error {
        let label = self.label(name);
        let asked = self.asked.borrow();
        let given = self.given().unwrap_or_default();
        let strangers = given
            .iter()
            .map(String::as_str)
            .filter(|g| !asked.iter().any(|a| a == g));
        match nearest(name, strangers) {
            Some(typo) => Error::UnknownOption {
                within: self.prefix.clone(),
                name: typo.to_string(),
                candidates: vec![name.to_string()],
            },
            None => Error::message(format!("the option {label} is missing: it must be {expected}")),
        }
    }

    fn reject_unknown(&self) -> Result<()> {
        let asked = self.asked.borrow();
        match self.given()?.into_iter().find(|name| !asked.contains(name)) {
            Some(name) => Err(Error::UnknownOption {
                within: self.prefix.clone(),
                name,
                candidates: asked.clone(),
            }),
            None => Ok(()),
        }
    }
}

fn check<T: FromScript>(
    value: &Value,
    name: &str,
    expected: &str,
    condition: impl Fn(&T) -> bool,
) -> Result<T> {
    T::accept(value)
        .filter(|v| condition(v))
        .ok_or_else(|| Error::argument(name, expected, describe(value)))
}

fn choice(value: &Value, name: &str, choices: &[&'static str]) -> Result<Option<&'static str>> {
    if value.is_nil() {
        return Ok(None);
    }
    let text = String::accept(value);
    if let Some(found) = choices.iter().find(|c| Some(**c) == text.as_deref()) {
        return Ok(Some(found));
    }
    let quoted: Vec<String> = choices.iter().map(|c| format!("{c:?}")).collect();
    let near = text.as_deref().and_then(|t| nearest(t, choices.iter().copied()));
    let mut got = describe(value);
    if let Some(near) = near {
        got.push_str(&format!("; did you mean {near:?}?"));
    }
    Err(Error::argument(name, quoted.join(" or "), got))
}
