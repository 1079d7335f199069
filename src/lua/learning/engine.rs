//! `learning.engine`: what networks are trained with.

use mlua::{Lua, Table};

use crate::error::Result;
use crate::learning::torch;
use crate::lua::args::Args;
use crate::lua::module::Module;
use crate::options;
use crate::work;

pub fn define(m: &mut Module) -> Result<()> {
    m.function_with("engine(options?)", engine)?;
    Ok(())
}

options! {
    struct Engine("learning.EngineOptions") {
        /// `auto`, a graphics card where there is one that works, else the CPU; `cpu`; `cuda`, or `cuda:1` for the second card. Default `"auto"`, without a note where
        /// there is no card.
        device: Option<String>,
    }
}

fn engine(lua: &Lua, _: &Args, o: Engine) -> Result<Table> {
    let device = torch::choose(o.device.as_deref())?;
    torch::enter(work::threads())?;
    let (major, minor) = torch::version()?;
    let found = lua.create_table()?;
    found.set("name", "libtorch")?;
    found.set("version", format!("{major}.{minor}"))?;
    found.set("device", device.to_string())?;
    found.set("threads", torch::threads()?)?;
    Ok(found)
}
