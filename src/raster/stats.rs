//! Statistics of bands: one pass over the tiles, the same answer whatever the order in which they come.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::execute::Run;
use super::image::Raster;
use super::tile::{MASKED_INTEGER, integer_to_f64};
use super::{Kind, Pixels};
use crate::bounds;
use crate::error::{Domain, Error, Result};
pub use crate::statistics::threshold::Method as Threshold;
use crate::statistics::threshold::{self, mixture, threshold};
use crate::statistics::{self, Ordered, Term};
use crate::work;

/// Count, mean, spread and extremes of valid pixels, the same however an image is cut into tiles.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    of: statistics::Moments,
    /// Least and greatest of 64-bit integers, which no float holds.
    pub exact: Option<(i128, i128)>,
}

impl Moments {
    /// Of the valid pixels of a tile; of complex ones the magnitude.
    pub fn of(pixels: &Pixels) -> Moments {
        match pixels {
            Pixels::I128(a) => {
                let valid = a.iter().copied().filter(|v| *v != MASKED_INTEGER);
                let ends = valid.fold(None, |ends: Option<(i128, i128)>, v| {
                    Some(ends.map_or((v, v), |(low, high)| (low.min(v), high.max(v))))
                });
                Moments {
                    exact: ends,
                    ..Moments::of_values(a.iter().map(|&v| integer_to_f64(v)))
                }
            }
            Pixels::F32(a) => Moments::of_values(a.iter().copied()),
            Pixels::F64(a) => Moments::of_values(a.iter().copied()),
            Pixels::C32(a) => Moments::of_values(a.iter().map(|z| f64::from(z.norm()))),
        }
    }

    /// Of those that are not NaN.
    pub fn of_values<T: Term + num_traits::Float>(values: impl Iterator<Item = T>) -> Moments {
        const ROOM: usize = 1 << 10;
        let (mut valid, mut count) = ([T::zero(); ROOM], 0);
        let mut of = statistics::Moments::default();
        for v in values {
            valid[count] = v;
            count += usize::from(!v.is_nan());
            if count == ROOM {
                of.add_all(&valid);
                count = 0;
            }
        }
        of.add_all(&valid[..count]);
        Moments { of, exact: None }
    }

    pub fn merge(&mut self, other: &Moments) {
        self.exact = match (self.exact, other.exact) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        self.of.merge(&other.of);
    }

    pub fn count(&self) -> u64 {
        self.of.count
    }

    /// 0 where every pixel is masked.
    pub fn sum(&self) -> f64 {
        self.of.sum()
    }

    /// NaN where every pixel is masked, as are the following.
    pub fn min(&self) -> f64 {
        self.of.min()
    }

    pub fn max(&self) -> f64 {
        self.of.max()
    }

    pub fn mean(&self) -> f64 {
        self.of.mean()
    }

    /// Population standard deviation, as GDAL's STATISTICS_STDDEV and numpy's std.
    pub fn std(&self) -> f64 {
        self.of.std()
    }
}

/// Moments of tiles that arrive in any order, from any thread.
#[derive(Default)]
pub struct TileMoments(Mutex<Moments>);

impl TileMoments {
    pub fn add(&self, moments: &Moments) {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).merge(moments);
    }

    /// Of all tiles, once each was added.
    pub fn total(&self) -> Moments {
        *self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Statistics of each band over all valid pixels.
///
/// # Errors
/// What `Run::prepare` refuses; what an operation or reading a file fails with; `Interrupted`.
pub fn stats(raster: &Raster) -> Result<Vec<Moments>> {
    let run = Run::prepare(&raster.grid, &raster.ports(), raster.grid.window())?;
    let totals: Vec<TileMoments> = raster.bands.iter().map(|_| TileMoments::default()).collect();
    run.for_each("statistics", &|_, _, pixels| {
        for (total, band) in totals.iter().zip(&pixels) {
            total.add(&Moments::of(band));
        }
        Ok(())
    })?;
    Ok(totals.iter().map(TileMoments::total).collect())
}

/// Counts of valid pixels in `bins` equal bins from `low` to `high`; the last bin holds `high` itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    pub low: f64,
    pub high: f64,
    pub counts: Vec<u64>,
    pub below: u64,
    pub above: u64,
}

impl Histogram {
    /// The value that parts the counted pixels into a lower and an upper class; `classes` are those of a mixture.
    ///
    /// # Errors
    /// A histogram that holds nothing to part: see `statistics::threshold`.
    pub fn threshold(&self, method: Threshold, classes: usize) -> Result<f64> {
        let bins = threshold(&self.counts, method, classes)?;
        Ok(self.low + bins * self.width())
    }

    fn width(&self) -> f64 {
        (self.high - self.low) / self.counts.len() as f64
    }

    /// The Gaussian classes that make up the counted pixels, lowest first, and how far the two lowest are apart.
    ///
    /// # Errors
    /// As `statistics::threshold::mixture`.
    pub fn mixture(&self, classes: usize) -> Result<(Vec<GaussianClass>, f64)> {
        let fit = mixture(&self.counts, classes)?;
        let class = |class: &threshold::Class| GaussianClass {
            mean: self.low + class.mean * self.width(),
            std: class.variance.sqrt() * self.width(),
            share: class.share,
        };
        Ok((fit.0.iter().map(class).collect(), fit.separation()))
    }
}

/// A class of a mixture, in the unit of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaussianClass {
    pub mean: f64,
    pub std: f64,
    /// Of the pixels; those of all classes add up to 1.
    pub share: f64,
}

/// Histogram of one band. Without a range, one pass finds it and a second counts.
///
/// # Errors
/// Several bands; no bins, or more than memory holds; a range that does not rise; without a range, an image that is masked
/// everywhere; those of `stats`.
pub fn histogram(raster: &Raster, bins: usize, range: Option<(f64, f64)>) -> Result<Histogram> {
    raster.only_band("histogram")?;
    if bins == 0 {
        return Err(Error::argument("bins", "at least 1", bins));
    }
    // The counts of all, those of a tile in each thread, and what the caller makes of them: a list of counts and one of edges.
    let copies = work::threads() + 5;
    let what = format!("a histogram of {bins} bins");
    bounds::fits(what, bins, copies * size_of::<u64>(), "ask for fewer bins")?;
    let (low, high) = match range {
        Some((low, high)) if low < high => (low, high),
        Some((low, high)) => {
            return Err(Error::argument(
                "range",
                "{ low, high } with low < high",
                format!("{{ {low}, {high} }}"),
            ));
        }
        None => {
            let m = stats(raster)?[0];
            if m.count() == 0 {
                return Err(all_masked("histogram"));
            }
            if m.min() == m.max() {
                (m.min() - 0.5, m.max() + 0.5)
            } else {
                (m.min(), m.max())
            }
        }
    };
    let run = Run::prepare(&raster.grid, &raster.ports(), raster.grid.window())?;
    let total = Mutex::new(Histogram {
        low,
        high,
        counts: vec![0; bins],
        below: 0,
        above: 0,
    });
    run.for_each("histogram", &|_, _, mut pixels| {
        let values = pixels.swap_remove(0).into_f64();
        let mut tile = Histogram {
            low,
            high,
            counts: vec![0; bins],
            below: 0,
            above: 0,
        };
        let scale = bins as f64 / (high - low);
        for &v in values.iter().filter(|v| !v.is_nan()) {
            if v < low {
                tile.below += 1;
            } else if v > high {
                tile.above += 1;
            } else {
                tile.counts[(((v - low) * scale) as usize).min(bins - 1)] += 1;
            }
        }
        let mut total = total.lock().unwrap_or_else(|e| e.into_inner());
        total.below += tile.below;
        total.above += tile.above;
        for (sum, n) in total.counts.iter_mut().zip(tile.counts) {
            *sum += n;
        }
        Ok(())
    })?;
    Ok(total.into_inner().unwrap_or_else(|e| e.into_inner()))
}

pub(super) fn all_masked(what: &str) -> Error {
    Error::message(format!("{what}: every pixel is masked"))
}

/// Exact percentiles (0…100, linear between neighbours as numpy's default) of one band, in bounded memory: values are counted by
/// the first 16 bits of their order, then those that share them with a wanted one by the next 16, and so on: two passes over
/// float32, four over float64 and 64-bit integers (which are rounded to float64).
///
/// # Errors
/// Several bands; a percentile that is not from 0 to 100; more of them than memory holds the counts of; an image that is masked
/// everywhere; those of `stats`.
pub fn percentiles(raster: &Raster, wanted: &[f64]) -> Result<Vec<f64>> {
    let band = raster.only_band("percentile")?;
    for &percentile in wanted {
        Domain::PERCENT.check("percentile", percentile)?;
    }
    let single = band.kind() == Kind::F32 || band.kind() == Kind::C32;
    let passes = if single { 2 } else { 4 };
    let run = Run::prepare(&raster.grid, &raster.ports(), raster.grid.window())?;
    // Each bin holds the values whose orders begin with its key: the rank of its first value, and the running sums of its parts.
    let mut bins: BTreeMap<u64, (u64, Vec<u64>)> = BTreeMap::new();
    let mut ranks: Vec<(u64, u64, f64)> = Vec::new();
    for pass in 0..passes {
        let wanted_bins: BTreeMap<u64, u64> = match pass {
            0 => BTreeMap::from([(0, 0)]),
            _ => ranks
                .iter()
                .flat_map(|&(low, high, _)| [low, high])
                .map(|rank| part_of(&bins, rank))
                .collect(),
        };
        bounds::fits(
            format!("counting the values of {} ranges", wanted_bins.len()),
            wanted_bins.len() * (work::threads() + 1),
            size_of::<u64>() << 16,
            "ask for fewer percentiles at a time",
        )?;
        let counts = Mutex::new(
            wanted_bins
                .keys()
                .map(|&key| (key, vec![0u64; 1 << 16]))
                .collect(),
        );
        let shift = 16 * (passes - 1 - pass);
        run.for_each(
            &format!("percentiles {}/{passes}", pass + 1),
            &|_, _, mut pixels| {
                let mut tile: BTreeMap<u64, Vec<u64>> = wanted_bins
                    .keys()
                    .map(|&key| (key, vec![0u64; 1 << 16]))
                    .collect();
                let mut count = |order: u64| {
                    let prefix = order.checked_shr(shift + 16).unwrap_or(0);
                    if let Some(bin) = tile.get_mut(&prefix) {
                        bin[(order >> shift & 0xffff) as usize] += 1;
                    }
                };
                match pixels.swap_remove(0) {
                    pixels if single => {
                        let values = pixels.into_f32();
                        values
                            .iter()
                            .filter(|v| !v.is_nan())
                            .for_each(|v| count(v.order()));
                    }
                    pixels => {
                        let values = pixels.into_f64();
                        values
                            .iter()
                            .filter(|v| !v.is_nan())
                            .for_each(|v| count(v.order()));
                    }
                }
                add(&counts, tile);
                Ok(())
            },
        )?;
        let counts = counts.into_inner().unwrap_or_else(|e| e.into_inner());
        bins = counts
            .into_iter()
            .map(|(key, counts)| (key, (wanted_bins[&key], running_sums(&counts))))
            .collect();
        if pass == 0 {
            let count = bins.values().filter_map(|(_, ends)| ends.last()).sum::<u64>();
            if count == 0 {
                return Err(all_masked("percentile"));
            }
            // The two neighbours of each percentile, as ranks from 0.
            let rank = |p: &f64| {
                let position = p / 100.0 * (count - 1) as f64;
                let low = position.floor() as u64;
                (low, (low + 1).min(count - 1), position - low as f64)
            };
            ranks = wanted.iter().map(rank).collect();
        }
    }
    let value = |rank: u64| {
        let (order, _) = part_of(&bins, rank);
        if single {
            f64::from(f32::of_order(order))
        } else {
            f64::of_order(order)
        }
    };
    Ok(ranks
        .iter()
        .map(|&(low, high, part)| {
            let (a, b) = (value(low), value(high));
            a + (b - a) * part
        })
        .collect())
}

/// The part of a bin that holds a rank: the part's key, and the rank of its first value.
fn part_of(bins: &BTreeMap<u64, (u64, Vec<u64>)>, rank: u64) -> (u64, u64) {
    // Bins come in the order of their ranks.
    let found = bins.iter().rev().find(|(_, (first, _))| *first <= rank);
    let Some((key, (first, ends))) = found else {
        return (0, 0);
    };
    let part = ends.partition_point(|end| *end <= rank - first);
    let before = part.checked_sub(1).map_or(0, |part| ends[part]);
    (key << 16 | part as u64, first + before)
}

fn running_sums(counts: &[u64]) -> Vec<u64> {
    counts
        .iter()
        .scan(0, |sum, n| {
            *sum += n;
            Some(*sum)
        })
        .collect()
}

fn add(total: &Mutex<BTreeMap<u64, Vec<u64>>>, tile: BTreeMap<u64, Vec<u64>>) {
    let mut total = total.lock().unwrap_or_else(|e| e.into_inner());
    for (sums, counts) in total.values_mut().zip(tile.into_values()) {
        for (sum, n) in sums.iter_mut().zip(counts) {
            *sum += n;
        }
    }
}
