//! Order statistics (median, percentiles) of the pixels under a kernel, exact, without sorting any window.
//!
//! The image is cut into blocks of output pixels. A block's pixels, halo included, are sorted once, so that
//! every one has a rank of its own and the search for a value becomes a search for a rank (Suomela 2014,
//! "Median Filtering is Equivalent to Sorting", arXiv:1406.1717, has this step). Consecutive ranks form
//! buckets. Then, for every output pixel:
//!
//! 1. Which bucket holds the wanted pixel? For a threshold between two buckets, the number of pixels below it
//!    under the kernel is counted for a whole row of output pixels at a time, from the row above, by adding
//!    the pixels that enter and dropping those that leave (`count`). The thresholds begin at the block's own
//!    quantile and go up and down only as far as some output pixel of the block needs.
//! 2. Which pixel of the bucket? A pixel of the block lies under the kernel when its column is near enough to
//!    the centre's; how near depends on its row, and is renewed, from one output row to the next, in the few
//!    rows where it changes. 64 candidates are tested at once, and the k-th that lies under the kernel is the
//!    answer (`select`).
//!
//! How the values are spread does not matter, since only ranks are compared; the data decide how many
//! thresholds are tried, and nothing else.

use ndarray::{Array2, ArrayView2};

use super::block::{Block, Width};
use super::count::LANES;
use super::kernel::FocalKernel;
use super::select::{Machine, Portable};
use crate::interrupt;

/// Blocks of at most 255 columns, halo included, and kernels of at most 32767 pixels.
pub(super) struct Narrow;

impl Width for Narrow {
    type Coordinate = u8;
    type Count = i16;
}

/// Any kernel that `FocalKernel` admits.
pub(super) struct Wide;

impl Width for Wide {
    type Coordinate = u16;
    type Count = i32;
}

/// The `quantile` (0 to 1) of the valid pixels under the kernel, for every pixel that is itself valid; NaN
/// elsewhere. Between two order statistics the result is interpolated linearly. `padded` is the output window
/// grown by the kernel's halo.
pub(super) fn quantile(padded: ArrayView2<f32>, kernel: &FocalKernel, quantile: f64) -> Array2<f32> {
    let (hy, hx) = kernel.halo();
    let shape = (
        padded.nrows().saturating_sub(2 * hy),
        padded.ncols().saturating_sub(2 * hx),
    );
    let (plan, narrow) = Plan::new(kernel, quantile, shape);
    #[cfg(target_arch = "x86_64")]
    if super::select::Avx2::available() {
        // SAFETY: the features were just checked.
        return unsafe {
            if narrow {
                filter_avx2::<Narrow>(padded, &plan)
            } else {
                filter_avx2::<Wide>(padded, &plan)
            }
        };
    }
    if narrow {
        filter::<Narrow, Portable>(padded, &plan)
    } else {
        filter::<Wide, Portable>(padded, &plan)
    }
}

/// Bytes that `quantile` allocates for (rows, cols) of output.
pub(super) fn scratch_bytes(kernel: &FocalKernel, shape: (usize, usize)) -> usize {
    let (plan, narrow) = Plan::new(kernel, 0.5, shape);
    match narrow {
        true => Block::<Narrow>::bytes(&plan),
        false => Block::<Wide>::bytes(&plan),
    }
}

/// `quantile` as machines without AVX2 compute it, in both widths where the kernel allows both, and in blocks
/// so large that buckets are too.
#[cfg(test)]
pub(super) fn quantile_portable(
    padded: ArrayView2<f32>,
    kernel: &FocalKernel,
    quantile: f64,
) -> Vec<Array2<f32>> {
    let (plan, narrow) = Plan::new(kernel, quantile, (usize::MAX, usize::MAX));
    let mut out = vec![filter::<Wide, Portable>(padded, &plan)];
    if narrow {
        out.push(filter::<Narrow, Portable>(padded, &plan));
    }
    let large = Plan {
        block_rows: 512,
        block_cols: 512,
        ..plan
    };
    out.push(filter::<Wide, Portable>(padded, &large));
    out
}

/// What is computed, and in which blocks.
pub(super) struct Plan<'a> {
    pub kernel: &'a FocalKernel,
    pub quantile: f64,
    /// `position` where no pixel under the kernel is masked.
    pub full: (usize, f64),
    pub block_rows: usize,
    pub block_cols: usize,
}

impl Plan<'_> {
    /// How to cut (rows, cols) of output into blocks, and whether narrow integers suffice for them.
    pub fn new(kernel: &FocalKernel, quantile: f64, (rows, cols): (usize, usize)) -> (Plan<'_>, bool) {
        let (hy, hx) = kernel.halo();
        let narrow = LANES + 2 * hx <= 255 && kernel.pixels() <= i16::MAX as usize;
        // Taller and wider blocks waste less on the halo, larger ones need more thresholds.
        let block_rows = (3 * hy).clamp(64, 256).min(rows);
        let block_cols = if narrow {
            LANES
        } else {
            (3 * hx).min(cols).clamp(LANES, 1024).next_multiple_of(LANES)
        };
        let plan = Plan {
            kernel,
            quantile,
            full: position(quantile, kernel.pixels()),
            block_rows,
            block_cols,
        };
        (plan, narrow)
    }

    /// The order statistic below the quantile of `n` values, from 0, and how far the quantile lies towards
    /// the next one.
    #[inline(always)]
    pub fn position(&self, n: usize) -> (usize, f64) {
        position(self.quantile, n)
    }
}

#[inline(always)]
fn position(quantile: f64, n: usize) -> (usize, f64) {
    // At most 1025² pixels are under a kernel; conversions from and to 32 bits are much faster than those of
    // 64.
    let position = quantile * f64::from((n as i32 - 1).max(0));
    let whole = position as i32;
    (whole as usize, position - f64::from(whole))
}

/// # Safety
/// `Avx2::available()`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
fn filter_avx2<W: Width>(padded: ArrayView2<f32>, plan: &Plan) -> Array2<f32>
where
    super::select::Avx2: Machine<W::Coordinate>,
{
    filter::<W, super::select::Avx2>(padded, plan)
}

#[inline(always)]
fn filter<W: Width, M: Machine<W::Coordinate>>(padded: ArrayView2<f32>, plan: &Plan) -> Array2<f32> {
    let (hy, hx) = plan.kernel.halo();
    let rows = padded.nrows().saturating_sub(2 * hy);
    let cols = padded.ncols().saturating_sub(2 * hx);
    let mut out = Array2::from_elem((rows, cols), f32::NAN);
    if rows == 0 || cols == 0 {
        return out;
    }
    let mut block = Block::<W>::new(plan);
    for (y, block_rows) in parts(rows, plan.block_rows) {
        for (x, block_cols) in parts(cols, plan.block_cols) {
            let around = padded.slice(ndarray::s![
                y..y + block_rows + 2 * hy,
                x..x + block_cols + 2 * hx
            ]);
            let mut part = out.slice_mut(ndarray::s![y..y + block_rows, x..x + block_cols]);
            block.extent.rows = block_rows;
            block.cols = block_cols;
            if block.rank(around) && block.aim(around) {
                block.find_buckets();
                // Counts that were not finished lead nowhere.
                if interrupt::requested() {
                    return out;
                }
                block.gather();
                for row in 0..block_rows {
                    if interrupt::requested() {
                        return out;
                    }
                    block.reach(row);
                    block.select_row::<M>(row, part.row_mut(row).as_slice_mut().unwrap_or_default());
                }
            }
        }
    }
    out
}

/// `length` cut into parts of nearly the same size, none longer than `longest`: (start, size).
pub(super) fn parts(length: usize, longest: usize) -> impl Iterator<Item = (usize, usize)> {
    let n = length.div_ceil(longest);
    (0..n).map(move |i| {
        let (start, end) = (i * length / n, (i + 1) * length / n);
        (start, end - start)
    })
}
