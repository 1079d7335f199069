//! What is looked at before a bundle runs: who signed it, which versions are here, whether its data are what they were.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::scripts::Script;
use crate::error::{Error, Result};
use crate::gate;
use crate::host::loader;
use crate::interrupt;
use crate::share::bundle::{Data, Signed};
use crate::share::permissions::escaped;
use crate::share::provenance::{self, Record};
use crate::work;

/// Of what results depend on, beside script and data.
pub fn versions() -> BTreeMap<String, String> {
    let mut versions = Record::of_this_program().versions;
    versions.insert("library".into(), loader::library_hash());
    versions
}

/// Says which versions are others than those that a bundle was made with. Nothing to look at in other scripts.
///
/// # Errors
/// When its signer is not known, data are not there or not what they were; with `as_locked`, when versions are others.
pub fn check(script: &Script, as_locked: bool) -> Result<()> {
    let Some(packed) = &script.bundle else {
        return match as_locked {
            true => Err(Error::message(format!(
                "{} is no bundle, so that no versions are locked in it; --as-locked is for bundles",
                escaped(&script.name)
            ))),
            false => Ok(()),
        };
    };
    let name = escaped(&script.name);
    known(&packed.signed, &name)?;
    let others = packed.bundle.manifest.other_versions(&versions());
    if !others.is_empty() && as_locked {
        return Err(Error::message(format!(
            "{name} is not run, since --as-locked is given and it was made with other versions: {}",
            others.join("; ")
        )));
    }
    for other in others {
        work::tell(&format!(
            "note: {other}; results may differ in their last digits, or more"
        ));
    }
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let wrong: Vec<String> = packed
        .bundle
        .manifest
        .data
        .iter()
        .filter_map(|data| state(data, &working).wrong(data))
        .collect();
    if interrupt::requested() {
        return Err(Error::Interrupted);
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::message(format!(
            "{name} is not run, since its data are not what they were:\n  {}\nThey are looked for from the folder that it is run in, {}",
            wrong.join("\n  "),
            working.display()
        ))),
    }
}

/// # Errors
/// When it is signed by a key that the user does not know.
pub fn known(signed: &Signed, name: &str) -> Result<()> {
    let Signed::Unknown { fingerprint, key } = signed else {
        return Ok(());
    };
    let signers = crate::share::bundle::Signers::of_user();
    let list = signers.map_or("allowed_signers".into(), |signers| {
        signers.path().display().to_string()
    });
    Err(Error::message(format!(
        "{name} is signed by a key that you do not know: {fingerprint}. Nothing of it was run. Ask who is said to have signed it for the fingerprint of the key \
         (`ssh-keygen -lf KEY.pub`); where it is the same, add the line\n  NAME namespaces=\"perilune-bundle\" {}\nto {list}; or remove the file of the \
         signature, and it is one that nobody has signed",
        escaped(key)
    )))
}

/// What has become of a file of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataState {
    Same,
    /// How it shows.
    Changed(String),
    Gone,
    /// A link on the way to it.
    Link(PathBuf),
    Unreadable(String),
    /// On a server.
    Elsewhere,
}

impl DataState {
    /// What is wrong with it; none where nothing is, or that cannot be told.
    pub fn wrong(&self, data: &Data) -> Option<String> {
        let path = escaped(data.path.as_deref().unwrap_or_default());
        let from = match &data.address {
            Some(address) => format!(", from {}", escaped(address)),
            None => String::new(),
        };
        Some(match self {
            DataState::Same | DataState::Elsewhere => return None,
            DataState::Gone => format!("{path} is not there: put it there{from}"),
            DataState::Changed(how) => format!("{path} has changed: {how}; put what it was there{from}"),
            DataState::Link(link) => format!(
                "{path} is reached by the link {}, and the data of a bundle lie in its folder themselves: copy them there",
                escaped(&link.display().to_string())
            ),
            DataState::Unreadable(why) => format!("{path}: {}", escaped(why)),
        })
    }

    pub fn word(&self) -> &'static str {
        match self {
            DataState::Same => "here, the same",
            DataState::Changed(_) => "here, CHANGED",
            DataState::Gone => "NOT here",
            DataState::Link(_) => "behind a LINK",
            DataState::Unreadable(_) => "NOT readable",
            DataState::Elsewhere => "on a server",
        }
    }
}

/// Data may be long: a stop ends reading them.
struct Stoppable(File);

impl Read for Stoppable {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match interrupt::requested() {
            true => Err(std::io::Error::other("interrupted")),
            false => self.0.read(buffer),
        }
    }
}

pub fn state(data: &Data, working: &Path) -> DataState {
    let Some(path) = &data.path else {
        return DataState::Elsewhere;
    };
    let mut at = working.to_path_buf();
    for part in Path::new(path).components() {
        at.push(part);
        match at.symlink_metadata() {
            Ok(about) if about.is_symlink() => return DataState::Link(at),
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return DataState::Gone,
            Err(e) => return DataState::Unreadable(e.to_string()),
        }
    }
    if !at.is_file() {
        return DataState::Unreadable("is no file".into());
    }
    // Another length is another content, told without reading.
    let length = at.metadata().ok().map(|about| about.len());
    if length != data.bytes {
        return DataState::Changed(format!(
            "it has {} bytes, and had {}",
            length.unwrap_or_default(),
            data.bytes.unwrap_or_default()
        ));
    }
    match gate::open(&at).and_then(|file| provenance::hash_of_reader(Stoppable(file))) {
        Ok(hash) if Some(&hash) == data.sha256.as_ref() => DataState::Same,
        Ok(hash) => {
            let stated = data.sha256.as_deref().unwrap_or_default();
            DataState::Changed(format!(
                "its hash is {}…, and was {}…",
                &hash[..12],
                &stated[..12.min(stated.len())]
            ))
        }
        Err(e) => DataState::Unreadable(e.to_string()),
    }
}
