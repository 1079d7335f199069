//! One window: what is given to match it, and what comes of it.

use num_complex::Complex32;

use super::reason::Reason;
use super::settings::Extent;
use crate::raster::Window;

/// What matching one window gives. Offsets are in pixels, x across and y down: position in the reference + offset =
/// position in the secondary. Covariances are in squared pixels. What is not known is NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    pub dx: f64,
    pub dy: f64,
    pub snr: f64,
    pub cov_xx: f64,
    pub cov_yy: f64,
    pub cov_xy: f64,
    /// The correlation at the peak, −1 to 1.
    pub peak: f64,
    pub reason: Reason,
}

impl Match {
    pub fn failed(reason: Reason) -> Match {
        let nan = f64::NAN;
        Match {
            dx: nan,
            dy: nan,
            snr: nan,
            cov_xx: nan,
            cov_yy: nan,
            cov_xy: nan,
            peak: nan,
            reason,
        }
    }

    /// Without its offset where the signal-to-noise ratio or a variance is beyond what is asked for.
    pub(super) fn held_to(self, least_snr: f64, variance: f64) -> Match {
        match self {
            m if m.snr <= least_snr => m.without_offset(Reason::LowSnr),
            m if m.cov_xx >= variance || m.cov_yy >= variance => m.without_offset(Reason::HighCovariance),
            m => m,
        }
    }

    /// For an offset that is refused: the figures that refuse it stay.
    pub(super) fn without_offset(self, reason: Reason) -> Match {
        let (dx, dy) = (f64::NAN, f64::NAN);
        Match {
            dx,
            dy,
            reason,
            ..self
        }
    }
}

/// The pixels of one window and of its surroundings in the secondary image, row-major. Masked pixels have a NaN real part;
/// pixels outside the images are masked.
#[derive(Debug, Clone, Copy)]
pub struct Chips<'a> {
    /// `Method::window` large.
    pub reference: &'a [Complex32],
    /// `Method::chip` large, centred on where the window would be at the gross offset.
    pub secondary: &'a [Complex32],
    /// Where `secondary` lies in its image, which it may reach beyond, and how large that is.
    pub place: Window,
    pub image: Extent,
}

/// Matches windows one after the other; buffers and plans are made once.
pub trait WindowMatcher: Send {
    /// The offset from the gross offset.
    fn run(&mut self, chips: Chips<'_>) -> Match;
}
