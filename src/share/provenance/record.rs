//! The record itself, as files carry it: JSON with its keys in order, so that the same work gives the same bytes. It knows no clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};

/// Of the form of records. Grows when a program that knows the older form would misunderstand the newer one.
pub const FORMAT: u32 = 1;

/// How a file was made. Paths are as `paths::stable` writes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub format: u32,
    /// The file's own name.
    pub file: String,
    /// None of what was made at the prompt or by `perilune -e`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Script>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Json>,
    /// Those of them that are paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path_parameters: Vec<String>,
    /// Modules of Lua that the script took in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<Module>,
    /// Functions (`filter.lee`) and methods (`:median`) that the script's text names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Where the script was run; none of workflows that ship and that named no files but by their parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_folder: Option<String>,
    /// What the pixels are; none of files without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// How many inputs are not listed, beyond those that are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_inputs: usize,
    /// Of perilune and of the libraries whose numbers these are.
    pub versions: BTreeMap<String, String>,
    /// The processor's architecture, and which of its extensions kernels chose by.
    pub instructions: String,
    /// Of a series that has grown: how many steps of time were there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_after: Option<usize>,
    /// SHA-256 of the file, where the record lies beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    pub name: String,
    /// None of a workflow that ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub sha256: String,
    /// The heading that it had come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Module {
    pub name: String,
    /// None of one that ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// SHA-256 of the graph, with what its inputs hold in place of their paths.
    pub identity: String,
    pub bands: Vec<Band>,
    pub grid: Json,
    pub operations: Vec<Operation>,
    /// All nodes, inputs first; none where it would be long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<Json>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    pub name: String,
    #[serde(rename = "type")]
    pub dtype: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    pub name: String,
    pub version: u32,
    /// How often it stands in the graph.
    pub times: usize,
}

/// How a file was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Its pixels are in the graph.
    Pixels,
    /// A network of the graph.
    Model,
    /// The script had read it before the file was written.
    Read,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// A path, or an address without its signature.
    pub path: String,
    #[serde(rename = "use")]
    pub used: Use,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Of the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Of a long file: of its length and of sixteen pieces of it, see `fingerprint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256_of_pieces: Option<String>,
    /// What a server states of its file: an entity tag, or the time of the last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The product that its name says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
}

impl Input {
    /// What tells its content from others, as far as that is known.
    pub fn content(&self) -> Option<&str> {
        let own = self.sha256.as_ref().or(self.sha256_of_pieces.as_ref());
        own.or(self.version.as_ref()).map(String::as_str)
    }
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Record {
    /// In one line, keys in order.
    pub fn to_json(&self) -> String {
        serde_json::to_value(self)
            .map(|json| sorted(json).to_string())
            .unwrap_or_default()
    }

    /// # Errors
    /// What is no record, or one of a later form.
    pub fn from_json(text: &str) -> Result<Record> {
        let json: Json =
            serde_json::from_str(text).map_err(|e| Error::message(format!("its record is no JSON: {e}")))?;
        match json.get("format").and_then(Json::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                return Err(Error::message(format!(
                    "its record is of form {format}; this perilune {} knows form {FORMAT}",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            None => {
                return Err(Error::message(
                    "its record has no `format`: it is none of perilune's",
                ));
            }
        }
        serde_json::from_value(json)
            .map_err(|e| Error::message(format!("its record is not as perilune writes it: {e}")))
    }
}

/// The same with the keys of all objects in order.
pub fn sorted(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let ordered: BTreeMap<String, Json> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Json::Object(Map::from_iter(ordered))
        }
        Json::Array(list) => Json::Array(list.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Letters beyond ASCII as JSON escapes them, for places that hold no others.
pub fn in_ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}
