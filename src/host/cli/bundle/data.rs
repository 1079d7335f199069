//! What a script reads and makes, by content.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::super::verify::Made;
use super::measured;
use crate::error::{Error, Result};
use crate::lua::spec::{Spec, ValueType};
use crate::share::bundle::{Data, Expected, inside};
use crate::share::provenance::{self, State};

/// Data of one script; more lie in one file, or belong to an archive.
const MOST: usize = 10_000;

/// What was named, and what records name.
///
/// # Errors
/// What is not there, has changed since, or lies elsewhere.
pub fn of(named: &[PathBuf], made: &[Made], working: &Path) -> Result<Vec<Data>> {
    let mut paths = Vec::new();
    for path in named {
        if !path.exists() {
            return Err(Error::NoSuchFile {
                path: path.clone(),
                looked_in: working.to_path_buf(),
            });
        }
        files(path, &mut paths)?;
    }
    let mut data = Vec::new();
    for file in made {
        for input in &file.record.inputs {
            let Some(path) = provenance::found(&input.path, &file.path) else {
                data.push(Data {
                    address: Some(input.path.clone()),
                    sha256: input.sha256.clone(),
                    bytes: input.bytes,
                    version: input.version.clone(),
                    ..Data::default()
                });
                continue;
            };
            // What the run has made itself.
            if made.iter().any(|other| other.path == path) {
                continue;
            }
            let shown = relative(&path, working)?;
            match provenance::state(input, &file.path) {
                State::Changed | State::Gone => {
                    return Err(Error::file(
                        shown,
                        format!(
                            "is not what {} was made of; run the script again, then bundle it",
                            file.shown.display()
                        ),
                    ));
                }
                State::Same | State::Unknown => files(&path, &mut paths)?,
            }
        }
    }
    for path in paths {
        data.push(datum(&path, working)?);
    }
    Ok(data)
}

/// Files that parameters of type path name; folders are named apart, since a script may read a part of one.
///
/// # Errors
/// As `of`.
pub fn of_parameters(
    parameters: &Map<String, Json>,
    specs: Option<&[Spec]>,
    working: &Path,
) -> Result<Vec<Data>> {
    let is_path = |name: &str| {
        specs.is_some_and(|specs| {
            specs
                .iter()
                .any(|spec| spec.name == name && spec.kind == ValueType::Path)
        })
    };
    let mut data = Vec::new();
    for (name, value) in parameters {
        if let Some(path) = value
            .as_str()
            .filter(|path| is_path(name) && Path::new(path).is_file())
        {
            data.push(datum(Path::new(path), working)?);
        }
    }
    Ok(data)
}

/// # Errors
/// What is not there, or lies elsewhere.
pub fn expected(outputs: &[PathBuf], working: &Path) -> Result<Vec<Expected>> {
    let mut paths = Vec::new();
    for path in outputs {
        files(path, &mut paths)?;
    }
    let mut expect = Vec::new();
    for path in paths {
        let (bytes, sha256) = measured(&path)?;
        expect.push(Expected {
            path: relative(&path, working)?,
            bytes,
            sha256,
        });
    }
    expect.sort_by(|a, b| a.path.cmp(&b.path));
    expect.dedup();
    Ok(expect)
}

fn datum(path: &Path, working: &Path) -> Result<Data> {
    let shown = relative(path, working)?;
    let (bytes, sha256) = measured(path)?;
    Ok(Data {
        path: Some(shown),
        bytes: Some(bytes),
        sha256: Some(sha256),
        ..Data::default()
    })
}

/// The path from the folder that the script is run in.
fn relative(path: &Path, working: &Path) -> Result<String> {
    let whole = provenance::plain(&working.join(path));
    let below = whole.strip_prefix(working).ok().and_then(Path::to_str);
    below.filter(|below| inside(below)).map(str::to_string).ok_or_else(|| {
        Error::file(
            path,
            format!(
                "lies outside of {}, from which paths in a bundle count: bundle, and run the script, in a folder that holds script and data, \
                 or copy it there",
                working.display()
            ),
        )
    })
}

/// The file, or the files of a folder.
fn files(path: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_symlink() {
        return Err(Error::file(
            path,
            "is a link; data that are handed on lie in the folder themselves: copy what it leads to there",
        ));
    }
    if out.len() >= MOST {
        return Err(Error::message(format!(
            "a bundle names at most {MOST} files of data; put them into one file, such as a zip or a Zarr in one"
        )));
    }
    if !path.is_dir() {
        out.push(path.to_path_buf());
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(|e| Error::io(path, e))?;
    let mut found = Vec::new();
    for entry in entries {
        found.push(entry.map_err(|e| Error::io(path, e))?.path());
    }
    found.sort();
    found.iter().try_for_each(|path| files(path, out))
}
