//! stac-fastapi-pgstac on PostgreSQL with PostGIS, started once for all tests that use it.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use super::world::{World, collections, queryables};

pub struct Service {
    pub address: String,
    pub world: World,
    /// The service ends when this process does, since it then reads the end of its input.
    _child: Child,
}

/// The service with the generated items in it; `None`, with a word, where it is not installed.
pub fn service() -> Option<&'static Service> {
    static SERVICE: LazyLock<Option<Service>> = LazyLock::new(start);
    if SERVICE.is_none() {
        println!("skipped: needs scripts/setup --test");
    }
    SERVICE.as_ref()
}

fn cache() -> PathBuf {
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let under_home = || home("HOME").unwrap_or_default().join(".cache");
    home("PERILUNE_CACHE")
        .unwrap_or_else(|| home("XDG_CACHE_HOME").unwrap_or_else(under_home).join("perilune"))
}

fn start() -> Option<Service> {
    let python = cache().join("stac-service/bin/python");
    if !python.exists() {
        return None;
    }
    let world = World::generate();
    let folder = tempfile::tempdir().unwrap();
    let lines = |values: &[Value]| values.iter().map(|v| format!("{v}\n")).collect::<String>();
    let (c, i) = (
        folder.path().join("collections.ndjson"),
        folder.path().join("items.ndjson"),
    );
    std::fs::File::create(&c)
        .unwrap()
        .write_all(lines(&collections()).as_bytes())
        .unwrap();
    std::fs::File::create(&i)
        .unwrap()
        .write_all(lines(&world.items).as_bytes())
        .unwrap();
    let q = folder.path().join("queryables.json");
    std::fs::write(&q, queryables().to_string()).unwrap();
    let root = std::env::var_os("PERILUNE_TEST_ROOT").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let mut child = Command::new(python)
        .arg(PathBuf::from(root).join("scripts/stac_service/serve.py"))
        .args([c, i, q])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    if line.trim() == "no server" {
        let _ = child.wait();
        return None;
    }
    let address = line
        .strip_prefix("ready ")
        .expect("the service says that it is ready")
        .trim();
    Some(Service {
        address: address.to_string(),
        world,
        _child: child,
    })
}
