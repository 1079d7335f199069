//! What the neighbourhood kernels of this folder share: a tile with its halo, laid out for vector code.

use ndarray::{Array2, ArrayView2};

use crate::interrupt;

/// A tile grown by `halo` on every side, copied so that masked pixels are 0 in contiguous rows. Adding a 0 changes no
/// sum, so a pixel far from any masked one gets the same bits whether its tile holds masked pixels or not.
pub(super) struct Padded {
    /// Of the output: the tile less its halo.
    pub rows: usize,
    pub cols: usize,
    /// Columns of a row here: `cols` and the halo on both sides.
    pub width: usize,
    halo: usize,
    values: Vec<f32>,
    /// 1 where a pixel is valid, else 0; None where all are.
    weights: Option<Vec<f32>>,
}

impl Padded {
    pub fn new(tile: ArrayView2<'_, f32>, halo: usize) -> Padded {
        let (rows, width) = tile.dim();
        let mut values = Vec::with_capacity(rows * width);
        let mut complete = true;
        for row in tile.rows() {
            match row.as_slice() {
                Some(row) => {
                    complete &= row.iter().all(|v| v.is_finite());
                    values.extend_from_slice(row);
                }
                None => {
                    complete &= row.iter().all(|v| v.is_finite());
                    values.extend(row);
                }
            }
        }
        let weights = (!complete).then(|| {
            values
                .iter_mut()
                .map(|v| {
                    let valid = v.is_finite();
                    *v = if valid { *v } else { 0.0 };
                    f32::from(u8::from(valid))
                })
                .collect()
        });
        Padded {
            rows: rows.saturating_sub(2 * halo),
            cols: width.saturating_sub(2 * halo),
            width,
            halo,
            values,
            weights,
        }
    }

    /// True where no pixel of the tile is masked.
    pub fn is_complete(&self) -> bool {
        self.weights.is_none()
    }

    /// A row of the tile; output row r is row r + halo here.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// The weights of a row: empty where the tile is complete.
    pub fn weight_row(&self, row: usize) -> &[f32] {
        match &self.weights {
            Some(weights) => &weights[row * self.width..(row + 1) * self.width],
            None => &[],
        }
    }

    /// The pixels that the output row `row` is made for.
    pub fn centre(&self, row: usize) -> &[f32] {
        &self.row(row + self.halo)[self.halo..][..self.cols]
    }

    /// The weights of those pixels: empty where the tile is complete.
    pub fn centre_weights(&self, row: usize) -> &[f32] {
        if self.is_complete() {
            return &[];
        }
        &self.weight_row(row + self.halo)[self.halo..][..self.cols]
    }

    /// The results of an output row, `out`, are masked where their pixels are.
    pub fn mask_row(&self, row: usize, out: &mut [f32]) {
        for (o, &w) in out.iter_mut().zip(self.centre_weights(row)) {
            *o = if w == 0.0 { f32::NAN } else { *o };
        }
    }

    /// Makes the output row by row: `make(row, out)`. Ends early, and leaves rows at 0, once a stop was asked for.
    pub fn rows(&self, mut make: impl FnMut(usize, &mut [f32])) -> Array2<f32> {
        let mut out = vec![0.0; self.rows * self.cols];
        for (row, pixels) in out.chunks_exact_mut(self.cols.max(1)).enumerate() {
            if interrupt::requested() {
                break;
            }
            make(row, pixels);
        }
        // The vector was made with this length.
        Array2::from_shape_vec((self.rows, self.cols), out).unwrap_or_default()
    }
}
