//! A record as a tree that people read: what made the file, of what, and what made that, back to the inputs that perilune has not made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::paths;
use super::record::{Image, Input, Record, Use};
use super::{fingerprint, read};

/// Files that are followed back, one made of the other.
const DEEPEST: usize = 12;
/// Operations that are shown one inside the other.
const DEEPEST_GRAPH: usize = 24;
/// More inputs of one operation than these are as a rule the images of a stack, all made alike.
const MANY: usize = 4;
/// Letters of a line of parameters.
const LINE: usize = 96;
/// Digits of a hash: enough to tell files apart by eye. JSON has all.
const DIGITS: usize = 12;

/// The tree of the file at `path`, whose record is `record`.
pub fn tree(path: &Path, record: &Record) -> String {
    let mut tree = Tree {
        out: String::new(),
        shown: BTreeSet::new(),
        runs: BTreeMap::new(),
    };
    tree.out.push_str(&format!("{}\n", path.display()));
    let target = paths::plain(&std::env::current_dir().unwrap_or_default().join(path));
    tree.record(record, &target, "", 0);
    tree.out
}

/// What has become of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Same,
    Changed,
    Gone,
    /// On a server, or without a hash.
    Unknown,
}

/// Whether an input of the file at `target` is still what it was.
pub fn state(input: &Input, target: &Path) -> State {
    let Some(path) = paths::found(&input.path, target) else {
        return State::Unknown;
    };
    match fingerprint::of(&path) {
        _ if !path.exists() => State::Gone,
        Ok(Some(now)) => {
            let told = input.sha256.is_some() || input.sha256_of_pieces.is_some();
            let same = now.sha256 == input.sha256 && now.sha256_of_pieces == input.sha256_of_pieces;
            match (told, same) {
                (false, _) => State::Unknown,
                (true, true) => State::Same,
                (true, false) => State::Changed,
            }
        }
        _ => State::Unknown,
    }
}

struct Tree {
    out: String,
    /// Files whose own making was shown.
    shown: BTreeSet<PathBuf>,
    /// By what made them, the first file that each run has made.
    runs: BTreeMap<String, String>,
}

/// A line, and the lines below it.
struct Branch {
    text: String,
    below: Vec<Branch>,
}

fn leaf(text: impl Into<String>) -> Branch {
    Branch {
        text: text.into(),
        below: Vec::new(),
    }
}

impl Tree {
    fn record(&mut self, record: &Record, target: &Path, indent: &str, depth: usize) {
        let branches = self.branches(record, target, depth);
        draw(&branches, indent, &mut self.out);
    }

    fn branches(&mut self, record: &Record, target: &Path, depth: usize) -> Vec<Branch> {
        let mut branches = vec![leaf(made_by(record))];
        let parameters = parameters(record);
        if !parameters.is_empty() {
            branches.push(leaf(format!("with {}", parameters.join(",\n     "))));
        }
        if let Some(image) = &record.image {
            branches.push(Branch {
                text: format!("computed {}", grid(image)),
                below: graph(image),
            });
        }
        for (used, title) in [
            (Use::Pixels, "out of"),
            (Use::Model, "by the network"),
            (Use::Read, "having read"),
        ] {
            let of: Vec<&Input> = record.inputs.iter().filter(|input| input.used == used).collect();
            if of.is_empty() {
                continue;
            }
            let count = match of.len() {
                1 => String::new(),
                n => format!(" {n} files"),
            };
            let below = of
                .into_iter()
                .map(|input| self.input(input, target, depth))
                .collect();
            branches.push(Branch {
                text: format!("{title}{count}"),
                below,
            });
        }
        if record.more_inputs > 0 {
            branches.push(leaf(format!(
                "and {} more files, which are not listed",
                record.more_inputs
            )));
        }
        if depth == 0 {
            if !record.modules.is_empty() {
                let names: Vec<String> = record
                    .modules
                    .iter()
                    .map(|module| match &module.path {
                        None => module.name.clone(),
                        Some(path) => format!("{} ({path}, SHA-256 {})", module.name, short(&module.sha256)),
                    })
                    .collect();
                branches.push(leaf(format!("modules {}", names.join(", "))));
            }
            branches.push(leaf(format!(
                "versions {}; {}",
                versions(record),
                record.instructions
            )));
            if let Some(image) = &record.image {
                branches.push(leaf(format!("identity {}", image.identity)));
            }
        }
        branches
    }

    fn input(&mut self, input: &Input, target: &Path, depth: usize) -> Branch {
        let mut text = input.path.clone();
        if let Some(product) = input
            .product
            .as_ref()
            .filter(|product| !text.contains(product.as_str()))
        {
            text.push_str(&format!(", {product}"));
        }
        if let Some(bytes) = input.bytes {
            text.push_str(&format!(", {}", size(bytes)));
        }
        match (&input.sha256, &input.sha256_of_pieces, &input.version) {
            (Some(hash), ..) => text.push_str(&format!(", SHA-256 {}", short(hash))),
            (None, Some(hash), _) => text.push_str(&format!(", SHA-256 of pieces {}", short(hash))),
            (None, None, Some(version)) => text.push_str(&format!(", version {version}")),
            _ => {}
        }
        match state(input, target) {
            State::Changed => text.push_str(" (HAS CHANGED SINCE)"),
            State::Gone => text.push_str(" (not there any more)"),
            State::Same | State::Unknown => {}
        }
        let mut below = Vec::new();
        if let Some(path) = paths::found(&input.path, target)
            && depth < DEEPEST
            && let Ok(record) = read::of(&path)
        {
            let run = format!("{}\n{}", made_by(&record), parameters(&record).join("\n"));
            let is_first = self.shown.insert(path.clone());
            match (is_first, self.runs.get(&run).cloned()) {
                (false, _) => below.push(leaf("as above")),
                // Files of one run are made alike as a rule.
                (true, Some(first)) if record.script.is_some() => {
                    below.push(leaf(format!("made by the same run as {first}")));
                }
                (true, _) => {
                    self.runs.insert(run, input.path.clone());
                    below = self.branches(&record, &path, depth + 1);
                }
            }
        }
        Branch { text, below }
    }
}

fn draw(branches: &[Branch], indent: &str, out: &mut String) {
    for (i, branch) in branches.iter().enumerate() {
        let is_last = i + 1 == branches.len();
        let (fork, trunk) = if is_last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let under = if branch.below.is_empty() { "   " } else { "│  " };
        for (n, line) in branch.text.lines().enumerate() {
            match n {
                0 => out.push_str(&format!("{indent}{fork}{line}\n")),
                _ => out.push_str(&format!(
                    "{indent}{trunk}{}{}\n",
                    under.trim_end_matches(' '),
                    line
                )),
            }
        }
        draw(&branch.below, &format!("{indent}{trunk}"), out);
    }
}

pub fn short(hash: &str) -> &str {
    hash.get(..DIGITS).unwrap_or(hash)
}

fn made_by(record: &Record) -> String {
    let Some(script) = &record.script else {
        return "made at the prompt, or by perilune -e, without a script".into();
    };
    let mut text = match &script.path {
        None => format!("made by the workflow {}, which ships with perilune", script.name),
        Some(path) => format!("made by {path}"),
    };
    text.push_str(&format!(", SHA-256 {}", short(&script.sha256)));
    if let Some(step) = &script.step {
        text.push_str(&format!(", at its step “{step}”"));
    }
    if let Some(steps) = record.added_after {
        text.push_str(&format!(
            ", which has added to the {steps} steps of time that were there"
        ));
    }
    text
}

pub fn versions(record: &Record) -> String {
    let of = |(name, version): (&String, &String)| format!("{name} {version}");
    let own = record
        .versions
        .iter()
        .filter(|(name, _)| *name == "perilune")
        .map(of);
    let others = record
        .versions
        .iter()
        .filter(|(name, _)| *name != "perilune")
        .map(of);
    own.chain(others).collect::<Vec<_>>().join(", ")
}

/// Lines of `name = value`, of all that have one.
fn parameters(record: &Record) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for (name, value) in &record.parameters {
        if value.is_null() {
            continue;
        }
        let one = format!("{name} = {}", shown(value));
        let last = lines.last_mut();
        match last {
            Some(line) if line.is_empty() => *line = one,
            Some(line) if line.chars().count() + one.chars().count() + 2 <= LINE => {
                line.push_str(&format!(", {one}"));
            }
            _ => lines.push(one),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

pub fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

fn size(bytes: u64) -> String {
    crate::error::shown_bytes(bytes)
}

fn grid(image: &Image) -> String {
    let number = |name: &str| image.grid.get(name).and_then(Json::as_u64).unwrap_or(0);
    let crs = image.grid.get("crs").map(shown).filter(|crs| crs != "null");
    let crs = crs.map(|crs| match crs.len() > 60 {
        true => ", in a CRS of its own".to_string(),
        false => format!(", {crs}"),
    });
    let bands: Vec<String> = image
        .bands
        .iter()
        .take(6)
        .map(|band| match band.unit.is_empty() {
            true => band.name.clone(),
            false => format!("{} ({})", band.name, band.unit),
        })
        .collect();
    let more = image.bands.len().saturating_sub(bands.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!(
        "{}{more} on {} × {} pixels (rows × cols){}",
        bands.join(", "),
        number("rows"),
        number("cols"),
        crs.unwrap_or_default()
    )
}

/// The operations of each band, inputs below what is made of them; a list of them where the record has no graph.
fn graph(image: &Image) -> Vec<Branch> {
    let nodes = image
        .graph
        .as_ref()
        .and_then(|graph| graph.get("nodes")?.as_array());
    let ports = image
        .graph
        .as_ref()
        .and_then(|graph| graph.get("bands")?.as_array());
    let (Some(nodes), Some(ports)) = (nodes, ports) else {
        return image
            .operations
            .iter()
            .map(|operation| match operation.times {
                1 => leaf(operation.name.clone()),
                n => leaf(format!("{} × {n}", operation.name)),
            })
            .collect();
    };
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (band, port) in image.bands.iter().zip(ports).take(MANY * 2) {
        let Some(root) = parts(port) else { continue };
        let mut branch = operation(nodes, root, 0, &mut seen);
        if image.bands.len() > 1 {
            branch.text = format!("{}: {}", band.name, branch.text);
        }
        out.push(branch);
    }
    out
}

/// The node of a port, and which of its outputs it is.
fn parts(port: &Json) -> Option<(usize, usize)> {
    let number = |at: usize| usize::try_from(port.get(at)?.as_u64()?).ok();
    Some((number(0)?, number(1)?))
}

fn operation(
    nodes: &[Json],
    (number, output): (usize, usize),
    depth: usize,
    seen: &mut BTreeSet<usize>,
) -> Branch {
    let Some(node) = nodes.get(number) else {
        return leaf("?");
    };
    let name = node.get("operation").and_then(Json::as_str).unwrap_or("?");
    let parameters = node.get("parameters").unwrap_or(&Json::Null);
    let text = match source_in(parameters) {
        Some(path) => match parameters.get("band").filter(|band| **band != 1) {
            Some(band) => format!("{path}, band {band}"),
            None => path,
        },
        None => called(name, parameters, output),
    };
    let inputs = node.get("inputs").and_then(Json::as_array);
    let inputs: Vec<(usize, usize)> = inputs.into_iter().flatten().filter_map(parts).collect();
    // What only moves pixels to where they are.
    if let ("raster.move", [input]) = (name, inputs.as_slice())
        && parameters
            .as_object()
            .is_some_and(|map| map.values().all(|value| *value == 0))
    {
        return operation(nodes, *input, depth, seen);
    }
    if !seen.insert(number) && !inputs.is_empty() {
        return leaf(format!("{text} (as above)"));
    }
    if depth > DEEPEST_GRAPH {
        return leaf(format!("{text} …"));
    }
    let mut once: Vec<(usize, usize)> = Vec::new();
    for input in inputs {
        if !once.contains(&input) {
            once.push(input);
        }
    }
    let kind =
        |(number, _): &(usize, usize)| nodes.get(*number).and_then(|node| node.get("operation")).cloned();
    let are_alike = once.iter().all(|input| kind(input) == kind(&once[0]));
    let shown = if once.len() > MANY || (once.len() > 2 && are_alike) {
        1
    } else {
        once.len()
    };
    let mut below: Vec<Branch> = once[..shown]
        .iter()
        .map(|input| operation(nodes, *input, depth + 1, seen))
        .collect();
    if once.len() > shown {
        let alike = if are_alike { ", made alike" } else { "" };
        below.push(leaf(format!("and {} more{alike}", once.len() - shown)));
    }
    Branch { text, below }
}

/// An operation with its parameters. Of those pixel by pixel what they do, of several results the one that is meant.
fn called(name: &str, parameters: &Json, output: usize) -> String {
    let of = |key: &str| parameters.get(key).map(plain);
    match (name, parameters) {
        ("raster.element", _) => match (of("constant"), of("binary").or_else(|| of("unary"))) {
            (Some(number), _) => number,
            (None, Some(what)) => what,
            (None, None) => format!("pixel by pixel{}", brief(parameters)),
        },
        (_, Json::Array(list)) if list.len() > 1 && output < list.len() => {
            format!("{name} ({})", plain(&list[output]))
        }
        _ => format!("{name}{}", brief(parameters)),
    }
}

/// The path of the file that parameters name.
fn source_in(parameters: &Json) -> Option<String> {
    let own = |json: &Json| json.get("input").and_then(Json::as_str).map(str::to_string);
    own(parameters)
        .filter(|_| parameters.get("sha256").is_none())
        .or_else(|| parameters.get("file").and_then(own))
}

/// Parameters that fit on a line.
fn brief(parameters: &Json) -> String {
    let text = match parameters {
        Json::Null => return String::new(),
        Json::Object(map) => {
            let parts: Vec<String> = map
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| format!("{name} = {}", plain(value)))
                .collect();
            parts.join(", ")
        }
        other => plain(other),
    };
    if text.is_empty() {
        return String::new();
    }
    match text.chars().count() > LINE {
        true => format!(" ({}…)", text.chars().take(LINE).collect::<String>()),
        false => format!(" ({text})"),
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Object(map) if map.len() == 1 && map.contains_key("not finite") => {
            map.values().map(plain).collect()
        }
        Json::Object(map) => {
            let parts: Vec<String> = map
                .iter()
                .map(|(name, value)| format!("{name} {}", plain(value)))
                .collect();
            parts.join(" ")
        }
        Json::Array(list) => {
            let parts: Vec<String> = list.iter().map(plain).collect();
            format!("[{}]", parts.join(", "))
        }
        other => other.to_string(),
    }
}
