//! Zarr, of version 2 and 3, without GDAL: cubes whose chunks go through time are read chunk by chunk, wherever they lie, and written.

pub mod array;
mod blosc;
mod cache;
pub mod codec;
pub mod metadata;
pub mod recent;
mod shard;
pub mod step;
pub mod store;

#[cfg(test)]
mod tests;
