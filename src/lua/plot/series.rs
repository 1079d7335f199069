//! Lists of numbers and times as lines, points and bars.

use std::sync::Arc;

use jiff::Timestamp;
use mlua::{Table, Value};

use super::data::Norming;
use crate::error::{Domain, Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::plot::{
    Anchor, Axes, Band, Color, ColorBar, Colormap, Dash, ErrorBars, Guide, Histogram, LINE_WIDTHS, Line,
    Mark, MARKER_SIZES, Marker, Note, OPACITIES, Outlines, Polygons, Scale, Scatter, Stretch,
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

/// Adds a mark, in another CRS than the axes' where one is given.
fn add(axes: &mut Axes, mark: impl Mark + 'static, crs: Option<Crs>) {
    axes.place(Arc::new(mark), crs);
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

options! {
    pub struct LineLayer("plot.LineLayerOptions") {
        /// In the legend.
        label: Option<String>,
        /// Default: the next of those that series take in turn.
        color: Option<Color>,
        /// Points; 0 leaves the markers only.
        line_width: f64 = Line::WIDTH; LINE_WIDTHS,
        /// Of the line.
        style: Dash = Dash::Solid,
        /// At each point. Default: none.
        marker: Option<Marker>,
        /// Points.
        marker_size: f64 = Scatter::MARKER_SIZE; MARKER_SIZES,
        /// On maps: what x and y are in, where that is not the map's own CRS.
        crs: Option<Crs>,
    }
}

pub fn line(axes: &mut Axes, x: Points, y: Points, o: LineLayer) -> Result<()> {
    let (x, y) = pair(axes, x, y)?;
    let line = Line {
        x,
        y,
        label: o.label.unwrap_or_default(),
        color: o.color,
        width: o.line_width,
        dash: o.style,
        marker: o.marker,
        marker_size: o.marker_size,
    };
    add(axes, line, o.crs);
    Ok(())
}

options! {
    pub struct ScatterLayer("plot.ScatterLayerOptions") {
        ..norming: Norming,
        /// In the legend.
        label: Option<String>,
        /// Default: the next of those that series take in turn.
        color: Option<Color>,
        /// At each point.
        marker: Marker = Marker::Circle,
        /// Points.
        marker_size: f64 = Scatter::MARKER_SIZE; MARKER_SIZES,
        /// 0 is invisible.
        opacity: f64 = 1.0; OPACITIES,
        /// Colour of a thin line around each mark.
        outline: Option<Color>,
        /// One for each point, shown in the colour map; points whose value is NaN are left out.
        values: Option<Vec<f32>>,
        /// A name (see `plot.colormaps`) or a list of colours to blend.
        colormap: Colormap = Colormap::default(),
        /// Label of a colour bar for the values. Default: no bar.
        color_bar: Option<String>,
        /// On maps: what x and y are in, where that is not the map's own CRS.
        crs: Option<Crs>,
    }
}

pub fn scatter(axes: &mut Axes, x: Points, y: Points, o: ScatterLayer) -> Result<()> {
    let (x, y) = pair(axes, x, y)?;
    let points = Scatter {
        x,
        y,
        stretch: o.norming.stretch.or(Stretch::MinMax)?,
        norm: o.norming.norm()?,
        values: o.values,
        colormap: o.colormap,
        label: o.label.unwrap_or_default(),
        color: o.color,
        marker: o.marker,
        size: o.marker_size,
        opacity: o.opacity,
        outline: o.outline,
    };
    if points.values.is_some() {
        axes.color_bar = o.color_bar.map(ColorBar::new).or(axes.color_bar.take());
    }
    add(axes, points, o.crs);
    Ok(())
}

options! {
    pub struct ErrorBarsLayer("plot.ErrorBarsOptions") {
        /// In the legend.
        label: Option<String>,
        /// Default: the next of those that series take in turn.
        color: Option<Color>,
        /// At each point.
        marker: Marker = Marker::Circle,
        /// Points.
        marker_size: f64 = ErrorBars::MARKER_SIZE; MARKER_SIZES,
        /// Errors along x as well.
        x_error: Option<Vec<f64>>,
    }
}

pub fn error_bars(axes: &mut Axes, x: Points, y: Points, error: Vec<f64>, o: ErrorBarsLayer) -> Result<()> {
    let (x, y) = pair(axes, x, y)?;
    let mut bars = ErrorBars::new(x, y, error);
    (bars.label, bars.color) = (o.label.unwrap_or_default(), o.color);
    (bars.marker, bars.marker_size) = (Some(o.marker), o.marker_size);
    bars.x_error = o.x_error.map(|across| (across.clone(), across));
    axes.add(bars);
    Ok(())
}

options! {
    pub struct BandLayer("plot.BandOptions") {
        /// In the legend.
        label: Option<String>,
        /// Default: the next of those that series take in turn.
        color: Option<Color>,
        /// 0 is invisible.
        opacity: f64 = 0.25; OPACITIES,
    }
}

pub fn band(axes: &mut Axes, x: Points, low: Vec<f64>, high: Vec<f64>, o: BandLayer) -> Result<()> {
    let low = Points {
        values: low,
        times: false,
    };
    let (x, low) = pair(axes, x, low)?;
    axes.add(Band {
        x,
        low,
        high,
        label: o.label.unwrap_or_default(),
        color: o.color,
        opacity: o.opacity,
    });
    Ok(())
}

options! {
    pub struct HistogramLayer("plot.HistogramLayerOptions") {
        /// How many.
        bins: usize = 100; Histogram::BINS,
        /// Start of the first bin. Default: the smallest value. Only together with `max`.
        min: Option<f64>,
        /// End of the last bin. Default: the largest value.
        max: Option<f64>,
        /// Scale the bars so that their area is 1, rather than show counts.
        density: bool = false,
        /// In the legend. Default: the name of the band where there are several.
        label: Option<String>,
        /// Default: the next of those that series take in turn.
        color: Option<Color>,
        /// False draws the outline only.
        filled: bool = true,
        /// 0 is invisible. Default 1; 0.6 for several bands.
        opacity: Option<f64>; OPACITIES,
    }
}

impl HistogramLayer {
    pub fn range(&self) -> Result<Option<(f64, f64)>> {
        match (self.min, self.max) {
            (Some(low), Some(high)) => Ok(Some((low, high))),
            (None, None) => Ok(None),
            _ => Err(Error::message("give both min and max, or neither")),
        }
    }
}

options! {
    pub struct Area("plot.AreaOptions") {
        /// In the legend.
        label: Option<String>,
        /// Of the outline. Default: black; for points the next of those that series take in turn.
        color: Option<Color>,
        /// Colour beneath the outline and a little wider, so that it shows on any ground. Default: none.
        halo: Option<Color>,
        /// Colour inside the outline.
        fill: Color = Color::TRANSPARENT,
        /// Points.
        line_width: f64 = Polygons::WIDTH; LINE_WIDTHS,
        /// Of the outline.
        style: Dash = Dash::Solid,
        /// What the coordinates are in. Default: the map's CRS.
        crs: Option<Crs>,
    }
}

impl Area {
    fn apply(&self, polygons: &mut Polygons) {
        polygons.label = self.label.clone().unwrap_or_default();
        (polygons.color, polygons.halo, polygons.fill) = (self.color, self.halo, self.fill);
        (polygons.width, polygons.dash) = (self.line_width, self.style);
    }
}

options! {
    pub struct FeaturesLayer("plot.FeaturesOptions") {
        ..area: Area,
        /// At each point.
        marker: Marker = Marker::Circle,
        /// Of the marks, in points.
        marker_size: f64 = Scatter::MARKER_SIZE; MARKER_SIZES,
    }
}

/// Features in their own CRS, or in that of the option `crs` where they have none.
pub fn features(axes: &mut Axes, features: &Features, o: FeaturesLayer) -> Result<()> {
    let mut areas = Polygons::new(Vec::new());
    o.area.apply(&mut areas);
    let mut points = Scatter::new(Vec::new(), Vec::new());
    (points.label, points.color) = (areas.label.clone(), areas.color);
    (points.marker, points.size) = (o.marker, o.marker_size);
    let crs = features.crs.clone().or(o.area.crs);
    let found = Outlines::of(features, &areas, &points);
    for outline in [found.areas, found.lines].into_iter().flatten() {
        add(axes, outline, crs.clone());
    }
    if let Some(points) = found.points {
        add(axes, points, crs);
    }
    Ok(())
}

pub fn rectangle(axes: &mut Axes, bounds: Bounds, o: Area) -> Result<()> {
    let mut polygons = Polygons::rectangle(bounds);
    o.apply(&mut polygons);
    add(axes, polygons, o.crs);
    Ok(())
}

options! {
    pub struct Writing("plot.TextOptions") {
        /// Of the letters.
        color: Color = Color::BLACK,
        /// Points. Default: the figure's font size.
        size: Option<f64>; Note::SIZES,
        /// Which part of the text lies at the point.
        anchor: Anchor = Anchor::Start,
        /// Degrees, counter-clockwise.
        rotation: f64 = 0.0; Domain::FINITE,
        /// Colour of an outline around the letters, for legibility on images.
        halo: Option<Color>,
        /// What x and y are in. Default: the map's CRS.
        crs: Option<Crs>,
    }
}

pub fn text(axes: &mut Axes, (x, y): (f64, f64), text: String, o: Writing) -> Result<()> {
    let mut note = Note::new(x, y, text);
    (note.color, note.size, note.anchor) = (o.color, o.size, o.anchor);
    (note.rotation, note.halo) = (o.rotation, o.halo);
    add(axes, note, o.crs);
    Ok(())
}

options! {
    pub struct GuideLayer("plot.GuideOptions") {
        /// In the legend.
        label: Option<String>,
        /// Of the line.
        color: Color = Guide::COLOR,
        /// Points.
        line_width: f64 = Guide::WIDTH; LINE_WIDTHS,
        /// Of the line.
        style: Dash = Dash::Dashed,
    }
}

pub fn guide(axes: &mut Axes, at: &Value, vertical: bool, o: GuideLayer) -> Result<()> {
    let at = match f64::accept(at) {
        Some(at) => at,
        None => Timestamp::from_script(at, "at")?.as_millisecond() as f64 / 1000.0,
    };
    let mut guide = Guide::new(at, vertical);
    guide.label = o.label.unwrap_or_default();
    (guide.color, guide.width, guide.dash) = (o.color, o.line_width, o.style);
    axes.add(guide);
    Ok(())
}
