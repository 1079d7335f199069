//! The one error type. Every variant carries the values that caused it and prints them, with the way out.

mod choice;
mod disk;
mod domain;
mod remedy;

use std::path::{Path, PathBuf};

pub use self::choice::Choice;
pub use self::disk::{free_space, shown_bytes};
pub use self::domain::Domain;
pub use self::remedy::Remedy;
use rustix::fs::{Access, access};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument or option of a function has an unusable value.
    #[error("{name} must be {expected}, got {got}")]
    Argument {
        name: String,
        expected: String,
        got: String,
    },

    /// An option that the function does not have. `within` stands before its name and those of the candidates: `split.`, `bands[1].`.
    #[error("unknown option `{within}{name}`{}", all_of(.within, .candidates, .name))]
    UnknownOption {
        within: String,
        name: String,
        candidates: Vec<String>,
    },

    /// A band, field, attribute, column or property that is not there.
    #[error("no {what} `{name}`{}", hint(.candidates, .name))]
    NotFound {
        what: &'static str,
        name: String,
        candidates: Vec<String>,
    },

    #[error("no such file: {} (looked in {})", .path.display(), .looked_in.display())]
    NoSuchFile { path: PathBuf, looked_in: PathBuf },

    /// A file that exists but cannot be used as what was asked for.
    #[error("{}: {message}", .path.display())]
    File { path: PathBuf, message: String },

    /// The file system said no.
    #[error("{}: {}", .path.display(), said(.path, .source))]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },

    /// GDAL said no; `message` is its own.
    #[error("{what}: {message}")]
    Gdal { what: String, message: String },

    /// Two images or an image and a grid do not lie on the same pixels.
    #[error("the grids differ:\n  {left}\n  {right}\n{}", Remedy::Align)]
    GridMismatch { left: String, right: String },

    /// An operation that makes no sense in the units at hand.
    #[error("{message}")]
    Unit { message: String },

    /// An operation needs more memory than the ceiling allows.
    #[error("{what} needs {needed_mib} MiB, more than the memory limit of {limit_mib} MiB; {way_out}")]
    Memory {
        what: String,
        needed_mib: u64,
        limit_mib: u64,
        way_out: String,
    },

    /// A GPU that has not the memory for what it was given at once.
    #[error("{device} has not enough memory: {message}; use smaller batches or tiles, or the CPU")]
    DeviceMemory { device: String, message: String },

    /// A failure inside the graph, with the node that it happened in.
    #[error("{source} (in {node})")]
    Node {
        node: String,
        #[source]
        source: Box<Error>,
    },

    /// A server said no, or said nothing. `message` names the request, without its secrets.
    #[error("{message}")]
    Request { message: String, status: Option<u16> },

    #[error("interrupted")]
    Interrupted,

    /// An error that a script raised and that already names its place in the script.
    #[error("{0}")]
    Script(String),

    /// Anything else, already worded for the user.
    #[error("{0}")]
    Message(String),
}

impl Error {
    pub fn argument(
        name: impl Into<String>,
        expected: impl Into<String>,
        got: impl std::fmt::Display,
    ) -> Self {
        Error::Argument {
            name: name.into(),
            expected: expected.into(),
            got: got.to_string(),
        }
    }

    pub fn file(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Error::File {
            path: path.into(),
            message: message.into(),
        }
    }

    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Error::Io {
            path: path.into(),
            source,
        }
    }

    pub fn message(text: impl Into<String>) -> Self {
        Error::Message(text.into())
    }

    pub fn not_found(
        what: &'static str,
        name: impl Into<String>,
        candidates: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Error::NotFound {
            what,
            name: name.into(),
            candidates: candidates.into_iter().map(Into::into).collect(),
        }
    }
}

/// What the file system said of `path`; of a full disk, which disk, and the way out.
pub fn said(path: &Path, source: &std::io::Error) -> String {
    let what = match source.kind() {
        std::io::ErrorKind::StorageFull => "no space is left",
        std::io::ErrorKind::QuotaExceeded => "your quota is used up",
        // Our own refusals say more.
        std::io::ErrorKind::PermissionDenied if source.raw_os_error().is_some() && is_held_back(path) => {
            return "permission denied: the system's hold on perilune leaves out what an untrusted script was not granted, and what is put \
                    beside files of logins after the start; start perilune again, put it into a folder without logins, or start with --confine=off"
                .to_string();
        }
        std::io::ErrorKind::FileTooLarge => {
            return "the file would be larger than its file system, or the limit of this process (ulimit -f), allows; write to another \
                    disk, or raise the limit"
                .to_string();
        }
        _ => return source.to_string(),
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let free = free_space(folder).map_or(String::new(), |free| format!(" ({} free)", shown_bytes(free)));
    format!(
        "{what} on the disk of {}{free}; make room there, or write to another disk",
        folder.display()
    )
}

/// Whether the rights of the user would have allowed what was denied: access(2) asks for them alone.
fn is_held_back(path: &Path) -> bool {
    let both = Access::READ_OK | Access::WRITE_OK;
    match path.symlink_metadata() {
        Ok(_) => access(path, both).is_ok(),
        Err(_) => path.parent().is_some_and(|folder| access(folder, both).is_ok()),
    }
}

/// The candidate nearest to `name`, if one is near enough to be what was meant.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        .filter(|(distance, c)| *distance <= 1.max(c.chars().count().max(name.chars().count()) / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// "1 row", "3 rows".
pub fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// "; did you mean `x`?", or the whole list when nothing is near and the list is short.
fn hint(candidates: &[String], name: &str) -> String {
    if let Some(near) = nearest(name, candidates.iter().map(String::as_str)) {
        return format!("; did you mean `{near}`?");
    }
    match candidates.len() {
        0 => String::new(),
        1..=24 => format!("; there are: {}", candidates.join(", ")),
        n => format!("; there are {n}: {}, …", candidates[..24].join(", ")),
    }
}

/// "; did you mean `x`? The options are: x, y", for whoever mistypes one has seldom seen the others.
fn all_of(within: &str, candidates: &[String], name: &str) -> String {
    let mut text = String::new();
    // What stands before all of them makes none nearer to another.
    let near = nearest(name, candidates.iter().map(String::as_str));
    if let Some(near) = near {
        text.push_str(&format!("; did you mean `{within}{near}`?"));
    }
    let shown = || -> Vec<String> { candidates.iter().map(|name| format!("{within}{name}")).collect() };
    match candidates {
        [] => {}
        [_] if near.is_some() => {}
        _ if near.is_some() => text.push_str(&format!(" The options are: {}", shown().join(", "))),
        _ => text.push_str(&format!("; the options are: {}", shown().join(", "))),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_one() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(
            Error::io("/no/such/folder/a.tif", full).to_string(),
            "/no/such/folder/a.tif: no space is left on the disk of /no/such/folder; make room there, or write to another disk"
        );
        // What is free of the disk that there is, for people.
        let quota = Error::io("a.tif", std::io::ErrorKind::QuotaExceeded.into()).to_string();
        let (start, rest) = quota.split_once(" (").unwrap();
        assert_eq!(start, "a.tif: your quota is used up on the disk of .");
        assert!(rest.contains("B free); make room there"), "{quota}");
        let large = Error::io("a.tif", std::io::Error::from_raw_os_error(libc::EFBIG)).to_string();
        assert!(
            large.contains("ulimit -f") && !large.contains("os error"),
            "{large}"
        );
        let denied = Error::io("a.tif", std::io::ErrorKind::PermissionDenied.into()).to_string();
        assert_eq!(denied, "a.tif: permission denied");
    }
}
