//! The normalised displacement coherence filter: which offsets agree with those around them.

use ndarray::{Array2, ArrayView2, Zip};

use super::field::{count_alike, median_and_deviation};

/// Parameters of the filter for one density of nodes.
#[derive(Debug, Clone, Copy)]
pub struct Coherence {
    /// Side of the window in nodes, odd.
    pub width: usize,
    /// Nodes of the window that must agree.
    pub enough: f32,
    /// Where the window holds few matches, fewer are enough: this share of them, but at least so many. None asks the same everywhere.
    pub of_matched: Option<(f32, f32)>,
    /// How much of the search limit alike offsets differ by, at most.
    pub search_share: f32,
    pub iterations: usize,
    /// Offsets further from the window's median than this many median absolute deviations go.
    pub deviations: f32,
    /// The finest step of an offset, px.
    pub step: f32,
}

/// True at the nodes whose offsets are kept.
///
/// Offsets are divided by their search limits. `iterations` times, nodes go with which too few others in the window agree;
/// then `iterations` − 1 times (at least once) those that are far from the window's median, further than two steps at least.
/// NaN offsets are not kept, count for nothing, and neither does what is outside the grid.
///
/// # Source
/// A. S. Gardner et al., "Increased West Antarctic and unchanged East Antarctic ice discharge over the last 7 years",
/// The Cryosphere 12, 2018, doi:10.5194/tc-12-521-2018; Y. Lei, A. Gardner, P. Agram, "Autonomous Repeat Image Feature
/// Tracking (autoRIFT) and its application for tracking ice displacement", Remote Sensing 13(4), 2021, doi:10.3390/rs13040749.
pub fn coherent(
    (dx, dy): (ArrayView2<f32>, ArrayView2<f32>),
    (limit_x, limit_y): (ArrayView2<f32>, ArrayView2<f32>),
    filter: &Coherence,
) -> Array2<bool> {
    let mut u = &dx / &limit_x;
    let mut v = &dy / &limit_y;
    let drop = |u: &mut Array2<f32>, v: &mut Array2<f32>, keep: &Array2<bool>| {
        Zip::from(u).and(v).and(keep).for_each(|u, v, &keep| {
            if !keep {
                (*u, *v) = (f32::NAN, f32::NAN);
            }
        });
    };
    let mut keep = Zip::from(&u)
        .and(&v)
        .map_collect(|u, v| !(u.is_nan() || v.is_nan()));
    let enough = match filter.of_matched {
        None => Array2::from_elem(u.dim(), filter.enough),
        Some((share, least)) => {
            let matched = Zip::from(&keep).map_collect(|&k| if k { 0.0 } else { f32::NAN });
            count_alike(matched.view(), filter.width, 1.0)
                .map(|&n| (share * n as f32).max(least).min(filter.enough))
        }
    };
    for _ in 0..filter.iterations {
        drop(&mut u, &mut v, &keep);
        let alike = |field: &Array2<f32>| count_alike(field.view(), filter.width, filter.search_share);
        keep = Zip::from(&alike(&u))
            .and(&alike(&v))
            .and(&enough)
            .map_collect(|&u, &v, &enough| u as f32 >= enough && v as f32 >= enough);
    }
    for _ in 0..filter.iterations.saturating_sub(1).max(1) {
        drop(&mut u, &mut v, &keep);
        let near = |field: &Array2<f32>, limit: &ArrayView2<f32>| {
            let (median, deviation) = median_and_deviation(field.view(), filter.width);
            Zip::from(field)
                .and(&median)
                .and(&deviation)
                .and(limit)
                .map_collect(|&v, &median, &deviation, &limit| {
                    (v - median).abs() <= (filter.deviations * deviation).max(2.0 * filter.step / limit)
                })
        };
        let (near_x, near_y) = (near(&u, &limit_x), near(&v, &limit_y));
        Zip::from(&mut keep)
            .and(&near_x)
            .and(&near_y)
            .for_each(|keep, &x, &y| *keep = *keep && x && y);
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTER: Coherence = Coherence {
        width: 5,
        enough: 8.0,
        of_matched: None,
        search_share: 0.2,
        iterations: 3,
        deviations: 4.0,
        step: 1.0 / 16.0,
    };

    #[test]
    fn lone_offsets_go_and_fields_stay() {
        let mut dx = Array2::from_shape_fn((12, 12), |(r, c)| 0.05 * (r + c) as f32);
        let dy = Array2::from_elem((12, 12), -1.0f32);
        let limit = Array2::from_elem((12, 12), 25.0f32);
        dx[[6, 6]] = 20.0;
        dx[[3, 3]] = f32::NAN;
        let keep = coherent((dx.view(), dy.view()), (limit.view(), limit.view()), &FILTER);
        for ((r, c), &kept) in keep.indexed_iter() {
            let gone = matches!((r, c), (6, 6) | (3, 3));
            assert_eq!(kept, !gone, "{r}, {c}");
        }
    }

    #[test]
    fn noise_goes() {
        // Offsets all over the search window agree with few others.
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 40) as f32 / (1u64 << 24) as f32) * 50.0 - 25.0
        };
        let dx = Array2::from_shape_simple_fn((40, 40), &mut next);
        let dy = Array2::from_shape_simple_fn((40, 40), &mut next);
        let limit = Array2::from_elem((40, 40), 25.0f32);
        let keep = coherent((dx.view(), dy.view()), (limit.view(), limit.view()), &FILTER);
        assert!(keep.iter().filter(|&&k| k).count() < 16);
    }
}
