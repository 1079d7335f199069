//! The host: virtual machine, sandbox, scripts and their parameters, help, prompt, kernel of notebooks.

mod advice;
pub mod cli;
pub mod confine;
pub mod documentation;
mod effects;
pub mod format;
mod jupyter;
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
pub mod testing;
mod text;
mod watchdog;

pub use runtime::{Limits, Runtime};
