//! Amplitude correlation.

use mlua::{IntoLua, Lua, Value};

use super::values::Points;
use crate::correlation::dense::dense;
use crate::correlation::gross::{Gross, GrossOffsets};
use crate::correlation::images::{ImagePair, Input};
use crate::correlation::method::Method;
use crate::correlation::points::at_points;
use crate::correlation::settings::{AmpcorSettings, Extent, Parity};
use crate::error::{Error, Result};
use crate::lua::args::{Args, Options};
use crate::lua::module::Module;
use crate::raster::Raster;

pub fn define(m: &mut Module) -> Result<()> {
    m.function("ampcor(reference, secondary, options?)", ampcor)?;
    Ok(())
}

fn ampcor(lua: &Lua, args: &Args) -> Result<Value> {
    let (method, task) = args.options(|o| Ok((Method::Ampcor(settings(o)?), Task::read(o)?)))?;
    task.run(lua, args, &method)
}

/// What all ways of matching are asked: where, and in what.
pub struct Task {
    input: Input,
    points: Option<Points>,
    skip: Option<Extent>,
    gross: GrossOffsets,
}

impl Task {
    pub fn read(o: &Options) -> Result<Task> {
        let input = o.choice("input", &Input::NAMES)?;
        Ok(Task {
            input: input.and_then(Input::parse).unwrap_or(Input::AsTheyAre),
            points: o.get("points")?,
            skip: o.get("skip")?,
            gross: o.get_or("gross", GrossOffsets::Constant(Gross::default()))?,
        })
    }

    /// A Table at points, else a Raster.
    pub fn run(&self, lua: &Lua, args: &Args, method: &Method) -> Result<Value> {
        let (reference, secondary): (Raster, Raster) = (args.get("reference")?, args.get("secondary")?);
        let pair = &ImagePair::new(&reference, &secondary, self.input)?;
        match (&self.points, self.skip) {
            (Some(_), Some(skip)) => Err(Error::argument(
                "skip",
                "left out where there are points: it is the distance of the windows of a dense field",
                skip,
            )),
            (Some(Points(points)), None) => {
                let gross = self.gross.at_points(pair, points)?;
                Ok(at_points(pair, points, &gross, method)?.into_lua(lua)?)
            }
            (None, skip) => {
                let half = |n: usize| (n / 2).max(1);
                let Extent { rows, cols } = method.window();
                let skip = skip.unwrap_or(Extent::new(half(rows), half(cols)));
                Ok(dense(pair, method, skip, &self.gross)?.into_lua(lua)?)
            }
        }
    }
}

fn settings(o: &Options) -> Result<AmpcorSettings> {
    let side = |n: usize| Extent::new(n, n);
    let defaults = AmpcorSettings::new(o.get_or("window", side(64))?, o.get_or("search", side(20))?);
    let parity = match o.choice("parity", &["isce2"])? {
        Some(_) => Parity::Isce2,
        None => Parity::None,
    };
    Ok(AmpcorSettings {
        parity,
        raw_oversampling: o.get_or("raw_oversampling", defaults.raw_oversampling)?,
        oversampling: o.get_or("oversampling", defaults.oversampling)?,
        zoom: o.get_or("zoom", defaults.zoom)?,
        statistics_reach: statistics_reach(o, defaults.statistics_reach)?,
        deramp: o.get_or("deramp", defaults.deramp)?,
        looks: o.get_or("looks", defaults.looks)?,
        min_valid: o.get_or("min_valid", defaults.min_valid)?,
        snr_threshold: o.get_or("snr_threshold", defaults.snr_threshold)?,
        covariance_threshold: o.get_or("covariance_threshold", defaults.covariance_threshold)?,
        ..defaults
    })
}

/// The option `statistics_window` as the distance that it reaches from its middle.
pub fn statistics_reach(o: &Options, default: usize) -> Result<usize> {
    let odd = |n: &usize| n % 2 == 1;
    let side = o.checked("statistics_window", "an odd number of pixels from 3 to 2049", odd)?;
    Ok(side.map_or(default, |n| n / 2))
}
