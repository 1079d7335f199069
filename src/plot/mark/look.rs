//! How lines and points look.

use crate::error::{Choice, Domain};

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
    pub fn pattern(self, width: f64) -> Vec<f64> {
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
    pub fn is_open(self) -> bool {
        matches!(self, Marker::Plus | Marker::Cross)
    }
}

/// Widths of lines; 0 draws none.
pub const LINE_WIDTHS: Domain = Domain::at_least(0.0).in_unit("points");

/// Diameters of marks.
pub const MARKER_SIZES: Domain = Domain::above(0.0).in_unit("points");

/// From invisible to opaque.
pub const OPACITIES: Domain = Domain::within(0.0, 1.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_markers_and_dashes() {
        assert_eq!(Marker::named("^"), Some(Marker::Triangle));
        assert_eq!(Marker::Triangle.name(), "triangle");
        assert_eq!(Dash::named("--"), Some(Dash::Dashed));
        assert_eq!(Dash::Dashed.name(), "dashed");
        assert_eq!(Dash::named("wavy"), None);
    }
}
