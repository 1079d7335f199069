//! Dot products of one chip with a search window at every shift: the work that a tracker spends its time on.
//!
//! Lanes run over neighbouring shifts in x, so nothing is ever summed across lanes, and a block of rows of shifts is
//! made together, so that what is loaded of the search window serves several sums. Sums of 8-bit samples are exact integers
//! whichever way they are made, and so are the same on every machine.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;

/// Rows of shifts that are made together.
const BLOCK: usize = 5;

/// Sizes of one match: a chip, and the shifts at which it is compared. The search window has the pixels that this takes:
/// chip + shifts − 1, in each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// (rows, cols) of the chip; for 8-bit samples columns are a multiple of 4.
    pub chip: (usize, usize),
    /// (rows, cols) of shifts.
    pub shifts: (usize, usize),
}

impl Shape {
    /// (rows, cols) of the search window.
    pub fn search(&self) -> (usize, usize) {
        (self.chip.0 + self.shifts.0 - 1, self.chip.1 + self.shifts.1 - 1)
    }

    /// Pixels of a chip.
    pub fn area(&self) -> usize {
        self.chip.0 * self.chip.1
    }
}

/// Sums of products of f32 samples.
#[derive(Debug, Default)]
pub struct DotF32 {
    /// The search window, zeros to the right of it and below.
    search: Vec<f32>,
    /// The chip between rows of zeros.
    chip: Vec<f32>,
    /// Sums at the shifts, in rows of whole lanes.
    sums: Vec<f32>,
}

/// Lanes of one row of shifts in `DotF32`.
const LANES_F32: usize = 32;

impl DotF32 {
    /// out[dy, dx] = Σ chip[y, x] · search[y + dy, x + dx], over `rows` of the chip.
    pub fn compute(
        &mut self,
        shape: Shape,
        chip: &[f32],
        search: &[f32],
        rows: std::ops::Range<usize>,
        out: &mut [f32],
    ) {
        let ((_, chip_cols), (ny, nx)) = (shape.chip, shape.shifts);
        let (_, search_cols) = shape.search();
        let lanes = nx.next_multiple_of(LANES_F32);
        let stride = lanes + chip_cols;
        let height = ny.next_multiple_of(BLOCK) + rows.len() - 1;
        self.search.clear();
        self.search.resize(height * stride, 0.0);
        for r in 0..ny + rows.len() - 1 {
            self.search[r * stride..][..search_cols]
                .copy_from_slice(&search[(r + rows.start) * search_cols..][..search_cols]);
        }
        self.chip.clear();
        self.chip.resize((BLOCK - 1) * chip_cols, 0.0);
        self.chip
            .extend_from_slice(&chip[rows.start * chip_cols..rows.end * chip_cols]);
        self.chip.resize((rows.len() + 2 * (BLOCK - 1)) * chip_cols, 0.0);
        self.sums.clear();
        self.sums.resize(ny.next_multiple_of(BLOCK) * lanes, 0.0);
        sums_f32(
            &self.chip,
            chip_cols,
            rows.len(),
            &self.search,
            stride,
            &mut self.sums,
            lanes,
        );
        for (out, sums) in out.chunks_exact_mut(nx).zip(self.sums.chunks_exact(lanes)) {
            out.copy_from_slice(&sums[..nx]);
        }
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn sums_f32(
    chip: &[f32],
    chip_cols: usize,
    chip_rows: usize,
    search: &[f32],
    stride: usize,
    sums: &mut [f32],
    lanes: usize,
) {
    const WIDE: bool = target_cfg_f!(target_feature = "avx512f");
    const FMA: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    for (block, sums) in sums.chunks_exact_mut(BLOCK * lanes).enumerate() {
        let search = &search[block * BLOCK * stride..];
        let mut first = 0;
        while first < lanes {
            if WIDE {
                block_f32::<32, FMA>(
                    chip,
                    chip_cols,
                    chip_rows,
                    &search[first..],
                    stride,
                    &mut sums[first..],
                    lanes,
                );
                first += 32;
            } else {
                block_f32::<16, FMA>(
                    chip,
                    chip_cols,
                    chip_rows,
                    &search[first..],
                    stride,
                    &mut sums[first..],
                    lanes,
                );
                first += 16;
            }
        }
    }
}

/// `BLOCK` rows and `L` columns of sums.
#[inline(always)]
fn block_f32<const L: usize, const FMA: bool>(
    chip: &[f32],
    chip_cols: usize,
    chip_rows: usize,
    search: &[f32],
    stride: usize,
    sums: &mut [f32],
    lanes: usize,
) {
    let mut acc = [[0f32; L]; BLOCK];
    for r in 0..chip_rows + BLOCK - 1 {
        let row = &search[r * stride..][..chip_cols + L];
        // Row k of the block compares this row of the search window with row r − k of the chip, here BLOCK − 1 lower.
        let chips: [&[f32]; BLOCK] =
            std::array::from_fn(|k| &chip[(r + BLOCK - 1 - k) * chip_cols..][..chip_cols]);
        for x in 0..chip_cols {
            let Some(s) = row[x..].first_chunk::<L>() else {
                break;
            };
            for k in 0..BLOCK {
                let c = chips[k][x];
                for l in 0..L {
                    acc[k][l] = if FMA {
                        c.mul_add(s[l], acc[k][l])
                    } else {
                        acc[k][l] + c * s[l]
                    };
                }
            }
        }
    }
    for (k, acc) in acc.iter().enumerate() {
        sums[k * lanes..][..L].copy_from_slice(acc);
    }
}

/// Sums of products of 8-bit samples: exact.
#[derive(Default)]
pub struct DotU8 {
    /// At every pixel of the search window, it and the three to its right, as bytes of one word.
    search: Vec<u32>,
    /// The chip less 128, four signed bytes a word, between rows of zeros.
    chip: Vec<u32>,
    sums: Vec<i32>,
    /// For machines that have no instruction for four products of bytes.
    floats: DotF32,
    chip_f32: Vec<f32>,
    search_f32: Vec<f32>,
    part: Vec<f32>,
}

/// Lanes of one row of shifts in `DotU8`.
const LANES_U8: usize = 16;

impl DotU8 {
    /// out[dy, dx] = Σ (chip[y, x] − 128) · (search[y + dy, x + dx] − `origin`), where the origin returned is 0 or
    /// 128, as suits the machine. Exact for chips of up to 256 × 256 pixels.
    pub fn compute(&mut self, shape: Shape, chip: &[u8], search: &[u8], out: &mut [i32]) -> i32 {
        #[cfg(target_arch = "x86_64")]
        if vnni::available() {
            self.pack(shape, chip, search);
            let (ny, nx) = shape.shifts;
            let lanes = nx.next_multiple_of(LANES_U8);
            self.sums.clear();
            self.sums.resize(ny.next_multiple_of(BLOCK) * lanes, 0);
            let quads = shape.chip.1 / 4;
            vnni::sums(
                &self.chip,
                quads,
                shape.chip.0,
                &self.search,
                lanes + shape.chip.1,
                &mut self.sums,
                lanes,
            );
            for (out, sums) in out.chunks_exact_mut(nx).zip(self.sums.chunks_exact(lanes)) {
                out.copy_from_slice(&sums[..nx]);
            }
            return 0;
        }
        self.compute_by_floats(shape, chip, search, out);
        128
    }

    /// The same in f32, which holds integers up to 2²⁴: sums of 1024 products of numbers of at most 128.
    fn compute_by_floats(&mut self, shape: Shape, chip: &[u8], search: &[u8], out: &mut [i32]) {
        let centred = |&v: &u8| f32::from(v) - 128.0;
        self.chip_f32.clear();
        self.chip_f32.extend(chip.iter().map(centred));
        self.search_f32.clear();
        self.search_f32.extend(search.iter().map(centred));
        self.part.resize(out.len(), 0.0);
        out.fill(0);
        let rows = (1024 / shape.chip.1).max(1);
        for first in (0..shape.chip.0).step_by(rows) {
            let rows = first..(first + rows).min(shape.chip.0);
            self.floats
                .compute(shape, &self.chip_f32, &self.search_f32, rows, &mut self.part);
            for (out, &part) in out.iter_mut().zip(&self.part) {
                *out += part as i32;
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn pack(&mut self, shape: Shape, chip: &[u8], search: &[u8]) {
        let ((chip_rows, chip_cols), (ny, nx)) = (shape.chip, shape.shifts);
        let (search_rows, search_cols) = shape.search();
        let stride = nx.next_multiple_of(LANES_U8) + chip_cols;
        let height = ny.next_multiple_of(BLOCK) + chip_rows - 1;
        self.search.clear();
        self.search.resize(height * stride, 0);
        for r in 0..search_rows {
            let row = &search[r * search_cols..][..search_cols];
            let out = &mut self.search[r * stride..][..stride];
            pack_row(row, out);
        }
        let quads = chip_cols / 4;
        let signed = |q: &[u8; 4]| u32::from_le_bytes(q.map(|v| v ^ 0x80));
        self.chip.clear();
        self.chip.resize((BLOCK - 1) * quads, 0);
        self.chip.extend(chip.as_chunks::<4>().0.iter().map(signed));
        self.chip.resize((chip_rows + 2 * (BLOCK - 1)) * quads, 0);
    }
}

/// out[i] holds the bytes row[i..i + 4] as far as the row has them.
#[cfg(target_arch = "x86_64")]
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn pack_row(row: &[u8], out: &mut [u32]) {
    let n = row.len().saturating_sub(3);
    let (a, b, c, d) = (&row[..n], &row[1..][..n], &row[2..][..n], &row[3..][..n]);
    for i in 0..n {
        out[i] = u32::from(a[i]) | u32::from(b[i]) << 8 | u32::from(c[i]) << 16 | u32::from(d[i]) << 24;
    }
}

#[cfg(target_arch = "x86_64")]
mod vnni {
    use std::arch::x86_64::{
        __m512i, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512,
        _mm512_storeu_si512,
    };

    use super::{BLOCK, LANES_U8};

    pub fn available() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")
    }

    /// See `DotU8::pack` for the layout. Only where `available`.
    pub fn sums(
        chip: &[u32],
        quads: usize,
        chip_rows: usize,
        search: &[u32],
        stride: usize,
        sums: &mut [i32],
        lanes: usize,
    ) {
        assert!(available());
        for (block, sums) in sums.chunks_exact_mut(BLOCK * lanes).enumerate() {
            let search = &search[block * BLOCK * stride..];
            let mut first = 0;
            while first < lanes {
                let (search, sums) = (&search[first..], &mut sums[first..]);
                let vectors = ((lanes - first) / LANES_U8).min(4);
                // SAFETY: the machine has the instructions, as asserted above.
                unsafe {
                    match vectors {
                        4 => block_of::<4>(chip, quads, chip_rows, search, stride, sums, lanes),
                        3 => block_of::<3>(chip, quads, chip_rows, search, stride, sums, lanes),
                        2 => block_of::<2>(chip, quads, chip_rows, search, stride, sums, lanes),
                        _ => block_of::<1>(chip, quads, chip_rows, search, stride, sums, lanes),
                    }
                }
                first += vectors * LANES_U8;
            }
        }
    }

    /// `BLOCK` rows of `V` vectors of sums.
    #[target_feature(enable = "avx512f,avx512vnni")]
    fn block_of<const V: usize>(
        chip: &[u32],
        quads: usize,
        chip_rows: usize,
        search: &[u32],
        stride: usize,
        sums: &mut [i32],
        lanes: usize,
    ) {
        let mut acc = [[_mm512_setzero_si512(); V]; BLOCK];
        for r in 0..chip_rows + BLOCK - 1 {
            let row = &search[r * stride..][..4 * quads + V * LANES_U8 - 3];
            let mut chips = [chip; BLOCK];
            for (k, c) in chips.iter_mut().enumerate() {
                *c = &chip[(r + BLOCK - 1 - k) * quads..][..quads];
            }
            for q in 0..quads {
                let words = &row[4 * q..][..V * LANES_U8];
                let mut loaded = [_mm512_setzero_si512(); V];
                for v in 0..V {
                    loaded[v] = load(&words[v * LANES_U8..][..LANES_U8]);
                }
                for k in 0..BLOCK {
                    let c = _mm512_set1_epi32(chips[k][q].cast_signed());
                    for v in 0..V {
                        acc[k][v] = _mm512_dpbusd_epi32(acc[k][v], loaded[v], c);
                    }
                }
            }
        }
        for (k, acc) in acc.iter().enumerate() {
            for (v, &acc) in acc.iter().enumerate() {
                let out = &mut sums[k * lanes + v * LANES_U8..][..LANES_U8];
                // SAFETY: `out` has the 16 words that are stored; the instruction needs no alignment.
                unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), acc) };
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(words: &[u32]) -> __m512i {
        assert_eq!(words.len(), LANES_U8);
        // SAFETY: there are 16 words, as asserted; the instruction needs no alignment.
        unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: u32) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..n).map(next).collect()
    }

    const SHAPES: [Shape; 4] = [
        Shape {
            chip: (32, 32),
            shifts: (50, 50),
        },
        Shape {
            chip: (8, 12),
            shifts: (12, 14),
        },
        Shape {
            chip: (64, 64),
            shifts: (12, 70),
        },
        Shape {
            chip: (4, 4),
            shifts: (1, 1),
        },
    ];

    /// The slow obvious loop.
    fn naive(shape: Shape, chip: &[u8], search: &[u8], origin: i64) -> Vec<i64> {
        let (rows, cols) = shape.chip;
        let width = shape.search().1;
        let mut out = Vec::new();
        for dy in 0..shape.shifts.0 {
            for dx in 0..shape.shifts.1 {
                let mut sum = 0;
                for y in 0..rows {
                    for x in 0..cols {
                        sum += (i64::from(chip[y * cols + x]) - 128)
                            * (i64::from(search[(y + dy) * width + x + dx]) - origin);
                    }
                }
                out.push(sum);
            }
        }
        out
    }

    #[test]
    fn integer_sums_are_those_of_the_obvious_loop() {
        let mut dot = DotU8::default();
        for (i, shape) in SHAPES.into_iter().enumerate() {
            let (rows, cols) = shape.search();
            let (chip, search) = (noise(shape.area(), i as u32), noise(rows * cols, 77 + i as u32));
            let mut out = vec![0; shape.shifts.0 * shape.shifts.1];
            let origin = dot.compute(shape, &chip, &search, &mut out);
            let expected = naive(shape, &chip, &search, origin.into());
            assert!(out.iter().map(|&v| i64::from(v)).eq(expected), "{shape:?}");
            dot.compute_by_floats(shape, &chip, &search, &mut out);
            let expected = naive(shape, &chip, &search, 128);
            assert!(
                out.iter().map(|&v| i64::from(v)).eq(expected),
                "{shape:?} by floats"
            );
        }
    }

    #[test]
    fn the_largest_samples_do_not_overflow() {
        let shape = Shape {
            chip: (256, 256),
            shifts: (2, 2),
        };
        let (rows, cols) = shape.search();
        let (chip, search) = (vec![0u8; shape.area()], vec![255u8; rows * cols]);
        let mut out = vec![0; 4];
        let origin = DotU8::default().compute(shape, &chip, &search, &mut out);
        let expected = -128 * (255 - i64::from(origin)) * 65536;
        assert!(out.iter().all(|&v| i64::from(v) == expected), "{out:?}");
    }

    #[test]
    fn float_sums_are_those_of_the_obvious_loop() {
        let shape = SHAPES[1];
        let (rows, cols) = shape.search();
        let (chip, search) = (noise(shape.area(), 5), noise(rows * cols, 6));
        let float = |v: &[u8]| v.iter().map(|&v| f32::from(v) - 128.0).collect::<Vec<_>>();
        let mut out = vec![0.0; shape.shifts.0 * shape.shifts.1];
        DotF32::default().compute(shape, &float(&chip), &float(&search), 0..shape.chip.0, &mut out);
        // Small enough for f32 to be exact.
        let expected = naive(shape, &chip, &search, 128);
        assert!(out.iter().map(|&v| v as i64).eq(expected));
    }
}
