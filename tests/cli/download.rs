//! Downloads as scripts make them.

use super::{assert_holds, finish, folder, perilune, run};
use crate::faults::{Reply, Server, Stored, noise};

fn tiff(length: usize) -> Vec<u8> {
    let mut bytes = noise(length, 3);
    bytes[..8].copy_from_slice(b"II*\0\x08\0\0\0");
    bytes
}

#[test]
fn a_script_downloads_and_goes_on_where_it_was() {
    let folder = folder(&[]);
    let held = tiff(900_000);
    let server = Server::start(move |ask| match (ask.path(), ask.nth) {
        ("/scene.tif", 0) => Stored::new(held.clone()).reply(ask).cut(500_000),
        ("/scene.tif", 1) => Reply::new(404, "gone for a moment"),
        ("/scene.tif", _) => Stored::new(held.clone()).reply(ask),
        _ => Reply::page("Earthdata Login"),
    });
    let script = format!(
        r#"local catalog = require "catalog"
local report, totals = catalog.download({{
  {{ url = "{}", name = "s1/scene.tif", size = 900000 }}, "{}",
}}, {{ dir = "data", on_error = "report" }})
for i = 1, #report do
  local row = report[i]
  print(row.name, row.status, row.verified, row.how, row.error)
end
print(totals.received, totals.failed)
local ok, message = pcall(catalog.download, "{}", {{ dir = "data" }})
print(message)
"#,
        server.url("scene.tif"),
        server.url("other.tif?token=hush"),
        server.url("other.tif")
    );
    std::fs::write(folder.path().join("get.lua"), script).unwrap();
    let first = run(folder.path(), &["run", "get.lua"]);
    assert_eq!(first.code, 0, "{first:?}");
    for part in [
        "s1/scene.tif\tfailed",
        "404",
        "500000\t2",
        "Earthdata Login",
        "in place of TIFF",
        "1 of 1 files could not be fetched",
    ] {
        assert_holds(&first.out, part);
    }
    assert!(
        !first.out.contains("hush") && !first.err.contains("hush"),
        "{first:?}"
    );
    let second = run(folder.path(), &["run", "get.lua"]);
    assert_holds(
        &second.out,
        "s1/scene.tif\tfetched\tfalse\tsize and format (TIFF)",
    );
    assert_holds(&second.out, "400000\t1");
    assert!(std::fs::read(folder.path().join("data/s1/scene.tif")).unwrap() == tiff(900_000));
    let third = run(folder.path(), &["run", "get.lua"]);
    assert_holds(&third.out, "s1/scene.tif\tpresent");
    assert_eq!(server.of_path("/scene.tif").len(), 3);
}

#[test]
fn an_interrupted_download_is_quick_to_stop_and_goes_on() {
    let folder = folder(&[]);
    let held = tiff(8_000_000);
    let server = Server::start(move |ask| match ask.nth {
        0 => Stored::new(held.clone()).reply(ask).rate(2_000_000.0),
        _ => Stored::new(held.clone()).reply(ask),
    });
    let code = format!(
        r#"require "catalog".download("{}", {{ dir = "data" }})"#,
        server.url("scene.tif")
    );
    let mut command = perilune(folder.path());
    let mut child = command
        .args(["-e", &code])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(3600));
    let sent = std::time::Instant::now();
    std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    child.wait().unwrap();
    assert!(
        sent.elapsed() < std::time::Duration::from_secs(2),
        "{:?}",
        sent.elapsed()
    );
    assert!(!folder.path().join("data/scene.tif").exists());
    let mut command = perilune(folder.path());
    command.args(["-e", &code]);
    let second = finish(command);
    assert_eq!(second.code, 0, "{second:?}");
    assert!(std::fs::read(folder.path().join("data/scene.tif")).unwrap() == tiff(8_000_000));
    // Records are made every three seconds at least, however slowly bytes come.
    let resumed = server.of_path("/scene.tif")[1]
        .ask
        .range()
        .map_or(0, |(first, _)| first);
    assert!(resumed >= 4_000_000, "it went on at {resumed}");
}
