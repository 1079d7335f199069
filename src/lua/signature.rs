//! What a native function is called and which arguments it takes, as its registration states them.

use crate::error::{Error, Result};

/// Parsed from `name(first, second?, ...)`: a `?` marks what may be left out, `...` takes any number more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name that errors start with: `filter.refined_lee`, `Raster:clamp`.
    pub full: String,
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub variadic: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub optional: bool,
}

impl Signature {
    /// `owner` with its separator: `filter.` or `Raster:`.
    ///
    /// # Panics
    /// On malformed text, which is a mistake of the binding and not of a user.
    pub fn parse(owner: &str, text: &str) -> Self {
        let (name, rest) = text
            .split_once('(')
            .unwrap_or_else(|| panic!("`{text}` is not `name(parameters)`"));
        let inside = rest
            .strip_suffix(')')
            .unwrap_or_else(|| panic!("`{text}` does not end with `)`"));
        let mut signature = Signature {
            full: format!("{owner}{name}"),
            name: name.to_string(),
            parameters: Vec::new(),
            variadic: false,
        };
        for part in inside.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.strip_suffix('?') {
                _ if part == "..." => signature.variadic = true,
                Some(name) => signature.parameters.push(Parameter {
                    name: name.to_string(),
                    optional: true,
                }),
                None => signature.parameters.push(Parameter {
                    name: part.to_string(),
                    optional: false,
                }),
            }
        }
        signature
    }

    /// # Errors
    /// When `given` arguments are more than it takes.
    pub fn check_count(&self, given: usize) -> Result<()> {
        if self.variadic || given <= self.parameters.len() {
            return Ok(());
        }
        let most = match self.parameters.len() {
            0 => "no arguments".to_string(),
            1 => "one argument".to_string(),
            n => format!("at most {n} arguments"),
        };
        Err(Error::message(format!("takes {most}, got {given}: {self}")))
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|p| p.name == name)
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts: Vec<String> = self
            .parameters
            .iter()
            .map(|p| format!("{}{}", p.name, if p.optional { "?" } else { "" }))
            .collect();
        if self.variadic {
            parts.push("...".to_string());
        }
        write!(f, "{}({})", self.full, parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for text in ["f()", "f(a)", "f(a, b?)", "f(a, ...)"] {
            assert_eq!(Signature::parse("m.", text).to_string(), format!("m.{text}"));
        }
    }

    #[test]
    fn counts_arguments() {
        assert!(Signature::parse("m.", "f(a, b?)").check_count(2).is_ok());
        let error = Signature::parse("m.", "f(a, b?)").check_count(3).unwrap_err();
        assert_eq!(error.to_string(), "takes at most 2 arguments, got 3: m.f(a, b?)");
        assert!(Signature::parse("m.", "f(...)").check_count(9).is_ok());
    }
}
