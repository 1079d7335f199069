//! What marks cover, and how far the axes go beyond it.

use super::axis::Scale;
use crate::raster::{Bounds, Grid};

/// What the marks of a panel cover.
pub struct Extent {
    pub x: Reach,
    pub y: Reach,
    /// Rows are counted from the top: an image without a place on the ground.
    pub from_top: bool,
}

impl Extent {
    pub fn new(x: Scale, y: Scale) -> Extent {
        Extent {
            x: Reach::new(x),
            y: Reach::new(y),
            from_top: false,
        }
    }

    pub fn points(&mut self, x: &[f64], y: &[f64]) {
        self.x.points(x);
        self.y.points(y);
    }

    /// An image of (rows, cols).
    pub fn image(&mut self, grid: Option<&Grid>, (rows, cols): (usize, usize)) {
        let bounds = match grid {
            Some(grid) => {
                self.from_top |= grid.transform.dy > 0.0 && grid.crs.is_none();
                grid.bounds()
            }
            None => {
                self.from_top = true;
                Bounds {
                    min_x: 0.0,
                    min_y: 0.0,
                    max_x: cols as f64,
                    max_y: rows as f64,
                }
            }
        };
        self.x.solid(bounds.min_x, bounds.max_x);
        self.y.solid(bounds.min_y, bounds.max_y);
    }
}

/// What the data of an axis covers. Images fill their panel to its edges, and alone decide on a map's extent.
pub struct Reach {
    log: bool,
    solid: Option<(f64, f64)>,
    points: Option<(f64, f64)>,
    floor: Option<f64>,
}

impl Reach {
    fn new(scale: Scale) -> Reach {
        Reach {
            log: scale == Scale::Log,
            solid: None,
            points: None,
            floor: None,
        }
    }

    /// What fills the panel from end to end.
    pub fn solid(&mut self, low: f64, high: f64) {
        let (a, b) = self.solid.unwrap_or((low, high));
        self.solid = Some((a.min(low), b.max(high)));
    }

    pub fn points(&mut self, values: &[f64]) {
        for v in values
            .iter()
            .filter(|v| v.is_finite() && (!self.log || **v > 0.0))
        {
            let (a, b) = self.points.unwrap_or((*v, *v));
            self.points = Some((a.min(*v), b.max(*v)));
        }
    }

    /// Values with the reach of their errors below and above.
    pub fn with_errors(&mut self, values: &[f64], errors: Option<&(Vec<f64>, Vec<f64>)>) {
        self.points(values);
        if let Some((below, above)) = errors {
            let ends = |errors: &[f64], sign: f64| -> Vec<f64> {
                values.iter().zip(errors).map(|(v, e)| v + sign * e).collect()
            };
            self.points(&ends(below, -1.0));
            self.points(&ends(above, 1.0));
        }
    }

    /// What bars stand on; a logarithmic axis has no such place.
    pub fn floor(&mut self, at: f64) {
        if !self.log {
            self.floor = Some(at);
            self.points(&[at]);
        }
    }

    pub fn extent(&self) -> Option<(f64, f64)> {
        self.solid.or(self.points)
    }

    /// Shares of the length that the axis goes beyond the data at its low and high end.
    pub fn pad(&self) -> (f64, f64) {
        match (self.solid, self.floor, self.points) {
            (Some(_), ..) => (0.0, 0.0),
            (None, Some(floor), Some((low, _))) if low >= floor => (0.0, 0.05),
            (None, Some(floor), Some((_, high))) if high <= floor => (0.05, 0.0),
            _ => (0.04, 0.04),
        }
    }
}
