//! `perilune run --untrusted`: a script of others, which gets what it states that it needs, once its user agrees.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Global;
use super::ask::{self, Reply};
use super::asked::{Asked, asked};
use super::scripts::Script;
use crate::bytes::credentials::{S3_KEYS, Services};
use crate::bytes::http::{Grant, USUAL, proxy_ports};
use crate::error::{Error, Result};
use crate::gate::settle as real;
use crate::host::confine::system_folders;
use crate::host::loader::Local;
use crate::lua::Access;
use crate::share::permissions::{Answer, Answers, Grants, Needs, places};
use crate::work;

/// What the machine that runs it has to hold it to.
pub struct Foreign {
    pub locals: BTreeMap<String, Local>,
    pub needs: Needs,
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
        write: paths(&flags.allow_write, false)?,
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
        .map(|answers| answers.of(&found.content.sha256, script.signer().as_deref()))
    {
        Some(Ok(Some(answer))) => granted.add(&answer.granted),
        // Then it is asked again.
        Some(Err(error)) => work::tell(&format!("note: {error}")),
        _ => {}
    }
    let left = denied(&found.asked, global).without(&granted);
    if !left.is_empty() && !global.permissions.allow_all {
        match ask::ask(script, &found, &left, &granted)? {
            Reply::No => return Ok(None),
            Reply::Once => {}
            Reply::Yes => {
                let answer = Answer {
                    sha256: found.content.sha256.clone(),
                    signer: script.signer(),
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
    if let Some(folder) = &global.aside {
        reads.folders.push(real(folder));
    }
    let mut access = Access::restricted(working, reads, places(&granted.write), found.own.clone());
    global.write_aside(&mut access)?;
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
