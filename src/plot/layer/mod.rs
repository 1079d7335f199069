//! What axes can show. Coordinates are those of the axes (map coordinates on maps); NaN leaves a gap everywhere.

mod chart;
mod image;
mod shape;

pub use chart::{
    Band, Dash, ErrorBars, Histogram, LINE_WIDTHS, Line, MARKER_SIZES, Marker, OPACITIES, Scatter,
};
pub use image::{Class, Classes, Image, Rgb};
pub use shape::{Guide, Note, Polygons};

use super::color::Color;
use crate::error::{Error, Result};
use crate::raster::follow::follow;
use crate::raster::{Bounds, Grid, Transformer};

#[derive(Debug, Clone)]
pub enum Layer {
    Image(Image),
    Rgb(Rgb),
    Classes(Classes),
    Line(Line),
    Scatter(Scatter),
    ErrorBars(ErrorBars),
    Band(Band),
    Histogram(Histogram),
    Polygons(Polygons),
    Note(Note),
    Guide(Guide),
}

impl Layer {
    pub(in crate::plot) fn grid(&self) -> Option<&Grid> {
        match self {
            Layer::Image(l) => l.grid.as_ref(),
            Layer::Rgb(l) => l.grid.as_ref(),
            Layer::Classes(l) => l.grid.as_ref(),
            _ => None,
        }
    }

    /// (rows, cols) of an image layer.
    pub(in crate::plot) fn image_shape(&self) -> Option<(usize, usize)> {
        match self {
            Layer::Image(l) => Some(l.values.dim()),
            Layer::Rgb(l) => Some(l.bands[0].dim()),
            Layer::Classes(l) => Some(l.values.dim()),
            _ => None,
        }
    }

    pub(in crate::plot) fn label(&self) -> &str {
        match self {
            Layer::Line(l) => &l.label,
            Layer::Scatter(l) => &l.label,
            Layer::ErrorBars(l) => &l.label,
            Layer::Band(l) => &l.label,
            Layer::Histogram(l) => &l.label,
            Layer::Polygons(l) => &l.label,
            Layer::Guide(l) => &l.label,
            Layer::Image(_) | Layer::Rgb(_) | Layer::Classes(_) | Layer::Note(_) => "",
        }
    }

    /// Whether it takes a colour of the cycle when it has none of its own.
    pub(in crate::plot) fn own_color(&self) -> Option<Option<Color>> {
        match self {
            Layer::Line(l) => Some(l.color),
            Layer::Scatter(l) if l.values.is_none() => Some(l.color),
            Layer::ErrorBars(l) => Some(l.color),
            Layer::Band(l) => Some(l.color),
            Layer::Histogram(l) => Some(l.color),
            _ => None,
        }
    }

    /// Arrays that must be equally long are.
    pub(in crate::plot) fn check(&self) -> Result<()> {
        let same = |what: &str, a: usize, b: usize| {
            if a == b {
                return Ok(());
            }
            Err(Error::argument(what, format!("as long as x ({a})"), b))
        };
        match self {
            Layer::Line(l) => same("y", l.x.len(), l.y.len()),
            Layer::Scatter(l) => {
                same("y", l.x.len(), l.y.len())?;
                same("values", l.x.len(), l.values.as_ref().map_or(l.x.len(), Vec::len))
            }
            Layer::ErrorBars(l) => {
                same("y", l.x.len(), l.y.len())?;
                for (below, above) in l.x_error.iter().chain(&l.y_error) {
                    same("error", l.x.len(), below.len())?;
                    same("error", l.x.len(), above.len())?;
                }
                Ok(())
            }
            Layer::Band(l) => {
                same("low", l.x.len(), l.low.len())?;
                same("high", l.x.len(), l.high.len())
            }
            Layer::Histogram(l) if l.edges.len() != l.counts.len() + 1 => Err(Error::argument(
                "edges",
                format!("one more than counts ({})", l.counts.len() + 1),
                l.edges.len(),
            )),
            Layer::Rgb(l) if l.bands.iter().any(|b| b.dim() != l.bands[0].dim()) => Err(Error::argument(
                "bands",
                "three of the same size",
                format!("{:?}", l.bands.each_ref().map(|b| b.dim())),
            )),
            Layer::Image(_) | Layer::Rgb(_) | Layer::Classes(_) => match (self.image_shape(), self.grid()) {
                (Some(shape), Some(grid)) if shape != (grid.rows, grid.cols) => Err(Error::argument(
                    "image",
                    format!("of its grid's size ({} × {}, rows × cols)", grid.rows, grid.cols),
                    format!("{} × {}", shape.0, shape.1),
                )),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The layer with its coordinates moved to another CRS; edges of areas are followed within `tolerance` units of it (a
    /// ten-thousandth of the areas' size without). Images stay as they are: they are never resampled here.
    pub(in crate::plot) fn transformed(
        &self,
        transformer: &Transformer,
        tolerance: Option<f64>,
    ) -> Result<Layer> {
        let mut out = self.clone();
        let apply = |ring: &[(f64, f64)]| -> Vec<(f64, f64)> {
            let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = ring.iter().copied().unzip();
            transformer.apply(&mut xs, &mut ys);
            xs.into_iter().zip(ys).collect()
        };
        match &mut out {
            Layer::Line(Line { x, y, .. })
            | Layer::Scatter(Scatter { x, y, .. })
            | Layer::ErrorBars(ErrorBars { x, y, .. }) => transformer.apply(x, y),
            Layer::Polygons(l) => {
                let tolerance = tolerance.or_else(|| {
                    let vertices: Vec<(f64, f64)> = l.polygons.iter().flatten().flatten().copied().collect();
                    let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
                    let b = Bounds::around(apply(&vertices).into_iter().filter(finite))?;
                    Some(1e-4 * b.width().max(b.height())).filter(|t| *t > 0.0)
                });
                let open = l.open;
                for ring in l.polygons.iter_mut().flatten() {
                    if !open && ring.first() != ring.last() {
                        ring.extend(ring.first().copied());
                    }
                    *ring = match tolerance {
                        Some(tolerance) => apply(&follow(ring, transformer, tolerance)?),
                        None => apply(ring),
                    };
                }
            }
            Layer::Note(l) => {
                let (mut x, mut y) = ([l.x], [l.y]);
                transformer.apply(&mut x, &mut y);
                (l.x, l.y) = (x[0], y[0]);
            }
            _ => {}
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn lengths_must_agree() {
        let line = Layer::Line(Line::new(vec![1.0, 2.0], vec![1.0]));
        assert_eq!(
            line.check().unwrap_err().to_string(),
            "y must be as long as x (2), got 1"
        );
        let grid = Grid::new(None, crate::raster::Affine::north_up(0.0, 0.0, 1.0, 1.0), 2, 3).unwrap();
        let image = Layer::Image(Image::new(Array2::zeros((3, 2)), Some(grid)));
        assert_eq!(
            image.check().unwrap_err().to_string(),
            "image must be of its grid's size (2 × 3, rows × cols), got 3 × 2"
        );
    }
}
