//! One client for all archives: retries, budgets, redirects and timeouts are decided here and nowhere else.

mod authorities;
mod body;
mod cookies;
mod failure;
mod granted;
mod host;
mod request;
mod runtime;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use backon::BackoffBuilder;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, LOCATION, PROXY_AUTHORIZATION};
use url::Url;

pub use reqwest::{Method, StatusCode, header};

pub use authorities::Authorities;
pub use body::{Response, parse_json};
pub use failure::{Failure, FailureKind, redacted, redacted_text, said};
pub use granted::{Grant, Hosts, USUAL, hold_hosts, proxy_ports};
pub use host::retry_after;
pub use request::{Request, parse_url};
pub use runtime::wait;

use self::cookies::Cookies;
use self::host::Host;
use super::credentials::{Vault, protected, session};
use super::s3::Bucket;
use crate::error::Result;

/// How long, how often, how much. The defaults suit the public archives; tests shorten them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For the connection, TLS included.
    pub connect: Duration,
    /// From the request to the head of the answer. CMR gives up by itself at 30 s, pgstac at 60 s.
    pub first_byte: Duration,
    /// The longest silence in the middle of an answer.
    pub stall: Duration,
    /// Tries of one request, the first included.
    pub attempts: usize,
    pub shortest_wait: Duration,
    pub longest_wait: Duration,
    /// Searches of one host in a minute; ASF asks for at most 250.
    pub per_minute: u32,
    /// The largest answer of a search, in bytes.
    pub largest_answer: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            connect: Duration::from_secs(20),
            first_byte: Duration::from_secs(90),
            stall: Duration::from_secs(45),
            attempts: 6,
            shortest_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
            per_minute: 240,
            largest_answer: 256 << 20,
        }
    }
}

/// The redirects that one request may take. Earthdata's login takes five.
const MOST_REDIRECTS: usize = 12;

pub struct Http {
    pub settings: Settings,
    pub vault: Arc<Vault>,
    /// For searches: compressed answers, HTTP/2.
    searches: reqwest::Client,
    /// For files: bytes as they are stored, and one connection for each transfer, since servers limit connections.
    files: reqwest::Client,
    /// Whose certificates servers are held to.
    pub authorities: Authorities,
    cookies: Arc<Cookies>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

impl Http {
    /// # Errors
    /// When no certificates of authorities are found.
    pub fn new(settings: Settings, vault: Arc<Vault>) -> Result<Http> {
        // The process may have chosen already; both choices are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cookies = Arc::new(Cookies::default());
        let builder = |authorities: &Authorities| {
            authorities
                .hold(reqwest::Client::builder())
                .user_agent(concat!("perilune/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .connect_timeout(settings.connect)
                .tcp_keepalive(Duration::from_secs(30))
                .pool_idle_timeout(Duration::from_secs(60))
                .cookie_provider(cookies.clone())
                .dns_resolver(Arc::new(granted::Resolver))
        };
        let ((searches, files), authorities) = Authorities::first_of(|authorities| {
            let searches = builder(authorities).build()?;
            let files = builder(authorities).http1_only().no_gzip().no_brotli();
            Ok((searches, files.no_deflate().no_zstd().build()?))
        })?;
        Ok(Http {
            settings,
            vault,
            searches,
            files,
            authorities,
            cookies,
            hosts: Mutex::default(),
        })
    }

    /// The client of the process, with the user's own credentials.
    ///
    /// # Errors
    /// When a variable that moves an archive's login is no address, or no certificates of authorities are found.
    pub fn shared() -> Result<&'static Http> {
        static SHARED: LazyLock<std::result::Result<Http, String>> = LazyLock::new(|| {
            let vault = Vault::of_process().map_err(|e| e.to_string())?;
            Http::new(Settings::default(), Arc::new(vault)).map_err(|e| e.to_string())
        });
        SHARED.as_ref().map_err(crate::error::Error::message)
    }

    /// Sends `request`, again where that may help, and gives the answer's head once its status is a success (2xx).
    /// Transfers also get 304, 412 and 416 as answers, since those mean something to them.
    ///
    /// # Errors
    /// A [`Failure`] that says what happened, after how many tries.
    pub async fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.fetch(request, |answer| std::future::ready(Ok(answer))).await
    }

    /// As [`send`](Http::send), with what `take` makes of the answer. Where the answer breaks off meanwhile, all of it is asked for again.
    ///
    /// # Errors
    /// As `send`; those of `take`.
    pub async fn fetch<T, F>(&self, request: &Request, take: impl Fn(Response) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let most = request.attempts.unwrap_or(self.settings.attempts).max(1);
        let mut waits = backon::ExponentialBuilder::default()
            .with_min_delay(self.settings.shortest_wait)
            .with_max_delay(self.settings.longest_wait)
            .with_factor(2.0)
            .with_jitter()
            .without_max_times()
            .build();
        let mut tries = 0;
        let mut met = Vec::new();
        loop {
            tries += 1;
            let begun = Instant::now();
            let taken = match self.follow(request).await {
                Ok(answer) => take(answer).await,
                Err(failure) => Err(failure),
            };
            let failure = match taken {
                Ok(taken) => return Ok(taken),
                Err(failure) => failure,
            };
            let help = match request.login {
                true => Ok(false),
                false => session::help(self, &failure, begun, &mut met).await,
            };
            if help.map_err(|refused| refused.on_the_way_to(request.asked()))? {
                tries -= 1;
                continue;
            }
            // A server that wants more patience than this has to be asked again later by the user.
            let patient = failure
                .retry_after
                .is_none_or(|asked| asked <= 10 * self.settings.longest_wait);
            if let Some(asked) = failure.retry_after.filter(|_| patient) {
                self.rest(&failure.url, asked);
            }
            // A machine that is not there will hardly come up while one waits.
            let most = match failure.kind {
                FailureKind::Connect(_) => most.min(3),
                _ => most,
            };
            if tries >= most || !patient || !failure.may_pass() {
                return Err(failure.after(tries).named_as(request));
            }
            if failure.retry_after.is_none() {
                tokio::time::sleep(waits.next().unwrap_or(self.settings.longest_wait)).await;
            }
        }
    }

    /// One try: the request and the redirects that it meets.
    async fn follow(&self, request: &Request) -> Result<Response, Failure> {
        let mut hop = request.clone();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.hop(&hop).await?;
            let status = answer.status();
            if let Some(bucket) = &hop.bucket
                && let Some((bucket, url)) = bucket.elsewhere(status.as_u16(), answer.headers())
            {
                (hop.bucket, hop.url) = (Some(bucket), url);
                continue;
            }
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return self.judge(request, &hop, answer).await;
            }
            let place = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok());
            let Some(next) = place.and_then(|place| hop.url.join(place).ok()) else {
                return Err(Failure::new(
                    &hop.url,
                    FailureKind::Redirect("without a place to go to".into()),
                ));
            };
            if !matches!(next.scheme(), "http" | "https") {
                let text = format!("to {}, which is no web address", redacted(&next));
                return Err(Failure::new(&hop.url, FailureKind::Redirect(text)));
            }
            if hop.bucket.is_some() && next.origin() != hop.url.origin() {
                return Err(Bucket::redirected(&hop.url));
            }
            if hop.url.scheme() == "https" && next.scheme() == "http" && !is_loopback(&next) {
                let text = format!("from https to the unprotected {}", redacted(&next));
                return Err(Failure::new(&hop.url, FailureKind::Redirect(text)));
            }
            if self.vault.is_unsent_form(&next) && !self.vault.is_login_host(&hop.url) {
                return Err(self.login_missing(request, &next));
            }
            // A login comes back to where it started once, with a cookie; more is a circle.
            let visits = seen.entry(next.to_string()).or_default();
            *visits += 1;
            if *visits > 2 {
                let text = format!("in a circle, at {}", redacted(&next));
                return Err(Failure::new(&hop.url, FailureKind::Redirect(text)));
            }
            hop = redirected(hop, next, status);
        }
        Err(Failure::new(
            &hop.url,
            FailureKind::Redirect(format!("more than {MOST_REDIRECTS} times")),
        ))
    }

    async fn hop(&self, request: &Request) -> Result<reqwest::Response, Failure> {
        granted::check(&request.url)?;
        let host = self.host(&request.url);
        host.wait(!request.transfer).await;
        let client = if request.transfer {
            &self.files
        } else {
            &self.searches
        };
        let url = self
            .vault
            .signed(&request.url)
            .unwrap_or_else(|| request.url.clone());
        if !protected(&url) && (request.has_secrets() || url.password().is_some()) {
            return Err(Failure::wrong(
                &request.url,
                "a secret is sent over https only; ask for the address with https",
            ));
        }
        let mut builder = client
            .request(request.method.clone(), url)
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        if let Some(bucket) = &request.bucket {
            builder = builder.headers(bucket.headers(&request.url)?);
        }
        let mut attempt = None;
        if request.bucket.is_none()
            && !request.headers.contains_key(AUTHORIZATION)
            && request.url.password().is_none()
        {
            attempt = self
                .vault
                .attempt(&request.url)
                .await
                .map_err(|refused| session::refusal(&request.url, &refused))?;
        }
        if let Some((name, value)) = attempt.as_ref().and_then(|attempt| attempt.header.clone()) {
            builder = builder.header(name, value);
        }
        crate::work::count_request();
        let first_byte = request.first_byte.unwrap_or(self.settings.first_byte);
        match tokio::time::timeout(first_byte, builder.send()).await {
            Ok(Ok(answer)) => {
                if let Some(attempt) = attempt {
                    attempt.answered(answer.status().as_u16());
                }
                Ok(answer)
            }
            Ok(Err(error)) => Err(Failure::of_send(&request.url, &error, &self.settings)),
            Err(_) => Err(Failure::new(&request.url, FailureKind::Silent(first_byte))),
        }
    }

    /// Success, or the failure that the status stands for.
    async fn judge(
        &self,
        request: &Request,
        hop: &Request,
        answer: reqwest::Response,
    ) -> Result<Response, Failure> {
        let status = answer.status();
        let told_transfer = matches!(
            status,
            StatusCode::NOT_MODIFIED | StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE
        );
        let sent = answer.url().clone();
        let response = Response::new(answer, request.asked(), self.settings.stall);
        if status.is_success()
            && self.vault.is_login_host(&hop.url)
            && !self.vault.is_login_host(&request.url)
        {
            return Err(self.login_missing(request, &hop.url));
        }
        if status.is_success() || (request.transfer && told_transfer) {
            return Ok(response);
        }
        let retry_after = host::retry_after(response.headers());
        let body = response.beginning().await;
        let advice = match &hop.bucket {
            Some(bucket) => bucket.advice(status.as_u16()),
            None => self.vault.advice(&hop.url, status.as_u16(), &body),
        };
        let text = self.vault.without_secrets(&failure::said(&body));
        let mut failure = Failure::new(
            &hop.url,
            FailureKind::Status {
                status: status.as_u16(),
                text,
            },
        );
        failure.asked = Box::new(request.asked().clone());
        failure.sent = Some(Box::new(sent));
        failure.advice = advice;
        failure.retry_after = retry_after;
        Err(failure)
    }

    /// The server shows a login in place of what was asked for.
    fn login_missing(&self, request: &Request, login: &Url) -> Failure {
        let text = format!("it asks for a login at {}", login.host_str().unwrap_or(""));
        let mut failure = Failure::new(login, FailureKind::Status { status: 401, text });
        failure.asked = Box::new(request.asked().clone());
        failure.advice = self.vault.advice(login, 401, "");
        failure
    }

    /// Whether a request to `url` would carry the cookie `name`.
    pub fn has_cookie(&self, url: &Url, name: &str) -> bool {
        self.cookies.has(url, name)
    }

    /// The server asks for a rest: nobody sends it anything for that long.
    pub fn rest(&self, url: &Url, time: Duration) {
        self.host(url).rest(time);
    }

    fn host(&self, url: &Url) -> Arc<Host> {
        let name = format!(
            "{}:{}",
            url.host_str().unwrap_or(""),
            url.port_or_known_default().unwrap_or(0)
        );
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts
            .entry(name)
            .or_insert_with(|| Arc::new(Host::new(self.settings.per_minute)))
            .clone()
    }
}

/// The request after a redirect. What the caller set for the first host alone does not go to another one.
fn redirected(from: Request, to: Url, status: StatusCode) -> Request {
    let mut next = from;
    if next.url.origin() != to.origin() {
        let mut kept = HeaderMap::new();
        for (name, value) in &next.headers {
            let secret = name == AUTHORIZATION || name == COOKIE || name == PROXY_AUTHORIZATION;
            if !secret && !value.is_sensitive() && !next.bound.contains(name) {
                kept.insert(name, value.clone());
            }
        }
        next.headers = kept;
    }
    let keeps_body = matches!(status.as_u16(), 307 | 308) && next.url.origin() == to.origin();
    if next.method != reqwest::Method::HEAD && !keeps_body && next.body.is_some() {
        next.method = reqwest::Method::GET;
        next.body = None;
        next.headers.remove(reqwest::header::CONTENT_TYPE);
    }
    next.url = to;
    next
}

/// True for this machine's own addresses, which no network lies between.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
