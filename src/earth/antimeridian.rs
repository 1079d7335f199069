//! Longitudes beyond ±180°: lines followed over the antimeridian, rings around a pole, and the parts of both on the one map that goes
//! from −180° to 180°.

use geo::{Coord, LineString, Rect};

/// Longitudes one after the other, continuous: they run on beyond ±180° where a step is of more than half a turn.
#[derive(Debug, Clone, Copy, Default)]
pub struct Continuous {
    turns: f64,
    last: Option<f64>,
}

impl Continuous {
    /// The next one. What is not finite is no place, and nothing is told from it.
    pub fn next(&mut self, longitude: f64) -> f64 {
        let step = self.last.map_or(0.0, |last| longitude + self.turns - last);
        if step > 180.0 {
            self.turns -= 360.0;
        } else if step < -180.0 {
            self.turns += 360.0;
        }
        self.take(longitude)
    }

    /// The next one where a step of a whole turn is the edge of the map itself, from −180° to 180°, and not the way around nothing.
    pub fn next_on_map(&mut self, longitude: f64) -> f64 {
        match self.last {
            Some(last) if (longitude + self.turns - last).abs() >= 360.0 => self.take(longitude),
            _ => self.next(longitude),
        }
    }

    fn take(&mut self, longitude: f64) -> f64 {
        let continuous = longitude + self.turns;
        if continuous.is_finite() {
            self.last = Some(continuous);
        }
        continuous
    }
}

/// A continuous ring, and whether it goes around a pole: one that ends a turn from where it began. It is then closed along the pole on
/// whose side it lies.
pub fn closed(mut ring: Vec<Coord>) -> (LineString, bool) {
    let (Some(&first), Some(&last)) = (ring.first(), ring.last()) else {
        return (LineString::new(ring), false);
    };
    if (last.x - first.x).abs() < 180.0 {
        return (LineString::new(ring), false);
    }
    let mean = ring.iter().map(|c| c.y).sum::<f64>() / ring.len() as f64;
    let pole = 90f64.copysign(mean);
    ring.extend([Coord { x: last.x, y: pole }, Coord { x: first.x, y: pole }, first]);
    (LineString::new(ring), true)
}

/// The maps that longitudes from `west` to `east` reach into, each with how far east of the usual one it lies.
pub fn maps(west: f64, east: f64) -> impl Iterator<Item = (f64, Rect)> {
    let first = ((west + 180.0) / 360.0).floor() as i64;
    let last = (((east + 180.0) / 360.0).ceil() as i64 - 1).max(first);
    (first..=last).map(|turn| {
        let offset = 360.0 * turn as f64;
        (offset, Rect::new((offset - 180.0, -90.0), (offset + 180.0, 90.0)))
    })
}

/// The same longitude from −180° on, below 180°.
pub fn wrapped(longitude: f64) -> f64 {
    (longitude + 180.0).rem_euclid(360.0) - 180.0
}

/// From west to east in −180° to 180°: two ranges where west is greater than east (RFC 7946, section 5.2).
pub fn ranges(west: f64, east: f64) -> Vec<(f64, f64)> {
    match west > east {
        true => vec![(west, 180.0), (-180.0, east)],
        false => vec![(west, east)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(longitudes: &[f64], next: fn(&mut Continuous, f64) -> f64) -> Vec<f64> {
        let mut continuous = Continuous::default();
        longitudes.iter().map(|lon| next(&mut continuous, *lon)).collect()
    }

    #[test]
    fn steps_go_the_short_way() {
        assert_eq!(
            followed(
                &[170.0, -170.0, -100.0, 0.0, 100.0, 179.0, -179.0],
                Continuous::next
            ),
            [170.0, 190.0, 260.0, 360.0, 460.0, 539.0, 541.0]
        );
        assert_eq!(
            followed(&[-170.0, 170.0, 175.0], Continuous::next),
            [-170.0, -190.0, -185.0]
        );
        let with_gap = followed(&[170.0, f64::NAN, -170.0], Continuous::next);
        assert!(with_gap[1].is_nan() && with_gap[2] == 190.0);
        assert_eq!(followed(&[-180.0, 180.0], Continuous::next), [-180.0, -180.0]);
        assert_eq!(
            followed(&[-180.0, 180.0], Continuous::next_on_map),
            [-180.0, 180.0]
        );
    }

    #[test]
    fn maps_are_those_that_are_reached() {
        let offsets = |west, east| maps(west, east).map(|(offset, _)| offset).collect::<Vec<_>>();
        assert_eq!(offsets(-180.0, 180.0), [0.0]);
        assert_eq!(offsets(170.0, 190.0), [0.0, 360.0]);
        assert_eq!(offsets(-550.0, -170.0), [-720.0, -360.0, 0.0]);
        assert_eq!(offsets(180.0, 180.0), [360.0]);
    }
}
