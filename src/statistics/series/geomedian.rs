//! The point with the smallest sum of distances to the points of a series.

use multiversion::multiversion;

use super::LANES;

/// The geometric median of points of as many coordinates as there are bands, by Weiszfeld's iteration from their mean, with the step of Vardi & Zhang (2000,
/// doi:10.1073/pnas.97.4.1423) where it meets a point; as composites it is of Roberts, Mueller & McIntyre (2017, doi:10.1109/TGRS.2017.2723896).
///
/// A point counts where all of its coordinates are values. A series ends where a step is at most `tolerance` of the mean distance of its points from their mean, or after
/// `most_steps`; what happens in other lanes does not matter to it.
pub struct Geomedian {
    pub bands: usize,
    pub tolerance: f64,
    pub most_steps: usize,
}

/// What the iteration of all lanes keeps.
struct State {
    /// By bands.
    point: Vec<[f64; LANES]>,
    sums: Vec<[f64; LANES]>,
    /// Of 1/distance.
    weights: [f64; LANES],
    /// Points at the point itself.
    here: [f64; LANES],
}

impl Geomedian {
    /// `planes` are the bands of the first time, of the second, and so on; NaN is no value. `out` holds the bands of the median: NaN where no point counts.
    pub fn fit(&self, planes: &[[f64; LANES]], out: &mut [[f64; LANES]]) {
        let mut points = planes.to_vec();
        let times = planes.len() / self.bands.max(1);
        let mut valid = vec![[0.0; LANES]; times];
        let mut state = State {
            point: vec![[0.0; LANES]; self.bands],
            sums: vec![[0.0; LANES]; self.bands],
            weights: [0.0; LANES],
            here: [0.0; LANES],
        };
        let mut count = [0.0; LANES];
        begin(&mut points, &mut valid, &mut count, &mut state.point, self.bands);
        let mut least = [0.0; LANES];
        spread(&points, &valid, &state.point, &mut least);
        let mut going = [0.0; LANES];
        for i in 0..LANES {
            least[i] *= self.tolerance / count[i].max(1.0);
            going[i] = if count[i] > 1.0 { 1.0 } else { 0.0 };
        }
        for _ in 0..self.most_steps {
            if going.iter().all(|going| *going == 0.0) {
                break;
            }
            weigh(&points, &valid, &mut state);
            step(&mut state, &least, &mut going);
        }
        for (out, point) in out.iter_mut().zip(&state.point) {
            for i in 0..LANES {
                out[i] = if count[i] > 0.0 { point[i] } else { f64::NAN };
            }
        }
    }
}

/// Tells which points count, makes those that do not 0, and begins with the mean.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn begin(
    points: &mut [[f64; LANES]],
    valid: &mut [[f64; LANES]],
    count: &mut [f64; LANES],
    mean: &mut [[f64; LANES]],
    bands: usize,
) {
    for (point, valid) in points.chunks_exact_mut(bands.max(1)).zip(valid) {
        *valid = [1.0; LANES];
        for band in point.iter() {
            for i in 0..LANES {
                valid[i] = if band[i].is_nan() { 0.0 } else { valid[i] };
            }
        }
        for (band, mean) in point.iter_mut().zip(mean.iter_mut()) {
            for i in 0..LANES {
                band[i] = if valid[i] > 0.0 { band[i] } else { 0.0 };
                mean[i] += band[i];
            }
        }
        for i in 0..LANES {
            count[i] += valid[i];
        }
    }
    for mean in mean {
        for i in 0..LANES {
            mean[i] /= if count[i] > 0.0 { count[i] } else { 1.0 };
        }
    }
}

/// The sum of distances from a point.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn spread(points: &[[f64; LANES]], valid: &[[f64; LANES]], from: &[[f64; LANES]], sum: &mut [f64; LANES]) {
    for (point, valid) in points.chunks_exact(from.len().max(1)).zip(valid) {
        let squares = squares(point, from);
        for i in 0..LANES {
            sum[i] += squares[i].sqrt() * valid[i];
        }
    }
}

#[inline(always)]
fn squares(point: &[[f64; LANES]], from: &[[f64; LANES]]) -> [f64; LANES] {
    let mut squares = [0.0; LANES];
    for (a, b) in point.iter().zip(from) {
        for i in 0..LANES {
            let d = a[i] - b[i];
            squares[i] += d * d;
        }
    }
    squares
}

/// Sums of the points over their distances.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn weigh(points: &[[f64; LANES]], valid: &[[f64; LANES]], state: &mut State) {
    state.sums.fill([0.0; LANES]);
    state.weights = [0.0; LANES];
    state.here = [0.0; LANES];
    for (point, valid) in points.chunks_exact(state.point.len().max(1)).zip(valid) {
        let squares = squares(point, &state.point);
        let mut weight = [0.0; LANES];
        for i in 0..LANES {
            let near = if squares[i] > 0.0 {
                valid[i] / squares[i].sqrt()
            } else {
                0.0
            };
            state.here[i] += if squares[i] > 0.0 { 0.0 } else { valid[i] };
            weight[i] = near;
            state.weights[i] += near;
        }
        for (sum, band) in state.sums.iter_mut().zip(point) {
            for i in 0..LANES {
                sum[i] += band[i] * weight[i];
            }
        }
    }
}

/// Moves the lanes that are going, and stops those whose steps are small.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn step(state: &mut State, least: &[f64; LANES], going: &mut [f64; LANES]) {
    let mut squares = [0.0; LANES];
    for (sum, point) in state.sums.iter_mut().zip(&state.point) {
        for i in 0..LANES {
            // From here on the way to the weighted mean.
            sum[i] = if state.weights[i] > 0.0 {
                sum[i] / state.weights[i] - point[i]
            } else {
                0.0
            };
            squares[i] += sum[i] * sum[i];
        }
    }
    let mut share = [0.0; LANES];
    for i in 0..LANES {
        let way = squares[i].sqrt();
        // What the other points pull with, against one for each point here.
        let pull = way * state.weights[i];
        share[i] = if state.here[i] == 0.0 {
            1.0
        } else if pull > state.here[i] {
            1.0 - state.here[i] / pull
        } else {
            0.0
        };
        share[i] *= going[i];
        going[i] = if way * share[i] > least[i] { going[i] } else { 0.0 };
    }
    for (way, point) in state.sums.iter().zip(&mut state.point) {
        for i in 0..LANES {
            point[i] += way[i] * share[i];
        }
    }
}
