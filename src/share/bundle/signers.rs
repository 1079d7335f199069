//! Whose keys the user knows: a file in the form of ssh's `allowed_signers`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ssh_key::PublicKey;

use crate::bytes::credentials::{SIGNERS, Store};
use crate::error::{Error, Result};
use crate::files::{fits, private};

/// What a key signs for: its signatures of other things are none of bundles.
pub const NAMESPACE: &str = "perilune-bundle";
/// The name of the user's own keys.
pub const ME: &str = "me";

/// The file of known signers: a line each, `NAME [OPTIONS] TYPE KEY`.
#[derive(Debug, Clone)]
pub struct Signers {
    path: PathBuf,
}

impl Signers {
    pub fn at(path: impl Into<PathBuf>) -> Signers {
        Signers { path: path.into() }
    }

    /// `allowed_signers` beside the file of logins; none where there is no home folder.
    pub fn of_user() -> Option<Signers> {
        let store = Store::of_user()?;
        Some(Signers::at(store.path().parent()?.join(SIGNERS)))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who has this key.
    ///
    /// # Errors
    /// When others than the user may have written the file, or the line of the key has options that are not understood.
    pub fn name_of(&self, key: &PublicKey) -> Result<Option<String>> {
        for (i, line) in self.load()?.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: String| Error::file(&self.path, format!("line {}: {why}", i + 1));
            let fields = fields(line);
            let Some(start) = fields
                .iter()
                .position(|field| is_type(field))
                .filter(|start| *start > 0)
            else {
                return Err(wrong(
                    "is no line such as `alice@example.org ssh-ed25519 AAAA…`".into(),
                ));
            };
            let Some(encoded) = fields.get(start + 1) else {
                return Err(wrong("ends before its key".into()));
            };
            // Keys of kinds that are not known here are nobody's here.
            let Ok(known) = PublicKey::from_openssh(&format!("{} {encoded}", fields[start])) else {
                continue;
            };
            if known.key_data() != key.key_data() {
                continue;
            }
            let mut applies = true;
            for option in fields[1..start].iter().flat_map(|text| options(text)) {
                let (name, value) = option.split_once('=').unwrap_or((&option, ""));
                match name.to_ascii_lowercase().as_str() {
                    "namespaces" => {
                        let value = value.trim_matches('"');
                        applies &= value.split(',').any(|pattern| fits(pattern.trim(), NAMESPACE));
                    }
                    // Of certificates, which are not checked here.
                    "cert-authority" => applies = false,
                    other => {
                        return Err(wrong(format!(
                            "has the option `{other}`, which perilune does not check: a key that is no longer good has to go from the list"
                        )));
                    }
                }
            }
            if applies {
                return Ok(Some(fields[0].trim_matches('"').to_string()));
            }
        }
        Ok(None)
    }

    fn load(&self) -> Result<String> {
        let file = match fs::File::open(&self.path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
            Err(e) => return Err(Error::io(&self.path, e)),
            Ok(file) => file,
        };
        let data = file.metadata().map_err(|e| Error::io(&self.path, e))?;
        // The process's own entry is its user's.
        let user = fs::metadata("/proc/self").map(|own| own.uid());
        if data.mode() & 0o022 != 0 || user.ok() != Some(data.uid()) {
            return Err(Error::file(
                &self.path,
                format!(
                    "others than you can write it (mode {:o}), so that nobody in it is known; look through it, and make it yours with `chmod 600`",
                    data.mode() & 0o777
                ),
            ));
        }
        std::io::read_to_string(file).map_err(|e| Error::io(&self.path, e))
    }

    /// Remembers a key as the user's own; whether it was new.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the key is another's in it.
    pub fn add_own(&self, key: &PublicKey) -> Result<bool> {
        let _lock = private::lock(&self.path)?;
        match self.name_of(key)? {
            Some(name) if name == ME => return Ok(false),
            Some(name) => {
                return Err(Error::file(
                    &self.path,
                    format!(
                        "has this key as that of {name}; call it `{ME}` there, and your own bundles run as your own scripts do"
                    ),
                ));
            }
            None => {}
        }
        let line = key
            .to_openssh()
            .map_err(|e| Error::file(&self.path, e.to_string()))?;
        let mut text = self.load()?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{ME} namespaces=\"{NAMESPACE}\" {line}"));
        private::write(&self.path, &text)?;
        Ok(true)
    }
}

fn is_type(field: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]
        .iter()
        .any(|start| field.starts_with(start))
}

/// What stands between spaces; quotes hold together.
fn fields(line: &str) -> Vec<String> {
    split(line, |c| c == ' ' || c == '\t')
}

fn options(text: &str) -> Vec<String> {
    split(text, |c| c == ',')
}

fn split(text: &str, ends: impl Fn(char) -> bool) -> Vec<String> {
    let (mut found, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        quoted ^= c == '"';
        match !quoted && ends(c) {
            true if part.is_empty() => {}
            true => found.push(std::mem::take(&mut part)),
            false => part.push(c),
        }
    }
    if !part.is_empty() {
        found.push(part);
    }
    found
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    // Public keys that everybody knows.
    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn names_are_found_by_keys() {
        let folder = tempfile::tempdir().unwrap();
        let signers = Signers::at(folder.path().join("allowed_signers"));
        let key = PublicKey::from_openssh(ONE).unwrap();
        assert_eq!(signers.name_of(&key).unwrap(), None);
        for (line, name) in [
            (
                format!("alice@example.org {ONE} a comment"),
                Some("alice@example.org"),
            ),
            (format!("# alice {ONE}\n\nbob {OTHER}"), None),
            (
                format!("alice namespaces=\"file,perilune-*\" {ONE}"),
                Some("alice"),
            ),
            (
                format!("alice namespaces=\"file,git\" {ONE}\nbob {ONE}"),
                Some("bob"),
            ),
            (format!("alice cert-authority {ONE}"), None),
            (format!("\"alice b\" {ONE}"), Some("alice b")),
        ] {
            fs::write(signers.path(), &line).unwrap();
            fs::set_permissions(signers.path(), fs::Permissions::from_mode(0o644)).unwrap();
            assert_eq!(signers.name_of(&key).unwrap().as_deref(), name, "{line}");
        }
        for (line, said) in [
            (
                format!("alice valid-before=\"20200101\" {ONE}"),
                "line 1: has the option `valid-before`",
            ),
            (ONE.to_string(), "is no line such as"),
            ("alice".to_string(), "is no line such as"),
            ("alice ssh-ed25519".to_string(), "ends before its key"),
        ] {
            fs::write(signers.path(), &line).unwrap();
            let error = signers.name_of(&key).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        fs::set_permissions(signers.path(), fs::Permissions::from_mode(0o666)).unwrap();
        assert!(
            signers
                .name_of(&key)
                .unwrap_err()
                .to_string()
                .contains("others than you")
        );
    }

    #[test]
    fn own_keys_are_remembered_once() {
        let folder = tempfile::tempdir().unwrap();
        let signers = Signers::at(folder.path().join("perilune/allowed_signers"));
        let key = PublicKey::from_openssh(ONE).unwrap();
        assert!(signers.add_own(&key).unwrap());
        assert!(!signers.add_own(&key).unwrap());
        assert_eq!(signers.name_of(&key).unwrap().as_deref(), Some(ME));
        let other = PublicKey::from_openssh(OTHER).unwrap();
        assert_eq!(signers.name_of(&other).unwrap(), None);
        assert!(signers.add_own(&other).unwrap());
        fs::write(signers.path(), format!("alice {ONE}")).unwrap();
        assert!(
            signers
                .add_own(&key)
                .unwrap_err()
                .to_string()
                .contains("that of alice")
        );
    }
}
