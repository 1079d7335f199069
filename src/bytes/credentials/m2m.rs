//! The machine-to-machine API of the USGS: a session opened with a user's application token.
//!
//! Source: <https://m2m.cr.usgs.gov/api/docs/json/>. The method `login` with a password was removed on 2025-02-26.

use reqwest::header::HeaderName;
use serde_json::{Value, json};
use url::Url;

use super::session::refusal;
use super::{Login, Place, Secret};
use crate::bytes::http::{Failure, FailureKind, Http, Request};

const KEY: HeaderName = HeaderName::from_static("x-auth-token");

const LARGEST_ANSWER: usize = 64 << 20;

/// A session. Its key holds for two hours after its last use; `logout` ends it.
pub struct M2m<'a> {
    http: &'a Http,
    key: Secret,
}

impl<'a> M2m<'a> {
    /// Opens a session with the user's application token.
    ///
    /// # Errors
    /// When there is none, or it is refused; it is tried once in a process.
    pub async fn login(http: &'a Http) -> Result<M2m<'a>, Failure> {
        let base = &http.vault.services().m2m;
        let url = method(base, "login-token")?;
        let place = Place::of(base);
        let attempt = http
            .vault
            .attempt_at(&place)
            .await
            .map_err(|refused| refusal(&url, &refused))?;
        let Some(attempt) = attempt else {
            let text = "no application token is stored".to_string();
            let mut failure = Failure::new(&url, FailureKind::Status { status: 401, text });
            failure.advice = http.vault.advice(&url, 401, "");
            return Err(failure);
        };
        let Login::Token {
            user: Some(user),
            token,
        } = &attempt.entry.login
        else {
            let mut failure = Failure::wrong(&url, "a user's name and an application token are needed");
            failure.advice = Some(format!(
                "make one in the profile at ers.cr.usgs.gov and store it with `perilune login {place}`"
            ));
            return Err(failure);
        };
        let body = json!({ "username": user, "token": token.reveal() });
        match ask(http, url.clone(), None, &body).await {
            Ok(Value::String(key)) => {
                attempt.answered(200);
                Ok(M2m {
                    http,
                    key: Secret::new(key),
                })
            }
            Ok(_) => Err(Failure::wrong(&url, "the answer holds no key of a session")),
            Err(failure) => {
                if matches!(failure.status(), Some(401 | 403)) {
                    attempt.refused();
                }
                Err(failure)
            }
        }
    }

    /// Calls a method such as `dataset-search` and gives its `data`.
    ///
    /// # Errors
    /// Also when the API answers with an error of its own; its status is then 401 for logins and 400 for the rest.
    pub async fn call(&self, name: &str, body: &Value) -> Result<Value, Failure> {
        let url = method(&self.http.vault.services().m2m, name)?;
        ask(self.http, url, Some(&self.key), body).await
    }

    /// Ends the session.
    ///
    /// # Errors
    /// Those of `call`.
    pub async fn logout(self) -> Result<(), Failure> {
        self.call("logout", &Value::Null).await.map(|_| ())
    }
}

fn method(base: &Url, name: &str) -> Result<Url, Failure> {
    base.join(name)
        .map_err(|_| Failure::wrong(base, format!("`{name}` is no name of a method")))
}

async fn ask(http: &Http, url: Url, key: Option<&Secret>, body: &Value) -> Result<Value, Failure> {
    let mut request = Request::json(url.clone(), body).login();
    if let Some(key) = key {
        request = request
            .secret(KEY, key.reveal())
            .map_err(|e| Failure::wrong(&url, e.to_string()))?;
    }
    let answer: Value = http.send(&request).await?.json(LARGEST_ANSWER).await?;
    // The API also tells errors with status 200.
    let Some(code) = answer.get("errorCode").and_then(Value::as_str) else {
        return Ok(answer.get("data").cloned().unwrap_or(Value::Null));
    };
    let words = answer.get("errorMessage").and_then(Value::as_str).unwrap_or("");
    let status = if code.starts_with("AUTH") { 401 } else { 400 };
    let text = http.vault.without_secrets(&format!("{code} {words}"));
    let mut failure = Failure::new(
        &url,
        FailureKind::Status {
            status,
            text: text.clone(),
        },
    );
    failure.advice = http.vault.advice(&url, status, &text);
    Err(failure)
}
