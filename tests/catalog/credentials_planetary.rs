//! Signatures of Planetary Computer against a stand-in whose signatures run out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use perilune::bytes::credentials::{Sources, Vault};
use perilune::bytes::http::{Failure, Http, Request, Settings, parse_url};
use serde_json::json;

use super::standin::{Answer, StandIn, send};

const CONTENT: &[u8] = b"II*\0 a blob";

struct Planetary {
    signer: StandIn,
    blobs: StandIn,
    /// The signature that opens the container now.
    valid: Arc<Mutex<String>>,
    /// For how long new signatures say that they hold, in seconds.
    lifetime: Arc<AtomicU64>,
}

impl Planetary {
    fn start() -> Planetary {
        let valid: Arc<Mutex<String>> = Arc::default();
        let lifetime = Arc::new(AtomicU64::new(3600));
        let given = AtomicU64::new(0);
        let (now, seconds) = (valid.clone(), lifetime.clone());
        let signer = StandIn::start("localhost", move |got| {
            if !got.path().ends_with("/sentinel") {
                return Answer::json(404, json!({ "detail": "no such container" }));
            }
            let signature = format!("aGVp{}%3D", given.fetch_add(1, Ordering::Relaxed));
            *now.lock().unwrap() = signature.clone();
            let end = Timestamp::now() + SignedDuration::from_secs(seconds.load(Ordering::Relaxed) as i64);
            let end = end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let query = end.replace(':', "%3A");
            let token =
                format!("st=2026-01-01T00%3A00%3A00Z&se={query}&sp=rl&sv=2024-05-04&sr=c&sig={signature}");
            Answer::json(200, json!({ "msft:expiry": end, "token": token }))
        });
        let now = valid.clone();
        let blobs = StandIn::start("127.0.0.6", move |got| {
            if got.path().starts_with("/public/") {
                return Answer::new(200, CONTENT);
            }
            let part = format!("sig={}", now.lock().unwrap());
            let query = got.target.split_once('?').map_or("", |(_, query)| query);
            match query.split('&').any(|p| p == part) {
                true => Answer::new(200, CONTENT),
                false => Answer::new(409, "<Error><Code>PublicAccessNotPermitted</Code></Error>"),
            }
        });
        Planetary {
            signer,
            blobs,
            valid,
            lifetime,
        }
    }

    fn client(&self, variables: &[(&str, &str)]) -> Http {
        let mut all: HashMap<String, String> = HashMap::from([
            (
                "PERILUNE_PLANETARY_COMPUTER_URL".into(),
                self.signer.url("/api/sas/v1/token"),
            ),
            ("PERILUNE_PLANETARY_COMPUTER_BLOBS".into(), self.blobs.place()),
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

#[test]
fn one_signature_serves_a_container() {
    let planetary = Planetary::start();
    let http = planetary.client(&[("PC_SDK_SUBSCRIPTION_KEY", "subscription-5")]);
    std::thread::scope(|scope| {
        for i in 0..6 {
            let (http, url) = (&http, planetary.blobs.url(&format!("/sentinel/{i}.tif?comp=x")));
            scope.spawn(move || assert_eq!(fetch(http, &url).unwrap(), CONTENT));
        }
    });
    let asked = planetary.signer.log();
    assert_eq!(asked.len(), 1, "one signature for six files");
    assert_eq!(asked[0].path(), "/api/sas/v1/token/127/sentinel");
    assert_eq!(
        asked[0].header("ocp-apim-subscription-key"),
        Some("subscription-5")
    );
    planetary.blobs.knows_nothing(&["subscription-5"]);
    assert!(
        planetary
            .blobs
            .log()
            .iter()
            .all(|got| got.parameter("comp").as_deref() == Some("x"))
    );
}

#[test]
fn public_blobs_are_read_unsigned() {
    let planetary = Planetary::start();
    assert_eq!(
        fetch(&planetary.client(&[]), &planetary.blobs.url("/public/a.tif")).unwrap(),
        CONTENT
    );
    assert_eq!(planetary.signer.log().len(), 0);
}

#[test]
fn a_signature_that_has_run_out_is_renewed() {
    let planetary = Planetary::start();
    let http = planetary.client(&[]);
    let url = planetary.blobs.url("/sentinel/a.tif");
    assert_eq!(fetch(&http, &url).unwrap(), CONTENT);
    // The store no longer takes it, though it said that it would hold longer.
    *planetary.valid.lock().unwrap() = "none".into();
    assert_eq!(fetch(&http, &url).unwrap(), CONTENT);
    assert_eq!(planetary.signer.log().len(), 2);
}

#[test]
fn an_address_with_an_old_signature_gets_a_new_one() {
    let planetary = Planetary::start();
    let http = planetary.client(&[]);
    let old = "st=2020-01-01T00%3A00%3A00Z&se=2020-01-01T01%3A00%3A00Z&sp=rl&sv=2020-01-01&sr=c&sig=b2xk";
    let url = planetary.blobs.url(&format!("/sentinel/a.tif?{old}"));
    assert_eq!(fetch(&http, &url).unwrap(), CONTENT);
    let last = planetary.blobs.log().pop().unwrap();
    assert!(!last.target.contains("b2xk"), "{}", last.target);
}

#[test]
fn blobs_of_others_are_refused_without_asking_twice() {
    let planetary = Planetary::start();
    let http = planetary.client(&[]);
    for _ in 0..3 {
        let failure = fetch(&http, &planetary.blobs.url("/private/a.tif")).unwrap_err();
        assert_eq!(failure.status(), Some(409));
    }
    assert_eq!(planetary.signer.log().len(), 1);
}

#[test]
fn no_message_holds_a_signature() {
    let planetary = Planetary::start();
    let http = planetary.client(&[]);
    fetch(&http, &planetary.blobs.url("/sentinel/a.tif")).unwrap();
    assert!(!format!("{:?}", http.vault).contains("aGVp"));
    // New signatures are used up at once.
    planetary.lifetime.store(0, Ordering::Relaxed);
    *planetary.valid.lock().unwrap() = "never".into();
    let failure = fetch(&http, &planetary.blobs.url("/sentinel/b.tif")).unwrap_err();
    for text in [failure.to_string(), format!("{failure:?}")] {
        assert!(!text.contains("aGVp"), "{text}");
    }
}
