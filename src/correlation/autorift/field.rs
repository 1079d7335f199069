//! Neighbourhoods on the grid of nodes, where NaN is no value and there is nothing outside the grid.

use ndarray::{Array2, ArrayView2, s};

use crate::statistics;

/// The values within `half` nodes of (row, col), NaN left out, into `out`.
fn gather(field: &ArrayView2<f32>, (row, col): (usize, usize), half: usize, out: &mut Vec<f32>) {
    let (rows, cols) = field.dim();
    out.clear();
    for r in row.saturating_sub(half)..(row + half + 1).min(rows) {
        for c in col.saturating_sub(half)..(col + half + 1).min(cols) {
            let v = field[[r, c]];
            if !v.is_nan() {
                out.push(v);
            }
        }
    }
}

/// The median of values; of two in the middle their mean, of none NaN. Reorders them.
pub fn median_of(values: &mut [f32]) -> f32 {
    statistics::median(values) as f32
}

/// The median of the valid values within a window of `width`, odd, around every node; NaN where there is none.
pub fn median(field: ArrayView2<f32>, width: usize) -> Array2<f32> {
    let mut values = Vec::with_capacity(width * width);
    Array2::from_shape_fn(field.dim(), |at| {
        gather(&field, at, width / 2, &mut values);
        median_of(&mut values)
    })
}

/// The median as above and the median of absolute differences from it.
pub fn median_and_deviation(field: ArrayView2<f32>, width: usize) -> (Array2<f32>, Array2<f32>) {
    let mut values = Vec::with_capacity(width * width);
    let mut medians = Array2::from_elem(field.dim(), f32::NAN);
    let deviations = Array2::from_shape_fn(field.dim(), |at| {
        gather(&field, at, width / 2, &mut values);
        let median = median_of(&mut values);
        medians[at] = median;
        values.iter_mut().for_each(|v| *v = (*v - median).abs());
        median_of(&mut values)
    });
    (medians, deviations)
}

/// How many values within a window of `width`, odd, differ from that in its middle by less than `limit`. The middle
/// counts itself; where it is NaN the count is 0.
pub fn count_alike(field: ArrayView2<f32>, width: usize, limit: f32) -> Array2<u32> {
    let mut values = Vec::with_capacity(width * width);
    Array2::from_shape_fn(field.dim(), |at| {
        let centre = field[at];
        if centre.is_nan() {
            return 0;
        }
        gather(&field, at, width / 2, &mut values);
        values.iter().filter(|&&v| (v - centre).abs() < limit).count() as u32
    })
}

/// The mean of the valid values within a window of `width`, odd.
pub fn mean(field: ArrayView2<f32>, width: usize) -> Array2<f32> {
    let mut values = Vec::with_capacity(width * width);
    Array2::from_shape_fn(field.dim(), |at| {
        gather(&field, at, width / 2, &mut values);
        values.iter().sum::<f32>() / values.len() as f32
    })
}

/// The largest valid value within a window of `width`, odd.
pub fn maximum(field: ArrayView2<f32>, width: usize) -> Array2<f32> {
    let mut values = Vec::with_capacity(width * width);
    Array2::from_shape_fn(field.dim(), |at| {
        gather(&field, at, width / 2, &mut values);
        values.iter().copied().fold(f32::NAN, f32::max)
    })
}

/// One value for each cell of `scale` × `scale` nodes, from the valid ones of its nodes. What does not fill a cell at the
/// right and lower end is left out.
pub fn cells(field: ArrayView2<f32>, scale: usize, reduce: impl Fn(&[f32]) -> f32) -> Array2<f32> {
    let (rows, cols) = (field.nrows() / scale, field.ncols() / scale);
    let mut values = Vec::with_capacity(scale * scale);
    Array2::from_shape_fn((rows, cols), |(r, c)| {
        values.clear();
        let cell = field.slice(s![r * scale..(r + 1) * scale, c * scale..(c + 1) * scale]);
        values.extend(cell.iter().filter(|v| !v.is_nan()));
        reduce(&values)
    })
}

/// The mean of some values, NaN of none.
pub fn mean_of(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

/// The same value at every node of a cell, for `shape` nodes.
pub fn nearest<T: Copy>(field: ArrayView2<T>, scale: usize, shape: (usize, usize)) -> Array2<T> {
    let (rows, cols) = field.dim();
    Array2::from_shape_fn(shape, |(r, c)| {
        field[[(r / scale).min(rows - 1), (c / scale).min(cols - 1)]]
    })
}

/// Cubic convolution from cells to nodes, with a = −0.75 and the last value standing past the ends. Where one of the 16
/// values is NaN, and has a weight, the cell's own value.
pub fn cubic(field: ArrayView2<f32>, scale: usize, shape: (usize, usize)) -> Array2<f32> {
    let place = |i: usize| {
        let x = (i as f32 + 0.5) / scale as f32 - 0.5;
        let first = x.floor();
        (first as isize - 1, cubic_weights(x - first))
    };
    let columns: Vec<_> = (0..shape.1).map(place).collect();
    let rows: Vec<_> = (0..shape.0).map(place).collect();
    let clamp = |i: isize, n: usize| i.clamp(0, n as isize - 1) as usize;
    Array2::from_shape_fn(shape, |(r, c)| {
        let ((r0, wr), (c0, wc)) = (&rows[r], &columns[c]);
        let mut sum = 0.0;
        for (i, wr) in wr.iter().enumerate() {
            for (j, wc) in wc.iter().enumerate() {
                let at = [
                    clamp(r0 + i as isize, field.nrows()),
                    clamp(c0 + j as isize, field.ncols()),
                ];
                if wr * wc != 0.0 {
                    sum += wr * wc * field[at];
                }
            }
        }
        if sum.is_nan() {
            let (r, c) = (r / scale, c / scale);
            field[[r.min(field.nrows() - 1), c.min(field.ncols() - 1)]]
        } else {
            sum
        }
    })
}

fn cubic_weights(t: f32) -> [f32; 4] {
    const A: f32 = -0.75;
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [far(1.0 + t), near(t), near(1.0 - t), far(2.0 - t)]
}

/// True within less than `distance` of a true node, centre to centre.
pub fn dilate(field: ArrayView2<bool>, distance: f32) -> Array2<bool> {
    let (rows, cols) = field.dim();
    let reach = distance.ceil().max(0.0) as usize;
    let mut out = Array2::from_elem((rows, cols), false);
    for ((r, c), _) in field.indexed_iter().filter(|(_, v)| **v) {
        for y in r.saturating_sub(reach)..(r + reach + 1).min(rows) {
            for x in c.saturating_sub(reach)..(c + reach + 1).min(cols) {
                let (dy, dx) = (y.abs_diff(r) as f32, x.abs_diff(c) as f32);
                out[[y, x]] |= dy * dy + dx * dx < distance * distance;
            }
        }
    }
    out
}

/// `field` without its groups of fewer than `size` true nodes, neighbours by sides and corners.
pub fn without_small_groups(field: ArrayView2<bool>, size: usize) -> Array2<bool> {
    let (rows, cols) = field.dim();
    let mut out = field.to_owned();
    let mut seen = Array2::from_elem((rows, cols), false);
    let (mut group, mut pending) = (Vec::new(), Vec::new());
    for (start, _) in field.indexed_iter().filter(|(_, v)| **v) {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        group.clear();
        pending.push(start);
        while let Some((r, c)) = pending.pop() {
            group.push((r, c));
            for y in r.saturating_sub(1)..(r + 2).min(rows) {
                for x in c.saturating_sub(1)..(c + 2).min(cols) {
                    if field[[y, x]] && !std::mem::replace(&mut seen[[y, x]], true) {
                        pending.push((y, x));
                    }
                }
            }
        }
        if group.len() < size {
            group.iter().for_each(|&at| out[at] = false);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    const N: f32 = f32::NAN;

    #[test]
    fn medians_leave_out_what_is_not_there() {
        let field = array![[1.0, N, 3.0], [N, 9.0, 5.0], [7.0, N, N]];
        // In the middle: 1, 3, 5, 7, 9. At the upper left corner: 1 and 9.
        let (median, deviation) = median_and_deviation(field.view(), 3);
        assert_eq!((median[[1, 1]], deviation[[1, 1]]), (5.0, 2.0));
        assert_eq!((median[[0, 0]], deviation[[0, 0]]), (5.0, 4.0));
        assert_eq!(count_alike(field.view(), 3, 4.5)[[1, 1]], 3);
        assert_eq!(count_alike(field.view(), 3, 4.0)[[1, 1]], 2);
        assert_eq!(count_alike(field.view(), 3, 9.0)[[0, 1]], 0);
    }

    #[test]
    fn small_groups_go_and_corners_join() {
        let field = array![
            [true, false, false, true],
            [false, true, false, false],
            [false, false, true, false]
        ];
        let kept = without_small_groups(field.view(), 3);
        assert_eq!(kept.iter().filter(|&&v| v).count(), 3);
        assert!(!kept[[0, 3]]);
    }

    #[test]
    fn cubic_keeps_constants_and_lines() {
        let constant = cubic(array![[2.0, 2.0], [2.0, 2.0]].view(), 2, (4, 4));
        assert!(constant.iter().all(|v: &f32| (v - 2.0).abs() < 1e-6));
        let line = Array2::from_shape_fn((8, 8), |(_, c)| c as f32);
        let fine = cubic(line.view(), 2, (16, 16));
        // Inside, away from the ends: exact only for the symmetric part of a = −0.75, within its known error elsewhere.
        for c in 4..12 {
            let x = (c as f32 + 0.5) / 2.0 - 0.5;
            assert!((fine[[8, c]] - x).abs() < 0.05, "{} against {x}", fine[[8, c]]);
        }
    }

    #[test]
    fn dilation_is_by_distance() {
        let mut field = Array2::from_elem((9, 9), false);
        field[[4, 4]] = true;
        let grown = dilate(field.view(), 2.5);
        for ((r, c), &v) in grown.indexed_iter() {
            let (dy, dx) = (r as f32 - 4.0, c as f32 - 4.0);
            assert_eq!(v, (dy * dy + dx * dx).sqrt() < 2.5);
        }
    }
}
