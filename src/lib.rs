//! perilune: a scripting host for Earth observation.
//!
//! The layers, each leaning only on those before it:
//! `error`, `gate` (paths of files), `files`, `interrupt`, `package` (what came with the program), `panics`, `work` (context, budget, threads, output), `scratch`, `bounds`, `earth`, `time`, `bytes` (the one way to bytes: files for GDAL, servers; the only one that names reqwest) ← `raster` (grids, lazy images, the graph, its execution; the only one that names GDAL's rasters)
//! ← `filter`, `correlation`, `vector`, `table`, `plot`, `libraries` (shared libraries opened at run time) ← `inference` (networks; the only one that names ort) ← `learning` (chips, training; the only one that opens libtorch) ← `catalog` (archives: search, join, download) ← `share` (what is handed on: records of how files were made, what a script of others may do) ← `console` (the terminal: text, values, progress) ← `lua` (bindings) ← `host` (virtual machine, scripts, prompt) ← the binary.

// They panic where the reader has gone; `say!` and `complain!` do not.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod bounds;
pub mod bytes;
pub mod catalog;
pub mod console;
pub mod correlation;
pub mod earth;
pub mod error;
pub mod files;
pub mod filter;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod gate;
pub mod host;
pub mod inference;
pub mod interrupt;
pub mod learning;
pub mod libraries;
pub mod lua;
pub mod package;
pub mod panics;
pub mod plot;
pub mod raster;
pub mod scratch;
pub mod share;
pub mod statistics;
pub mod table;
pub mod time;
pub mod vector;
pub mod work;
