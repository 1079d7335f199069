//! What must be known to use a network rightly: the bands that it was trained on, what they were turned into, what its outputs mean. It lies in the
//! ONNX file, as JSON under one key of its metadata.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Choice, Error, Result, nearest};
use crate::raster;

/// The key in an ONNX file's metadata.
pub const KEY: &str = "perilune";

/// Of the form of the JSON.
pub const VERSION: u64 = 1;

/// What the numbers of an output are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Of each class, before the softmax.
    #[default]
    Logits,
    /// Of each class, from 0 to 1.
    Probabilities,
    /// Quantities, as of a regression.
    Values,
}

impl Choice for Activation {
    const ALL: &'static [(&'static str, Self)] = &[
        ("logits", Activation::Logits),
        ("probabilities", Activation::Probabilities),
        ("values", Activation::Values),
    ];
}

/// A band that a network takes: clipped to `clip`, then (x − mean) / std or x · scale + offset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Band {
    pub name: String,
    /// As units of images: `dB`, `power`, `1`.
    pub unit: Option<String>,
    /// The input of the network that it is a channel of; the first unless given.
    pub input: Option<String>,
    pub clip: Option<[f64; 2]>,
    pub mean: Option<f64>,
    pub std: Option<f64>,
    pub scale: Option<f64>,
    pub offset: Option<f64>,
    /// What a masked pixel becomes, among the numbers that the network is given; 0 unless given.
    pub fill: Option<f64>,
}

impl Band {
    /// By which factor and summand a value in the band's unit becomes what the network is given.
    pub fn scale_and_offset(&self) -> (f64, f64) {
        match (self.mean, self.std) {
            (None, None) => (self.scale.unwrap_or(1.0), self.offset.unwrap_or(0.0)),
            (mean, std) => {
                let scale = 1.0 / std.unwrap_or(1.0);
                (scale, -mean.unwrap_or(0.0) * scale)
            }
        }
    }
}

/// A class of a map: its number there is its place among the classes unless `value` says another.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    pub value: u8,
    pub name: String,
    /// As `#rrggbb`.
    pub color: Option<String>,
}

impl From<&Class> for raster::Class {
    fn from(class: &Class) -> raster::Class {
        let digits = class.color.as_deref().and_then(|text| text.strip_prefix('#'));
        let color = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        raster::Class {
            value: class.value.into(),
            name: class.name.clone(),
            color: color.map(|rgb| [(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8]),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata {
    /// In the order of the network's channels; empty where it is not known.
    pub bands: Vec<Band>,
    /// In the order of the output's channels; empty where it is not known.
    pub classes: Vec<Class>,
    /// Of masked pixels in a map of classes.
    pub nodata: Option<u8>,
    pub activation: Option<Activation>,
    /// What height and width of an input must be multiples of.
    pub stride: Option<usize>,
    /// Pixels along a side that an output pixel depends on.
    pub receptive_field: Option<usize>,
    pub licence: Option<String>,
    pub source: Option<String>,
    /// How it was trained: names and values, as the training found them fit.
    pub training: Map<String, Value>,
}

const BAND: &[&str] = &[
    "name", "unit", "input", "clip", "mean", "std", "scale", "offset", "fill",
];
const CLASS: &[&str] = &["value", "name", "color"];
const ALL: &[&str] = &[
    "version",
    "bands",
    "classes",
    "nodata",
    "activation",
    "stride",
    "receptive_field",
    "licence",
    "source",
    "training",
];

/// An object of the JSON, and where it is.
struct Object {
    place: String,
    values: Map<String, Value>,
}

impl Object {
    /// # Errors
    /// For what is no object, or has a key that is not among `keys`.
    fn of(value: Value, place: &str, keys: &[&str]) -> Result<Object> {
        let Value::Object(values) = value else {
            return Err(Error::message(format!("{place} must be an object, not {value}")));
        };
        if let Some(unknown) = values.keys().find(|key| !keys.contains(&key.as_str())) {
            let near = nearest(unknown, keys.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
            return Err(Error::message(format!(
                "{place} has an unknown key `{unknown}`{}",
                near.unwrap_or_else(|| format!("; there are: {}", keys.join(", ")))
            )));
        }
        Ok(Object {
            place: place.to_string(),
            values,
        })
    }

    fn take<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>> {
        let value = self.values.remove(key).filter(|value| !value.is_null());
        let read = value.map(serde_json::from_value).transpose();
        read.map_err(|e| Error::message(format!("{}.{key}: {e}", self.place)))
    }

    fn need<T: DeserializeOwned>(&mut self, key: &str) -> Result<T> {
        self.take(key)?
            .ok_or_else(|| Error::message(format!("{}.{key} is missing", self.place)))
    }
}

impl Metadata {
    /// # Errors
    /// For what is no such JSON, of a later version, or says what cannot be; names the key.
    pub fn from_json(text: &str) -> Result<Metadata> {
        let value =
            serde_json::from_str(text).map_err(|e| Error::message(format!("{KEY} is not JSON: {e}")))?;
        // The version first: a later one may have other keys.
        let version = match &value {
            Value::Object(values) => values.get("version").and_then(Value::as_u64).unwrap_or(0),
            _ => 0,
        };
        if version > VERSION {
            return Err(Error::message(format!(
                "{KEY}.version is {version}, and this perilune reads up to {VERSION}; a newer perilune reads it"
            )));
        }
        let mut all = Object::of(value, KEY, ALL)?;
        let bands = all.take::<Vec<Value>>("bands")?.unwrap_or_default();
        let classes = all.take::<Vec<Value>>("classes")?.unwrap_or_default();
        let activation = match all.take::<String>("activation")? {
            Some(name) => Some(Activation::named(&name).ok_or_else(|| {
                let names: Vec<&str> = Activation::names().collect();
                Error::message(format!(
                    "{KEY}.activation must be one of {}, not `{name}`",
                    names.join(", ")
                ))
            })?),
            None => None,
        };
        let metadata = Metadata {
            bands: bands
                .into_iter()
                .enumerate()
                .map(|(i, value)| band(i, value))
                .collect::<Result<_>>()?,
            classes: classes
                .into_iter()
                .enumerate()
                .map(|(i, value)| class(i, value))
                .collect::<Result<_>>()?,
            nodata: all.take("nodata")?,
            activation,
            stride: all.take("stride")?,
            receptive_field: all.take("receptive_field")?,
            licence: all.take("licence")?,
            source: all.take("source")?,
            training: all.take("training")?.unwrap_or_default(),
        };
        metadata.check()?;
        Ok(metadata)
    }

    /// As an ONNX file keeps it.
    pub fn to_json(&self) -> String {
        let mut all = Map::new();
        put(&mut all, "version", Some(VERSION));
        let bands: Vec<Value> = self.bands.iter().map(band_json).collect();
        put(&mut all, "bands", Some(bands).filter(|bands| !bands.is_empty()));
        let classes: Vec<Value> = self.classes.iter().map(class_json).collect();
        put(
            &mut all,
            "classes",
            Some(classes).filter(|classes| !classes.is_empty()),
        );
        put(&mut all, "nodata", self.nodata);
        put(&mut all, "activation", self.activation.map(Choice::name));
        put(&mut all, "stride", self.stride);
        put(&mut all, "receptive_field", self.receptive_field);
        put(&mut all, "licence", self.licence.as_ref());
        put(&mut all, "source", self.source.as_ref());
        put(
            &mut all,
            "training",
            Some(&self.training).filter(|training| !training.is_empty()),
        );
        Value::Object(all).to_string()
    }

    /// With what `given` says in place of what this says.
    #[must_use]
    pub fn with(self, given: Metadata) -> Metadata {
        fn either<T>(given: Vec<T>, own: Vec<T>) -> Vec<T> {
            if given.is_empty() { own } else { given }
        }
        Metadata {
            bands: either(given.bands, self.bands),
            classes: either(given.classes, self.classes),
            nodata: given.nodata.or(self.nodata),
            activation: given.activation.or(self.activation),
            stride: given.stride.or(self.stride),
            receptive_field: given.receptive_field.or(self.receptive_field),
            licence: given.licence.or(self.licence),
            source: given.source.or(self.source),
            training: match given.training.is_empty() {
                true => self.training,
                false => given.training,
            },
        }
    }

    /// # Errors
    /// For what cannot be: names that come twice, a normalisation told in both ways or by a width of 0, a stride of 0.
    pub fn check(&self) -> Result<()> {
        let wrong = |place: String, what: &str| Err(Error::message(format!("{place} {what}")));
        for (i, band) in self.bands.iter().enumerate() {
            let place = |key: &str| format!("bands[{}].{key} (of `{}`)", i + 1, band.name);
            let twice = |other: &Band| other.name == band.name && other.input == band.input;
            if self.bands.iter().take(i).any(twice) {
                return wrong(place("name"), "comes twice");
            }
            let (by_mean, by_scale) = (
                band.mean.is_some() || band.std.is_some(),
                band.scale.is_some() || band.offset.is_some(),
            );
            if by_mean && by_scale {
                return wrong(
                    place("mean"),
                    "and `scale` say the same in two ways; give mean and std, or scale and offset",
                );
            }
            if band.std.is_some_and(|std| std.is_nan() || std <= 0.0) {
                return wrong(place("std"), "must be above 0");
            }
            if band.scale == Some(0.0) {
                return wrong(place("scale"), "must not be 0");
            }
            let (scale, offset) = band.scale_and_offset();
            if !scale.is_finite() || !offset.is_finite() || !band.fill.unwrap_or(0.0).is_finite() {
                return wrong(place("scale"), "and what goes with it must be finite");
            }
            if band
                .clip
                .is_some_and(|[low, high]| low.is_nan() || high.is_nan() || low >= high)
            {
                return wrong(place("clip"), "must be the lowest value and a higher one");
            }
        }
        for (i, class) in self.classes.iter().enumerate() {
            let place = |key: &str| format!("classes[{}].{key} (of `{}`)", i + 1, class.name);
            if self
                .classes
                .iter()
                .take(i)
                .any(|other| other.value == class.value)
            {
                return wrong(place("value"), "comes twice");
            }
            if self.classes.iter().take(i).any(|other| other.name == class.name) {
                return wrong(place("name"), "comes twice");
            }
            if self.nodata == Some(class.value) {
                return wrong(place("value"), "is that of masked pixels, `nodata`");
            }
            if class.color.as_ref().is_some_and(|color| !is_color(color)) {
                return wrong(place("color"), "must be as #1f78b4");
            }
        }
        if self.stride == Some(0) {
            return wrong("stride".into(), "must be at least 1");
        }
        Ok(())
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn band(i: usize, value: Value) -> Result<Band> {
    let mut it = Object::of(value, &format!("{KEY}.bands[{}]", i + 1), BAND)?;
    Ok(Band {
        name: it.need("name")?,
        unit: it.take("unit")?,
        input: it.take("input")?,
        clip: it.take("clip")?,
        mean: it.take("mean")?,
        std: it.take("std")?,
        scale: it.take("scale")?,
        offset: it.take("offset")?,
        fill: it.take("fill")?,
    })
}

fn band_json(band: &Band) -> Value {
    let mut it = Map::new();
    put(&mut it, "name", Some(&band.name));
    put(&mut it, "unit", band.unit.as_ref());
    put(&mut it, "input", band.input.as_ref());
    put(&mut it, "clip", band.clip);
    put(&mut it, "mean", band.mean);
    put(&mut it, "std", band.std);
    put(&mut it, "scale", band.scale);
    put(&mut it, "offset", band.offset);
    put(&mut it, "fill", band.fill);
    Value::Object(it)
}

fn class(i: usize, value: Value) -> Result<Class> {
    let mut it = Object::of(value, &format!("{KEY}.classes[{}]", i + 1), CLASS)?;
    let place = u8::try_from(i).map_err(|_| Error::message(format!("{KEY}.classes are more than 256")))?;
    Ok(Class {
        value: it.take("value")?.unwrap_or(place),
        name: it.need("name")?,
        color: it.take("color")?,
    })
}

fn class_json(class: &Class) -> Value {
    let mut it = Map::new();
    put(&mut it, "value", Some(class.value));
    put(&mut it, "name", Some(&class.name));
    put(&mut it, "color", class.color.as_ref());
    Value::Object(it)
}

/// Nothing is put for what is not there.
fn put<T: Serialize>(all: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(Ok(value)) = value.map(serde_json::to_value) {
        all.insert(key.to_string(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_as_it_is_written() {
        let text = r##"{"version":1,"bands":[{"name":"HH","unit":"dB","clip":[-50.0,20.0],"mean":-8.5,"std":4.0},{"name":"angle","unit":"deg","scale":0.01,"offset":-0.3,"fill":0.5}],"classes":[{"value":0,"name":"land"},{"value":3,"name":"water","color":"#1f78b4"}],"nodata":255,"activation":"logits","stride":32,"receptive_field":573,"licence":"CC-BY-4.0","source":"somebody","training":{"epochs":12,"iou":0.91}}"##;
        let metadata = Metadata::from_json(text).unwrap();
        assert_eq!(metadata.to_json(), text);
        assert_eq!(metadata.bands[0].scale_and_offset(), (0.25, 2.125));
        assert_eq!(metadata.bands[1].scale_and_offset(), (0.01, -0.3));
        assert_eq!(
            Metadata::from_json("{\"version\":1}").unwrap(),
            Metadata::default()
        );
    }

    #[test]
    fn what_cannot_be_is_named_by_its_key() {
        for (text, expected) in [
            ("[]", "perilune must be an object"),
            ("{\"version\":9,\"x\":1}", "perilune.version is 9"),
            (r#"{"bandz":[]}"#, "unknown key `bandz`; did you mean `bands`?"),
            (
                r#"{"bands":[{"unit":"dB"}]}"#,
                "perilune.bands[1].name is missing",
            ),
            (
                r#"{"bands":[{"name":"a","std":"x"}]}"#,
                "perilune.bands[1].std: invalid type",
            ),
            (
                r#"{"bands":[{"name":"a","std":0}]}"#,
                "bands[1].std (of `a`) must be above 0",
            ),
            (
                r#"{"bands":[{"name":"a"},{"name":"a"}]}"#,
                "bands[2].name (of `a`) comes twice",
            ),
            (r#"{"bands":[{"name":"a","mean":1,"scale":2}]}"#, "in two ways"),
            (r#"{"bands":[{"name":"a","clip":[2,1]}]}"#, "bands[1].clip"),
            (
                r#"{"classes":[{"name":"a","value":300}]}"#,
                "perilune.classes[1].value: invalid value",
            ),
            (
                r#"{"classes":[{"name":"a","value":7}],"nodata":7}"#,
                "is that of masked pixels",
            ),
            (r#"{"classes":[{"name":"a","color":"blue"}]}"#, "classes[1].color"),
            (
                r#"{"activation":"logit"}"#,
                "perilune.activation must be one of logits, probabilities, values",
            ),
            (r#"{"stride":0}"#, "stride must be at least 1"),
        ] {
            let error = Metadata::from_json(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
