//! Signatures of Planetary Computer: a query that opens the files of a container for about an hour. They are added when
//! a request is sent, so neither scripts nor saved results hold one, and a new one is got where one has run out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use url::Url;

use super::place::protected;
use super::secret::Secret;
use super::services::Services;
use crate::bytes::http::{Failure, Http, Request};

#[derive(Debug, Default)]
pub struct Signatures {
    /// By `account/container`; `None` for those that Planetary Computer does not know.
    known: Mutex<HashMap<String, Option<Signature>>>,
}

#[derive(Debug, Clone)]
struct Signature {
    query: Secret,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Answer {
    token: String,
    /// RFC 3339.
    #[serde(rename = "msft:expiry")]
    expiry: String,
}

/// A signature is renewed this long before it ends: clocks differ, and a request takes its time.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

/// `account/container` of an address of a blob.
pub fn container(services: &Services, url: &Url) -> Option<String> {
    if !services.blobs.holds(url) || !protected(url) {
        return None;
    }
    let account = url.host_str()?.split('.').next()?;
    let container = url.path_segments()?.next().filter(|name| !name.is_empty())?;
    Some(format!("{account}/{container}"))
}

/// True for addresses with a signature of their own that still holds, or that does not say until when.
fn has_own(url: &Url) -> bool {
    let get = |wanted: &str| {
        url.query_pairs()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    match (get("sig"), get("se")) {
        (None, _) => false,
        (Some(_), Some(end)) => end.parse::<Timestamp>().is_ok_and(|end| end > Timestamp::now()),
        (Some(_), None) => true,
    }
}

impl Signatures {
    /// The address as it has to be asked for, where that differs.
    pub fn signed(&self, services: &Services, url: &Url) -> Option<Url> {
        let name = container(services, url)?;
        if has_own(url) {
            return None;
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let signature = known.get(&name)?.as_ref()?;
        if signature.until - EARLY < Timestamp::now() {
            return None;
        }
        let mut signed = url.clone();
        // A signature that has run out goes; other parameters stay.
        let own = [
            "sig", "st", "se", "sp", "sv", "sr", "skoid", "sktid", "skt", "ske", "sks", "skv", "sip", "spr",
            "si",
        ];
        let kept: Vec<&str> = url
            .query()
            .unwrap_or("")
            .split('&')
            .filter(|part| !part.is_empty() && !own.contains(&part.split('=').next().unwrap_or("")))
            .chain([signature.query.reveal()])
            .collect();
        signed.set_query(Some(&kept.join("&")));
        Some(signed)
    }

    /// Gets a signature for the container of `url`; false where there is none to be had. `sent`: the address that was
    /// refused, with the signature that it had.
    pub async fn renew(&self, http: &Http, url: &Url, sent: &Url) -> Result<bool, Failure> {
        let services = http.vault.services();
        let Some(name) = container(services, url) else {
            return Ok(false);
        };
        if has_own(url) {
            return Ok(false);
        }
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get(&name) {
                Some(None) => return Ok(false),
                Some(Some(signature)) => {
                    let used = sent
                        .query()
                        .is_some_and(|query| query.contains(signature.query.reveal()));
                    // Another request has renewed it meanwhile.
                    if !used && signature.until - EARLY > Timestamp::now() {
                        return Ok(true);
                    }
                    known.remove(&name);
                }
                None => {}
            }
        }
        let Ok(address) = services.planetary_computer.join(&name) else {
            return Ok(false);
        };
        let found = match http
            .send(&Request {
                login: true,
                ..Request::get(address).accept("application/json")
            })
            .await
        {
            Ok(answer) => {
                let answer: Answer = answer.json(1 << 16).await?;
                let until = answer.expiry.parse().map_err(|_| {
                    let text = format!("the answer's msft:expiry `{}` is no time", answer.expiry);
                    Failure::wrong(&services.planetary_computer, text)
                })?;
                Some(Signature {
                    query: Secret::new(answer.token.trim_start_matches('?')),
                    until,
                })
            }
            // It knows no such container: the file is somebody else's.
            Err(failure) if matches!(failure.status(), Some(400 | 404 | 422)) => None,
            Err(failure) => return Err(failure),
        };
        let some = found.is_some();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name, found);
        Ok(some)
    }

    /// `text` without the signatures in use.
    pub fn hide(&self, text: &str) -> String {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let queries = known.values().flatten().map(|signature| &signature.query);
        queries.fold(text.to_string(), |text, query| text.replace(query.reveal(), "…"))
    }
}
