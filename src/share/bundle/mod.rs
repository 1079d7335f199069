//! Bundles: a script with its modules, its parameters, what it asks for and what it was run on, in one text file that is Lua itself.
//!
//! A comment at the top holds the [`Manifest`], in TOML; modules and script follow as they are, each with its length and hash in the manifest. Who
//! hands it on may sign it, in a file beside it.

mod difference;
mod manifest;
mod signature;
mod signers;
mod text;

pub use difference::{Part as DifferentPart, differences};
pub use manifest::{About, Data, Expected, FORMAT, Manifest, Part, inside};
pub use signature::{Signed, beside, check, sign};
pub use signers::{ME, NAMESPACE, Signers};
pub use text::{Bundle, LONGEST, compose, is_module_name, is_one, read};
