//! `perilune inspect`: what a script is, what it reads, writes and contacts, told from its text.

use serde_json::{Value as Json, json};

use super::DONE;
use super::asked::{Asked, asked, is_known, of_libraries};
use super::bundled::{self, DataState};
use super::scripts::Script;
use crate::bytes::credentials::Vault;
use crate::console;
use crate::error::{Result, shown_bytes};
use crate::host::effects::Effect;
use crate::host::params::{self, description, help::placeholder, wrap};
use crate::lua::spec::Spec;
use crate::share::bundle::{FORMAT, Manifest, Signed};
use crate::share::permissions::{Answer, Answers, escaped, json_shown};

/// Forgets what the user has answered about a script.
///
/// # Errors
/// As `run`; when the file of answers cannot be read or written.
pub fn forget(name: &str) -> Result<u8> {
    let script = Script::find(name)?;
    let found = asked(&script, &[])?;
    let had_any = match Answers::of_user() {
        Some(answers) => answers.forget(&found.content.sha256)?,
        None => false,
    };
    let name = escaped(&script.name);
    match had_any {
        true => {
            crate::say!("what was granted to {name} is forgotten: run as a script of others, it asks again")
        }
        false => crate::say!("nothing was remembered about {name} with this content"),
    }
    Ok(DONE)
}

/// # Errors
/// When there is no such script, or what it states cannot be told from its text.
pub fn run(name: &str, as_json: bool) -> Result<u8> {
    let script = Script::find(name)?;
    let found = asked(&script, &[])?;
    let declared = params::stated(&script.text);
    let answer = Answers::of_user().and_then(|answers| {
        match answers.of(&found.content.sha256, script.signer().as_deref()) {
            Ok(answer) => answer,
            Err(error) => {
                crate::complain!("note: {error}");
                None
            }
        }
    });
    match as_json {
        true => {
            let data = as_data(&script, &found, &declared, answer.as_ref());
            crate::say!("{}", json_shown(&data));
        }
        false => tell(&script, &found, &declared, answer.as_ref()),
    }
    Ok(DONE)
}

const EFFECTS: [(&str, Effect); 3] = [
    ("reads by", Effect::Read),
    ("writes by", Effect::Write),
    ("contacts by", Effect::Contact),
];

fn tell(script: &Script, found: &Asked, declared: &Result<Option<Vec<Spec>>>, answer: Option<&Answer>) {
    let width = console::width().max(40);
    let row = |label: &str, text: &str| {
        let mut label = label;
        for line in wrap(text, width - 13) {
            crate::say!("{label:<12} {line}");
            label = "";
        }
    };
    row("script", &escaped(&script.name));
    for line in description(&script.text).lines() {
        row("", &escaped(line));
    }
    row("sha256", &found.content.sha256);
    row("signed by", &escaped(&script.signed_by()));
    if let Some(packed) = &script.bundle {
        tell_bundle(&packed.bundle.manifest, &row);
    }
    match declared {
        Ok(None) => row("parameters", "none"),
        Ok(Some(specs)) => {
            let mut label = "parameters";
            for spec in specs {
                let help = if spec.help.is_empty() {
                    String::new()
                } else {
                    format!(": {}", spec.help)
                };
                let facts = spec.facts().join("; ");
                row(
                    label,
                    &escaped(&format!("--{} {} [{facts}]{help}", spec.name, placeholder(spec))),
                );
                label = "";
            }
        }
        Err(_) => row("parameters", "have to be computed: they are known when it runs"),
    }
    if let Some(version) = &found.needs.version {
        let here = env!("CARGO_PKG_VERSION");
        let fit = if version.admits(here) {
            "will do"
        } else {
            "will NOT do"
        };
        row(
            "perilune",
            &escaped(&format!("{version}; this is {here}, which {fit}")),
        );
    }
    let vault = Vault::of_user().ok();
    let wanted = found.asked.lines(|host| is_known(vault.as_ref(), host));
    let mut label = "asks to";
    for line in &wanted {
        crate::say!("{label:<12} {line}");
        label = "";
    }
    if wanted.is_empty() {
        row(
            "asks for",
            "nothing: run as untrusted, it reads the folder that it came in and what you name as parameters",
        );
    }
    if let Some(own) = &found.own {
        row("own folder", &escaped(&own.to_string_lossy()));
    }
    let content = &found.content;
    let names = |names: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        names.map(|name| escaped(name)).collect()
    };
    let mut modules = names(&mut content.shipped.iter());
    modules.extend(content.locals.iter().map(|(name, local)| {
        format!(
            "{} ({}, with it)",
            escaped(name),
            escaped(local.shown.trim_start_matches('@'))
        )
    }));
    modules.extend(
        content
            .absent
            .iter()
            .map(|name| format!("{} (NOT there)", escaped(name))),
    );
    if content.computed {
        modules.push("others, whose names have to be computed".into());
    }
    row("modules", &or_none(&modules));
    let mut label = "libraries";
    for (library, modules) in of_libraries(content) {
        row(label, &escaped(&format!("{library} ({})", modules.join(", "))));
        label = "";
    }
    for line in &found.beyond {
        row("", &escaped(line));
    }
    for (label, effect) in EFFECTS {
        row(
            label,
            &or_none(&names(&mut content.calls.get(&effect).into_iter().flatten())),
        );
    }
    match answer {
        Some(answer) => {
            row(
                "remembered",
                &escaped(&format!(
                    "on {} you let this content, run as untrusted,",
                    answer.on
                )),
            );
            for line in answer.granted.lines(|_| true) {
                crate::say!("{:<12} {line}", "");
            }
        }
        None if script.bundle.is_some() && !script.is_foreign() => {
            row("remembered", "no, and it is not asked about: it is your own");
        }
        None if script.bundle.is_some() => row("remembered", "no: run, it is asked about"),
        None => row("remembered", "no: run as untrusted, it is asked about"),
    }
    crate::say!();
    for line in wrap(
        "Calls are what the text names, and a text can hide some. Run by `perilune run --untrusted`, it can do what it asks for, once you agree, and \
         nothing else, whatever it calls.",
        width,
    ) {
        crate::say!("{line}");
    }
}

/// What a bundle says of itself, and how it fits here.
fn tell_bundle(manifest: &Manifest, row: &dyn Fn(&str, &str)) {
    let about = &manifest.script;
    row("bundle", &escaped(&format!("of {}, form {FORMAT}", about.name)));
    if !about.authors.is_empty() {
        row("authors", &escaped(&about.authors.join("; ")));
    }
    for (label, text) in [("licence", &about.license), ("to be cited", &about.citation)] {
        if let Some(text) = text {
            row(label, &escaped(text));
        }
    }
    let others = manifest.other_versions(&bundled::versions());
    let version = manifest.requires.get("perilune").map_or("?", String::as_str);
    let fit = match others.is_empty() {
        true => "; versions here are the same".to_string(),
        false => format!("; here, {}", others.join(", ")),
    };
    row("made with", &escaped(&format!("perilune {version}{fit}")));
    let mut label = "as run with";
    for (name, text) in manifest.given() {
        row(label, &escaped(&format!("--{name} {}", text.unwrap_or_default())));
        label = "";
    }
    let working = std::env::current_dir().unwrap_or_default();
    let mut label = "data";
    for data in manifest.data.iter().take(MOST_SHOWN) {
        let size = data
            .bytes
            .map_or(String::new(), |bytes| format!(", {}", shown_bytes(bytes)));
        let word = bundled::state(data, &working).word();
        row(label, &format!("{}{size} ({word})", escaped(data.name())));
        label = "";
    }
    more(manifest.data.len(), row);
    let mut label = "makes";
    for expected in manifest.expect.iter().take(MOST_SHOWN) {
        row(
            label,
            &format!("{}, {}", escaped(&expected.path), shown_bytes(expected.bytes)),
        );
        label = "";
    }
    more(manifest.expect.len(), row);
}

/// Files of one kind that are listed; all of them stand in the file itself.
const MOST_SHOWN: usize = 20;

fn more(count: usize, row: &dyn Fn(&str, &str)) {
    if count > MOST_SHOWN {
        row("", &format!("and {} more", count - MOST_SHOWN));
    }
}

fn or_none(list: &[String]) -> String {
    match list.is_empty() {
        true => "nothing".into(),
        false => list.join(", "),
    }
}

fn as_data(
    script: &Script,
    found: &Asked,
    declared: &Result<Option<Vec<Spec>>>,
    answer: Option<&Answer>,
) -> Json {
    let content = &found.content;
    let parameters: Json = match declared {
        Ok(specs) => specs.iter().flatten().map(parameter).collect::<Vec<_>>().into(),
        Err(_) => Json::Null,
    };
    let calls =
        |effect: Effect| -> Vec<&String> { content.calls.get(&effect).into_iter().flatten().collect() };
    let signed_by = match script.bundle.as_ref().map(|packed| &packed.signed) {
        None | Some(Signed::Nobody) => Json::Null,
        Some(Signed::Unknown { fingerprint, .. }) => json!({ "name": Json::Null, "key": fingerprint }),
        Some(Signed::Known { name, fingerprint }) => json!({ "name": name, "key": fingerprint }),
    };
    let bundle = match script.manifest() {
        None => Json::Null,
        Some(manifest) => {
            let working = std::env::current_dir().unwrap_or_default();
            let states = manifest
                .data
                .iter()
                .map(|data| match bundled::state(data, &working) {
                    DataState::Same => "same",
                    DataState::Elsewhere => "on a server",
                    DataState::Gone => "absent",
                    DataState::Changed(_) => "changed",
                    DataState::Link(_) => "link",
                    DataState::Unreadable(_) => "unreadable",
                });
            json!({
                "format": FORMAT,
                "manifest": manifest,
                "data": states.collect::<Vec<_>>(),
                "other_versions": manifest.other_versions(&bundled::versions()),
            })
        }
    };
    json!({
        "script": script.name,
        "description": description(&script.text),
        "sha256": content.sha256,
        "signed_by": signed_by,
        "bundle": bundle,
        "parameters": parameters,
        "needs": {
            "read": found.needs.read, "write": found.needs.write, "hosts": found.needs.hosts, "logins": found.needs.logins,
            "memory": found.needs.memory, "version": found.needs.version.as_ref().map(ToString::to_string),
        },
        "asks_for": found.asked,
        "own_folder": found.own,
        "modules": {
            "shipped": content.shipped,
            "with_it": content.locals.iter().map(|(name, local)| (name.clone(), local.shown.trim_start_matches('@').into()))
                .collect::<serde_json::Map<String, Json>>(),
            "absent": content.absent,
            "computed": content.computed,
        },
        "libraries": of_libraries(content),
        "libraries_need_more": found.beyond,
        "calls": { "read": calls(Effect::Read), "write": calls(Effect::Write), "contact": calls(Effect::Contact) },
        "remembered": answer,
    })
}

fn parameter(spec: &Spec) -> Json {
    json!({
        "name": spec.name, "type": spec.kind.name(), "default": spec.default, "unit": spec.unit, "required": spec.required,
        "choices": spec.choices, "help": spec.help,
    })
}
