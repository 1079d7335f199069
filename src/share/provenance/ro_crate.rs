//! A file with its record as an RO-Crate: a folder that repositories take, by the profile Process Run Crate, with terms of W3C PROV.
//!
//! # Source
//! RO-Crate 1.1, <https://w3id.org/ro/crate/1.1>; Process Run Crate 0.5, <https://w3id.org/ro/wfrun/process/0.5>; PROV-O, <https://www.w3.org/TR/prov-o/>;
//! RFC 6920 for the names of files by their hashes.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::record::{Input, Record, sorted};
use super::show::shown;
use super::{fingerprint, paths};
use crate::error::{Error, Result};
use crate::files;

const CONTEXT: &str = "https://w3id.org/ro/crate/1.1/context";
pub const PROFILE: &str = "https://w3id.org/ro/wfrun/process/0.5";
pub const METADATA: &str = "ro-crate-metadata.json";

/// Writes into `folder`, which is made, a copy of the file at `path`, of the script where it is there, and what is said of them.
///
/// # Errors
/// A folder with an RO-Crate or a file of these names in it; what cannot be read or written.
pub fn write(path: &Path, record: &Record, script: Option<&str>, folder: &Path) -> Result<()> {
    if folder.join(METADATA).exists() {
        return Err(Error::file(
            folder,
            "holds an RO-Crate already; name another folder",
        ));
    }
    fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    copy(path, &folder.join(&name))?;
    if let (Some(text), Some(of)) = (script, &record.script) {
        files::write_whole(&folder.join(script_name(&of.name)), text.as_bytes())?;
    }
    let made = fs::metadata(path).and_then(|data| data.modified());
    let made = made.map_err(|e| Error::io(path, e))?;
    let made = Timestamp::try_from(made).map_err(|e| Error::file(path, e.to_string()))?;
    let target = paths::plain(&std::env::current_dir().unwrap_or_default().join(path));
    let graph = graph(&name, &target, record, script.is_some(), &made.to_string());
    let text = serde_json::to_string_pretty(&graph).map_err(|e| Error::message(e.to_string()))?;
    files::write_whole(&folder.join(METADATA), format!("{text}\n").as_bytes())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        return Err(Error::file(
            to,
            "is there already; name another folder for the RO-Crate",
        ));
    }
    match from.is_dir() {
        false => fs::copy(from, to).map(drop).map_err(|e| Error::io(to, e)),
        true => {
            fs::create_dir(to).map_err(|e| Error::io(to, e))?;
            let entries = fs::read_dir(from).map_err(|e| Error::io(from, e))?;
            for entry in entries {
                let entry = entry.map_err(|e| Error::io(from, e))?;
                copy(&entry.path(), &to.join(entry.file_name()))?;
            }
            Ok(())
        }
    }
}

fn script_name(name: &str) -> String {
    match name.ends_with(".lua") {
        true => name.to_string(),
        false => format!("{name}.lua"),
    }
}

fn graph(name: &str, target: &Path, record: &Record, has_script: bool, made: &str) -> Json {
    let encoded = encoded(name);
    let file = match target.is_dir() {
        true => format!("{encoded}/"),
        false => encoded,
    };
    let inputs: Vec<Json> = record.inputs.iter().map(input).collect();
    let parameters: Vec<Json> = record
        .parameters
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            json!({ "@id": format!("#parameter-{name}"), "@type": "PropertyValue", "name": name, "value": shown(value) })
        })
        .collect();
    let refer = |entities: &[Json]| -> Vec<Json> {
        entities
            .iter()
            .map(|entity| json!({ "@id": entity["@id"] }))
            .collect()
    };
    let script = record.script.as_ref();
    let tool = match (script, has_script) {
        (Some(script), true) => encoded_script(&script.name),
        (Some(script), false) => format!("#script-{}", script.name),
        (None, _) => "#perilune".to_string(),
    };
    let mut parts = vec![json!({ "@id": file })];
    if has_script {
        parts.push(json!({ "@id": tool }));
    }
    parts.extend(refer(&inputs));
    let used: Vec<Json> = refer(&inputs).into_iter().chain(refer(&parameters)).collect();
    let versions: Vec<String> = record
        .versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let description = script.map_or("made at the prompt".to_string(), |script| {
        format!("{} as {} has made it", name, script.name)
    });
    let mut result = json!({
        "@id": file, "@type": if target.is_dir() { "Dataset" } else { "File" }, "name": name, "dateModified": made,
        "wasGeneratedBy": { "@id": "#run" }, "wasDerivedFrom": refer(&inputs),
    });
    if let Ok(hash) = fingerprint::whole(target) {
        result["sha256"] = hash.into();
    }
    if let Some(image) = &record.image {
        result["identifier"] = image.identity.clone().into();
    }
    let mut entities = vec![
        json!({
            "@id": "./", "@type": "Dataset", "name": name, "description": description, "datePublished": made,
            "license": { "@id": "#license" }, "conformsTo": { "@id": PROFILE }, "hasPart": parts, "mentions": { "@id": "#run" },
        }),
        json!({ "@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5" }),
        json!({
            "@id": "#license", "@type": "CreativeWork", "name": "No licence is stated",
            "description": "Whoever publishes this folder says here under which licence it may be used.",
        }),
        result,
        json!({
            "@id": "#perilune", "@type": "SoftwareApplication", "name": "perilune", "description": versions.join(", "),
            "softwareVersion": record.versions.get("perilune"),
        }),
        json!({
            "@id": "#run", "@type": ["CreateAction", "prov:Activity"], "name": format!("Making {name}"), "endTime": made,
            "instrument": { "@id": tool }, "object": used, "result": { "@id": file }, "used": refer(&inputs),
            "actionStatus": { "@id": "http://schema.org/CompletedActionStatus" },
            "description": format!("{}; {}", versions.join(", "), record.instructions),
        }),
    ];
    if let Some(of) = script {
        let mut entity = json!({
            "@id": tool, "name": of.name, "sha256": of.sha256, "programmingLanguage": "Lua 5.4",
            "softwareRequirements": { "@id": "#perilune" },
        });
        entity["@type"] = match has_script {
            true => json!(["File", "SoftwareSourceCode", "SoftwareApplication"]),
            false => json!("SoftwareApplication"),
        };
        entities.push(entity);
    }
    entities.extend(inputs);
    entities.extend(parameters);
    of_crate(entities)
}

/// The metadata of a crate of these entities, the root among them.
pub fn of_crate(entities: Vec<Json>) -> Json {
    let of_metadata = json!({
        "@id": METADATA, "@type": "CreativeWork", "about": { "@id": "./" }, "conformsTo": { "@id": "https://w3id.org/ro/crate/1.1" },
    });
    let entities: Vec<Json> = [of_metadata].into_iter().chain(entities).collect();
    sorted(json!({
        "@context": [CONTEXT, {
            "prov": "http://www.w3.org/ns/prov#",
            "wasGeneratedBy": { "@id": "prov:wasGeneratedBy", "@type": "@id" },
            "wasDerivedFrom": { "@id": "prov:wasDerivedFrom", "@type": "@id" },
            "used": { "@id": "prov:used", "@type": "@id" },
            "sha256": "https://w3id.org/ro/terms/workflow-run#sha256",
        }],
        "@graph": entities,
    }))
}

/// A file that the crate does not hold: by its address, or by the hash of what it holds.
fn input(input: &Input) -> Json {
    let hash = input.sha256.as_ref().or(input.sha256_of_pieces.as_ref());
    let id = match (input.path.contains("://"), hash) {
        (true, _) => input.path.clone(),
        (false, Some(hash)) => named(hash),
        (false, None) => format!("#input-{}", encoded(&input.path)),
    };
    let name = input.product.clone().unwrap_or_else(|| {
        let path = PathBuf::from(&input.path);
        path.file_name()
            .map_or_else(|| input.path.clone(), |name| name.to_string_lossy().into_owned())
    });
    let mut out = json!({ "@id": id, "@type": "File", "name": name, "description": input.path });
    if let Some(bytes) = input.bytes {
        out["contentSize"] = bytes.to_string().into();
    }
    if let Some(hash) = &input.sha256 {
        out["sha256"] = hash.clone().into();
    }
    if let Some(version) = &input.version {
        out["version"] = version.clone().into();
    }
    out
}

/// The name of bytes by their hash.
pub fn named(hash: &str) -> String {
    let bytes: Vec<u8> = (0..hash.len() / 2)
        .filter_map(|i| u8::from_str_radix(hash.get(2 * i..2 * i + 2)?, 16).ok())
        .collect();
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    format!("ni:///sha-256;{text}")
}

fn encoded_script(name: &str) -> String {
    encoded(&script_name(name))
}

/// As a part of an address.
pub fn encoded(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(byte as char)
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_named_by_their_hash() {
        // RFC 6920, section 8.1.
        assert_eq!(
            named("7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"),
            "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
        );
    }
}
