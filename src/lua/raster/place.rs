//! Raster's methods that change where its pixels lie.

use std::sync::Arc;

use super::hints;
use super::values::{AlignOptions, Area, AreaOptions, Resolution, WindowOptions};
use crate::error::{Domain, Error, Result};
use crate::lua::class::Builder;
use crate::options;
use crate::raster::align::{align, reprojected_grid, resampled_grid};
use crate::raster::clip::clip;
use crate::raster::element::Binary;
use crate::raster::math::{self, Operand};
use crate::raster::warp::Resampling;
use crate::raster::{Crs, Grid, Raster, reframe};
use crate::vector::{BurnOptions, rasterize_image};

pub fn define(c: &mut Builder<Raster>) {
    c.method_with("align(target, options?)", |_, this, args, o: AlignOptions| {
        let target: Arc<Grid> = args.get("target")?;
        align(this, &target, o.resampling)
    })
    .method_with("reproject(options)", |_, this, _, o: Reproject| {
        let target = Arc::new(o.target.of(&this.grid)?);
        align(this, &target, o.align.resampling)
    })
    .method_with("resample(resolution, options?)", |_, this, args, o: AlignOptions| {
        let Resolution(x, y) = args.get("resolution")?;
        align(this, &Arc::new(resampled_grid(&this.grid, (x, y))?), o.resampling)
    })
    .method_with("clip(area, options?)", |_, this, args, o: Clip| {
        let crs = o.area.crs;
        let mut area: Area = args.get("area")?;
        if let Area::Features(features) = &mut area {
            features.crs = features.crs.take().or(crs.clone());
        }
        let bounds = area.bounds_on(&this.grid, crs.as_ref())?;
        let clipped = clip(this, &bounds).map_err(|e| match &area {
            Area::Bounds(given) => {
                Error::message(format!("{e}{}", hints::area(given, crs.as_ref(), &this.grid)))
            }
            _ => e,
        })?;
        let Area::Features(features) = area else {
            return Ok(clipped);
        };
        let options = BurnOptions {
            all_touched: o.all_touched,
            ..BurnOptions::default()
        };
        let inside = rasterize_image(&features, &clipped.grid, "inside", &options)?;
        math::binary(
            &Operand::Raster(clipped),
            Binary::Mask,
            &Operand::Raster(inside),
            true,
        )
    })
    .method_with("crop(options)", |_, this, _, o: WindowOptions| {
        reframe::crop(this, o.on(&this.grid)?)
    })
    .method_with("shift(options)", |_, this, _, o: Shift| shift(this, &o));
}

options! {
    /// Another CRS, and the pixels there.
    pub struct ReprojectedGrid("raster.GridReprojectOptions") {
        /// `"EPSG:32611"`, 32611, WKT or a PROJ string.
        crs: Crs,
        /// Pixel size in units of the new CRS: one number, or `{ x, y }`. Default keeps the number of pixels along the diagonal.
        resolution: Option<Resolution>,
    }
}

impl ReprojectedGrid {
    pub fn of(&self, grid: &Grid) -> Result<Grid> {
        let resolution = self.resolution.as_ref().map(|&Resolution(x, y)| (x, y));
        reprojected_grid(grid, &self.crs, resolution)
    }
}

options! {
    struct Reproject("raster.ReprojectOptions") {
        ..target: ReprojectedGrid,
        ..align: AlignOptions,
    }
}

options! {
    struct Clip("raster.ClipOptions") {
        ..area: AreaOptions,
        /// Keep every pixel that a shape touches, not only those whose centre it covers.
        all_touched: bool = false,
    }
}

options! {
    struct Shift("raster.ShiftOptions") {
        /// To the right, in pixels.
        cols: Option<f64>; Domain::FINITE,
        /// Downward, in pixels.
        rows: Option<f64>; Domain::FINITE,
        /// Eastward, in units of the CRS.
        x: Option<f64>; Domain::FINITE,
        /// Northward, in units of the CRS.
        y: Option<f64>; Domain::FINITE,
        /// For fractions of a pixel.
        resampling: Resampling = Resampling::Nearest,
    }
}

fn shift(this: &Raster, o: &Shift) -> Result<Raster> {
    let (x, y) = match (o.cols.or(o.rows), o.x.or(o.y)) {
        (None, Some(_)) => (o.x.unwrap_or(0.0), o.y.unwrap_or(0.0)),
        (Some(_), None) => {
            let (cols, rows) = (o.cols.unwrap_or(0.0), o.rows.unwrap_or(0.0));
            let t = &this.grid.transform;
            (cols * t.dx + rows * t.rx, cols * t.ry + rows * t.dy)
        }
        _ => {
            return Err(Error::message(
                "say how far: cols and rows in pixels, or x and y in units of the CRS",
            ));
        }
    };
    let mut moved = this.grid.as_ref().clone();
    moved.transform.x0 += x;
    moved.transform.y0 += y;
    // Said to lie elsewhere and then brought back onto its own grid: whole pixels move without a change of value.
    align(&reframe::onto(this, Arc::new(moved))?, &this.grid, o.resampling)
}
