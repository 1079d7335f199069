//! What went wrong with a request, in words that name the request and keep its secrets.

use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use url::Url;

use super::{Request, Settings};
use crate::error::Error;

#[derive(Clone)]
pub struct Failure {
    /// The address that failed: after redirects another one than was asked for.
    pub url: Box<Url>,
    /// What the user knows: the address before redirects.
    pub asked: Box<Url>,
    /// `url` as it was sent, with its signature: not for messages.
    pub(in crate::bytes) sent: Option<Box<Url>>,
    pub kind: FailureKind,
    pub retry_after: Option<Duration>,
    /// What the user can do about it, where the credentials know.
    pub advice: Option<String>,
    pub tries: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum FailureKind {
    /// No connection; the text is the reason.
    Connect(String),
    /// No head of an answer for this long.
    Silent(Duration),
    /// Silence in the middle of the answer.
    Stalled(Duration),
    /// The connection ended before the answer did.
    Cut(String),
    Redirect(String),
    Status {
        status: u16,
        text: String,
    },
    TooLarge(usize),
    /// A web page where data was asked for; the text is what it says.
    Page(String),
    NotJson(String),
    /// Something else where a file was asked for; the text says what.
    NotTheFile(String),
    /// An answer that breaks the rules of its protocol, or is not what was asked for.
    Wrong(String),
}

impl Failure {
    pub fn new(url: &Url, kind: FailureKind) -> Failure {
        Failure {
            url: Box::new(url.clone()),
            asked: Box::new(url.clone()),
            sent: None,
            kind,
            retry_after: None,
            advice: None,
            tries: 1,
        }
    }

    pub fn wrong(url: &Url, text: impl Into<String>) -> Failure {
        Failure::new(url, FailureKind::Wrong(text.into()))
    }

    pub(super) fn of_send(url: &Url, error: &reqwest::Error, settings: &Settings) -> Failure {
        let kind = if error.is_connect() && error.is_timeout() {
            FailureKind::Connect(format!("no connection within {:.0?}", settings.connect))
        } else if error.is_connect() {
            FailureKind::Connect(innermost(error))
        } else {
            FailureKind::Cut(innermost(error))
        };
        Failure::new(url, kind)
    }

    pub(super) fn of_body(url: &Url, error: &reqwest::Error) -> Failure {
        Failure::new(url, FailureKind::Cut(innermost(error)))
    }

    pub fn after(mut self, tries: usize) -> Failure {
        self.tries = tries;
        self
    }

    /// Under the name that the user gave the request.
    pub(super) fn named_as(mut self, request: &Request) -> Failure {
        if let Some(asked) = &request.asked {
            if self.url.host_str() == request.url.host_str() {
                self.url = Box::new(asked.clone());
            }
            self.asked = Box::new(asked.clone());
        }
        self
    }

    /// The failure of a login, for the request that needed it.
    pub(super) fn on_the_way_to(mut self, asked: &Url) -> Self {
        self.asked = Box::new(asked.clone());
        self
    }

    pub fn status(&self) -> Option<u16> {
        match self.kind {
            FailureKind::Status { status, .. } => Some(status),
            _ => None,
        }
    }

    /// True where the same request may succeed later.
    pub fn may_pass(&self) -> bool {
        match &self.kind {
            FailureKind::Connect(reason) => {
                !reason.contains("certificate")
                    && !reason.contains("invalid peer")
                    && !super::granted::is_refusal(reason)
            }
            FailureKind::Silent(_) | FailureKind::Stalled(_) | FailureKind::Cut(_) => true,
            FailureKind::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    pub fn is_too_large(&self) -> bool {
        matches!(self.kind, FailureKind::TooLarge(_))
    }

    /// True where a smaller page may succeed: the server gave up on this one.
    pub fn too_much(&self) -> bool {
        matches!(self.kind, FailureKind::Silent(_)) || matches!(self.status(), Some(413 | 502 | 504))
    }

    fn what(&self) -> String {
        match &self.kind {
            FailureKind::Connect(reason) => format!("no connection: {reason}"),
            FailureKind::Silent(time) => format!("no answer within {time:.0?}"),
            FailureKind::Stalled(time) => {
                format!("the server fell silent in the middle of its answer, for {time:.0?}")
            }
            FailureKind::Cut(reason) => format!("the connection ended too early: {reason}"),
            FailureKind::Redirect(text) => format!("the server redirects {text}"),
            FailureKind::Status { status, text } => {
                let name = reqwest::StatusCode::from_u16(*status)
                    .ok()
                    .and_then(|s| s.canonical_reason())
                    .unwrap_or("");
                match text.is_empty() {
                    true => format!("the server answers {status} {name}")
                        .trim_end()
                        .to_string(),
                    false => format!("the server answers {status} {name}: {text}"),
                }
            }
            FailureKind::TooLarge(limit) => format!("the answer is larger than {} MiB", limit >> 20),
            FailureKind::Page(text) => format!("the server sent a web page where data was asked for: {text}"),
            FailureKind::NotJson(reason) => format!("the answer is not JSON: {reason}"),
            FailureKind::NotTheFile(text) | FailureKind::Wrong(text) => text.clone(),
        }
    }

    fn way_out(&self) -> &'static str {
        match &self.kind {
            FailureKind::Connect(reason) if reason.contains("certificate") => {
                "the server's certificate is not trusted here: check the address and this machine's clock"
            }
            FailureKind::Connect(_) => "check the address and the network; behind a proxy, set https_proxy",
            FailureKind::Silent(_) | FailureKind::Stalled(_) | FailureKind::Cut(_) => {
                "try again later, or ask for less at once"
            }
            FailureKind::Status {
                status: 401 | 403, ..
            } => "the server wants a login, or refuses the one it got; `perilune login` stores one",
            FailureKind::Status {
                status: 404 | 410, ..
            } => "check the address",
            FailureKind::Status { status: 429, .. } => "the server is asked too often; wait a while",
            FailureKind::Status { status: 500.., .. } => {
                "the server has a problem or is busy; try again later"
            }
            FailureKind::Page(_) | FailureKind::NotTheFile(_) => {
                "check the address; a login page means that a login is missing"
            }
            FailureKind::TooLarge(_) => "ask for less at once",
            _ => "",
        }
    }
}

/// As redacted as the text for users: tests and dumps print it.
impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failure")
            .field("url", &redacted(&self.url))
            .field("asked", &redacted(&self.asked))
            .field("kind", &redacted_text(&format!("{:?}", self.kind)))
            .field("retry_after", &self.retry_after)
            .field("advice", &self.advice)
            .field("tries", &self.tries)
            .finish()
    }
}

/// `GET`'s address, the reason, how often it was tried, and the way out.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", redacted(&self.asked))?;
        if self.url.host_str() != self.asked.host_str() {
            write!(f, " (sent on to {})", self.url.host_str().unwrap_or(""))?;
        }
        write!(f, ": {}", redacted_text(&self.what()))?;
        if self.tries > 1 {
            write!(f, " (after {} tries)", self.tries)?;
        }
        match &self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None if self.way_out().is_empty() => Ok(()),
            None => write!(f, "; {}", self.way_out()),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error::Request {
            status: failure.status(),
            message: failure.to_string(),
        }
    }
}

pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// Parameters of addresses that let whoever holds them in, or name who does.
const SECRET_PARAMETERS: &[&str] = &[
    "sig",
    "signature",
    "token",
    "access_token",
    "apikey",
    "api_key",
    "key",
    "subscription-key",
    "code",
    "state",
    "password",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "awsaccesskeyid",
    "key-pair-id",
    "policy",
    "a-userid",
    "skoid",
    "sktid",
];

/// The address as messages show it: without passwords, signatures and tokens.
pub fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    if !shown.username().is_empty() || shown.password().is_some() {
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
    }
    shown.set_fragment(None);
    let secret = |name: &str| SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str());
    if !url.query_pairs().any(|(name, _)| secret(&name)) {
        return shown.to_string();
    }
    let parts: Vec<String> = url
        .query()
        .unwrap_or("")
        .split('&')
        .map(|part| match part.split_once('=') {
            Some((name, _)) if secret(name) => format!("{name}=…"),
            _ => part.to_string(),
        })
        .collect();
    shown.set_query(None);
    format!("{shown}?{}", parts.join("&"))
}

/// `text` with the secrets taken out that addresses and headers in it may carry.
pub fn redacted_text(text: &str) -> String {
    static PARAMETERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let names: Vec<String> = SECRET_PARAMETERS
            .iter()
            .filter(|n| !matches!(**n, "key" | "code" | "state" | "policy"))
            .map(|n| regex::escape(n))
            .collect();
        Regex::new(&format!(
            r#"(?i)\b((?:{})["']?\s*[=:]\s*["']?|(?:bearer|basic)\s+|://[^/\s:@]+:)[^\s&"'<>@,;]+"#,
            names.join("|")
        ))
        .ok()
    });
    match PARAMETERS.as_ref() {
        Some(pattern) => pattern.replace_all(text, "$1…").into_owned(),
        None => text.to_string(),
    }
}

/// What an error body says, in one line: the message of a JSON object, the title of a web page, or its beginning.
pub fn said(text: &str) -> String {
    static TITLE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?is)<title[^>]*>(.*?)</title>").ok());
    static TAGS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?is)<(?:script|style).*?</(?:script|style)>|<[^>]*>").ok());
    let text = text.trim();
    let mut out = text.to_string();
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
        let named = [
            "description",
            "detail",
            "message",
            "errorMessage",
            "error_description",
            "error",
            "errors",
        ];
        if let Some(found) = named
            .iter()
            .find_map(|name| json.get(name))
            .filter(|v| !v.is_null())
        {
            out = found.as_str().map_or_else(|| found.to_string(), str::to_string);
        }
    } else if text.starts_with('<') {
        let title = TITLE
            .as_ref()
            .and_then(|t| t.captures(text))
            .map(|c| c[1].to_string());
        out = match title {
            Some(title) => format!("“{}”", title.trim()),
            None => TAGS
                .as_ref()
                .map_or(String::new(), |t| t.replace_all(text, " ").into_owned()),
        };
    }
    let line = out.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_secrets() {
        let url = |text: &str| redacted(&Url::parse(text).unwrap());
        assert_eq!(
            url("https://me:word@host/a?x=1&sig=abc%3D&se=2026&X-Amz-Signature=f00#t"),
            "https://host/a?x=1&sig=…&se=2026&X-Amz-Signature=…"
        );
        assert_eq!(url("https://host/a?x=1"), "https://host/a?x=1");
    }

    #[test]
    fn texts_lose_their_secrets() {
        let text = redacted_text(
            "GET https://me:word@h/a?token=abc&b=1 with Authorization: Bearer eyJ.x.y and \"password\": \"hush\"",
        );
        for secret in ["word@", "abc", "eyJ", "hush"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("b=1"), "{text}");
    }

    #[test]
    fn bodies_say_their_message() {
        assert_eq!(
            said(r#"{"code":"NotFound","description":"no such\n collection"}"#),
            "no such collection"
        );
        assert_eq!(
            said("<!doctype html><head><title> Sign in </title></head>"),
            "“Sign in”"
        );
        assert_eq!(
            said("<html><style>p{}</style><p>Down <b>now</b></p></html>"),
            "Down now"
        );
        assert!(said(&"x".repeat(1000)).chars().count() <= 301);
    }
}
