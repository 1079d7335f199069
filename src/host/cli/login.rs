//! `perilune login`, `logout` and `logins`: the host's file of logins, which scripts never see.

use std::io::{BufRead, IsTerminal, Write};

use super::{DONE, SCRIPT_ERROR};
use crate::bytes::credentials::{Checked, Login, Place, Secret, Services, Sources, Store, Vault, check};
use crate::error::{Error, Result};

/// Asks for a login of `host`, checks it where there is a way to, and stores it.
pub fn login(host: &str, user: Option<String>, token: bool, unchecked: bool) -> Result<u8> {
    let services = Services::new(Sources::of_user().variable)?;
    let host = services.host_of(host);
    let url = url::Url::parse(&format!("https://{host}/"));
    if host.is_empty() || url.is_err() {
        return Err(Error::argument(
            "HOST",
            "the name of a host or of an archive",
            format!("`{host}`"),
        ));
    }
    let is = |service: &url::Url| Place::of(service) == Place::host(&host);
    let with_user = !token || is(&services.m2m);
    let token = token || is(&services.m2m) || is(&services.planetary_computer);
    let mut input = Input::new();
    let user = match user {
        Some(user) => Some(user),
        None if with_user && !is(&services.planetary_computer) => {
            Some(input.line(&format!("User at {host}: "))?)
        }
        None => None,
    };
    if user.as_ref().is_some_and(|user| user.trim().is_empty()) {
        return Err(Error::message("no user's name was given; nothing is stored"));
    }
    let what = if token { "Token" } else { "Password" };
    let secret = input.secret(&format!("{what} for {host} (not shown): "))?;
    if secret.is_empty() {
        return Err(Error::message(format!(
            "no {} was given; nothing is stored",
            what.to_lowercase()
        )));
    }
    let login = match (token, user) {
        (false, Some(user)) => Login::Password {
            user,
            password: secret,
        },
        (_, user) => Login::Token { user, token: secret },
    };
    let checked = match unchecked {
        true => Checked::Not("as you asked"),
        false => match check(services, &host, &login) {
            Ok(checked) => checked,
            Err(error) => {
                crate::complain!("error: {error}\nnothing is stored; --no-check stores it all the same");
                return Ok(SCRIPT_ERROR);
            }
        },
    };
    let store = store()?;
    store.save(&host, login)?;
    let kind = if token { "token" } else { "user and password" };
    crate::say!(
        "stored the {kind} for {host} in {} (readable by you alone)",
        store.path().display()
    );
    match checked {
        Checked::Accepted => crate::say!("{host} accepts it"),
        Checked::Not(why) => crate::say!("not checked: {why}"),
    }
    Ok(DONE)
}

/// Forgets what is stored for `host`.
pub fn logout(host: &str) -> Result<u8> {
    let services = Services::new(Sources::of_user().variable)?;
    let host = services.host_of(host);
    let store = store()?;
    match store.remove(&host)? {
        0 => {
            crate::complain!(
                "error: no login for {host} is stored in {}; `perilune logins` lists them",
                store.path().display()
            );
            Ok(SCRIPT_ERROR)
        }
        _ => {
            crate::say!("removed the login for {host} from {}", store.path().display());
            Ok(DONE)
        }
    }
}

/// Lists the hosts that logins are known for, without the logins.
pub fn list() -> Result<u8> {
    let lines = lines()?;
    match lines.is_empty() {
        true => crate::say!("no logins are known; `perilune login HOST` stores one"),
        false => lines.iter().for_each(|line| crate::say!("{line}")),
    }
    Ok(DONE)
}

/// One line for each login and each problem.
pub fn lines() -> Result<Vec<String>> {
    let vault = Vault::of_user()?;
    let mut lines: Vec<String> = vault
        .logins()
        .map(|entry| {
            let kind = match &entry.login {
                Login::Password { user, .. } => format!("user {user}"),
                Login::Token { user: Some(user), .. } => format!("token of {user}"),
                Login::Token { user: None, .. } => "token".to_string(),
            };
            format!("{:<32} {kind}, from {}", entry.place.to_string(), entry.source)
        })
        .collect();
    lines.extend(
        vault
            .problems()
            .iter()
            .map(|problem| format!("problem: {problem}")),
    );
    Ok(lines)
}

fn store() -> Result<Store> {
    Store::of_user().ok_or_else(|| {
        Error::message("there is no home folder to store logins in; set XDG_CONFIG_HOME to a folder")
    })
}

/// A person at a terminal, or lines of a pipe.
struct Input {
    asks: bool,
    lines: std::io::Lines<std::io::StdinLock<'static>>,
}

/// Standard error may be closed; the answer is read all the same.
fn ask(question: &str) {
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "{question}").and_then(|()| out.flush());
}

impl Input {
    fn new() -> Input {
        Input {
            asks: std::io::stdin().is_terminal(),
            lines: std::io::stdin().lock().lines(),
        }
    }

    fn line(&mut self, question: &str) -> Result<String> {
        if self.asks {
            ask(question);
        }
        let failed = |e| Error::io("standard input", e);
        Ok(self
            .lines
            .next()
            .transpose()
            .map_err(failed)?
            .unwrap_or_default()
            .trim()
            .to_string())
    }

    /// A line that the terminal does not show. At its end a newline is cut off and nothing else.
    fn secret(&mut self, question: &str) -> Result<Secret> {
        let failed = |e| Error::io("standard input", e);
        if !self.asks {
            return Ok(Secret::new(
                self.lines.next().transpose().map_err(failed)?.unwrap_or_default(),
            ));
        }
        ask(question);
        rpassword::read_password().map(Secret::new).map_err(failed)
    }
}
