//! Focal statistics.

use crate::error::Result;
use crate::filter::focal::{FocalKernel, KernelShape, Statistic, focal, kernel_in_metres};
use crate::lua::args::{Args, Options};
use crate::lua::module::Module;
use crate::raster::{Grid, Raster};

pub fn define(m: &mut Module) -> Result<()> {
    for (name, statistic) in [
        ("focal_mean", Statistic::Mean),
        ("focal_median", Statistic::Median),
        ("focal_min", Statistic::Min),
        ("focal_max", Statistic::Max),
        ("focal_std", Statistic::Std),
        ("focal_mode", Statistic::Mode),
    ] {
        m.function(&format!("{name}(raster, options)"), move |_, args| {
            let raster: Raster = args.get("raster")?;
            let kernel = args.options(|o| kernel(o, &raster.grid))?;
            focal(&raster, &kernel, statistic)
        })?;
    }
    m.function("focal_percentile(raster, options)", |_, args| {
        let raster: Raster = args.get("raster")?;
        let (percentile, kernel) =
            args.options(|o| Ok((o.require("percentile")?, kernel(o, &raster.grid)?)))?;
        focal(&raster, &kernel, Statistic::percentile(percentile)?)
    })?;
    m.function("boxcar(raster, options)", |_, args| boxcar(args))?;
    Ok(())
}

fn kernel(options: &Options, grid: &Grid) -> Result<FocalKernel> {
    let shape = options.choice("shape", &KernelShape::NAMES)?.unwrap_or("circle");
    let unit = options.choice("unit", &["px", "m"])?.unwrap_or("px");
    let radius = options.require("radius")?;
    let shape = KernelShape::parse(shape)?;
    match unit {
        "m" => kernel_in_metres(grid, shape, radius),
        _ => FocalKernel::new(shape, radius, radius),
    }
}

fn boxcar(args: &Args) -> Result<Raster> {
    let raster: Raster = args.get("raster")?;
    let size = args.options(|o| o.require("size"))?;
    focal(&raster, &FocalKernel::boxcar(size)?, Statistic::Mean)
}
