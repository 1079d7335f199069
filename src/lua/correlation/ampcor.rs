//! Amplitude correlation, and what all ways of matching are asked.

use mlua::{IntoLua, Lua, Value};

use super::values::Points;
use crate::correlation::dense::dense;
use crate::correlation::gross::{Gross, GrossOffsets};
use crate::correlation::images::{ImagePair, Input};
use crate::correlation::method::Method;
use crate::correlation::points::at_points;
use crate::correlation::settings::{self, AmpcorSettings, Extent, Parity, Search};
use crate::error::{Error, Result};
use crate::lua::args::Args;
use crate::lua::module::Module;
use crate::options;
use crate::raster::Raster;

pub fn define(m: &mut Module) -> Result<()> {
    m.function_with("ampcor(reference, secondary, options?)", |lua, args, o: Ampcor| {
        o.place.run(lua, args, &Method::Ampcor(o.settings()))
    })?;
    Ok(())
}

options! {
    /// What all ways of matching are asked: where, in what, and when a match counts.
    pub struct Matching("correlation.PlaceOptions") {
        /// Centres of windows, and a Table is wanted; without them a field of windows all over the image. A list of `{ x, y }` or
        /// `{ id = …, x = …, y = … }`, or a Table with columns `x` and `y` (and `id`). They are pixels of the reference counted
        /// from 0; a window of w pixels covers x − w/2 … x + w/2 − 1.
        points: Option<Points>,
        /// Without points: pixels from one window to the next, or `{ rows, cols }`. Default half the window.
        skip: Option<Extent>,
        /// What the pixels are; an error where the images are something else. Without it complex images are matched as complex
        /// ones and real ones as real ones. `"amplitude"` takes magnitudes of complex pixels first.
        input: Option<Input>,
        /// Where the search is centred: `{ dx, dy }` in pixels, a Table with columns `dx_px` and `dy_px` and a row a point (for a
        /// field also `x` and `y`: the nearest row counts), or a Raster with bands `dx_px` and `dy_px`, of which the nearest pixel
        /// counts. To the nearest whole pixel. Default `{ 0, 0 }`.
        gross: Option<GrossOffsets>,
        /// Pixels of the reference that are matched: one number, or `{ rows, cols }`.
        window: Extent = Extent::new(64, 64); settings::WINDOW,
        /// How far offsets may lie from the gross offset in each direction, in pixels.
        search: Extent = Extent::new(20, 20); settings::SEARCH,
        /// Side of the square around its peak in which the correlation counts for the signal-to-noise ratio.
        statistics_window: usize = 21; settings::STATISTICS_WINDOW,
        /// Share of valid pixels that the window and the search range must have.
        min_valid: f64 = 0.9; settings::MIN_VALID,
        /// Offsets with a signal-to-noise ratio up to this fail as `low_snr`.
        snr_threshold: f64 = 0.0; settings::SNR_THRESHOLD,
        /// Offsets with a variance from this on, in squared pixels, fail as `high_covariance`. Default none.
        covariance_threshold: Option<f64>; settings::COVARIANCE_THRESHOLD,
    }
}

impl Matching {
    pub fn settings(&self) -> Search {
        Search {
            window: self.window,
            search: self.search,
            min_valid: self.min_valid,
            statistics_reach: self.statistics_window / 2,
            snr_threshold: self.snr_threshold,
            covariance_threshold: self.covariance_threshold.unwrap_or(f64::INFINITY),
        }
    }

    /// A Table at points, else a Raster.
    pub fn run(&self, lua: &Lua, args: &Args, method: &Method) -> Result<Value> {
        let (reference, secondary): (Raster, Raster) = (args.get("reference")?, args.get("secondary")?);
        let pair = &ImagePair::new(&reference, &secondary, self.input.unwrap_or(Input::AsTheyAre))?;
        let nowhere = GrossOffsets::Constant(Gross::default());
        let gross = self.gross.as_ref().unwrap_or(&nowhere);
        match (&self.points, self.skip) {
            (Some(_), Some(skip)) => Err(Error::argument(
                "skip",
                "left out where there are points: it is the distance of the windows of a dense field",
                skip,
            )),
            (Some(Points(points)), None) => {
                let gross = gross.at_points(pair, points)?;
                Ok(at_points(pair, points, &gross, method)?.into_lua(lua)?)
            }
            (None, skip) => {
                let half = |n: usize| (n / 2).max(1);
                let Extent { rows, cols } = method.window();
                let skip = skip.unwrap_or(Extent::new(half(rows), half(cols)));
                Ok(dense(pair, method, skip, gross)?.into_lua(lua)?)
            }
        }
    }
}

options! {
    struct Ampcor("correlation.AmpcorOptions") {
        ..place: Matching,
        /// How much finer the second correlation is than the pixels.
        raw_oversampling: usize = 2; settings::RAW_OVERSAMPLING,
        /// Correlation oversampling: with `parity = "isce2"` offsets are multiples of 1/(2 · oversampling) pixel. Without it offsets
        /// are continuous and this changes nothing.
        oversampling: usize = 16; settings::OVERSAMPLING,
        /// Side of the part of the second correlation that ISCE2 interpolates, in its samples. Only with `parity = "isce2"`.
        zoom: usize = 8; settings::ZOOM,
        /// Whether the phase ramp of complex chips is removed before they are oversampled.
        deramp: bool = true,
        /// Pixels averaged before the first correlation: one number, or `{ rows, cols }`.
        looks: Extent = Extent::new(1, 1); settings::LOOKS,
        /// Whose numbers are wanted: those of ISCE2's ampcor, to its last digits.
        parity: Option<Parity>,
    }
}

impl Ampcor {
    fn settings(&self) -> AmpcorSettings {
        let common = self.place.settings();
        AmpcorSettings {
            parity: self.parity.unwrap_or(Parity::None),
            window: common.window,
            search: common.search,
            raw_oversampling: self.raw_oversampling,
            oversampling: self.oversampling,
            zoom: self.zoom,
            statistics_reach: common.statistics_reach,
            deramp: self.deramp,
            looks: self.looks,
            min_valid: common.min_valid,
            snr_threshold: common.snr_threshold,
            covariance_threshold: common.covariance_threshold,
        }
    }
}
