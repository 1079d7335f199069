//! What axes can show. Coordinates are those of the axes (map coordinates on maps); NaN leaves a gap everywhere.

use ndarray::Array2;

use super::color::Color;
use super::colormap::Colormap;
use super::scene::{Anchor, Level};
use super::stretch::{Limits, Stretch};
use crate::error::{Error, Result};
use crate::raster::{Bounds, Grid, Transformer};

#[derive(Debug, Clone)]
pub enum Layer {
    Image(Image),
    Rgb(Rgb),
    Classes(Classes),
    Line(Line),
    Scatter(Scatter),
    ErrorBars(ErrorBars),
    Band(Band),
    Histogram(Histogram),
    Polygons(Polygons),
    Note(Note),
    Guide(Guide),
}

/// Values in a colour map; masked pixels (NaN) are transparent.
#[derive(Debug, Clone)]
pub struct Image {
    /// (rows, cols)
    pub values: Array2<f32>,
    /// Where the pixels lie; None puts pixel (row, col) at x = col to col + 1, y = row to row + 1, y downwards.
    pub grid: Option<Grid>,
    pub colormap: Colormap,
    pub stretch: Stretch,
    pub opacity: f64,
}

impl Image {
    pub fn new(values: Array2<f32>, grid: Option<Grid>) -> Image {
        Image {
            values,
            grid,
            colormap: Colormap::default(),
            stretch: Stretch::default(),
            opacity: 1.0,
        }
    }

    pub fn limits(&self) -> Result<Limits> {
        self.stretch.limits(&self.values)
    }
}

/// Red, green and blue from three bands on one grid; a pixel masked in one is transparent.
#[derive(Debug, Clone)]
pub struct Rgb {
    pub bands: [Array2<f32>; 3],
    pub grid: Option<Grid>,
    pub stretch: Stretch,
    /// One pair of limits for all three bands (keeps colours true) instead of one each (uses the whole range).
    pub common: bool,
    /// Brightness is position^(1 / gamma).
    pub gamma: f64,
}

impl Rgb {
    /// Each band from its 2nd to its 98th percentile.
    pub fn new(bands: [Array2<f32>; 3], grid: Option<Grid>) -> Rgb {
        Rgb {
            bands,
            grid,
            stretch: Stretch::Percentiles(2.0, 98.0),
            common: false,
            gamma: 1.0,
        }
    }
}

/// One value of a classified image.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    pub value: i64,
    pub name: String,
    pub color: Color,
}

/// Whole-numbered classes, each with its colour; pixels of no listed class are transparent.
#[derive(Debug, Clone)]
pub struct Classes {
    pub values: Array2<f32>,
    pub grid: Option<Grid>,
    pub classes: Vec<Class>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dash {
    #[default]
    Solid,
    Dashed,
    Dotted,
    DashDot,
}

impl Dash {
    /// `-` or `solid`, `--` or `dashed`, `:` or `dotted`, `-.` or `dashdot`.
    pub fn parse(text: &str) -> Result<Dash> {
        match text {
            "-" | "solid" => Ok(Dash::Solid),
            "--" | "dashed" => Ok(Dash::Dashed),
            ":" | "dotted" => Ok(Dash::Dotted),
            "-." | "dashdot" => Ok(Dash::DashDot),
            other => Err(Error::argument(
                "line style",
                "`solid`, `dashed`, `dotted` or `dashdot`",
                format!("`{other}`"),
            )),
        }
    }

    /// Lengths of dashes and gaps for a line of this width.
    pub(super) fn pattern(self, width: f64) -> Vec<f64> {
        let relative: &[f64] = match self {
            Dash::Solid => &[],
            Dash::Dashed => &[3.7, 1.6],
            Dash::Dotted => &[1.0, 1.65],
            Dash::DashDot => &[6.4, 1.6, 1.0, 1.6],
        };
        relative.iter().map(|r| r * width).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Marker {
    #[default]
    Circle,
    Square,
    Triangle,
    Diamond,
    Plus,
    Cross,
}

impl Marker {
    const NAMES: [(&'static str, &'static str, Marker); 6] = [
        ("o", "circle", Marker::Circle),
        ("s", "square", Marker::Square),
        ("^", "triangle", Marker::Triangle),
        ("D", "diamond", Marker::Diamond),
        ("+", "plus", Marker::Plus),
        ("x", "cross", Marker::Cross),
    ];

    /// By name (`circle`, `square`, `triangle`, `diamond`, `plus`, `cross`) or matplotlib's sign (`o s ^ D + x`).
    pub fn parse(text: &str) -> Result<Marker> {
        Self::NAMES
            .iter()
            .find(|(sign, name, _)| *sign == text || *name == text)
            .map(|(.., marker)| *marker)
            .ok_or_else(|| Error::not_found("marker", text, Self::NAMES.map(|(_, name, _)| name)))
    }

    /// True for marks made of strokes, which have no inside to fill.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Marker::Plus | Marker::Cross)
    }
}

/// A line through points in their order.
#[derive(Debug, Clone)]
pub struct Line {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// Name in the legend; empty for none.
    pub label: String,
    /// None takes the next colour of the cycle.
    pub color: Option<Color>,
    /// Points; 0 draws the markers only.
    pub width: f64,
    pub dash: Dash,
    pub marker: Option<Marker>,
    /// Diameter in points.
    pub marker_size: f64,
}

impl Line {
    pub fn new(x: Vec<f64>, y: Vec<f64>) -> Line {
        Line {
            x,
            y,
            label: String::new(),
            color: None,
            width: 1.4,
            dash: Dash::Solid,
            marker: None,
            marker_size: 5.0,
        }
    }
}

/// Points, in one colour or by value in a colour map.
#[derive(Debug, Clone)]
pub struct Scatter {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// One value a point, shown in the colour map; points whose value is NaN are left out.
    pub values: Option<Vec<f32>>,
    pub colormap: Colormap,
    pub stretch: Stretch,
    pub label: String,
    pub color: Option<Color>,
    pub marker: Marker,
    /// Diameter in points.
    pub size: f64,
    pub opacity: f64,
    /// Colour of a thin line around each mark, for legibility on images.
    pub outline: Option<Color>,
}

impl Scatter {
    pub fn new(x: Vec<f64>, y: Vec<f64>) -> Scatter {
        Scatter {
            x,
            y,
            values: None,
            colormap: Colormap::default(),
            stretch: Stretch::default(),
            label: String::new(),
            color: None,
            marker: Marker::Circle,
            size: 5.0,
            opacity: 1.0,
            outline: None,
        }
    }
}

/// Points with the reach of their error, `(below, above)`, both as positive lengths.
#[derive(Debug, Clone)]
pub struct ErrorBars {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub x_error: Option<(Vec<f64>, Vec<f64>)>,
    pub y_error: Option<(Vec<f64>, Vec<f64>)>,
    pub label: String,
    pub color: Option<Color>,
    pub marker: Option<Marker>,
    pub marker_size: f64,
    pub width: f64,
    /// Width of the bar's ends in points; 0 for none.
    pub cap: f64,
}

impl ErrorBars {
    /// Symmetric errors in y.
    pub fn new(x: Vec<f64>, y: Vec<f64>, error: Vec<f64>) -> ErrorBars {
        ErrorBars {
            x,
            y,
            x_error: None,
            y_error: Some((error.clone(), error)),
            label: String::new(),
            color: None,
            marker: Some(Marker::Circle),
            marker_size: 4.5,
            width: 1.0,
            cap: 5.0,
        }
    }
}

/// The area between two curves.
#[derive(Debug, Clone)]
pub struct Band {
    pub x: Vec<f64>,
    pub low: Vec<f64>,
    pub high: Vec<f64>,
    pub label: String,
    pub color: Option<Color>,
    pub opacity: f64,
}

/// Bars over bins.
#[derive(Debug, Clone)]
pub struct Histogram {
    /// One more than `counts`, ascending.
    pub edges: Vec<f64>,
    pub counts: Vec<f64>,
    pub label: String,
    pub color: Option<Color>,
    /// Filled bars; otherwise their outline only.
    pub filled: bool,
    pub opacity: f64,
}

impl Histogram {
    pub fn new(edges: Vec<f64>, counts: Vec<f64>) -> Histogram {
        Histogram {
            edges,
            counts,
            label: String::new(),
            color: None,
            filled: true,
            opacity: 1.0,
        }
    }

    /// Counts finite values in `bins` equal bins over `range` (default: smallest to largest). A bin holds its lower
    /// edge, the last one its upper edge too; values outside are not counted.
    ///
    /// # Errors
    /// No bins; a range that is not ascending.
    pub fn of(
        values: impl IntoIterator<Item = f32> + Clone,
        bins: usize,
        range: Option<(f64, f64)>,
    ) -> Result<Histogram> {
        if bins == 0 {
            return Err(Error::argument("bins", "at least 1", bins));
        }
        let (low, high) = match range {
            Some(range) => range,
            None => {
                let all: Vec<f32> = values.clone().into_iter().collect();
                let limits = Stretch::MinMax.limits(&all)?;
                (limits.low, limits.high)
            }
        };
        if !(low < high && low.is_finite() && high.is_finite()) {
            return Err(Error::argument(
                "range",
                "two finite numbers, the lower first",
                format!("{low} and {high}"),
            ));
        }
        let mut counts = vec![0.0; bins];
        for v in values {
            let v = f64::from(v);
            if v >= low && v <= high {
                let bin = ((v - low) / (high - low) * bins as f64) as usize;
                counts[bin.min(bins - 1)] += 1.0;
            }
        }
        let edges = (0..=bins)
            .map(|i| low + (high - low) * i as f64 / bins as f64)
            .collect();
        Ok(Histogram::new(edges, counts))
    }

    /// Counts as probability density: the bars' area is 1.
    pub fn density(mut self) -> Histogram {
        let total: f64 = self.counts.iter().sum();
        if total > 0.0 {
            for (count, edge) in self.counts.iter_mut().zip(self.edges.windows(2)) {
                *count /= total * (edge[1] - edge[0]);
            }
        }
        self
    }
}

/// Footprints, coastlines, areas: each polygon is a list of rings, the first its shell and the others holes.
#[derive(Debug, Clone)]
pub struct Polygons {
    pub polygons: Vec<Vec<Vec<(f64, f64)>>>,
    /// Rings that are lines: not closed, not filled.
    pub open: bool,
    pub label: String,
    /// Outline; None takes black.
    pub color: Option<Color>,
    pub fill: Color,
    /// Points.
    pub width: f64,
    pub dash: Dash,
}

impl Polygons {
    pub fn new(polygons: Vec<Vec<Vec<(f64, f64)>>>) -> Polygons {
        Polygons {
            polygons,
            open: false,
            label: String::new(),
            color: None,
            fill: Color::TRANSPARENT,
            width: 1.0,
            dash: Dash::Solid,
        }
    }

    /// A rectangle; its edges have inner points, so that they bend rightly in another CRS.
    pub fn rectangle(bounds: Bounds) -> Polygons {
        const PARTS: usize = 16;
        let b = bounds;
        let corners = [
            (b.min_x, b.min_y),
            (b.max_x, b.min_y),
            (b.max_x, b.max_y),
            (b.min_x, b.max_y),
        ];
        let ring = (0..4)
            .flat_map(|i| {
                let ((x0, y0), (x1, y1)) = (corners[i], corners[(i + 1) % 4]);
                (0..PARTS).map(move |k| {
                    let t = k as f64 / PARTS as f64;
                    (x0 + (x1 - x0) * t, y0 + (y1 - y0) * t)
                })
            })
            .collect();
        Polygons::new(vec![vec![ring]])
    }
}

/// Text at a point.
#[derive(Debug, Clone)]
pub struct Note {
    pub x: f64,
    pub y: f64,
    pub text: String,
    pub color: Color,
    /// Font size in points; None for the figure's.
    pub size: Option<f64>,
    pub anchor: Anchor,
    pub level: Level,
    pub rotation: f64,
    /// Outline of the letters, for legibility on images.
    pub halo: Option<Color>,
}

impl Note {
    pub fn new(x: f64, y: f64, text: impl Into<String>) -> Note {
        Note {
            x,
            y,
            text: text.into(),
            color: Color::BLACK,
            size: None,
            anchor: Anchor::Start,
            level: Level::Baseline,
            rotation: 0.0,
            halo: None,
        }
    }
}

/// A straight line across the whole panel: a threshold, a date.
#[derive(Debug, Clone)]
pub struct Guide {
    pub at: f64,
    /// At an x (true) or a y.
    pub vertical: bool,
    pub label: String,
    pub color: Color,
    pub width: f64,
    pub dash: Dash,
}

impl Guide {
    pub fn new(at: f64, vertical: bool) -> Guide {
        Guide {
            at,
            vertical,
            label: String::new(),
            color: Color::grey(60),
            width: 1.0,
            dash: Dash::Dashed,
        }
    }
}

impl Layer {
    pub(super) fn grid(&self) -> Option<&Grid> {
        match self {
            Layer::Image(l) => l.grid.as_ref(),
            Layer::Rgb(l) => l.grid.as_ref(),
            Layer::Classes(l) => l.grid.as_ref(),
            _ => None,
        }
    }

    /// (rows, cols) of an image layer.
    pub(super) fn image_shape(&self) -> Option<(usize, usize)> {
        match self {
            Layer::Image(l) => Some(l.values.dim()),
            Layer::Rgb(l) => Some(l.bands[0].dim()),
            Layer::Classes(l) => Some(l.values.dim()),
            _ => None,
        }
    }

    pub(super) fn label(&self) -> &str {
        match self {
            Layer::Line(l) => &l.label,
            Layer::Scatter(l) => &l.label,
            Layer::ErrorBars(l) => &l.label,
            Layer::Band(l) => &l.label,
            Layer::Histogram(l) => &l.label,
            Layer::Polygons(l) => &l.label,
            Layer::Guide(l) => &l.label,
            Layer::Image(_) | Layer::Rgb(_) | Layer::Classes(_) | Layer::Note(_) => "",
        }
    }

    /// Whether it takes a colour of the cycle when it has none of its own.
    pub(super) fn own_color(&self) -> Option<Option<Color>> {
        match self {
            Layer::Line(l) => Some(l.color),
            Layer::Scatter(l) if l.values.is_none() => Some(l.color),
            Layer::ErrorBars(l) => Some(l.color),
            Layer::Band(l) => Some(l.color),
            Layer::Histogram(l) => Some(l.color),
            _ => None,
        }
    }

    /// Arrays that must be equally long are.
    pub(super) fn check(&self) -> Result<()> {
        let same = |what: &str, a: usize, b: usize| {
            if a == b {
                return Ok(());
            }
            Err(Error::argument(what, format!("as long as x ({a})"), b))
        };
        match self {
            Layer::Line(l) => same("y", l.x.len(), l.y.len()),
            Layer::Scatter(l) => {
                same("y", l.x.len(), l.y.len())?;
                same("values", l.x.len(), l.values.as_ref().map_or(l.x.len(), Vec::len))
            }
            Layer::ErrorBars(l) => {
                same("y", l.x.len(), l.y.len())?;
                for (below, above) in l.x_error.iter().chain(&l.y_error) {
                    same("error", l.x.len(), below.len())?;
                    same("error", l.x.len(), above.len())?;
                }
                Ok(())
            }
            Layer::Band(l) => {
                same("low", l.x.len(), l.low.len())?;
                same("high", l.x.len(), l.high.len())
            }
            Layer::Histogram(l) if l.edges.len() != l.counts.len() + 1 => Err(Error::argument(
                "edges",
                format!("one more than counts ({})", l.counts.len() + 1),
                l.edges.len(),
            )),
            Layer::Rgb(l) if l.bands.iter().any(|b| b.dim() != l.bands[0].dim()) => Err(Error::argument(
                "bands",
                "three of the same size",
                format!("{:?}", l.bands.each_ref().map(|b| b.dim())),
            )),
            Layer::Image(_) | Layer::Rgb(_) | Layer::Classes(_) => match (self.image_shape(), self.grid()) {
                (Some(shape), Some(grid)) if shape != (grid.rows, grid.cols) => Err(Error::argument(
                    "image",
                    format!("of its grid's size ({} × {}, rows × cols)", grid.rows, grid.cols),
                    format!("{} × {}", shape.0, shape.1),
                )),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The layer with its coordinates moved to another CRS. Images stay as they are: they are never resampled here.
    pub(super) fn transformed(&self, transformer: &Transformer) -> Layer {
        let mut out = self.clone();
        match &mut out {
            Layer::Line(Line { x, y, .. })
            | Layer::Scatter(Scatter { x, y, .. })
            | Layer::ErrorBars(ErrorBars { x, y, .. }) => transformer.apply(x, y),
            Layer::Polygons(l) => {
                for ring in l.polygons.iter_mut().flatten() {
                    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = ring.iter().copied().unzip();
                    transformer.apply(&mut xs, &mut ys);
                    *ring = xs.into_iter().zip(ys).collect();
                }
            }
            Layer::Note(l) => {
                let (mut x, mut y) = ([l.x], [l.y]);
                transformer.apply(&mut x, &mut y);
                (l.x, l.y) = (x[0], y[0]);
            }
            _ => {}
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_their_lower_edge_and_the_last_its_upper() {
        // numpy.histogram([0, 1, 1.5, 2, 3, 4], bins=4)
        let h = Histogram::of([0.0, 1.0, 1.5, 2.0, 3.0, 4.0, f32::NAN], 4, None).unwrap();
        assert_eq!(h.counts, [1.0, 2.0, 1.0, 2.0]);
        assert_eq!(h.edges, [0.0, 1.0, 2.0, 3.0, 4.0]);
        let h = Histogram::of([-1.0, 0.0, 0.6, 5.0], 2, Some((0.0, 1.0))).unwrap();
        assert_eq!(h.counts, [1.0, 1.0]);
        assert!(Histogram::of([1.0], 0, None).is_err());
        assert!(Histogram::of([1.0], 3, Some((1.0, 1.0))).is_err());
    }

    #[test]
    fn density_has_area_one() {
        let h = Histogram::of((0..100).map(|i| (i * i) as f32), 7, None)
            .unwrap()
            .density();
        let area: f64 = h
            .counts
            .iter()
            .zip(h.edges.windows(2))
            .map(|(c, e)| c * (e[1] - e[0]))
            .sum();
        assert!((area - 1.0).abs() < 1e-12);
    }

    #[test]
    fn lengths_must_agree() {
        let line = Layer::Line(Line::new(vec![1.0, 2.0], vec![1.0]));
        assert_eq!(
            line.check().unwrap_err().to_string(),
            "y must be as long as x (2), got 1"
        );
        let grid = Grid::new(None, crate::raster::Affine::north_up(0.0, 0.0, 1.0, 1.0), 2, 3).unwrap();
        let image = Layer::Image(Image::new(Array2::zeros((3, 2)), Some(grid)));
        assert_eq!(
            image.check().unwrap_err().to_string(),
            "image must be of its grid's size (2 × 3, rows × cols), got 3 × 2"
        );
    }

    #[test]
    fn names_of_markers_and_dashes() {
        assert_eq!(Marker::parse("^").unwrap(), Marker::Triangle);
        assert_eq!(
            Marker::parse("squares").unwrap_err().to_string(),
            "no marker `squares`; did you mean `square`?"
        );
        assert_eq!(Dash::parse("--").unwrap(), Dash::Dashed);
        assert!(Dash::parse("wavy").is_err());
    }
}
