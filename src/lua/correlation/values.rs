//! Points, gross offsets and extents as scripts write them.

use mlua::{Table as LuaTable, UserDataRef, Value};

use crate::correlation::gross::{Gross, GrossOffsets};
use crate::correlation::points::Point;
use crate::correlation::settings::Extent;
use crate::error::{Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe};
use crate::raster::Raster;
use crate::table;

/// One number for both directions, or { rows, cols }.
impl FromScript for Extent {
    fn expected() -> String {
        "an integer, or { rows, cols }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("integer|integer[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        if let Some(side) = usize::accept(value) {
            return Some(Extent::new(side, side));
        }
        let [rows, cols] = <[usize; 2]>::from_script(value, "").ok()?;
        Some(Extent::new(rows, cols))
    }
    fn literal(&self) -> serde_json::Value {
        match self.rows == self.cols {
            true => self.rows.into(),
            false => [self.rows, self.cols].as_slice().into(),
        }
    }
}

/// A list of { x, y } or { id =, x =, y = }, or a Table with the columns x and y, and id or not.
pub struct Points(pub Vec<Point>);

impl FromScript for Points {
    fn expected() -> String {
        "a list of { x, y } or { id = …, x = …, y = … }, or a Table with columns x and y".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("table|Table".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "points").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        if let Some(table) = UserDataRef::<table::Table>::accept(value) {
            return of_table(&table, name);
        }
        let wrong = || Error::argument(name, Self::expected(), describe(value));
        let list = Vec::<LuaTable>::from_script(value, name).map_err(|_| wrong())?;
        let mut points = Vec::with_capacity(list.len());
        for (i, entry) in list.iter().enumerate() {
            let label = |part: &str| format!("{name}[{}].{part}", i + 1);
            let whole = |position: i64, part: &str| {
                let value = match entry.raw_get::<Value>(position)? {
                    Value::Nil => entry.raw_get::<Value>(part)?,
                    value => value,
                };
                i64::accept(&value).ok_or_else(|| not_whole(&label(part), &describe(&value)))
            };
            let id = match entry.raw_get::<Value>("id")? {
                Value::Nil => i as i64 + 1,
                value => i64::from_script(&value, &label("id"))?,
            };
            points.push(Point {
                id,
                x: whole(1, "x")?,
                y: whole(2, "y")?,
            });
        }
        Ok(Points(points))
    }
}

fn not_whole(label: &str, got: &str) -> Error {
    Error::argument(label, "a whole number: the pixel (from 0) that is the centre of the window", got)
}

fn of_table(table: &table::Table, name: &str) -> Result<Points> {
    let whole = |row: usize, part: &str| {
        let value = table.value(row, part)?;
        let number = value.as_f64().filter(|v| v.fract() == 0.0 && v.abs() < 1e15);
        number
            .map(|v| v as i64)
            .ok_or_else(|| not_whole(&format!("{name}.{part}[{}]", row + 1), &value.to_string()))
    };
    let point = |row: usize| {
        Ok(Point {
            id: match table.has("id") {
                true => whole(row, "id")?,
                false => row as i64 + 1,
            },
            x: whole(row, "x")?,
            y: whole(row, "y")?,
        })
    };
    (0..table.rows()).map(point).collect::<Result<_>>().map(Points)
}

/// { dx, dy } in pixels, a Table or a Raster.
impl FromScript for GrossOffsets {
    fn expected() -> String {
        "{ dx, dy } in pixels, or a Table or Raster with dx_px and dy_px".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number[]|Table|Raster".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        if let Some(raster) = Raster::accept(value) {
            return Some(GrossOffsets::Raster(raster));
        }
        if let Some(table) = UserDataRef::<table::Table>::accept(value) {
            return Some(GrossOffsets::Table(table.clone()));
        }
        let [dx, dy] = <[f64; 2]>::from_script(value, "").ok()?;
        Gross::nearest(dx, dy).map(GrossOffsets::Constant)
    }
}
