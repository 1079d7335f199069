//! What is told of each pixel's values over time: waves with a trend, trends that need no distribution, a change of level.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::dates::Calendar;
use super::describe::{Description, Site};
use super::image::{Band, Raster, float_of, in_order_of_time};
use super::lanes::over_lanes;
use super::operation::Operation;
use super::reduce::{Reducer, reduce};
use super::{Kind, Pixels, Port, Unit, View, Window};
use crate::described;
use crate::error::{Domain, Error, Result};
use crate::statistics::series::{Cusum, Harmonics, LANES, mann_kendall, theil_sen};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// In years.
    Harmonics {
        periods: Vec<f64>,
    },
    MannKendall,
    TheilSen,
    Cusum {
        permutations: usize,
        seed: u64,
    },
}

/// Random orders beside which a change is put: more would tell less than they take.
pub const PERMUTATIONS: Domain = Domain::within(1.0, 10_000.0);

/// What a result is called, and its unit by that of the values.
type Outcome = (String, fn(&Unit) -> Unit);

#[derive(Serialize, Deserialize)]
struct OverTime {
    model: Model,
    /// Of the images, in years since 2000.
    times: Vec<f64>,
}

described!(OverTime, Tiles, "raster.over_time", 1, OverTime::check);

impl OverTime {
    fn check(&self, site: &Site) -> Result<()> {
        site.takes(self.times.len())?.on_grid()?.real()?;
        if let Some(time) = self.times.iter().find(|time| !time.is_finite()) {
            return Err(Error::argument("times", "finite numbers", time));
        }
        self.model.check(&self.times)
    }
}

/// In years, since times are.
fn check_periods(periods: &[f64]) -> Result<()> {
    let odd = periods.iter().find(|p| !p.is_finite() || **p < 1e-3);
    let twice = periods
        .iter()
        .enumerate()
        .find(|(i, p)| periods[..*i].contains(p));
    match (odd, twice) {
        (Some(period), _) => Err(Error::argument("periods", "years, from 0.001", period)),
        (None, Some((_, period))) => Err(Error::argument("periods", "each once", format!("{period} again"))),
        // A term more is a thousand sums more a pixel; nobody has asked for more than four.
        (None, None) if periods.len() > 16 => Err(Error::argument("periods", "16 at most", periods.len())),
        (None, None) => Ok(()),
    }
}

impl Model {
    fn check(&self, times: &[f64]) -> Result<()> {
        if times.iter().all(|time| *time == times[0]) {
            return Err(Error::argument(
                "images",
                "of two times at least",
                format!("{}, all of one", times.len()),
            ));
        }
        let periods = match self {
            Model::Harmonics { periods } => periods,
            Model::Cusum { permutations, .. } => {
                return PERMUTATIONS.check_count("permutations", *permutations).map(drop);
            }
            Model::MannKendall | Model::TheilSen => return Ok(()),
        };
        check_periods(periods)?;
        let terms = 2 + 2 * periods.len();
        match times.len() > terms {
            true => Ok(()),
            false => Err(Error::argument(
                "images",
                format!("more than the {terms} terms of the model (a line, and two for each period)"),
                times.len(),
            )),
        }
    }

    fn results(&self) -> Vec<Outcome> {
        let of = |name: &str, unit: fn(&Unit) -> Unit| (name.to_string(), unit);
        let with_error =
            |name: String, unit: fn(&Unit) -> Unit| [(name.clone(), unit), (name + "_std_error", unit)];
        match self {
            Model::Harmonics { periods } => {
                let mut out = Vec::from(with_error("offset".into(), Unit::clone));
                out.extend(with_error("slope".into(), Unit::per_year));
                for period in periods {
                    let name = period_name(*period);
                    out.extend(with_error(format!("{name}_amplitude"), Unit::clone));
                    out.extend(with_error(format!("{name}_phase"), days));
                }
                out.push(of("residual", Unit::clone));
                out
            }
            Model::MannKendall => vec![of("tau", number), of("z", number), of("p_value", number)],
            Model::TheilSen => vec![
                of("slope", Unit::per_year),
                of("slope_low", Unit::per_year),
                of("slope_high", Unit::per_year),
                of("offset", Unit::clone),
            ],
            Model::Cusum { .. } => vec![
                of("magnitude", Unit::clone),
                of("date", number),
                of("change", Unit::clone),
                of("confidence", number),
            ],
        }
    }
}

fn period_name(period: f64) -> String {
    match period {
        1.0 => "annual".into(),
        0.5 => "semiannual".into(),
        // A dot would look like a field's.
        other => format!("{other}yr").replace('.', "_"),
    }
}

fn days(_: &Unit) -> Unit {
    Unit::Other("d".into())
}

fn number(_: &Unit) -> Unit {
    Unit::Other("1".into())
}

/// What `model` tells of each band over the images' times, whatever their order: bands `<band>_<result>`. Where a pixel has too few values all are
/// masked: harmonics need more values than terms, in times that tell the terms apart; the others two times. The date of a change is the number of its image in the
/// order of time.
///
/// # Errors
/// As `reduce`; images without a time, all of one time, or too few for the model; periods that are no years above 0.001, or given twice.
pub fn over_time(images: &[Raster], model: &Model) -> Result<Raster> {
    // Its checks are those of any reduction.
    let template = reduce(images, &[Reducer::Mean])?;
    let (order, times) = in_order_of_time(images)?;
    model.check(&times)?;
    let mut bands = Vec::new();
    for (b, band) in template.bands.iter().enumerate() {
        let ports: Vec<Port> = order.iter().map(|i| images[*i].bands[b].port.clone()).collect();
        let operation = OverTime {
            model: model.clone(),
            times: times.clone(),
        };
        let found = Port::tiles(&template.grid, Arc::new(operation), ports);
        for ((name, unit), port) in model.results().into_iter().zip(found) {
            bands.push(Band {
                name: format!("{}_{name}", band.name),
                dtype: float_of(port.kind()),
                unit: unit(&band.unit),
                nodata: None,
                port,
            });
        }
    }
    Ok(Raster::new(template.grid, bands))
}

/// Where the level of each band changes, by cumulative sums: over_time's `Cusum`, with the date of the first image after the change in place of its number.
///
/// # Errors
/// As `over_time`; a number of permutations out of range.
pub fn cusum(images: &[Raster], permutations: usize, seed: u64, calendar: Calendar) -> Result<Raster> {
    let mut made = over_time(images, &Model::Cusum { permutations, seed })?;
    let (order, _) = in_order_of_time(images)?;
    let ordered: Vec<Raster> = order.iter().map(|i| images[*i].clone()).collect();
    let dated = |(i, band): (usize, Band)| match i % Cusum::RESULTS {
        1 => calendar.dated(band, &ordered),
        _ => Ok(band),
    };
    made.bands = made
        .bands
        .into_iter()
        .enumerate()
        .map(dated)
        .collect::<Result<_>>()?;
    Ok(made)
}

impl Operation for OverTime {
    fn name(&self) -> String {
        match self.model {
            Model::Harmonics { .. } => "harmonics".into(),
            Model::MannKendall => "Mann–Kendall".into(),
            Model::TheilSen => "Theil–Sen".into(),
            Model::Cusum { .. } => "cumulative sums".into(),
        }
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn kind(&self, inputs: &[Kind]) -> Kind {
        Kind::common(inputs).floating()
    }

    fn outputs(&self) -> usize {
        self.model.results().len()
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn scratch_bytes(&self, _: Window) -> usize {
        match self.model {
            Model::Cusum { permutations, .. } => permutations * self.times.len() * size_of::<u32>(),
            _ => 0,
        }
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let kind = self.kind(&inputs.iter().map(View::kind).collect::<Vec<_>>());
        Ok(over_lanes(out, inputs, self.outputs(), kind, self.fit()))
    }
}

/// Fills results from planes.
type Fit<'a> = Box<dyn FnMut(&[[f64; LANES]], &mut [[f64; LANES]]) + 'a>;

impl OverTime {
    fn fit(&self) -> Fit<'_> {
        match &self.model {
            Model::Harmonics { periods } => {
                let harmonics = Harmonics::new(&self.times, periods);
                // Offset and slope with their errors come first, then those of amplitude and phase of each period.
                let phases: Vec<usize> = (0..periods.len()).flat_map(|p| [4 * p + 6, 4 * p + 7]).collect();
                Box::new(move |planes, out| {
                    harmonics.fit(planes, out);
                    for at in &phases {
                        out[*at].iter_mut().for_each(|years| *years *= 365.25);
                    }
                })
            }
            Model::MannKendall => {
                let mut scratch = Vec::new();
                self.one_by_one(move |_, values, out| {
                    if let Some(found) = mann_kendall(values, &mut scratch) {
                        out.copy_from_slice(&[found.tau, found.z, found.p_value]);
                    }
                })
            }
            Model::TheilSen => {
                let mut scratch = Vec::new();
                let first = self.times.first().copied().unwrap_or_default();
                self.one_by_one(move |times, values, out| {
                    if let Some(found) = theil_sen(times, values, &mut scratch) {
                        let offset = found.offset + found.slope * first;
                        out.copy_from_slice(&[found.slope, found.low, found.high, offset]);
                    }
                })
            }
            Model::Cusum { permutations, seed } => {
                let cusum = Cusum::new(self.times.len(), *permutations, *seed);
                Box::new(move |planes, out| cusum.fit(planes, out))
            }
        }
    }

    /// `one` takes times and values of a series that are valid, and results, all of which are masked before.
    fn one_by_one<'a>(&'a self, mut one: impl FnMut(&[f64], &[f64], &mut [f64]) + 'a) -> Fit<'a> {
        let (mut times, mut values) = (Vec::new(), Vec::new());
        let mut results = vec![f64::NAN; self.outputs()];
        Box::new(move |planes, out| {
            for i in 0..LANES {
                times.clear();
                values.clear();
                for (plane, time) in planes
                    .iter()
                    .zip(&self.times)
                    .filter(|(plane, _)| !plane[i].is_nan())
                {
                    times.push(*time);
                    values.push(plane[i]);
                }
                results.fill(f64::NAN);
                one(&times, &values, &mut results);
                for (plane, result) in out.iter_mut().zip(&results) {
                    plane[i] = *result;
                }
            }
        })
    }
}
