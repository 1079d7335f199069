//! One side of a chart: what it measures, from where to where, and how values are spread over it.

use crate::error::Choice;

/// How values are spread over an axis or a colour bar.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Scale {
    #[default]
    Linear,
    Log,
    /// Seconds since 1970-01-01T00:00:00Z, labelled with dates.
    Time,
    /// Linear from `-linear` to `linear`, logarithmic beyond on both sides.
    SymLog {
        linear: f64,
    },
}

impl Choice for Scale {
    const ALL: &'static [(&'static str, Self)] = &[
        ("linear", Scale::Linear),
        ("log", Scale::Log),
        ("time", Scale::Time),
    ];
}

#[derive(Debug, Clone, PartialEq, Default)]
pub enum TickChoice {
    #[default]
    Auto,
    None,
    At(Vec<(f64, String)>),
}

/// One side of a chart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// Quantity and unit: `Backscatter (dB)`.
    pub label: String,
    /// (start, end); the larger first turns the axis round. None takes the data's.
    pub limits: Option<(f64, f64)>,
    pub scale: Scale,
    pub ticks: TickChoice,
}
