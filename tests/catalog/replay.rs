//! Recorded answers of real services, replayed by a local server that checks each request against the recording.
//!
//! A recording is JSON, gzipped or not: `{source, interactions: [{request: {method, uri, content_type, body}, response: {status,
//! headers, body}}]}`. The addresses of the recorded hosts are replaced by the server's own in all that it sends, so
//! that links lead back to it.

#![allow(dead_code)]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use url::Url;

use super::common::{Answer, Asked, Server, pairs, shared};

pub struct Replay {
    server: Server,
    root: Url,
    state: Arc<Mutex<State>>,
}

struct State {
    interactions: Vec<Interaction>,
    complaints: Vec<String>,
}

struct Interaction {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Body,
    answer: Answer,
    told: usize,
}

#[derive(PartialEq)]
enum Body {
    None,
    Json(Value),
    /// Sorted by name; parameters of one name keep their order.
    Form(Vec<(String, String)>),
    Bytes(Vec<u8>),
}

impl Replay {
    /// Serves the recording `../shared/data/api/<name>`; `None` where the project stands alone.
    pub fn of(name: &str) -> Option<Replay> {
        Replay::ignoring(name, &[])
    }

    /// As `of`, but parameters (of the query, a form, or the top level of a JSON body) with these names need not be
    /// those of the recording: page sizes, for one, are every client's own.
    pub fn ignoring(name: &str, ignored: &[&str]) -> Option<Replay> {
        Replay::joined(&[name], ignored)
    }

    /// Several recordings as one, such as a landing page and a search.
    pub fn joined(names: &[&str], ignored: &[&str]) -> Option<Replay> {
        let mut all = Vec::new();
        for name in names {
            let mut one = recording(&shared(&format!("api/{name}"))?);
            all.append(one["interactions"].as_array_mut().unwrap());
        }
        Some(Replay::start(
            &serde_json::json!({ "interactions": all }),
            ignored,
        ))
    }

    pub fn start(recording: &Value, ignored: &[&str]) -> Replay {
        let ignored: BTreeSet<String> = ignored.iter().map(|name| name.to_string()).collect();
        let unstarted = Server::bind();
        let own = unstarted.url("");
        let mut origins = BTreeSet::new();
        let recorded = recording["interactions"]
            .as_array()
            .expect("a list of interactions");
        for one in recorded {
            let url = Url::parse(one["request"]["uri"].as_str().unwrap()).unwrap();
            origins.insert(url.origin().ascii_serialization());
        }
        let here = |text: &str| {
            origins
                .iter()
                .fold(text.to_string(), |text, o| text.replace(o, &own))
        };
        let first = here(recorded[0]["request"]["uri"].as_str().unwrap());
        let interactions = recorded
            .iter()
            .map(|one| interaction(one, &here, &ignored))
            .collect();
        let state = Arc::new(Mutex::new(State {
            interactions,
            complaints: Vec::new(),
        }));
        let shared_state = state.clone();
        let server = unstarted.run(move |asked| shared_state.lock().unwrap().answer(asked, &ignored));
        Replay {
            server,
            root: Url::parse(&first).unwrap(),
            state,
        }
    }

    /// The address of the first recorded request, at this server: that of the landing page, mostly.
    pub fn root(&self) -> Url {
        self.root.clone()
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&self.server.url(path)).unwrap()
    }

    pub fn requests(&self) -> Vec<Asked> {
        self.server.requests()
    }

    /// Fails when a request was not in the recording.
    pub fn assert_as_recorded(&self) {
        let state = self.state.lock().unwrap();
        assert!(state.complaints.is_empty(), "{}", state.complaints.join("\n"));
    }

    /// As above, and when a recorded request whose path holds `part` was not made.
    pub fn assert_all_asked(&self, part: &str) {
        self.assert_as_recorded();
        let state = self.state.lock().unwrap();
        for (i, one) in state.interactions.iter().enumerate() {
            assert!(
                one.told > 0 || !one.path.contains(part),
                "request {i} of the recording was not made: {} {}",
                one.method,
                one.path
            );
        }
    }
}

impl State {
    fn answer(&mut self, asked: &Asked, ignored: &BTreeSet<String>) -> Answer {
        let query = sorted(asked.query(), ignored);
        let body = body_of(asked, ignored);
        let mut here = Vec::new();
        for (i, one) in self.interactions.iter().enumerate() {
            if one.method == asked.method && same_path(&one.path, asked.path()) {
                here.push(i);
            }
        }
        let fits = |i: &usize| self.interactions[*i].query == query && self.interactions[*i].body == body;
        let fitting: Vec<usize> = here.iter().copied().filter(fits).collect();
        // Recordings hold a request again where its answer was another; after the last it stays.
        let chosen = fitting
            .iter()
            .find(|i| self.interactions[**i].told == 0)
            .or(fitting.last());
        if let Some(i) = chosen {
            let one = &mut self.interactions[*i];
            one.told += 1;
            return one.answer.clone();
        }
        let mut text = format!(
            "not recorded: {} {} {}",
            asked.method,
            asked.target,
            String::from_utf8_lossy(&asked.body)
        );
        for i in here {
            let one = &self.interactions[i];
            text.push_str(&format!(
                "\n  recorded at this path: query {:?}, body {}",
                one.query, one.body
            ));
        }
        self.complaints.push(text.clone());
        Answer::new(421, "text/plain", text)
    }
}

impl std::fmt::Display for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Body::None => f.write_str("none"),
            Body::Json(value) => write!(f, "{value}"),
            Body::Form(form) => write!(f, "{form:?}"),
            Body::Bytes(bytes) => write!(f, "{}", String::from_utf8_lossy(bytes)),
        }
    }
}

/// Addresses with and without a slash at the end name the same thing.
fn same_path(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

pub fn recording(path: &Path) -> Value {
    let mut text = String::new();
    let mut file = File::open(path).unwrap();
    if path.extension().is_some_and(|e| e == "gz") {
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .unwrap();
    } else {
        file.read_to_string(&mut text).unwrap();
    }
    serde_json::from_str(&text).unwrap()
}

fn interaction(recorded: &Value, here: &impl Fn(&str) -> String, ignored: &BTreeSet<String>) -> Interaction {
    let (request, response) = (&recorded["request"], &recorded["response"]);
    let url = Url::parse(request["uri"].as_str().unwrap()).unwrap();
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let asked = Asked {
        method: request["method"].as_str().unwrap().to_string(),
        target: url[url::Position::BeforePath..].to_string(),
        headers: vec![("content-type".into(), text(&request["content_type"]))],
        body: here(&text(&request["body"])).into_bytes(),
    };
    // The body's own length and encoding are not those of the recording any more.
    let kept = |name: &str| {
        !matches!(
            name,
            "content-length" | "content-encoding" | "transfer-encoding" | "connection"
        )
    };
    let recorded_headers = response["headers"].as_object().into_iter().flatten();
    let headers = recorded_headers
        .map(|(name, value)| (name.to_ascii_lowercase(), here(&text(value))))
        .filter(|(name, _)| kept(name))
        .collect();
    let status = &response["status"];
    let status = status
        .as_u64()
        .or_else(|| status.as_str()?.parse().ok())
        .expect("a status");
    Interaction {
        query: sorted(asked.query(), ignored),
        body: body_of(&asked, ignored),
        path: asked.path().to_string(),
        method: asked.method,
        answer: Answer {
            status: status as u16,
            headers,
            body: here(&text(&response["body"])).into_bytes(),
        },
        told: 0,
    }
}

fn body_of(asked: &Asked, ignored: &BTreeSet<String>) -> Body {
    if asked.body.is_empty() {
        return Body::None;
    }
    let kind = asked.header("content-type").unwrap_or("");
    if kind.contains("json") {
        let mut json = asked.json();
        if let Some(object) = json.as_object_mut() {
            object.retain(|name, _| !ignored.contains(name));
        }
        return Body::Json(json);
    }
    if kind.contains("form-urlencoded") {
        return Body::Form(sorted(pairs(&asked.body), ignored));
    }
    Body::Bytes(asked.body.clone())
}

fn sorted(mut pairs: Vec<(String, String)>, ignored: &BTreeSet<String>) -> Vec<(String, String)> {
    pairs.retain(|(name, _)| !ignored.contains(name));
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs
}

mod tests {
    use serde_json::json;

    use super::super::common::client;
    use super::*;
    use perilune::bytes::http::{Request, wait};

    /// The server itself: what it would not notice, no test that uses it would.
    #[test]
    fn answers_what_was_recorded_and_complains_about_all_else() {
        let recorded = json!({ "interactions": [
            { "request": { "method": "GET", "uri": "https://far.example/v1?a=1&b=x%20y", "content_type": null, "body": null },
              "response": { "status": 200, "headers": { "Link": "<https://far.example/v1>", "Content-Encoding": "gzip" },
                            "body": { "href": "https://far.example/v1/search" } } },
            { "request": { "method": "POST", "uri": "https://far.example/v1/search", "content_type": "application/json",
                           "body": { "limit": 7, "ids": ["a"] } },
              "response": { "status": 200, "headers": {}, "body": { "page": 1 } } },
            { "request": { "method": "POST", "uri": "https://far.example/v1/form",
                           "content_type": "application/x-www-form-urlencoded", "body": "b=1&a=2&a=1" },
              "response": { "status": 200, "headers": {}, "body": { "page": 2 } } },
        ]});
        let replay = Replay::start(&recorded, &["limit"]);
        let http = client();
        let ask = |request: Request| wait(async { http.send(&request).await?.json::<Value>(1 << 20).await });
        let landing = ask(Request::get(replay.url("/v1?b=x+y&a=1"))).unwrap();
        assert_eq!(landing["href"], replay.url("/v1/search").as_str());
        let search = |body: Value| ask(Request::json(replay.url("/v1/search"), &body));
        assert_eq!(search(json!({ "ids": ["a"], "limit": 100 })).unwrap()["page"], 1);
        let form = |fields: &[(&str, &str)]| ask(Request::form(replay.url("/v1/form"), fields));
        assert_eq!(form(&[("a", "2"), ("a", "1"), ("b", "1")]).unwrap()["page"], 2);
        replay.assert_all_asked("/v1");

        let wrong = search(json!({ "ids": ["b"] })).unwrap_err().to_string();
        assert!(wrong.contains("421") && wrong.contains("not recorded"), "{wrong}");
        assert!(std::panic::catch_unwind(|| replay.assert_as_recorded()).is_err());
        for (text, request) in [
            (
                "values of a parameter in another order",
                Request::form(replay.url("/v1/form"), &[("a", "1"), ("a", "2"), ("b", "1")]),
            ),
            ("another parameter", Request::get(replay.url("/v1?a=1"))),
            ("another method", Request::get(replay.url("/v1/search"))),
        ] {
            assert!(ask(request).is_err(), "{text}");
        }
    }

    #[test]
    fn every_recording_can_be_served() {
        let Some(folder) = shared("api") else { return };
        let mut served = 0;
        for part in ["stac", "asf_cmr"] {
            for entry in std::fs::read_dir(folder.join(part)).unwrap() {
                let value = recording(&entry.unwrap().path());
                if value["interactions"].is_array() {
                    let replay = Replay::start(&value, &[]);
                    for one in replay.state.lock().unwrap().interactions.iter() {
                        let body = String::from_utf8_lossy(&one.answer.body);
                        assert!(
                            !body.contains("planetarycomputer.microsoft.com/api/stac"),
                            "{}",
                            one.path
                        );
                    }
                    served += 1;
                }
            }
        }
        assert!(served > 8, "{served}");
    }
}
