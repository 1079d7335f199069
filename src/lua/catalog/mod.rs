//! Module `catalog`: archives. Searches that answer with STAC items, the join of two of them, files brought here.

mod archive;
mod asf;
mod download;
mod item;
mod items;
mod itslive;
mod join;
mod search;
mod stac;
pub mod values;

pub use self::items::LuaItems;
use self::search::LuaSearch;
use self::stac::{LuaService, open, open_service};
use super::Module;
use crate::error::Result;

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<LuaSearch>();
    m.class::<LuaItems>();
    m.class::<item::LuaItem>();
    m.class::<LuaService>();
    m.function_with("asf(options)", asf::search)?;
    m.table::<download::DownloadFile>();
    itslive::define(m)?;
    m.function_with("join(left, right, options?)", join::join)?;
    m.function("snapshot(path, search)", search::snapshot)?;
    m.function_with("download(files, options)", download::download)?;
    m.function_with("unzip(archive, options?)", archive::unzip)?;
    m.function("zip_members(archive)", archive::zip_members)?;
    m.function("traffic()", download::traffic)?;
    m.function("items(list)", items::from_list)?;
    m.function_with("open(path, options?)", open)?;
    m.function("stac(url)", open_service)?;
    Ok(())
}
