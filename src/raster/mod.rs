//! The core: grids, lazy images, the graph and its execution.

pub mod about;
pub mod align;
pub mod complex;
pub mod crs;
pub mod element;
pub mod execute;
pub mod explain;
pub mod file;
pub mod graph;
pub mod grid;
pub mod image;
pub mod mapping;
pub mod math;
pub mod memory;
pub mod mosaic;
pub mod operation;
pub mod plan;
pub mod preview;
pub mod program;
pub mod reduce;
pub mod reframe;
pub mod scene;
pub mod settings;
pub mod stack;
pub mod stats;
pub mod synthetic;
pub mod tile;
pub mod types;
pub mod warp;

pub use crs::{Crs, Transformer};
pub use graph::Port;
pub use grid::{Affine, Bounds, Grid, Window};
pub use image::{Band, Properties, Property, Raster};
pub use operation::{Operation, Scene, SceneOperation};
pub use tile::{Kind, Pixels, PixelsView, View};
pub use types::{DType, Unit};
