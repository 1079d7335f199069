//! Where chips lie on an image, and how many pixels of each class they hold, counted in cells that chips share.

use crate::error::{Error, Result};

/// The chips along one axis of an image: those that lie in it wholly, at every multiple of the step. An image that is smaller than a chip
/// has one, which reaches beyond its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of the image.
    pub size: usize,
    /// Pixels of a chip.
    pub chip: usize,
    /// Pixels from one chip to the next.
    pub step: usize,
}

impl Axis {
    pub fn chips(&self) -> usize {
        1 + self.size.saturating_sub(self.chip) / self.step
    }

    pub fn start(&self, index: usize) -> usize {
        index * self.step
    }

    fn end(&self, index: usize) -> usize {
        (self.start(index) + self.chip).min(self.size)
    }

    /// Where chips begin and end: between two neighbours lies a cell.
    fn edges(&self) -> Vec<usize> {
        let mut edges: Vec<usize> = (0..self.chips())
            .flat_map(|i| [self.start(i), self.end(i)])
            .collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

/// Cells along one axis.
struct Cells {
    axis: Axis,
    edges: Vec<usize>,
    /// The cell of each pixel; the one after the last where no chip reaches.
    of_pixel: Vec<u32>,
}

impl Cells {
    fn new(axis: Axis) -> Cells {
        let edges = axis.edges();
        let mut of_pixel = vec![edges.len() as u32 - 1; axis.size];
        for (cell, ends) in edges.windows(2).enumerate() {
            of_pixel[ends[0]..ends[1]].fill(cell as u32);
        }
        Cells {
            axis,
            edges,
            of_pixel,
        }
    }

    fn count(&self) -> usize {
        self.edges.len() - 1
    }

    /// The cells of a chip: from, to.
    fn of_chip(&self, index: usize) -> (usize, usize) {
        let at = |pixel: usize| self.edges.partition_point(|edge| *edge < pixel);
        (at(self.axis.start(index)), at(self.axis.end(index)))
    }
}

/// Pixels of each class in each cell.
pub struct Counts {
    rows: Cells,
    cols: Cells,
    classes: usize,
    cells: Vec<u32>,
}

impl Counts {
    /// # Errors
    /// More cells than memory holds.
    pub fn new(rows: Axis, cols: Axis, classes: usize) -> Result<Counts> {
        let (rows, cols) = (Cells::new(rows), Cells::new(cols));
        let cells = rows.count().saturating_mul(cols.count()).saturating_mul(classes);
        // The cells, and their sums from the corner.
        let bytes = size_of::<u32>() + size_of::<u64>();
        crate::bounds::fits(
            format!(
                "counting {classes} classes in the chips of {} × {} pixels",
                rows.axis.size, cols.axis.size
            ),
            cells,
            bytes,
            "take a larger step",
        )?;
        Ok(Counts {
            rows,
            cols,
            classes,
            cells: vec![0; cells],
        })
    }

    /// `pixels` of a class on end in one row, from a column on.
    pub fn add(&mut self, row: usize, col: usize, pixels: usize, class: usize) {
        let (row, last) = (self.rows.of_pixel[row] as usize, self.cols.count());
        if row == self.rows.count() {
            return;
        }
        let (mut col, end) = (col, col + pixels);
        while col < end {
            let cell = self.cols.of_pixel[col] as usize;
            if cell == last {
                return;
            }
            let stop = self.cols.edges[cell + 1].min(end);
            self.cells[(row * last + cell) * self.classes + class] += (stop - col) as u32;
            col = stop;
        }
    }

    /// (row, col, pixels by class) of every chip, row by row.
    ///
    /// # Errors
    /// `Interrupted`.
    pub fn chips(self, mut each: impl FnMut(usize, usize, Vec<u64>)) -> Result<()> {
        let (rows, cols, classes) = (self.rows.count(), self.cols.count(), self.classes);
        // Sums of all cells above and to the left.
        let mut sums = vec![0u64; (rows + 1) * (cols + 1) * classes];
        let at = |row: usize, col: usize, class: usize| (row * (cols + 1) + col) * classes + class;
        for row in 0..rows {
            crate::interrupt::check()?;
            for col in 0..cols {
                for class in 0..classes {
                    let here = u64::from(self.cells[(row * cols + col) * classes + class]);
                    sums[at(row + 1, col + 1, class)] =
                        here + sums[at(row, col + 1, class)] + sums[at(row + 1, col, class)]
                            - sums[at(row, col, class)];
                }
            }
        }
        for r in 0..self.rows.axis.chips() {
            crate::interrupt::check()?;
            let (top, bottom) = self.rows.of_chip(r);
            for c in 0..self.cols.axis.chips() {
                let (left, right) = self.cols.of_chip(c);
                let counts = (0..classes).map(|class| {
                    sums[at(bottom, right, class)] + sums[at(top, left, class)]
                        - sums[at(top, right, class)]
                        - sums[at(bottom, left, class)]
                });
                each(self.rows.axis.start(r), self.cols.axis.start(c), counts.collect());
            }
        }
        Ok(())
    }
}

/// # Errors
/// A chip or a step of no pixels.
pub fn check(chip: usize, step: usize) -> Result<()> {
    match (chip, step) {
        (1.., 1..) => Ok(()),
        _ => Err(Error::argument(
            "chip and step",
            "at least 1 pixel",
            format!("{chip} and {step}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::random::Random;

    #[test]
    fn counts_of_chips_are_those_of_their_pixels() {
        let mut random = Random::new(5);
        for (rows, cols, chip, step) in [
            (40, 50, 8, 8),
            (41, 33, 10, 4),
            (30, 64, 12, 5),
            (5, 20, 8, 3),
            (7, 7, 7, 7),
            (9, 9, 3, 5),
            (3, 2, 8, 8),
        ] {
            let labels: Vec<usize> = (0..rows * cols).map(|_| random.below(3)).collect();
            let axis = |size| Axis { size, chip, step };
            let mut counts = Counts::new(axis(rows), axis(cols), 2).unwrap();
            for r in 0..rows {
                // Class 2 is none.
                for c in (0..cols).filter(|c| labels[r * cols + c] < 2) {
                    counts.add(r, c, 1, labels[r * cols + c]);
                }
            }
            let mut found = Vec::new();
            counts.chips(|r, c, n| found.push((r, c, n))).unwrap();
            let mut expected = Vec::new();
            let mut r = 0;
            while r == 0 || r + chip <= rows {
                let mut c = 0;
                while c == 0 || c + chip <= cols {
                    let mut n = vec![0, 0];
                    for y in r..(r + chip).min(rows) {
                        for x in c..(c + chip).min(cols) {
                            if let Some(n) = n.get_mut(labels[y * cols + x]) {
                                *n += 1;
                            }
                        }
                    }
                    expected.push((r, c, n));
                    c += step;
                }
                r += step;
            }
            assert_eq!(found, expected, "{rows} × {cols}, {chip} by {step}");
        }
    }

    #[test]
    fn pixels_on_end_are_the_same_as_one_by_one() {
        let axis = |size| Axis {
            size,
            chip: 6,
            step: 4,
        };
        let of = |runs: &[(usize, usize, usize)]| {
            let mut counts = Counts::new(axis(10), axis(23), 1).unwrap();
            runs.iter().for_each(|&(row, col, n)| counts.add(row, col, n, 0));
            let mut found = Vec::new();
            counts.chips(|r, c, n| found.push((r, c, n))).unwrap();
            found
        };
        let single: Vec<_> = (3..23).map(|col| (2, col, 1)).collect();
        assert_eq!(of(&[(2, 3, 20)]), of(&single));
    }
}
