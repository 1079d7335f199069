//! S3 against a stand-in that checks who pays, what is signed and what is not.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::Arc;

use perilune::bytes::credentials::{Secret, Vault};
use perilune::bytes::http::header::{IF_MATCH, RANGE};
use perilune::bytes::http::{Failure, Http, wait};
use perilune::bytes::s3::{Access, Keys, S3, Settings, keys};
use perilune::catalog::transfer::{
    Answer as Source, Buckets, DownloadOptions, Silent, Sources, Status, Validator, Wanted, Web, download,
    plan,
};
use url::Url;

use super::standin::{Answer, Got, StandIn};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "session-token-5";

fn error(status: u16, code: &str) -> Answer {
    Answer::new(
        status,
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>"),
    )
}

fn bucket(got: &Got) -> Answer {
    let file = |text: &str| {
        Answer::new(200, text)
            .with("ETag", "\"e5\"")
            .with("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
    };
    let signed = got.header("authorization").is_some_and(|text| {
        text.starts_with(&format!("AWS4-HMAC-SHA256 Credential={ID}/"))
            && text.contains("/us-west-2/s3/aws4_request")
            && text.contains("x-amz-request-payer") == got.header("x-amz-request-payer").is_some()
    });
    if got.header("if-match").is_some_and(|tag| tag != "\"e5\"") {
        return error(412, "PreconditionFailed");
    }
    match (got.path(), got.header("x-amz-request-payer")) {
        ("/public/a b.bin" | "/public/a%20b.bin", None) if got.header("authorization").is_none() => {
            file("a public file")
        }
        ("/usgs/inwam.bin", Some("requester")) if signed => file("a tile that is paid for"),
        ("/own/a.tif", None) if signed && got.header("x-amz-security-token") == Some(SESSION) => {
            file("my own")
        }
        ("/moved/a.tif", _) => Answer::to(307, "http://127.0.0.9:9/elsewhere"),
        (path, _) if path.starts_with("/usgs") || path.starts_with("/own") => error(403, "AccessDenied"),
        _ => error(404, "NoSuchKey"),
    }
}

fn open(server: &StandIn, access: Access, with_keys: bool) -> perilune::error::Result<S3> {
    let settings = Settings {
        access,
        endpoint: Some(Url::parse(&server.url("")).unwrap()),
        ..Settings::default()
    };
    let keys = Keys {
        id: ID.into(),
        secret: Secret::new(SECRET),
        session: (access == Access::Signed).then(|| Secret::new(SESSION)),
    };
    S3::new(settings, with_keys.then_some(keys))
}

fn client() -> Http {
    Http::new(Default::default(), Arc::new(Vault::empty())).unwrap()
}

/// The status, the tag and the text of an answer.
type Read = (u16, Option<String>, String);

fn read(s3: &S3, url: &str, from: u64, etag: Option<&str>) -> Result<Read, Failure> {
    let mut request = s3.request(&Url::parse(url).unwrap())?;
    if from > 0 {
        request = request.header(RANGE, &format!("bytes={from}-")).unwrap();
    }
    if let Some(tag) = etag {
        request = request.header(IF_MATCH, tag).unwrap();
    }
    let http = client();
    let mut result = None;
    wait::<_, Failure>(async {
        result = Some(match http.send(&request).await {
            Ok(answer) => {
                let (status, tag) = (
                    answer.status().as_u16(),
                    answer.header("etag").map(str::to_string),
                );
                let text = answer.bytes(1 << 20).await;
                text.map(|text| (status, tag, String::from_utf8(text).unwrap()))
            }
            Err(failure) => Err(failure),
        });
        Ok(())
    })
    .unwrap();
    result.unwrap()
}

#[test]
fn public_buckets_are_asked_unsigned_even_by_who_has_keys() {
    let server = StandIn::start("127.0.0.5", bucket);
    for with_keys in [false, true] {
        let s3 = open(&server, Access::Anonymous, with_keys).unwrap();
        let (_, tag, text) = read(&s3, "s3://public/a%20b.bin", 0, None).unwrap();
        assert_eq!((tag.as_deref(), text.as_str()), (Some("\"e5\""), "a public file"));
        assert_eq!(
            read(&s3, "s3://public/a%20b.bin", 9, Some("\"e5\"")).unwrap().2,
            "file"
        );
        let changed = read(&s3, "s3://public/a%20b.bin", 9, Some("\"e4\"")).unwrap();
        assert_eq!(changed.0, 412);
        let missing = read(&s3, "s3://public/none", 0, None).unwrap_err();
        assert_eq!(missing.status(), Some(404), "{missing}");
        let closed = read(&s3, "s3://usgs/inwam.bin", 0, None).unwrap_err();
        assert!(closed.to_string().contains("requester pays"), "{closed}");
    }
    server.knows_nothing(&[ID, SECRET, SESSION]);
}

#[test]
fn who_pays_says_so_and_signs() {
    let server = StandIn::start("127.0.0.5", bucket);
    let s3 = open(&server, Access::RequesterPays, true).unwrap();
    assert_eq!(
        read(&s3, "s3://usgs/inwam.bin", 0, None).unwrap().2,
        "a tile that is paid for"
    );
    assert_eq!(
        read(&s3, "s3://usgs/inwam.bin", 12, None).unwrap().2,
        "is paid for"
    );
    // Signed, but not as the one who pays: the bucket refuses, and the message says what may help.
    let s3 = open(&server, Access::Signed, true).unwrap();
    let refused = read(&s3, "s3://usgs/inwam.bin", 0, None).unwrap_err();
    assert!(
        refused.status() == Some(403) && refused.to_string().contains("requester pays"),
        "{refused}"
    );
    assert_eq!(read(&s3, "s3://own/a.tif", 0, None).unwrap().2, "my own");
    let none = open(&server, Access::RequesterPays, false)
        .err()
        .unwrap()
        .to_string();
    assert!(none.contains("AWS_ACCESS_KEY_ID"), "{none}");
    for got in server.log() {
        assert!(!got.text().contains(SECRET), "{}", got.text());
    }
}

#[test]
fn downloads_draw_on_buckets_and_continue_there() {
    let server = StandIn::start("127.0.0.5", bucket);
    let endpoint = server.clone();
    let opener = move |access| open(&endpoint, access, true);
    let folder = tempfile::tempdir().unwrap();
    let options = DownloadOptions::new(folder.path());
    let wanted = ["s3://public/a%20b.bin", "s3://usgs/inwam.bin"].map(|url| Wanted {
        requester_pays: url.contains("usgs"),
        ..Wanted::new(Url::parse(url).unwrap())
    });
    let paid = HashSet::from(["usgs".to_string()]);
    let sources = Sources {
        web: Arc::new(Web(Arc::new(client()))),
        s3: Some(Arc::new(Buckets::new(Arc::new(client()), paid, Box::new(opener)))),
        signer: None,
    };
    let report = wait(download(
        sources.clone(),
        plan(wanted.to_vec()).unwrap(),
        options,
        Arc::new(Silent),
    ))
    .unwrap();
    assert_eq!(report.count(Status::Fetched), 2, "{report:?}");
    assert_eq!(
        fs::read_to_string(folder.path().join("a b.bin")).unwrap(),
        "a public file"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("inwam.bin")).unwrap(),
        "a tile that is paid for"
    );
    for got in server.log() {
        let pays = got.header("x-amz-request-payer").is_some();
        assert_eq!(pays, got.path().starts_with("/usgs"), "{}", got.text());
        assert_eq!(pays, got.header("authorization").is_some(), "{}", got.text());
    }
    // From a byte on; beyond the end; of another version, which starts anew.
    let s3 = sources.s3.unwrap();
    let url = Url::parse("s3://public/a%20b.bin").unwrap();
    let from = |byte: u64, tag: &str| {
        let validator = Validator {
            etag: Some(tag.into()),
            modified: None,
        };
        let mut answer = None;
        wait::<_, Failure>(async {
            answer = Some(s3.open(&url, byte, &validator).await?);
            Ok(())
        })
        .unwrap();
        answer.unwrap()
    };
    assert!(
        matches!(from(9, "\"e5\""), Source::Opened(opened) if opened.from == 9 && opened.size == Some(13))
    );
    assert!(matches!(from(9, "\"e4\""), Source::Opened(opened) if opened.from == 0));
    assert!(matches!(from(13, "\"e5\""), Source::Beyond(Some(13))));
}

#[test]
fn a_redirect_is_not_followed_with_keys() {
    let stranger = StandIn::start("127.0.0.9", |_| Answer::new(200, "taken"));
    let target = stranger.url("/a.tif");
    let server = StandIn::start("127.0.0.5", move |_| Answer::to(307, &target));
    let s3 = open(&server, Access::Signed, true).unwrap();
    let failure = read(&s3, "s3://moved/a.tif", 0, None).unwrap_err();
    for text in [failure.to_string(), format!("{failure:?}")] {
        assert!(!text.contains(SECRET) && !text.contains(SESSION), "{text}");
    }
    assert_eq!(server.log().len(), 1);
    assert_eq!(stranger.log().len(), 0);
}

/// A bucket that says where it is, is asked there, and from then on at once.
#[test]
fn a_bucket_in_another_region_is_asked_there() {
    let server = StandIn::start("127.0.0.5", |got| {
        match got
            .header("authorization")
            .is_some_and(|text| text.contains("/eu-central-1/s3/"))
        {
            true => Answer::new(200, "far away"),
            false => error(400, "AuthorizationHeaderMalformed").with("x-amz-bucket-region", "eu-central-1"),
        }
    });
    let s3 = open(&server, Access::Signed, true).unwrap();
    for requests in [2, 3] {
        assert_eq!(read(&s3, "s3://far-away/a.tif", 0, None).unwrap().2, "far away");
        assert_eq!(server.log().len(), requests);
    }
}

#[test]
fn wrong_addresses_and_endpoints_are_named() {
    let server = StandIn::start("127.0.0.5", bucket);
    let s3 = open(&server, Access::Anonymous, false).unwrap();
    for wrong in ["s3://public", "s3://public/", "https://public/a", "s3:///a"] {
        let failure = read(&s3, wrong, 0, None).unwrap_err();
        assert!(failure.to_string().contains("s3://bucket/key"), "{failure}");
    }
    let settings = Settings {
        endpoint: Some(Url::parse("http://example.org/").unwrap()),
        ..Settings::default()
    };
    assert!(
        S3::new(settings, None)
            .err()
            .unwrap()
            .to_string()
            .contains("an https address")
    );
}

#[test]
fn keys_come_from_the_environment_or_the_profile() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    let text = "# mine\n[other]\naws_access_key_id = O\naws_secret_access_key=OS\n\n[ default ]\naws_access_key_id=D\n\
                ; aws_session_token = no\naws_secret_access_key = D=S/+\n";
    fs::write(home.path().join(".aws/credentials"), text).unwrap();
    let of = |variables: &[(&str, &str)]| {
        let all: HashMap<String, String> = variables
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect();
        let keys = keys(|name| all.get(name).cloned(), Some(home.path().into()))?;
        assert!(!format!("{keys:?}").contains("S/+"));
        Some((keys.id, keys.secret, keys.session))
    };
    let secret = |text: &str| Secret::new(text);
    assert_eq!(of(&[]), Some(("D".into(), secret("D=S/+"), None)));
    assert_eq!(
        of(&[("AWS_PROFILE", "other")]),
        Some(("O".into(), secret("OS"), None))
    );
    assert_eq!(of(&[("AWS_PROFILE", "none")]), None);
    let variables = [
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "ES"),
        ("AWS_SESSION_TOKEN", "T"),
    ];
    assert_eq!(
        of(&variables),
        Some(("E".into(), secret("ES"), Some(secret("T"))))
    );
}
