//! Images as pictures of exactly a panel's pixels.

use ndarray::Array2;

use super::color::Color;
use super::colormap::Colormap;
use super::picture::Picture;
use super::place::Frame;
use super::resample::{self, Cover};
use super::scene::Item;
use super::stretch::Limits;
use crate::raster::Affine;

/// Edges of the panel's pixels in the image's own columns and rows; None where the image is turned.
fn covers(
    frame: &Frame,
    transform: Option<&Affine>,
    shape: (usize, usize),
    cells: (usize, usize),
) -> Option<(Vec<Cover>, Vec<Cover>)> {
    let (x0, dx, y0, dy) = match transform {
        Some(t) if t.is_axis_aligned() => (t.x0, t.dx, t.y0, t.dy),
        Some(_) => return None,
        None => (0.0, 1.0, 0.0, 1.0),
    };
    let edge = |i: usize, count: usize| i as f64 / count as f64;
    let cols: Vec<f64> = (0..=cells.0)
        .map(|i| (frame.x.value(edge(i, cells.0)) - x0) / dx)
        .collect();
    let rows: Vec<f64> = (0..=cells.1)
        .map(|i| (frame.y.value(1.0 - edge(i, cells.1)) - y0) / dy)
        .collect();
    Some((resample::covers(&rows, shape.0), resample::covers(&cols, shape.1)))
}

/// Values at the panel's pixels and how much of each is valid.
pub fn sampled(
    values: &Array2<f32>,
    transform: Option<&Affine>,
    frame: &Frame,
    cells: (usize, usize),
    average: bool,
) -> (Array2<f32>, Array2<f32>) {
    let picked = match (covers(frame, transform, values.dim(), cells), transform) {
        (Some((rows, cols)), _) if average => return resample::mean(values.view(), &rows, &cols),
        (Some((rows, cols)), _) => resample::nearest(values.view(), &rows, &cols),
        (None, Some(transform)) => turned(values, transform, frame, cells),
        (None, None) => Array2::from_elem((cells.1, cells.0), f32::NAN),
    };
    let shares = picked.map(|v| if v.is_finite() { 1.0 } else { 0.0 });
    (picked, shares)
}

/// Where an image has values, as points of a lattice on the page: one without gaps is everywhere alike.
pub fn covered(values: &Array2<f32>, transform: Option<&Affine>, frame: &Frame) -> Vec<(f64, f64)> {
    const STEP: f64 = 6.0;
    let rect = frame.rect;
    let count = |length: f64| ((length / STEP).round() as usize).clamp(1, 1000);
    let (across, down) = (count(rect.width), count(rect.height));
    let (_, shares) = sampled(values, transform, frame, (across, down), false);
    let valid = shares.indexed_iter().filter(|(_, share)| **share > 0.0);
    let place = |((row, col), _): ((usize, usize), &f32)| {
        (
            rect.x + (col as f64 + 0.5) / across as f64 * rect.width,
            rect.y + (row as f64 + 0.5) / down as f64 * rect.height,
        )
    };
    valid.map(place).collect()
}

fn turned(values: &Array2<f32>, transform: &Affine, frame: &Frame, cells: (usize, usize)) -> Array2<f32> {
    let Some(inverse) = transform.invert() else {
        return Array2::from_elem((cells.1, cells.0), f32::NAN);
    };
    Array2::from_shape_fn((cells.1, cells.0), |(row, col)| {
        let x = frame.x.value((col as f64 + 0.5) / cells.0 as f64);
        let y = frame.y.value(1.0 - (row as f64 + 0.5) / cells.1 as f64);
        let (c, r) = inverse.apply(x, y);
        if c < 0.0 || r < 0.0 {
            return f32::NAN;
        }
        values.get((r as usize, c as usize)).copied().unwrap_or(f32::NAN)
    })
}

pub fn fill_pixels(picture: &mut Picture, color: impl Fn(usize) -> Color) {
    for (i, pixel) in picture.pixels.chunks_exact_mut(4).enumerate() {
        let c = color(i);
        pixel.copy_from_slice(&[c.r, c.g, c.b, c.a]);
    }
}

/// A picture that fills the panel.
pub fn filling(frame: &Frame, picture: Picture) -> Vec<Item> {
    vec![Item::Bitmap {
        rect: frame.rect,
        picture,
    }]
}

/// Values in a colour map, as opaque as they are valid.
pub fn colored(
    values: &Array2<f32>,
    shares: &Array2<f32>,
    colormap: &Colormap,
    limits: Limits,
    opacity: f64,
) -> Picture {
    let (rows, cols) = values.dim();
    let mut picture = Picture::new(cols, rows);
    let pairs: Vec<(f32, f32)> = values.iter().copied().zip(shares.iter().copied()).collect();
    fill_pixels(&mut picture, |i| {
        let (value, share) = pairs[i];
        colormap
            .color(limits.position(f64::from(value)))
            .with_opacity(f64::from(share) * opacity)
    });
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::Rect;
    use crate::plot::span::Span;

    fn frame() -> Frame {
        Frame {
            rect: Rect::new(10.0, 10.0, 100.0, 50.0),
            x: Span::linear(0.0, 10.0),
            y: Span::linear(0.0, 5.0),
        }
    }

    #[test]
    fn a_turned_grid_is_sampled_through_its_inverse() {
        // Turned by 90°: columns run north, rows run east.
        let transform = Affine {
            x0: 0.0,
            dx: 0.0,
            rx: 5.0,
            y0: 0.0,
            ry: 2.5,
            dy: 0.0,
        };
        let values = ndarray::array![[1.0, 2.0], [3.0, 4.0]];
        let picked = turned(&values, &transform, &frame(), (2, 2));
        assert_eq!(picked, ndarray::array![[2.0, 4.0], [1.0, 3.0]]);
    }

    #[test]
    fn what_is_masked_is_not_covered() {
        let values = Array2::from_shape_fn((5, 10), |(_, col)| if col < 5 { 1.0 } else { f32::NAN });
        let points = covered(&values, None, &frame());
        assert!(points.len() > 50 && points.iter().all(|(x, _)| *x <= 60.0));
        let rightmost = points.iter().map(|p| p.0).fold(f64::MIN, f64::max);
        assert!(rightmost > 50.0, "{rightmost}");
        let all = covered(&values.map(|_| 1.0), None, &frame());
        assert_eq!(all.len(), 17 * 8);
    }
}
