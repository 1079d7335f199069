//! Improved Lee sigma speckle filter.

use std::sync::Arc;

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::moments::LocalMoments;
use super::padded::Padded;
use super::sigma_range::{SigmaRange, sigma_range};
use super::speckle::{check_looks, check_power};
use crate::described;
use crate::error::{Domain, Error, Result};
use crate::raster::describe::{Described, Description, Site, from_json, to_json};
use crate::raster::doubt;
use crate::raster::percentile::percentile_of;
use crate::raster::{Band, DType, Operation, Pixels, Port, Raster, View, Window};

/// How many of the nine pixels of a 3 × 3 window have to be strong for them to be a target: Tₖ of the paper.
const TARGET_PIXELS: f32 = 5.0;

/// The share of an image, in percent, above which a pixel is strong by default: Z₉₈ of the paper.
pub const STRONG_PERCENTILE: f64 = 98.0;

/// Sides of the window, which must hold more than the window of the targets.
pub const SIZE: Domain = Domain::within(5.0, 101.0).odd().in_unit("pixels");

/// The window around a pixel that says whether it belongs to a target, and what its power may be.
const TARGET_SIZE: usize = 3;

/// Improved Lee sigma filter: the mean of those pixels of the neighbourhood that speckle alone can explain.
///
/// `padded`: backscatter as power, grown by `halo(size)` pixels on every side, NaN outside the image and where masked.
/// Returns the filtered power, without the halo.
///
/// 1. Strong scatterers keep their power. A pixel above `strong` is one if it or one of its eight neighbours, itself
///    above `strong`, has at least five pixels above `strong` in the 3 × 3 window around it.
/// 2. The minimum mean square error estimate in the 3 × 3 window gives a first guess x̃ of the backscatter: μ + b·(z − μ)
///    with b = (v − μ²/L) / (v·(1 + 1/L)), not below 0; μ and v are mean and (population) variance.
/// 3. Of the `size` × `size` window, pixels within I₁·x̃ to I₂·x̃ (inclusive) are kept: the range that holds the share
///    `sigma` of speckle of `looks` looks around x̃, see `sigma_range`.
/// 4. Their mean μ and variance v give the result μ + b·(z − μ), b = (v − μ²·η²) / (v·(1 + η²)) limited to 0..1, η being the
///    deviation of the speckle in the range. Where no pixel is within the range, the pixel stays as it is.
///
/// `strong` belongs to the whole scene (the paper takes its 98th percentile), so it is a parameter here; infinity turns
/// step 1 off.
///
/// # Nodata
/// Masked pixels and those outside the image drop out of every window and count as not strong; a masked pixel stays
/// masked.
///
/// # Source
/// J.-S. Lee, J.-H. Wen, T. L. Ainsworth, K.-S. Chen and A. J. Chen, "Improved sigma filter for speckle filtering of SAR
/// imagery", IEEE TGRS 47(1), 2009, doi:10.1109/TGRS.2008.2002881.
pub fn filter_tile(
    padded: ArrayView2<'_, f32>,
    size: usize,
    looks: f64,
    range: &SigmaRange,
    strong: f32,
) -> Array2<f32> {
    let halo = halo(size);
    let tile = Padded::new(padded, halo);
    // A tile whose halo is the 3 × 3 window's, for the statistics of that.
    let inset = halo - TARGET_SIZE / 2;
    let (rows, cols) = padded.dim();
    let small = if rows > 2 * inset && cols > 2 * inset {
        padded.slice(ndarray::s![inset..rows - inset, inset..cols - inset])
    } else {
        padded.slice(ndarray::s![0..0, 0..0])
    };
    let small = Padded::new(small, TARGET_SIZE / 2);
    let mut local = LocalMoments::new(&small, TARGET_SIZE);
    let mut state = RowState::new(tile.cols);
    let parameters = Parameters {
        size,
        looks,
        range: *range,
        strong,
    };
    tile.rows(|row, out| {
        local.compute(&small, row);
        filter_row(&tile, row, &parameters, &local, &mut state, out);
        tile.mask_row(row, out);
    })
}

/// Pixels around a pixel that its result depends on, on each side.
pub fn halo(size: usize) -> usize {
    // A neighbour's 3 × 3 window reaches two pixels away.
    (size / 2).max(2)
}

struct Parameters {
    size: usize,
    looks: f64,
    range: SigmaRange,
    strong: f32,
}

/// What is known of the pixels of one output row.
struct RowState {
    low: Vec<f64>,
    high: Vec<f64>,
    /// Of the pixels within low..high: how many, their sum, the sum of their squares.
    count: Vec<f64>,
    sum: Vec<f64>,
    squares: Vec<f64>,
    /// Above 0 for the pixels of a target.
    target: Vec<f32>,
    /// Of one row of 3 × 3 windows, one more on each side.
    strong: Vec<f32>,
}

impl RowState {
    fn new(cols: usize) -> RowState {
        RowState {
            low: vec![0.0; cols],
            high: vec![0.0; cols],
            count: vec![0.0; cols],
            sum: vec![0.0; cols],
            squares: vec![0.0; cols],
            target: vec![0.0; cols],
            strong: vec![0.0; cols + 2],
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn filter_row(
    tile: &Padded,
    row: usize,
    parameters: &Parameters,
    local: &LocalMoments,
    state: &mut RowState,
    out: &mut [f32],
) {
    let cols = out.len();
    let Parameters {
        size,
        looks,
        range,
        strong,
    } = parameters;
    let pixels = tile.centre(row);
    find_targets(tile, row, *strong, state);

    let (mean, variance) = (&local.mean[..cols], &local.variance[..cols]);
    let (low, high) = (&mut state.low[..cols], &mut state.high[..cols]);
    for c in 0..cols {
        let guess = minimum_mean_square_error(f64::from(pixels[c]), mean[c], variance[c], 1.0 / looks);
        low[c] = range.low * guess;
        high[c] = range.high * guess;
    }

    let (count, sum, squares) = (
        &mut state.count[..cols],
        &mut state.sum[..cols],
        &mut state.squares[..cols],
    );
    count.fill(0.0);
    sum.fill(0.0);
    squares.fill(0.0);
    let inset = halo(*size) - size / 2;
    for y in row + inset..row + inset + size {
        let pixels = &tile.row(y)[inset..];
        let weights = tile.weight_row(y).get(inset..).unwrap_or_default();
        // Four columns of the window at a time: the sums stay in registers for that long.
        for x in (0..*size).step_by(4) {
            let pixels = &pixels[x..];
            let weights = weights.get(x..).unwrap_or_default();
            // Calls, not a choice of function: a pointer would lead out of this version's instruction set.
            macro_rules! add {
                ($masked:literal) => {
                    match size - x {
                        1 => add_within::<1, $masked>(pixels, weights, low, high, count, sum, squares),
                        2 => add_within::<2, $masked>(pixels, weights, low, high, count, sum, squares),
                        3 => add_within::<3, $masked>(pixels, weights, low, high, count, sum, squares),
                        _ => add_within::<4, $masked>(pixels, weights, low, high, count, sum, squares),
                    }
                };
            }
            if tile.is_complete() {
                add!(false);
            } else {
                add!(true);
            }
        }
    }

    let target = &state.target[..cols];
    let noise = range.deviation * range.deviation;
    for c in 0..cols {
        let mean = sum[c] / count[c];
        let variance = squares[c] / count[c] - mean * mean;
        let filtered = minimum_mean_square_error(f64::from(pixels[c]), mean, variance, noise) as f32;
        let keep = target[c] > 0.0 || count[c] == 0.0;
        out[c] = if keep { pixels[c] } else { filtered };
    }
}

/// Adds those pixels of `N` neighbouring columns of the window that are within low..high.
#[inline(always)]
fn add_within<const N: usize, const MASKED: bool>(
    pixels: &[f32],
    weights: &[f32],
    low: &[f64],
    high: &[f64],
    count: &mut [f64],
    sum: &mut [f64],
    squares: &mut [f64],
) {
    let cols = count.len();
    let (pixels, low, high) = (&pixels[..cols + N - 1], &low[..cols], &high[..cols]);
    let (sum, squares) = (&mut sum[..cols], &mut squares[..cols]);
    let weights = if MASKED { &weights[..cols + N - 1] } else { weights };
    for c in 0..cols {
        let (mut n, mut s, mut q) = (count[c], sum[c], squares[c]);
        for x in 0..N {
            let v = f64::from(pixels[c + x]);
            let mut within = (v >= low[c]) & (v <= high[c]);
            if MASKED {
                within &= weights[c + x] != 0.0;
            }
            let kept = if within { v } else { 0.0 };
            n += if within { 1.0 } else { 0.0 };
            s += kept;
            q += kept * v;
        }
        (count[c], sum[c], squares[c]) = (n, s, q);
    }
}

/// μ + b·(z − μ), b = (v − μ²·noise) / (v·(1 + noise)) limited to 0..1.
#[inline(always)]
fn minimum_mean_square_error(pixel: f64, mean: f64, variance: f64, noise: f64) -> f64 {
    let speckle = mean * mean * noise;
    // Below 1 in any case.
    let weight = if variance > speckle {
        (1.0 - speckle / variance) / (1.0 + noise)
    } else {
        0.0
    };
    mean + weight * (pixel - mean)
}

/// Marks the pixels of an output row that belong to a target.
#[inline(always)]
fn find_targets(tile: &Padded, row: usize, strong: f32, state: &mut RowState) {
    let target = &mut state.target[..];
    target.fill(0.0);
    if strong == f32::INFINITY {
        return;
    }
    let cols = target.len();
    let halo = (tile.width - cols) / 2;
    let marks = &mut state.strong[..cols + 2];
    let is_strong = |v: f32| if v > strong { 1.0 } else { 0.0 };
    // The windows whose centres lie in the rows above, at and below the output row, one column more on each side.
    for y in row + halo - 1..=row + halo + 1 {
        let rows = [tile.row(y - 1), tile.row(y), tile.row(y + 1)].map(|r| &r[halo - 2..halo + cols + 2]);
        for c in 0..cols + 2 {
            let mut count = 0.0;
            for row in rows {
                count += is_strong(row[c]) + is_strong(row[c + 1]) + is_strong(row[c + 2]);
            }
            marks[c] = if count >= TARGET_PIXELS {
                is_strong(rows[1][c + 1])
            } else {
                0.0
            };
        }
        for c in 0..cols {
            target[c] += marks[c] + marks[c + 1] + marks[c + 2];
        }
    }
    let pixels = tile.centre(row);
    for c in 0..cols {
        target[c] *= is_strong(pixels[c]);
    }
}

/// Which pixels are strong scatterers, that the filter leaves alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strong {
    /// Those above this percentile of their band, computed from the whole band before its first tile.
    Percentile(f64),
    /// Those above this power.
    Power(f64),
    /// None.
    Off,
}

/// The filter as an operation of the engine: a band of power, and the power above which pixels are strong where that is not stated.
struct LeeSigma {
    size: usize,
    looks: f64,
    sigma: f64,
    range: SigmaRange,
    strong: Option<f32>,
}

#[derive(Serialize, Deserialize)]
struct Choices {
    size: usize,
    looks: f64,
    sigma: f64,
    strong: Option<f32>,
}

impl LeeSigma {
    fn new(choices: &Choices) -> Result<LeeSigma> {
        let &Choices {
            size,
            looks,
            sigma,
            strong,
        } = choices;
        SIZE.check_count("size", size)?;
        let (looks, range) = (check_looks(looks)?, sigma_range(looks, sigma)?);
        Ok(LeeSigma {
            size,
            looks,
            sigma,
            range,
            strong,
        })
    }
}

impl Described for LeeSigma {
    const NAME: &'static str = "filter.lee_sigma";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Choices {
            size: self.size,
            looks: self.looks,
            sigma: self.sigma,
            strong: self.strong,
        })
    }

    fn again(parameters: &Json, _: &Site) -> Result<LeeSigma> {
        LeeSigma::new(&from_json(Self::NAME, parameters)?)
    }

    fn check(&self, site: &Site) -> Result<()> {
        let [image, strong] = match (site.inputs, self.strong) {
            ([image], Some(_)) => [image, image],
            ([image, strong], None) => [image, strong],
            (_, strong) => return Err(site.wrong_inputs(if strong.is_some() { 1 } else { 2 })),
        };
        Site {
            inputs: std::slice::from_ref(image),
            ..*site
        }
        .on_grid()?
        .real()?;
        match self.strong.is_some() || (strong.node.grid.rows, strong.node.grid.cols) == (1, 1) {
            true => Ok(()),
            false => Err(Error::argument(
                "the strongest power",
                "an image of one pixel",
                &strong.node.grid,
            )),
        }
    }
}

described!(LeeSigma, Tiles);

impl Operation for LeeSigma {
    fn name(&self) -> String {
        let LeeSigma {
            size, looks, sigma, ..
        } = self;
        format!("filter.lee_sigma(size {size}, looks {looks}, sigma {sigma})")
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn needs(&self, index: usize, out: Window) -> Window {
        match index {
            0 => out.grow(halo(self.size), halo(self.size)),
            _ => Window::new(0, 0, 1, 1),
        }
    }

    fn compute(&self, _: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let strong = match self.strong {
            Some(power) => power,
            None => inputs[1].f32()[(0, 0)],
        };
        let padded = inputs[0].f32();
        let filtered = filter_tile(padded.view(), self.size, self.looks, &self.range, strong);
        Ok(vec![Pixels::F32(filtered)])
    }
}

/// Every band of an image in power through the improved Lee sigma filter; see `filter_tile`. `Strong::Percentile` reads
/// every band once more, when the first tile is wanted.
///
/// # Errors
/// Bands in dB, amplitude or complex; a size that is even, below 5 or above 101; looks or sigma that `sigma_range` refuses; a
/// percentile outside 0 to 100; when it is computed, a band that is masked everywhere.
pub fn lee_sigma(raster: &Raster, size: usize, looks: f64, sigma: f64, strong: Strong) -> Result<Raster> {
    check_power(raster)?;
    let power = match strong {
        Strong::Off => Some(f32::INFINITY),
        Strong::Power(power) if power.is_nan() => {
            return Err(Error::argument("strong", "a power", power));
        }
        Strong::Power(power) => Some(power as f32),
        Strong::Percentile(_) => None,
    };
    let choices = Choices {
        size,
        looks,
        sigma,
        strong: power,
    };
    let operation: Arc<dyn Operation> = Arc::new(LeeSigma::new(&choices)?);
    let doubted = doubt::bands_as_power(raster, "filter.lee_sigma");
    let bands = raster.bands.iter().zip(&doubted.bands).map(|(plain, band)| {
        let mut inputs = vec![band.port.clone()];
        if let Strong::Percentile(percentile) = strong {
            inputs.push(percentile_of(&plain.port, percentile)?);
        }
        Ok(Band {
            dtype: DType::F32,
            nodata: None,
            port: Port::tiles(&raster.grid, operation.clone(), inputs).swap_remove(0),
            ..band.clone()
        })
    });
    Ok(raster.with_bands(bands.collect::<Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn estimate(z: f64, mean: f64, variance: f64, noise: f64) -> f64 {
        let signal = (variance - mean * mean * noise) / (1.0 + noise);
        let b = if variance > 0.0 {
            (signal / variance).clamp(0.0, 1.0)
        } else {
            0.0
        };
        (1.0 - b) * mean + b * z
    }

    fn slow(
        image: &Array2<f32>,
        row: usize,
        col: usize,
        size: usize,
        looks: f64,
        sigma: f64,
        strong: f32,
    ) -> f64 {
        let z = f64::from(image[(row, col)]);
        let strong = f64::from(strong);
        let is_target = |dy: isize, dx: isize| {
            let around = window(
                image,
                (row as isize + dy) as usize,
                (col as isize + dx) as usize,
                3,
            );
            around.iter().filter(|p| p.2 > strong).count() >= 5
        };
        if z > strong
            && window(image, row, col, 3)
                .iter()
                .any(|&(dy, dx, v)| v > strong && is_target(dy, dx))
        {
            return z;
        }
        let (mean, variance) = mean_and_variance(window(image, row, col, 3).iter().map(|p| p.2));
        let guess = estimate(z, mean, variance, 1.0 / looks);
        let range = sigma_range(looks, sigma).unwrap();
        let kept: Vec<f64> = window(image, row, col, size)
            .iter()
            .map(|p| p.2)
            .filter(|v| (range.low * guess..=range.high * guess).contains(v))
            .collect();
        if kept.is_empty() {
            return z;
        }
        let (mean, variance) = mean_and_variance(kept.iter().copied());
        estimate(z, mean, variance, range.deviation.powi(2))
    }

    fn kernel(p: ArrayView2<'_, f32>, size: usize, looks: f64, sigma: f64, strong: f32) -> Array2<f32> {
        filter_tile(p, size, looks, &sigma_range(looks, sigma).unwrap(), strong)
    }

    #[test]
    fn equals_the_description() {
        for (size, looks, sigma, strong) in [
            (9, 1.0, 0.9, 1.0),
            (7, 2.0, 0.6, 0.4),
            (11, 4.0, 0.8, f32::INFINITY),
            (5, 3.0, 0.5, 0.1),
        ] {
            check_against(
                halo(size),
                |p| kernel(p, size, looks, sigma, strong),
                |image, r, c| slow(image, r, c, size, looks, sigma, strong),
                2e-6,
            );
        }
    }

    #[test]
    fn keeps_targets_only_when_asked() {
        let mut image = speckle(30, 40, 2, 4);
        let mut target = image.slice_mut(ndarray::s![13..16, 18..23]);
        target.mapv_inplace(|v| 50.0 + v);
        let p = padded(image.view(), 4);
        let at_target = |out: Array2<f32>| out.slice_move(ndarray::s![13..16, 18..23]);
        let before = at_target(image.clone());
        assert_eq!(at_target(kernel(p.view(), 9, 2.0, 0.9, 20.0)), before);
        let smoothed = at_target(kernel(p.view(), 9, 2.0, 0.9, f32::INFINITY));
        assert!(smoothed.iter().zip(&before).all(|(a, b)| a != b));
    }

    #[test]
    fn tiles_do_not_show() {
        check_tiles(4, |p| kernel(p, 9, 3.0, 0.9, 0.5));
        check_tiles(2, |p| kernel(p, 5, 3.0, 0.7, 0.2));
    }

    #[test]
    fn keeps_the_mean_of_speckle_and_smooths_it() {
        // The paper's point: no bias, which the two-sigma range of the original filter has.
        for looks in [1, 2, 4] {
            check_speckle(4, looks, 0.03, 5.0, |p| {
                kernel(p, 9, looks as f64, 0.9, f32::INFINITY)
            });
        }
    }

    #[test]
    fn leaves_a_constant_alone() {
        check_constant(4, |p| kernel(p, 9, 4.0, 0.9, 1.0));
    }

    #[test]
    fn refuses_what_means_nothing() {
        let image = power_image();
        let refused = |size, looks, sigma, strong| lee_sigma(&image, size, looks, sigma, strong).is_err();
        assert!(!refused(9, 1.0, 0.9, Strong::Power(1.0)));
        assert!(refused(3, 1.0, 0.9, Strong::Power(1.0)));
        assert!(refused(9, 0.0, 0.9, Strong::Power(1.0)));
        assert!(refused(9, 1.0, 1.5, Strong::Power(1.0)));
        assert!(refused(9, 1.0, 0.9, Strong::Power(f64::NAN)));
    }
}
