//! Files and folders, inside the folders that the access policy allows.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use mlua::{Function, Lua};

use super::rehearsal::is_told;
use super::{Access, Args, Module, access};
use crate::bounds;
use crate::error::{Error, Result};
use crate::files::{self, write_atomically, write_whole};
use crate::gate::{self, Folder, FolderEntry};
use crate::options;
use crate::scratch;
use crate::work;

pub fn define(m: &mut Module) -> Result<()> {
    m.function("read(path)", read)?;
    m.function("lines(path)", lines)?;
    m.function("write(path, text)", write)?;
    m.function("append(path, text)", append)?;
    m.function("exists(path)", exists)?;
    m.function("is_folder(path)", is_folder)?;
    m.function("size(path)", size)?;
    m.function("modified(path)", modified)?;
    m.function("list(folder?)", list)?;
    m.function("glob(pattern)", glob)?;
    m.function("mkdir(path)", mkdir)?;
    m.function_with("remove(path, options?)", remove)?;
    m.function("rename(from, to)", rename)?;
    m.function("copy(from, to)", copy)?;
    m.function("temporary()", temporary)?;
    m.function("working()", working)?;
    m.function("join(...)", join)?;
    m.function("basename(path, suffix?)", basename)?;
    m.function("dirname(path)", dirname)?;
    m.function("extension(path)", extension)?;
    Ok(())
}

fn named(args: &Args, name: &str) -> Result<PathBuf> {
    let path: PathBuf = args.get(name)?;
    match path.as_os_str().is_empty() {
        true => Err(Error::argument(name, "a path", "an empty string")),
        false => Ok(path),
    }
}

/// The argument as a path that may be looked at.
fn path(lua: &Lua, args: &Args, name: &str) -> Result<PathBuf> {
    access(lua).inside(named(args, name)?)
}

/// The argument as a path that may be changed.
fn target(lua: &Lua, args: &Args, name: &str) -> Result<PathBuf> {
    access(lua).write(named(args, name)?)
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return Error::NoSuchFile {
                path: PathBuf::from(path.file_name().unwrap_or(path.as_os_str())),
                looked_in: path.parent().unwrap_or(Path::new("/")).to_path_buf(),
            };
        }
        Error::io(path, error)
    }
}

fn read(lua: &Lua, args: &Args) -> Result<mlua::LuaString> {
    let path = access(lua).read(path(lua, args, "path")?)?;
    let size = gate::open(&path).and_then(|file| file.metadata()).map_err(failed(&path))?.len();
    let limit = 1 << 28;
    if size > limit {
        return Err(Error::Memory {
            what: format!("reading {}", path.display()),
            needed_mib: size >> 20,
            limit_mib: limit >> 20,
            way_out: "read it line by line with fs.lines".to_string(),
        });
    }
    let bytes = bounds::read_file(&path, 1, "read it line by line with fs.lines")?;
    Ok(lua.create_string(bytes)?)
}

fn lines(lua: &Lua, args: &Args) -> Result<Function> {
    let path = access(lua).read(path(lua, args, "path")?)?;
    let reader = std::cell::RefCell::new(BufReader::new(bounds::open(&path)?));
    let most = work::memory() / 4;
    Module::alone(lua, "fs.", "lines(...)", move |lua, _| {
        let mut line = Vec::new();
        let mut rest = reader.borrow_mut();
        let mut start = rest.by_ref().take(most as u64 + 1);
        if start.read_until(b'\n', &mut line).map_err(failed(&path))? == 0 {
            return Ok(None);
        }
        if line.len() > most {
            let what = format!("{}: a line of more than {most} bytes", path.display());
            bounds::fits(what, line.len(), 4, "look whether it is a text file")?;
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Ok(Some(lua.create_string(line)?))
    })
}

fn text(args: &Args) -> Result<Vec<u8>> {
    Ok(args.get::<mlua::LuaString>("text")?.as_bytes().to_vec())
}

fn write(lua: &Lua, args: &Args) -> Result<()> {
    let (path, text) = (target(lua, args, "path")?, text(args)?);
    match is_told(lua, "write", &path) {
        true => Ok(()),
        false => write_whole(&path, &text),
    }
}

fn append(lua: &Lua, args: &Args) -> Result<()> {
    let path = target(lua, args, "path")?;
    let text = text(args)?;
    match is_told(lua, "append", &path) {
        true => Ok(()),
        false => files::append(&path, &text),
    }
}

fn exists(lua: &Lua, args: &Args) -> Result<bool> {
    let path = path(lua, args, "path")?;
    Ok(path.exists() || work::rehearsal().is_some_and(|rehearsal| rehearsal.has_promised(&path)))
}

fn is_folder(lua: &Lua, args: &Args) -> Result<bool> {
    Ok(path(lua, args, "path")?.is_dir())
}

fn size(lua: &Lua, args: &Args) -> Result<u64> {
    let path = access(lua).read(path(lua, args, "path")?)?;
    Ok(fs::metadata(&path).map_err(failed(&path))?.len())
}

fn modified(lua: &Lua, args: &Args) -> Result<String> {
    let path = path(lua, args, "path")?;
    let time = fs::metadata(&path).and_then(|m| m.modified()).map_err(failed(&path))?;
    let stamp = jiff::Timestamp::try_from(time).map_err(|e| Error::file(&path, e.to_string()))?;
    Ok(crate::table::format_time(stamp))
}

fn list(lua: &Lua, args: &Args) -> Result<Vec<String>> {
    let folder = match args.get::<Option<PathBuf>>("folder")? {
        Some(_) => path(lua, args, "folder")?,
        None => access(lua).inside(".")?,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed(&folder))? {
        let entry = entry.map_err(failed(&folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Paths in the order of their names, relative where the pattern is.
fn glob(lua: &Lua, args: &Args) -> Result<Vec<String>> {
    let pattern: String = args.get("pattern")?;
    let policy = access(lua);
    // The part before the first wildcard decides whether the pattern may be followed.
    let fixed: PathBuf = Path::new(&pattern)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    let start = policy.inside(if fixed.as_os_str().is_empty() { Path::new(".") } else { &fixed })?;
    let parts: Vec<String> = Path::new(&pattern)
        .components()
        .skip(fixed.components().count())
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let mut found = Vec::new();
    walk(&policy, &start, &fixed, &parts, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
}

/// Follows `parts` from `folder`, which the user calls `shown`. `**` stands for any folders, also none.
fn walk(
    policy: &Access,
    folder: &Path,
    shown: &Path,
    parts: &[String],
    found: &mut Vec<String>,
) -> Result<()> {
    crate::interrupt::check()?;
    let Some((part, rest)) = parts.split_first() else {
        if folder.exists() {
            found.push(shown.display().to_string());
        }
        return Ok(());
    };
    let any_depth = part == "**";
    if any_depth {
        walk(policy, folder, shown, rest, found)?;
    }
    let matcher = wildcard(part)?;
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') && !part.starts_with('.');
        let kind = entry.file_type();
        let is_folder = kind.as_ref().is_ok_and(|t| t.is_dir());
        if hidden || !(any_depth || matcher.is_match(&name)) {
            continue;
        }
        // A link may lead out of the folders.
        if !kind.is_ok_and(|t| !t.is_symlink()) && policy.inside(entry.path()).is_err() {
            continue;
        }
        if any_depth {
            if is_folder {
                walk(policy, &entry.path(), &shown.join(&name), parts, found)?;
            }
        } else if rest.is_empty() || entry.path().is_dir() {
            walk(policy, &entry.path(), &shown.join(&name), rest, found)?;
        }
    }
    Ok(())
}

/// `*`, `?`, `[abc]` and `{a,b}` of a shell, for one name.
fn wildcard(part: &str) -> Result<regex::Regex> {
    let mut expression = String::from("^");
    let mut inside = false;
    for c in part.chars() {
        match c {
            '[' => {
                inside = true;
                expression.push('[');
            }
            ']' => {
                inside = false;
                expression.push(']');
            }
            '!' if inside && expression.ends_with('[') => expression.push('^'),
            c if inside => expression.push(c),
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            '{' => expression.push_str("(?:"),
            '}' => expression.push(')'),
            ',' => expression.push('|'),
            c => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    expression.push('$');
    regex::Regex::new(&expression)
        .map_err(|_| Error::argument("pattern", "a pattern with *, ?, [abc] or {a,b}", format!("{part:?}")))
}

fn mkdir(lua: &Lua, args: &Args) -> Result<()> {
    let path = target(lua, args, "path")?;
    match is_told(lua, "mkdir", &path) {
        true => Ok(()),
        false => Folder::make(&path).map(drop),
    }
}

options! {
    struct Removing("fs.RemoveOptions") {
        /// Also a folder with all that is in it.
        recursive: bool = false,
    }
}

fn remove(lua: &Lua, args: &Args, o: Removing) -> Result<bool> {
    let target = target(lua, args, "path")?;
    let Ok(found) = fs::symlink_metadata(&target) else {
        return Ok(false);
    };
    access(lua).check_movable(&target)?;
    if is_told(lua, "remove", &target) {
        return Ok(true);
    }
    let entry = FolderEntry::of(&target)?;
    match (found.is_dir(), o.recursive) {
        (false, _) => fs::remove_file(entry.path()),
        (true, true) => fs::remove_dir_all(entry.path()),
        (true, false) => {
            let empty = fs::read_dir(entry.path()).map_err(failed(&target))?.next().is_none();
            if !empty {
                return Err(Error::file(
                    &target,
                    "the folder is not empty; remove it with { recursive = true }",
                ));
            }
            fs::remove_dir(entry.path())
        }
    }
    .map_err(failed(&target))?;
    Ok(true)
}

fn rename(lua: &Lua, args: &Args) -> Result<()> {
    let (from, to) = (target(lua, args, "from")?, target(lua, args, "to")?);
    access(lua).check_movable(&from)?;
    if is_told(lua, "rename", &to) {
        return Ok(());
    }
    let (old, new) = (FolderEntry::of(&from)?, FolderEntry::of(&to)?);
    fs::rename(old.path(), new.path()).map_err(failed(&from))
}

fn copy(lua: &Lua, args: &Args) -> Result<u64> {
    let from = access(lua).read(args.get::<PathBuf>("from")?)?;
    let to = target(lua, args, "to")?;
    let mut source = gate::open(&from).map_err(failed(&from))?;
    if is_told(lua, "copy", &to) {
        return Ok(source.metadata().map_err(failed(&from))?.len());
    }
    let mut copied = 0;
    write_atomically(&to, |out| {
        copied = std::io::copy(&mut source, out)?;
        Ok(())
    })?;
    Ok(copied)
}

/// In app data: folders to remove when the virtual machine ends.
#[derive(Default)]
struct Temporary(Vec<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Nothing is left to tell it to; the process's folder around it goes at its end.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn temporary(lua: &Lua, _: &Args) -> Result<String> {
    static COUNTER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let n = COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = scratch::folder()?.join(format!("folder-{n}"));
    fs::create_dir(&folder).map_err(failed(&folder))?;
    let shown = folder.display().to_string();
    if lua.app_data_ref::<Temporary>().is_none() {
        lua.set_app_data(Temporary::default());
    }
    if let Some(mut folders) = lua.app_data_mut::<Temporary>() {
        folders.0.push(folder);
    }
    Ok(shown)
}

fn working(lua: &Lua, _: &Args) -> Result<String> {
    Ok(access(lua).working().display().to_string())
}

fn join(_: &Lua, args: &Args) -> Result<String> {
    let mut path = PathBuf::new();
    for (i, part) in args.rest().iter().enumerate() {
        path.push(<String as super::FromScript>::from_script(part, &format!("part {}", i + 1))?);
    }
    Ok(path.display().to_string())
}

fn basename(_: &Lua, args: &Args) -> Result<String> {
    let path: PathBuf = args.get("path")?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let suffix: Option<String> = args.get("suffix")?;
    Ok(match suffix.as_deref().and_then(|suffix| name.strip_suffix(suffix)) {
        Some(short) if !short.is_empty() => short.to_string(),
        _ => name,
    })
}

fn dirname(_: &Lua, args: &Args) -> Result<String> {
    let path: PathBuf = args.get("path")?;
    Ok(match path.parent().map(|p| p.display().to_string()) {
        Some(folder) if !folder.is_empty() => folder,
        Some(_) => ".".to_string(),
        None => "/".to_string(),
    })
}

/// Without the dot; empty where there is none.
fn extension(_: &Lua, args: &Args) -> Result<String> {
    let path: PathBuf = args.get("path")?;
    Ok(path.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*.tif", "a.tif", true),
            ("*.tif", "a.tiff", false),
            ("a?.tif", "ab.tif", true),
            ("a.tif", "aXtif", false),
            ("[ab]*", "beta", true),
            ("[!ab]*", "beta", false),
            ("*_{VV,VH}.tif", "s1_VH.tif", true),
            ("*_{VV,VH}.tif", "s1_HH.tif", false),
        ] {
            assert_eq!(wildcard(pattern).unwrap().is_match(name), expected, "{pattern} {name}");
        }
    }
}
