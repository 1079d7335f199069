//! A record as a paragraph for a paper, with the literature of what it used, as BibTeX too.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;

use super::record::{Input, Record, Use};
use super::show::{shown, versions};

/// What the documentation says of a function or method.
#[derive(Debug, Clone)]
pub struct Documented {
    /// Its first sentence.
    pub summary: String,
    /// Its paragraph of sources.
    pub source: Option<String>,
}

/// The paragraph, the references, and the same as BibTeX. `look_up` knows `filter.lee` and `Stack:median`.
pub fn methods(record: &Record, look_up: &dyn Fn(&str) -> Option<Documented>) -> String {
    let mut cited = Vec::new();
    let used = used(record, look_up);
    let mut sentences = vec![opening(record)];
    sentences.extend(of_inputs(record));
    let mut steps = Vec::new();
    for (name, documented) in &used {
        let from = documented.source.as_deref().map_or(Vec::new(), references);
        let mut keys = Vec::new();
        for reference in from {
            if !cited.contains(&reference) {
                cited.push(reference.clone());
            }
            keys.push(reference.short());
        }
        let what = documented.summary.trim_end_matches('.').to_string();
        let keys = match keys.is_empty() {
            true => String::new(),
            false => format!("; {}", keys.join("; ")),
        };
        steps.push(format!("{what} ({name}{keys})"));
    }
    if !steps.is_empty() {
        sentences.push(format!("It was computed by these methods: {}.", steps.join("; ")));
    }
    if let Some(parameters) = parameters(record) {
        sentences.push(parameters);
    }
    if let Some(image) = &record.image {
        sentences.push(format!(
            "The computation is identified by SHA-256 {}; the same inputs, versions and instructions ({}) give the same bytes.",
            image.identity, record.instructions
        ));
    }
    let mut text = wrapped(&sentences.join(" "), 100);
    text.push('\n');
    if !cited.is_empty() {
        text.push_str("\nReferences\n\n");
        for reference in &cited {
            text.push_str(&format!("- {}\n", reference.text));
        }
    }
    text.push_str("\nBibTeX\n\n");
    text.push_str(&program(record));
    let mut keys = BTreeSet::from(["perilune".to_string()]);
    for reference in &cited {
        text.push_str(&reference.bibtex(&mut keys));
    }
    text
}

fn opening(record: &Record) -> String {
    let with = versions(record);
    let (own, others) = with.split_once(", ").unwrap_or((&with, ""));
    let others = match others {
        "" => String::new(),
        others => format!(" (with {others})"),
    };
    let by = match &record.script {
        None => String::new(),
        Some(script) => match &script.path {
            None => format!(" by its workflow {}", script.name),
            Some(_) => format!(" by the script {} (SHA-256 {})", script.name, script.sha256),
        },
    };
    format!("The file {} was made with {own}{others}{by}.", record.file)
}

/// What it was made of: products by their names, where they are known.
fn of_inputs(record: &Record) -> Option<String> {
    let of = |used: Use| -> Vec<&Input> { record.inputs.iter().filter(|input| input.used == used).collect() };
    let mut inputs = of(Use::Pixels);
    let verb = match inputs.is_empty() {
        true => "It was made after reading",
        false => "Its pixels come from",
    };
    if inputs.is_empty() {
        inputs = of(Use::Read);
    }
    if inputs.is_empty() {
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    for input in &inputs {
        let name = input.product.clone().unwrap_or_else(|| name_of(&input.path));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    const FEW: usize = 8;
    let count = names.len() + record.more_inputs;
    let listed = names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ");
    let listed = match count > FEW {
        true => format!("{count} products, among them {listed}"),
        false => listed,
    };
    let networks: Vec<String> = of(Use::Model)
        .iter()
        .map(|model| match &model.sha256 {
            Some(hash) => format!("{} (SHA-256 {hash})", name_of(&model.path)),
            None => name_of(&model.path),
        })
        .collect();
    let networks = match networks.is_empty() {
        true => String::new(),
        false => format!(" The network is {}.", networks.join(", ")),
    };
    Some(format!("{verb} {listed}.{networks}"))
}

fn name_of(path: &str) -> String {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    name.to_string()
}

fn parameters(record: &Record) -> Option<String> {
    let stated: Vec<String> = record
        .parameters
        .iter()
        .filter(|(_, value)| !value.is_null() && !matches!(value, Json::Bool(_)))
        .map(|(name, value)| format!("{name} = {}", shown(value)))
        .collect();
    (!stated.is_empty()).then(|| format!("Its parameters were {}.", stated.join(", ")))
}

/// What has literature, or computes, among the operations of the graph and the names in the script.
fn used(record: &Record, look_up: &dyn Fn(&str) -> Option<Documented>) -> Vec<(String, Documented)> {
    let mut out: Vec<(String, Documented)> = Vec::new();
    let mut add = |name: String, only_with_source: bool| {
        if let Some(found) = look_up(&name)
            && (found.source.is_some() || !only_with_source)
            && out.iter().all(|(known, _)| *known != name)
        {
            out.push((name, found));
        }
    };
    let computed = |name: &str| {
        ["filter.", "correlation.", "inference."]
            .iter()
            .any(|room| name.starts_with(room))
    };
    let image = record.image.as_ref();
    for operation in image.into_iter().flat_map(|image| &image.operations) {
        if computed(&operation.name) {
            add(operation.name.clone(), false);
        }
    }
    let nodes = image.and_then(|image| image.graph.as_ref()?.get("nodes")?.as_array());
    for node in nodes.into_iter().flatten() {
        let operation = node.get("operation").and_then(Json::as_str).unwrap_or_default();
        for word in words(node.get("parameters").unwrap_or(&Json::Null)) {
            match computed(operation) {
                // `filter.focal` of a median is documented as `filter.focal_median`.
                true => add(format!("{operation}_{word}"), false),
                false if operation.starts_with("raster.") => add(format!("Stack:{word}"), true),
                false => {}
            }
        }
    }
    for name in &record.names {
        match name.strip_prefix(':') {
            // What writes and reads has no method of its own.
            Some(method)
                if ["write", "read", "open", "to_"]
                    .iter()
                    .any(|other| method.starts_with(other)) => {}
            Some(method) => {
                for class in ["Stack", "Raster"] {
                    add(format!("{class}:{method}"), true);
                }
            }
            // What reads and looks for data is told by the inputs.
            None if [
                "raster.open",
                "raster.stack",
                "plot.",
                "fs.",
                "catalog.",
                "geometry.",
            ]
            .iter()
            .any(|other| name.starts_with(other)) => {}
            None => add(name.clone(), true),
        }
    }
    out
}

/// Words in parameters, which may be names of methods.
fn words(parameters: &Json) -> Vec<String> {
    match parameters {
        Json::String(word) => vec![word.clone()],
        Json::Array(list) if list.len() < 16 => list.iter().flat_map(words).collect(),
        Json::Object(map) => map
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "encoding" | "input"))
            .flat_map(|(key, value)| std::iter::once(key.clone()).chain(words(value)))
            .collect(),
        _ => Vec::new(),
    }
}

/// A work that a paragraph of sources names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// As it stands there.
    pub text: String,
    pub authors: Vec<String>,
    pub year: Option<String>,
    pub title: Option<String>,
    /// Or the number at arXiv.
    pub doi: Option<String>,
}

/// The works of a paragraph such as "Lee 1980, Digital image enhancement, doi:10.1109/…; Frost et al. 1982.".
pub fn references(source: &str) -> Vec<Reference> {
    static YEAR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(1[89]\d\d|20\d\d)\b").ok());
    static DOI: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:doi|arXiv):(\S+)").ok());
    static END: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"([a-z0-9)`]{3})\. +([A-Z])").ok());
    let (Some(year), Some(doi), Some(end)) = (YEAR.as_ref(), DOI.as_ref(), END.as_ref()) else {
        return Vec::new();
    };
    let cut = end.replace_all(source, "$1; $2");
    let works = cut
        .split("; ")
        .map(|part| part.trim().trim_end_matches(['.', ',']));
    works
        .filter_map(|part| {
            let found = doi.captures(part).and_then(|found| found.get(1));
            let found = found.map(|found| found.as_str().trim_end_matches([',', ')', '.']).to_string());
            let plain = doi.replace(part, "");
            let plain = plain.trim().trim_end_matches([',', ' ']);
            let at = year.find(plain);
            if at.is_none() && found.is_none() {
                return None;
            }
            let (before, after) = at.map_or((plain, ""), |at| (&plain[..at.start()], &plain[at.end()..]));
            let (authors, title) = split_authors(before);
            let after = after.trim_matches([',', ' ', '(', ')', ':']);
            Some(Reference {
                text: part.to_string(),
                authors,
                year: at.map(|at| at.as_str().to_string()),
                title: title.or_else(|| (!after.is_empty()).then(|| after.to_string())),
                doi: found,
            })
        })
        .collect()
}

/// Names at the beginning of a text, and what follows them.
fn split_authors(text: &str) -> (Vec<String>, Option<String>) {
    // "Speckle: Goodman", "the weight as in Lopes".
    let text = text.rsplit_once(": ").map_or(text, |(_, names)| names);
    let begins_small = text.chars().next().is_some_and(char::is_lowercase);
    let text = [" as in ", " after ", " of ", " by "]
        .iter()
        .filter_map(|word| text.rsplit_once(word))
        .map(|(_, names)| names)
        .min_by_key(|names| names.len())
        .filter(|_| begins_small)
        .unwrap_or(text);
    let text = text.trim().trim_end_matches([',', '(']).replace(" & ", " and ");
    let small = ["et", "al.", "al", "and", "von", "van", "de", "der"];
    let is_initial = |word: &str| word.ends_with('.') && word.chars().next().is_some_and(char::is_uppercase);
    // "J. W. Tukey", "Gardner et al.", no "Exploratory Data Analysis".
    let is_name = |part: &str| {
        let words: Vec<&str> = part.split_whitespace().collect();
        let others: Vec<&&str> = words
            .iter()
            .filter(|word| !small.contains(*word) && !is_initial(word))
            .collect();
        let are_capital = others
            .iter()
            .all(|word| word.chars().next().is_some_and(char::is_uppercase));
        !words.is_empty() && others.len() <= 2 && are_capital
    };
    let parts: Vec<&str> = text.split(", ").collect();
    let count = parts
        .iter()
        .take_while(|part| part.split(" and ").all(is_name))
        .count();
    let mut authors = Vec::new();
    for name in parts[..count].iter().flat_map(|part| part.split(" and ")) {
        match name.trim().trim_end_matches('.').strip_suffix(" et al") {
            Some(first) => authors.extend([first.to_string(), "others".to_string()]),
            None => {
                let name = name.trim();
                match authors.last_mut() {
                    // "Rew, R."
                    Some(last) if name.split_whitespace().all(is_initial) => {
                        last.push_str(&format!(", {name}"))
                    }
                    _ => authors.push(name.to_string()),
                }
            }
        }
    }
    let rest = parts[count..].join(", ");
    let rest = rest.trim_end_matches([',', ' ']);
    (authors, (!rest.is_empty()).then(|| rest.to_string()))
}

/// "Tukey" of "J. W. Tukey" and of "Tukey, J. W.".
fn last_name(name: &str) -> String {
    match name.split_once(", ") {
        Some((last, _)) => last.to_string(),
        None => name.rsplit(' ').next().unwrap_or(name).to_string(),
    }
}

impl Reference {
    /// "Lee 1980".
    fn short(&self) -> String {
        let names: Vec<&String> = self.authors.iter().filter(|name| *name != "others").collect();
        let names = match names.as_slice() {
            [] => self.text.clone(),
            [one] if self.authors.len() == 1 => last_name(one),
            [one, two] if self.authors.len() == 2 => format!("{} and {}", last_name(one), last_name(two)),
            [first, ..] => format!("{} et al.", last_name(first)),
        };
        match (&self.year, self.authors.is_empty()) {
            (Some(year), false) => format!("{names} {year}"),
            _ => names,
        }
    }

    /// An entry, under a key that no other of `keys` has.
    fn bibtex(&self, keys: &mut BTreeSet<String>) -> String {
        let name = self
            .authors
            .first()
            .map_or("source".to_string(), |name| last_name(name));
        let name: String = name
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        let base = format!("{name}{}", self.year.as_deref().unwrap_or_default());
        let mut key = base.clone();
        for letter in 'b'..='z' {
            if keys.insert(key.clone()) {
                break;
            }
            key = format!("{base}{letter}");
        }
        let kind = if self.doi.is_some() { "article" } else { "misc" };
        let mut fields = Vec::new();
        if !self.authors.is_empty() {
            fields.push(("author", self.authors.join(" and ")));
        }
        fields.extend(self.title.clone().map(|title| ("title", format!("{{{title}}}"))));
        fields.extend(self.year.clone().map(|year| ("year", year)));
        if let Some(doi) = &self.doi {
            match doi.starts_with("10.") {
                true => {
                    fields.push(("doi", doi.clone()));
                    fields.push(("url", format!("https://doi.org/{doi}")));
                }
                false => {
                    fields.push(("eprint", doi.clone()));
                    fields.push(("archiveprefix", "arXiv".to_string()));
                }
            }
        }
        if self.doi.is_none() {
            fields.push(("note", self.text.clone()));
        }
        entry(kind, &key, &fields)
    }
}

fn program(record: &Record) -> String {
    let version = record.versions.get("perilune").cloned().unwrap_or_default();
    entry(
        "software",
        "perilune",
        &[
            (
                "title",
                "{perilune: a scripting host for Earth observation}".to_string(),
            ),
            ("version", version),
        ],
    )
}

fn entry(kind: &str, key: &str, fields: &[(&str, String)]) -> String {
    let mut text = format!("@{kind}{{{key}");
    for (name, value) in fields {
        let value = value.replace('&', "\\&").replace('%', "\\%");
        text.push_str(&format!(",\n  {name} = {{{value}}}"));
    }
    text.push_str("\n}\n");
    text
}

fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let own = word.chars().count();
        if length > 0 && length + 1 + own > width {
            out.push('\n');
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += own;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_apart() {
        let found = references(
            "Lee 1981, Refined filtering of image noise using local statistics, doi:10.1016/S0146-664X(81)80018-4; Gardner et al. 2018, \
             doi:10.5194/tc-12-521-2018; J. W. Tukey, Exploratory Data Analysis, 1977; ISCE2, components/mroipac.",
        );
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].authors, ["Lee"]);
        assert_eq!(found[0].doi.as_deref(), Some("10.1016/S0146-664X(81)80018-4"));
        assert_eq!(
            found[0].title.as_deref(),
            Some("Refined filtering of image noise using local statistics")
        );
        assert_eq!(
            (found[1].short().as_str(), found[1].year.as_deref()),
            ("Gardner et al. 2018", Some("2018"))
        );
        assert_eq!(found[2].authors, ["J. W. Tukey"]);
        assert_eq!(found[2].title.as_deref(), Some("Exploratory Data Analysis"));
        let other = references(
            "Lee 1980, doi:10.1109/1; the weight as in Lopes, Touzi and Nezry 1990, doi:10.1109/36.62623; Rew, R. (2013): Chunking Data",
        );
        assert_eq!(other[1].authors, ["Lopes", "Touzi", "Nezry"]);
        assert_eq!(other[1].short(), "Lopes et al. 1990");
        assert_eq!(
            (other[2].authors[0].as_str(), other[2].title.as_deref()),
            ("Rew, R.", Some("Chunking Data"))
        );
        let mut keys = BTreeSet::new();
        let entry = found[1].bibtex(&mut keys);
        assert!(
            entry.starts_with("@article{gardner2018,\n  author = {Gardner and others},\n"),
            "{entry}"
        );
        assert!(found[1].bibtex(&mut keys).starts_with("@article{gardner2018b,"));
    }
}
