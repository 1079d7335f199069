//! The project around a script, and `perilune add`.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::{DONE, fetch};
use crate::bytes::http::redacted;
use crate::error::{Error, Result};
use crate::files::write_whole;
use crate::host::loader::{self, Surroundings};
use crate::share::project::{
    Dependency, FILE, Libraries, Library, Project, Store, is_library_name, with_dependency,
};
use crate::share::provenance::plain;

/// Whether what is not here yet may be fetched. Of a script of others it is not: its author would learn who looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    Yes,
    No,
}

/// The project that a folder is in, with its libraries.
///
/// # Errors
/// What is wrong with its file or its libraries.
pub fn around(folder: &Path, fetch: Fetch) -> Result<Option<Surroundings>> {
    let Some(project) = Project::around(folder)? else {
        return Ok(None);
    };
    let libraries = Arc::new(libraries(&project, fetch)?);
    Ok(Some(Surroundings {
        root: project.root,
        libraries,
    }))
}

fn libraries(project: &Project, fetch: Fetch) -> Result<Libraries> {
    let shipped = loader::module_names();
    Libraries::of(project, &shipped, &|address, hash| {
        match fetch {
        Fetch::Yes => Ok(fetch::bytes(address, Some(hash))?.0),
        Fetch::No => Store::of_user()?.get(hash)?.ok_or_else(|| {
            Error::message(format!(
                "{} was not fetched yet; `perilune add` in the folder of the project fetches what it needs, and runs nothing of it",
                redacted(address)
            ))
        }),
    }
    })
}

/// The script that the project around the working folder calls so.
///
/// # Errors
/// What is wrong with its file, and a script that is not there.
pub fn script(name: &str) -> Result<Option<PathBuf>> {
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let Some(project) = Project::around(&working)? else {
        return Ok(None);
    };
    let Some(path) = project.scripts.get(name) else {
        return Ok(None);
    };
    let path = project.root.join(path);
    match path.is_file() {
        // As it would be typed.
        true => Ok(Some(
            path.strip_prefix(&working).map(Path::to_path_buf).unwrap_or(path),
        )),
        false => Err(Error::file(
            project.file(),
            format!("the script `{name}` is not there: {}", path.display()),
        )),
    }
}

/// The names of scripts of the project around the working folder.
pub fn script_names() -> Vec<String> {
    let working = std::env::current_dir().unwrap_or_default();
    let project = Project::around(&working).ok().flatten();
    project.map_or_else(Vec::new, |project| project.scripts.into_keys().collect())
}

/// What is asked for.
#[derive(Args)]
pub struct Wanted {
    /// What scripts require it by; without a name, fetches what perilune.toml names
    name: Option<String>,
    /// A folder with its modules, or a file of Lua
    #[arg(long, value_name = "PATH", group = "place")]
    path: Option<String>,
    /// The address of a module or a bundle
    #[arg(long, value_name = "ADDRESS", group = "place")]
    url: Option<String>,
    /// The DOI of a record at Zenodo, such as 10.5281/zenodo.1234567, with --file
    #[arg(long, value_name = "DOI", group = "place", requires = "file")]
    doi: Option<String>,
    /// The file in that record
    #[arg(long, value_name = "NAME", requires = "doi")]
    file: Option<String>,
    /// The hash that what is fetched has to have
    #[arg(long, value_name = "HASH", conflicts_with = "path")]
    sha256: Option<String>,
}

/// # Errors
/// When there is no project, or what is asked for cannot be a library of it: then its file is as it was.
pub fn add(wanted: &Wanted) -> Result<u8> {
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let Some(project) = Project::around(&working)? else {
        return Err(Error::message(format!(
            "there is no {FILE} in {} or above; a project begins with one:\n  [project]\n  name = \"my-project\"",
            working.display()
        )));
    };
    let Some(name) = &wanted.name else {
        if wanted.path.is_some() || wanted.url.is_some() || wanted.doi.is_some() {
            return Err(Error::message(
                "name the library, which is what scripts require: perilune add NAME --path …",
            ));
        }
        let found = libraries(&project, Fetch::Yes)?;
        found
            .iter()
            .for_each(|library| crate::say!("{}", library.shown()));
        let count = found.iter().count();
        let word = if count == 1 { "library" } else { "libraries" };
        crate::say!("{count} {word} of {}, all here", project.name);
        return Ok(DONE);
    };
    if !is_library_name(name) {
        return Err(Error::message(format!(
            "a library is named by letters of ASCII, digits, `_` and `-`, and `{name}` is none: it is what scripts require"
        )));
    }
    let expected = wanted.sha256.as_deref();
    let (dependency, doi) = match (&wanted.path, &wanted.url, &wanted.doi, &wanted.file) {
        (Some(path), ..) => (Dependency::Path(from_root(path, &working, &project.root)), None),
        (_, Some(url), ..) => {
            let (address, behind) = fetch::parts(url)?;
            let (_, hash) = fetch::bytes(&address, expected.or(behind.as_deref()))?;
            (Dependency::at_address(address.as_str(), hash)?, None)
        }
        (.., Some(doi), Some(file)) => {
            let Dependency::Fetched { address, .. } = Dependency::in_archive(doi, file, String::new())?
            else {
                return Err(Error::message("a file of a record is fetched"));
            };
            let (_, hash) = fetch::bytes(&address, expected)?;
            (
                Dependency::in_archive(doi, file, hash)?,
                Some((doi.as_str(), file.as_str())),
            )
        }
        _ => {
            return Err(Error::message(format!(
                "say where {name} is: --path FOLDER, --url ADDRESS, or --doi DOI --file NAME"
            )));
        }
    };
    let file = project.file();
    let before = std::fs::read_to_string(&file).map_err(|e| Error::io(&file, e))?;
    let text = with_dependency(&before, name, &dependency.written(doi))
        .map_err(|e| Error::file(&file, e.to_string()))?;
    // What is written is a project, whose libraries are all there.
    let found = libraries(&Project::from_text(&text, &file)?, Fetch::Yes)?;
    let real = file.canonicalize().map_err(|e| Error::io(&file, e))?;
    write_whole(&real, text.as_bytes())?;
    let shown = found.of_module(name).map_or(name.clone(), Library::shown);
    crate::say!(
        "{shown} is in {}; scripts have it by require \"{name}\"",
        file.display()
    );
    Ok(DONE)
}

/// A path that was typed in `working`, as it counts from `root`.
fn from_root(path: &str, working: &Path, root: &Path) -> String {
    let typed = Path::new(path);
    if typed.is_absolute() {
        return path.to_string();
    }
    let (target, root) = (plain(&working.join(typed)), plain(root));
    let shared = target
        .components()
        .zip(root.components())
        .take_while(|(a, b)| a == b)
        .count();
    let mut out: PathBuf =
        std::iter::repeat_n(Component::ParentDir, root.components().count() - shared).collect();
    out.extend(target.components().skip(shared));
    match out.as_os_str().is_empty() {
        true => ".".to_string(),
        false => out.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_count_from_the_root() {
        let of = |path: &str| from_root(path, Path::new("/a/ice/scripts"), Path::new("/a/ice"));
        assert_eq!(of("../../glacier"), "../glacier");
        assert_eq!(of("lib/"), "scripts/lib");
        assert_eq!(of(".."), ".");
        assert_eq!(of("/b/c"), "/b/c");
    }
}
