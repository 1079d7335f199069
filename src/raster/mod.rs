//! The core: grids, lazy images, the graph and its execution.

pub mod crs;
pub mod grid;
pub mod operation;
pub mod tile;
pub mod types;

pub use crs::{Crs, Transformer};
pub use grid::{Affine, Bounds, Grid, Window};
pub use operation::{Operation, Scene, SceneOperation};
pub use tile::{Kind, Pixels, PixelsView, View};
pub use types::{DType, Unit};
