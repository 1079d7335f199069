//! The commands of the prompt, which start with a colon. `:help` lists this table.

use std::path::PathBuf;
use std::time::Instant;

use mlua::Value;

use super::resolve;
use super::session::{Kept, Outcome, Session};
use crate::error::{Error, Result, counted};
use crate::files::write_whole;
use crate::host::lexer::{TokenKind, tokens};
use crate::host::params::{self, help_text};
use crate::host::show;
use crate::host::{documentation, loader};
use crate::lua::words::with_article;
use crate::lua::{access, describe};

pub struct Command {
    pub name: &'static str,
    pub argument: &'static str,
    pub help: &'static str,
    run: fn(&mut Session, &str) -> Result<Outcome>,
}

pub const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        argument: "",
        help: "this list, and the modules",
        run: help,
    },
    Command {
        name: "doc",
        argument: "NAME",
        help: "help on a module, function, class or method; ?NAME is the same",
        run: doc,
    },
    Command {
        name: "time",
        argument: "CODE",
        help: "run CODE and say how long it took",
        run: time,
    },
    Command {
        name: "load",
        argument: "FILE [NAME=VALUE …]",
        help: "run a script here, with parameters, and keep its variables",
        run: load,
    },
    Command {
        name: "save",
        argument: "FILE",
        help: "write what worked so far as a script",
        run: |session, name| save(session, name, false),
    },
    Command {
        name: "save!",
        argument: "FILE",
        help: "the same, over a file that exists",
        run: |session, name| save(session, name, true),
    },
    Command {
        name: "params",
        argument: "[NAME=VALUE …]",
        help: "show the parameters, or set them here and when this script is loaded again; `clear` forgets what was set",
        run: set_params,
    },
    Command {
        name: "quit",
        argument: "",
        help: "leave; so does Ctrl-D",
        run: |_, _| Ok(Outcome::Quit),
    },
];

/// Whether a line is one of these, and not a method that goes on with the line before: `:write("a.tif")`.
pub fn is_command(line: &str) -> bool {
    let Some(line) = line
        .trim_start()
        .strip_prefix(':')
        .filter(|rest| !rest.starts_with(':'))
    else {
        return false;
    };
    let end = line.find(|c: char| !(c.is_alphanumeric() || "_!".contains(c)));
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let called = |rest: &str| rest.starts_with(['(', '{', '"', '\'']) || rest.starts_with("[[");
    match COMMANDS.iter().any(|c| c.name == name) {
        true => !called(rest),
        false => !called(rest.trim_start()),
    }
}

/// Runs `line`, which starts with a colon.
pub fn run(session: &mut Session, line: &str) -> Result<Outcome> {
    let line = line[1..].trim();
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let command = match COMMANDS.iter().find(|c| c.name == name) {
        Some(command) => command,
        // A letter or two is enough where it is clear.
        None => {
            let mut near = COMMANDS
                .iter()
                .filter(|c| !name.is_empty() && c.name.starts_with(name) && !c.name.ends_with('!'));
            match (near.next(), near.next()) {
                (Some(command), None) => command,
                _ => {
                    return Err(Error::not_found(
                        "command",
                        format!(":{name}"),
                        COMMANDS.iter().map(|c| format!(":{}", c.name)),
                    ));
                }
            }
        }
    };
    let argument = argument.trim();
    if argument.is_empty() && !command.argument.is_empty() && !command.argument.starts_with('[') {
        return Err(Error::message(format!(
            ":{} needs {}",
            command.name, command.argument
        )));
    }
    (command.run)(session, argument)
}

fn help(session: &mut Session, _: &str) -> Result<Outcome> {
    let mut text = String::new();
    for command in COMMANDS {
        let usage = format!(":{} {}", command.name, command.argument);
        text.push_str(&format!("  {usage:<24}  {}\n", command.help));
    }
    text.push_str("  ?NAME                     help on NAME, or what is near it\n");
    text.push_str("\nTab completes names, methods, options and files. Ctrl-C stops what runs.\n\nModules\n");
    text.push_str(&documentation::overview(session.width()));
    session.print(text.trim_end());
    Ok(Outcome::Done)
}

fn doc(session: &mut Session, name: &str) -> Result<Outcome> {
    let text = explain(session, name.trim().trim_end_matches("()"))?;
    session.print(&text);
    Ok(Outcome::Done)
}

/// The help on what `name` is here: a variable, one of its fields or methods, and else a name of the documentation.
///
/// # Errors
/// A name that nothing has.
pub fn explain(session: &Session, name: &str) -> Result<String> {
    let (lua, width) = (session.lua(), session.width());
    let all = tokens(name);
    // `first.VV:write`, and `first.crs` of the class's fields.
    if let [object @ .., mark, member] = all.as_slice()
        && (mark.is(".") || mark.is(":"))
        && let Some(Value::UserData(_)) = resolve::value_of(&lua, object)
        && let Some(class) = resolve::class_of(&lua, object)
    {
        if documentation::find(&format!("{class}:{}", member.text)).is_some() {
            return documentation::show(&format!("{class}:{}", member.text), width);
        }
        let field = documentation::find(&class).and_then(|e| e.fields.iter().find(|f| f.name == member.text));
        if let (Some(field), Some(value)) = (field, resolve::value_of(&lua, &all)) {
            let value = show::text(&lua, &value, width);
            return Ok(format!(
                "{class}.{}: {}\n  {}\n\n{value}",
                field.name, field.type_name, field.text
            ));
        }
        if mark.is(":") {
            return documentation::show(&format!("{class}:{}", member.text), width);
        }
    }
    let documented = documentation::find(name).is_some();
    match resolve::value_of(&lua, &all).filter(|_| !documented) {
        Some(Value::Function(function)) => match loader::name_of(&lua, &function) {
            Some(known) => documentation::show(&known, width),
            None if is_of_lua(name) => Ok(format!(
                "{name} is Lua's own: https://www.lua.org/manual/5.4/manual.html#pdf-{name}"
            )),
            None => Ok(show::text(&lua, &Value::Function(function), width)),
        },
        Some(Value::Table(table)) if loader::module_of(&lua, &table).is_some() => {
            documentation::show(&loader::module_of(&lua, &table).unwrap_or_default(), width)
        }
        Some(value @ Value::UserData(_)) => {
            let class = resolve::class_of(&lua, &all).unwrap_or_default();
            let shown = show::text(&lua, &value, width);
            let help = documentation::show(&class, width)?;
            Ok(format!("{name}: {}\n\n{shown}\n\n{help}", with_article(&class)))
        }
        Some(Value::Table(_)) if is_of_lua(name) => Ok(format!(
            "{name} is Lua's own: https://www.lua.org/manual/5.4/manual.html#6"
        )),
        Some(value) => Ok(format!(
            "{name} is {}\n\n{}",
            describe(&value),
            show::text(&lua, &value, width)
        )),
        None => documentation::show(name, width),
    }
}

/// Whether a name stands in Lua's manual.
fn is_of_lua(name: &str) -> bool {
    let library = name.split('.').next().unwrap_or(name);
    let functions = [
        "assert",
        "collectgarbage",
        "error",
        "getmetatable",
        "ipairs",
        "load",
        "next",
        "pairs",
        "pcall",
        "print",
        "rawequal",
        "rawget",
        "rawlen",
        "rawset",
        "require",
        "select",
        "setmetatable",
        "tonumber",
        "tostring",
        "type",
        "xpcall",
    ];
    let libraries = [
        "coroutine",
        "debug",
        "io",
        "math",
        "os",
        "string",
        "table",
        "utf8",
    ];
    libraries.contains(&library) || functions.contains(&name)
}

/// `?NAME`, and `?` alone.
pub fn doc_or_help(session: &mut Session, name: &str) -> Result<Outcome> {
    if name.is_empty() {
        help(session, "")
    } else {
        doc(session, name)
    }
}

fn time(session: &mut Session, code: &str) -> Result<Outcome> {
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let outcome = session.evaluate(code);
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    session.print(&format!("{} ({} on all cores)", seconds(wall), seconds(cpu)));
    Ok(outcome)
}

fn seconds(s: f64) -> String {
    match s {
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// Processor time of this process, all threads.
fn cpu_seconds() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: clock_gettime writes to the timespec that it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn load(session: &mut Session, text: &str) -> Result<Outcome> {
    // Names of files may have spaces, and `=` where no parameter is meant.
    let (name, given) = match text
        .find(" --")
        .or_else(|| text.find('=').and_then(|at| text[..at].rfind(' ')))
    {
        Some(at) => (text[..at].trim(), assignments(&text[at..])?),
        None => (text, Vec::new()),
    };
    let script = crate::host::cli::Script::find(name)?;
    if script.bundle.is_some() {
        return Err(Error::message(format!(
            "{name} is a bundle: `perilune run {name}` runs it, and `perilune unpack {name}` writes its script out, which can be loaded"
        )));
    }
    if let Some(folder) = &script.folder {
        loader::add_folder(&session.lua(), &access(&session.lua()).working().join(folder));
    }
    params::rename(&session.lua(), &script.name);
    for (name, value) in given {
        params::set(&session.lua(), name, value)?;
    }
    Ok(session.run_script(&script.text, &script.chunk))
}

/// The inputs that worked, in order, behind the modules that they use.
fn save(session: &mut Session, name: &str, over: bool) -> Result<Outcome> {
    let path = PathBuf::from(name);
    let target = access(&session.lua()).write(&path)?;
    if target.exists() && !over {
        return Err(Error::file(
            &path,
            format!("exists already; name another file, or write over it with :save! {name}"),
        ));
    }
    let text = script_text(session.kept());
    write_whole(&target, text.as_bytes())?;
    session.print(&format!(
        "wrote {} to {name}; `perilune run {name}` runs it",
        counted(text.lines().count(), "line")
    ));
    Ok(Outcome::Done)
}

pub fn script_text(inputs: &[Kept]) -> String {
    let lines: Vec<String> = inputs.iter().map(Kept::line).collect();
    let code = lines.join("\n");
    let modules = loader::module_names();
    let found = tokens(&code);
    let mut used: Vec<&str> = Vec::new();
    for (i, token) in found.iter().enumerate() {
        let is_field = i > 0 && (found[i - 1].is(".") || found[i - 1].is(":"));
        let is_call = found.get(i + 1).is_some_and(|next| next.is("."));
        let known = modules.iter().any(|m| m == token.text);
        if token.kind == TokenKind::Name && known && !is_field && is_call && !used.contains(&token.text) {
            used.push(token.text);
        }
    }
    used.retain(|name| !code.contains(&format!("local {name} = require")));
    let mut text = String::from("-- Saved from the prompt.\n");
    for name in used {
        text.push_str(&format!("local {name} = require \"{name}\"\n"));
    }
    text.push('\n');
    text.push_str(&code);
    text.push('\n');
    text
}

fn set_params(session: &mut Session, text: &str) -> Result<Outcome> {
    let lua = session.lua();
    if text.is_empty() {
        let declared = params::with(&lua, |p| p.declared.clone());
        let Some(declared) = declared else {
            return Err(Error::message(
                "nothing has declared parameters here; :load a script that does",
            ));
        };
        let mut specs = declared.specs;
        for spec in &mut specs {
            if let Some(value) = declared.values.get(&spec.name) {
                spec.default = value.clone();
            }
        }
        let text = help_text("", "", &specs, session.width());
        let list = text.split_once("Parameters:\n").map_or("", |(_, list)| list);
        session.print(
            list.replace("; default ", "; now ")
                .replace("[default ", "[now ")
                .trim_end(),
        );
        return Ok(Outcome::Done);
    }
    if text == "clear" {
        params::clear(&lua)?;
        return Ok(Outcome::Done);
    }
    for (name, value) in assignments(text)? {
        params::set(&lua, name, value)?;
    }
    Ok(Outcome::Done)
}

/// `radius=5 --out=a.tif`
fn assignments(text: &str) -> Result<Vec<(&str, &str)>> {
    let parts = text.split_whitespace().map(|part| {
        let pair = part.trim_start_matches("--").split_once('=');
        pair.ok_or_else(|| Error::message(format!("`{part}` is not NAME=VALUE")))
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_session_requires_what_it_uses() {
        let inputs = [
            "local x = json.decode('1')",
            "print(x.json)",
            "y = 'json.z'",
            "x.y",
        ]
        .map(|text| Kept {
            text: text.to_string(),
            expression: text == "x.y",
        });
        assert_eq!(
            script_text(&inputs),
            "-- Saved from the prompt.\nlocal json = require \"json\"\n\nlocal x = json.decode('1')\nprint(x.json)\ny = 'json.z'\nprint(x.y)\n"
        );
    }
}
