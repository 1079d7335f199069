//! Downloads from a server that does as it should, and what all tests of downloads share.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perilune::bytes::credentials::Vault;
use perilune::bytes::http::{Http, Settings, wait};
use perilune::catalog::transfer::{
    Checksum, DownloadOptions, Event, Job, Observer, Report, Silent, Sources, Status, USD_PER_GB, Wanted,
    Web, download, estimate, parse_address, plan,
};
use perilune::error::Result;

use crate::faults::{Server, Stored, noise};

/// Short waits, so that faults take no time.
pub fn settings() -> Settings {
    Settings {
        connect: Duration::from_secs(2),
        first_byte: Duration::from_secs(3),
        stall: Duration::from_millis(400),
        attempts: 4,
        shortest_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(200),
        ..Settings::default()
    }
}

pub fn sources() -> Sources {
    let http = Http::new(settings(), Arc::new(Vault::empty())).unwrap();
    Sources {
        web: Arc::new(Web(Arc::new(http))),
        s3: None,
        signer: None,
    }
}

pub fn options(dir: &Path) -> DownloadOptions {
    DownloadOptions {
        record_after: 256 << 10,
        shortest_wait: Duration::from_millis(5),
        attempts: 4,
        ..DownloadOptions::new(dir)
    }
}

pub fn jobs(urls: &[String]) -> Vec<Job> {
    plan(
        urls.iter()
            .map(|url| Wanted::new(parse_address(url).unwrap()))
            .collect(),
    )
    .unwrap()
}

pub fn fetch(dir: &Path, jobs: Vec<Job>) -> Result<Report> {
    wait(download(sources(), jobs, options(dir), Arc::new(Silent)))
}

/// The one row of the one file at `url`.
pub fn fetch_one(dir: &Path, url: String) -> perilune::catalog::transfer::Row {
    let report = fetch(dir, jobs(&[url])).unwrap();
    assert_eq!(report.rows.len(), 1);
    report.rows[0].clone()
}

/// Names of the visible files below `dir`, sorted.
pub fn visible(dir: &Path) -> Vec<String> {
    fn walk(at: &Path, root: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with('.') {
                continue;
            }
            if path.is_dir() {
                walk(&path, root, out);
            } else {
                out.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let mut out = Vec::new();
    walk(dir, dir, &mut out);
    out.sort();
    out
}

/// Unfinished files that are left.
pub fn parts(dir: &Path) -> usize {
    fs::read_dir(dir.join(".perilune/parts")).map_or(0, Iterator::count)
}

fn many(number: usize) -> Vec<(String, Stored)> {
    // From nothing at all to a few blocks.
    (0..number)
        .map(|i| {
            (
                format!("f{i}.dat"),
                Stored::new(noise(i * i * 9_000, i as u64 + 1)),
            )
        })
        .collect()
}

#[test]
fn files_come_whole_and_once() {
    let files = many(20);
    let server = Server::of_files(files.clone());
    let dir = tempfile::tempdir().unwrap();
    let urls: Vec<String> = files.iter().map(|(name, _)| server.url(name)).collect();
    let report = fetch(dir.path(), jobs(&urls)).unwrap();
    assert_eq!(report.count(Status::Fetched), 20);
    for (row, (name, stored)) in report.rows.iter().zip(&files) {
        assert_eq!(&row.name, name);
        assert_eq!(fs::read(&row.path).unwrap(), *stored.bytes, "{name}");
        assert_eq!(
            (row.received, row.verified, row.how.as_str()),
            (stored.bytes.len() as u64, false, "size")
        );
    }
    assert_eq!((server.log().len(), parts(dir.path())), (20, 0));
    assert!(
        server.most_waiting.load(std::sync::atomic::Ordering::SeqCst) <= 4,
        "more than 4 requests to one host at once"
    );
    // A second run asks the server for nothing.
    let report = fetch(dir.path(), jobs(&urls)).unwrap();
    assert_eq!(
        (
            report.count(Status::Present),
            report.received(),
            server.log().len()
        ),
        (20, 0, 20)
    );
}

#[test]
fn hosts_have_slots_of_their_own() {
    let server = Server::start(|ask| {
        let mut reply = Stored::new(noise(1000, 1)).reply(ask);
        reply.delay = Duration::from_millis(60);
        reply
    });
    let dir = tempfile::tempdir().unwrap();
    let mut urls: Vec<String> = (0..12).map(|i| server.url(&format!("a{i}.dat"))).collect();
    urls.extend((0..12).map(|i| server.url_as_localhost(&format!("b{i}.dat"))));
    let report = fetch(dir.path(), jobs(&urls)).unwrap().whole().unwrap();
    assert_eq!(report.rows.len(), 24);
    let most = server.most_waiting.load(std::sync::atomic::Ordering::SeqCst);
    assert!((5..=8).contains(&most), "{most} requests to two hosts of 4 each");
}

#[test]
fn published_checksums_are_compared() {
    let bytes = noise(700_000, 3);
    let stored = Stored::new(bytes.clone());
    // By coreutils: the tools of the system compute the digests.
    let dir = tempfile::tempdir().unwrap();
    let reference = dir.path().join("reference");
    fs::write(&reference, &bytes).unwrap();
    let server = Server::of_files(vec![("a.dat".into(), stored)]);
    for tool in ["md5sum", "sha1sum", "sha256sum", "sha512sum"] {
        let output = std::process::Command::new(tool).arg(&reference).output().unwrap();
        let digest = String::from_utf8(output.stdout)
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .to_string();
        let target = dir.path().join(tool);
        let mut job = jobs(&[server.url("a.dat")]);
        job[0].checksum = Some(Checksum::parse(&digest).unwrap());
        let row = &fetch(&target, job.clone()).unwrap().whole().unwrap().rows[0];
        assert!(
            row.verified && row.how.ends_with("of the catalogue"),
            "{}",
            row.how
        );
        // A file that was tampered with is not taken for the file, and not overwritten either.
        fs::write(&row.path, noise(700_000, 4)).unwrap();
        let row = &fetch(&target, job.clone()).unwrap().rows[0];
        assert!(
            row.error.as_deref().unwrap().contains("overwrite = true"),
            "{row:?}"
        );
        // One digit wrong: fetched twice, and then nothing is there.
        let wrong = format!(
            "{}{}",
            if digest.starts_with('0') { '1' } else { '0' },
            &digest[1..]
        );
        job[0].checksum = Some(Checksum::parse(&wrong).unwrap());
        let other = dir.path().join(format!("{tool}-wrong"));
        let before = server.log().len();
        let error = fetch(&other, job).unwrap().whole().unwrap_err().to_string();
        assert!(
            error.contains(&digest) && error.contains(&wrong) && error.contains("twice"),
            "{error}"
        );
        assert_eq!(
            (visible(&other).len(), parts(&other), server.log().len() - before),
            (0, 0, 2)
        );
    }
}

#[test]
fn checksums_of_servers_count_where_they_are_sure() {
    let bytes = noise(5000, 8);
    let md5 = "4b22b0f05db0cc5e6dd3f5bd9cf75b2a";
    let tag = |server: &str, tag: String, more: &[(&str, &str)]| {
        let (stored, server) = (
            Stored {
                etag: Some(tag),
                ..Stored::new(bytes.clone())
            },
            server.to_string(),
        );
        let more: Vec<(String, String)> = more.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        let server = Server::start(move |ask| {
            let reply = stored.reply(ask).with("server", &server);
            more.iter()
                .fold(reply, |reply, (name, value)| reply.with(name, value))
        });
        let dir = tempfile::tempdir().unwrap();
        fetch_one(dir.path(), server.url("a.dat"))
    };
    let reference = tempfile::NamedTempFile::new().unwrap();
    fs::write(reference.path(), &bytes).unwrap();
    let output = std::process::Command::new("md5sum")
        .arg(reference.path())
        .output()
        .unwrap();
    let own = String::from_utf8(output.stdout).unwrap()[..32].to_string();
    let row = tag("AmazonS3", format!("\"{own}\""), &[]);
    assert!(row.verified && row.how == "MD5 of the server", "{row:?}");
    let row = tag("AmazonS3", format!("\"{md5}\""), &[]);
    assert_eq!(row.status, Status::Failed, "{row:?}");
    // Several parts, a key of the user's own, or another server: the tag is no MD5.
    for (server, value, more) in [
        ("AmazonS3", format!("\"{md5}-3\""), vec![]),
        (
            "AmazonS3",
            format!("\"{md5}\""),
            vec![("x-amz-server-side-encryption", "aws:kms")],
        ),
        ("nginx", format!("\"{md5}\""), vec![]),
    ] {
        let row = tag(server, value, &more);
        assert_eq!(
            (row.status, row.verified, row.how.as_str()),
            (Status::Fetched, false, "size")
        );
    }
}

#[test]
fn sizes_of_catalogues_are_held_against_the_server() {
    let server = Server::of_files(vec![("a.dat".into(), Stored::new(noise(1000, 1)))]);
    let dir = tempfile::tempdir().unwrap();
    let mut job = jobs(&[server.url("a.dat")]);
    job[0].size = Some(999);
    let error = fetch(dir.path(), job.clone())
        .unwrap()
        .whole()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("999 bytes") && error.contains("the server says 1000"),
        "{error}"
    );
    let lenient = DownloadOptions {
        verify: false,
        ..options(dir.path())
    };
    let report = wait(download(sources(), job, lenient, Arc::new(Silent))).unwrap();
    assert_eq!(report.whole().unwrap().rows[0].bytes, Some(1000));
}

#[test]
fn a_file_of_that_name_is_never_replaced_unasked() {
    let server = Server::of_files(vec![("a.dat".into(), Stored::new(noise(1000, 1)))]);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.dat"), b"the user's own").unwrap();
    let row = fetch_one(dir.path(), server.url("a.dat"));
    let error = row.error.unwrap();
    assert!(
        error.contains("14 bytes") && error.contains("1000") && error.contains("overwrite"),
        "{error}"
    );
    assert_eq!(fs::read(dir.path().join("a.dat")).unwrap(), b"the user's own");
    let over = DownloadOptions {
        overwrite: true,
        ..options(dir.path())
    };
    wait(download(
        sources(),
        jobs(&[server.url("a.dat")]),
        over,
        Arc::new(Silent),
    ))
    .unwrap()
    .whole()
    .unwrap();
    assert_eq!(fs::read(dir.path().join("a.dat")).unwrap(), noise(1000, 1));
    // The right size, and no more to go by.
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("a.dat"), noise(1000, 1)).unwrap();
    assert_eq!(
        fetch_one(other.path(), server.url("a.dat")).status,
        Status::Present
    );
}

#[test]
fn links_do_not_lead_out() {
    let server = Server::of_files(vec![("a.dat".into(), Stored::new(noise(10, 1)))]);
    let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(outside.path(), dir.path().join("scene")).unwrap();
    let mut wanted = Wanted::new(parse_address(&server.url("a.dat")).unwrap());
    wanted.name = Some("scene/a.dat".into());
    let row = fetch(dir.path(), plan(vec![wanted]).unwrap()).unwrap().rows[0].clone();
    assert!(
        row.error.as_deref().unwrap_or("").contains("through links"),
        "{row:?}"
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_dry_run_writes_nothing() {
    let files = many(5);
    let total: u64 = files.iter().map(|(_, stored)| stored.bytes.len() as u64).sum();
    let server = Server::of_files(files.clone());
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("f4.dat"), &**files[4].1.bytes).unwrap();
    let mut urls: Vec<String> = files.iter().map(|(name, _)| server.url(name)).collect();
    urls.push(server.url("missing.dat"));
    let mut jobs = jobs(&urls);
    jobs[3].requester_pays = true;
    let estimate = wait(estimate(sources(), jobs, &options(dir.path()), USD_PER_GB)).unwrap();
    let there = files[4].1.bytes.len() as u64;
    assert_eq!((estimate.bytes, estimate.unknown), (total - there, 0));
    let paid = files[3].1.bytes.len() as u64;
    assert_eq!(
        (estimate.paid_bytes, estimate.cost_usd),
        (paid, paid as f64 * 0.09e-9)
    );
    let states: Vec<&str> = estimate.report.rows.iter().map(|row| row.status.name()).collect();
    assert_eq!(
        states,
        ["planned", "planned", "planned", "planned", "present", "failed"]
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(server.sent() <= 30, "{} bytes sent for a dry run", server.sent());
}

/// Writes down what it is told.
#[derive(Default)]
struct Listener(Mutex<(Vec<String>, u64)>);

impl Observer for Listener {
    fn planned(&self, files: usize, bytes: u64) {
        self.0.lock().unwrap().0.push(format!("planned {files} {bytes}"));
    }

    fn tell(&self, file: usize, event: Event<'_>) {
        let mut heard = self.0.lock().unwrap();
        match event {
            Event::Arrived(bytes) => heard.1 += bytes,
            Event::Started { name, from, .. } => heard.0.push(format!("{file} {name} from {from}")),
            Event::Ended { failed } => heard.0.push(format!("{file} ended {failed}")),
            _ => {}
        }
    }
}

#[test]
fn observers_hear_of_every_byte() {
    let server = Server::of_files(vec![("a.dat".into(), Stored::new(noise(300_000, 1)))]);
    let dir = tempfile::tempdir().unwrap();
    let listener = Arc::new(Listener::default());
    let mut jobs = jobs(&[server.url("a.dat"), server.url("b.dat")]);
    jobs[0].size = Some(300_000);
    let one_at_once = DownloadOptions {
        at_once: 1,
        ..options(dir.path())
    };
    wait(download(sources(), jobs, one_at_once, listener.clone())).unwrap();
    let (mut heard, bytes) = listener.0.lock().unwrap().clone();
    heard[1..].sort();
    assert_eq!(bytes, 300_000);
    assert_eq!(
        heard,
        [
            "planned 2 300000",
            "0 a.dat from 0",
            "0 ended false",
            "1 b.dat from 0",
            "1 ended true"
        ]
    );
}

#[test]
fn two_downloads_into_one_folder_do_not_mix() {
    let server = Server::start(|ask| Stored::new(noise(200_000, 1)).reply(ask).rate(100_000.0));
    let dir = tempfile::tempdir().unwrap();
    let (path, url) = (dir.path().to_path_buf(), server.url("a.dat"));
    let first = std::thread::spawn(move || fetch(&path, jobs(&[url])).unwrap().whole());
    while server.log().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let error = fetch(dir.path(), jobs(&[server.url("b.dat")]))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("another download into this folder is under way"),
        "{error}"
    );
    first.join().unwrap().unwrap();
    fetch(dir.path(), jobs(&[server.url("b.dat")]))
        .unwrap()
        .whole()
        .unwrap();
}
