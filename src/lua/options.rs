//! Tables of options, declared once: their fields with type, default, domain and text. What reads and checks them, the help, the
//! completion and the lines in stdlib/_meta are made from the declaration.

use mlua::Value;
use serde_json::Value as Json;

use super::args::{Args, Options};
use super::spec::{Declared, Spec, ValueType};
use super::value::{FromScript, describe};
use crate::error::{Domain, Error, Result};

/// A Rust struct that is a table of named options in a script. `options!` makes one.
pub trait OptionTable: Sized {
    /// What the documentation calls it: `filter.LooksOptions`.
    const NAME: &'static str;

    /// The tables whose fields it has too.
    fn bases() -> Vec<Declared>;

    /// Its own fields.
    fn specs() -> Vec<Spec>;

    /// # Errors
    /// When a value is missing, of another type or beyond its domain.
    fn read(options: &Options) -> Result<Self>;
}

/// The declaration of a type, for the registry of names.
pub fn declared<O: OptionTable>() -> Declared {
    Declared {
        name: O::NAME,
        bases: O::bases,
        specs: O::specs,
    }
}

/// What a field of a table of options declares; `default` is nothing where it has none.
pub fn spec<T: FromScript>(name: &str, help: &str, default: Option<T>, domain: Domain) -> Spec {
    Spec {
        required: default.is_none() && !T::OPTIONAL,
        default: default.map_or(Json::Null, |value| value.literal()),
        domain,
        help: help.split_whitespace().collect::<Vec<_>>().join(" "),
        ..Spec::new(name.strip_prefix("r#").unwrap_or(name), T::kind())
    }
}

/// A table of options inside another, as a field: `records: Vec<Nested<Record>>`.
pub struct Nested<O>(pub O);

impl<O: OptionTable> FromScript for Nested<O> {
    fn expected() -> String {
        "a table of named options, such as { name = value }".into()
    }
    fn kind() -> ValueType {
        ValueType::Table(declared::<O>())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        match value {
            Value::Table(_) => Options::read(value, name, O::read).map(Nested),
            other => Err(Error::argument(name, Self::expected(), describe(other))),
        }
    }
}

impl Args {
    /// The trailing table `options` as what it was declared to be.
    ///
    /// # Errors
    /// When one of them is missing, of another type, beyond its domain or unknown.
    pub fn table<O: OptionTable>(&self) -> Result<O> {
        // What is missing altogether comes first: who forgot the image does not want to hear of its window.
        self.check_given()?;
        self.options(O::read)
    }
}

impl Options {
    /// The field `name` as it was declared.
    ///
    /// # Errors
    /// When it is missing without a default, of another type or beyond its domain.
    pub fn field<T: FromScript>(&self, name: &str, default: Option<T>, domain: &Domain) -> Result<T> {
        let name = name.strip_prefix("r#").unwrap_or(name);
        let value = self.raw(name)?;
        match (value.is_nil(), default) {
            (true, Some(default)) => Ok(default),
            (true, None) if !T::OPTIONAL => Err(self.missing(
                name,
                &match domain.any() {
                    true => T::expected(),
                    false => domain.expected(&T::kind().lua_type()),
                },
            )),
            (true, None) => T::from_script(&value, name),
            (false, _) => read(&value, &self.label(name), domain),
        }
    }
}

/// Reads one field of a table of options from what a script gave.
///
/// # Errors
/// When the value is of another type, or beyond the domain.
fn read<T: FromScript>(value: &Value, label: &str, domain: &Domain) -> Result<T> {
    let kind = T::kind();
    let noun = if kind.lua_type().starts_with("integer") {
        "integer"
    } else {
        "number"
    };
    if !matches!(kind, ValueType::Integer | ValueType::Number) {
        limited(value, label, domain, noun)?;
        return T::from_script(value, label);
    }
    let admitted = |value: &Value| f64::accept(value).is_none_or(|number| domain.admit(number));
    match T::accept(value).filter(|_| admitted(value)) {
        Some(found) => Ok(found),
        None if domain.any() => Err(Error::argument(label, T::expected(), describe(value))),
        None => Err(Error::argument(label, domain.expected(noun), describe(value))),
    }
}

/// The numbers of a value that may be one or several of them.
fn limited(value: &Value, label: &str, domain: &Domain, noun: &str) -> Result<()> {
    let wrong =
        |label: &str, value: &Value| Err(Error::argument(label, domain.expected(noun), describe(value)));
    let beyond = |value: &Value| match value {
        Value::Integer(_) | Value::Number(_) => {
            f64::accept(value).is_some_and(|number| !domain.admit(number))
        }
        _ => false,
    };
    if domain.any() {
        return Ok(());
    }
    if let Value::Table(list) = value {
        for i in 1..=list.raw_len() {
            let entry: Value = list.raw_get(i)?;
            if beyond(&entry) {
                return wrong(&format!("{label}[{i}]"), &entry);
            }
        }
    }
    match beyond(value) {
        true => wrong(label, value),
        false => Ok(()),
    }
}

/// Declares a table of options. A field is its help as a doc comment, its name and its type, then its default behind `=` and its
/// domain behind `;` where it has them; `Option<T>` is what may be left out. `..base: Base` has the fields of another table, too.
///
/// ```text
/// options! {
///     pub struct Sigma("filter.LeeSigmaOptions") {
///         ..window: Window,
///         /// The share of speckle that the range holds.
///         sigma: f64 = 0.9; Domain::within(0.1, 0.99),
///     }
/// }
/// ```
#[macro_export]
macro_rules! options {
    (
        $(#[doc = $about:literal])*
        $visible:vis struct $table:ident($name:literal) {
            $(..$base:ident: $base_type:ty,)*
            $($(#[doc = $help:literal])+ $field:ident: $type:ty $(= $default:expr)? $(; $domain:expr)?,)*
        }
    ) => {
        $(#[doc = $about])*
        // Some archives' own names are in camel case.
        #[allow(non_snake_case)]
        $visible struct $table {
            $(pub $base: $base_type,)*
            $($(#[doc = $help])+ pub $field: $type,)*
        }

        impl $crate::lua::options::OptionTable for $table {
            const NAME: &'static str = $name;

            fn bases() -> Vec<$crate::lua::spec::Declared> {
                vec![$($crate::lua::options::declared::<$base_type>()),*]
            }

            fn specs() -> Vec<$crate::lua::spec::Spec> {
                vec![$($crate::lua::options::spec::<$type>(
                    stringify!($field),
                    concat!($($help, "\n"),+),
                    $crate::options!(@default $type $(, $default)?),
                    $crate::options!(@domain $($domain)?),
                )),*]
            }

            fn read(options: &$crate::lua::args::Options) -> $crate::error::Result<Self> {
                Ok($table {
                    $($base: <$base_type as $crate::lua::options::OptionTable>::read(options)?,)*
                    $($field: options.field(
                        stringify!($field),
                        $crate::options!(@default $type $(, $default)?),
                        &$crate::options!(@domain $($domain)?),
                    )?,)*
                })
            }
        }
    };
    (@default $type:ty) => { None::<$type> };
    (@default $type:ty, $default:expr) => { Some::<$type>($default) };
    (@domain) => { $crate::error::Domain::ANY };
    (@domain $domain:expr) => { $domain };
}

#[cfg(test)]
mod tests {
    use mlua::Lua;

    use super::*;

    options! {
        struct Leaf("test.Leaf") {
            /// What it is called.
            name: String,
            /// How many.
            count: usize = 1,
        }
    }

    options! {
        struct Branch("test.Branch") {
            /// Those on it.
            leaves: Vec<Nested<Leaf>> = Vec::new(),
            /// The one at its end.
            last: Option<Nested<Leaf>>,
            /// How old.
            age: f64 = 1.0,
        }
    }

    options! {
        struct Tree("test.Tree") {
            /// One of it.
            branch: Option<Nested<Branch>>,
        }
    }

    /// The name that was meant, whether it may be left out or not, and however deep the table lies.
    #[test]
    fn a_mistyped_name_in_a_table_inside_says_which_was_meant() {
        let lua = Lua::new();
        let asked = |code: &str| {
            let given: Value = lua.load(code).eval().unwrap();
            Options::read(&given, "options", Tree::read)
        };
        let tree = asked(
            "{ branch = { leaves = { { name = 'a' }, { name = 'b', count = 3 } }, last = { name = 'c' }, age = 2 } }",
        );
        let Nested(branch) = tree.unwrap().branch.unwrap();
        assert!(branch.leaves.len() == 2 && branch.leaves[1].0.count == 3 && branch.leaves[0].0.name == "a");
        assert!(branch.last.is_some_and(|Nested(leaf)| leaf.count == 1) && branch.age == 2.0);
        for (wrong, said) in [
            ("{ brnch = {} }", "unknown option `brnch`; did you mean `branch`?"),
            (
                "{ branch = { lst = {} } }",
                "unknown option `branch.lst`; did you mean `branch.last`? The options are: branch.leaves, branch.last, branch.age",
            ),
            (
                "{ branch = { leaves = { { name = 'a' }, { nam = 'b' } } } }",
                "unknown option `branch.leaves[2].nam`; did you mean `branch.leaves[2].name`?",
            ),
            (
                "{ branch = { last = { name = 'a', cont = 2 } } }",
                "unknown option `branch.last.cont`; did you mean `branch.last.count`?",
            ),
            // Nothing is near: what all names begin with counts for nothing.
            (
                "{ branch = { wood = 1 } }",
                "unknown option `branch.wood`; the options are: branch.leaves, branch.last, branch.age",
            ),
            (
                "{ branch = { last = {} } }",
                "the option branch.last.name is missing: it must be a string",
            ),
        ] {
            let error = asked(wrong).err().unwrap().to_string();
            assert!(error.starts_with(said), "{wrong}: {error}");
        }
    }
}
