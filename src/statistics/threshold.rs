//! Thresholds that part the values of a histogram into a lower and an upper class.
//!
//! Positions are in bins from the low end of the first: bin i reaches from i to i + 1. Values within a bin are taken as spread evenly over it,
//! with the variance 1/12.

use crate::error::{Choice, Error, Result};

/// How a threshold is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    Otsu,
    MinimumError,
    ExpectationMaximization,
}

impl Choice for Method {
    const ALL: &'static [(&'static str, Self)] = &[
        ("otsu", Method::Otsu),
        ("minimum_error", Method::MinimumError),
        ("expectation_maximization", Method::ExpectationMaximization),
    ];
}

/// The threshold of a histogram in bins, by `method`; `classes` are those of the mixture of `ExpectationMaximization`.
///
/// # Errors
/// Those of the method.
pub fn threshold(counts: &[u64], method: Method, classes: usize) -> Result<f64> {
    match method {
        Method::Otsu => otsu(counts),
        Method::MinimumError => minimum_error(counts),
        Method::ExpectationMaximization => mixture(counts, classes)?.lowest_crossing(),
    }
}

/// The variance of values that are spread evenly over a bin.
const WITHIN_BIN: f64 = 1.0 / 12.0;

/// A part of a histogram: how many values, their mean, and their variance about it.
#[derive(Clone, Copy)]
struct Side {
    count: f64,
    mean: f64,
    variance: f64,
}

/// Sums of counts, positions and their squares up to each bin, about the middle of the histogram so that little cancels.
struct Sums {
    middle: f64,
    totals: Vec<[f64; 3]>,
}

impl Sums {
    fn of(counts: &[u64]) -> Sums {
        let middle = counts.len() as f64 / 2.0;
        let mut total = [0.0; 3];
        let mut totals = vec![total];
        for (i, &count) in counts.iter().enumerate() {
            let (count, x) = (count as f64, i as f64 + 0.5 - middle);
            total = [total[0] + count, total[1] + count * x, total[2] + count * x * x];
            totals.push(total);
        }
        Sums { middle, totals }
    }

    /// Of the bins from `first` up to, without, `last`.
    fn side(&self, first: usize, last: usize) -> Side {
        let [count, sum, squares]: [f64; 3] =
            std::array::from_fn(|k| self.totals[last][k] - self.totals[first][k]);
        let mean = sum / count;
        Side {
            count,
            mean: mean + self.middle,
            variance: (squares / count - mean * mean).max(0.0) + WITHIN_BIN,
        }
    }
}

/// The split with the least value of `criterion(lower, upper, all)`, and that value. Where no value lies between the classes, the threshold is in the
/// middle of the gap.
fn least(
    counts: &[u64],
    method: &str,
    criterion: impl Fn(Side, Side, Side) -> f64,
) -> Result<(f64, f64, Side)> {
    let occupied = |range: std::ops::Range<usize>| range.clone().find(|&i| counts[i] > 0);
    let n = counts.len();
    let first = occupied(0..n).ok_or_else(|| Error::message("the histogram is empty: no pixel is valid"))?;
    let sums = Sums::of(counts);
    let all = sums.side(0, n);
    let (mut split, mut best) = (None, f64::INFINITY);
    // A split after an empty bin parts the values as the one before it.
    for t in (first..n - 1).filter(|&t| counts[t] > 0) {
        let Some(next) = occupied(t + 1..n) else { break };
        let value = criterion(sums.side(0, t + 1), sums.side(t + 1, n), all);
        if value < best {
            (split, best) = (Some((t + 1 + next) as f64 / 2.0), value);
        }
    }
    let split = split.ok_or_else(|| {
        Error::message(format!(
            "{method}: all values lie in one bin of the histogram, so that nothing parts them; take more bins or a narrower range"
        ))
    })?;
    Ok((split, best, all))
}

/// The threshold that makes the variance between the two classes greatest, in bins. Good where both have about the same spread and size.
///
/// # Errors
/// A histogram without values, or with all of them in one bin.
///
/// # Source
/// Otsu 1979, doi:10.1109/TSMC.1979.4310076, equation 14.
pub fn otsu(counts: &[u64]) -> Result<f64> {
    let (split, _, _) = least(counts, "otsu", |low, high, all| {
        let apart = high.mean - low.mean;
        -(low.count / all.count) * (high.count / all.count) * apart * apart
    })?;
    Ok(split)
}

/// The threshold with the least error of classification, if each class is Gaussian with a spread of its own, in bins.
///
/// The criterion is J = 1 + 2 (P₁ ln σ₁ + P₂ ln σ₂) − 2 (P₁ ln P₁ + P₂ ln P₂). That of a single class is 1 + 2 ln σ. n·J is twice the negative
/// logarithm of the likelihood, but for a constant: where no split of the n values is below that of one class by 3 ln n, the price of the three numbers more that two
/// Gaussians have, one says as much as two, and there is no threshold.
///
/// # Errors
/// A histogram without values, with all of them in one bin, or with a single mode.
///
/// # Source
/// Kittler and Illingworth 1986, doi:10.1016/0031-3203(86)90030-0, equation 15; the price is that of Schwarz 1978, doi:10.1214/aos/1176344136.
pub fn minimum_error(counts: &[u64]) -> Result<f64> {
    let (split, best, all) = least(counts, "minimum_error", |low, high, all| {
        let term = |side: Side| {
            let share = side.count / all.count;
            share * (side.variance.ln() - 2.0 * share.ln())
        };
        1.0 + term(low) + term(high)
    })?;
    if best + 3.0 * all.count.ln() / all.count >= 1.0 + all.variance.ln() {
        return Err(Error::message(
            "minimum_error: the histogram has a single mode: no two Gaussian classes describe it better than one; choose a part of the \
             image that holds both classes in comparable shares",
        ));
    }
    Ok(split)
}

/// A Gaussian class of a mixture, in bins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Class {
    pub share: f64,
    pub mean: f64,
    pub variance: f64,
}

impl Class {
    fn density(&self, x: f64) -> f64 {
        let d = x - self.mean;
        self.share / (std::f64::consts::TAU * self.variance).sqrt() * (-0.5 * d * d / self.variance).exp()
    }
}

/// Gaussian classes that make up a histogram, by rising mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture(pub Vec<Class>);

const MOST_STEPS: usize = 100_000;
/// Steps end when the mean logarithm of the likelihood grows less than this.
const SETTLED: f64 = 1e-6;
/// What a class is given at each step beside its share, so that none dies out.
const LEAST_SHARE: f64 = 1e-3;

/// Fits Gaussian classes by expectation maximisation to the histogram, which is smoothed by (1, 2, 3, 2, 1) before.
///
/// At first the means are spread evenly, and each variance is the number of bins.
///
/// # Errors
/// Fewer than 2 classes; a histogram with values in fewer than 2 bins; one that does not settle.
///
/// # Source
/// Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x; the steps are those of the thresholds of HydroSAR (ASF, asf-tools).
pub fn mixture(counts: &[u64], classes: usize) -> Result<Mixture> {
    if classes < 2 {
        return Err(Error::argument("classes", "at least 2", classes));
    }
    let n = counts.len();
    let smooth = |i: usize| -> f64 {
        let near = [1.0, 2.0, 3.0, 2.0, 1.0].iter().enumerate();
        let at = |k: usize| {
            (i + k)
                .checked_sub(2)
                .and_then(|j| counts.get(j))
                .map_or(0.0, |&c| c as f64)
        };
        near.map(|(k, weight)| weight * at(k)).sum()
    };
    let levels: Vec<(f64, f64)> = (0..n)
        .map(|i| (i as f64, smooth(i)))
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    if counts.iter().filter(|&&count| count > 0).count() < 2 {
        return Err(Error::message(
            "expectation_maximization: the values lie in fewer than two bins of the histogram; take more bins or a narrower range",
        ));
    }
    let total: f64 = levels.iter().map(|(_, weight)| weight).sum();
    let levels: Vec<(f64, f64)> = levels
        .into_iter()
        .map(|(x, weight)| (x, weight / total))
        .collect();
    // Keeps a class from shrinking to a point.
    let apart = (levels[levels.len() - 1].0 - levels[0].0) / (levels.len() - 1) as f64;
    let least_variance = apart / 1000.0;
    let mut fit: Vec<Class> = (1..=classes)
        .map(|j| Class {
            share: 1.0 / classes as f64,
            mean: (j * n) as f64 / (classes + 1) as f64,
            variance: n as f64,
        })
        .collect();
    let mut before = f64::NEG_INFINITY;
    for _ in 0..MOST_STEPS {
        let likelihood =
            |fit: &[Class], x: f64| fit.iter().map(|class| class.density(x)).sum::<f64>() + f64::EPSILON;
        let mean_logarithm: f64 = levels.iter().map(|&(x, w)| w * likelihood(&fit, x).ln()).sum();
        if mean_logarithm - before < SETTLED {
            // So far bins were counted by their middles.
            fit.iter_mut().for_each(|class| class.mean += 0.5);
            fit.sort_by(|a, b| a.mean.total_cmp(&b.mean));
            return Ok(Mixture(fit));
        }
        before = mean_logarithm;
        let sums: Vec<f64> = levels.iter().map(|&(x, _)| likelihood(&fit, x)).collect();
        for class in &mut fit {
            let posterior: Vec<f64> = levels
                .iter()
                .zip(&sums)
                .map(|(&(x, w), sum)| w * class.density(x) / sum)
                .collect();
            let over = |value: &dyn Fn(f64) -> f64| -> f64 {
                levels
                    .iter()
                    .zip(&posterior)
                    .map(|(&(x, _), p)| value(x) * p)
                    .sum()
            };
            let share: f64 = over(&|_| 1.0);
            if share > 0.0 {
                let mean = over(&|x| x) / share;
                let variance = over(&|x| (x - mean) * (x - mean)) / share + least_variance;
                *class = Class {
                    share,
                    mean,
                    variance,
                };
            }
        }
        let shares: f64 = fit.iter().map(|class| class.share + LEAST_SHARE).sum();
        fit.iter_mut()
            .for_each(|class| class.share = (class.share + LEAST_SHARE) / shares);
    }
    Err(Error::message(format!(
        "expectation_maximization: {classes} classes do not settle within {MOST_STEPS} steps; take fewer classes or another method"
    )))
}

impl Mixture {
    /// Ashman's D of the two lowest classes: how far their means are apart, in their spreads. Above 2 they part cleanly.
    ///
    /// # Source
    /// Ashman, Bird and Zepf 1994, doi:10.1086/117248, equation 4.
    pub fn separation(&self) -> f64 {
        let (low, high) = (self.0[0], self.0[1]);
        std::f64::consts::SQRT_2 * (high.mean - low.mean) / (low.variance + high.variance).sqrt()
    }

    /// Where the densities of the two lowest classes cross between their means, in bins.
    ///
    /// # Errors
    /// Classes that do not cross there: one lies within the other.
    pub fn lowest_crossing(&self) -> Result<f64> {
        let (low, high) = (self.0[0], self.0[1]);
        let difference = |x: f64| low.density(x) - high.density(x);
        let (mut left, mut right) = (low.mean, high.mean);
        if difference(left) <= 0.0 || difference(right) >= 0.0 {
            return Err(Error::message(
                "expectation_maximization: the two lowest classes do not part: one lies within the other; choose a part of the image that \
                 holds both classes in comparable shares, or another number of classes",
            ));
        }
        for _ in 0..100 {
            let middle = (left + right) / 2.0;
            match difference(middle) > 0.0 {
                true => left = middle,
                false => right = middle,
            }
        }
        Ok((left + right) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tiles 2, 3 and 5 of asf-tools' tests/hydrosar/data/em_tiles.npz (BSD-3), log10 of power + 30, times 8.732284197109262, rounded: the least
    /// value, and how many pixels have it and those that follow.
    const TILES: [(f64, &[u64]); 3] = [(227.0, &T2), (223.0, &T3), (217.0, &T5)];
    const T2: [u64; 35] = [
        1, 1, 1, 2, 2, 5, 11, 26, 144, 817, 2101, 1263, 336, 160, 118, 104, 119, 107, 97, 103, 149, 339,
        1398, 1825, 460, 118, 45, 41, 30, 25, 14, 14, 8, 4, 2,
    ];
    const T3: [u64; 37] = [
        1, 0, 1, 0, 6, 1, 3, 4, 11, 13, 49, 134, 608, 1713, 1946, 687, 166, 80, 43, 35, 38, 37, 29, 46, 54,
        236, 1134, 1915, 688, 184, 56, 16, 17, 6, 7, 2, 2,
    ];
    const T5: [u64; 45] = [
        2, 0, 1, 1, 0, 0, 1, 0, 1, 1, 3, 3, 5, 3, 3, 9, 21, 44, 95, 200, 791, 1454, 773, 270, 143, 117, 118,
        138, 181, 301, 482, 736, 1544, 1355, 579, 239, 162, 100, 42, 30, 16, 13, 8, 1, 1,
    ];

    #[test]
    fn mixtures_are_those_of_asf_tools() {
        // `expectation_maximization_threshold` of asf-tools 0.8 for 3 classes: means, variances and shares where it ends. The pixels of the greatest value
        // are not in its histogram.
        let expected = [
            [
                [10.220840503543966, 2.3599251841504, 0.462427210135054],
                [18.701409306786992, 30.691366736094828, 0.16321586930874188],
                [22.648672996119757, 2.0851365981448047, 0.3743569205562042],
            ],
            [
                [13.554984029949706, 2.56179800231836, 0.5212483652727369],
                [19.945684798521306, 44.51729409629256, 0.06377668640160411],
                [26.885477449926466, 2.3479711247070076, 0.41497494832565884],
            ],
            [
                [20.95937233746182, 2.4798089054082175, 0.32252236809232976],
                [27.856070515061713, 37.182100596369025, 0.21033035325691005],
                [32.31869813246171, 3.659047108730065, 0.4671472786507603],
            ],
        ];
        // Its thresholds, on a grid of 1/20 bin, and its bins count from 1 less than the least value.
        let thresholds = [239.8208405035448, 239.85498402995069, 240.10937233746253];
        for (((least, counts), classes), threshold) in TILES.iter().zip(expected).zip(thresholds) {
            let mut counts = counts.to_vec();
            if let Some(last) = counts.last_mut() {
                *last = 0;
            }
            let fit = mixture(&counts, 3).unwrap();
            for (found, [mean, variance, share]) in fit.0.iter().zip(classes) {
                assert!((found.mean - 0.5 - mean).abs() < 1e-8, "{found:?} {mean}");
                assert!((found.variance - variance).abs() < 1e-8, "{found:?} {variance}");
                assert!((found.share - share).abs() < 1e-8, "{found:?} {share}");
            }
            let found = fit.lowest_crossing().unwrap() - 0.5 + least - 1.0;
            assert!((found - threshold).abs() < 0.026, "{found} {threshold}");
        }
    }

    #[test]
    fn separations_are_ashmans() {
        // Two normal samples, of a mean of 10 and 22 bins and a spread of 2 and 4: D = √2 · 12 / √(4 + 16).
        let density = |x: f64, mean: f64, std: f64| (-0.5 * ((x - mean) / std).powi(2)).exp() / std;
        let counts: Vec<u64> = (0..48)
            .map(|i| f64::from(i) + 0.5)
            .map(|x| (1e5 * (density(x, 10.0, 2.0) + density(x, 22.0, 4.0))) as u64)
            .collect();
        // Smoothing adds a variance of 4/3 bins.
        let expected = 2f64.sqrt() * 12.0 / (20.0 + 8.0 / 3.0f64).sqrt();
        let found = mixture(&counts, 2).unwrap().separation();
        assert!((found - expected).abs() < 0.02, "{found} {expected}");
        // Of one bell the two classes lie within each other.
        let bell: Vec<u64> = (0..48)
            .map(|i| (1e5 * density(f64::from(i), 24.0, 6.0)) as u64)
            .collect();
        let one = mixture(&bell, 2).unwrap().separation();
        assert!(one < 1.5, "{one}");
    }

    #[test]
    fn otsu_is_that_of_scikit_image() {
        // skimage.filters.threshold_otsu(hist = (counts, [0, 1, 2, …])) of scikit-image 0.26: the last bin of the lower class.
        for ((_, counts), last) in TILES.iter().zip([16.0, 20.0, 26.0]) {
            assert_eq!(otsu(counts).unwrap(), last + 1.0);
        }
        // It gives 4 here; from there to the next value is a gap of three bins.
        assert_eq!(otsu(&[0, 0, 4, 7, 3, 0, 0, 0, 1, 6, 5, 2]).unwrap(), 6.5);
    }

    /// Equation 15 of Kittler and Illingworth for values that are spread over their bins in 1000 steps.
    fn criterion(counts: &[u64], split: usize) -> f64 {
        let part = |from: usize, to: usize| {
            let values = || {
                (from..to).flat_map(|i| {
                    (0..1000).map(move |k| (i as f64 + (k as f64 + 0.5) / 1000.0, counts[i] as f64 / 1000.0))
                })
            };
            let count: f64 = values().map(|(_, w)| w).sum();
            let mean = values().map(|(x, w)| x * w).sum::<f64>() / count;
            let variance = values().map(|(x, w)| (x - mean) * (x - mean) * w).sum::<f64>() / count;
            (count / counts.iter().sum::<u64>() as f64, variance.sqrt())
        };
        let ((p1, s1), (p2, s2)) = (part(0, split), part(split, counts.len()));
        1.0 + 2.0 * (p1 * s1.ln() + p2 * s2.ln()) - 2.0 * (p1 * p1.ln() + p2 * p2.ln())
    }

    #[test]
    fn minimum_error_is_the_least_of_the_criterion() {
        for (_, counts) in TILES {
            let found = minimum_error(counts).unwrap();
            let best =
                (1..counts.len()).min_by(|&a, &b| criterion(counts, a).total_cmp(&criterion(counts, b)));
            assert_eq!(found, best.unwrap() as f64);
        }
    }

    #[test]
    fn one_mode_has_no_threshold_of_minimum_error() {
        let bell: Vec<u64> = (0..60)
            .map(|i| (1e5 * (-0.5 * ((i as f64 - 30.0) / 7.0).powi(2)).exp()) as u64)
            .collect();
        assert!(
            minimum_error(&bell)
                .unwrap_err()
                .to_string()
                .contains("a single mode")
        );
        // 10,000 normal numbers of NumPy (default_rng(1), bins of 1/10 from −3.7): its tails are ragged.
        let drawn = [
            1, 2, 1, 1, 1, 3, 3, 9, 4, 20, 15, 20, 24, 18, 29, 30, 40, 64, 74, 74, 108, 128, 141, 155, 193,
            198, 241, 258, 297, 288, 361, 344, 346, 408, 370, 374, 401, 388, 395, 385, 345, 358, 351, 335,
            303, 279, 282, 232, 206, 185, 141, 128, 115, 116, 71, 69, 55, 49, 43, 22, 22, 13, 24, 10, 5, 6,
            3, 3, 5, 2, 3, 3, 0, 0, 2,
        ];
        assert!(
            minimum_error(&drawn)
                .unwrap_err()
                .to_string()
                .contains("a single mode")
        );
        // Two that are far apart have one, in the middle of the gap.
        let mut two = vec![0; 40];
        (two[5], two[30]) = (100, 50);
        for method in [Method::Otsu, Method::MinimumError] {
            assert_eq!(threshold(&two, method, 2).unwrap(), 18.0);
        }
    }

    #[test]
    fn histograms_that_hold_nothing_to_part() {
        for (_, method) in Method::ALL {
            assert!(threshold(&[0; 8], *method, 2).is_err());
            assert!(threshold(&[0, 0, 9, 0], *method, 2).is_err());
            assert!(threshold(&[], *method, 2).is_err());
        }
        assert!(
            mixture(&[1, 2, 3], 1)
                .unwrap_err()
                .to_string()
                .contains("at least 2")
        );
    }
}
