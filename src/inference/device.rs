//! What computes a network.

use std::fmt;

use crate::error::{Choice, Error, Result};

/// Where a network is to be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// A GPU where there is one that works, else the CPU.
    #[default]
    Auto,
    Cpu,
    /// The GPU of this number, from 0.
    Cuda(u16),
}

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

impl Device {
    /// From `auto`, `cpu`, `cuda` or `cuda:1`.
    ///
    /// # Errors
    /// For any other text.
    pub fn named(text: &str) -> Result<Device> {
        let number = |text: &str| text.parse().ok().map(Device::Cuda);
        let device = match text {
            "auto" => Some(Device::Auto),
            "cpu" => Some(Device::Cpu),
            "cuda" => Some(Device::Cuda(0)),
            other => other.strip_prefix("cuda:").and_then(number),
        };
        device.ok_or_else(|| {
            Error::argument(
                "device",
                "\"auto\", \"cpu\", \"cuda\" or \"cuda:1\"",
                format!("\"{text}\""),
            )
        })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Auto => f.write_str("auto"),
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}
