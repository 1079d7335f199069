//! autoRIFT against a recorded run of the original, the truth that its images were made with, and OpenCV's pyramid.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use ndarray::{Array2, s};
use perilune::correlation::autorift::operation::{Tracking, autorift};
use perilune::correlation::autorift::parameters::Parameters;
use perilune::correlation::autorift::pyramid::Pyramid;
use perilune::raster::file::open::{OpenOptions, open};
use perilune::raster::{Affine, Grid, Raster};
use perilune::work::Context;

use crate::common::*;

/// A member of an archive that numpy saved.
fn member(archive: &Path, name: &str) -> Array2<f32> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(archive).unwrap()).unwrap();
    let mut bytes = Vec::new();
    archive
        .by_name(&format!("{name}.npy"))
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    parse(&bytes)
}

/// An array of 4-byte floats, or of booleans, as numpy saves it.
fn parse(bytes: &[u8]) -> Array2<f32> {
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let (header, data) = bytes[10..].split_at(length);
    let header = std::str::from_utf8(header).unwrap();
    let shape: Vec<usize> = header
        .split("'shape': (")
        .nth(1)
        .unwrap()
        .split(')')
        .next()
        .unwrap()
        .split(',')
        .map(|n| n.trim().parse().unwrap())
        .collect();
    let values = if header.contains("'|b1'") {
        data.iter().map(|&v| f32::from(v)).collect()
    } else {
        assert!(header.contains("'<f4'"), "{header}");
        data.as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect()
    };
    Array2::from_shape_vec((shape[0], shape[1]), values).unwrap()
}

fn pair() -> Option<[Raster; 2]> {
    let of = |name: &str| {
        let path = shared(&format!("oracles/autorift/{name}"))?;
        Some(open(&path.to_string_lossy(), &OpenOptions::default()).unwrap())
    };
    Some([of("opt1_u8.tif")?, of("opt2_u8.tif")?])
}

/// Nodes at the corners (65 + 32 c, 65 + 32 r) of pixels, where the original has the chips of its x = 64.5.
fn recorded_nodes(image: &Grid) -> Arc<Grid> {
    let t = image.transform.moved(49.0, 49.0);
    let transform = Affine {
        dx: 32.0 * t.dx,
        dy: 32.0 * t.dy,
        ..t
    };
    Arc::new(Grid::new(image.crs.clone(), transform, 60, 60).unwrap())
}

fn band(raster: &Raster, name: &str) -> Array2<f64> {
    let one = raster.select(&[name.into()]).unwrap();
    computed(&one, raster.grid.window(), (64, 64)).swap_remove(0)
}

#[test]
fn a_recorded_run_is_reproduced() {
    let Some([reference, secondary]) = pair() else {
        return;
    };
    let archive = shared("oracles/autorift/grid32_search25_u8.npz").unwrap();
    let options = Tracking {
        grid: Some(recorded_nodes(&reference.grid)),
        ..Tracking::default()
    };
    let out = autorift(&reference, &secondary, options).unwrap();
    let recorded = |name: &str| member(&archive, name).mapv(f64::from);
    assert_eq!(band(&out, "interp_mask"), recorded("interp"));
    assert_eq!(band(&out, "chip_size_x"), recorded("chip"));
    // The record has y down, as here.
    for (name, recorded) in [("dx_px", recorded("dx")), ("dy_px", recorded("dy"))] {
        let ours = band(&out, name);
        let differing = ours.iter().zip(&recorded).filter(|(a, b)| a != b).count();
        assert!(
            differing <= 3600 / 50,
            "{differing} of 3600 nodes differ in {name}"
        );
        // One step of the refinement, of which there are 16 in a pixel.
        for (a, b) in ours.iter().zip(&recorded) {
            assert!((a - b).abs() <= 1.0 / 16.0, "{a} {b} in {name}");
        }
    }
}

#[test]
fn errors_against_the_truth_are_no_larger_than_the_originals() {
    let Some([reference, secondary]) = pair() else {
        return;
    };
    for spacing in [16, 32] {
        let options = Tracking {
            parameters: Parameters {
                spacing,
                ..Parameters::default()
            },
            ..Tracking::default()
        };
        let out = autorift(&reference, &secondary, options).unwrap();
        let (dx, dy, std) = (band(&out, "dx_px"), band(&out, "dy_px"), band(&out, "dx_std_px"));
        let (mut squares, mut stated, mut n) = ((0.0, 0.0), 0.0, 0.0);
        for ((r, c), dx) in dx.indexed_iter() {
            // Pixel centres of the middle of a chip.
            let centre = |i: usize| (i as f64 + 0.5) * spacing as f64 - 0.5;
            let (x, y) = (centre(c), centre(r));
            let turned = (x - 512.0).abs() < 300.0 && (y - 1536.0).abs() < 300.0;
            let border = !(40.0..2008.0).contains(&x) || !(40.0..2008.0).contains(&y);
            if turned || border || dx.is_nan() {
                continue;
            }
            let true_dx = 6.0 * (-((y - 1024.0) / 350.0).powi(2)).exp();
            let true_dy = 1.5 * (2.0 * std::f64::consts::PI * x / 2048.0).sin();
            squares.0 += (dx - true_dx).powi(2);
            squares.1 += (dy[[r, c]] - true_dy).powi(2);
            stated += if std[[r, c]].is_nan() {
                0.0
            } else {
                std[[r, c]].powi(2)
            };
            n += 1.0;
        }
        let (x, y, stated) = (
            (squares.0 / n).sqrt(),
            (squares.1 / n).sqrt(),
            (stated / n).sqrt(),
        );
        assert!(n > 0.85 * dx.len() as f64 - 400.0, "{n} nodes of {}", dx.len());
        assert!(
            x <= 0.033 && y <= 0.033,
            "errors {x}, {y} px at a spacing of {spacing}"
        );
        assert!(
            (0.5..1.5).contains(&(x / stated)),
            "errors {x} px, stated {stated} px"
        );
    }
}

#[test]
fn the_pyramid_is_opencvs() {
    let Some(path) = shared("oracles/autorift/pyrup_in.npy") else {
        return;
    };
    let patch = parse(&std::fs::read(path).unwrap());
    assert_eq!(patch.dim(), (5, 5));
    let array: [[f32; 5]; 5] = std::array::from_fn(|r| std::array::from_fn(|c| patch[[r, c]]));
    for factor in [16, 64] {
        let expected =
            parse(&std::fs::read(shared(&format!("oracles/autorift/pyrup_x{factor}.npy")).unwrap()).unwrap());
        let mut pyramid = Pyramid::new(factor);
        let got = Array2::from_shape_vec(expected.dim(), pyramid.surface(&array)).unwrap();
        for (got, expected) in got.iter().zip(&expected) {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
        let highest = expected.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (row, col) = pyramid.peak(&array);
        let at = |v: f32| (v * factor as f32) as usize;
        assert!(expected[[at(row), at(col)]] > highest - 1e-6);
    }
}

/// Landsat 7 near Everest: windows of one scene that lie whole pixels apart.
#[test]
fn a_known_shift_of_a_landsat_scene_is_found() {
    let Some(path) = shared("optical/geoutils/LE71400412000304SGS00_B4.tif") else {
        return;
    };
    let scene = open(&path.to_string_lossy(), &OpenOptions::default()).unwrap();
    let array = computed(&scene, scene.grid.window(), (512, 512)).swap_remove(0);
    let cut = |row: usize, col: usize| {
        let part = array.slice(s![row..row + 600, col..col + 600]).mapv(|v| v as f32);
        image(&utm_grid(600, 600), part)
    };
    // What is at (row, col) of the first is at (row − 7, col + 11) of the second.
    let (reference, secondary) = (cut(20, 40), cut(27, 29));
    let out = autorift(&reference, &secondary, Tracking::default()).unwrap();
    let (dx, dy) = (band(&out, "dx_px"), band(&out, "dy_px"));
    let found = dx.iter().filter(|v| !v.is_nan()).count();
    assert!(found > dx.len() * 9 / 10, "{found} of {}", dx.len());
    let mut squares = (0.0, 0.0);
    for (dx, dy) in dx.iter().zip(&dy).filter(|(dx, _)| !dx.is_nan()) {
        // The pyramid's smoothing draws a lopsided peak by up to a quarter of a pixel.
        assert!((dx - 11.0).abs() < 0.25 && (dy + 7.0).abs() < 0.25, "{dx} {dy}");
        squares.0 += (dx - 11.0).powi(2);
        squares.1 += (dy + 7.0).powi(2);
    }
    let rms = |squares: f64| (squares / found as f64).sqrt();
    assert!(
        rms(squares.0) < 0.05 && rms(squares.1) < 0.05,
        "{squares:?} of {found}"
    );
}

#[test]
fn scratch_files_do_not_change_the_result() {
    let Some([reference, secondary]) = pair() else {
        return;
    };
    let run = || {
        let options = Tracking {
            parameters: Parameters {
                spacing: 64,
                chip: 64,
                ..Parameters::default()
            },
            ..Tracking::default()
        };
        let out = autorift(&reference, &secondary, options).unwrap();
        (band(&out, "dx_px"), band(&out, "correlation"))
    };
    let held = run();
    // Both images fit in f32 one way and not the other.
    let small = Context::new().with_memory(128 << 20).enter();
    let scratched = run();
    drop(small);
    assert_same(&scratched.0, &held.0, "dx_px");
    assert_same(&scratched.1, &held.1, "correlation");
}
