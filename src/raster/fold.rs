//! Reductions that take images one group after the other: what is kept between groups has the size of a tile, whatever the number of images.
//!
//! A fold is a chain of nodes, each of which takes the state that the one before left and the next images; the plan finishes a branch, and
//! drops its arrays, before it begins the next. At its end a last node makes results of the state.

use std::sync::Arc;

use multiversion::multiversion;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::describe::{Described, Description, Site, from_json};
use super::operation::Operation;
use super::reduce::Reducer;
use super::{Grid, Kind, Pixels, PixelsView, Port, View, Window};
use crate::described;
use crate::error::{Error, Result};

/// Images that a node takes: more would take more memory, fewer more passes over the state.
pub const GROUP: usize = 8;

/// An array of the state, in f64, which holds every f32 and its sums. Those that hold values are NaN where none has come yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Slot {
    Count,
    Sum,
    /// Mean so far, and the sum of squared differences from it (Welford 1962, doi:10.1080/00401706.1962.10490022).
    Mean,
    Squares,
    Min,
    Max,
    First,
    Last,
    /// The time of the image that `Min` or `Max` is of.
    MinTime,
    MaxTime,
    /// Of the times of valid images: mean, sum of squared differences, and of products with those of the values.
    MeanTime,
    TimeSquares,
    Products,
}

/// What is asked of the images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    Reduced(Reducer),
    /// Of the line of least squares through the values over the images' times: units per unit of time.
    Slope,
    /// The line at time 0.
    Offset,
    /// Root mean square of what is left of the values when the line is taken off.
    Residual,
    /// Standard errors of slope and offset, for what is left as independent noise of one variance.
    SlopeStdError,
    OffsetStdError,
    /// The share of the values' variance that the line takes off.
    R2,
}

impl Wanted {
    fn slots(self) -> &'static [Slot] {
        use Slot::*;
        match self {
            Wanted::Reduced(Reducer::Count) => &[Count],
            Wanted::Reduced(Reducer::Sum | Reducer::Mean) => &[Count, Sum],
            Wanted::Reduced(Reducer::Std) => &[Count, Mean, Squares],
            Wanted::Reduced(Reducer::Min) => &[Min],
            Wanted::Reduced(Reducer::Max) => &[Max],
            Wanted::Reduced(Reducer::First) => &[First],
            Wanted::Reduced(Reducer::Last) => &[Last],
            Wanted::Reduced(Reducer::Argmin) => &[Min, MinTime],
            Wanted::Reduced(Reducer::Argmax) => &[Max, MaxTime],
            Wanted::Reduced(Reducer::Median | Reducer::Percentile(_) | Reducer::Mode) => &[],
            Wanted::Slope
            | Wanted::Offset
            | Wanted::Residual
            | Wanted::SlopeStdError
            | Wanted::OffsetStdError
            | Wanted::R2 => &[Count, Mean, Squares, MeanTime, TimeSquares, Products],
        }
    }
}

/// Takes the next images into the state, which is its first inputs unless it is the first of its chain.
#[derive(Serialize, Deserialize)]
struct Take {
    slots: Vec<Slot>,
    first: bool,
    /// Of each image; empty where no slot asks.
    times: Vec<f64>,
}

/// Makes results of the state.
#[derive(Serialize, Deserialize)]
struct Finish {
    slots: Vec<Slot>,
    wanted: Vec<Wanted>,
    double: bool,
}

described!(Take, Tiles, "raster.fold", 1, Take::check);
described!(Finish, Tiles, "raster.fold_result", 1, Finish::check);

/// True where a fold gives what `wanted` asks for: all but what needs all values at once.
pub fn is_possible(wanted: &[Wanted]) -> bool {
    wanted.iter().all(|w| !w.slots().is_empty())
}

/// One port for each of `wanted`, over images of real numbers on one grid; `times`, one for each or none, are what the line goes over, and what is said of the image
/// of the smallest or largest value. Results
/// are in f64 where an image is.
pub fn fold(grid: &Arc<Grid>, images: &[Port], times: &[f64], wanted: &[Wanted]) -> Vec<Port> {
    let mut slots: Vec<Slot> = Vec::new();
    for slot in wanted.iter().flat_map(|w| w.slots()) {
        if !slots.contains(slot) {
            slots.push(*slot);
        }
    }
    let mut state: Vec<Port> = Vec::new();
    for (i, group) in images.chunks(GROUP).enumerate() {
        let start = (i * GROUP).min(times.len());
        let end = (start + group.len()).min(times.len());
        let take = Take {
            slots: slots.clone(),
            first: i == 0,
            times: times[start..end].to_vec(),
        };
        state.extend_from_slice(group);
        state = Port::tiles(grid, Arc::new(take), state);
    }
    let kind = images
        .iter()
        .map(Port::kind)
        .reduce(Kind::join)
        .unwrap_or(Kind::F32);
    let finish = Finish {
        slots,
        wanted: wanted.to_vec(),
        double: kind.floating() == Kind::F64,
    };
    Port::tiles(grid, Arc::new(finish), state)
}

/// State of what is asked, each once.
fn check_slots(slots: &[Slot]) -> Result<()> {
    let twice = slots
        .iter()
        .enumerate()
        .find(|(i, slot)| slots[..*i].contains(slot));
    match twice {
        _ if slots.is_empty() => Err(Error::argument("slots", "at least one", "none")),
        Some((_, slot)) => Err(Error::argument(
            "slots",
            "each once",
            format!("{slot:?} again").to_lowercase(),
        )),
        None => Ok(()),
    }
}

impl Take {
    fn check(&self, site: &Site) -> Result<()> {
        check_slots(&self.slots)?;
        site.on_grid()?.real()?;
        let kept = if self.first { 0 } else { self.slots.len() };
        let images = site.inputs.len().saturating_sub(kept);
        if images == 0 || images > GROUP {
            return Err(site.wrong_inputs(format!("{} to {}", kept + 1, kept + GROUP)));
        }
        let timed = [Slot::MeanTime, Slot::MinTime, Slot::MaxTime];
        let is_timed = timed.iter().any(|slot| self.slots.contains(slot));
        if self.times.len() != images && (is_timed || !self.times.is_empty()) {
            return Err(Error::argument(
                "times",
                format!("one for each of {images} images"),
                self.times.len(),
            ));
        }
        if let Some(time) = self.times.iter().find(|time| !time.is_finite()) {
            return Err(Error::argument("times", "finite numbers", time));
        }
        check_state(&self.slots, site, kept)
    }
}

/// The first inputs of what takes a state are those of one that has the same slots.
fn check_state(slots: &[Slot], site: &Site, kept: usize) -> Result<()> {
    let of_state = |(i, port): (usize, &Port)| {
        let parameters = port
            .node
            .describe()
            .ok()
            .filter(|d| d.name == Take::NAME)?
            .parameters;
        let take: Take = from_json(Take::NAME, &parameters).ok()?;
        (port.output == i && take.slots == slots).then_some(())
    };
    match site
        .inputs
        .iter()
        .take(kept)
        .enumerate()
        .all(|input| of_state(input).is_some())
    {
        true => Ok(()),
        false => Err(Error::argument(
            format!("inputs of {}", site.name),
            "the state of a fold with the same slots first, in their order",
            "others",
        )),
    }
}

impl Finish {
    fn check(&self, site: &Site) -> Result<()> {
        check_slots(&self.slots)?;
        site.takes(self.slots.len())?.on_grid()?;
        let missing = self
            .wanted
            .iter()
            .find(|w| w.slots().is_empty() || w.slots().iter().any(|s| !self.slots.contains(s)));
        match missing {
            _ if self.wanted.is_empty() => Err(Error::argument("wanted", "at least one", "none")),
            Some(wanted) => Err(Error::argument(
                "wanted",
                "what the slots give",
                format!("{wanted:?}").to_lowercase(),
            )),
            None => check_state(&self.slots, site, self.slots.len()),
        }
    }
}

impl Operation for Take {
    fn name(&self) -> String {
        match self.first {
            true => "fold".into(),
            false => "fold on".into(),
        }
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        Kind::F64
    }

    fn outputs(&self) -> usize {
        self.slots.len()
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let kept = if self.first { 0 } else { self.slots.len() };
        let (state, images) = inputs.split_at(kept.min(inputs.len()));
        let mut state: Vec<Array2<f64>> = match self.first {
            true => self
                .slots
                .iter()
                .map(|slot| Array2::from_elem((out.rows, out.cols), slot.begin()))
                .collect(),
            false => state.iter().map(|view| view.f64().into_owned()).collect(),
        };
        for (i, image) in images.iter().enumerate() {
            let time = self.times.get(i).copied().unwrap_or(0.0);
            self.take(&mut state, image, time);
        }
        Ok(state.into_iter().map(Pixels::F64).collect())
    }
}

impl Slot {
    fn begin(self) -> f64 {
        match self {
            Slot::Min | Slot::Max | Slot::MinTime | Slot::MaxTime | Slot::First | Slot::Last => f64::NAN,
            _ => 0.0,
        }
    }
}

impl Take {
    fn at(&self, slot: Slot) -> Option<usize> {
        self.slots.iter().position(|s| *s == slot)
    }

    fn take(&self, state: &mut [Array2<f64>], image: &View<'_>, time: f64) {
        use Slot::*;
        let other = match &image.pixels {
            PixelsView::F32(_) => None,
            _ => Some(image.f64()),
        };
        let mut values = Vec::with_capacity(image.window.cols);
        for row in 0..image.window.rows {
            values.clear();
            match (&image.pixels, &other) {
                (_, Some(other)) => values.extend(other.row(row)),
                (PixelsView::F32(a), None) => values.extend(a.row(row).iter().map(|v| f64::from(*v))),
                _ => {}
            }
            let mut rows: Vec<&mut [f64]> = state
                .iter_mut()
                .map(|array| array.row_mut(row).into_slice().unwrap_or_default())
                .collect();
            // What looks at the state of before comes before what changes it.
            if let [Some(n), Some(v), Some(s), Some(t), Some(p)] =
                [Count, Mean, TimeSquares, MeanTime, Products].map(|slot| self.at(slot))
                && let Ok([n, v, s, t, p]) = rows.get_disjoint_mut([n, v, s, t, p])
            {
                add_time(&values, time, n, v, s, t, p);
            }
            if let (Some(n), Some(m), Some(s)) = (self.at(Count), self.at(Mean), self.at(Squares))
                && let Ok([n, m, s]) = rows.get_disjoint_mut([n, m, s])
            {
                add_squares(&values, n, m, s);
            }
            if let (Some(best), Some(at)) = (self.at(Min), self.at(MinTime))
                && let Ok([best, at]) = rows.get_disjoint_mut([best, at])
            {
                note(&values, time, best, at, |kept, v| v < kept);
            }
            if let (Some(best), Some(at)) = (self.at(Max), self.at(MaxTime))
                && let Ok([best, at]) = rows.get_disjoint_mut([best, at])
            {
                note(&values, time, best, at, |kept, v| v > kept);
            }
            for (slot, row) in self.slots.iter().zip(&mut rows) {
                match slot {
                    Count => add_count(&values, row),
                    Sum => add_sum(&values, row),
                    Min => choose(&values, row, |kept, v| v < kept),
                    Max => choose(&values, row, |kept, v| v > kept),
                    First => choose(&values, row, |_, _| false),
                    Last => choose(&values, row, |_, _| true),
                    Mean | Squares | MinTime | MaxTime | MeanTime | TimeSquares | Products => {}
                }
            }
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add_count(values: &[f64], count: &mut [f64]) {
    for (n, v) in count.iter_mut().zip(values) {
        *n += if v.is_nan() { 0.0 } else { 1.0 };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add_sum(values: &[f64], sum: &mut [f64]) {
    for (s, v) in sum.iter_mut().zip(values) {
        *s += if v.is_nan() { 0.0 } else { *v };
    }
}

/// `count` is that of before.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add_squares(values: &[f64], count: &[f64], mean: &mut [f64], squares: &mut [f64]) {
    for (((v, n), m), s) in values.iter().zip(count).zip(mean).zip(squares) {
        let valid = !v.is_nan();
        let difference = v - *m;
        let moved = *m + difference / (n + 1.0);
        *s += if valid { difference * (v - moved) } else { 0.0 };
        *m = if valid { moved } else { *m };
    }
}

/// `count` and `mean`, of the values, are those of before.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add_time(
    values: &[f64],
    time: f64,
    count: &[f64],
    mean: &[f64],
    squares: &mut [f64],
    mean_time: &mut [f64],
    products: &mut [f64],
) {
    for i in 0..values.len() {
        let (v, valid) = (values[i], !values[i].is_nan());
        let difference = time - mean_time[i];
        let moved = mean_time[i] + difference / (count[i] + 1.0);
        squares[i] += if valid { difference * (time - moved) } else { 0.0 };
        products[i] += if valid {
            (v - mean[i]) * (time - moved)
        } else {
            0.0
        };
        mean_time[i] = if valid { moved } else { mean_time[i] };
    }
}

/// Keeps a value, or takes the new one where there is none yet or `better` says so.
fn choose(values: &[f64], kept: &mut [f64], better: impl Fn(f64, f64) -> bool) {
    for (kept, &v) in kept.iter_mut().zip(values) {
        if !v.is_nan() && (kept.is_nan() || better(*kept, v)) {
            *kept = v;
        }
    }
}

/// Notes the time where `choose` will take the new value; `kept` is that of before.
fn note(values: &[f64], time: f64, kept: &[f64], at: &mut [f64], better: impl Fn(f64, f64) -> bool) {
    for ((&v, &kept), at) in values.iter().zip(kept).zip(at) {
        if !v.is_nan() && (kept.is_nan() || better(kept, v)) {
            *at = time;
        }
    }
}

impl Operation for Finish {
    fn name(&self) -> String {
        let name = |w: &Wanted| match w {
            Wanted::Reduced(reducer) => reducer.name(),
            other => format!("{other:?}").to_lowercase(),
        };
        self.wanted.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        if self.double { Kind::F64 } else { Kind::F32 }
    }

    fn outputs(&self) -> usize {
        self.wanted.len()
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let state: Vec<_> = inputs.iter().map(View::f64).collect();
        let result = |wanted: &Wanted| {
            let at = |slot: Slot, at: (usize, usize)| match self.slots.iter().position(|s| *s == slot) {
                Some(i) => state[i][at],
                None => f64::NAN,
            };
            let found = Array2::from_shape_fn((out.rows, out.cols), |p| wanted.result(&|slot| at(slot, p)));
            match self.double {
                true => Pixels::F64(found),
                false => Pixels::F32(found.mapv(|v| v as f32)),
            }
        };
        Ok(self.wanted.iter().map(result).collect())
    }
}

impl Wanted {
    fn result(self, state: &dyn Fn(Slot) -> f64) -> f64 {
        let where_valid = |v: f64| if state(Slot::Count) > 0.0 { v } else { f64::NAN };
        match self {
            Wanted::Reduced(reducer) => match reducer {
                Reducer::Count => state(Slot::Count),
                Reducer::Sum => where_valid(state(Slot::Sum)),
                Reducer::Mean => state(Slot::Sum) / state(Slot::Count),
                Reducer::Std => (state(Slot::Squares) / state(Slot::Count)).sqrt(),
                Reducer::Min => state(Slot::Min),
                Reducer::Max => state(Slot::Max),
                Reducer::First => state(Slot::First),
                Reducer::Last => state(Slot::Last),
                Reducer::Argmin => state(Slot::MinTime),
                Reducer::Argmax => state(Slot::MaxTime),
                Reducer::Median | Reducer::Percentile(_) | Reducer::Mode => f64::NAN,
            },
            // Through values of one time goes no line.
            Wanted::Slope => finite(state(Slot::Products) / state(Slot::TimeSquares)),
            Wanted::Offset => {
                let slope = Wanted::Slope.result(state);
                state(Slot::Mean) - slope * state(Slot::MeanTime)
            }
            Wanted::Residual => (left_by_line(state) / state(Slot::Count)).sqrt(),
            Wanted::SlopeStdError => finite((variance(state) / state(Slot::TimeSquares)).sqrt()),
            Wanted::OffsetStdError => {
                let mean_time = state(Slot::MeanTime);
                let share = 1.0 / state(Slot::Count) + mean_time * mean_time / state(Slot::TimeSquares);
                finite((variance(state) * share).sqrt())
            }
            Wanted::R2 => finite(1.0 - left_by_line(state) / state(Slot::Squares)),
        }
    }
}

/// The sum of squares of what the line leaves.
fn left_by_line(state: &dyn Fn(Slot) -> f64) -> f64 {
    let slope = Wanted::Slope.result(state);
    let left = state(Slot::Squares) - slope * state(Slot::Products);
    // Rounding can leave a little less than nothing.
    if left < 0.0 { 0.0 } else { left }
}

/// Of what the line leaves; of two values it leaves nothing, whatever they are.
fn variance(state: &dyn Fn(Slot) -> f64) -> f64 {
    match state(Slot::Count) {
        count if count > 2.0 => left_by_line(state) / (count - 2.0),
        _ => f64::NAN,
    }
}

fn finite(v: f64) -> f64 {
    if v.is_finite() { v } else { f64::NAN }
}
