//! What a script gets wrong, told from its text: fields and options that are not there, values of the wrong type, names that are unknown or
//! never used. What is known of functions is what help shows, the comments of the library and of the script's own modules; where a type
//! cannot be told, nothing is said.
//!
//! Rules have the names of lua-language-server's where it has the same, and are silenced by the same comments, so that a script says it once.

mod calls;
mod check;
mod infer;
mod known;
mod scope;
mod silence;
mod types;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlua::Lua;
use mlua::chunk::ChunkMode;

use super::{advice, syntax};
use crate::share::project::Libraries;
use check::Checker;
use known::Known;
use scope::Scopes;

/// A rule's name, and what it finds.
pub const RULES: &[(Rule, &str, &str)] = &[
    (Rule::Syntax, "syntax", "text that is no Lua"),
    (
        Rule::UndefinedField,
        "undefined-field",
        "a field or method that a module, an object, `params` or a table of the script has not",
    ),
    (
        Rule::UndefinedGlobal,
        "undefined-global",
        "a variable that nothing sets, and one that is set without `local`",
    ),
    (
        Rule::UnresolvedRequire,
        "unresolved-require",
        "a module that is neither in the library nor beside the script",
    ),
    (
        Rule::UnknownOption,
        "unknown-option",
        "an option that a function has not",
    ),
    (
        Rule::MissingFields,
        "missing-fields",
        "an option that has to be given and is not",
    ),
    (
        Rule::ParamTypeMismatch,
        "param-type-mismatch",
        "an argument or option of the wrong type, beyond its limits or none of its choices",
    ),
    (
        Rule::MissingParameter,
        "missing-parameter",
        "an argument that has to be given and is not",
    ),
    (
        Rule::RedundantParameter,
        "redundant-parameter",
        "more arguments than a function takes",
    ),
    (
        Rule::UnusedLocal,
        "unused-local",
        "a variable or function that is never used; `_` at the start of its name says that it need not be",
    ),
    (
        Rule::RedefinedLocal,
        "redefined-local",
        "a variable that hides a module of the script",
    ),
    (
        Rule::DiscardReturns,
        "discard-returns",
        "a new image, table or shape that is made and not kept",
    ),
    (
        Rule::Deprecated,
        "deprecated",
        "a function whose comment says `@deprecated`",
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    Syntax,
    UndefinedField,
    UndefinedGlobal,
    UnresolvedRequire,
    UnknownOption,
    MissingFields,
    ParamTypeMismatch,
    MissingParameter,
    RedundantParameter,
    UnusedLocal,
    RedefinedLocal,
    DiscardReturns,
    Deprecated,
}

impl Rule {
    pub fn name(self) -> &'static str {
        let found = RULES.iter().find(|(rule, ..)| *rule == self);
        found.map_or("", |(_, name, _)| name)
    }

    /// Whether the script would stop there with an error.
    fn raises(self) -> bool {
        !matches!(
            self,
            Rule::UnusedLocal | Rule::RedefinedLocal | Rule::Deprecated | Rule::Syntax
        )
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// What lies around a script.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// Where `require` looks for the script's own modules.
    pub folders: Vec<PathBuf>,
    /// Those of the project that the script is in.
    pub libraries: Option<Arc<Libraries>>,
    /// The module that the script is, for its own comments: the name of its file.
    pub module: String,
    /// Global variables beside those that every script has.
    pub globals: Vec<String>,
    /// Global functions that take a function which is meant to fail.
    pub expecting: Vec<String>,
}

impl Around {
    /// Of a file: modules lie in its folder and in the working folder. One in a folder `tests` has what `perilune test` gives it.
    pub fn of(path: &Path) -> Around {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let whole = path.canonicalize().unwrap_or_default();
        let is_test = whole
            .parent()
            .is_some_and(|folder| folder.iter().any(|name| name == "tests"));
        let of_tests: &[&str] = if is_test {
            &["test", "folder", "fixture"]
        } else {
            &[]
        };
        Around {
            globals: of_tests.iter().map(|name| name.to_string()).collect(),
            folders: vec![folder, PathBuf::from(".")],
            module: path
                .file_stem()
                .map_or(String::new(), |stem| stem.to_string_lossy().into_owned()),
            ..Around::default()
        }
    }
}

/// What is found in a text, in its order.
pub fn lint(text: &str, around: &Around) -> Vec<Finding> {
    // Asked for here, where the settings of this thread are.
    known::globals();
    syntax::with_room(|| look(text, around))
}

fn look(text: &str, around: &Around) -> Vec<Finding> {
    if let Some(finding) = syntax_error(text) {
        return vec![finding];
    }
    let block = match syntax::parse(text) {
        Ok(block) => block,
        Err(error) => return vec![unread(&error.to_string())],
    };
    let known = Known::of(text, around);
    let scopes = Scopes::of(&block);
    let mut findings: Vec<Finding> = Checker::new(&known, &scopes, around)
        .run(&block)
        .into_iter()
        .map(|(start, rule, message)| {
            let (line, column) = syntax::place(text, start);
            Finding {
                rule,
                line,
                column,
                message,
            }
        })
        .collect();
    let silenced = silence::of(text);
    findings.retain(|finding| !silenced.covers(finding));
    // Stubs name what they describe, and use none of it.
    let describes = text.starts_with("---@meta");
    findings.retain(|finding| !(describes && finding.rule == Rule::UnusedLocal));
    findings.sort_by_key(|finding| (finding.line, finding.column, finding.rule));
    findings.dedup();
    findings
}

/// What Lua itself says of a text that is none.
pub fn syntax_error(text: &str) -> Option<Finding> {
    let lua = Lua::new();
    let refused = lua
        .load(text)
        .set_name("=text")
        .set_mode(ChunkMode::Text)
        .into_function()
        .err()?;
    Some(unread(&refused.to_string()))
}

fn unread(message: &str) -> Finding {
    let first = message.lines().next().unwrap_or("");
    let message = first
        .trim_start_matches("syntax error: ")
        .trim_start_matches("text:");
    let (line, said) = message
        .trim_start_matches("line ")
        .split_once(':')
        .and_then(|(line, said)| Some((line.parse().ok()?, said.trim())))
        .unwrap_or((1, message));
    Finding {
        rule: Rule::Syntax,
        line,
        column: 1,
        message: said.to_string(),
    }
}

/// The message with what to write instead, where the line is of another language.
pub fn advised(finding: &Finding, text: &str) -> String {
    let line = text.lines().nth(finding.line.saturating_sub(1)).unwrap_or("");
    match (finding.rule == Rule::Syntax)
        .then(|| advice::of_syntax(line))
        .flatten()
    {
        Some(advice) => format!("{}; {advice}", finding.message),
        None => finding.message.clone(),
    }
}

#[cfg(test)]
mod tests;
