//! The ways of matching a window behind one interface, so that points and dense fields know none of them.

use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::ampcor::Matcher;
use super::phase::PhaseMatcher;
use super::plane::Signal;
use super::reason::Reason;
use super::settings::{AmpcorSettings, Extent, Search};
use super::zncc::{NccMatcher, NccSettings};
use crate::error::{Error, Result};
use crate::raster::Grid;

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
    /// The column of `secondary` that is the last one of its image, if it is in the chip.
    pub last_column: Option<usize>,
}

/// Matches windows one after the other; buffers and plans are made once.
pub trait WindowMatcher: Send {
    /// The offset from the gross offset.
    fn run(&mut self, chips: Chips<'_>) -> Match;
}

/// A way of matching, with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Ampcor(AmpcorSettings),
    Ncc(NccSettings),
    Phase(Search),
}

impl Method {
    pub fn name(&self) -> &'static str {
        match self {
            Method::Ampcor(_) => "ampcor",
            Method::Ncc(_) => "ncc",
            Method::Phase(_) => "phase",
        }
    }

    pub fn check(&self) -> Result<()> {
        match self {
            Method::Ampcor(s) => s.check(),
            Method::Ncc(s) => s.common.check(),
            Method::Phase(s) => {
                s.check()?;
                // Transforms see offsets of up to half a window.
                let half = |e: Extent| Extent::new(e.rows / 2, e.cols / 2);
                let (most, search) = (half(s.window), s.search);
                match search.rows < most.rows && search.cols < most.cols {
                    true => Ok(()),
                    false => Err(Error::argument(
                        "search",
                        format!("below half the window, {most}"),
                        search,
                    )),
                }
            }
        }
    }

    /// Pixels of the reference that are matched.
    pub fn window(&self) -> Extent {
        match self {
            Method::Ampcor(s) => s.window,
            Method::Ncc(s) => s.common.window,
            Method::Phase(s) => s.window,
        }
    }

    /// How far offsets are searched in each direction.
    pub fn search(&self) -> Extent {
        match self {
            Method::Ampcor(s) => s.search,
            Method::Ncc(s) => s.common.search,
            Method::Phase(s) => s.search,
        }
    }

    /// Pixels of the secondary that one window takes.
    pub fn chip(&self) -> Extent {
        match self {
            Method::Ampcor(s) => s.chip(),
            Method::Ncc(s) => s.chip(),
            Method::Phase(s) => s.chip(),
        }
    }

    /// The error for images that hold no window.
    pub(super) fn too_large(&self, image: &Grid) -> Error {
        let Extent { rows, cols } = self.window();
        Error::argument(
            "window",
            format!(
                "at most {} × {} (rows × cols), as large as the image",
                image.rows, image.cols
            ),
            format!("{rows} × {cols}"),
        )
    }

    pub fn matcher(&self, signal: Signal) -> Box<dyn WindowMatcher> {
        match self {
            Method::Ampcor(s) => Box::new(Matcher::new(s, signal)),
            Method::Ncc(s) => Box::new(NccMatcher::new(s, signal)),
            Method::Phase(s) => Box::new(PhaseMatcher::new(s, signal)),
        }
    }
}
