//! Who the user is, told to the hosts that she has it from and to nobody else.
//!
//! A [`Vault`] holds logins, each bound to names of hosts. The HTTP client asks it anew at every hop of a redirect, so
//! no secret follows a redirect elsewhere. Nothing is sent over a way that others can read: https, or this machine.
//! A password that a host refuses is not sent a second time, since accounts lock.

mod advice;
mod attempt;
mod check;
mod form;
pub mod m2m;
pub(crate) mod netrc;
mod place;
mod secret;
mod services;
pub(super) mod session;
mod signature;
mod sources;
mod store;
mod token;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use url::Url;

use crate::error::Result;
pub use attempt::{Attempt, Refused};
pub use check::{Checked, check};
pub use place::{Place, protected};
pub use secret::Secret;
pub use services::Services;
pub use sources::{PERMISSIONS, SIGNERS, Sources, StoredLogin};
pub use store::{Login, Store};

use attempt::Trial;
use signature::Signatures;

/// All logins of the user, each bound to its hosts, and what became of them in this process.
#[derive(Debug)]
pub struct Vault {
    services: Services,
    entries: Vec<(StoredLogin, Trial)>,
    problems: Vec<String>,
    signatures: Signatures,
    sessions: session::Sessions,
}

/// What the user's keys of S3 are called where logins are named.
pub const S3_KEYS: &str = "s3";

/// What was read before the files of logins were closed.
static EARLY: Mutex<Option<Result<Vault>>> = Mutex::new(None);

impl Default for Vault {
    fn default() -> Self {
        Vault::empty()
    }
}

impl Vault {
    /// Nobody's: for public archives and tests.
    pub fn empty() -> Vault {
        Vault::new(Services::real(), Vec::new())
    }

    /// These logins; of two for one host, the first counts.
    pub fn new(services: Services, entries: Vec<StoredLogin>) -> Vault {
        let mut problems = Vec::new();
        for entry in &entries {
            if let Some(problem) = token::expired(entry) {
                problems.push(problem);
            }
        }
        Vault {
            services,
            entries: entries
                .into_iter()
                .map(|entry| (entry, Trial::default()))
                .collect(),
            problems,
            signatures: Signatures::default(),
            sessions: session::Sessions::default(),
        }
    }

    /// What the environment, `perilune login` and netrc hold. A file that cannot be used is no error here, since most
    /// archives are public: it is among the [`problems`](Vault::problems), which messages about a missing login show.
    ///
    /// # Errors
    /// When a variable that moves an archive's login is no address.
    pub fn of_user() -> Result<Vault> {
        Vault::from_sources(&Sources::of_user())
    }

    /// As [`of_user`](Vault::of_user), at once and for good: the files of logins may be closed to this process later. With `only`, no other
    /// logins than those of these hosts are used in this process; `s3` stands for the user's keys of S3.
    pub fn read_early(only: Option<&[String]>) {
        let mut vault = Vault::of_user();
        if let (Some(hosts), Ok(vault)) = (only, &mut vault) {
            let granted: Vec<Place> = hosts.iter().map(|host| Place::host(host)).collect();
            vault.entries.retain(|(entry, _)| granted.contains(&entry.place));
            vault.problems.clear();
        }
        match only.is_some_and(|hosts| !hosts.iter().any(|host| host == S3_KEYS)) {
            true => super::s3::forget_keys(),
            false => super::s3::read_early(),
        }
        *EARLY.lock().unwrap_or_else(PoisonError::into_inner) = Some(vault);
    }

    /// The logins that were read early, else those of now.
    ///
    /// # Errors
    /// As [`of_user`](Vault::of_user).
    pub fn of_process() -> Result<Vault> {
        let mut kept = EARLY.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take().unwrap_or_else(Vault::of_user)
    }

    /// # Errors
    /// As [`of_user`](Vault::of_user).
    pub fn from_sources(sources: &Sources) -> Result<Vault> {
        let services = Services::new(&sources.variable)?;
        let (entries, problems) = sources.read(&services);
        let mut vault = Vault::new(services, entries);
        vault.problems.splice(0..0, problems);
        Ok(vault)
    }

    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The hosts that the user has logins for, with the user's name and where the login was found.
    pub fn logins(&self) -> impl Iterator<Item = &StoredLogin> {
        self.entries.iter().map(|(entry, _)| entry)
    }

    /// What is wrong with the user's files and variables.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// All files that hold secrets of the user, where they exist or would exist.
    pub fn files_of_user() -> Vec<PathBuf> {
        Sources::of_user().files()
    }

    /// Files and folders of keys and logins that are closed to everybody.
    pub fn closed_of_user() -> Vec<PathBuf> {
        Sources::of_user().closed()
    }

    /// The header that a request to `url` needs, if the user has a login for its host. Only https, and this machine's
    /// own addresses, get any.
    pub fn authorization(&self, url: &Url) -> Option<(HeaderName, HeaderValue)> {
        self.entries.iter().find_map(|(entry, _)| self.header(entry, url))
    }

    fn header(&self, entry: &StoredLogin, url: &Url) -> Option<(HeaderName, HeaderValue)> {
        let services = &self.services;
        if !protected(url) {
            return None;
        }
        let is = |service: &Url| entry.place == Place::of(service);
        let here = entry.place.holds(url);
        let (name, text) = match &entry.login {
            Login::Token { .. } if token::expired(entry).is_some() => return None,
            Login::Token { token, .. } if is(&services.earthdata) => {
                let takes_tokens = services.earthdata_data.iter().any(|place| place.holds(url));
                if here || !takes_tokens {
                    return None;
                }
                (AUTHORIZATION, Secret::new(format!("Bearer {}", token.reveal())))
            }
            // These two are told in the body of a request of their own.
            _ if is(&services.ers) || is(&services.m2m) => return None,
            _ if !here => return None,
            Login::Token { token, .. } if is(&services.planetary_computer) => (
                HeaderName::from_static("ocp-apim-subscription-key"),
                token.clone(),
            ),
            Login::Token { token, .. } => (AUTHORIZATION, Secret::new(format!("Bearer {}", token.reveal()))),
            Login::Password { user, password } => (AUTHORIZATION, basic(user, password)),
        };
        let mut value = HeaderValue::from_str(text.reveal()).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }

    /// `text`, which a server has sent, without what the user told it in confidence.
    pub fn without_secrets(&self, text: &str) -> String {
        let mut out = text.to_string();
        for entry in self.logins() {
            let secret = entry.login.secret();
            // Shorter ones would blot out ordinary words, and are no secrets.
            if secret.reveal().len() < 4 {
                continue;
            }
            let mut shapes = vec![secret.clone()];
            let encoded: String = url::form_urlencoded::byte_serialize(secret.reveal().as_bytes()).collect();
            shapes.push(Secret::new(encoded));
            if let Some(user) = entry.login.user() {
                let basic = basic(user, secret);
                shapes.push(Secret::new(basic.reveal().trim_start_matches("Basic ")));
            }
            for shape in shapes {
                out = out.replace(shape.reveal(), "…");
            }
        }
        self.signatures.hide(&out)
    }
}

/// The value of the header of RFC 7617.
fn basic(user: &str, password: &Secret) -> Secret {
    let both = Secret::new(format!("{user}:{}", password.reveal()));
    Secret::new(format!("Basic {}", STANDARD.encode(both.reveal())))
}

#[cfg(test)]
mod tests;
