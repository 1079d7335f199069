//! `require`: native modules, then the script's folder and the working folder, the project and its libraries, then the library that ships.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use include_dir::{Dir, include_dir};
use mlua::{Function, Lua, Table, Value, chunk::ChunkMode};

use super::sources;
use crate::error::{Error, Result, nearest};
use crate::gate::{self, settle};
use crate::lua::module::Module;
use crate::lua::{self, Args, access};
use crate::share::project::{Libraries, Place};
use crate::share::provenance::sha256;
use crate::work::provenance::{self, Note};

/// The library as it was when the program was built.
static STDLIB: Dir = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// In app data: where `require` looks first, and what it has loaded.
struct Loader {
    folders: Vec<PathBuf>,
    project: Option<Surroundings>,
    loaded: Table,
    /// The files that modules were loaded from, for `refresh`.
    origins: BTreeMap<String, Origin>,
    /// Of a script of others: the modules that came with it, as they were when they were looked at. No others are loaded, but those that ship.
    fixed: Option<BTreeMap<String, Local>>,
}

/// A module that does not ship: of the script's own, or of a library.
#[derive(Debug, Clone)]
pub struct Local {
    pub text: String,
    /// What errors call it.
    pub shown: String,
    /// Where it lies; in a bundle, where it lay beside the script.
    pub path: PathBuf,
    /// The library that it is of, in words.
    pub library: Option<String>,
}

/// A project around a script: modules in its folder, and its libraries.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub root: PathBuf,
    pub libraries: Arc<Libraries>,
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
        project: None,
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

/// Has `require` look in a project and its libraries, too.
pub fn surround(lua: &Lua, project: Option<Surroundings>) {
    if let Some(mut loader) = lua.app_data_mut::<Loader>() {
        loader.project = project;
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
    let (loaded, mut folders, project) = match lua.app_data_ref::<Loader>() {
        Some(loader) => (
            loader.loaded.clone(),
            loader.folders.clone(),
            loader.project.clone(),
        ),
        None => (lua.create_table()?, Vec::new(), None),
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
    folders.push(working.clone());
    if let Some(project) = &project
        && !folders.contains(&project.root)
    {
        folders.push(project.root.clone());
    }
    let fixed = lua
        .app_data_ref::<Loader>()
        .and_then(|loader| loader.fixed.clone());
    let found = match &fixed {
        Some(modules) => match modules.get(name) {
            Some(local) => Some(Found::of(local.clone(), None)),
            None => shipped(name),
        },
        None => match beside(
            name,
            &folders,
            project.as_ref().map(|p| p.libraries.as_ref()),
            &working,
        )? {
            Some((local, stamp)) => Some(Found::of(local, stamp)),
            None => shipped(name),
        },
    };
    let Some(found) = found else {
        if fixed.is_some() {
            return Err(Error::message(format!(
                "no module `{name}` came with this script; modules beside a script of others are found by their names in plain text, \
                 `require \"{name}\"`, before it runs"
            )));
        }
        return Err(not_found(
            name,
            &folders,
            project.as_ref().map(|p| p.libraries.as_ref()),
        ));
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
    /// None for what is known by its name and its hash alone: what ships, and what is of a library, wherever that lies.
    path: Option<PathBuf>,
    /// None for what is not read again.
    origin: Option<Origin>,
}

impl Found {
    fn of(local: Local, stamp: Option<Stamp>) -> Found {
        Found {
            origin: stamp.map(|stamp| Origin {
                path: local.path.clone(),
                stamp,
            }),
            path: local.library.is_none().then_some(local.path),
            text: local.text,
            shown: local.shown,
        }
    }
}

fn shown_path(path: &Path, working: &Path) -> String {
    format!("@{}", path.strip_prefix(working).unwrap_or(path).display())
}

/// A module that does not ship, out of the first of `folders` that has it, or of a library; errors call it by its path from `working`.
///
/// # Errors
/// When it cannot be read, or both have it: then nobody knows which is meant.
pub fn local(
    name: &str,
    folders: &[PathBuf],
    libraries: Option<&Libraries>,
    working: &Path,
) -> Result<Option<Local>> {
    Ok(beside(name, folders, libraries, working)?.map(|(local, _)| local))
}

fn beside(
    name: &str,
    folders: &[PathBuf],
    libraries: Option<&Libraries>,
    working: &Path,
) -> Result<Option<(Local, Option<Stamp>)>> {
    let of = |(path, text, stamp): (PathBuf, String, Stamp), library: Option<String>| {
        let local = Local {
            text,
            shown: shown_path(&path, working),
            path,
            library,
        };
        (local, Some(stamp))
    };
    let mut own = None;
    for folder in folders {
        if let Some(found) = below(name, folder)? {
            own = Some(found);
            break;
        }
    }
    let Some(library) = libraries.and_then(|libraries| libraries.of_module(name)) else {
        return Ok(own.map(|found| of(found, None)));
    };
    let theirs = match &library.place {
        Place::Folder(folder) => below(name, folder)?.map(|found| of(found, Some(library.shown()))),
        Place::Texts { path, modules } => modules.get(name).map(|text| {
            let file = format!("{}.lua", name.replace('.', "/"));
            let path = path.clone().unwrap_or_else(|| PathBuf::from(&library.from));
            let shown = match modules.len() {
                1 => shown_path(&path, working),
                _ => format!("{}/{file}", shown_path(&path, working)),
            };
            let local = Local {
                text: text.clone(),
                shown,
                path,
                library: Some(library.shown()),
            };
            (local, None)
        }),
    };
    match (own, theirs) {
        (Some(own), Some(theirs)) if settle(&own.0) != settle(&theirs.0.path) => {
            Err(Error::message(format!(
                "two modules are named `{name}`: {}, and one of the library {} ({}); rename your own, or the library in {}",
                own.0.display(),
                library.name,
                theirs.0.shown.trim_start_matches('@'),
                crate::share::project::FILE
            )))
        }
        (Some(own), _) => Ok(Some(of(own, None))),
        (None, theirs) => Ok(theirs),
    }
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

/// A module of the library that ships.
fn shipped(name: &str) -> Option<Found> {
    if name.contains(['/', '\0']) || name.split('.').any(str::is_empty) {
        return None;
    }
    let relative = format!("{}.lua", name.replace('.', "/"));
    library_file(&relative).map(|text| Found {
        text,
        shown: format!("@stdlib/{relative}"),
        path: None,
        origin: None,
    })
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

fn not_found(name: &str, folders: &[PathBuf], libraries: Option<&Libraries>) -> Error {
    if let Some(library) = libraries.and_then(|libraries| libraries.of_module(name)) {
        return Error::message(format!(
            "the library {} has no module `{name}` (looked in {})",
            library.shown(),
            library.from
        ));
    }
    let places: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    let mut known = module_names();
    let mut where_else = "and in perilune's own library".to_string();
    if let Some(libraries) = libraries.filter(|libraries| !libraries.is_empty()) {
        let names: Vec<String> = libraries.iter().map(|library| library.name.clone()).collect();
        where_else = format!("in the libraries {}, {where_else}", names.join(", "));
        known.extend(names);
    }
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; there are: {}", known.join(", ")),
    };
    Error::message(format!(
        "no module `{name}` (looked in {}, {where_else}){hint}",
        places.join(", ")
    ))
}
