//! Changes of radar backscatter over time: the omnibus test of equal powers and the tests that tell where they change.

use super::LANES;
use crate::statistics::gamma::chi2_above;

/// The tests of Conradsen, Nielsen & Skriver (2016, doi:10.1109/TGRS.2015.2510160) for channels that are looked at by their powers alone: each a gamma distribution of
/// the same number of looks n, which is the complex Wishart distribution of one row, independent of the others (the diagonal case). With b channels and k images of powers x,
///
/// −ln Q = n Σ_b { k ln(Σ x / k) − Σ ln x }, f = b (k − 1), ρ = 1 − (k + 1) / (6 n k),
///
/// tests that nothing has changed in all k; and Q is the product of the R_j, which test that image j is as the j − 1 before it,
///
/// −ln R_j = n Σ_b { j ln(S_j / j) − (j − 1) ln(S_j−1 / (j − 1)) − ln x_j }, f = b, ρ = 1 − (1 + 1 / (j (j − 1))) / (6 n),
///
/// where S_j is the sum of the first j. Both are told by P{−2 ρ ln Q > z} = c(z; f) + ω₂ (c(z; f + 4) − c(z; f)), ω₂ = −f/4 (1 − 1/ρ)², c the upper tail of χ².
///
/// A change is where the first R_j is rejected after Q has been; from there it begins again, with the images that are left.
pub struct Omnibus {
    bands: usize,
    looks: f64,
    /// −ln Q above which equality of so many images is rejected, and −ln R of the image of that number.
    all: Vec<f64>,
    one: Vec<f64>,
}

/// What a change is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    None = 0,
    /// In all channels.
    Rise = 1,
    Fall = 2,
    Mixed = 3,
}

/// Of one series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Of a Q as small without a change, over all images.
    pub p_value: f64,
    pub frequency: usize,
    /// Numbers of the first images after the first and the last change, from 1; 0 where there is none.
    pub first: usize,
    pub last: usize,
}

/// What is kept between series.
#[derive(Default)]
pub struct Scratch {
    /// Places of the images that count, their powers by channels, and the sums of their logarithms over channels.
    places: Vec<usize>,
    powers: Vec<f64>,
    logarithms: Vec<f64>,
    sums: Vec<f64>,
}

impl Omnibus {
    /// Tests of up to `images` of so many `looks`, from 1, at the level `alpha`.
    pub fn new(images: usize, bands: usize, looks: f64, alpha: f64) -> Omnibus {
        let test = |rho: fn(f64, f64) -> f64, degrees: &dyn Fn(f64) -> f64| -> Vec<f64> {
            let limit = |k: usize| match k {
                0 | 1 => f64::INFINITY,
                _ => {
                    let (rho, degrees) = (rho(k as f64, looks), degrees(k as f64));
                    critical(degrees, rho, alpha) / (2.0 * rho)
                }
            };
            (0..=images).map(limit).collect()
        };
        Omnibus {
            bands,
            looks,
            all: test(rho_of_all, &|k| bands as f64 * (k - 1.0)),
            one: test(rho_of_one, &|_| bands as f64),
        }
    }

    /// Of series `i` of the planes, the bands of one image after those of the other: images count where all bands are powers above 0. None where fewer than two do.
    /// `change` is told the place of each image that counts, and what has changed between it and the one before.
    pub fn series(
        &self,
        planes: &[[f64; LANES]],
        i: usize,
        scratch: &mut Scratch,
        mut change: impl FnMut(usize, Change),
    ) -> Option<Found> {
        let Scratch {
            places,
            powers,
            logarithms,
            sums,
        } = scratch;
        places.clear();
        powers.clear();
        logarithms.clear();
        for (place, image) in planes.chunks_exact(self.bands.max(1)).enumerate() {
            if image.iter().all(|band| band[i] > 0.0 && band[i].is_finite()) {
                places.push(place);
                powers.extend(image.iter().map(|band| band[i]));
                logarithms.push(image.iter().map(|band| band[i].ln()).sum());
            }
        }
        let k = places.len();
        if k < 2 {
            return None;
        }
        let image = |at: usize| &powers[at * self.bands..(at + 1) * self.bands];
        // −ln Q of the images from `start` on.
        let all_from = |start: usize, sums: &mut Vec<f64>| {
            sums.clear();
            sums.resize(self.bands, 0.0);
            (start..k).for_each(|at| add(sums, image(at)));
            let count = (k - start) as f64;
            let logarithms: f64 = logarithms[start..].iter().sum();
            self.looks * (count * log_of_means(sums, count) - logarithms)
        };
        let of_all = all_from(0, sums);
        let mut found = Found {
            p_value: p_value(
                of_all,
                self.bands as f64 * (k - 1) as f64,
                rho_of_all(k as f64, self.looks),
            ),
            ..Found::default()
        };
        change(places[0], Change::None);
        let (mut start, mut of_rest) = (0, of_all);
        let mut told = 1;
        while k - start >= 2 && of_rest > self.all[k - start] {
            sums.clear();
            sums.extend_from_slice(image(start));
            let mut before = log_of_means(sums, 1.0);
            let mut next = None;
            for (at, logarithm) in logarithms.iter().enumerate().take(k).skip(start + 1) {
                let j = (at - start + 1) as f64;
                let kind = direction(sums, j - 1.0, image(at));
                add(sums, image(at));
                let with = log_of_means(sums, j);
                let of_one = self.looks * (j * with - (j - 1.0) * before - logarithm);
                before = with;
                if of_one > self.one[at - start + 1] {
                    next = Some((at, kind));
                    break;
                }
            }
            let Some((at, kind)) = next else {
                break;
            };
            (told..at).for_each(|at| change(places[at], Change::None));
            change(places[at], kind);
            told = at + 1;
            found.frequency += 1;
            found.last = places[at] + 1;
            if found.first == 0 {
                found.first = found.last;
            }
            start = at;
            of_rest = all_from(start, sums);
        }
        (told..k).for_each(|at| change(places[at], Change::None));
        Some(found)
    }
}

fn add(sums: &mut [f64], image: &[f64]) {
    for (sum, v) in sums.iter_mut().zip(image) {
        *sum += v;
    }
}

/// Σ ln(sum / count) over channels.
fn log_of_means(sums: &[f64], count: f64) -> f64 {
    sums.iter().map(|sum| (sum / count).ln()).sum()
}

/// Of an image, beside the mean of those before.
fn direction(sums: &[f64], count: f64, image: &[f64]) -> Change {
    let rises = sums
        .iter()
        .zip(image)
        .filter(|(sum, v)| **v > **sum / count)
        .count();
    match rises {
        0 => Change::Fall,
        n if n == image.len() => Change::Rise,
        _ => Change::Mixed,
    }
}

fn rho_of_all(images: f64, looks: f64) -> f64 {
    1.0 - (images + 1.0) / (6.0 * looks * images)
}

fn rho_of_one(j: f64, looks: f64) -> f64 {
    1.0 - (1.0 + 1.0 / (j * (j - 1.0))) / (6.0 * looks)
}

/// Of a −ln Q at least as large where nothing changes.
fn p_value(minus_log: f64, degrees: f64, rho: f64) -> f64 {
    above(2.0 * rho * minus_log, degrees, rho)
}

fn above(z: f64, degrees: f64, rho: f64) -> f64 {
    let omega = -degrees / 4.0 * (1.0 - 1.0 / rho) * (1.0 - 1.0 / rho);
    let first = chi2_above(z, degrees);
    (first + omega * (chi2_above(z, degrees + 4.0) - first)).clamp(0.0, 1.0)
}

/// The z above which so much of the distribution lies, by halving.
fn critical(degrees: f64, rho: f64, alpha: f64) -> f64 {
    let mut high = degrees + 10.0;
    while above(high, degrees, rho) > alpha && high < 1e9 {
        high *= 2.0;
    }
    let mut low = 0.0;
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        match above(middle, degrees, rho) > alpha {
            true => low = middle,
            false => high = middle,
        }
    }
    high
}
