//! What is told of each pixel's values over time: waves with a trend, trends that need no distribution.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::describe::{Description, Site};
use super::image::{Band, Raster, float_of, in_order_of_time};
use super::operation::Operation;
use super::reduce::{Reducer, reduce};
use super::{Kind, Pixels, Port, Unit, View, Window};
use crate::described;
use crate::error::{Error, Result};
use crate::statistics::series::{Harmonics, LANES, mann_kendall, theil_sen};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// In years.
    Harmonics {
        periods: Vec<f64>,
    },
    MannKendall,
    TheilSen,
}

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
        let Model::Harmonics { periods } = self else {
            return Ok(());
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
/// masked: harmonics need more values than terms, in times that tell the terms apart; the others two times.
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

impl Operation for OverTime {
    fn name(&self) -> String {
        match self.model {
            Model::Harmonics { .. } => "harmonics".into(),
            Model::MannKendall => "Mann–Kendall".into(),
            Model::TheilSen => "Theil–Sen".into(),
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

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let kind = self.kind(&inputs.iter().map(View::kind).collect::<Vec<_>>());
        let results = self.outputs();
        let mut made: Vec<Pixels> = (0..results)
            .map(|_| match kind {
                Kind::F64 => Pixels::F64(Array2::from_elem((out.rows, out.cols), f64::NAN)),
                _ => Pixels::F32(Array2::from_elem((out.rows, out.cols), f32::NAN)),
            })
            .collect();
        let mut fit = self.fit();
        let mut planes = vec![[f64::NAN; LANES]; inputs.len()];
        let mut found = vec![[f64::NAN; LANES]; results];
        let arrays: Vec<Values<'_>> = inputs.iter().map(Values::of).collect();
        for row in 0..out.rows {
            for start in (0..out.cols).step_by(LANES) {
                let n = LANES.min(out.cols - start);
                for (plane, values) in planes.iter_mut().zip(&arrays) {
                    values.copy(row, start, &mut plane[..n]);
                    plane[n..].fill(f64::NAN);
                }
                fit(&planes, &mut found);
                for (pixels, plane) in made.iter_mut().zip(&found) {
                    put(pixels, row, start, &plane[..n]);
                }
            }
        }
        Ok(made)
    }
}

/// An input's pixels, of which f32 are widened only where they are used.
enum Values<'a> {
    F32(ndarray::CowArray<'a, f32, ndarray::Ix2>),
    F64(ndarray::CowArray<'a, f64, ndarray::Ix2>),
}

impl Values<'_> {
    fn of<'a>(view: &'a View<'_>) -> Values<'a> {
        match view.kind() {
            Kind::F32 => Values::F32(view.f32()),
            _ => Values::F64(view.f64()),
        }
    }

    fn copy(&self, row: usize, start: usize, out: &mut [f64]) {
        match self {
            Values::F32(a) => {
                for (to, v) in out.iter_mut().zip(a.row(row).iter().skip(start)) {
                    *to = f64::from(*v);
                }
            }
            Values::F64(a) => {
                for (to, v) in out.iter_mut().zip(a.row(row).iter().skip(start)) {
                    *to = *v;
                }
            }
        }
    }
}

/// What cannot be, such as the error of an amplitude of 0, is masked.
fn put(pixels: &mut Pixels, row: usize, start: usize, values: &[f64]) {
    let finite = |v: &f64| if v.is_finite() { *v } else { f64::NAN };
    match pixels {
        Pixels::F32(a) => {
            for (to, v) in a.row_mut(row).iter_mut().skip(start).zip(values) {
                *to = finite(v) as f32;
            }
        }
        Pixels::F64(a) => {
            for (to, v) in a.row_mut(row).iter_mut().skip(start).zip(values) {
                *to = finite(v);
            }
        }
        _ => {}
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
