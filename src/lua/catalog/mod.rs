//! Module `catalog`: archives. Searches that answer with STAC items, the join of two of them, files brought here.

mod archive;
mod asf;
mod download;
mod item;
mod items;
mod join;
mod search;
pub mod values;

use std::path::PathBuf;

use self::items::LuaItems;
use self::search::LuaSearch;
use super::{Module, access};
use crate::catalog::snapshot;
use crate::error::{Error, Result};

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<LuaSearch>();
    m.class::<LuaItems>();
    m.class::<item::LuaItem>();
    m.function("asf(options)", asf::search)?;
    m.function("join(left, right, options?)", join::join)?;
    m.function("snapshot(path, search)", search::snapshot)?;
    m.function("download(files, options)", download::download)?;
    m.function("unzip(archive, options?)", archive::unzip)?;
    m.function("zip_members(archive)", archive::zip_members)?;
    m.function("items(list)", items::from_list)?;
    m.function("open(path)", |lua, args| {
        let path = access(lua).read(args.get::<PathBuf>("path")?)?;
        let found = snapshot::load(&path)?;
        let items = found.ok_or_else(|| Error::file(&path, "is no saved search"))?;
        Ok(LuaItems::new(items))
    })?;
    Ok(())
}
