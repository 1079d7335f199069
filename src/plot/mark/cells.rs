//! Values at the crossings of two lists of places, which need not be even: a quantity over distance and time.

use ndarray::Array2;

use super::{Ink, Mark, Page, Valued};
use crate::error::{Error, Result};
use crate::plot::bitmap::{colored, filling};
use crate::plot::colormap::Colormap;
use crate::plot::place::Frame;
use crate::plot::reach::Extent;
use crate::plot::resample;
use crate::plot::scene::Item;
use crate::plot::stretch::{Norm, Stretch};

/// Each value fills its surroundings up to the middle of the way to its neighbours, but no farther than half of what it is to `most_gap` times
/// the usual (median) distance: what was not observed stays empty.
#[derive(Debug, Clone)]
pub struct Cells {
    /// Ascending.
    pub x: Vec<f64>,
    /// Ascending.
    pub y: Vec<f64>,
    /// (y, x); NaN is transparent.
    pub values: Array2<f32>,
    pub colormap: Colormap,
    pub stretch: Stretch,
    pub norm: Norm,
    pub most_gap: f64,
}

impl Cells {
    pub const GAP: f64 = 3.0;

    pub fn new(x: Vec<f64>, y: Vec<f64>, values: Array2<f32>) -> Cells {
        Cells {
            x,
            y,
            values,
            colormap: Colormap::default(),
            stretch: Stretch::default(),
            norm: Norm::default(),
            most_gap: Cells::GAP,
        }
    }
}

/// Edges of the cells around places, and which place each cell shows; None for gaps.
fn edges(places: &[f64], most_gap: f64) -> (Vec<f64>, Vec<Option<usize>>) {
    let mut steps: Vec<f64> = places.windows(2).map(|p| p[1] - p[0]).collect();
    steps.sort_by(f64::total_cmp);
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(1.0);
    let (Some(first), Some(last)) = (places.first(), places.last()) else {
        return (Vec::new(), Vec::new());
    };
    let near = |step: f64| if step <= most_gap * usual { step } else { usual };
    let end = |step: Option<f64>| near(step.unwrap_or(usual)) / 2.0;
    let mut edges = vec![first - end(places.get(1).map(|p| p - first))];
    let mut cells = Vec::new();
    for (i, pair) in places.windows(2).enumerate() {
        let half = near(pair[1] - pair[0]) / 2.0;
        cells.push(Some(i));
        edges.push(pair[0] + half);
        if pair[1] - pair[0] > most_gap * usual {
            cells.push(None);
            edges.push(pair[1] - half);
        }
    }
    cells.push(Some(places.len() - 1));
    let before = places.len().checked_sub(2).and_then(|i| places.get(i));
    edges.push(last + end(before.map(|p| last - p)));
    (edges, cells)
}

/// Where a value lies in cells: 1.5 is the middle of the second.
fn in_cells(edges: &[f64], value: f64) -> f64 {
    let count = edges.len() - 1;
    let cell = edges.partition_point(|edge| *edge <= value);
    match cell {
        0 => -1.0,
        _ if cell > count => count as f64 + if value > edges[count] { 1.0 } else { 0.0 },
        _ => cell as f64 - 1.0 + (value - edges[cell - 1]) / (edges[cell] - edges[cell - 1]),
    }
}

impl Mark for Cells {
    fn check(&self) -> Result<()> {
        if self.values.dim() != (self.y.len(), self.x.len()) {
            return Err(Error::argument(
                "values",
                format!("{} × {} (rows × columns)", self.y.len(), self.x.len()),
                format!("{} × {}", self.values.nrows(), self.values.ncols()),
            ));
        }
        for (name, places) in [("x", &self.x), ("y", &self.y)] {
            let ascending = places.windows(2).all(|p| p[0] < p[1]);
            if places.is_empty() || !ascending || places.iter().any(|v| !v.is_finite()) {
                return Err(Error::argument(
                    name,
                    "finite numbers or times, each larger than the one before",
                    format!("{} of them", places.len()),
                ));
            }
        }
        Ok(())
    }

    fn reach(&self, extent: &mut Extent) {
        for (axis, places) in [(&mut extent.x, &self.x), (&mut extent.y, &self.y)] {
            let (edges, _) = edges(places, self.most_gap);
            if let (Some(low), Some(high)) = (edges.first(), edges.last()) {
                axis.solid(*low, *high);
            }
        }
    }

    fn valued(&self) -> Option<Valued<'_>> {
        Some(Valued {
            values: Box::new(self.values.iter()),
            colormap: &self.colormap,
            stretch: self.stretch,
            norm: self.norm,
        })
    }

    fn draw(&self, ink: &Ink, frame: &Frame, page: &Page) -> Vec<Item> {
        let Some(&limits) = ink.limits.first() else {
            return Vec::new();
        };
        let ((x_edges, x_cells), (y_edges, y_cells)) =
            (edges(&self.x, self.most_gap), edges(&self.y, self.most_gap));
        let expanded = Array2::from_shape_fn((y_cells.len(), x_cells.len()), |(r, c)| {
            match (y_cells[r], x_cells[c]) {
                (Some(r), Some(c)) => self.values[(r, c)],
                _ => f32::NAN,
            }
        });
        let part = |i: usize, count: usize| i as f64 / count as f64;
        let (across, down) = page.cells;
        let cols: Vec<f64> = (0..=across)
            .map(|i| in_cells(&x_edges, frame.x.value(part(i, across))))
            .collect();
        let rows: Vec<f64> = (0..=down)
            .map(|i| in_cells(&y_edges, frame.y.value(1.0 - part(i, down))))
            .collect();
        let (rows, cols) = (
            resample::covers(&rows, y_cells.len()),
            resample::covers(&cols, x_cells.len()),
        );
        let (values, shares) = resample::mean(expanded.view(), &rows, &cols);
        filling(frame, colored(&values, &shares, &self.colormap, limits, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::Rect;
    use crate::plot::span::Span;
    use crate::plot::stretch::Limits;
    use crate::plot::style::Style;
    use ndarray::array;

    #[test]
    fn edges_lie_in_the_middle_and_gaps_stay_empty() {
        let (found, cells) = edges(&[0.0, 1.0, 3.0, 4.0], 3.0);
        assert_eq!(found, [-0.5, 0.5, 2.0, 3.5, 4.5]);
        assert_eq!(cells, [Some(0), Some(1), Some(2), Some(3)]);
        let (found, cells) = edges(&[0.0, 1.0, 2.0, 10.0], 3.0);
        assert_eq!(found, [-0.5, 0.5, 1.5, 2.5, 9.5, 10.5]);
        assert_eq!(cells, [Some(0), Some(1), Some(2), None, Some(3)]);
        assert_eq!(edges(&[5.0], 3.0).0, [4.5, 5.5]);
    }

    #[test]
    fn values_fill_their_cells_on_the_page() {
        let mut cells = Cells::new(
            vec![0.0, 1.0, 9.0],
            vec![0.0, 1.0],
            array![[1.0, 2.0, 3.0], [4.0, f32::NAN, 6.0]],
        );
        cells.colormap = Colormap::named("gray").unwrap();
        cells.most_gap = 1.0;
        // The usual distance is the upper of the two, so that nothing is a gap.
        let mut extent = Extent::new(Default::default(), Default::default());
        cells.reach(&mut extent);
        let (low, high) = extent.x.extent().unwrap();
        assert_eq!((low, high), (-0.5, 13.0));
        let frame = Frame {
            rect: Rect::new(0.0, 0.0, 27.0, 4.0),
            x: Span::linear(low, high),
            y: Span::linear(-0.5, 1.5),
        };
        let ink = Ink {
            colors: Vec::new(),
            limits: vec![Limits::linear(0.0, 6.0)],
        };
        let page = Page {
            cells: (27, 4),
            style: &Style::new(9.0),
        };
        let items = cells.draw(&ink, &frame, &page);
        let [Item::Bitmap { picture, .. }] = items.as_slice() else {
            panic!("{items:?}");
        };
        // Two pixels a unit: the slow loop over the pixels' middles.
        for row in 0..4 {
            for col in 0..27 {
                let x = low + (col as f64 + 0.5) / 2.0;
                let i = if x < 0.5 {
                    0
                } else if x < 5.0 {
                    1
                } else {
                    2
                };
                let value = cells.values[(usize::from(row < 2), i)];
                let [level, _, _, opacity] = picture.get(col, row);
                if value.is_nan() {
                    assert_eq!(opacity, 0);
                } else {
                    let expected = f64::from(value) / 6.0 * 255.0;
                    assert!(
                        (f64::from(level) - expected).abs() <= 1.0,
                        "({col}, {row}): {level} {expected}"
                    );
                }
            }
        }
    }
}
