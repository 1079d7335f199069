//! Footprints of focal filters.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Choice, Domain, Error, Result};

/// The largest radius, in pixels: keeps the halo of a tile, and with it the memory of one, within reason.
const MAX_RADIUS: f64 = 512.0;

/// Radii in pixels.
pub const RADIUS: Domain = Domain::within(0.0, MAX_RADIUS).in_unit("pixels");

/// Sides of a square around a pixel.
pub const BOXCAR_SIZE: Domain = Domain::within(1.0, 2.0 * MAX_RADIUS + 1.0)
    .odd()
    .in_unit("pixels");

/// What "inside the radius" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelShape {
    /// dx²/rx² + dy²/ry² ≤ 1; with rx = ry the disk dx² + dy² ≤ r².
    Circle,
    /// |dx| ≤ rx and |dy| ≤ ry.
    Square,
}

impl Choice for KernelShape {
    const ALL: &'static [(&'static str, Self)] =
        &[("circle", KernelShape::Circle), ("square", KernelShape::Square)];
}

/// The pixels around a centre that a focal filter looks at: a disk, an ellipse (for pixels that are not
/// square) or a rectangle, symmetric about its centre pixel, which always belongs to it.
///
/// The border is inclusive: a pixel whose centre lies on the circle belongs to it, as in Earth Engine's
/// `Kernel.circle` (radius 10 gives 317 pixels). Radii need not be whole numbers; a radius below 1 leaves the
/// centre pixel alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "(KernelShape, f64, f64)", into = "(KernelShape, f64, f64)")]
pub struct FocalKernel {
    shape: KernelShape,
    rx: f64,
    ry: f64,
    /// Row `dy` of the footprint covers the columns `-half_widths[|dy|] ..= half_widths[|dy|]`.
    half_widths: Vec<usize>,
    /// Column `dx` of the footprint covers the rows `-half_heights[|dx|] ..= half_heights[|dx|]`.
    half_heights: Vec<usize>,
}

impl TryFrom<(KernelShape, f64, f64)> for FocalKernel {
    type Error = Error;

    fn try_from((shape, rx, ry): (KernelShape, f64, f64)) -> Result<FocalKernel> {
        FocalKernel::new(shape, rx, ry)
    }
}

impl From<FocalKernel> for (KernelShape, f64, f64) {
    fn from(kernel: FocalKernel) -> Self {
        (kernel.shape, kernel.rx, kernel.ry)
    }
}

impl FocalKernel {
    /// A kernel of the radii `rx` (along a row) and `ry` (along a column), in pixels.
    ///
    /// # Errors
    /// A radius that is negative, not finite, or above 512.
    pub fn new(shape: KernelShape, rx: f64, ry: f64) -> Result<FocalKernel> {
        for radius in [rx, ry] {
            RADIUS.check("radius", radius)?;
        }
        // Radii often come from a division (100 m / 9.999999 m), so a pixel that misses the border by
        // rounding counts.
        let slack = 1.0 + 1e-9;
        let whole = |radius: f64| (radius * slack).floor() as usize;
        let half_widths: Vec<usize> = (0..=whole(ry))
            .map(|dy| match shape {
                KernelShape::Square => whole(rx),
                KernelShape::Circle if dy == 0 => whole(rx),
                KernelShape::Circle => {
                    let inside = |dx: usize| {
                        let (dx, dy) = (dx as f64, dy as f64);
                        dx * dx * ry * ry + dy * dy * rx * rx <= rx * rx * ry * ry * slack
                    };
                    (0..=whole(rx))
                        .take_while(|&dx| dx == 0 || inside(dx))
                        .last()
                        .unwrap_or(0)
                }
            })
            .collect();
        let half_heights = (0..=half_widths[0])
            .map(|dx| half_widths.iter().take_while(|&&w| w >= dx).count() - 1)
            .collect();
        Ok(FocalKernel {
            shape,
            rx,
            ry,
            half_widths,
            half_heights,
        })
    }

    /// The disk dx² + dy² ≤ radius².
    ///
    /// # Errors
    /// As `new`.
    pub fn circle(radius: f64) -> Result<FocalKernel> {
        FocalKernel::new(KernelShape::Circle, radius, radius)
    }

    /// The square |dx|, |dy| ≤ radius.
    ///
    /// # Errors
    /// As `new`.
    pub fn square(radius: f64) -> Result<FocalKernel> {
        FocalKernel::new(KernelShape::Square, radius, radius)
    }

    /// The square of `size` × `size` pixels.
    ///
    /// # Errors
    /// A size that is even or 0, or above 1025.
    pub fn boxcar(size: usize) -> Result<FocalKernel> {
        FocalKernel::square((BOXCAR_SIZE.check_count("size", size)? / 2) as f64)
    }

    pub fn shape(&self) -> KernelShape {
        self.shape
    }

    /// (rx, ry) in pixels, as given.
    pub fn radii(&self) -> (f64, f64) {
        (self.rx, self.ry)
    }

    /// (rows, cols) that the footprint reaches beyond its centre on each side.
    pub fn halo(&self) -> (usize, usize) {
        (self.half_widths.len() - 1, self.half_heights.len() - 1)
    }

    /// How many pixels the footprint has.
    pub fn pixels(&self) -> usize {
        self.half_widths
            .iter()
            .enumerate()
            .map(|(dy, w)| (2 * w + 1) * if dy == 0 { 1 } else { 2 })
            .sum()
    }

    /// Half the width of row `|dy|`, not counting the centre, for |dy| = 0 ..= halo rows; never growing.
    pub fn half_widths(&self) -> &[usize] {
        &self.half_widths
    }

    /// Half the height of column `|dx|`, not counting the centre, for |dx| = 0 ..= halo cols; never growing.
    pub fn half_heights(&self) -> &[usize] {
        &self.half_heights
    }
}

impl fmt::Display for FocalKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, radius {}", self.shape.name(), round(self.rx))?;
        if self.rx != self.ry {
            write!(f, " × {}", round(self.ry))?;
        }
        f.write_str(" px")
    }
}

/// Three decimals are enough to read.
fn round(radius: f64) -> f64 {
    (radius * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_the_pixels_within_its_radius() {
        // Lattice points in a circle, OEIS A000328.
        for (radius, pixels) in [
            (0, 1),
            (1, 5),
            (2, 13),
            (3, 29),
            (4, 49),
            (5, 81),
            (10, 317),
            (20, 1257),
        ] {
            assert_eq!(
                FocalKernel::circle(radius as f64).unwrap().pixels(),
                pixels,
                "radius {radius}"
            );
        }
        assert_eq!(FocalKernel::circle(0.99).unwrap().pixels(), 1);
        assert_eq!(FocalKernel::circle(1.5).unwrap().pixels(), 9);
    }

    #[test]
    fn ellipses_and_rectangles_follow_their_formulas() {
        for (rx, ry) in [
            (3.0, 5.0),
            (7.3, 2.2),
            (0.4, 6.0),
            (4.0, 0.0),
            (0.0, 0.0),
            (12.5, 12.5),
        ] {
            for shape in [KernelShape::Circle, KernelShape::Square] {
                let kernel = FocalKernel::new(shape, rx, ry).unwrap();
                let (hy, hx) = kernel.halo();
                for dy in -15i32..=15 {
                    for dx in -15i32..=15 {
                        let ratio = |d: i32, r: f64| if d == 0 { 0.0 } else { (d as f64 / r).abs() };
                        let (a, b) = (ratio(dx, rx), ratio(dy, ry));
                        let expected = match shape {
                            KernelShape::Circle => a * a + b * b <= 1.0 + 1e-12,
                            KernelShape::Square => a <= 1.0 && b <= 1.0,
                        };
                        let (x, y) = (dx.unsigned_abs() as usize, dy.unsigned_abs() as usize);
                        let by_rows = y <= hy && x <= kernel.half_widths()[y];
                        let by_cols = x <= hx && y <= kernel.half_heights()[x];
                        assert_eq!(by_rows, expected, "{kernel}: dx {dx}, dy {dy}");
                        assert_eq!(by_cols, expected, "{kernel}: dx {dx}, dy {dy}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_radius_from_a_division_keeps_its_border() {
        // 0.3 / 0.1 is a little less than 3.
        let kernel = FocalKernel::circle(0.3 / 0.1).unwrap();
        assert_eq!(kernel.pixels(), 29);
        assert_eq!(FocalKernel::square(0.3 / 0.1).unwrap().pixels(), 49);
    }

    #[test]
    fn unusable_sizes_are_refused() {
        for radius in [-1.0, f64::NAN, f64::INFINITY, 5000.0] {
            let message = FocalKernel::circle(radius).unwrap_err().to_string();
            assert!(
                message.contains("radius must be a number of pixels from 0 to 512"),
                "{message}"
            );
        }
        for size in [0, 4, 1027] {
            let message = FocalKernel::boxcar(size).unwrap_err().to_string();
            assert!(message.contains("size must be an odd number"), "{message}");
        }
        assert_eq!(FocalKernel::boxcar(5).unwrap().pixels(), 25);
        assert_eq!(
            (KernelShape::named("round"), KernelShape::Square.name()),
            (None, "square")
        );
    }

    #[test]
    fn names_read_well() {
        assert_eq!(
            FocalKernel::circle(10.0).unwrap().to_string(),
            "circle, radius 10 px"
        );
        let ellipse = FocalKernel::new(KernelShape::Circle, 10.0 / 3.0, 2.5).unwrap();
        assert_eq!(ellipse.to_string(), "circle, radius 3.333 × 2.5 px");
    }
}
