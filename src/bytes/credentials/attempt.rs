//! The use of a login, from before the request until its answer, and what a refusal means for later ones.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{HeaderName, HeaderValue};
use url::Url;

use super::sources::StoredLogin;
use super::store::Login;
use super::{Place, Vault};

/// What became of a login in this process.
#[derive(Debug, Default)]
pub struct Trial {
    /// Held during the first use of a password: until the host has accepted it, nothing else is sent with it, so that
    /// a wrong one is told once and not by all parallel downloads at the same time.
    turn: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    accepted: bool,
    /// Of tokens, the hosts; of passwords, the applications of a common login; or the empty name.
    refused: HashSet<String>,
}

impl Trial {
    fn known<T>(&self, read: impl FnOnce(&mut Known) -> T) -> T {
        read(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn refuses(&self, application: &str) -> bool {
        self.known(|known| {
            known.refused.contains(application) || (!known.accepted && !known.refused.is_empty())
        })
    }
}

/// A login that is about to be used. It has to be told the answer's status.
pub struct Attempt<'a> {
    pub entry: &'a StoredLogin,
    pub header: Option<(HeaderName, HeaderValue)>,
    trial: &'a Trial,
    name: String,
    _turn: Option<tokio::sync::OwnedMutexGuard<()>>,
}

/// The login was refused earlier in this process and is not tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub place: Place,
    pub source: String,
}

impl Attempt<'_> {
    /// The answer has come.
    pub fn answered(self, status: u16) {
        self.trial.known(|known| match status {
            401 => {
                known.refused.insert(self.name.clone());
            }
            // The host knows the user and may still say no to this file.
            200..=399 | 403 | 404 => known.accepted = true,
            _ => {}
        });
    }

    pub fn refused(self) {
        self.answered(401);
    }
}

impl Vault {
    /// The login for a request to `url`, if there is one. Waits while another request tries it for the first time.
    ///
    /// # Errors
    /// When the host has refused it in this process already.
    pub async fn attempt(&self, url: &Url) -> Result<Option<Attempt<'_>>, Refused> {
        for (entry, trial) in &self.entries {
            let Some(header) = self.header(entry, url) else {
                continue;
            };
            if let Login::Token { .. } = entry.login {
                let name = Place::of(url).to_string();
                // Where a token is not taken, a password may be.
                if trial.known(|known| known.refused.contains(&name)) {
                    continue;
                }
                return Ok(Some(Attempt {
                    entry,
                    header: Some(header),
                    trial,
                    name,
                    _turn: None,
                }));
            }
            let application = url.query_pairs().find(|(name, _)| name == "client_id");
            let name = application.map_or(String::new(), |(_, value)| value.into_owned());
            return begin(entry, trial, name, Some(header)).await.map(Some);
        }
        Ok(None)
    }

    /// The login that is bound to `place`, for a host that wants it in a form.
    pub(super) async fn attempt_at(&self, place: &Place) -> Result<Option<Attempt<'_>>, Refused> {
        match self.entries.iter().find(|(entry, _)| entry.place == *place) {
            Some((entry, trial)) => begin(entry, trial, String::new(), None).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether a request to `url` that was answered 401 could be answered otherwise now: its token was refused, and
    /// without it Earthdata's login may be asked instead.
    pub(super) fn has_another_way(&self, url: &Url) -> bool {
        let name = Place::of(url).to_string();
        let refused = self.entries.iter().any(|(entry, trial)| {
            matches!(entry.login, Login::Token { .. })
                && self.header(entry, url).is_some()
                && trial.known(|known| known.refused.contains(&name))
        });
        let place = Place::of(&self.services.earthdata);
        let password = self.entries.iter().any(|(entry, trial)| {
            matches!(entry.login, Login::Password { .. }) && entry.place == place && !trial.refuses("")
        });
        refused && password && self.services.earthdata_data.iter().any(|data| data.holds(url))
    }
}

async fn begin<'a>(
    entry: &'a StoredLogin,
    trial: &'a Trial,
    name: String,
    header: Option<(HeaderName, HeaderValue)>,
) -> Result<Attempt<'a>, Refused> {
    let mut turn = None;
    if !trial.known(|known| known.accepted) {
        turn = Some(trial.turn.clone().lock_owned().await);
    }
    if trial.refuses(&name) {
        return Err(Refused {
            place: entry.place.clone(),
            source: entry.source.clone(),
        });
    }
    // Accepted in the meantime: nobody has to wait any more.
    if trial.known(|known| known.accepted) {
        turn = None;
    }
    Ok(Attempt {
        entry,
        header,
        trial,
        name,
        _turn: turn,
    })
}
