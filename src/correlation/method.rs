//! The ways of matching a window behind one interface, so that points and dense fields know none of them.

use serde::{Deserialize, Serialize};

use super::ampcor::Matcher;
use super::isce2;
use super::matching::WindowMatcher;
use super::phase::PhaseMatcher;
use super::plane::Signal;
use super::settings::{AmpcorSettings, Extent, Parity, Search};
use super::zncc::{NccMatcher, NccSettings};
use crate::error::{Error, Result};
use crate::raster::Grid;

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

    /// # Errors
    /// The first parameter that cannot be used, with what it must be; for `phase` also a search of half the window or more.
    pub fn check(&self) -> Result<()> {
        match self {
            Method::Ampcor(s) => match s.parity {
                Parity::None => s.check(),
                Parity::Isce2 => s.check().and_then(|()| isce2::check(s)),
            },
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
            Method::Ampcor(s) => match s.parity {
                Parity::None => Box::new(Matcher::new(s, signal)),
                Parity::Isce2 => Box::new(isce2::Matcher::new(s, signal)),
            },
            Method::Ncc(s) => Box::new(NccMatcher::new(s, signal)),
            Method::Phase(s) => Box::new(PhaseMatcher::new(s, signal)),
        }
    }
}
