//! The Wallis filter for images with gaps between scan lines, as Landsat 7 took after 2003.

use ndarray::{Array2, ArrayView2};

use super::prefilter::wallis;
use crate::statistics::random::Random;

/// A masked pixel nearer than this to a valid one is a gap, not the outside of the scene.
const GAP_REACH: f32 = 30.0;

/// Pixels around a gap whose filter window the gap reaches.
fn buffer(width: usize) -> f32 {
    let half = (width as f32 - 1.0) / 2.0;
    (2.0 * half * half).sqrt() + 0.01
}

/// How far around a pixel `wallis_fill` looks.
pub fn halo(width: usize) -> usize {
    GAP_REACH as usize + buffer(width).ceil() as usize + width / 2
}

/// The Wallis filter, with noise of mean 0 and standard deviation 1 where gaps or windows with a standard deviation below
/// `cutoff` come near. A pixel's noise depends on its place alone, so the result is the same each time and for any strips.
/// See `Prefilter::apply` for `strip`, `missing` and `first_row`. 0 counts as masked, as in the products that have such gaps.
pub fn wallis_fill(
    strip: ArrayView2<f32>,
    missing: (usize, usize),
    first_row: usize,
    width: usize,
    cutoff: f32,
) -> Array2<f32> {
    let strip = strip.map(|&v| if v == 0.0 { f32::NAN } else { v });
    let (height, cols) = strip.dim();
    let halo = halo(width);
    let total = height + missing.0 + missing.1;
    let rows = total.saturating_sub(2 * halo);
    // Filtered wherever the strip reaches far enough: rows from `inner` on.
    let above = missing.0.min(width / 2);
    let below = missing.1.min(width / 2);
    let (filtered, deviation) = wallis(strip.view(), (above, below), width);
    let inner = width / 2 - above;
    let valid = strip.map(|v| !v.is_nan());
    let gap = {
        let near = within(&valid, GAP_REACH, true);
        ndarray::Zip::from(&valid)
            .and(&near)
            .map_collect(|&v, &near| !v && near)
    };
    let around_gap = within(&gap, buffer(width), false);
    let mut flat = Array2::from_elem((height, cols), false);
    for ((r, c), &std) in deviation.indexed_iter() {
        flat[[r + inner, c]] = std < cutoff;
    }
    let around_flat = within(&flat, buffer(width), false);
    let skip = halo - missing.0.min(halo);
    let seed = |r: usize, c: usize| ((first_row + r) as u64) << 32 | c as u64;
    Array2::from_shape_fn((rows, cols), |(r, c)| {
        let at = [r + skip, c];
        let domain = valid[at] || around_gap[at];
        if !domain {
            f32::NAN
        } else if around_gap[at] || around_flat[at] {
            normal(seed(r, c))
        } else {
            filtered[[at[0] - inner, c]]
        }
    })
}

/// True within a distance of a true pixel: less than it where `strictly`, else at most.
fn within(field: &Array2<bool>, distance: f32, strictly: bool) -> Array2<bool> {
    let (rows, cols) = field.dim();
    let reach = distance.ceil() as usize;
    // Columns to the nearest true pixel of the same row, `reach` + 1 for further.
    let far = reach + 1;
    let mut across = Array2::from_elem((rows, cols), far);
    for (field, mut across) in field.rows().into_iter().zip(across.rows_mut()) {
        let mut last = far;
        for c in 0..cols {
            last = if field[c] { 0 } else { (last + 1).min(far) };
            across[c] = last;
        }
        let mut last = far;
        for c in (0..cols).rev() {
            last = if field[c] { 0 } else { (last + 1).min(far) };
            across[c] = across[c].min(last);
        }
    }
    // By rows apart, the columns that may lie between.
    let limits: Vec<Option<usize>> = (0..=reach)
        .map(|dy| {
            (0..=reach).rev().find(|&dx| {
                let d = ((dx * dx + dy * dy) as f32).sqrt();
                if strictly { d < distance } else { d <= distance }
            })
        })
        .collect();
    let mut out = Array2::from_elem((rows, cols), false);
    for r in 0..rows {
        for y in r.saturating_sub(reach)..(r + reach + 1).min(rows) {
            let Some(limit) = limits[y.abs_diff(r)] else {
                continue;
            };
            let (mut out, across) = (out.row_mut(r), across.row(y));
            out.iter_mut().zip(across).for_each(|(o, &dx)| *o |= dx <= limit);
        }
    }
    out
}

/// A normally distributed number for a place, by Box and Muller from two hashes.
fn normal(seed: u64) -> f32 {
    let hash = |x: u64| Random::new(x).bits();
    let unit = |x: u64| ((x >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    let first = hash(seed);
    let (u, v) = (unit(first), unit(hash(first)));
    ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}
