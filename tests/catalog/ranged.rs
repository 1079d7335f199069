//! Files on servers by ranges: which bytes are fetched, by whom, and what happens when the server does not go along.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use perilune::bytes::credentials::Vault;
use perilune::bytes::http::{Http, Settings};
use perilune::bytes::ranged::{First, Part, Remote, Way};
use url::Url;

use super::standin::{Answer, Got, StandIn};

const KIB: usize = 1 << 10;

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| ((i * 7919) >> 3) as u8).collect()
}

fn client() -> Http {
    let settings = Settings {
        shortest_wait: Duration::from_millis(10),
        stall: Duration::from_secs(5),
        attempts: 3,
        ..Settings::default()
    };
    Http::new(settings, Arc::new(Vault::empty())).unwrap()
}

fn open<'a>(http: &'a Http, url: &str) -> perilune::error::Result<Remote<'a>> {
    let url = Url::parse(url).unwrap();
    Ok(Remote::open(http, Way::Web, &url, First::Head)?)
}

fn read(remote: &Remote<'_>, start: usize, length: usize) -> perilune::error::Result<Vec<u8>> {
    let mut out = vec![0; length];
    let part = Part {
        start: start as u64,
        out: &mut out,
    };
    remote.read(&mut [part], 0)?;
    Ok(out)
}

fn ranges(server: &StandIn) -> Vec<String> {
    let range = |got: &Got| {
        got.header("range")
            .unwrap_or("-")
            .trim_start_matches("bytes=")
            .to_string()
    };
    server.log().iter().map(range).collect()
}

#[test]
fn near_parts_come_in_one_range_and_none_twice() {
    let all = content(1024 * KIB);
    let file = all.clone();
    let server = StandIn::start("127.0.0.1", move |_| Answer::new(200, file.clone()));
    let http = client();
    let remote = open(&http, &server.url("/x")).unwrap();
    let (mut a, mut b, mut c) = (vec![0; 10], vec![0; 20_000], vec![0; 5]);
    let mut parts = [
        Part {
            start: 100_000,
            out: &mut a,
        },
        Part {
            start: 120_000,
            out: &mut b,
        },
        Part {
            start: 900_000,
            out: &mut c,
        },
    ];
    assert!(remote.read(&mut parts, 0).unwrap());
    assert_eq!((&a[..], &b[..]), (&all[100_000..100_010], &all[120_000..140_000]));
    assert_eq!(&c[..], &all[900_000..900_005]);
    // Blocks of 16 KiB: 6, 7 and 8; 54.
    let mut got = ranges(&server);
    got[1..].sort();
    assert_eq!(got, ["0-32767", "884736-901119", "98304-147455"]);
    for (start, length) in [(130_000, 8), (0, 30_000), (899_999, 1000)] {
        assert_eq!(read(&remote, start, length).unwrap(), all[start..start + length]);
    }
    assert_eq!(server.log().len(), 3);
    // The last, shorter block.
    assert_eq!(read(&remote, 1024 * KIB - 3, 3).unwrap(), all[1024 * KIB - 3..]);
}

#[test]
fn threads_that_want_the_same_bytes_fetch_them_once() {
    let all = content(2048 * KIB);
    let file = all.clone();
    let server = StandIn::start("127.0.0.1", move |_| {
        std::thread::sleep(Duration::from_millis(20));
        Answer::new(200, file.clone())
    });
    let http = client();
    let remote = open(&http, &server.url("/x")).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (remote, all) = (&remote, &all);
            scope.spawn(move || {
                for step in 0..16 {
                    let start = (step + thread) % 16 * 128 * KIB;
                    assert_eq!(
                        read(remote, start, 100 * KIB).unwrap(),
                        all[start..start + 100 * KIB]
                    );
                }
            });
        }
    });
    let mut blocks: Vec<usize> = Vec::new();
    for range in ranges(&server) {
        let (first, last) = range.split_once('-').unwrap();
        blocks.extend(first.parse::<usize>().unwrap() / 16384..=last.parse::<usize>().unwrap() / 16384);
    }
    let fetched = blocks.len();
    blocks.sort_unstable();
    blocks.dedup();
    assert_eq!(fetched, blocks.len());
}

/// The address behind a redirect is asked directly, until what let the reader in there has run out.
#[test]
fn redirects_are_followed_once_and_again_when_they_run_out() {
    let all = content(512 * KIB);
    let file = all.clone();
    let ended = Arc::new(AtomicBool::new(false));
    let over = ended.clone();
    let store = StandIn::start("127.0.0.3", move |got| {
        let wanted = if over.load(Ordering::Relaxed) { "2" } else { "1" };
        match got.parameter("sig").as_deref() == Some(wanted) {
            true => Answer::new(200, file.clone()),
            false => Answer::new(403, "run out"),
        }
    });
    let (over, target) = (ended.clone(), store.clone());
    let front = StandIn::start("127.0.0.2", move |_| {
        let sig = if over.load(Ordering::Relaxed) { 2 } else { 1 };
        Answer::to(307, &target.url(&format!("/x?sig={sig}")))
    });
    let http = client();
    let remote = open(&http, &front.url("/x")).unwrap();
    for start in [100 * KIB, 200 * KIB] {
        assert_eq!(read(&remote, start, 9).unwrap(), all[start..start + 9]);
    }
    assert_eq!((front.log().len(), store.log().len()), (1, 3));
    ended.store(true, Ordering::Relaxed);
    assert_eq!(
        read(&remote, 300 * KIB, 9).unwrap(),
        all[300 * KIB..300 * KIB + 9]
    );
    assert_eq!((front.log().len(), store.log().len()), (2, 5));
}

#[test]
fn a_server_without_parts_is_told_so_and_small_files_come_whole() {
    let small = content(300 * KIB);
    let file = small.clone();
    let server = StandIn::start("127.0.0.1", move |got| {
        let bytes = match got.path() {
            "/small" => file.clone(),
            _ => vec![0; 17 << 20],
        };
        Answer::new(200, bytes).with("X-No-Ranges", "1")
    });
    let http = client();
    let remote = open(&http, &server.url("/small")).unwrap();
    assert_eq!(read(&remote, 299 * KIB, KIB).unwrap(), small[299 * KIB..]);
    assert_eq!(server.log().len(), 1);
    let refused = open(&http, &server.url("/large")).err().unwrap().to_string();
    assert!(
        refused.contains("does not serve parts of this file but only all of it (17.8 MB); download"),
        "{refused}"
    );
}

#[test]
fn a_file_that_changes_is_not_mixed() {
    let version = Arc::new(AtomicUsize::new(1));
    let now = version.clone();
    let server = StandIn::start("127.0.0.1", move |_| {
        let tag = format!("\"{}\"", now.load(Ordering::Relaxed));
        Answer::new(200, content(512 * KIB)).with("ETag", &tag)
    });
    let http = client();
    let remote = open(&http, &server.url("/x")).unwrap();
    read(&remote, 100 * KIB, 9).unwrap();
    version.store(2, Ordering::Relaxed);
    let failed = read(&remote, 200 * KIB, 9).unwrap_err().to_string();
    assert!(failed.contains("has changed on the server"), "{failed}");
}
