//! Tables of options as figures and axes.

use mlua::Value;

use super::series::Points;
use crate::error::{Error, Result};
use crate::lua::args::Options;
use crate::lua::value::{FromScript, describe};
use crate::plot::{Axes, Axis, ColorBar, Coordinates, Corner, Figure, Kind, Legend, Scale, Side, TickChoice};

/// The options of `plot.figure`.
pub fn figure(o: &Options) -> Result<Figure> {
    let (rows, cols) = (o.count("rows")?.unwrap_or(1), o.count("cols")?.unwrap_or(1));
    let mut figure = Figure::new(rows, cols);
    size(o, &mut figure)?;
    figure.title = o.get_or("title", String::new())?;
    figure.letters = o.get_or("letters", false)?;
    figure.share_axes = o.get_or("share_axes", true)?;
    figure.color_bar = match o.get::<String>("color_bar")? {
        Some(label) => Some(ColorBar {
            label,
            side: side(o)?,
        }),
        None => {
            side(o)?;
            None
        }
    };
    Ok(figure)
}

fn side(o: &Options) -> Result<Side> {
    Ok(match o.choice("color_bar_side", &["right", "bottom"])? {
        Some("bottom") => Side::Bottom,
        _ => Side::Right,
    })
}

/// The options that every function which makes a figure has.
pub fn size(o: &Options, figure: &mut Figure) -> Result<()> {
    figure.width = o.positive("width")?;
    figure.height = o.positive("height")?;
    let dpi = o.checked("dpi", "a number from 10 to 2400", |d: &f64| (10.0..=2400.0).contains(d))?;
    figure.dpi = dpi.unwrap_or(figure.dpi);
    let font_size = o.checked("font_size", "a number of points from 2 to 100", |d: &f64| {
        (2.0..=100.0).contains(d)
    })?;
    figure.font_size = font_size.unwrap_or(figure.font_size);
    Ok(())
}

/// Pixels that an image needs at most along a side to look its best in one panel.
pub fn detail(figure: &Figure) -> usize {
    let longest = figure.width.unwrap_or(6.4).max(figure.height.unwrap_or(8.0));
    let shared_by = figure.rows.min(figure.cols).max(1) as f64;
    ((longest * figure.dpi / shared_by) as usize).clamp(64, 6000)
}

/// The options of axes, for charts and maps.
pub fn axes(o: &Options, axes: &mut Axes) -> Result<()> {
    axes.title = o.get_or("title", String::new())?;
    axes.x = axis(o, "x_label", "x_limits", "x_scale", "x_ticks")?;
    axes.y = axis(o, "y_label", "y_limits", "y_scale", "y_ticks")?;
    axes.grid = o.get_or("grid", false)?;
    axes.face = o.get_or("background", axes.face)?;
    axes.legend = legend(o)?;
    axes.scale_bar = scale_bar(o)?;
    let lonlat = o.get::<bool>("lonlat")?;
    let labelled = o.get::<bool>("coordinates")?;
    let coordinates = match (labelled, lonlat) {
        (Some(false), _) => Coordinates::None,
        (_, Some(true)) => Coordinates::LonLat,
        _ => Coordinates::Map,
    };
    if matches!(axes.kind, Kind::Map(_)) || lonlat.is_some() || labelled.is_some() || axes.scale_bar.is_some() {
        axes.kind = Kind::Map(coordinates);
    }
    Ok(())
}

fn axis(o: &Options, label: &str, limits: &str, scale: &str, ticks: &str) -> Result<Axis> {
    let scale_name = o.choice(scale, &["linear", "log", "time"])?;
    let limits = match o.raw(limits)? {
        Value::Nil => None,
        value => {
            let points = Points::from_script(&value, limits)?;
            match points.values.as_slice() {
                [low, high] => Some((*low, *high)),
                _ => {
                    let expected = "two numbers or times: { first, last }";
                    return Err(Error::argument(limits, expected, describe(&value)));
                }
            }
        }
    };
    let ticks = match o.raw(ticks)? {
        Value::Nil => TickChoice::Auto,
        Value::Boolean(false) => TickChoice::None,
        Value::Boolean(true) => TickChoice::Auto,
        value => {
            let at = Points::from_script(&value, ticks)?.values;
            let label = |v: &f64| (*v, crate::lua::value::number_text(*v).trim_end_matches(".0").replace('-', "−"));
            TickChoice::At(at.iter().map(label).collect())
        }
    };
    Ok(Axis {
        label: o.get_or(label, String::new())?,
        limits,
        scale: match scale_name {
            Some("log") => Scale::Log,
            Some("time") => Scale::Time,
            _ => Scale::Linear,
        },
        ticks,
    })
}

const CORNERS: [(&str, Corner); 4] = [
    ("upper left", Corner::UpperLeft),
    ("upper right", Corner::UpperRight),
    ("lower left", Corner::LowerLeft),
    ("lower right", Corner::LowerRight),
];

fn corner(name: &str) -> Option<Corner> {
    CORNERS.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
}

fn legend(o: &Options) -> Result<Legend> {
    let names = ["auto", "right", "none", "upper left", "upper right", "lower left", "lower right"];
    if let Value::Boolean(shown) = o.raw("legend")? {
        return Ok(if shown { Legend::Auto } else { Legend::None });
    }
    Ok(match o.choice("legend", &names)? {
        None | Some("auto") => Legend::Auto,
        Some("right") => Legend::Right,
        Some("none") => Legend::None,
        Some(name) => corner(name).map_or(Legend::Auto, Legend::At),
    })
}

fn scale_bar(o: &Options) -> Result<Option<Corner>> {
    if let Value::Boolean(shown) = o.raw("scale_bar")? {
        return Ok(shown.then_some(Corner::LowerLeft));
    }
    Ok(o.choice("scale_bar", &CORNERS.map(|(n, _)| n))?.and_then(corner))
}
