//! Sums of products of a template with a search image at every shift: what every normalised correlation is made of.
//!
//! Directly, for what it costs is far below that of Fourier transforms while the shifts are few: a block of
//! `DOWN` × `ACROSS` shifts stays in registers, so each vector loaded takes part in several products. Where the shifts are many,
//! vectors run over them rather than over the template, see `dot`.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;

use super::dot::{DotF32, Shape};

/// A real image in row-major order without gaps.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    pub rows: usize,
    pub cols: usize,
    pub values: &'a [f32],
}

impl<'a> Image<'a> {
    /// `values` must hold rows × cols values.
    pub fn new(rows: usize, cols: usize, values: &'a [f32]) -> Image<'a> {
        debug_assert_eq!(values.len(), rows * cols);
        Image { rows, cols, values }
    }
}

/// Working memory, which the next call uses again.
#[derive(Debug, Default)]
pub struct CrossCorrelator {
    /// The template between `BORDER` rows of zeros, its rows filled up with zeros to whole vectors.
    template: Vec<f32>,
    search: Vec<f32>,
    sums: Vec<f64>,
    along: DotF32,
    part: Vec<f32>,
}

/// Rows of zeros above and below the template: one less than the most shifts down that a block has.
const BORDER: usize = 2;
/// Columns are filled up to a multiple of this, the longest vector.
const LONGEST: usize = 16;
/// Reads may go this far past the last column of the search image.
const MARGIN: usize = LONGEST + 8;
/// Values of the search image between two additions to the double-precision sums: they stay in the first-level
/// cache with their rows of the template, and no single-precision sum gets long.
const STRIP: usize = 4096;
/// So many shifts across fill vectors of their own: with fewer, what fills up the last vector costs more than sums over lanes do.
const MANY: usize = 48;

impl CrossCorrelator {
    /// Σ template[i, j] · search[i + n, j + m] for n in 0..=search.rows − template.rows and m in
    /// 0..=search.cols − template.cols; n counts rows of the answer, m its columns. Products are summed in single
    /// precision over some thousand pixels, then in double. The search image must not be smaller than the template.
    pub fn correlate(&mut self, template: Image<'_>, search: Image<'_>) -> &[f64] {
        let (down, across) = (search.rows + 1 - template.rows, search.cols + 1 - template.cols);
        self.sums.clear();
        self.sums.resize(down * across, 0.0);
        if across >= MANY {
            self.along_shifts(template, search);
            return &self.sums;
        }
        let width = template.cols.next_multiple_of(LONGEST);
        self.template.resize((template.rows + 2 * BORDER) * width, 0.0);
        let (above, rest) = self.template.split_at_mut(BORDER * width);
        let (within, below) = rest.split_at_mut(template.rows * width);
        above.fill(0.0);
        below.fill(0.0);
        filled_up(template, within, width);
        let stride = width + across + MARGIN;
        self.search.resize(search.rows * stride, 0.0);
        filled_up(search, &mut self.search, stride);
        let layout = Layout {
            template_rows: template.rows,
            width,
            search_rows: search.rows,
            stride,
            down,
            across,
        };
        sum_products(&self.template, &self.search, &layout, &mut self.sums);
        &self.sums
    }

    /// Adds the products to `sums` by vectors of neighbouring shifts.
    fn along_shifts(&mut self, template: Image<'_>, search: Image<'_>) {
        let shape = Shape {
            chip: (template.rows, template.cols),
            shifts: (search.rows + 1 - template.rows, search.cols + 1 - template.cols),
        };
        self.part.resize(self.sums.len(), 0.0);
        let strip = (STRIP / template.cols).max(1);
        for first in (0..template.rows).step_by(strip) {
            let rows = first..(first + strip).min(template.rows);
            self.along
                .compute(shape, template.values, search.values, rows, &mut self.part);
            for (sum, part) in self.sums.iter_mut().zip(&self.part) {
                *sum += f64::from(*part);
            }
        }
    }
}

/// The rows of an image, `width` apart, with zeros between.
fn filled_up(image: Image<'_>, out: &mut [f32], width: usize) {
    for (to, from) in out
        .chunks_exact_mut(width)
        .zip(image.values.chunks_exact(image.cols))
    {
        let (known, beyond) = to.split_at_mut(image.cols);
        known.copy_from_slice(from);
        beyond.fill(0.0);
    }
}

struct Layout {
    template_rows: usize,
    /// Columns of a row of the template as it is stored.
    width: usize,
    search_rows: usize,
    /// Columns of a row of the search image as it is stored.
    stride: usize,
    down: usize,
    across: usize,
}

// Each version knows its own features, so only one branch is left of the three.
#[allow(clippy::ifs_same_cond)]
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn sum_products(template: &[f32], search: &[f32], layout: &Layout, sums: &mut [f64]) {
    // As many accumulators as leave registers for what is loaded: 18 of 32, or 12 of 16.
    if target_cfg_f!(target_feature = "avx512f") {
        blocks::<16, 3, 6, true>(template, search, layout, sums);
    } else if target_cfg_f!(target_feature = "fma") {
        blocks::<8, 2, 6, true>(template, search, layout, sums);
    } else {
        blocks::<4, 2, 6, false>(template, search, layout, sums);
    }
}

#[inline(always)]
fn blocks<const LANES: usize, const DOWN: usize, const ACROSS: usize, const FUSED: bool>(
    template: &[f32],
    search: &[f32],
    layout: &Layout,
    sums: &mut [f64],
) {
    let strip = (STRIP / layout.width).max(1);
    for first in (0..layout.search_rows).step_by(strip) {
        let last = (first + strip).min(layout.search_rows);
        for n in (0..layout.down).step_by(DOWN) {
            // Rows of the search image that a row of the template meets at one of the shifts n..n + DOWN.
            let rows = first.max(n)..last.min(n + DOWN - 1 + layout.template_rows);
            if rows.is_empty() {
                continue;
            }
            for m in (0..layout.across).step_by(ACROSS) {
                let sum = block::<LANES, DOWN, ACROSS, FUSED>(template, search, layout, rows.clone(), n, m);
                for (k, sum) in sum.iter().enumerate().take(layout.down - n) {
                    let out = &mut sums[(n + k) * layout.across + m..][..ACROSS.min(layout.across - m)];
                    for (out, lanes) in out.iter_mut().zip(sum) {
                        *out += f64::from(total(lanes));
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn total<const LANES: usize>(lanes: &[f32; LANES]) -> f32 {
    let mut sums = *lanes;
    let mut n = LANES;
    while n > 1 {
        n /= 2;
        for i in 0..n {
            sums[i] += sums[i + n];
        }
    }
    sums[0]
}

// Indices that are constants once unrolled keep the sums in registers.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn block<const LANES: usize, const DOWN: usize, const ACROSS: usize, const FUSED: bool>(
    template: &[f32],
    search: &[f32],
    layout: &Layout,
    rows: std::ops::Range<usize>,
    n: usize,
    m: usize,
) -> [[[f32; LANES]; ACROSS]; DOWN] {
    let mut sums = [[[0f32; LANES]; ACROSS]; DOWN];
    let width = layout.width;
    for row in rows {
        let s = &search[row * layout.stride + m..][..width + ACROSS - 1];
        // Row `row` meets row `row − n − k` of the template at shift n + k.
        let t: [&[f32]; DOWN] = std::array::from_fn(|k| &template[(row + BORDER - n - k) * width..][..width]);
        for j in (0..width).step_by(LANES) {
            let a: [[f32; LANES]; DOWN] = std::array::from_fn(|k| load(t[k], j));
            for x in 0..ACROSS {
                let b: [f32; LANES] = load(s, j + x);
                for k in 0..DOWN {
                    for lane in 0..LANES {
                        let sum = &mut sums[k][x][lane];
                        *sum = if FUSED {
                            a[k][lane].mul_add(b[lane], *sum)
                        } else {
                            a[k][lane] * b[lane] + *sum
                        };
                    }
                }
            }
        }
    }
    sums
}

#[inline(always)]
fn load<const LANES: usize>(values: &[f32], at: usize) -> [f32; LANES] {
    let part = &values[at..at + LANES];
    std::array::from_fn(|i| part[i])
}
