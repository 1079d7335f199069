//! Sizes that belong together, all derived from the font size. Points.

use super::color::Color;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    pub label: f64,
    pub tick: f64,
    pub title: f64,
    pub page_title: f64,
}

impl Style {
    pub fn new(font_size: f64) -> Style {
        Style {
            label: font_size,
            tick: font_size * 0.9,
            title: font_size * 1.1,
            page_title: font_size * 1.25,
        }
    }

    pub fn tick_length(&self) -> f64 {
        self.tick * 0.42
    }

    pub fn tick_pad(&self) -> f64 {
        self.tick * 0.4
    }

    pub fn label_pad(&self) -> f64 {
        self.label * 0.55
    }

    pub fn title_pad(&self) -> f64 {
        self.title * 0.6
    }

    /// Line width of frames and ticks.
    pub fn line(&self) -> f64 {
        self.tick * 0.085
    }

    pub fn bar_width(&self) -> f64 {
        self.tick * 1.25
    }

    pub fn bar_gap(&self) -> f64 {
        self.tick * 0.95
    }

    /// Free space between a panel's labels and its neighbour or the page's edge.
    pub fn margin(&self) -> f64 {
        self.label * 0.7
    }
}

/// How much wider than a line its halo is, in points.
pub const HALO: f64 = 1.2;

pub const FRAME: Color = Color::grey(30);
pub const CHART_GRID: Color = Color::grey(222);
