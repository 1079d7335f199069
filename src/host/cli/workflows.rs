//! `perilune workflows`: what ships, and copies of it to edit.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::DONE;
use crate::error::{Error, Result};
use crate::files::write_whole;
use crate::host::{loader, params};

#[derive(Subcommand)]
pub enum Action {
    /// Copy a workflow to edit it
    Copy {
        /// As `perilune workflows` lists it
        name: String,
        /// File or folder; the working folder unless given
        destination: Option<PathBuf>,
    },
}

pub fn run(action: Option<Action>) -> Result<u8> {
    match action {
        None => list(),
        Some(Action::Copy { name, destination }) => copy(&name, destination.as_deref()),
    }
}

fn list() -> Result<u8> {
    let names = loader::library_names("workflows");
    let longest = names.iter().map(|name| name.len()).max().unwrap_or(0);
    for name in &names {
        let text = loader::library_file(&format!("workflows/{name}.lua")).unwrap_or_default();
        let description = params::description(&text);
        crate::say!("{name:longest$}  {}", description.lines().next().unwrap_or(""));
    }
    crate::say!(
        "\n`perilune run NAME --help` lists a workflow's parameters, `perilune workflows copy NAME` copies it."
    );
    Ok(DONE)
}

fn copy(name: &str, destination: Option<&Path>) -> Result<u8> {
    let plain = name.strip_suffix(".lua").unwrap_or(name);
    let file = format!("{plain}.lua");
    let text = loader::library_file(&format!("workflows/{file}"))
        .ok_or_else(|| Error::not_found("workflow", name, loader::library_names("workflows")))?;
    let target = match destination {
        Some(path) if path.is_dir() => path.join(&file),
        Some(path) => path.to_path_buf(),
        None => PathBuf::from(&file),
    };
    // Never over a file that exists: it may hold someone's edits.
    if target.symlink_metadata().is_ok() {
        return Err(Error::file(&target, "exists already; name another file"));
    }
    write_whole(&target, text.as_bytes())?;
    crate::say!(
        "copied to {}; run it with `perilune run {}`",
        target.display(),
        target.display()
    );
    Ok(DONE)
}
