//! Image layers as pictures of exactly a panel's pixels.

use ndarray::Array2;

use super::color::Color;
use super::colormap::Colormap;
use super::draw::Frame;
use super::layer::{Classes, Image, Rgb};
use super::picture::Picture;
use super::resample::{self, Cover};
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
fn sampled(
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

fn fill_pixels(picture: &mut Picture, color: impl Fn(usize) -> Color) {
    for (i, pixel) in picture.pixels.chunks_exact_mut(4).enumerate() {
        let c = color(i);
        pixel.copy_from_slice(&[c.r, c.g, c.b, c.a]);
    }
}

/// Values in the layer's colour map.
pub fn image(l: &Image, limits: Limits, frame: &Frame, cells: (usize, usize)) -> Picture {
    let (values, shares) = sampled(
        &l.values,
        l.grid.as_ref().map(|g| &g.transform),
        frame,
        cells,
        !l.nearest,
    );
    colored(&values, &shares, &l.colormap, limits, l.opacity)
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

/// Three bands as red, green and blue; a pixel is as opaque as its least valid band.
pub fn rgb(l: &Rgb, limits: &[Limits], frame: &Frame, cells: (usize, usize)) -> Picture {
    let transform = l.grid.as_ref().map(|g| &g.transform);
    let bands = l
        .bands
        .each_ref()
        .map(|b| sampled(b, transform, frame, cells, true));
    let levels: [Vec<u8>; 3] = [0, 1, 2].map(|b| {
        let limits = limits[b];
        bands[b]
            .0
            .iter()
            .map(|v| {
                let t = limits.position(f64::from(*v)).clamp(0.0, 1.0);
                (t.powf(1.0 / l.gamma) * 255.0).round() as u8
            })
            .collect()
    });
    let shares: Vec<f32> = bands[0]
        .1
        .iter()
        .zip(&bands[1].1)
        .zip(&bands[2].1)
        .map(|((a, b), c)| a.min(*b).min(*c))
        .collect();
    let mut picture = Picture::new(cells.0, cells.1);
    fill_pixels(&mut picture, |i| {
        Color::rgb(levels[0][i], levels[1][i], levels[2][i]).with_opacity(f64::from(shares[i]))
    });
    picture
}

/// Each pixel in the colour of its class.
pub fn classes(l: &Classes, frame: &Frame, cells: (usize, usize)) -> Picture {
    let (values, _) = sampled(
        &l.values,
        l.grid.as_ref().map(|g| &g.transform),
        frame,
        cells,
        false,
    );
    let mut table: Vec<(i64, Color)> = l.classes.iter().map(|c| (c.value, c.color)).collect();
    table.sort_by_key(|(value, _)| *value);
    let values: Vec<f32> = values.iter().copied().collect();
    let mut picture = Picture::new(cells.0, cells.1);
    fill_pixels(&mut picture, |i| {
        if !values[i].is_finite() {
            return Color::TRANSPARENT;
        }
        let value = values[i].round() as i64;
        match table.binary_search_by_key(&value, |(v, _)| *v) {
            Ok(at) => table[at].1,
            Err(_) => Color::TRANSPARENT,
        }
    });
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::layer::Class;
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
    fn classes_without_a_colour_are_transparent() {
        let l = Classes {
            values: ndarray::array![[0.0, 1.0, 7.0, f32::NAN]],
            grid: None,
            classes: vec![
                Class {
                    value: 1,
                    name: "water".into(),
                    color: Color::rgb(0, 0, 255),
                },
                Class {
                    value: 0,
                    name: "land".into(),
                    color: Color::rgb(0, 255, 0),
                },
            ],
        };
        let frame = Frame {
            rect: Rect::new(0.0, 0.0, 4.0, 1.0),
            x: Span::linear(0.0, 4.0),
            y: Span::linear(1.0, 0.0),
        };
        let p = classes(&l, &frame, (4, 1));
        assert_eq!(p.get(0, 0), [0, 255, 0, 255]);
        assert_eq!(p.get(1, 0), [0, 0, 255, 255]);
        assert_eq!((p.get(2, 0)[3], p.get(3, 0)[3]), (0, 0));
    }
}
