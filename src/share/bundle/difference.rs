//! How two bundles differ.

use serde_json::Value as Json;
use similar::TextDiff;

use super::text::Bundle;
use crate::share::permissions::escaped;

/// A part of both, or of one, and what differs in it: lines for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub lines: Vec<String>,
}

/// In the order of the manifest; none where they are the same.
pub fn differences(old: &Bundle, new: &Bundle) -> Vec<Part> {
    let mut parts = Vec::new();
    let values = |bundle: &Bundle| serde_json::to_value(&bundle.manifest).unwrap_or_default();
    let (before, after) = (values(old), values(new));
    for section in [
        "script",
        "requires",
        "parameters",
        "permissions",
        "data",
        "expect",
    ] {
        let (before, after) = (keyed(&before[section]), keyed(&after[section]));
        let mut lines = Vec::new();
        let mut names: Vec<&String> = before.iter().map(|(name, _)| name).collect();
        names.extend(
            after
                .iter()
                .map(|(name, _)| name)
                .filter(|name| !before.iter().any(|(known, _)| known == *name)),
        );
        for name in names {
            // The texts themselves are shown below.
            if section == "script" && (name == "sha256" || name == "bytes") {
                continue;
            }
            let of = |list: &[(String, Json)]| {
                list.iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| shown(value))
            };
            let name = escaped(name);
            match (of(&before), of(&after)) {
                (Some(one), Some(other)) if one != other => lines.push(format!("{name}: {one} → {other}")),
                (Some(one), None) => lines.push(format!("{name}: {one} → none")),
                (None, Some(other)) => lines.push(format!("{name}: none → {other}")),
                _ => {}
            }
        }
        if !lines.is_empty() {
            parts.push(Part {
                name: section.to_string(),
                lines,
            });
        }
    }
    let texts = |bundle: &Bundle| -> Vec<(String, String)> {
        let modules = bundle.manifest.modules.iter().zip(&bundle.modules);
        modules
            .map(|(part, text)| (format!("{}.lua", part.name.replace('.', "/")), text.clone()))
            .collect()
    };
    let (before, after) = (texts(old), texts(new));
    let mut names: Vec<&String> = before.iter().chain(&after).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let of = |list: &[(String, String)]| {
            list.iter()
                .find(|(known, _)| known == name)
                .map_or("", |(_, text)| text.as_str())
                .to_string()
        };
        parts.extend(changed(name, &of(&before), &of(&after)));
    }
    parts.extend(changed(&new.manifest.script.name, &old.script, &new.script));
    parts
}

fn changed(name: &str, old: &str, new: &str) -> Option<Part> {
    if old == new {
        return None;
    }
    let diff = TextDiff::from_lines(old, new);
    let lines = diff.unified_diff().context_radius(3).to_string();
    Some(Part {
        name: name.to_string(),
        lines: lines
            .lines()
            .map(|line| escaped(&line.replace('\t', "    ")))
            .collect(),
    })
}

/// The entries of a table by their names, those of a list by their paths.
fn keyed(value: &Json) -> Vec<(String, Json)> {
    match value {
        Json::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        Json::Array(list) => list
            .iter()
            .map(|entry| {
                let name = entry["path"]
                    .as_str()
                    .or(entry["address"].as_str())
                    .unwrap_or_default();
                let mut rest = entry.clone();
                if let Json::Object(fields) = &mut rest {
                    fields.shift_remove("path");
                }
                (name.to_string(), rest)
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => escaped(text),
        Json::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name} {}", shown(value)))
                .collect();
            fields.join(", ")
        }
        other => escaped(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::manifest;
    use super::*;

    #[test]
    fn differences_are_named_where_they_are() {
        let one = Bundle {
            manifest: manifest(),
            script: "a\nb\nc\n".into(),
            modules: Vec::new(),
            sha256: String::new(),
        };
        assert_eq!(differences(&one, &one), []);
        let mut other = one.clone();
        other.script = "a\nx\nc\n".into();
        other.manifest.parameters.insert("radius".into(), 60.into());
        other.manifest.parameters.shift_remove("big");
        other.manifest.data[0].sha256 = Some("d".repeat(64));
        let found = differences(&one, &other);
        let names: Vec<&str> = found.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["parameters", "data", "water.lua"]);
        assert_eq!(found[0].lines, ["radius: 30 → 60", "big: true → none"]);
        assert!(found[1].lines[0].starts_with("data/a.tif: bytes 3, sha256 bbb"));
        assert!(found[2].lines.contains(&"-b".to_string()) && found[2].lines.contains(&"+x".to_string()));
    }
}
