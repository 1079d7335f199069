//! Layers of points and bars.

use crate::error::{Choice, Domain, Error, Result};
use crate::plot::color::Color;
use crate::plot::colormap::Colormap;
use crate::plot::stretch::Stretch;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dash {
    #[default]
    Solid,
    Dashed,
    Dotted,
    DashDot,
}

/// By name, or by matplotlib's sign.
impl Choice for Dash {
    const ALL: &'static [(&'static str, Self)] = &[
        ("solid", Dash::Solid),
        ("dashed", Dash::Dashed),
        ("dotted", Dash::Dotted),
        ("dashdot", Dash::DashDot),
        ("-", Dash::Solid),
        ("--", Dash::Dashed),
        (":", Dash::Dotted),
        ("-.", Dash::DashDot),
    ];
}

impl Dash {
    /// Lengths of dashes and gaps for a line of this width.
    pub(in crate::plot) fn pattern(self, width: f64) -> Vec<f64> {
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

/// By name, or by matplotlib's sign.
impl Choice for Marker {
    const ALL: &'static [(&'static str, Self)] = &[
        ("circle", Marker::Circle),
        ("square", Marker::Square),
        ("triangle", Marker::Triangle),
        ("diamond", Marker::Diamond),
        ("plus", Marker::Plus),
        ("cross", Marker::Cross),
        ("o", Marker::Circle),
        ("s", Marker::Square),
        ("^", Marker::Triangle),
        ("D", Marker::Diamond),
        ("+", Marker::Plus),
        ("x", Marker::Cross),
    ];
}

impl Marker {
    /// True for marks made of strokes, which have no inside to fill.
    pub(in crate::plot) fn is_open(self) -> bool {
        matches!(self, Marker::Plus | Marker::Cross)
    }
}

/// Widths of lines; 0 draws none.
pub const LINE_WIDTHS: Domain = Domain::at_least(0.0).in_unit("points");

/// Diameters of marks.
pub const MARKER_SIZES: Domain = Domain::above(0.0).in_unit("points");

/// From invisible to opaque.
pub const OPACITIES: Domain = Domain::within(0.0, 1.0);

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
    pub const WIDTH: f64 = 1.4;

    pub fn new(x: Vec<f64>, y: Vec<f64>) -> Line {
        Line {
            x,
            y,
            label: String::new(),
            color: None,
            width: Line::WIDTH,
            dash: Dash::Solid,
            marker: None,
            marker_size: Scatter::MARKER_SIZE,
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
    pub const MARKER_SIZE: f64 = 5.0;

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
            size: Scatter::MARKER_SIZE,
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
    pub const MARKER_SIZE: f64 = 4.5;

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
            marker_size: ErrorBars::MARKER_SIZE,
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
    pub const BINS: Domain = Domain::at_least(1.0);

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
        Histogram::BINS.check_count("bins", bins)?;
        // A count, an edge and a bar to draw.
        crate::bounds::fits(
            format!("a histogram of {bins} bins"),
            bins,
            64,
            "ask for fewer bins",
        )?;
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
    fn names_of_markers_and_dashes() {
        assert_eq!(Marker::named("^"), Some(Marker::Triangle));
        assert_eq!(Marker::Triangle.name(), "triangle");
        assert_eq!(Dash::named("--"), Some(Dash::Dashed));
        assert_eq!(Dash::Dashed.name(), "dashed");
        assert_eq!(Dash::named("wavy"), None);
    }
}
