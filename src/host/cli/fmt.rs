//! `perilune fmt`: scripts, set out as the library is.

use std::io::Write;
use std::path::PathBuf;

use similar::TextDiff;

use super::texts::{self, Text};
use super::{DONE, SCRIPT_ERROR};
use crate::error::{Error, Result};
use crate::files::write_whole;
use crate::host::{format, lint};

/// Exit code 1 where something would change, or a text is no Lua; then nothing is changed.
///
/// # Errors
/// What cannot be read or written.
pub fn run(paths: &[PathBuf], check: bool) -> Result<u8> {
    let texts = texts::of(paths)?;
    let mut set = Vec::new();
    let mut refused = false;
    for text in &texts {
        match set_out(text) {
            Ok(formatted) => set.push((text, formatted)),
            Err(error) => {
                refused = true;
                crate::complain!("error: {error}");
            }
        }
    }
    if refused {
        return Ok(SCRIPT_ERROR);
    }
    let mut code = DONE;
    for (text, formatted) in set {
        let changes = text.text != formatted;
        if check && changes {
            code = SCRIPT_ERROR;
            let name = text.path.display().to_string();
            let diff = TextDiff::from_lines(text.text.as_str(), formatted.as_str());
            crate::say!(
                "{}",
                diff.unified_diff().header(&name, &name).to_string().trim_end()
            );
        } else if text.is_standard_input() && !check {
            let written = std::io::stdout().lock().write_all(formatted.as_bytes());
            written.map_err(|e| Error::io(&text.path, e))?;
        } else if changes {
            // The file behind a link, so that the link stays.
            let file = text.path.canonicalize().map_err(|e| Error::io(&text.path, e))?;
            write_whole(&file, formatted.as_bytes())?;
            crate::say!("set out {}", text.path.display());
        }
    }
    Ok(code)
}

fn set_out(text: &Text) -> Result<String> {
    let (shell, code) = text.parts();
    let first = usize::from(!shell.is_empty());
    let path = text.path.display();
    if let Some(finding) = lint::syntax_error(code) {
        let said = lint::advised(&finding, code);
        return Err(Error::message(format!("{path}:{}: {said}", finding.line + first)));
    }
    let formatted = format::format(code).map_err(|e| Error::message(format!("{path}: {e}")))?;
    Ok(format!("{shell}{formatted}"))
}
