//! `perilune bundle`: a script as one file that can be handed on.

mod data;
mod export;
mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value as Json};

use super::project::Fetch;
use super::scripts::Script;
use super::verify::{Made, files_in, records, runs};
use super::{DONE, bundled};
use crate::error::{Error, Result, counted, nearest};
use crate::files::write_whole;
use crate::host::effects::{self, Beside, Content};
use crate::host::{needs, params};
use crate::lua::spec::{Spec, ValueType};
use crate::share::bundle::{self, About, Data, Expected, Manifest, Part, Signers};
use crate::share::permissions::{Needs, escaped};
use crate::share::provenance::{self, SECRET, sha256};

/// What else is done with one.
#[derive(Subcommand)]
pub enum Action {
    /// Write a bundle, its small data and its results into a zip that is an RO-Crate, for archives such as Zenodo
    Export(export::Wanted),
}

impl Action {
    /// # Errors
    /// As `export::run`.
    pub fn run(&self) -> Result<u8> {
        match self {
            Action::Export(wanted) => export::run(wanted),
        }
    }
}

/// What is asked for.
#[derive(Args)]
pub struct Wanted {
    /// The script, in whose folder the modules are that it requires
    script: PathBuf,
    /// The file to write; NAME.bundle.lua unless given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A parameter as the script is to be run; may be given several times
    #[arg(short, long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Files that the script has made here: their records tell parameters and data, and who runs the bundle can compare
    #[arg(long, value_name = "FILES", num_args = 1..)]
    outputs: Vec<PathBuf>,
    /// Files and folders that the script reads, beside those that parameters and records name
    #[arg(long, value_name = "PATHS", num_args = 1..)]
    data: Vec<PathBuf>,
    /// Who wrote it, such as "Ada Example <https://orcid.org/…>"; may be given several times
    #[arg(long, value_name = "NAME")]
    author: Vec<String>,
    /// Its licence, by its name in SPDX, such as CC-BY-4.0
    #[arg(long, value_name = "NAME")]
    license: Option<String>,
    /// How it is to be cited
    #[arg(long, value_name = "TEXT")]
    citation: Option<String>,
    /// Sign it by this private key of OpenSSH, which writes FILE.sig beside it
    #[arg(long, value_name = "KEYFILE")]
    sign: Option<PathBuf>,
}

/// # Errors
/// What cannot be handed on, by name; then nothing is written.
pub fn run(wanted: &Wanted) -> Result<u8> {
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let (script, raw) = source(&wanted.script)?;
    let folder = match &script.folder {
        Some(folder) if folder.as_os_str().is_empty() => working.clone(),
        Some(folder) => folder.clone(),
        None => working.clone(),
    };
    let project = script.surroundings(Fetch::Yes)?;
    let folders: Vec<PathBuf> = [folder]
        .into_iter()
        .chain(project.iter().map(|project| project.root.clone()))
        .collect();
    let beside = Beside::Folders(
        &folders,
        project.as_ref().map(|project| project.libraries.as_ref()),
    );
    let content = effects::content(&script.text, &script.sha256, beside)?;
    check_modules(&script, &content)?;
    let specs = params::stated(&script.text).ok().flatten();
    let outputs = outputs(&wanted.outputs, &working)?;
    let made = made_by(&script, &outputs)?;
    let parameters = parameters(&script, wanted, &made, specs.as_deref(), &working)?;
    check_machine(&script, &content, &parameters)?;

    let expect = data::expected(&outputs, &working)?;
    let is_made = |path: &str| expect.iter().any(|expected| expected.path == path);
    let mut data = data::of(&wanted.data, &made, &working)?;
    data.extend(data::of_parameters(&parameters, specs.as_deref(), &working)?);
    data.retain(|data| !data.path.as_deref().is_some_and(is_made));
    data.sort_by(|a, b| (&a.path, &a.address).cmp(&(&b.path, &b.address)));
    data.dedup();

    let permissions = match needs::stated(&script.name, &script.text)? {
        Some(stated) => stated,
        None => derived(&data, &expect)?,
    };
    let mut requires = bundled::versions();
    for (name, version) in made.iter().flat_map(|made| &made.record.versions) {
        requires.entry(name.clone()).or_insert_with(|| version.clone());
    }
    let part = |(name, text): (&String, &String)| Part {
        name: name.clone(),
        library: content.locals.get(name).and_then(|local| local.library.clone()),
        bytes: text.len() as u64,
        sha256: sha256(text),
    };
    let texts: BTreeMap<String, String> = content
        .locals
        .iter()
        .map(|(name, local)| (name.clone(), local.text.clone()))
        .collect();
    let manifest = Manifest {
        script: About {
            name: file_name(&wanted.script, &script),
            authors: wanted.author.clone(),
            license: wanted.license.clone(),
            citation: wanted.citation.clone(),
            bytes: raw.len() as u64,
            sha256: script.sha256.clone(),
        },
        requires,
        parameters,
        permissions: permissions.to_json(),
        modules: texts.iter().map(part).collect(),
        data,
        expect,
    };
    let modules: Vec<String> = texts.into_values().collect();
    let text = bundle::compose(&manifest, &raw, &modules)?;
    // What is written can be read, by us and by Lua.
    bundle::read(text.as_bytes())?;
    compiles(&text, &script)?;
    let target = match &wanted.output {
        Some(target) => target.clone(),
        None => PathBuf::from(format!("{}.bundle.lua", plain_name(&manifest.script.name))),
    };
    check_target(&target, &manifest)?;
    let signature = match &wanted.sign {
        Some(key) => Some(bundle::sign(key, text.as_bytes())?),
        None => None,
    };
    write_whole(&target, text.as_bytes())?;
    let beside = bundle::beside(&target);
    match &signature {
        Some((signature, _)) => write_whole(&beside, signature.as_bytes())?,
        // That of what was there before.
        None if beside.is_file() => {
            fs::remove_file(&beside).map_err(|e| Error::io(&beside, e))?;
            crate::complain!(
                "note: {} was the signature of the bundle before, and is gone",
                beside.display()
            );
        }
        None => {}
    }
    tell(&target, &manifest, &content);
    if let (Some((_, key)), Some(signers)) = (&signature, Signers::of_user()) {
        crate::say!("signed, in {}", beside.display());
        if signers.add_own(key)? {
            crate::say!(
                "your key is known as `{}` in {}: bundles that it signs run as your own scripts do",
                bundle::ME,
                signers.path().display()
            );
        }
    }
    Ok(DONE)
}

/// The script, and its text as its file has it.
fn source(path: &Path) -> Result<(Script, String)> {
    let script = Script::find(&path.display().to_string())?;
    if script.is_fetched {
        return Err(Error::message(format!(
            "{} is somebody else's, at an address; keep it in a file of your own, and bundle that",
            script.name
        )));
    }
    if script.bundle.is_some() {
        return Err(Error::file(
            path,
            "is a bundle already; `perilune unpack` writes its script out, to be changed",
        ));
    }
    if script.folder.is_none() {
        return Err(Error::message(format!(
            "{} ships with perilune, and is run by its name everywhere; to change it and hand that on, copy it first: perilune workflows copy {}",
            script.name, script.name
        )));
    }
    let raw = fs::read_to_string(&script.name).map_err(|e| Error::io(&script.name, e))?;
    match sha256(&raw) == script.sha256 {
        true => Ok((script, raw)),
        false => Err(Error::file(
            path,
            "has changed while it was read; bundle it again",
        )),
    }
}

fn file_name(path: &Path, script: &Script) -> String {
    let name = Path::new(&script.name).file_name().or(path.file_name());
    let name = name.unwrap_or_default().to_string_lossy().into_owned();
    match name.ends_with(".lua") {
        true => name,
        false => format!("{name}.lua"),
    }
}

fn plain_name(name: &str) -> &str {
    name.strip_suffix(".lua").unwrap_or(name)
}

fn check_modules(script: &Script, content: &Content) -> Result<()> {
    if let Some(name) = content.absent.first() {
        return Err(Error::message(format!(
            "{} requires the module `{name}`, which is neither in its folder, nor in its project and the libraries of that, nor in perilune's library",
            script.name
        )));
    }
    if let Some(name) = content.locals.keys().find(|name| !bundle::is_module_name(name)) {
        return Err(Error::message(format!(
            "{} requires the module `{}`; names of modules in a bundle are of letters of ASCII, digits, `_` and `-`, with dots between folders",
            script.name,
            escaped(name)
        )));
    }
    if content.computed {
        crate::complain!(
            "note: {} requires modules by names that have to be computed; those of perilune's library are found, others are not in the bundle",
            script.name
        );
    }
    Ok(())
}

/// The files that the script has made, those in folders one by one.
fn outputs(named: &[PathBuf], working: &Path) -> Result<Vec<PathBuf>> {
    if let Some(gone) = named.iter().find(|output| !output.exists()) {
        return Err(Error::NoSuchFile {
            path: gone.clone(),
            looked_in: working.to_path_buf(),
        });
    }
    files_in(named)
}

/// The records of what the script has made here.
fn made_by(script: &Script, outputs: &[PathBuf]) -> Result<Vec<Made>> {
    if outputs.is_empty() {
        return Ok(Vec::new());
    }
    // Texts that scripts write have no records.
    let (made, _) = records(outputs)?;
    for file in &made {
        let by = file.record.script.as_ref();
        if by.is_none_or(|by| by.sha256 != sha256(&script.text)) {
            return Err(Error::file(
                &file.shown,
                format!(
                    "was not made by {} as it is now (`perilune provenance {}` tells by what); run the script again, then bundle it",
                    script.name,
                    file.shown.display()
                ),
            ));
        }
    }
    Ok(made)
}

/// As the outputs were made, and as given.
fn parameters(
    script: &Script,
    wanted: &Wanted,
    made: &[Made],
    specs: Option<&[Spec]>,
    working: &Path,
) -> Result<Map<String, Json>> {
    let mut texts: Vec<(String, String)> = Vec::new();
    let of_runs = runs(made.to_vec())?;
    if let [first, rest @ ..] = of_runs.as_slice() {
        if let Some(other) = rest.iter().find(|run| run.parameters != first.parameters) {
            return Err(Error::message(format!(
                "{} and {} were made with different parameters, and a bundle has one set of them: bundle them apart",
                first.files[0].shown.display(),
                other.files[0].shown.display()
            )));
        }
        if first.working != *working {
            return Err(Error::message(format!(
                "{} was made in the folder {}: bundle there, since paths count from it",
                first.files[0].shown.display(),
                first.working.display()
            )));
        }
        texts.extend(first.parameters.clone());
    }
    for text in &wanted.parameters {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| Error::message(format!("-p {text}: a parameter is given as NAME=VALUE")))?;
        let name = name.trim_start_matches("--").replace('-', "_");
        if let Some(specs) = specs
            && !specs.iter().any(|spec| spec.name == name)
        {
            let names = specs.iter().map(|spec| spec.name.as_str());
            let hint =
                nearest(&name, names).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(Error::message(format!(
                "{} has no parameter `{name}`{hint}",
                script.name
            )));
        }
        if provenance::is_secret(&name) {
            return Err(Error::message(format!(
                "-p {name}: the name says that its value lets others in, and a bundle is read by everybody; who runs it gives it anew, --{name} VALUE"
            )));
        }
        match texts.iter().find(|(known, _)| *known == name) {
            Some((_, then)) if then == value => {}
            Some((_, then)) if !made.is_empty() => {
                return Err(Error::message(format!(
                    "-p {name}={value}: the outputs were made with {name}={then}; run the script again, or leave one of both"
                )));
            }
            Some(_) => {
                return Err(Error::message(format!("-p {name} is given twice")));
            }
            None => texts.push((name, value.to_string())),
        }
    }
    let mut out = Map::new();
    for (name, text) in texts {
        if text == SECRET {
            crate::complain!(
                "note: the parameter {name} lets others in, and is not in the bundle: who runs it gives it anew"
            );
            continue;
        }
        let kind = specs.and_then(|specs| specs.iter().find(|spec| spec.name == name));
        out.insert(name, typed(&text, kind.map(|spec| &spec.kind)));
    }
    Ok(out)
}

/// A number or truth where it is one, and is written so.
fn typed(text: &str, kind: Option<&ValueType>) -> Json {
    let value = match kind {
        Some(ValueType::Number | ValueType::Integer) => {
            serde_json::from_str::<Json>(text).ok().filter(Json::is_number)
        }
        Some(ValueType::Boolean) => text.parse::<bool>().ok().map(Json::from),
        _ => None,
    };
    value
        .filter(|value| {
            let written = value.to_string();
            written == text
        })
        .unwrap_or_else(|| text.into())
}

/// # Errors
/// Names every path of this machine.
fn check_machine(script: &Script, content: &Content, parameters: &Map<String, Json>) -> Result<()> {
    let mut found = machine::in_script(&script.name, &script.text);
    for (name, local) in &content.locals {
        found.extend(machine::in_script(
            &format!("{}.lua", name.replace('.', "/")),
            &local.text,
        ));
    }
    for (name, value) in parameters {
        let texts = match value {
            Json::String(text) => vec![text.as_str()],
            Json::Array(list) => list.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        let bad = texts.into_iter().filter(|text| machine::in_value(text));
        found.extend(bad.map(|text| format!("the parameter {name}: {text}")));
    }
    match found.is_empty() {
        true => Ok(()),
        false => Err(Error::message(format!(
            "paths of this machine mean nothing on another, and tell of you:\n  {}\nMake them parameters (`params {{ scene = {{ \"scene.tif\", type = \"path\" }} }}`), or \
             name them from the folder that the script is run in, and run it there",
            found.join("\n  ")
        ))),
    }
}

/// What a script that states nothing needs: its data, and the places of what it makes.
fn derived(data: &[Data], expect: &[Expected]) -> Result<Needs> {
    let folder_or_file = |path: &str| match path.rsplit_once('/') {
        Some((folder, _)) => folder.to_string(),
        None => path.to_string(),
    };
    let unique = |paths: &mut dyn Iterator<Item = String>| -> Vec<Json> {
        let mut paths: Vec<String> = paths.collect();
        paths.sort();
        paths.dedup();
        // What lies below a folder comes with it.
        let all = paths.clone();
        paths.retain(|path| !all.iter().any(|other| path.starts_with(&format!("{other}/"))));
        paths.into_iter().map(Json::from).collect()
    };
    let paths: Vec<&String> = data.iter().filter_map(|data| data.path.as_ref()).collect();
    // A question names no more than can be read to its end.
    let reads = match paths.len() {
        0..=20 => unique(&mut paths.into_iter().cloned()),
        _ => unique(&mut paths.into_iter().map(|path| folder_or_file(path))),
    };
    let hosts = data.iter().filter(|data| data.path.is_none()).filter_map(|data| {
        let url = url::Url::parse(data.address.as_ref()?).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.host_str().map(str::to_string))?
    });
    let table = serde_json::json!({
        "read": reads,
        "write": unique(&mut expect.iter().map(|expected| folder_or_file(&expected.path))),
        "hosts": unique(&mut hosts.into_iter()),
    });
    Needs::from_json(&table)
}

/// # Errors
/// When it is no Lua.
fn compiles(text: &str, script: &Script) -> Result<()> {
    let lua = mlua::Lua::new_with(mlua::StdLib::NONE, mlua::LuaOptions::new())?;
    let check = |text: &str| {
        let text = match text.starts_with('#') {
            true => format!("--{text}"),
            false => text.to_string(),
        };
        lua.load(text)
            .set_name(format!("@{}", script.name))
            .into_function()
            .map(drop)
    };
    // By itself first, whose lines the author knows.
    check(&script.text)
        .and_then(|()| check(text))
        .map_err(|e| Error::message(format!("{} is no Lua: {e}", script.name)))
}

/// # Errors
/// When there is a file that is no earlier bundle of this script.
fn check_target(target: &Path, manifest: &Manifest) -> Result<()> {
    let bytes = match fs::read(target) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io(target, e)),
        Ok(bytes) => bytes,
    };
    let earlier = bundle::is_one(&bytes)
        .then(|| bundle::read(&bytes).ok())
        .flatten();
    match earlier.is_some_and(|earlier| earlier.manifest.script.name == manifest.script.name) {
        true => Ok(()),
        false => Err(Error::file(
            target,
            format!(
                "is there already, and no bundle of {}: nothing is written over it; name another file with -o",
                manifest.script.name
            ),
        )),
    }
}

fn tell(target: &Path, manifest: &Manifest, content: &Content) {
    crate::say!(
        "{}: {} with {}, {}, {} of data, {}",
        target.display(),
        manifest.script.name,
        counted(manifest.modules.len(), "module"),
        counted(manifest.parameters.len(), "parameter"),
        counted(manifest.data.len(), "file"),
        counted(manifest.expect.len(), "result")
    );
    let paths: Vec<&str> = manifest
        .data
        .iter()
        .filter_map(|data| data.path.as_deref())
        .collect();
    const SHOWN: usize = 5;
    if paths.len() > SHOWN {
        let folder = |path: &&str| {
            path.rsplit_once('/')
                .map_or(".", |(folder, _)| folder)
                .to_string()
        };
        let folders: std::collections::BTreeSet<String> = paths.iter().map(folder).collect();
        let folders: Vec<String> = folders.into_iter().collect();
        crate::say!(
            "data are handed on beside it: {} files in {}",
            paths.len(),
            folders.join(", ")
        );
    } else if !paths.is_empty() {
        crate::say!("data are handed on beside it: {}", paths.join(", "));
    }
    let stated = manifest.permissions.contains_key("read") || manifest.permissions.contains_key("write");
    if !stated && content.calls.keys().len() > 0 {
        crate::say!(
            "note: it asks for no permission, and reads or writes: where others run it, it gets its own folder to read alone; state what it needs by needs {{ … }}"
        );
    }
}

/// The hash of a file, and its length.
fn measured(path: &Path) -> Result<(u64, String)> {
    let failed = |e| Error::io(path, e);
    let bytes = fs::metadata(path).map_err(failed)?.len();
    Ok((bytes, provenance::hash_of(path).map_err(failed)?))
}
