//! Histograms of images, and the thresholds that part them.

use mlua::{Lua, Table};

use crate::error::{Domain, Error, Result};
use crate::lua::args::Args;
use crate::options;
use crate::raster::stats::{self, Histogram, Threshold};
use crate::raster::Raster;

options! {
    pub struct HistogramTable("raster.HistogramOptions") {
        /// How many of equal width.
        bins: usize = 256; Domain::at_least(1.0),
        /// Where the first begins. Default the smallest value.
        min: Option<f64>,
        /// Where the last ends. Default the largest value.
        max: Option<f64>,
    }
}

impl HistogramTable {
    fn of(&self, image: &Raster) -> Result<Histogram> {
        let range = match (self.min, self.max) {
            (None, None) => None,
            (Some(min), Some(max)) => Some((min, max)),
            _ => return Err(Error::message("give both min and max, or neither")),
        };
        stats::histogram(image, self.bins, range)
    }
}

options! {
    /// How a threshold is found in a histogram.
    pub struct MethodTable("raster.HistogramThresholdOptions") {
        /// `"otsu"`: greatest variance between the classes; `"minimum_error"`: least error for two Gaussian classes; `"expectation_maximization"`:
        /// where the two lowest of several Gaussian classes cross.
        method: Threshold = Threshold::Otsu,
        /// Of expectation maximisation: how many Gaussian classes make up the histogram.
        classes: usize = 2; Domain::within(2.0, 20.0),
    }
}

options! {
    pub struct ClassesTable("raster.HistogramMixtureOptions") {
        /// How many Gaussian classes make up the histogram.
        classes: usize = 2; Domain::within(2.0, 20.0),
    }
}

options! {
    pub struct MixtureTable("raster.MixtureOptions") {
        ..histogram: HistogramTable,
        ..how: ClassesTable,
    }
}

options! {
    pub struct ThresholdTable("raster.ThresholdOptions") {
        ..histogram: HistogramTable,
        ..how: MethodTable,
    }
}

/// `raster:histogram(options?)`
pub fn histogram(lua: &Lua, this: &Raster, _: &Args, o: HistogramTable) -> Result<Table> {
    let found = o.of(this)?;
    let bins = found.counts.len();
    let width = (found.high - found.low) / bins as f64;
    let table = lua.create_table()?;
    table.raw_set("min", found.low)?;
    table.raw_set("max", found.high)?;
    table.raw_set("below", found.below)?;
    table.raw_set("above", found.above)?;
    let edges = (0..=bins).map(|i| if i == bins { found.high } else { found.low + i as f64 * width });
    table.raw_set("edges", lua.create_sequence_from(edges)?)?;
    table.raw_set("counts", lua.create_sequence_from(found.counts)?)?;
    Ok(table)
}

/// `raster:threshold(options?)`
pub fn of_image(_: &Lua, this: &Raster, _: &Args, o: ThresholdTable) -> Result<f64> {
    o.histogram.of(this)?.threshold(o.how.method, o.how.classes)
}

/// `raster:mixture(options?)`
pub fn mixture_of_image(lua: &Lua, this: &Raster, _: &Args, o: MixtureTable) -> Result<Table> {
    mixture(lua, &o.histogram.of(this)?, &o.how)
}

/// `raster.mixture(histogram, options?)`
pub fn mixture_of_histogram(lua: &Lua, args: &Args, o: ClassesTable) -> Result<Table> {
    mixture(lua, &given(args)?, &o)
}

fn mixture(lua: &Lua, histogram: &Histogram, o: &ClassesTable) -> Result<Table> {
    let (classes, separation) = histogram.mixture(o.classes)?;
    let table = lua.create_table()?;
    for class in classes {
        let one = [("mean", class.mean), ("std", class.std), ("share", class.share)];
        table.raw_push(lua.create_table_from(one)?)?;
    }
    table.raw_set("separation", separation)?;
    Ok(table)
}

/// `raster.threshold(histogram, options?)`
pub fn of_histogram(_: &Lua, args: &Args, o: MethodTable) -> Result<f64> {
    given(args)?.threshold(o.method, o.classes)
}

/// The table that `image:histogram()` gives.
fn given(args: &Args) -> Result<Histogram> {
    let given: Table = args.get("histogram")?;
    let part = |name: &str| {
        let value = given.raw_get::<Option<f64>>(name).ok().flatten();
        value.filter(|v| v.is_finite()).ok_or_else(|| wrong(name, "a number"))
    };
    let (low, high) = (part("min")?, part("max")?);
    if low >= high {
        return Err(Error::argument("histogram", "one whose min is below its max", format!("{low} and {high}")));
    }
    let counts = given.raw_get::<Option<Vec<u64>>>("counts").ok().flatten();
    let counts = counts.ok_or_else(|| wrong("counts", "a list of whole numbers from 0"))?;
    Ok(Histogram { low, high, counts, below: 0, above: 0 })
}

fn wrong(field: &str, expected: &str) -> Error {
    Error::message(format!("histogram.{field} must be {expected}; a histogram is what `image:histogram()` gives: {{ counts, min, max }}"))
}
