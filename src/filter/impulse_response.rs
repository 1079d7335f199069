//! A field of point scatterers as a focused radar images it: convolution with the impulse response, at any sub-pixel shift.

use std::f64::consts::PI;
use std::sync::Arc;

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use crate::described;
use crate::error::{Domain, Error, Remedy, Result};
use crate::raster::describe::{Described, Description, Site, from_json, to_json};
use crate::raster::{Kind, Operation, Pixels, Raster, View, Window};
use serde_json::Value as Json;

/// One axis of the impulse response of a focused radar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// Processed bandwidth over sampling rate, 0 to 1: 0.83 where an image is sampled 1.2 times as finely as it needs.
    pub bandwidth: f64,
    /// Coefficient α of the spectral window α + (1 − α)·cos(2πf/B): 1 is none, 0.54 Hamming's, 0.75 Sentinel-1's in range.
    pub window: f64,
    /// How far the content moves, in pixels: to larger columns or rows where positive.
    pub shift: f64,
}

/// How far the response reaches, in pixels. Its envelope there has fallen to 1/(π·16), and a cosine brings it to zero.
const REACH: usize = 16;

impl Response {
    /// The response at `t` pixels from its peak: B·[α·sinc(Bt) + (1 − α)/2·(sinc(Bt − 1) + sinc(Bt + 1))], tapered.
    ///
    /// # Source
    /// Cumming and Wong, Digital Processing of Synthetic Aperture Radar Data, 2005, section 3.3 and 3.4: the transform of a
    /// rectangle of width B weighted by a raised cosine.
    pub fn at(&self, t: f64) -> f64 {
        let edge = REACH as f64 + 0.5;
        if t.abs() >= edge {
            return 0.0;
        }
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        let (b, a) = (self.bandwidth, self.window);
        let ideal = a * sinc(b * t) + 0.5 * (1.0 - a) * (sinc(b * t - 1.0) + sinc(b * t + 1.0));
        b * ideal * (0.5 * PI * t / edge).cos().powi(2)
    }

    /// The factor that gives white noise of power 1 the power 1 again: 1/√∫h².
    fn gain(&self) -> f64 {
        const STEPS: usize = 32;
        let n = STEPS * (REACH + 1);
        let energy: f64 = (0..=2 * n)
            .map(|i| self.at((i as f64 - n as f64) / STEPS as f64).powi(2))
            .sum();
        (STEPS as f64 / energy).sqrt()
    }

    /// Whole pixels of the shift, and the weights of the input pixels −REACH…REACH around the output pixel that they moved.
    fn taps(&self) -> (isize, Vec<f32>) {
        let whole = self.shift.round();
        let gain = self.gain();
        let reach = REACH as isize;
        let weights = (-reach..=reach)
            .map(|k| (gain * self.at(-k as f64 - (self.shift - whole))) as f32)
            .collect();
        (whole as isize, weights)
    }
}

/// Convolves complex pixels with the separable response. `padded`: the output's window moved back by the whole pixels of
/// the shift and grown by `REACH` on every side, masked where there is nothing. Returns the output, 2·`REACH` smaller.
///
/// White noise of power 1 keeps the power 1; a single pixel of amplitude 1 becomes the response with that gain, its
/// peak at the pixel's place plus the shift. The result is a continuous function of the shift, sampled without interpolation,
/// so two outputs of one input differ by exactly the difference of their shifts.
///
/// # Nodata
/// Masked pixels are places without scatterers: they count as zero, and no output pixel is masked.
fn convolve(padded: ArrayView2<'_, Complex32>, row_taps: &[f32], col_taps: &[f32]) -> Array2<Complex32> {
    let (rows, cols) = (padded.nrows() - 2 * REACH, padded.ncols() - 2 * REACH);
    // A complex pixel is two floats under the same real weight.
    let mut across = vec![0f32; padded.nrows() * 2 * cols];
    let mut line = vec![0f32; 2 * padded.ncols()];
    for (source, target) in padded.rows().into_iter().zip(across.chunks_exact_mut(2 * cols)) {
        for (pair, z) in line.chunks_exact_mut(2).zip(source) {
            let z = if z.re.is_finite() && z.im.is_finite() {
                *z
            } else {
                Complex32::ZERO
            };
            (pair[0], pair[1]) = (z.re, z.im);
        }
        for (k, &weight) in col_taps.iter().enumerate() {
            add_scaled(target, &line[2 * k..2 * (k + cols)], weight);
        }
    }
    let mut out = Array2::from_elem((rows, cols), Complex32::ZERO);
    let mut sum = vec![0f32; 2 * cols];
    for (row, mut target) in out.rows_mut().into_iter().enumerate() {
        sum.fill(0.0);
        for (k, &weight) in row_taps.iter().enumerate() {
            add_scaled(
                &mut sum,
                &across[(row + k) * 2 * cols..(row + k + 1) * 2 * cols],
                weight,
            );
        }
        for (z, pair) in target.iter_mut().zip(sum.chunks_exact(2)) {
            *z = Complex32::new(pair[0], pair[1]);
        }
    }
    out
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2+fma"))]
fn add_scaled(target: &mut [f32], source: &[f32], weight: f32) {
    let n = target.len().min(source.len());
    let (target, source) = (&mut target[..n], &source[..n]);
    for i in 0..n {
        target[i] += weight * source[i];
    }
}

/// Processed bandwidth over sampling rate.
pub const BANDWIDTH: Domain = Domain::above(0.0).up_to(1.0);
/// Coefficients of the spectral window.
pub const WINDOW: Domain = Domain::within(0.5, 1.0);
pub const SHIFT: Domain = Domain::within(-4096.0, 4096.0).in_unit("pixels");

/// `convolve` as an operation of the engine: one complex input, one output.
#[derive(Debug, Clone)]
struct ImpulseResponse {
    whole: (isize, isize),
    row_taps: Vec<f32>,
    col_taps: Vec<f32>,
    rows: Response,
    cols: Response,
}

impl ImpulseResponse {
    fn new(rows: Response, cols: Response) -> Result<ImpulseResponse> {
        for (axis, response) in [("rows", rows), ("cols", cols)] {
            BANDWIDTH.check(&format!("bandwidth of the {axis}"), response.bandwidth)?;
            WINDOW.check(&format!("window of the {axis}"), response.window)?;
            SHIFT.check(&format!("shift of the {axis}"), response.shift)?;
        }
        let ((row, row_taps), (col, col_taps)) = (rows.taps(), cols.taps());
        Ok(ImpulseResponse {
            whole: (row, col),
            row_taps,
            col_taps,
            rows,
            cols,
        })
    }
}

impl Described for ImpulseResponse {
    const NAME: &'static str = "filter.impulse_response";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&(self.rows, self.cols))
    }

    fn again(parameters: &Json, _: &Site) -> Result<ImpulseResponse> {
        let (rows, cols) = from_json(Self::NAME, parameters)?;
        ImpulseResponse::new(rows, cols)
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(1)?.on_grid()?.complex().map(drop)
    }
}

described!(ImpulseResponse, Tiles);

impl Operation for ImpulseResponse {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!(
            "filter.impulse_response(bandwidth {} × {}, shift {} × {} px)",
            self.rows.bandwidth, self.cols.bandwidth, self.rows.shift, self.cols.shift
        )
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        Kind::C32
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out.shifted(-self.whole.0, -self.whole.1).grow(REACH, REACH)
    }

    fn compute(&self, _: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let pixels = inputs[0].c32();
        Ok(vec![Pixels::C32(convolve(
            pixels.view(),
            &self.row_taps,
            &self.col_taps,
        ))])
    }
}

/// Every band of a complex image through the impulse response; see `convolve`.
///
/// # Errors
/// Bands that are not complex; a bandwidth outside 0…1; a window coefficient outside 0.5…1; shifts that are not finite or
/// beyond 4096 pixels.
pub fn impulse_response(raster: &Raster, rows: Response, cols: Response) -> Result<Raster> {
    let operation: Arc<dyn Operation> = Arc::new(ImpulseResponse::new(rows, cols)?);
    if let Some(band) = raster.bands.iter().find(|b| !b.dtype.is_complex()) {
        return Err(Error::argument(
            format!("band `{}`", band.name),
            format!("complex; {}", Remedy::MakeComplex),
            band.dtype,
        ));
    }
    raster.map_tiles(|_| Ok(operation.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(bandwidth: f64, window: f64, shift: f64) -> Response {
        Response {
            bandwidth,
            window,
            shift,
        }
    }

    fn noise(rows: usize, cols: usize) -> Array2<Complex32> {
        let mut state = 7u64;
        let mut next = || {
            // Sum of twelve uniform numbers: nearly normal, variance 1.
            (0..12)
                .map(|_| {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    (state >> 40) as f32 / (1u64 << 24) as f32
                })
                .sum::<f32>()
                - 6.0
        };
        Array2::from_shape_fn((rows, cols), |_| Complex32::new(next(), next()) * 0.5f32.sqrt())
    }

    #[test]
    fn equals_the_double_sum() {
        let field = noise(60, 70);
        let (r, c) = (response(0.7, 0.75, 0.31), response(0.9, 1.0, -0.44));
        let out = convolve(field.view(), &r.taps().1, &c.taps().1);
        let (gr, gc) = (r.gain(), c.gain());
        for (row, col) in [(0, 0), (13, 20), (27, 37)] {
            let (mut re, mut im) = (0.0, 0.0);
            for i in 0..60 {
                for j in 0..70 {
                    let dy = (row + REACH) as f64 + -0.31 - i as f64;
                    let dx = (col + REACH) as f64 + 0.44 - j as f64;
                    // Beyond its reach in whole pixels the sum is cut, as the taps are.
                    if (i as isize - (row + REACH) as isize).unsigned_abs() > REACH
                        || (j as isize - (col + REACH) as isize).unsigned_abs() > REACH
                    {
                        continue;
                    }
                    let weight = gr * r.at(dy) * gc * c.at(dx);
                    re += weight * f64::from(field[(i, j)].re);
                    im += weight * f64::from(field[(i, j)].im);
                }
            }
            let z = out[(row, col)];
            assert!((f64::from(z.re) - re).abs() < 1e-5 && (f64::from(z.im) - im).abs() < 1e-5);
        }
    }

    #[test]
    fn keeps_the_power_of_white_noise() {
        let field = noise(400, 400);
        for shift in [0.0, 0.25, 0.5] {
            let r = response(0.8, 0.75, shift);
            let out = convolve(field.view(), &r.taps().1, &r.taps().1);
            let power = out.iter().map(|z| f64::from(z.norm_sqr())).sum::<f64>() / out.len() as f64;
            assert!((power - 1.0).abs() < 0.02, "{power}");
        }
    }

    #[test]
    fn a_whole_pixel_is_a_whole_pixel() {
        let (three, weights) = response(0.8, 1.0, 3.25).taps();
        let (less, same) = response(0.8, 1.0, -0.75).taps();
        assert_eq!((three, less), (3, -1));
        assert_eq!(weights, same);
    }

    /// The width of the peak at half power is 0.886/B of an unweighted sinc, as Cumming and Wong state.
    #[test]
    fn the_peak_is_as_wide_as_theory_says() {
        let r = response(0.5, 1.0, 0.0);
        let half = r.at(0.0) / 2f64.sqrt();
        let width = (0..40_000)
            .map(|i| i as f64 * 1e-4)
            .find(|&t| r.at(t) < half)
            .unwrap()
            * 2.0;
        // The taper takes a hundredth off.
        assert!((width - 0.99 * 0.886 / 0.5).abs() < 0.005, "{width}");
    }
}
