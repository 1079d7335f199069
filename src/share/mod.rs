//! What makes work fit to be handed on: where a file comes from, what a script may do where it is not its user's own, and
//! the one file in which it is handed on.

pub mod bundle;
pub mod permissions;
pub mod provenance;
