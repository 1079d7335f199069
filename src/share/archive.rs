//! A bundle with its small data and its results in one zip that is an RO-Crate: what archives such as Zenodo take.
//!
//! The same files make the same bytes: members stand in the order of their names, and have no times.
//!
//! # Source
//! As `provenance::ro_crate`; members of zips are as PKWARE's APPNOTE has them, by the crate `zip`.

use std::fs::File;
use std::io::{Seek, Write, copy};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::bundle::{Data, Manifest};
use super::provenance::{METADATA, PROFILE, address_of_hash, encoded, of_crate};
use crate::error::{Error, Result};
use crate::files::Draft;

/// A file that goes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// In the archive, from the folder that the script is run in.
    pub name: String,
    pub file: PathBuf,
    pub bytes: u64,
    pub sha256: String,
}

/// What the archive holds, and what is said of it.
pub struct Archive<'a> {
    pub manifest: &'a Manifest,
    /// What the script says of itself.
    pub description: String,
    pub bundle: Member,
    /// Beside the bundle.
    pub signature: Option<Member>,
    pub data: Vec<Member>,
    /// That does not go along, and is named.
    pub elsewhere: Vec<Data>,
    pub results: Vec<Member>,
    /// The day of its publication, `2026-11-30`.
    pub published: String,
}

impl Archive<'_> {
    /// # Errors
    /// What cannot be read or written; then `target` is as it was.
    pub fn write(&self, target: &Path) -> Result<()> {
        let text =
            serde_json::to_string_pretty(&self.metadata()).map_err(|e| Error::message(e.to_string()))?;
        let draft = Draft::new(target)?;
        let out = draft.open().map_err(|e| Error::io(target, e))?;
        let mut zip = ZipWriter::new(out);
        let mut members: Vec<&Member> = [&self.bundle]
            .into_iter()
            .chain(&self.signature)
            .chain(&self.data)
            .chain(&self.results)
            .collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        start(&mut zip, METADATA, text.len() as u64, target)?;
        zip.write_all(format!("{text}\n").as_bytes())
            .map_err(|e| Error::io(target, e))?;
        for member in members {
            start(&mut zip, &member.name, member.bytes, target)?;
            let mut file = File::open(&member.file).map_err(|e| Error::io(&member.file, e))?;
            copy(&mut file, &mut zip).map_err(|e| Error::io(target, e))?;
        }
        zip.finish().map_err(|e| Error::file(target, e.to_string()))?;
        draft.publish()
    }

    fn metadata(&self) -> Json {
        let about = &self.manifest.script;
        let name = about.name.trim_end_matches(".lua");
        let file = |member: &Member| json!({ "@id": encoded(&member.name), "@type": "File", "name": member.name, "contentSize": member.bytes.to_string(), "sha256": member.sha256 });
        let data: Vec<Json> = self
            .data
            .iter()
            .map(file)
            .chain(self.elsewhere.iter().map(named))
            .collect();
        let results: Vec<Json> = self
            .results
            .iter()
            .map(|member| {
                let mut result = file(member);
                result["wasGeneratedBy"] = json!({ "@id": "#run" });
                result
            })
            .collect();
        let parameters: Vec<Json> = self
            .manifest
            .given()
            .into_iter()
            .map(|(name, value)| {
                json!({ "@id": format!("#parameter-{name}"), "@type": "PropertyValue", "name": name, "value": value })
            })
            .collect();
        let authors: Vec<Json> = about.authors.iter().enumerate().map(person).collect();
        let licence = match &about.license {
            // As SPDX names it.
            Some(name) => {
                json!({ "@id": format!("https://spdx.org/licenses/{}", encoded(name)), "@type": "CreativeWork", "name": name })
            }
            None => json!({
                "@id": "#license", "@type": "CreativeWork", "name": "No licence is stated",
                "description": "Whoever publishes this archive says here under which licence it may be used.",
            }),
        };
        let refer = |entities: &[Json]| -> Vec<Json> {
            entities
                .iter()
                .map(|entity| json!({ "@id": entity["@id"] }))
                .collect()
        };
        let mut bundle = file(&self.bundle);
        bundle["@type"] = json!(["File", "SoftwareSourceCode", "SoftwareApplication"]);
        bundle["programmingLanguage"] = "Lua 5.4".into();
        bundle["softwareRequirements"] = json!({ "@id": "#perilune" });
        let signature: Vec<Json> = self.signature.iter().map(file).collect();
        let mut description = match self.description.trim() {
            "" => format!("{} with its data and results", about.name),
            text => text.to_string(),
        };
        if let Some(citation) = &about.citation {
            description.push_str(&format!("\nTo be cited as: {citation}"));
        }
        let parts = [
            refer(std::slice::from_ref(&bundle)),
            refer(&signature),
            refer(&data),
            refer(&results),
        ]
        .concat();
        let mut root = json!({
            "@id": "./", "@type": "Dataset", "name": name, "description": description, "datePublished": self.published,
            "license": { "@id": licence["@id"] },
            "hasPart": parts,
        });
        if !authors.is_empty() {
            root["author"] = refer(&authors).into();
        }
        let versions: Vec<String> = self
            .manifest
            .requires
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let mut entities = vec![json!({
            "@id": "#perilune", "@type": "SoftwareApplication", "name": "perilune", "description": versions.join(", "),
            "softwareVersion": self.manifest.requires.get("perilune"),
        })];
        if !results.is_empty() {
            root["conformsTo"] = json!({ "@id": PROFILE });
            root["mentions"] = json!({ "@id": "#run" });
            let used: Vec<Json> = refer(&data).into_iter().chain(refer(&parameters)).collect();
            entities.push(json!({ "@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5" }));
            entities.push(json!({
                "@id": "#run", "@type": ["CreateAction", "prov:Activity"], "name": format!("Making the results of {name}"),
                "instrument": { "@id": bundle["@id"] }, "object": used, "result": refer(&results), "used": refer(&data),
                "actionStatus": { "@id": "http://schema.org/CompletedActionStatus" },
            }));
            entities.extend(parameters);
        }
        entities.extend([root, licence, bundle]);
        for list in [signature, data, results, authors] {
            entities.extend(list);
        }
        of_crate(entities)
    }
}

/// The beginning of a member: without a time, so that the same files are the same bytes.
fn start<W: Write + Seek>(zip: &mut ZipWriter<W>, name: &str, bytes: u64, target: &Path) -> Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
        .large_file(bytes >= u64::from(u32::MAX) / 2);
    zip.start_file(name, options)
        .map_err(|e| Error::file(target, format!("{name}: {e}")))
}

/// A file that the archive does not hold: by its address, or by the hash of what it holds.
fn named(data: &Data) -> Json {
    let path = data
        .path
        .as_deref()
        .or(data.address.as_deref())
        .unwrap_or_default();
    let id = match (&data.address, &data.sha256) {
        (Some(address), _) => address.clone(),
        (None, Some(hash)) => address_of_hash(hash),
        (None, None) => format!("#data-{}", encoded(path)),
    };
    let mut out = json!({ "@id": id, "@type": "File", "name": path, "description": format!("{path}, which is not in this archive") });
    if let Some(bytes) = data.bytes {
        out["contentSize"] = bytes.to_string().into();
    }
    if let Some(hash) = &data.sha256 {
        out["sha256"] = hash.clone().into();
    }
    out
}

/// An author, by her ORCID where it stands behind her name: `Ada Example <https://orcid.org/…>`.
fn person((number, author): (usize, &String)) -> Json {
    let (name, rest) = author.split_once('<').unwrap_or((author, ""));
    let orcid = rest
        .split('>')
        .next()
        .filter(|address| address.starts_with("https://orcid.org/"));
    let id = orcid.map_or(format!("#author-{}", number + 1), str::to_string);
    json!({ "@id": id, "@type": "Person", "name": name.trim() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_known_by_their_orcid() {
        let of = |text: &str| person((0, &text.to_string()));
        assert_eq!(
            of("Ada Example <https://orcid.org/0000-0002-1825-0097>"),
            json!({ "@id": "https://orcid.org/0000-0002-1825-0097", "@type": "Person", "name": "Ada Example" })
        );
        assert_eq!(of("Ada <ada@example.org>")["@id"], "#author-1");
    }
}
