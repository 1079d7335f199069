//! Scripts by their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use url::Url;

use super::fetch;
use super::project::{self, Fetch};
use crate::bounds;
use crate::bytes::http::redacted;
use crate::error::{Error, Result, nearest};
use crate::host::loader::{self, Local, Surroundings};
use crate::share::bundle::{self, Bundle, Manifest, Signed, Signers};
use crate::share::project::Store;
use crate::share::provenance::{Origin, sha256};
use crate::work;

/// A script that was found.
pub struct Script {
    pub name: String,
    pub text: String,
    /// What errors call it.
    pub chunk: String,
    /// Where it lies, for `require`; none for what ships, and for what came from an address.
    pub folder: Option<PathBuf>,
    /// It came from an address.
    pub is_fetched: bool,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Of one that came as a bundle.
    pub bundle: Option<Packed>,
}

/// What a script that came as a bundle has with it.
pub struct Packed {
    pub bundle: Bundle,
    pub signed: Signed,
    pub modules: BTreeMap<String, Local>,
}

impl Script {
    /// A file, or else a script of the project around the working folder, or a workflow, of that name; or what lies at an address.
    ///
    /// # Errors
    /// When there is none of these; a file that cannot be read, is not UTF-8, or is compiled Lua.
    pub fn find(name: &str) -> Result<Script> {
        if fetch::is_address(name) {
            return Script::fetched(name);
        }
        let mut path = PathBuf::from(name);
        if !path.is_file() && path.extension().is_none() && path.with_extension("lua").is_file() {
            path.set_extension("lua");
        }
        if path.is_file() {
            let bytes = bounds::read_file(&path, 1, "a script is not that long")?;
            if bundle::is_one(&bytes) {
                let folder = path.parent().map(Path::to_path_buf);
                return Script::unpacked(&path, folder, &path, &bytes);
            }
            return Ok(Script {
                name: path.display().to_string(),
                sha256: sha256(&bytes),
                text: text_of(bytes, &path)?,
                chunk: format!("@{}", path.display()),
                folder: path.parent().map(Path::to_path_buf),
                is_fetched: false,
                bundle: None,
            });
        }
        let workflow = Script::workflow(name);
        match (project::script(name), workflow) {
            (Ok(Some(path)), None) => return Script::find(&path.display().to_string()),
            (Ok(Some(path)), Some(_)) => {
                return Err(Error::message(format!(
                    "`{name}` is a script of this project, {}, and a workflow that ships with perilune: give the script another name in {}, or \
                     run it by its path",
                    path.display(),
                    crate::share::project::FILE
                )));
            }
            // A project that is not in order does not keep from what ships.
            (_, Some(workflow)) => return Ok(workflow),
            (Err(error), None) => return Err(error),
            (Ok(None), None) => {}
        }
        let looked_in = std::env::current_dir().unwrap_or_default();
        let known = loader::library_names("workflows");
        let mut near: Vec<String> = known.clone();
        near.extend(lua_files(
            path.parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        ));
        near.extend(project::script_names());
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
            is_fetched: false,
            bundle: None,
        })
    }

    /// What lies at an address: a script of others, unless it is a bundle that its user has signed.
    fn fetched(text: &str) -> Result<Script> {
        let (address, expected) = fetch::parts(text)?;
        let (bytes, hash) = fetch::bytes(&address, expected.as_deref())?;
        let shown = redacted(&address);
        // By this name it comes out of the store again.
        let name = format!("{shown}#sha256={hash}");
        if expected.is_none() {
            work::tell(&format!(
                "fetched {shown}: sha256 {hash}; {name} is this very content"
            ));
        }
        let file = file_at(&address);
        if bundle::is_one(&bytes) {
            let script = Script::unpacked(&file, None, &Store::of_user()?.path(&hash), &bytes)?;
            return Ok(Script { name, ..script });
        }
        Ok(Script {
            sha256: hash,
            text: text_of(bytes, Path::new(&shown))?,
            chunk: format!("@{}", file.display()),
            name,
            folder: None,
            is_fetched: true,
            bundle: None,
        })
    }

    /// Of a bundle, which errors call `path`, and its parts as if it were a folder, with the lines that they have in their own files. It lies in `folder`, and
    /// its signature beside `lies`.
    fn unpacked(path: &Path, folder: Option<PathBuf>, lies: &Path, bytes: &[u8]) -> Result<Script> {
        let found = bundle::read(bytes).map_err(|e| Error::file(path, e.to_string()))?;
        let signed = bundle::check(lies, bytes, Signers::of_user().as_ref())?;
        let is_fetched = folder.is_none();
        let beside = folder.clone().unwrap_or_default();
        let parts = found.manifest.modules.iter().zip(&found.modules);
        let modules = parts
            .map(|(part, text)| {
                let file = format!("{}.lua", part.name.replace('.', "/"));
                let local = Local {
                    text: text.clone(),
                    shown: format!("@{}/{file}", path.display()),
                    path: beside.join(file),
                    library: part.library.clone(),
                };
                (part.name.clone(), local)
            })
            .collect();
        Ok(Script {
            name: path.display().to_string(),
            sha256: found.sha256.clone(),
            text: text_of(found.script.clone().into_bytes(), path)?,
            chunk: format!("@{}/{}", path.display(), found.manifest.script.name),
            folder,
            is_fetched,
            bundle: Some(Packed {
                bundle: found,
                signed,
                modules,
            }),
        })
    }

    /// The bundle in a folder that holds the script of this name and, by its text, this hash.
    pub fn bundled(file: &Path, hash: &str) -> Option<Script> {
        let folder = file.parent()?;
        let entries = std::fs::read_dir(folder).ok()?.flatten();
        let mut names: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        names.retain(|path| path.extension().is_some_and(|e| e == "lua") && path.is_file());
        names.sort();
        names
            .iter()
            .filter_map(|path| Script::find(&path.display().to_string()).ok())
            .find(|script| {
                script.manifest().is_some_and(|m| file.ends_with(&m.script.name))
                    && sha256(&script.text) == hash
            })
    }

    pub fn manifest(&self) -> Option<&Manifest> {
        self.bundle.as_ref().map(|packed| &packed.bundle.manifest)
    }

    /// Whether it is a script of others by what it is: from an address, or a bundle, unless its user has signed it herself.
    pub fn is_foreign(&self) -> bool {
        match &self.bundle {
            Some(packed) => !packed.signed.is_own(),
            None => self.is_fetched,
        }
    }

    /// The project that it is in, with its libraries. None around bundles, which hold all that they require, and where it lies in no folder.
    ///
    /// # Errors
    /// What is wrong with the project.
    pub fn surroundings(&self, fetch: Fetch) -> Result<Option<Surroundings>> {
        match (&self.folder, &self.bundle) {
            (Some(folder), None) if folder.as_os_str().is_empty() => project::around(Path::new("."), fetch),
            (Some(folder), None) => project::around(folder, fetch),
            _ => Ok(None),
        }
    }

    /// Who has signed it, as answers are remembered with it.
    pub fn signer(&self) -> Option<String> {
        self.bundle.as_ref().and_then(|packed| packed.signed.signer())
    }

    /// Who has signed it, in words.
    pub fn signed_by(&self) -> String {
        self.bundle
            .as_ref()
            .map_or_else(|| Signed::Nobody.shown(), |packed| packed.signed.shown())
    }

    /// The parameters that its user gave, behind those that came with it and that she did not give.
    pub fn with_bundled(&self, given: &[(String, Option<String>)]) -> Vec<(String, Option<String>)> {
        let mut all = self.manifest().map_or_else(Vec::new, Manifest::given);
        all.retain(|(name, _)| !given.iter().any(|(other, _)| other == name));
        all.extend_from_slice(given);
        all
    }

    /// What records say of it: of a bundle, what they would say of the script if it lay there by itself, so that it makes the same bytes.
    pub fn origin(&self) -> Origin {
        let path = match (&self.folder, self.manifest()) {
            (Some(folder), Some(manifest)) => Some(folder.join(&manifest.script.name)),
            // In the folder that it is run in, whose data it reads.
            (None, Some(manifest)) => Some(PathBuf::from(&manifest.script.name)),
            (Some(_), None) => Some(PathBuf::from(&self.name)),
            (None, _) => None,
        };
        Origin {
            name: self.name.clone(),
            path,
            text: self.text.as_str().into(),
        }
    }
}

/// What a file at an address is called.
fn file_at(address: &Url) -> PathBuf {
    let last = address.path_segments().and_then(|mut parts| parts.next_back());
    let name: String = last
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        .take(100)
        .collect();
    match name.trim_matches('.').is_empty() {
        true => PathBuf::from("script.lua"),
        false => PathBuf::from(name),
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
