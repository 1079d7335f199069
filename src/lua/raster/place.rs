//! Raster's methods that change where its pixels lie.

use std::sync::Arc;

use super::hints;
use super::values::{Area, Resolution, resampling, window};
use crate::error::{Error, Result};
use crate::lua::args::{Args, Options};
use crate::lua::class::Builder;
use crate::raster::align::{align, reprojected_grid, resampled_grid};
use crate::raster::clip::clip;
use crate::raster::element::Binary;
use crate::raster::math::{self, Operand};
use crate::raster::{Crs, Grid, Raster, reframe};
use crate::vector::{BurnOptions, rasterize_image};

pub fn define(c: &mut Builder<Raster>) {
    c.method("align(target, options?)", |_, this, args| {
        let target: Arc<Grid> = args.get("target")?;
        align(this, &target, args.options(resampling)?)
    })
    .method("reproject(options)", |_, this, args| {
        let (crs, resolution, method) = args.options(|o| {
            let crs: Crs = o.require("crs")?;
            Ok((crs, o.get::<Resolution>("resolution")?, resampling(o)?))
        })?;
        let resolution = resolution.map(|Resolution(x, y)| (x, y));
        let target = Arc::new(reprojected_grid(&this.grid, &crs, resolution)?);
        align(this, &target, method)
    })
    .method("resample(resolution, options?)", |_, this, args| {
        let Resolution(x, y) = args.get("resolution")?;
        let method = args.options(resampling)?;
        align(this, &Arc::new(resampled_grid(&this.grid, (x, y))?), method)
    })
    .method("clip(area, options?)", |_, this, args| {
        let (crs, all_touched) =
            args.options(|o| Ok((o.get::<Crs>("crs")?, o.get_or("all_touched", false)?)))?;
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
            all_touched,
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
    .method("crop(options)", |_, this, args| {
        let window = args.options(|o| window(o, &this.grid))?;
        reframe::crop(this, window)
    })
    .method("shift(options)", shift);
}

fn shift(_: &mlua::Lua, this: &Raster, args: &Args) -> Result<Raster> {
    let finite = |o: &Options, name: &str| o.checked(name, "a finite number", |v: &f64| v.is_finite());
    let (cols, rows, x, y, method) = args.options(|o| {
        let pixels = (finite(o, "cols")?, finite(o, "rows")?);
        let map = (finite(o, "x")?, finite(o, "y")?);
        Ok((pixels.0, pixels.1, map.0, map.1, resampling(o)?))
    })?;
    let (x, y) = match (cols.or(rows), x.or(y)) {
        (None, Some(_)) => (x.unwrap_or(0.0), y.unwrap_or(0.0)),
        (Some(_), None) => {
            let (cols, rows) = (cols.unwrap_or(0.0), rows.unwrap_or(0.0));
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
    align(&reframe::onto(this, Arc::new(moved))?, &this.grid, method)
}
