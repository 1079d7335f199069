//! Images as data: `Raster:to_json`, `raster.from_json`, `Raster:identity`.

use mlua::Lua;

use crate::error::{Error, Result};
use crate::lua::access;
use crate::lua::args::Args;
use crate::lua::class::Builder;
use crate::raster::exchange::{identity, raster_from_json, raster_to_json};
use crate::raster::Raster;

pub fn define(c: &mut Builder<Raster>) {
    c.method("to_json()", |_, this, _| Ok(raster_to_json(this)?.to_string()))
        .method("identity(band?)", |_, this, args| {
            let band = match args.get::<Option<String>>("band")? {
                Some(name) => this.band(&name)?,
                None => this.only_band("band")?,
            };
            identity(&band.port)
        });
}

/// `raster.from_json(text)`
pub fn from_json(lua: &Lua, args: &Args) -> Result<Raster> {
    let text: String = args.get("text")?;
    let json = serde_json::from_str(&text)
        .map_err(|e| Error::argument("text", "JSON that Raster:to_json gave", format!("text that is none: {e}")))?;
    let access = access(lua);
    raster_from_json(&json, &|name| Ok(access.read(name)?.to_string_lossy().into_owned()))
}
