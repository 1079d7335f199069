//! Where a file comes from: the record that every file carries of how it was made, read back, told to people and to other programs, and tried again.

mod fingerprint;
mod graph;
mod instructions;
mod methods;
mod names;
mod paths;
mod product;
mod read;
mod record;
mod ro_crate;
mod run;
mod show;
mod sidecar;

pub use fingerprint::{of_reader as hash_of_reader, sha256, whole as hash_of};
pub use methods::{Documented, methods};
pub use paths::{found, plain, stable, unsigned};
pub use read::of as record_of;
pub use record::{Input, Record, Script, Use};
pub use ro_crate::{METADATA, PROFILE, encoded, named as address_of_hash, of_crate, write as write_crate};
pub use run::{Origin, Run, SECRET, is_secret};
pub use show::{State, state, tree, versions};
pub use sidecar::is_one as is_beside;
