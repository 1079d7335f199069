//! Runs that are tried again: what they write goes elsewhere than they say.

use std::path::{Path, PathBuf};

use crate::gate::settle;
use crate::scratch;

/// Where what scripts write goes in place of where they say, so that a run can be tried again beside what it has made.
#[derive(Debug, Clone)]
pub(super) struct Aside {
    /// Below it lies each file by its whole path.
    pub folder: PathBuf,
    /// Files of before that are not to be seen.
    pub hidden: Vec<PathBuf>,
}

impl Aside {
    pub fn place(&self, path: &Path) -> PathBuf {
        let real = settle(path);
        self.folder.join(real.strip_prefix("/").unwrap_or(&real))
    }

    /// A file that was written in this run, or one of before.
    pub fn found(&self, path: PathBuf) -> PathBuf {
        if !self.takes(&path) {
            return path;
        }
        let place = self.place(&path);
        let is_written = place.is_file() || place.is_dir() && (!path.is_dir() || self.is_hidden(&path));
        match is_written || self.is_hidden(&path) {
            true => place,
            false => path,
        }
    }

    /// What lies in it, and in the process's temporary folder, lies there.
    fn takes(&self, path: &Path) -> bool {
        let in_scratch = scratch::folder().is_ok_and(|scratch| path.starts_with(scratch));
        !in_scratch && !path.starts_with(&self.folder)
    }

    fn is_hidden(&self, path: &Path) -> bool {
        self.hidden.contains(&settle(path))
    }
}
