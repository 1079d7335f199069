//! What a script of others asks for, told from its text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::project::Fetch;
use super::scripts::Script;
use crate::bytes::credentials::{S3_KEYS, Services, Sources, Vault};
use crate::error::{Error, Result};
use crate::gate::settle as real;
use crate::host::effects::{self, Beside, Content};
use crate::host::{needs, params};
use crate::lua::spec::ValueType;
use crate::share::permissions::{Given, Grants, Needs, escaped};

/// What a script asks for, here and with these parameters.
pub struct Asked {
    pub needs: Needs,
    pub content: Content,
    pub asked: Grants,
    /// What libraries state that they need, where that is more: they get what the script gets.
    pub beyond: Vec<String>,
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
    let stated = needs::stated(&script.name, &script.text)?;
    let needs = match script.manifest() {
        None => stated.unwrap_or_default(),
        Some(manifest) => {
            let of_manifest = manifest.needs()?;
            if stated.is_some_and(|stated| stated != of_manifest) {
                return Err(Error::message(format!(
                    "{}: its manifest asks for other permissions than its script states; nothing of it was run",
                    escaped(&script.name)
                )));
            }
            of_manifest
        }
    };
    let folder = script
        .folder
        .as_deref()
        .map(|folder| match folder.as_os_str().is_empty() {
            true => working.clone(),
            false => folder.to_path_buf(),
        });
    let surroundings = script.surroundings(Fetch::No)?;
    let folders: Vec<PathBuf> = folder
        .iter()
        .cloned()
        .chain(surroundings.iter().map(|project| project.root.clone()))
        .collect();
    let beside = match (&script.bundle, &folder) {
        (Some(packed), _) => Beside::Bundle(&packed.modules),
        (None, Some(_)) => Beside::Folders(&folders, surroundings.as_ref().map(|p| p.libraries.as_ref())),
        (None, None) => Beside::Nowhere,
    };
    let content = effects::content(&script.text, &script.sha256, beside)?;
    // What came with a bundle nobody here has asked for.
    let bundled = script.with_bundled(&[]);
    let services = Services::new(Sources::of_user().variable)?;
    let mut parameters = BTreeMap::new();
    // One that has to be computed is found wrong when it runs; no path is granted by it.
    for spec in params::stated(&script.text).ok().flatten().unwrap_or_default() {
        if spec.kind != ValueType::Path {
            continue;
        }
        let text = |list: &[(String, Option<String>)]| {
            let found = list.iter().rev().find(|(name, _)| *name == spec.name);
            found.and_then(|(_, text)| text.clone())
        };
        let value = Given {
            value: text(given),
            default: text(&bundled).or_else(|| spec.default.as_str().map(str::to_string)),
        };
        parameters.insert(spec.name, value);
    }
    let (mut asked, given) = Grants::of(&needs, &working, &parameters, &services)?;
    let came_in = folder.as_deref().map(real);
    for local in content.locals.values() {
        // What lies elsewhere on this machine, as a library of a project, is asked for as any file is.
        let lies = real(&local.path);
        let is_here =
            script.bundle.is_some() || came_in.as_ref().is_some_and(|folder| lies.starts_with(folder));
        if !is_here && local.path.is_absolute() && !asked.read.contains(&lies) {
            asked.read.push(Grants::path(&lies, &working, true)?);
        }
    }
    let beyond = beyond(&needs, &content)?;
    Ok(Asked {
        needs,
        content,
        asked,
        beyond,
        given,
        own: folder.and_then(|folder| own_folder(&folder)),
        services,
    })
}

/// What libraries state that they need beside what the script asks for.
fn beyond(needs: &Needs, content: &Content) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (name, local) in &content.locals {
        let Some(library) = &local.library else { continue };
        if let Some(stated) = needs::stated(name, &local.text)?
            && let Some(more) = stated.beyond(needs)
        {
            lines.push(format!(
                "{name}, of the library {library}, states that it needs more than the script asks for, and does not get it: {more}"
            ));
        }
    }
    Ok(lines)
}

/// The modules of libraries, by these.
pub fn of_libraries(content: &Content) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, local) in &content.locals {
        if let Some(library) = &local.library {
            found.entry(library).or_default().push(name);
        }
    }
    found
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
