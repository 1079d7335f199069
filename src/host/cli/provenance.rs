//! `perilune provenance`: how files were made.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{DONE, Global, SCRIPT_ERROR, Script};
use crate::error::{Error, Result};
use crate::host::documentation;
use crate::lua::access::policy_of_files;
use crate::share::provenance::{self, Documented, Record};

/// In which form it is told.
pub enum Form {
    Tree,
    Json,
    Methods,
    Crate(PathBuf),
}

impl Form {
    pub fn of(json: bool, methods: bool, ro_crate: Option<PathBuf>) -> Form {
        match (json, methods, ro_crate) {
            (true, ..) => Form::Json,
            (_, true, _) => Form::Methods,
            (.., Some(folder)) => Form::Crate(folder),
            _ => Form::Tree,
        }
    }
}

pub fn run(files: &[PathBuf], form: &Form, global: &Global) -> Result<u8> {
    let given = match form {
        Form::Crate(folder) => vec![("ro_crate".to_string(), Some(folder.display().to_string()))],
        _ => Vec::new(),
    };
    if let (Form::Crate(_), [_, ..]) = (form, &files[1..]) {
        return Err(Error::message("an RO-Crate is made of one file; give one"));
    }
    // Files may be others', and are read by libraries.
    global.confined(&given)?;
    crate::bytes::set_policy(policy_of_files());
    let mut code = DONE;
    for (i, file) in files.iter().enumerate() {
        let told = provenance::record_of(file).and_then(|record| tell(file, &record, form, i > 0));
        if let Err(error) = told {
            crate::complain!("error: {error}");
            code = SCRIPT_ERROR;
        }
    }
    Ok(code)
}

fn tell(file: &Path, record: &Record, form: &Form, is_next: bool) -> Result<()> {
    match form {
        Form::Tree | Form::Methods if is_next => crate::say!(""),
        _ => {}
    }
    match form {
        Form::Tree => crate::say!("{}", provenance::tree(file, record).trim_end()),
        Form::Json => {
            // One a line, so that many files are one stream.
            crate::say!(
                "{}",
                json!({ "path": file, "record": serde_json::from_str::<serde_json::Value>(&record.to_json()).unwrap_or_default() })
            );
        }
        Form::Methods => crate::say!("{}", provenance::methods(record, &documented).trim_end()),
        Form::Crate(folder) => {
            let text = script_of(file, record).map(|script| script.text);
            provenance::write_crate(file, record, text.as_deref(), folder)?;
            crate::say!("{}", folder.display());
        }
    }
    Ok(())
}

/// The script that made a file, where it still is what it was.
pub fn script_of(file: &Path, record: &Record) -> Option<Script> {
    let of = record.script.as_ref()?;
    let target = std::env::current_dir().unwrap_or_default().join(file);
    let name = match &of.path {
        Some(path) => provenance::found(path, &target)?.display().to_string(),
        None => of.name.clone(),
    };
    let is_it = |script: &Script| provenance::sha256(&script.text) == of.sha256;
    match of.path {
        Some(_) => Script::find(&name)
            .ok()
            .filter(is_it)
            .or_else(|| Script::bundled(Path::new(&name), &of.sha256)),
        // Not a file that happens to have the name of a workflow.
        None => Script::workflow(&name).filter(is_it),
    }
}

/// What the documentation says of a function or method.
fn documented(name: &str) -> Option<Documented> {
    let entry = documentation::entries().iter().find(|entry| entry.name == name)?;
    let source = source_in(&entry.body);
    // "As `filter.tv_bregman`": what that says, too.
    let other = source.as_deref().and_then(|text| text.strip_prefix("As `"));
    let other = other.and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
    let of_other = other.filter(|other| *other != name).and_then(documented);
    let source = match (source, of_other.and_then(|found| found.source)) {
        (Some(own), Some(other)) => Some(format!("{other}; {own}")),
        (own, other) => own.or(other),
    };
    Some(Documented {
        summary: entry.summary.clone(),
        source,
    })
}

/// The paragraph of sources in a comment.
fn source_in(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("**Source.**")?;
    let paragraph = rest.split("\n\n").next().unwrap_or(rest);
    let paragraph = paragraph.split("**").next().unwrap_or(paragraph);
    Some(paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
}
