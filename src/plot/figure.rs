//! The model of a figure: a page of axes, each with its marks. Everything is a public field with a sound default;
//! nothing is measured or drawn before the figure is rendered.

use std::sync::Arc;

use super::axis::Axis;
use super::color::Color;
use super::mark::Mark;
use crate::error::{Choice, Domain};
use crate::raster::Crs;

/// A page of one or more axes.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Inches; None takes what the content needs, up to 6.4.
    pub width: Option<f64>,
    /// Inches; None takes what the content needs.
    pub height: Option<f64>,
    /// Pixels an inch of pictures, and of images inside SVG.
    pub dpi: f64,
    /// Points; titles and tick labels follow it.
    pub font_size: f64,
    pub title: String,
    pub rows: usize,
    pub cols: usize,
    /// Row by row; fewer than `rows × cols` leave cells empty.
    pub axes: Vec<Axes>,
    /// One colour bar for all panels, whose images then share their limits and colour map.
    pub color_bar: Option<ColorBar>,
    /// Axis labels and tick labels only at the outer panels, where all panels have the same limits.
    pub share_axes: bool,
    /// Panels are lettered (a), (b), (c)…
    pub letters: bool,
    pub background: Color,
}

impl Figure {
    pub const DPI: f64 = 150.0;
    pub const FONT_SIZE: f64 = 9.0;

    /// Of width and height.
    pub const SIZES: Domain = Domain::above(0.0).in_unit("inches");
    pub const DPIS: Domain = Domain::within(1.0, 4800.0);
    pub const FONT_SIZES: Domain = Domain::within(1.0, 400.0).in_unit("points");
    /// Panels in a row or a column.
    pub const PANELS: Domain = Domain::at_least(1.0);

    /// An empty page for rows × cols panels.
    pub fn new(rows: usize, cols: usize) -> Figure {
        Figure {
            width: None,
            height: None,
            dpi: Figure::DPI,
            font_size: Figure::FONT_SIZE,
            title: String::new(),
            rows,
            cols,
            axes: Vec::new(),
            color_bar: None,
            share_axes: true,
            letters: false,
            background: Color::WHITE,
        }
    }

    /// A page with one panel.
    pub fn of(axes: Axes) -> Figure {
        let mut figure = Figure::new(1, 1);
        figure.axes.push(axes);
        figure
    }
}

/// What the sides of axes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AxesKind {
    /// Two quantities; the panel takes any shape.
    #[default]
    Chart,
    /// A map: both axes in one scale, sides labelled with coordinates.
    Map(Coordinates),
    /// A box in space, which has axes of its own and fills the panel.
    Space,
}

/// How a map labels its sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coordinates {
    /// In the CRS's own: metres or kilometres, or degrees.
    #[default]
    Map,
    /// Longitude and latitude, whatever the CRS.
    LonLat,
    /// Not at all.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corner {
    UpperLeft,
    UpperRight,
    LowerLeft,
    LowerRight,
}

impl Choice for Corner {
    const ALL: &'static [(&'static str, Self)] = &[
        ("upper left", Corner::UpperLeft),
        ("upper right", Corner::UpperRight),
        ("lower left", Corner::LowerLeft),
        ("lower right", Corner::LowerRight),
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Legend {
    /// The emptiest corner; to the right of the panel for classes.
    #[default]
    Auto,
    At(Corner),
    Right,
    None,
}

impl Choice for Legend {
    const ALL: &'static [(&'static str, Self)] = &[
        ("auto", Legend::Auto),
        ("right", Legend::Right),
        ("none", Legend::None),
        ("upper left", Legend::At(Corner::UpperLeft)),
        ("upper right", Legend::At(Corner::UpperRight)),
        ("lower left", Legend::At(Corner::LowerLeft)),
        ("lower right", Legend::At(Corner::LowerRight)),
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// To the right; below panels that are much wider than high, beside which it would be too short for labels.
    #[default]
    Auto,
    Right,
    Bottom,
}

impl Choice for Side {
    const ALL: &'static [(&'static str, Self)] = &[
        ("auto", Side::Auto),
        ("right", Side::Right),
        ("bottom", Side::Bottom),
    ];
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColorBar {
    /// Quantity and unit.
    pub label: String,
    pub side: Side,
}

impl ColorBar {
    pub fn new(label: impl Into<String>) -> ColorBar {
        ColorBar {
            label: label.into(),
            side: Side::Auto,
        }
    }
}

/// One panel.
#[derive(Debug, Clone)]
pub struct Axes {
    pub kind: AxesKind,
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub marks: Vec<Placed>,
    /// For the last mark that has a colour map.
    pub color_bar: Option<ColorBar>,
    pub legend: Legend,
    /// Where a map shows how long a round number of metres is.
    pub scale_bar: Option<Corner>,
    /// Lines at the ticks: behind a chart's data, over a map's images.
    pub grid: bool,
    /// Colour behind the marks.
    pub face: Color,
}

/// A mark, and the CRS of its coordinates where that is not the axes'.
#[derive(Debug, Clone)]
pub struct Placed {
    pub mark: Arc<dyn Mark>,
    pub crs: Option<Crs>,
}

impl Axes {
    pub fn new(kind: AxesKind) -> Axes {
        Axes {
            kind,
            title: String::new(),
            x: Axis::default(),
            y: Axis::default(),
            marks: Vec::new(),
            color_bar: None,
            legend: Legend::Auto,
            scale_bar: None,
            grid: false,
            face: Color::WHITE,
        }
    }

    pub fn chart() -> Axes {
        Axes::new(AxesKind::Chart)
    }

    pub fn map(coordinates: Coordinates) -> Axes {
        Axes::new(AxesKind::Map(coordinates))
    }

    /// Adds a mark whose coordinates are those of the axes.
    pub fn add(&mut self, mark: impl Mark + 'static) -> &mut Axes {
        self.place(Arc::new(mark), None)
    }

    /// Adds a mark of points or polygons in another CRS, for example longitude and latitude.
    pub fn add_in(&mut self, crs: Crs, mark: impl Mark + 'static) -> &mut Axes {
        self.place(Arc::new(mark), Some(crs))
    }

    /// Adds a mark, in another CRS than the axes' where one is given.
    pub fn place(&mut self, mark: Arc<dyn Mark>, crs: Option<Crs>) -> &mut Axes {
        self.marks.push(Placed { mark, crs });
        self
    }
}
