//! Files of S3: public ones, those that the reader pays for, and the user's own. A bucket is asked by the one client, as any other server; its
//! requests carry a signature of their own, for the bucket's host alone. Messages call a file `s3://bucket/key`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use reqwest::header::HeaderMap;
use url::Url;
use zeroize::Zeroizing;

use super::credentials::{Secret, protected};
use super::http::{Failure, FailureKind, Request};
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
    /// The archives of the field lie in us-west-2. A bucket elsewhere says so, and is asked there.
    pub region: String,
    /// Another service than Amazon's.
    pub endpoint: Option<Url>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            access: Access::Anonymous,
            region: "us-west-2".into(),
            endpoint: None,
        }
    }
}

/// The objects at addresses such as `s3://bucket/key`.
pub struct S3 {
    settings: Settings,
    keys: Option<Arc<Keys>>,
}

/// The user's keys, read once: the files of logins may be closed to this process later.
static KEYS: OnceLock<Option<Keys>> = OnceLock::new();

/// Reads the user's keys at once and for good.
pub fn read_early() {
    KEYS.get_or_init(|| keys(variable, std::env::home_dir()));
}

/// Has this process be without the user's keys. Has to come before they are read.
pub fn forget_keys() {
    let _ = KEYS.set(None);
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
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
            keys: keys.map(Arc::new),
        })
    }

    /// With the user's keys, region and endpoint, from the environment and ~/.aws/credentials.
    ///
    /// # Errors
    /// As `new`.
    pub fn of_user(access: Access) -> Result<S3> {
        let mut settings = Settings {
            access,
            ..Settings::default()
        };
        if let Some(region) = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")) {
            settings.region = region;
        }
        // The last is how GDAL's users say it: a host without a scheme.
        let by_host = || {
            let scheme = match variable("AWS_HTTPS").as_deref() {
                Some("NO" | "no" | "FALSE" | "false" | "OFF" | "off") => "http",
                _ => "https",
            };
            variable("AWS_S3_ENDPOINT").map(|host| match host.contains("://") {
                true => host,
                false => format!("{scheme}://{host}"),
            })
        };
        let told = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
        if let Some(text) = told.or_else(by_host) {
            let url = Url::parse(&text).map_err(|e| {
                Error::argument("AWS_ENDPOINT_URL", "an https address", format!("`{text}` ({e})"))
            })?;
            settings.endpoint = Some(url);
        }
        let keys = KEYS.get_or_init(|| keys(variable, std::env::home_dir()));
        S3::new(settings, keys.clone())
    }

    /// The ways in which the user reads buckets, the first to be tried first: as anybody, and with her keys where that is refused. She pays
    /// only where she has set `AWS_REQUEST_PAYER`, and is anybody only where she has set `AWS_NO_SIGN_REQUEST`.
    ///
    /// # Errors
    /// As `of_user`.
    pub fn ways_of_user() -> Result<Vec<S3>> {
        let says = |name: &str, words: &[&str]| {
            variable(name).is_some_and(|text| words.contains(&text.to_ascii_lowercase().as_str()))
        };
        if says("AWS_REQUEST_PAYER", &["requester"]) {
            return Ok(vec![S3::of_user(Access::RequesterPays)?]);
        }
        let mut ways = vec![S3::of_user(Access::Anonymous)?];
        read_early();
        let has_keys = KEYS.get().is_some_and(Option::is_some);
        if has_keys && !says("AWS_NO_SIGN_REQUEST", &["yes", "true", "on", "1"]) {
            ways.push(S3::of_user(Access::Signed)?);
        }
        Ok(ways)
    }

    /// The request for the object at `url`, an address such as `s3://bucket/key`.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn request(&self, url: &Url) -> Result<Request, Failure> {
        let wrong = || Failure::wrong(url, "this is no address such as s3://bucket/key");
        let name = url.host_str().filter(|_| url.scheme() == "s3").unwrap_or("");
        if name.is_empty() || url.path().len() < 2 {
            return Err(wrong());
        }
        let learnt = REGIONS.lock().unwrap_or_else(PoisonError::into_inner);
        let region = learnt.as_ref().and_then(|known| known.get(name));
        let bucket = Bucket {
            name: name.to_string(),
            key: encoded(url.path().trim_start_matches('/')),
            region: region.unwrap_or(&self.settings.region).clone(),
            endpoint: self.settings.endpoint.clone(),
            access: self.settings.access,
            keys: self.keys.clone(),
        };
        drop(learnt);
        let address = bucket.url().ok_or_else(wrong)?;
        Ok(Request {
            asked: Some(url.clone()),
            bucket: Some(bucket),
            ..Request::file(address)
        })
    }
}

/// Where buckets have said to be.
static REGIONS: Mutex<Option<HashMap<String, String>>> = Mutex::new(None);

/// An object's place, and how it is asked for there.
#[derive(Clone)]
pub struct Bucket {
    name: String,
    /// Encoded as it is signed.
    key: String,
    region: String,
    endpoint: Option<Url>,
    access: Access,
    keys: Option<Arc<Keys>>,
}

impl Bucket {
    fn url(&self) -> Option<Url> {
        let (name, key, region) = (&self.name, &self.key, &self.region);
        let text = match &self.endpoint {
            Some(endpoint) => format!("{}/{name}/{key}", endpoint.as_str().trim_end_matches('/')),
            // Amazon's certificates are for one name before the service's.
            None if name.contains('.') => format!("https://s3.{region}.amazonaws.com/{name}/{key}"),
            None => format!("https://{name}.s3.{region}.amazonaws.com/{key}"),
        };
        Url::parse(&text).ok()
    }

    /// What a request to `url` carries for its signature.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(super) fn headers(&self, url: &Url) -> Result<HeaderMap, Failure> {
        let Some(keys) = &self.keys else {
            return Ok(HeaderMap::new());
        };
        let wrong = || Failure::wrong(url, "the request cannot be signed with these AWS keys");
        let text = |secret: &Secret| secret.reveal().to_string();
        let credential = AwsCredential {
            key_id: keys.id.clone(),
            secret_key: text(&keys.secret),
            token: keys.session.as_ref().map(text),
        };
        // The library takes it for granted that these are plain text.
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(&credential.key_id) || !credential.token.as_deref().is_none_or(plain) {
            return Err(wrong());
        }
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = url.as_str().parse().map_err(|_| wrong())?;
        AwsAuthorizer::new(&credential, "s3", &self.region)
            .with_request_payer(self.access == Access::RequesterPays)
            .try_authorize(&mut request, None)
            .map_err(|_| wrong())?;
        let mut headers = std::mem::take(request.headers_mut());
        for value in headers.values_mut() {
            value.set_sensitive(true);
        }
        Ok(headers)
    }

    /// The same object where the bucket says that it is, if that is elsewhere.
    pub(super) fn elsewhere(&self, status: u16, headers: &HeaderMap) -> Option<(Bucket, Url)> {
        let region = headers.get("x-amz-bucket-region")?.to_str().ok()?;
        let is_name = region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !matches!(status, 301 | 307 | 400) || !is_name || region == self.region {
            return None;
        }
        let mut learnt = REGIONS.lock().unwrap_or_else(PoisonError::into_inner);
        learnt
            .get_or_insert_default()
            .insert(self.name.clone(), region.to_string());
        let moved = Bucket {
            region: region.to_string(),
            ..self.clone()
        };
        let url = moved.url()?;
        Some((moved, url))
    }

    /// What the user can do about a refusal.
    pub(super) fn advice(&self, status: u16) -> Option<String> {
        let text = match (status, self.access) {
            (401 | 403, Access::Anonymous) => {
                "the bucket is not public: read it with AWS keys, and as requester pays where it asks for that"
            }
            (401 | 403, Access::Signed) => {
                "the keys do not open it: a bucket may want requester pays, which costs money (AWS_REQUEST_PAYER=requester)"
            }
            (401 | 403, Access::RequesterPays) => {
                "check the AWS keys, whether they have run out, and that the account may read from S3"
            }
            (301 | 307 | 400, _) => "check AWS_REGION: the bucket may be in another region",
            (404, _) => "check bucket and key",
            _ => return None,
        };
        Some(text.to_string())
    }

    /// The failure of a redirect, which no signature follows.
    pub(super) fn redirected(url: &Url) -> Failure {
        Failure::new(
            url,
            FailureKind::Redirect("to another host, which files of S3 are not read from".into()),
        )
    }
}

/// A key with all escapes resolved and then all bytes escaped that signatures want so, which is more than addresses need.
fn encoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                at += 2;
                (high * 16 + low) as u8
            }
            (byte, ..) => byte,
        };
        at += 1;
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_once_as_signatures_want() {
        assert_eq!(encoded("a%20b+c=d/é"), "a%20b%2Bc%3Dd/%C3%A9");
        assert_eq!(encoded("50%/x%2"), "50%25/x%252");
    }

    #[test]
    fn buckets_have_hosts() {
        let s3 = S3::new(Settings::default(), None).unwrap();
        let of = |text: &str| s3.request(&Url::parse(text).unwrap()).unwrap().url.to_string();
        assert_eq!(of("s3://b/k/a b"), "https://b.s3.us-west-2.amazonaws.com/k/a%20b");
        assert_eq!(of("s3://b.c/k"), "https://s3.us-west-2.amazonaws.com/b.c/k");
    }
}
