//! Light interpolation: small holes among reliable offsets are closed by medians.

use ndarray::{Array2, Zip};

use super::field::{median, without_small_groups};

/// Holes smaller than this many nodes are closed.
const SMALLEST_HOLE: usize = 5;
/// A node is closed with at least this many of the 9 around and in it.
const CLOSED_BY: usize = 6;
const ROUNDS: usize = 3;

/// Fills NaN offsets that reliable ones (`kept`) surround with the median of the offsets within `width` nodes, odd. Returns
/// where. In each of three rounds a node is closed that has at least 6 valid ones among the 9 around and in it, or lies in a
/// hole of fewer than 5 nodes of what remains.
pub fn fill(dx: &mut Array2<f32>, dy: &mut Array2<f32>, kept: &Array2<bool>, width: usize) -> Array2<bool> {
    let (median_x, median_y) = (median(dx.view(), width), median(dy.view(), width));
    let (rows, cols) = kept.dim();
    let mut filled = Array2::from_elem(kept.dim(), false);
    for _ in 0..ROUNDS {
        let valid = Zip::from(kept).and(&filled).map_collect(|&k, &f| k || f);
        let open = Array2::from_shape_fn(valid.dim(), |(r, c)| {
            let around = (r.saturating_sub(1)..(r + 2).min(rows))
                .flat_map(|y| (c.saturating_sub(1)..(c + 2).min(cols)).map(move |x| (y, x)));
            !valid[[r, c]] && around.filter(|&at| valid[at]).count() < CLOSED_BY
        });
        let large = without_small_groups(open.view(), SMALLEST_HOLE);
        for (at, large) in large.indexed_iter() {
            if !large && !valid[at] && !median_x[at].is_nan() {
                filled[at] = true;
                dx[at] = median_x[at];
                dy[at] = median_y[at];
            }
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_holes_are_closed_and_large_ones_are_not() {
        let mut kept = Array2::from_elem((20, 20), true);
        kept[[3, 3]] = false;
        kept[[3, 4]] = false;
        for r in 8..16 {
            for c in 8..16 {
                kept[[r, c]] = false;
            }
        }
        let mut dx = Zip::indexed(&kept).map_collect(|(r, _), &k| if k { r as f32 } else { f32::NAN });
        let mut dy = dx.clone();
        let filled = fill(&mut dx, &mut dy, &kept, 3);
        assert!(filled[[3, 3]] && filled[[3, 4]]);
        assert_eq!(dx[[3, 3]], 3.0);
        assert!(!filled[[12, 12]] && dx[[12, 12]].is_nan());
    }
}
