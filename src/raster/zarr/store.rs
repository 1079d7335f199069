//! A Zarr: a folder of arrays and groups, of this machine or of a server, of version 2 or 3, with one document that says all or one for each.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::array::Array;
use super::cache::Cache;
use super::metadata::{Attributes, Metadata};
use crate::bytes::objects::Objects;
use crate::error::{Error, Result};
use url::Url;

/// The largest document that is read.
const LARGEST: usize = 64 << 20;
/// Deeper than any product nests its groups.
const DEEPEST: usize = 64;

/// What marks a folder as a Zarr.
pub const MARKS: [&str; 4] = [".zgroup", ".zarray", ".zmetadata", "zarr.json"];

pub struct Zarr {
    pub path: String,
    pub version: u8,
    objects: Arc<Objects>,
    cache: Arc<Cache>,
    /// Of the group at its root.
    pub attributes: Attributes,
    /// Of all arrays, where one document says it.
    consolidated: Option<BTreeMap<String, Result<Metadata, String>>>,
    /// Those that were opened.
    arrays: Mutex<HashMap<String, Option<Arc<Array>>>>,
    /// Of the array that it is itself, where it is none of groups.
    only: Option<String>,
}

fn parsed(path: &str, name: &str, bytes: &[u8]) -> Result<Json> {
    serde_json::from_slice(bytes).map_err(|e| Error::file(path, format!("its {name} is no JSON: {e}")))
}

fn object(json: Option<&Json>) -> Attributes {
    json.and_then(Json::as_object).cloned().unwrap_or_default()
}

/// Whether the name of an array leads out of its folder.
fn is_plain(name: &str) -> bool {
    !name
        .split('/')
        .any(|part| part.is_empty() || part == "." || part == "..")
}

impl Zarr {
    /// `served`: its address, where it lies on a server.
    ///
    /// # Errors
    /// A folder that is no Zarr, or cannot be read; documents that make no sense.
    pub fn open(path: &str, served: Option<&Url>) -> Result<Zarr> {
        let objects = match served {
            Some(address) => Objects::on_server(address),
            None => Objects::in_folder(Path::new(path)),
        };
        let keys = [".zmetadata", "zarr.json", ".zgroup", ".zattrs", ".zarray"];
        let mut found = objects.probe(&keys, LARGEST)?.into_iter();
        let mut next = |name: &str| -> Result<Option<Json>> {
            found
                .next()
                .flatten()
                .map(|bytes| parsed(path, name, &bytes))
                .transpose()
        };
        let (all, three, group, attributes, array) = (
            next(keys[0])?,
            next(keys[1])?,
            next(keys[2])?,
            next(keys[3])?,
            next(keys[4])?,
        );
        let mut zarr = Zarr {
            path: path.to_string(),
            version: 2,
            objects: Arc::new(objects),
            cache: Cache::new(),
            attributes: object(attributes.as_ref()),
            consolidated: None,
            arrays: Mutex::default(),
            only: None,
        };
        if let Some(three) = three.as_ref().filter(|_| all.is_none()) {
            zarr.version = 3;
            zarr.attributes = object(three.get("attributes"));
            if three.get("node_type").and_then(Json::as_str) == Some("array") {
                zarr.is_array(Metadata::of_v3(three));
                return Ok(zarr);
            }
            let nodes = three.get("consolidated_metadata").and_then(|c| c.get("metadata"));
            zarr.consolidated = nodes.and_then(Json::as_object).map(|nodes| {
                let arrays = nodes.iter().filter(|(name, node)| {
                    node.get("node_type").and_then(Json::as_str) == Some("array") && is_plain(name)
                });
                arrays
                    .map(|(name, node)| (name.clone(), Metadata::of_v3(node)))
                    .collect()
            });
            return Ok(zarr);
        }
        if let Some(nodes) = all
            .as_ref()
            .and_then(|all| all.get("metadata"))
            .and_then(Json::as_object)
        {
            zarr.attributes = object(nodes.get(".zattrs"));
            let named = |(key, node): (&String, &Json)| {
                let name = key.strip_suffix("/.zarray").filter(|name| is_plain(name))?;
                let attributes = object(nodes.get(&format!("{name}/.zattrs")));
                Some((name.to_string(), Metadata::of_v2(node, attributes)))
            };
            zarr.consolidated = Some(nodes.iter().filter_map(named).collect());
            return Ok(zarr);
        }
        match (array, group) {
            (Some(array), _) => {
                zarr.is_array(Metadata::of_v2(&array, zarr.attributes.clone()));
                Ok(zarr)
            }
            (None, Some(_)) => Ok(zarr),
            (None, None) => Err(Error::file(
                path,
                "is no Zarr: it has none of .zmetadata, .zgroup, .zarray and zarr.json",
            )),
        }
    }

    /// The Zarr is an array itself.
    fn is_array(&mut self, metadata: Result<Metadata, String>) {
        let trimmed = self.path.trim_end_matches('/');
        let name = trimmed.rsplit('/').next().unwrap_or(trimmed);
        self.only = Some(name.trim_end_matches(".zarr").to_string());
        self.consolidated = Some(BTreeMap::from([(String::new(), metadata)]));
    }

    pub fn is_remote(&self) -> bool {
        self.objects.is_remote()
    }

    /// The name of an array as users know it.
    pub fn shown<'a>(&'a self, name: &'a str) -> &'a str {
        match &self.only {
            Some(only) if name.is_empty() => only,
            _ => name,
        }
    }

    /// The full names of all arrays, without a slash before them.
    ///
    /// # Errors
    /// A folder that cannot be read; a Zarr on a server that has no document which says all.
    pub fn names(&self) -> Result<Vec<String>> {
        if let Some(arrays) = &self.consolidated {
            return Ok(arrays.keys().cloned().collect());
        }
        let Some(folder) = self.objects.folder() else {
            return Err(Error::file(
                &self.path,
                "has no consolidated metadata, so that its server does not tell what it holds; name the variables that are wanted",
            ));
        };
        let mut names = Vec::new();
        list(folder, "", 0, &mut names).map_err(|e| Error::io(folder, e))?;
        names.sort();
        Ok(names)
    }

    /// The array of this full name; None where there is none.
    ///
    /// # Errors
    /// Documents that cannot be read or make no sense.
    pub fn array(&self, name: &str) -> Result<Option<Arc<Array>>> {
        let name = name.trim_start_matches('/');
        let name = match &self.only {
            Some(only) if only == name => "",
            _ => name,
        };
        let mut arrays = self.arrays.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = arrays.get(name) {
            return Ok(found.clone());
        }
        let metadata = match &self.consolidated {
            Some(all) => all.get(name).cloned(),
            None => self.metadata_of(name)?,
        };
        let metadata = metadata.transpose().map_err(|reason| {
            Error::file(
                &self.path,
                format!("the metadata of {} make no sense: {reason}", self.shown(name)),
            )
        })?;
        let array = metadata
            .map(|metadata| Arc::new(Array::new(&self.path, name, metadata, &self.objects, &self.cache)));
        arrays.insert(name.to_string(), array.clone());
        Ok(array)
    }

    fn metadata_of(&self, name: &str) -> Result<Option<Result<Metadata, String>>> {
        if !is_plain(name) {
            return Ok(None);
        }
        let document = |file: &str, bytes: Option<Vec<u8>>| {
            bytes
                .map(|bytes| parsed(&self.path, &format!("{name}/{file}"), &bytes))
                .transpose()
        };
        if self.version == 3 {
            let key = format!("{name}/zarr.json");
            let bytes = self.objects.probe(&[&key], LARGEST)?.pop().flatten();
            let node = document("zarr.json", bytes)?;
            let array = node.filter(|node| node.get("node_type").and_then(Json::as_str) == Some("array"));
            return Ok(array.map(|array| Metadata::of_v3(&array)));
        }
        let keys = [format!("{name}/.zarray"), format!("{name}/.zattrs")];
        let mut found = self.objects.probe(&[&keys[0], &keys[1]], LARGEST)?.into_iter();
        let array = document(".zarray", found.next().flatten())?;
        let attributes = document(".zattrs", found.next().flatten())?;
        Ok(array.map(|array| Metadata::of_v2(&array, object(attributes.as_ref()))))
    }
}

impl Array {
    /// What tells whether it is the array that it was: what is said of it, as a hash.
    pub fn state(&self) -> String {
        let metadata = &self.metadata;
        let text = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            metadata.shape,
            metadata.chunk,
            metadata.shards,
            metadata.element,
            metadata.fill,
            metadata.codecs,
            Json::Object(metadata.attributes.clone()).to_string(),
        );
        let hash = Sha256::digest(text.as_bytes());
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn list(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) -> std::io::Result<()> {
    if depth > DEEPEST {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = entry.path();
        if !path.is_dir() || !MARKS.iter().any(|mark| path.join(mark).is_file()) {
            continue;
        }
        let full = format!("{prefix}{name}");
        let three = path.join("zarr.json");
        let is_array = path.join(".zarray").is_file()
            || (three.is_file() && std::fs::read_to_string(&three)?.contains("\"chunk_grid\""));
        match is_array {
            true => names.push(full),
            false => list(&path, &format!("{full}/"), depth + 1, names)?,
        }
    }
    Ok(())
}
