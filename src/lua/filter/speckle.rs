//! Speckle filters.

use mlua::Value;

use crate::error::{Domain, Result};
use crate::filter::frost::{self, DAMPING};
use crate::filter::lee_sigma::{self, STRONG_PERCENTILE, Strong};
use crate::filter::sigma_range::SIGMA;
use crate::filter::speckle::{LOOKS, SIZE};
use crate::filter::tv_bregman::{self, TvBregman};
use crate::filter::{gamma_map, kuan, lee, quegan, refined_lee};
use crate::lua::module::Module;
use crate::lua::value::FromScript;
use crate::options;
use crate::raster::Raster;
use crate::raster::stack::Stack;

pub fn define(m: &mut Module) -> Result<()> {
    m.function("refined_lee(raster)", |_, args| {
        refined_lee::refined_lee(&args.get::<Raster>("raster")?)
    })?;
    with_looks(m, "lee", lee::lee)?;
    with_looks(m, "kuan", kuan::kuan)?;
    with_looks(m, "gamma_map", gamma_map::gamma_map)?;
    m.function_with("frost(raster, options?)", |_, args, o: Frost| {
        frost::frost(&args.get::<Raster>("raster")?, o.size, o.damping)
    })?;
    m.function_with("lee_sigma(raster, options)", |_, args, o: LeeSigma| {
        let raster: Raster = args.get("raster")?;
        lee_sigma::lee_sigma(&raster, o.size, o.looks, o.sigma, o.strong())
    })?;
    m.function_with("tv_bregman(raster, options?)", |_, args, o: TotalVariation| {
        let raster: Raster = args.get("raster")?;
        let parameters = TvBregman::new(o.weight, o.max_iterations, o.tolerance, o.isotropic)?;
        tv_bregman::tv_bregman(&raster, parameters)
    })?;
    m.function_with("quegan(images, options?)", |_, args, o: Quegan| {
        let images: Value = args.get("images")?;
        let images = match Stack::accept(&images) {
            Some(stack) => stack.items,
            None => Vec::from_script(&images, "images")?,
        };
        let items = quegan::quegan(&images, o.size)?;
        Ok(Stack { items })
    })?;
    Ok(())
}

fn with_looks(m: &mut Module, name: &str, filter: fn(&Raster, usize, f64) -> Result<Raster>) -> Result<()> {
    m.function_with(&format!("{name}(raster, options)"), move |_, args, o: Looks| {
        filter(&args.get::<Raster>("raster")?, o.size, o.looks)
    })?;
    Ok(())
}

options! {
    struct Looks("filter.LooksOptions") {
        /// The equivalent number of looks of the image: mean² / variance of power over a homogeneous area. About 4.4 for
        /// Sentinel-1 IW ground range images; products of terrain correction have more.
        looks: f64; LOOKS,
        /// Pixels along a side of the window.
        size: usize = 7; SIZE,
    }
}

options! {
    struct Frost("filter.FrostOptions") {
        /// Pixels along a side of the window.
        size: usize = 7; SIZE,
        /// How fast weights fall off with distance: larger values keep more detail.
        damping: f64 = 2.0; DAMPING,
    }
}

options! {
    struct LeeSigma("filter.LeeSigmaOptions") {
        /// The equivalent number of looks of the image.
        looks: f64; LOOKS,
        /// Pixels along a side of the window; the paper uses 7, 9 and 11.
        size: usize = 9; lee_sigma::SIZE,
        /// The share of speckle that the range holds.
        sigma: f64 = 0.9; SIGMA,
        /// Pixels above this percentile of their band may be strong scatterers, which keep their power; 100 turns that off.
        strong_percentile: f64 = STRONG_PERCENTILE; Domain::PERCENT,
        /// The same as a power, so that all images of a series share it and none has to be read beforehand.
        strong_power: Option<f64>,
    }
}

impl LeeSigma {
    fn strong(&self) -> Strong {
        match self.strong_power {
            Some(power) => Strong::Power(power),
            None if self.strong_percentile == 100.0 => Strong::Off,
            None => Strong::Percentile(self.strong_percentile),
        }
    }
}

options! {
    struct TotalVariation("filter.TvOptions") {
        /// How closely the result follows the image: smaller weights smooth more.
        weight: f64 = 0.2; TvBregman::WEIGHTS,
        /// Sweeps at most.
        max_iterations: usize = TvBregman::MAX_ITERATIONS; TvBregman::ITERATIONS,
        /// The sweeps end when the root mean square change of one is at most this, in units of the image.
        tolerance: f64 = TvBregman::TOLERANCE; TvBregman::TOLERANCES,
        /// Whether edges of all directions count alike, or rows and columns are taken apart.
        isotropic: bool = true,
    }
}

options! {
    struct Quegan("filter.QueganOptions") {
        /// Pixels along a side of the window.
        size: usize = 7; SIZE,
    }
}
