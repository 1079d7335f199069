//! From offsets in pixels to velocities on the ground.

use std::sync::Arc;

use ndarray::Array2;

use super::still::Still;
use crate::described;
use crate::error::{Error, Result};
use crate::raster::describe::{Described, Description, Site, from_json, to_json};
use crate::raster::ground::{Ground, Measure};
use crate::raster::{Band, DType, Grid, Operation, Pixels, Port, Property, Raster, Unit, View, Window};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A year as it is in metres per year.
pub const DAYS_PER_YEAR: f64 = 365.25;

/// How velocities are made.
#[derive(Clone)]
pub struct VelocityOptions {
    /// Days from the reference to the secondary image; negative where the secondary came first.
    pub days: f64,
    /// Lengths on the ellipsoid; else those of the map.
    pub ground: bool,
    /// 1 on ground that is known to be still, on the grid of the offsets.
    pub stable: Option<Raster>,
    /// Fewer nodes with an offset on still ground are an error.
    pub min_stable: usize,
}

const BANDS: [&str; 6] = ["vx", "vy", "v", "vx_error", "vy_error", "v_error"];

/// Velocities in m/yr from the bands `dx_px`, `dy_px` and, where they are there, `dx_std_px` and `dy_std_px`.
///
/// vx and vy are along the axes of the map, x to the right and y up the map (north, as a rule), in metres of the ground: the
/// scale of the projection at each node, or the length of its degrees, is divided out; v = √(vx² + vy²), with the angle between
/// the axes on the ground where that is not a right one. With still ground the median of vx and vy over it is taken off.
///
/// Errors are one standard deviation: that of the offset, or the root mean square of the velocity over still ground where
/// that is larger or the only one; v_error = √((vx vx_error)² + (vy vy_error)²) / v. Without both they are masked.
///
/// # Errors
/// Bands that are missing; days that are 0 or not finite; a grid without a CRS or turned; still ground on another grid, or with
/// too few offsets.
pub fn velocity(offsets: &Raster, options: &VelocityOptions) -> Result<Raster> {
    if !(options.days.is_finite() && options.days != 0.0) {
        return Err(Error::argument("days", "a number other than 0", options.days));
    }
    let grid = &offsets.grid;
    let Some(crs) = &grid.crs else {
        return Err(Error::message(
            "the offsets have no CRS, so their pixels have no size in metres; give the images one with `:set_crs(…)`, \
             or compute with the offsets in pixels",
        ));
    };
    if !grid.transform.is_axis_aligned() {
        return Err(Error::message(
            "the grid of the offsets is turned against the axes of its CRS; bring the images onto an upright one first: \
             `image:reproject { crs = … }`",
        ));
    }
    if !crs.is_geographic() && crs.metres_per_unit().is_none() {
        return Err(Error::message(format!(
            "the CRS {crs} measures neither in lengths nor in degrees"
        )));
    }
    if !options.ground && crs.is_geographic() {
        return Err(Error::argument("ground", "true on a grid in degrees", "false"));
    }
    let pixel = pixel_size(offsets)?;
    let ports = |names: [&str; 2]| -> Result<Vec<Port>> {
        names.iter().map(|n| Ok(offsets.band(n)?.port.clone())).collect()
    };
    let mut inputs = ports(["dx_px", "dy_px"])?;
    // Offsets without deviations are velocities without errors; one deviation without the other is a mistake.
    let deviations = ["dx_std_px", "dy_std_px"];
    if deviations.iter().any(|name| offsets.band(name).is_ok()) {
        inputs.extend(ports(deviations)?);
    }
    let base = Velocity {
        grid: grid.clone(),
        pixel,
        per_year: DAYS_PER_YEAR / options.days,
        ground: options.ground,
        has_deviations: inputs.len() == 4,
        has_still: false,
    };
    let still = match &options.stable {
        Some(stable) => {
            let mask = stable.only_band("stable")?;
            if !stable.grid.matches(grid) {
                return Err(Error::message(format!(
                    "stable must lie on the grid of the offsets,\n  {grid}\nbut lies on\n  {}\nbring it there first: \
                     `mask:align(offsets, {{ resampling = \"nearest\" }})`",
                    stable.grid
                )));
            }
            let before = Port::tiles(grid, Arc::new(base.clone()), inputs.clone());
            let [vx, vy] = [before[0].clone(), before[1].clone()];
            Some(Still::of(vx, vy, mask.port.clone(), options.min_stable)?)
        }
        None => None,
    };
    inputs.extend(still.iter().flat_map(Still::ports));
    let operation = Velocity {
        has_still: still.is_some(),
        ..base
    };
    let outputs = Port::tiles(grid, Arc::new(operation), inputs);
    let bands = BANDS
        .iter()
        .zip(outputs)
        .map(|(name, port)| Band {
            name: (*name).into(),
            dtype: DType::F32,
            unit: Unit::parse("m/yr"),
            nodata: None,
            port,
        })
        .collect();
    let mut out = offsets.with_bands(bands);
    out.properties
        .insert("date_dt".into(), Property::Number(options.days.abs()));
    out.properties.extend(still.iter().flat_map(Still::properties));
    Ok(out)
}

/// Width and height of an image pixel in units of the CRS, with their signs.
fn pixel_size(offsets: &Raster) -> Result<(f64, f64)> {
    let number = |name: &str| match offsets.properties.get(name) {
        Some(Property::Number(v)) => Some(*v),
        Some(Property::Integer(v)) => Some(*v as f64),
        // Files keep text.
        Some(Property::Text(v)) => v.parse().ok(),
        _ => None,
    };
    match (number("x_pixel_size"), number("y_pixel_size")) {
        (Some(x), Some(y)) if x != 0.0 && y != 0.0 && x.is_finite() && y.is_finite() => Ok((x, y)),
        _ => Err(Error::message(
            "the offsets do not say how large the images' pixels are; \
             set it: `offsets:set(\"x_pixel_size\", 15):set(\"y_pixel_size\", -15)`",
        )),
    }
}

/// Inputs: dx, dy, their deviations where `has_deviations`, and the first of `Still` where `has_still`.
#[derive(Clone)]
struct Velocity {
    grid: Arc<Grid>,
    /// Width and height of an image pixel in units of the CRS.
    pixel: (f64, f64),
    /// Years of 1 over the time between the images.
    per_year: f64,
    ground: bool,
    has_deviations: bool,
    has_still: bool,
}

/// What still ground says, in x and y, m/yr.
#[derive(Clone, Copy, Default)]
struct Calibration {
    shift: (f64, f64),
    least_error: (f64, f64),
}

impl Velocity {
    /// How many inputs lie on the grid.
    fn fields(&self) -> usize {
        if self.has_deviations { 4 } else { 2 }
    }

    /// The six outputs at one node.
    fn at(&self, ground: Ground, offset: (f64, f64), deviation: (f64, f64), still: Calibration) -> [f32; 6] {
        let x = self.pixel.0 * ground.x * self.per_year;
        let y = self.pixel.1 * ground.y * self.per_year;
        let (vx, vy) = (offset.0 * x - still.shift.0, offset.1 * y - still.shift.1);
        if vx.is_nan() || vy.is_nan() {
            return [f32::NAN; 6];
        }
        let v = (vx * vx + vy * vy + 2.0 * vx * vy * ground.cosine)
            .max(0.0)
            .sqrt();
        let error = |own: f64, least: f64| match own.is_nan() {
            true if least > 0.0 => least,
            true => f64::NAN,
            false => own.max(least),
        };
        let ex = error((deviation.0 * x).abs(), still.least_error.0);
        let ey = error((deviation.1 * y).abs(), still.least_error.1);
        let e = if v > 0.0 {
            (vx * ex).hypot(vy * ey) / v
        } else {
            ex.max(ey)
        };
        [vx, vy, v, ex, ey, e].map(|v| v as f32)
    }
}

/// What a `Velocity` is, without its grid.
#[derive(Serialize, Deserialize)]
struct Parameters {
    pixel: (f64, f64),
    per_year: f64,
    ground: bool,
    still: bool,
}

impl Described for Velocity {
    const NAME: &'static str = "correlation.velocity";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Parameters {
            pixel: self.pixel,
            per_year: self.per_year,
            ground: self.ground,
            still: self.has_still,
        })
    }

    fn again(parameters: &Json, site: &Site) -> Result<Velocity> {
        let p: Parameters = from_json(Self::NAME, parameters)?;
        let still = if p.still { 4 } else { 0 };
        let has_deviations = match site.inputs.len().checked_sub(still) {
            Some(2) => false,
            Some(4) => true,
            _ => return Err(site.wrong_inputs(format!("{} or {}", 2 + still, 4 + still))),
        };
        Ok(Velocity {
            grid: site.grid.clone(),
            pixel: p.pixel,
            per_year: p.per_year,
            ground: p.ground,
            has_deviations,
            has_still: p.still,
        })
    }

    fn check(&self, site: &Site) -> Result<()> {
        let (fields, still) = site.inputs.split_at(self.fields());
        Site {
            inputs: fields,
            ..*site
        }
        .on_grid()?;
        if let Some(other) = still
            .iter()
            .find(|p| (p.node.grid.rows, p.node.grid.cols) != (1, 1))
        {
            return Err(Error::argument(
                "what still ground says",
                "images of one pixel",
                &other.node.grid,
            ));
        }
        site.real()?;
        let numbers = [self.pixel.0, self.pixel.1, self.per_year];
        match numbers.into_iter().find(|v| !v.is_finite()) {
            Some(v) => Err(Error::argument("parameters of a velocity", "finite numbers", v)),
            None => Ok(()),
        }
    }
}

described!(Velocity, Tiles);

impl Operation for Velocity {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        "correlation.velocity".into()
    }

    fn outputs(&self) -> usize {
        BANDS.len()
    }

    fn needs(&self, index: usize, out: Window) -> Window {
        match index < self.fields() {
            true => out,
            false => Window::new(0, 0, 1, 1),
        }
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let views: Vec<_> = inputs.iter().map(View::f32).collect();
        let measure = match (&self.grid.crs, self.ground) {
            (Some(crs), true) => Some(Measure::new(&self.grid, crs)?),
            _ => None,
        };
        let unit = self
            .grid
            .crs
            .as_ref()
            .and_then(|c| c.metres_per_unit())
            .unwrap_or(1.0);
        let map = Ground {
            x: unit,
            y: unit,
            cosine: 0.0,
        };
        let still = match (self.has_still, self.fields()) {
            (true, first) => {
                let said = |i: usize| f64::from(views[first + i][(0, 0)]);
                Calibration {
                    shift: (said(0), said(1)),
                    least_error: (said(2), said(3)),
                }
            }
            (false, _) => Calibration::default(),
        };
        let mut made: Vec<Array2<f32>> = vec![Array2::from_elem((out.rows, out.cols), f32::NAN); BANDS.len()];
        for r in 0..out.rows {
            let row = measure
                .as_ref()
                .map(|m| m.row(out.row + r as isize, out.col, out.cols));
            for c in 0..out.cols {
                let at = [r, c];
                let input = |i: usize| f64::from(views[i][at]);
                let deviation = if self.has_deviations {
                    (input(2), input(3))
                } else {
                    (f64::NAN, f64::NAN)
                };
                let ground = row.as_ref().map_or(map, |row| row[c]);
                let values = self.at(ground, (input(0), input(1)), deviation, still);
                for (made, v) in made.iter_mut().zip(values) {
                    made[at] = v;
                }
            }
        }
        Ok(made.into_iter().map(Pixels::F32).collect())
    }
}
