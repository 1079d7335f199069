//! CSLC products against h5py: both layouts as h5py writes them, and what perilune writes as h5py reads it.

use std::path::Path;
use std::process::Command;

use super::workflows::shared;
use super::{assert_holds, folder, run};

/// The Python that has h5py, as Debian's package `python3-h5py` gives it to the system's own.
pub fn reference(script: &str, arguments: &[&str]) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference")
        .join(script);
    for python in ["python3", "/usr/bin/python3"] {
        let has = Command::new(python).args(["-c", "import h5py"]).output();
        if has.is_ok_and(|o| o.status.success()) {
            let done = Command::new(python)
                .arg(&script)
                .args(arguments)
                .output()
                .unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            return Some(String::from_utf8(done.stdout).unwrap());
        }
    }
    println!("skipped: needs h5py (Debian: python3-h5py; scripts/setup --test installs it)");
    None
}

#[test]
fn both_layouts_as_h5py_writes_them() {
    let here = folder(&[]);
    let path = here.path();
    if reference("cslc.py", &["write", path.to_str().unwrap()]).is_none() {
        return;
    }
    std::fs::write(
        path.join("a.lua"),
        r#"
local opera = require "opera"
for _, layout in ipairs { "released", "2022" } do
  local file = layout .. ".h5"
  local said = opera.metadata(file)
  assert(said.layout == layout and said.burst == "t064_135523_iw2" and said.date == "20220817", said.burst)
  assert(said.sensing_start == "2022-08-17T01:52:24.441193Z" and said.sensing_stop == "2022-08-17T01:52:27.541193Z")
  assert(said.pass == "ASCENDING" and said.track == 64 and said.platform == "S1A" and said.epsg == 32611)
  assert(said.shape[1] == 1508 and said.shape[2] == 24860 and said.x_spacing == 5 and said.y_spacing == -10)
  local slc = opera.open(file)
  assert(slc.dtypes.VV == "complex64" and slc.grid.bounds[1] == 400000 and slc.grid.bounds[4] == 3860000)
  assert(slc.rows == 300 and slc.cols == 500)
  local real, imaginary = slc:read({ row = 123, col = 321, rows = 2, cols = 2 }):get(1, 1)
  assert(real == 124 and imaginary == 322)
  local outline = opera.outline(slc)
  assert(math.abs(outline:bounds()[1] + 118.1) < 1e-12)
end
print "good"
"#,
    )
    .unwrap();
    let done = run(path, &["run", "a.lua"]);
    assert_eq!(done.out.trim(), "good", "{}", done.err);
}

#[test]
fn what_is_written_h5py_reads() {
    let here = folder(&[]);
    let path = here.path();
    std::fs::write(
        path.join("a.lua"),
        r#"
local raster = require "raster"
local grid = raster.grid { rows = 100, cols = 70 }
local at = raster.coordinates(grid)
raster.write_hdf5("w.h5", {
  ["/data/VV"] = raster.complex(at.x, at.y), ["/data/projection"] = 32611, ["/data/x_spacing"] = 5.5,
  ["/data/x_coordinates"] = { 1.5, 2.5 }, ["/identification/burst_id"] = "t064_135523_iw2", ["/good"] = true,
}, { chunk = { 32, 48 }, attributes = { ["/data/VV"] = { description = "noise" } } })
"#,
    )
    .unwrap();
    let done = run(path, &["run", "a.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let Some(said) = reference("cslc.py", &["read", path.join("w.h5").to_str().unwrap()]) else {
        return;
    };
    // Pixel centres are at 0.5, 1.5…: the sums are 70 columns' over 100 rows, and 100 rows' over 70 columns.
    assert_holds(
        &said,
        "data/VV complex64 (100, 70) (32, 48) (0.5+0.5j) (69.5+99.5j) sum 245000.000000+350000.000000j",
    );
    assert_holds(&said, "'description': 'noise'");
    for line in [
        "data/projection int64 () None 32611",
        "data/x_spacing float64 () None 5.5",
        "data/x_coordinates float64 (2,)",
        "identification/burst_id |S15 () None b't064_135523_iw2'",
        "good bool () None True",
    ] {
        assert_holds(&said, line);
    }
}

/// isce3's simulated target, against an analysis with numpy's FFT.
#[test]
fn a_target_of_isce3_is_measured_as_numpy_measures_it() {
    let Some(shared) = shared() else { return };
    let source = shared.join("slc/isce3_real/REE_RSLC_out17.h5");
    let here = folder(&[]);
    let copy = here.path().join("target.h5");
    let arguments = [source.to_str().unwrap(), copy.to_str().unwrap()];
    let Some(record) = reference("point_target.py", &arguments) else {
        return;
    };
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let script = r#"
local raster, correlation, json = require "raster", require "correlation", require "json"
local slc = raster.open("target.h5", { subdataset = "/slc" })
print(json.encode(correlation.point_target(slc, 60, 66)))
"#;
    std::fs::write(here.path().join("a.lua"), script).unwrap();
    let done = run(here.path(), &["run", "a.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let found: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(found["reason"], "ok");
    // numpy's samples are 1/64 pixel apart.
    for (name, tolerance) in [
        ("x", 0.01),
        ("y", 0.01),
        ("width_x", 0.002),
        ("width_y", 0.002),
        ("pslr_x_db", 0.05),
        ("pslr_y_db", 0.05),
        ("amplitude", 0.001),
    ] {
        let (a, b) = (found[name].as_f64().unwrap(), record[name].as_f64().unwrap());
        assert!((a - b).abs() < tolerance, "{name}: {a} here, {b} by numpy");
    }
    // Weighting widens the lobe of a rectangular spectrum, 0.886/B, by less than a quarter.
    let sampling = 299_792_458.0 / 2.0 / record["range_spacing"].as_f64().unwrap();
    let ideal = 0.886 * sampling / record["range_bandwidth"].as_f64().unwrap();
    let width = found["width_x"].as_f64().unwrap();
    assert!(width > 0.99 * ideal && width < 1.25 * ideal, "{width} {ideal}");
}
