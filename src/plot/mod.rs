//! Figures: maps, charts, and pictures in the terminal.

mod color;
mod color_names;
mod colormap;
mod colormap_tables;
mod font;
mod paint;
mod picture;
mod scene;
mod stretch;
mod svg;
mod ticks;
mod time_ticks;

pub use color::Color;
pub use colormap::Colormap;
pub use picture::Picture;
pub use stretch::{Limits, Stretch, percentile};
