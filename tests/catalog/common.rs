//! What the tests of the archives share: a small HTTP server whose answers are a function of the request, and a
//! client with short timeouts.

#![allow(dead_code)]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perilune::bytes::credentials::Vault;
use perilune::bytes::http::{Http, Settings};

/// A file or folder of the shared data; None, with a word, where the project stands alone.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    // The laboratory crate lies elsewhere and says where the data is.
    let root = std::env::var_os("PERILUNE_TEST_DATA").map_or(root, PathBuf::from);
    if !root.is_dir() {
        println!("skipped: needs ../shared/data");
        return None;
    }
    let file = root.join(path);
    assert!(
        file.exists(),
        "{} is missing from the shared data",
        file.display()
    );
    Some(file)
}

/// A client without credentials that loses patience within a second.
pub fn client() -> Http {
    client_with(Vault::empty())
}

pub fn client_with(vault: Vault) -> Http {
    let settings = Settings {
        connect: Duration::from_secs(1),
        first_byte: Duration::from_secs(5),
        stall: Duration::from_secs(1),
        attempts: 3,
        shortest_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(50),
        per_minute: 60_000,
        ..Settings::default()
    };
    Http::new(settings, Arc::new(vault)).unwrap()
}

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The parameters of the query, decoded, in their order.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        pairs(query.as_bytes())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }

    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }
}

pub fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status,
            headers: vec![("content-type".into(), media_type.into())],
            body: body.into(),
        }
    }

    pub fn json(value: &serde_json::Value) -> Answer {
        Answer::new(200, "application/json", value.to_string())
    }

    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// An HTTP/1.1 server on a port of the loopback interface. It ends with the test's process.
pub struct Server {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
        Server::bind().run(answer)
    }

    /// The address before the answers, for answers that name it.
    pub fn bind() -> Unstarted {
        Unstarted(TcpListener::bind(("127.0.0.1", 0)).unwrap())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Asked> {
        self.requests.lock().unwrap().clone()
    }
}

pub struct Unstarted(TcpListener);

impl Unstarted {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.0.local_addr().unwrap())
    }

    pub fn run(self, answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
        let server = Server {
            address: self.0.local_addr().unwrap(),
            requests: Arc::default(),
        };
        let requests = server.requests.clone();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in self.0.incoming().flatten() {
                let (answer, requests) = (answer.clone(), requests.clone());
                // A client that hangs up in mid-answer has what it wanted.
                std::thread::spawn(move || {
                    let _ = serve(stream, &*answer, &requests);
                });
            }
        });
        server
    }
}

/// Answers the requests of one connection until the other side closes it.
fn serve(
    stream: TcpStream,
    answer: &(dyn Fn(&Asked) -> Answer + Send + Sync),
    requests: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some(asked) = read_request(&mut reader)? {
        requests.lock().unwrap().push(asked.clone());
        let told = answer(&asked);
        let mut head = format!("HTTP/1.1 {} X\r\n", told.status);
        for (name, value) in &told.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !told
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            head.push_str(&format!("content-length: {}\r\n", told.body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes())?;
        if asked.method != "HEAD" {
            stream.write_all(&told.body)?;
        }
        stream.flush()?;
        if told
            .headers
            .iter()
            .any(|(name, value)| name == "connection" && value == "close")
        {
            return Ok(());
        }
    }
    Ok(())
}

/// The next request of a connection; `None` when the other side is done.
pub fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut parts = line.split_whitespace().map(str::to_string);
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else {
        return Err(std::io::Error::other(format!("no request line: {line:?}")));
    };
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_string())),
            None => break,
        }
    }
    let mut asked = Asked {
        method,
        target,
        headers,
        body: Vec::new(),
    };
    if let Some(length) = asked.header("content-length").and_then(|v| v.parse().ok()) {
        asked.body = vec![0; length];
        reader.read_exact(&mut asked.body)?;
    }
    Ok(Some(asked))
}
