//! What a script is, told from its text: its modules, its hash, and what it calls that reads, writes or contacts.
//!
//! A text can hide what it calls, so that this is what it says of itself. What it may do does not rest on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::lexer::{Token, TokenKind, tokens};
use super::loader::{self, Local};
use crate::error::Result;
use crate::lua::MODULES;
use crate::share::project::Libraries;
use crate::share::provenance::sha256;

/// What a function does beyond computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Read,
    Write,
    Contact,
}

use Effect::{Contact, Read, Write};

/// Natives, as the documentation calls them. What reads images also asks servers, where it is given addresses.
pub const EFFECTS: &[(&str, &[Effect])] = &[
    ("catalog.asf", &[Contact]),
    ("catalog.download", &[Contact, Write]),
    ("catalog.itslive", &[Contact]),
    ("catalog.itslive_cubes", &[Read, Contact]),
    ("catalog.open", &[Read]),
    ("catalog.snapshot", &[Read, Write, Contact]),
    ("catalog.stac", &[Contact]),
    ("catalog.unzip", &[Read, Write]),
    ("catalog.zip_members", &[Read, Contact]),
    ("Dataset:write", &[Write]),
    ("Features:write", &[Write]),
    ("Figure:write", &[Write]),
    ("fs.append", &[Write]),
    ("fs.copy", &[Read, Write]),
    ("fs.exists", &[Read]),
    ("fs.glob", &[Read]),
    ("fs.is_folder", &[Read]),
    ("fs.lines", &[Read]),
    ("fs.list", &[Read]),
    ("fs.mkdir", &[Write]),
    ("fs.modified", &[Read]),
    ("fs.read", &[Read]),
    ("fs.remove", &[Write]),
    ("fs.rename", &[Write]),
    ("fs.size", &[Read]),
    ("fs.write", &[Write]),
    ("geometry.read", &[Read, Contact]),
    ("inference.open", &[Read]),
    ("Items:save", &[Write]),
    ("learning.dataset", &[Read]),
    ("learning.read_chips", &[Read]),
    ("learning.train", &[Read, Write]),
    ("plot.animate", &[Write]),
    ("Raster:write", &[Write]),
    ("Raster:write_polygons", &[Write]),
    ("raster.arrays", &[Read, Contact]),
    ("raster.find", &[Read]),
    ("raster.from_json", &[Read, Contact]),
    ("raster.open", &[Read, Contact]),
    ("raster.read_array", &[Read, Contact]),
    ("raster.read_attribute", &[Read, Contact]),
    ("raster.stack", &[Read, Contact]),
    ("raster.subdatasets", &[Read, Contact]),
    ("raster.write_all", &[Write]),
    ("raster.write_hdf5", &[Write]),
    ("raster.write_netcdf", &[Write]),
    ("Service:collection", &[Contact]),
    ("Service:collections", &[Contact]),
    ("Service:item", &[Contact]),
    ("Service:queryables", &[Contact]),
    ("Service:search", &[Contact]),
    ("Stack:export", &[Write]),
    ("Stack:write", &[Write]),
    ("Table:write", &[Write]),
    ("Table:write_csv", &[Write]),
    ("tables.read", &[Read]),
    ("tables.read_csv", &[Read]),
];

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Of the script; with modules beside it, of the lines that sha256sum writes of all, the script's own first, as `-`.
    pub sha256: String,
    pub locals: BTreeMap<String, Local>,
    /// Modules that ship.
    pub shipped: BTreeSet<String>,
    /// Modules that are nowhere.
    pub absent: BTreeSet<String>,
    /// A module is asked for by a name that has to be computed.
    pub computed: bool,
    /// `raster.open`, `:write`, or a module of the library written in Lua.
    pub calls: BTreeMap<Effect, BTreeSet<String>>,
}

/// Where the modules of a script are, beside those that ship.
#[derive(Debug, Clone, Copy)]
pub enum Beside<'a> {
    Nowhere,
    /// In these folders, and in the libraries of a project.
    Folders(&'a [PathBuf], Option<&'a Libraries>),
    /// In the same file, whose hash is that of all.
    Bundle(&'a BTreeMap<String, Local>),
}

impl Beside<'_> {
    fn module(&self, name: &str) -> Result<Option<Local>> {
        match self {
            Beside::Nowhere => Ok(None),
            Beside::Bundle(modules) => Ok(modules.get(name).cloned()),
            Beside::Folders(folders, libraries) => loader::local(name, folders, *libraries, Path::new("")),
        }
    }
}

/// Of a script with this text, whose file has this hash, and its modules.
///
/// # Errors
/// When a module cannot be read.
pub fn content(text: &str, hash: &str, beside: Beside) -> Result<Content> {
    let mut found = Content::default();
    let mut left = vec![text.to_string()];
    while let Some(text) = left.pop() {
        let scan = scan(&text);
        found.computed |= scan.computed;
        for (effect, names) in scan.calls {
            found.calls.entry(effect).or_default().extend(names);
        }
        for name in scan.modules {
            if MODULES.contains(&name.as_str()) || name == "library" {
                found.shipped.insert(name);
            } else if found.locals.contains_key(&name) || found.shipped.contains(&name) {
            } else if let Some(local) = beside.module(&name)? {
                left.push(local.text.clone());
                found.locals.insert(name, local);
            } else if let Some(text) = loader::library_file(&format!("{}.lua", name.replace('.', "/"))) {
                for effect in of_library(&text) {
                    found
                        .calls
                        .entry(effect)
                        .or_default()
                        .insert(format!("{name} (module)"));
                }
                found.shipped.insert(name);
            } else {
                found.absent.insert(name);
            }
        }
    }
    if let Beside::Bundle(modules) = beside {
        // Also those that no text names.
        for (name, local) in modules {
            found.locals.entry(name.clone()).or_insert_with(|| local.clone());
        }
    }
    found.sha256 = match found.locals.is_empty() || matches!(beside, Beside::Bundle(_)) {
        true => hash.to_string(),
        false => {
            let mut lines = format!("{hash}  -\n");
            for (name, local) in &found.locals {
                let file = format!("{}.lua", name.replace('.', "/"));
                lines.push_str(&format!("{}  {file}\n", sha256(local.text.as_bytes())));
            }
            sha256(lines.as_bytes())
        }
    };
    Ok(found)
}

/// What a module of the library does, and those that it is made of.
fn of_library(text: &str) -> BTreeSet<Effect> {
    let (mut effects, mut seen, mut left) = (BTreeSet::new(), BTreeSet::new(), vec![text.to_string()]);
    while let Some(text) = left.pop() {
        let scan = scan(&text);
        effects.extend(scan.calls.keys().copied());
        for name in scan
            .modules
            .into_iter()
            .filter(|name| !MODULES.contains(&name.as_str()))
        {
            let file = loader::library_file(&format!("{}.lua", name.replace('.', "/")));
            left.extend(file.filter(|_| seen.insert(name)));
        }
    }
    effects
}

#[derive(Default)]
struct Scan {
    modules: BTreeSet<String>,
    computed: bool,
    calls: BTreeMap<Effect, BTreeSet<String>>,
}

fn scan(text: &str) -> Scan {
    let all: Vec<Token> = tokens(text)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let mut scan = Scan::default();
    let names = bindings(&all);
    let name_at = |i: usize| all.get(i).filter(|t| t.kind == TokenKind::Name).map(|t| t.text);
    for (i, token) in all.iter().enumerate() {
        let after_dot = i > 0 && (all[i - 1].is(".") || all[i - 1].is(":"));
        if token.is("require") && !after_dot {
            match required(&all, i) {
                Some((name, next)) => {
                    if all.get(next).is_some_and(|t| t.is("."))
                        && let Some(function) = name_at(next + 1)
                    {
                        scan.called(&format!("{name}.{function}"));
                    }
                    scan.modules.insert(name);
                }
                None => scan.computed = true,
            }
        }
        if token.is(":")
            && let Some(method) = name_at(i + 1)
        {
            scan.called(&format!(":{method}"));
        }
        if token.kind == TokenKind::Name
            && !after_dot
            && all.get(i + 1).is_some_and(|t| t.is("."))
            && let (Some(module), Some(function)) = (names.get(token.text), name_at(i + 2))
        {
            scan.called(&format!("{module}.{function}"));
        }
    }
    scan
}

impl Scan {
    fn called(&mut self, name: &str) {
        let is = |known: &&(&str, &[Effect])| match name.strip_prefix(':') {
            Some(method) => known.0.split_once(':').is_some_and(|(_, known)| known == method),
            None => known.0 == name,
        };
        for (_, effects) in EFFECTS.iter().filter(is) {
            for effect in *effects {
                self.calls.entry(*effect).or_default().insert(name.to_string());
            }
        }
    }
}

/// The name in `require "name"` or `require("name")` at token `i`, and the token behind it.
fn required(all: &[Token], i: usize) -> Option<(String, usize)> {
    let wrapped = all.get(i + 1)?.is("(");
    let at = if wrapped { i + 2 } else { i + 1 };
    let token = all
        .get(at)
        .filter(|t| t.kind == TokenKind::String && !t.unfinished)?;
    let next = at + 1 + usize::from(wrapped);
    if wrapped && !all.get(at + 1).is_some_and(|t| t.is(")")) {
        return None;
    }
    // Names of modules have no escapes.
    let name = token.text.trim_matches(['"', '\'', '[', ']', '=']);
    (!name.contains('\\')).then(|| (name.to_string(), next))
}

/// Names that hold modules: `local a, b = require "x", require "y"`.
fn bindings<'a>(all: &[Token<'a>]) -> BTreeMap<&'a str, String> {
    let mut found = BTreeMap::new();
    for start in (0..all.len()).filter(|i| all[*i].is("local")) {
        let (mut names, mut i) = (Vec::new(), start + 1);
        while let Some(token) = all.get(i).filter(|t| t.kind == TokenKind::Name) {
            names.push(token.text);
            i += 1;
            match all.get(i) {
                Some(t) if t.is(",") => i += 1,
                _ => break,
            }
        }
        if !all.get(i).is_some_and(|t| t.is("=")) {
            continue;
        }
        i += 1;
        for name in names {
            let Some((module, next)) = all
                .get(i)
                .filter(|t| t.is("require"))
                .and_then(|_| required(all, i))
            else {
                break;
            };
            found.insert(name, module);
            match all.get(next) {
                Some(t) if t.is(",") => i = next + 1,
                _ => break,
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::documentation::{Kind, entries};

    #[test]
    fn calls_and_modules_are_found() {
        let text = "local raster, f = require 'raster', require(\"fs\")\nlocal x = require('tables').read('a')\n\
                    f.write('a', 'b') raster.open('c'):write('d') -- f.read\nlocal other = require(name)\nfoo.fs.read()";
        let scan = scan(text);
        let names = |effect: Effect| scan.calls[&effect].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(names(Read), ["raster.open", "tables.read"]);
        assert_eq!(names(Write), [":write", "fs.write"]);
        assert_eq!(names(Contact), ["raster.open"]);
        assert!(scan.computed);
        assert_eq!(
            scan.modules.iter().map(String::as_str).collect::<Vec<_>>(),
            ["fs", "raster", "tables"]
        );
    }

    #[test]
    fn the_hash_is_that_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lib")).unwrap();
        std::fs::write(folder.path().join("lib/a.lua"), "return {}").unwrap();
        let text = "local a = require 'lib.a' require 'nowhere' require 'water'";
        let own = sha256(text.as_bytes());
        let found = content(text, &own, Beside::Folders(&[folder.path().to_path_buf()], None)).unwrap();
        let lines = format!("{own}  -\n{}  lib/a.lua\n", sha256(b"return {}"));
        assert_eq!(found.sha256, sha256(lines.as_bytes()));
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(found.absent.contains("nowhere") && found.shipped.contains("water"));
        assert!(found.calls[&Read].contains("water (module)"), "{:?}", found.calls);
        assert_eq!(content("x = 1", "h", Beside::Nowhere).unwrap().sha256, "h");
    }

    /// What takes a path or an address is in the table, or here for a reason.
    #[test]
    fn every_function_that_takes_a_path_is_known() {
        const NONE: &[&str] = &[
            // Names alone.
            "fs.join",
            "fs.basename",
            "fs.dirname",
            "fs.extension",
            "raster.match_name",
            "Table:rename",
            // Reads its name, and no file.
            "catalog.itslive_granule",
        ];
        let takes = [
            "path", "folder", "archive", "url", "source", "address", "from", "to", "pattern",
        ];
        let mut missing = Vec::new();
        for entry in entries() {
            let native = MODULES.contains(&entry.module.as_str());
            let is = matches!(entry.kind, Kind::Function | Kind::Method)
                && entry.parameters.iter().any(|p| takes.contains(&p.name.as_str()));
            let known =
                EFFECTS.iter().any(|(name, _)| *name == entry.name) || NONE.contains(&entry.name.as_str());
            if native && is && !known {
                missing.push(entry.name.clone());
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
        for (name, _) in EFFECTS {
            assert!(
                entries().iter().any(|entry| entry.name == *name),
                "no function {name}"
            );
        }
    }
}
