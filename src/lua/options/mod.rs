//! Tables of options, declared once: their fields with type, default, domain and text. What reads and checks them, the help, the
//! completion and the lines in stdlib/_meta are made from the declaration.

mod spec;

pub use super::value_type::ValueType;
pub use spec::{Spec, plain};

use super::args::{Args, Options};
use crate::error::{Domain, Result};
use crate::lua::value::FromScript;

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

/// A table of options without its type, for the registry of names.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    pub name: &'static str,
    pub bases: fn() -> Vec<Declared>,
    pub specs: fn() -> Vec<Spec>,
}

impl Declared {
    pub fn of<O: OptionTable>() -> Declared {
        Declared {
            name: O::NAME,
            bases: O::bases,
            specs: O::specs,
        }
    }

    /// Whether a call cannot leave the table out.
    pub fn required(&self) -> bool {
        (self.specs)().iter().any(|spec| spec.required) || (self.bases)().iter().any(Declared::required)
    }

    /// Its block in stdlib/_meta: the line of the class and one for each field.
    pub fn stub(&self) -> String {
        let bases: Vec<&str> = (self.bases)().iter().map(|base| base.name).collect();
        let mut text = format!("---@class {}", self.name);
        if !bases.is_empty() {
            text.push_str(&format!(": {}", bases.join(", ")));
        }
        text.push('\n');
        for spec in (self.specs)() {
            text.push_str(&spec.stub());
            text.push('\n');
        }
        text
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
            (false, _) => spec::read(&value, &self.label(name), domain),
        }
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
        $visible struct $table {
            $(pub $base: $base_type,)*
            $($(#[doc = $help])+ pub $field: $type,)*
        }

        impl $crate::lua::options::OptionTable for $table {
            const NAME: &'static str = $name;

            fn bases() -> Vec<$crate::lua::options::Declared> {
                vec![$($crate::lua::options::Declared::of::<$base_type>()),*]
            }

            fn specs() -> Vec<$crate::lua::options::Spec> {
                vec![$($crate::lua::options::Spec::of::<$type>(
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
