//! The numbers that a network is computed in.

use crate::error::Choice;

/// In which numbers a GPU multiplies float32. Models of float16 and bfloat16 are computed in their own numbers, whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// As they are: 23 bits of the fraction, as on the CPU.
    #[default]
    Float32,
    /// Factors of convolutions and matrix products rounded to 10 bits of the fraction, their sums in float32: faster, on GPUs of compute capability
    /// 8.0 or newer.
    Tf32,
}

impl Choice for Precision {
    const ALL: &'static [(&'static str, Self)] =
        &[("float32", Precision::Float32), ("tf32", Precision::Tf32)];
}
