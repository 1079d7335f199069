//! stac-fastapi-pgstac on PostgreSQL with PostGIS, started once for all tests that use it.

use std::io::{BufRead, BufReader};
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
    let world = World::generate();
    let (address, child) = serve(&collections(), &world.items, &queryables())?;
    Some(Service {
        address,
        world,
        _child: child,
    })
}

/// A service of its own, which ends with the process that is answered: its address. `None` where it is not installed.
pub fn serve(collections: &[Value], items: &[Value], queryables: &Value) -> Option<(String, Child)> {
    let python = cache().join("stac-service/bin/python");
    if !python.exists() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let lines = |name: &str, values: &[Value]| {
        let path = folder.path().join(name);
        let text: String = values.iter().map(|v| format!("{v}\n")).collect();
        std::fs::write(&path, text).unwrap();
        path
    };
    let (c, i) = (
        lines("collections.ndjson", collections),
        lines("items.ndjson", items),
    );
    let q = folder.path().join("queryables.json");
    std::fs::write(&q, queryables.to_string()).unwrap();
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
    Some((address.to_string(), child))
}
