//! What can be done about a refusal before the user hears of it: a login form filled in, a cookie fetched, a signature
//! renewed. Each is tried once for a request, and by one request at a time.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::Mutex;
use url::Url;

use super::attempt::{Attempt, Refused};
use super::form::login_form;
use super::{Login, Place, Vault, protected, signature};
use crate::bytes::http::{Failure, FailureKind, Http, Request};

/// When the user was last let in.
#[derive(Debug, Default)]
pub struct Sessions {
    form: Mutex<Option<Instant>>,
    form_sent: AtomicBool,
    cookie: Mutex<Option<Instant>>,
    signature: Mutex<()>,
}

/// What a refused request lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Its token was refused; it may go without.
    NoToken,
    Form,
    AsfCookie,
    Signature,
}

/// The cookie that ASF's bursts want beside Earthdata's login.
const ASF_COOKIE: &str = "asf-urs";

/// The largest login page, in bytes.
const LARGEST_PAGE: usize = 4 << 20;

impl Vault {
    /// True for the hosts that a request ends at when it lacks a login.
    pub fn is_login_host(&self, url: &Url) -> bool {
        let services = self.services();
        [&services.earthdata, &services.ers]
            .iter()
            .any(|service| Place::of(service).holds(url))
    }

    /// True where a redirect to `url` would show a form that nobody has filled in yet.
    pub fn is_unsent_form(&self, url: &Url) -> bool {
        Place::of(&self.services().ers).holds(url) && !self.sessions.form_sent.load(Ordering::Relaxed)
    }

    /// The address as it has to be asked for, where that differs: with the signature of its container.
    pub fn signed(&self, url: &Url) -> Option<Url> {
        self.signatures.signed(self.services(), url)
    }

    fn need(&self, http: &Http, failure: &Failure) -> Option<Need> {
        let status = failure.status()?;
        let services = self.services();
        let url = &failure.url;
        let password_at = |service: &Url| {
            let place = Place::of(service);
            self.logins()
                .any(|entry| entry.place == place && matches!(entry.login, Login::Password { .. }))
        };
        let within = |places: &[Place]| places.iter().any(|place| place.holds(url));
        match status {
            401 | 403 | 404 | 409 if signature::container(services, url).is_some() => Some(Need::Signature),
            401 if Place::of(&services.ers).holds(url) && password_at(&services.ers) => Some(Need::Form),
            401 if self.has_another_way(url) => Some(Need::NoToken),
            401 | 403
                if within(&services.asf_cookie)
                    && password_at(&services.earthdata)
                    && protected(url)
                    && !http.has_cookie(url, ASF_COOKIE) =>
            {
                Some(Need::AsfCookie)
            }
            _ => None,
        }
    }
}

/// Does what can be done about `failure`; true where the request may succeed now. `begun`: when the request was sent;
/// `met`: what was done for it before.
///
/// # Errors
/// When the attempt itself was refused: that says more than the first refusal.
pub fn help<'a>(http: &'a Http, failure: &'a Failure, begun: Instant, met: &'a mut Vec<Need>) -> Helping<'a> {
    // Boxed, since the request of a login may need help too.
    Box::pin(helped(http, failure, begun, met))
}

pub type Helping<'a> = Pin<Box<dyn Future<Output = Result<bool, Failure>> + Send + 'a>>;

async fn helped(
    http: &Http,
    failure: &Failure,
    begun: Instant,
    met: &mut Vec<Need>,
) -> Result<bool, Failure> {
    let vault = &http.vault;
    let Some(need) = vault.need(http, failure).filter(|need| !met.contains(need)) else {
        return Ok(false);
    };
    met.push(need);
    match need {
        Need::NoToken => Ok(true),
        Need::Signature => {
            let _turn = vault.sessions.signature.lock().await;
            let sent = failure.sent.as_ref().unwrap_or(&failure.url);
            vault.signatures.renew(http, &failure.url, sent).await
        }
        Need::AsfCookie => {
            let mut last = vault.sessions.cookie.lock().await;
            if last.is_some_and(|last| last > begun) {
                return Ok(true);
            }
            // The page behind the login does not matter, the cookie that it sets does.
            let answer = http
                .send(&Request::get(vault.services().asf_login.clone()).login())
                .await;
            *last = Some(Instant::now());
            match answer {
                Err(refused) if refused.status() == Some(401) => Err(refused),
                _ => Ok(http.has_cookie(&failure.url, ASF_COOKIE)),
            }
        }
        Need::Form => {
            let mut last = vault.sessions.form.lock().await;
            if last.is_some_and(|last| last > begun) {
                return Ok(true);
            }
            let form = &vault.services().ers;
            let attempt = vault
                .attempt_at(&Place::of(form))
                .await
                .map_err(|refused| refusal(form, &refused))?;
            let Some(attempt) = attempt else { return Ok(false) };
            send_form(http, form, attempt).await?;
            *last = Some(Instant::now());
            vault.sessions.form_sent.store(true, Ordering::Relaxed);
            Ok(true)
        }
    }
}

/// The failure of a request that is not sent, because its login was refused before.
pub fn refusal(url: &Url, refused: &Refused) -> Failure {
    let text = "this host has refused the login already, and repeated attempts lock accounts".to_string();
    let mut failure = Failure::new(url, FailureKind::Status { status: 401, text });
    failure.advice = Some(format!(
        "correct the login for {} from {}, then start again",
        refused.place, refused.source
    ));
    failure
}

/// Fills in the login form at `page`, with the hidden fields that it came with. The form of the USGS is not documented
/// and has changed several times: this is the best that can be done, and it says so when it fails.
pub async fn send_form(http: &Http, page: &Url, attempt: Attempt<'_>) -> Result<(), Failure> {
    let Login::Password { user, password } = &attempt.entry.login else {
        return Err(Failure::wrong(
            page,
            "this host wants a user and a password, not a token",
        ));
    };
    let unknown = |what: &str| {
        let mut failure = Failure::wrong(page, format!("the login page {what}"));
        failure.advice = Some(
            "the page may have changed, as it is not made for programs; fetch the files by S3 or with a token of the \
             machine-to-machine API instead"
                .into(),
        );
        failure
    };
    let answer = http.send(&Request::get(page.clone()).login()).await?;
    let shown_at = answer.url().clone();
    let text = answer.bytes(LARGEST_PAGE).await?;
    let form = login_form(&String::from_utf8_lossy(&text))
        .ok_or_else(|| unknown("holds no form that is known here"))?;
    let target = shown_at
        .join(&form.action)
        .map_err(|_| unknown("sends its form to no address"))?;
    if !Place::of(page).holds(&target) || !protected(&target) {
        return Err(unknown("sends its form to another host"));
    }
    let mut fields = form.hidden;
    fields.push((form.user, user.clone()));
    fields.push((form.password, password.reveal().to_string()));
    let answer = match http.send(&Request::form(target, &fields).login()).await {
        Ok(answer) => answer,
        Err(failure) => {
            if matches!(failure.status(), Some(401 | 403)) {
                attempt.refused();
            }
            return Err(failure);
        }
    };
    let text = answer.bytes(LARGEST_PAGE).await?;
    // Whoever is shown the form again was not let in.
    if login_form(&String::from_utf8_lossy(&text)).is_some() {
        let source = attempt.entry.source.clone();
        attempt.refused();
        let text = "the host shows its login form again: it refuses the user or the password".to_string();
        let mut failure = Failure::new(page, FailureKind::Status { status: 401, text });
        failure.advice = Some(format!(
            "check the login from {source} in a browser at {page}; it is not tried again in this run, since repeated \
             attempts lock accounts"
        ));
        return Err(failure);
    }
    attempt.answered(200);
    Ok(())
}
