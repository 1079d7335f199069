//! Classes by the codes that a raster gives them.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// Classes, counted from 0. Several codes may be one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    names: Vec<String>,
    codes: BTreeMap<i64, usize>,
}

impl Classes {
    /// The most that a label of eight bits can tell apart beside the one for "none".
    pub const MOST: usize = 255;

    /// Names by code. Codes of one name are one class; classes are in the order of their least codes.
    ///
    /// # Errors
    /// No class; more than `MOST`.
    pub fn new(named: impl IntoIterator<Item = (i64, String)>) -> Result<Classes> {
        let named: BTreeMap<i64, String> = named.into_iter().collect();
        let mut names: Vec<String> = Vec::new();
        let mut codes = BTreeMap::new();
        for (code, name) in named {
            let index = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            codes.insert(code, index);
        }
        match names.len() {
            1..=Classes::MOST => Ok(Classes { names, codes }),
            n => Err(Error::argument(
                "classes",
                format!(
                    "names by code, of 1 to {} classes, such as {{ [0] = \"land\", [1] = \"water\" }}",
                    Classes::MOST
                ),
                format!("{n} classes"),
            )),
        }
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn codes(&self) -> impl Iterator<Item = (i64, usize)> + '_ {
        self.codes.iter().map(|(code, class)| (*code, *class))
    }

    /// The class of a code.
    pub fn of(&self, code: i64) -> Option<usize> {
        self.codes.get(&code).copied()
    }
}

/// The code that a pixel of a class raster holds, which is not masked.
///
/// # Errors
/// A value that is no whole number, with what holds it.
pub fn code_of(value: f64, what: &str) -> Result<i64> {
    // Beyond these, floats leave whole numbers out.
    let exact = (1u64 << 53) as f64;
    if value.fract() == 0.0 && value.abs() <= exact {
        return Ok(value as i64);
    }
    Err(Error::message(format!(
        "{what} must hold classes, which are whole numbers, and holds {value}; round it, or compare it with a threshold first"
    )))
}
