//! Scripts and bundles from addresses.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use perilune::share::provenance::sha256;

use super::assert_holds;
use super::bundle::{at, done, handed_on, ran};
use super::pty::Terminal;
use super::servers::{Answer, Server};

/// Serves these files.
fn server(files: &[(&str, Vec<u8>)]) -> Server {
    let files: BTreeMap<String, Vec<u8>> = files
        .iter()
        .map(|(name, bytes)| ((*name).to_string(), bytes.clone()))
        .collect();
    Server::start(move |asked| match files.get(asked.path()) {
        Some(bytes) => Answer::new(200, "text/plain", bytes.clone()),
        None => Answer::new(404, "text/plain", "nothing here"),
    })
}

fn bundle_of(here: &Path) -> Vec<u8> {
    fs::read(here.join("author/water.bundle.lua")).unwrap()
}

#[test]
fn a_bundle_at_an_address_is_one_of_others() {
    let here = handed_on(&[]);
    let here = here.path();
    let bytes = bundle_of(here);
    let hash = sha256(&bytes);
    let changed = String::from_utf8(bytes.clone())
        .unwrap()
        .replace("factor = 3", "factor = 4");
    let server = server(&[("/water.lua", bytes), ("/other.lua", changed.into())]);
    let (url, other) = (server.url("/water.lua"), server.url("/other.lua"));
    let exact = format!("{url}#sha256={hash}");

    // Its hash is told, and nothing of it runs without a word of its user's.
    let refused = ran(here, "colleague", &["run", &url]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert_holds(&refused.err, &format!("fetched {url}: sha256 {hash}"));
    assert_holds(&refused.err, "there is no terminal to ask you at");
    assert!(!here.join("colleague/out").exists());
    let told = done(here, "colleague", &["inspect", &exact]);
    assert_holds(&told, "bundle       of water.lua");
    assert!(!told.contains("own folder"), "{told}");
    // With its hash it comes out of the store.
    let heard = server.requests().len();
    assert_eq!(
        done(here, "colleague", &["--allow-all", "run", &exact]),
        "factor\t3\n"
    );
    assert_eq!(server.requests().len(), heard);
    assert!(
        fs::read(here.join("author/out/bright.tif")).unwrap()
            == fs::read(here.join("colleague/out/bright.tif")).unwrap(),
        "a bundle from an address makes other bytes"
    );
    fs::remove_dir_all(here.join("colleague/out")).unwrap();
    let told = done(here, "colleague", &["--allow-all", "verify", &url]);
    assert_holds(&told, "2 of 2 results are the same");
    done(here, "elsewhere", &["unpack", &url, "unpacked"]);
    assert!(here.join("elsewhere/unpacked/tools/edges.lua").is_file());
    let told = ran(here, "elsewhere", &["diff", &url, &other]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_holds(&told.out, "factor: 3 → 4");

    // Another content than was named, nothing at all, and what is no hash.
    for (address, said) in [
        (format!("{other}#sha256={hash}x"), "64 hexadecimal digits"),
        (
            format!("{}#sha256={}", other, "0".repeat(64)),
            "has another hash than it must have",
        ),
        (server.url("/nowhere.lua"), "404"),
        (
            "http://192.0.2.1/x.lua".to_string(),
            "is not protected on its way",
        ),
    ] {
        let refused = ran(here, "elsewhere", &["run", &address]);
        assert_eq!(refused.code, 2, "{address}: {refused:?}");
        assert_holds(&refused.err, said);
    }
    let refused = ran(here, "elsewhere", &["bundle", &url]);
    assert_holds(&refused.err, "keep it in a file of your own");
}

#[test]
fn a_plain_script_at_an_address_asks_first() {
    let here = handed_on(&[]);
    let here = here.path();
    let script = "-- Writes.\nneeds { write = { 'made' } }\nrequire('fs').mkdir 'made'\nrequire('fs').write('made/a.txt', 'x')\nprint 'ran'\n";
    let beside = "return 1";
    let server = server(&[
        ("/a.lua", script.into()),
        ("/b.lua", "require 'c'".into()),
        ("/c.lua", beside.into()),
        ("/long.lua", vec![b' '; (16 << 20) + 1]),
    ]);
    let mut command = at(here, "elsewhere");
    command.args(["run", &server.url("/a.lua")]);
    let mut terminal = Terminal::of(command);
    terminal.expect("is a script of others. Nothing of it has run yet.");
    terminal.expect("Let it?");
    assert!(!here.join("elsewhere/made").exists());
    terminal.send("once\r");
    terminal.expect("ran\r\n");
    assert_eq!(terminal.ended(), 0);
    assert!(here.join("elsewhere/made/a.txt").is_file());
    // Modules do not come along.
    let refused = ran(here, "elsewhere", &["run", &server.url("/b.lua")]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_holds(&refused.err, "no module `c` came with this script");
    let refused = ran(here, "elsewhere", &["run", &server.url("/long.lua")]);
    assert_holds(&refused.err, "is longer than a script or a bundle");
    let refused = ran(here, "elsewhere", &["verify", &server.url("/a.lua")]);
    assert_holds(&refused.err, "is no bundle");
}

#[test]
fn signatures_are_fetched_beside() {
    if std::process::Command::new("ssh-keygen")
        .arg("-?")
        .output()
        .is_err()
    {
        println!("skipped: needs ssh-keygen");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("id");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    let here = handed_on(&["--sign", &key.display().to_string()]);
    let here = here.path();
    let signature = fs::read(here.join("author/water.bundle.lua.sig")).unwrap();
    let bytes = bundle_of(here);
    let mut other = bytes.clone();
    other.extend_from_slice(b"-- more\n");
    let server = server(&[
        ("/water.lua", bytes),
        ("/water.lua.sig", signature.clone()),
        ("/other.lua", other),
        ("/other.lua.sig", signature),
    ]);
    let told = done(here, "colleague", &["inspect", &server.url("/water.lua")]);
    assert_holds(&told, "signed by    yourself");
    // Her own.
    assert_eq!(
        done(here, "colleague", &["run", &server.url("/water.lua")]),
        "factor\t3\n"
    );
    let refused = ran(here, "colleague", &["run", &server.url("/other.lua")]);
    assert_ne!(refused.code, 0, "{refused:?}");
    // To another it is one of somebody whom she does not know.
    fs::remove_dir_all(here.join("home/.config")).unwrap();
    let refused = ran(here, "colleague", &["run", &server.url("/water.lua")]);
    assert_holds(&refused.err, "is signed by a key that you do not know");
}
