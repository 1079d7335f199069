//! Scripts by their names.

use std::path::{Path, PathBuf};

use crate::bounds;
use crate::error::{Error, Result, nearest};
use crate::host::loader;
use crate::share::provenance::{Origin, sha256};

/// A script that was found.
pub struct Script {
    pub name: String,
    pub text: String,
    /// What errors call it.
    pub chunk: String,
    /// Where it lies, for `require`; none for what ships.
    pub folder: Option<PathBuf>,
    /// SHA-256 of the file.
    pub sha256: String,
}

impl Script {
    /// A file, or else a workflow of that name.
    ///
    /// # Errors
    /// When there is neither; a file that cannot be read, is not UTF-8, or is compiled Lua.
    pub fn find(name: &str) -> Result<Script> {
        let mut path = PathBuf::from(name);
        if !path.is_file() && path.extension().is_none() && path.with_extension("lua").is_file() {
            path.set_extension("lua");
        }
        if path.is_file() {
            let bytes = bounds::read_file(&path, 1, "a script is not that long")?;
            return Ok(Script {
                name: path.display().to_string(),
                sha256: sha256(&bytes),
                text: text_of(bytes, &path)?,
                chunk: format!("@{}", path.display()),
                folder: path.parent().map(Path::to_path_buf),
            });
        }
        if let Some(script) = Script::workflow(name) {
            return Ok(script);
        }
        let looked_in = std::env::current_dir().unwrap_or_default();
        let known = loader::library_names("workflows");
        let mut near: Vec<String> = known.clone();
        near.extend(lua_files(
            path.parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        ));
        let hint = match nearest(name, near.iter().map(String::as_str)) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => format!("; the workflows are: {}", known.join(", ")),
        };
        Err(Error::message(format!(
            "no script `{name}`: no such file (looked in {}), and no workflow of that name{hint}",
            looked_in.display()
        )))
    }

    /// A workflow that ships.
    pub fn workflow(name: &str) -> Option<Script> {
        let plain = name.strip_suffix(".lua").unwrap_or(name);
        let text = loader::library_file(&format!("workflows/{plain}.lua"))?;
        Some(Script {
            name: plain.to_string(),
            sha256: sha256(text.as_bytes()),
            text,
            chunk: format!("@workflows/{plain}.lua"),
            folder: None,
        })
    }

    /// What records say of it.
    pub fn origin(&self) -> Origin {
        Origin {
            name: self.name.clone(),
            path: self.folder.as_ref().map(|_| PathBuf::from(&self.name)),
            text: self.text.as_str().into(),
        }
    }
}

/// A script's text. Bytecode is refused here already, with its own words.
fn text_of(bytes: Vec<u8>, path: &Path) -> Result<String> {
    if bytes.starts_with(b"\x1bLua") {
        return Err(Error::file(
            path,
            "this is compiled Lua; only the text of scripts is run",
        ));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| Error::file(path, "not a Lua script: its text is not UTF-8"))?;
    // A first line `#!/usr/bin/env …` is for the shell.
    Ok(if text.starts_with('#') {
        format!("--{text}")
    } else {
        text
    })
}

fn lua_files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "lua"))
        .map(|path| path.strip_prefix(".").unwrap_or(&path).display().to_string())
        .collect()
}
