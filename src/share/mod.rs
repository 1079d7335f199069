//! What belongs to a script that is handed on: what it may do where it is not its user's own.

pub mod permissions;
