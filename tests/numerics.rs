//! Numbers, checked against slow and obvious loops, recorded outputs of other programs, and GDAL's own tools.

#[path = "numerics/ampcor.rs"]
mod ampcor;
#[path = "numerics/autorift.rs"]
mod autorift;
#[path = "numerics/blocks.rs"]
mod blocks;
#[path = "numerics/common.rs"]
mod common;
#[path = "numerics/containers.rs"]
mod containers;
#[path = "numerics/context.rs"]
mod context;
#[path = "numerics/engine.rs"]
mod engine;
#[path = "numerics/figures.rs"]
mod figures;
#[path = "numerics/files.rs"]
mod files;
#[path = "numerics/geotiffs.rs"]
mod geotiffs;
#[path = "numerics/inference.rs"]
mod inference;
#[path = "numerics/inference_runs.rs"]
mod inference_runs;
#[path = "numerics/networks.rs"]
mod networks;
#[path = "numerics/npy.rs"]
mod npy;
#[path = "numerics/speckle.rs"]
mod speckle;
#[path = "numerics/vector.rs"]
mod vector;
#[path = "numerics/vector_files.rs"]
mod vector_files;
#[path = "numerics/warp.rs"]
mod warp;
