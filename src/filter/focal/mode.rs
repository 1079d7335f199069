//! The most frequent value under a kernel.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::count::{Count, CountSink, Edges, Extent, LANES, slide};
use super::kernel::FocalKernel;
use super::rank::parts;
use super::sort::{item, place, sort, value};
use crate::interrupt;

/// Output rows of a block.
const BLOCK_ROWS: usize = 64;
/// Up to so many different values in a block, each is counted by itself over the whole block; beyond, the
/// kernel slides.
const FEW: usize = 128;
const MASKED: u32 = u32::MAX;

/// The most frequent valid value under the kernel, the smallest of those that are equally frequent.
pub(super) fn mode(padded: ArrayView2<f32>, kernel: &FocalKernel) -> Array2<f32> {
    let (hy, hx) = kernel.halo();
    let rows = padded.nrows().saturating_sub(2 * hy);
    let cols = padded.ncols().saturating_sub(2 * hx);
    let mut out = Array2::from_elem((rows, cols), f32::NAN);
    if out.is_empty() {
        return out;
    }
    let stride = LANES + 2 * hx;
    let edges = Edges::new(kernel, stride);
    let mut block = Block::default();
    for (y, block_rows) in parts(rows, BLOCK_ROWS) {
        for (x, block_cols) in parts(cols, LANES) {
            let around = padded.slice(ndarray::s![
                y..y + block_rows + 2 * hy,
                x..x + block_cols + 2 * hx
            ]);
            block.number(around, stride);
            let extent = Extent {
                rows: block_rows,
                lanes: LANES,
                stride,
            };
            if block.values.len() > FEW {
                block.slide_kernel(kernel, extent, block_cols);
            } else if kernel.pixels() <= i16::MAX as usize {
                count_each::<i16>(&mut block, extent, &edges);
            } else {
                count_each::<i32>(&mut block, extent, &edges);
            }
            if interrupt::requested() {
                return out;
            }
            for (i, out) in out
                .slice_mut(ndarray::s![y..y + block_rows, x..x + block_cols])
                .indexed_iter_mut()
            {
                if around[[i.0 + hy, i.1 + hx]].is_finite() {
                    *out = block.values[block.best[i.0 * LANES + i.1] as usize];
                }
            }
        }
    }
    out
}

/// Bytes that `mode` allocates for (rows, cols) of output.
pub(super) fn scratch_bytes(kernel: &FocalKernel, (rows, _): (usize, usize)) -> usize {
    let (hy, hx) = kernel.halo();
    let block_rows = rows.min(BLOCK_ROWS);
    let pixels = (block_rows + 2 * hy) * (LANES + 2 * hx);
    // Items twice, numbers, and of many values the values with their counts. (Of few values, a class.)
    let block = pixels * (8 + 8 + 4 + 4 + 4);
    block + 4 * kernel.pixels() + block_rows * LANES * (4 + 4 + 4)
}

#[derive(Default)]
struct Block {
    sorted: Vec<u64>,
    swap: Vec<u64>,
    /// The different values, growing; a value's place is its number.
    values: Vec<f32>,
    /// The number of each pixel of the block, halo included, or `MASKED`.
    numbers: Vec<u32>,
    /// For each output pixel, the number of its mode (any number where there is none).
    best: Vec<u32>,
}

impl Block {
    fn number(&mut self, around: ArrayView2<f32>, stride: usize) {
        self.sorted.clear();
        for ((y, x), &value) in around.indexed_iter() {
            if value.is_finite() {
                // Adding 0 makes −0 and 0 one value.
                self.sorted.push(item(value + 0.0, y, x));
            }
        }
        sort(&mut self.sorted, &mut self.swap);
        self.values.clear();
        self.numbers.clear();
        self.numbers.resize(around.nrows() * stride, MASKED);
        self.best.clear();
        self.best.resize(BLOCK_ROWS * LANES, 0);
        for &item in &self.sorted {
            if self.values.last() != Some(&value(item)) {
                self.values.push(value(item));
            }
            let (y, x) = place(item);
            self.numbers[y * stride + x] = self.values.len() as u32 - 1;
        }
    }

    /// For many values: the count of each goes up and down with the pixels that enter and leave the kernel,
    /// and how many values have each count is kept, so that the highest count is known at any time. The
    /// smallest value that has it is looked for.
    fn slide_kernel(&mut self, kernel: &FocalKernel, extent: Extent, cols: usize) {
        let (hy, hx) = kernel.halo();
        let half_widths = kernel.half_widths();
        let mut counts = Counts::new(self.values.len(), kernel.pixels());
        for y in 0..extent.rows {
            counts.clear();
            for j in 0..=2 * hy {
                let width = half_widths[j.abs_diff(hy)];
                let row = (y + j) * extent.stride + hx;
                for &number in &self.numbers[row - width..=row + width] {
                    counts.add(number);
                }
            }
            self.best[y * LANES] = counts.mode();
            for x in 1..cols {
                if interrupt::requested() {
                    return;
                }
                for j in 0..=2 * hy {
                    let width = half_widths[j.abs_diff(hy)];
                    let row = (y + j) * extent.stride + hx + x;
                    counts.drop(self.numbers[row - 1 - width]);
                    counts.add(self.numbers[row + width]);
                }
                self.best[y * LANES + x] = counts.mode();
            }
        }
    }
}

/// How often each value occurs.
struct Counts {
    of_value: Vec<u32>,
    /// How many values occur that often.
    values_with: Vec<u32>,
    highest: u32,
}

impl Counts {
    fn new(values: usize, pixels: usize) -> Counts {
        Counts {
            of_value: vec![0; values],
            values_with: vec![0; pixels + 1],
            highest: 0,
        }
    }

    fn clear(&mut self) {
        self.of_value.fill(0);
        self.values_with.fill(0);
        self.values_with[0] = self.of_value.len() as u32;
        self.highest = 0;
    }

    fn add(&mut self, number: u32) {
        if number != MASKED {
            let count = &mut self.of_value[number as usize];
            self.values_with[*count as usize] -= 1;
            *count += 1;
            self.values_with[*count as usize] += 1;
            self.highest = self.highest.max(*count);
        }
    }

    fn drop(&mut self, number: u32) {
        if number != MASKED {
            let count = &mut self.of_value[number as usize];
            self.values_with[*count as usize] -= 1;
            *count -= 1;
            self.values_with[*count as usize] += 1;
            // The value itself now has one less, so the next lower count is in use.
            self.highest -= (self.values_with[self.highest as usize] == 0) as u32;
        }
    }

    fn mode(&self) -> u32 {
        const CHUNK: usize = 64;
        let has_highest = |chunk: &[u32]| {
            chunk
                .iter()
                .fold(false, |any, &count| any | (count == self.highest))
        };
        let mut start = 0;
        for chunk in self.of_value.chunks(CHUNK) {
            if has_highest(chunk) {
                let within = chunk.iter().position(|&count| count == self.highest);
                return (start + within.unwrap_or_default()) as u32;
            }
            start += CHUNK;
        }
        0
    }
}

/// For few values: counts each over the whole block.
#[multiversion(targets("x86_64+avx2"))]
fn count_each<C: Count>(block: &mut Block, extent: Extent, edges: &Edges) {
    let outputs = extent.rows * extent.lanes;
    let mut class = vec![0u8; block.numbers.len()];
    let mut highest = vec![C::default(); outputs];
    let mut best = vec![C::default(); outputs];
    for number in 0..block.values.len() {
        if interrupt::requested() {
            return;
        }
        for (class, &other) in class.iter_mut().zip(&block.numbers) {
            *class = (other == number as u32) as u8;
        }
        let mut sink = KeepHighest {
            number: C::from_usize(number),
            highest: &mut highest,
            best: &mut best,
        };
        slide(&class, extent, edges, &mut sink);
    }
    for (to, best) in block.best.iter_mut().zip(best) {
        *to = best.to_usize() as u32;
    }
}

struct KeepHighest<'a, C> {
    number: C,
    highest: &'a mut [C],
    best: &'a mut [C],
}

impl<C: Count> CountSink<C> for KeepHighest<'_, C> {
    #[inline(always)]
    fn row(&mut self, y: usize, x0: usize, counts: &[C; LANES]) {
        let row = y * LANES + x0..y * LANES + x0 + LANES;
        let highest = &mut self.highest[row.clone()];
        let best = &mut self.best[row];
        for i in 0..LANES {
            // Strictly more often: of equals, the smaller value was first.
            best[i] = if counts[i] > highest[i] {
                self.number
            } else {
                best[i]
            };
            highest[i] = highest[i].max(counts[i]);
        }
    }
}
