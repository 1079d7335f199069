//! `perilune lint`: what scripts get wrong, told from their text.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::project::{self, Fetch};
use super::{DONE, SCRIPT_ERROR, texts};
use crate::error::{Result, counted};
use crate::host::lint::{Around, RULES, advised, lint};
use crate::host::loader::Surroundings;

/// Exit code 1 where something is found.
///
/// # Errors
/// What cannot be read.
pub fn run(paths: &[PathBuf], as_json: bool) -> Result<u8> {
    let here = [PathBuf::from(".")];
    let texts = texts::of(if paths.is_empty() { &here } else { paths })?;
    let mut all: Vec<Json> = Vec::new();
    let mut with = 0;
    let mut projects: HashMap<PathBuf, Option<Surroundings>> = HashMap::new();
    for text in &texts {
        let (shell, code) = text.parts();
        let first = usize::from(!shell.is_empty());
        let mut around = Around::of(&text.path);
        let folder = text.path.parent().unwrap_or(Path::new("")).to_path_buf();
        let project = match projects.entry(folder) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let found = project::around(new.key(), Fetch::No)?;
                new.insert(found)
            }
        };
        if let Some(Surroundings { root, libraries }) = project {
            around.folders.push(root.clone());
            around.libraries = Some(libraries.clone());
        }
        let found = lint(code, &around);
        with += usize::from(!found.is_empty());
        for finding in found {
            let (line, rule) = (finding.line + first, finding.rule.name());
            let message = advised(&finding, code);
            let path = text.path.display();
            if !as_json {
                crate::say!("{path}:{line}:{}: {rule}: {message}", finding.column);
            }
            all.push(json!({
                "path": path.to_string(), "line": line, "column": finding.column, "rule": rule, "message": message,
            }));
        }
    }
    let count = all.len();
    if as_json {
        crate::say!("{:#}", Json::from(all));
    } else if count > 0 {
        crate::complain!("{} in {}", counted(count, "finding"), counted(with, "file"));
    }
    Ok(if count == 0 { DONE } else { SCRIPT_ERROR })
}

/// The rules, for the help.
pub fn rules() -> String {
    let width = RULES.iter().map(|(_, name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::from("Rules:\n");
    for (_, name, about) in RULES {
        text.push_str(&format!("  {name:<width$}  {about}\n"));
    }
    text.push_str(
        "\nA comment silences them: ---@diagnostic disable-next-line: unused-local, or disable-line behind the code, or disable up to enable. \
         Exit codes: 0 nothing found, 1 something found, 2 a file that cannot be read.",
    );
    text
}
