//! Module `inference`: models, networks in ONNX with what must be known to use them.

mod apply;
mod model;

use std::path::PathBuf;

use mlua::Value;

use super::options::Nested;
use super::spec::ValueType;
use super::{FromScript, Module, access, describe};
use crate::error::{Domain, Error, Result};
use crate::inference::{Activation, Band, Class, Metadata, Model, Opening, Precision, Wanted};
use crate::options;

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<Model>();
    m.function_with("open(path, options?)", |lua, args, o: Open| {
        let (access, path) = (access(lua), args.get::<PathBuf>("path")?);
        Model::open(&access.read(&path)?, o.opening()?).map_err(|e| match e {
            // Named as the script named it.
            Error::NoSuchFile { .. } => Error::NoSuchFile {
                path,
                looked_in: access.working().to_path_buf(),
            },
            e => e,
        })
    })?;
    Ok(())
}

options! {
    struct Open("inference.OpenOptions") {
        /// What computes it: `"auto"` (the first GPU where one works, else the CPU, with a note why), `"cpu"`, `"cuda"` (the first GPU) or `"cuda:1"` (the
        /// second). Default as `"auto"`, without the note where there is no driver.
        device: Option<String>,
        /// In which numbers a GPU multiplies float32: `float32`, as the CPU does, or `tf32`, with factors rounded to 10 bits of the fraction, which is faster.
        precision: Precision = Precision::Float32,
        /// The most that it takes of a GPU's memory, in MiB. Default: what it needs.
        gpu_memory_mib: Option<usize>; Domain::at_least(1.0),
        /// The bands that it takes, in its order: names, or tables with a name, a unit and what they are turned into.
        bands: Option<Vec<GivenBand>>,
        /// The classes that it tells apart, in its order: names, or tables with a name, a value and a colour.
        classes: Option<Vec<GivenClass>>,
        /// What stands for masked pixels in a map of classes.
        nodata: Option<usize>; Domain::within(0.0, 255.0),
        /// What its numbers are: of classes before the softmax (one channel: the logistic function), probabilities, or quantities.
        activation: Option<Activation>,
        /// What height and width of its input must be multiples of.
        stride: Option<usize>; Domain::at_least(1.0),
        /// Pixels along a side that one pixel of its output depends on.
        receptive_field: Option<usize>; Domain::at_least(1.0),
    }
}

impl Open {
    fn opening(self) -> Result<Opening> {
        let mut classes = Vec::new();
        for (place, GivenClass(class)) in self.classes.unwrap_or_default().into_iter().enumerate() {
            let value = class.value.unwrap_or(place);
            classes.push(Class {
                value: u8::try_from(value)
                    .map_err(|_| Error::argument("classes", "values from 0 to 255", value))?,
                name: class.name,
                color: class.color,
            });
        }
        Ok(Opening {
            device: self.device.as_deref().map_or(Ok(Wanted::default()), Wanted::named)?,
            asked: self.device.is_some(),
            precision: self.precision,
            gpu_memory: self.gpu_memory_mib.map(|mib| mib << 20),
            given: Metadata {
                bands: self
                    .bands
                    .unwrap_or_default()
                    .into_iter()
                    .map(|GivenBand(band)| band)
                    .collect(),
                classes,
                nodata: self.nodata.and_then(|value| u8::try_from(value).ok()),
                activation: self.activation,
                stride: self.stride,
                receptive_field: self.receptive_field,
                ..Metadata::default()
            },
        })
    }
}

options! {
    /// A band that a model takes: limited to `clip`, then `(x - mean) / std` or `x * scale + offset`.
    struct BandTable("inference.Band") {
        /// Of the band, as in images.
        name: String,
        /// Of the band's values, as in images: `"dB"`, `"power"`. Default: not known.
        unit: Option<String>,
        /// The input that it is a channel of. Default: the first.
        input: Option<String>,
        /// The lowest and the highest value that are passed on, in the band's unit.
        clip: Option<[f64; 2]>,
        /// What is subtracted.
        mean: Option<f64>; Domain::FINITE,
        /// What is divided by.
        std: Option<f64>; Domain::above(0.0),
        /// What is multiplied by.
        scale: Option<f64>; Domain::NOT_ZERO,
        /// What is added then.
        offset: Option<f64>; Domain::FINITE,
        /// What a masked pixel becomes, among the numbers that the model is given. Default 0.
        fill: Option<f64>; Domain::FINITE,
    }
}

options! {
    /// A class that a model tells apart.
    struct ClassTable("inference.Class") {
        /// Of the class.
        name: String,
        /// In maps. Default: its place among the classes, from 0.
        value: Option<usize>; Domain::within(0.0, 255.0),
        /// As `#1f78b4`.
        color: Option<String>,
    }
}

struct GivenBand(Band);

impl FromScript for GivenBand {
    fn expected() -> String {
        "the name of a band or a table { name = …, unit = …, mean = …, std = … }".into()
    }

    fn kind() -> ValueType {
        named_or::<BandTable>()
    }

    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }

    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let band = match value {
            Value::String(_) => Band {
                name: String::from_script(value, name)?,
                ..Band::default()
            },
            Value::Table(_) => {
                let Nested(band) = Nested::<BandTable>::from_script(value, name)?;
                Band {
                    name: band.name,
                    unit: band.unit,
                    input: band.input,
                    clip: band.clip,
                    mean: band.mean,
                    std: band.std,
                    scale: band.scale,
                    offset: band.offset,
                    fill: band.fill,
                }
            }
            other => return Err(Error::argument(name, Self::expected(), describe(other))),
        };
        Ok(GivenBand(band))
    }
}

struct GivenClass(ClassTable);

impl FromScript for GivenClass {
    fn expected() -> String {
        "the name of a class or a table { name = …, value = …, color = … }".into()
    }

    fn kind() -> ValueType {
        named_or::<ClassTable>()
    }

    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }

    fn from_script(value: &Value, name: &str) -> Result<Self> {
        match value {
            Value::String(_) => Ok(GivenClass(ClassTable {
                name: String::from_script(value, name)?,
                value: None,
                color: None,
            })),
            Value::Table(_) => {
                Nested::<ClassTable>::from_script(value, name).map(|Nested(class)| GivenClass(class))
            }
            other => Err(Error::argument(name, Self::expected(), describe(other))),
        }
    }
}

fn named_or<O: super::options::OptionTable>() -> ValueType {
    ValueType::Of(format!("string|{}", O::NAME).into())
}
