//! What the command line grants and denies.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Command, FromArgMatches, ValueEnum};

use super::Global;
use crate::bytes::http::Grant;
use crate::error::{Error, Result};
use crate::host::Limits;

/// What scripts of others may do, for runs at which nobody is asked; and what no script may do.
#[derive(Args, Clone, Default)]
pub struct Permissions {
    /// Let scripts also write in FOLDER and below; may be given several times
    #[arg(long, global = true, value_name = "FOLDER")]
    pub allow_write: Vec<PathBuf>,

    /// Run the script as one of others: it gets what it states that it needs (needs { … }), once you agree, and nothing else
    #[arg(long, global = true)]
    pub untrusted: bool,

    /// Let an untrusted script read PATH and below, without a question
    #[arg(long, global = true, value_name = "PATH")]
    pub allow_read: Vec<PathBuf>,

    /// Let an untrusted script ask HOST, a domain (*.example.org) or a network (10.0.0.0/8), without a question
    #[arg(long, global = true, value_name = "HOST", value_parser = host)]
    pub allow_host: Vec<String>,

    /// Let an untrusted script use your login of an archive or host, without a question
    #[arg(long, global = true, value_name = "NAME")]
    pub allow_login: Vec<String>,

    /// Let an untrusted script do all that it states that it needs, without a question
    #[arg(long, global = true)]
    pub allow_all: bool,

    /// Let no script read or write PATH and below
    #[arg(long, global = true, value_name = "PATH")]
    pub deny_read: Vec<PathBuf>,

    /// Let no script write PATH and below
    #[arg(long, global = true, value_name = "PATH")]
    pub deny_write: Vec<PathBuf>,

    /// Let no script ask HOST, or a domain or network
    #[arg(long, global = true, value_name = "HOST", value_parser = host)]
    pub deny_host: Vec<String>,
}

fn host(text: &str) -> std::result::Result<String, String> {
    Grant::parse(text)
        .map(|_| text.to_string())
        .map_err(|e| e.to_string())
}

impl Permissions {
    /// Takes what grants and denies out of the arguments of a script, too, and adds it. None of it is ever a parameter: a script that declares one of such a name
    /// would be trusted by it.
    ///
    /// # Errors
    /// Options without their value, and hosts that are none.
    pub fn taken(&self, arguments: &[String]) -> Result<(Permissions, Vec<String>)> {
        let mut command = Permissions::augment_args(Command::new("perilune"))
            .no_binary_name(true)
            .disable_help_flag(true);
        command.build();
        let takes_value = |argument: &str| {
            let name = argument.strip_prefix("--")?.split('=').next()?;
            let option = command.get_arguments().find(|o| o.get_long() == Some(name))?;
            Some(option.get_action().takes_values() && !argument.contains('='))
        };
        let (mut own, mut left) = (Vec::new(), Vec::new());
        let mut arguments = arguments.iter().cloned();
        while let Some(argument) = arguments.next() {
            match takes_value(&argument) {
                None => left.push(argument),
                Some(has_value) => {
                    own.push(argument);
                    own.extend(has_value.then(|| arguments.next()).flatten());
                }
            }
        }
        let wrong = |e: clap::Error| {
            let text = e.to_string();
            let line = text.lines().next().unwrap_or_default();
            Error::message(line.trim_start_matches("error: ").to_string())
        };
        let matches = command.try_get_matches_from(own).map_err(wrong)?;
        let more = Permissions::from_arg_matches(&matches).map_err(wrong)?;
        let joined = Permissions {
            allow_write: [self.allow_write.clone(), more.allow_write].concat(),
            untrusted: self.untrusted || more.untrusted,
            allow_read: [self.allow_read.clone(), more.allow_read].concat(),
            allow_host: [self.allow_host.clone(), more.allow_host].concat(),
            allow_login: [self.allow_login.clone(), more.allow_login].concat(),
            allow_all: self.allow_all || more.allow_all,
            deny_read: [self.deny_read.clone(), more.deny_read].concat(),
            deny_write: [self.deny_write.clone(), more.deny_write].concat(),
            deny_host: [self.deny_host.clone(), more.deny_host].concat(),
        };
        Ok((joined, left))
    }
}

impl Global {
    /// All of it, for other processes of this program, wherever they start.
    pub fn words(&self) -> Vec<OsString> {
        let mut own = self.clone();
        let p = &mut own.permissions;
        let lists = [
            &mut p.allow_write,
            &mut p.allow_read,
            &mut p.deny_read,
            &mut p.deny_write,
        ];
        for path in lists.into_iter().flatten() {
            // One that is empty stays so, and is refused there.
            *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
        }
        let mut out = own.of_permissions();
        out.extend(self.threads.map(|threads| format!("--threads={threads}").into()));
        out.extend(self.memory.map(|memory| format!("--memory={memory}").into()));
        let heap = (self.lua_memory != Limits::default().heap).then_some(self.lua_memory);
        out.extend(heap.map(|heap| format!("--lua-memory={heap}").into()));
        out.extend(
            self.time_limit
                .map(|limit| format!("--time-limit={}", limit.as_secs_f64()).into()),
        );
        out.extend(self.quiet.then(|| "--quiet".into()));
        out
    }

    /// What is granted and denied, for another process of this program.
    pub fn of_permissions(&self) -> Vec<OsString> {
        let p = &self.permissions;
        let paths = [
            ("--allow-write", &p.allow_write),
            ("--allow-read", &p.allow_read),
            ("--deny-read", &p.deny_read),
            ("--deny-write", &p.deny_write),
        ];
        let texts = [
            ("--allow-host", &p.allow_host),
            ("--allow-login", &p.allow_login),
            ("--deny-host", &p.deny_host),
        ];
        let mut out: Vec<OsString> = Vec::new();
        for (option, list) in paths {
            out.extend(list.iter().flat_map(|path| [option.into(), path.into()]));
        }
        for (option, list) in texts {
            out.extend(list.iter().flat_map(|text| [option.into(), text.into()]));
        }
        out.extend(p.allow_all.then(|| "--allow-all".into()));
        let confine = self.confine.to_possible_value();
        out.extend(confine.map(|value| format!("--confine={}", value.get_name()).into()));
        out
    }
}
