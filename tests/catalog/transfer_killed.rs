//! Downloads that are killed, and disks that do not take them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use perilune::bytes::http::wait;
use perilune::catalog::transfer::{DownloadOptions, Silent, Status, download};

use crate::faults::{Server, Stored, noise};
use crate::transfer::{fetch, jobs, options, parts, sources, visible};

const FOLDER: &str = "PERILUNE_TEST_DOWNLOAD_INTO";
const URLS: &str = "PERILUNE_TEST_DOWNLOAD_URLS";

/// Not a test of its own: what the process runs that the next test kills.
#[test]
#[ignore = "started by the test that kills it"]
fn child() {
    let (Some(folder), Ok(urls)) = (std::env::var_os(FOLDER), std::env::var(URLS)) else {
        return;
    };
    let urls: Vec<String> = urls.split_whitespace().map(str::to_string).collect();
    let small_blocks = DownloadOptions {
        record_after: 64 << 10,
        ..options(Path::new(&folder))
    };
    wait(download(sources(), jobs(&urls), small_blocks, Arc::new(Silent)))
        .unwrap()
        .whole()
        .unwrap();
}

fn start(folder: &Path, urls: &[String]) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "transfer_killed::child", "--ignored"])
        .env(FOLDER, folder)
        .env(URLS, urls.join(" "))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_at_any_moment_it_goes_on_where_it_was() {
    const BLOCK: u64 = 64 << 10;
    let files: Vec<(String, Stored)> = (0..8)
        .map(|i| {
            (
                format!("f{i}.dat"),
                Stored::new(noise(900_000 + 77_777 * i, i as u64 + 1)),
            )
        })
        .collect();
    let total: u64 = files.iter().map(|(_, stored)| stored.bytes.len() as u64).sum();
    let held = files.clone();
    let server = Server::start(move |ask| {
        let stored = held.iter().find(|(name, _)| ask.path() == format!("/{name}"));
        stored.unwrap().1.reply(ask).rate(400_000.0)
    });
    let urls: Vec<String> = files.iter().map(|(name, _)| server.url(name)).collect();
    let dir = tempfile::tempdir().unwrap();
    let mut kills = 0_u64;
    let mut chance = noise(8192, u64::from(std::process::id())).into_iter();
    loop {
        let before = server.log().len();
        let mut child = start(dir.path(), &urls);
        while server.log().len() == before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(2 * u64::from(chance.next().unwrap())));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "after {kills} kills");
            break;
        }
        // SIGKILL: the process has no say in it.
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        for name in visible(dir.path()) {
            let stored = &files.iter().find(|(n, _)| *n == name).unwrap().1;
            assert!(
                fs::read(dir.path().join(&name)).unwrap() == *stored.bytes,
                "{name} has its name and is not whole"
            );
        }
        assert!(kills < 1000, "it does not get anywhere");
    }
    assert!(kills >= 20, "killed {kills} times only");
    for (name, stored) in &files {
        assert!(
            fs::read(dir.path().join(name)).unwrap() == *stored.bytes,
            "{name} differs"
        );
    }
    assert_eq!(parts(dir.path()), 0);
    // Four files were in flight at each kill.
    let again = server.sent().saturating_sub(total);
    let most = kills * 4 * BLOCK;
    assert!(
        again <= most,
        "{again} bytes came twice in {kills} kills, more than {most}"
    );
    eprintln!(
        "{kills} kills, {again} of {total} bytes came twice, {} a kill",
        again / kills
    );
    // No request began before the block that was recorded last: the starts of each file only rise.
    for (name, _) in &files {
        let starts: Vec<u64> = server
            .of_path(&format!("/{name}"))
            .iter()
            .map(|seen| seen.ask.range().map_or(0, |(first, _)| first))
            .collect();
        assert!(starts.is_sorted(), "{name} was begun anew: {starts:?}");
    }
}

#[test]
fn a_run_that_failed_goes_on_in_the_next() {
    let file = Stored::new(noise(3_000_000, 9));
    let held = file.clone();
    let server = Server::start(move |ask| match ask.nth {
        0 => held.reply(ask).cut(2_345_678),
        1 => crate::faults::Reply::new(404, "gone for a moment"),
        _ => held.reply(ask),
    });
    let dir = tempfile::tempdir().unwrap();
    let report = fetch(dir.path(), jobs(&[server.url("a.dat")])).unwrap();
    assert_eq!((report.count(Status::Failed), parts(dir.path())), (1, 1));
    let report = fetch(dir.path(), jobs(&[server.url("a.dat")]))
        .unwrap()
        .whole()
        .unwrap();
    assert!(fs::read(&report.rows[0].path).unwrap() == *file.bytes);
    assert_eq!(report.rows[0].received, 3_000_000 - 2_345_678);
    assert_eq!(server.sent(), 3_000_000 + "gone for a moment".len() as u64);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"x").unwrap();
    for folder in [file.clone(), file.join("below"), PathBuf::from("/proc/perilune")] {
        let error = fetch(&folder, jobs(&["http://127.0.0.1:9/a.dat".into()]))
            .unwrap_err()
            .to_string();
        assert!(error.contains(&*folder.to_string_lossy()), "{error}");
    }
}

/// A small disk of its own, where this user may mount one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(at: &Path, bytes: u64) -> Option<SmallDisk> {
        fs::create_dir_all(at).ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| SmallDisk(at.to_path_buf()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_named_and_nothing_is_lost() {
    let outside = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::new(&outside.path().join("disk"), 4 << 20) else {
        eprintln!("skipped: needs the right to mount a tmpfs");
        return;
    };
    let file = Stored::new(noise(3_500_000, 2));
    let held = file.clone();
    let server = Server::start(move |ask| {
        let mut reply = held.reply(ask);
        // Nobody knows beforehand how much comes.
        reply.unbounded = ask.range().is_none();
        reply
    });
    // Known beforehand: refused before the first byte.
    let mut known = jobs(&[server.url("a.dat"), server.url("b.dat")]);
    known.iter_mut().for_each(|job| job.size = Some(3_500_000));
    let error = fetch(&disk.0, known).unwrap_err().to_string();
    assert!(
        error.contains("7.00 MB are still to come") && error.contains("are missing"),
        "{error}"
    );
    assert!(server.log().is_empty());
    // Full in the middle: the others are not begun, and once there is room it goes on.
    let ballast = disk.0.join("ballast");
    fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let urls: Vec<String> = ["a.dat", "b.dat", "c.dat"]
        .iter()
        .map(|name| server.url(name))
        .collect();
    let one = || DownloadOptions {
        per_host: 1,
        ..options(&disk.0)
    };
    let report = wait(download(sources(), jobs(&urls), one(), Arc::new(Silent))).unwrap();
    assert_eq!((report.count(Status::Failed), server.log().len()), (3, 1));
    let error = report.whole().unwrap_err().to_string();
    assert!(
        error.contains("No space left on device") && error.contains("not begun"),
        "{error}"
    );
    assert_eq!(fs::read(&ballast).unwrap().len(), 2 << 20);
    fs::remove_file(&ballast).unwrap();
    let report = wait(download(sources(), jobs(&urls[..1]), one(), Arc::new(Silent)))
        .unwrap()
        .whole()
        .unwrap();
    assert!(fs::read(&report.rows[0].path).unwrap() == *file.bytes);
    let resumed = server.log()[1].ask.range().unwrap().0;
    assert!(resumed >= 1 << 20, "it went on at {resumed}");
}
