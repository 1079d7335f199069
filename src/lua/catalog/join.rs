//! `catalog.join`.

use mlua::{Lua, Table as LuaTable};

use super::items::LuaItems;
use super::values::Length;
use crate::catalog::join::{JoinOptions, join as run};
use crate::error::{Domain, Result};
use crate::lua::Args;
use crate::options;
use crate::work;

options! {
    pub struct JoinTable("catalog.JoinOptions") {
        /// The most time between two acquisitions: `"1d"`, `"12h"`, or seconds. Default one day.
        within: Option<Length>,
        /// Compare UTC calendar days: `"1d"` is then the day before, the day, and the day after.
        by_day: bool = false,
        /// The least share of the left footprint that one right footprint covers; 0 takes all that touch.
        overlap: f64 = 0.0; Domain::within(0.0, 1.0),
        /// The least share of the left footprint that the right ones cover together.
        coverage: f64 = 0.0; Domain::within(0.0, 1.0),
        /// Of the right items only those of the day (UTC) nearest in time.
        nearest: bool = false,
    }
}

/// A list of `{ item, matches, seconds, coverage }`, in the order of the left items.
pub fn join(lua: &Lua, args: &Args, o: JoinTable) -> Result<LuaTable> {
    let (left, right): (LuaItems, LuaItems) = (args.get("left")?, args.get("right")?);
    let default = JoinOptions::default();
    let options = JoinOptions {
        within_s: o.within.map_or(default.within_s, |Length(seconds)| seconds),
        by_day: o.by_day,
        overlap: o.overlap,
        coverage: o.coverage,
        nearest: o.nearest,
    };
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
        work::tell(&format!(
            "catalog.join: {} items have no footprint or no time and take no part: {}{}",
            joined.left_out.len(),
            names.join(", "),
            if joined.left_out.len() > 3 { ", …" } else { "" }
        ));
    }
    Ok(out)
}
