//! Offsets between images. Kernels are pure functions on slices and views, NaN is masked; around them, operations of the
//! engine.

pub mod ampcor;
pub mod autorift;
pub mod cross;
pub mod dense;
pub mod dot;
pub mod fft;
mod fine;
pub mod gross;
pub mod images;
mod isce2;
pub mod matching;
pub mod method;
pub mod metres;
pub mod ncc;
pub mod network;
pub mod oversample;
pub mod phase;
pub mod plane;
pub mod point_target;
pub mod points;
pub mod quality;
pub mod reason;
pub mod settings;
pub mod sinc;
mod still;
pub mod surface;
pub mod target_in_image;
pub mod velocity;
mod vocabulary;
pub mod zncc;

#[cfg(test)]
mod tests;
