//! The Lua texts that a command is given: files, folders of such, standard input.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::share::bundle;

pub const STANDARD_INPUT: &str = "-";

pub struct Text {
    /// As it was given, or found; `-` for standard input.
    pub path: PathBuf,
    pub text: String,
}

impl Text {
    pub fn is_standard_input(&self) -> bool {
        self.path.as_os_str() == STANDARD_INPUT
    }

    /// The line for the shell at its top, and the rest.
    pub fn parts(&self) -> (&str, &str) {
        let shell = match self.text.starts_with('#') {
            true => self.text.split_inclusive('\n').next().unwrap_or_default(),
            false => "",
        };
        (shell, &self.text[shell.len()..])
    }
}

/// # Errors
/// A path that is not there or cannot be read, a text that is not UTF-8, and a bundle, whose text is what its hashes say.
pub fn of(paths: &[PathBuf]) -> Result<Vec<Text>> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == STANDARD_INPUT {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|e| Error::io(path, e))?;
            found.push(Text {
                path: path.clone(),
                text,
            });
            continue;
        }
        let mut files = Vec::new();
        match path.is_dir() {
            true => below(path, &mut files)?,
            false => files.push(path.clone()),
        }
        for file in files {
            found.push(read(file)?);
        }
    }
    Ok(found)
}

fn read(path: PathBuf) -> Result<Text> {
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    if bundle::is_one(&bytes) {
        return Err(Error::file(
            path,
            "is a bundle; `perilune unpack` writes its script out",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::file(&path, "not a text in UTF-8"))?;
    Ok(Text { path, text })
}

/// The Lua files below a folder, in order. What is hidden is left out, and so are links to folders, which may lead back.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let mut entries = entries
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Error::io(folder, e))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(|e| Error::io(&path, e))?;
        if kind.is_dir() {
            below(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "lua") && path.is_file() {
            // As it would be typed.
            files.push(path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path));
        }
    }
    Ok(())
}
