//! Axes made definite: coordinates in one CRS, limits, colours, legend entries. Nothing is placed on the page yet.

use std::borrow::Cow;

use super::color::Color;
use super::colormap::Colormap;
use super::figure::{Axes, AxesKind, Figure, Legend, Scale};
use super::layer::{Dash, Layer, Marker};
use super::span::Span;
use super::stretch::Limits;
use super::turned;
use crate::error::{Error, Result};
use crate::raster::{Bounds, Crs, Grid, Transformer};

pub struct Panel<'a> {
    pub axes: &'a Axes,
    pub layers: Vec<PanelLayer<'a>>,
    pub x: Span,
    pub y: Span,
    pub crs: Option<Crs>,
    /// Height over width of the panel on the page; None where it is free.
    pub aspect: Option<f64>,
    /// What a colour bar shows.
    pub scale: Option<ColorScale>,
    pub legend: Vec<LegendEntry>,
}

pub struct PanelLayer<'a> {
    pub layer: Cow<'a, Layer>,
    /// The layer's colour, its own or that of the cycle.
    pub color: Color,
    /// Limits of an image or of valued points; of the three bands of a composite.
    pub limits: Vec<Limits>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColorScale {
    pub colormap: Colormap,
    pub limits: Limits,
    /// Values lie below or above the limits.
    pub beyond: (bool, bool),
}

/// A line of a legend.
#[derive(Debug, Clone, PartialEq)]
pub struct LegendEntry {
    pub label: String,
    pub key: Key,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    Patch {
        fill: Color,
        outline: Option<Color>,
    },
    Line {
        color: Color,
        width: f64,
        dash: Dash,
        marker: Option<(Marker, f64)>,
        halo: Option<Color>,
    },
    Mark {
        color: Color,
        marker: Marker,
        size: f64,
    },
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

/// The common limits of all images of a figure, by the stretch and the colour map of the first.
fn shared_scale(figure: &Figure) -> Result<Option<ColorScale>> {
    let layers = || figure.axes.iter().flat_map(|a| &a.layers).map(|p| &p.layer);
    let Some((stretch, colormap)) = layers().find_map(|l| match l {
        Layer::Image(l) => Some((l.stretch, l.colormap.clone())),
        Layer::Scatter(l) if l.values.is_some() => Some((l.stretch, l.colormap.clone())),
        _ => None,
    }) else {
        return Ok(None);
    };
    let values = || layers().flat_map(valued);
    let limits = stretch.limits(values())?;
    Ok(Some(ColorScale {
        colormap,
        limits,
        beyond: beyond(values(), limits),
    }))
}

/// The values that a layer shows by colour.
fn valued(layer: &Layer) -> Box<dyn Iterator<Item = &f32> + '_> {
    match layer {
        Layer::Image(l) => Box::new(l.values.iter()),
        Layer::Scatter(l) => Box::new(l.values.iter().flatten()),
        _ => Box::new(std::iter::empty()),
    }
}

fn beyond<'a>(values: impl Iterator<Item = &'a f32>, limits: Limits) -> (bool, bool) {
    // A rounding error past the end is no reason for an arrow.
    let slack = 1e-6 * (limits.high - limits.low);
    let mut out = (false, false);
    for v in values.map(|v| f64::from(*v)) {
        out.0 |= v < limits.low - slack;
        out.1 |= v > limits.high + slack;
    }
    out
}

fn panel<'a>(axes: &'a Axes, shared: Option<&ColorScale>) -> Result<Panel<'a>> {
    for placed in &axes.layers {
        placed.layer.check()?;
    }
    let crs = common_crs(axes)?;
    // Areas are drawn to a tenth of the finest pixel.
    let pixel = |grid: &Grid| grid.resolution().0.min(grid.resolution().1);
    let pixels = axes
        .layers
        .iter()
        .filter_map(|placed| placed.layer.grid())
        .map(pixel);
    let tolerance = pixels.reduce(f64::min).map(|pixel| 0.1 * pixel);
    let turn = crs.as_ref().and_then(Crs::turn);
    let grids = axes.layers.iter().filter_map(|placed| placed.layer.grid());
    let images = grids.map(Grid::bounds).reduce(|a, b| a.union(&b));
    let mut cycle = 0;
    let mut scale = None;
    let mut layers = Vec::with_capacity(axes.layers.len());
    for placed in &axes.layers {
        let layer = match (&placed.crs, &crs) {
            (Some(from), Some(to)) if from != to => Cow::Owned(
                placed
                    .layer
                    .transformed(&Transformer::new(from, to)?, tolerance)?,
            ),
            _ => Cow::Borrowed(&placed.layer),
        };
        // What has no CRS is where it says.
        let layer = match (&placed.crs, &images, turn) {
            (Some(_), Some(images), Some(turn)) => turned::onto(layer, images, turn),
            _ => layer,
        };
        let color = match layer.own_color() {
            Some(Some(own)) => own,
            Some(None) => {
                cycle += 1;
                Color::cycle(cycle - 1)
            }
            None => Color::BLACK,
        };
        let mut limits = Vec::new();
        match layer.as_ref() {
            Layer::Image(l) => limits.push(shared.map_or_else(|| l.limits(), |s| Ok(s.limits))?),
            Layer::Scatter(l) => {
                if let Some(values) = &l.values {
                    limits.push(shared.map_or_else(|| l.stretch.limits(values), |s| Ok(s.limits))?);
                }
            }
            Layer::Rgb(l) if l.common => {
                let one = l.stretch.limits(l.bands.iter().flatten())?;
                limits = vec![one; 3];
            }
            Layer::Rgb(l) => {
                for band in &l.bands {
                    limits.push(l.stretch.limits(band)?);
                }
            }
            _ => {}
        }
        if let (Layer::Image(_) | Layer::Scatter(_), Some(&limits)) = (layer.as_ref(), limits.first()) {
            scale = Some(match shared {
                Some(shared) => shared.clone(),
                None => ColorScale {
                    colormap: match layer.as_ref() {
                        Layer::Scatter(l) => l.colormap.clone(),
                        Layer::Image(l) => l.colormap.clone(),
                        _ => Colormap::default(),
                    },
                    limits,
                    beyond: beyond(valued(&layer), limits),
                },
            });
        }
        layers.push(PanelLayer { layer, color, limits });
    }
    let (x, y) = spans(axes, &layers)?;
    let aspect = aspect(axes, crs.as_ref(), &x, &y);
    let legend = if axes.legend == Legend::None {
        Vec::new()
    } else {
        entries(&layers)
    };
    Ok(Panel {
        axes,
        layers,
        x,
        y,
        crs,
        aspect,
        scale,
        legend,
    })
}

/// The CRS of the images; of a map without any, that of its first layer that has one.
fn common_crs(axes: &Axes) -> Result<Option<Crs>> {
    let mut found: Option<&Crs> = None;
    for grid in axes.layers.iter().filter_map(|p| p.layer.grid()) {
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
        .or_else(|| axes.layers.iter().find_map(|p| p.crs.as_ref()))
        .cloned())
}

/// The data's extent and how far the axes reach beyond it.
fn spans(axes: &Axes, layers: &[PanelLayer]) -> Result<(Span, Span)> {
    let mut x = Reach::new(axes.x.scale);
    let mut y = Reach::new(axes.y.scale);
    let mut from_top = false;
    for PanelLayer { layer, .. } in layers {
        let layer = layer.as_ref();
        if let Some((rows, cols)) = layer.image_shape() {
            let bounds = match layer.grid() {
                Some(grid) => {
                    from_top |= grid.transform.dy > 0.0 && grid.crs.is_none();
                    grid.bounds()
                }
                None => {
                    from_top = true;
                    Bounds {
                        min_x: 0.0,
                        min_y: 0.0,
                        max_x: cols as f64,
                        max_y: rows as f64,
                    }
                }
            };
            x.solid(bounds.min_x, bounds.max_x);
            y.solid(bounds.min_y, bounds.max_y);
            continue;
        }
        match layer {
            Layer::Line(l) => {
                x.points(&l.x);
                y.points(&l.y);
            }
            Layer::Scatter(l) => {
                x.points(&l.x);
                y.points(&l.y);
            }
            Layer::Note(l) => {
                x.points(&[l.x]);
                y.points(&[l.y]);
            }
            Layer::ErrorBars(l) => {
                x.with_errors(&l.x, l.x_error.as_ref());
                y.with_errors(&l.y, l.y_error.as_ref());
            }
            Layer::Band(l) => {
                x.points(&l.x);
                y.points(&l.low);
                y.points(&l.high);
            }
            Layer::Histogram(l) => {
                x.points(&l.edges);
                if axes.y.scale != Scale::Log {
                    y.floor(0.0);
                }
                y.points(&l.counts);
            }
            Layer::Polygons(l) => {
                for ring in l.polygons.iter().flatten() {
                    let (xs, ys): (Vec<f64>, Vec<f64>) = ring.iter().copied().unzip();
                    x.points(&xs);
                    y.points(&ys);
                }
            }
            Layer::Guide(l) if l.vertical => x.points(&[l.at]),
            Layer::Guide(l) => y.points(&[l.at]),
            Layer::Image(_) | Layer::Rgb(_) | Layer::Classes(_) => {}
        }
    }
    let mut y_span = Span::of(&axes.y, "y", y.extent(), y.pad())?;
    if from_top && axes.y.limits.is_none() {
        (y_span.start, y_span.end) = (y_span.end, y_span.start);
    }
    Ok((Span::of(&axes.x, "x", x.extent(), x.pad())?, y_span))
}

/// What the data of an axis covers. Images fill their panel to its edges, and alone decide on a map's extent.
struct Reach {
    log: bool,
    solid: Option<(f64, f64)>,
    points: Option<(f64, f64)>,
    floor: Option<f64>,
}

impl Reach {
    fn new(scale: Scale) -> Reach {
        Reach {
            log: scale == Scale::Log,
            solid: None,
            points: None,
            floor: None,
        }
    }

    fn solid(&mut self, low: f64, high: f64) {
        let (a, b) = self.solid.unwrap_or((low, high));
        self.solid = Some((a.min(low), b.max(high)));
    }

    fn points(&mut self, values: &[f64]) {
        for v in values
            .iter()
            .filter(|v| v.is_finite() && (!self.log || **v > 0.0))
        {
            let (a, b) = self.points.unwrap_or((*v, *v));
            self.points = Some((a.min(*v), b.max(*v)));
        }
    }

    fn with_errors(&mut self, values: &[f64], errors: Option<&(Vec<f64>, Vec<f64>)>) {
        self.points(values);
        if let Some((below, above)) = errors {
            let ends = |errors: &[f64], sign: f64| -> Vec<f64> {
                values.iter().zip(errors).map(|(v, e)| v + sign * e).collect()
            };
            self.points(&ends(below, -1.0));
            self.points(&ends(above, 1.0));
        }
    }

    fn floor(&mut self, at: f64) {
        self.floor = Some(at);
        self.points(&[at]);
    }

    fn extent(&self) -> Option<(f64, f64)> {
        self.solid.or(self.points)
    }

    fn pad(&self) -> (f64, f64) {
        match (self.solid, self.floor, self.points) {
            (Some(_), ..) => (0.0, 0.0),
            (None, Some(floor), Some((low, _))) if low >= floor => (0.0, 0.05),
            _ => (0.04, 0.04),
        }
    }
}

fn aspect(axes: &Axes, crs: Option<&Crs>, x: &Span, y: &Span) -> Option<f64> {
    if !matches!(axes.kind, AxesKind::Map(_)) {
        return None;
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

fn entries(layers: &[PanelLayer]) -> Vec<LegendEntry> {
    let mut out = Vec::new();
    for PanelLayer { layer, color, .. } in layers {
        if let Layer::Classes(l) = layer.as_ref() {
            out.extend(l.classes.iter().map(|c| LegendEntry {
                label: c.name.clone(),
                key: Key::Patch {
                    fill: c.color,
                    outline: Some(Color::grey(90)),
                },
            }));
        }
        if layer.label().is_empty() {
            continue;
        }
        let key = match layer.as_ref() {
            Layer::Line(l) => Key::Line {
                color: *color,
                width: l.width,
                dash: l.dash,
                marker: l.marker.map(|m| (m, l.marker_size)),
                halo: None,
            },
            Layer::ErrorBars(l) => Key::Line {
                color: *color,
                width: l.width,
                dash: Dash::Solid,
                marker: l.marker.map(|m| (m, l.marker_size)),
                halo: None,
            },
            Layer::Scatter(l) => Key::Mark {
                color: match &l.values {
                    Some(_) => l.colormap.color(0.5),
                    None => color.with_opacity(l.opacity),
                },
                marker: l.marker,
                size: l.size,
            },
            Layer::Band(l) => Key::Patch {
                fill: color.with_opacity(l.opacity),
                outline: None,
            },
            Layer::Histogram(l) if l.filled => Key::Patch {
                fill: color.with_opacity(l.opacity),
                outline: None,
            },
            Layer::Histogram(_) => Key::Patch {
                fill: Color::TRANSPARENT,
                outline: Some(*color),
            },
            Layer::Polygons(l) if l.open || l.fill.a == 0 => Key::Line {
                color: l.color.unwrap_or(Color::BLACK),
                width: l.width,
                dash: l.dash,
                marker: None,
                halo: l.halo,
            },
            Layer::Polygons(l) => Key::Patch {
                fill: l.fill,
                outline: Some(l.color.unwrap_or(Color::BLACK)),
            },
            Layer::Guide(l) => Key::Line {
                color: l.color,
                width: l.width,
                dash: l.dash,
                marker: None,
                halo: None,
            },
            _ => continue,
        };
        out.push(LegendEntry {
            label: layer.label().to_string(),
            key,
        });
    }
    out
}
