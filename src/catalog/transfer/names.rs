//! Names of files: what servers and items call them may never lead out of the folder.

use std::path::{Component, Path, PathBuf};

use md5::Digest;
use url::Url;

use super::checksum::to_hex;
use crate::error::{Error, Remedy, Result};

/// The longest name that the common file systems take, less what temporary names add.
const LONGEST: usize = 200;

/// A name for one file or folder, made of a text that nobody here wrote: what cannot be in a name becomes `_`. A name that
/// would be hidden, empty or one of the two that mean folders, changes too.
pub fn safe(text: &str) -> String {
    let mut name: String = text
        .chars()
        .map(|c| {
            if c.is_control()
                || matches!(c, '/' | '\\' | ':' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            {
                '_'
            } else {
                c
            }
        })
        .collect();
    name = name.trim().to_string();
    if name.starts_with('.') || name.is_empty() {
        name = format!("_{}", name.trim_start_matches('.'));
    }
    if name.len() > LONGEST {
        let digest = to_hex(&sha2::Sha256::digest(name.as_bytes()));
        let extension = match name.rsplit_once('.') {
            Some((_, extension)) if extension.len() < 16 => format!(".{extension}"),
            _ => String::new(),
        };
        let mut end = LONGEST - 9 - extension.len();
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name = format!("{}-{}{extension}", &name[..end], &digest[..8]);
    }
    name
}

/// The name that an address ends with.
///
/// # Errors
/// When it ends with none.
pub fn of_url(url: &Url) -> Result<String> {
    let last = url.path().rsplit('/').find(|part| !part.is_empty()).unwrap_or("");
    let decoded = percent_decoded(last);
    if decoded.trim_matches('.').is_empty() {
        return Err(Error::message(format!(
            "{} does not end with the name of a file; {}",
            crate::bytes::http::redacted(url),
            Remedy::NameDownload
        )));
    }
    Ok(safe(&decoded))
}

/// A relative path that the user gave, such as `scene/hh.tif`.
///
/// # Errors
/// When it is absolute, leads up, or names a hidden file: the program keeps its own things there.
pub fn relative(text: &str) -> Result<PathBuf> {
    let wrong = || {
        Error::argument(
            "name",
            "the name of a file inside the folder, such as `scene/hh.tif`",
            format!("`{text}`"),
        )
    };
    let mut out = PathBuf::new();
    for part in Path::new(text).components() {
        match part {
            Component::Normal(part) => {
                let part = part.to_str().ok_or_else(wrong)?;
                if part.starts_with('.') || part.chars().any(char::is_control) || part.len() > LONGEST {
                    return Err(wrong());
                }
                out.push(part);
            }
            Component::CurDir => {}
            _ => return Err(wrong()),
        }
    }
    if out.as_os_str().is_empty() || text.ends_with('/') {
        return Err(wrong());
    }
    Ok(out)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = (first == b'%')
            .then(|| after.get(..2).and_then(|d| std::str::from_utf8(d).ok()))
            .flatten();
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What stays the same of an address when it is signed again: the key under which the ledger keeps a file.
pub fn identity(url: &Url) -> String {
    // The parameters of AWS (versions 2 and 4), CloudFront, Google and Azure signatures.
    const SIGNING: &[&str] = &[
        "awsaccesskeyid",
        "signature",
        "expires",
        "policy",
        "key-pair-id",
        "googleaccessid",
        "sig",
        "se",
        "st",
        "sp",
        "sv",
        "sr",
        "spr",
        "skoid",
        "sktid",
        "skt",
        "ske",
        "sks",
        "skv",
        "token",
        "a-userid",
        "access_token",
    ];
    let mut kept = url.clone();
    let _ = kept.set_username("");
    let _ = kept.set_password(None);
    kept.set_fragment(None);
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| {
            let name = name.to_ascii_lowercase();
            !name.starts_with("x-amz-") && !name.starts_with("x-goog-") && !SIGNING.contains(&name.as_str())
        })
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    kept.set_query(None);
    if !pairs.is_empty() {
        kept.query_pairs_mut().extend_pairs(pairs);
    }
    kept.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever a server calls a file: one visible name, inside the folder.
        #[test]
        fn no_name_leaves_the_folder(text in "\\PC{0,300}|(\\.|/|%2e|%2f|\\\\|\0){1,12}") {
            let name = safe(&text);
            prop_assert_eq!(Path::new(&name).components().count(), 1);
            prop_assert!(matches!(Path::new(&name).components().next(), Some(Component::Normal(_))));
            prop_assert!(!name.starts_with('.') && !name.contains(['/', '\\', '\0']) && name.len() <= LONGEST);
            if let Ok(url) = Url::parse(&format!("https://host/{text}")) && let Ok(name) = of_url(&url) {
                prop_assert_eq!(safe(&name), name.clone());
                prop_assert_eq!(Path::new(&name).components().count(), 1);
            }
            if let Ok(path) = relative(&text) {
                prop_assert!(path.components().all(|c| matches!(c, Component::Normal(_))));
            }
        }
    }

    #[test]
    fn names_of_addresses() {
        let name = |text: &str| of_url(&Url::parse(text).unwrap());
        assert_eq!(name("https://h/a/b%20c.tif?x=1").unwrap(), "b c.tif");
        assert_eq!(
            name("https://h/a/..%2f..%2fetc%2fpasswd").unwrap(),
            "__.._etc_passwd"
        );
        assert_eq!(name("https://h/a/").unwrap(), "a");
        let error = name("https://h/?token=s3cret").unwrap_err().to_string();
        assert!(
            error.contains("give the file a name") && !error.contains("s3cret"),
            "{error}"
        );
    }

    #[test]
    fn given_names_stay_inside() {
        assert_eq!(
            relative("scene/usgs/a.tif").unwrap(),
            Path::new("scene/usgs/a.tif")
        );
        for bad in [
            "/etc/x",
            "../x",
            "a/../../x",
            "a/.hidden",
            ".perilune/lock",
            "",
            "a/",
            ".",
        ] {
            assert!(relative(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_signature_is_the_same_file() {
        let of = |text: &str| identity(&Url::parse(text).unwrap());
        assert_eq!(
            of("https://h/a.tif?X-Amz-Date=1&X-Amz-Signature=aa&version=3"),
            of("https://h/a.tif?X-Amz-Date=2&X-Amz-Signature=bb&version=3")
        );
        assert_ne!(of("https://h/a.tif?version=3"), of("https://h/a.tif?version=4"));
        assert_eq!(of("https://me:word@h/a.tif?se=2026&sig=x#f"), "https://h/a.tif");
    }
}
