//! Servers that stand in for the archives' hosts. They run on loopback addresses of their own, so that they are
//! different hosts to the client, and write down every request in full.

#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use perilune::bytes::http::{Failure, Http, Request, wait};

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Got {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
    }

    pub fn field(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(&self.body);
        pairs
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        let all = self.header("cookie")?;
        all.split(';')
            .find_map(|one| one.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// All of it, as one would see it on the wire.
    pub fn text(&self) -> String {
        let headers: Vec<String> = self.headers.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        let body = String::from_utf8_lossy(&self.body);
        format!(
            "{} {}\n{}\n\n{body}",
            self.method,
            self.target,
            headers.join("\n")
        )
    }
}

/// What to answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub fn json(status: u16, value: serde_json::Value) -> Answer {
        Answer::new(status, value.to_string()).with("Content-Type", "application/json")
    }

    pub fn page(status: u16, body: &str) -> Answer {
        Answer::new(status, body).with("Content-Type", "text/html; charset=utf-8")
    }

    pub fn to(status: u16, place: &str) -> Answer {
        Answer::new(status, "").with("Location", place)
    }

    /// A file, or the part of it that was asked for, as servers of files and buckets answer.
    pub fn of_file(got: &Got, bytes: &[u8]) -> Answer {
        let size = bytes.len();
        let Some(range) = got.header("range").and_then(|text| text.strip_prefix("bytes=")) else {
            return Answer::new(200, bytes).with("Accept-Ranges", "bytes");
        };
        let (first, last) = range.split_once('-').unwrap_or_default();
        let (start, end) = match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) => (first, (last + 1).min(size)),
            (Ok(first), _) => (first, size),
            (_, Ok(tail)) => (size.saturating_sub(tail), size),
            _ => (0, size),
        };
        match bytes.get(start..end).filter(|part| !part.is_empty()) {
            Some(part) => {
                Answer::new(206, part).with("Content-Range", &format!("bytes {start}-{}/{size}", end - 1))
            }
            None => Answer::new(416, "").with("Content-Range", &format!("bytes */{size}")),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// A running server. It answers until the test's process ends.
#[derive(Clone)]
pub struct StandIn {
    pub address: SocketAddr,
    name: String,
    log: Arc<Mutex<Vec<Got>>>,
}

impl StandIn {
    /// `name`: an address such as `127.0.0.2`, or `localhost`.
    pub fn start(name: &str, answer: impl Fn(&Got) -> Answer + Send + Sync + 'static) -> StandIn {
        let ip: IpAddr = if name == "localhost" { "127.0.0.1" } else { name }
            .parse()
            .unwrap();
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let server = StandIn {
            address: listener.local_addr().unwrap(),
            name: name.to_string(),
            log: Arc::default(),
        };
        let (answer, log) = (Arc::new(answer), server.log.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log) = (answer.clone(), log.clone());
                std::thread::spawn(move || {
                    // A client that hangs up has what it wanted.
                    let _ = serve(stream, &*answer, &log);
                });
            }
        });
        server
    }

    /// `host:port`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.name, self.address.port())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.place())
    }

    pub fn log(&self) -> Vec<Got> {
        self.log.lock().unwrap().clone()
    }

    pub fn count(&self, is: impl Fn(&Got) -> bool) -> usize {
        self.log().iter().filter(|got| is(got)).count()
    }

    /// Asserts that nobody has told this host anything in confidence, nor any of `secrets`.
    pub fn knows_nothing(&self, secrets: &[&str]) {
        for got in self.log() {
            for name in [
                "authorization",
                "proxy-authorization",
                "cookie",
                "x-auth-token",
                "ocp-apim-subscription-key",
            ] {
                assert_eq!(
                    got.header(name),
                    None,
                    "{} was told {name}:\n{}",
                    self.place(),
                    got.text()
                );
            }
            let text = got.text();
            for secret in secrets {
                assert!(
                    !text.contains(secret),
                    "{} was told `{secret}`:\n{text}",
                    self.place()
                );
            }
        }
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&Got) -> Answer, log: &Mutex<Vec<Got>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let mut got = Got {
            method: words.next().unwrap_or("").into(),
            target: words.next().unwrap_or("").into(),
            ..Got::default()
        };
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim().split_once(':') else {
                break;
            };
            got.headers
                .push((name.to_ascii_lowercase(), value.trim().to_string()));
        }
        let length = got
            .header("content-length")
            .and_then(|v| v.parse().ok())
            .unwrap_or(0);
        got.body = vec![0; length];
        reader.read_exact(&mut got.body)?;
        log.lock().unwrap().push(got.clone());
        let answer = ranged(&got, answer(&got));
        let mut head = format!(
            "HTTP/1.1 {} x\r\nContent-Length: {}\r\n",
            answer.status,
            answer.body.len()
        );
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if got.method != "HEAD" {
            stream.write_all(&answer.body)?;
        }
        stream.flush()?;
    }
}

/// A success, cut to the bytes that were asked for.
fn ranged(got: &Got, answer: Answer) -> Answer {
    let Some((first, last)) = got
        .header("range")
        .and_then(|r| r.strip_prefix("bytes=")?.split_once('-'))
    else {
        return answer;
    };
    if answer.status != 200 || answer.headers.iter().any(|(name, _)| name == "X-No-Ranges") {
        return answer;
    }
    let size = answer.body.len();
    // `-9` are the last nine.
    if let (true, Ok(length)) = (first.is_empty(), last.parse::<usize>()) {
        let first = size.saturating_sub(length);
        let mut part = answer.clone();
        part.status = 206;
        part.body = answer.body[first..].to_vec();
        return part.with(
            "Content-Range",
            &format!("bytes {first}-{}/{size}", size.saturating_sub(1)),
        );
    }
    let first: usize = first.parse().unwrap_or(0);
    let last: usize = last.parse().map_or(size.saturating_sub(1), |last: usize| {
        last.min(size.saturating_sub(1))
    });
    if first > last {
        return Answer::new(416, "").with("Content-Range", &format!("bytes */{size}"));
    }
    let mut part = answer.clone();
    part.status = 206;
    part.body = answer.body[first..=last].to_vec();
    part.with("Content-Range", &format!("bytes {first}-{last}/{size}"))
}

/// Sends `request` and gives the body.
pub fn send(http: &Http, request: Request) -> Result<Vec<u8>, Failure> {
    let mut result = None;
    wait::<_, Failure>(async {
        result = Some(match http.send(&request).await {
            Ok(answer) => answer.bytes(1 << 20).await,
            Err(failure) => Err(failure),
        });
        Ok(())
    })
    .unwrap();
    result.unwrap()
}
