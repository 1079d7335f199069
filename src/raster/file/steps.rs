//! Images whose columns and rows have coordinates in uneven steps, as Gaussian grids of climate models.

use crate::described;
use crate::error::{Error, Result};
use crate::raster::Crs;
use crate::raster::crs::Locator;
use crate::raster::describe::{Described, Description, Site, from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Coordinates of the centres of columns, rising, and of rows, falling; straight between them, and half a step beyond.
#[derive(Clone)]
pub struct Steps {
    crs: Crs,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Steps {
    /// Of two steps each at least.
    pub fn new(crs: Crs, x: Vec<f64>, y: Vec<f64>) -> Steps {
        Steps { crs, x, y }
    }
}

#[derive(Serialize, Deserialize)]
struct Coordinates {
    crs: String,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Described for Steps {
    const NAME: &'static str = "raster.uneven_steps";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Coordinates {
            crs: self.crs.wkt().to_string(),
            x: self.x.clone(),
            y: self.y.clone(),
        })
    }

    fn again(parameters: &Json, _: &Site) -> Result<Steps> {
        let c: Coordinates = from_json(Self::NAME, parameters)?;
        let rise = |steps: &[f64], sign: f64| {
            steps.len() >= 2 && steps.windows(2).all(|pair| pair[0] * sign < pair[1] * sign)
        };
        if !(rise(&c.x, 1.0) && rise(&c.y, -1.0)) {
            return Err(Error::message(
                "uneven coordinates are two or more along each axis, rising along columns and falling along rows",
            ));
        }
        Ok(Steps::new(Crs::from_wkt(&c.crs)?, c.x, c.y))
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(0).map(drop)
    }
}

described!(Steps, Locator);

impl Locator for Steps {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn means(&self) -> String {
        "coordinates in uneven steps".into()
    }

    fn crs(&self) -> &Crs {
        &self.crs
    }

    fn apply(&self, to_map: bool, xs: &mut [f64], ys: &mut [f64]) {
        for (x, y) in xs.iter_mut().zip(ys) {
            (*x, *y) = match to_map {
                true => (coordinate(&self.x, *x), coordinate(&self.y, *y)),
                false => (position(&self.x, *x, 1.0), position(&self.y, *y, -1.0)),
            };
        }
    }
}

/// The coordinate at a pixel position, whose whole numbers are edges.
fn coordinate(steps: &[f64], at: f64) -> f64 {
    if !at.is_finite() {
        return f64::NAN;
    }
    let at = at - 0.5;
    let i = (at.floor().max(0.0) as usize).min(steps.len() - 2);
    steps[i] + (steps[i + 1] - steps[i]) * (at - i as f64)
}

/// The pixel position of a coordinate; `sign` is -1 where steps fall.
fn position(steps: &[f64], v: f64, sign: f64) -> f64 {
    if !v.is_finite() {
        return f64::NAN;
    }
    let before = steps.partition_point(|step| step * sign <= v * sign);
    let i = before.saturating_sub(1).min(steps.len() - 2);
    i as f64 + (v - steps[i]) / (steps[i + 1] - steps[i]) + 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let steps = Steps::new(
            Crs::wgs84().unwrap(),
            vec![0.0, 1.0, 3.0, 7.0],
            vec![50.0, 40.0, 35.0],
        );
        let (mut xs, mut ys) = (
            vec![0.5, 1.5, 2.0, 3.5, 4.0, 0.0, f64::NAN],
            vec![0.5, 1.5, 2.5, 1.0, 3.0, 0.0, 1.0],
        );
        let (cols, rows) = (xs.clone(), ys.clone());
        steps.apply(true, &mut xs, &mut ys);
        assert_eq!(xs[..6], [0.0, 1.0, 2.0, 7.0, 9.0, -0.5]);
        assert_eq!(ys[..6], [50.0, 40.0, 35.0, 45.0, 32.5, 55.0]);
        steps.apply(false, &mut xs, &mut ys);
        for (a, b) in xs
            .iter()
            .zip(&cols)
            .chain(ys.iter().zip(&rows))
            .filter(|(_, b)| b.is_finite())
        {
            assert!((a - b).abs() < 1e-12 || a.is_nan(), "{a} {b}");
        }
        assert!(xs[6].is_nan());
    }
}
