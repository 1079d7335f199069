//! `perilune run --untrusted`: a script of others, which gets what it states that it needs, once its user agrees.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Global;
use super::ask::{self, Reply};
use super::script::Script;
use crate::bytes::credentials::{S3_KEYS, Services, Sources, Vault};
use crate::bytes::http::{Grant, USUAL, proxy_ports};
use crate::error::{Error, Result};
use crate::gate::settle as real;
use crate::host::confine::system_folders;
use crate::host::effects::{self, Content};
use crate::host::loader::Local;
use crate::host::{needs, params};
use crate::lua::Access;
use crate::lua::spec::ValueType;
use crate::share::permissions::{Answer, Answers, Given, Grants, Needs, escaped, places};
use crate::work;

/// What the machine that runs it has to hold it to.
pub struct Foreign {
    pub locals: BTreeMap<String, Local>,
    pub needs: Needs,
}

/// What a script asks for, here and with these parameters.
pub struct Asked {
    pub needs: Needs,
    pub content: Content,
    pub asked: Grants,
    /// What the user has asked for herself, as parameters.
    pub given: Grants,
    /// The folder that it came in, where it reads.
    pub own: Option<PathBuf>,
    pub services: Services,
}

/// Told from its text: nothing of it runs.
///
/// # Errors
/// When what it needs cannot be told, or nobody should grant it.
pub fn asked(script: &Script, given: &[(String, Option<String>)]) -> Result<Asked> {
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let needs = needs::stated(&script.name, &script.text)?.unwrap_or_default();
    let folder = script
        .folder
        .as_deref()
        .map(|folder| match folder.as_os_str().is_empty() {
            true => working.clone(),
            false => folder.to_path_buf(),
        });
    let content = effects::content(&script.text, &script.sha256, folder.as_deref())?;
    let services = Services::new(Sources::of_user().variable)?;
    let mut parameters = BTreeMap::new();
    // One that has to be computed is found wrong when it runs; no path is granted by it.
    for spec in params::stated(&script.text).ok().flatten().unwrap_or_default() {
        if spec.kind != ValueType::Path {
            continue;
        }
        let value = given.iter().rev().find(|(name, _)| *name == spec.name);
        parameters.insert(
            spec.name,
            Given {
                value: value.and_then(|(_, text)| text.clone()),
                default: spec.default.as_str().map(str::to_string),
            },
        );
    }
    let (asked, given) = Grants::of(&needs, &working, &parameters, &services)?;
    Ok(Asked {
        needs,
        content,
        asked,
        given,
        own: folder.and_then(|folder| own_folder(&folder)),
        services,
    })
}

/// The folder that a script came in, where that is no folder of everything: the home folder and those above it, and the one that all users share.
fn own_folder(folder: &Path) -> Option<PathBuf> {
    let folder = real(folder);
    let shared = real(&std::env::temp_dir());
    let home = std::env::home_dir().map(|home| real(&home));
    let whole = folder.parent().is_none()
        || shared.starts_with(&folder)
        || home.is_some_and(|home| home.starts_with(&folder));
    (!whole).then_some(folder)
}

/// What the command line grants.
fn of_flags(global: &Global, services: &Services) -> Result<Grants> {
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let flags = &global.permissions;
    let paths = |paths: &[PathBuf], is_read: bool| -> Result<Vec<PathBuf>> {
        paths
            .iter()
            .map(|path| Grants::path(path, &working, is_read))
            .collect()
    };
    Ok(Grants {
        read: paths(&flags.allow_read, true)?,
        write: paths(&global.allow_write, false)?,
        hosts: flags.allow_host.clone(),
        logins: flags
            .allow_login
            .iter()
            .map(|name| match name.as_str() {
                S3_KEYS | "aws" => S3_KEYS.to_string(),
                name => services.host_of(name),
            })
            .collect(),
        memory: None,
    })
}

/// Holds this process to what the script was granted; none where it was refused, which the user was told.
///
/// # Errors
/// When what it needs cannot be told, another version is needed, or there is nobody to ask.
pub fn settle(
    script: &Script,
    given: &[(String, Option<String>)],
    global: &Global,
) -> Result<Option<(Access, Foreign)>> {
    let found = asked(script, given)?;
    if let Some(version) = &found.needs.version {
        version.check()?;
    }
    let mut granted = of_flags(global, &found.services)?;
    granted.add(&found.given);
    let answers = Answers::of_user();
    match answers
        .as_ref()
        .map(|answers| answers.of(&found.content.sha256, None))
    {
        Some(Ok(Some(answer))) => granted.add(&answer.granted),
        // Then it is asked again.
        Some(Err(error)) => work::tell(&format!("note: {error}")),
        _ => {}
    }
    let left = denied(&found.asked, global).without(&granted);
    if !left.is_empty() && !global.permissions.allow_all {
        match ask::ask(script, &found, &left)? {
            Reply::No => return Ok(None),
            Reply::Once => {}
            Reply::Yes => {
                let answer = Answer {
                    sha256: found.content.sha256.clone(),
                    signer: None,
                    script: script.name.clone(),
                    on: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
                    granted: left.clone(),
                };
                let kept = answers.map_or(Ok(()), |answers| answers.remember(answer));
                if let Err(error) = kept {
                    work::tell(&format!("note: the answer is not remembered: {error}"));
                }
            }
        }
    }
    granted.add(&found.asked);
    let access = held(&granted, &found, global)?;
    Ok(Some((
        access,
        Foreign {
            locals: found.content.locals,
            needs: found.needs,
        },
    )))
}

/// What is left to ask where some is denied on the command line.
fn denied(asked: &Grants, global: &Global) -> Grants {
    let flags = &global.permissions;
    let within =
        |path: &PathBuf, denied: &[PathBuf]| denied.iter().any(|denied| path.starts_with(real(denied)));
    let mut left = asked.clone();
    left.read.retain(|path| !within(path, &flags.deny_read));
    left.write
        .retain(|path| !within(path, &flags.deny_read) && !within(path, &flags.deny_write));
    left.hosts.retain(|host| !flags.deny_host.contains(host));
    left
}

fn held(granted: &Grants, found: &Asked, global: &Global) -> Result<Access> {
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let mut hosts = Vec::new();
    for host in &granted.hosts {
        hosts.push(Grant::parse(host)?);
    }
    for login in &granted.logins {
        hosts.extend(found.services.places_of(login).into_iter().map(Grant::Place));
    }
    let mut reads = places(&granted.read);
    reads.folders.extend(system_folders());
    let mut access = Access::restricted(working, reads, places(&granted.write), found.own.clone());
    access.ports = Some(match hosts.is_empty() {
        true => Vec::new(),
        false => {
            // Names may be asked over TCP, too.
            let named = hosts.iter().filter_map(Grant::port).chain(proxy_ports());
            let mut ports: Vec<u16> = USUAL.into_iter().chain([53]).chain(named).collect();
            ports.sort_unstable();
            ports.dedup();
            ports
        }
    });
    global.hold(access, Some(hosts), Some(&granted.logins))
}

/// The options that would grant what is left, for runs at which nobody is asked.
pub fn options(left: &Grants) -> String {
    let quoted = |text: &str| match text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-*:".contains(c))
    {
        true => text.to_string(),
        false => format!("'{}'", escaped(text)),
    };
    let mut options: Vec<String> = Vec::new();
    options.extend(
        left.read
            .iter()
            .map(|p| format!("--allow-read {}", quoted(&p.to_string_lossy()))),
    );
    options.extend(
        left.write
            .iter()
            .map(|p| format!("--allow-write {}", quoted(&p.to_string_lossy()))),
    );
    options.extend(left.hosts.iter().map(|h| format!("--allow-host {}", quoted(h))));
    options.extend(left.logins.iter().map(|h| format!("--allow-login {}", quoted(h))));
    if options.is_empty() {
        return "--allow-all".into();
    }
    options.join(" ")
}

/// Whether the user has a login of a host.
pub fn is_known(vault: Option<&Vault>, host: &str) -> bool {
    vault.is_some_and(|vault| match host {
        // Their files are not looked into to tell.
        S3_KEYS => true,
        host => vault.logins().any(|login| login.place.to_string() == host),
    })
}
