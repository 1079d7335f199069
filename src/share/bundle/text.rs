//! The text of a bundle, put together and taken apart. Taking apart, nothing is left over: all that is code has its hash in the manifest.

use super::manifest::{FORMAT, Manifest};
use crate::error::{Error, Result};
use crate::share::permissions::escaped;
use crate::share::provenance::sha256;

/// Bytes of the longest bundle. Data are not in it.
pub const LONGEST: u64 = 16 << 20;
const LONGEST_MANIFEST: usize = 4 << 20;
const MARK: &str = "[ perilune-bundle ";
const FOR_READERS: &str = "# A script with what it needs to be run again. `perilune inspect FILE` tells what it is, `perilune run FILE` asks and runs it.\n";

/// A bundle, whole and as its manifest says.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    pub manifest: Manifest,
    /// The script, as its file was.
    pub script: String,
    /// In the order of the manifest.
    pub modules: Vec<String>,
    /// Of the whole file.
    pub sha256: String,
}

/// A name for `require` that is a path of folders and a file, too.
pub fn is_module_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    name.len() <= 200 && name.split('.').all(part)
}

/// The first line of a script that is for the shell; empty where there is none.
fn line_for_shell(text: &str) -> &str {
    match text.starts_with('#') {
        true => text.split_inclusive('\n').next().unwrap_or_default(),
        false => "",
    }
}

fn before_module(name: &str) -> String {
    format!("package.preload[\"{name}\"] = function(...)\n")
}

const AFTER_MODULE: &str = "end\n";

fn before_script(name: &str) -> String {
    format!("-- {name}, from the next line to the end of this file:\n")
}

/// # Errors
/// When the manifest cannot be written, or all is longer than a bundle may be.
pub fn compose(manifest: &Manifest, script: &str, modules: &[String]) -> Result<String> {
    let toml = manifest.to_toml()?;
    let mut level = "==".to_string();
    while toml.contains(&format!("]{level}]")) {
        level.push('=');
    }
    let shell = line_for_shell(script);
    let mut text = format!("{shell}--[{level}{MARK}{FORMAT}\n{FOR_READERS}{toml}]{level}]\n");
    for (part, module) in manifest.modules.iter().zip(modules) {
        text.push_str(&before_module(&part.name));
        text.push_str(module);
        // A comment in its last line must not swallow what follows.
        if !module.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(AFTER_MODULE);
    }
    text.push_str(&before_script(&manifest.script.name));
    text.push_str(&script[shell.len()..]);
    if text.len() as u64 > LONGEST || toml.len() > LONGEST_MANIFEST {
        return Err(Error::message(format!(
            "the bundle would be {} MiB long, and at most {} MiB are read: data belong beside a bundle, not into a script",
            text.len() >> 20,
            LONGEST >> 20
        )));
    }
    Ok(text)
}

/// The level of the brackets, and what follows the mark.
fn opened(text: &str) -> Option<(&str, &str)> {
    let rest = text[line_for_shell(text).len()..].strip_prefix("--[")?;
    let level = rest.len() - rest.trim_start_matches('=').len();
    Some((&rest[..level], rest[level..].strip_prefix(MARK)?))
}

/// Whether a file says that it is a bundle, of whatever version.
pub fn is_one(bytes: &[u8]) -> bool {
    // A line for the shell is no longer.
    let start = &bytes[..bytes.len().min(1024)];
    let start = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&start[..e.valid_up_to()]).unwrap_or_default(),
    };
    opened(start).is_some()
}

/// # Errors
/// When it is cut off, was changed, is of a later form, or says what no bundle says. The words begin with "is" or "its".
pub fn read(bytes: &[u8]) -> Result<Bundle> {
    let wrong = |what: String| Error::message(format!("{what}; nothing of it was run"));
    if bytes.len() as u64 > LONGEST {
        return Err(wrong(format!(
            "is longer than a bundle, which has at most {} MiB",
            LONGEST >> 20
        )));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("is no text: its bytes are not UTF-8".into()))?;
    let shell = line_for_shell(text);
    let (level, rest) = opened(text).ok_or_else(|| wrong("is no bundle".into()))?;
    let cut = |what: &str| wrong(format!("is cut off: {what}; fetch it again"));
    let (format, rest) = rest
        .split_once('\n')
        .ok_or_else(|| cut("its manifest does not end"))?;
    match format.trim().parse::<u64>() {
        Ok(FORMAT) => {}
        Ok(later) if later > FORMAT => {
            return Err(wrong(format!(
                "is a bundle of form {later}, and this perilune {} reads form {FORMAT}: install a later one",
                env!("CARGO_PKG_VERSION")
            )));
        }
        _ => {
            return Err(wrong(format!(
                "says that it is a bundle of form `{}`, and there is none",
                escaped(format)
            )));
        }
    }
    let end = format!("]{level}]\n");
    let (toml, rest) = rest
        .split_once(end.as_str())
        .ok_or_else(|| cut("its manifest does not end"))?;
    if toml.len() > LONGEST_MANIFEST {
        return Err(wrong(format!(
            "has a manifest of more than {} MiB",
            LONGEST_MANIFEST >> 20
        )));
    }
    let manifest = Manifest::from_toml(toml).map_err(|e| wrong(e.to_string()))?;
    let mut reader = Reader { rest };
    let mut modules = Vec::new();
    for part in &manifest.modules {
        let what = format!("the module {}", part.name);
        reader.skip(&before_module(&part.name), &what).map_err(wrong)?;
        let module = reader.take(part.bytes, &what).map_err(wrong)?;
        if !module.ends_with('\n') {
            reader.skip("\n", &what).map_err(wrong)?;
        }
        reader.skip(AFTER_MODULE, &what).map_err(wrong)?;
        hashed(&what, module, &part.sha256).map_err(wrong)?;
        modules.push(module.to_string());
    }
    let name = &manifest.script.name;
    reader.skip(&before_script(name), "the script").map_err(wrong)?;
    let length = manifest.script.bytes.checked_sub(shell.len() as u64);
    let length = length.ok_or_else(|| wrong("was changed: its first line is not in its manifest".into()))?;
    let script = format!("{shell}{}", reader.take(length, "the script").map_err(wrong)?);
    if !reader.rest.is_empty() {
        return Err(wrong(format!(
            "was changed: {} bytes follow the script, which its manifest does not tell of",
            reader.rest.len()
        )));
    }
    hashed("the script", &script, &manifest.script.sha256).map_err(wrong)?;
    Ok(Bundle {
        manifest,
        script,
        modules,
        sha256: sha256(bytes),
    })
}

fn hashed(what: &str, text: &str, stated: &str) -> std::result::Result<(), String> {
    let found = sha256(text);
    match found == stated {
        true => Ok(()),
        false => Err(format!(
            "was changed: {what} has the hash {}…, and its manifest says {}…; ask for it again, or bundle the script anew",
            &found[..12],
            &stated[..12.min(stated.len())]
        )),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self, expected: &str, what: &str) -> std::result::Result<(), String> {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None if expected.starts_with(self.rest) => {
                Err(format!("is cut off before or in {what}; fetch it again"))
            }
            None => Err(format!(
                "was changed: before or behind {what} stands what no bundle has there"
            )),
        }
    }

    fn take(&mut self, bytes: u64, what: &str) -> std::result::Result<&'a str, String> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes > self.rest.len() {
            return Err(format!(
                "is cut off in {what}: {} of its {bytes} bytes are there; fetch it again",
                self.rest.len()
            ));
        }
        let taken = self
            .rest
            .get(..bytes)
            .ok_or_else(|| format!("was changed: {what} does not end where its manifest says"))?;
        self.rest = &self.rest[bytes..];
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Part;
    use super::super::manifest::tests::manifest;
    use super::*;

    fn parts(script: &str, modules: &[(&str, &str)]) -> (Manifest, Vec<String>) {
        let mut manifest = manifest();
        manifest.script.bytes = script.len() as u64;
        manifest.script.sha256 = sha256(script);
        for (name, text) in modules {
            manifest.modules.push(Part {
                library: None,
                name: (*name).into(),
                bytes: text.len() as u64,
                sha256: sha256(text),
            });
        }
        (
            manifest,
            modules.iter().map(|(_, text)| (*text).to_string()).collect(),
        )
    }

    const SCRIPT: &str = "#!/usr/bin/env perilune\n-- é\nprint(require 'a'.x)";
    const MODULES: [(&str, &str); 2] = [("a", "return { x = 1 } -- ]==] end"), ("b.c", "-- nothing\n")];

    fn bundle() -> String {
        let (manifest, modules) = parts(SCRIPT, &MODULES);
        compose(&manifest, SCRIPT, &modules).unwrap()
    }

    #[test]
    fn bundles_are_read_as_they_were_written() {
        for script in [SCRIPT, "print(1)\n", "", "\r\n\r\n"] {
            let (manifest, modules) = parts(script, &MODULES);
            let text = compose(&manifest, script, &modules).unwrap();
            assert!(is_one(text.as_bytes()));
            let found = read(text.as_bytes()).unwrap();
            assert_eq!((found.manifest, found.script.as_str()), (manifest, script));
            assert_eq!(found.modules, modules);
        }
        assert!(!is_one(b"print(1)"));
        assert!(!is_one(b"--[[ perilune ]]"));
    }

    #[test]
    fn every_byte_counts() {
        let whole = bundle();
        // Cut anywhere behind what tells that it is one.
        for length in 60..whole.len() {
            if whole.is_char_boundary(length) {
                let error = read(&whole.as_bytes()[..length]).unwrap_err().to_string();
                assert!(error.contains("nothing of it was run"), "{error}");
            }
        }
        let code = whole.find("package.preload").unwrap();
        for at in code..whole.len() {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(read(&bytes).is_err(), "byte {at} may be another");
        }
        for (change, said) in [
            (
                whole.replace("perilune-bundle 1", "perilune-bundle 2"),
                "is a bundle of form 2",
            ),
            (
                whole.replace("perilune-bundle 1", "perilune-bundle x"),
                "there is none",
            ),
            (format!("{whole}\nos.exit()"), "follow the script"),
            (
                whole.replace("return { x = 1 }", "return { x = 2 }"),
                "the module a has the hash",
            ),
            (
                whole.replace("print(require", "error(require"),
                "the script has the hash",
            ),
            (
                whole.replace("\nend\n", "\nevil() end\n"),
                "what no bundle has there",
            ),
            (
                whole.replacen("[script]", "[script]\nmore = 1", 1),
                "not as perilune writes it",
            ),
        ] {
            let error = read(change.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert!(
            read(&vec![b'-'; LONGEST as usize + 1])
                .unwrap_err()
                .to_string()
                .contains("longer")
        );
        let deep = format!("--[==[ perilune-bundle 1\na = {}\n]==]\n", "[".repeat(100_000));
        assert!(read(deep.as_bytes()).is_err());
    }

    #[test]
    fn lua_reads_a_bundle() {
        let whole = bundle();
        let body = &whole[line_for_shell(&whole).len()..];
        let lua = mlua::Lua::new();
        lua.load(body).exec().unwrap();
        assert!(lua.load("return package.preload.a().x").eval::<i64>().unwrap() == 1);
    }
}
