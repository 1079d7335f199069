//! The first correlation with the rounding of ISCE2's ampcor, which sums products one after the other in single precision:
//! its signal-to-noise ratios and covariances are recovered to their last digits only so.

use multiversion::multiversion;

use crate::correlation::cross::Image;
use crate::correlation::ncc::BoxSums;
use crate::correlation::surface::Surface;

/// Shifts across that are summed beside each other, each in its own order.
const LANES: usize = 16;
/// Shifts down that are summed beside each other, so that no addition waits for the one before.
const DOWN: usize = 8;

/// As `Ncc::surface` with the moments of ISCE2: mean and deviation of the template over its non-zero pixels, all pixels in
/// the products; 0 where the search window has no variance.
pub(super) fn surface(
    template: Image<'_>,
    search: Image<'_>,
    box_sums: &mut BoxSums,
    padded: &mut Vec<f32>,
    out: &mut Surface,
) -> bool {
    let (down, across) = (search.rows + 1 - template.rows, search.cols + 1 - template.cols);
    out.reset(down, across);
    let Some((mean, deviation)) = moments(template.values) else {
        return false;
    };
    // Lanes read past the last shift, and past the image.
    let stride = search.cols + LANES;
    padded.clear();
    padded.resize(search.rows * stride, 0.0);
    for (to, from) in padded
        .chunks_exact_mut(stride)
        .zip(search.values.chunks_exact(search.cols))
    {
        to[..search.cols].copy_from_slice(from);
    }
    box_sums.run(search, template.rows, template.cols);
    let count = template.values.len() as f64;
    for n in (0..down).step_by(DOWN) {
        let rows = DOWN.min(down - n);
        for m in (0..across).step_by(LANES) {
            let products = sum_in_order(template, &padded[n * stride + m..], stride, rows);
            for (k, lanes) in products.iter().enumerate().take(rows) {
                for (lane, product) in lanes.iter().enumerate().take(across - m) {
                    let at = (n + k) * across + m + lane;
                    let (s, s2) = (box_sums.sums[at], box_sums.squares[at]);
                    let variance = count * s2 - s * s;
                    out.values[at] = match variance > 0.0 {
                        true => (f64::from(*product) - mean * s) / (deviation * variance.sqrt()),
                        false => 0.0,
                    };
                }
            }
        }
    }
    true
}

/// Mean and standard deviation of the pixels that are not 0.
fn moments(values: &[f32]) -> Option<(f64, f64)> {
    let (mut n, mut sum, mut squares) = (0u32, 0f32, 0f32);
    for &v in values {
        n += u32::from(v != 0.0);
        sum += v;
        squares += v * v;
    }
    let mean = sum / n.max(1) as f32;
    let variance = squares / n.max(1) as f32 - mean * mean;
    (variance > 0.0).then(|| (f64::from(mean), f64::from(variance.sqrt())))
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn sum_in_order(template: Image<'_>, search: &[f32], stride: usize, rows: usize) -> [[f32; LANES]; DOWN] {
    let mut sums = [[0f32; LANES]; DOWN];
    for (i, line) in template.values.chunks_exact(template.cols).enumerate() {
        let starts: [usize; DOWN] = std::array::from_fn(|k| (i + k.min(rows - 1)) * stride);
        let lines: [&[f32]; DOWN] =
            std::array::from_fn(|k| &search[starts[k]..][..template.cols + LANES - 1]);
        for (j, &a) in line.iter().enumerate() {
            for k in 0..DOWN {
                let b = &lines[k][j..j + LANES];
                for lane in 0..LANES {
                    sums[k][lane] += a * b[lane];
                }
            }
        }
    }
    sums
}
