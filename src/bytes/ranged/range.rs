//! Some bytes of a file on a server: RFC 9110, section 14.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::bytes::http::header::{ACCEPT_ENCODING, HeaderValue, RANGE};
use crate::bytes::http::{Failure, Http, Request, Response};

/// What tells one version of a file from another: with it a part can be continued.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validator {
    /// A strong entity tag, with its quotation marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The header Last-Modified as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

impl Validator {
    pub fn of(response: &Response) -> Validator {
        let etag = response.header("etag").map(str::trim);
        Validator {
            // A weak tag says that two versions mean the same, not that their bytes are the same.
            etag: etag
                .filter(|e| e.starts_with('"') && e.len() > 2)
                .map(str::to_string),
            modified: response.header("last-modified").map(str::to_string),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.modified.is_none()
    }

    /// True where the two are certainly not of the same version.
    pub fn differs(&self, other: &Validator) -> bool {
        match (&self.etag, &other.etag, &self.modified, &other.modified) {
            (Some(a), Some(b), ..) => a != b,
            (_, _, Some(a), Some(b)) => a != b,
            _ => false,
        }
    }

    /// What the header If-Range takes: the tag, or else the date.
    pub fn if_range(&self) -> Option<&str> {
        self.etag.as_deref().or(self.modified.as_deref())
    }
}

/// The header Content-Range: `bytes 0-9/100`, `bytes 0-9/*`, `bytes */100`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    pub start: Option<u64>,
    pub end: Option<u64>,
    pub size: Option<u64>,
}

impl ContentRange {
    pub fn of(response: &Response) -> Option<ContentRange> {
        ContentRange::parse(response.header("content-range")?)
    }

    pub fn parse(text: &str) -> Option<ContentRange> {
        let (range, size) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
        let size = match size.trim() {
            "*" => None,
            size => Some(size.parse().ok()?),
        };
        if range.trim() == "*" {
            return Some(ContentRange {
                start: None,
                end: None,
                size,
            });
        }
        let (start, end) = range.trim().split_once('-')?;
        let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
        (start <= end).then_some(ContentRange {
            start: Some(start),
            end: Some(end),
            size,
        })
    }
}

/// What of a file is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// None for the end of the file.
    pub start: Option<u64>,
    pub length: u64,
    /// A file of at most so many bytes may come whole, from a server that gives no parts.
    pub whole: u64,
}

/// Some bytes of a file, or all of them where the server gives no parts.
pub struct Range {
    pub start: u64,
    /// Of the whole file.
    pub size: u64,
    pub validator: Validator,
    pub bytes: Vec<u8>,
    /// Where they came from, after redirects.
    pub from: Url,
}

/// The bytes that are wanted; less where the file ends before.
///
/// # Errors
/// When the server does not serve ranges, sends others than asked for, or another version than that of `validator`.
pub async fn range(
    http: &Http,
    request: Request,
    wanted: Wanted,
    validator: &Validator,
) -> Result<Range, Failure> {
    let asked = match wanted.start {
        Some(start) => format!("bytes={start}-{}", start + wanted.length.max(1) - 1),
        None => format!("bytes=-{}", wanted.length),
    };
    let address = request.asked().clone();
    let mut request = request;
    request
        .headers
        .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let request = request
        .header(RANGE, &asked)
        .map_err(|e| Failure::wrong(&address, e.to_string()))?;
    let (address, asked) = (&address, &asked);
    http.fetch(&request, |answer| {
        taken(answer, address, asked, wanted, validator)
    })
    .await
}

async fn taken(
    response: Response,
    address: &Url,
    asked: &str,
    wanted: Wanted,
    validator: &Validator,
) -> Result<Range, Failure> {
    let wrong = |text: String| Failure::wrong(address, text);
    let (status, from) = (response.status().as_u16(), response.url().clone());
    let now = Validator::of(&response);
    let told = response.header("content-range").unwrap_or("nothing").to_string();
    if let Some(coding) = response.codings().first() {
        return Err(wrong(format!(
            "the server has the file compressed ({coding}); download all of it first"
        )));
    }
    let limit = wanted.whole.max(wanted.length);
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    if status == 200 && told == "nothing" {
        let size = response.content_length();
        let megabytes = size.map_or(String::new(), |size| {
            format!(" but only all of it ({:.1} MB)", size as f64 / 1e6)
        });
        let refused = || {
            wrong(format!(
                "the server does not serve parts of this file{megabytes}; download all of it first"
            ))
        };
        if size.is_some_and(|size| size > limit) {
            return Err(refused());
        }
        let bytes = response
            .bytes(most)
            .await
            .map_err(|failure| match failure.is_too_large() {
                true => refused(),
                false => failure,
            })?;
        changed(address, validator, &now)?;
        return Ok(Range {
            start: 0,
            size: bytes.len() as u64,
            validator: now,
            bytes,
            from,
        });
    }
    if status == 202 {
        return Err(wrong(
            "the server is still making this file (status 202); download it, which waits until it is there"
                .into(),
        ));
    }
    let got = ContentRange::parse(&told);
    if status == 416 && got.is_none_or(|got| got.size == Some(0)) && wanted.start.unwrap_or(0) == 0 {
        return Err(wrong("the file is empty".into()));
    }
    let Some(ContentRange {
        start: Some(start),
        end: Some(end),
        size: Some(size),
    }) = got
    else {
        return Err(wrong(format!(
            "the server was asked for `{asked}` and answers {status} with `{told}`"
        )));
    };
    let expected = wanted.start.unwrap_or(size.saturating_sub(wanted.length));
    if start != expected || end >= size || end - start >= wanted.length {
        return Err(wrong(format!(
            "the server was asked for `{asked}` and sends `{told}`"
        )));
    }
    changed(address, validator, &now)?;
    let bytes = response.bytes(most).await?;
    if bytes.len() as u64 != end - start + 1 {
        return Err(wrong(format!(
            "the server says `{told}` and sends {} bytes",
            bytes.len()
        )));
    }
    Ok(Range {
        start,
        size,
        validator: now,
        bytes,
        from,
    })
}

fn changed(address: &Url, before: &Validator, now: &Validator) -> Result<(), Failure> {
    match before.differs(now) {
        true => Err(has_changed(address)),
        false => Ok(()),
    }
}

pub(super) fn has_changed(address: &Url) -> Failure {
    Failure::wrong(
        address,
        "the file has changed on the server while it was read; run the same again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        let of = |text: &str| ContentRange::parse(text).map(|r| (r.start, r.end, r.size));
        assert_eq!(of("bytes 5-9/100"), Some((Some(5), Some(9), Some(100))));
        assert_eq!(of("bytes 5-9/*"), Some((Some(5), Some(9), None)));
        assert_eq!(of("bytes */100"), Some((None, None, Some(100))));
        for bad in [
            "",
            "bytes",
            "bytes 9-5/100",
            "items 5-9/100",
            "bytes 5-/100",
            "bytes -5-9/100",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
