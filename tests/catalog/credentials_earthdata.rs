//! Earthdata's login against stand-ins that enforce redirects, codes, cookies and licences as the real hosts do.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use perilune::bytes::credentials::{Login, Secret, Sources, Store, Vault};
use perilune::bytes::http::{Failure, Http, Request, Settings, parse_url};
use serde_json::json;

use super::standin::{Answer, Got, StandIn, send};

const USER: &str = "galileo";
const PASSWORD: &str = "eppur si muove&=+";
const CONTENT: &[u8] = b"II*\0 a scene";

/// A data host as those of ASF, Earthdata Login, and the bucket that the data host sends its users on to.
struct Earthdata {
    data: StandIn,
    login: StandIn,
    bucket: StandIn,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Codes that may be used once.
    codes: HashSet<String>,
    sessions: HashSet<String>,
    wrong: usize,
    eula_missing: bool,
    /// Where the page of the licence is said to be.
    eula_host: Option<String>,
    not_approved: bool,
    token: String,
    /// The data host gives the files itself.
    direct: bool,
}

impl Earthdata {
    fn start() -> Earthdata {
        let state = Arc::new(Mutex::new(State {
            token: "edl-good-token".into(),
            ..State::default()
        }));
        let bucket = StandIn::start("127.0.0.3", |got| {
            if got.header("authorization").is_some() {
                return Answer::new(400, "Only one auth mechanism allowed");
            }
            match got.parameter("X-Amz-Signature").as_deref() {
                Some("5160") => Answer::new(200, CONTENT).with("Content-Type", "image/tiff"),
                _ => Answer::new(403, "<Error><Code>AccessDenied</Code></Error>"),
            }
        });
        let known = state.clone();
        let login = StandIn::start("localhost", move |got| authorize(got, &known));
        let (known, base, signed) = (
            state.clone(),
            login.url(""),
            bucket.url("/b/scene.tif?X-Amz-Signature=5160"),
        );
        let data = StandIn::start("127.0.0.2", move |got| data(got, &known, &base, &signed));
        Earthdata {
            data,
            login,
            bucket,
            state,
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// The user's surroundings: variables, and files in `home`.
    fn sources(&self, home: &Path, variables: &[(&str, &str)]) -> Sources {
        let mut all: HashMap<String, String> = HashMap::from([
            ("PERILUNE_EARTHDATA_URL".into(), self.login.url("/")),
            ("PERILUNE_EARTHDATA_HOSTS".into(), self.data.place()),
            ("PERILUNE_ASF_COOKIE_HOSTS".into(), self.data.place()),
            ("PERILUNE_ASF_LOGIN_URL".into(), self.data.url("/login")),
        ]);
        all.extend(
            variables
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string())),
        );
        Sources {
            variable: Box::new(move |name| all.get(name).cloned()),
            home: Some(home.to_path_buf()),
            store: Some(Store::at(home.join("credentials"))),
        }
    }

    fn client(&self, home: &Path, variables: &[(&str, &str)]) -> Http {
        let vault = Vault::from_sources(&self.sources(home, variables)).unwrap();
        client(vault)
    }

    fn netrc(&self, home: &Path, password: &str) {
        let text = format!(
            "machine {} login {USER} password \"{password}\"\n",
            self.login.place()
        );
        write_secret(&home.join(".netrc"), &text);
    }
}

fn client(vault: Vault) -> Http {
    let settings = Settings {
        attempts: 3,
        shortest_wait: std::time::Duration::from_millis(1),
        ..Settings::default()
    };
    Http::new(settings, Arc::new(vault)).unwrap()
}

fn write_secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// `urs.earthdata.nasa.gov`.
fn authorize(got: &Got, state: &Mutex<State>) -> Answer {
    let mut state = state.lock().unwrap();
    let expected = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    if got.path() != "/oauth/authorize" {
        return Answer::new(404, "");
    }
    match got.header("authorization") {
        None => {
            return Answer::new(401, "HTTP Basic: Access denied.")
                .with("WWW-Authenticate", "Basic realm=\"x\"");
        }
        Some(text) if text != expected => {
            state.wrong += 1;
            let text = if state.wrong > 2 {
                "account locked"
            } else {
                "Invalid user credentials"
            };
            return Answer::json(
                401,
                json!({ "error": "invalid_credentials", "error_description": text }),
            );
        }
        Some(_) => {}
    }
    let back = got.parameter("redirect_uri").unwrap();
    let onward = url::form_urlencoded::byte_serialize(got.parameter("state").unwrap_or_default().as_bytes())
        .collect::<String>();
    if state.eula_missing {
        let page = format!(
            "http://{}/approve_app?client_id=ASF1",
            state.eula_host.as_deref().or(got.header("host")).unwrap()
        );
        let page: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
        return Answer::to(
            302,
            &format!(
                "{back}?error=access_denied&error_msg=EULA+Acceptance+Failure&resolution_url={page}&state={onward}"
            ),
        );
    }
    if state.not_approved {
        return Answer::to(302, &format!("{back}?error=access_denied&state={onward}"));
    }
    let code = format!("code{}", state.codes.len() + state.sessions.len());
    state.codes.insert(code.clone());
    Answer::to(302, &format!("{back}?code={code}&state={onward}"))
}

/// `datapool.asf.alaska.edu`.
fn data(got: &Got, state: &Mutex<State>, login: &str, signed: &str) -> Answer {
    let mut state = state.lock().unwrap();
    let serve = |state: &State| match state.direct {
        true => Answer::new(200, CONTENT),
        false => Answer::to(303, signed),
    };
    if got.path() == "/login" {
        let code = got.parameter("code").unwrap_or_default();
        if got.parameter("error").is_some() {
            return Answer::page(403, "<html><title>Could Not Login</title></html>");
        }
        if !state.codes.remove(&code) {
            return Answer::page(400, "<title>the code is used up</title>");
        }
        let session = format!("s{}", state.sessions.len());
        state.sessions.insert(session.clone());
        let place = match got.parameter("state").unwrap_or_default() {
            empty if empty.is_empty() => "/home".to_string(),
            place => place,
        };
        return Answer::to(302, &place).with(
            "Set-Cookie",
            &format!("asf-urs={session}; Path=/; HttpOnly; SameSite=None"),
        );
    }
    if got.path() == "/home" {
        return Answer::page(200, "<title>Welcome</title>");
    }
    if got
        .cookie("asf-urs")
        .is_some_and(|session| state.sessions.contains(session))
    {
        return serve(&state);
    }
    if got.path().starts_with("/burst") {
        return Answer::json(401, json!({ "detail": "a cookie is wanted" }));
    }
    match got.header("authorization") {
        Some(text) if text == format!("Bearer {}", state.token) => serve(&state),
        Some(text) if text.starts_with("Bearer") => Answer::json(
            401,
            json!({ "error": "invalid_token", "error_description": "The token has expired" }),
        ),
        _ => {
            let back: String = url::form_urlencoded::byte_serialize(
                format!("http://{}/login", got.header("host").unwrap()).as_bytes(),
            )
            .collect();
            Answer::to(
                302,
                &format!(
                    "{login}/oauth/authorize?client_id=ASF1&response_type=code&redirect_uri={back}&state={}",
                    got.path()
                ),
            )
        }
    }
}

fn fetch(http: &Http, url: &str) -> Result<Vec<u8>, Failure> {
    send(http, Request::file(parse_url("url", url).unwrap()))
}

/// No secret in what a user, a log or a test may see of a failure.
fn assert_silent(failure: &Failure) {
    let error = perilune::error::Error::from(failure.clone());
    let basic = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    for text in [
        failure.to_string(),
        format!("{failure:?}"),
        error.to_string(),
        format!("{error:?}"),
    ] {
        for secret in [PASSWORD, "eppur", "wrong-word", "edl-", "code0", basic.as_str()] {
            assert!(!text.contains(secret), "`{secret}` is in: {text}");
        }
    }
}

#[test]
fn the_login_is_done_once_and_then_the_cookie_is_enough() {
    let earthdata = Earthdata::start();
    let home = tempfile::tempdir().unwrap();
    earthdata.netrc(home.path(), PASSWORD);
    let http = earthdata.client(home.path(), &[]);
    for _ in 0..3 {
        assert_eq!(fetch(&http, &earthdata.data.url("/scene.tif")).unwrap(), CONTENT);
    }
    assert_eq!(earthdata.login.log().len(), 1, "one login for three files");
    assert_eq!(earthdata.data.count(|got| got.path() == "/login"), 1);
    assert_eq!(
        earthdata.data.count(|got| got.header("authorization").is_some()),
        0,
        "the password is not for the data host"
    );
    earthdata.bucket.knows_nothing(&["eppur", USER]);
    assert_eq!(earthdata.login.count(|got| got.header("cookie").is_some()), 0);
    assert_eq!(earthdata.bucket.log().len(), 3);
}

#[test]
fn many_files_at_once_need_one_login_and_tell_a_wrong_password_once() {
    for (password, logins) in [(PASSWORD, 1..=8), ("wrong-word", 1..=1)] {
        let earthdata = Earthdata::start();
        let home = tempfile::tempdir().unwrap();
        earthdata.netrc(home.path(), password);
        let http = earthdata.client(home.path(), &[]);
        let all: Vec<_> = std::thread::scope(|scope| {
            let one = |i| {
                let (http, url) = (&http, earthdata.data.url(&format!("/scene{i}.tif")));
                scope.spawn(move || fetch(http, &url))
            };
            let running: Vec<_> = (0..8).map(one).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(
            logins.contains(&earthdata.login.log().len()),
            "{} logins",
            earthdata.login.log().len()
        );
        for result in &all {
            match result {
                Ok(bytes) => assert_eq!((bytes.as_slice(), password), (CONTENT, PASSWORD)),
                Err(failure) => {
                    assert_eq!((failure.status(), password), (Some(401), "wrong-word"));
                    assert_silent(failure);
                }
            }
        }
        assert_eq!(
            earthdata.state.lock().unwrap().wrong,
            usize::from(password != PASSWORD)
        );
        // Nor later in the process.
        let _ = fetch(&http, &earthdata.data.url("/later.tif"));
        assert_eq!(
            earthdata.state.lock().unwrap().wrong,
            usize::from(password != PASSWORD)
        );
    }
}

#[test]
fn a_wrong_password_is_explained() {
    let earthdata = Earthdata::start();
    let home = tempfile::tempdir().unwrap();
    earthdata.netrc(home.path(), "wrong-word");
    let http = earthdata.client(home.path(), &[]);
    let failure = fetch(&http, &earthdata.data.url("/scene.tif")).unwrap_err();
    let text = failure.to_string();
    for part in [
        earthdata.data.url("/scene.tif").as_str(),
        "401",
        "Invalid user credentials",
        ".netrc",
        "lock the account",
        "approve_app?client_id=ASF1",
    ] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
    assert_silent(&failure);
    let again = fetch(&http, &earthdata.data.url("/scene.tif")).unwrap_err();
    assert!(again.to_string().contains("refused the login already"), "{again}");
    assert_silent(&again);
}

#[test]
fn what_is_missing_is_named() {
    type Change = fn(&mut State);
    let cases: [(Change, &str); 3] = [
        (
            |state| state.eula_missing = true,
            "accept it at https://HOST/approve_app?client_id=ASF1",
        ),
        (
            |state| (state.eula_missing, state.eula_host) = (true, Some("evil.org".into())),
            "accept it at http://HOST/profile",
        ),
        (
            |state| state.not_approved = true,
            "is not approved for your account",
        ),
    ];
    for (change, expected) in cases {
        let earthdata = Earthdata::start();
        earthdata.change(change);
        let home = tempfile::tempdir().unwrap();
        earthdata.netrc(home.path(), PASSWORD);
        let http = earthdata.client(home.path(), &[]);
        let failure = fetch(&http, &earthdata.data.url("/scene.tif")).unwrap_err();
        let expected = expected.replace("HOST", &earthdata.login.place());
        assert!(failure.to_string().contains(&expected), "{failure}");
        assert!(!failure.to_string().contains("evil.org"), "{failure}");
        assert_silent(&failure);
        // Once the user has done it, the same process goes on.
        earthdata.change(|state| (state.eula_missing, state.not_approved) = (false, false));
        assert_eq!(fetch(&http, &earthdata.data.url("/scene.tif")).unwrap(), CONTENT);
    }
}

#[test]
fn without_a_login_the_user_is_told_how_to_store_one() {
    let earthdata = Earthdata::start();
    let home = tempfile::tempdir().unwrap();
    let failure = fetch(
        &earthdata.client(home.path(), &[]),
        &earthdata.data.url("/scene.tif"),
    )
    .unwrap_err();
    let text = failure.to_string();
    assert!(
        text.contains(&format!(
            "`perilune login {}` stores one",
            earthdata.login.place()
        )),
        "{text}"
    );
    assert!(text.contains("EARTHDATA_TOKEN"), "{text}");
}

#[test]
fn a_token_goes_to_data_hosts_and_no_further() {
    let earthdata = Earthdata::start();
    let home = tempfile::tempdir().unwrap();
    let http = earthdata.client(home.path(), &[("EARTHDATA_TOKEN", " edl-good-token\n")]);
    assert_eq!(fetch(&http, &earthdata.data.url("/scene.tif")).unwrap(), CONTENT);
    assert_eq!(earthdata.login.log().len(), 0);
    earthdata.bucket.knows_nothing(&["edl-good-token"]);
    let stranger = StandIn::start("127.0.0.9", |_| Answer::new(200, "x"));
    fetch(&http, &stranger.url("/")).unwrap();
    stranger.knows_nothing(&["edl-good-token"]);
}

#[test]
fn a_token_that_is_refused_gives_way_to_the_password() {
    let earthdata = Earthdata::start();
    let home = tempfile::tempdir().unwrap();
    let only_token = earthdata.client(home.path(), &[("EARTHDATA_TOKEN", "edl-old-token")]);
    let failure = fetch(&only_token, &earthdata.data.url("/scene.tif")).unwrap_err();
    let text = failure.to_string();
    assert!(
        text.contains("The token has expired") && text.contains("from EARTHDATA_TOKEN is refused"),
        "{text}"
    );
    assert_silent(&failure);
    earthdata.netrc(home.path(), PASSWORD);
    let both = earthdata.client(home.path(), &[("EARTHDATA_TOKEN", "edl-old-token")]);
    let before = earthdata.data.count(|got| got.header("authorization").is_some());
    for _ in 0..2 {
        assert_eq!(fetch(&both, &earthdata.data.url("/scene.tif")).unwrap(), CONTENT);
    }
    let with_token = earthdata.data.count(|got| got.header("authorization").is_some()) - before;
    assert_eq!(with_token, 1, "a refused token is sent once");
    assert_eq!(earthdata.login.log().len(), 1);
}

#[test]
fn a_token_that_says_it_has_run_out_is_not_sent() {
    let earthdata = Earthdata::start();
    let home = tempfile::tempdir().unwrap();
    let claims = URL_SAFE_NO_PAD.encode(json!({ "uid": USER, "exp": 1_700_000_000 }).to_string());
    let token = format!("eyJ0eXAi.{claims}.c2ln");
    let http = earthdata.client(home.path(), &[("EARTHDATA_TOKEN", &token)]);
    let failure = fetch(&http, &earthdata.data.url("/scene.tif")).unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("EARTHDATA_TOKEN ran out on 2023-11-14"),
        "{failure}"
    );
    for server in [&earthdata.data, &earthdata.login] {
        server.knows_nothing(&[&claims]);
    }
}

#[test]
fn bursts_get_their_cookie_by_a_login_of_their_own() {
    let earthdata = Earthdata::start();
    earthdata.change(|state| state.direct = true);
    let home = tempfile::tempdir().unwrap();
    earthdata.netrc(home.path(), PASSWORD);
    let http = earthdata.client(home.path(), &[]);
    for _ in 0..2 {
        assert_eq!(
            fetch(&http, &earthdata.data.url("/burst/1.tif")).unwrap(),
            CONTENT
        );
    }
    let logins = earthdata.login.log();
    assert_eq!(logins.len(), 1);
    assert_eq!(
        logins[0].parameter("client_id").as_deref(),
        Some("BO_n7nTIlMljdvU6kRRB3g")
    );
    assert_eq!(earthdata.data.count(|got| got.path().starts_with("/burst")), 3);
    // A wrong password is told once, and no cookie means one try only.
    let earthdata = Earthdata::start();
    earthdata.netrc(home.path(), "wrong-word");
    let http = earthdata.client(home.path(), &[]);
    for _ in 0..3 {
        let failure = fetch(&http, &earthdata.data.url("/burst/1.tif")).unwrap_err();
        assert_eq!(failure.status(), Some(401));
        assert_silent(&failure);
    }
    assert_eq!(earthdata.state.lock().unwrap().wrong, 1);
}

#[test]
fn the_environment_wins_over_the_stored_login_and_that_over_netrc() {
    let earthdata = Earthdata::start();
    let home = tempfile::tempdir().unwrap();
    earthdata.netrc(home.path(), "wrong-word");
    let store = Store::at(home.path().join("credentials"));
    let login = |password: &str| Login::Password {
        user: USER.into(),
        password: Secret::new(password),
    };
    store.save(&earthdata.login.place(), login(PASSWORD)).unwrap();
    let http = earthdata.client(home.path(), &[]);
    assert_eq!(fetch(&http, &earthdata.data.url("/scene.tif")).unwrap(), CONTENT);
    store.save(&earthdata.login.place(), login("wrong-word")).unwrap();
    let variables = [("EARTHDATA_USERNAME", USER), ("EARTHDATA_PASSWORD", PASSWORD)];
    let http = earthdata.client(home.path(), &variables);
    assert_eq!(fetch(&http, &earthdata.data.url("/scene.tif")).unwrap(), CONTENT);
    // A token file, as secrets of containers come.
    let file = home.path().join("token");
    write_secret(&file, "edl-good-token\n");
    let http = earthdata.client(home.path(), &[("EARTHDATA_TOKEN_FILE", file.to_str().unwrap())]);
    let before = earthdata.login.log().len();
    assert_eq!(fetch(&http, &earthdata.data.url("/scene.tif")).unwrap(), CONTENT);
    assert_eq!(earthdata.login.log().len(), before);
}

#[test]
fn files_that_others_can_read_are_told_of() {
    let earthdata = Earthdata::start();
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("credentials"));
    let token = Login::Token {
        user: None,
        token: Secret::new("edl-good-token"),
    };
    store.save(&earthdata.login.place(), token).unwrap();
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let http = earthdata.client(home.path(), &[]);
    let failure = fetch(&http, &earthdata.data.url("/scene.tif")).unwrap_err();
    assert!(failure.to_string().contains("chmod 600"), "{failure}");
    assert_eq!(
        earthdata.data.count(|got| got.header("authorization").is_some()),
        0,
        "such a file is not used"
    );
    // netrc is other programs' too: it is used, with a warning.
    earthdata.netrc(home.path(), PASSWORD);
    fs::set_permissions(home.path().join(".netrc"), fs::Permissions::from_mode(0o644)).unwrap();
    let vault = Vault::from_sources(&earthdata.sources(home.path(), &[])).unwrap();
    assert!(
        vault
            .problems()
            .iter()
            .any(|p| p.contains(".netrc") && p.contains("chmod 600")),
        "{:?}",
        vault.problems()
    );
    assert!(!format!("{vault:?}").contains("eppur"));
    assert_eq!(
        fetch(&client(vault), &earthdata.data.url("/scene.tif")).unwrap(),
        CONTENT
    );
}
