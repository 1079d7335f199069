//! Statistics of pixels by zone: one row a feature.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ndarray::{Array2, ArrayView2, s};

use super::Features;
use super::burn::Burnable;
use super::rasterize::on_grid;
use super::zone_values::{Shelf, Values};
use crate::error::{Error, Result};
use crate::raster::execute::Run;
use crate::raster::tile::{MASKED_INTEGER, integer_to_f64};
use crate::raster::{Grid, Pixels, Raster, Window};
use crate::statistics::Moments;
use crate::table::{Aggregation, Column, Table};

/// More values than these are no classes.
const MAX_CLASSES: usize = 1024;

#[derive(Debug, Clone, PartialEq)]
pub struct ZonalOptions {
    /// Of count, sum, mean, std (of the population), min, max, median, percentiles. Percentiles are exact; they keep the
    /// pixels of all zones, 4 bytes each (8 for 64-bit bands): in memory where a quarter of the ceiling has room for them, else in scratch.
    pub statistics: Vec<Aggregation>,
    /// Also the number of pixels of each value, for bands of classes: columns `class_3`…
    pub classes: bool,
    /// Take every pixel that a zone touches, not only those whose centre it covers. Zones smaller than a pixel have none
    /// otherwise.
    pub all_touched: bool,
}

impl Default for ZonalOptions {
    fn default() -> Self {
        use Aggregation::*;
        ZonalOptions {
            statistics: vec![Count, Mean, Std, Min, Max],
            classes: false,
            all_touched: false,
        }
    }
}

/// Collects the pixels of zones tile by tile, from many threads, in any order: the sums are carried in double
/// length, so the order does not show.
///
/// Zones may overlap; each has its own mask. A pixel counts where it is valid. Of complex bands the magnitude is taken.
pub struct ZonalAccumulator {
    zones: Vec<Option<Burnable>>,
    bands: Vec<String>,
    options: ZonalOptions,
    keep_values: bool,
    state: Mutex<State>,
}

struct State {
    /// One a zone and band, bands innermost.
    cells: Vec<Cell>,
    kept_bytes: usize,
    shelf: Shelf,
}

#[derive(Default, Clone)]
struct Cell {
    moments: Moments,
    singles: Values<f32>,
    doubles: Values<f64>,
    /// Least and greatest of 64-bit integers, which no float holds.
    integers: Option<(i128, i128)>,
    /// Counts by value.
    classes: BTreeMap<i128, u64>,
}

impl ZonalAccumulator {
    /// For `bands` on `grid`. Features come onto the grid as in `Rasterize`.
    ///
    /// # Errors
    /// When a statistic is not one of those above, or a feature cannot be transformed.
    pub fn new(
        features: &Features,
        grid: &Grid,
        bands: &[&str],
        options: &ZonalOptions,
    ) -> Result<ZonalAccumulator> {
        use Aggregation::*;
        if let Some(bad) = options
            .statistics
            .iter()
            .find(|s| matches!(s, Distinct | First | Last))
        {
            return Err(Error::argument(
                "statistic",
                "one of count, sum, mean, std, min, max, median, p90",
                format!("`{}`", bad.name()),
            ));
        }
        let zones: Vec<Option<Burnable>> = on_grid(features, grid)?.into_iter().map(|(_, b)| b).collect();
        let cells = vec![Cell::default(); zones.len() * bands.len()];
        let keep_values = options
            .statistics
            .iter()
            .any(|s| matches!(s, Median | Percentile(_)));
        let most: usize = zones
            .iter()
            .flatten()
            .map(|zone| zone.reach(grid.window()).len())
            .sum();
        Ok(ZonalAccumulator {
            zones,
            bands: bands.iter().map(|b| b.to_string()).collect(),
            options: options.clone(),
            keep_values,
            state: Mutex::new(State {
                cells,
                kept_bytes: 0,
                shelf: Shelf::of(if keep_values {
                    most.saturating_mul(bands.len() * size_of::<f64>())
                } else {
                    0
                }),
            }),
        })
    }

    /// True where some zone may have pixels in the window; other tiles need not be computed.
    pub fn reaches(&self, window: Window) -> bool {
        self.zones.iter().flatten().any(|z| !z.reach(window).is_empty())
    }

    /// Adds a tile: one array a band, each of the window's shape. Each pixel must come once.
    ///
    /// # Errors
    /// When a band of classes has too many values, or the values kept for percentiles find no room in scratch.
    pub fn add_tile(&self, window: Window, bands: &[Pixels]) -> Result<()> {
        for (index, zone) in self.zones.iter().enumerate() {
            let Some(zone) = zone else { continue };
            let part = zone.reach(window);
            if part.is_empty() {
                continue;
            }
            let mask = zone.mask(part, self.options.all_touched);
            let offset = ((part.row - window.row) as usize, (part.col - window.col) as usize);
            for (band, pixels) in bands.iter().enumerate() {
                self.merge(index * self.bands.len() + band, self.cell(&mask, pixels, offset)?)?;
            }
        }
        Ok(())
    }

    /// The pixels of one zone in a tile, where its mask begins at `offset`.
    fn cell(&self, mask: &Array2<bool>, pixels: &Pixels, offset: (usize, usize)) -> Result<Cell> {
        let mut cell = Cell::default();
        match pixels {
            Pixels::F32(a) => {
                let values = covered(a.view(), mask, offset, |v: f32| v);
                cell.moments.add_all(&values);
                self.count_classes(&mut cell, values.iter().map(|&v| f64::from(v)))?;
                cell.singles
                    .extend(if self.keep_values { values } else { Vec::new() });
            }
            Pixels::C32(a) => {
                let values = covered(a.view(), mask, offset, |z| z.norm());
                cell.moments.add_all(&values);
                self.count_classes(&mut cell, values.iter().map(|&v| f64::from(v)))?;
                cell.singles
                    .extend(if self.keep_values { values } else { Vec::new() });
            }
            Pixels::F64(a) => {
                let values = covered(a.view(), mask, offset, |v: f64| v);
                cell.moments.add_all(&values);
                self.count_classes(&mut cell, values.iter().copied())?;
                cell.doubles
                    .extend(if self.keep_values { values } else { Vec::new() });
            }
            Pixels::I128(a) => {
                let values = covered(a.view(), mask, offset, integer_to_f64);
                cell.moments.add_all(&values);
                cell.doubles
                    .extend(if self.keep_values { values } else { Vec::new() });
                let part = a.slice(s![
                    offset.0..offset.0 + mask.nrows(),
                    offset.1..offset.1 + mask.ncols()
                ]);
                for (&value, _) in part
                    .iter()
                    .zip(mask)
                    .filter(|(v, covered)| **covered && **v != MASKED_INTEGER)
                {
                    cell.widen((value, value));
                    if self.options.classes {
                        cell.count(value)?;
                    }
                }
            }
        }
        Ok(cell)
    }

    fn count_classes(&self, cell: &mut Cell, mut values: impl Iterator<Item = f64>) -> Result<()> {
        if !self.options.classes {
            return Ok(());
        }
        values.try_for_each(|value| {
            if value.fract() != 0.0 || value.abs() > 9e15 {
                return Err(Error::argument("classes", "whole numbers", value));
            }
            cell.count(value as i128)
        })
    }

    fn merge(&self, index: usize, tile: Cell) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        let cell = &mut state.cells[index];
        let before = cell.bytes();
        cell.moments.merge(&tile.moments);
        cell.singles.append(tile.singles);
        cell.doubles.append(tile.doubles);
        if let Some(range) = tile.integers {
            cell.widen(range);
        }
        for (class, count) in tile.classes {
            *cell.classes.entry(class).or_insert(0) += count;
        }
        let more = cell.bytes() - before;
        state.kept_bytes += more;
        match state.kept_bytes > state.shelf.room() {
            true => state.put_away(),
            false => Ok(()),
        }
    }

    /// One row a zone, in the order of the features: the statistics in the order asked for, band after band, with names
    /// such as `mean`, or `VV_mean` where there are several bands; then the classes. A zone without valid
    /// pixels has count 0, sum 0, and the others missing.
    ///
    /// # Errors
    /// As `Table::with_column`; its columns have a row for every zone.
    pub fn finish(self) -> Result<Table> {
        let mut state = self.state.into_inner().unwrap_or_else(|e| e.into_inner());
        if state.shelf.is_used() {
            state.put_away()?;
        }
        let State { mut cells, shelf, .. } = state;
        let bands = self.bands.len();
        let mut table = Table::default();
        let mut add = |band: usize, name: &str, column: Column| -> Result<()> {
            let name = if bands == 1 {
                name.to_string()
            } else {
                format!("{}_{name}", self.bands[band])
            };
            table = table.with_column(&name, column)?;
            Ok(())
        };
        for band in 0..bands {
            for statistic in &self.options.statistics {
                let integers = cells
                    .iter()
                    .skip(band)
                    .step_by(bands)
                    .any(|c| c.integers.is_some());
                let of_band = cells.iter_mut().skip(band).step_by(bands);
                let column = match statistic {
                    Aggregation::Count => Column::integers(of_band.map(|c| Some(c.moments.count as i64))),
                    Aggregation::Min | Aggregation::Max if integers => {
                        let end = |c: &Cell| {
                            let (min, max) = c.integers?;
                            Some(if *statistic == Aggregation::Min { min } else { max })
                        };
                        extremes(of_band.map(|c| end(c)).collect())
                    }
                    other => Column::floats(
                        of_band
                            .map(|c| c.statistic(other, &shelf))
                            .collect::<Result<_>>()?,
                    ),
                };
                add(band, &statistic.name(), column)?;
            }
            if self.options.classes {
                let of_band = || cells.iter().skip(band).step_by(bands);
                let mut classes: Vec<i128> = of_band().flat_map(|c| c.classes.keys().copied()).collect();
                classes.sort_unstable();
                classes.dedup();
                for class in classes {
                    let counts = of_band().map(|c| Some(c.classes.get(&class).map_or(0, |n| *n as i64)));
                    add(band, &format!("class_{class}"), Column::integers(counts))?;
                }
            }
        }
        Ok(table)
    }
}

/// Whole numbers where a table's column holds them.
fn extremes(values: Vec<Option<i128>>) -> Column {
    let narrow = |v: &Option<i128>| v.is_none_or(|v| i64::try_from(v).is_ok());
    match values.iter().all(narrow) {
        true => Column::integers(values.into_iter().map(|v| v.and_then(|v| i64::try_from(v).ok()))),
        false => Column::floats(
            values
                .into_iter()
                .map(|v| v.map_or(f64::NAN, integer_to_f64))
                .collect(),
        ),
    }
}

/// The finite values of the pixels under a mask that begins at `offset`.
fn covered<T: Copy, V: Copy + Default + Into<f64>>(
    pixels: ArrayView2<T>,
    mask: &Array2<bool>,
    (row, col): (usize, usize),
    value: impl Fn(T) -> V,
) -> Vec<V> {
    let part = pixels.slice_move(s![row..row + mask.nrows(), col..col + mask.ncols()]);
    let mut values = vec![V::default(); mask.len()];
    let mut count = 0;
    for (pixels, mask) in part.rows().into_iter().zip(mask.rows()) {
        for (&pixel, &covered) in pixels.iter().zip(mask) {
            // Written before it is known to count: a jump that cannot be foreseen costs more.
            let value = value(pixel);
            values[count] = value;
            count += usize::from(covered && value.into().is_finite());
        }
    }
    values.truncate(count);
    values
}

impl State {
    /// All values go to scratch.
    fn put_away(&mut self) -> Result<()> {
        for cell in &mut self.cells {
            cell.singles.put_away(&mut self.shelf)?;
            cell.doubles.put_away(&mut self.shelf)?;
        }
        self.kept_bytes = 0;
        Ok(())
    }
}

impl Cell {
    /// Of values that are in memory.
    fn bytes(&self) -> usize {
        self.singles.bytes() + self.doubles.bytes()
    }

    fn count(&mut self, class: i128) -> Result<()> {
        *self.classes.entry(class).or_insert(0) += 1;
        if self.classes.len() > MAX_CLASSES {
            return Err(Error::argument(
                "classes",
                format!("at most {MAX_CLASSES} different values"),
                "more",
            ));
        }
        Ok(())
    }

    fn widen(&mut self, (low, high): (i128, i128)) {
        let (min, max) = self.integers.unwrap_or((low, high));
        self.integers = Some((min.min(low), max.max(high)));
    }

    fn statistic(&mut self, statistic: &Aggregation, shelf: &Shelf) -> Result<f64> {
        Ok(match statistic {
            Aggregation::Sum => self.moments.sum(),
            Aggregation::Mean => self.moments.mean(),
            Aggregation::Std => self.moments.std(),
            Aggregation::Min => self.moments.min(),
            Aggregation::Max => self.moments.max(),
            Aggregation::Median => self.percentile(50.0, shelf)?,
            Aggregation::Percentile(p) => self.percentile(*p, shelf)?,
            _ => f64::NAN,
        })
    }

    fn percentile(&mut self, percent: f64, shelf: &Shelf) -> Result<f64> {
        match self.doubles.is_empty() {
            true => self.singles.percentile(percent, shelf),
            false => self.doubles.percentile(percent, shelf),
        }
    }
}

/// Statistics of an image's bands by feature: the features' properties, then what `ZonalAccumulator::finish` gives; a statistic
/// whose name a property has gets `_2`.
///
/// # Errors
/// As `ZonalAccumulator::new`; what computing the image fails with; `Interrupted`.
pub fn zonal_statistics(raster: &Raster, features: &Features, options: &ZonalOptions) -> Result<Table> {
    let names = raster.band_names();
    let zones = ZonalAccumulator::new(features, &raster.grid, &names, options)?;
    // Only the tiles that some zone reaches into are computed.
    let whole = raster.grid.window();
    let parts = zones.zones.iter().flatten().map(|z| z.reach(whole));
    let region = parts.fold(Window::EMPTY, |a, b| a.hull(&b));
    if !region.is_empty() {
        Run::prepare(&raster.grid, &raster.ports(), region)?.for_each_where(
            "zonal statistics",
            &|window| zones.reaches(window),
            &|_, window, pixels| zones.add_tile(window, &pixels),
        )?;
    }
    features.to_table()?.beside(&zones.finish()?)
}
