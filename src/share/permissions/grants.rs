//! What is granted where the script runs: real paths, hosts and logins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::needs::Needs;
use super::words::escaped;
use crate::bytes::credentials::{S3_KEYS, Services, Vault};
use crate::bytes::http::Grant;
use crate::error::{Error, Result};
use crate::gate::{Places, belongs_to, settle};

/// Paths without links, hosts as they are written, hosts of logins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub hosts: Vec<String>,
    pub logins: Vec<String>,
    pub memory: Option<u64>,
}

/// A parameter of type path: what its user gave, and what it is otherwise, if the text of the script says so.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub value: Option<String>,
    pub default: Option<String>,
}

impl Grants {
    /// What `needs` are in the folder `working`. What the user gave as a parameter she has asked for herself: it comes second.
    ///
    /// # Errors
    /// When a path is that of a whole home folder or disk, or of keys and logins, or a parameter is none.
    pub fn of(
        needs: &Needs,
        working: &Path,
        parameters: &BTreeMap<String, Given>,
        services: &Services,
    ) -> Result<(Grants, Grants)> {
        let (mut asked, mut given) = (Grants::default(), Grants::default());
        for (name, entries, is_read) in [("read", &needs.read, true), ("write", &needs.write, false)] {
            for entry in entries {
                let (path, by_user) = match entry.strip_prefix("--") {
                    None => (Some(entry), false),
                    Some(parameter) => {
                        let known = parameters.get(parameter).ok_or_else(|| {
                            Error::message(format!(
                                "needs.{name} speaks of the parameter --{}, and the script declares none of that name with the type path",
                                escaped(parameter)
                            ))
                        })?;
                        (
                            known.value.as_ref().or(known.default.as_ref()),
                            known.value.is_some(),
                        )
                    }
                };
                let Some(path) = path.filter(|path| !path.contains("://")) else {
                    continue;
                };
                let path = place(path, working, is_read)?;
                let grants = if by_user { &mut given } else { &mut asked };
                match is_read {
                    true => push(&mut grants.read, path),
                    false => push(&mut grants.write, path),
                }
            }
        }
        for parameter in parameters.values() {
            let Some(value) = parameter
                .value
                .as_ref()
                .filter(|value| !value.contains("://") && !value.is_empty())
            else {
                continue;
            };
            let path = place(value, working, true)?;
            // What is not there yet is named to be made.
            if !path.exists() {
                push(&mut given.write, place(value, working, false)?);
            }
            push(&mut given.read, path);
        }
        asked.hosts = needs.hosts.clone();
        asked.logins = needs.logins.iter().map(|name| login(name, services)).collect();
        asked.memory = needs.memory;
        Ok((asked, given))
    }

    /// What of this is not in `granted`.
    #[must_use]
    pub fn without(&self, granted: &Grants) -> Grants {
        let covered = |path: &PathBuf, by: &[PathBuf]| {
            by.iter().any(|wide| {
                path == wide || (path.starts_with(wide) && is_folder(wide)) || belongs_to(wide, path)
            })
        };
        let new = |list: &[PathBuf], by: &[PathBuf]| -> Vec<PathBuf> {
            list.iter().filter(|path| !covered(path, by)).cloned().collect()
        };
        let other = |list: &[String], by: &[String]| -> Vec<String> {
            list.iter().filter(|entry| !by.contains(entry)).cloned().collect()
        };
        Grants {
            read: new(
                &self.read,
                &[granted.read.clone(), granted.write.clone()].concat(),
            ),
            write: new(&self.write, &granted.write),
            hosts: other(&self.hosts, &granted.hosts),
            logins: other(&self.logins, &granted.logins),
            memory: self
                .memory
                .filter(|memory| granted.memory.is_none_or(|granted| granted < *memory)),
        }
    }

    pub fn add(&mut self, more: &Grants) {
        more.read
            .iter()
            .for_each(|path| push(&mut self.read, path.clone()));
        more.write
            .iter()
            .for_each(|path| push(&mut self.write, path.clone()));
        more.hosts
            .iter()
            .for_each(|host| push(&mut self.hosts, host.clone()));
        more.logins
            .iter()
            .for_each(|host| push(&mut self.logins, host.clone()));
        self.memory = self.memory.max(more.memory);
    }

    /// Whether nothing is granted that a question is worth: memory is bounded for every script, by `--memory`.
    pub fn is_empty(&self) -> bool {
        let bounded = Grants {
            memory: None,
            ..self.clone()
        };
        bounded == Grants::default()
    }

    /// In plain words, a line each; `known` says whether the user has a login of a host.
    pub fn lines(&self, known: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        let path = |path: &Path| {
            let kind = if is_folder(path) { "all in the folder " } else { "" };
            let absent = if path.exists() { "" } else { " (not there yet)" };
            format!("{kind}{}{absent}", escaped(&path.to_string_lossy()))
        };
        lines.extend(self.read.iter().map(|p| format!("read      {}", path(p))));
        lines.extend(self.write.iter().map(|p| format!("write     {}", path(p))));
        for host in &self.hosts {
            let private = Grant::parse(host).is_ok_and(|grant| grant.is_private());
            let what = match (host.strip_prefix("*."), private) {
                (_, true) => " — an address of this machine or its network",
                (Some(_), _) => " — every host of this domain",
                _ => "",
            };
            lines.push(format!("contact   {}{what}", escaped(host)));
        }
        for host in &self.logins {
            let have = if known(host) {
                ""
            } else {
                ", of which none is known"
            };
            lines.push(match host.as_str() {
                S3_KEYS => format!("log in    with your keys of S3{have}, which it does not see"),
                host => format!(
                    "log in    with your login of {}{have}, at its archive; it does not see it",
                    escaped(host)
                ),
            });
        }
        lines.extend(self.memory.map(|bytes| {
            format!(
                "take      {:.1} GiB of memory for pixels",
                bytes as f64 / f64::from(1 << 30)
            )
        }));
        lines
    }
}

/// The host of a login by any of its names.
fn login(name: &str, services: &Services) -> String {
    match name.trim() {
        S3_KEYS | "aws" => S3_KEYS.to_string(),
        name => services.host_of(name),
    }
}

fn push<T: PartialEq>(list: &mut Vec<T>, entry: T) {
    if !list.contains(&entry) {
        list.push(entry);
    }
}

/// Whether a path that is granted means what lies below it: a folder, or a name of one that is to be made.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || (!path.exists() && path.extension().is_none())
}

/// The folders and files of granted paths.
pub fn places(paths: &[PathBuf]) -> Places {
    let (folders, files) = paths.iter().cloned().partition(|path| is_folder(path));
    Places { folders, files }
}

/// The real path of one that is asked for.
///
/// # Errors
/// When nobody should grant it.
fn place(text: &str, working: &Path, is_read: bool) -> Result<PathBuf> {
    let path = Path::new(text);
    let home = std::env::home_dir();
    let absolute = match (path.strip_prefix("~"), &home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => working.join(path),
    };
    let real = settle(&absolute);
    Grants::check(&real, text, is_read)?;
    Ok(real)
}

impl Grants {
    /// A path of the command line, `--allow-read PATH`.
    ///
    /// # Errors
    /// As `of`.
    pub fn path(path: &Path, working: &Path, is_read: bool) -> Result<PathBuf> {
        place(&path.to_string_lossy(), working, is_read)
    }

    /// # Errors
    /// When `real`, called `text`, is more than an untrusted script is ever granted.
    fn check(real: &Path, text: &str, is_read: bool) -> Result<()> {
        let home = std::env::home_dir().map(|home| settle(&home));
        let shown = || escaped(text);
        let whole = |folder: &Path| {
            folder.parent().is_none() || home.as_ref().is_some_and(|home| home.starts_with(folder))
        };
        if whole(real) {
            return Err(Error::message(format!(
                "`{}` is the whole home folder or more, which no untrusted script is let into; name what lies in it",
                shown()
            )));
        }
        // A file is written by its folder.
        if !is_read && !is_folder(real) && real.parent().is_some_and(whole) {
            return Err(Error::message(format!(
                "`{}` lies in the home folder itself, where no untrusted script writes; write it in a folder of its own",
                shown()
            )));
        }
        let closed = Vault::closed_of_user().into_iter().chain(Vault::files_of_user());
        for closed in closed {
            if real.starts_with(&closed) || real.starts_with(settle(&closed)) {
                return Err(Error::message(format!(
                    "`{}` may hold keys or logins, which are closed to every script",
                    shown()
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(read: &[&str], write: &[&str]) -> Needs {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_string()).collect();
        Needs {
            read: texts(read),
            write: texts(write),
            hosts: vec!["a.example.org".into()],
            logins: vec!["earthdata".into(), "aws".into()],
            ..Needs::default()
        }
    }

    #[test]
    fn needs_become_real_paths() {
        let folder = tempfile::tempdir().unwrap();
        let here = settle(folder.path());
        std::fs::create_dir(here.join("data")).unwrap();
        std::fs::write(here.join("data/a.tif"), "").unwrap();
        std::os::unix::fs::symlink(here.join("data"), here.join("link")).unwrap();
        let parameters = BTreeMap::from([
            (
                "scene".to_string(),
                Given {
                    value: Some("data/a.tif".into()),
                    default: None,
                },
            ),
            (
                "out".to_string(),
                Given {
                    value: None,
                    default: Some("made/out.tif".into()),
                },
            ),
        ]);
        let (asked, given) = Grants::of(
            &needs(&["link/../data", "--scene"], &["--out"]),
            &here,
            &parameters,
            &Services::real(),
        )
        .unwrap();
        assert_eq!(asked.read, [here.join("data")]);
        assert_eq!(asked.write, [here.join("made/out.tif")]);
        assert_eq!(given.read, [here.join("data/a.tif")]);
        assert!(given.write.is_empty());
        assert_eq!(asked.logins, ["urs.earthdata.nasa.gov", "s3"]);
        assert!(Grants::of(&needs(&["--other"], &[]), &here, &parameters, &Services::real()).is_err());
        for whole in ["/", "~", "~/..", "~/.ssh/known_hosts"] {
            let error = Grants::of(&needs(&[whole], &[]), &here, &parameters, &Services::real()).unwrap_err();
            let error = error.to_string();
            assert!(
                error.contains("whole home folder") || error.contains("keys or logins"),
                "{error}"
            );
        }
        let places = places(&[here.join("data"), here.join("new"), here.join("new.tif")]);
        assert_eq!(places.folders, [here.join("data"), here.join("new")]);
        assert_eq!(places.files, [here.join("new.tif")]);
    }

    #[test]
    fn only_what_is_new_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let here = settle(folder.path());
        let of = |read: &[&str], write: &[&str], hosts: &[&str]| Grants {
            read: read.iter().map(|p| here.join(p)).collect(),
            write: write.iter().map(|p| here.join(p)).collect(),
            hosts: hosts.iter().map(|h| (*h).to_string()).collect(),
            ..Grants::default()
        };
        std::fs::create_dir(here.join("a")).unwrap();
        let wanted = of(&["a/b", "c.tif", "d"], &["a/e", "f"], &["h", "i"]);
        let granted = of(&["a", "c.tif"], &["f"], &["i"]);
        assert_eq!(wanted.without(&granted), of(&["d"], &["a/e"], &["h"]));
        assert!(wanted.without(&wanted).is_empty());
        let mut all = granted;
        all.add(&wanted);
        assert!(wanted.without(&all).is_empty());
    }
}
