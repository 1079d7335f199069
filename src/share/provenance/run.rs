//! Keeps notes of a run, and makes of them the record of each file. The one place where records are made.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json};

use super::fingerprint::{self, Fingerprint};
use super::graph::{self, Source};
use super::paths::{self, Place};
use super::record::{FORMAT, Input, Module, Record, Script, Use, in_ascii, sorted};
use super::{instructions, names, product, sidecar};
use crate::bytes::stamp::Stamp;
use crate::error::Result;
use crate::raster::about;
use crate::work::provenance::{Note, Provenance, RECORD, TAGS};

/// Files that were read, beside those of the graph, that a record lists.
const MOST_READ: usize = 64;
/// Sources of a graph that a record lists.
const MOST_SOURCES: usize = 256;
/// What stands for the value of a parameter that is nobody's to know, and parts of the names of such.
pub const SECRET: &str = "…";
const SECRETS: [&str; 7] = [
    "token",
    "password",
    "passwd",
    "secret",
    "credential",
    "api_key",
    "apikey",
];

/// Whether the name of a parameter says that its value is nobody's to know.
pub fn is_secret(name: &str) -> bool {
    let lower = name.to_lowercase();
    SECRETS.iter().any(|secret| lower.contains(secret))
}

/// The script of a run.
#[derive(Debug, Clone)]
pub struct Origin {
    pub name: String,
    /// Where it lies; none of what ships.
    pub path: Option<PathBuf>,
    pub text: Arc<str>,
}

pub struct Run {
    working: PathBuf,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    origin: Option<Origin>,
    /// Who has declared parameters at the prompt.
    declared: String,
    parameters: Map<String, Json>,
    /// Parameters that are paths, by their declaration or their use.
    paths: Vec<String>,
    /// What the script called each file that it has read, sorted by where that is.
    read: BTreeSet<PathBuf>,
    addresses: BTreeSet<String>,
    modules: BTreeMap<String, (Option<PathBuf>, String)>,
    libraries: BTreeMap<String, String>,
    line: usize,
    /// What the images in temporary files are.
    temporaries: HashMap<PathBuf, Temporary>,
    /// The folder in whose place the root stands for what is written.
    into: Option<PathBuf>,
    /// It names files by paths that start at the working folder and are none of its parameters.
    by_folder: bool,
    known: HashMap<PathBuf, (Stamp, Option<Fingerprint>)>,
}

/// An input, and where it lies on this machine.
type Located = (Option<PathBuf>, Input);

#[derive(Clone)]
struct Temporary {
    identity: String,
    /// Where they lie, and what they were.
    from: Vec<Located>,
}

impl Run {
    /// Of a script, or of what is typed.
    pub fn new(origin: Option<Origin>, working: &Path, into: Option<&Path>) -> Run {
        let working = paths::plain(working);
        let origin = origin.map(|origin| Origin {
            path: origin.path.map(|path| paths::plain(&working.join(path))),
            ..origin
        });
        Run {
            working,
            notes: Mutex::new(Notes {
                // Scripts of one's own name files from where they run; those that ship take them as parameters.
                by_folder: origin.as_ref().is_some_and(|origin| origin.path.is_some()),
                origin,
                into: into.map(paths::plain),
                ..Notes::default()
            }),
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn made(&self, target: &Path, graph: Option<&Json>) -> Record {
        let notes = &mut *self.notes();
        let target = &notes.original(&paths::plain(&self.working.join(target)));
        let (parameters, path_parameters) = notes.parameters(&self.working, target);
        let mut inputs: BTreeMap<String, Located> = BTreeMap::new();
        let image = graph.and_then(|graph| {
            let mut put = |source: &Source| {
                let (found, answer) = notes.sources_of(source, &self.working, target);
                for (path, input) in found {
                    inputs.entry(input.path.clone()).or_insert((path, input));
                }
                answer
            };
            graph::image(graph, &mut put)
        });
        if let (Some(image), Some(_)) = (&image, paths::temporary(target)) {
            let of = Temporary {
                identity: image.identity.clone(),
                from: inputs.values().cloned().collect(),
            };
            notes.temporaries.insert(target.clone(), of);
        }
        let inputs: BTreeMap<String, Input> =
            inputs.into_iter().map(|(key, (_, input))| (key, input)).collect();
        let mut more = inputs.len().saturating_sub(MOST_SOURCES);
        let mut inputs: Vec<Input> = inputs.into_values().take(MOST_SOURCES).collect();
        let read = notes.read_beside(target, &inputs);
        more += read.len().saturating_sub(MOST_READ);
        for path in read.into_iter().take(MOST_READ) {
            if let Some(input) = notes.input(&path, Use::Read, target) {
                inputs.push(input);
            }
        }
        for address in notes.addresses.iter().take(MOST_READ) {
            if !inputs.iter().any(|input| input.path == *address) {
                inputs.push(Input::at(address.clone(), Use::Read));
            }
        }
        Record {
            format: FORMAT,
            file: target
                .file_name()
                .map_or(String::new(), |name| name.to_string_lossy().into_owned()),
            script: notes.script(target),
            parameters,
            path_parameters,
            modules: notes.modules(target),
            names: notes
                .origin
                .as_ref()
                .map_or(Vec::new(), |origin| names::of(&origin.text)),
            working_folder: notes.by_folder.then(|| paths::stable(&self.working, target)),
            image,
            inputs,
            more_inputs: more,
            versions: versions(&notes.libraries),
            instructions: instructions::used(),
            added_after: None,
            sha256: None,
        }
    }
}

impl Run {
    /// How a file at `target` would say that it was made, without pixels.
    pub fn record_of(&self, target: &Path) -> Record {
        self.made(target, None)
    }

    /// A file of the run as the record of `target` has it; none of folders that are no Zarr, and of what is not there.
    pub fn file_of(&self, path: &Path, target: &Path) -> Option<Input> {
        let (path, target) = (
            paths::plain(&self.working.join(path)),
            paths::plain(&self.working.join(target)),
        );
        self.notes().input(&path, Use::Read, &target)
    }
}

impl Notes {
    fn script(&self, target: &Path) -> Option<Script> {
        let origin = self.origin.as_ref()?;
        Some(Script {
            name: origin.short_name(),
            path: origin.path.as_ref().map(|path| paths::stable(path, target)),
            sha256: fingerprint::sha256(origin.text.as_bytes()),
            step: step(&origin.text, self.line),
        })
    }

    fn modules(&self, target: &Path) -> Vec<Module> {
        let of = |(name, (path, sha256)): (&String, &(Option<PathBuf>, String))| Module {
            name: name.clone(),
            path: path.as_ref().map(|path| paths::stable(path, target)),
            sha256: sha256.clone(),
        };
        self.modules.iter().map(of).collect()
    }

    /// Parameters, those that are paths as from the file at `target`, and their names.
    fn parameters(&self, working: &Path, target: &Path) -> (BTreeMap<String, Json>, Vec<String>) {
        let mut path_parameters = Vec::new();
        let mut whole = |name: &str, text: &str| -> String {
            match text {
                text if text.contains("://") => return paths::unsigned(text),
                "" | "-" => return text.to_string(),
                text if text.starts_with('~') || text.starts_with("/vsi") => return text.to_string(),
                _ => {}
            }
            if !path_parameters.iter().any(|known| known == name) {
                path_parameters.push(name.to_string());
            }
            self.stable(&working.join(text), target)
        };
        let mut one = |name: &str, text: &str| {
            let is_path = self.paths.iter().any(|path| path == name) || looks_whole(text);
            match is_path || text.contains("://") {
                true => whole(name, text),
                false => text.to_string(),
            }
        };
        let mut out = BTreeMap::new();
        for (name, value) in &self.parameters {
            let value = match value {
                Json::String(_) if is_secret(name) => SECRET.into(),
                Json::String(text) => one(name, text).into(),
                Json::Array(list) => list
                    .iter()
                    .map(|value| match value {
                        Json::String(text) => one(name, text).into(),
                        other => other.clone(),
                    })
                    .collect(),
                other => other.clone(),
            };
            out.insert(name.clone(), value);
        }
        path_parameters.sort();
        (out, path_parameters)
    }

    /// Where a file would lie if the run did not write into a folder of its own.
    fn original(&self, path: &Path) -> PathBuf {
        match self.into.as_ref().and_then(|into| path.strip_prefix(into).ok()) {
            Some(rest) => Path::new("/").join(rest),
            None => path.to_path_buf(),
        }
    }

    fn stable(&self, path: &Path, target: &Path) -> String {
        paths::stable(&self.original(&paths::plain(path)), target)
    }

    /// Files that were read and are none of `inputs`, nor what is written.
    fn read_beside(&self, target: &Path, inputs: &[Input]) -> Vec<PathBuf> {
        let mut found: Vec<(String, &PathBuf)> = self
            .read
            .iter()
            .filter(|path| self.original(path) != target && paths::temporary(&self.original(path)).is_none())
            .map(|path| (self.stable(path, target), path))
            .filter(|(stated, _)| !inputs.iter().any(|input| input.path == *stated))
            .collect();
        // By what the record says, which is the same wherever they lie.
        found.sort();
        found.into_iter().map(|(_, path)| path.clone()).collect()
    }

    /// The files of a source, and what stands for it in the record and in the identity. A temporary file is no input: those are that it was made of.
    fn sources_of(
        &mut self,
        source: &Source,
        working: &Path,
        target: &Path,
    ) -> (Vec<Located>, (String, String)) {
        let path = match paths::place(&source.name) {
            Place::Address(address) => {
                let input = Input {
                    bytes: source.bytes,
                    version: source.version.clone(),
                    ..Input::at(address, source.used)
                };
                let content = input.content().unwrap_or(&input.path).to_string();
                let answer = (input.path.clone(), content);
                return (vec![(None, input)], answer);
            }
            Place::File(path) => paths::plain(&working.join(path)),
        };
        let original = self.original(&path);
        if let Some(name) = paths::temporary(&original) {
            let Some(Temporary { identity, from }) = self.temporaries.get(&original).cloned() else {
                return (Vec::new(), (name.clone(), name));
            };
            let again = |(path, input): Located| {
                let now = path
                    .as_ref()
                    .and_then(|path| self.input(path, input.used, target));
                (path, now.unwrap_or(input))
            };
            return (from.into_iter().map(again).collect(), (name, identity));
        }
        let input = match self.input(&path, source.used, target) {
            Some(input) => input,
            None => Input::at(self.stable(&path, target), source.used),
        };
        let answer = (
            input.path.clone(),
            input.content().unwrap_or(&input.path).to_string(),
        );
        (vec![(Some(path), input)], answer)
    }

    /// None of a folder that is no Zarr, and of what is not there.
    fn input(&mut self, path: &Path, used: Use, target: &Path) -> Option<Input> {
        let stamp = Stamp::of(path).ok()?;
        let found = match self.known.get(path) {
            Some((known, found)) if *known == stamp => found.clone(),
            _ => {
                let found = fingerprint::of(path).ok()?;
                self.known.insert(path.to_path_buf(), (stamp, found.clone()));
                found
            }
        }?;
        Some(Input {
            bytes: found.bytes,
            sha256: found.sha256,
            sha256_of_pieces: found.sha256_of_pieces,
            ..Input::at(self.stable(path, target), used)
        })
    }

    /// A name for a file that the script has used.
    fn named(&mut self, name: &str, path: &Path, working: &Path, is_read: bool) {
        if is_read {
            match paths::place(name) {
                Place::Address(address) => {
                    self.addresses.insert(address);
                }
                Place::File(_) if path.is_absolute() => {
                    self.read.insert(paths::plain(path));
                }
                Place::File(inside) => {
                    self.read.insert(paths::plain(&working.join(inside)));
                }
            }
        }
        if name.contains("://") || name.starts_with(['/', '~']) || matches!(name, "" | ".") {
            return;
        }
        // Named after a parameter, or a folder that it lies in.
        let begins = |text: &str| {
            let stem = Path::new(text).with_extension("");
            let inside = text.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
            !text.is_empty() && (inside || name.starts_with(stem.to_string_lossy().as_ref()))
        };
        let of = |value: &Json| match value {
            Json::String(text) => begins(text),
            Json::Array(list) => list.iter().filter_map(Json::as_str).any(begins),
            _ => false,
        };
        let found = self.parameters.iter().find(|(_, value)| of(value));
        // Or beside one, as a granule whose name says more.
        let folder = |text: &str| {
            Path::new(text)
                .parent()
                .map(paths::plain)
                .filter(|folder| folder.as_os_str() != "")
        };
        let beside = |value: &Json| {
            value
                .as_str()
                .and_then(folder)
                .is_some_and(|own| Some(own) == folder(name))
        };
        match found.map(|(name, _)| name.clone()) {
            Some(parameter) if !self.paths.contains(&parameter) => self.paths.push(parameter),
            Some(_) => {}
            None if self.parameters.values().any(beside) => {}
            None => self.by_folder |= self.origin.is_some(),
        }
    }
}

impl Origin {
    fn short_name(&self) -> String {
        match self.path.as_ref().and_then(|path| path.file_name()) {
            Some(name) => name.to_string_lossy().into_owned(),
            None => self.name.clone(),
        }
    }
}

impl Input {
    fn at(path: String, used: Use) -> Input {
        Input {
            product: product::of(&path),
            path,
            used,
            bytes: None,
            sha256: None,
            sha256_of_pieces: None,
            version: None,
        }
    }
}

impl Provenance for Run {
    fn note(&self, note: Note<'_>) {
        let notes = &mut *self.notes();
        match note {
            Note::Named { name, path, is_read } => notes.named(name, path, &self.working, is_read),
            Note::Parameters {
                script,
                values,
                paths,
            } => {
                notes.declared = script.to_string();
                notes.parameters = values.clone();
                notes.paths = paths.to_vec();
            }
            Note::Module { name, text, path } => {
                let path = path.map(|path| paths::plain(&self.working.join(path)));
                notes
                    .modules
                    .insert(name.to_string(), (path, fingerprint::sha256(text)));
            }
            Note::Library { name, version } => {
                notes.libraries.insert(name.to_string(), version.to_string());
            }
            // For whoever shows the picture.
            Note::Maps { .. } => {}
            Note::Line(line) => notes.line = line,
        }
    }

    fn tags(&self, target: &Path, graph: Option<&Json>) -> Vec<(String, String)> {
        let record = self.made(target, graph);
        let [version, script, parameters] = TAGS.map(str::to_string);
        let mut tags = vec![(version, env!("CARGO_PKG_VERSION").to_string())];
        let declared = || Some(self.notes().declared.clone()).filter(|name| !name.is_empty());
        if let Some(name) = record
            .script
            .as_ref()
            .map(|script| script.name.clone())
            .or_else(declared)
        {
            tags.push((script, name));
            let values = Json::Object(record.parameters.clone().into_iter().collect());
            tags.push((parameters, sorted(values).to_string()));
        }
        tags.push((RECORD.to_string(), record.to_json()));
        tags
    }

    fn record(&self, target: &Path) -> Option<String> {
        let record = self.made(target, None);
        record.script.is_some().then(|| in_ascii(&record.to_json()))
    }

    fn write_beside(&self, target: &Path) -> Result<()> {
        let mut record = self.made(target, None);
        match record.script.is_some() {
            true => sidecar::write(&self.working.join(target), &mut record),
            false => Ok(()),
        }
    }
}

/// Whether a text is a whole path, for no other text begins so and goes on.
fn looks_whole(text: &str) -> bool {
    text.strip_prefix('/')
        .is_some_and(|rest| rest.contains('/') && !rest.starts_with("vsi"))
}

/// The last heading `--%%` at or above a line.
fn step(text: &str, line: usize) -> Option<String> {
    let above: Vec<&str> = text.lines().take(line).collect();
    let heading = above.iter().rev().find_map(|line| line.strip_prefix("--%%"))?;
    let heading = heading.trim();
    (!heading.is_empty()).then(|| heading.to_string())
}

impl Record {
    /// With the versions and instructions that a record made now has.
    pub fn of_this_program() -> Record {
        Run::new(None, Path::new("/"), None).made(Path::new(""), None)
    }
}

fn versions(libraries: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut versions = libraries.clone();
    versions.insert("perilune".to_string(), env!("CARGO_PKG_VERSION").to_string());
    let of_libraries = about::versions().into_iter();
    versions.extend(of_libraries.map(|(name, version)| (name.to_string(), version)));
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_is_the_heading_above() {
        let text = "local a\n--%% Open\nb()\n\n--%% Write\nc()\n";
        for (line, expected) in [
            (1, None),
            (2, Some("Open")),
            (4, Some("Open")),
            (6, Some("Write")),
        ] {
            assert_eq!(step(text, line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn what_lets_others_in_is_not_told() {
        let run = Run::new(
            Some(Origin {
                name: "a.lua".into(),
                path: Some("/home/x/lake/a.lua".into()),
                text: "".into(),
            }),
            Path::new("/home/x/lake"),
            None,
        );
        let values = serde_json::json!({
            "token": "abc123", "from": "https://u:secret@host/a?sig=hidden", "out": "o/m.tif", "n": 3, "text": "VV/VH",
        });
        run.note(Note::Parameters {
            script: "a.lua",
            values: values.as_object().unwrap(),
            paths: &["out".to_string()],
        });
        let name = "https://host/b.tif?X-Amz-Signature=hidden";
        run.note(Note::Named {
            name,
            path: Path::new(name),
            is_read: true,
        });
        let text = run.record(Path::new("o/m.tif")).unwrap();
        for secret in ["abc123", "secret", "hidden"] {
            assert!(!text.contains(secret), "{text}");
        }
        let record = Record::from_json(&text).unwrap();
        assert_eq!(record.parameters["out"], "m.tif");
        assert_eq!(record.parameters["text"], "VV/VH");
        assert_eq!(record.inputs[0].path, "https://host/b.tif");
        assert_eq!(record.script.unwrap().path.unwrap(), "../a.lua");
        assert_eq!(record.working_folder.as_deref(), Some(".."));
    }
}
