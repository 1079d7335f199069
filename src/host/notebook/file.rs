//! Notebooks as files: JSON of nbformat 4.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{Cell, Kind};
use crate::error::{Error, Result, counted};

/// A notebook that was read.
pub struct Notebook {
    pub cells: Vec<Cell>,
    /// What of it a script does not hold, in words.
    pub lost: Vec<String>,
}

/// # Errors
/// What is no notebook of nbformat 4, or one of another language than Lua.
pub fn read(text: &str) -> Result<Notebook> {
    let json: Json = serde_json::from_str(text).map_err(|e| Error::message(format!("it is no JSON: {e}")))?;
    let major = json.get("nbformat").and_then(Json::as_u64);
    let cells = json.get("cells").and_then(Json::as_array);
    let (Some(4), Some(cells)) = (major, cells) else {
        return Err(Error::message(match major {
            Some(major) if major != 4 => {
                format!(
                    "it is a notebook of nbformat {major}; open and save it with Jupyter, which makes it 4"
                )
            }
            _ => "it is no notebook: it has no `nbformat` or no `cells`".to_string(),
        }));
    };
    let language = ["/metadata/language_info/name", "/metadata/kernelspec/language"];
    let language = language.iter().find_map(|at| json.pointer(at)?.as_str());
    if let Some(language) = language.filter(|language| !language.eq_ignore_ascii_case("lua")) {
        return Err(Error::message(format!("its cells are {language}, not Lua")));
    }
    let mut found = Vec::new();
    let (mut with_outputs, mut raw, mut with_attachments) = (0, 0, 0);
    for (i, cell) in cells.iter().enumerate() {
        let kind = match cell.get("cell_type").and_then(Json::as_str) {
            Some("code") => Kind::Code,
            Some("markdown") => Kind::Words,
            Some("raw") => {
                raw += 1;
                Kind::Words
            }
            _ => return Err(Error::message(format!("its cell {} is of no known type", i + 1))),
        };
        let filled = |name: &str| match cell.get(name) {
            Some(Json::Array(list)) => usize::from(!list.is_empty()),
            Some(Json::Object(map)) => usize::from(!map.is_empty()),
            _ => 0,
        };
        with_outputs += filled("outputs");
        with_attachments += filled("attachments");
        let how = cell.pointer("/metadata/perilune").and_then(Json::as_object);
        found.push(Cell {
            kind,
            source: source(cell)
                .ok_or_else(|| Error::message(format!("its cell {} has no text as its `source`", i + 1)))?,
            how: how.cloned().unwrap_or_default(),
        });
    }
    let lost = [
        (with_outputs, "with outputs, which a script does not hold"),
        (
            with_attachments,
            "with attached files, which a script does not hold",
        ),
        (raw, "of raw text, which are words now"),
    ];
    Ok(Notebook {
        cells: found,
        lost: lost
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", counted(count, "cell")))
            .collect(),
    })
}

fn source(cell: &Json) -> Option<String> {
    match cell.get("source")? {
        Json::String(text) => Some(text.clone()),
        Json::Array(lines) => lines.iter().map(Json::as_str).collect(),
        _ => None,
    }
}

/// The name by which notebooks ask for their kernel.
pub const KERNEL: &str = "perilune";
/// Of cells.
pub const LANGUAGE: &str = "lua";

/// What front ends and exporters want to know of the language of cells.
pub fn language() -> Json {
    json!({
        "codemirror_mode": LANGUAGE,
        "file_extension": ".lua",
        "mimetype": "text/x-lua",
        "name": LANGUAGE,
        "pygments_lexer": LANGUAGE,
        "version": "5.4",
    })
}

/// The file of a notebook, indented as Jupyter does.
pub fn written(cells: &[Cell]) -> String {
    let cells: Vec<Json> = cells.iter().enumerate().map(|(i, cell)| of(i, cell)).collect();
    let notebook = json!({
        "cells": cells,
        "metadata": {
            "kernelspec": { "display_name": "perilune", "language": LANGUAGE, "name": KERNEL },
            "language_info": language(),
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    });
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    // Writing into memory what is JSON already cannot fail.
    let _ = notebook.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter));
    out.push(b'\n');
    String::from_utf8_lossy(&out).into_owned()
}

fn of(i: usize, cell: &Cell) -> Json {
    let lines: Vec<&str> = cell.source.split_inclusive('\n').collect();
    let mut metadata = Map::new();
    if !cell.how.is_empty() {
        metadata.insert("perilune".into(), Json::Object(cell.how.clone()));
    }
    // The same script gives the same file.
    let id = format!("cell-{}", i + 1);
    match cell.kind {
        Kind::Code => json!({
            "cell_type": "code", "execution_count": null, "id": id, "metadata": metadata, "outputs": [], "source": lines,
        }),
        Kind::Words => json!({ "cell_type": "markdown", "id": id, "metadata": metadata, "source": lines }),
    }
}
