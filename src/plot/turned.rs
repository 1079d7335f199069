//! Longitudes of what is drawn over images, counted as the images count them: −10° is 350° on a map from 0° to 360°.

use std::borrow::Cow;

use super::layer::{ErrorBars, Layer, Line, Polygons, Scatter};
use crate::raster::Bounds;
use crate::raster::extent::turns;

/// A layer where it lies on images that reach from `images.min_x` to `images.max_x`, in a CRS in which longitudes come back
/// after `turn`. Points move; lines and areas are drawn once for each turn in which they meet the images. What meets them in no turn
/// stays where it is.
pub fn onto<'a>(layer: Cow<'a, Layer>, images: &Bounds, turn: f64) -> Cow<'a, Layer> {
    let moved = match layer.as_ref() {
        Layer::Line(Line { x, .. }) => offsets(x.iter().copied(), images, turn) != [0.0],
        Layer::Polygons(l) => {
            let shells = || l.polygons.iter().filter_map(|rings| rings.first());
            shells().any(|shell| offsets(shell.iter().map(|p| p.0), images, turn) != [0.0])
        }
        Layer::Scatter(Scatter { x, .. }) | Layer::ErrorBars(ErrorBars { x, .. }) => {
            x.iter().any(|&x| within(x, images, turn) != x)
        }
        Layer::Note(l) => within(l.x, images, turn) != l.x,
        _ => false,
    };
    if !moved {
        return layer;
    }
    let mut layer = layer.into_owned();
    match &mut layer {
        Layer::Line(Line { x, y, .. }) => {
            let (mut xs, mut ys) = (Vec::new(), Vec::new());
            for offset in offsets(x.iter().copied(), images, turn) {
                if !xs.is_empty() {
                    // A gap.
                    xs.push(f64::NAN);
                    ys.push(f64::NAN);
                }
                xs.extend(x.iter().map(|x| x + offset));
                ys.extend_from_slice(y);
            }
            (*x, *y) = (xs, ys);
        }
        Layer::Polygons(Polygons { polygons, .. }) => {
            let all = std::mem::take(polygons);
            for rings in all {
                let shell = rings.first().into_iter().flatten();
                for offset in offsets(shell.map(|p| p.0), images, turn) {
                    let ring = |ring: &Vec<(f64, f64)>| ring.iter().map(|&(x, y)| (x + offset, y)).collect();
                    polygons.push(rings.iter().map(ring).collect());
                }
            }
        }
        Layer::Scatter(Scatter { x, .. }) | Layer::ErrorBars(ErrorBars { x, .. }) => {
            x.iter_mut().for_each(|x| *x = within(*x, images, turn));
        }
        Layer::Note(l) => l.x = within(l.x, images, turn),
        _ => {}
    }
    Cow::Owned(layer)
}

/// The whole turns by which coordinates come to meet the images; 0 where none does.
fn offsets(xs: impl Iterator<Item = f64>, images: &Bounds, turn: f64) -> Vec<f64> {
    let (low, high) = xs
        .filter(|x| x.is_finite())
        .fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    // What only touches an edge is beside the images.
    let meets = |offset: &f64| low + offset < images.max_x && high + offset > images.min_x;
    let found: Vec<f64> = turns(Some(turn)).filter(meets).collect();
    match low > high || found.is_empty() {
        true => vec![0.0],
        false => found,
    }
}

/// A point in the turn in which it lies on the images.
fn within(x: f64, images: &Bounds, turn: f64) -> f64 {
    let inside = |x: &f64| (images.min_x..=images.max_x).contains(x);
    if inside(&x) {
        return x;
    }
    turns(Some(turn))
        .map(|offset| x + offset)
        .find(inside)
        .unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACIFIC: Bounds = Bounds {
        min_x: 0.0,
        min_y: -90.0,
        max_x: 360.0,
        max_y: 90.0,
    };

    #[test]
    fn areas_that_cross_the_edge_are_drawn_at_both_ends() {
        let square = |west: f64, east: f64| {
            vec![vec![
                (west, 0.0),
                (east, 0.0),
                (east, 5.0),
                (west, 5.0),
                (west, 0.0),
            ]]
        };
        let layer = Layer::Polygons(Polygons::new(vec![
            square(-10.0, 5.0),
            square(20.0, 30.0),
            square(-60.0, -50.0),
        ]));
        let Layer::Polygons(found) = onto(Cow::Borrowed(&layer), &PACIFIC, 360.0).into_owned() else {
            panic!("another layer");
        };
        assert_eq!(
            found.polygons,
            [
                square(-10.0, 5.0),
                square(350.0, 365.0),
                square(20.0, 30.0),
                square(300.0, 310.0)
            ]
        );
    }

    #[test]
    fn points_and_lines_follow_and_what_lies_elsewhere_stays() {
        let line = Layer::Line(Line::new(vec![-10.0, -20.0], vec![1.0, 2.0]));
        let Layer::Line(found) = onto(Cow::Borrowed(&line), &PACIFIC, 360.0).into_owned() else {
            panic!("another layer");
        };
        assert_eq!((found.x, found.y), (vec![350.0, 340.0], vec![1.0, 2.0]));
        let chart = Bounds {
            max_x: 40.0,
            ..PACIFIC
        };
        assert!(matches!(
            onto(Cow::Borrowed(&line), &chart, 360.0),
            Cow::Borrowed(_)
        ));
        assert_eq!(within(-10.0, &PACIFIC, 360.0), 350.0);
        assert_eq!(within(-10.0, &chart, 360.0), -10.0);
        assert!(within(f64::NAN, &PACIFIC, 360.0).is_nan());
    }
}
