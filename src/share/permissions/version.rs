//! Which versions of perilune a script runs with.

use std::cmp::Ordering;
use std::fmt;

use crate::error::{Error, Result};

/// Such as `>= 0.3` or `>= 0.3, < 1`. Parts that are left out are 0 for an order; `= 0.3` is every 0.3.x.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    text: String,
    bounds: Vec<(Sign, Vec<u64>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Requirement {
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Requirement> {
        let wrong = || {
            Error::argument(
                "needs.version",
                "a comparison such as \">= 0.3\" or \">= 0.3, < 1\"",
                format!("{text:?}"),
            )
        };
        let bound = |part: &str| {
            let part = part.trim();
            let (sign, rest) = [
                (">=", Sign::GreaterOrEqual),
                ("<=", Sign::LessOrEqual),
                ("==", Sign::Equal),
                (">", Sign::Greater),
                ("<", Sign::Less),
                ("=", Sign::Equal),
            ]
            .into_iter()
            .find_map(|(written, sign)| Some((sign, part.strip_prefix(written)?)))
            .unwrap_or((Sign::GreaterOrEqual, part));
            Some((sign, numbers(rest.trim())?))
        };
        let bounds: Option<Vec<_>> = text.split(',').map(bound).collect();
        match bounds {
            Some(bounds) => Ok(Requirement {
                text: text.trim().to_string(),
                bounds,
            }),
            None => Err(wrong()),
        }
    }

    /// Whether `version`, three numbers with dots, will do.
    pub fn admits(&self, version: &str) -> bool {
        let plain = version.split(['-', '+']).next().unwrap_or_default();
        let Some(version) = numbers(plain) else {
            return false;
        };
        self.bounds.iter().all(|(sign, bound)| {
            let order = compared(&version, bound);
            match sign {
                Sign::Equal => version.iter().zip(bound).all(|(a, b)| a == b),
                Sign::Less => order == Ordering::Less,
                Sign::LessOrEqual => order != Ordering::Greater,
                Sign::Greater => order == Ordering::Greater,
                Sign::GreaterOrEqual => order != Ordering::Less,
            }
        })
    }

    /// # Errors
    /// When this version of perilune will not do.
    pub fn check(&self) -> Result<()> {
        let here = env!("CARGO_PKG_VERSION");
        match self.admits(here) {
            true => Ok(()),
            false => Err(Error::message(format!(
                "the script needs perilune {}, and this is {here}; install a version that will do",
                self.text
            ))),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn numbers(text: &str) -> Option<Vec<u64>> {
    let parts: Option<Vec<u64>> = text.split('.').map(|part| part.parse().ok()).collect();
    parts.filter(|parts| parts.len() <= 3)
}

fn compared(a: &[u64], b: &[u64]) -> Ordering {
    let part = |of: &[u64], i: usize| of.get(i).copied().unwrap_or(0);
    (0..3)
        .map(|i| part(a, i).cmp(&part(b, i)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (requirement, version, admitted) in [
            (">= 0.3", "0.3.0", true),
            (">= 0.3", "0.10.0", true),
            (">= 0.3", "0.2.9", false),
            ("0.3", "0.4.0", true),
            (">= 0.3, < 1", "1.0.0", false),
            (">= 0.3, < 1", "0.9.9", true),
            ("= 0.3", "0.3.7", true),
            ("= 0.3.1", "0.3.7", false),
            ("<= 0.3", "0.3.1", false),
            ("> 0.3", "0.3.1", true),
            (">=1", "1.0.0-beta.1", true),
        ] {
            let requirement = Requirement::parse(requirement).unwrap();
            assert_eq!(requirement.admits(version), admitted, "{requirement} {version}");
        }
        for wrong in ["", ">=", ">= x", "1.2.3.4", ">= 1,, < 2", "^ 1"] {
            assert!(Requirement::parse(wrong).is_err(), "{wrong}");
        }
    }
}
