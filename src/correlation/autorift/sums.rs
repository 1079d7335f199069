//! Exact sums of integers under a chip, at every shift of it.

use multiversion::multiversion;

use crate::correlation::dot::Shape;

/// Sums over windows of the chip's size.
#[derive(Default)]
pub struct WindowSums {
    /// The search window.
    values: Vec<u32>,
    /// Sums down the columns, a row for each row of shifts; then those across, of 1, 2, 4, … columns.
    doubled: Vec<u32>,
    next: Vec<u32>,
    sums: Vec<u32>,
}

impl WindowSums {
    /// out[dy, dx] = Σ of the values under the chip at that shift. `fill(values)` fills the search window, row by row.
    pub fn compute(&mut self, shape: Shape, fill: impl FnOnce(&mut [u32]), out: &mut [u32]) {
        let ((chip_rows, chip_cols), (ny, nx)) = (shape.chip, shape.shifts);
        let (height, width) = shape.search();
        self.values.resize(height * width, 0);
        fill(&mut self.values);
        self.doubled.clear();
        self.doubled.resize(ny * width, 0);
        let first = &mut self.doubled[..width];
        for r in 0..chip_rows {
            add(first, &self.values[r * width..]);
        }
        for dy in 1..ny {
            let (above, row) = self.doubled[(dy - 1) * width..].split_at_mut(width);
            let entering = &self.values[(dy + chip_rows - 1) * width..];
            slide(
                &mut row[..width],
                above,
                entering,
                &self.values[(dy - 1) * width..],
            );
        }
        // Across, over all rows at once: what runs past the end of a row is in columns that are not wanted.
        self.sums.clear();
        self.sums.resize(ny * width, 0);
        self.next.resize(ny * width, 0);
        let (mut offset, mut step) = (0, 1);
        loop {
            if chip_cols & step != 0 {
                let n = ny * width - offset;
                add(&mut self.sums[..n], &self.doubled[offset..]);
                offset += step;
            }
            if 2 * step > chip_cols {
                break;
            }
            let n = (ny * width).saturating_sub(step);
            add_into(&mut self.next[..n], &self.doubled, &self.doubled[step..]);
            std::mem::swap(&mut self.next, &mut self.doubled);
            step *= 2;
        }
        for (out, sums) in out.chunks_exact_mut(nx).zip(self.sums.chunks_exact(width)) {
            out.copy_from_slice(&sums[..nx]);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add(a: &mut [u32], b: &[u32]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += b;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add_into(out: &mut [u32], a: &[u32], b: &[u32]) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = a + b;
    }
}

/// The sums of one row of shifts from those above: a row of values enters and one leaves.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn slide(out: &mut [u32], above: &[u32], entering: &[u32], leaving: &[u32]) {
    for (((o, &a), &e), &l) in out.iter_mut().zip(above).zip(entering).zip(leaving) {
        *o = a + e - l;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_obvious_loop() {
        for (chip, shifts) in [((4, 4), (3, 5)), ((6, 12), (1, 1)), ((32, 48), (7, 9))] {
            let shape = Shape { chip, shifts };
            let (rows, cols) = shape.search();
            let value = |r: usize, c: usize| ((r * 31 + c * 17) % 23) as u32;
            let mut out = vec![0; shifts.0 * shifts.1];
            let fill = |all: &mut [u32]| {
                all.iter_mut()
                    .enumerate()
                    .for_each(|(i, v)| *v = value(i / cols, i % cols))
            };
            WindowSums::default().compute(shape, fill, &mut out);
            assert_eq!((rows, cols), (chip.0 + shifts.0 - 1, chip.1 + shifts.1 - 1));
            for dy in 0..shifts.0 {
                for dx in 0..shifts.1 {
                    let expected: u32 = (dy..dy + chip.0)
                        .flat_map(|r| (dx..dx + chip.1).map(move |c| value(r, c)))
                        .sum();
                    assert_eq!(out[dy * shifts.1 + dx], expected, "{shape:?} at {dy}, {dx}");
                }
            }
        }
    }
}
