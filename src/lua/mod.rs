//! Lua bindings, thin: parse, call, wrap. One file per Lua module.
//!
//! # How to bind a function
//!
//! A module is a file here with `pub fn define(m: &mut Module) -> Result<()>`, named in `modules!` below, nothing else:
//!
//! ```text
//! pub fn define(m: &mut Module) -> Result<()> {
//!     m.class::<Raster>();                                          // its objects come from this module
//!     m.function("refined_lee(raster)", refined_lee)?;              // the signature: `?` optional, `...` any more
//!     m.function_with("lee(raster, options)", |_, args, o: Looks| { // with declared options
//!         filter::lee(&args.get::<Raster>("raster")?, o.size, o.looks)
//!     })?;
//!     Ok(())
//! }
//! fn refined_lee(_: &Lua, args: &Args) -> Result<Raster> {          // any concrete type that mlua can hand to Lua
//!     let raster: UserDataRef<Raster> = args.get("raster")?;        // typed; Option<T>, Vec<T>, [T; 2], Function …
//!     filter::refined_lee(&raster)                                  // crate::error::Error becomes a string with the
//! }                                                                 // script's line: `a.lua:3: filter.refined_lee: …`
//! options! {
//!     struct Looks("filter.LooksOptions") {                         // its name in stdlib/_meta
//!         /// The equivalent number of looks of the image.          // what help, completion and docs/api say
//!         looks: f64; Domain::above(0.0),                           // must be given
//!         /// Pixels along a side of the window.
//!         size: usize = 7; Domain::within(3.0, 101.0).odd(),        // default; a name of several: a type with `Choice`
//!         /// Bands, instead of all.
//!         bands: Option<Vec<String>>,                               // may be left out
//!     }
//! }
//! ```
//! Types, defaults, choices and limits of options are said there alone: reading checks them, unknown names are errors with a
//! suggestion, and `PERILUNE_BLESS=1 cargo test --test cli declared_options` writes their lines into stdlib/_meta. What is
//! computed with a number checks it by the same `Domain`, a constant beside it.
//!
//! Objects: `bind_class!(Raster)` and `impl Class for Raster { const NAME; fn define(c) }`, where `c.method("clamp(low, high)",
//! |lua, this, args| …)`, `method_mut`, `chain`, `field`, `dynamic_fields` (bands), `items` (`x[1]`), `operator(MetaMethod::Add, …)`,
//! `call`, `length`, `text` (tostring), `show` (the prompt, notebooks: a text or a `work::Display`). A Lua callback is `args.get::<Function>("fn")?.call(…)?`: its
//! error keeps its own place. Everything registered needs a stub in stdlib/_meta and a test in `tests/lua/<module>/`.

use mlua::{Lua, Table};

use crate::error::Result;

pub mod access;
pub mod args;
pub mod class;
pub mod following;
pub mod module;
pub mod names;
pub mod native;
pub mod options;
pub mod rehearsal;
mod remedies;
pub mod signature;
pub mod spec;
pub mod value;
pub mod words;

pub use crate::bind_class;
pub use access::{Access, access};
pub use args::{Args, Options};
pub use class::{Builder, Class};
pub use module::{Module, contents, protect};
pub use value::{FromScript, describe};

/// Declares the native modules, each a file of the same name with a function `define`.
macro_rules! modules {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// The names of the native modules.
        pub const MODULES: &[&str] = &[$(stringify!($name)),*];

        /// Builds the native module `name`, if there is one.
        pub fn load(lua: &Lua, name: &str) -> Option<Result<Table>> {
            match name {
                $(stringify!($name) => Some(Module::build(lua, stringify!($name), $name::define)),)*
                _ => None,
            }
        }
    };
}

modules! {
    catalog,
    correlation,
    filter,
    geometry,
    fs,
    inference,
    json,
    learning,
    log,
    plot,
    progress,
    raster,
    tables,
    time,
}
