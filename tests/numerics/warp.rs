//! Resampling against GDAL's own warper, run as a command on the same files.

use std::process::Command;
use std::sync::Arc;

use perilune::error::Choice;
use perilune::raster::file::open::{OpenOptions, open};
use perilune::raster::mapping::Mapping;
use perilune::raster::warp::Resampling;
use perilune::raster::{Affine, Crs, Grid, Raster, align};

use crate::common::*;

fn opened(path: &std::path::Path) -> Raster {
    open(&path.to_string_lossy(), &OpenOptions::default()).unwrap()
}

fn values(raster: &Raster) -> ndarray::Array2<f64> {
    computed(raster, raster.grid.window(), (64, 64)).swap_remove(0)
}

/// A north-up lattice at the middle of the source, in another CRS.
fn first_grid(source: &std::path::Path, srs: &str, resolution: &str) -> Affine {
    let grid = align::reprojected_grid(&opened(source).grid, &Crs::parse(srs).unwrap(), None).unwrap();
    let (x, y) = grid.pixel_centre(grid.rows as isize / 2, grid.cols as isize / 2);
    let size: f64 = resolution.parse().unwrap();
    Affine::north_up(x - 50.0 * size, y + 50.0 * size, size, size)
}

/// The share of pixels, valid in both, that differ by more than `tolerance`, and the number compared.
fn disagreement(ours: &ndarray::Array2<f64>, theirs: &ndarray::Array2<f64>, tolerance: f64) -> (f64, usize) {
    let both: Vec<(f64, f64)> = ours
        .iter()
        .zip(theirs)
        .map(|(a, b)| (*a, *b))
        .filter(|(a, b)| !a.is_nan() && !b.is_nan())
        .collect();
    let off = both.iter().filter(|(a, b)| (a - b).abs() > tolerance).count();
    (off as f64 / both.len() as f64, both.len())
}

#[test]
fn reprojection_agrees_with_gdalwarp() {
    let Some(source) = shared("dem/dem_stitcher/los_angeles_dem_geoid.tif") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // (method, tolerance in metres of height, over terrain of some 100 m): our positions are interpolated to 0.02 px,
    // gdalwarp's with -et 0 are exact.
    for (method, tolerance) in [
        ("bilinear", 0.06),
        ("cubic", 0.06),
        ("near", 0.0),
        ("average", 0.25),
    ] {
        for (srs, resolution) in [("EPSG:32611", "30"), ("EPSG:3857", "95")] {
            // gdalwarp widens its kernels by one factor for a chunk of the target; it is told ours.
            let probe = Grid::new(
                Some(Crs::parse(srs).unwrap()),
                first_grid(&source, srs, resolution),
                100,
                100,
            );
            let scale = Mapping::new(&opened(&source).grid, &Arc::new(probe.unwrap()))
                .unwrap()
                .scale();
            let factor = |axis: &str, s: f64| format!("{axis}SCALE={}", 1.0 / s.max(1.0));
            let target = folder.path().join(format!("{method}-{resolution}.tif"));
            let status = Command::new("gdalwarp")
                .args([
                    "-q", "-et", "0", "-t_srs", srs, "-tr", resolution, resolution, "-tap", "-r", method,
                ])
                .args([
                    "-dstnodata",
                    "nan",
                    "-wo",
                    &factor("X", scale.0),
                    "-wo",
                    &factor("Y", scale.1),
                ])
                .args([&source, &target])
                .status()
                .unwrap();
            assert!(status.success());
            let theirs = opened(&target);
            let ours_method = Resampling::named(if method == "near" { "nearest" } else { method }).unwrap();
            let ours = align::align(&opened(&source), &theirs.grid, ours_method).unwrap();
            let (a, b) = (values(&ours), values(&theirs));
            let (off, compared) = disagreement(&a, &b, tolerance);
            assert!(
                compared > 9_000,
                "{method} {srs}: only {compared} pixels compared"
            );
            // Nearest neighbours may differ where a centre falls on a pixel edge up to rounding.
            let allowed = if method == "near" { 0.001 } else { 0.0 };
            assert!(
                off <= allowed,
                "{method} {srs} at {resolution}: {:.3} % differ",
                off * 100.0
            );
        }
    }
}

#[test]
fn tiles_merge_into_the_published_mosaic() {
    let Some(golden) = shared("dem/dem_stitcher/los_angeles_dem_geoid.tif") else {
        return;
    };
    let golden = opened(&golden);
    let tiles: Vec<Raster> = (0..4)
        .map(|i| opened(&shared(&format!("dem/dem_stitcher/los_angeles_tile_{i}.tif")).unwrap()))
        .collect();
    let merged = perilune::raster::mosaic::mosaic(
        &tiles,
        perilune::raster::mosaic::Overlap::First,
        Some(golden.grid.clone()),
        Resampling::Bilinear,
    )
    .unwrap();
    let (off, compared) = disagreement(&values(&merged), &values(&golden), 0.01);
    assert!(compared > 120_000, "only {compared} pixels compared");
    assert!(off < 0.001, "{:.3} % of the mosaic differ", off * 100.0);
    let same: &Arc<_> = &golden.grid;
    assert!(merged.grid.matches(same));
}

#[test]
fn statistics_of_whole_pixels_are_those_of_gdalwarp() {
    let Some(source) = shared("dem/dem_stitcher/los_angeles_dem_geoid.tif") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (part, classes) = (folder.path().join("part.tif"), folder.path().join("classes.tif"));
    let translate = |arguments: &[&str], target: &std::path::Path| {
        let status = Command::new("gdal_translate")
            .args(["-q", "-srcwin", "0", "0", "360", "360"])
            .args(arguments)
            .args([&source, &target.to_path_buf()])
            .status()
            .unwrap();
        assert!(status.success());
    };
    translate(&[], &part);
    // Classes of 40 m of height.
    translate(
        &[
            "-ot",
            "Byte",
            "-a_nodata",
            "none",
            "-scale",
            "0",
            "4000",
            "0",
            "100",
        ],
        &classes,
    );
    // Of each 3 × 3 pixels one.
    for (method, name, source, allowed) in [
        ("min", "min", &part, 0.0),
        ("max", "max", &part, 0.0),
        ("med", "median", &part, 0.0),
        ("average", "average", &part, 0.0),
        // Of classes that are equally frequent either may be taken.
        ("mode", "mode", &classes, 0.02),
    ] {
        let target = folder.path().join(format!("{method}.tif"));
        let status = Command::new("gdalwarp")
            .args(["-q", "-et", "0", "-ts", "120", "120", "-r", method])
            .args([source, &target])
            .status()
            .unwrap();
        assert!(status.success());
        let theirs = opened(&target);
        let ours = align::align(&opened(source), &theirs.grid, Resampling::named(name).unwrap()).unwrap();
        let (off, compared) = disagreement(&values(&ours), &values(&theirs), 1e-4);
        assert_eq!(compared, 120 * 120, "{method}");
        assert!(off <= allowed, "{method}: {:.3} % differ", off * 100.0);
    }
}

/// Noise over bounds in a CRS.
fn over(crs: &str, bounds: [f64; 4], rows: usize, cols: usize) -> Raster {
    let grid = grid_of(crs, bounds, rows, cols);
    image(&grid, noise(3, rows, cols))
}

fn grid_of(crs: &str, [min_x, min_y, max_x, max_y]: [f64; 4], rows: usize, cols: usize) -> Arc<Grid> {
    let (dx, dy) = ((max_x - min_x) / cols as f64, (max_y - min_y) / rows as f64);
    let transform = Affine::north_up(min_x, max_y, dx, dy);
    Arc::new(Grid::new(Some(Crs::parse(crs).unwrap()), transform, rows, cols).unwrap())
}

#[test]
fn tiles_do_not_matter_at_poles_limbs_and_seams() {
    let world = over("EPSG:4326", [0.0, -90.0, 360.0, 90.0], 36, 72);
    let disc = [-5.6e6, -5.6e6, 5.6e6, 5.6e6];
    let geos = "+proj=geos +h=35786023 +lon_0=170 +sweep=x +ellps=GRS80";
    let polar = [-3e6, -3e6, 3e6, 3e6];
    let cases = [
        ("pole", world.clone(), grid_of("EPSG:3031", polar, 30, 30)),
        ("limb across 180°", world.clone(), grid_of(geos, disc, 31, 31)),
        (
            "degrees across the seam",
            world,
            grid_of("EPSG:4326", [-62.5, -40.0, 57.5, 40.0], 20, 30),
        ),
        (
            "polar to degrees",
            over("EPSG:3031", polar, 60, 60),
            grid_of("EPSG:4326", [-180.0, -90.0, 180.0, -60.0], 15, 36),
        ),
        (
            "interpolated cells",
            over("EPSG:3031", polar, 600, 600),
            grid_of("EPSG:3412", [-2e6, -2.5e6, 3e6, 2.5e6], 300, 300),
        ),
    ];
    for (name, source, target) in &cases {
        for method in [Resampling::Nearest, Resampling::Cubic, Resampling::Average] {
            let aligned = align::align(source, target, method).unwrap();
            let what = format!("{name}, {}", method.name());
            if target.rows > 100 {
                let reference = computed(&aligned, target.window(), (target.rows, target.cols));
                for tile in [(7, 300), (64, 64)] {
                    for (a, b) in computed(&aligned, target.window(), tile).iter().zip(&reference) {
                        assert_same(a, b, &format!("{what}, tile {tile:?}"));
                    }
                }
            } else {
                assert_tiling_does_not_matter(&aligned, &what);
            }
        }
    }
}
