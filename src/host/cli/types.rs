//! `perilune types`: what language servers need to know the modules.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::DONE;
use crate::error::{Error, Result};
use crate::files::write_whole;
use crate::host::loader;

const STUBS: &str = ".perilune/types";
/// Beside the stubs: whose they are.
const VERSION: &str = "version";

pub fn run(folder: &Path) -> Result<u8> {
    let stubs = folder.join(STUBS);
    std::fs::create_dir_all(&stubs).map_err(|e| Error::io(&stubs, e))?;
    let mut written = BTreeSet::new();
    for (source, names) in [
        ("_meta/", loader::library_names("_meta")),
        ("", loader::library_names("")),
    ] {
        for name in names {
            let Some(text) = loader::library_file(&format!("{source}{name}.lua")) else {
                continue;
            };
            let name = format!("{name}.lua");
            write_whole(&stubs.join(&name), text.as_bytes())?;
            written.insert(name);
        }
    }
    forget_others(&stubs, &written)?;
    let version = format!("perilune {}\n", env!("CARGO_PKG_VERSION"));
    write_whole(&stubs.join(VERSION), version.as_bytes())?;
    let settings = folder.join(".luarc.json");
    let old = match std::fs::read_to_string(&settings) {
        Ok(text) => serde_json::from_str(&text)
            .map_err(|e| Error::file(&settings, format!("not JSON, so it cannot be added to: {e}")))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => json!({}),
        Err(e) => return Err(Error::io(&settings, e)),
    };
    let text = format!("{:#}\n", merged(old, &settings)?);
    write_whole(&settings, text.as_bytes())?;
    crate::say!(
        "wrote the types of perilune {} to {} and the settings to {}",
        env!("CARGO_PKG_VERSION"),
        stubs.display(),
        settings.display()
    );
    Ok(DONE)
}

/// Removes the stubs of modules that an earlier version had, which servers would go on to know.
fn forget_others(stubs: &Path, written: &BTreeSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(stubs).map_err(|e| Error::io(stubs, e))? {
        let name = entry.map_err(|e| Error::io(stubs, e))?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".lua") && !written.contains(name.as_ref()) {
            let path = stubs.join(name.as_ref());
            std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
        }
    }
    Ok(())
}

/// The settings with ours added; what was there stays.
fn merged(mut old: Json, path: &Path) -> Result<Json> {
    let Some(settings) = old.as_object_mut() else {
        return Err(Error::file(path, "not a JSON object, so it cannot be added to"));
    };
    settings.entry("runtime.version").or_insert(json!("Lua 5.4"));
    for (key, value) in [
        ("workspace.library", STUBS),
        ("diagnostics.globals", "params"),
        ("diagnostics.globals", "needs"),
        ("diagnostics.globals", "test"),
        ("diagnostics.globals", "folder"),
        ("diagnostics.globals", "fixture"),
    ] {
        let list = settings.entry(key).or_insert(json!([]));
        match list.as_array_mut() {
            Some(list) if !list.contains(&json!(value)) => list.push(json!(value)),
            Some(_) => {}
            None => return Err(Error::file(path, format!("`{key}` is not a list"))),
        }
    }
    Ok(old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_exist_are_kept() {
        let old = json!({ "runtime.version": "Lua 5.3", "workspace.library": ["mine"] });
        let new = merged(merged(old, Path::new("x")).unwrap(), Path::new("x")).unwrap();
        assert_eq!(new["runtime.version"], "Lua 5.3");
        assert_eq!(new["workspace.library"], json!(["mine", STUBS]));
        assert_eq!(
            new["diagnostics.globals"],
            json!(["params", "needs", "test", "folder", "fixture"])
        );
    }
}
