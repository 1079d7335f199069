//! What a script of others asks for, what was granted, and how both are said in plain words.
//!
//! A script states its [`Needs`] as a table of plain texts. Where it runs they become [`Grants`]: real paths, hosts and logins, which a
//! question names and [`Answers`] remembers by the content of the script.

mod answers;
mod grants;
mod needs;
mod version;
mod words;

pub use answers::{Answer, Answers};
pub use grants::{Given, Grants, places};
pub use needs::Needs;
pub use version::Requirement;
pub use words::{escaped, json_shown};
