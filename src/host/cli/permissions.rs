//! What the command line grants and denies.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Global;
use crate::bytes::http::Grant;

/// What scripts of others may do, for runs at which nobody is asked; and what no script may do.
#[derive(Args, Clone, Default)]
pub struct Permissions {
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

fn host(text: &str) -> Result<String, String> {
    Grant::parse(text)
        .map(|_| text.to_string())
        .map_err(|e| e.to_string())
}

impl Global {
    /// What is granted and denied, for another process of this program.
    pub fn of_permissions(&self) -> Vec<OsString> {
        let p = &self.permissions;
        let paths = [
            ("--allow-write", &self.allow_write),
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
