//! `catalog.join`.

use mlua::{Lua, Table as LuaTable};

use super::items::LuaItems;
use super::values::seconds;
use crate::catalog::join::{JoinOptions, join as run};
use crate::error::Result;
use crate::lua::Args;

/// A list of `{ item, matches, seconds, coverage }`, in the order of the left items.
pub fn join(lua: &Lua, args: &Args) -> Result<LuaTable> {
    let (left, right): (LuaItems, LuaItems) = (args.get("left")?, args.get("right")?);
    let default = JoinOptions::default();
    let options = args.options(|o| {
        Ok(JoinOptions {
            within_s: seconds(o, "within")?.unwrap_or(default.within_s),
            by_day: o.get_or("by_day", default.by_day)?,
            overlap: o.get_or("overlap", default.overlap)?,
            coverage: o.get_or("coverage", default.coverage)?,
            nearest: o.get_or("nearest", default.nearest)?,
        })
    })?;
    let joined = run(&left.0.items, &right.0.items, &options)?;
    let out = lua.create_table_with_capacity(joined.matches.len(), 0)?;
    for (index, found) in joined.matches.iter().enumerate() {
        let row = lua.create_table()?;
        row.raw_set("item", left.item(found.left))?;
        row.raw_set("matches", LuaItems::new(right.0.take(&found.right)))?;
        row.raw_set("seconds", found.seconds)?;
        row.raw_set("coverage", found.coverage)?;
        out.raw_set(index + 1, row)?;
    }
    if !joined.left_out.is_empty() {
        let names: Vec<&str> = joined.left_out.iter().take(3).map(String::as_str).collect();
        crate::console::message(&format!(
            "catalog.join: {} items have no footprint or no time and take no part: {}{}",
            joined.left_out.len(),
            names.join(", "),
            if joined.left_out.len() > 3 { ", …" } else { "" }
        ));
    }
    Ok(out)
}
