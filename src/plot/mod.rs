//! Figures: maps, charts, and pictures in the terminal.
//!
//! A [`Figure`] is a page of [`Axes`], each with [`Mark`]s. Rendering goes through four steps: `panel` makes limits,
//! colours and coordinates definite, `layout` places panels and everything around them, the marks and `frame` turn
//! themselves into shapes (`scene`), and `paint` or `svg` put the shapes into a picture or a document.

pub mod animation;
mod arrow;
mod axis;
mod backend;
mod bar_place;
mod bitmap;
mod color;
mod color_names;
mod colormap;
mod colormap_tables;
mod depth;
mod figure;
mod font;
mod frame;
mod isolines;
mod key;
mod layout;
mod legend;
mod lonlat;
mod map_places;
mod mark;
mod outlines;
mod paint;
mod panel;
mod pdf;
mod picture;
mod place;
mod reach;
mod render;
mod resample;
mod scale_bar;
mod scene;
mod sides;
mod space;
mod space_axes;
mod span;
mod streams;
mod stretch;
mod style;
mod svg;
mod symbols;
mod terminal;
mod ticks;
mod time_ticks;
mod told;
mod turned;

pub use axis::{Axis, Scale, TickChoice};
pub use color::Color;
pub use colormap::Colormap;
pub use figure::{Axes, AxesKind, ColorBar, Coordinates, Corner, Figure, Legend, Placed, Side};
pub use isolines::COUNTS as CONTOUR_COUNTS;
pub use map_places::MapPlace;
pub use mark::{
    Band, BarSeries, Bars, BoxSummary, Boxes, BySpeed, Cells, Class, Classes, Contours, Dash, ErrorBars,
    Field, Guide, Histogram, Image, LINE_WIDTHS, Lengths, Line, MARKER_SIZES, Mark, Marker, Note, OPACITIES,
    Polygons, Quiver, Rgb, Scatter, Streamlines, Surface,
};
pub use outlines::Outlines;
pub use picture::Picture;
pub use render::FORMATS;
pub use scene::{Anchor, Level};
pub use space::View;
pub use streams::SPACINGS;
pub use stretch::{Limits, Norm, Stretch};
pub use terminal::{Graphics, Size, Terminal};
