//! Stack's reductions that are more than one value of each band: weighted means and medians, dates, medians of all bands, changes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mlua::{Table, Value};

use crate::error::{Error, Result};
use crate::lua::class::Builder;
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::raster::Raster;
use crate::raster::dates::{Calendar, date_of};
use crate::raster::jointly::{ALPHA, LOOKS, STEPS, TOLERANCE, geomedian, omnibus};
use crate::raster::over_time::{PERMUTATIONS, cusum};
use crate::raster::reduce::Reducer;
use crate::raster::stack::Stack;
use crate::raster::weights::{Middle, Source, weighted};

options! {
    struct DateOptions("raster.DateOptions") {
        /// What days are counted from. Default 1970-01-01.
        since: Option<Timestamp>,
        /// Days of the image's year, 1 for the first of January (UTC), instead.
        day_of_year: bool = false,
    }
}

options! {
    struct WeightedOptions("raster.WeightedOptions") {
        /// Standard errors of the values: the name of a band or a property, names by bands (`{ vx = "vx_error" }`), or a Stack of the same times, with bands of the same names or one.
        error: Option<Source>,
        /// What images count besides, said in the same ways: the days that they span, say.
        weights: Option<Source>,
        /// What is reduced. Default all bands that are not named as errors or weights.
        bands: Option<Vec<String>>,
    }
}

options! {
    struct GeomedianOptions("raster.GeomedianOptions") {
        /// The search ends with a step that is no longer than this share of the mean distance of the pixel's values from their mean.
        tolerance: f64 = 1e-6; TOLERANCE,
        /// Steps after which it ends in any case.
        max_iterations: usize = 1000; STEPS,
    }
}

options! {
    struct CusumOptions("raster.CusumOptions") {
        ..dates: DateOptions,
        /// Random orders of the dates beside which the change is put.
        permutations: usize = 1000; PERMUTATIONS,
        /// Of the random numbers: one seed gives one result.
        seed: u64 = 0,
    }
}

options! {
    struct OmnibusOptions("raster.OmnibusOptions") {
        ..dates: DateOptions,
        /// The equivalent number of looks of the images.
        looks: f64; LOOKS,
        /// The level of each test: how often chance alone is taken for a change.
        alpha: f64 = 0.01; ALPHA,
    }
}

impl DateOptions {
    fn calendar(&self) -> Result<Calendar> {
        match (self.since, self.day_of_year) {
            (Some(_), true) => Err(Error::message("either since or day_of_year: days of the year are counted from its first")),
            (None, true) => Ok(Calendar::DayOfYear),
            (Some(origin), false) => Ok(Calendar::Since(origin)),
            (None, false) => Ok(Calendar::UNIX),
        }
    }
}

impl FromScript for Source {
    fn expected() -> String {
        "the name of a band or a property, names by bands such as { vx = \"vx_error\" }, or a Stack".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|table<string, string>|Stack".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let bad = |got: &Value| Error::argument(name, Self::expected(), describe(got));
        match value {
            Value::String(text) => Ok(Source::Named(text.to_string_lossy())),
            Value::Table(table) => {
                let mut names = BTreeMap::new();
                for pair in Table::pairs::<Value, Value>(table) {
                    match pair? {
                        (Value::String(band), Value::String(name)) => {
                            names.insert(band.to_string_lossy(), name.to_string_lossy());
                        }
                        (_, other) => return Err(bad(&other)),
                    }
                }
                Ok(Source::ByBand(names))
            }
            other => Stack::accept(other).map(Source::Stack).ok_or_else(|| bad(other)),
        }
    }
}

pub fn define(c: &mut Builder<Stack>) {
    for (name, extreme) in [("date_of_min(options?)", Reducer::Argmin), ("date_of_max(options?)", Reducer::Argmax)] {
        c.method_with(name, move |_, this, _, o: DateOptions| date_of(&this.items, extreme, o.calendar()?));
    }
    for (name, middle) in [("weighted_mean(options)", Middle::Mean), ("weighted_median(options)", Middle::Median)] {
        c.method_with(name, move |_, this, _, o: WeightedOptions| {
            weighted(this, middle, o.error.as_ref(), o.weights.as_ref(), o.bands.as_deref())
        });
    }
    c.method_with("geomedian(options?)", |_, this, _, o: GeomedianOptions| {
        geomedian(&this.items, o.tolerance, o.max_iterations)
    })
    .method_with("cusum(options?)", |_, this, _, o: CusumOptions| {
        cusum(&this.items, o.permutations, o.seed, o.dates.calendar()?)
    })
    .method_with("omnibus(options)", |_, this, _, o: OmnibusOptions| -> Result<(Raster, Stack)> {
        omnibus(&this.items, o.looks, o.alpha, o.dates.calendar()?)
    });
}
