//! Lua bindings, thin: parse, call, wrap. One file per Lua module.
//!
//! # How to bind a function
//!
//! A module is a file here with `pub fn define(m: &mut Module) -> Result<()>`, named in `modules!` below, nothing else:
//!
//! ```text
//! pub fn define(m: &mut Module) -> Result<()> {
//!     m.class::<Raster>();                                          // its objects come from this module
//!     m.function("refined_lee(raster, options?)", refined_lee)?;    // the signature: `?` optional, `...` any more
//!     Ok(())
//! }
//! fn refined_lee(_: &Lua, args: &Args) -> Result<Raster> {          // any concrete type that mlua can hand to Lua
//!     let raster: UserDataRef<Raster> = args.get("raster")?;        // typed; Option<T>, Vec<T>, [T; 2], Function …
//!     let (looks, unit) = args.options(|o| Ok((                     // unknown keys are errors with a suggestion
//!         o.positive("looks")?.unwrap_or(4.9),                      // also get, get_or, require, checked, count,
//!         o.choice("unit", &["px", "m"])?.unwrap_or("px"),          //      choice, nested, raw
//!     )))?;
//!     filter::refined_lee(&raster, looks, unit)                     // crate::error::Error becomes a string with the
//! }                                                                 // script's line: `a.lua:3: filter.refined_lee: …`
//! ```
//! Objects: `bind_class!(Raster)` and `impl Class for Raster { const NAME; fn define(c) }`, where `c.method("clamp(low, high)",
//! |lua, this, args| …)`, `method_mut`, `chain`, `field`, `dynamic_fields` (bands), `items` (`x[1]`), `operator(MetaMethod::Add, …)`,
//! `call`, `length`, `text` (tostring), `show` (the prompt). A Lua callback is `args.get::<Function>("fn")?.call(…)?`: its
//! error keeps its own place. Everything registered needs a stub in stdlib/_meta and a test in `tests/lua/<module>/`.

use mlua::{Lua, Table};

use crate::error::Result;

pub mod access;
pub mod args;
pub mod class;
pub mod library;
pub mod module;
pub mod names;
pub mod native;
pub mod rehearsal;
mod remedies;
pub mod signature;
pub mod value;

pub use crate::bind_class;
pub use access::{Access, access};
pub use args::{Args, Options};
pub use class::{Builder, Class};
pub use module::{Module, contents, protect};
pub use value::{FromScript, describe};

/// Declares the native modules, each a file of the same name with a function `define`.
macro_rules! modules {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

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
    json,
    log,
    plot,
    progress,
    raster,
    tables,
    time,
}
