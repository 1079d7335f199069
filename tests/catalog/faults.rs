//! An HTTP server that misbehaves as told. It answers on 127.0.0.1, one thread a connection, and writes down every
//! request with its headers, what it answered and how many bytes of the body it could send.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: String,
    /// With the query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Requests of the same path before this one.
    pub nth: usize,
}

impl Ask {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// N of `Range: bytes=-N`.
    pub fn last(&self) -> Option<u64> {
        self.header("range")?.strip_prefix("bytes=-")?.parse().ok()
    }

    /// (first, last) of `Range: bytes=first-last`.
    pub fn range(&self) -> Option<(u64, Option<u64>)> {
        let (first, last) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()))
    }
}

/// A request with what became of it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub ask: Ask,
    pub status: u16,
    /// Bytes of the body that went into the connection.
    pub sent: u64,
}

/// What the server does.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Arc<Vec<u8>>,
    /// The part of `body` that is sent.
    pub part: (usize, usize),
    /// Content-Length, where it is not that of the part.
    pub length: Option<u64>,
    /// The connection is closed after this many bytes of the part.
    pub cut: Option<usize>,
    /// After this many bytes nothing comes for that long.
    pub stall: Option<(usize, Duration)>,
    /// Bytes a second.
    pub rate: Option<f64>,
    /// The wait before the head.
    pub delay: Duration,
    /// The end of the body is the end of the connection; no length is told.
    pub unbounded: bool,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        let body = body.into();
        Reply {
            status,
            headers: Vec::new(),
            part: (0, body.len()),
            body: Arc::new(body),
            length: None,
            cut: None,
            stall: None,
            rate: None,
            delay: Duration::ZERO,
            unbounded: false,
        }
    }

    pub fn page(text: &str) -> Reply {
        let text =
            format!("<!DOCTYPE html>\n<html><head><title>{text}</title></head><body>{text}</body></html>");
        Reply::new(200, text).with("content-type", "text/html; charset=utf-8")
    }

    pub fn redirect(status: u16, to: &str) -> Reply {
        Reply::new(status, "").with("location", to)
    }

    /// With a header, in place of one of the same name.
    pub fn with(mut self, name: &str, value: &str) -> Reply {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Reply {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    pub fn cut(mut self, after: usize) -> Reply {
        self.cut = Some(after);
        self
    }

    pub fn stall(mut self, after: usize, time: Duration) -> Reply {
        self.stall = Some((after, time));
        self
    }

    pub fn rate(mut self, bytes_a_second: f64) -> Reply {
        self.rate = Some(bytes_a_second);
        self
    }
}

/// A file as a good server has it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub bytes: Arc<Vec<u8>>,
    pub etag: Option<String>,
    pub modified: Option<String>,
    pub kind: String,
}

impl Stored {
    pub fn new(bytes: Vec<u8>) -> Stored {
        let sum = bytes
            .iter()
            .fold(17_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(*b)));
        Stored {
            etag: Some(format!("\"{sum:x}\"")),
            modified: Some("Wed, 21 Oct 2015 07:28:00 GMT".into()),
            bytes: Arc::new(bytes),
            kind: "application/octet-stream".into(),
        }
    }

    /// What RFC 9110 asks for: ranges, If-Range, 416.
    pub fn reply(&self, ask: &Ask) -> Reply {
        let total = self.bytes.len();
        let mut reply = Reply::new(200, "");
        reply.body = self.bytes.clone();
        reply.part = (0, total);
        reply = reply
            .with("content-type", &self.kind)
            .with("accept-ranges", "bytes");
        if let Some(etag) = &self.etag {
            reply = reply.with("etag", etag);
        }
        if let Some(modified) = &self.modified {
            reply = reply.with("last-modified", modified);
        }
        let fresh = ask.header("if-range").is_none_or(|condition| {
            let condition = Some(condition.to_string());
            condition == self.etag || condition == self.modified
        });
        let last = ask.last().map(|last| ((total as u64).saturating_sub(last), None));
        if let Some((first, last)) = last.or(ask.range()).filter(|_| fresh) {
            if first >= total as u64 {
                return Reply::new(416, "").with("content-range", &format!("bytes */{total}"));
            }
            let end = last.map_or(total as u64, |last| (last + 1).min(total as u64));
            reply.status = 206;
            reply.part = (first as usize, end as usize);
            reply = reply.with("content-range", &format!("bytes {first}-{}/{total}", end - 1));
        }
        reply
    }
}

type Handler = dyn Fn(&Ask) -> Reply + Send + Sync;

pub struct Server {
    pub port: u16,
    log: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    /// Requests that wait for their answer now, and the most that did. (A connection would count for as long as the server does not
    /// know that the client has left it.)
    waiting: Arc<AtomicUsize>,
    pub most_waiting: Arc<AtomicUsize>,
}

impl Server {
    pub fn start(handler: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let server = Server {
            port: listener.local_addr().expect("the port").port(),
            log: Arc::default(),
            stop: Arc::default(),
            waiting: Arc::default(),
            most_waiting: Arc::default(),
        };
        let handler: Arc<Handler> = Arc::new(handler);
        let (log, stop) = (server.log.clone(), server.stop.clone());
        let (waiting, most) = (server.waiting.clone(), server.most_waiting.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(connection) = connection else { continue };
                let (log, handler, stop) = (log.clone(), handler.clone(), stop.clone());
                let (waiting, most) = (waiting.clone(), most.clone());
                std::thread::spawn(move || {
                    let _ = converse(&connection, &log, &*handler, &stop, (&waiting, &most));
                    let _ = connection.shutdown(Shutdown::Both);
                });
            }
        });
        server
    }

    /// A server that has these files, by path without the first `/`, and does nothing wrong.
    pub fn of_files(files: Vec<(String, Stored)>) -> Server {
        Server::start(move |ask| {
            match files
                .iter()
                .find(|(name, _)| name == ask.path().trim_start_matches('/'))
            {
                Some((_, stored)) => stored.reply(ask),
                None => Reply::new(404, "no such file"),
            }
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{}", self.port, path.trim_start_matches('/'))
    }

    /// The same server by another name: another host to a client.
    pub fn url_as_localhost(&self, path: &str) -> String {
        format!("http://localhost:{}/{}", self.port, path.trim_start_matches('/'))
    }

    pub fn log(&self) -> Vec<Seen> {
        self.log.lock().expect("the log").clone()
    }

    pub fn of_path(&self, path: &str) -> Vec<Seen> {
        self.log()
            .into_iter()
            .filter(|seen| seen.ask.path() == path)
            .collect()
    }

    /// Bytes of bodies that went out.
    pub fn sent(&self) -> u64 {
        self.log().iter().map(|seen| seen.sent).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn converse(
    connection: &TcpStream,
    log: &Mutex<Vec<Seen>>,
    handler: &Handler,
    stop: &AtomicBool,
    (waiting, most): (&AtomicUsize, &AtomicUsize),
) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection.try_clone()?);
    while let Some(mut ask) = read_request(&mut reader)? {
        most.fetch_max(waiting.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let place = {
            let mut log = log.lock().expect("the log");
            ask.nth = log.iter().filter(|seen| seen.ask.path() == ask.path()).count();
            log.push(Seen {
                ask: ask.clone(),
                status: 0,
                sent: 0,
            });
            log.len() - 1
        };
        let reply = handler(&ask);
        log.lock().expect("the log")[place].status = reply.status;
        let count = |n: usize| log.lock().expect("the log")[place].sent += n as u64;
        std::thread::sleep(reply.delay);
        waiting.fetch_sub(1, Ordering::SeqCst);
        if !send(connection, &ask, &reply, &count, stop)? {
            return Ok(());
        }
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<Ask>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let mut ask = Ask {
        method: words.next().unwrap_or("").into(),
        target: words.next().unwrap_or("").into(),
        headers: Vec::new(),
        body: Vec::new(),
        nth: 0,
    };
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.trim().split_once(':') {
            ask.headers.push((name.to_ascii_lowercase(), value.trim().into()));
        }
    }
    let length = ask
        .header("content-length")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    ask.body.resize(length, 0);
    reader.read_exact(&mut ask.body)?;
    Ok(Some(ask))
}

/// False where the connection is to be closed.
fn send(
    mut to: &TcpStream,
    ask: &Ask,
    reply: &Reply,
    count: &dyn Fn(usize),
    stop: &AtomicBool,
) -> std::io::Result<bool> {
    let body = &reply.body[reply.part.0..reply.part.1];
    let mut head = format!("HTTP/1.1 {} Told\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if reply.unbounded {
        head.push_str("connection: close\r\n");
    } else {
        head.push_str(&format!(
            "content-length: {}\r\n",
            reply.length.unwrap_or(body.len() as u64)
        ));
    }
    head.push_str("\r\n");
    to.write_all(head.as_bytes())?;
    if ask.method == "HEAD" {
        return Ok(true);
    }
    let started = Instant::now();
    let mut sent = 0;
    let mut stalled = false;
    while sent < body.len() {
        if reply.cut.is_some_and(|cut| sent >= cut) {
            return Ok(false);
        }
        if let Some((after, time)) = reply.stall
            && sent >= after
            && !stalled
        {
            stalled = true;
            let until = Instant::now() + time;
            while Instant::now() < until && !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let mut piece = (body.len() - sent).min(if reply.rate.is_some() { 8 << 10 } else { 256 << 10 });
        if let Some(rate) = reply.rate {
            piece = piece.min((rate / 50.0).ceil() as usize);
            let due = Duration::from_secs_f64(sent as f64 / rate);
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        }
        for edge in [reply.cut, reply.stall.map(|(after, _)| after)]
            .into_iter()
            .flatten()
        {
            if sent < edge {
                piece = piece.min(edge - sent);
            }
        }
        to.write_all(&body[sent..sent + piece])?;
        sent += piece;
        count(piece);
    }
    let told = reply.length.unwrap_or(body.len() as u64);
    Ok(!reply.unbounded && told == body.len() as u64 && reply.cut.is_none())
}

/// Bytes that look like nothing in particular and are the same every time.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(length);
    out
}
