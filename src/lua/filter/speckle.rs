//! Speckle filters.

use mlua::Value;

use crate::error::Result;
use crate::filter::lee_sigma::{STRONG_PERCENTILE, Strong};
use crate::filter::tv_bregman::TvBregman;
use crate::filter::{frost, gamma_map, kuan, lee, lee_sigma, quegan, refined_lee, tv_bregman};
use crate::lua::args::{Args, Options};
use crate::lua::module::Module;
use crate::lua::value::FromScript;
use crate::raster::Raster;
use crate::raster::stack::Stack;

pub fn define(m: &mut Module) -> Result<()> {
    m.function("refined_lee(raster)", |_, args| {
        refined_lee::refined_lee(&args.get::<Raster>("raster")?)
    })?;
    m.function("lee(raster, options)", |_, args| with_looks(args, lee::lee))?;
    m.function("kuan(raster, options)", |_, args| with_looks(args, kuan::kuan))?;
    m.function("gamma_map(raster, options)", |_, args| {
        with_looks(args, gamma_map::gamma_map)
    })?;
    m.function("frost(raster, options?)", |_, args| {
        let (size, damping) = args.options(|o| Ok((size(o)?, o.get_or("damping", 2.0)?)))?;
        frost::frost(&args.get::<Raster>("raster")?, size, damping)
    })?;
    m.function("lee_sigma(raster, options)", |_, args| sigma(args))?;
    m.function("tv_bregman(raster, options?)", |_, args| {
        let parameters = args.options(total_variation)?;
        tv_bregman::tv_bregman(&args.get::<Raster>("raster")?, parameters)
    })?;
    m.function("quegan(images, options?)", |_, args| {
        let images: Value = args.get("images")?;
        let images = match Stack::accept(&images) {
            Some(stack) => stack.items,
            None => Vec::from_script(&images, "images")?,
        };
        let items = quegan::quegan(&images, args.options(size)?)?;
        Ok(Stack { items })
    })?;
    Ok(())
}

fn size(o: &Options) -> Result<usize> {
    o.get_or("size", 7)
}

fn with_looks(args: &Args, filter: fn(&Raster, usize, f64) -> Result<Raster>) -> Result<Raster> {
    let raster: Raster = args.get("raster")?;
    let (size, looks) = args.options(|o| Ok((size(o)?, o.require("looks")?)))?;
    filter(&raster, size, looks)
}

fn sigma(args: &Args) -> Result<Raster> {
    let raster: Raster = args.get("raster")?;
    let (size, looks, sigma, percentile, power) = args.options(|o| {
        Ok((
            o.get_or("size", 9)?,
            o.require("looks")?,
            o.get_or("sigma", 0.9)?,
            o.get_or("strong_percentile", STRONG_PERCENTILE)?,
            o.get::<f64>("strong_power")?,
        ))
    })?;
    let strong = match power {
        Some(power) => Strong::Power(power),
        None if percentile == 100.0 => Strong::Off,
        None => Strong::Percentile(percentile),
    };
    lee_sigma::lee_sigma(&raster, size, looks, sigma, strong)
}

fn total_variation(o: &Options) -> Result<TvBregman> {
    TvBregman::new(
        o.get_or("weight", 0.2)?,
        o.get_or("max_iterations", TvBregman::MAX_ITERATIONS)?,
        o.get_or("tolerance", TvBregman::TOLERANCE)?,
        o.get_or("isotropic", true)?,
    )
}
