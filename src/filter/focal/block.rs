//! One block of output pixels of a rank filter: the steps that `rank` describes.

use ndarray::ArrayView2;

use super::count::{Count, CountSink, Edges, Extent, LANES, slide};
use super::rank::Plan;
use super::select::{Coordinate, Machine};
use super::sort::{item, place, sort, value};
use crate::interrupt;

/// The bucket of masked pixels and of the padding; thresholds never reach it.
const NO_BUCKET: u8 = u8::MAX;
/// Buckets are numbered 0 ..= 253.
const MAX_BUCKETS: usize = 254;

/// Words of 64 candidates that are searched together; a bucket is that large or larger by a power of 2.
const WORDS: usize = 2;

/// Integer widths that a kernel needs.
pub(super) trait Width {
    type Coordinate: Coordinate;
    type Count: Count;
}

/// One block of output pixels, and its working memory, which the next block uses again.
pub(super) struct Block<'a, W: Width> {
    plan: &'a Plan<'a>,
    pub extent: Extent,
    /// Output columns, at most `extent.lanes`.
    pub cols: usize,
    edges: Edges,
    /// The valid pixels, as sorted items.
    sorted: Vec<u64>,
    swap: Vec<u64>,
    /// log2 of the ranks in a bucket, at least that of `64 * WORDS`.
    shift: u32,
    /// Bucket of each pixel of the block, halo included.
    buckets: Vec<u8>,
    /// 1 where a pixel belongs to the class that is being counted.
    class: Vec<u8>,
    /// No pixel of the block is masked; then `valid` is not set.
    all_valid: bool,
    /// For each output pixel: valid pixels under the kernel; the order statistic wanted, from 0, or `MAX`
    /// where no output is wanted; the same or the next one where the result lies between two, `MIN`
    /// where no output is wanted.
    valid: Vec<W::Count>,
    wanted: Vec<W::Count>,
    wanted_last: Vec<W::Count>,
    /// Its bucket and how many pixels under the kernel lie in lower buckets.
    bucket_of: Vec<W::Count>,
    below: Vec<W::Count>,
    /// The ranks in buckets that some output pixel needs.
    band: std::ops::Range<usize>,
    /// The ranks of the band in each row of the block, halo included: `stride` places a row, of which the
    /// first `row_lengths` are used.
    row_ranks: Vec<u32>,
    row_lengths: Vec<u32>,
    /// For each rank of the band: its column; and half the kernel's width in its row plus one, 0 outside the
    /// kernel.
    columns: Vec<[W::Coordinate; 64]>,
    reaches: Vec<[W::Coordinate; 64]>,
    /// (row of the kernel, its half width plus one) where that differs from the row below's.
    changes: Vec<(usize, W::Coordinate)>,
}

impl<'a, W: Width> Block<'a, W> {
    /// What `new` allocates and `rank` fills.
    pub fn bytes(plan: &Plan) -> usize {
        let (hy, hx) = plan.kernel.halo();
        let lanes = plan.block_cols.next_multiple_of(LANES);
        let pixels = (plan.block_rows + 2 * hy) * (lanes + 2 * hx);
        let coordinate = size_of::<W::Coordinate>();
        // sorted, swap; buckets, class; row_ranks; columns, reaches.
        let each_pixel = 8 + 8 + 1 + 1 + 4 + 2 * coordinate;
        // valid, wanted, wanted_last, bucket_of, below.
        let each_output = 5 * size_of::<W::Count>();
        pixels * each_pixel + plan.block_rows * lanes * each_output
    }

    pub fn new(plan: &'a Plan<'a>) -> Self {
        let (hy, hx) = plan.kernel.halo();
        let lanes = plan.block_cols.next_multiple_of(LANES);
        let stride = lanes + 2 * hx;
        let pixels = (plan.block_rows + 2 * hy) * stride;
        let outputs = plan.block_rows * lanes;
        let half_widths = plan.kernel.half_widths();
        let changes = (0..=2 * hy)
            .filter(|&j| j == 2 * hy || half_widths[j.abs_diff(hy)] != half_widths[(j + 1).abs_diff(hy)])
            .map(|j| (j, Coordinate::from_usize(half_widths[j.abs_diff(hy)] + 1)))
            .collect();
        Block {
            plan,
            extent: Extent {
                rows: plan.block_rows,
                lanes,
                stride,
            },
            cols: plan.block_cols,
            edges: Edges::new(plan.kernel, stride),
            sorted: Vec::with_capacity(pixels),
            swap: Vec::with_capacity(pixels),
            shift: 6,
            buckets: vec![NO_BUCKET; pixels],
            class: vec![0; pixels],
            all_valid: false,
            valid: vec![W::Count::default(); outputs],
            wanted: vec![W::Count::default(); outputs],
            wanted_last: vec![W::Count::default(); outputs],
            bucket_of: vec![W::Count::default(); outputs],
            below: vec![W::Count::default(); outputs],
            band: 0..0,
            row_ranks: vec![0; pixels],
            row_lengths: vec![0; plan.block_rows + 2 * hy],
            columns: vec![[W::Coordinate::default(); 64]; pixels.next_multiple_of(64 * WORDS) / 64],
            reaches: vec![[W::Coordinate::default(); 64]; pixels.next_multiple_of(64 * WORDS) / 64],
            changes,
        }
    }

    /// Sorts the valid pixels and puts them into buckets. False when there is none.
    #[inline(always)]
    pub fn rank(&mut self, around: ArrayView2<f32>) -> bool {
        self.sorted.resize(around.len(), 0);
        let mut n = 0;
        for (y, row) in around.rows().into_iter().enumerate() {
            for (x, &value) in row.iter().enumerate() {
                // Written always and kept when valid, for want of a branch.
                self.sorted[n] = item(value, y, x);
                n += value.is_finite() as usize;
            }
        }
        self.sorted.truncate(n);
        if self.sorted.is_empty() {
            return false;
        }
        sort(&mut self.sorted, &mut self.swap);
        let buckets = self.sorted.len().div_ceil(64 * WORDS);
        self.shift = (64 * WORDS * buckets.div_ceil(MAX_BUCKETS).next_power_of_two()).ilog2();
        self.buckets.fill(NO_BUCKET);
        for (rank, &item) in self.sorted.iter().enumerate() {
            let (y, x) = place(item);
            self.buckets[y * self.extent.stride + x] = (rank >> self.shift) as u8;
        }
        true
    }

    /// Decides which order statistic each output pixel wants. False when none wants any.
    #[inline(always)]
    pub fn aim(&mut self, around: ArrayView2<f32>) -> bool {
        let (hy, hx) = self.plan.kernel.halo();
        let Extent { rows, lanes, stride } = self.extent;
        let outputs = rows * lanes;
        self.wanted[..outputs].fill(W::Count::MAX);
        self.wanted_last[..outputs].fill(W::Count::MIN);
        self.all_valid = self.sorted.len() == around.len();
        if self.all_valid {
            let (k, fraction) = self.plan.full;
            for y in 0..rows {
                let row = y * lanes..y * lanes + self.cols;
                self.wanted[row.clone()].fill(W::Count::from_usize(k));
                self.wanted_last[row].fill(W::Count::from_usize(k + (fraction > 0.0) as usize));
            }
            return true;
        }
        for (class, &bucket) in self.class.iter_mut().zip(&self.buckets) {
            *class = (bucket != NO_BUCKET) as u8;
        }
        let mut sink = Store {
            counts: &mut self.valid,
            lanes,
        };
        slide(&self.class, self.extent, &self.edges, &mut sink);
        let mut any = false;
        for y in 0..rows {
            let row = y * lanes..y * lanes + self.cols;
            let centres = &self.buckets[(y + hy) * stride + hx..][..self.cols];
            let outputs = self.wanted[row.clone()]
                .iter_mut()
                .zip(&mut self.wanted_last[row.clone()]);
            for (((wanted, last), valid), &centre) in outputs.zip(&self.valid[row]).zip(centres) {
                if centre != NO_BUCKET {
                    let (k, fraction) = self.plan.position(valid.to_usize());
                    *wanted = W::Count::from_usize(k);
                    *last = W::Count::from_usize(k + (fraction > 0.0) as usize);
                    any = true;
                }
            }
        }
        any
    }

    /// Finds the bucket of every output pixel's order statistic, and the band of buckets that hold one. Ends early once
    /// a stop was asked for.
    #[inline(always)]
    pub fn find_buckets(&mut self) {
        let outputs = self.extent.rows * self.extent.lanes;
        self.bucket_of[..outputs].fill(W::Count::default());
        self.below[..outputs].fill(W::Count::default());
        let buckets = ((self.sorted.len() - 1) >> self.shift) + 1;
        let (mut lowest, mut highest) = (0, buckets);
        let first = ((self.plan.quantile * buckets as f64).round() as usize).clamp(1, buckets);
        for threshold in first..buckets {
            if interrupt::requested() {
                return;
            }
            if !self.try_threshold(threshold as u8).0 {
                highest = threshold;
                break;
            }
        }
        for threshold in (1..first).rev() {
            if interrupt::requested() {
                return;
            }
            if !self.try_threshold(threshold as u8).1 {
                lowest = threshold;
                break;
            }
        }
        self.band = lowest << self.shift..(highest << self.shift).min(self.sorted.len());
    }

    /// Notes the output pixels whose order statistic lies at or above the threshold. Returns whether there is
    /// any such (where two are wanted, by the upper one), and whether there is any below.
    #[inline(always)]
    fn try_threshold(&mut self, threshold: u8) -> (bool, bool) {
        for (class, &bucket) in self.class.iter_mut().zip(&self.buckets) {
            *class = (bucket < threshold) as u8;
        }
        let mut sink = Compare {
            threshold,
            lanes: self.extent.lanes,
            wanted: &self.wanted,
            wanted_last: &self.wanted_last,
            bucket_of: &mut self.bucket_of,
            below: &mut self.below,
            any_above: false,
            any_below: false,
        };
        slide(&self.class, self.extent, &self.edges, &mut sink);
        (sink.any_above, sink.any_below)
    }

    /// Lists the pixels of the band by row.
    #[inline(always)]
    pub fn gather(&mut self) {
        let stride = self.extent.stride;
        self.row_lengths.fill(0);
        for rank in self.band.clone() {
            let (y, x) = place(self.sorted[rank]);
            self.columns[rank / 64][rank % 64] = Coordinate::from_usize(x);
            let length = &mut self.row_lengths[y];
            self.row_ranks[y * stride + *length as usize] = rank as u32;
            *length += 1;
        }
        // The band starts at a bucket and so at a whole word.
        let words = self.band.start / 64..self.band.end.next_multiple_of(64 * WORDS) / 64;
        self.reaches[words].fill([W::Coordinate::default(); 64]);
    }

    /// Renews the reaches for output row `y`, after row `y - 1`.
    #[inline(always)]
    pub fn reach(&mut self, y: usize) {
        if y == 0 {
            let (hy, _) = self.plan.kernel.halo();
            let half_widths = self.plan.kernel.half_widths();
            for j in 0..=2 * hy {
                self.set_reach(j, Coordinate::from_usize(half_widths[j.abs_diff(hy)] + 1));
            }
            return;
        }
        self.set_reach(y - 1, W::Coordinate::default());
        for i in 0..self.changes.len() {
            let (j, reach) = self.changes[i];
            self.set_reach(y + j, reach);
        }
    }

    #[inline(always)]
    fn set_reach(&mut self, y: usize, reach: W::Coordinate) {
        let start = y * self.extent.stride;
        let reaches = self.reaches.as_flattened_mut();
        for &rank in &self.row_ranks[start..start + self.row_lengths[y] as usize] {
            reaches[rank as usize] = reach;
        }
    }

    /// Which of the `64 * WORDS` ranks from word `at` lie under the kernel.
    #[inline(always)]
    fn members<M: Machine<W::Coordinate>>(&self, at: usize, centre: W::Coordinate) -> [u64; WORDS] {
        let columns = &self.columns[at..at + WORDS];
        let reaches = &self.reaches[at..at + WORDS];
        // Not `array::from_fn`: its closure would not be compiled for the caller's instruction set.
        let mut words = [0; WORDS];
        for (i, word) in words.iter_mut().enumerate() {
            *word = M::members(&columns[i], &reaches[i], centre);
        }
        words
    }

    /// Finds the order statistics of output row `y`.
    #[inline(always)]
    pub fn select_row<M: Machine<W::Coordinate>>(&self, y: usize, out: &mut [f32]) {
        let (_, hx) = self.plan.kernel.halo();
        let row = y * self.extent.lanes..y * self.extent.lanes + self.cols;
        let wanted = &self.wanted[row.clone()];
        let below = &self.below[row.clone()];
        let bucket_of = &self.bucket_of[row.clone()];
        let valid = &self.valid[row];
        for (x, out) in out.iter_mut().enumerate().take(self.cols) {
            if wanted[x] == W::Count::MAX {
                continue;
            }
            let centre = W::Coordinate::from_usize(x + hx);
            let mut k = (wanted[x].to_usize() - below[x].to_usize()) as u32;
            let mut at = bucket_of[x].to_usize() << (self.shift - 6);
            let mut words = self.members::<M>(at, centre);
            while words.iter().map(|w| w.count_ones()).sum::<u32>() <= k {
                k -= words.iter().map(|w| w.count_ones()).sum::<u32>();
                at += WORDS;
                words = self.members::<M>(at, centre);
            }
            // Which word of the few is found without a branch, because no branch predictor could know.
            let (mut word, mut first, mut index) = (words[0], 0, 0);
            let mut total = 0;
            for i in 1..WORDS {
                total += words[i - 1].count_ones();
                let beyond = total <= k;
                word = if beyond { words[i] } else { word };
                first = if beyond { total } else { first };
                index = if beyond { i } else { index };
            }
            at += index;
            let bit = M::select(word, k - first);
            let low = value(self.sorted[at * 64 + bit as usize]);
            let fraction = match self.all_valid {
                true => self.plan.full.1,
                false => self.plan.position(valid[x].to_usize()).1,
            };
            *out = if fraction == 0.0 {
                low
            } else {
                // All bits above `bit`; the shift by up to 64 in two steps.
                word &= u64::MAX << bit << 1;
                while word == 0 {
                    at += 1;
                    word = M::members(&self.columns[at], &self.reaches[at], centre);
                }
                let high = value(self.sorted[at * 64 + word.trailing_zeros() as usize]);
                (f64::from(low) + (f64::from(high) - f64::from(low)) * fraction) as f32
            };
        }
    }
}

struct Store<'a, C> {
    counts: &'a mut [C],
    lanes: usize,
}

impl<C: Count> CountSink<C> for Store<'_, C> {
    #[inline(always)]
    fn row(&mut self, y: usize, x0: usize, counts: &[C; LANES]) {
        let start = y * self.lanes + x0;
        self.counts[start..start + LANES].copy_from_slice(counts);
    }
}

struct Compare<'a, C> {
    threshold: u8,
    lanes: usize,
    wanted: &'a [C],
    wanted_last: &'a [C],
    bucket_of: &'a mut [C],
    below: &'a mut [C],
    any_above: bool,
    any_below: bool,
}

impl<C: Count> CountSink<C> for Compare<'_, C> {
    #[inline(always)]
    fn row(&mut self, y: usize, x0: usize, counts: &[C; LANES]) {
        let start = y * self.lanes + x0;
        let wanted = lanes(self.wanted, start);
        let wanted_last = lanes(self.wanted_last, start);
        let bucket_of = lanes_mut(self.bucket_of, start);
        let below = lanes_mut(self.below, start);
        let threshold = C::from_usize(self.threshold as usize);
        let (mut any_above, mut any_below) = (C::default(), C::default());
        for i in 0..LANES {
            // Counts grow with the threshold: of the thresholds at or below the order statistic, the highest
            // has the largest count.
            let at_or_above = counts[i] <= wanted[i];
            bucket_of[i] = bucket_of[i].max(if at_or_above { threshold } else { C::default() });
            below[i] = below[i].max(if at_or_above { counts[i] } else { C::default() });
            any_below = any_below.max(C::from_bool(!at_or_above));
            any_above = any_above.max(C::from_bool(counts[i] <= wanted_last[i]));
        }
        self.any_above |= any_above != C::default();
        self.any_below |= any_below != C::default();
    }
}

#[inline(always)]
fn lanes<C>(all: &[C], start: usize) -> &[C; LANES] {
    all[start..]
        .first_chunk()
        .expect("rows are whole groups of lanes")
}

#[inline(always)]
fn lanes_mut<C>(all: &mut [C], start: usize) -> &mut [C; LANES] {
    all[start..]
        .first_chunk_mut()
        .expect("rows are whole groups of lanes")
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::rank::{Narrow, Wide};
    use super::*;

    fn allocated<T>(v: &Vec<T>) -> usize {
        v.capacity() * size_of::<T>()
    }

    fn measured<W: Width>(plan: &Plan) -> usize {
        let (hy, hx) = plan.kernel.halo();
        let shape = (plan.block_rows + 2 * hy, plan.block_cols + 2 * hx);
        let pixels = Array2::from_shape_fn(shape, |(y, x)| ((x * 7919 + y * 104_729) % 65_521) as f32);
        let mut block = Block::<W>::new(plan);
        assert!(block.rank(pixels.view()) && block.aim(pixels.view()));
        block.find_buckets();
        block.gather();
        [
            allocated(&block.sorted),
            allocated(&block.swap),
            allocated(&block.buckets),
            allocated(&block.class),
            allocated(&block.valid),
            allocated(&block.wanted),
            allocated(&block.wanted_last),
            allocated(&block.bucket_of),
            allocated(&block.below),
            allocated(&block.row_ranks),
            allocated(&block.row_lengths),
            allocated(&block.columns),
            allocated(&block.reaches),
            allocated(&block.changes),
        ]
        .iter()
        .sum()
    }

    #[test]
    fn the_memory_that_is_announced_is_what_is_taken() {
        for (radius, shape) in [
            (3.0, (512, 512)),
            (60.0, (512, 512)),
            (200.0, (512, 512)),
            (200.0, (16, 16)),
        ] {
            let kernel = crate::filter::focal::FocalKernel::circle(radius).unwrap();
            let (plan, narrow) = Plan::new(&kernel, 0.5, shape);
            let (announced, taken) = match narrow {
                true => (Block::<Narrow>::bytes(&plan), measured::<Narrow>(&plan)),
                false => (Block::<Wide>::bytes(&plan), measured::<Wide>(&plan)),
            };
            let ratio = announced as f64 / taken as f64;
            assert!(
                (0.95..1.1).contains(&ratio),
                "radius {radius} of {shape:?}: {announced} of {taken}"
            );
        }
    }
}
