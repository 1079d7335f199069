//! Pixels in memory. A pixel is valid if and only if it is finite: NaN is the mask, and infinities become NaN
//! on reading and after every operation that can make one (x / 0, log 0), so no operation ever meets them.

use ndarray::{Array2, CowArray, Ix2};
use num_complex::Complex32;

use super::Window;

/// What an operation computes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    F32,
    F64,
    C32,
}

impl Kind {
    pub fn bytes(self) -> usize {
        match self {
            Kind::F32 => 4,
            Kind::F64 | Kind::C32 => 8,
        }
    }
}

/// Pixels of one band over one window, (rows, cols), standard layout; NaN is masked (for complex: NaN real part).
#[derive(Debug, Clone)]
pub enum Pixels {
    F32(Array2<f32>),
    F64(Array2<f64>),
    C32(Array2<Complex32>),
}

/// Pixels of one band over `window`, borrowed from a larger tile where possible.
#[derive(Debug)]
pub struct View<'a> {
    pub window: Window,
    pub pixels: PixelsView<'a>,
}

#[derive(Debug)]
pub enum PixelsView<'a> {
    F32(CowArray<'a, f32, Ix2>),
    F64(CowArray<'a, f64, Ix2>),
    C32(CowArray<'a, Complex32, Ix2>),
}
