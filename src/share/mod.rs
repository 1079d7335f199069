//! What makes work fit to be handed on: where a file comes from, and what a script may do where it is not its user's own.

pub mod permissions;
pub mod provenance;
