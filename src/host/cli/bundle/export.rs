//! `perilune bundle export`: a bundle, its small data and results as an RO-Crate in one zip.

use std::path::{Path, PathBuf};

use clap::Args;

use super::super::DONE;
use super::super::bundled::{self, DataState};
use super::super::unpack::bundle as bundle_at;
use super::super::verify::files_in;
use super::{data, measured};
use crate::bounds::parse_size;
use crate::error::{Error, Result, counted, shown_bytes};
use crate::host::params::description;
use crate::share::archive::{Archive, Member};
use crate::share::bundle::{Data, Expected, Manifest, beside};

/// What is asked for.
#[derive(Args)]
pub struct Wanted {
    /// The bundle
    bundle: PathBuf,
    /// The zip to write; NAME.zip unless given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Results, as files and folders; those that the bundle names, where they are here, unless given
    #[arg(long, value_name = "PATHS", num_args = 1..)]
    results: Vec<PathBuf>,
    /// Data of one file up to this size, such as 2GiB or a number of bytes, go along; larger ones are named by their hashes
    #[arg(long, value_name = "SIZE", value_parser = bytes, default_value = "100MiB")]
    largest: u64,
    /// The day of its publication; that of the bundle's file unless given
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<String>,
}

fn bytes(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(bytes) => Ok(bytes),
        Err(_) => parse_size(text).map(|bytes| bytes as u64),
    }
}

/// # Errors
/// When it is no bundle, or data or results are not what it says: then nothing is written.
pub fn run(wanted: &Wanted) -> Result<u8> {
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let script = bundle_at(&wanted.bundle)?;
    let Some(manifest) = script.manifest() else {
        return Ok(DONE);
    };
    if script.is_fetched {
        return Err(Error::message(format!(
            "{} is at an address; keep it in a file, and export that",
            script.name
        )));
    }
    let (data, elsewhere) = data_of(manifest, wanted.largest, &working)?;
    let results = results(&wanted.results, manifest, &working)?;
    let name = wanted
        .bundle
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let target = match &wanted.output {
        Some(target) => target.clone(),
        None => PathBuf::from(format!(
            "{}.zip",
            name.trim_end_matches(".lua").trim_end_matches(".bundle")
        )),
    };
    let signature = beside(&wanted.bundle);
    let member = |name: String, file: &Path| -> Result<Member> {
        let (bytes, sha256) = measured(file)?;
        Ok(Member {
            name,
            file: file.to_path_buf(),
            bytes,
            sha256,
        })
    };
    let signature = match signature.is_file() {
        true => Some(member(format!("{name}.sig"), &signature)?),
        false => None,
    };
    let archive = Archive {
        manifest,
        description: description(&script.text),
        bundle: member(name, &wanted.bundle)?,
        signature,
        data,
        elsewhere,
        results,
        published: day(wanted)?,
    };
    archive.write(&target)?;
    tell(&target, &archive);
    Ok(DONE)
}

fn tell(target: &Path, archive: &Archive) {
    crate::say!(
        "{}: {} with {} of data and {}, as an RO-Crate",
        target.display(),
        archive.bundle.name,
        counted(archive.data.len(), "file"),
        counted(archive.results.len(), "result")
    );
    for data in &archive.elsewhere {
        let bytes = data.bytes.map(shown_bytes);
        let size = bytes.map_or(String::new(), |size| format!(", {size}"));
        crate::say!("not in it, and named: {}{size}", data.name());
    }
}

/// Those that go along, and those that are named.
fn data_of(manifest: &Manifest, largest: u64, working: &Path) -> Result<(Vec<Member>, Vec<Data>)> {
    let (mut along, mut elsewhere) = (Vec::new(), Vec::new());
    for data in &manifest.data {
        let (Some(path), Some(bytes), Some(sha256)) = (&data.path, data.bytes, &data.sha256) else {
            elsewhere.push(data.clone());
            continue;
        };
        let state = bundled::state(data, working);
        match state {
            DataState::Gone if data.address.is_some() => elsewhere.push(data.clone()),
            DataState::Same if bytes > largest => elsewhere.push(data.clone()),
            DataState::Same => along.push(Member {
                name: path.clone(),
                file: working.join(path),
                bytes,
                sha256: sha256.clone(),
            }),
            state => {
                return Err(Error::message(format!(
                    "{}; nothing was written",
                    state.wrong(data).unwrap_or_default()
                )));
            }
        }
    }
    Ok((along, elsewhere))
}

/// What was named, and has to be what the bundle says; else what the bundle names and is here.
fn results(named: &[PathBuf], manifest: &Manifest, working: &Path) -> Result<Vec<Member>> {
    let here = |expected: &&Expected| working.join(&expected.path).is_file();
    let of_bundle: Vec<PathBuf> = manifest
        .expect
        .iter()
        .filter(here)
        .map(|expected| PathBuf::from(&expected.path))
        .collect();
    if let Some(gone) = named.iter().find(|path| !path.exists()) {
        return Err(Error::NoSuchFile {
            path: gone.clone(),
            looked_in: working.to_path_buf(),
        });
    }
    let wanted = match named.is_empty() {
        true => of_bundle,
        false => files_in(named)?,
    };
    let mut results = Vec::new();
    for found in data::expected(&wanted, working)? {
        if manifest
            .data
            .iter()
            .any(|data| data.path.as_ref() == Some(&found.path))
        {
            continue;
        }
        let stated = manifest
            .expect
            .iter()
            .find(|expected| expected.path == found.path);
        if stated.is_some_and(|stated| stated.sha256 != found.sha256) {
            return Err(Error::message(format!(
                "{} is not what the bundle says that it makes: its hash is {}…; `perilune run` the bundle anew, or bundle it with these results. Nothing was written",
                found.path,
                &found.sha256[..12]
            )));
        }
        results.push(Member {
            file: working.join(&found.path),
            name: found.path,
            bytes: found.bytes,
            sha256: found.sha256,
        });
    }
    Ok(results)
}

/// The day of publication.
fn day(wanted: &Wanted) -> Result<String> {
    if let Some(text) = &wanted.date {
        let day: jiff::civil::Date = text
            .parse()
            .map_err(|_| Error::argument("--date", "a day such as 2026-11-30", format!("`{text}`")))?;
        return Ok(day.to_string());
    }
    let failed = |e| Error::io(&wanted.bundle, e);
    let made = std::fs::metadata(&wanted.bundle)
        .and_then(|about| about.modified())
        .map_err(failed)?;
    let made = jiff::Timestamp::try_from(made).map_err(|e| Error::file(&wanted.bundle, e.to_string()))?;
    Ok(made.strftime("%Y-%m-%d").to_string())
}
