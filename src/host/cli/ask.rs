//! The one question about a script of others: all that it asks for, before a byte of it runs.
//!
//! The terminal is the user's, and what a script is called or says of itself may try to look like her terminal. So names are escaped, what was typed
//! before the question was shown is thrown away, and an answer is a whole word.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{QueueSelector, tcflush};

use super::asked::{Asked, is_known, of_libraries, options};
use super::scripts::Script;
use crate::bytes::credentials::Vault;
use crate::error::{Error, Result};
use crate::host::params::{description, wrap};
use crate::interrupt;
use crate::share::permissions::{Grants, escaped};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// And remember it.
    Yes,
    Once,
    No,
}

/// Lines of a description that are shown: it may be long to move the question out of sight.
const MOST_LINES: usize = 6;

/// Asks for what is `left` of what the script asks for; `before` is granted already.
///
/// # Errors
/// When there is no terminal to ask at.
pub fn ask(script: &Script, found: &Asked, left: &Grants, before: &Grants) -> Result<Reply> {
    let vault = Vault::of_user().ok();
    let wanted = left.lines(|host| is_known(vault.as_ref(), host));
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(Error::message(format!(
            "{} asks for what was not granted, and there is no terminal to ask you at:\n  {}\nNothing of it was run. `perilune inspect {}` tells what it \
             is; to grant this, add: {}",
            escaped(&script.name),
            wanted.join("\n  "),
            escaped(&script.name),
            options(left)
        )));
    }
    let granted = before.lines(|host| is_known(vault.as_ref(), host));
    let text = question(script, found, &wanted, &granted);
    tell(&text);
    let mut wrong = 0;
    while wrong < 3 {
        // What was typed before the question stood there was no answer to it.
        let _ = tcflush(std::io::stdin().as_fd(), QueueSelector::IFlush);
        tell("Let it? [yes: and do not ask again for this very content | once | no | show: its text] ");
        let Some(answer) = line() else {
            tell("\n");
            break;
        };
        match answer.trim().to_ascii_lowercase().as_str() {
            "yes" | "y" => return Ok(Reply::Yes),
            "once" | "o" => return Ok(Reply::Once),
            "no" | "n" => break,
            "show" | "s" => {
                tell(&shown(script, found));
                tell(&text);
            }
            _ => {
                wrong += 1;
                tell("Answer by one of the words: yes, once, no, show.\n");
            }
        }
    }
    tell("Refused: nothing of it was run.\n");
    Ok(Reply::No)
}

fn question(script: &Script, found: &Asked, wanted: &[String], granted: &[String]) -> String {
    let mut text = format!(
        "{} is a script of others. Nothing of it has run yet.\n",
        escaped(&script.name)
    );
    let about = description(&script.text);
    let mut lines: Vec<String> = about.lines().flat_map(|line| wrap(&escaped(line), 90)).collect();
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        lines.push("…".into());
    }
    if !lines.is_empty() {
        text.push_str("It says of itself:\n");
        lines
            .iter()
            .for_each(|line| text.push_str(&format!("  | {line}\n")));
    }
    text.push_str(&format!(
        "Content: sha256 {}, signed by {}\n",
        found.content.sha256,
        escaped(&script.signed_by())
    ));
    let libraries = of_libraries(&found.content);
    if !libraries.is_empty() {
        text.push_str("It brings libraries, which can do what it can:\n");
        for (library, modules) in libraries {
            text.push_str(&format!(
                "  {} ({})\n",
                escaped(library),
                escaped(&modules.join(", "))
            ));
        }
    }
    found
        .beyond
        .iter()
        .for_each(|line| text.push_str(&format!("  {}\n", escaped(line))));
    text.push_str("It asks to\n");
    wanted
        .iter()
        .for_each(|line| text.push_str(&format!("  {line}\n")));
    if !granted.is_empty() {
        text.push_str("Already granted, by your parameters, options and earlier answers, is to\n");
        granted
            .iter()
            .for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    if let Some(own) = &found.own {
        text.push_str(&format!(
            "It reads the folder that it came in: {}\n",
            escaped(&own.to_string_lossy())
        ));
    }
    text.push_str(
        "Nothing else is open to it: no other file, no other server, no other login, no program.\n",
    );
    text
}

/// The whole text, and that of its modules, with numbers of lines.
fn shown(script: &Script, found: &Asked) -> String {
    let mut out = String::new();
    let locals = found
        .content
        .locals
        .values()
        .map(|local| (local.shown.trim_start_matches('@'), &local.text));
    for (name, text) in [(script.name.as_str(), &script.text)].into_iter().chain(locals) {
        out.push_str(&format!("--- {} ---\n", escaped(name)));
        for (i, line) in text.lines().enumerate() {
            out.push_str(&format!(
                "{:>5} | {}\n",
                i + 1,
                escaped(&line.replace('\t', "    "))
            ));
        }
    }
    out
}

/// Standard error is where the question stands; that it was a terminal was seen.
fn tell(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What is typed, up to Enter. None at the end of the input and after Ctrl-C.
fn line() -> Option<String> {
    let input = std::io::stdin();
    let mut line = Vec::new();
    loop {
        let mut waiting = [PollFd::new(&input, PollFlags::IN)];
        let tick = Timespec {
            tv_sec: 0,
            tv_nsec: 50_000_000,
        };
        let ready = match poll(&mut waiting, Some(&tick)) {
            Ok(ready) => ready,
            Err(rustix::io::Errno::INTR) => 0,
            Err(_) => return None,
        };
        if interrupt::requested() {
            return None;
        }
        if ready == 0 {
            continue;
        }
        let mut bytes = [0u8; 256];
        // Past the buffer of standard input, which would keep what comes after Enter.
        match rustix::io::read(input.as_fd(), &mut bytes) {
            Ok(0) | Err(_) => return None,
            Ok(count) => line.extend_from_slice(&bytes[..count]),
        }
        if line.contains(&b'\n') || line.len() > 256 {
            return Some(String::from_utf8_lossy(&line).into_owned());
        }
    }
}
