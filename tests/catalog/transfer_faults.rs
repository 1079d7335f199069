//! Downloads from servers that fail in every way that servers fail: either the file is byte-equal, or the error says why.

use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use perilune::bytes::http::{Failure, wait};
use perilune::catalog::transfer::{
    Checksum, DownloadOptions, Later, Signer, Silent, Sources, Status, download,
};
use url::Url;

use crate::faults::{Ask, Reply, Server, Stored, noise};
use crate::transfer::{fetch, fetch_one, jobs, options, parts, sources, visible};

const LENGTH: usize = 1_500_000;

fn stored() -> Stored {
    Stored::new(noise(LENGTH, 42))
}

/// Fetches one file from a server that answers as `handler`, and expects it byte-equal; gives the server for its log.
fn comes(handler: impl Fn(&Ask, &Stored) -> Reply + Send + Sync + 'static) -> Server {
    let file = stored();
    let server = Server::start(move |ask| handler(ask, &file));
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url("a.dat"));
    assert_eq!(row.status, Status::Fetched, "{row:?}");
    assert!(
        fs::read(&row.path).unwrap() == *stored().bytes,
        "the bytes differ"
    );
    assert_eq!(parts(dir.path()), 0);
    server
}

/// Fetches one file from such a server and expects the error; nothing is left under the file's name.
fn fails(name: &str, handler: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> (String, Server) {
    let server = Server::start(handler);
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url(name));
    assert_eq!(
        (row.status, visible(dir.path()).len()),
        (Status::Failed, 0),
        "{row:?}"
    );
    (row.error.unwrap(), server)
}

fn ranges(server: &Server) -> Vec<Option<u64>> {
    server
        .log()
        .iter()
        .map(|seen| seen.ask.range().map(|(first, _)| first))
        .collect()
}

#[test]
fn a_cut_is_continued_at_its_byte() {
    let server = comes(|ask, file| match ask.nth {
        0 => file.reply(ask).cut(400_001),
        1 => file.reply(ask).cut(300_000),
        _ => file.reply(ask),
    });
    assert_eq!(ranges(&server), [None, Some(400_001), Some(700_001)]);
    assert_eq!(server.sent(), LENGTH as u64, "bytes came twice");
    let log = server.log();
    assert!(
        log[1]
            .ask
            .header("if-range")
            .is_some_and(|tag| Some(tag) == stored().etag.as_deref())
    );
}

#[test]
fn many_cuts_are_no_failure_while_it_goes_on() {
    let big = Stored::new(noise(9_000_000, 5));
    let server = Server::start({
        let big = big.clone();
        move |ask| big.reply(ask).cut(1_100_000)
    });
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url("a.dat"));
    assert!(fs::read(&row.path).unwrap() == *big.bytes);
    assert_eq!((server.log().len(), server.sent()), (9, 9_000_000));
    // Without any progress, it is one.
    let (error, server) = fails("a.dat", |ask| stored().reply(ask).cut(0));
    assert!(
        error.contains("ended too early") && error.contains("after 4 tries"),
        "{error}"
    );
    assert_eq!(server.log().len(), 4);
}

#[test]
fn a_stall_is_left_and_continued() {
    let started = Instant::now();
    let server = comes(|ask, file| match ask.nth {
        0 => file.reply(ask).stall(500_000, Duration::from_secs(60)),
        _ => file.reply(ask),
    });
    assert_eq!(ranges(&server), [None, Some(500_000)]);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_slow_drip_is_left_and_continued() {
    let file = stored();
    let server = Server::start(move |ask| match ask.nth {
        0 => file.reply(ask).rate(40_000.0),
        _ => file.reply(ask),
    });
    let dir = tempfile::tempdir().unwrap();
    let impatient = DownloadOptions {
        slowest: (100_000.0, Duration::from_millis(500)),
        ..options(dir.path())
    };
    let report = wait(download(
        sources(),
        jobs(&[server.url("a.dat")]),
        impatient,
        Arc::new(Silent),
    ))
    .unwrap();
    assert!(fs::read(&report.whole().unwrap().rows[0].path).unwrap() == *stored().bytes);
    let asked = ranges(&server);
    assert!(
        asked.len() == 2 && (15_000..60_000).contains(&asked[1].unwrap()),
        "{asked:?}"
    );
}

#[test]
fn wrong_lengths_are_seen() {
    // Too long a promise: the connection ends before the file does.
    let server = comes(|ask, file| {
        let mut reply = file.reply(ask);
        if ask.nth == 0 {
            reply.part = (0, 1_000_000);
            reply.length = Some(LENGTH as u64);
        }
        reply
    });
    assert_eq!(ranges(&server), [None, Some(1_000_000)]);
    // A promise that is never kept, by a server that knows no ranges: the file is begun anew as often as anything is tried, not for ever.
    let (error, server) = fails("a.dat", |_| {
        let mut reply = Reply::new(200, noise(LENGTH, 42));
        reply.length = Some(2_000_000);
        reply
    });
    // Which limit ends it depends on how much of the last try reached the disk.
    assert!(
        error.contains("began anew 4 times") || error.contains("after 4 tries"),
        "{error}"
    );
    assert!(server.log().len() <= 6);
    // A length that nobody tells is taken as it comes, and reported as such.
    let server = Server::start(|ask| {
        let mut reply = stored().reply(ask);
        reply.unbounded = true;
        reply
    });
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url("a.dat"));
    assert_eq!(
        (row.bytes, row.verified, row.how.as_str()),
        (Some(LENGTH as u64), false, "nothing")
    );
}

#[test]
fn a_range_that_is_not_the_one_asked_for_is_refused() {
    // Off by one at the start, no Content-Range, another unit, a wrong length: all of it is fetched anew, without ranges.
    type Spoil = fn(Reply, u64) -> Reply;
    let spoils: [Spoil; 5] = [
        |mut reply, first| {
            reply.part = (first as usize + 1, LENGTH);
            reply.with(
                "content-range",
                &format!("bytes {}-{}/{LENGTH}", first + 1, LENGTH - 1),
            )
        },
        |reply, first| {
            reply.with(
                "content-range",
                &format!("bytes {}-{}/{LENGTH}", first - 1, LENGTH - 1),
            )
        },
        |reply, _| reply.without("content-range"),
        |reply, first| reply.with("content-range", &format!("items {first}-{}/{LENGTH}", LENGTH - 1)),
        |mut reply, first| {
            reply.part = (first as usize, LENGTH - 7);
            reply
        },
    ];
    for spoil in spoils {
        let server = comes(move |ask, file| {
            let reply = file.reply(ask);
            match (ask.nth, ask.range()) {
                (0, _) => reply.cut(600_000),
                (_, Some((first, _))) => spoil(reply, first),
                _ => reply,
            }
        });
        assert_eq!(ranges(&server), [None, Some(600_000), None]);
    }
}

#[test]
fn a_range_that_ends_early_is_gone_on_from() {
    let server = comes(|ask, file| {
        let mut reply = file.reply(ask);
        if let (1, Some((first, _))) = (ask.nth, ask.range()) {
            reply.part = (first as usize, first as usize + 1000);
            reply = reply.with(
                "content-range",
                &format!("bytes {first}-{}/{LENGTH}", first + 999),
            );
        }
        if ask.nth == 0 { reply.cut(600_000) } else { reply }
    });
    assert_eq!(ranges(&server), [None, Some(600_000), Some(601_000)]);
}

#[test]
fn a_changed_file_is_begun_anew() {
    let old = Stored::new(noise(LENGTH, 1));
    // As a good server does: If-Range fails, all of the new file comes.
    let server = comes({
        let old = old.clone();
        move |ask, file| match ask.nth {
            0 => old.reply(ask).cut(700_000),
            _ => file.reply(ask),
        }
    });
    assert_eq!(ranges(&server), [None, Some(700_000)]);
    assert_eq!(server.log()[1].status, 200);
    // One that does not know If-Range sends the new file's end; its tag gives it away.
    let server = comes(move |ask, file| match ask.nth {
        0 => old.reply(ask).cut(700_000),
        _ => {
            let mut ask = ask.clone();
            ask.headers.retain(|(name, _)| name != "if-range");
            file.reply(&ask)
        }
    });
    assert_eq!(ranges(&server), [None, Some(700_000), None]);
}

#[test]
fn ranges_are_not_trusted_without_a_validator() {
    // No tag, no date: what one run has begun another one does not continue, unless a checksum will tell.
    let plain = Stored {
        etag: None,
        modified: None,
        ..stored()
    };
    let server = Server::start(move |ask| match ask.nth {
        0..4 => plain.reply(ask).cut(500_000),
        _ => plain.reply(ask),
    });
    let dir = tempfile::tempdir().unwrap();
    let mut job = jobs(&[server.url("a.dat")]);
    let row = &fetch(dir.path(), job.clone()).unwrap().rows[0];
    assert!(row.status == Status::Fetched || row.status == Status::Failed);
    let reference = dir.path().join("reference");
    fs::write(&reference, &*stored().bytes).unwrap();
    let output = std::process::Command::new("md5sum")
        .arg(&reference)
        .output()
        .unwrap();
    job[0].checksum = Some(Checksum::parse(&String::from_utf8(output.stdout).unwrap()[..32]).unwrap());
    let row = &fetch(&dir.path().join("x"), job).unwrap().whole().unwrap().rows[0];
    assert!(row.verified && fs::read(&row.path).unwrap() == *stored().bytes);
}

#[test]
fn weak_tags_do_not_continue_a_file() {
    let weak = Stored {
        etag: Some("W/\"1\"".into()),
        ..stored()
    };
    let server = Server::start(move |ask| match ask.nth {
        0 => weak.reply(ask).cut(500_000),
        _ => weak.reply(ask),
    });
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url("a.dat"));
    assert!(fs::read(&row.path).unwrap() == *stored().bytes);
    // The date is used instead.
    assert_eq!(
        server.log()[1].ask.header("if-range"),
        stored().modified.as_deref()
    );
}

#[test]
fn beyond_the_end_is_the_end_or_another_file() {
    // A server that lost the tail: 416 with a smaller size.
    let server = comes(|ask, file| match (ask.nth, ask.range()) {
        (0, _) => file.reply(ask).cut(900_000),
        (_, Some(_)) => Reply::new(416, "").with("content-range", "bytes */800000"),
        _ => file.reply(ask),
    });
    assert_eq!(ranges(&server), [None, Some(900_000), None]);
}

#[test]
fn busy_servers_are_asked_again_when_they_say() {
    for status in [429, 503, 500, 502, 504] {
        let after = match status {
            429 => "0.2".to_string(),
            503 => http_date(Duration::from_secs(2)),
            _ => String::new(),
        };
        let wanted = after.clone();
        let started = Instant::now();
        comes(move |ask, file| match ask.nth {
            0 if wanted.is_empty() => Reply::new(status, "busy"),
            0 => Reply::new(status, "busy").with("retry-after", &wanted),
            _ => file.reply(ask),
        });
        let least = match after.len() {
            0 => Duration::ZERO,
            3 => Duration::from_millis(200),
            _ => Duration::from_millis(900),
        };
        assert!(
            started.elapsed() >= least,
            "{status}: {:?} is sooner than the server asked",
            started.elapsed()
        );
    }
    let (error, server) = fails("a.dat", |_| {
        Reply::new(500, "{\"detail\": \"the disk is on fire\"}")
    });
    assert!(
        error.contains("500") && error.contains("the disk is on fire") && error.contains("after 4 tries"),
        "{error}"
    );
    assert_eq!(server.log().len(), 4);
}

fn http_date(from_now: Duration) -> String {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::try_from(from_now).unwrap();
    time.to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

#[test]
fn files_that_are_being_made_are_waited_for() {
    comes(|ask, file| match ask.nth {
        0..3 => Reply::new(202, "{\"status\": \"preparing\"}").with("retry-after", "0.1"),
        _ => file.reply(ask),
    });
    let server = Server::start(|_| Reply::new(202, "").with("retry-after", "0.1"));
    let dir = tempfile::tempdir().unwrap();
    let impatient = DownloadOptions {
        patience: Duration::from_millis(500),
        ..options(dir.path())
    };
    let report = wait(download(
        sources(),
        jobs(&[server.url("a.dat")]),
        impatient,
        Arc::new(Silent),
    ))
    .unwrap();
    let error = report.rows[0].error.clone().unwrap();
    assert!(
        error.contains("still making this file") && error.contains("202"),
        "{error}"
    );
}

#[test]
fn login_pages_are_no_files() {
    let (error, server) = fails("scene.tif", |_| Reply::page("Earthdata Login"));
    assert!(
        error.contains("Earthdata Login") && error.contains("in place of TIFF"),
        "{error}"
    );
    assert_eq!(server.log().len(), 1, "a login page was asked for again");
    // Even of a name that says nothing, and where it is called data.
    let (error, _) = fails("get", |_| {
        Reply::page("Sign in").with("content-type", "application/octet-stream")
    });
    assert!(error.contains("Sign in"), "{error}");
    let (error, _) = fails("a.zip", |_| Reply::new(200, ""));
    assert!(error.contains("an empty file in place of ZIP"), "{error}");
}

#[test]
fn a_login_page_does_not_cost_what_has_arrived() {
    let file = stored();
    let server = Server::start(move |ask| match ask.nth {
        0 => file.reply(ask).cut(900_000),
        1 => Reply::page("Your session has ended"),
        _ => file.reply(ask),
    });
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url("a.dat"));
    assert!(row.error.unwrap().contains("Your session has ended"));
    let row = fetch_one(dir.path(), server.url("a.dat"));
    assert!(fs::read(&row.path).unwrap() == *stored().bytes);
    assert_eq!(ranges(&server), [None, Some(900_000), Some(900_000)]);
}

#[test]
fn circles_end() {
    let (error, server) = fails("a.dat", |ask| {
        let next = if ask.path() == "/a.dat" {
            "/b.dat"
        } else {
            "/a.dat"
        };
        Reply::redirect(302, next)
    });
    assert!(error.contains("in a circle"), "{error}");
    assert!(server.log().len() < 12);
    let (error, _) = fails("a.dat", |_| Reply::redirect(302, "file:///etc/passwd"));
    assert!(error.contains("no web address"), "{error}");
}

#[test]
fn redirects_are_followed_at_every_request() {
    // As archives do that sign addresses for minutes: each continuation asks the first address anew.
    let file = stored();
    let store = Server::start(move |ask| {
        let fresh = ask.query() == format!("sig={}", ask.nth);
        match (fresh, ask.nth) {
            (true, 0) => file.reply(ask).cut(500_000),
            (true, _) => file.reply(ask),
            (false, _) => Reply::new(403, "<Error><Message>Request has expired</Message></Error>"),
        }
    });
    let to = store.url_as_localhost("x");
    let archive = Server::start(move |ask| Reply::redirect(307, &format!("{to}?sig={}", ask.nth)));
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), archive.url("a.dat"));
    assert!(fs::read(&row.path).unwrap() == *stored().bytes);
    assert_eq!(store.log()[1].ask.range(), Some((500_000, None)));
    for seen in store.log() {
        for name in ["authorization", "cookie", "referer"] {
            assert_eq!(seen.ask.header(name), None, "{name} went to another host");
        }
    }
}

/// Signs with a number that the server takes for a while.
struct Counter(AtomicUsize);

impl Signer for Counter {
    fn sign<'a>(&'a self, url: &'a Url, anew: bool) -> Later<'a, Result<Url, Failure>> {
        let number = if anew {
            self.0.fetch_add(1, Ordering::SeqCst) + 1
        } else {
            self.0.load(Ordering::SeqCst)
        };
        Box::pin(async move {
            let mut signed = url.clone();
            signed.set_query(Some(&format!("sig=s3cret{number}")));
            Ok(signed)
        })
    }
}

#[test]
fn signatures_that_expire_in_the_middle_are_renewed() {
    let file = stored();
    let server = Server::start(move |ask| match (ask.query(), ask.nth) {
        ("sig=s3cret0", 0) => file.reply(ask).cut(600_000),
        ("sig=s3cret1", _) => file.reply(ask),
        _ => Reply::new(403, "expired"),
    });
    let dir = tempfile::tempdir().unwrap();
    let signed = Sources {
        signer: Some(Arc::new(Counter(AtomicUsize::new(0)))),
        ..sources()
    };
    let report = wait(download(
        signed,
        jobs(&[server.url("a.dat")]),
        options(dir.path()),
        Arc::new(Silent),
    ))
    .unwrap();
    assert!(fs::read(&report.whole().unwrap().rows[0].path).unwrap() == *stored().bytes);
    assert_eq!(ranges(&server), [None, Some(600_000), Some(600_000)]);
    let ledger = fs::read_to_string(dir.path().join(".perilune/downloads.jsonl")).unwrap();
    assert!(!ledger.contains("s3cret"), "{ledger}");
    // Nobody can renew the signature of an address that came with it: the error says so and keeps it to itself.
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url("b.dat?sig=s3cret7"));
    let error = row.error.unwrap();
    assert!(
        error.contains("403") && error.contains("search again") && !error.contains("s3cret"),
        "{error}"
    );
    assert_eq!(server.of_path("/b.dat").len(), 1);
}

#[test]
fn a_refused_login_is_tried_once() {
    let server = Server::start(|_| Reply::new(401, "who are you?"));
    let dir = tempfile::tempdir().unwrap();
    let urls: Vec<String> = (0..30).map(|i| server.url(&format!("{i}.dat"))).collect();
    let one = DownloadOptions {
        per_host: 1,
        ..options(dir.path())
    };
    let report = wait(download(sources(), jobs(&urls), one, Arc::new(Silent))).unwrap();
    assert_eq!((report.count(Status::Failed), server.log().len()), (30, 1));
    let error = report.whole().unwrap_err().to_string();
    assert!(
        error.contains("30 of 30 files")
            && error.contains("refused the login")
            && error.contains("and 10 more"),
        "{error}"
    );
}

#[test]
fn one_failure_does_not_stop_the_others() {
    let server = Server::start(|ask| match ask.path() {
        "/bad.dat" => Reply::new(404, "no such granule"),
        _ => stored().reply(ask),
    });
    let dir = tempfile::tempdir().unwrap();
    let urls: Vec<String> = ["a.dat", "bad.dat", "c.dat"]
        .iter()
        .map(|name| server.url(name))
        .collect();
    let report = fetch(dir.path(), jobs(&urls)).unwrap();
    assert_eq!(visible(dir.path()), ["a.dat", "c.dat"]);
    let error = report.whole().unwrap_err().to_string();
    assert!(
        error.contains("1 of 3 files") && error.contains("bad.dat") && error.contains("404"),
        "{error}"
    );
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn a_stored_encoding_is_undone() {
    let packed = Stored::new(gzip(&stored().bytes));
    let whole = {
        let packed = packed.clone();
        move |ask: &Ask| packed.reply(ask).with("content-encoding", "gzip")
    };
    let server = Server::start(whole.clone());
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url("a.dat"));
    assert!(fs::read(&row.path).unwrap() == *stored().bytes);
    // A cut: compressed bytes do not continue a file.
    let server = Server::start(move |ask| match ask.nth {
        0 => whole(ask).cut(600_000),
        _ => whole(ask),
    });
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url("a.dat"));
    assert!(fs::read(&row.path).unwrap() == *stored().bytes);
    assert_eq!(ranges(&server), [None, None]);
    // A file that is gzip by its name is not unpacked.
    let inner = packed.clone();
    let server = Server::start(move |ask| inner.reply(ask).with("content-encoding", "gzip"));
    let dir = tempfile::tempdir().unwrap();
    let row = fetch_one(dir.path(), server.url("a.csv.gz"));
    assert!(fs::read(&row.path).unwrap() == *packed.bytes);
    // Damage is seen.
    let mut damaged = (*packed.bytes).clone();
    damaged[700_000] ^= 1;
    let damaged = Stored::new(damaged);
    let (error, _) = fails("a.dat", move |ask| {
        damaged.reply(ask).with("content-encoding", "gzip")
    });
    assert!(error.contains("gzip is damaged"), "{error}");
}

#[test]
fn headers_that_only_claim_a_compression_change_nothing() {
    for word in ["aws-chunked", "utf-8", "gzip"] {
        comes(move |ask, file| file.reply(ask).with("content-encoding", word));
    }
    let (error, _) = fails("a.dat", |ask| stored().reply(ask).with("content-encoding", "br"));
    assert!(error.contains("compressed (br)"), "{error}");
}

#[test]
fn a_part_sent_as_200_is_known_by_its_range() {
    let server = comes(|ask, file| {
        let mut reply = file.reply(ask);
        reply.status = 200;
        if ask.nth == 0 { reply.cut(600_000) } else { reply }
    });
    assert_eq!(ranges(&server), [None, Some(600_000)]);
    assert_eq!(server.sent(), LENGTH as u64, "bytes came twice");
    // As 200 or as 206, from another byte on: all of it anew.
    let server = comes(|ask, file| {
        let mut reply = file.reply(ask);
        if let (1, Some((first, _))) = (ask.nth, ask.range()) {
            reply.status = 200;
            reply.part = (first as usize + 1, LENGTH);
            return reply.with(
                "content-range",
                &format!("bytes {}-{}/{LENGTH}", first + 1, LENGTH - 1),
            );
        }
        if ask.nth == 0 { reply.cut(600_000) } else { reply }
    });
    assert_eq!(ranges(&server), [None, Some(600_000), None]);
}

/// Two versions of one length, changed between the cut and the second request, by a server that says nothing of versions or only a
/// weak tag: RFC 9110, section 13.1.5, has no way to continue these.
#[test]
fn within_one_run_too_nothing_is_continued_without_a_strong_validator() {
    for etag in [None, Some("W/\"same\"".to_string())] {
        let version = |seed: u64| Stored {
            etag: etag.clone(),
            modified: None,
            ..Stored::new(noise(LENGTH, seed))
        };
        let (old, new) = (version(1), version(2));
        let right = new.bytes.clone();
        let server = Server::start(move |ask| match ask.nth {
            0 => old.reply(ask).cut(600_000),
            _ => new.reply(ask),
        });
        let dir = tempfile::tempdir().unwrap();
        let row = fetch_one(dir.path(), server.url("a.dat"));
        assert!(fs::read(&row.path).unwrap() == *right, "halves of two versions");
        assert_eq!(ranges(&server), [None, None]);
    }
}
