//! Statistics of bands: one pass over the tiles, the same answer whatever the order in which they come.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::Pixels;
use super::execute::Run;
use super::image::Raster;
use crate::bounds;
use crate::error::{Error, Result};
use crate::settings;

/// Count, mean and spread of valid pixels (Welford's update, merged by Chan, Golub & LeVeque 1979).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    pub count: u64,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    /// Sum of squared differences from the mean.
    pub m2: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Moments {
            count: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            mean: 0.0,
            m2: 0.0,
        }
    }
}

impl Moments {
    /// Of the valid pixels of a tile; of complex ones the magnitude.
    pub fn of(pixels: &Pixels) -> Moments {
        match pixels {
            Pixels::F32(a) => Moments::of_values(a.iter().map(|&v| f64::from(v))),
            Pixels::F64(a) => Moments::of_values(a.iter().copied()),
            Pixels::C32(a) => Moments::of_values(a.iter().map(|z| f64::from(z.norm()))),
        }
    }

    /// Two passes over the values: the sum first, so that the squares are of small numbers.
    pub fn of_values(values: impl Iterator<Item = f64> + Clone) -> Moments {
        let (mut count, mut sum, mut min, mut max) = (0u64, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for v in values.clone() {
            if !v.is_nan() {
                count += 1;
                sum += v;
                min = if v < min { v } else { min };
                max = if v > max { v } else { max };
            }
        }
        if count == 0 {
            return Moments::default();
        }
        let mean = sum / count as f64;
        let m2 = values
            .filter(|v| !v.is_nan())
            .map(|v| (v - mean) * (v - mean))
            .sum();
        Moments {
            count,
            min,
            max,
            mean,
            m2,
        }
    }

    pub fn merge(self, other: Moments) -> Moments {
        if self.count == 0 {
            return other;
        }
        if other.count == 0 {
            return self;
        }
        let count = self.count + other.count;
        let delta = other.mean - self.mean;
        let share = other.count as f64 / count as f64;
        Moments {
            count,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            mean: self.mean + delta * share,
            m2: self.m2 + other.m2 + delta * delta * self.count as f64 * share,
        }
    }

    /// Population standard deviation, as GDAL's STATISTICS_STDDEV and numpy's std.
    pub fn std(&self) -> f64 {
        if self.count == 0 {
            f64::NAN
        } else {
            (self.m2 / self.count as f64).sqrt()
        }
    }
}

/// Moments of tiles that arrive in any order, merged in the order of their indices. Only those that came early are kept.
#[derive(Default)]
pub struct TileMoments(Mutex<InOrder>);

#[derive(Default)]
struct InOrder {
    /// Of the tiles before `next`.
    merged: Moments,
    next: usize,
    early: BTreeMap<usize, Moments>,
}

impl TileMoments {
    pub fn add(&self, index: usize, moments: Moments) {
        let mut tiles = self.0.lock().unwrap_or_else(|e| e.into_inner());
        tiles.early.insert(index, moments);
        let InOrder { merged, next, early } = &mut *tiles;
        while let Some(moments) = early.remove(next) {
            *merged = merged.merge(moments);
            *next += 1;
        }
    }

    /// Of all tiles, once each was added.
    pub fn total(&self) -> Moments {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).merged
    }
}

/// Statistics of each band over all valid pixels.
pub fn stats(raster: &Raster) -> Result<Vec<Moments>> {
    let run = Run::new(&raster.grid, &raster.ports(), raster.grid.window())?;
    let totals: Vec<TileMoments> = raster.bands.iter().map(|_| TileMoments::default()).collect();
    run.for_each("statistics", &|index, _, pixels| {
        for (total, band) in totals.iter().zip(&pixels) {
            total.add(index, Moments::of(band));
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

/// Histogram of one band. Without a range, one pass finds it and a second counts.
pub fn histogram(raster: &Raster, bins: usize, range: Option<(f64, f64)>) -> Result<Histogram> {
    raster.only_band("histogram")?;
    if bins == 0 {
        return Err(Error::argument("bins", "at least 1", bins));
    }
    // The counts of all, those of a tile in each thread, and what the caller makes of them: a list of counts and one of edges.
    let copies = settings::threads() + 5;
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
            if m.count == 0 {
                return Err(all_masked("histogram"));
            }
            if m.min == m.max {
                (m.min - 0.5, m.max + 0.5)
            } else {
                (m.min, m.max)
            }
        }
    };
    let run = Run::new(&raster.grid, &raster.ports(), raster.grid.window())?;
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

/// Exact percentiles (0…100, linear between neighbours as numpy's default) of one band, in bounded memory: values are
/// counted by the upper half of their bits, then those in the bins that matter by the lower half. f32 precision.
pub fn percentiles(raster: &Raster, wanted: &[f64]) -> Result<Vec<f64>> {
    raster.only_band("percentile")?;
    if let Some(bad) = wanted.iter().find(|p| !(0.0..=100.0).contains(*p)) {
        return Err(Error::argument("percentile", "between 0 and 100", bad));
    }
    let run = Run::new(&raster.grid, &raster.ports(), raster.grid.window())?;
    let upper = Mutex::new(vec![0u64; 1 << 16]);
    run.for_each("percentiles 1/2", &|_, _, mut pixels| {
        let mut tile = vec![0u64; 1 << 16];
        for key in pixels
            .swap_remove(0)
            .into_f32()
            .iter()
            .filter(|v| !v.is_nan())
            .map(|v| order_key(*v))
        {
            tile[(key >> 16) as usize] += 1;
        }
        add(&upper, &tile);
        Ok(())
    })?;
    let upper = upper.into_inner().unwrap_or_else(|e| e.into_inner());
    let count: u64 = upper.iter().sum();
    if count == 0 {
        return Err(all_masked("percentile"));
    }
    // The two neighbours of each percentile, as ranks from 0.
    let ranks: Vec<(u64, u64, f64)> = wanted
        .iter()
        .map(|p| {
            let position = p / 100.0 * (count - 1) as f64;
            let low = position.floor() as u64;
            (low, (low + 1).min(count - 1), position - low as f64)
        })
        .collect();
    // For every upper half that holds a wanted rank: its first rank and the counts of its lower halves.
    let ends = running_sums(&upper);
    let mut bins: BTreeMap<u32, (u64, Mutex<Vec<u64>>)> = BTreeMap::new();
    for rank in ranks.iter().flat_map(|&(low, high, _)| [low, high]) {
        let bin = ends.partition_point(|end| *end <= rank);
        bins.entry(bin as u32)
            .or_insert_with(|| (ends[bin] - upper[bin], Mutex::new(Vec::new())));
    }
    bounds::fits(
        format!("counting the values of {} ranges", bins.len()),
        bins.len() * (settings::threads() + 1),
        size_of::<u64>() << 16,
        "ask for fewer percentiles at a time",
    )?;
    for (_, lower) in bins.values_mut() {
        *lower.get_mut().unwrap_or_else(|e| e.into_inner()) = vec![0; 1 << 16];
    }
    run.for_each("percentiles 2/2", &|_, _, mut pixels| {
        let mut tiles: BTreeMap<u32, Vec<u64>> = bins.keys().map(|&b| (b, vec![0u64; 1 << 16])).collect();
        for key in pixels
            .swap_remove(0)
            .into_f32()
            .iter()
            .filter(|v| !v.is_nan())
            .map(|v| order_key(*v))
        {
            if let Some(tile) = tiles.get_mut(&(key >> 16)) {
                tile[(key & 0xffff) as usize] += 1;
            }
        }
        for (bin, tile) in tiles {
            add(&bins[&bin].1, &tile);
        }
        Ok(())
    })?;
    let bins: BTreeMap<u32, (u64, Vec<u64>)> = bins
        .into_iter()
        .map(|(bin, (first, lower))| {
            let lower = lower.into_inner().unwrap_or_else(|e| e.into_inner());
            (bin, (first, running_sums(&lower)))
        })
        .collect();
    let value = |rank: u64| {
        let bin = ends.partition_point(|end| *end <= rank) as u32;
        bins.get(&bin).map_or(f64::NAN, |(first, ends)| {
            let low_bits = ends.partition_point(|end| *end <= rank - first);
            f64::from(from_order_key(bin << 16 | low_bits as u32))
        })
    };
    Ok(ranks
        .iter()
        .map(|&(low, high, part)| {
            let (a, b) = (value(low), value(high));
            a + (b - a) * part
        })
        .collect())
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

fn add(total: &Mutex<Vec<u64>>, tile: &[u64]) {
    for (sum, n) in total
        .lock()
        .unwrap_or_else(|e| e.into_inner())
        .iter_mut()
        .zip(tile)
    {
        *sum += n;
    }
}

/// An integer that sorts as the float does.
fn order_key(v: f32) -> u32 {
    let bits = v.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn from_order_key(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}
