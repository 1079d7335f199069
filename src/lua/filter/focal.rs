//! Focal statistics.

use crate::error::{Choice, Domain, Result};
use crate::filter::focal::{BOXCAR_SIZE, FocalKernel, KernelShape, Statistic, focal, kernel_in_metres};
use crate::lua::module::Module;
use crate::options;
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
        m.function_with(&format!("{name}(raster, options)"), move |_, args, o: Window| {
            let raster: Raster = args.get("raster")?;
            focal(&raster, &o.kernel(&raster.grid)?, statistic)
        })?;
    }
    m.function_with("focal_percentile(raster, options)", |_, args, o: Percentile| {
        let raster: Raster = args.get("raster")?;
        let statistic = Statistic::percentile(o.percentile)?;
        focal(&raster, &o.window.kernel(&raster.grid)?, statistic)
    })?;
    m.function_with("boxcar(raster, options)", |_, args, o: Boxcar| {
        focal(&args.get("raster")?, &FocalKernel::boxcar(o.size)?, Statistic::Mean)
    })?;
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum RadiusUnit {
    Pixels,
    Metres,
}

impl Choice for RadiusUnit {
    const ALL: &'static [(&'static str, Self)] = &[("px", RadiusUnit::Pixels), ("m", RadiusUnit::Metres)];
}

options! {
    struct Window("filter.FocalOptions") {
        /// How far the kernel reaches from the centre of a pixel, at most 512 pixels. Fractions are allowed; below 1 pixel the
        /// kernel is the pixel itself.
        radius: f64; Domain::at_least(0.0),
        /// Of the radius: pixels or metres. On a grid in degrees, metres are measured at the latitude of the grid's centre; where
        /// pixels are not square, the kernel becomes an ellipse or a rectangle of pixels.
        unit: RadiusUnit = RadiusUnit::Pixels,
        /// `"circle"` is the disk dx² + dy² ≤ radius², its edge included: 317 pixels for radius 10. `"square"` is |dx| ≤ radius,
        /// |dy| ≤ radius.
        shape: KernelShape = KernelShape::Circle,
    }
}

impl Window {
    fn kernel(&self, grid: &Grid) -> Result<FocalKernel> {
        match self.unit {
            RadiusUnit::Metres => kernel_in_metres(grid, self.shape, self.radius),
            RadiusUnit::Pixels => FocalKernel::new(self.shape, self.radius, self.radius),
        }
    }
}

options! {
    struct Percentile("filter.PercentileOptions") {
        ..window: Window,
        /// 0 is the minimum, 50 the median, 100 the maximum.
        percentile: f64; Domain::PERCENT,
    }
}

options! {
    struct Boxcar("filter.BoxcarOptions") {
        /// Pixels along a side of the square.
        size: usize; BOXCAR_SIZE,
    }
}
