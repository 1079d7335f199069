//! What networks are computed and trained with.

use std::fmt;

use crate::error::{Error, Result};

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    #[default]
    Cpu,
    /// The GPU of this number, from 0.
    Cuda(u8),
}

/// What somebody wants to compute with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    /// A GPU where there is one that works, else the CPU.
    #[default]
    Auto,
    On(Device),
}

impl Wanted {
    /// From `auto`, `cpu`, `cuda` or `cuda:1`.
    ///
    /// # Errors
    /// For any other text.
    pub fn named(text: &str) -> Result<Wanted> {
        let number = |text: &str| text.parse().ok().map(Device::Cuda);
        let device = match text {
            "auto" => return Ok(Wanted::Auto),
            "cpu" => Some(Device::Cpu),
            "cuda" => Some(Device::Cuda(0)),
            other => other.strip_prefix("cuda:").and_then(number),
        };
        device.map(Wanted::On).ok_or_else(|| {
            Error::argument(
                "device",
                "\"auto\", \"cpu\", \"cuda\" or \"cuda:1\"",
                format!("{text:?}"),
            )
        })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}
