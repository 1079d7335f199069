//! The commands of the prompt, which start with a colon. `:help` lists this table.

use std::path::PathBuf;
use std::time::Instant;

use super::session::{Outcome, Session};
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::host::lexer::{Kind, tokens};
use crate::host::params::{self, help_text};
use crate::host::{documentation, loader};
use crate::lua::access;

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
        argument: "FILE",
        help: "run a script here, and keep its variables",
        run: load,
    },
    Command {
        name: "save",
        argument: "FILE",
        help: "write what worked so far as a script",
        run: save,
    },
    Command {
        name: "params",
        argument: "[NAME=VALUE …]",
        help: "show the parameters, or set them here and for the next :load",
        run: set_params,
    },
    Command {
        name: "quit",
        argument: "",
        help: "leave; so does Ctrl-D",
        run: |_, _| Ok(Outcome::Quit),
    },
];

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
                .filter(|c| !name.is_empty() && c.name.starts_with(name));
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
    let text = documentation::show(&of_class(session, name), session.width())?;
    session.print(&text);
    Ok(Outcome::Done)
}

/// The name with a variable that holds an object replaced by its class: `?image:write` is `?Raster:write`.
fn of_class(session: &Session, name: &str) -> String {
    let end = name.find([':', '.']).unwrap_or(name.len());
    match session.lua().globals().raw_get(&name[..end]) {
        Ok(mlua::Value::UserData(object)) => match object.type_name() {
            Ok(class) => format!("{}{}", class.to_string_lossy(), name[end..].replacen('.', ":", 1)),
            Err(_) => name.to_string(),
        },
        _ => name.to_string(),
    }
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

fn load(session: &mut Session, name: &str) -> Result<Outcome> {
    let script = crate::host::cli::Script::find(name)?;
    if let Some(folder) = &script.folder {
        loader::add_folder(&session.lua(), &access(&session.lua()).working().join(folder));
    }
    params::rename(&session.lua(), &script.name);
    Ok(session.run_script(&script.text, &script.chunk))
}

/// The inputs that worked, in order, behind the modules that they use.
fn save(session: &mut Session, name: &str) -> Result<Outcome> {
    let path = PathBuf::from(name);
    let target = access(&session.lua()).write(&path)?;
    if target.exists() {
        return Err(Error::file(&path, "exists already; name another file"));
    }
    let text = script_text(session.kept());
    write_atomically(&target, |out| out.write_all(text.as_bytes()))?;
    session.print(&format!(
        "wrote {} lines to {name}; `perilune run {name}` runs it",
        text.lines().count()
    ));
    Ok(Outcome::Done)
}

pub fn script_text(inputs: &[String]) -> String {
    let code = inputs.join("\n");
    let modules = loader::module_names();
    let found = tokens(&code);
    let mut used: Vec<&str> = Vec::new();
    for (i, token) in found.iter().enumerate() {
        let is_field = i > 0 && (found[i - 1].is(".") || found[i - 1].is(":"));
        let is_call = found.get(i + 1).is_some_and(|next| next.is("."));
        let known = modules.iter().any(|m| m == token.text);
        if token.kind == Kind::Name && known && !is_field && is_call && !used.contains(&token.text) {
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
    for part in text.split_whitespace() {
        let Some((name, value)) = part.trim_start_matches("--").split_once('=') else {
            return Err(Error::message(format!("`{part}` is not NAME=VALUE")));
        };
        params::set(&lua, name, value)?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_session_requires_what_it_uses() {
        let inputs = ["local x = json.decode('1')", "print(x.json)", "y = 'json.z'"].map(String::from);
        assert_eq!(
            script_text(&inputs),
            "-- Saved from the prompt.\nlocal json = require \"json\"\n\nlocal x = json.decode('1')\nprint(x.json)\ny = 'json.z'\n"
        );
    }
}
