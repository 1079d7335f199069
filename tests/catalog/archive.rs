//! ZIP archives: good ones come out as Python's zipfile takes them out, hostile ones leave nothing behind.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use perilune::bytes::credentials::Vault;
use perilune::bytes::http::Http;
use perilune::catalog::archive::{Limits, UnzipOptions, members, remote_members, remote_unzip, unzip};
use url::Url;

use crate::faults::{Reply, Server, Stored, noise};
use crate::transfer::{settings, visible};

/// An entry of an archive made by hand, as the specification lays it out (APPNOTE 6.3.10, sections 4.3.7 and 4.3.12).
struct Entry {
    name: String,
    /// As it lies in the archive.
    data: Vec<u8>,
    crc: u32,
    /// 0 stored, 8 deflated.
    method: u16,
    size: u32,
    mode: u32,
    flags: u16,
}

fn stored(name: &str, data: &[u8]) -> Entry {
    Entry {
        name: name.into(),
        crc: crc32(data),
        size: data.len() as u32,
        data: data.to_vec(),
        method: 0,
        mode: 0o100_644,
        flags: 0x800,
    }
}

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

fn archive(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = out.len() as u32;
        let mut common = Vec::new();
        for word in [20, entry.flags, entry.method, 0, 0x21] {
            common.extend(u16::to_le_bytes(word));
        }
        for word in [entry.crc, entry.data.len() as u32, entry.size] {
            common.extend(word.to_le_bytes());
        }
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(entry.name.as_bytes());
        out.extend(&entry.data);
        directory.extend(b"PK\x01\x02");
        directory.extend((3_u16 << 8 | 20).to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        out.extend((entries.len() as u16).to_le_bytes());
    }
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// The error of unpacking these bytes; nothing may be left, inside or outside of the folder.
fn refused(bytes: &[u8]) -> String {
    refused_with(bytes, Limits::default())
}

fn refused_with(bytes: &[u8], limits: Limits) -> String {
    let dir = tempfile::tempdir().unwrap();
    let zip = dir.path().join("a.zip");
    fs::write(&zip, bytes).unwrap();
    let into = dir.path().join("deep/into");
    let options = UnzipOptions {
        limits,
        delete: true,
        ..UnzipOptions::new(&into)
    };
    let error = unzip(&zip, &options).unwrap_err().to_string();
    assert!(error.contains("a.zip"), "{error}");
    assert!(zip.exists(), "the archive is gone");
    assert!(
        !into.exists() || fs::read_dir(&into).unwrap().count() == 0,
        "something was left: {error}"
    );
    assert!(visible(dir.path()).iter().all(|name| name == "a.zip"));
    error
}

/// An archive of a few folders by Python's zipfile, deflated; `None` where there is no Python.
fn by_python(dir: &Path, big: usize) -> Option<Vec<(String, Vec<u8>)>> {
    let files = vec![
        ("AP_1/AP_1.HH.tif".to_string(), noise(big, 1)),
        ("AP_1/AP_1.HV.tif".to_string(), vec![7; 300_000]),
        ("AP_1/meta/ünïcode.xml".to_string(), b"<a/>".to_vec()),
        ("empty.txt".to_string(), Vec::new()),
    ];
    for (name, bytes) in &files {
        let path = dir.join("source").join(name);
        fs::create_dir_all(path.parent()?).ok()?;
        fs::write(path, bytes).ok()?;
    }
    let run = Command::new("python3")
        .args(["-m", "zipfile", "-c", "../good.zip", "AP_1", "empty.txt"])
        .current_dir(dir.join("source"))
        .status();
    run.is_ok_and(|status| status.success()).then_some(files)
}

#[test]
fn good_archives_come_out_whole() {
    let dir = tempfile::tempdir().unwrap();
    let Some(files) = by_python(dir.path(), 500_000) else {
        eprintln!("skipped: needs python3");
        return;
    };
    let zip = dir.path().join("good.zip");
    let into = dir.path().join("out");
    let listed: Vec<(String, u64)> = members(&zip)
        .unwrap()
        .into_iter()
        .filter(|m| !m.folder)
        .map(|m| (m.name, m.bytes))
        .collect();
    let mut expected: Vec<(String, u64)> = files
        .iter()
        .map(|(name, bytes)| (name.clone(), bytes.len() as u64))
        .collect();
    let mut sorted = listed.clone();
    sorted.sort();
    expected.sort();
    assert_eq!(sorted, expected);
    let out = unzip(&zip, &UnzipOptions::new(&into)).unwrap();
    assert_eq!(out.len(), files.len());
    for (name, bytes) in &files {
        assert!(fs::read(into.join(name)).unwrap() == *bytes, "{name}");
    }
    assert_eq!(
        fs::read_dir(&into).unwrap().count(),
        2,
        "hidden folders were left"
    );
    // Again: all is there. A file that differs is not replaced unasked.
    assert!(
        unzip(&zip, &UnzipOptions::new(&into))
            .unwrap()
            .iter()
            .all(|member| member.present)
    );
    fs::write(into.join("AP_1/AP_1.HV.tif"), vec![8; 300_000]).unwrap();
    let error = unzip(&zip, &UnzipOptions::new(&into)).unwrap_err().to_string();
    assert!(
        error.contains("AP_1.HV.tif") && error.contains("overwrite = true"),
        "{error}"
    );
    let over = UnzipOptions {
        overwrite: true,
        delete: true,
        ..UnzipOptions::new(&into)
    };
    unzip(&zip, &over).unwrap();
    assert_eq!(fs::read(into.join("AP_1/AP_1.HV.tif")).unwrap(), vec![7; 300_000]);
    assert!(!zip.exists());
}

#[test]
fn members_are_chosen_by_pattern() {
    let dir = tempfile::tempdir().unwrap();
    let zip = dir.path().join("a.zip");
    fs::write(
        &zip,
        archive(&[
            stored("s/a_HH.tif", b"hh"),
            stored("s/a_HV.tif", b"hv"),
            stored("s/b.xml", b"x"),
        ]),
    )
    .unwrap();
    let into = dir.path().join("out");
    let options = UnzipOptions {
        members: vec!["*.tif".into()],
        ..UnzipOptions::new(&into)
    };
    unzip(&zip, &options).unwrap();
    assert_eq!(visible(&into), ["s/a_HH.tif", "s/a_HV.tif"]);
    let options = UnzipOptions {
        members: vec!["s/a_HX.tif".into()],
        ..UnzipOptions::new(&into)
    };
    let error = unzip(&zip, &options).unwrap_err().to_string();
    assert!(
        error.contains("no member") && error.contains("did you mean `s/a_H"),
        "{error}"
    );
}

#[test]
fn names_that_lead_out_are_refused() {
    for name in [
        "../evil",
        "a/../../evil",
        "/tmp/evil-of-perilune",
        "a/..",
        "..\\evil",
        "C:/evil",
        ".perilune/downloads.jsonl",
        "a\nb",
    ] {
        let error = refused(&archive(&[stored("good.txt", b"good"), stored(name, b"evil")]));
        assert!(
            error.contains("would leave the folder") && error.contains("nothing was unpacked"),
            "{name}: {error}"
        );
    }
    assert!(!Path::new("/tmp/evil-of-perilune").exists());
}

#[test]
fn links_and_devices_are_refused() {
    for mode in [0o120_777, 0o020_666, 0o010_644, 0o140_755] {
        let mut link = stored("link", b"/etc");
        link.mode = mode;
        let error = refused(&archive(&[link, stored("link/passwd", b"root")]));
        assert!(error.contains("link or a device"), "{error}");
    }
    // A link that is there already does not lead out either.
    let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let zip = dir.path().join("a.zip");
    fs::write(&zip, archive(&[stored("scene/x", b"x")])).unwrap();
    let into = dir.path().join("into");
    fs::create_dir(&into).unwrap();
    std::os::unix::fs::symlink(outside.path(), into.join("scene")).unwrap();
    let error = unzip(&zip, &UnzipOptions::new(&into)).unwrap_err().to_string();
    assert!(error.contains("through links"), "{error}");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn names_that_come_twice_are_refused() {
    let error = refused(&archive(&[stored("a", b"1"), stored("a", b"2")]));
    assert!(error.contains("two members of one name"), "{error}");
    let error = refused(&archive(&[stored("d/a", b"1"), stored("d/./a", b"2")]));
    assert!(error.contains("two members would be the file"), "{error}");
    let error = refused(&archive(&[stored("d", b"1"), stored("d/a", b"2")]));
    assert!(error.contains("a file and a folder"), "{error}");
}

#[test]
fn bombs_are_refused() {
    // Declared: a small archive that says it holds much, and one of more members than anybody sends.
    let mut big = stored("big", b"x");
    (big.size, big.method) = (u32::MAX, 8);
    let error = refused(&archive(&[big]));
    assert!(
        error.contains("4.29 GB") && error.contains("times its size"),
        "{error}"
    );
    let entries: Vec<Entry> = (0..50).map(|i| stored(&format!("{i}"), b"")).collect();
    let error = refused_with(
        &archive(&entries),
        Limits {
            members: 49,
            ..Limits::default()
        },
    );
    assert!(error.contains("50 members"), "{error}");
    let error = refused_with(
        &archive(&[stored("a", &[0; 100])]),
        Limits {
            bytes: 99,
            ..Limits::default()
        },
    );
    assert!(
        error.contains("100 bytes, more than the limit of 99 bytes"),
        "{error}"
    );
    // Undeclared: it unpacks to more than it says.
    let mut packed = flate(&vec![0; 5_000_000]);
    packed.size = 1000;
    let error = refused(&archive(&[packed]));
    assert!(error.contains("`bomb`"), "{error}");
}

/// A deflated entry, by the zip library's own writer.
fn flate(data: &[u8]) -> Entry {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    writer.start_file("bomb", deflated).unwrap();
    writer.write_all(data).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let mut reader = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
    let (start, length) = {
        let file = reader.by_index(0).unwrap();
        (
            file.data_start().unwrap() as usize,
            file.compressed_size() as usize,
        )
    };
    Entry {
        data: bytes[start..start + length].to_vec(),
        method: 8,
        size: data.len() as u32,
        crc: crc32(data),
        ..stored("bomb", b"")
    }
}

#[test]
fn damage_is_seen() {
    let mut wrong = stored("a.tif", &noise(100_000, 1));
    wrong.crc ^= 1;
    let error = refused(&archive(&[stored("first", b"fine"), wrong]));
    assert!(error.contains("`a.tif`") && error.contains("damaged"), "{error}");
    let whole = archive(&[stored("a.tif", &noise(100_000, 1))]);
    for cut in [whole.len() - 1, whole.len() - 30, 50_000, 10, 0] {
        let error = refused(&whole[..cut]);
        assert!(
            error.contains("fetch it again") || error.contains("not whole"),
            "{cut}: {error}"
        );
    }
    let mut locked = stored("a", b"secret");
    locked.flags |= 1;
    assert!(refused(&archive(&[locked])).contains("encrypted"));
    assert!(refused(b"<html>please log in</html>").contains("ZIP"));
}

fn http() -> Http {
    Http::new(settings(), Arc::new(Vault::empty())).unwrap()
}

#[test]
fn one_member_of_a_remote_archive_is_fetched_alone() {
    let dir = tempfile::tempdir().unwrap();
    let Some(files) = by_python(dir.path(), 6_000_000) else {
        eprintln!("skipped: needs python3");
        return;
    };
    let bytes = fs::read(dir.path().join("good.zip")).unwrap();
    let length = bytes.len() as u64;
    let server = Server::of_files(vec![("good.zip".into(), Stored::new(bytes))]);
    let url = Url::parse(&server.url("good.zip?token=s3cret")).unwrap();
    let listed = remote_members(&http(), &url).unwrap();
    assert_eq!(listed, members(&dir.path().join("good.zip")).unwrap());
    assert!(server.sent() <= 64 << 10, "{} bytes for a list", server.sent());
    let into = dir.path().join("out");
    let options = UnzipOptions {
        members: vec!["*HV.tif".into()],
        ..UnzipOptions::new(&into)
    };
    remote_unzip(&http(), &url, &options).unwrap();
    assert_eq!(fs::read(into.join("AP_1/AP_1.HV.tif")).unwrap(), files[1].1);
    assert!(
        server.sent() < 300_000 && server.sent() < length / 10,
        "{} of {length} bytes",
        server.sent()
    );
    // The large one: all of it, and hardly more.
    let before = server.sent();
    let options = UnzipOptions {
        members: vec!["*HH.tif".into()],
        ..UnzipOptions::new(&into)
    };
    remote_unzip(&http(), &url, &options).unwrap();
    assert!(fs::read(into.join("AP_1/AP_1.HH.tif")).unwrap() == files[0].1);
    assert!(
        server.sent() - before < 6_300_000,
        "{} bytes for 6000000",
        server.sent() - before
    );
}

#[test]
fn remote_archives_that_change_or_have_no_parts_are_named() {
    let zip = archive(&[stored("a", &noise(200_000, 1)), stored("b", b"b")]);
    let large = archive(&[stored("a", &noise(17 << 20, 1))]);
    let server = Server::start(move |_| Reply::new(200, large.clone()));
    let url = Url::parse(&server.url("a.zip")).unwrap();
    let error = remote_members(&http(), &url).unwrap_err().to_string();
    assert!(error.contains("download all of it first"), "{error}");
    let server = Server::start(move |ask| {
        let mut file = Stored::new(zip.clone());
        if ask.nth > 0 {
            file.etag = Some("\"another\"".into());
        }
        file.reply(ask)
    });
    let dir = tempfile::tempdir().unwrap();
    let url = Url::parse(&server.url("a.zip")).unwrap();
    let error = remote_unzip(&http(), &url, &UnzipOptions::new(dir.path()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("changed"), "{error}");
    assert!(visible(dir.path()).is_empty());
}
