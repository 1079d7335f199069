//! Module `tables`: tables of named columns, CSV and Parquet. (Not `table`: that is Lua's own library.)

mod table;
pub mod values;

use std::path::PathBuf;

use mlua::{Lua, Value as LuaValue};

use self::values::{Names, Types};
use super::rehearsal::written_csv;
use super::{Args, FromScript, Module, access};
use crate::error::{Error, Result};
use crate::options;
use crate::table::{Column, CsvOptions, Table, Value};

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<Table>();
    m.function_with("read(path, options?)", |lua, args, o: Reading| {
        let path = access(lua).read(args.get::<PathBuf>("path")?)?;
        let options = o.into();
        with_room(lua, || Table::read(&path, &options))
    })?;
    m.function_with("read_csv(path, options?)", |lua, args, o: Reading| {
        let (path, options) = (args.get::<PathBuf>("path")?, o.into());
        let told = access(lua).write(&path).ok();
        if let Some(text) = told.map_or(Ok(None), |target| written_csv(lua, &target))? {
            return with_room(lua, || Table::from_csv(&text, &options));
        }
        let path = access(lua).read(path)?;
        with_room(lua, || Table::read_csv(&path, &options))
    })?;
    m.function_with("from_csv(text, options?)", |lua, args, o: Reading| {
        let (text, options) = (args.get::<String>("text")?, o.into());
        with_room(lua, || Table::from_csv(&text, &options))
    })?;
    m.function_with("new(values, options?)", new)?;
    Ok(())
}

/// Reads; where there is no room, once more when the tables that no script can reach any more have made way.
fn with_room(lua: &Lua, read: impl Fn() -> Result<Table>) -> Result<Table> {
    match read() {
        Err(Error::Memory { .. }) => {
            lua.gc_collect()?;
            // Objects with finalisers go in the second round.
            lua.gc_collect()?;
            read()
        }
        done => done,
    }
}

options! {
    struct Making("tables.NewOptions") {
        /// The order of the columns. Default: alphabetical, because a Lua table has no order.
        columns: Option<Names>,
    }
}

/// A list of rows, or columns by name.
fn new(_: &Lua, args: &Args, o: Making) -> Result<Table> {
    let given: mlua::Table = args.get("values")?;
    let table = if given.raw_len() == 0 {
        let mut columns = Vec::new();
        for pair in given.pairs::<LuaValue, LuaValue>() {
            let (name, list) = pair?;
            let name = String::from_script(&name, "the name of a column")?;
            let list = Vec::<Value>::from_script(&list, &name)?;
            columns.push((name, Column::from_values(list)));
        }
        columns.sort_by(|a, b| a.0.cmp(&b.0));
        Table::new(columns)?
    } else {
        let mut rows = Vec::new();
        for index in 1..=given.raw_len() {
            let row: mlua::Table = FromScript::from_script(&given.raw_get::<LuaValue>(index)?, &format!("row {index}"))?;
            let mut cells = Vec::new();
            for pair in row.pairs::<LuaValue, LuaValue>() {
                let (name, value) = pair?;
                let name = String::from_script(&name, "the name of a column")?;
                let label = format!("{name} of row {index}");
                cells.push((name, Value::from_script(&value, &label)?));
            }
            cells.sort_by(|a, b| a.0.cmp(&b.0));
            rows.push(cells);
        }
        Table::from_rows(rows)?
    };
    match o.columns {
        // Columns that were named but appear in no row are missing throughout.
        Some(Names(names)) => {
            let mut out = table;
            for name in &names {
                if !out.has(name) {
                    let column = Column::from_values(vec![Value::Missing; out.rows()]);
                    out = out.with_column(name, column)?;
                }
            }
            if let Some(left_out) = out.names().find(|n| !names.iter().any(|w| w == n)) {
                return Err(Error::argument("columns", "the names of all columns, in order", format!("none for `{left_out}`")));
            }
            out.select(&names)
        }
        None => {
            let mut names: Vec<String> = table.names().map(str::to_string).collect();
            names.sort();
            table.select(&names)
        }
    }
}

options! {
    struct Reading("tables.ReadOptions") {
        /// The columns to read, in this order. Default all.
        columns: Option<Names>,
        /// The character between cells. Default: of comma, semicolon, tab and `|` the one that is most frequent in the first line.
        delimiter: Option<char>,
        /// Further texts that stand for a missing value, such as `"NA"` or `"-9999"`. Empty cells are missing anyway, and `NaN`
        /// among numbers.
        missing: Option<Names>,
        /// Types by column, where they should not be inferred: `{ id = "string" }`. There are boolean, integer, number, string and
        /// time.
        types: Option<Types>,
    }
}

impl From<Reading> for CsvOptions {
    fn from(o: Reading) -> CsvOptions {
        CsvOptions {
            delimiter: o.delimiter,
            missing: o.missing.map_or(Vec::new(), |Names(missing)| missing),
            types: o.types.map_or(Vec::new(), |Types(types)| types),
            columns: o.columns.map(|Names(names)| names),
        }
    }
}
