//! Images brought to the pixels of a panel: the mean of what each covers, or the nearest for classes.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// The source cells under one target cell along one axis, each with the share of the target that it covers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cover {
    pub start: usize,
    pub shares: Vec<f32>,
}

/// For target cells between consecutive `edges`, given in source cells (ascending or descending). A target smaller
/// than a source cell takes the one at its middle, so that magnified pixels keep sharp borders.
pub fn covers(edges: &[f64], count: usize) -> Vec<Cover> {
    edges
        .windows(2)
        .map(|edge| {
            let (low, high) = (edge[0].min(edge[1]), edge[0].max(edge[1]));
            if !(low.is_finite() && high > 0.0 && low < count as f64) {
                return Cover::default();
            }
            if high - low <= 1.0 {
                let middle = (low + high) / 2.0;
                if middle < 0.0 || middle >= count as f64 {
                    return Cover::default();
                }
                return Cover {
                    start: middle as usize,
                    shares: vec![1.0],
                };
            }
            let start = low.max(0.0) as usize;
            let end = (high.ceil() as usize).min(count);
            let shares = (start..end)
                .map(|i| ((high.min((i + 1) as f64) - low.max(i as f64)) / (high - low)) as f32)
                .collect();
            Cover { start, shares }
        })
        .collect()
}

/// Means of the valid source pixels under each target pixel, and the share (0 to 1) of it that is valid.
/// A target without a valid pixel is NaN with share 0.
pub fn mean(values: ArrayView2<f32>, rows: &[Cover], cols: &[Cover]) -> (Array2<f32>, Array2<f32>) {
    let shape = (rows.len(), cols.len());
    let (mut means, mut shares) = (Array2::from_elem(shape, f32::NAN), Array2::zeros(shape));
    if cols.is_empty() {
        return (means, shares);
    }
    means
        .as_slice_mut()
        .unwrap_or_default()
        .par_chunks_mut(cols.len())
        .zip(
            shares
                .as_slice_mut()
                .unwrap_or_default()
                .par_chunks_mut(cols.len()),
        )
        .zip(rows)
        .for_each(|((means, shares), row)| {
            let mut sums = vec![0f32; cols.len()];
            for (i, row_share) in row.shares.iter().enumerate() {
                let source = values.row(row.start + i);
                for ((col, sum), share) in cols.iter().zip(&mut sums).zip(shares.iter_mut()) {
                    for (j, col_share) in col.shares.iter().enumerate() {
                        let value = source[col.start + j];
                        if value.is_finite() {
                            let weight = row_share * col_share;
                            *sum += value * weight;
                            *share += weight;
                        }
                    }
                }
            }
            for ((mean, sum), share) in means.iter_mut().zip(sums).zip(shares) {
                if *share > 0.0 {
                    *mean = sum / *share;
                }
            }
        });
    (means, shares)
}

/// The source pixel at the middle of each target pixel; NaN outside the source.
pub fn nearest(values: ArrayView2<f32>, rows: &[Cover], cols: &[Cover]) -> Array2<f32> {
    let middle = |c: &Cover| (!c.shares.is_empty()).then(|| c.start + c.shares.len() / 2);
    let (rows, cols): (Vec<_>, Vec<_>) = (
        rows.iter().map(middle).collect(),
        cols.iter().map(middle).collect(),
    );
    Array2::from_shape_fn((rows.len(), cols.len()), |(r, c)| match (rows[r], cols[c]) {
        (Some(r), Some(c)) => values[(r, c)],
        _ => f32::NAN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn edges(n: usize, count: usize) -> Vec<f64> {
        (0..=n).map(|i| i as f64 * count as f64 / n as f64).collect()
    }

    #[test]
    fn shrinking_is_the_mean_of_what_is_valid() {
        let values = array![[1.0, 3.0, f32::NAN, 8.0], [5.0, 7.0, f32::NAN, f32::NAN]];
        let (means, shares) = mean(values.view(), &covers(&edges(1, 2), 2), &covers(&edges(2, 4), 4));
        assert_eq!(means, array![[4.0, 8.0]]);
        assert_eq!(shares, array![[1.0, 0.25]]);
    }

    #[test]
    fn fractional_covers_weigh_by_area() {
        // Three cells on two: each target covers one and a half.
        let values = array![[0.0, 6.0, 12.0]];
        let (means, shares) = mean(values.view(), &covers(&edges(1, 1), 1), &covers(&edges(2, 3), 3));
        for (got, want) in means.iter().zip([2.0, 10.0]) {
            assert!((got - want).abs() < 1e-5);
        }
        assert!(shares.iter().all(|s| (s - 1.0).abs() < 1e-6));
    }

    #[test]
    fn a_flipped_axis_reads_backwards() {
        let mut down = edges(3, 3);
        down.reverse();
        let values = array![[1.0, 2.0, 3.0]];
        assert_eq!(
            nearest(values.view(), &covers(&edges(1, 1), 1), &covers(&down, 3)),
            array![[3.0, 2.0, 1.0]]
        );
    }

    #[test]
    fn outside_the_source_there_is_nothing() {
        let values = array![[1.0, 2.0]];
        let around: Vec<f64> = (-1..=3).map(f64::from).collect();
        let (means, shares) = mean(values.view(), &covers(&edges(1, 1), 1), &covers(&around, 2));
        assert!(means[(0, 0)].is_nan() && means[(0, 3)].is_nan());
        assert_eq!(shares, array![[0.0, 1.0, 1.0, 0.0]]);
        assert_eq!(means[(0, 1)], 1.0);
    }

    #[test]
    fn magnified_pixels_keep_their_values() {
        let values = array![[1.0, 2.0]];
        let (means, _) = mean(values.view(), &covers(&edges(2, 1), 1), &covers(&edges(6, 2), 2));
        assert_eq!(
            means,
            array![[1.0, 1.0, 1.0, 2.0, 2.0, 2.0], [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]]
        );
    }
}
