//! `glacier_velocity`, run as a user runs it, on a Landsat scene and the same scene with a part of it moved.

use std::path::Path;

use ndarray::Array2;
use perilune::raster::file::open::{OpenOptions, open};
use perilune::raster::file::write::{WriteOptions, write};
use perilune::raster::{Pixels, Raster, Unit, Window, memory};

use super::{folder, run};

fn opened(path: &Path) -> Raster {
    open(&path.to_string_lossy(), &OpenOptions::default()).unwrap()
}

fn band(path: &Path, name: &str) -> Array2<f64> {
    let one = opened(path).select(&[name.into()]).unwrap();
    one.read(one.grid.window()).unwrap().swap_remove(0).into_f64()
}

#[test]
fn a_moved_part_of_a_landsat_scene_is_found_and_still_ground_is_corrected() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !path.is_dir() {
        println!("skipped: needs ../shared/data");
        return;
    }
    let scene = opened(&path.join("optical/geoutils/LE71400412000304SGS00_B4.tif"));
    let pixels = scene.read(scene.grid.window()).unwrap().swap_remove(0).into_f32();
    let here = folder(&[]);
    let grid = scene.grid.subgrid(&Window::new(20, 20, 600, 600));
    let save = |name: &str, shift: &dyn Fn(usize, usize) -> (usize, usize)| {
        let part = Array2::from_shape_fn((600, 600), |(r, c)| {
            let (dr, dc) = shift(r, c);
            pixels[[20 + r + dr, 20 + c + dc]]
        });
        let bands = vec![("B4".to_string(), Pixels::F32(part), Unit::Unknown)];
        let image = memory::from_arrays(grid.clone().into(), bands).unwrap();
        write(&image, &here.path().join(name), &WriteOptions::default()).unwrap();
    };
    save("LE07_L1TP_140041_20001030_20170209_01_T1.tif", &|_, _| (0, 0));
    // The second lies 8 px too far up and 7 too far left. On the "glacier", columns 300 on, all moved 2 px down.
    save("LE07_L1TP_140041_20011017_20170209_01_T1.tif", &|_, c| {
        if c < 300 { (8, 7) } else { (6, 7) }
    });
    let (west, north) = grid.transform.apply(300.0, 0.0);
    let (east, south) = grid.transform.apply(600.0, 600.0);
    let outline = format!(
        r#"{{"type":"FeatureCollection","crs":{{"type":"name","properties":{{"name":"EPSG:32645"}}}},"features":[{{"type":"Feature","properties":{{}},"geometry":{{"type":"Polygon","coordinates":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}}}]}}"#
    );
    std::fs::write(here.path().join("glacier.geojson"), outline).unwrap();
    let done = run(
        here.path(),
        &[
            "run",
            "glacier_velocity",
            "--reference",
            "LE07_L1TP_140041_20001030_20170209_01_T1.tif",
            "--secondary",
            "LE07_L1TP_140041_20011017_20170209_01_T1.tif",
            "--reference-time",
            "2000-10-30",
            "--secondary-time",
            "2001-10-17",
            "--glaciers",
            "glacier.geojson",
            "--out",
            "out/velocity.tif",
            "--netcdf",
        ],
    );
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    let tif = here.path().join("out/velocity.tif");
    let (vx, vy) = (band(&tif, "vx"), band(&tif, "vy"));
    // 30 m pixels and 352 days.
    let pixel = 30.0 * 365.25 / 352.0;
    let mut moving = Vec::new();
    let mut still = Vec::new();
    for ((_, c), (vx, vy)) in vx.indexed_iter().map(|(at, v)| (at, (*v, vy[at]))) {
        if vx.is_nan() {
            continue;
        }
        match c {
            0..=15 => still.push((vx, vy)),
            22.. => moving.push((vx, vy)),
            _ => {}
        }
    }
    let median = |list: &[(f64, f64)], of: &dyn Fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = list.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    assert!(
        still.len() > 300 && moving.len() > 300,
        "{} {}",
        still.len(),
        moving.len()
    );
    let near = |found: f64, expected: f64, what: &str| {
        assert!(
            (found - expected).abs() < 0.1 * pixel,
            "{what}: {found}, expected {expected}"
        );
    };
    near(median(&still, &|v| v.0), 0.0, "still vx");
    near(median(&still, &|v| v.1), 0.0, "still vy");
    near(median(&moving, &|v| v.0), 0.0, "moving vx");
    near(median(&moving, &|v| v.1), -2.0 * pixel, "moving vy");
    assert!(done.out.contains("nodes have a velocity"), "{}", done.out);
    assert!(done.out.contains("still ground,"), "{}", done.out);
    let png = std::fs::read(here.path().join("out/velocity.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 20_000);
    let granules: Vec<_> = std::fs::read_dir(here.path().join("out"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|n| n.ends_with(".nc"))
        .collect();
    assert_eq!(granules.len(), 1);
    assert!(
        granules[0].contains("_X_LE07_") && granules[0].contains("_G0480V02_P"),
        "{granules:?}"
    );
}

#[test]
fn pairs_that_cannot_be_tracked_are_said() {
    let here = folder(&[]);
    let crs = perilune::raster::Crs::parse("EPSG:32645").unwrap();
    let transform = perilune::raster::Affine::north_up(0.0, 0.0, 30.0, 30.0);
    let grid = std::sync::Arc::new(perilune::raster::Grid::new(Some(crs), transform, 64, 64).unwrap());
    let image = Raster::constant(grid, 1.0);
    for name in ["a.tif", "b.tif"] {
        write(&image, &here.path().join(name), &WriteOptions::default()).unwrap();
    }
    let pair = [
        "run",
        "glacier_velocity",
        "--reference",
        "a.tif",
        "--secondary",
        "b.tif",
    ];
    let said = |more: &[&str], text: &str| {
        let done = run(here.path(), &[&pair[..], more].concat());
        assert_ne!(done.code, 0);
        assert!(done.err.contains(text), "{}\n{}", done.out, done.err);
    };
    said(&[], "reference_time is missing");
    let times = ["--reference-time", "2020-01-01", "--secondary-time", "2020-01-01"];
    said(&times, "secondary_time must be another time");
    let times = ["--reference-time", "2020-01-01", "--secondary-time", "2020-02-01"];
    said(
        &[&times[..], &["--stable", "missing.gpkg"]].concat(),
        "missing.gpkg",
    );
    // Images without any texture: no velocities, and it says so.
    let done = run(here.path(), &[&pair[..], &times[..], &["--no-figures"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("0 of 16 nodes have a velocity"), "{}", done.out);
    assert!(done.err.contains("no node has a velocity"), "{}", done.err);
    assert!(here.path().join("velocity.tif").exists());
}
