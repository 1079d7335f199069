//! Plain normalised correlation and phase correlation: what they take beside what all ways of matching take.

use mlua::{Lua, Value};

use super::ampcor::{Task, statistics_reach};
use crate::correlation::method::Method;
use crate::correlation::settings::{Extent, Search};
use crate::correlation::zncc::{NccSettings, PeakFit};
use crate::error::Result;
use crate::lua::args::{Args, Options};
use crate::lua::module::Module;

pub fn define(m: &mut Module) -> Result<()> {
    m.function("ncc(reference, secondary, options?)", |lua, args| {
        run(lua, args, |o| {
            let peak = o.choice("peak", &PeakFit::NAMES)?.and_then(PeakFit::parse);
            Ok(Method::Ncc(NccSettings {
                zero_mean: o.get_or("zero_mean", true)?,
                peak: peak.unwrap_or(PeakFit::Sinc),
                common: search(o)?,
            }))
        })
    })?;
    m.function("phase(reference, secondary, options?)", |lua, args| {
        run(lua, args, |o| Ok(Method::Phase(search(o)?)))
    })?;
    Ok(())
}

fn run(lua: &Lua, args: &Args, method: impl Fn(&Options) -> Result<Method>) -> Result<Value> {
    let (method, task) = args.options(|o| Ok((method(o)?, Task::read(o)?)))?;
    task.run(lua, args, &method)
}

fn search(o: &Options) -> Result<Search> {
    let side = |n: usize| Extent::new(n, n);
    let defaults = Search::new(o.get_or("window", side(64))?, o.get_or("search", side(20))?);
    Ok(Search {
        min_valid: o.get_or("min_valid", defaults.min_valid)?,
        statistics_reach: statistics_reach(o, defaults.statistics_reach)?,
        snr_threshold: o.get_or("snr_threshold", defaults.snr_threshold)?,
        covariance_threshold: o.get_or("covariance_threshold", defaults.covariance_threshold)?,
        ..defaults
    })
}
