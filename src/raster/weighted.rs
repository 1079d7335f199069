//! Weighted means over images, one group after the other: by errors of their values, by other weights, or by both.
//!
//! With errors σ and weights g an image counts with w = g / σ². The sums are updated as West does (1979, doi:10.1145/359146.359153), as a chain of nodes like those of `fold`.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::describe::{Described, Description, Site, from_json};
use super::fold::GROUP;
use super::image::{Band, Raster, float_of};
use super::operation::Operation;
use super::{DType, Grid, Kind, Pixels, Port, Unit, View, Window};
use crate::described;
use crate::error::{Error, Remedy, Result};

/// What is known of the values of an image.
#[derive(Clone)]
pub enum Given {
    Number(f64),
    Image(Port),
}

/// A band over all images.
pub struct Series {
    pub like: Band,
    pub values: Vec<Port>,
    /// Of as many images, or none.
    pub errors: Vec<Given>,
    pub weights: Vec<Given>,
}

/// As `Given`, where images are inputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Known {
    Number(f64),
    Input,
}

impl Known {
    pub(super) fn of(given: &Given) -> Known {
        match given {
            Given::Number(v) => Known::Number(*v),
            Given::Image(_) => Known::Input,
        }
    }
}

/// How many inputs errors and weights of so many images are.
///
/// # Errors
/// Not one for each image; neither errors nor weights.
pub(super) fn check_known(images: usize, errors: &[Known], weights: &[Known]) -> Result<usize> {
    for (name, known) in [("errors", errors), ("weights", weights)] {
        if !known.is_empty() && known.len() != images {
            return Err(Error::argument(
                name,
                format!("one for each of {images} images"),
                known.len(),
            ));
        }
    }
    if errors.is_empty() && weights.is_empty() {
        return Err(Error::argument("errors or weights", "given", "neither"));
    }
    let all = errors.iter().chain(weights);
    Ok(all.filter(|known| **known == Known::Input).count())
}

/// What is kept: NaN stands nowhere in it.
const COUNT: usize = 0;
/// Σ w, the weighted mean, and the weighted sum of squared differences from it.
const WEIGHT: usize = 1;
const MEAN: usize = 2;
const SQUARES: usize = 3;
/// Σ w² σ², and, with weights beside errors, the last three anew with 1/σ².
const VARIANCE: usize = 4;
const INFORMATION: usize = 5;
const INFORMED_MEAN: usize = 6;
const INFORMED_SQUARES: usize = 7;

/// Takes the next images into the state, which is its first inputs unless it is the first of its chain. After these come each image's values, and its
/// error and its weight where they are images.
#[derive(Serialize, Deserialize)]
struct Take {
    first: bool,
    images: usize,
    errors: Vec<Known>,
    weights: Vec<Known>,
}

/// Mean, count, standard errors.
#[derive(Serialize, Deserialize)]
struct Finish {
    errors: bool,
    weights: bool,
    double: bool,
}

described!(Take, Tiles, "raster.weighted", 1, Take::check);
described!(Finish, Tiles, "raster.weighted_result", 1, Finish::check);

fn slots(errors: bool, weights: bool) -> usize {
    match (errors, weights) {
        (true, true) => 8,
        (true, false) => 5,
        (false, _) => 4,
    }
}

impl Take {
    fn slots(&self) -> usize {
        slots(!self.errors.is_empty(), !self.weights.is_empty())
    }

    fn kept(&self) -> usize {
        if self.first { 0 } else { self.slots() }
    }

    fn check(&self, site: &Site) -> Result<()> {
        let images = self.images;
        if images == 0 || images > GROUP {
            return Err(Error::argument("images", format!("1 to {GROUP}"), images));
        }
        let known = check_known(images, &self.errors, &self.weights)?;
        let all = self.kept() + images + known;
        site.takes(all)?.on_grid()?.real()?;
        check_state(
            site,
            self.kept(),
            !self.errors.is_empty(),
            !self.weights.is_empty(),
        )
    }
}

/// The first inputs of what takes a state are those of one that has the same.
fn check_state(site: &Site, kept: usize, errors: bool, weights: bool) -> Result<()> {
    let of_state = |(i, port): (usize, &Port)| {
        let described = port.node.describe().ok().filter(|d| d.name == Take::NAME)?;
        let take: Take = from_json(Take::NAME, &described.parameters).ok()?;
        let same = take.errors.is_empty() != errors && take.weights.is_empty() != weights;
        (port.output == i && same).then_some(())
    };
    let mut state = site.inputs.iter().take(kept).enumerate();
    match state.all(|input| of_state(input).is_some()) {
        true => Ok(()),
        false => Err(Error::argument(
            format!("inputs of {}", site.name),
            "the state of a weighted mean of the same kind first, in its order",
            "others",
        )),
    }
}

/// The sums of a pixel, by their numbers.
type Slots<'a> = dyn Fn(usize) -> f64 + 'a;

impl Operation for Take {
    fn name(&self) -> String {
        match self.first {
            true => "weighted sums".into(),
            false => "weighted sums on".into(),
        }
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        Kind::F64
    }

    fn outputs(&self) -> usize {
        self.slots()
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let (state, images) = inputs.split_at(self.kept().min(inputs.len()));
        let mut state: Vec<Array2<f64>> = match self.first {
            true => vec![Array2::zeros((out.rows, out.cols)); self.slots()],
            false => state.iter().map(|view| view.f64().into_owned()).collect(),
        };
        let mut images = images.iter();
        for i in 0..self.images {
            let Some(values) = images.next() else { break };
            let values = values.f64();
            let mut known = |list: &[Known]| match list.get(i) {
                None => Array2::from_elem((1, 1), 1.0).into(),
                Some(Known::Number(v)) => Array2::from_elem((1, 1), *v).into(),
                Some(Known::Input) => images
                    .next()
                    .map_or_else(|| Array2::from_elem((1, 1), f64::NAN).into(), View::f64),
            };
            let (errors, weights) = (known(&self.errors), known(&self.weights));
            for row in 0..out.rows {
                let mut rows: Vec<&mut [f64]> = state
                    .iter_mut()
                    .map(|array| array.row_mut(row).into_slice().unwrap_or_default())
                    .collect();
                for col in 0..out.cols {
                    let of = |known: &ndarray::CowArray<'_, f64, ndarray::Ix2>| match known.dim() {
                        (1, 1) => known[(0, 0)],
                        _ => known[(row, col)],
                    };
                    add(&mut rows, col, values[(row, col)], of(&errors), of(&weights));
                }
            }
        }
        Ok(state.into_iter().map(Pixels::F64).collect())
    }
}

/// Takes one value, unless it, its error or its weight says nothing.
#[inline(always)]
fn add(state: &mut [&mut [f64]], at: usize, value: f64, error: f64, weight: f64) {
    let is_known = |v: f64| v > 0.0 && v.is_finite();
    if !(value.is_finite() && is_known(error) && is_known(weight)) {
        return;
    }
    let information = 1.0 / (error * error);
    let w = weight * information;
    if !is_known(w) {
        return;
    }
    state[COUNT][at] += 1.0;
    update(state, [WEIGHT, MEAN, SQUARES], at, value, w);
    if state.len() > VARIANCE {
        state[VARIANCE][at] += w * weight;
    }
    if state.len() > INFORMED_SQUARES {
        update(
            state,
            [INFORMATION, INFORMED_MEAN, INFORMED_SQUARES],
            at,
            value,
            information,
        );
    }
}

#[inline(always)]
fn update(state: &mut [&mut [f64]], [sum, mean, squares]: [usize; 3], at: usize, value: f64, weight: f64) {
    let difference = value - state[mean][at];
    state[sum][at] += weight;
    state[mean][at] += difference * weight / state[sum][at];
    state[squares][at] += weight * difference * (value - state[mean][at]);
}

impl Finish {
    fn check(&self, site: &Site) -> Result<()> {
        let slots = slots(self.errors, self.weights);
        site.takes(slots)?.on_grid()?;
        check_state(site, slots, self.errors, self.weights)
    }
}

impl Operation for Finish {
    fn name(&self) -> String {
        "weighted mean".into()
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        if self.double { Kind::F64 } else { Kind::F32 }
    }

    fn outputs(&self) -> usize {
        if self.errors { 5 } else { 3 }
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let state: Vec<_> = inputs.iter().map(View::f64).collect();
        let made = |result: &dyn Fn(&Slots) -> f64| {
            let found = Array2::from_shape_fn((out.rows, out.cols), |at| {
                let v = result(&|slot: usize| state.get(slot).map_or(f64::NAN, |array| array[at]));
                if v.is_finite() { v } else { f64::NAN }
            });
            match self.double {
                true => Pixels::F64(found),
                false => Pixels::F32(found.mapv(|v| v as f32)),
            }
        };
        // Of one value nothing is known of the scatter.
        let freedom = |state: &Slots| match state(COUNT) {
            n if n > 1.0 => n - 1.0,
            _ => f64::NAN,
        };
        let mut results = vec![
            made(&|state| if state(COUNT) > 0.0 { state(MEAN) } else { f64::NAN }),
            made(&|state| state(COUNT)),
            made(&|state| (state(SQUARES) / (freedom(state) * state(WEIGHT))).sqrt()),
        ];
        if self.errors {
            results.push(made(&|state| state(VARIANCE).sqrt() / state(WEIGHT)));
            let weights = self.weights;
            results.push(made(&|state| {
                let squares = match weights {
                    false => state(SQUARES),
                    true => {
                        let off = state(INFORMED_MEAN) - state(MEAN);
                        state(INFORMED_SQUARES) + state(INFORMATION) * off * off
                    }
                };
                squares / freedom(state)
            }));
        }
        Ok(results)
    }
}

/// The weighted mean of each series, `<band>_mean`, with `<band>_count` and `<band>_scatter_error`; with errors `<band>_std_error` and `<band>_reduced_chi2` too.
///
/// # Errors
/// A series without errors and weights, or not one for each image; errors in another unit than their values.
pub fn weighted_mean(grid: &Arc<Grid>, series: Vec<Series>) -> Result<Raster> {
    let mut bands = Vec::new();
    for one in series {
        let (errors, weights) = (!one.errors.is_empty(), !one.weights.is_empty());
        let like = one.like.clone();
        let state = taken(grid, &one);
        let kind = one.values.iter().map(Port::kind).reduce(Kind::join);
        let finish = Finish {
            errors,
            weights,
            double: kind.unwrap_or(Kind::F32).floating() == Kind::F64,
        };
        let mut names = vec!["mean", "count", "scatter_error"];
        if errors {
            names.extend(["std_error", "reduced_chi2"]);
        }
        let found = Port::tiles(grid, Arc::new(finish), state);
        bands.extend(named(&like, names, found));
    }
    Ok(Raster::new(grid.clone(), bands))
}

/// What was found of a band, under its name and what each is; numbers without a unit are such.
pub(super) fn named(like: &Band, names: Vec<&'static str>, found: Vec<Port>) -> impl Iterator<Item = Band> {
    names.into_iter().zip(found).map(|(name, port)| Band {
        name: format!("{}_{name}", like.name),
        dtype: match name {
            "count" => DType::U16,
            _ => float_of(port.kind()),
        },
        unit: match name {
            "count" | "reduced_chi2" => Unit::Other("1".into()),
            _ => like.unit.clone(),
        },
        nodata: None,
        port,
    })
}

/// The state after all images.
fn taken(grid: &Arc<Grid>, series: &Series) -> Vec<Port> {
    let mut state: Vec<Port> = Vec::new();
    let mut at = 0;
    for group in series.values.chunks(GROUP) {
        let part = |given: &[Given]| -> Vec<Given> {
            let end = (at + group.len()).min(given.len());
            given.get(at..end).unwrap_or_default().to_vec()
        };
        let (errors, weights) = (part(&series.errors), part(&series.weights));
        let take = Take {
            first: at == 0,
            images: group.len(),
            errors: errors.iter().map(Known::of).collect(),
            weights: weights.iter().map(Known::of).collect(),
        };
        for (i, values) in group.iter().enumerate() {
            state.push(values.clone());
            for given in [errors.get(i), weights.get(i)].into_iter().flatten() {
                if let Given::Image(port) = given {
                    state.push(port.clone());
                }
            }
        }
        state = Port::tiles(grid, Arc::new(take), state);
        at += group.len();
    }
    state
}

/// # Errors
/// An error that is in another unit than what it is of.
pub fn check_error_unit(values: &Band, error: &Band) -> Result<()> {
    let (a, b) = (values.unit.plain(), error.unit.plain());
    if a == b || a == Unit::Unknown || b == Unit::Unknown {
        return Ok(());
    }
    Err(Error::Unit {
        message: format!(
            "band `{}` is in {a}, and its error `{}` in {b}; {}",
            values.name,
            error.name,
            Remedy::OneScale
        ),
    })
}
