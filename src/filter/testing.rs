//! What the filters' tests share: simulated speckle, slow windows, and the checks that every tile kernel must pass.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, s};

use crate::raster::{Affine, Grid, Pixels, Raster, Unit, memory};

/// A small image in power.
pub fn power_image() -> Raster {
    let grid = Grid::new(None, Affine::north_up(0.0, 0.0, 10.0, 10.0), 12, 12).expect("a sound grid");
    let pixels = Pixels::F32(speckle(12, 12, 1, 1));
    memory::from_arrays(Arc::new(grid), vec![("VV".into(), pixels, Unit::Power)])
        .expect("pixels of the grid's size")
}

/// Uniform numbers in 0..1, both ends excluded.
pub fn uniforms(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }
}

/// Speckle of whole `looks` and mean 1.
pub fn speckle(rows: usize, cols: usize, looks: usize, seed: u64) -> Array2<f32> {
    let mut uniform = uniforms(seed);
    Array2::from_shape_simple_fn((rows, cols), || {
        let sum: f64 = (0..looks).map(|_| -uniform().ln()).sum();
        (sum / looks as f64) as f32
    })
}

/// Speckle over fields of different backscatter, a bright target, and zeros.
pub fn scene(rows: usize, cols: usize, looks: usize, seed: u64) -> Array2<f32> {
    let mut image = speckle(rows, cols, looks, seed);
    for ((r, c), v) in image.indexed_iter_mut() {
        let field = if (r / 9 + c / 11) % 2 == 0 { 0.03 } else { 0.2 };
        let target = if r.abs_diff(14) <= 1 && c.abs_diff(20) <= 2 {
            40.0
        } else {
            1.0
        };
        *v *= field * target;
        if r % 23 == 7 && c % 19 == 5 {
            *v = 0.0;
        }
    }
    image
}

/// With masked pixels: scattered ones, a block, and a slanted border as of a footprint.
pub fn with_holes(mut image: Array2<f32>) -> Array2<f32> {
    for ((r, c), v) in image.indexed_iter_mut() {
        let scattered = (r * 31 + c * 17) % 37 == 3;
        let block = (20..26).contains(&r) && (8..15).contains(&c);
        if scattered || block || 3 * c + r < 12 {
            *v = f32::NAN;
        }
    }
    image
}

pub fn padded(image: ArrayView2<'_, f32>, halo: usize) -> Array2<f32> {
    let (rows, cols) = image.dim();
    let mut out = Array2::from_elem((rows + 2 * halo, cols + 2 * halo), f32::NAN);
    out.slice_mut(s![halo..halo + rows, halo..halo + cols])
        .assign(&image);
    out
}

/// The valid pixels of the `size` × `size` window around (row, col), with their offsets from it.
pub fn window(image: &Array2<f32>, row: usize, col: usize, size: usize) -> Vec<(isize, isize, f64)> {
    let half = (size / 2) as isize;
    let mut out = Vec::new();
    for dy in -half..=half {
        for dx in -half..=half {
            let (r, c) = (row as isize + dy, col as isize + dx);
            if let Some(&v) = image.get((r as usize, c as usize)).filter(|v| v.is_finite()) {
                out.push((dy, dx, f64::from(v)));
            }
        }
    }
    out
}

pub fn mean_and_variance(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    (mean, values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / n)
}

/// Shapes that every kernel is tried on, down to one pixel.
pub const SHAPES: [(usize, usize); 6] = [(1, 1), (1, 19), (21, 1), (4, 3), (17, 16), (48, 61)];

/// The kernel on an image, complete and with holes, of every shape, equals `slow` to a relative tolerance, with the same mask.
pub fn check_against(
    halo: usize,
    kernel: impl Fn(ArrayView2<'_, f32>) -> Array2<f32>,
    slow: impl Fn(&Array2<f32>, usize, usize) -> f64,
    tolerance: f64,
) {
    for (rows, cols) in SHAPES {
        let complete = scene(rows, cols, 2, 11);
        for image in [complete.clone(), with_holes(complete)] {
            let out = kernel(padded(image.view(), halo).view());
            assert_eq!(out.dim(), image.dim());
            for ((r, c), &got) in out.indexed_iter() {
                let want = if image[(r, c)].is_nan() {
                    f64::NAN
                } else {
                    slow(&image, r, c)
                };
                let off = (f64::from(got) - want).abs();
                assert!(
                    got.is_nan() && want.is_nan() || off <= tolerance * want.abs(),
                    "{rows} × {cols} at ({r}, {c}): {got}, not {want}"
                );
            }
        }
    }
}

/// The kernel gives the same bits in tiles of any size as on the whole image.
pub fn check_tiles(halo: usize, kernel: impl Fn(ArrayView2<'_, f32>) -> Array2<f32>) {
    for image in [scene(37, 50, 3, 5), with_holes(scene(37, 50, 3, 5))] {
        let (rows, cols) = image.dim();
        let padded = padded(image.view(), halo);
        let whole = kernel(padded.view());
        for (tile_rows, tile_cols) in [(1, 1), (7, 5), (16, 32), (37, 8), (20, 50)] {
            for r in (0..rows).step_by(tile_rows) {
                for c in (0..cols).step_by(tile_cols) {
                    let (r1, c1) = ((r + tile_rows).min(rows), (c + tile_cols).min(cols));
                    let tile = kernel(padded.slice(s![r..r1 + 2 * halo, c..c1 + 2 * halo]));
                    let want = whole.slice(s![r..r1, c..c1]);
                    let same = tile
                        .iter()
                        .zip(&want)
                        .all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan());
                    assert!(same, "tile of {tile_rows} × {tile_cols} at ({r}, {c}) differs");
                }
            }
        }
    }
}

/// On homogeneous speckle the kernel keeps the mean within `bias` (relative) and raises the equivalent number of looks,
/// mean² / variance, at least `gain` times.
pub fn check_speckle(
    halo: usize,
    looks: usize,
    bias: f64,
    gain: f64,
    kernel: impl Fn(ArrayView2<'_, f32>) -> Array2<f32>,
) {
    let image = speckle(200 + 2 * halo, 200 + 2 * halo, looks, 77);
    let out = kernel(image.view());
    let (mean, variance) = mean_and_variance(out.iter().filter(|v| !v.is_nan()).map(|&v| f64::from(v)));
    assert!((mean - 1.0).abs() < bias, "mean {mean}");
    let raised = mean * mean / variance / looks as f64;
    assert!(raised > gain, "the number of looks rose {raised} times only");
}

/// A constant image stays as it is, to the last bit.
pub fn check_constant(halo: usize, kernel: impl Fn(ArrayView2<'_, f32>) -> Array2<f32>) {
    for value in [0.0, 0.1, 0.02, 7.3e-5, 1234.5] {
        let image = Array2::from_elem((23, 30), value);
        let out = kernel(padded(image.view(), halo).view());
        assert!(
            out.iter().all(|&v| v == value),
            "{value}: {:?}",
            out.iter().find(|v| **v != value)
        );
    }
}
