//! What a Zarr says of an array: shape, chunks, type, fill value, codecs, names of its axes. Versions 2 and 3 come to the same.
//!
//! # Source
//! Zarr storage specification, version 2; Zarr core specification, version 3.0, and its sharding codec, <https://zarr-specs.readthedocs.io>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::codec::{Codec, Codecs};
use crate::raster::DType;

pub type Attributes = Map<String, Json>;

/// What an element is.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    Number(DType),
    /// float16.
    Half,
    /// Steps of this many of a unit of numpy's since 1970, or of a duration.
    Time {
        since: bool,
        unit: String,
        steps: i64,
    },
    /// Text of so many characters of four bytes, or bytes of so many.
    Text {
        wide: bool,
        length: usize,
    },
    /// What is not read here, by its own name.
    Other(String),
}

impl Element {
    /// Bytes of one.
    pub fn bytes(&self) -> usize {
        match self {
            Element::Number(dtype) => dtype.bytes(),
            Element::Half => 2,
            Element::Time { .. } => 8,
            Element::Text { wide: true, length } => length.saturating_mul(4),
            Element::Text { wide: false, length } => *length,
            Element::Other(_) => 0,
        }
    }

    /// Bytes that are in the machine's order: half of a complex number, a character.
    pub fn part(&self) -> usize {
        match self {
            Element::Number(dtype) if dtype.is_complex() => dtype.bytes() / 2,
            Element::Text { wide: true, .. } => 4,
            Element::Text { wide: false, .. } => 1,
            other => other.bytes(),
        }
    }

    /// The type of its numbers.
    pub fn dtype(&self) -> Option<DType> {
        match self {
            Element::Number(dtype) => Some(*dtype),
            Element::Half => Some(DType::F32),
            Element::Time { .. } => Some(DType::I64),
            _ => None,
        }
    }

    pub fn name(&self) -> String {
        match self {
            Element::Number(dtype) => dtype.name().into(),
            Element::Half => "float16".into(),
            Element::Time { .. } => "int64".into(),
            Element::Text { .. } => "string".into(),
            Element::Other(_) => "unknown".into(),
        }
    }
}

/// How chunks are called.
#[derive(Debug, Clone, PartialEq)]
pub struct Keys {
    /// `c` and the separator before the numbers.
    pub prefixed: bool,
    pub separator: char,
}

impl Keys {
    /// The name of a chunk below its array's folder.
    pub fn of(&self, chunk: &[usize]) -> String {
        let separator = self.separator.to_string();
        let mut parts: Vec<String> = chunk.iter().map(usize::to_string).collect();
        if self.prefixed {
            parts.insert(0, "c".into());
        } else if parts.is_empty() {
            parts.push("0".into());
        }
        parts.join(&separator)
    }
}

/// A file of several chunks, with an index of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Shards {
    /// Elements of a shard along each axis.
    pub shape: Vec<usize>,
    pub index: Codecs,
    pub index_at_end: bool,
}

#[derive(Debug, Clone)]
pub struct Metadata {
    pub shape: Vec<usize>,
    /// What is decoded at once: of sharded arrays, the chunks in a shard.
    pub chunk: Vec<usize>,
    pub shards: Option<Shards>,
    pub element: Element,
    /// An element of what was never written, as it would be decoded; None where it is anything.
    pub fill: Option<Vec<u8>>,
    /// True where the fill value stands for no value, as it does in version 2.
    pub fill_is_missing: bool,
    pub codecs: Codecs,
    /// Why its elements cannot be read, where they cannot.
    pub trouble: Option<String>,
    pub keys: Keys,
    pub dimensions: Vec<Option<String>>,
    pub attributes: Attributes,
}

/// More chunks than any disk holds, and as many as can be counted.
const MOST_CHUNKS: usize = 1 << 48;

impl Metadata {
    /// Of an array of version 2: its `.zarray` and its `.zattrs`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_v2(array: &Json, attributes: Attributes) -> Result<Metadata, String> {
        let shape = sizes(array.get("shape"), "shape", 0)?;
        let chunk = sizes(array.get("chunks"), "chunks", 1)?;
        let text = array.get("dtype").and_then(Json::as_str);
        let (element, big_endian) = match text {
            Some(text) => element_v2(text),
            None => (Element::Other("a structure".into()), false),
        };
        let mut trouble = None;
        let mut codecs = Codecs {
            order: (array.get("order").and_then(Json::as_str) == Some("F") && shape.len() > 1)
                .then(|| (0..shape.len()).rev().collect()),
            big_endian,
            bytes: Vec::new(),
        };
        let filters = array
            .get("filters")
            .and_then(Json::as_array)
            .cloned()
            .unwrap_or_default();
        let compressor = array.get("compressor").filter(|c| !c.is_null()).cloned();
        for codec in filters.iter().chain(&compressor) {
            let name = codec.get("id").and_then(Json::as_str).unwrap_or("without a name");
            match Codec::named(name, codec, element.bytes()) {
                Ok(codec) => codecs.bytes.push(codec),
                Err(reason) => trouble = trouble.or(Some(reason)),
            }
        }
        let stated = array.get("fill_value").unwrap_or(&Json::Null);
        let names = attributes.get("_ARRAY_DIMENSIONS").and_then(Json::as_array);
        let named = |i: usize| Some(names?.get(i)?.as_str()?.to_string());
        let keys = Keys {
            prefixed: false,
            separator: separator(array.get("dimension_separator"), '.')?,
        };
        let dimensions = (0..shape.len()).map(named).collect();
        Metadata {
            fill: fill_of(&element, stated),
            fill_is_missing: !stated.is_null(),
            shape,
            chunk,
            shards: None,
            element,
            codecs,
            trouble,
            keys,
            dimensions,
            attributes,
        }
        .checked()
    }

    /// Of an array of version 3: its `zarr.json`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_v3(array: &Json) -> Result<Metadata, String> {
        let attributes = array
            .get("attributes")
            .and_then(Json::as_object)
            .cloned()
            .unwrap_or_default();
        let shape = sizes(array.get("shape"), "shape", 0)?;
        let element = element_v3(array.get("data_type").unwrap_or(&Json::Null));
        let grid = array.get("chunk_grid").unwrap_or(&Json::Null);
        if grid.get("name").and_then(Json::as_str) != Some("regular") {
            return Err("its chunks are not all of one size, which is not known here".into());
        }
        let mut chunk = sizes(
            grid.get("configuration").and_then(|c| c.get("chunk_shape")),
            "chunk_shape",
            1,
        )?;
        let list = array
            .get("codecs")
            .and_then(Json::as_array)
            .cloned()
            .unwrap_or_default();
        let mut trouble = None;
        let mut shards = None;
        let mut codecs = Codecs::default();
        if let [one] = list.as_slice()
            && one.get("name").and_then(Json::as_str) == Some("sharding_indexed")
        {
            let inside = one.get("configuration").unwrap_or(&Json::Null);
            let inner = sizes(inside.get("chunk_shape"), "chunk_shape of the shards", 1)?;
            if inner.len() != chunk.len() || inner.iter().zip(&chunk).any(|(inner, whole)| whole % inner != 0)
            {
                return Err(format!(
                    "its shards of {chunk:?} are no whole number of chunks of {inner:?}"
                ));
            }
            let listed = |key: &str| {
                inside
                    .get(key)
                    .and_then(Json::as_array)
                    .cloned()
                    .unwrap_or_default()
            };
            match (
                codecs_v3(&listed("codecs"), inner.len(), element.bytes()),
                codecs_v3(&listed("index_codecs"), 1, 8),
            ) {
                (Ok(inside_codecs), Ok(index)) => {
                    codecs = inside_codecs;
                    let at_start = inside.get("index_location").and_then(Json::as_str) == Some("start");
                    shards = Some(Shards {
                        shape: std::mem::replace(&mut chunk, inner),
                        index,
                        index_at_end: !at_start,
                    });
                }
                (Err(reason), _) | (_, Err(reason)) => trouble = Some(reason),
            }
        } else {
            match codecs_v3(&list, shape.len(), element.bytes()) {
                Ok(found) => codecs = found,
                Err(reason) => trouble = Some(reason),
            }
        }
        if let Some(transformers) = array.get("storage_transformers").and_then(Json::as_array)
            && !transformers.is_empty()
        {
            trouble = Some("is stored by way of storage transformers, which are not known here".into());
        }
        let encoding = array.get("chunk_key_encoding").unwrap_or(&Json::Null);
        let told = encoding.get("configuration").and_then(|c| c.get("separator"));
        let prefixed = encoding.get("name").and_then(Json::as_str) != Some("v2");
        let keys = Keys {
            prefixed,
            separator: separator(told, if prefixed { '/' } else { '.' })?,
        };
        let names = array.get("dimension_names").and_then(Json::as_array);
        let named = |i: usize| Some(names?.get(i)?.as_str()?.to_string());
        let dimensions = (0..shape.len()).map(named).collect();
        Metadata {
            fill: fill_of(&element, array.get("fill_value").unwrap_or(&Json::Null)),
            fill_is_missing: false,
            shape,
            chunk,
            shards,
            element,
            codecs,
            trouble,
            keys,
            dimensions,
            attributes,
        }
        .checked()
    }

    fn checked(self) -> Result<Metadata, String> {
        if self.chunk.len() != self.shape.len() {
            return Err(format!(
                "its shape {:?} and its chunks {:?} differ in length",
                self.shape, self.chunk
            ));
        }
        let count = |chunk: &[usize]| {
            self.shape
                .iter()
                .zip(chunk)
                .try_fold(1usize, |all, (size, chunk)| {
                    all.checked_mul(size.div_ceil(*chunk))
                })
                .filter(|count| *count <= MOST_CHUNKS)
        };
        let elements = |chunk: &[usize]| {
            chunk
                .iter()
                .try_fold(self.element.bytes().max(1), |all, size| all.checked_mul(*size))
        };
        let shard = self
            .shards
            .as_ref()
            .map_or(self.chunk.as_slice(), |shards| &shards.shape);
        if count(&self.chunk).is_none() || elements(&self.chunk).is_none() || elements(shard).is_none() {
            return Err(format!(
                "its shape {:?} in chunks of {:?} is more than can be counted",
                self.shape, self.chunk
            ));
        }
        Ok(self)
    }

    /// Chunks along each axis.
    pub fn grid(&self) -> Vec<usize> {
        let sizes = self.shape.iter().zip(&self.chunk);
        sizes.map(|(size, chunk)| size.div_ceil(*chunk)).collect()
    }

    /// Bytes of a decoded chunk.
    pub fn chunk_bytes(&self) -> usize {
        self.chunk.iter().product::<usize>() * self.element.bytes()
    }
}

fn sizes(list: Option<&Json>, what: &str, least: usize) -> Result<Vec<usize>, String> {
    let wrong = || format!("its {what} is no list of whole numbers from {least} on");
    let list = list.and_then(Json::as_array).ok_or_else(wrong)?;
    let size = |v: &Json| {
        v.as_u64()
            .and_then(|v| usize::try_from(v).ok())
            .filter(|v| *v >= least && *v <= MOST_CHUNKS)
            .ok_or_else(wrong)
    };
    list.iter().map(size).collect()
}

fn separator(told: Option<&Json>, default: char) -> Result<char, String> {
    match told.and_then(Json::as_str) {
        None => Ok(default),
        Some("/") => Ok('/'),
        Some(".") => Ok('.'),
        Some(other) => Err(format!(
            "the numbers of its chunks are set apart by `{other}`, not by `.` or `/`"
        )),
    }
}

/// `<i2`, `|u1`, `<M8[ns]`, `<U12`; and whether it is big-endian.
fn element_v2(text: &str) -> (Element, bool) {
    let other = || Element::Other(text.to_string());
    let big_endian = text.starts_with('>');
    let kind = text.trim_start_matches(['<', '>', '|', '=']);
    let length = |from: usize| kind.get(from..).and_then(|n| n.parse().ok());
    let element = match kind {
        "i1" => Element::Number(DType::I8),
        "u1" | "b1" => Element::Number(DType::U8),
        "i2" => Element::Number(DType::I16),
        "u2" => Element::Number(DType::U16),
        "i4" => Element::Number(DType::I32),
        "u4" => Element::Number(DType::U32),
        "i8" => Element::Number(DType::I64),
        "u8" => Element::Number(DType::U64),
        "f2" => Element::Half,
        "f4" => Element::Number(DType::F32),
        "f8" => Element::Number(DType::F64),
        "c8" => Element::Number(DType::C32),
        "c16" => Element::Number(DType::C64),
        _ => match kind.split_once('[') {
            Some((which @ ("M8" | "m8"), unit)) => {
                let unit = unit.trim_end_matches(']');
                let letters = unit.trim_start_matches(|c: char| c.is_ascii_digit());
                Element::Time {
                    since: which == "M8",
                    unit: letters.into(),
                    steps: unit[..unit.len() - letters.len()].parse().unwrap_or(1),
                }
            }
            _ => match (kind.get(..1), length(1)) {
                (Some("U"), Some(length)) => Element::Text { wide: true, length },
                (Some("S"), Some(length)) => Element::Text { wide: false, length },
                _ => other(),
            },
        },
    };
    (element, big_endian)
}

fn element_v3(stated: &Json) -> Element {
    let configuration = stated.get("configuration").unwrap_or(&Json::Null);
    let name = stated
        .as_str()
        .or_else(|| stated.get("name").and_then(Json::as_str))
        .unwrap_or("");
    let number = |key: &str| configuration.get(key).and_then(Json::as_u64);
    let length = || number("length_bytes").and_then(|n| usize::try_from(n).ok());
    match name {
        "bool" => Element::Number(DType::U8),
        "float16" => Element::Half,
        "numpy.datetime64" | "numpy.timedelta64" => Element::Time {
            since: name == "numpy.datetime64",
            unit: configuration
                .get("unit")
                .and_then(Json::as_str)
                .unwrap_or("")
                .into(),
            steps: number("scale_factor")
                .and_then(|n| i64::try_from(n).ok())
                .unwrap_or(1),
        },
        "fixed_length_utf32" => match length() {
            Some(bytes) => Element::Text {
                wide: true,
                length: bytes / 4,
            },
            None => Element::Other(name.into()),
        },
        "null_terminated_bytes" => match length() {
            Some(length) => Element::Text { wide: false, length },
            None => Element::Other(name.into()),
        },
        _ => DType::parse(name).map_or_else(|_| Element::Other(name.into()), Element::Number),
    }
}

fn codecs_v3(list: &[Json], axes: usize, width: usize) -> Result<Codecs, String> {
    let mut codecs = Codecs::default();
    for codec in list {
        let name = codec
            .as_str()
            .or_else(|| codec.get("name").and_then(Json::as_str))
            .unwrap_or("without a name");
        let configuration = codec.get("configuration").unwrap_or(&Json::Null);
        match name {
            "bytes" => {
                codecs.big_endian = configuration.get("endian").and_then(Json::as_str) == Some("big");
            }
            "transpose" => {
                let order = configuration.get("order").and_then(Json::as_array);
                let order: Option<Vec<usize>> = order.map(|list| {
                    list.iter()
                        .filter_map(|v| v.as_u64().map(|v| v as usize))
                        .collect()
                });
                let order = order.filter(|order| {
                    let mut sorted = order.clone();
                    sorted.sort_unstable();
                    sorted.into_iter().eq(0..axes)
                });
                let order = order.ok_or("the order of its codec transpose is none of its axes")?;
                // One after another: what the first has put in order, the next puts in its own.
                codecs.order = Some(match codecs.order {
                    Some(first) => order.iter().map(|&axis| first[axis]).collect(),
                    None => order,
                });
            }
            "sharding_indexed" => {
                return Err(
                    "has shards inside of shards, or behind other codecs, which is not known here".into(),
                );
            }
            _ => codecs.bytes.push(Codec::named(name, configuration, width)?),
        }
    }
    codecs.order = codecs.order.filter(|order| !order.iter().copied().eq(0..axes));
    Ok(codecs)
}

/// An element of a fill value, little-endian.
fn fill_of(element: &Element, stated: &Json) -> Option<Vec<u8>> {
    match element {
        Element::Number(dtype) if dtype.is_complex() => {
            let parts = stated
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![stated.clone(), Json::from(0.0)]);
            let part = |v: &Json| number(v);
            let (re, im) = (part(parts.first()?)?, part(parts.get(1)?)?);
            Some(match dtype {
                DType::C32 => [(re as f32).to_le_bytes(), (im as f32).to_le_bytes()].concat(),
                _ => [re.to_le_bytes(), im.to_le_bytes()].concat(),
            })
        }
        Element::Number(dtype) => bytes_of(*dtype, stated),
        Element::Half => {
            let value = number(stated)?;
            Some(half::f16::from_f64(value).to_le_bytes().to_vec())
        }
        Element::Time { .. } => match stated.as_str() {
            Some("NaT") => Some(i64::MIN.to_le_bytes().to_vec()),
            _ => bytes_of(DType::I64, stated),
        },
        // Empty text.
        Element::Text { .. } => Some(vec![0; element.bytes()]),
        Element::Other(_) => None,
    }
}

/// A number of a document: JSON has no NaN, and writes bits as `0x7fc00000`.
pub fn number(stated: &Json) -> Option<f64> {
    match stated {
        Json::Number(v) => v.as_f64(),
        Json::Bool(v) => Some(f64::from(u8::from(*v))),
        Json::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => text.parse().ok().or_else(|| encoded(text)),
        },
        _ => None,
    }
}

/// A float64 as xarray writes it into attributes of version 3: eight bytes in Base64.
fn encoded(text: &str) -> Option<f64> {
    let bytes = STANDARD.decode(text).ok()?;
    Some(f64::from_le_bytes(bytes.try_into().ok()?))
}

fn bytes_of(dtype: DType, stated: &Json) -> Option<Vec<u8>> {
    if let Some(digits) = stated.as_str().and_then(|text| text.strip_prefix("0x")) {
        let bits = u64::from_str_radix(digits, 16).ok()?;
        return Some(bits.to_le_bytes()[..dtype.bytes()].to_vec());
    }
    let whole = stated
        .as_i64()
        .map(i128::from)
        .or_else(|| stated.as_u64().map(i128::from));
    match (dtype, whole) {
        (DType::F32, _) => Some((number(stated)? as f32).to_le_bytes().to_vec()),
        (DType::F64, _) => Some(number(stated)?.to_le_bytes().to_vec()),
        (_, Some(whole)) => Some(whole.to_le_bytes()[..dtype.bytes()].to_vec()),
        (_, None) => Some((number(stated)? as i128).to_le_bytes()[..dtype.bytes()].to_vec()),
    }
}
