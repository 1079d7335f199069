//! Lists of numbers and times as lines, points and bars.

use jiff::Timestamp;
use mlua::{Table, Value};

use super::data::{opacity, stretch};
use crate::error::{Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::args::Options;
use crate::lua::value::{FromScript, describe};
use crate::plot::{
    Axes, Band, Color, ColorBar, Colormap, Dash, ErrorBars, Guide, Layer, Line, Marker, Note, Polygons, Scale,
    Scatter, Stretch,
};
use crate::raster::{Bounds, Crs};
use crate::vector::Features;

/// A list of numbers or of times; nil, `false` and NaN are gaps.
#[derive(Debug)]
pub struct Points {
    /// Times as seconds since 1970.
    pub values: Vec<f64>,
    pub times: bool,
}

impl FromScript for Points {
    fn expected() -> String {
        "a list of numbers or times".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number[]|string[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let wrong = || Error::argument(name, Self::expected(), describe(value));
        let list = Table::accept(value).ok_or_else(wrong)?;
        if list.raw_len() == 0 && !list.is_empty() {
            return Err(wrong());
        }
        let entries: Vec<Value> = (1..=list.raw_len())
            .map(|i| list.raw_get(i))
            .collect::<Result<_, _>>()?;
        let times = entries.iter().any(|v| matches!(v, Value::String(_)));
        let values = entries
            .iter()
            .enumerate()
            .map(|(i, entry)| {
                let label = format!("{name}[{}]", i + 1);
                match entry {
                    Value::Nil | Value::Boolean(false) => Ok(f64::NAN),
                    // What columns of times have for a missing one.
                    Value::String(text) if text.as_bytes().is_empty() => Ok(f64::NAN),
                    _ if times => {
                        let time = Timestamp::from_script(entry, &label)?;
                        Ok(time.as_millisecond() as f64 / 1000.0)
                    }
                    _ => f64::from_script(entry, &label),
                }
            })
            .collect::<Result<_>>()?;
        Ok(Points { values, times })
    }
}

/// Adds a layer, in the CRS that the option `crs` names.
fn add(axes: &mut Axes, layer: Layer, o: &Options) -> Result<()> {
    match o.get::<Crs>("crs")? {
        Some(crs) => axes.add_in(crs, layer),
        None => axes.add(layer),
    };
    Ok(())
}

/// x and y of the same length; an axis of times is labelled with dates.
fn pair(axes: &mut Axes, x: Points, y: Points) -> Result<(Vec<f64>, Vec<f64>)> {
    if x.values.len() != y.values.len() {
        return Err(Error::argument(
            "y",
            format!("as long as x ({})", x.values.len()),
            y.values.len(),
        ));
    }
    for (points, axis) in [(&x, &mut axes.x), (&y, &mut axes.y)] {
        if points.times && axis.scale == Scale::Linear {
            axis.scale = Scale::Time;
        }
    }
    Ok((x.values, y.values))
}

fn dash(o: &Options) -> Result<Option<Dash>> {
    o.get::<String>("style")?.map(|s| Dash::parse(&s)).transpose()
}

fn marker(o: &Options) -> Result<Option<Marker>> {
    o.get::<String>("marker")?.map(|s| Marker::parse(&s)).transpose()
}

fn line_width(o: &Options, default: f64) -> Result<f64> {
    let width = o.checked("line_width", "a number of points, at least 0", |w: &f64| *w >= 0.0 && w.is_finite())?;
    Ok(width.unwrap_or(default))
}

pub fn line(axes: &mut Axes, x: Points, y: Points, o: &Options) -> Result<()> {
    let (x, y) = pair(axes, x, y)?;
    let mut line = Line::new(x, y);
    line.label = o.get_or("label", String::new())?;
    line.color = o.get("color")?;
    line.width = line_width(o, line.width)?;
    line.dash = dash(o)?.unwrap_or_default();
    line.marker = marker(o)?;
    line.marker_size = o.positive("marker_size")?.unwrap_or(line.marker_size);
    add(axes, Layer::Line(line), o)
}

pub fn scatter(axes: &mut Axes, x: Points, y: Points, o: &Options) -> Result<()> {
    let (x, y) = pair(axes, x, y)?;
    let mut points = Scatter::new(x, y);
    points.label = o.get_or("label", String::new())?;
    points.color = o.get("color")?;
    points.marker = marker(o)?.unwrap_or_default();
    points.size = o.positive("marker_size")?.unwrap_or(points.size);
    points.opacity = opacity(o)?.unwrap_or(1.0);
    points.outline = o.get("outline")?;
    points.values = o.get("values")?;
    points.colormap = o.get_or("colormap", Colormap::default())?;
    points.stretch = stretch(o, Stretch::MinMax)?;
    let bar: Option<String> = o.get("color_bar")?;
    if points.values.is_some() {
        axes.color_bar = bar.map(ColorBar::new).or(axes.color_bar.take());
    }
    add(axes, Layer::Scatter(points), o)
}

pub fn error_bars(axes: &mut Axes, x: Points, y: Points, error: Vec<f64>, o: &Options) -> Result<()> {
    let (x, y) = pair(axes, x, y)?;
    let mut bars = ErrorBars::new(x, y, error);
    bars.label = o.get_or("label", String::new())?;
    bars.color = o.get("color")?;
    bars.marker = marker(o)?.or(bars.marker);
    bars.marker_size = o.positive("marker_size")?.unwrap_or(bars.marker_size);
    if let Some(across) = o.get::<Vec<f64>>("x_error")? {
        bars.x_error = Some((across.clone(), across));
    }
    let layer = Layer::ErrorBars(bars);
    axes.add(layer);
    Ok(())
}

pub fn band(axes: &mut Axes, x: Points, low: Vec<f64>, high: Vec<f64>, o: &Options) -> Result<()> {
    let low = Points {
        values: low,
        times: false,
    };
    let (x, low) = pair(axes, x, low)?;
    axes.add(Layer::Band(Band {
        x,
        low,
        high,
        label: o.get_or("label", String::new())?,
        color: o.get("color")?,
        opacity: opacity(o)?.unwrap_or(0.25),
    }));
    Ok(())
}

/// How a histogram is counted and drawn.
pub struct HistogramStyle {
    pub bins: usize,
    pub range: Option<(f64, f64)>,
    pub density: bool,
    pub label: Option<String>,
    pub color: Option<Color>,
    pub filled: bool,
    pub opacity: Option<f64>,
}

pub fn histogram_style(o: &Options) -> Result<HistogramStyle> {
    Ok(HistogramStyle {
        bins: o.count("bins")?.unwrap_or(100),
        range: match (o.get::<f64>("min")?, o.get::<f64>("max")?) {
            (Some(low), Some(high)) => Some((low, high)),
            (None, None) => None,
            _ => return Err(Error::message("give both min and max, or neither")),
        },
        density: o.get_or("density", false)?,
        label: o.get("label")?,
        color: o.get("color")?,
        filled: o.get_or("filled", true)?,
        opacity: opacity(o)?,
    })
}

/// The options that areas share.
fn area_style(polygons: &mut Polygons, o: &Options) -> Result<()> {
    polygons.label = o.get_or("label", String::new())?;
    polygons.color = o.get("color")?;
    polygons.halo = o.get("halo")?;
    polygons.fill = o.get_or("fill", polygons.fill)?;
    polygons.width = line_width(o, polygons.width)?;
    polygons.dash = dash(o)?.unwrap_or_default();
    Ok(())
}

/// Features in their own CRS, or in that of the option `crs` where they have none.
pub fn features(axes: &mut Axes, features: &Features, o: &Options) -> Result<()> {
    let mut areas = Polygons::new(Vec::new());
    area_style(&mut areas, o)?;
    let mut points = Scatter::new(Vec::new(), Vec::new());
    points.label = areas.label.clone();
    points.color = areas.color;
    points.marker = marker(o)?.unwrap_or_default();
    points.size = o.positive("marker_size")?.unwrap_or(points.size);
    let crs = features.crs.clone().or(o.get::<Crs>("crs")?);
    for layer in crate::plot::outlines(features, &areas, &points) {
        match &crs {
            Some(crs) => axes.add_in(crs.clone(), layer),
            None => axes.add(layer),
        };
    }
    Ok(())
}

pub fn rectangle(axes: &mut Axes, bounds: Bounds, o: &Options) -> Result<()> {
    let mut polygons = Polygons::rectangle(bounds);
    area_style(&mut polygons, o)?;
    add(axes, Layer::Polygons(polygons), o)
}

pub fn text(axes: &mut Axes, (x, y): (f64, f64), text: String, o: &Options) -> Result<()> {
    use crate::plot::Anchor;
    let mut note = Note::new(x, y, text);
    note.color = o.get_or("color", note.color)?;
    note.size = o.positive("size")?;
    note.rotation = o.get_or("rotation", 0.0)?;
    note.halo = o.get("halo")?;
    note.anchor = match o.choice("anchor", &["left", "center", "right"])? {
        Some("center") => Anchor::Middle,
        Some("right") => Anchor::End,
        _ => Anchor::Start,
    };
    add(axes, Layer::Note(note), o)
}

pub fn guide(axes: &mut Axes, at: &Value, vertical: bool, o: &Options) -> Result<()> {
    let at = match f64::accept(at) {
        Some(at) => at,
        None => Timestamp::from_script(at, "at")?.as_millisecond() as f64 / 1000.0,
    };
    let mut guide = Guide::new(at, vertical);
    guide.label = o.get_or("label", String::new())?;
    guide.color = o.get_or("color", guide.color)?;
    guide.width = line_width(o, guide.width)?;
    guide.dash = dash(o)?.unwrap_or(guide.dash);
    axes.add(Layer::Guide(guide));
    Ok(())
}
