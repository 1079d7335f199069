//! Projects: a folder with a `perilune.toml`, which names the libraries that its scripts require, and its scripts.
//!
//! A library is a folder, or one file, a module or a bundle, that is known by the hash of its bytes wherever it comes from. What was fetched is
//! kept by that hash.

mod edit;
mod libraries;
mod manifest;
mod store;

pub use edit::with_dependency;
pub use libraries::{Libraries, Library, Place};
pub use manifest::{Dependency, FILE, Project, is_library_name};
pub use store::{Store, is_hash};
