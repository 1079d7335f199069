//! The host: virtual machine, sandbox, scripts and their parameters, help, prompt.

mod advice;
pub mod cli;
pub mod confine;
pub mod documentation;
mod effects;
pub mod format;
pub mod lexer;
mod library;
pub mod lint;
mod lists;
mod literal;
pub mod loader;
pub mod needs;
mod notebook;
mod output;
mod page;
pub mod params;
mod repl;
pub mod report;
pub mod runtime;
pub mod sandbox;
mod show;
mod signals;
pub mod sources;
mod syntax;
mod text;
mod watchdog;

pub use runtime::{Limits, Runtime};
