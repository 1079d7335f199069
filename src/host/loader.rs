//! `require`: native modules, then the script's folder and the working folder, then the library that ships.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use include_dir::{Dir, include_dir};
use mlua::{Function, Lua, Table, Value, chunk::ChunkMode};

use super::sources;
use crate::error::{Error, Result, nearest};
use crate::gate::{self, settle};
use crate::lua::module::Module;
use crate::lua::{self, Args, access};
use crate::share::provenance::sha256;
use crate::work::provenance::{self, Note};

/// The library as it was when the program was built.
static STDLIB: Dir = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// In app data: where `require` looks first, and what it has loaded.
struct Loader {
    folders: Vec<PathBuf>,
    loaded: Table,
    /// The files that modules were loaded from, for `refresh`.
    origins: BTreeMap<String, Origin>,
    /// Of a script of others: the modules that came with it, as they were when they were looked at. No others are loaded, but those that ship.
    fixed: Option<BTreeMap<String, Local>>,
}

/// A module that came with a script of others.
#[derive(Debug, Clone)]
pub struct Local {
    pub text: String,
    /// What errors call it.
    pub shown: String,
    /// Where it lies; in a bundle, where it lay beside the script.
    pub path: PathBuf,
}

struct Origin {
    path: PathBuf,
    stamp: Stamp,
}

/// Tells a file from what it was before.
type Stamp = (Option<SystemTime>, u64);

fn stamp(file: &File) -> Stamp {
    match file.metadata() {
        Ok(about) => (about.modified().ok(), about.len()),
        Err(_) => (None, 0),
    }
}

/// # Errors
/// When Lua is out of memory.
pub fn install(lua: &Lua) -> Result<()> {
    lua.set_app_data(Loader {
        folders: Vec::new(),
        loaded: lua.create_table()?,
        origins: BTreeMap::new(),
        fixed: None,
    });
    let require = Module::alone(lua, "", "require(name)", require)?;
    Ok(lua.globals().raw_set("require", require)?)
}

/// Makes `require` look in `folder` first, as it does in the folder of the script that runs.
pub fn add_folder(lua: &Lua, folder: &Path) {
    // That of `x.lua` is the working folder, which is looked in anyway.
    if folder.as_os_str().is_empty() {
        return;
    }
    if let Some(mut loader) = lua.app_data_mut::<Loader>() {
        loader.folders.retain(|known| known != folder);
        loader.folders.insert(0, folder.to_path_buf());
    }
}

/// Has `require` load these modules and those that ship, and no file.
pub fn fix(lua: &Lua, modules: BTreeMap<String, Local>) {
    if let Some(mut loader) = lua.app_data_mut::<Loader>() {
        loader.fixed = Some(modules);
    }
}

/// Loads the modules again whose files have changed since, and puts what they hold now into the tables that scripts and
/// other modules hold; answers with their names. A module that gives no table of functions is loaded again when it is
/// next required.
///
/// # Errors
/// The first that cannot be loaded; it stays as it was until its file changes again.
pub fn refresh(lua: &Lua) -> Result<Vec<String>> {
    let changed: Vec<(String, PathBuf)> = match lua.app_data_mut::<Loader>() {
        Some(mut loader) => loader
            .origins
            .iter_mut()
            .filter_map(|(name, origin)| {
                // A file that is away for a moment, as while an editor writes it, is looked at again at the next input.
                let now = stamp(&gate::open(&origin.path).ok()?);
                let changed = now != origin.stamp;
                origin.stamp = now;
                changed.then(|| (name.clone(), origin.path.clone()))
            })
            .collect(),
        None => Vec::new(),
    };
    for (name, path) in &changed {
        let text = gate::open(path)
            .and_then(std::io::read_to_string)
            .map_err(|e| Error::io(path, e))?;
        let Some(Value::Table(old)) = loaded(lua, name)? else {
            forget(lua, name)?;
            continue;
        };
        let shown = shown_path(path, access(lua).working());
        let new = match run(lua, name, &text, &shown)? {
            Value::Table(new) => new,
            _ => {
                return Err(Error::message(format!(
                    "module `{name}` gave a table before and gives none now; require it again"
                )));
            }
        };
        match (lua::contents(&old), lua::contents(&new)) {
            (Some(old), Some(new)) => {
                for pair in old.clone().pairs::<Value, Value>() {
                    old.raw_set(pair?.0, Value::Nil)?;
                }
                for pair in new.pairs::<Value, Value>() {
                    let (key, value) = pair?;
                    old.raw_set(key, value)?;
                }
            }
            _ => forget(lua, name)?,
        }
    }
    Ok(changed.into_iter().map(|(name, _)| name).collect())
}

fn loaded(lua: &Lua, name: &str) -> Result<Option<Value>> {
    let loaded = lua.app_data_ref::<Loader>().map(|loader| loader.loaded.clone());
    Ok(loaded.map(|loaded| loaded.raw_get(name)).transpose()?)
}

fn forget(lua: &Lua, name: &str) -> Result<()> {
    if let Some(mut loader) = lua.app_data_mut::<Loader>() {
        loader.origins.remove(name);
        loader.loaded.raw_set(name, Value::Nil)?;
    }
    Ok(())
}

/// The text of a file of the library, by its path in stdlib/: from disk in debug builds, so that edits show at once.
pub fn library_file(path: &str) -> Option<String> {
    if cfg!(debug_assertions) {
        let disk = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib").join(path);
        if let Ok(text) = std::fs::read_to_string(disk) {
            return Some(text);
        }
    }
    STDLIB.get_file(path)?.contents_utf8().map(str::to_string)
}

/// The names of the Lua files of a folder of the library, without `.lua`, sorted.
pub fn library_names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |path: &Path| {
        if path.extension().is_some_and(|e| e == "lua")
            && let Some(stem) = path.file_stem()
        {
            names.push(stem.to_string_lossy().into_owned());
        }
    };
    if cfg!(debug_assertions) {
        let disk = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib").join(folder);
        for entry in std::fs::read_dir(disk).into_iter().flatten().flatten() {
            add(&entry.path());
        }
    }
    let embedded = if folder.is_empty() {
        Some(&STDLIB)
    } else {
        STDLIB.get_dir(folder)
    };
    for file in embedded.into_iter().flat_map(Dir::files) {
        add(file.path());
    }
    names.sort();
    names.dedup();
    names
}

/// The SHA-256 of the library in Lua, all of its files but the documentation of natives: which version of it is here.
pub fn library_hash() -> String {
    let mut lines = String::new();
    let mut folders = vec![String::new()];
    let mut names = Vec::new();
    while let Some(folder) = folders.pop() {
        let within = |name: &str| match folder.is_empty() {
            true => name.to_string(),
            false => format!("{folder}/{name}"),
        };
        names.extend(
            library_names(&folder)
                .iter()
                .map(|name| within(&format!("{name}.lua"))),
        );
        let embedded = match folder.as_str() {
            "" => Some(&STDLIB),
            folder => STDLIB.get_dir(folder),
        };
        for below in embedded.into_iter().flat_map(Dir::dirs) {
            let path = below.path().display().to_string();
            if path != "_meta" {
                folders.push(path);
            }
        }
    }
    names.sort();
    for name in names {
        let text = library_file(&name).unwrap_or_default();
        lines.push_str(&format!("{}  {name}\n", sha256(&text)));
    }
    sha256(&lines)
}

/// Every module that ships, native or written in Lua.
pub fn module_names() -> Vec<String> {
    let mut names: Vec<String> = lua::MODULES.iter().map(|name| name.to_string()).collect();
    names.extend(library_names(""));
    names.sort();
    names.dedup();
    names
}

/// The name under which `table` was loaded, if it is a module.
pub fn module_of(lua: &Lua, table: &Table) -> Option<String> {
    let loaded = lua.app_data_ref::<Loader>()?.loaded.clone();
    loaded
        .pairs::<String, Value>()
        .filter_map(|pair| pair.ok())
        .find(|(_, module)| matches!(module, Value::Table(module) if module == table))
        .map(|(name, _)| name)
}

/// What a loaded module holds, without its guard.
pub fn contents(lua: &Lua, name: &str) -> Option<Table> {
    let loaded = lua.app_data_ref::<Loader>()?.loaded.clone();
    let module: Table = loaded.raw_get(name).ok()?;
    Some(lua::contents(&module).unwrap_or(module))
}

/// The name of a function of a loaded module, such as `json.decode`.
pub fn name_of(lua: &Lua, function: &Function) -> Option<String> {
    let loaded = lua.app_data_ref::<Loader>()?.loaded.clone();
    for pair in loaded.pairs::<String, Value>() {
        let (module, _) = pair.ok()?;
        for pair in contents(lua, &module)?.pairs::<Value, Value>() {
            if let Ok((Value::String(name), Value::Function(found))) = pair
                && &found == function
            {
                return Some(format!("{module}.{}", name.to_string_lossy()));
            }
        }
    }
    None
}

fn require(lua: &Lua, args: &Args) -> Result<Value> {
    let name: String = args.get("name")?;
    load(lua, &name)
}

/// The module `name`, loaded at most once.
///
/// # Errors
/// A module that is nowhere, requires itself, or cannot be read; what its text does not compile or raises.
pub fn load(lua: &Lua, name: &str) -> Result<Value> {
    let (loaded, mut folders) = match lua.app_data_ref::<Loader>() {
        Some(loader) => (loader.loaded.clone(), loader.folders.clone()),
        None => (lua.create_table()?, Vec::new()),
    };
    match loaded.raw_get::<Value>(name)? {
        Value::Nil => {}
        Value::Boolean(false) => {
            return Err(Error::message(format!(
                "module `{name}` requires itself, directly or through another module"
            )));
        }
        value => return Ok(value),
    }
    if let Some(module) = lua::load(lua, name) {
        let module = Value::Table(module?);
        loaded.raw_set(name, &module)?;
        return Ok(module);
    }
    if name == "library" {
        let library = Value::Table(super::library::load(lua)?);
        loaded.raw_set(name, &library)?;
        return Ok(library);
    }
    let working = access(lua).working().to_path_buf();
    folders.retain(|folder| *folder != working);
    folders.push(working);
    let fixed = lua
        .app_data_ref::<Loader>()
        .and_then(|loader| loader.fixed.clone());
    let found = match &fixed {
        Some(modules) => match modules.get(name) {
            Some(local) => Some(Found {
                text: local.text.clone(),
                shown: local.shown.clone(),
                path: Some(local.path.clone()),
                origin: None,
            }),
            None => find(name, &[])?,
        },
        None => find(name, &folders)?,
    };
    let Some(found) = found else {
        if fixed.is_some() {
            return Err(Error::message(format!(
                "no module `{name}` came with this script; modules beside a script of others are found by their names in plain text, \
                 `require \"{name}\"`, before it runs"
            )));
        }
        return Err(not_found(name, &folders));
    };
    loaded.raw_set(name, false)?;
    provenance::note(Note::Module {
        name,
        text: &found.text,
        path: found.path.as_deref(),
    });
    if let (Some(mut loader), Some(origin)) = (lua.app_data_mut::<Loader>(), found.origin) {
        loader.origins.insert(name.to_string(), origin);
    }
    let result = run(lua, name, &found.text, &found.shown);
    loaded.raw_set(name, result.as_ref().ok().cloned().unwrap_or(Value::Nil))?;
    result
}

/// A module's text.
struct Found {
    text: String,
    /// What errors call it.
    shown: String,
    /// None for what ships.
    path: Option<PathBuf>,
    /// None for what is not read again.
    origin: Option<Origin>,
}

fn shown_path(path: &Path, working: &Path) -> String {
    format!("@{}", path.strip_prefix(working).unwrap_or(path).display())
}

/// The file of a module below a folder, with its text.
///
/// # Errors
/// When it cannot be read.
pub fn local(name: &str, folder: &Path) -> Result<Option<(PathBuf, String)>> {
    Ok(below(name, folder)?.map(|(path, text, _)| (path, text)))
}

fn below(name: &str, folder: &Path) -> Result<Option<(PathBuf, String, Stamp)>> {
    // `require` takes names, not paths: an empty part would begin a path at the root.
    if name.contains(['/', '\0']) || name.split('.').any(str::is_empty) {
        return Ok(None);
    }
    let path = folder.join(format!("{}.lua", name.replace('.', "/")));
    let file = match gate::open(&path) {
        Ok(file) => file,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(e) => return Err(Error::io(&path, e)),
    };
    // A link must not lead out of the folder.
    if !gate::path_of(&file).is_ok_and(|real| real.starts_with(settle(folder))) {
        return Ok(None);
    }
    let stamp = stamp(&file);
    let text = std::io::read_to_string(file).map_err(|e| Error::io(&path, e))?;
    Ok(Some((path, text, stamp)))
}

fn find(name: &str, folders: &[PathBuf]) -> Result<Option<Found>> {
    if name.contains(['/', '\0']) || name.split('.').any(str::is_empty) {
        return Ok(None);
    }
    for folder in folders {
        if let Some((path, text, stamp)) = below(name, folder)? {
            let shown = shown_path(&path, folders.last().unwrap_or(folder));
            let origin = Some(Origin {
                path: path.clone(),
                stamp,
            });
            return Ok(Some(Found {
                text,
                shown,
                path: Some(path),
                origin,
            }));
        }
    }
    let relative = format!("{}.lua", name.replace('.', "/"));
    Ok(library_file(&relative).map(|text| Found {
        text,
        shown: format!("@stdlib/{relative}"),
        path: None,
        origin: None,
    }))
}

fn run(lua: &Lua, name: &str, text: &str, shown: &str) -> Result<Value> {
    let function = lua
        .load(text)
        .set_name(shown)
        .set_mode(ChunkMode::Text)
        .into_function()?;
    // Only now: errors quote lines, and none of a file that is no Lua.
    sources::remember(lua, shown, text);
    match function.call::<Value>(name)? {
        Value::Nil => Ok(Value::Boolean(true)),
        Value::Table(table) if table.metatable().is_none() => {
            Ok(Value::Table(lua::protect(lua, name, table)?))
        }
        value => Ok(value),
    }
}

fn not_found(name: &str, folders: &[PathBuf]) -> Error {
    let places: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    let known = module_names();
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; there are: {}", known.join(", ")),
    };
    Error::message(format!(
        "no module `{name}` (looked in {}, and in perilune's own library){hint}",
        places.join(", ")
    ))
}
