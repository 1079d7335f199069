//! `params { … }`: what a script can be told, declared once at its top; set on the command line and at the prompt.

pub mod help;
mod source;
mod spec;

use std::collections::BTreeMap;

use mlua::{Function, Lua, Table, Value};
use serde_json::{Map, Value as Json};

pub use help::{help_text, wrap};
pub use source::description;

use super::literal::argument_of;
use super::{needs, sources};
use crate::error::{Error, Result, nearest};
use crate::lua::module::{Module, guard, unknown_name};
use crate::lua::spec::{Spec, ValueType};
use crate::lua::{Args, FromScript};
use crate::work::provenance::{self, Note};

/// In app data: what was asked for from outside, and what the script declared.
#[derive(Default)]
pub struct Params {
    /// Name and text, in the order given; no text for `--name` alone.
    given: Vec<(String, Option<String>)>,
    /// What was set at the prompt for other scripts than the one that runs, by script.
    aside: BTreeMap<String, Vec<(String, Option<String>)>>,
    /// Only the declaration is wanted, so that nothing that is missing or wrong among the values matters.
    alone: bool,
    /// At the prompt a script may declare again.
    interactive: bool,
    script: String,
    pub declared: Option<Declared>,
    /// A wrong parameter, which is the user's and not the script's mistake.
    pub usage: Option<String>,
}

#[derive(Clone)]
pub struct Declared {
    pub specs: Vec<Spec>,
    pub values: Map<String, Json>,
    /// What the script got.
    table: Table,
}

/// # Errors
/// When Lua is out of memory.
pub fn install(lua: &Lua, interactive: bool) -> Result<()> {
    lua.set_app_data(Params {
        interactive,
        ..Params::default()
    });
    let params = Module::alone(lua, "", "params(declaration)", params)?;
    lua.globals().raw_set("params", params)?;
    needs::install(lua)
}

/// What a script declares, told from its text without running it; none where it declares nothing.
///
/// # Errors
/// When its declaration has to be computed, or is none.
pub fn stated(text: &str) -> Result<Option<Vec<Spec>>> {
    let Some((declaration, line)) = argument_of(text, "params")? else {
        return Ok(None);
    };
    // Nothing runs in it: it holds tables.
    let lua = Lua::new_with(mlua::StdLib::NONE, mlua::LuaOptions::new())?;
    let comments = source::fields(text, line);
    let mut specs = Vec::new();
    for (name, value) in declaration.fields() {
        let mut spec = spec::declare(&lua, name, &value.to_lua(&lua)?)?;
        if spec.help.is_empty()
            && let Some(field) = comments.iter().find(|field| field.name == name)
        {
            spec.help = field.comment.clone();
        }
        specs.push(spec);
    }
    Ok(Some(specs))
}

/// Sets the values for the script that is about to run.
pub fn give(lua: &Lua, script: &str, given: Vec<(String, Option<String>)>) {
    if let Some(mut params) = lua.app_data_mut::<Params>() {
        params.script = script.to_string();
        params.given = given;
    }
}

/// Of the script that is about to begin only the declaration is wanted: it ends there. It yields, which nothing in it can catch; where
/// a function between cannot yield, as `require` cannot, it fails.
///
/// # Errors
/// When Lua is out of memory.
pub fn declare_alone(lua: &Lua) -> Result<()> {
    if let Some(mut params) = lua.app_data_mut::<Params>() {
        params.alone = true;
    }
    let declare: Function = lua.globals().raw_get("params")?;
    let ending: Function = lua.load(DECLARE_ALONE).set_name("=perilune").call(declare)?;
    Ok(lua.globals().raw_set("params", ending)?)
}

const DECLARE_ALONE: &str = "
local declare, yield, isyieldable, error = ..., coroutine.yield, coroutine.isyieldable, error
return function(...)
  declare(...)
  if isyieldable() then yield() end
  error('only the declaration of parameters was wanted', 0)
end
";

/// What the script has declared so far; none where it has not.
pub fn declared(lua: &Lua) -> Option<Vec<Spec>> {
    with(lua, |p| p.declared.as_ref().map(|d| d.specs.clone()))
}

/// The script that will declare next. What was set for another one waits until that is loaded again; what was set before
/// any was loaded is for the first.
pub fn rename(lua: &Lua, script: &str) {
    if let Some(mut params) = lua.app_data_mut::<Params>() {
        if !params.script.is_empty() && params.script != script {
            let (old, given) = (params.script.clone(), std::mem::take(&mut params.given));
            params.aside.insert(old, given);
            params.given = params.aside.remove(script).unwrap_or_default();
        }
        params.script = script.to_string();
        params.declared = None;
    }
}

/// Forgets what was set at the prompt for the script that was loaded last: its parameters have their defaults again.
///
/// # Errors
/// When Lua is out of memory.
pub fn clear(lua: &Lua) -> Result<()> {
    if let Some(mut params) = lua.app_data_mut::<Params>() {
        params.given.clear();
    }
    let Some(Declared { specs, table, .. }) = with(lua, |p| p.declared.clone()) else {
        return Ok(());
    };
    for spec in specs {
        table.set(spec.name.as_str(), to_lua(lua, &spec.default)?)?;
    }
    Ok(())
}

/// Sets a parameter at the prompt: in what is declared, and for the next declaration.
///
/// # Errors
/// A parameter that the script did not declare; a value that it does not take.
pub fn set(lua: &Lua, name: &str, text: &str) -> Result<()> {
    let name = name.replace('-', "_");
    let declared = with(lua, |p| {
        p.declared.as_ref().map(|d| (d.specs.clone(), d.table.clone()))
    });
    if let Some((specs, table)) = declared {
        let (spec, text) = find(&specs, &name, &Some(text.to_string()), "NAME")?;
        let value = spec::parse(spec, &text)?;
        table.set(name.as_str(), to_lua(lua, &value)?)?;
    }
    if let Some(mut params) = lua.app_data_mut::<Params>() {
        params.given.retain(|(given, _)| *given != name);
        params.given.push((name, Some(text.to_string())));
    }
    Ok(())
}

/// The mistake of the user that ended the last call, if it was one. What was set for that call is forgotten, or it
/// would end the next one too.
pub fn take_usage(lua: &Lua) -> Option<String> {
    let mut params = lua.app_data_mut::<Params>()?;
    let usage = params.usage.take()?;
    params.given.clear();
    Some(usage)
}

pub fn with<R>(lua: &Lua, read: impl FnOnce(&Params) -> R) -> R {
    match lua.app_data_ref::<Params>() {
        Some(params) => read(&params),
        None => read(&Params::default()),
    }
}

/// `--name value`, `--name=value`, `--flag` and `--no-flag`.
///
/// # Errors
/// On anything that does not start with `--`.
pub fn split_arguments(arguments: &[String]) -> Result<Vec<(String, Option<String>)>> {
    let mut given = Vec::new();
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        let Some(name) = argument.strip_prefix("--").filter(|name| !name.is_empty()) else {
            return Err(Error::message(format!(
                "`{argument}` is not a parameter; parameters are given as --name value"
            )));
        };
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (name, rest.next_if(|next| !next.starts_with("--")).cloned()),
        };
        given.push((name.replace('-', "_"), value));
    }
    Ok(given)
}

fn params(lua: &Lua, args: &Args) -> Result<Table> {
    let declaration: Table = args.get("declaration")?;
    let specs = declare(lua, &declaration)?;
    let (given, alone, again, script) = with(lua, |p| {
        (
            p.given.clone(),
            p.alone,
            p.declared.is_some() && !p.interactive,
            p.script.clone(),
        )
    });
    if again {
        return Err(Error::message("a script declares its parameters once"));
    }
    let values = if alone {
        Ok(Map::new())
    } else {
        settle(lua, &specs, &given, &script)
    };
    let values = match values {
        Ok(values) => values,
        Err(error) => {
            if let Some(mut params) = lua.app_data_mut::<Params>() {
                params.usage = Some(error.to_string());
            }
            return Err(error);
        }
    };
    let table = view(lua, specs.clone(), &values)?;
    if let Some(mut params) = lua.app_data_mut::<Params>() {
        params.declared = Some(Declared {
            specs: specs.clone(),
            values: values.clone(),
            table: table.clone(),
        });
    }
    note(&script, &specs, &values);
    Ok(table)
}

/// Tells the run what the script has been given.
fn note(script: &str, specs: &[Spec], values: &Map<String, Json>) {
    let is_path = |spec: &&Spec| match &spec.kind {
        ValueType::Path => true,
        ValueType::List(of) => **of == ValueType::Path,
        _ => false,
    };
    let paths: Vec<String> = specs
        .iter()
        .filter(is_path)
        .map(|spec| spec.name.clone())
        .collect();
    provenance::note(Note::Parameters {
        script,
        values,
        paths: &paths,
    });
}

/// The specs in the order of the source, with its comments as help where there is no other.
fn declare(lua: &Lua, declaration: &Table) -> Result<Vec<Spec>> {
    let fields = match sources::caller(lua).and_then(|(name, line)| Some((sources::text(lua, &name)?, line)))
    {
        Some((text, line)) => source::fields(&text, line),
        None => Vec::new(),
    };
    let mut specs = Vec::new();
    for pair in declaration.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let name = String::from_script(&key, "the name of a parameter")?;
        let mut spec = spec::declare(lua, &name, &value)?;
        if spec.help.is_empty()
            && let Some(field) = fields.iter().find(|f| f.name == name)
        {
            spec.help = field.comment.clone();
        }
        specs.push(spec);
    }
    let order = |spec: &Spec| {
        fields
            .iter()
            .position(|f| f.name == spec.name)
            .unwrap_or(usize::MAX)
    };
    specs.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.name.cmp(&b.name)));
    Ok(specs)
}

/// Defaults, overridden by what was given.
fn settle(
    lua: &Lua,
    specs: &[Spec],
    given: &[(String, Option<String>)],
    script: &str,
) -> Result<Map<String, Json>> {
    let mut values = Map::new();
    for spec in specs {
        values.insert(spec.name.clone(), spec.default.clone());
    }
    for (name, text) in given {
        let (spec, text) = find(specs, name, text, script)?;
        let value = spec::parse(spec, &text)?;
        if let (ValueType::Path | ValueType::String, Json::String(path)) = (&spec.kind, &value) {
            allow(lua, path);
        }
        values.insert(spec.name.clone(), value);
    }
    for spec in specs.iter().filter(|spec| spec.required) {
        if values[&spec.name].is_null() {
            return Err(Error::message(format!(
                "parameter {} is missing: give it as --{} {}",
                spec.name,
                spec.name,
                help::placeholder(spec)
            )));
        }
    }
    Ok(values)
}

fn find<'a>(
    specs: &'a [Spec],
    name: &str,
    text: &Option<String>,
    script: &str,
) -> Result<(&'a Spec, String)> {
    if let Some(spec) = specs.iter().find(|spec| spec.name == name) {
        return match (text, &spec.kind) {
            (Some(text), _) => Ok((spec, text.clone())),
            (None, ValueType::Boolean) => Ok((spec, "true".to_string())),
            (None, _) => Err(Error::argument(
                format!("parameter {name}"),
                spec.expected(),
                format!("nothing; write --{name} {}", help::placeholder(spec)),
            )),
        };
    }
    if let Some(positive) = name.strip_prefix("no_")
        && let Some(spec) = specs
            .iter()
            .find(|s| s.name == positive && s.kind == ValueType::Boolean)
        && text.is_none()
    {
        return Ok((spec, "false".to_string()));
    }
    let mut message = format!("unknown parameter `{name}`");
    if let Some(near) = nearest(name, specs.iter().map(|spec| spec.name.as_str())) {
        message.push_str(&format!("; did you mean `{near}`?"));
    } else {
        if super::cli::is_global_option(name) {
            message.push_str(&format!(
                "; perilune's own options stand before the script: perilune --{name} … run"
            ));
        }
        message.push_str(&format!("; `perilune run {script} --help` lists the parameters"));
    }
    Err(Error::message(message))
}

/// A path that the user gives herself may be written to, wherever it lies.
fn allow(lua: &Lua, path: &str) {
    if let Some(mut access) = lua.app_data_mut::<crate::lua::Access>() {
        access.allow_place_of(path);
    }
}

/// The table that the script gets: unknown names are errors, and new values are checked like those from outside.
fn view(lua: &Lua, specs: Vec<Spec>, values: &Map<String, Json>) -> Result<Table> {
    let fields = lua.create_table()?;
    for (name, value) in values {
        fields.raw_set(name.as_str(), to_lua(lua, value)?)?;
    }
    let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
    let known = names.clone();
    let index = guard(lua, "__index(table, key)", move |_, args| {
        match args.get::<Value>("key")? {
            Value::String(name) if !known.contains(&name.to_string_lossy()) => Err(Error::Message(
                unknown_name("params", "parameter", &name.to_string_lossy(), &known),
            )),
            _ => Ok(Value::Nil),
        }
    })?;
    let inside = fields.clone();
    let newindex = guard(lua, "__newindex(table, key, value?)", move |lua, args| {
        let name: String = args.get("key")?;
        let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
            return Err(Error::Message(unknown_name("params", "parameter", &name, &names)));
        };
        let value = match args.get::<Value>("value")? {
            Value::Nil => Json::Null,
            value => spec::accept(spec, &value)?,
        };
        inside.raw_set(name.as_str(), to_lua(lua, &value)?)?;
        if let Some(mut params) = lua.app_data_mut::<Params>()
            && let Params {
                script,
                declared: Some(declared),
                ..
            } = &mut *params
        {
            declared.values.insert(name, value);
            note(script, &declared.specs, &declared.values);
        }
        Ok(())
    })?;
    let next: Value = lua.globals().raw_get("next")?;
    let inside = fields.clone();
    let pairs = guard(lua, "__pairs(table)", move |_, _| {
        Ok((next.clone(), inside.clone(), Value::Nil))
    })?;
    let behind = lua.create_table()?;
    behind.raw_set("__index", index)?;
    fields.set_metatable(Some(behind))?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", fields)?;
    meta.raw_set("__newindex", newindex)?;
    meta.raw_set("__pairs", pairs)?;
    meta.raw_set("__name", "params")?;
    meta.raw_set("__metatable", false)?;
    let table = lua.create_table()?;
    table.set_metatable(Some(meta))?;
    Ok(table)
}

fn to_lua(lua: &Lua, value: &Json) -> Result<Value> {
    Ok(match value {
        Json::Null | Json::Object(_) => Value::Nil,
        Json::Bool(b) => Value::Boolean(*b),
        Json::Number(n) => match n.as_i64() {
            Some(i) => Value::Integer(i),
            None => Value::Number(n.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(s) => Value::String(lua.create_string(s)?),
        Json::Array(entries) => {
            let list = lua.create_table_with_capacity(entries.len(), 0)?;
            for entry in entries {
                list.raw_push(to_lua(lua, entry)?)?;
            }
            Value::Table(list)
        }
    })
}
