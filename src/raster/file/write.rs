//! Writing: tiles go to a draft beside the target; only a whole file takes the target's name.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use super::options::{Packing, WriteOptions};
use super::sink::{Sink, Whole};
use crate::error::{Error, Result};
use crate::raster::Raster;
use crate::raster::execute::Run;
use crate::raster::{exchange, journal};
use crate::work::{self, Resumption};

/// Writes one file.
///
/// # Errors
/// As `write_all`.
pub fn write(raster: &Raster, path: &Path, options: &WriteOptions) -> Result<()> {
    write_all(&[(raster.clone(), path.to_path_buf(), options.clone())])
}

/// Writes several files in one pass: what they share is computed once. All must lie on one grid.
///
/// # Errors
/// Images on different grids; a file that is named twice; options that a format does not know, and pixels that it cannot hold;
/// a folder that is not there; a full disk; what computing the pixels fails with. Files that were not named yet are given up;
/// the error says which are there.
pub fn write_all(jobs: &[(Raster, PathBuf, WriteOptions)]) -> Result<()> {
    let Some((first, _, _)) = jobs.first() else {
        return Ok(());
    };
    for (other, _, _) in &jobs[1..] {
        first.check_grid(other)?;
    }
    for (i, (_, path, _)) in jobs.iter().enumerate() {
        if jobs[..i].iter().any(|(_, other, _)| other == path) {
            return Err(Error::argument(
                "paths",
                "different files",
                format!("{} twice", path.display()),
            ));
        }
    }
    let ports: Vec<_> = jobs.iter().flat_map(|(raster, _, _)| raster.ports()).collect();
    // Of several files the first stands for all.
    let target = jobs
        .iter()
        .find(|(_, _, options)| options.resume)
        .map(|(_, path, _)| path);
    let _resuming = match target {
        Some(path) => {
            let identities = ports.iter().map(exchange::identity).collect::<Result<Vec<_>>>()?;
            let digest = Sha256::digest(identities.concat());
            let identity: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let resumption = Resumption::new(path.clone(), identity);
            Some(
                work::Context::clone(&work::current())
                    .with_resumption(resumption)
                    .enter(),
            )
        }
        None => None,
    };
    let run = Run::prepare(&first.grid, &ports, first.grid.window())?;
    let mut sinks = Vec::with_capacity(jobs.len());
    for (raster, path, options) in jobs {
        let sink = Sink::create(raster, path, options);
        sinks.push(sink.map_err(|e| incomplete(e, jobs, 0))?);
    }
    // What GDAL makes of the pixels afterwards may take longer than they did.
    let step = if sinks.iter().any(Sink::has_second_step) {
        ", step 1 of 2"
    } else {
        ""
    };
    run.for_each(&format!("{}{step}", label(jobs)), &|_, window, pixels| {
        let mut pixels = pixels.into_iter();
        for sink in &sinks {
            sink.write(window, pixels.by_ref().take(sink.bands()).collect())?;
        }
        Ok(())
    })
    .map_err(|e| incomplete(e, jobs, 0))?;
    // All are whole before the first gets its name.
    let whole: Vec<Whole> = sinks
        .into_iter()
        .map(Sink::finish)
        .collect::<Result<_>>()
        .map_err(|e| incomplete(e, jobs, 0))?;
    for (done, file) in whole.into_iter().enumerate() {
        file.publish().map_err(|e| incomplete(e, jobs, done))?;
    }
    target.map_or(Ok(()), |path| journal::sweep(path))
}

/// The error, and which of several files have their names.
fn incomplete(error: Error, jobs: &[(Raster, PathBuf, WriteOptions)], done: usize) -> Error {
    let names = |jobs: &[(Raster, PathBuf, WriteOptions)]| {
        let names: Vec<String> = jobs
            .iter()
            .map(|(_, path, _)| path.display().to_string())
            .collect();
        names.join(", ")
    };
    match (jobs.split_at(done), error) {
        (([], [_]), error) | (_, error @ Error::Interrupted) => error,
        (([], _), error) => Error::message(format!("{error}; none of the {} files was written", jobs.len())),
        ((written, rest), error) => Error::message(format!(
            "{error}; written: {}; not written: {}",
            names(written),
            names(rest)
        )),
    }
}

/// What the progress bar says: all names of a few files, the first of many.
fn label(jobs: &[(Raster, PathBuf, WriteOptions)]) -> String {
    const FEW: usize = 4;
    let name = |job: &(Raster, PathBuf, WriteOptions)| {
        let name = job.1.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    match jobs {
        [first, rest @ ..] if rest.len() >= FEW => format!("{} and {} more", name(first), rest.len()),
        few => few.iter().map(name).collect::<Vec<_>>().join(", "),
    }
}
