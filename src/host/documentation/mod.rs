//! The one source of the interface's text: the comments of stdlib/_meta/*.lua and stdlib/*.lua, parsed for the
//! prompt, `perilune doc`, completion and the pages in docs/api.

pub mod declared;
mod markdown;
mod parse;
mod text;

use std::sync::OnceLock;

pub use markdown::pages;
pub use parse::parse;

use super::loader;
use crate::error::{Error, Result, nearest};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Module,
    Class,
    /// A class that only describes a table, such as `filter.LeeOptions`.
    Table,
    Alias,
    Function,
    Method,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `filter`, `Raster`, `filter.lee`, `Raster:write`, `filter.LeeOptions`.
    pub name: String,
    pub kind: Kind,
    pub module: String,
    /// The first sentence or line.
    pub summary: String,
    /// Everything before the tags, in Markdown, summary included, examples left out.
    pub body: String,
    pub examples: Vec<Example>,
    pub parameters: Vec<Field>,
    pub returns: Vec<Field>,
    /// Of modules, classes and tables.
    pub fields: Vec<Field>,
    /// Of classes: `add(Raster|number): Raster`. Of aliases: the type.
    pub operators: Vec<String>,
    /// Of tables: those whose fields it has too.
    pub parents: Vec<String>,
    /// What `@deprecated` says to use instead; empty where it says nothing.
    pub deprecated: Option<String>,
    pub line: usize,
}

/// A code block that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub code: String,
    /// Line of the file where the code starts.
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    pub name: String,
    pub optional: bool,
    pub type_name: String,
    pub text: String,
}

impl Entry {
    /// `filter.lee(raster, options?)`.
    pub fn signature(&self) -> String {
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|p| format!("{}{}", p.name, if p.optional { "?" } else { "" }))
            .collect();
        match self.kind {
            Kind::Function | Kind::Method => format!("{}({})", self.name, parameters.join(", ")),
            _ => self.name.clone(),
        }
    }

    /// Of an alias: what it stands for, without what is said of it.
    pub fn stands_for(&self) -> &str {
        self.operators
            .first()
            .map_or("", |written| parse::split_type(written).0)
    }

    /// A function outside all modules: `params`.
    pub fn is_global(&self) -> bool {
        self.kind == Kind::Function && self.name == self.module
    }

    /// The last part of the name: `lee`, `write`.
    pub fn short_name(&self) -> &str {
        self.name.rsplit(['.', ':']).next().unwrap_or(&self.name)
    }
}

/// Everything that is documented, parsed once.
pub fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let files = files().into_iter();
        inherited(files.flat_map(|f| parse(&f.module, &f.text)).collect())
    })
}

/// What the text of a file documents, before everything else that is documented.
pub fn with_others(module: &str, text: &str) -> Vec<Entry> {
    let own = parse(module, text);
    let others: Vec<Entry> = entries()
        .iter()
        .filter(|e| own.iter().all(|o| o.name != e.name))
        .cloned()
        .collect();
    inherited(own.into_iter().chain(others).collect())
}

/// The entries with the fields of their parents behind their own.
fn inherited(mut entries: Vec<Entry>) -> Vec<Entry> {
    for i in 0..entries.len() {
        let mut waiting: Vec<String> = entries[i].parents.iter().rev().cloned().collect();
        let mut seen = waiting.clone();
        while let Some(name) = waiting.pop() {
            let Some(parent) = entries.iter().find(|e| e.name == name) else {
                continue;
            };
            let (fields, parents) = (parent.fields.clone(), parent.parents.clone());
            for parent in parents
                .into_iter()
                .rev()
                .filter(|p| !seen.contains(p))
                .collect::<Vec<_>>()
            {
                seen.push(parent.clone());
                waiting.push(parent);
            }
            for field in fields {
                if !entries[i].fields.iter().any(|f| f.name == field.name) {
                    entries[i].fields.push(field);
                }
            }
        }
    }
    entries
}

/// The table of named fields that a type speaks of: `filter.LeeOptions?`, `table<string, any|params.Parameter>`.
pub fn table_in<'a>(all: &'a [Entry], type_name: &str) -> Option<&'a Entry> {
    let mut words = words(type_name);
    words.find_map(|word| all.iter().find(|e| e.kind == Kind::Table && e.name == word))
}

fn words(type_name: &str) -> impl Iterator<Item = &str> {
    type_name.split(|c: char| !(c.is_alphanumeric() || "_.".contains(c)))
}

/// The texts that a value of this type may be, as the type or what it is an alias of lists them.
pub fn choices(type_name: &str) -> Vec<String> {
    let quoted = |text: &str| {
        text.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    let mut found = quoted(type_name);
    for word in words(type_name) {
        let alias = entries().iter().find(|e| e.kind == Kind::Alias && e.name == word);
        found.extend(
            alias
                .into_iter()
                .flat_map(|alias| quoted(&alias.operators.concat())),
        );
    }
    found
}

/// A file that is documented.
pub struct File {
    pub module: String,
    /// Its path in stdlib/.
    pub path: String,
    pub text: String,
}

pub fn files() -> Vec<File> {
    let mut files = Vec::new();
    for folder in ["_meta/", ""] {
        for module in loader::library_names(folder.trim_end_matches('/')) {
            let path = format!("{folder}{module}.lua");
            if let Some(text) = loader::library_file(&path) {
                files.push(File { module, path, text });
            }
        }
    }
    files
}

pub fn find(name: &str) -> Option<&'static Entry> {
    entries().iter().find(|entry| entry.name == name)
}

/// The help text of `name` for a terminal.
///
/// # Errors
/// When nothing is called that; names what is near.
pub fn show(name: &str, width: usize) -> Result<String> {
    let name = name.trim().trim_end_matches("()");
    if let Some(entry) = find(name).or_else(|| find(&name.replacen(':', ".", 1))) {
        return Ok(text::render(entry, entries(), width));
    }
    let same: Vec<&Entry> = entries()
        .iter()
        .filter(|e| e.name.eq_ignore_ascii_case(name) || e.short_name().eq_ignore_ascii_case(name))
        .filter(|e| e.kind != Kind::Alias)
        .collect();
    match same.as_slice() {
        [entry] => return Ok(text::render(entry, entries(), width)),
        [] => {}
        several => return Ok(text::list(several, width)),
    }
    let names = entries().iter().map(|e| e.name.as_str());
    if let Some(near) = nearest(name, names) {
        return Err(Error::message(format!(
            "no help on `{name}`; did you mean `{near}`?"
        )));
    }
    let shorts = entries().iter().map(Entry::short_name);
    if let Some(near) = nearest(name.rsplit(['.', ':']).next().unwrap_or(name), shorts) {
        let full: Vec<&str> = entries()
            .iter()
            .filter(|e| e.short_name() == near)
            .map(|e| e.name.as_str())
            .take(4)
            .collect();
        return Err(Error::message(format!(
            "no help on `{name}`; did you mean `{}`?",
            full.join("` or `")
        )));
    }
    let lower = name.to_lowercase();
    let about: Vec<&Entry> = entries()
        .iter()
        .filter(|e| e.kind != Kind::Alias && e.body.to_lowercase().contains(&lower))
        .take(12)
        .collect();
    if !about.is_empty() && lower.len() > 2 {
        return Ok(format!(
            "Nothing is called `{name}`; these speak of it:\n{}",
            text::list(&about, width)
        ));
    }
    let modules: Vec<&str> = entries()
        .iter()
        .filter(|e| e.kind == Kind::Module)
        .map(|e| e.name.as_str())
        .collect();
    Err(Error::message(format!(
        "no help on `{name}`; the modules are: {}",
        modules.join(", ")
    )))
}

/// One line on every module, for `:help`.
pub fn overview(width: usize) -> String {
    let modules: Vec<&Entry> = entries()
        .iter()
        .filter(|e| e.kind == Kind::Module || e.is_global())
        .collect();
    text::list(&modules, width)
}
