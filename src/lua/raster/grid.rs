//! The class Grid and `raster.grid`.

use std::sync::Arc;

use mlua::{MetaMethod, Value};

use super::place::ReprojectedGrid;
use super::values::{Resolution, WindowOptions};
use crate::bind_class;
use crate::error::{Domain, Error, Result};
use crate::lua::class::{Builder, Class};
use crate::options;
use crate::raster::align::{grid_over, reprojected_grid, resampled_grid};
use crate::raster::extent::transform_bounds;
use crate::raster::{Affine, Bounds, Crs, Grid};

bind_class!(Grid);

impl Class for Grid {
    const NAME: &'static str = "Grid";

    fn define(c: &mut Builder<Self>) {
        c.field("rows", |_, this| Ok(this.rows))
            .field("cols", |_, this| Ok(this.cols))
            .field("crs", |_, this| Ok(this.crs.as_ref().map(|crs| crs.name().to_string())))
            .field("wkt", |_, this| Ok(this.crs.as_ref().map(|crs| crs.wkt().to_string())))
            .field("is_geographic", |_, this| {
                Ok(this.crs.as_ref().is_some_and(Crs::is_geographic))
            })
            .field("resolution", |_, this| {
                let (x, y) = this.resolution();
                Ok(vec![x, y])
            })
            .field("bounds", |_, this| Ok(bounds_list(&this.bounds())))
            .field("transform", |_, this| Ok(this.transform.to_gdal().to_vec()));
        c.method("to_map(row, col)", |_, this, args| {
            Ok(this.transform.apply(args.get("col")?, args.get("row")?))
        })
        .method("to_pixel(x, y)", |_, this, args| {
            let (col, row) = this.to_pixel(args.get("x")?, args.get("y")?);
            Ok((row, col))
        })
        .method("bounds_in(crs)", |_, this, args| {
            let to: Crs = args.get("crs")?;
            let from = this.crs.as_ref().ok_or_else(no_crs)?;
            let mut bounds = transform_bounds(&this.bounds(), from, &to)?;
            // Across the antimeridian west is greater than east, as in GeoJSON (RFC 7946, section 5.2).
            if let Some(turn) = to.turn()
                && *from != to
                && bounds.max_x > turn / 2.0 * (1.0 + 1e-12)
                && bounds.width() < turn
            {
                bounds.max_x -= turn;
            }
            Ok(bounds_list(&bounds))
        })
        .method_with("crop(options)", |_, this, _, o: WindowOptions| Ok(this.subgrid(&o.on(this)?)))
        .method("resample(resolution)", |_, this, args| {
            let Resolution(x, y) = args.get("resolution")?;
            resampled_grid(this, (x, y))
        })
        .method_with("reproject(options)", |_, this, _, o: ReprojectedGrid| o.of(this))
        .method("matches(other)", |_, this, args| {
            let other: Arc<Grid> = args.get("other")?;
            Ok(this.matches(&other))
        })
        .operator(MetaMethod::Eq, |_, args| {
            match (args.get::<Value>("left")?, args.get::<Value>("right")?) {
                (Value::UserData(a), Value::UserData(b)) => match (a.borrow::<Grid>(), b.borrow::<Grid>()) {
                    (Ok(a), Ok(b)) => Ok(a.matches(&b)),
                    _ => Ok(false),
                },
                _ => Ok(false),
            }
        })
        .text(|this| format!("Grid {this}"));
    }
}

fn no_crs() -> Error {
    Error::message("the grid has no CRS; give it one in `raster.grid{ crs = …, … }`")
}

fn bounds_list(bounds: &Bounds) -> Vec<f64> {
    vec![bounds.min_x, bounds.min_y, bounds.max_x, bounds.max_y]
}

options! {
    /// `raster.grid{…}`
    pub struct Wanted("raster.GridOptions") {
        /// `"EPSG:32611"`, 32611, WKT or a PROJ string. Without it the grid lies in no CRS.
        crs: Option<Crs>,
        /// Area to cover.
        bounds: Option<Bounds>,
        /// Pixel size in units of the CRS: one number, or `{ x, y }`.
        resolution: Option<Resolution>,
        /// How many rows.
        rows: Option<usize>; Domain::at_least(1.0),
        /// How many columns.
        cols: Option<usize>; Domain::at_least(1.0),
        /// `{ x, y }` of the upper left corner.
        origin: Option<[f64; 2]>,
        /// GDAL's six numbers, for grids that are rotated or not north-up.
        transform: Option<[f64; 6]>,
        /// Take CRS and pixels from here.
        like: Option<Arc<Grid>>,
    }
}

impl Wanted {
    pub fn grid(mut self) -> Result<Grid> {
        match self.like.take() {
            Some(like) => self.like(&like),
            None => self.alone(),
        }
    }

    fn alone(self) -> Result<Grid> {
        match self {
            Wanted {
                bounds: Some(bounds),
                resolution: Some(Resolution(dx, dy)),
                rows: None,
                cols: None,
                origin: None,
                transform: None,
                crs,
                ..
            } => grid_over(crs, &bounds, (dx, dy)),
            Wanted {
                bounds: Some(bounds),
                resolution: None,
                rows: Some(rows),
                cols: Some(cols),
                origin: None,
                transform: None,
                crs,
                ..
            } => {
                let (dx, dy) = (bounds.width() / cols as f64, bounds.height() / rows as f64);
                Grid::new(crs, Affine::north_up(bounds.min_x, bounds.max_y, dx, dy), rows, cols)
            }
            Wanted {
                bounds: None,
                resolution: Some(Resolution(dx, dy)),
                rows: Some(rows),
                cols: Some(cols),
                origin: Some([x, y]),
                transform: None,
                crs,
                ..
            } => Grid::new(crs, Affine::north_up(x, y, dx, dy), rows, cols),
            Wanted {
                bounds: None,
                resolution: None,
                rows: Some(rows),
                cols: Some(cols),
                origin: None,
                transform,
                crs,
                ..
            } => match (crs, transform) {
                (Some(crs), None) => Err(Error::message(format!(
                    "a grid in {crs} has to lie somewhere in it; with rows and cols, give bounds, or origin and resolution, or transform"
                ))),
                // Without a place on the map.
                (None, None) => Grid::new(None, Affine::PIXELS, rows, cols),
                (crs, Some(transform)) => Grid::new(crs, Affine::from_gdal(transform), rows, cols),
            },
            _ => Err(Error::message(
                "a grid is one of: bounds and resolution; bounds, rows and cols; origin, resolution, rows and cols; \
                 transform, rows and cols; rows and cols; like a grid or an image",
            )),
        }
    }

    /// Another grid's CRS and pixels, with what was asked for changed.
    fn like(self, like: &Grid) -> Result<Grid> {
        if self.rows.is_some() || self.cols.is_some() || self.origin.is_some() || self.transform.is_some() {
            return Err(Error::message(
                "with `like`, a grid takes crs, bounds and resolution only",
            ));
        }
        let resolution = self.resolution.map(|Resolution(x, y)| (x, y));
        let base = match &self.crs {
            Some(crs) => reprojected_grid(like, crs, resolution)?,
            None => like.clone(),
        };
        let Some(bounds) = &self.bounds else {
            return match resolution {
                Some(resolution) if self.crs.is_none() => resampled_grid(&base, resolution),
                _ => Ok(base),
            };
        };
        if !base.transform.is_axis_aligned() {
            return Err(Error::message(
                "a rotated grid has no bounds to follow; give bounds and resolution without `like`",
            ));
        }
        let (dx, dy) = resolution.unwrap_or(base.resolution());
        // On the lattice of the other grid, so that pixels coincide; what is whole up to rounding stays.
        let own = base.bounds();
        let low = |v: f64, origin: f64, d: f64| origin + ((v - origin) / d + 1e-6).floor() * d;
        let high = |v: f64, origin: f64, d: f64| origin + ((v - origin) / d - 1e-6).ceil() * d;
        let snapped = Bounds {
            min_x: low(bounds.min_x, own.min_x, dx),
            min_y: low(bounds.min_y, own.max_y, dy),
            max_x: high(bounds.max_x, own.min_x, dx),
            max_y: high(bounds.max_y, own.max_y, dy),
        };
        grid_over(base.crs.clone(), &snapped, (dx, dy))
    }
}
