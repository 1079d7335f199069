//! What a Zarr says of its arrays, in the words of either version.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::super::netcdf::{Attribute, Attributes, Definition};
use super::Layout;
use crate::raster::{DType, Grid};

/// Times of a chunk of their axis: the same however many there are, so that more can be added.
pub const TIMES: usize = 4096;

/// An array, before either version.
pub struct Array {
    pub name: String,
    pub dtype: DType,
    pub shape: Vec<usize>,
    pub chunk: Vec<usize>,
    /// Of version 3, what a file holds of chunks.
    shard: Option<Vec<usize>>,
    fill: Json,
    dimensions: Vec<String>,
    attributes: Map<String, Json>,
    level: Option<u32>,
}

/// A number as both versions write fill values.
fn number(v: f64, dtype: DType) -> Json {
    match dtype.integer_range() {
        // The end of the range is no float; it is meant by the one next to it.
        Some((low, _)) if low < 0.0 => Json::from(v as i64),
        Some(_) => Json::from(v as u64),
        None if v.is_nan() => Json::from("NaN"),
        None if v.is_infinite() => Json::from(if v > 0.0 { "Infinity" } else { "-Infinity" }),
        None => Json::from(v),
    }
}

fn value(attribute: &Attribute, dtype: Option<DType>) -> Json {
    match attribute {
        Attribute::Text(text) => Json::from(text.as_str()),
        Attribute::Number(v) => number(*v, DType::F64),
        Attribute::Numbers(list) => list.iter().map(|v| number(*v, DType::F64)).collect(),
        Attribute::Integer(v) => Json::from(*v),
        Attribute::Flags(list) => list.iter().copied().map(Json::from).collect(),
        Attribute::Own(v) => number(*v, dtype.unwrap_or(DType::F64)),
    }
}

pub fn object(attributes: &Attributes, dtype: Option<DType>) -> Map<String, Json> {
    let one = |(name, attribute): &(String, Attribute)| (name.clone(), value(attribute, dtype));
    attributes.iter().map(one).collect()
}

impl Array {
    /// Without an element that anybody looks at.
    pub fn record(name: &str, attributes: &Attributes) -> Array {
        Array {
            name: name.into(),
            dtype: DType::U8,
            shape: Vec::new(),
            chunk: Vec::new(),
            shard: None,
            fill: Json::from(0),
            dimensions: Vec::new(),
            attributes: object(attributes, None),
            level: None,
        }
    }

    /// Of so many steps, in chunks of so many.
    pub fn axis(name: &str, dtype: DType, steps: usize, chunk: usize, attributes: &Attributes) -> Array {
        Array {
            name: name.into(),
            dtype,
            shape: vec![steps],
            chunk: vec![chunk],
            shard: None,
            fill: number(0.0, dtype),
            dimensions: vec![name.into()],
            attributes: object(attributes, None),
            level: None,
        }
    }

    pub fn variable(
        what: &Definition,
        grid: &Grid,
        times: usize,
        layout: Layout,
        level: u32,
        mapping: Option<&str>,
    ) -> Array {
        let [y, x] = super::super::netcdf::axes::axes_of(grid);
        let mut attributes = object(&what.attributes, Some(what.dtype));
        if let Some(mapping) = mapping {
            attributes
                .entry("grid_mapping")
                .or_insert_with(|| Json::from(mapping));
        }
        Array {
            name: what.name.clone(),
            dtype: what.dtype,
            shape: vec![times, grid.rows, grid.cols],
            chunk: layout.chunk.to_vec(),
            shard: (layout.version == 3).then(|| layout.shard.to_vec()),
            fill: number(what.fill.value(), what.dtype),
            dimensions: ["time", y, x].map(String::from).to_vec(),
            attributes,
            level: Some(level),
        }
    }

    fn v2(&self) -> (Json, Json) {
        let order = if cfg!(target_endian = "big") { '>' } else { '<' };
        let kind = match self.dtype {
            dtype if dtype.is_float() => 'f',
            dtype if dtype.integer_range().is_some_and(|(low, _)| low < 0.0) => 'i',
            _ => 'u',
        };
        let order = if self.dtype.bytes() == 1 { '|' } else { order };
        let compressor = self
            .level
            .map_or(Json::Null, |level| json!({ "id": "zstd", "level": level }));
        // What axes and records hold is never missing.
        let fill = if self.level.is_some() {
            self.fill.clone()
        } else {
            Json::Null
        };
        let array = json!({
            "zarr_format": 2,
            "shape": self.shape,
            "chunks": self.chunk,
            "dtype": format!("{order}{kind}{}", self.dtype.bytes()),
            "compressor": compressor,
            "fill_value": fill,
            "order": "C",
            "filters": null,
            "dimension_separator": ".",
        });
        let mut attributes = self.attributes.clone();
        attributes.insert("_ARRAY_DIMENSIONS".into(), Json::from(self.dimensions.clone()));
        (array, Json::Object(attributes))
    }

    fn v3(&self) -> Json {
        let endian = if cfg!(target_endian = "big") {
            "big"
        } else {
            "little"
        };
        let mut inner = vec![match self.dtype.bytes() {
            1 => json!({ "name": "bytes" }),
            _ => json!({ "name": "bytes", "configuration": { "endian": endian } }),
        }];
        if let Some(level) = self.level {
            inner.push(json!({ "name": "zstd", "configuration": { "level": level, "checksum": false } }));
        }
        let codecs = match &self.shard {
            None => Json::Array(inner),
            Some(_) => json!([{
                "name": "sharding_indexed",
                "configuration": {
                    "chunk_shape": self.chunk,
                    "codecs": inner,
                    "index_codecs": [{ "name": "bytes", "configuration": { "endian": "little" } }, { "name": "crc32c" }],
                    "index_location": "end",
                },
            }]),
        };
        let mut attributes = self.attributes.clone();
        if self.level.is_some() && self.fill != "NaN" {
            // As xarray writes it: of floats their bytes.
            let missing = match self.fill.as_f64().filter(|_| self.dtype.is_float()) {
                Some(v) => Json::from(STANDARD.encode(v.to_le_bytes())),
                None => self.fill.clone(),
            };
            attributes.insert("_FillValue".into(), missing);
        }
        json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": self.shape,
            "data_type": self.dtype.name(),
            "chunk_grid": { "name": "regular", "configuration": { "chunk_shape": self.shard.as_ref().unwrap_or(&self.chunk) } },
            "chunk_key_encoding": { "name": "default", "configuration": { "separator": "/" } },
            "fill_value": self.fill,
            "codecs": codecs,
            "attributes": attributes,
            "dimension_names": self.dimensions,
            "storage_transformers": [],
        })
    }
}

/// All documents of a Zarr.
pub struct Documents {
    version: u8,
    attributes: Map<String, Json>,
    arrays: Vec<Array>,
}

impl Documents {
    pub fn new(version: u8, attributes: &Attributes) -> Documents {
        Documents {
            version,
            attributes: object(attributes, None),
            arrays: Vec::new(),
        }
    }

    pub fn add(&mut self, array: Array) {
        self.arrays.push(array);
    }

    /// Writes those of the arrays, and the one that says all.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let put = |name: &str, json: &Json| {
            let file = folder.join(name);
            if let Some(above) = file.parent() {
                fs::create_dir_all(above)?;
            }
            fs::write(file, serde_json::to_vec_pretty(json)?)
        };
        let mut all = Map::new();
        if self.version == 3 {
            for array in &self.arrays {
                let document = array.v3();
                put(&format!("{}/zarr.json", array.name), &document)?;
                all.insert(array.name.clone(), document);
            }
            let root = json!({
                "zarr_format": 3,
                "node_type": "group",
                "attributes": self.attributes,
                "consolidated_metadata": { "kind": "inline", "must_understand": false, "metadata": all },
            });
            return put("zarr.json", &root);
        }
        let group = json!({ "zarr_format": 2 });
        let attributes = Json::Object(self.attributes.clone());
        put(".zgroup", &group)?;
        put(".zattrs", &attributes)?;
        all.insert(".zgroup".into(), group);
        all.insert(".zattrs".into(), attributes);
        for array in &self.arrays {
            let (document, attributes) = array.v2();
            for (end, json) in [(".zarray", document), (".zattrs", attributes)] {
                let name = format!("{}/{end}", array.name);
                put(&name, &json)?;
                all.insert(name, json);
            }
        }
        put(
            ".zmetadata",
            &json!({ "zarr_consolidated_format": 1, "metadata": all }),
        )
    }
}
