//! `perilune unpack`: the script and the modules of a bundle as files.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::DONE;
use super::fetch::is_address;
use super::scripts::Script;
use crate::error::{Error, Result};
use crate::gate::Folder;
use crate::share::permissions::escaped;

/// # Errors
/// When it is no bundle, or a file is there already: then nothing is written.
pub fn run(path: &Path, folder: Option<&Path>) -> Result<u8> {
    let script = bundle(path)?;
    let Some(packed) = &script.bundle else {
        return Ok(DONE);
    };
    let about = &packed.bundle.manifest.script;
    let folder = match folder {
        Some(folder) => folder.to_path_buf(),
        None => PathBuf::from(about.name.strip_suffix(".lua").unwrap_or(&about.name)),
    };
    let mut files = vec![(about.name.clone(), &packed.bundle.script)];
    for (part, text) in packed.bundle.manifest.modules.iter().zip(&packed.bundle.modules) {
        files.push((format!("{}.lua", part.name.replace('.', "/")), text));
    }
    for (name, _) in &files {
        let target = folder.join(name);
        if target.symlink_metadata().is_ok() {
            return Err(Error::file(
                &target,
                "is there already, and nothing is written over files: name another folder behind the bundle",
            ));
        }
    }
    let root = Folder::make(&folder)?;
    for (name, text) in &files {
        let target = folder.join(name);
        write(&root, name, text).map_err(|e| Error::io(&target, e))?;
        crate::say!("{}", escaped(&target.display().to_string()));
    }
    if !packed.signed.is_own() {
        crate::say!(
            "signed by {}; run as it is, it does all that you can do: `perilune run --untrusted {}` asks first",
            escaped(&packed.signed.shown()),
            escaped(&folder.join(&about.name).display().to_string())
        );
    }
    Ok(DONE)
}

/// A new file below a folder, through no links.
fn write(root: &Folder, name: &str, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let (folders, file) = match name.rsplit_once('/') {
        Some((folders, file)) => (folders, file),
        None => ("", name),
    };
    let mut below: Option<Folder> = None;
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        let (entered, _) = below.as_ref().unwrap_or(root).enter_or_make(OsStr::new(part))?;
        below = Some(entered);
    }
    let folder = below.as_ref().unwrap_or(root);
    folder.open_own(file, &mut options)?.write_all(text.as_bytes())
}

/// A file that has to be a bundle.
///
/// # Errors
/// When it is none.
pub fn bundle(path: &Path) -> Result<Script> {
    if !path.is_file() && !is_address(&path.to_string_lossy()) {
        return Err(Error::NoSuchFile {
            path: path.to_path_buf(),
            looked_in: std::env::current_dir().unwrap_or_default(),
        });
    }
    let script = Script::find(&path.display().to_string())?;
    match script.bundle {
        Some(_) => Ok(script),
        None => Err(Error::file(
            path,
            "is no bundle; `perilune bundle SCRIPT` makes one of a script",
        )),
    }
}
