//! The logins that `perilune login` stores: one file that only its owner can read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::secret::Secret;
use crate::error::{Error, Result};
use crate::files::private;

/// What a host knows its user by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    Password {
        user: String,
        password: Secret,
    },
    /// A bearer token, an application's token or a key. Some hosts want the user's name with it.
    Token {
        user: Option<String>,
        token: Secret,
    },
}

impl Login {
    pub fn user(&self) -> Option<&str> {
        match self {
            Login::Password { user, .. } => Some(user),
            Login::Token { user, .. } => user.as_deref(),
        }
    }

    pub fn secret(&self) -> &Secret {
        match self {
            Login::Password { password, .. } => password,
            Login::Token { token, .. } => token,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Contents {
    logins: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Zeroized>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Zeroized>,
}

/// A text that serde can read and write and that is wiped afterwards.
struct Zeroized(Zeroizing<String>);

impl Serialize for Zeroized {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Zeroized {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Zeroized(Zeroizing::new(text)))
    }
}

/// The file of stored logins.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
}

impl Store {
    pub fn at(path: impl Into<PathBuf>) -> Store {
        Store { path: path.into() }
    }

    /// `$XDG_CONFIG_HOME/perilune/credentials`, which is `~/.config/perilune/credentials` unless set otherwise.
    /// `None` where there is no home folder.
    pub fn of_user() -> Option<Store> {
        let config = match std::env::var_os("XDG_CONFIG_HOME").filter(|v| !v.is_empty()) {
            Some(config) => PathBuf::from(config),
            None => std::env::home_dir()?.join(".config"),
        };
        Some(Store::at(config.join("perilune/credentials")))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All logins with their hosts; none where there is no file.
    ///
    /// # Errors
    /// When others than the owner can read the file, or it is not what `save` writes.
    pub fn load(&self) -> Result<Vec<(String, Login)>> {
        let text = match fs::File::open(&self.path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io(&self.path, e)),
            Ok(file) => {
                let mode = file.metadata().map_err(|e| Error::io(&self.path, e))?.mode() & 0o777;
                if mode & 0o077 != 0 {
                    let message = format!(
                        "others can read this file of logins (mode {mode:o}), so it is not used; make it yours alone with \
                         `chmod 600 {}`, and change the passwords in it if somebody may have seen them",
                        self.path.display()
                    );
                    return Err(Error::file(&self.path, message));
                }
                Zeroizing::new(std::io::read_to_string(file).map_err(|e| Error::io(&self.path, e))?)
            }
        };
        // serde's own message quotes what it did not expect, which may be a secret.
        let contents: Contents = serde_json::from_str(&text).map_err(|e| {
            let (line, column) = (e.line(), e.column());
            let message = format!(
                "is no file of logins (line {line}, column {column}); remove it and store them again with `perilune login HOST`"
            );
            Error::file(&self.path, message)
        })?;
        let mut logins = Vec::new();
        for record in contents.logins {
            let secret = |text: Zeroized| Secret::new(text.0.as_str());
            match (record.user, record.password, record.token) {
                (Some(user), Some(password), None) => {
                    logins.push((
                        record.host,
                        Login::Password {
                            user,
                            password: secret(password),
                        },
                    ));
                }
                (user, None, Some(token)) => {
                    logins.push((
                        record.host,
                        Login::Token {
                            user,
                            token: secret(token),
                        },
                    ));
                }
                _ => {
                    let message = format!(
                        "the login for {} has neither user and password nor a token; store it again with `perilune login {}`",
                        record.host, record.host
                    );
                    return Err(Error::file(&self.path, message));
                }
            }
        }
        Ok(logins)
    }

    /// Stores `login` for `host`, in place of one of the same kind.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn save(&self, host: &str, login: Login) -> Result<()> {
        let _lock = private::lock(&self.path)?;
        let mut logins = self.load()?;
        let kind = std::mem::discriminant(&login);
        logins.retain(|(h, l)| h != host || std::mem::discriminant(l) != kind);
        logins.push((host.to_string(), login));
        self.write(logins)
    }

    /// Forgets all logins of `host` and says how many there were.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn remove(&self, host: &str) -> Result<usize> {
        if !self.path.exists() {
            return Ok(0);
        }
        let _lock = private::lock(&self.path)?;
        let mut logins = self.load()?;
        let before = logins.len();
        logins.retain(|(h, _)| h != host);
        let removed = before - logins.len();
        if removed > 0 {
            self.write(logins)?;
        }
        Ok(removed)
    }

    fn write(&self, logins: Vec<(String, Login)>) -> Result<()> {
        let failed = |e| Error::io(&self.path, e);
        let hidden = |secret: &Secret| Some(Zeroized(Zeroizing::new(secret.reveal().to_string())));
        let records = logins.iter().map(|(host, login)| Record {
            host: host.clone(),
            user: login.user().map(str::to_string),
            password: matches!(login, Login::Password { .. })
                .then(|| hidden(login.secret()))
                .flatten(),
            token: matches!(login, Login::Token { .. })
                .then(|| hidden(login.secret()))
                .flatten(),
        });
        let contents = Contents {
            logins: records.collect(),
        };
        let text = serde_json::to_string_pretty(&contents)
            .map(Zeroizing::new)
            .map_err(|e| failed(e.into()))?;
        private::write(&self.path, &text)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

    use super::*;

    fn password(text: &str) -> Login {
        Login::Password {
            user: "me".into(),
            password: Secret::new(text),
        }
    }

    fn token(text: &str) -> Login {
        Login::Token {
            user: None,
            token: Secret::new(text),
        }
    }

    #[test]
    fn logins_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("a/b/credentials"));
        assert_eq!(store.load().unwrap(), vec![]);
        store.save("h", password("p\"q\\ü\n")).unwrap();
        store.save("h", token("t")).unwrap();
        store.save("i", token("u")).unwrap();
        store.save("h", token("v")).unwrap();
        let all = vec![
            ("h".into(), password("p\"q\\ü\n")),
            ("i".into(), token("u")),
            ("h".into(), token("v")),
        ];
        assert_eq!(store.load().unwrap(), all);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.path()), 0o600);
        assert_eq!(mode(&folder.path().join("a/b")), 0o700);
        assert_eq!(store.remove("h").unwrap(), 2);
        assert_eq!(store.remove("h").unwrap(), 0);
        assert_eq!(store.load().unwrap(), vec![("i".into(), token("u"))]);
        assert_eq!(
            fs::read_dir(folder.path().join("a/b")).unwrap().count(),
            2,
            "the file and its lock; no drafts are left"
        );
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("credentials"));
        store.save("h", password("hush")).unwrap();
        for mode in [0o644, 0o640, 0o604, 0o660] {
            fs::set_permissions(store.path(), fs::Permissions::from_mode(mode)).unwrap();
            for error in [
                store.load().unwrap_err(),
                store.save("i", token("t")).unwrap_err(),
            ] {
                let error = error.to_string();
                assert!(
                    error.contains("chmod 600") && error.contains(&format!("{mode:o}")),
                    "{error}"
                );
            }
        }
        fs::set_permissions(store.path(), fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(store.load().unwrap().len(), 1);
    }

    #[test]
    fn broken_files_are_named_without_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        for text in [
            "hush",
            r#"{"logins":"hush"}"#,
            r#"{"logins":[{"host":"h","password":{"hush":1}}]}"#,
            r#"{"logins":[{"host":"h","password":"hush"}]}"#,
            r#"{"logins":[{"host":"h","user":"u","password":"hush","token":"hush"}]}"#,
        ] {
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&path).unwrap().write_all(text.as_bytes()).unwrap();
            let error = Store::at(&path).load().unwrap_err();
            for shown in [error.to_string(), format!("{error:?}")] {
                assert!(!shown.contains("hush"), "{shown}");
            }
            assert!(error.to_string().contains("perilune login"), "{error}");
        }
    }

    #[test]
    fn logins_stored_at_once_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        // Each opens the lock for itself, as processes do.
        std::thread::scope(|scope| {
            for n in 0..12 {
                let store = Store::at(&path);
                scope.spawn(move || store.save(&format!("host{n}"), token("t")).unwrap());
            }
        });
        let mut hosts: Vec<String> = Store::at(&path)
            .load()
            .unwrap()
            .into_iter()
            .map(|(h, _)| h)
            .collect();
        hosts.sort();
        let mut expected: Vec<String> = (0..12).map(|n| format!("host{n}")).collect();
        expected.sort();
        assert_eq!(hosts, expected);
    }
}
