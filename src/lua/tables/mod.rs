//! Module `tables`: tables of named columns, CSV and Parquet. (Not `table`: that is Lua's own library.)

mod table;
pub mod values;

use std::path::PathBuf;

use mlua::{Lua, Value as LuaValue};

use self::values::Names;
use super::{Args, FromScript, Module, Options, access};
use crate::error::{Error, Result};
use crate::table::{Column, ColumnType, CsvOptions, Table, Value};

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<Table>();
    m.function("read(path, options?)", |lua, args| {
        let path = access(lua).read(args.get::<PathBuf>("path")?)?;
        let options = args.options(reading)?;
        with_room(lua, || Table::read(&path, &options))
    })?;
    m.function("read_csv(path, options?)", |lua, args| {
        let path = access(lua).read(args.get::<PathBuf>("path")?)?;
        let options = args.options(reading)?;
        with_room(lua, || Table::read_csv(&path, &options))
    })?;
    m.function("from_csv(text, options?)", |lua, args| {
        let (text, options) = (args.get::<String>("text")?, args.options(reading)?);
        with_room(lua, || Table::from_csv(&text, &options))
    })?;
    m.function("new(values, options?)", new)?;
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

/// A list of rows, or columns by name.
fn new(_: &Lua, args: &Args) -> Result<Table> {
    let order = args.options(|o| o.get::<Names>("columns"))?;
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
    match order {
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

fn reading(o: &Options) -> Result<CsvOptions> {
    let mut types = Vec::new();
    if let Some(given) = o.get::<mlua::Table>("types")? {
        for pair in given.pairs::<String, String>() {
            let (name, kind) = pair?;
            types.push((name, column_type(&kind)?));
        }
        types.sort_by(|a, b| a.0.cmp(&b.0));
    }
    let missing = o.get::<Names>("missing")?.map_or(Vec::new(), |Names(m)| m);
    let columns = o.get::<Names>("columns")?.map(|Names(names)| names);
    Ok(CsvOptions { delimiter: delimiter(o)?, missing, types, columns })
}

pub(super) fn delimiter(o: &Options) -> Result<Option<char>> {
    let text = o.checked("delimiter", "one character", |s: &String| s.chars().count() == 1)?;
    Ok(text.and_then(|s| s.chars().next()))
}

pub(super) fn column_type(name: &str) -> Result<ColumnType> {
    ColumnType::parse(name).ok_or_else(|| Error::not_found("column type", name, ColumnType::NAMES))
}
