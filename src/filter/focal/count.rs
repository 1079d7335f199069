//! How many pixels of a class lie under a kernel, for a whole row of output pixels at once.

use super::kernel::FocalKernel;
use crate::interrupt;

/// Output columns that are counted together.
pub(super) const LANES: usize = 64;

/// A counter wide enough for the pixels of a kernel.
pub(super) trait Count: Copy + Default + Ord {
    const MIN: Self;
    const MAX: Self;
    fn from_usize(value: usize) -> Self;
    fn from_bool(value: bool) -> Self;
    fn to_usize(self) -> usize;
    fn plus(self, change: i8) -> Self;
    fn plus_unsigned(self, change: u8) -> Self;
}

macro_rules! count {
    ($type:ty) => {
        impl Count for $type {
            const MIN: Self = <$type>::MIN;
            const MAX: Self = <$type>::MAX;
            #[inline(always)]
            fn from_usize(value: usize) -> Self {
                value as $type
            }
            #[inline(always)]
            fn from_bool(value: bool) -> Self {
                <$type>::from(value)
            }
            #[inline(always)]
            fn to_usize(self) -> usize {
                self as usize
            }
            #[inline(always)]
            fn plus(self, change: i8) -> Self {
                self.wrapping_add(<$type>::from(change))
            }
            #[inline(always)]
            fn plus_unsigned(self, change: u8) -> Self {
                self.wrapping_add(<$type>::from(change))
            }
        }
    };
}
count!(i16);
count!(i32);

/// Takes the counts of one output row, columns `x0 .. x0 + LANES`.
pub(super) trait CountSink<C> {
    fn row(&mut self, y: usize, x0: usize, counts: &[C; LANES]);
}

/// A block of output pixels and the pixels around it, as the counting sees them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// Output rows and columns; the columns a multiple of `LANES`, the last ones perhaps outside the block.
    pub rows: usize,
    pub lanes: usize,
    /// Columns of a row of a class array: at least `lanes` + twice the halo.
    pub stride: usize,
}

/// Where the kernel's upper and lower edges are, relative to the class array's row above the window.
#[derive(Debug, Default)]
pub(super) struct Edges {
    hy: usize,
    hx: usize,
    half_widths: Vec<usize>,
    /// For each column of the kernel: (the pixel that a step down adds, the pixel that it drops).
    steps: Vec<(usize, usize)>,
    stride: usize,
}

impl Edges {
    pub fn new(kernel: &FocalKernel, stride: usize) -> Edges {
        let (hy, hx) = kernel.halo();
        let steps = (0..=2 * hx)
            .map(|dx| {
                let height = kernel.half_heights()[dx.abs_diff(hx)];
                ((hy + height + 1) * stride + dx, (hy - height) * stride + dx)
            })
            .collect();
        Edges {
            hy,
            hx,
            half_widths: kernel.half_widths().to_vec(),
            steps,
            stride,
        }
    }
}

/// Slides the kernel down `class` (1 for a pixel of the class, else 0; (rows + 2·hy) × stride) and hands the
/// counts of every row of every group of `LANES` columns to `sink`. Ends early once a stop was asked for.
#[inline(always)]
pub(super) fn slide<C: Count>(class: &[u8], extent: Extent, edges: &Edges, sink: &mut impl CountSink<C>) {
    let Extent { rows, lanes, stride } = extent;
    let (hy, hx) = (edges.hy, edges.hx);
    assert!(lanes % LANES == 0 && stride == edges.stride && stride >= lanes + 2 * hx);
    assert!(class.len() >= (rows + 2 * hy) * stride);
    for x0 in (0..lanes).step_by(LANES) {
        let mut counts = [C::default(); LANES];
        for j in 0..=2 * hy {
            let width = edges.half_widths[j.abs_diff(hy)];
            let (start, end) = (hx - width, hx + width + 1);
            // 255 ones are the most that a byte holds.
            for first in (start..end).step_by(255) {
                let mut sum = [0u8; LANES];
                for dx in first..end.min(first + 255) {
                    let pixels = lanes_at(class, j * stride + x0 + dx);
                    for i in 0..LANES {
                        sum[i] = sum[i].wrapping_add(pixels[i]);
                    }
                }
                for i in 0..LANES {
                    counts[i] = counts[i].plus_unsigned(sum[i]);
                }
            }
        }
        sink.row(0, x0, &counts);
        for y in 1..rows {
            if interrupt::requested() {
                return;
            }
            let above = (y - 1) * stride + x0;
            // 127 columns change a count by at most ±127, the most that a signed byte holds.
            for steps in edges.steps.chunks(127) {
                let mut change = [0u8; LANES];
                for &(added, dropped) in steps {
                    // SAFETY: `added` is at most (2·hy + 1)·stride + 2·hx and `above` at most (rows −
                    // 2)·stride + lanes − LANES, so the last byte read is below (rows +
                    // 2·hy)·stride − stride + lanes + 2·hx, which the assertions above
                    // keep within `class`; `dropped` is smaller than `added`.
                    let (added, dropped) = unsafe {
                        (
                            lanes_at_unchecked(class, above + added),
                            lanes_at_unchecked(class, above + dropped),
                        )
                    };
                    for i in 0..LANES {
                        change[i] = change[i].wrapping_add(added[i]).wrapping_sub(dropped[i]);
                    }
                }
                for i in 0..LANES {
                    counts[i] = counts[i].plus(change[i] as i8);
                }
            }
            sink.row(y, x0, &counts);
        }
    }
}

#[inline(always)]
fn lanes_at(class: &[u8], start: usize) -> &[u8; LANES] {
    assert!(start + LANES <= class.len());
    // SAFETY: just checked.
    unsafe { lanes_at_unchecked(class, start) }
}

/// # Safety
/// `start + LANES <= class.len()`.
#[inline(always)]
unsafe fn lanes_at_unchecked(class: &[u8], start: usize) -> &[u8; LANES] {
    debug_assert!(start + LANES <= class.len());
    // SAFETY: the caller's promise; [u8; N] has no alignment.
    unsafe { &*class.as_ptr().add(start).cast() }
}
