//! What stands at the top of a bundle.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};
use crate::share::permissions::{Needs, escaped};

/// Of the form of bundles. Grows when a program that knows the older form would misunderstand the newer one.
pub const FORMAT: u64 = 1;

/// What one bundle can name.
const MOST_MODULES: usize = 500;
const MOST_FILES: usize = 10_000;
const MOST_PARAMETERS: usize = 1000;
const LONGEST_PATH: usize = 1000;

/// Paths are relative, and count from the folder in which the script is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub script: About,
    /// With which versions the script was bundled: of perilune, of its library in Lua (a hash), and of the libraries whose numbers its results are.
    #[serde(default)]
    pub requires: BTreeMap<String, String>,
    /// As the script was run.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Json>,
    /// As in `needs { … }`.
    #[serde(default)]
    pub permissions: Map<String, Json>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<Part>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<Data>,
    /// What the script makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expected>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Of its file.
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub citation: Option<String>,
    pub bytes: u64,
    pub sha256: String,
}

/// A module that came with the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub name: String,
    /// The library that it is of, in words; none of the script's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    pub bytes: u64,
    pub sha256: String,
}

/// A file that the script reads, where it can be had, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What a server states of its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Data {
    /// Its path, or its address where it has none.
    pub fn name(&self) -> &str {
        let name = self.path.as_ref().or(self.address.as_ref());
        name.map_or("", String::as_str)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

impl Manifest {
    /// # Errors
    /// What is no manifest; the words say where.
    pub fn from_toml(text: &str) -> Result<Manifest> {
        let manifest: Manifest = toml::from_str(text)
            .map_err(|e| Error::message(format!("its manifest is not as perilune writes it: {e}")))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// # Errors
    /// As `check`.
    pub fn to_toml(&self) -> Result<String> {
        self.check()?;
        toml::to_string(self).map_err(|e| Error::message(format!("its manifest cannot be written: {e}")))
    }

    /// The permissions that it asks for.
    ///
    /// # Errors
    /// When they are none.
    pub fn needs(&self) -> Result<Needs> {
        Needs::from_json(&Json::Object(self.permissions.clone()))
            .map_err(|e| Error::message(format!("its permissions: {e}")))
    }

    /// Its parameters as texts, as on the command line.
    pub fn given(&self) -> Vec<(String, Option<String>)> {
        let one = |value: &Json| match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let text = |value: &Json| match value {
            Json::Array(list) => list.iter().map(one).collect::<Vec<_>>().join(","),
            other => one(other),
        };
        self.parameters
            .iter()
            .map(|(name, value)| (name.clone(), Some(text(value))))
            .collect()
    }

    /// What is another version here, of those that both know.
    pub fn other_versions(&self, here: &BTreeMap<String, String>) -> Vec<String> {
        let short = |text: &str| match text.len() {
            64 => text[..12].to_string(),
            _ => escaped(text),
        };
        self.requires
            .iter()
            .filter_map(|(name, then)| {
                let now = here.get(name).filter(|now| *now != then)?;
                let name = match name.as_str() {
                    "library" => "perilune's library in Lua".to_string(),
                    name => escaped(name),
                };
                Some(format!("{name} is {} here and was {}", short(now), short(then)))
            })
            .collect()
    }

    /// # Errors
    /// What no bundle holds: names that are none, paths that lead elsewhere, hashes that are none, more than can be meant.
    fn check(&self) -> Result<()> {
        let wrong = |what: &str, got: &str, expected: &str| {
            let got: String = got.chars().take(80).collect();
            Err(Error::message(format!(
                "its manifest: {what} is `{}`, and must be {expected}",
                escaped(&got)
            )))
        };
        let name = &self.script.name;
        let plain = name.strip_suffix(".lua").is_some_and(is_plain);
        if !plain {
            return wrong(
                "script.name",
                name,
                "a file's name such as water.lua, without folders",
            );
        }
        for (what, count, most) in [
            ("modules", self.modules.len(), MOST_MODULES),
            ("files of data", self.data.len(), MOST_FILES),
            ("expected files", self.expect.len(), MOST_FILES),
            ("parameters", self.parameters.len(), MOST_PARAMETERS),
        ] {
            if count > most {
                return Err(Error::message(format!(
                    "its manifest names {count} {what}, and a bundle has at most {most}"
                )));
            }
        }
        let mut files = std::collections::BTreeSet::from([name.clone()]);
        for module in &self.modules {
            if !super::text::is_module_name(&module.name) {
                return wrong(
                    "a module's name",
                    &module.name,
                    "one such as edges or water.edges",
                );
            }
            if !files.insert(format!("{}.lua", module.name.replace('.', "/"))) {
                return wrong(
                    "a module's name",
                    &module.name,
                    "another than the script's and other modules'",
                );
            }
        }
        let plain_value = |value: &Json| matches!(value, Json::String(_) | Json::Bool(_) | Json::Number(_));
        for (name, value) in &self.parameters {
            let fine = match value {
                Json::Array(list) => list.iter().all(plain_value),
                value => plain_value(value),
            };
            if !fine {
                return wrong(
                    &format!("the parameter {}", escaped(name)),
                    &value.to_string(),
                    "a text, a number, true or false, or a list of these",
                );
            }
        }
        let hashes = [&self.script.sha256].into_iter();
        let hashes = hashes.chain(self.modules.iter().map(|part| &part.sha256));
        let hashes = hashes.chain(self.data.iter().filter_map(|data| data.sha256.as_ref()));
        for hash in hashes.chain(self.expect.iter().map(|expected| &expected.sha256)) {
            let digits = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            if hash.len() != 64 || !hash.chars().all(digits) {
                return wrong("a sha256", hash, "64 hexadecimal digits in lower case");
            }
        }
        for data in &self.data {
            match (&data.path, &data.address) {
                (None, None) => {
                    return Err(Error::message(
                        "its manifest has data with neither path nor address",
                    ));
                }
                (Some(_), _) if data.sha256.is_none() || data.bytes.is_none() => {
                    return Err(Error::message(
                        "its manifest has a file of data without sha256 or bytes",
                    ));
                }
                _ => {}
            }
        }
        let paths = self.data.iter().filter_map(|data| data.path.as_ref());
        for path in paths.chain(self.expect.iter().map(|expected| &expected.path)) {
            if !inside(path) {
                return wrong(
                    "a path",
                    path,
                    "relative and without `..`: it counts from the folder in which the script is run, and stays in it",
                );
            }
        }
        self.needs().map(drop)
    }
}

/// A name without anything that a shell, a terminal or another file system would make something else of.
fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '+' | ',');
    !name.is_empty() && name.len() <= 200 && !name.starts_with(['.', '-', ' ']) && name.chars().all(allowed)
}

/// Whether a path stays in the folder that it counts from, by its names.
pub fn inside(path: &str) -> bool {
    let parts = Path::new(path).components();
    !path.is_empty()
        && path.len() <= LONGEST_PATH
        && !path.starts_with('~')
        && !path.contains("://")
        && !path.contains(['\0', '\n', '\r'])
        && parts.clone().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;

    pub fn manifest() -> Manifest {
        Manifest {
            script: About {
                name: "water.lua".into(),
                authors: vec!["A <https://orcid.org/0000-0002-1825-0097>".into()],
                license: Some("CC-BY-4.0".into()),
                citation: Some("say ]==] \"it\"\nover two lines".into()),
                bytes: 3,
                sha256: "a".repeat(64),
            },
            requires: BTreeMap::from([("perilune".into(), "0.1.0".into())]),
            parameters: serde_json::from_value(json!({
                "z": "text", "radius": 30, "share": 0.1, "big": true, "bands": ["VV", "VH"], "years": [1, 2]
            }))
            .unwrap(),
            permissions: serde_json::from_value(json!({ "read": ["data"], "memory": "2GiB" })).unwrap(),
            modules: Vec::new(),
            data: vec![Data {
                path: Some("data/a.tif".into()),
                bytes: Some(3),
                sha256: Some("b".repeat(64)),
                ..Data::default()
            }],
            expect: vec![Expected {
                path: "out/m.tif".into(),
                bytes: 3,
                sha256: "c".repeat(64),
            }],
        }
    }

    #[test]
    fn manifests_are_written_and_read() {
        let text = manifest().to_toml().unwrap();
        assert_eq!(Manifest::from_toml(&text).unwrap(), manifest());
        let given = manifest().given();
        assert_eq!(given[0], ("z".into(), Some("text".into())));
        assert_eq!(given[2].1.as_deref(), Some("0.1"));
        assert_eq!(given[4].1.as_deref(), Some("VV,VH"));
        let here = BTreeMap::from([("perilune".into(), "0.2.0".into()), ("GDAL".into(), "3".into())]);
        assert_eq!(
            manifest().other_versions(&here),
            ["perilune is 0.2.0 here and was 0.1.0"]
        );
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let refused = |change: &dyn Fn(&mut Manifest), said: &str| {
            let mut wrong = manifest();
            change(&mut wrong);
            let error = wrong.check().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            let text = toml::to_string(&wrong).unwrap();
            assert!(Manifest::from_toml(&text).is_err());
        };
        for path in [
            "/etc/passwd",
            "../a.tif",
            "data/../../a.tif",
            "~/a.tif",
            "",
            "https://a/b",
            "./a",
        ] {
            refused(&|m| m.data[0].path = Some(path.into()), "stays in it");
            refused(&|m| m.expect[0].path = path.into(), "stays in it");
        }
        for name in ["a/b.lua", "../a.lua", "water", ".lua", "a\u{202e}.lua", "-a.lua"] {
            refused(&|m| m.script.name = name.into(), "script.name");
        }
        let part = |name: &str| Part {
            name: name.into(),
            library: None,
            bytes: 1,
            sha256: "a".repeat(64),
        };
        for name in ["..", "a/b", "", "a..b", "a\"]", "/a"] {
            refused(&|m| m.modules = vec![part(name)], "module's name");
        }
        refused(&|m| m.modules = vec![part("water")], "another than");
        refused(&|m| m.modules = vec![part("a"), part("a")], "another than");
        refused(&|m| m.modules = vec![part("a"); 501], "at most 500");
        refused(&|m| m.script.sha256 = "A".repeat(64), "hexadecimal");
        refused(&|m| m.data[0].bytes = None, "without sha256 or bytes");
        refused(&|m| m.data[0] = Data::default(), "neither path nor address");
        refused(
            &|m| drop(m.permissions.insert("reed".into(), json!([]))),
            "did you mean `read`",
        );
        refused(
            &|m| drop(m.parameters.insert("a".into(), json!({ "b": 1 }))),
            "the parameter a",
        );
        let later = manifest()
            .to_toml()
            .unwrap()
            .replace("[script]", "[script]\nmore = 1");
        assert!(
            Manifest::from_toml(&later)
                .unwrap_err()
                .to_string()
                .contains("more")
        );
    }
}
