//! Work as data: an operation says its name, version and parameters, and is made again from them by name. What a graph is, and whether two
//! are the same, is read from these descriptions alone; see `exchange`.

use std::fmt::Display;
use std::sync::Arc;

use serde::de::value::{self, MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use serde::{Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::{Map, Value as Json};

use super::crs::Locator;
use super::graph::Port;
use super::image::float_of;
use super::lattice::LatticeOperation;
use super::operation::{Operation, SceneOperation};
use super::whole::WholeOperation;
use super::{Band, Grid, Kind, Raster, Unit};
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
    /// # Errors
    /// Those of `parameters`.
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
    /// What is made, for errors.
    pub name: &'a str,
    pub grid: &'a Arc<Grid>,
    pub inputs: &'a [Port],
    /// What a file is opened by, given what it was opened by before; an error where it must not be read.
    pub file: &'a dyn Fn(&str) -> Result<String>,
}

impl Site<'_> {
    /// # Errors
    /// When there is another number of inputs than one.
    pub fn only_input(&self) -> Result<&Port> {
        match self.inputs {
            [input] => Ok(input),
            _ => Err(self.wrong_inputs("1")),
        }
    }

    /// # Errors
    /// When there is another number of inputs.
    pub fn takes(&self, count: usize) -> Result<&Self> {
        match self.inputs.len() == count {
            true => Ok(self),
            false => Err(self.wrong_inputs(count)),
        }
    }

    pub fn wrong_inputs(&self, takes: impl Display) -> Error {
        Error::argument(
            format!("inputs of {}", self.name),
            takes.to_string(),
            self.inputs.len(),
        )
    }

    /// # Errors
    /// Inputs that do not lie on the grid.
    pub fn on_grid(&self) -> Result<&Self> {
        match self.inputs.iter().find(|p| !p.node.grid.matches(self.grid)) {
            Some(port) => Err(Error::GridMismatch {
                left: self.grid.to_string(),
                right: port.node.grid.to_string(),
            }),
            None => Ok(self),
        }
    }

    /// # Errors
    /// Complex inputs.
    pub fn real(&self) -> Result<&Self> {
        match self.inputs.iter().any(|p| p.kind() == Kind::C32) {
            true => Err(Error::argument(
                format!("inputs of {}", self.name),
                "real numbers",
                "complex ones",
            )),
            false => Ok(self),
        }
    }

    /// # Errors
    /// Inputs that are not complex.
    pub fn complex(&self) -> Result<&Self> {
        match self.inputs.iter().all(|p| p.kind() == Kind::C32) {
            true => Ok(self),
            false => Err(Error::argument(
                format!("inputs of {}", self.name),
                "complex numbers",
                "real ones",
            )),
        }
    }
}

/// What has a description and is made of one.
pub trait Described: Sized {
    const NAME: &'static str;
    const VERSION: u32;

    /// All that its numbers depend on, beside its inputs and their grids.
    ///
    /// # Errors
    /// What JSON cannot hold; a file that it reads and that is gone.
    fn parameters(&self) -> Result<Json>;

    /// # Errors
    /// Parameters that are not its own; files that are gone or have changed.
    fn again(parameters: &Json, site: &Site) -> Result<Self>;

    /// What all that makes one holds to: ranges of parameters, number, grids and kinds of inputs. A description may have been edited.
    ///
    /// # Errors
    /// What it does not hold to.
    fn check(&self, site: &Site) -> Result<()>;
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
    Lattice(Arc<dyn LatticeOperation>),
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

/// Enters a `Described` type into the list of constructors, as `Tiles`, `Scene`, `Whole`, `Lattice` or `Locator`. With a name, a version and
/// what checks it, it is one whose fields are its parameters.
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
                    $crate::raster::describe::Described::check(&made, site)?;
                    Ok($crate::raster::describe::Made::$made(std::sync::Arc::new(made)))
                },
            }
        }
    };
    ($type:ty, $made:ident, $name:literal, $version:literal, $check:expr) => {
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

            fn check(&self, site: &$crate::raster::describe::Site) -> $crate::error::Result<()> {
                let check: fn(&Self, &$crate::raster::describe::Site) -> $crate::error::Result<()> = $check;
                check(self, site)
            }
        }
        $crate::described!($type, $made);
    };
}

/// The one key of what stands for a number that JSON does not have.
const NOT_FINITE: &str = "not finite";

/// A value as JSON, in which NaN and infinities come through.
///
/// # Errors
/// Integers beyond 64 bits, bytes, and maps whose keys are no text.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<Json> {
    let value = ciborium::Value::serialized(value).map_err(|e| Error::message(e.to_string()))?;
    as_json(value)
}

/// What `to_json` made of a value; `what` is for the error.
///
/// # Errors
/// JSON of something else.
pub fn from_json<T: DeserializeOwned>(what: &str, json: &Json) -> Result<T> {
    T::deserialize(Parameter(json.clone())).map_err(|reason| {
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

/// JSON as what it describes. Numbers count as numbers, whichever way they are written: other programs write 5 for 5.0.
struct Parameter(Json);

impl Parameter {
    fn entries(map: Map<String, Json>) -> impl Iterator<Item = (String, Parameter)> {
        map.into_iter().map(|(key, value)| (key, Parameter(value)))
    }
}

impl<'de> IntoDeserializer<'de> for Parameter {
    type Deserializer = Parameter;

    fn into_deserializer(self) -> Parameter {
        self
    }
}

impl<'de> Deserializer<'de> for Parameter {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        match self.0 {
            Json::Null => visitor.visit_unit(),
            Json::Bool(v) => visitor.visit_bool(v),
            Json::String(v) => visitor.visit_string(v),
            Json::Number(v) => v.deserialize_any(visitor).map_err(de::Error::custom),
            Json::Array(list) => {
                let mut items = SeqDeserializer::new(list.into_iter().map(Parameter));
                let made = visitor.visit_seq(&mut items)?;
                items.end().map(|()| made)
            }
            Json::Object(map) => {
                if let (1, Some(Json::String(text))) = (map.len(), map.get(NOT_FINITE)) {
                    let number = text.parse();
                    return visitor
                        .visit_f64(number.map_err(|_| de::Error::custom(format!("`{text}` is no number")))?);
                }
                let mut entries = MapDeserializer::new(Parameter::entries(map));
                let made = visitor.visit_map(&mut entries)?;
                entries.end().map(|()| made)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        match self.0 {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        match self.0 {
            Json::String(name) => visitor.visit_enum(name.into_deserializer()),
            Json::Object(map) if map.len() == 1 => visitor.visit_enum(MapAccessDeserializer::new(
                MapDeserializer::new(Parameter::entries(map)),
            )),
            other => Err(de::Error::custom(format!("{other} is none of the choices"))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
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
        let whole: (f64, f32) = from_json("test", &serde_json::from_str("[-1, 7]").unwrap()).unwrap();
        assert_eq!(whole, (-1.0, 7.0));
        assert!(from_json::<usize>("test", &Json::from(2.5)).is_err());
        assert!(from_json::<(f64, f64)>("test", &serde_json::from_str("[1, 2, 3]").unwrap()).is_err());
        let single: f32 = from_json("test", &to_json(&0.1f32).unwrap()).unwrap();
        assert_eq!(single, 0.1f32);
        let most: (u64, i64) = from_json("test", &to_json(&(u64::MAX, i64::MIN)).unwrap()).unwrap();
        assert_eq!(most, (u64::MAX, i64::MIN));
    }

    #[test]
    fn what_is_not_known_says_so() {
        let grid = Arc::new(Grid::new(None, super::super::Affine::PIXELS, 1, 1).unwrap());
        let site = Site {
            name: "",
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
