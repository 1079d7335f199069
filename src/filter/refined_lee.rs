//! Refined Lee speckle filter.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::padded::Padded;
use super::speckle::{Filter, check_filter, filter_bands};
use crate::described;
use crate::error::Result;
use crate::raster::Raster;
use serde::{Deserialize, Serialize};

/// Pixels around a pixel that its result depends on, on each side.
pub const HALO: usize = 3;

/// Rows of 3 × 3 statistics that one output row looks at: offsets −2 to 2.
const RING: usize = 5;

/// Refined Lee filter: in the 7 × 7 window around a pixel it keeps the half that lies along the strongest edge, and
/// weighs the pixel against the mean of that half by the minimum mean square error rule.
///
/// `padded`: backscatter as power (natural units, not dB), grown by `HALO` = 3 pixels on every side, NaN outside the
/// image and where masked. Returns the filtered power, smaller by 3 pixels on every side.
///
/// Means and (population) variances of the 3 × 3 windows centred at row and column offsets −2, 0 and 2, numbered 0 to
/// 8 by rows, give the gradients |m1 − m7|, |m6 − m2|, |m3 − m5| and |m0 − m8|. The largest chooses a pair of halves
/// (lower and upper rectangle, lower-left and upper-right triangle, left and right rectangle, upper-left and
/// lower-right triangle, the middle row, column or diagonal included), the sign of the curvature along it the half.
/// With μ and v the mean and variance of that half, and s the mean of the five smallest var/mean² of the nine windows,
/// the result is μ + b·(z − μ), b = (v − μ²·s) / (v·(s + 1)). b is not limited to 0..1. A quotient by 0 is 0.
///
/// # Nodata
/// Masked pixels and those outside the image drop out of every mean and variance. The result is masked where the
/// centre of one of the nine windows is masked or outside the image: a border of two pixels. Equal largest gradients
/// add their direction numbers, and a sum that names no direction masks the pixel: a constant area becomes masked.
///
/// # Source
/// J.-S. Lee, "Refined filtering of image noise using local statistics", Computer Graphics and Image Processing 15
/// (1981), doi:10.1016/S0146-664X(81)80018-4; the steps are those of the version in wide use on Google Earth Engine,
/// after Lee and Pottier, "Polarimetric Radar Imaging" (2009), chapter 5, and SNAP.
pub fn filter_tile(padded: ArrayView2<'_, f32>) -> Array2<f32> {
    let tile = Padded::new(padded, HALO);
    if tile.rows == 0 || tile.cols == 0 {
        return Array2::default((tile.rows, tile.cols));
    }
    let mut samples = Samples::new(tile.width);
    for row in 0..RING - 1 {
        samples.add(&tile, row + 1);
    }
    let mut state = RowState::new(tile.cols);
    tile.rows(|row, out| {
        samples.add(&tile, row + RING);
        filter_row(&tile, &samples, row, &mut state, out);
    })
}

/// The 3 × 3 mean and variance / mean² at every pixel of the last `RING` rows that were added.
struct Samples {
    means: [Vec<f64>; RING],
    variations: [Vec<f32>; RING],
    /// Of the three rows: the sum of the pixels of a column, of their squares, of their weights.
    columns: [Vec<f64>; 3],
}

impl Samples {
    fn new(stride: usize) -> Samples {
        Samples {
            means: std::array::from_fn(|_| vec![f64::NAN; stride]),
            variations: std::array::from_fn(|_| vec![f32::NAN; stride]),
            columns: std::array::from_fn(|_| vec![0.0; stride]),
        }
    }

    /// Adds the statistics around row `row` of the padded tile. Row p is kept in slot p modulo `RING`.
    fn add(&mut self, tile: &Padded, row: usize) {
        let slot = row % RING;
        sample_row(
            [tile.row(row - 1), tile.row(row), tile.row(row + 1)],
            [
                tile.weight_row(row - 1),
                tile.weight_row(row),
                tile.weight_row(row + 1),
            ],
            &mut self.columns,
            &mut self.means[slot],
            &mut self.variations[slot],
        );
    }
}

/// Sums are in f64, where those of nine f32 of like size are exact: equal windows have equal means, whatever the order.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn sample_row(
    rows: [&[f32]; 3],
    weights: [&[f32]; 3],
    columns: &mut [Vec<f64>; 3],
    means: &mut [f64],
    variations: &mut [f32],
) {
    let n = means.len();
    let [a, b, c] = rows.map(|r| &r[..n]);
    let [sums, squares, counts] = columns;
    let (sums, squares, counts) = (&mut sums[..n], &mut squares[..n], &mut counts[..n]);
    for i in 0..n {
        let (a, b, c) = (f64::from(a[i]), f64::from(b[i]), f64::from(c[i]));
        sums[i] = a + b + c;
        squares[i] = a * a + b * b + c * c;
    }
    let (means, variations) = (&mut means[1..n - 1], &mut variations[1..n - 1]);
    let inner = means.len();
    if weights[0].is_empty() {
        for i in 0..inner {
            let sum = sums[i] + sums[i + 1] + sums[i + 2];
            let square = squares[i] + squares[i + 1] + squares[i + 2];
            (means[i], variations[i]) = mean_and_variation(sum, square, 9.0);
        }
    } else {
        let [wa, wb, wc] = weights.map(|w| &w[..n]);
        for i in 0..n {
            counts[i] = f64::from(wa[i]) + f64::from(wb[i]) + f64::from(wc[i]);
        }
        for i in 0..inner {
            let sum = sums[i] + sums[i + 1] + sums[i + 2];
            let square = squares[i] + squares[i + 1] + squares[i + 2];
            let count = counts[i] + counts[i + 1] + counts[i + 2];
            let (mean, variation) = mean_and_variation(sum, square, count);
            means[i] = if wb[i + 1] == 0.0 { f64::NAN } else { mean };
            variations[i] = variation;
        }
    }
}

#[inline(always)]
fn mean_and_variation(sum: f64, square: f64, count: f64) -> (f64, f32) {
    let mean = sum / count;
    let variance = square / count - mean * mean;
    let variation = if variance > 0.0 && mean != 0.0 {
        variance / (mean * mean)
    } else {
        0.0
    };
    (mean, variation as f32)
}

/// Entry (row, col) has bit d set where that pixel of the 7 × 7 window belongs to direction d.
const MEMBERS: [[u32; 7]; 7] = {
    let mut members = [[0; 7]; 7];
    let mut i = 0;
    while i < 49 {
        // Directions 1 and 2, and then each pair turned clockwise by 90°, which brings (−x, y) to (y, x).
        let (mut y, mut x) = (i / 7 - 3, i % 7 - 3);
        let mut turn = 0;
        while turn < 4 {
            if y >= 0 {
                members[i as usize / 7][i as usize % 7] |= 1 << (2 * turn + 1);
            }
            if x <= y {
                members[i as usize / 7][i as usize % 7] |= 1 << (2 * turn + 2);
            }
            (y, x) = (-x, y);
            turn += 1;
        }
        i += 1;
    }
    members
};

/// Pixels of a half window: 4 · 7, or 1 + 2 + … + 7.
const HALF_WINDOW: f32 = 28.0;

/// The direction of a masked result: a bit that no entry of `MEMBERS` has.
const NO_DIRECTION: u32 = 0;

/// What is known of the pixels of one output row, each `cols` long.
struct RowState {
    direction: Vec<u32>,
    noise: Vec<f32>,
    count: Vec<f32>,
    mean: Vec<f32>,
    squares: Vec<f32>,
}

impl RowState {
    fn new(cols: usize) -> RowState {
        RowState {
            direction: vec![NO_DIRECTION; cols],
            noise: vec![0.0; cols],
            count: vec![HALF_WINDOW; cols],
            mean: vec![0.0; cols],
            squares: vec![0.0; cols],
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn filter_row(tile: &Padded, samples: &Samples, row: usize, state: &mut RowState, out: &mut [f32]) {
    let cols = out.len();
    let slots: [usize; 3] = std::array::from_fn(|i| (row + 1 + 2 * i) % RING);
    directions(slots.map(|s| &samples.means[s][..]), &mut state.direction);
    noise(slots.map(|s| &samples.variations[s][..]), &mut state.noise);

    state.mean.fill(0.0);
    for (y, members) in MEMBERS.iter().enumerate() {
        add_inside(tile.row(row + y), members, &state.direction, &mut state.mean);
    }
    if !tile.is_complete() {
        state.count.fill(0.0);
        for (y, members) in MEMBERS.iter().enumerate() {
            add_inside(
                tile.weight_row(row + y),
                members,
                &state.direction,
                &mut state.count,
            );
        }
    }
    let (direction, noise, count) = (
        &state.direction[..cols],
        &state.noise[..cols],
        &state.count[..cols],
    );
    let (mean, squares) = (&mut state.mean[..cols], &mut state.squares[..cols]);
    for c in 0..cols {
        mean[c] /= count[c];
    }
    // Deviations from the mean, in a second pass, keep all digits where the variance is small.
    squares.fill(0.0);
    for (y, members) in MEMBERS.iter().enumerate() {
        let (pixels, weights) = (tile.row(row + y), tile.weight_row(row + y));
        if tile.is_complete() {
            add_squares(pixels, members, direction, mean, squares);
        } else {
            add_weighted_squares(pixels, weights, members, direction, mean, squares);
        }
    }
    let pixel = &tile.row(row + HALO)[HALO..][..cols];
    for c in 0..cols {
        let (mean, noise) = (f64::from(mean[c]), f64::from(noise[c]));
        let variance = f64::from(squares[c]) / f64::from(count[c]);
        let signal = (variance - mean * mean * noise) / (noise + 1.0);
        let weight = if variance == 0.0 { 0.0 } else { signal / variance };
        let filtered = (mean + weight * (f64::from(pixel[c]) - mean)) as f32;
        out[c] = if direction[c] == NO_DIRECTION {
            f32::NAN
        } else {
            filtered
        };
    }
}

/// Adds those pixels of one row of the window that belong to each column's direction.
#[inline(always)]
fn add_inside(pixels: &[f32], members: &[u32; 7], direction: &[u32], sums: &mut [f32]) {
    let cols = sums.len();
    let (pixels, direction) = (&pixels[..cols + 2 * HALO], &direction[..cols]);
    for c in 0..cols {
        let mut sum = sums[c];
        for x in 0..7 {
            sum += if (members[x] >> direction[c]) & 1 != 0 {
                pixels[c + x]
            } else {
                0.0
            };
        }
        sums[c] = sum;
    }
}

#[inline(always)]
fn add_squares(pixels: &[f32], members: &[u32; 7], direction: &[u32], mean: &[f32], sums: &mut [f32]) {
    let cols = sums.len();
    let (pixels, direction, mean) = (&pixels[..cols + 2 * HALO], &direction[..cols], &mean[..cols]);
    for c in 0..cols {
        let mut sum = sums[c];
        for x in 0..7 {
            let deviation = pixels[c + x] - mean[c];
            sum += if (members[x] >> direction[c]) & 1 != 0 {
                deviation * deviation
            } else {
                0.0
            };
        }
        sums[c] = sum;
    }
}

/// As `add_squares`, masked pixels left out.
#[inline(always)]
fn add_weighted_squares(
    pixels: &[f32],
    weights: &[f32],
    members: &[u32; 7],
    direction: &[u32],
    mean: &[f32],
    sums: &mut [f32],
) {
    let cols = sums.len();
    let (pixels, weights) = (&pixels[..cols + 2 * HALO], &weights[..cols + 2 * HALO]);
    let (direction, mean) = (&direction[..cols], &mean[..cols]);
    for c in 0..cols {
        let mut sum = sums[c];
        for x in 0..7 {
            let deviation = (pixels[c + x] - mean[c]) * weights[c + x];
            sum += if (members[x] >> direction[c]) & 1 != 0 {
                deviation * deviation
            } else {
                0.0
            };
        }
        sums[c] = sum;
    }
}

/// The direction, 1 to 8, of every output column; `NO_DIRECTION` where the result is masked.
/// `means`: the rows of 3 × 3 means at row offsets −2, 0, 2.
#[inline(always)]
fn directions(means: [&[f64]; 3], out: &mut [u32]) {
    let cols = out.len();
    let [above, here, below] = means.map(|m| &m[1..cols + 5]);
    for c in 0..cols {
        let m = [
            above[c],
            above[c + 2],
            above[c + 4],
            here[c],
            here[c + 2],
            here[c + 4],
            below[c],
            below[c + 2],
            below[c + 4],
        ];
        // First and last of the four lines through the middle, in the order of their directions.
        let lines = [(m[1], m[7]), (m[6], m[2]), (m[3], m[5]), (m[0], m[8])];
        let gradients = lines.map(|(a, b)| (a - b).abs());
        let larger = |a: f64, b: f64| if a > b { a } else { b };
        let largest = larger(
            larger(gradients[0], gradients[1]),
            larger(gradients[2], gradients[3]),
        );
        let mut direction = 0;
        for i in 0..4 {
            let (a, b) = lines[i];
            let code = i as u32 + if a - m[4] > m[4] - b { 1 } else { 5 };
            direction += if gradients[i] == largest { code } else { 0 };
        }
        // NaN if and only if one of the nine is: means of finite f32 do not overflow in f64.
        let all = m[0] + m[1] + m[2] + m[3] + m[4] + m[5] + m[6] + m[7] + m[8];
        let known = !all.is_nan() & (direction <= 8);
        out[c] = if known { direction } else { NO_DIRECTION };
    }
}

/// Sorts nine values in place, by a network of 25 exchanges: no branches, so the loop around it becomes vector code.
#[inline(always)]
fn sort_nine(v: &mut [f32; 9]) {
    // Written out: a loop over a table of pairs is not unrolled early enough for that.
    macro_rules! exchange {
        ($($i:literal $j:literal),*) => {$(
            let (a, b) = (v[$i], v[$j]);
            v[$i] = if a < b { a } else { b };
            v[$j] = if a < b { b } else { a };
        )*};
    }
    exchange!(0 3, 1 7, 2 5, 4 8);
    exchange!(0 7, 2 4, 3 8, 5 6);
    exchange!(0 2, 1 3, 4 5, 7 8);
    exchange!(1 4, 3 6, 5 7);
    exchange!(0 1, 2 4, 3 5, 6 8);
    exchange!(2 3, 4 5, 6 7);
    exchange!(1 2, 3 4, 5 6);
}

/// The mean of the five smallest of the nine 3 × 3 variations, of every output column.
#[inline(always)]
fn noise(variations: [&[f32]; 3], out: &mut [f32]) {
    let cols = out.len();
    let [above, here, below] = variations.map(|v| &v[1..cols + 5]);
    for c in 0..cols {
        let mut v = [
            above[c],
            above[c + 2],
            above[c + 4],
            here[c],
            here[c + 2],
            here[c + 4],
            below[c],
            below[c + 2],
            below[c + 4],
        ];
        sort_nine(&mut v);
        out[c] = (v[0] + v[1] + v[2] + v[3] + v[4]) / 5.0;
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct RefinedLee;

described!(RefinedLee, Tiles, "filter.refined_lee", 1, check_filter);

impl Filter for RefinedLee {
    fn label(&self) -> String {
        "filter.refined_lee".into()
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn halo(&self) -> usize {
        HALO
    }

    fn filter(&self, padded: ArrayView2<'_, f32>) -> Array2<f32> {
        filter_tile(padded)
    }
}

/// Every band of an image in power through the Refined Lee filter; see `filter_tile`.
///
/// # Errors
/// Bands in dB, amplitude or complex.
pub fn refined_lee(raster: &Raster) -> Result<Raster> {
    filter_bands(raster, RefinedLee)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    /// The definition, one pixel at a time.
    fn slow(image: &Array2<f32>, row: usize, col: usize) -> f64 {
        let quotient = |a: f64, b: f64| if b == 0.0 { 0.0 } else { a / b };
        let mut samples = Vec::new();
        for dy in [-2, 0, 2] {
            for dx in [-2, 0, 2] {
                let (r, c) = (row as isize + dy, col as isize + dx);
                match image.get((r as usize, c as usize)) {
                    Some(v) if v.is_finite() => {
                        let pixels = window(image, r as usize, c as usize, 3);
                        let (n, sum) = (pixels.len() as f64, pixels.iter().map(|p| p.2).sum::<f64>());
                        let mean = sum / n;
                        let variance = pixels.iter().map(|p| p.2 * p.2).sum::<f64>() / n - mean * mean;
                        samples.push((mean, quotient(variance.max(0.0), mean * mean)));
                    }
                    _ => return f64::NAN,
                }
            }
        }
        let m: Vec<f64> = samples.iter().map(|s| s.0).collect();
        let gradients = [m[1] - m[7], m[6] - m[2], m[3] - m[5], m[0] - m[8]].map(f64::abs);
        let largest = gradients.into_iter().fold(0.0, f64::max);
        let forward = [
            m[1] - m[4] > m[4] - m[7],
            m[6] - m[4] > m[4] - m[2],
            m[3] - m[4] > m[4] - m[5],
            m[0] - m[4] > m[4] - m[8],
        ];
        let direction: usize = (0..4)
            .filter(|&i| gradients[i] == largest)
            .map(|i| if forward[i] { i + 1 } else { i + 5 })
            .sum();
        let inside: fn(isize, isize) -> bool = match direction {
            1 => |dy, _| dy >= 0,
            2 => |dy, dx| dx <= dy,
            3 => |_, dx| dx <= 0,
            4 => |dy, dx| dx <= -dy,
            5 => |dy, _| dy <= 0,
            6 => |dy, dx| dx >= dy,
            7 => |_, dx| dx >= 0,
            8 => |dy, dx| dx >= -dy,
            _ => return f64::NAN,
        };
        let half: Vec<f64> = window(image, row, col, 7)
            .iter()
            .filter(|p| inside(p.0, p.1))
            .map(|p| p.2)
            .collect();
        let (mean, variance) = mean_and_variance(half.iter().copied());
        let mut variations: Vec<f64> = samples.iter().map(|s| s.1).collect();
        variations.sort_by(f64::total_cmp);
        let noise = variations[..5].iter().sum::<f64>() / 5.0;
        let signal = (variance - mean * mean * noise) / (noise + 1.0);
        mean + quotient(signal, variance) * (f64::from(image[(row, col)]) - mean)
    }

    #[test]
    fn equals_the_definition() {
        // The weight is not limited, so a small variance magnifies single precision.
        check_against(HALO, filter_tile, slow, 2e-5);
    }

    #[test]
    fn tiles_do_not_show() {
        check_tiles(HALO, filter_tile);
    }

    #[test]
    fn keeps_the_mean_of_speckle_and_smooths_it() {
        check_speckle(HALO, 4, 0.03, 3.0, filter_tile);
    }

    #[test]
    fn equal_gradients_mask_a_constant() {
        let out = filter_tile(padded(Array2::from_elem((20, 20), 0.1).view(), HALO).view());
        assert!(out.iter().all(|v| v.is_nan()));
    }

    #[test]
    fn every_direction_has_28_pixels_and_the_middle() {
        for direction in 1..=8 {
            let pixels = MEMBERS
                .iter()
                .flatten()
                .filter(|m| *m >> direction & 1 == 1)
                .count();
            assert_eq!(pixels as f32, HALF_WINDOW);
            assert_eq!(MEMBERS[3][3] >> direction & 1, 1);
        }
    }

    #[test]
    fn the_network_sorts() {
        // A network that sorts all zeros and ones sorts everything (Knuth, 5.3.4).
        for bits in 0..512u32 {
            let mut v = std::array::from_fn(|i| (bits >> i & 1) as f32);
            sort_nine(&mut v);
            assert!(v.is_sorted(), "{bits:b}");
        }
    }
}
