//! What a legend says of a mark.

use super::color::Color;
use super::mark::look::{Dash, Marker};

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
    Arrow {
        color: Color,
        /// Points.
        length: f64,
        width: f64,
        halo: Option<Color>,
    },
    /// A point with its error.
    ErrorBar {
        color: Color,
        width: f64,
        cap: f64,
        marker: Option<(Marker, f64)>,
    },
    Mark {
        color: Color,
        marker: Marker,
        size: f64,
    },
}

impl LegendEntry {
    /// The entry of a mark with this label; none where it is empty.
    pub fn labelled(label: &str, key: Key) -> Vec<LegendEntry> {
        match label.is_empty() {
            true => Vec::new(),
            false => vec![LegendEntry {
                label: label.to_string(),
                key,
            }],
        }
    }
}
