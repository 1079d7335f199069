//! As many rows of an image as are wanted at a time: later ones take the place of earlier ones.

use bytemuck::Pod;
use ndarray::{Array2, ArrayView2, Axis, s};

use super::Window;
use super::store::Store;
use crate::error::Result;
use crate::work::budget::{self, Held};

/// Rows go round: row r lies where row r + rows will. In memory where that has room, else in a scratch file.
pub struct Ring<T> {
    store: Store<T>,
    rows: usize,
    /// The first column.
    col: isize,
    _held: Option<Held>,
}

impl<T: Pod> Ring<T> {
    /// Room for so many rows of `cols` columns from column `col` on, which are zero at first; in memory where it takes at most a third of
    /// what is left of the budget.
    ///
    /// # Errors
    /// When the scratch file cannot be made, or its disk has no room.
    pub fn new(rows: usize, col: isize, cols: usize) -> Result<Ring<T>> {
        let bytes = rows.saturating_mul(cols).saturating_mul(size_of::<T>());
        let held = (bytes <= budget::left() / 3).then(|| Held::hold(bytes));
        let memory = if held.is_some() { usize::MAX } else { 0 };
        Ok(Ring {
            store: Store::new((rows, cols), memory)?,
            rows,
            col,
            _held: held,
        })
    }

    /// Parts of `window`, whose rows lie one after the other, with the first row of each within the window and in the store.
    fn parts(&self, window: Window) -> impl Iterator<Item = (usize, Window)> + use<T> {
        let rows = self.rows;
        let col = window.col - self.col;
        let first = window.row.rem_euclid(rows as isize) as usize;
        let before = (rows - first).min(window.rows);
        [(0, first, before), (before, 0, window.rows - before)]
            .into_iter()
            .filter(|(_, _, count)| *count > 0)
            .map(move |(at, row, count)| (at, Window::new(row as isize, col, count, window.cols)))
    }

    /// A window of rows that are still there.
    ///
    /// # Errors
    /// When the scratch file cannot be read.
    pub fn read(&self, window: Window) -> Result<Array2<T>> {
        let mut parts = Vec::with_capacity(2);
        for (_, part) in self.parts(window) {
            parts.push(self.store.window(part)?);
        }
        match parts.as_slice() {
            [_] => Ok(parts.swap_remove(0)),
            _ => {
                let views: Vec<ArrayView2<T>> = parts.iter().map(|part| part.view()).collect();
                let joined = ndarray::concatenate(Axis(0), &views);
                Ok(joined.unwrap_or_else(|_| Array2::from_elem((window.rows, window.cols), T::zeroed())))
            }
        }
    }

    /// # Errors
    /// When the scratch file cannot be written.
    pub fn write(&self, window: Window, pixels: ArrayView2<'_, T>) -> Result<()> {
        for (at, part) in self.parts(window) {
            let place = (part.row as usize, part.col as usize);
            self.store
                .patch(place, pixels.slice(s![at..at + part.rows, ..]))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_rows_take_the_place_of_earlier_ones() {
        let ring = Ring::<f32>::new(5, -2, 4).unwrap();
        let value = |row: usize, col: usize| (10 * row + col) as f32;
        for row in 0..13 {
            let line = Array2::from_shape_fn((1, 4), |(_, col)| value(row, col));
            ring.write(Window::new(row as isize, -2, 1, 4), line.view())
                .unwrap();
        }
        let found = ring.read(Window::new(8, -1, 5, 2)).unwrap();
        assert_eq!(found, Array2::from_shape_fn((5, 2), |(r, c)| value(8 + r, 1 + c)));
        // A window that goes over the end is written in two parts.
        let part = Array2::from_shape_fn((4, 3), |(r, c)| value(r, c));
        ring.write(Window::new(9, -2, 4, 3), part.view()).unwrap();
        assert_eq!(ring.read(Window::new(9, -2, 4, 3)).unwrap(), part);
        assert_eq!(ring.read(Window::new(8, -2, 2, 4)).unwrap()[(0, 3)], value(8, 3));
    }
}
