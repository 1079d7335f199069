//! Files of S3: public ones, those that the reader pays for, and the user's own.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::{ClientOptions, GetOptions, GetRange, ObjectStore, RetryConfig};
use url::Url;
use zeroize::Zeroizing;

use super::credentials::{Secret, protected};
use super::http::{Failure, Kind, redacted_text};
use crate::error::{Error, Result};

/// How a bucket is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// As anybody: nothing is signed, even where the user has keys.
    #[default]
    Anonymous,
    /// With the user's keys.
    Signed,
    /// With the user's keys, and the user pays for the bytes.
    RequesterPays,
}

/// Keys of an AWS account.
#[derive(Debug, Clone)]
pub struct Keys {
    pub id: String,
    pub secret: Secret,
    /// Of temporary keys.
    pub session: Option<Secret>,
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub access: Access,
    /// The archives of the field lie in us-west-2.
    pub region: String,
    /// Another service than Amazon's.
    pub endpoint: Option<Url>,
    /// From the request to the head of the answer, and between two pieces of it.
    pub patience: Duration,
    pub retries: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            access: Access::Anonymous,
            region: "us-west-2".into(),
            endpoint: None,
            patience: Duration::from_secs(60),
            retries: 4,
        }
    }
}

/// What is known of an object before its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Bytes.
    pub size: u64,
    pub etag: Option<String>,
    /// Seconds since 1970.
    pub modified: i64,
}

/// An object that starts to arrive.
pub struct Object {
    pub meta: Meta,
    /// The first byte that comes.
    pub from: u64,
    url: Url,
    patience: Duration,
    stream: BoxStream<'static, object_store::Result<bytes::Bytes>>,
}

impl Object {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks or falls silent.
    pub async fn chunk(&mut self) -> Result<Option<bytes::Bytes>, Failure> {
        match tokio::time::timeout(self.patience, self.stream.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
            Ok(Some(Err(error))) => Err(Failure::new(&self.url, Kind::Cut(text_of(&error)))),
            Err(_) => Err(Failure::new(&self.url, Kind::Stalled(self.patience))),
        }
    }
}

/// The objects at addresses such as `s3://bucket/key`.
pub struct S3 {
    settings: Settings,
    keys: Option<Keys>,
    buckets: Mutex<HashMap<String, Arc<AmazonS3>>>,
}

impl S3 {
    /// # Errors
    /// When `access` needs keys and there are none, or the endpoint is no place to send a signature to.
    pub fn new(settings: Settings, keys: Option<Keys>) -> Result<S3> {
        if settings.access != Access::Anonymous && keys.is_none() {
            return Err(Error::message(
                "the keys of an AWS account are needed and none are known: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
                 or have them in ~/.aws/credentials; files of public buckets need none",
            ));
        }
        if let Some(endpoint) = settings.endpoint.as_ref().filter(|url| !protected(url)) {
            return Err(Error::argument(
                "endpoint",
                "an https address",
                format!("`{endpoint}`"),
            ));
        }
        let keys = keys.filter(|_| settings.access != Access::Anonymous);
        Ok(S3 {
            settings,
            keys,
            buckets: Mutex::default(),
        })
    }

    /// With the user's keys, region and endpoint, from the environment and ~/.aws/credentials.
    ///
    /// # Errors
    /// As `new`.
    pub fn of_user(access: Access) -> Result<S3> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
        let mut settings = Settings {
            access,
            ..Settings::default()
        };
        if let Some(region) = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")) {
            settings.region = region;
        }
        if let Some(text) = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL")) {
            let url = Url::parse(&text).map_err(|e| {
                Error::argument("AWS_ENDPOINT_URL", "an https address", format!("`{text}` ({e})"))
            })?;
            settings.endpoint = Some(url);
        }
        S3::new(settings, keys(variable, std::env::home_dir()))
    }

    /// What is known of the object at `url`.
    ///
    /// # Errors
    /// When there is none, or it may not be read.
    pub async fn head(&self, url: &Url) -> Result<Meta, Failure> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        Ok(self.get(url, options).await?.meta)
    }

    /// The object at `url` from byte `from` on. With `etag`, only where it is still that version.
    ///
    /// # Errors
    /// When there is none, it may not be read, or is another version (status 412).
    pub async fn open(&self, url: &Url, from: u64, etag: Option<&str>) -> Result<Object, Failure> {
        let options = GetOptions {
            range: (from > 0).then_some(GetRange::Offset(from)),
            if_match: etag.map(str::to_string),
            ..GetOptions::default()
        };
        self.get(url, options).await
    }

    async fn get(&self, url: &Url, options: GetOptions) -> Result<Object, Failure> {
        let wrong = |text: &str| Failure::wrong(url, text);
        let bucket = url.host_str().filter(|_| url.scheme() == "s3").unwrap_or("");
        if bucket.is_empty() || url.path().len() < 2 {
            return Err(wrong("this is no address such as s3://bucket/key"));
        }
        let key = Path::from_url_path(url.path()).map_err(|_| wrong("this key cannot be asked for"))?;
        let store = self.bucket(bucket).map_err(|e| wrong(&e.to_string()))?;
        let answer = tokio::time::timeout(self.settings.patience, store.get_opts(&key, options)).await;
        let answer = answer.map_err(|_| Failure::new(url, Kind::Silent(self.settings.patience)))?;
        let found = answer.map_err(|error| self.failure(url, &error))?;
        let meta = Meta {
            size: found.meta.size,
            etag: found.meta.e_tag.clone(),
            modified: found.meta.last_modified.timestamp(),
        };
        Ok(Object {
            meta,
            from: found.range.start,
            url: url.clone(),
            patience: self.settings.patience,
            stream: found.into_stream(),
        })
    }

    fn bucket(&self, name: &str) -> Result<Arc<AmazonS3>> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = buckets.get(name) {
            return Ok(store.clone());
        }
        let settings = &self.settings;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(&settings.region)
            .with_skip_signature(self.keys.is_none())
            .with_request_payer(settings.access == Access::RequesterPays)
            .with_http_connector(Connector(settings.patience))
            .with_retry(RetryConfig {
                max_retries: settings.retries,
                ..RetryConfig::default()
            });
        if let Some(endpoint) = &settings.endpoint {
            // `new` has let http pass for this machine only.
            builder = builder
                .with_endpoint(endpoint.as_str().trim_end_matches('/'))
                .with_allow_http(true);
        }
        if let Some(keys) = &self.keys {
            builder = builder
                .with_access_key_id(&keys.id)
                .with_secret_access_key(keys.secret.reveal());
            if let Some(session) = &keys.session {
                builder = builder.with_token(session.reveal());
            }
        }
        let store = builder
            .build()
            .map_err(|e| Error::message(format!("the bucket {name} cannot be asked: {}", text_of(&e))))?;
        let store = Arc::new(store);
        buckets.insert(name.to_string(), store.clone());
        Ok(store)
    }

    fn failure(&self, url: &Url, error: &object_store::Error) -> Failure {
        let text = text_of(error);
        let status = match error {
            object_store::Error::NotFound { .. } => 404,
            object_store::Error::Precondition { .. } => 412,
            object_store::Error::PermissionDenied { .. } => 403,
            object_store::Error::Unauthenticated { .. } => 401,
            _ => {
                let mut failure = Failure::wrong(url, text.clone());
                if text.contains("301") || text.contains("PermanentRedirect") || text.contains("redirect") {
                    let region = &self.settings.region;
                    failure.advice = Some(format!(
                        "the bucket is not in {region}: set AWS_REGION to where it is"
                    ));
                }
                return failure;
            }
        };
        let mut failure = Failure::new(url, Kind::Status { status, text });
        failure.advice = match (status, self.settings.access) {
            (401 | 403, Access::Anonymous) => {
                Some("the bucket is not public: read it with AWS keys, and as requester pays where it asks for that".into())
            }
            (401 | 403, Access::Signed) => {
                Some("the keys do not open it: a bucket may want requester pays, which costs money".into())
            }
            (401 | 403, Access::RequesterPays) => {
                Some("check the AWS keys, whether they have run out, and that the account may read from S3".into())
            }
            _ => None,
        };
        failure
    }
}

/// The innermost reason, without what signs a request.
fn text_of(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    redacted_text(&last.to_string())
}

/// A client that follows no redirect: the key of a session must not go to where one leads.
#[derive(Debug)]
struct Connector(Duration);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("perilune/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(Duration::from_secs(20))
            .read_timeout(self.0)
            .build();
        client
            .map(HttpClient::new)
            .map_err(|e| object_store::Error::Generic {
                store: "S3",
                source: Box::new(e),
            })
    }
}

/// The user's keys: from the variables that Amazon's own tools read, else of her profile in ~/.aws/credentials.
pub fn keys(variable: impl Fn(&str) -> Option<String>, home: Option<PathBuf>) -> Option<Keys> {
    if let (Some(id), Some(secret)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        return Some(Keys {
            id,
            secret: Secret::new(secret),
            session: variable("AWS_SESSION_TOKEN").map(Secret::new),
        });
    }
    let file = match variable("AWS_SHARED_CREDENTIALS_FILE") {
        Some(file) => PathBuf::from(file),
        None => home?.join(".aws/credentials"),
    };
    let text = Zeroizing::new(std::fs::read_to_string(file).ok()?);
    let profile = variable("AWS_PROFILE").unwrap_or("default".into());
    let lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| {
            line.strip_prefix('[')
                .and_then(|l| l.strip_suffix(']'))
                .map(str::trim)
                != Some(&profile)
        })
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    let values: HashMap<&str, &str> = lines
        .filter(|line| !line.starts_with(['#', ';']))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    Some(Keys {
        id: values.get("aws_access_key_id")?.to_string(),
        secret: Secret::new(*values.get("aws_secret_access_key")?),
        session: values.get("aws_session_token").map(|text| Secret::new(*text)),
    })
}
