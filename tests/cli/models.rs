//! Models in the process of a script: what computes them, held by the system.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Run, assert_holds, finish, folder, perilune};

/// Opens a small model, as the tests in Lua write it, and prints what computes it. `libraries`: the folder of libraries, if another one.
fn opened(libraries: Option<&str>, arguments: &[&str]) -> (tempfile::TempDir, Run) {
    let here = folder(&[]);
    let writer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua/inference/open.lua");
    let text = std::fs::read_to_string(writer).unwrap();
    let writer = text.split("\ntest(").next().unwrap();
    let script =
        format!("{writer}\nfs.write(\"m.onnx\", model())\nprint(inference.open(\"m.onnx\").device)\n");
    std::fs::write(here.path().join("m.lua"), script).unwrap();
    let mut command = perilune(here.path());
    if let Some(libraries) = libraries {
        command.env("PERILUNE_LIBRARIES", here.path().join(libraries));
        let planted = here
            .path()
            .join("planted/onnxruntime/capi/libonnxruntime.so.1.32.0");
        std::fs::create_dir_all(planted.parent().unwrap()).unwrap();
        std::fs::write(planted, "machine code of somebody else").unwrap();
    }
    command.args(arguments).args(["run", "m.lua"]);
    let run = finish(command);
    (here, run)
}

#[test]
fn onnx_runtime_opens_in_a_process_that_the_system_holds() {
    let (_here, run) = opened(None, &["--confine=require"]);
    if run.err.contains("the system does not hold") {
        return eprintln!("skipped: {}", run.err);
    }
    assert_eq!(run.code, 0, "{}", run.err);
    if run.err.contains("perilune setup onnxruntime") {
        return eprintln!("skipped: ONNX Runtime is not set up");
    }
    assert_holds(&run.out, "cpu by ONNX Runtime 1.");
    assert_eq!(run.err, "");
}

#[test]
fn without_onnx_runtime_a_note_says_how_to_get_it() {
    let (_here, run) = opened(Some("none"), &[]);
    assert_eq!((run.code, run.out.as_str()), (0, "cpu by rten\n"), "{}", run.err);
    assert_holds(&run.err, "warning: models are computed without ONNX Runtime");
    assert_holds(&run.err, "`perilune setup onnxruntime` brings it");
}

#[test]
fn a_library_that_a_script_may_have_written_is_not_opened() {
    let (_here, run) = opened(Some("planted"), &[]);
    assert_eq!(run.code, 1);
    assert_holds(
        &run.err,
        "libonnxruntime.so.1.32.0: lies in a folder that this script may write in",
    );
}

/// Some seconds of windows that overlap, of a network that each is shown to in eight positions.
const MAPPED: &str = r#"
fs.write("water.onnx", model(KNOWN, 0.1))
local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 2400, cols = 500 }
local vv = raster.random(grid, { seed = 1, distribution = "normal" }):rename "VV":set_unit "dB"
local vh = (raster.random(grid, { seed = 2, distribution = "normal" }) - 1):rename "VH":set_unit "dB"
local water = inference.open("water.onnx", { device = "cpu" })
water:apply(raster.bands(vv, vh), { tile = 64, overlap = 16, augment = "dihedral" }):write("map.tif", { resume = true })
"#;

const COLS: usize = 500;

/// The rows that a ledger says are there.
fn rows_kept(ledger: &Path) -> usize {
    let text = std::fs::read_to_string(ledger).unwrap_or_default();
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let rows = lines.filter_map(|line| line.split(' ').next()?.parse().ok());
    rows.max().unwrap_or(0)
}

#[test]
fn a_map_that_is_killed_goes_on_and_computes_no_finished_row_again() {
    let here = folder(&[]);
    let root = here.path();
    let writer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua/inference/apply.lua");
    let text = std::fs::read_to_string(writer).unwrap();
    let writer = text.split("\ntest(").next().unwrap();
    std::fs::write(root.join("map.lua"), format!("{writer}\n{MAPPED}")).unwrap();
    let mapped = || {
        let mut command = perilune(root);
        command.args(["--quiet", "run", "map.lua"]);
        command
    };
    let made = || {
        let run = finish(mapped());
        assert_eq!(run.code, 0, "{}", run.err);
        let bytes = std::fs::read(root.join("map.tif")).unwrap();
        std::fs::remove_file(root.join("map.tif")).unwrap();
        bytes
    };
    let whole = made();

    let kept = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(root.join(".perilune"))
            .into_iter()
            .flatten()
            .flatten();
        let is_ours = |path: &PathBuf| path.to_string_lossy().contains("map.tif-lattice-");
        entries.map(|entry| entry.path()).filter(is_ours).collect()
    };
    let ledger = || {
        kept()
            .into_iter()
            .find(|path| path.extension().is_some_and(|e| e == "ledger"))
    };
    let rows = || ledger().map_or(0, |ledger| rows_kept(&ledger));
    let mut child = mapped()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while rows() < 200 && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let done = rows();
    assert!((200..2400).contains(&done), "{done} rows when it was killed");
    assert!(!root.join("map.tif").exists());
    let files: Vec<(PathBuf, Vec<u8>)> = kept()
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    assert!(made() == whole, "the map is another one after a kill");

    // The same once more, with a class that no network gives in all rows that were finished: they stand as they are, and no others have it.
    for (path, bytes) in &files {
        let mut bytes = bytes.clone();
        if path.extension().is_some_and(|e| e == "0") {
            bytes[..done * COLS].fill(7);
        }
        std::fs::create_dir_all(root.join(".perilune")).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let run = finish(mapped());
    assert_eq!(run.code, 0, "{}", run.err);
    let mut command = perilune(root);
    let look = "local map = require('raster').open('map.tif'):read() local first for r = 0, 2399 do for c = 0, 499, 7 do \
                local is = map:get(r, c) == 7 if not is and not first then first = r end assert(not (is and first), r) end end print(first)";
    command.args(["--quiet", "-e", look]);
    let run = finish(command);
    assert_eq!(
        (run.code, run.out.trim()),
        (0, done.to_string().as_str()),
        "{}",
        run.err
    );
}
