//! Files over HTTP: RFC 9110, sections 13 (conditions) and 14 (ranges).

use std::ops::Deref;
use std::time::Duration;

use crate::bytes::http::header::{ACCEPT_ENCODING, HeaderName, HeaderValue, IF_RANGE, RANGE};
use url::Url;

use super::checksum::{Algorithm, Checksum};
use super::coding::Coding;
use super::source::{Answer, Body, Later, Opened, Source, Validator};
use crate::bytes::http::{Failure, Http, Request, Response};
use crate::bytes::ranged::ContentRange;

/// The client of the process, or one of a test.
pub struct Web<H>(pub H);

impl<H: Deref<Target = Http> + Send + Sync> Source for Web<H> {
    fn open<'a>(
        &'a self,
        url: &'a Url,
        from: u64,
        validator: &'a Validator,
    ) -> Later<'a, Result<Answer, Failure>> {
        let request = Request::file(url.clone());
        Box::pin(open(&self.0, request, IF_RANGE, from, validator))
    }

    fn probe<'a>(&'a self, url: &'a Url) -> Later<'a, Result<Option<u64>, Failure>> {
        Box::pin(probe(&self.0, Request::file(url.clone())))
    }
}

/// The size of the file that `request` asks for, where the server says it.
pub(super) async fn probe(http: &Http, mut request: Request) -> Result<Option<u64>, Failure> {
    // Not HEAD: addresses that are signed for GET refuse it.
    request
        .headers
        .insert(RANGE, HeaderValue::from_static("bytes=0-0"));
    let response = http.send(&request).await?;
    Ok(match response.status().as_u16() {
        206 | 416 => ContentRange::of(&response).and_then(|r| r.size),
        200 => response.content_length(),
        _ => None,
    })
}

/// The file that `request` asks for, from a byte on. `condition`: the header that has all of it, or nothing (412), come where it is another
/// version by now.
pub(super) async fn open(
    http: &Http,
    mut request: Request,
    condition: HeaderName,
    from: u64,
    validator: &Validator,
) -> Result<Answer, Failure> {
    let url = &request.asked().clone();
    request
        .headers
        .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if from > 0 {
        let range = format!("bytes={from}-");
        request = request
            .header(RANGE, &range)
            .map_err(|e| Failure::wrong(url, e.to_string()))?;
        if let Some(text) = validator.if_range() {
            request = request
                .header(condition, text)
                .map_err(|e| Failure::wrong(url, e.to_string()))?;
        }
    }
    let response = http.send(&request).await?;
    match response.status().as_u16() {
        200 | 206 => opened(url, response, from, validator).map(Answer::Opened),
        202 => {
            let wait = crate::bytes::http::retry_after(response.headers());
            Ok(Answer::NotReady(wait))
        }
        412 if from > 0 => Ok(Answer::Changed),
        416 if from > 0 => Ok(Answer::Beyond(ContentRange::of(&response).and_then(|r| r.size))),
        status => Err(Failure::wrong(
            url,
            format!("the server answers {status}, which is no answer to this request"),
        )),
    }
}

/// The answer by what it says that it sends, whatever its status: some servers send a part as 200.
fn opened(url: &Url, response: Response, from: u64, validator: &Validator) -> Result<Opened, Failure> {
    let wrong = |text: String| Failure::wrong(url, text);
    let new = Validator::of(&response);
    let coding = Coding::of(&response)?;
    let told = response.header("content-range").map(str::to_string);
    let range = match &told {
        Some(text) => Some(ContentRange::parse(text).ok_or_else(|| {
            wrong(format!(
                "the server answers a range of bytes with Content-Range `{text}`"
            ))
        })?),
        None if response.status().as_u16() == 206 => {
            let text = "the server answers a range of bytes without saying which bytes it sends";
            return Err(wrong(text.into()));
        }
        None => None,
    };
    let Some(range) = range else {
        return Ok(Opened {
            from: 0,
            size: response.content_length(),
            checksum: published(&response, true),
            validator: new,
            coding,
            body: Body::Web(response),
        });
    };
    // What was asked for, or all of it from the beginning.
    let first = range.start.filter(|first| [0, from].contains(first));
    let beyond = |end| range.size.is_some_and(|size| end >= size);
    let Some(first) = first.filter(|_| !range.end.is_some_and(beyond)) else {
        return Err(wrong(format!(
            "the server was asked for the bytes from {from} on and sends `{}`",
            told.unwrap_or_default()
        )));
    };
    let sent = range.end.map(|end| end + 1 - first);
    if let (Some(sent), Some(length)) = (sent, response.content_length())
        && sent != length
    {
        return Err(wrong(format!(
            "the server says that it sends {sent} bytes and {length} bytes"
        )));
    }
    if first > 0 && validator.differs(&new) {
        let text = "the server continues another version of the file than the one that was begun";
        return Err(wrong(text.into()));
    }
    if let (Some(coding), true) = (&coding, first > 0) {
        return Err(wrong(format!(
            "the server continues the file with bytes that are compressed ({})",
            coding.0
        )));
    }
    Ok(Opened {
        from: first,
        size: range.size,
        checksum: published(&response, false),
        validator: if new.is_empty() && first > 0 {
            validator.clone()
        } else {
            new
        },
        coding,
        body: Body::Web(response),
    })
}

/// A checksum of the whole file among the headers. `whole`: the answer carries all of it.
fn published(response: &Response, whole: bool) -> Option<Checksum> {
    let header = |name: &str| response.header(name);
    if let Some(text) = header("x-goog-hash") {
        let md5 = text.split(',').find_map(|part| part.trim().strip_prefix("md5="));
        if let Some(found) = md5.and_then(|md5| Checksum::from_base64(Algorithm::Md5, md5)) {
            return Some(found);
        }
    }
    // RFC 9530: `sha-256=:…:`, of the file itself and not of the range.
    if let Some(text) = header("repr-digest") {
        for (name, algorithm) in [("sha-512=:", Algorithm::Sha512), ("sha-256=:", Algorithm::Sha256)] {
            let found = text
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_suffix(':'))
                .and_then(|digest| Checksum::from_base64(algorithm, digest));
            if found.is_some() {
                return found;
            }
        }
    }
    let md5 = header("x-ms-blob-content-md5").or_else(|| header("content-md5").filter(|_| whole));
    if let Some(found) = md5.and_then(|md5| Checksum::from_base64(Algorithm::Md5, md5)) {
        return Some(found);
    }
    // S3's tag is the MD5 of objects that were stored in one part and not encrypted with a key of their own.
    let of_s3 = header("x-amz-request-id").is_some() || header("server") == Some("AmazonS3");
    let own_key = header("x-amz-server-side-encryption").is_some_and(|how| how != "AES256")
        || header("x-amz-server-side-encryption-customer-algorithm").is_some();
    let tag = header("etag")?.trim().trim_matches('"');
    (of_s3 && !own_key && tag.len() == 32)
        .then(|| Checksum::parse(tag).ok())
        .flatten()
}

/// How long to wait before asking again for a file that is being made.
pub fn polling_wait(asked: Option<Duration>, polls: u32) -> Duration {
    let own = Duration::from_secs(5) * 2_u32.pow(polls.min(4));
    asked
        .unwrap_or(own)
        .clamp(Duration::from_millis(50), Duration::from_secs(600))
}
