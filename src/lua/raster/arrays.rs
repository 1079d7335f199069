//! `raster.arrays`, `raster.read_array` and `raster.write_hdf5`: what container files hold beside images.

use std::path::PathBuf;

use mlua::{Lua, Table, Value};

use super::array::reserve;
use super::as_written;
use crate::error::{Choice, Domain, Error, Result};
use crate::lua::rehearsal::are_told;
use crate::lua::access;
use crate::lua::args::Args;
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::raster::Raster;
use crate::raster::file::arrays::{self, ArrayValues, Elements};
use crate::raster::file::attributes::{self, Attribute};
use crate::raster::file::hdf5::{self, Content, Hdf5Options};

/// `raster.arrays(path)`
pub fn list(lua: &Lua, args: &Args) -> Result<Table> {
    let path: String = args.get("path")?;
    let access = access(lua);
    let resolved = access.read(&path)?;
    let found = arrays::list(&resolved.to_string_lossy()).map_err(|e| as_written(e, &path, access.working()))?;
    let list = lua.create_table()?;
    for array in found {
        let entry = lua.create_table()?;
        entry.raw_set("name", array.name)?;
        entry.raw_set("shape", array.shape)?;
        entry.raw_set("dtype", array.dtype)?;
        list.raw_push(entry)?;
    }
    Ok(list)
}

/// What of a file is asked for: by one name, or by a list of them.
struct Asked {
    /// As the script wrote it.
    path: String,
    resolved: String,
    names: Vec<String>,
    single: bool,
    working: PathBuf,
}

impl Asked {
    fn of(lua: &Lua, args: &Args) -> Result<Asked> {
        let (names, single) = match &args.get::<Value>("names")? {
            Value::String(one) => (vec![one.to_string_lossy()], true),
            list => (Vec::<String>::from_script(list, "names")?, false),
        };
        let (path, access) = (args.get::<String>("path")?, access(lua));
        Ok(Asked {
            resolved: access.read(&path)?.to_string_lossy().into_owned(),
            working: access.working().to_path_buf(),
            path,
            names,
            single,
        })
    }
}

/// `raster.read_array(path, names)`
pub fn read(lua: &Lua, args: &Args) -> Result<Value> {
    let Asked { path, resolved, names, single, working } = Asked::of(lua, args)?;
    // A Lua list takes 16 bytes an element, and GDAL's copy of it 8.
    let mut held = Vec::new();
    let mut reserve = |name: &str, elements: usize| {
        held.push(reserve(lua, elements.saturating_mul(24), || {
            format!("a list of the {elements} elements of {name}")
        })?);
        Ok(())
    };
    let found =
        arrays::read(&resolved, &names, &mut reserve).map_err(|e| as_written(e, &path, &working))?;
    if single {
        return match found.into_iter().next().flatten() {
            Some(values) => to_lua(lua, &values),
            None => {
                let there = arrays::list(&resolved)?.into_iter().map(|a| a.name);
                Err(Error::not_found("array", names.concat(), there))
            }
        };
    }
    let table = lua.create_table()?;
    for (name, values) in names.iter().zip(found) {
        if let Some(values) = values {
            table.raw_set(name.as_str(), to_lua(lua, &values)?)?;
        }
    }
    Ok(Value::Table(table))
}

/// `raster.read_attribute(path, names)`
pub fn read_attribute(lua: &Lua, args: &Args) -> Result<Value> {
    let Asked { path, resolved, names, single, working } = Asked::of(lua, args)?;
    let found = attributes::read(&resolved, &names).map_err(|e| as_written(e, &path, &working))?;
    let value = |attribute: Attribute| match attribute {
        Attribute::Integer(v) => Ok(Value::Integer(v)),
        Attribute::Number(v) => Ok(Value::Number(v)),
        Attribute::Text(text) => Ok(Value::String(lua.create_string(text)?)),
    };
    if single {
        return match found.into_iter().next().flatten() {
            Some(attribute) => value(attribute),
            None => Err(Error::file(&path, format!("has no attribute {}", names.concat()))),
        };
    }
    let table = lua.create_table()?;
    for (name, attribute) in names.iter().zip(found) {
        if let Some(attribute) = attribute {
            table.raw_set(name.as_str(), value(attribute)?)?;
        }
    }
    Ok(Value::Table(table))
}

/// A scalar as it is; an array as a list, of lists where it has more dimensions.
fn to_lua(lua: &Lua, values: &ArrayValues) -> Result<Value> {
    fn nested(lua: &Lua, shape: &[usize], start: usize, at: &dyn Fn(usize) -> Result<Value>) -> Result<Value> {
        let Some((&count, rest)) = shape.split_first() else {
            return at(start);
        };
        let stride: usize = rest.iter().product();
        let list = lua.create_table_with_capacity(count, 0)?;
        for i in 0..count {
            list.raw_push(nested(lua, rest, start + i * stride, at)?)?;
        }
        Ok(Value::Table(list))
    }
    nested(lua, &values.shape, 0, &|i| match &values.elements {
        Elements::Integers(list) => Ok(list.get(i).map_or(Value::Nil, |v| Value::Integer(*v))),
        Elements::Numbers(list) => Ok(list.get(i).map_or(Value::Nil, |v| Value::Number(*v))),
        Elements::Texts(list) => match list.get(i) {
            Some(text) => Ok(Value::String(lua.create_string(text)?)),
            None => Ok(Value::Nil),
        },
    })
}

/// `raster.write_hdf5(path, contents, options?)`
pub fn write(lua: &Lua, args: &Args, o: Hdf5Table) -> Result<String> {
    let path: PathBuf = args.get("path")?;
    let table: Table = args.get("contents")?;
    let options = o.into();
    let mut contents = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (name, value) = pair?;
        let name = String::from_script(&name, "the name of a dataset")?;
        contents.push((name.clone(), content(&name, &value)?));
    }
    contents.sort_by(|a, b| a.0.cmp(&b.0));
    let target = access(lua).write(&path)?;
    let images = contents.iter().filter_map(|(_, content)| match content {
        Content::Image(image) => Some(image.clone()),
        _ => None,
    });
    if !are_told(lua, &target, &images.collect::<Vec<_>>())? {
        hdf5::write(&target, &contents, &options)?;
    }
    Ok(path.display().to_string())
}

#[derive(Clone, Copy, PartialEq)]
pub enum Compression {
    Deflate,
    None,
}

impl Choice for Compression {
    const ALL: &'static [(&'static str, Self)] = &[("deflate", Compression::Deflate), ("none", Compression::None)];
}

options! {
    pub struct Hdf5Table("raster.Hdf5Options") {
        /// `{ rows, cols }` of the chunks of images.
        chunk: [usize; 2] = [128, 128]; Domain::at_least(1.0),
        /// Of the chunks: deflate (gzip) after a byte shuffle, or none.
        compress: Compression = Compression::Deflate,
        /// Of deflate.
        level: u32 = 4; Domain::within(1.0, 9.0),
        /// Text attributes by full name of the dataset: `{ ["/data/VV"] = { units = "1" } }`.
        attributes: Option<Texts>,
    }
}

impl From<Hdf5Table> for Hdf5Options {
    fn from(o: Hdf5Table) -> Hdf5Options {
        let [rows, cols] = o.chunk;
        Hdf5Options {
            chunk: (rows, cols),
            deflate: (o.compress == Compression::Deflate).then_some(o.level),
            attributes: o.attributes.map_or(Vec::new(), |Texts(list)| list),
        }
    }
}

/// Dataset, attribute and text, in order.
pub struct Texts(Vec<(String, String, String)>);

impl FromScript for Texts {
    fn expected() -> String {
        "a table such as { [\"/data/VV\"] = { units = \"1\" } }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("table<string, table<string, string>>".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "attributes").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let mut list = Vec::new();
        for pair in Table::from_script(value, name)?.pairs::<Value, Value>() {
            let (dataset, named) = pair?;
            let dataset = String::from_script(&dataset, &format!("each name in {name}"))?;
            let named = Table::from_script(&named, &format!("{name}[\"{dataset}\"]"))?;
            for pair in named.pairs::<Value, Value>() {
                let (attribute, text) = pair?;
                let attribute = String::from_script(&attribute, "the name of an attribute")?;
                let text = String::from_script(&text, &format!("{name}[\"{dataset}\"].{attribute}"))?;
                list.push((dataset.clone(), attribute, text));
            }
        }
        list.sort();
        Ok(Texts(list))
    }
}

fn content(name: &str, value: &Value) -> Result<Content> {
    let expected = "a number, a string, a boolean, a list of numbers or of strings, or a Raster";
    let wrong = |got: &Value| Error::argument(format!("contents[\"{name}\"]"), expected, describe(got));
    Ok(match value {
        Value::Integer(i) => Content::Integer(*i),
        Value::Number(n) => Content::Number(*n),
        Value::Boolean(b) => Content::Boolean(*b),
        Value::String(_) => Content::Text(String::from_script(value, name)?),
        Value::UserData(_) => Content::Image(Raster::from_script(value, &format!("contents[\"{name}\"]"))?),
        Value::Table(list) if list.raw_len() > 0 => {
            let items: Vec<Value> = list.sequence_values().collect::<Result<_, _>>()?;
            let (integers, numbers, texts): (Vec<i64>, Vec<f64>, Vec<String>) = (
                items.iter().filter_map(Value::as_integer).collect(),
                items.iter().filter_map(f64::accept).collect(),
                items.iter().filter_map(String::accept).collect(),
            );
            match items.len() {
                n if integers.len() == n => Content::Integers(integers),
                n if numbers.len() == n => Content::Numbers(numbers),
                n if texts.len() == n => Content::Texts(texts),
                _ => return Err(wrong(value)),
            }
        }
        other => return Err(wrong(other)),
    })
}
