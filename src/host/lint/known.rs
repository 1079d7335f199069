//! What is known around a script: what the library and the script's own modules document, which names modules export, which global
//! variables there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::OnceLock;

use mlua::{Table, Value};

use super::Around;
use super::scope::{Scopes, Source};
use crate::host::documentation::{self, Entry, Kind as Documented};
use crate::host::lexer::tokens;
use crate::host::syntax::{self, Block, Expression, Kind, Statement};
use crate::host::{Limits, Runtime, loader, params};
use crate::lua::Access;

pub struct Known {
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
    /// The names that the script's own modules export, where they can be told.
    exported: HashMap<String, Option<BTreeSet<String>>>,
    /// The classes that the script and its modules describe. Comments need not tell all that these have.
    own: BTreeSet<String>,
    /// The script's own module: what its functions are documented as.
    pub module: String,
}

impl Known {
    pub fn of(text: &str, around: &Around) -> Known {
        let mut entries = documentation::with_others(&around.module, text);
        let own = documentation::parse(&around.module, text);
        let mut exported = HashMap::new();
        let mut own: BTreeSet<String> = own.into_iter().map(|entry| entry.name).collect();
        for name in required(text) {
            // What cannot be read, or is there twice, is told when it is loaded.
            let found = loader::local(&name, &around.folders, around.libraries.as_deref(), Path::new(""));
            if let Ok(Some(loader::Local { text, .. })) = found {
                let documented = documentation::parse(&name, &text);
                own.extend(documented.iter().map(|entry| entry.name.clone()));
                entries.retain(|entry| documented.iter().all(|own| own.name != entry.name));
                entries.extend(documented);
                let names = syntax::parse(&text).ok().and_then(|block| exports(&block));
                exported.insert(name, names);
            }
        }
        let by_name = entries
            .iter()
            .enumerate()
            .map(|(i, entry)| (entry.name.clone(), i));
        Known {
            by_name: by_name.collect(),
            entries,
            exported,
            own,
            module: around.module.clone(),
        }
    }

    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).map(|i| &self.entries[*i])
    }

    pub fn class(&self, name: &str) -> Option<&Entry> {
        self.entry(name)
            .filter(|entry| matches!(entry.kind, Documented::Class | Documented::Table))
    }

    /// Whether a class may have more than its comments say.
    pub fn is_open(&self, class: &str) -> bool {
        self.own.contains(class)
    }

    /// A method of a class, or of one that it builds on. What an image can be made into, a stack makes of each of its images.
    pub fn method(&self, class: &str, name: &str) -> Option<&Entry> {
        let own = self.entry(&format!("{class}:{name}"));
        let parents = || {
            self.class(class)?
                .parents
                .iter()
                .find_map(|parent| self.method(parent, name))
        };
        let each = || {
            self.entry(&format!("Raster:{name}"))
                .filter(|entry| class == "Stack" && gives_image(entry))
        };
        own.or_else(parents).or_else(each)
    }

    /// All that follows the class's name behind a colon.
    pub fn methods(&self, class: &str) -> Vec<&str> {
        let prefix = format!("{class}:");
        let mut names: Vec<&str> = self
            .entries
            .iter()
            .filter_map(|entry| entry.name.strip_prefix(&prefix))
            .collect();
        for parent in self.class(class).map_or(&[][..], |entry| &entry.parents) {
            names.extend(self.methods(parent));
        }
        if class == "Stack" {
            let of_images = self.entries.iter().filter(|entry| gives_image(entry));
            names.extend(of_images.filter_map(|entry| entry.name.strip_prefix("Raster:")));
        }
        names
    }

    /// The functions of a module, and its values.
    pub fn members(&self, module: &str) -> Vec<&str> {
        let prefix = format!("{module}.");
        let functions = self
            .entries
            .iter()
            .filter(|entry| entry.kind == Documented::Function);
        let mut names: Vec<&str> = functions
            .filter_map(|entry| entry.name.strip_prefix(&prefix))
            .filter(|name| !name.contains('.'))
            .collect();
        if let Some(entry) = self.entry(module) {
            names.extend(entry.fields.iter().map(|field| field.name.as_str()));
        }
        names
    }

    /// Whether a module of the library has a name beside those that it documents, or may have any.
    pub fn has_beside(&self, module: &str, name: &str) -> bool {
        let names = library_exports();
        names
            .get(module)
            .is_some_and(|names| names.as_ref().is_none_or(|names| names.contains(name)))
    }

    /// What is known of a module that is required by this name.
    pub fn require(&self, name: &str) -> Required<'_> {
        if let Some(names) = self.exported.get(name) {
            return Required::Own(names.as_ref());
        }
        if self
            .entry(name)
            .is_some_and(|entry| entry.kind == Documented::Module)
        {
            return Required::Documented;
        }
        match loader::module_names().iter().any(|known| known == name)
            || loader::library_file(&path_of(name)).is_some()
            || name == "library"
        {
            true => Required::Undocumented,
            false => Required::Absent,
        }
    }
}

fn gives_image(entry: &Entry) -> bool {
    entry
        .returns
        .first()
        .is_some_and(|field| field.type_name == "Raster")
}

pub enum Required<'a> {
    Documented,
    /// With the names that it exports, where they can be told.
    Own(Option<&'a BTreeSet<String>>),
    Undocumented,
    Absent,
}

fn path_of(module: &str) -> String {
    format!("{}.lua", module.replace('.', "/"))
}

/// The modules that a text requires by a text.
fn required(text: &str) -> BTreeSet<String> {
    let all = tokens(text);
    let mut found = BTreeSet::new();
    for (i, token) in all.iter().enumerate().filter(|(_, token)| token.is("require")) {
        let behind = all[i + 1..].iter().find(|next| !next.is("("));
        let name = behind
            .filter(|next| next.start > token.start)
            .map(|next| next.text.trim_matches(['"', '\'']));
        found.extend(name.map(str::to_string));
    }
    found
}

/// The names that a module sets in the table that it returns, where it does nothing else with it that could set others.
pub fn exports(block: &Block) -> Option<BTreeSet<String>> {
    let Some(Statement::Return(values)) = block.last() else {
        return None;
    };
    let [returned] = values.as_slice() else {
        return None;
    };
    let named = |entries: &[syntax::Entry]| -> Option<BTreeSet<String>> {
        let names = entries.iter().map(|entry| match entry {
            syntax::Entry::Named(name, _) => Some(name.text.to_string()),
            _ => None,
        });
        names.collect()
    };
    match &returned.kind {
        Kind::Table(entries) => return named(entries),
        Kind::Name(_) => {}
        _ => return None,
    };
    let scopes = Scopes::of(block);
    let local = &scopes.locals[scopes.local(returned.start)?];
    let constructed = match local.values.as_slice() {
        [
            Source::Value(
                Expression {
                    kind: Kind::Table(entries),
                    ..
                },
                0,
            ),
        ] => named(entries)?,
        _ => return None,
    };
    match local.escapes {
        true => None,
        false => Some(
            constructed
                .into_iter()
                .chain(local.fields.iter().map(|name| name.to_string()))
                .collect(),
        ),
    }
}

/// What the modules of the library that are written in Lua export, where it can be told.
fn library_exports() -> &'static HashMap<String, Option<BTreeSet<String>>> {
    static EXPORTS: OnceLock<HashMap<String, Option<BTreeSet<String>>>> = OnceLock::new();
    EXPORTS.get_or_init(|| {
        let names = loader::library_names("");
        let modules = names.into_iter().filter_map(|name| {
            let text = loader::library_file(&path_of(&name))?;
            let exported = syntax::parse(&text).ok().and_then(|block| exports(&block));
            Some((name, exported))
        });
        modules.collect()
    })
}

/// The global variables of a script, and the members of those that are tables.
pub fn globals() -> &'static BTreeMap<String, BTreeSet<String>> {
    static GLOBALS: OnceLock<BTreeMap<String, BTreeSet<String>>> = OnceLock::new();
    GLOBALS.get_or_init(|| {
        let names = |table: &Table| -> Vec<(String, Value)> {
            let pairs = table.pairs::<String, Value>();
            pairs.filter_map(Result::ok).collect()
        };
        let Ok(runtime) = Runtime::for_names(Limits::default(), Access::new(".")) else {
            return BTreeMap::new();
        };
        let _ = params::install(runtime.lua(), false);
        let globals = names(&runtime.lua().globals()).into_iter().map(|(name, value)| {
            let members = match &value {
                Value::Table(table) if name != "_G" => {
                    names(table).into_iter().map(|(name, _)| name).collect()
                }
                _ => BTreeSet::new(),
            };
            (name, members)
        });
        globals.collect()
    })
}
