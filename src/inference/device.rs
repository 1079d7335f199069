//! What computes a network.

use std::fmt;

use crate::error::{Error, Result};

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
