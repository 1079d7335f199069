//! The class Table.

use std::path::PathBuf;

use mlua::{UserDataRef, Value as LuaValue};

use super::values::{Filter, Names, equal, new_values, row, to_lua};
use super::values;
use crate::bind_class;
use crate::error::{Choice, Error, Result};
use crate::lua::rehearsal::{is_told, table_is_told};
use crate::lua::value::describe;
use crate::lua::spec::ValueType;
use crate::lua::{Builder, Class, FromScript, access};
use crate::options;
use crate::table::{Aggregate, Aggregation, Column, CsvOptions, DisplayOptions, JoinKind, SortKey, Table};
use crate::work::{Display, Form};

bind_class!(Table);

impl Class for Table {
    const NAME: &'static str = "Table";

    fn define(c: &mut Builder<Self>) {
        c.field("names", |lua, this| Ok(lua.create_sequence_from(this.names())?))
            .field("types", |lua, this| {
                let pairs = this.columns().iter().map(|(n, c)| (n.as_str(), c.kind().name()));
                Ok(lua.create_table_from(pairs)?)
            })
            .length(Table::rows)
            .items(|lua, this, index| {
                let index = usize::try_from(index - 1).ok().filter(|i| *i < this.rows());
                index.map(|i| Ok(LuaValue::Table(row(lua, this, i)?))).transpose()
            })
            .dynamic_fields(
                |lua, this, name| match this.column(name) {
                    Ok(column) => Ok(Some(LuaValue::Table(values::column(lua, column)?))),
                    Err(_) => Ok(None),
                },
                |this| this.names().map(str::to_string).collect(),
            )
            .text(Table::size_text)
            .listing(|this| {
                let table = this.clone();
                Ok(Display::new(this.to_string()).with(Form::Html, move || Ok(Some(table.html().into()))))
            });
        columns(c);
        rows(c);
        combining(c);
        output(c);
    }
}

fn columns(c: &mut Builder<Table>) {
    c.method("column(name)", |lua, this, args| values::column(lua, this.column(&args.get::<String>("name")?)?))
        .method("select(...)", |_, this, args| this.select(&names(args.rest())?))
        .method("drop(...)", |_, this, args| this.drop(&names(args.rest())?))
        .method("rename(from, to)", |_, this, args| {
            this.rename(&args.get::<String>("from")?, &args.get::<String>("to")?)
        })
        .method("cast(name, type)", |_, this, args| {
            this.cast(&args.get::<String>("name")?, args.get("type")?)
        })
        .method("with_column(name, values)", |lua, this, args| {
            let given: LuaValue = args.get("values")?;
            let values = new_values(&given, this.rows(), |i| Ok(LuaValue::Table(row(lua, this, i)?)))?;
            this.with_column(&args.get::<String>("name")?, Column::from_values(values))
        });
}

fn rows(c: &mut Builder<Table>) {
    c.method("filter(condition)", |lua, this, args| match args.get("condition")? {
        Filter::Function(function) => this.filter(|i| {
            let keep: LuaValue = function.call((row(lua, this, i)?, i + 1))?;
            Ok(!matches!(keep, LuaValue::Nil | LuaValue::Boolean(false)))
        }),
        Filter::Equal(wanted) => {
            let columns = wanted.iter().map(|(n, v)| Ok((this.column(n)?, v))).collect::<Result<Vec<_>>>()?;
            this.filter(|i| Ok(columns.iter().all(|(c, v)| equal(&c.get(i), v))))
        }
    })
    .method_with("sort(by, options?)", |_, this, args, o: Sorting| {
        let Names(by) = args.get("by")?;
        let descending = o.descending;
        let keys: Vec<SortKey> = by.into_iter().map(|column| SortKey { column, descending }).collect();
        this.sort(&keys)
    })
    .method("head(count?)", |_, this, args| Ok(this.head(args.get::<Option<usize>>("count")?.unwrap_or(10))))
    .method("tail(count?)", |_, this, args| Ok(this.tail(args.get::<Option<usize>>("count")?.unwrap_or(10))))
    .method("groups(keys)", |lua, this, args| {
        let Names(keys) = args.get("keys")?;
        let groups = this.groups(&keys)?.into_iter().map(|rows| this.take(&rows));
        Ok(lua.create_sequence_from(groups)?)
    })
    .method("group_by(keys, aggregates)", |_, this, args| {
        let Names(keys) = args.get("keys")?;
        let list: Vec<LuaValue> = args.get("aggregates")?;
        let aggregates = list.iter().enumerate().map(|(i, v)| aggregate(v, &format!("aggregates[{}]", i + 1)));
        this.group_by(&keys, &aggregates.collect::<Result<Vec<_>>>()?)
    })
    .method("aggregate(aggregation, column)", |lua, this, args| {
        let aggregation = Aggregation::parse(&args.get::<String>("aggregation")?)?;
        let column = args.get("column")?;
        let keys: &[&str] = &[];
        let one = this.group_by(keys, &[Aggregate { column, aggregation, name: Some("value".into()) }])?;
        to_lua(lua, &one.value(0, "value")?)
    })
    .method("summary()", |_, this, _| Ok(this.summary()));
}

options! {
    struct Sorting("Table.SortOptions") {
        /// Largest first.
        descending: bool = false,
    }
}

options! {
    struct Joining("Table.JoinOptions") {
        /// `"inner"` keeps the rows whose key both tables have, `"left"` all rows of this table.
        kind: JoinKind = JoinKind::Inner,
    }
}

fn combining(c: &mut Builder<Table>) {
    c.method_with("join(other, keys, options?)", |_, this, args, o: Joining| {
        let other: UserDataRef<Table> = args.get("other")?;
        let Names(keys) = args.get("keys")?;
        this.join(&other, &keys, o.kind)
    })
    .method("append(other)", |_, this, args| Ok(this.append(&*args.get::<UserDataRef<Table>>("other")?)))
    .method("beside(other)", |_, this, args| this.beside(&*args.get::<UserDataRef<Table>>("other")?));
}

options! {
    struct Writing("Table.WriteOptions") {
        /// The character between cells. Default: tab for `.tsv` and `.tab`, else comma.
        delimiter: Option<char>,
    }
}

options! {
    struct Csv("Table.CsvOptions") {
        /// The character between cells.
        delimiter: char = ',',
    }
}

options! {
    struct Rendering("Table.RenderOptions") {
        /// At most this many rows; of a longer table the first and the last are shown.
        rows: usize = DisplayOptions::ROWS; DisplayOptions::COUNTS,
        /// At most this many characters a line; columns that do not fit are named below.
        width: usize = DisplayOptions::WIDTH; DisplayOptions::COUNTS,
        /// Longer strings are cut.
        cell: usize = DisplayOptions::CELL; DisplayOptions::COUNTS,
    }
}

fn output(c: &mut Builder<Table>) {
    let csv = |delimiter: Option<char>| CsvOptions { delimiter, ..Default::default() };
    c.method_with("write(path, options?)", move |lua, this, args, o: Writing| {
        let path = access(lua).write(args.get::<PathBuf>("path")?)?;
        match is_told(lua, "write", &path) {
            true => Ok(()),
            false => this.write(&path, &csv(o.delimiter)),
        }
    })
    .method_with("write_csv(path, options?)", move |lua, this, args, o: Writing| {
        let path = access(lua).write(args.get::<PathBuf>("path")?)?;
        let options = csv(o.delimiter);
        match table_is_told(lua, &path, this, &options) {
            true => Ok(()),
            false => this.write_csv(&path, &options),
        }
    })
    .method_with("to_csv(options?)", move |_, this, _, o: Csv| this.to_csv(&csv(Some(o.delimiter))))
    .method_with("render(options?)", |_, this, _, o: Rendering| {
        Ok(this.render(&DisplayOptions {
            max_rows: o.rows,
            max_width: o.width,
            max_cell: o.cell,
        }))
    });
}

/// Names as arguments in a row or as one list.
fn names(values: &[LuaValue]) -> Result<Vec<String>> {
    let list = match values {
        [one @ LuaValue::Table(_)] => return Vec::<String>::from_script(one, "names"),
        many => many,
    };
    list.iter().map(|v| String::from_script(v, "the name of a column")).collect()
}

/// `{ "mean", "height" }`, `{ "mean", "height", "mean_height" }`.
fn aggregate(value: &LuaValue, label: &str) -> Result<Aggregate> {
    let parts = Vec::<String>::accept(value).unwrap_or_default();
    let (aggregation, column, name) = match parts.as_slice() {
        [aggregation, column] => (aggregation, column, None),
        [aggregation, column, name] => (aggregation, column, Some(name.clone())),
        _ => {
            let expected = "{ aggregation, column } or { aggregation, column, new name }";
            return Err(Error::argument(label, expected, describe(value)));
        }
    };
    Ok(Aggregate { column: column.clone(), aggregation: Aggregation::parse(aggregation)?, name })
}

/// A copy, for natives that make tables for each other.
impl FromScript for Table {
    fn expected() -> String {
        "a Table (see the module tables)".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Table".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        UserDataRef::<Table>::accept(value).map(|table| table.clone())
    }
}
