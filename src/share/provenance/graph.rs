//! A graph as records have it: its sources by their place in the record, and its identity by what they hold.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::fingerprint;
use super::record::{Band, Image, Operation, Use, sorted};
use crate::raster::Crs;

/// Bytes of the longest graph that a record holds whole: GDAL keeps the texts of a GeoTIFF in one tag.
const LONGEST: usize = 32 << 10;
/// Bytes of the longest text inside a graph: longer ones are data, and told by their hash.
const LONGEST_TEXT: usize = 1 << 10;
/// What stands for a source in a graph.
const INPUT: &str = "input";

/// A file that a graph reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// GDAL's name for it, or its path.
    pub name: String,
    /// What the script called it.
    pub called: Option<String>,
    pub used: Use,
    /// As a server states them.
    pub bytes: Option<u64>,
    pub version: Option<String>,
}

/// What `described` makes of a graph as `raster_to_json` writes it. `put` says, for each source, what stands for it in the record and what in the identity.
pub fn image(json: &Json, put: &mut dyn FnMut(&Source) -> (String, String)) -> Option<Image> {
    let (graph, raster) = (json.get("graph")?, json.get("raster")?);
    let mut shown = graph.clone();
    for crs in shown.get_mut("crs").and_then(Json::as_array_mut)? {
        if let Some(short) = crs.get("wkt").and_then(Json::as_str).and_then(named) {
            *crs = json!({ "name": short });
        }
    }
    let mut contents: BTreeMap<String, String> = BTreeMap::new();
    // What other texts may name it by, longest first.
    let mut names: Vec<(String, String)> = Vec::new();
    for part in ["crs", "nodes"] {
        each_source(shown.get_mut(part)?, &mut |source| {
            let (place, content) = put(source);
            if !contents.contains_key(&place) {
                let called = source.called.iter().chain([&source.name]);
                names.extend(called.map(|name| (name.clone(), place.clone())));
            }
            contents.insert(place.clone(), content);
            place
        });
    }
    names.retain(|(name, place)| !name.is_empty() && name != place);
    names.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
    rename(&mut shown, &names);
    shorten(&mut shown);
    let shown = sorted(shown);
    let mut by_content = shown.clone();
    replace(&mut by_content, &contents);
    rename(&mut by_content, &contents.into_iter().collect::<Vec<_>>());
    let text = shown.to_string();
    let bands = raster.get("bands")?.as_array()?;
    let ports: Vec<&Json> = bands.iter().filter_map(|band| band.get("port")).collect();
    let identity = sorted(json!({ "graph": by_content, "bands": ports })).to_string();
    let grid = usize::try_from(raster.get("grid")?.as_u64()?).ok()?;
    let mut grid = shown.get("grids")?.get(grid)?.clone();
    let crs = grid
        .get("crs")
        .and_then(Json::as_u64)
        .and_then(|n| usize::try_from(n).ok());
    if let Some(crs) = crs.and_then(|n| shown.get("crs")?.get(n)) {
        grid["crs"] = crs.get("name").unwrap_or(crs).clone();
    }
    let is_short = text.len() <= LONGEST;
    Some(Image {
        identity: fingerprint::sha256(&identity),
        bands: bands.iter().map(band).collect(),
        grid,
        operations: operations(&shown),
        graph: is_short.then(|| with_ports(shown, bands)),
    })
}

/// A CRS by its code, where that says all.
fn named(wkt: &str) -> Option<String> {
    let crs = Crs::from_wkt(wkt).ok()?;
    let name = crs.to_string();
    (name.starts_with("EPSG:") && Crs::parse(&name).is_ok_and(|same| same == crs)).then_some(name)
}

fn band(json: &Json) -> Band {
    let text = |name: &str| match json.get(name) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    };
    let unit = match json.get("unit") {
        Some(Json::Object(map)) => match map.iter().next() {
            Some((_, Json::String(other))) => other.clone(),
            Some((kind, _)) => kind.clone(),
            None => String::new(),
        },
        Some(Json::String(unit)) if unit == "decibel" => "dB".to_string(),
        Some(Json::String(unit)) if unit != "unknown" => unit.clone(),
        _ => String::new(),
    };
    Band {
        name: text("name"),
        dtype: text("dtype").to_lowercase(),
        unit,
    }
}

fn operations(graph: &Json) -> Vec<Operation> {
    let mut out: Vec<Operation> = Vec::new();
    for node in graph.get("nodes").and_then(Json::as_array).into_iter().flatten() {
        let Some(name) = node.get("operation").and_then(Json::as_str) else {
            continue;
        };
        match out.iter_mut().find(|known| known.name == name) {
            Some(known) => known.times += 1,
            None => out.push(Operation {
                name: name.to_string(),
                version: node.get("version").and_then(Json::as_u64).unwrap_or(0) as u32,
                times: 1,
            }),
        }
    }
    out
}

fn with_ports(mut graph: Json, bands: &[Json]) -> Json {
    let ports = bands
        .iter()
        .map(|band| band.get("port").cloned().unwrap_or(Json::Null));
    graph["bands"] = Json::Array(ports.collect());
    graph
}

/// Puts what `put` answers in the place of each source.
fn each_source(json: &mut Json, put: &mut dyn FnMut(&Source) -> String) {
    match json {
        Json::Object(map) => {
            if let Some((source, rest)) = source(map) {
                let place = put(&source);
                *map = rest;
                map.insert(INPUT.to_string(), Json::String(place));
                return;
            }
            map.values_mut().for_each(|value| each_source(value, put));
        }
        Json::Array(list) => list.iter_mut().for_each(|value| each_source(value, put)),
        _ => {}
    }
}

/// The file that an object of parameters names, and what else the object says.
fn source(map: &Map<String, Json>) -> Option<(Source, Map<String, Json>)> {
    let text = |key: &str| map.get(key).and_then(Json::as_str).map(str::to_string);
    let rest = |left_out: &[&str]| -> Map<String, Json> {
        map.iter()
            .filter(|(key, value)| !left_out.contains(&key.as_str()) && !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    if map.contains_key("path") && map.contains_key("name") && map.contains_key("modified") {
        let source = Source {
            name: text("name")?,
            called: text("path"),
            used: Use::Pixels,
            bytes: map.get("size").and_then(Json::as_u64),
            version: text("version"),
        };
        return Some((source, rest(&["path", "name", "size", "modified", "version"])));
    }
    if map.contains_key("path") && map.contains_key("array") && map.contains_key("state") {
        let source = Source {
            name: text("path")?,
            called: None,
            used: Use::Pixels,
            bytes: None,
            version: text("state"),
        };
        return Some((source, rest(&["path", "state"])));
    }
    // A network, by its own hash.
    if map.contains_key("name") && map.contains_key("sha256") && map.contains_key("metadata") {
        let source = Source {
            name: text("name")?,
            called: None,
            used: Use::Model,
            bytes: None,
            version: text("sha256"),
        };
        return Some((source, rest(&["name"])));
    }
    None
}

/// Data inside parameters by their hash.
fn shorten(json: &mut Json) {
    let long = |text: String| json!({ "sha256": fingerprint::sha256(&text), "bytes": text.len() });
    match json {
        Json::String(text) if text.len() > LONGEST_TEXT => *json = long(std::mem::take(text)),
        Json::Array(list) if list.len() > LONGEST_TEXT / 4 && !list[0].is_object() => {
            *json = long(Json::Array(std::mem::take(list)).to_string());
        }
        Json::Object(map) => map.values_mut().for_each(shorten),
        Json::Array(list) => list.iter_mut().for_each(shorten),
        _ => {}
    }
}

/// Puts the place of a source where a text names it, as one that says where something comes from.
fn rename(json: &mut Json, names: &[(String, String)]) {
    match json {
        Json::Object(map) => {
            for (key, value) in map.iter_mut().filter(|(key, _)| *key != INPUT) {
                match value {
                    // Names of operations and CRS are none of files.
                    Json::String(_) if key == "operation" || key == "wkt" => {}
                    other => rename(other, names),
                }
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|value| rename(value, names)),
        Json::String(text) => {
            if let Some((name, place)) = names.iter().find(|(name, _)| text.contains(name.as_str())) {
                *text = text.replace(name.as_str(), place);
            }
        }
        _ => {}
    }
}

fn replace(json: &mut Json, contents: &BTreeMap<String, String>) {
    match json {
        Json::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    Json::String(place) if key == INPUT => {
                        if let Some(content) = contents.get(place.as_str()) {
                            place.clone_from(content);
                        }
                    }
                    other => replace(other, contents),
                }
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|value| replace(value, contents)),
        _ => {}
    }
}
