//! Lists by group, and values over two lists of places.

use mlua::{Table, Value};
use ndarray::Array2;

use super::data::Norming;
use super::series::Points;
use crate::error::{Choice, Domain, Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe, number_text};
use crate::options;
use crate::plot::{
    Axes, Axis, BarSeries, Bars, BoxSummary, Boxes, Cells, Color, ColorBar, Colormap, OPACITIES, Scale, Stretch,
    TickChoice,
};

/// Names, which stand one beside the other, or numbers, which stand where they say.
pub enum Places {
    Names(Vec<String>),
    Numbers(Vec<f64>),
}

impl FromScript for Places {
    fn expected() -> String {
        "a list of names or of numbers".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("(string|number)[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Vec::<f64>::accept(value)
            .map(Places::Numbers)
            .or_else(|| names(value).map(Places::Names))
    }
}

/// Strings; numbers among them as they are written.
fn names(value: &Value) -> Option<Vec<String>> {
    let list = Table::accept(value).filter(|list| list.raw_len() > 0 || list.is_empty())?;
    let name = |i| match list.raw_get::<Value>(i).ok()? {
        Value::String(text) => Some(text.to_string_lossy()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Number(number) => Some(number_text(number)),
        _ => None,
    };
    (1..=list.raw_len()).map(name).collect()
}

impl Places {
    fn len(&self) -> usize {
        match self {
            Places::Names(names) => names.len(),
            Places::Numbers(numbers) => numbers.len(),
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Places::Names(names) => names.clone(),
            Places::Numbers(numbers) => numbers.iter().map(f64::to_string).collect(),
        }
    }

    /// Where they stand. An axis without marks of its own gets the names; they are read from above where it is upright.
    fn placed(&self, axis: &mut Axis, upright: bool) -> Vec<f64> {
        let names = match self {
            Places::Numbers(numbers) => return numbers.clone(),
            Places::Names(names) => names,
        };
        let at: Vec<f64> = (1..=names.len()).map(|i| i as f64).collect();
        if axis.ticks == TickChoice::Auto {
            axis.ticks = TickChoice::At(at.iter().copied().zip(names.iter().cloned()).collect());
        }
        if axis.limits.is_none() {
            let end = names.len() as f64 + 0.5;
            axis.limits = Some(if upright { (end, 0.5) } else { (0.5, end) });
        }
        at
    }
}

/// A list of numbers, or several of them; `false` and NaN are missing.
pub enum Rows {
    One(Vec<f64>),
    Several(Vec<Vec<f64>>),
}

impl FromScript for Rows {
    fn expected() -> String {
        "a list of numbers, or a list of such lists".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number[]|number[][]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let list = Table::accept(value)
            .filter(|list| list.raw_len() > 0 || list.is_empty())
            .ok_or_else(|| Error::argument(name, Self::expected(), describe(value)))?;
        let numbers = |value: &Value, name: &str| {
            let points = Points::from_script(value, name)?;
            match points.times {
                true => Err(Error::argument(name, "a list of numbers", "one of times")),
                false => Ok(points.values),
            }
        };
        match list.raw_get::<Value>(1)? {
            Value::Table(_) => (1..=list.raw_len())
                .map(|i| numbers(&list.raw_get(i)?, &format!("{name}[{i}]")))
                .collect::<Result<_>>()
                .map(Rows::Several),
            _ => numbers(value, name).map(Rows::One),
        }
    }
}

impl Rows {
    fn several(self) -> Vec<Vec<f64>> {
        match self {
            Rows::One(values) => vec![values],
            Rows::Several(lists) => lists,
        }
    }
}

options! {
    pub struct BarsLayer("plot.BarsLayerOptions") {
        /// In the legend, one for each series.
        labels: Option<Vec<String>>,
        /// One for each series. Default: the next of those that series take in turn.
        colors: Option<Vec<Color>>,
        /// Lengths of error bars below and above, in the same form as the heights.
        errors: Option<Rows>,
        /// Of a group of bars, as a share of the distance to the next.
        bar_width: f64 = Bars::WIDTH; Bars::WIDTHS,
        /// To the right rather than upwards.
        horizontal: bool = false,
        /// 0 is invisible.
        opacity: f64 = 1.0; OPACITIES,
    }
}

pub fn bars(axes: &mut Axes, places: &Places, heights: Rows, o: BarsLayer) -> Result<()> {
    let heights = heights.several();
    let mut errors = o.errors.map(Rows::several).unwrap_or_default();
    for (name, given) in [
        ("labels", o.labels.as_ref().map(Vec::len)),
        ("colors", o.colors.as_ref().map(Vec::len)),
        ("errors", (!errors.is_empty()).then_some(errors.len())),
    ] {
        if let Some(count) = given.filter(|count| *count != heights.len()) {
            let expected = format!("as many as there are series ({})", heights.len());
            return Err(Error::argument(name, expected, count));
        }
    }
    errors.reverse();
    let mut series = Vec::new();
    for (i, values) in heights.into_iter().enumerate() {
        if values.len() != places.len() {
            let expected = format!("as many in each series as there are places ({})", places.len());
            return Err(Error::argument("heights", expected, values.len()));
        }
        series.push(BarSeries {
            values,
            errors: errors.pop().map(|errors| (errors.clone(), errors)),
            label: o.labels.as_ref().map_or(String::new(), |labels| labels[i].clone()),
            color: o.colors.as_ref().map(|colors| colors[i]),
        });
    }
    let axis = if o.horizontal { &mut axes.y } else { &mut axes.x };
    let mut bars = Bars::new(places.placed(axis, o.horizontal), series);
    (bars.width, bars.horizontal, bars.opacity) = (o.bar_width, o.horizontal, o.opacity);
    axes.add(bars);
    Ok(())
}

options! {
    pub struct BoxesLayer("plot.BoxesLayerOptions") {
        /// How far whiskers reach at most, in distances of the quartiles.
        reach: f64 = Boxes::REACH; Boxes::REACHES,
        /// Whether values beyond the whiskers are shown.
        outliers: bool = true,
        /// Of a box, as a share of the distance to the next.
        box_width: f64 = Boxes::WIDTH; Bars::WIDTHS,
        /// Write beneath each name, in brackets, how many values its box has.
        counts: bool = false,
        /// To the right rather than upwards.
        horizontal: bool = false,
        /// Default: the next of those that series take in turn.
        color: Option<Color>,
        /// In the legend.
        label: Option<String>,
    }
}

pub fn boxes(axes: &mut Axes, groups: Places, values: Rows, o: BoxesLayer) -> Result<()> {
    let (places, lists) = match values {
        Rows::Several(lists) => {
            if lists.len() != groups.len() {
                let expected = format!("as many lists as there are groups ({})", groups.len());
                return Err(Error::argument("values", expected, lists.len()));
            }
            (groups, lists)
        }
        Rows::One(values) => by_group(&groups, values)?,
    };
    let summaries: Vec<_> = lists.iter().map(|values| BoxSummary::of(values, o.reach)).collect();
    let axis = if o.horizontal { &mut axes.y } else { &mut axes.x };
    let at = places.placed(axis, o.horizontal);
    if o.counts {
        let count = |s: &Option<BoxSummary>| s.as_ref().map_or(0, |s| s.count).to_string();
        let named = at.iter().zip(places.names()).zip(&summaries);
        let labels = named.map(|((at, name), summary)| (*at, format!("{name}\n({})", count(summary))));
        axis.ticks = TickChoice::At(labels.collect());
    }
    let mut boxes = Boxes::new(at, summaries);
    (boxes.outliers, boxes.width, boxes.horizontal) = (o.outliers, o.box_width, o.horizontal);
    (boxes.color, boxes.label) = (o.color, o.label.unwrap_or_default());
    axes.add(boxes);
    Ok(())
}

/// Values sorted into the groups that stand beside them: names in the order of their first, numbers ascending.
fn by_group(groups: &Places, values: Vec<f64>) -> Result<(Places, Vec<Vec<f64>>)> {
    if groups.len() != values.len() {
        let expected = format!("as many as there are groups ({})", groups.len());
        return Err(Error::argument("values", expected, values.len()));
    }
    let mut lists: Vec<Vec<f64>> = Vec::new();
    match groups {
        Places::Names(names) => {
            let mut found: Vec<String> = Vec::new();
            for (name, value) in names.iter().zip(values) {
                let place = found.iter().position(|n| n == name).unwrap_or_else(|| {
                    found.push(name.clone());
                    lists.push(Vec::new());
                    found.len() - 1
                });
                lists[place].push(value);
            }
            Ok((Places::Names(found), lists))
        }
        Places::Numbers(numbers) => {
            let mut found: Vec<f64> = numbers.iter().copied().filter(|n| n.is_finite()).collect();
            found.sort_by(f64::total_cmp);
            found.dedup();
            lists.resize(found.len(), Vec::new());
            for (number, value) in numbers.iter().zip(values) {
                if let Ok(place) = found.binary_search_by(|n| n.total_cmp(number)) {
                    lists[place].push(value);
                }
            }
            Ok((Places::Numbers(found), lists))
        }
    }
}

/// Where time runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeAlong {
    X,
    Y,
}

impl Choice for TimeAlong {
    const ALL: &'static [(&'static str, Self)] = &[("x", TimeAlong::X), ("y", TimeAlong::Y)];
}

options! {
    pub struct HovmollerLayer("plot.HovmollerLayerOptions") {
        ..norming: Norming,
        /// A name (see `plot.colormaps`) or a list of colours to blend. Default `"viridis"`; `"RdBu_r"` where symmetric.
        colormap: Option<Colormap>,
        /// Of the colour bar: quantity and unit. Default: no bar.
        label: Option<String>,
        /// The axis along which time runs.
        time: TimeAlong = TimeAlong::X,
        /// Neighbours that are farther apart than this many times the usual (median) distance leave a gap between them.
        most_gap: f64 = Cells::GAP; Domain::at_least(1.0),
    }
}

pub fn hovmoller(axes: &mut Axes, places: Points, times: Points, values: Rows, o: HovmollerLayer) -> Result<()> {
    let (places_at, times_at, values) = match values {
        Rows::Several(rows) => {
            let (count, expected) = (rows.len(), times.values.len());
            if count != expected {
                return Err(Error::argument("values", format!("a list for each time ({expected})"), count));
            }
            let expected = places.values.len();
            if let Some(row) = rows.iter().find(|row| row.len() != expected) {
                let expected = format!("as many in each list as there are places ({expected})");
                return Err(Error::argument("values", expected, row.len()));
            }
            let matrix = Array2::from_shape_fn((count, expected), |(t, p)| rows[t][p]);
            sorted(&places.values, &times.values, &matrix)?
        }
        Rows::One(values) => gathered(&places.values, &times.values, &values)?,
    };
    let stretch = o.norming.stretch.or(Stretch::Percentiles(2.0, 98.0))?;
    let values = values.mapv(|v| v as f32);
    let mut cells = match o.time {
        TimeAlong::X => Cells::new(times_at, places_at, values.reversed_axes().as_standard_layout().to_owned()),
        TimeAlong::Y => Cells::new(places_at, times_at, values),
    };
    cells.colormap = match (o.colormap, stretch) {
        (Some(colormap), _) => colormap,
        (None, Stretch::Symmetric(_)) => Colormap::named("RdBu_r")?,
        (None, _) => Colormap::default(),
    };
    (cells.stretch, cells.norm, cells.most_gap) = (stretch, o.norming.norm()?, o.most_gap);
    let (time_axis, place_axis) = match o.time {
        TimeAlong::X => (&mut axes.x, &mut axes.y),
        TimeAlong::Y => (&mut axes.y, &mut axes.x),
    };
    for (points, axis) in [(&times, time_axis), (&places, place_axis)] {
        if points.times && axis.scale == Scale::Linear {
            axis.scale = Scale::Time;
        }
    }
    axes.color_bar = o.label.map(ColorBar::new).or(axes.color_bar.take());
    axes.add(cells);
    Ok(())
}

/// Finite numbers, ascending, each once.
fn unique(values: &[f64]) -> Vec<f64> {
    let mut out: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    out.sort_by(f64::total_cmp);
    out.dedup();
    out
}

/// A matrix (time, place) with both in ascending order; what is at one time and place more than once becomes its mean.
fn sorted(places: &[f64], times: &[f64], matrix: &Array2<f64>) -> Result<Lattice> {
    let triples = matrix.indexed_iter().map(|((t, p), v)| (places[p], times[t], *v));
    means(places, times, triples)
}

/// The same of a list of values, each with its place and time.
fn gathered(places: &[f64], times: &[f64], values: &[f64]) -> Result<Lattice> {
    for (name, count) in [("times", times.len()), ("values", values.len())] {
        if count != places.len() {
            let expected = format!("as long as x ({}), or `values` a list of lists", places.len());
            return Err(Error::argument(name, expected, count));
        }
    }
    let triples = places.iter().zip(times).zip(values).map(|((p, t), v)| (*p, *t, *v));
    means(places, times, triples)
}

/// Places, times, and values (time, place).
type Lattice = (Vec<f64>, Vec<f64>, Array2<f64>);

fn means(
    places: &[f64],
    times: &[f64],
    triples: impl Iterator<Item = (f64, f64, f64)>,
) -> Result<Lattice> {
    let (places, times) = (unique(places), unique(times));
    let shape = (times.len(), places.len());
    // Sums, counts, means, and values to draw.
    crate::bounds::fits(
        format!("{} times at {} places", shape.0, shape.1),
        shape.0.saturating_mul(shape.1),
        32,
        "round the places, or show fewer",
    )?;
    let (mut sums, mut counts) = (Array2::<f64>::zeros(shape), Array2::<f64>::zeros(shape));
    let at = |list: &[f64], value: f64| list.binary_search_by(|v| v.total_cmp(&value)).ok();
    for (place, time, value) in triples.filter(|(_, _, v)| v.is_finite()) {
        if let (Some(t), Some(p)) = (at(&times, time), at(&places, place)) {
            sums[(t, p)] += value;
            counts[(t, p)] += 1.0;
        }
    }
    // 0 / 0 is the NaN of what was never seen.
    Ok((places, times, sums / counts))
}
