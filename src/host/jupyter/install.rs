//! The file by which Jupyter finds this kernel and knows how to start it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::error::{Error, Result};
use crate::files::write_whole;
use crate::host::notebook;

const FILE: &str = "kernel.json";
const LOGO: (&str, &str) = ("logo-svg.svg", include_str!("logo.svg"));

/// Which of Jupyter's folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kernels {
    /// This user's, whatever environment Jupyter is in.
    User,
    /// Of an environment or a system below this folder.
    Below(PathBuf),
    /// Of the environment that is active.
    Active,
}

impl Kernels {
    fn folder(&self) -> Result<PathBuf> {
        let of = |name: &str| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let shared = |prefix: &Path| prefix.join("share/jupyter");
        let jupyter = match self {
            Kernels::Below(prefix) => shared(prefix),
            Kernels::Active => {
                let active = of("VIRTUAL_ENV").or_else(|| of("CONDA_PREFIX"));
                shared(&active.ok_or_else(|| {
                    Error::message(
                        "no environment is active: neither VIRTUAL_ENV nor CONDA_PREFIX is set; name its folder with --prefix, or leave --sys-prefix out",
                    )
                })?)
            }
            Kernels::User => {
                let data = of("XDG_DATA_HOME").or_else(|| Some(std::env::home_dir()?.join(".local/share")));
                let own = of("JUPYTER_DATA_DIR").or_else(|| Some(data?.join("jupyter")));
                own.ok_or_else(|| Error::message("there is no home folder; name one with --prefix"))?
            }
        };
        Ok(jupyter.join("kernels").join(notebook::KERNEL))
    }
}

/// Writes how the kernel is started, with these options of perilune; answers with its folder.
///
/// # Errors
/// A folder that cannot be written; then Jupyter knows the kernel as before.
pub fn install(kernels: &Kernels, options: &[OsString]) -> Result<PathBuf> {
    let folder = kernels.folder()?;
    let failed = |e| Error::io(&folder, e);
    let program = std::env::current_exe()
        .map_err(|e| Error::message(format!("where perilune is cannot be told: {e}")))?;
    if !program.is_file() {
        return Err(Error::message(format!(
            "{} is not there any more",
            program.display()
        )));
    }
    let mut words = vec![program.into_os_string()];
    words.extend(options.iter().cloned());
    words.extend(["jupyter", "run", "{connection_file}"].map(OsString::from));
    let words: Vec<Json> = words
        .iter()
        .map(|word| utf8(word).map(Json::from))
        .collect::<Result<_>>()?;
    let kernel = json!({
        "argv": words,
        "display_name": "perilune",
        "language": notebook::LANGUAGE,
        "interrupt_mode": "message",
        "metadata": { "debugger": false },
    });
    fs::create_dir_all(&folder).map_err(failed)?;
    write_whole(&folder.join(LOGO.0), LOGO.1.as_bytes())?;
    // Last, since a folder without it is no kernel.
    write_whole(&folder.join(FILE), format!("{kernel:#}\n").as_bytes())?;
    Ok(folder)
}

/// Jupyter's files are JSON, which holds no other bytes.
fn utf8(word: &OsString) -> Result<String> {
    let text = word.to_str().map(str::to_string);
    text.ok_or_else(|| {
        Error::message(format!(
            "{} is not UTF-8, and Jupyter starts no such program",
            word.display()
        ))
    })
}

/// Removes what `install` has written, and nothing else; answers with its folder.
///
/// # Errors
/// When there is none, or it cannot be removed.
pub fn uninstall(kernels: &Kernels) -> Result<PathBuf> {
    let folder = kernels.folder()?;
    let file = folder.join(FILE);
    if !file.exists() {
        return Err(Error::file(&folder, "there is no kernel of perilune"));
    }
    let gone = |path: &Path| match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    };
    gone(&file)?;
    gone(&folder.join(LOGO.0))?;
    // What somebody else has put there stays.
    let _ = fs::remove_dir(&folder);
    Ok(folder)
}
