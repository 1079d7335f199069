//! What the numbers of an image of classes mean: names and colours.

use mlua::{Lua, Table, Value};

use crate::error::{Error, Result};
use crate::lua::args::{Args, Options};
use crate::lua::options::{OptionTable, declared};
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::plot::Color;
use crate::raster::{Class, Raster, Unit};

options! {
    pub struct ClassEntry("raster.Class") {
        /// Of its pixels.
        value: i64,
        /// What they are. Default: the value.
        name: Option<String>,
        /// That they are shown in. Default: the next of ten colours that differ.
        color: Option<Color>,
    }
}

/// `{ value = 1, name = "water", color = "blue" }`
impl FromScript for Class {
    fn expected() -> String {
        "a class: { value = 1, name = \"water\", color = \"blue\" }".into()
    }
    fn kind() -> ValueType {
        ValueType::Table(declared::<ClassEntry>())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        if Table::accept(value).is_none() {
            return Err(Error::argument(name, Self::expected(), describe(value)));
        }
        let entry = Options::read(value, name, ClassEntry::read)?;
        Ok(Class {
            value: entry.value,
            name: entry.name.unwrap_or_else(|| entry.value.to_string()),
            color: entry.color.map(|color| [color.r, color.g, color.b]),
        })
    }
}

/// `raster:set_classes(classes, band?)`
pub fn set(this: &Raster, args: &Args) -> Result<Raster> {
    let classes: Vec<Class> = args.get("classes")?;
    if let Some((i, class)) = (classes.iter().enumerate()).find(|(i, class)| classes[..*i].iter().any(|c| c.value == class.value)) {
        return Err(Error::argument(format!("classes[{}].value", i + 1), "one that no other class has", class.value));
    }
    let band = match args.get::<Option<String>>("band")? {
        Some(name) => this.band(&name)?,
        None => this.only_band("set_classes")?,
    };
    let name = band.name.clone();
    let mut raster = this.clone();
    for band in raster.bands.iter_mut().filter(|band| band.name == name) {
        band.unit = Unit::Class(classes.clone());
    }
    Ok(raster)
}

/// `raster.classes`: of each band whose classes are known, their values, names and colours.
pub fn field(lua: &Lua, this: &Raster) -> Result<Table> {
    let table = lua.create_table()?;
    for band in this.bands.iter().filter(|band| !band.unit.classes().is_empty()) {
        let list = lua.create_table()?;
        for class in band.unit.classes() {
            let one = lua.create_table()?;
            one.raw_set("value", class.value)?;
            one.raw_set("name", class.name.as_str())?;
            one.raw_set("color", class.color.map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}")))?;
            list.raw_push(one)?;
        }
        table.raw_set(band.name.as_str(), list)?;
    }
    Ok(table)
}
