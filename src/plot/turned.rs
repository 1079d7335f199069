//! Longitudes of what is drawn over images, counted as the images count them: −10° is 350° on a map from 0° to 360°.

use crate::raster::Bounds;
use crate::raster::extent::turns;

type Areas = Vec<Vec<Vec<(f64, f64)>>>;

/// Areas, each once for every turn in which its shell meets the images; None where none moves.
pub fn areas(areas: &Areas, images: &Bounds, turn: f64) -> Option<Areas> {
    let of = |rings: &Vec<Vec<(f64, f64)>>| {
        let shell = rings.first().into_iter().flatten();
        offsets(shell.map(|p| p.0), images, turn)
    };
    if areas.iter().all(|rings| of(rings) == [0.0]) {
        return None;
    }
    let mut out = Vec::new();
    for rings in areas {
        for offset in of(rings) {
            let ring = |ring: &Vec<(f64, f64)>| ring.iter().map(|&(x, y)| (x + offset, y)).collect();
            out.push(rings.iter().map(ring).collect());
        }
    }
    Some(out)
}

/// Points, each in the turn in which it lies on the images; None where none moves.
pub fn points(xs: &[f64], images: &Bounds, turn: f64) -> Option<Vec<f64>> {
    let moved: Vec<f64> = xs.iter().map(|x| within(*x, images, turn)).collect();
    let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    (!xs.iter().zip(&moved).all(same)).then_some(moved)
}

/// The whole turns by which coordinates come to meet the images; 0 where none does.
pub fn offsets(xs: impl Iterator<Item = f64>, images: &Bounds, turn: f64) -> Vec<f64> {
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
        let given = vec![square(-10.0, 5.0), square(20.0, 30.0), square(-60.0, -50.0)];
        assert_eq!(
            areas(&given, &PACIFIC, 360.0),
            Some(vec![
                square(-10.0, 5.0),
                square(350.0, 365.0),
                square(20.0, 30.0),
                square(300.0, 310.0)
            ])
        );
        assert_eq!(areas(&vec![square(20.0, 30.0)], &PACIFIC, 360.0), None);
    }

    #[test]
    fn points_follow_and_what_lies_elsewhere_stays() {
        assert_eq!(points(&[-10.0, 20.0], &PACIFIC, 360.0), Some(vec![350.0, 20.0]));
        let chart = Bounds {
            max_x: 40.0,
            ..PACIFIC
        };
        assert_eq!(points(&[-10.0, f64::NAN], &chart, 360.0), None);
    }
}
