//! What makes work fit to be handed on: where a file comes from, what a script may do where it is not its user's own,
//! the one file in which it is handed on, and projects with their libraries.

pub mod archive;
pub mod bundle;
pub mod permissions;
pub mod project;
pub mod provenance;
