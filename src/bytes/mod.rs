//! The one way to the bytes: files of this machine as GDAL sees them, and files on servers by the program's own client.
//!
//! GDAL's own file system is replaced by this one, so that every file that an open reaches,
//! through virtual files, archives and sidecars to any depth, is opened here: asked of the policy on the open descriptor, never a
//! device or a pipe, and written only as a draft. The first write of a file that fails is remembered (`files::failed`), and GDAL, which does not
//! always survive failures while it closes a file, reads from then on what it has written as if all were well; whoever publishes the file asks
//! for the failure. Files on servers are read by windows through [`ranged`], with the logins, retries and redirects of [`http`].
//!
//! Libraries beneath GDAL that open files themselves (netCDF, HDF4) do not come by here.

mod buffered;
pub mod credentials;
pub mod http;
mod listing;
mod lost;
pub mod objects;
pub mod ranged;
mod refused;
pub mod s3;
pub mod stamp;
mod vsi;

use std::fs::File;
use std::path::Path;
use std::sync::OnceLock;

use crate::error::Result;

pub use refused::{broken, forget_refusals, reason, refusal};
pub use vsi::{address, beginning, close, install, reach, served};

/// What GDAL may open; without one, as in tests of kernels, everything.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// An error where the file, open by now, may not be read under this name.
    pub read: fn(&File, &Path) -> Result<()>,
    /// An error where the format of the file, which may be read, is one of libraries that crash, and they do.
    pub sound: fn(&File, &Path) -> Result<()>,
    /// An error where no file of this name may be made, changed or removed.
    pub write: fn(&Path) -> Result<()>,
}

static POLICY: OnceLock<Policy> = OnceLock::new();

/// Sets the policy of the process; the first one stays.
pub fn set_policy(policy: Policy) {
    let _ = POLICY.set(policy);
}

fn may_read(file: &File, name: &Path) -> Result<()> {
    POLICY.get().map_or(Ok(()), |policy| (policy.read)(file, name))
}

fn is_sound(file: &File, name: &Path) -> Result<()> {
    POLICY.get().map_or(Ok(()), |policy| (policy.sound)(file, name))
}

fn may_write(name: &Path) -> Result<()> {
    POLICY.get().map_or(Ok(()), |policy| (policy.write)(name))
}
