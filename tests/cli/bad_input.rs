//! Input that cannot be used: the message names it and the way out, the file that was to be replaced stays as it was,
//! and nothing else is left in the folder.

use std::path::Path;

use super::{assert_holds, folder, run};

const BEFORE: &[u8] = b"what was there before";

/// A folder with `good.tif` (3 × 5, VV, in UTM), `plain.tif` (without a CRS), `far.tif` (another grid), `void.tif` (masked
/// everywhere), broken files, and `out.tif`, which every script tries to replace.
fn prepared() -> tempfile::TempDir {
    let here = folder(&[("text.tif", "this is no image"), ("empty.tif", "")]);
    let made = run(
        here.path(),
        &[
            "--quiet",
            "-e",
            r#"
            local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 3, cols = 5 }
            local far = raster.grid { crs = "EPSG:32633", origin = { 900000, 5000000 }, resolution = 10, rows = 3, cols = 5 }
            local image = raster.random(grid, { seed = 1, unit = "power" }):rename("VV")
            image:write("good.tif")
            raster.random(raster.grid { rows = 3, cols = 5 }, { seed = 1 }):rename("VV"):write("plain.tif")
            raster.random(far, { seed = 1, unit = "power" }):rename("VV"):write("far.tif")
            image:mask(image:gt(2)):write("void.tif")
            local wide = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 600, cols = 600 }
            raster.random(wide, { seed = 1 }):write("cut.tif", { format = "COG", compress = "none" })
            "#,
        ],
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let cut = std::fs::File::options()
        .write(true)
        .open(here.path().join("cut.tif"))
        .unwrap();
    cut.set_len(700_000).unwrap();
    // Less than the header and the directory.
    let head = std::fs::read(here.path().join("good.tif")).unwrap();
    std::fs::write(here.path().join("head.tif"), &head[..100]).unwrap();
    let huge = r#"<VRTDataset rasterXSize="2000000000" rasterYSize="2000000000"><VRTRasterBand dataType="Float32" band="1"/></VRTDataset>"#;
    std::fs::write(here.path().join("huge.vrt"), huge).unwrap();
    std::fs::write(here.path().join("out.tif"), BEFORE).unwrap();
    here
}

fn listed(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
    names.retain(|n| n != "state");
    names.sort();
    names
}

#[track_caller]
fn refused(here: &Path, code: &str, parts: &[&str]) {
    let before = listed(here);
    let failed = run(here, &["--quiet", "-e", code]);
    assert_eq!(failed.code, 1, "{code}: {failed:?}");
    for part in parts {
        assert_holds(&failed.err, part);
    }
    assert!(!failed.err.contains("panicked"), "{}", failed.err);
    assert_eq!(listed(here), before, "{code}");
    assert_eq!(std::fs::read(here.join("out.tif")).unwrap(), BEFORE, "{code}");
}

#[test]
fn files_that_are_no_images() {
    let here = prepared();
    for (file, parts) in [
        (
            "missing.tif",
            &["no such file: missing.tif (looked in "] as &[&str],
        ),
        ("empty.tif", &["empty.tif: is empty (0 bytes)"]),
        (
            "text.tif",
            &["text.tif: cannot be opened as an image: not recognized as a supported file format"],
        ),
        (
            "head.tif",
            &["head.tif: is truncated: 100 bytes of the ", "; get it again"],
        ),
        ("cut.tif", &["cut.tif: cannot read rows "]),
    ] {
        refused(
            here.path(),
            &format!("(raster.open('{file}') * 2):write('out.tif')"),
            parts,
        );
    }
    refused(
        here.path(),
        "geometry.read('good.tif')",
        &["good.tif: cannot be read as a vector file"],
    );
}

#[test]
fn images_that_do_not_fit_the_question() {
    let here = prepared();
    for (expression, parts) in [
        (
            "raster.open('good.tif', { bands = 'VW' })",
            &["no band `VW`; did you mean `VV`?"] as &[&str],
        ),
        (
            "raster.open('good.tif', { bands = 2 })",
            &["no band `2`; there are: VV"],
        ),
        ("raster.open('good.tif').VH", &["no field or method `VH`", "`VV`"]),
        (
            "raster.open('plain.tif'):reproject { crs = 4326 }",
            &["the image has no CRS", "raster.grid {"],
        ),
        (
            "filter.focal_mean(raster.open('plain.tif'), { radius = 30, unit = 'm' })",
            &["needs an image with a CRS", "unit = \"px\""],
        ),
        (
            "raster.open('good.tif') - raster.open('far.tif')",
            &[
                "the grids differ",
                "x 500000..500050",
                "x 900000..900050",
                "align",
            ],
        ),
        (
            "raster.open('good.tif'):crop { row = 10, col = 0, rows = 2, cols = 2 }",
            &["window must be inside the image"],
        ),
        (
            "raster.open('good.tif'):crop { row = 0, col = 0, rows = 0, cols = 2 }",
            &["rows must be an integer of at least 1, got 0"],
        ),
        (
            "raster.open('good.tif'):clip { 0, 0, 10, 10 }",
            &["bounds must be an area that overlaps the image"],
        ),
        (
            "raster.open('good.tif') + raster.open('good.tif'):to_db()",
            &["dB", ":to_power()"],
        ),
        (
            "raster.constant(raster.grid { rows = 2, cols = 2 }, raster.open('void.tif'):percentile(50))",
            &["every pixel is masked"],
        ),
    ] {
        refused(here.path(), &format!("({expression}):write('out.tif')"), parts);
    }
}

#[test]
fn sizes_beyond_the_machine() {
    let here = prepared();
    for (code, parts) in [
        (
            "raster.open('huge.vrt'):write('out.tif', { compress = 'none' })",
            &["MiB uncompressed; the disk has ", "MiB free"] as &[&str],
        ),
        ("raster.open('huge.vrt'):read()", &["memory limit", "--memory"]),
        (
            "raster.constant(raster.grid { rows = 3000000000, cols = 2 }, 1):write('out.tif')",
            &["3000000000 × 2"],
        ),
    ] {
        refused(here.path(), code, parts);
    }
}

#[test]
fn arguments_of_the_wrong_type() {
    let here = prepared();
    for (expression, part) in [
        ("raster.open(7)", "path must be a string, got 7 (integer)"),
        (
            "raster.open('good.tif'):clamp('a')",
            "low must be a number, got \"a\" (string)",
        ),
        (
            "filter.focal_median(raster.open('good.tif'), { radius = 'big' })",
            "radius must be a number of at least 0, got \"big\" (string)",
        ),
        (
            "filter.focal_median(raster.open('good.tif'), { raduis = 3 })",
            "unknown option `raduis`; did you mean `radius`?",
        ),
        (
            "raster.open('good.tif') + {}",
            "right must be a Raster or a number, got an empty table",
        ),
    ] {
        refused(here.path(), &format!("({expression}):write('out.tif')"), &[part]);
    }
}

#[test]
fn images_without_a_valid_pixel_and_with_infinities_are_images() {
    let here = prepared();
    let code = r#"
      local void = raster.open("void.tif")
      print(void:stats().VV.count, void:stats().VV.mean, filter.focal_median(void, { radius = 2 }):stats().VV.count)
      filter.refined_lee(void):write("void2.tif")
      print(raster.open("void2.tif"):stats().VV.count)
      local odd = raster.from_table(raster.grid { rows = 1, cols = 4 }, { { 1 / 0, -1 / 0, 0 / 0, 3 } })
      odd:write("odd.tif")
      local back = raster.open("odd.tif"):stats().b1
      print(back.count, back.max)
      for _, one in ipairs { filter.focal_mean(odd, { radius = 2 }), filter.focal_mode(odd, { radius = 2 }), odd + 1 } do
        print(one:stats().b1.count)
      end
    "#;
    let done = run(here.path(), &["--quiet", "-e", code]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, "0\tnil\t0\n0\n1\t3.0\n1\n1\n1\n");
}

#[test]
fn nothing_of_gdal_or_proj_reaches_the_terminal_by_itself() {
    let here = prepared();
    for code in [
        "pcall(raster.grid, { crs = 'EPSG:99999', rows = 2, cols = 2 })",
        "pcall(geometry.bbox, 0, 0, 1, 1, 'EPSG:99999')",
        "pcall(geometry.read, 'good.tif')",
        "pcall(raster.open, 'head.tif')",
        "pcall(function() raster.open('cut.tif'):stats() end)",
        "pcall(function() geometry.point(1e9, 1e9, 'EPSG:4326'):to_crs('EPSG:32633') end)",
    ] {
        let done = run(here.path(), &["--quiet", "-e", code]);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{code}");
    }
}
