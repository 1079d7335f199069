//! Axes made definite: coordinates in one CRS, limits, colours, legend entries. Nothing is placed on the page yet.

use std::sync::Arc;

use super::axis::Scale;
use super::color::Color;
use super::colormap::Colormap;
use super::figure::{Axes, AxesKind, Figure, Legend};
use super::key::LegendEntry;
use super::mark::{Ink, Mark};
use super::place::Frame;
use super::reach::Extent;
use super::scene::Rect;
use super::span::Span;
use super::stretch::Limits;
use crate::error::{Error, Result};
use crate::raster::{Crs, Grid, Transformer};

pub struct Panel<'a> {
    pub axes: &'a Axes,
    pub marks: Vec<PanelMark>,
    pub x: Span,
    pub y: Span,
    pub crs: Option<Crs>,
    /// Height over width of the panel on the page; None where it is free.
    pub aspect: Option<f64>,
    /// What a colour bar shows.
    pub scale: Option<ColorScale>,
    pub legend: Vec<LegendEntry>,
}

pub struct PanelMark {
    pub mark: Arc<dyn Mark>,
    pub ink: Ink,
}

impl Panel<'_> {
    /// Where its values lie on the page.
    pub fn frame(&self, rect: Rect) -> Frame {
        Frame {
            rect,
            x: self.x,
            y: self.y,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColorScale {
    pub colormap: Colormap,
    pub limits: Limits,
    /// Values lie below or above the limits.
    pub beyond: (bool, bool),
}

/// All panels of a figure.
pub fn panels(figure: &Figure) -> Result<Vec<Panel<'_>>> {
    if figure.rows == 0 || figure.cols == 0 {
        return Err(Error::argument(
            "figure layout",
            "at least 1 × 1 (rows × cols)",
            format!("{} × {}", figure.rows, figure.cols),
        ));
    }
    if figure.axes.is_empty() {
        return Err(Error::message("the figure is empty: add axes first"));
    }
    if figure.axes.len() > figure.rows * figure.cols {
        return Err(Error::argument(
            "number of axes",
            format!("at most rows × cols ({})", figure.rows * figure.cols),
            figure.axes.len(),
        ));
    }
    let shared = match &figure.color_bar {
        Some(_) => shared_scale(figure)?,
        None => None,
    };
    figure
        .axes
        .iter()
        .map(|axes| panel(axes, shared.as_ref()))
        .collect()
}

/// The common limits of all that is shown by colour in a figure, by the stretch and the colour map of the first.
fn shared_scale(figure: &Figure) -> Result<Option<ColorScale>> {
    let valued = || {
        let placed = figure.axes.iter().flat_map(|a| &a.marks);
        placed.filter_map(|p| p.mark.valued())
    };
    let Some(first) = valued().next() else {
        return Ok(None);
    };
    let values = || valued().flat_map(|v| v.values);
    let limits = first.norm.limits(first.stretch, values())?;
    Ok(Some(ColorScale {
        colormap: first.colormap.clone(),
        limits,
        beyond: beyond(values(), limits),
    }))
}

fn beyond<'a>(values: impl Iterator<Item = &'a f32>, limits: Limits) -> (bool, bool) {
    // A rounding error past the end is no reason for an arrow.
    let slack = 1e-6 * (limits.high - limits.low);
    let mut out = (false, false);
    // What has no logarithm shows in no colour.
    let shown = |v: &f64| limits.scale != Scale::Log || *v > 0.0;
    for v in values.map(|v| f64::from(*v)).filter(shown) {
        out.0 |= v < limits.low - slack;
        out.1 |= v > limits.high + slack;
    }
    out
}

fn panel<'a>(axes: &'a Axes, shared: Option<&ColorScale>) -> Result<Panel<'a>> {
    for placed in &axes.marks {
        placed.mark.check()?;
    }
    if axes.marks.len() > 1 && axes.marks.iter().any(|placed| placed.mark.aspect().is_some()) {
        return Err(Error::message(
            "a surface has its panel to itself: give other things another panel",
        ));
    }
    let crs = common_crs(axes)?;
    let grids = || axes.marks.iter().filter_map(|placed| placed.mark.grid());
    // Areas are drawn to a tenth of the finest pixel.
    let pixel = |grid: &Grid| grid.resolution().0.min(grid.resolution().1);
    let tolerance = grids().map(pixel).reduce(f64::min).map(|pixel| 0.1 * pixel);
    let turn = crs.as_ref().and_then(Crs::turn);
    let images = grids().map(Grid::bounds).reduce(|a, b| a.union(&b));
    let mut cycle = 0;
    let mut scale = None;
    let mut marks = Vec::with_capacity(axes.marks.len());
    for placed in &axes.marks {
        let moved = match (&placed.crs, &crs) {
            (Some(from), Some(to)) if from != to => {
                placed.mark.transformed(&Transformer::new(from, to)?, tolerance)?
            }
            _ => None,
        };
        let mark = moved.unwrap_or_else(|| placed.mark.clone());
        // What has no CRS is where it says.
        let turned = match (&placed.crs, &images, turn) {
            (Some(_), Some(images), Some(turn)) => mark.turned(images, turn),
            _ => None,
        };
        let mark = turned.unwrap_or(mark);
        let mut next = || {
            cycle += 1;
            Color::cycle(cycle - 1)
        };
        let colors = mark
            .colors()
            .into_iter()
            .map(|own| own.unwrap_or_else(&mut next))
            .collect();
        let limits = mark.limits(shared.map(|s| s.limits))?;
        if let (Some(valued), Some(&limits)) = (mark.valued(), limits.first()) {
            scale = Some(match shared {
                Some(shared) => shared.clone(),
                None => ColorScale {
                    colormap: valued.colormap.clone(),
                    limits,
                    beyond: beyond(valued.values, limits),
                },
            });
        }
        let ink = Ink { colors, limits };
        marks.push(PanelMark { mark, ink });
    }
    let (x, y) = spans(axes, &marks, crs.as_ref())?;
    let aspect = aspect(axes, crs.as_ref(), &x, &y);
    let legend = match axes.legend {
        Legend::None => Vec::new(),
        _ => marks.iter().flat_map(|m| m.mark.entries(&m.ink)).collect(),
    };
    Ok(Panel {
        axes,
        marks,
        x,
        y,
        crs,
        aspect,
        scale,
        legend,
    })
}

/// The CRS of the images; of a map without any, that of its first mark that has one.
fn common_crs(axes: &Axes) -> Result<Option<Crs>> {
    let mut found: Option<&Crs> = None;
    for grid in axes.marks.iter().filter_map(|p| p.mark.grid()) {
        let Some(crs) = &grid.crs else { continue };
        match found {
            Some(first) if first != crs => {
                return Err(Error::message(format!(
                    "one map cannot show images in {first} and in {crs}; bring one onto the other's grid first: \
                     `b:align(a)`"
                )));
            }
            _ => found = Some(crs),
        }
    }
    Ok(found
        .or_else(|| axes.marks.iter().find_map(|p| p.crs.as_ref()))
        .cloned())
}

/// The data's extent and how far the axes reach beyond it.
fn spans(axes: &Axes, marks: &[PanelMark], crs: Option<&Crs>) -> Result<(Span, Span)> {
    let mut extent = Extent::new(axes.x.scale, axes.y.scale);
    for placed in marks {
        placed.mark.reach(&mut extent);
    }
    let Extent { x, y, from_top } = extent;
    let mut y_span = Span::of(&axes.y, "y", y.extent(), y.pad())?;
    let mut x_span = Span::of(&axes.x, "x", x.extent(), x.pad())?;
    // No map of points and areas goes on beyond the poles and the date line because they do nearly.
    if crs.is_some_and(Crs::is_geographic) && matches!(axes.kind, AxesKind::Map(_)) {
        for (span, axis, data, end) in [
            (&mut x_span, &axes.x, x.extent(), 180.0),
            (&mut y_span, &axes.y, y.extent(), 90.0),
        ] {
            if let (None, Some((low, high))) = (axis.limits, data) {
                if low >= -end {
                    span.start = span.start.max(-end);
                }
                if high <= end {
                    span.end = span.end.min(end);
                }
            }
        }
    }
    if from_top && axes.y.limits.is_none() {
        (y_span.start, y_span.end) = (y_span.end, y_span.start);
    }
    Ok((x_span, y_span))
}

fn aspect(axes: &Axes, crs: Option<&Crs>, x: &Span, y: &Span) -> Option<f64> {
    match axes.kind {
        AxesKind::Map(_) => {}
        AxesKind::Space => return axes.marks.iter().find_map(|placed| placed.mark.aspect()),
        AxesKind::Chart => return None,
    }
    let ((x0, x1), (y0, y1)) = (x.ends(), y.ends());
    let shape = (y1 - y0) / (x1 - x0);
    // A degree of longitude is shorter than one of latitude by the cosine of the latitude.
    let stretch = match crs {
        Some(crs) if crs.is_geographic() => {
            let middle = ((y0 + y1) / 2.0).clamp(-85.0, 85.0);
            1.0 / middle.to_radians().cos()
        }
        _ => 1.0,
    };
    Some((shape * stretch).clamp(0.02, 50.0))
}
