//! What a host is told is for it alone: over redirects of every status, over http, and in what messages show.

use std::collections::HashMap;
use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use perilune::bytes::credentials::{Login, Place, Secret, Services, Sources, StoredLogin, Vault};
use perilune::bytes::http::{Http, Request, Settings, parse_url, redacted, redacted_text};
use proptest::prelude::*;
use reqwest::header::HeaderName;
use url::Url;

use super::standin::{Answer, Got, StandIn, send};

const USER: &str = "galileo";
const PASSWORD: &str = "eppur-si-muove";
const COOKIE: &str = "tossed-biscuit";

fn client(folder: &Path, netrc: &str) -> Http {
    let file = folder.join("netrc");
    fs::write(&file, netrc).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let variables = HashMap::from([("NETRC".to_string(), file.display().to_string())]);
    let sources = Sources {
        variable: Box::new(move |name| variables.get(name).cloned()),
        home: None,
        store: None,
    };
    let settings = Settings {
        attempts: 1,
        ..Settings::default()
    };
    Http::new(settings, Arc::new(Vault::from_sources(&sources).unwrap())).unwrap()
}

fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

#[test]
fn no_redirect_of_any_status_takes_a_secret_along() {
    let stranger = StandIn::start("127.0.0.8", |_| Answer::new(200, "a file"));
    for status in [301, 302, 303, 307, 308] {
        for method in ["GET", "HEAD", "POST"] {
            let target = stranger.url("/taken");
            let home = StandIn::start("localhost", move |_| {
                Answer::to(status, &target).with("Set-Cookie", &format!("session={COOKIE}; Path=/"))
            });
            let folder = tempfile::tempdir().unwrap();
            let http = client(
                folder.path(),
                &format!("machine localhost login {USER} password {PASSWORD}\n"),
            );
            for _ in 0..2 {
                let url = parse_url("url", &home.url("/protected")).unwrap();
                let mut request = match method {
                    "POST" => Request::json(url, &serde_json::json!({ "password": PASSWORD })),
                    _ => Request::file(url),
                };
                if method == "HEAD" {
                    request.method = reqwest::Method::HEAD;
                }
                let key = HeaderName::from_static("x-auth-token");
                send(&http, request.secret(key, "m2m-key-5").unwrap()).unwrap();
            }
            let seen = home.log();
            let expected = format!("Basic {}", basic(USER, PASSWORD));
            assert_eq!(seen[0].header("authorization"), Some(expected.as_str()));
            assert_eq!(
                seen[1].cookie("session"),
                Some(COOKIE),
                "the host itself gets its cookie"
            );
            assert_eq!(seen[1].header("x-auth-token"), Some("m2m-key-5"));
        }
    }
    assert_eq!(stranger.log().len(), 30);
    stranger.knows_nothing(&[PASSWORD, &basic(USER, PASSWORD), COOKIE, "m2m-key-5"]);
}

#[test]
fn a_host_gets_its_own_login_after_a_redirect_and_no_other() {
    let last = StandIn::start("127.0.0.7", |got| match got.header("authorization") {
        Some(_) => Answer::new(200, "file"),
        None => Answer::new(401, ""),
    });
    let target = last.url("/b");
    let first = StandIn::start("127.0.0.6", move |_| Answer::to(302, &target));
    let folder = tempfile::tempdir().unwrap();
    let netrc = format!(
        "machine 127.0.0.6 login one password first-word\nmachine {} login two password other-word\n\
         default login all password common-word\n",
        last.place()
    );
    let http = client(folder.path(), &netrc);
    send(&http, Request::file(parse_url("url", &first.url("/a")).unwrap())).unwrap();
    let told = |got: &Got| got.header("authorization").map(str::to_string);
    assert_eq!(
        told(&first.log()[0]),
        Some(format!("Basic {}", basic("one", "first-word")))
    );
    assert_eq!(
        told(&last.log()[0]),
        Some(format!("Basic {}", basic("two", "other-word")))
    );
    // Another port of the second host is not what its line names, and `default` is nobody's.
    let other = StandIn::start("127.0.0.7", |_| Answer::new(200, ""));
    send(&http, Request::file(parse_url("url", &other.url("/")).unwrap())).unwrap();
    other.knows_nothing(&["other-word", "common-word"]);
}

#[test]
fn nothing_is_told_over_a_way_that_others_can_read() {
    // This machine's address in its network: no loopback address, though nothing leaves the machine.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let Ok(own) = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()) else {
        println!("skipped: this machine has no network address");
        return;
    };
    let host = own.ip().to_string();
    let server = StandIn::start(&host, |_| {
        Answer::new(200, "").with("Set-Cookie", &format!("session={COOKIE}"))
    });
    let folder = tempfile::tempdir().unwrap();
    let http = client(
        folder.path(),
        &format!("machine {host} login {USER} password {PASSWORD}\n"),
    );
    let url = parse_url("url", &server.url("/a")).unwrap();
    for _ in 0..2 {
        send(&http, Request::file(url.clone())).unwrap();
    }
    assert_eq!(server.log().len(), 2);
    server.knows_nothing(&[PASSWORD, &basic(USER, PASSWORD), COOKIE]);
    // What the caller wants sent there is refused before it leaves.
    let key = HeaderName::from_static("x-auth-token");
    let with_key = Request::file(url.clone()).secret(key, "m2m-key-5").unwrap();
    let mut with_password = url.clone();
    with_password.set_username(USER).unwrap();
    with_password.set_password(Some(PASSWORD)).unwrap();
    for request in [with_key, Request::file(with_password)] {
        let shown = format!("{request:?}");
        let failure = send(&http, request).unwrap_err();
        assert!(failure.to_string().contains("https"), "{failure}");
        for text in [shown, failure.to_string(), format!("{failure:?}")] {
            assert!(!text.contains(PASSWORD) && !text.contains("m2m-key-5"), "{text}");
        }
    }
    assert_eq!(server.log().len(), 2);
}

#[test]
fn what_a_server_repeats_is_not_shown() {
    let encoded = basic(USER, PASSWORD);
    let echo = format!("no: {PASSWORD} {encoded} Authorization: Basic {encoded}");
    let server = StandIn::start("localhost", move |_| Answer::new(403, echo.clone()));
    let folder = tempfile::tempdir().unwrap();
    let http = client(
        folder.path(),
        &format!("machine localhost login {USER} password {PASSWORD}\n"),
    );
    let failure = send(&http, Request::file(parse_url("url", &server.url("/a")).unwrap())).unwrap_err();
    let error = perilune::error::Error::from(failure.clone());
    for text in [
        failure.to_string(),
        format!("{failure:?}"),
        error.to_string(),
        format!("{error:?}"),
    ] {
        assert!(!text.contains(PASSWORD) && !text.contains(&encoded), "{text}");
    }
    assert!(failure.to_string().contains("you may not have this"), "{failure}");
}

fn vault(place: &str, password: &str) -> Vault {
    let entry = StoredLogin {
        place: Place::host(place),
        login: Login::Password {
            user: USER.into(),
            password: Secret::new(password),
        },
        source: "a test".into(),
    };
    Vault::new(Services::real(), vec![entry])
}

const PARAMETERS: &[&str] = &[
    "sig",
    "token",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "access_token",
    "password",
    "code",
    "key",
    "Key-Pair-Id",
    "subscription-key",
];

proptest! {
    /// A login for one host is for no other, however alike their names.
    #[test]
    fn logins_are_for_their_host(
        name in "[a-z]{1,8}(\\.[a-z]{1,8}){0,3}",
        other in "[a-z]{1,8}(\\.[a-z]{1,8}){0,3}",
        port in proptest::option::of(1u16..),
        path in "[a-z./@:]{0,12}",
        scheme in "https?",
    ) {
        let vault = vault(&name, "word");
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let hosts = [
            other.clone(),
            format!("{other}.{name}"),
            format!("{name}.{other}"),
            format!("{other}{name}"),
            format!("{name}@{other}"),
        ];
        for host in hosts {
            let Ok(url) = Url::parse(&format!("{scheme}://{host}{port}/{path}")) else { continue };
            let told = vault.authorization(&url).is_some();
            let own = url.host_str() == Some(name.as_str());
            let safe = scheme == "https" || name == "localhost";
            prop_assert_eq!(told, own && safe, "{}", url);
        }
        let own = Url::parse(&format!("https://{name}{port}/{path}")).unwrap();
        prop_assert!(vault.authorization(&own).is_some(), "{}", own);
        let other_way = Url::parse(&format!("ftp://{name}/")).unwrap();
        prop_assert!(vault.authorization(&other_way).is_none());
    }

    /// Whatever the characters of the secret are, no message of a failure and no address that is shown holds it.
    #[test]
    fn messages_hold_no_secrets(
        secret in "[A-Za-z0-9%+/=._~-]{8,40}",
        before in "[a-z]{0,10}",
        name in prop::sample::select(PARAMETERS),
    ) {
        let address = format!("https://host.org/{before}?a=1&{name}={secret}&b=2");
        if let Ok(url) = Url::parse(&address) {
            let shown = redacted(&url);
            prop_assert!(!shown.contains(&secret), "{}", shown);
            prop_assert!(shown.contains("a=1") && shown.contains("b=2"), "{}", shown);
        }
        // These two are ordinary words outside an address.
        if !matches!(name, "code" | "key") {
            let text = redacted_text(&format!("{before} cannot read {address} now"));
            prop_assert!(!text.contains(&secret), "{}", text);
        }
        for text in [
            format!("{before} Authorization: Bearer {secret}"),
            format!("{before} authorization: basic {secret} x"),
            format!("GET https://{USER}:{}@host/", secret.replace('/', "_")),
            format!("{{\"access_token\":\"{secret}\",\"x\":1}}"),
        ] {
            let shown = redacted_text(&text);
            prop_assert!(!shown.contains(&secret.replace('/', "_")) && !shown.contains(&secret), "{}", shown);
        }
        let vault = vault("host.org", &secret);
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let both = basic(USER, &secret);
        let shown = vault.without_secrets(&format!("{before}{secret}, {encoded}; {both}"));
        prop_assert!(!shown.contains(&secret) && !shown.contains(&encoded) && !shown.contains(&both), "{}", shown);
        let shown = format!("{vault:?}");
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }
}
