//! `raster.find` and `raster.match_name`: image files in a folder, and what their names say.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use mlua::{Lua, Table};

use crate::error::{Error, Result};
use crate::lua::{Args, access};
use crate::options;
use crate::raster::stack::NamePattern;
use crate::table::format_time;

/// What most image files are called.
const EXTENSIONS: &[&str] = &["tif", "tiff", "vrt", "img", "nc", "h5", "hdf", "jp2", "png", "jpg", "bil", "envi", "dat"];

options! {
    pub struct Find("raster.FindOptions") {
        /// How the names end, small or capital. Default those of the usual image formats: tif, tiff, vrt, img, nc, h5, hdf, jp2, png,
        /// jpg, bil, envi, dat.
        extensions: Option<Vec<String>>,
        /// Also in the folders below.
        recursive: bool = true,
        /// Only names that fit a pattern, as in `raster.stack`.
        pattern: Option<String>,
    }
}

/// `raster.find(folder, options?)`
pub fn find(lua: &Lua, args: &Args, o: Find) -> Result<Vec<String>> {
    let folder: String = args.get("folder")?;
    let pattern = o.pattern.map(|text| NamePattern::parse(&text)).transpose()?;
    let access = access(lua);
    let root = access.read(&folder)?;
    if !root.is_dir() {
        return Err(if root.exists() {
            Error::file(&folder, "is a file, not a folder")
        } else {
            Error::file(&folder, format!("no such folder (looked in {})", access.working().display()))
        });
    }
    let wanted: Vec<String> = match &o.extensions {
        Some(list) => list.iter().map(|e| e.trim_start_matches('.').to_lowercase()).collect(),
        None => EXTENSIONS.iter().map(|e| e.to_string()).collect(),
    };
    let mut found = Vec::new();
    walk(&root, o.recursive, &mut HashSet::new(), &mut |path| {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let fits = match &pattern {
            Some(pattern) => pattern.matches(&name)?.is_some(),
            None => true,
        };
        if fits && extension.is_some_and(|e| wanted.contains(&e)) {
            found.push(path.to_path_buf());
        }
        Ok(())
    })?;
    found.sort();
    // Named from the folder as the script wrote it.
    let shown = |path: PathBuf| {
        let inside = path.strip_prefix(&root).unwrap_or(&path);
        Path::new(&folder).join(inside).to_string_lossy().into_owned()
    };
    Ok(found.into_iter().map(shown).collect())
}

/// Visits the files below `folder`. Hidden ones are left out: among them are the drafts of files being written.
fn walk(
    folder: &Path,
    recursive: bool,
    seen: &mut HashSet<PathBuf>,
    visit: &mut dyn FnMut(&Path) -> Result<()>,
) -> Result<()> {
    let failed = |e| Error::io(folder, e);
    // A link may lead back to a folder above.
    if !seen.insert(folder.canonicalize().map_err(failed)?) {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            if recursive {
                walk(&path, recursive, seen, visit)?;
            }
        } else {
            visit(&path)?;
        }
    }
    Ok(())
}

/// `raster.match_name(name, pattern)`
pub fn match_name(lua: &Lua, args: &Args) -> Result<Option<Table>> {
    let name: String = args.get("name")?;
    let pattern = NamePattern::parse(&args.get::<String>("pattern")?)?;
    let name = Path::new(&name).file_name().unwrap_or_default().to_string_lossy();
    let Some(parts) = pattern.matches(&name)? else {
        return Ok(None);
    };
    let table = lua.create_table()?;
    for (field, value) in parts.properties {
        table.raw_set(field, value.to_string())?;
    }
    if let Some(time) = parts.time {
        table.raw_set("time", format_time(time))?;
    }
    Ok(Some(table))
}
