//! Whether a host takes a login, asked once before it is stored.

use std::sync::Arc;

use url::Url;

use super::m2m::M2m;
use super::services::ASF_CLIENT;
use super::session::{refusal, send_form};
use super::sources::StoredLogin;
use super::store::Login;
use super::{Place, Services, Vault, token};
use crate::bytes::http::{Failure, Http, Request, Settings, wait};
use crate::error::{Error, Result};

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    Accepted,
    /// There is no way to check, and why.
    Not(&'static str),
}

/// Asks `host` whether it takes `login`.
///
/// # Errors
/// When it does not, or does not answer.
pub fn check(services: Services, host: &str, login: &Login) -> Result<Checked> {
    let entry = StoredLogin {
        place: Place::host(host),
        login: login.clone(),
        source: "what was typed".into(),
    };
    if let Some(problem) = token::expired(&entry) {
        return Err(Error::message(problem));
    }
    let is = |service: &Url| entry.place == Place::of(service);
    let (earthdata, ers) = (is(&services.earthdata), is(&services.ers));
    let (m2m, planetary) = (is(&services.m2m), is(&services.planetary_computer));
    let login = login.clone();
    let http = Http::new(Settings::default(), Arc::new(Vault::new(services, vec![entry])))?;
    wait(async move {
        match login {
            Login::Password { .. } if earthdata => {
                http.send(&Request::get(at(&http, "api/users/tokens")?).login())
                    .await?;
            }
            Login::Token { token, .. } if earthdata => {
                // As ASF's own tools ask.
                let mut url = at(&http, "oauth/tokens/user")?;
                url.query_pairs_mut().append_pair("client_id", ASF_CLIENT);
                http.send(&Request::form(url, &[("token", token.reveal())]).login())
                    .await?;
            }
            Login::Password { .. } if ers => {
                let form = http.vault.services().ers.clone();
                let attempt = http.vault.attempt_at(&Place::of(&form)).await;
                if let Some(attempt) = attempt.map_err(|refused| refusal(&form, &refused))? {
                    send_form(&http, &form, attempt).await?;
                }
            }
            _ if m2m => M2m::login(&http).await?.logout().await?,
            _ if planetary => return Ok(Checked::Not("Planetary Computer takes requests with any key")),
            _ => {
                return Ok(Checked::Not(
                    "there is no common way to ask a host; the first request will show",
                ));
            }
        }
        Ok::<Checked, Failure>(Checked::Accepted)
    })
}

fn at(http: &Http, path: &str) -> Result<Url, Failure> {
    let base = &http.vault.services().earthdata;
    base.join(path)
        .map_err(|_| Failure::wrong(base, format!("no address {path} here")))
}
