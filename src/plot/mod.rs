//! Figures: maps, charts, and pictures in the terminal.
//!
//! A [`Figure`] is a page of [`Axes`], each with [`Layer`]s. Rendering goes through four steps: `panel` makes limits,
//! colours and coordinates definite, `layout` places panels and everything around them, `draw` and `frame` turn them
//! into shapes (`scene`), and `paint` or `svg` put the shapes into a picture or a document.

mod bitmap;
mod color;
mod color_names;
mod colormap;
mod colormap_tables;
mod draw;
mod figure;
mod font;
mod frame;
mod layer;
mod layout;
mod legend;
mod lonlat;
mod marks;
mod outlines;
mod paint;
mod panel;
mod picture;
mod render;
mod resample;
mod scale_bar;
mod scene;
mod span;
mod stretch;
mod style;
mod svg;
mod terminal;
mod ticks;
mod time_ticks;
mod turned;

pub use color::Color;
pub use colormap::Colormap;
pub use figure::{
    Axes, AxesKind, Axis, ColorBar, Coordinates, Corner, Figure, Legend, Placed, Scale, Side, TickChoice,
};
pub use layer::{
    Band, Class, Classes, Dash, ErrorBars, Guide, Histogram, Image, LINE_WIDTHS, Layer, Line, MARKER_SIZES,
    Marker, Note, OPACITIES, Polygons, Rgb, Scatter,
};
pub use outlines::layers as outlines;
pub use picture::Picture;
pub use render::FORMATS;
pub use scene::{Anchor, Level};
pub use stretch::{Limits, Stretch};
pub use terminal::{Graphics, Size, Terminal};
