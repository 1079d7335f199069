//! Work as data: an operation says its name, version and parameters, and is made again from them by name. What a graph is, and whether two
//! are the same, is read from these descriptions alone; see `exchange`.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::crs::Locator;
use super::graph::Port;
use super::image::float_of;
use super::operation::{Operation, SceneOperation};
use super::whole::WholeOperation;
use super::{Band, Grid, Raster, Unit};
use crate::error::{Error, Result};

/// What an operation is.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// As users call it, where they can: `filter.focal`.
    pub name: &'static str,
    /// Grows when the same parameters come to give other numbers.
    pub version: u32,
    pub parameters: Json,
}

impl Description {
    pub fn of<T: Described>(described: &T) -> Result<Description> {
        Ok(Description {
            name: T::NAME,
            version: T::VERSION,
            parameters: described.parameters()?,
        })
    }
}

/// Where an operation is made again.
pub struct Site<'a> {
    pub grid: &'a Arc<Grid>,
    pub inputs: &'a [Port],
    /// What a file is opened by, given what it was opened by before; an error where it must not be read.
    pub file: &'a dyn Fn(&str) -> Result<String>,
}

impl Site<'_> {
    /// # Errors
    /// When `what`, which takes one input, is given another number.
    pub fn only_input(&self, what: &str) -> Result<&Port> {
        match self.inputs {
            [input] => Ok(input),
            inputs => Err(self.wrong_inputs(what, "1", inputs.len())),
        }
    }

    pub fn wrong_inputs(&self, what: &str, takes: &str, given: usize) -> Error {
        Error::message(format!(
            "{what} takes {takes} inputs, and the description gives it {given}"
        ))
    }
}

/// What has a description and is made of one.
pub trait Described: Sized {
    const NAME: &'static str;
    const VERSION: u32;

    /// All that its numbers depend on, beside its inputs and their grids.
    fn parameters(&self) -> Result<Json>;

    /// # Errors
    /// Parameters that are not its own; files that are gone or have changed.
    fn again(parameters: &Json, site: &Site) -> Result<Self>;
}

/// An input as an image of one band.
pub fn of_port(port: &Port) -> Raster {
    let band = Band {
        name: "input".into(),
        dtype: float_of(port.kind()),
        unit: Unit::Unknown,
        nodata: None,
        port: port.clone(),
    };
    Raster::new(port.node.grid.clone(), vec![band])
}

/// What is made of a description.
pub enum Made {
    Tiles(Arc<dyn Operation>),
    Scene(Arc<dyn SceneOperation>),
    Whole(Arc<dyn WholeOperation>),
    /// The way from the pixels of an image to the map.
    Locator(Arc<dyn Locator>),
}

/// How something is made of its description.
pub struct Constructor {
    pub name: &'static str,
    pub version: u32,
    /// The type that is made, for tests.
    pub type_name: &'static str,
    pub make: fn(&Json, &Site) -> Result<Made>,
}

inventory::collect!(Constructor);

/// All constructors of this program, in no order.
pub fn constructors() -> impl Iterator<Item = &'static Constructor> {
    inventory::iter::<Constructor>.into_iter()
}

/// Makes what a description is of.
///
/// # Errors
/// Names and versions that this program does not know; those of `Described::again`.
pub fn make(name: &str, version: u32, parameters: &Json, site: &Site) -> Result<Made> {
    let Some(found) = constructors().find(|c| c.name == name) else {
        return Err(Error::not_found(
            "operation",
            name,
            constructors().map(|c| c.name),
        ));
    };
    if found.version != version {
        return Err(Error::message(format!(
            "{name} is of version {version} there and of version {} in this program, which gives other numbers",
            found.version
        )));
    }
    (found.make)(parameters, site)
}

/// Enters a `Described` type into the list of constructors, as `Tiles`, `Scene`, `Whole` or `Locator`. With a name and a version it is one whose
/// fields are its parameters.
#[macro_export]
macro_rules! described {
    ($type:ty, $made:ident) => {
        inventory::submit! {
            $crate::raster::describe::Constructor {
                name: <$type as $crate::raster::describe::Described>::NAME,
                version: <$type as $crate::raster::describe::Described>::VERSION,
                type_name: stringify!($type),
                make: |parameters, site| {
                    let made = <$type as $crate::raster::describe::Described>::again(parameters, site)?;
                    Ok($crate::raster::describe::Made::$made(std::sync::Arc::new(made)))
                },
            }
        }
    };
    ($type:ty, $made:ident, $name:literal, $version:literal) => {
        impl $crate::raster::describe::Described for $type {
            const NAME: &'static str = $name;
            const VERSION: u32 = $version;

            fn parameters(&self) -> $crate::error::Result<serde_json::Value> {
                $crate::raster::describe::to_json(self)
            }

            fn again(
                parameters: &serde_json::Value,
                _: &$crate::raster::describe::Site,
            ) -> $crate::error::Result<Self> {
                $crate::raster::describe::from_json(Self::NAME, parameters)
            }
        }
        $crate::described!($type, $made);
    };
}

/// The one key of what stands for a number that JSON does not have.
const NOT_FINITE: &str = "not finite";

/// A value as JSON, in which NaN and infinities come through.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<Json> {
    let value = ciborium::Value::serialized(value).map_err(|e| Error::message(e.to_string()))?;
    as_json(value)
}

/// What `to_json` made of a value; `what` is for the error.
///
/// # Errors
/// JSON of something else.
pub fn from_json<T: DeserializeOwned>(what: &str, json: &Json) -> Result<T> {
    let value = as_value(json)?;
    value.deserialized().map_err(|e| {
        let ciborium::value::Error::Custom(reason) = e;
        Error::message(format!(
            "the parameters of {what} are not what it takes: {reason}"
        ))
    })
}

fn as_json(value: ciborium::Value) -> Result<Json> {
    use ciborium::Value;
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(v) => Json::Bool(v),
        Value::Text(v) => Json::String(v),
        Value::Integer(v) => {
            let v = i128::from(v);
            let number = u64::try_from(v)
                .map(Json::from)
                .or(i64::try_from(v).map(Json::from));
            number.map_err(|_| Error::message(format!("{v} is no 64-bit integer")))?
        }
        Value::Float(v) if v.is_finite() => Json::from(v),
        Value::Float(v) => Json::Object(Map::from_iter([(
            NOT_FINITE.to_string(),
            Json::String(v.to_string()),
        )])),
        Value::Array(list) => Json::Array(list.into_iter().map(as_json).collect::<Result<_>>()?),
        Value::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let Value::Text(key) = key else {
                    return Err(Error::message("a parameter has a name that is no text"));
                };
                map.insert(key, as_json(value)?);
            }
            Json::Object(map)
        }
        other => return Err(Error::message(format!("{other:?} is no parameter"))),
    })
}

fn as_value(json: &Json) -> Result<ciborium::Value> {
    use ciborium::Value;
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(v) => Value::Bool(*v),
        Json::String(v) => Value::Text(v.clone()),
        Json::Number(v) => match (v.as_i64(), v.as_u64(), v.as_f64()) {
            (Some(v), _, _) => Value::Integer(v.into()),
            (_, Some(v), _) => Value::Integer(v.into()),
            (_, _, Some(v)) => Value::Float(v),
            _ => return Err(Error::message(format!("{v} is no number that is known here"))),
        },
        Json::Array(list) => Value::Array(list.iter().map(as_value).collect::<Result<_>>()?),
        Json::Object(map) => {
            if let (1, Some(Json::String(text))) = (map.len(), map.get(NOT_FINITE)) {
                let number: f64 = text
                    .parse()
                    .map_err(|_| Error::message(format!("`{text}` is no number")))?;
                return Ok(Value::Float(number));
            }
            let entry = |(key, value): (&String, &Json)| Ok((Value::Text(key.clone()), as_value(value)?));
            Value::Map(map.iter().map(entry).collect::<Result<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_through() {
        let numbers = [
            0.1,
            -0.0,
            5.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
            1e300,
            16_777_217.0,
        ];
        let text = to_json(&numbers).unwrap().to_string();
        let back: Vec<f64> = from_json("test", &serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(
            numbers.map(f64::to_bits).to_vec(),
            back.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        );
        let single: f32 = from_json("test", &to_json(&0.1f32).unwrap()).unwrap();
        assert_eq!(single, 0.1f32);
        let most: (u64, i64) = from_json("test", &to_json(&(u64::MAX, i64::MIN)).unwrap()).unwrap();
        assert_eq!(most, (u64::MAX, i64::MIN));
    }

    #[test]
    fn what_is_not_known_says_so() {
        let grid = Arc::new(Grid::new(None, super::super::Affine::PIXELS, 1, 1).unwrap());
        let site = Site {
            grid: &grid,
            inputs: &[],
            file: &|path| Ok(path.to_string()),
        };
        let error = |name: &str, version: u32, parameters: &str| {
            let parameters = serde_json::from_str(parameters).unwrap();
            make(name, version, &parameters, &site).err().unwrap().to_string()
        };
        assert!(error("filter.focall", 1, "{}").contains("filter.focal"));
        assert!(error("filter.lee", 99, "{}").contains("version 99 there"));
        assert!(error("filter.lee", 1, "{\"size\": 3}").contains("looks"));
    }
}
