//! The options of figures and axes.

use mlua::Value;

use super::series::Points;
use crate::error::{Choice, Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe, number_text};
use crate::options;
use crate::plot::{
    Axes, Axis, Color, ColorBar, Coordinates, Corner, Figure, AxesKind, Legend, Scale, Side, TickChoice,
};

options! {
    /// Of every function that makes a figure.
    pub struct Size("plot.SizeOptions") {
        /// Inches. Default: what the content needs, at most 6.4; more only where colour bars and legends would leave the panels
        /// less than half of that.
        width: Option<f64>; Figure::SIZES,
        /// Inches. Default: what the content needs, at most 8.
        height: Option<f64>; Figure::SIZES,
        /// Pixels an inch; journals ask for 300 and more.
        dpi: f64 = Figure::DPI; Figure::DPIS,
        /// Points; titles and tick labels follow it.
        font_size: f64 = Figure::FONT_SIZE; Figure::FONT_SIZES,
    }
}

impl Size {
    pub fn apply(&self, figure: &mut Figure) {
        (figure.width, figure.height) = (self.width, self.height);
        (figure.dpi, figure.font_size) = (self.dpi, self.font_size);
    }
}

options! {
    pub struct Page("plot.FigureOptions") {
        ..size: Size,
        /// Panels in a column.
        rows: usize = 1; Figure::PANELS,
        /// Panels in a row.
        cols: usize = 1; Figure::PANELS,
        /// Above all panels.
        title: Option<String>,
        /// Panels are called (a), (b), (c)…
        letters: bool = false,
        /// Tick labels at the outer panels only, where all have the same limits.
        share_axes: bool = true,
        /// One colour bar with this label for all panels, whose images then share colour map and limits.
        color_bar: Option<String>,
        /// Where it stands. `"auto"`: to the right, or below panels that are much wider than high.
        color_bar_side: Side = Side::Auto,
    }
}

impl Page {
    pub fn figure(self) -> Figure {
        let mut figure = Figure::new(self.rows, self.cols);
        self.size.apply(&mut figure);
        figure.title = self.title.unwrap_or_default();
        (figure.letters, figure.share_axes) = (self.letters, self.share_axes);
        let side = self.color_bar_side;
        figure.color_bar = self.color_bar.map(|label| ColorBar { label, side });
        figure
    }
}

/// Pixels that an image needs at most along a side to look its best in one panel.
pub fn detail(figure: &Figure) -> usize {
    let longest = figure.width.unwrap_or(6.4).max(figure.height.unwrap_or(8.0));
    let shared_by = figure.rows.min(figure.cols).max(1) as f64;
    ((longest * figure.dpi / shared_by) as usize).clamp(64, 6000)
}

options! {
    /// Of charts and maps.
    pub struct Panel("plot.AxesOptions") {
        /// Above the panel.
        title: Option<String>,
        /// Quantity and unit: `"Distance (km)"`.
        x_label: Option<String>,
        /// Quantity and unit.
        y_label: Option<String>,
        /// `{ first, last }`, numbers or times; the larger first turns the axis round.
        x_limits: Option<Ends>,
        /// `{ first, last }`.
        y_limits: Option<Ends>,
        /// Default `"linear"`, or `"time"` where times are drawn. Times are in UTC.
        x_scale: Option<Scale>,
        /// Default `"linear"`, or `"time"` where times are drawn.
        y_scale: Option<Scale>,
        /// Where the axis has marks; false for none.
        x_ticks: TickChoice = TickChoice::Auto,
        /// Where the axis has marks; false for none.
        y_ticks: TickChoice = TickChoice::Auto,
        /// Lines at the marks.
        grid: bool = false,
        /// `"auto"` or true: the emptiest corner; for classes of maps beside the panel, or below it where a colour bar stands there.
        /// `"right"`: beside the panel. `"none"` or false: nowhere.
        legend: Switch<Legend> = Switch::Named(Legend::Auto),
        /// Colour behind everything.
        background: Color = Color::WHITE,
        /// Maps: mark longitude and latitude, whatever the CRS. Default false: kilometres or metres of the CRS.
        lonlat: Option<bool>,
        /// Maps: false leaves the sides without marks. Default true.
        coordinates: Option<bool>,
        /// Maps: a round length on the ground, in this corner; true is `"lower left"`.
        scale_bar: Option<Switch<Corner>>,
    }
}

impl Panel {
    pub fn apply(&self, axes: &mut Axes) {
        let axis =
            |label: &Option<String>, limits: &Option<Ends>, scale: Option<Scale>, ticks: &TickChoice| Axis {
                label: label.clone().unwrap_or_default(),
                limits: limits.as_ref().map(|ends| (ends.0, ends.1)),
                scale: scale.unwrap_or_default(),
                ticks: ticks.clone(),
            };
        axes.title = self.title.clone().unwrap_or_default();
        axes.x = axis(&self.x_label, &self.x_limits, self.x_scale, &self.x_ticks);
        axes.y = axis(&self.y_label, &self.y_limits, self.y_scale, &self.y_ticks);
        (axes.grid, axes.face) = (self.grid, self.background);
        axes.legend = match self.legend {
            Switch::On => Legend::Auto,
            Switch::Off => Legend::None,
            Switch::Named(legend) => legend,
        };
        axes.scale_bar = match self.scale_bar {
            Some(Switch::On) => Some(Corner::LowerLeft),
            Some(Switch::Named(corner)) => Some(corner),
            Some(Switch::Off) | None => None,
        };
        let coordinates = match (self.coordinates, self.lonlat) {
            (Some(false), _) => Coordinates::None,
            (_, Some(true)) => Coordinates::LonLat,
            _ => Coordinates::Map,
        };
        // What only a map has makes one of a chart.
        let asked = self.lonlat.is_some() || self.coordinates.is_some() || axes.scale_bar.is_some();
        if asked || matches!(axes.kind, AxesKind::Map(_)) {
            axes.kind = AxesKind::Map(coordinates);
        }
    }
}

/// What can be on, off, or one of a few names.
#[derive(Clone, Copy)]
pub enum Switch<C> {
    On,
    Off,
    Named(C),
}

impl<C: Choice> FromScript for Switch<C> {
    fn expected() -> String {
        format!("true or false or {}", C::expected())
    }
    fn kind() -> ValueType {
        ValueType::Of(format!("boolean|{}", C::kind().lua_type()).into())
    }
    fn accept(value: &Value) -> Option<Self> {
        match value {
            Value::Boolean(true) => Some(Switch::On),
            Value::Boolean(false) => Some(Switch::Off),
            other => C::accept(other).map(Switch::Named),
        }
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        match (Self::accept(value), value) {
            (Some(found), _) => Ok(found),
            // A misspelt name is answered with the nearest.
            (None, Value::String(_)) => C::from_script(value, name).map(Switch::Named),
            (None, _) => Err(Error::argument(name, Self::expected(), describe(value))),
        }
    }
    fn literal(&self) -> serde_json::Value {
        match self {
            Switch::On => true.into(),
            Switch::Off => false.into(),
            Switch::Named(choice) => choice.literal(),
        }
    }
}

/// Both ends of an axis; times are seconds since 1970.
pub struct Ends(f64, f64);

impl FromScript for Ends {
    fn expected() -> String {
        "two numbers or times: { first, last }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("(number|string)[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        match Points::from_script(value, name)?.values.as_slice() {
            [first, last] => Ok(Ends(*first, *last)),
            _ => Err(Error::argument(name, Self::expected(), describe(value))),
        }
    }
}

impl FromScript for TickChoice {
    fn expected() -> String {
        "a list of numbers, or true or false".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number[]|boolean".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let label = |at: f64| number_text(at).trim_end_matches(".0").replace('-', "−");
        Ok(match value {
            Value::Boolean(true) => TickChoice::Auto,
            Value::Boolean(false) => TickChoice::None,
            list => {
                let places = Points::from_script(list, name)?.values;
                TickChoice::At(places.into_iter().map(|at| (at, label(at))).collect())
            }
        })
    }
}
