//! Cells and columns of tables, and properties of features, as Lua values and back.

use mlua::{Function, IntoLua, Lua, LuaSerdeExt, Table as LuaTable, Value as LuaValue};

use crate::error::{Error, Result};
use crate::lua::value::{FromScript, describe};
use crate::lua::spec::ValueType;
use crate::table::{Column, ColumnType, Table, Value, format_time};

/// Missing values are nil, times text as ISO 8601 writes it, lists and objects tables.
pub fn to_lua(lua: &Lua, value: &Value) -> Result<LuaValue> {
    Ok(match value {
        value if value.is_missing() => LuaValue::Nil,
        Value::Missing => LuaValue::Nil,
        Value::Bool(v) => LuaValue::Boolean(*v),
        Value::Integer(v) => LuaValue::Integer(*v),
        Value::Float(v) => LuaValue::Number(*v),
        Value::Text(v) => v.as_str().into_lua(lua)?,
        Value::Time(v) => format_time(*v).into_lua(lua)?,
        Value::Nested(v) => lua.to_value(v)?,
    })
}

/// Strings stay strings, also where they look like times.
impl FromScript for Value {
    fn expected() -> String {
        "nil, true or false, a number, a string, or a table of these".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("any".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        Some(match value {
            LuaValue::Nil => Value::Missing,
            value if value.is_null() => Value::Missing,
            LuaValue::Boolean(v) => Value::Bool(*v),
            LuaValue::Integer(v) => Value::Integer(*v),
            LuaValue::Number(v) => Value::Float(*v),
            LuaValue::String(v) => Value::Text(v.to_string_lossy()),
            LuaValue::Table(_) => Value::Nested(serde_json::to_value(value).ok()?),
            _ => return None,
        })
    }
}

/// A row as a table by column name; missing values are not in it.
pub fn row(lua: &Lua, table: &Table, row: usize) -> Result<LuaTable> {
    let out = lua.create_table()?;
    for (name, value) in table.row(row) {
        out.raw_set(name, to_lua(lua, &value)?)?;
    }
    Ok(out)
}

/// A column as a list without holes, but for booleans: missing numbers are NaN, missing strings and times "".
pub fn column(lua: &Lua, column: &Column) -> Result<LuaTable> {
    let out = lua.create_table_with_capacity(column.len(), 0)?;
    for (index, value) in column.values().enumerate() {
        let value = match (&value, column) {
            (Value::Missing, Column::Integer(_) | Column::Float(_)) => LuaValue::Number(f64::NAN),
            (Value::Missing, Column::Text(_) | Column::Time(_)) => "".into_lua(lua)?,
            _ => to_lua(lua, &value)?,
        };
        out.raw_set(index + 1, value)?;
    }
    Ok(out)
}

/// The values of a new column: a function of what `item` gives for each row, a list, or one value for all rows.
pub fn new_values(
    given: &LuaValue,
    rows: usize,
    item: impl Fn(usize) -> Result<LuaValue>,
) -> Result<Vec<Value>> {
    match given {
        LuaValue::Function(function) => (0..rows)
            .map(|row| {
                let value: LuaValue = function.call((item(row)?, row + 1))?;
                Value::from_script(&value, &format!("what the function returns for row {}", row + 1))
            })
            .collect(),
        LuaValue::Table(list) => {
            let length = list_length(list)?;
            if length > rows {
                return Err(Error::argument("values", format!("a list of {rows}, one a row"), length));
            }
            (1..=rows).map(|i| Value::from_script(&list.raw_get::<LuaValue>(i)?, &format!("values[{i}]"))).collect()
        }
        value => Ok(vec![Value::from_script(value, "values")?; rows]),
    }
}

/// The largest position in a list, holes or not.
fn list_length(list: &LuaTable) -> Result<usize> {
    let mut length = 0;
    for pair in list.pairs::<LuaValue, LuaValue>() {
        match pair?.0 {
            LuaValue::Integer(i) if i >= 1 => length = length.max(i as usize),
            other => return Err(Error::argument("values", "a list, one value a row", format!("the key {}", describe(&other)))),
        }
    }
    Ok(length)
}

/// What a filter wants: a function of the item, or values to equal by name.
pub enum Filter {
    Function(Function),
    Equal(Vec<(String, Value)>),
}

impl FromScript for Filter {
    fn expected() -> String {
        "a function, or a table such as { name = value }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("function|table".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        match value {
            LuaValue::Function(function) => Some(Filter::Function(function.clone())),
            LuaValue::Table(table) if table.raw_len() == 0 => {
                let mut wanted = Vec::new();
                for pair in table.pairs::<String, LuaValue>() {
                    let (name, value) = pair.ok()?;
                    wanted.push((name, Value::accept(&value)?));
                }
                // The order of a Lua table is none; errors should not change from run to run.
                wanted.sort_by(|a, b| a.0.cmp(&b.0));
                Some(Filter::Equal(wanted))
            }
            _ => None,
        }
    }
}

/// Equal as people mean it: 1 and 1.0 are, and a time equals its text.
pub fn equal(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Time(t), Value::Text(text)) => crate::table::parse_time(text) == Some(*t),
        (a, b) if a.is_missing() || b.is_missing() => a.is_missing() && b.is_missing(),
        (a, b) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

/// One name or a list of names.
pub struct Names(pub Vec<String>);

impl FromScript for Names {
    fn expected() -> String {
        "a name or a list of names".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|string[]".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        match value {
            LuaValue::String(name) => Some(Names(vec![name.to_string_lossy()])),
            value => Vec::<String>::accept(value).map(Names),
        }
    }
}

/// One character.
impl FromScript for char {
    fn expected() -> String {
        "one character".into()
    }
    fn kind() -> ValueType {
        ValueType::String
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        let text = String::accept(value)?;
        let mut letters = text.chars();
        letters.next().filter(|_| letters.next().is_none())
    }
    fn literal(&self) -> serde_json::Value {
        self.to_string().into()
    }
}

/// Types by the names of columns.
pub struct Types(pub Vec<(String, ColumnType)>);

impl FromScript for Types {
    fn expected() -> String {
        "a table of types by column, such as { id = \"string\" }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("table<string, string>".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &LuaValue, name: &str) -> Result<Self> {
        let table = LuaTable::accept(value).filter(|table| table.raw_len() == 0);
        let wrong = || Error::argument(name, Self::expected(), describe(value));
        let mut types = Vec::new();
        for pair in table.ok_or_else(wrong)?.pairs::<LuaValue, LuaValue>() {
            let (column, kind) = pair?;
            let column = String::accept(&column).ok_or_else(wrong)?;
            let kind = ColumnType::from_script(&kind, &format!("{name}.{column}"))?;
            types.push((column, kind));
        }
        types.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Types(types))
    }
}
