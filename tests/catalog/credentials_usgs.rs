//! The logins of the USGS against stand-ins: the form that enforces its hidden field and its cookie, and the API that
//! wants a key of a session.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use perilune::bytes::credentials::m2m::M2m;
use perilune::bytes::credentials::{Sources, Vault};
use perilune::bytes::http::{Failure, Http, Request, Settings, parse_url, wait};
use serde_json::{Value, json};

use super::standin::{Answer, Got, StandIn, send};

const USER: &str = "johannes";
const PASSWORD: &str = "harmonices=mundi&";
const TOKEN: &str = "m2m@token!5";
const CONTENT: &[u8] = b"II*\0 a tile";

#[derive(Default)]
struct State {
    /// Values of the hidden field that were given out and not yet used.
    fields: HashSet<String>,
    given: usize,
    sessions: HashSet<String>,
    wrong: usize,
    keys: HashSet<String>,
    /// The page has no form any more.
    changed: bool,
}

struct Usgs {
    login: StandIn,
    data: StandIn,
    api: StandIn,
    state: Arc<Mutex<State>>,
}

/// The page with the form, whose hidden field belongs to the cookie that comes with it.
fn page(state: &mut State, words: &str) -> Answer {
    if state.changed {
        return Answer::page(200, "<html><div id='app'></div></html>");
    }
    state.given += 1;
    let field = format!("f&{}", state.given);
    state.fields.insert(field.clone());
    let html = format!(
        "<html><title>EROS Registration System</title>{words}<form action='/search'><input name=q></form>\
         <form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
         <input type=\"text\" name=\"username\"><input type=\"password\" name=\"password\"></form></html>",
        field.replace('&', "&amp;")
    );
    Answer::page(200, &html).with("Set-Cookie", &format!("PHPSESSID={}; Path=/", state.given))
}

/// `ers.cr.usgs.gov`.
fn form(got: &Got, state: &Mutex<State>) -> Answer {
    let mut state = state.lock().unwrap();
    match (got.method.as_str(), got.path()) {
        ("GET", "/login") => page(&mut state, ""),
        ("POST", "/login") => {
            let field = got.field("csrf").unwrap_or_default();
            let own = got.cookie("PHPSESSID").map(|id| format!("f&{id}"));
            if !state.fields.remove(&field) || own != Some(field) {
                return Answer::page(403, "<title>Invalid CSRF token</title>");
            }
            if (got.field("username").as_deref(), got.field("password").as_deref())
                != (Some(USER), Some(PASSWORD))
            {
                state.wrong += 1;
                return page(&mut state, "Invalid username/password");
            }
            let session = format!("eros{}", state.given);
            state.sessions.insert(session.clone());
            Answer::to(302, "/").with("Set-Cookie", &format!("EROS_SSO={session}; Path=/; HttpOnly"))
        }
        ("GET", "/") => Answer::page(200, "<title>Welcome</title>"),
        // Whoever is known is sent back to the host that she came from, with a proof for it.
        ("GET", "/sso") => match got
            .cookie("EROS_SSO")
            .is_some_and(|session| state.sessions.contains(session))
        {
            true => Answer::to(302, &format!("{}?proof=5", got.parameter("back").unwrap())),
            false => Answer::to(302, "/login"),
        },
        _ => Answer::new(404, ""),
    }
}

/// `m2m.cr.usgs.gov`.
fn api(got: &Got, state: &Mutex<State>) -> Answer {
    let mut state = state.lock().unwrap();
    let error = |status: u16, code: &str, words: &str| {
        Answer::json(
            status,
            json!({ "data": null, "errorCode": code, "errorMessage": words }),
        )
    };
    let good = |data: Value| {
        Answer::json(
            200,
            json!({ "data": data, "errorCode": null, "errorMessage": null }),
        )
    };
    let body: Value = serde_json::from_slice(&got.body).unwrap();
    if got.path() == "/api/login-token" {
        if body != json!({ "username": USER, "token": TOKEN }) {
            state.wrong += 1;
            let words = format!("User credential verification failed for {}", body["token"]);
            return error(401, "AUTH_INVALID", &words);
        }
        let key = format!("key-{}", state.keys.len());
        state.keys.insert(key.clone());
        return good(json!(key));
    }
    let key = got.header("x-auth-token").unwrap_or("").to_string();
    if !state.keys.contains(&key) {
        return error(200, "AUTH_KEY_INVALID", "API key is invalid");
    }
    match got.path() {
        "/api/logout" => {
            state.keys.remove(&key);
            good(Value::Null)
        }
        "/api/dataset-search" => good(json!([{ "datasetAlias": "landsat_dswe" }])),
        _ => error(404, "ENDPOINT_INVALID", "no such method"),
    }
}

impl Usgs {
    fn start() -> Usgs {
        let state: Arc<Mutex<State>> = Arc::default();
        let known = state.clone();
        let login = StandIn::start("localhost", move |got| form(got, &known));
        let known = state.clone();
        let api = StandIn::start("127.0.0.4", move |got| api(got, &known));
        let sso = login.url("/sso");
        let data = StandIn::start("127.0.0.5", move |got| {
            let back = format!("http://{}{}", got.header("host").unwrap(), got.path());
            let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
            match (got.cookie("data"), got.parameter("proof").as_deref()) {
                (Some("yes"), _) => Answer::new(200, CONTENT),
                (_, Some("5")) => Answer::to(302, got.path()).with("Set-Cookie", "data=yes; Path=/"),
                _ => Answer::to(302, &format!("{sso}?back={back}")),
            }
        });
        Usgs {
            login,
            data,
            api,
            state,
        }
    }

    fn client(&self, variables: &[(&str, &str)]) -> Http {
        let mut all: HashMap<String, String> = HashMap::from([
            ("PERILUNE_USGS_ERS_URL".into(), self.login.url("/login")),
            ("PERILUNE_USGS_HOSTS".into(), self.data.place()),
            ("PERILUNE_USGS_M2M_URL".into(), self.api.url("/api")),
        ]);
        all.extend(
            variables
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string())),
        );
        let sources = Sources {
            variable: Box::new(move |name| all.get(name).cloned()),
            home: None,
            store: None,
        };
        Http::new(
            Settings::default(),
            Arc::new(Vault::from_sources(&sources).unwrap()),
        )
        .unwrap()
    }
}

fn fetch(http: &Http, url: &str) -> Result<Vec<u8>, Failure> {
    send(http, Request::file(parse_url("url", url).unwrap()))
}

fn assert_silent(failure: &Failure) {
    let error = perilune::error::Error::from(failure.clone());
    for text in [
        failure.to_string(),
        format!("{failure:?}"),
        error.to_string(),
        format!("{error:?}"),
    ] {
        for secret in [PASSWORD, "harmonices", TOKEN, "wrong-word", "key-0"] {
            assert!(!text.contains(secret), "`{secret}` is in: {text}");
        }
    }
}

const LOGIN: [(&str, &str); 2] = [("USGS_USERNAME", USER), ("USGS_PASSWORD", PASSWORD)];

#[test]
fn the_form_is_filled_in_once() {
    let usgs = Usgs::start();
    let http = usgs.client(&LOGIN);
    for i in 0..3 {
        assert_eq!(
            fetch(&http, &usgs.data.url(&format!("/tile{i}.tif"))).unwrap(),
            CONTENT
        );
    }
    assert_eq!(usgs.login.count(|got| got.method == "POST"), 1);
    // The data host has its own cookie and nothing of the login.
    for got in usgs.data.log() {
        let text = got.text();
        for secret in ["harmonices", "EROS_SSO", "PHPSESSID"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(got.header("authorization"), None);
    }
    assert_eq!(usgs.login.count(|got| got.header("authorization").is_some()), 0);
}

#[test]
fn parallel_requests_fill_in_one_form() {
    let usgs = Usgs::start();
    let http = usgs.client(&LOGIN);
    std::thread::scope(|scope| {
        for i in 0..6 {
            let (http, url) = (&http, usgs.data.url(&format!("/tile{i}.tif")));
            scope.spawn(move || assert_eq!(fetch(http, &url).unwrap(), CONTENT));
        }
    });
    assert_eq!(usgs.login.count(|got| got.method == "POST"), 1);
}

#[test]
fn a_wrong_password_is_told_once_and_explained() {
    let usgs = Usgs::start();
    let http = usgs.client(&[("USGS_USERNAME", USER), ("USGS_PASSWORD", "wrong-word")]);
    let failure = fetch(&http, &usgs.data.url("/tile.tif")).unwrap_err();
    assert!(
        failure.to_string().contains("shows its login form again"),
        "{failure}"
    );
    assert!(failure.to_string().contains("USGS_PASSWORD"), "{failure}");
    assert_silent(&failure);
    let again = fetch(&http, &usgs.data.url("/other.tif")).unwrap_err();
    assert!(again.to_string().contains("refused the login already"), "{again}");
    assert_silent(&again);
    assert_eq!(usgs.state.lock().unwrap().wrong, 1);
}

#[test]
fn without_a_login_or_a_form_the_user_learns_what_to_do() {
    let usgs = Usgs::start();
    let failure = fetch(&usgs.client(&[]), &usgs.data.url("/tile.tif")).unwrap_err();
    let expected = format!("`perilune login {}`", usgs.login.place());
    assert!(failure.to_string().contains(&expected), "{failure}");
    assert_eq!(usgs.login.log().len(), 0);
    usgs.state.lock().unwrap().changed = true;
    let failure = fetch(&usgs.client(&LOGIN), &usgs.data.url("/tile.tif")).unwrap_err();
    let text = failure.to_string();
    assert!(
        text.contains("holds no form that is known here") && text.contains("S3"),
        "{text}"
    );
    assert_eq!(usgs.login.count(|got| got.method == "POST"), 0);
}

#[test]
fn a_form_that_sends_elsewhere_is_not_filled_in() {
    let thief = StandIn::start("127.0.0.9", |_| Answer::new(200, ""));
    let action = thief.url("/login");
    let login = StandIn::start("localhost", move |_| {
        let form = format!("<form action={action}><input name=u><input type=password name=p></form>");
        Answer::page(200, &form)
    });
    let sso = login.url("/login");
    let data = StandIn::start("127.0.0.5", move |_| Answer::to(302, &sso));
    let usgs = Usgs {
        login,
        data,
        ..Usgs::start()
    };
    let failure = fetch(&usgs.client(&LOGIN), &usgs.data.url("/tile.tif")).unwrap_err();
    assert!(failure.to_string().contains("to another host"), "{failure}");
    assert_eq!(thief.log().len(), 0);
}

fn refused(http: &Http) -> Failure {
    let mut failure = None;
    wait::<_, Failure>(async {
        failure = M2m::login(http).await.err();
        Ok(())
    })
    .unwrap();
    failure.unwrap()
}

#[test]
fn the_api_gives_a_key_for_a_token() {
    let usgs = Usgs::start();
    let http = usgs.client(&[("USGS_USERNAME", USER), ("USGS_TOKEN", TOKEN)]);
    wait::<_, Failure>(async {
        let session = M2m::login(&http).await?;
        let found = session
            .call("dataset-search", &json!({ "datasetName": "dswe" }))
            .await?;
        assert_eq!(found[0]["datasetAlias"], "landsat_dswe");
        let failure = session.call("no-such", &json!({})).await.unwrap_err();
        assert_eq!(failure.status(), Some(404));
        session.logout().await
    })
    .unwrap();
    assert!(usgs.state.lock().unwrap().keys.is_empty(), "logged out");
    assert_eq!(usgs.api.count(|got| got.header("authorization").is_some()), 0);
}

#[test]
fn the_api_refuses_a_wrong_token_once() {
    let usgs = Usgs::start();
    let http = usgs.client(&[("USGS_USERNAME", USER), ("USGS_TOKEN", "wrong-word")]);
    let (first, second) = (refused(&http), refused(&http));
    let text = first.to_string();
    assert!(text.contains("User credential verification failed"), "{text}");
    assert!(text.contains("from USGS_TOKEN is refused"), "{text}");
    assert!(
        second.to_string().contains("refused the login already"),
        "{second}"
    );
    for failure in [first, second] {
        assert_silent(&failure);
    }
    assert_eq!(usgs.state.lock().unwrap().wrong, 1);
    let nobody = refused(&usgs.client(&[])).to_string();
    assert!(
        nobody.contains(&format!("`perilune login {}`", usgs.api.place())),
        "{nobody}"
    );
}
