//! A box in space as one sees it from afar, its sides parallel to the axes: no lines meet in the distance, so that lengths along each axis
//! compare everywhere.

use plotters::coord::CoordTranslate;
use plotters::coord::cartesian::Cartesian3d;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged};

use super::backend::{PARTS, parts};
use super::scene::Rect;

/// Where one looks from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// The direction that one looks into, in degrees clockwise from north.
    pub azimuth: f64,
    /// Above the horizon, in degrees.
    pub elevation: f64,
}

/// East, north, up.
pub type Point = (f64, f64, f64);

impl View {
    fn angles(&self) -> ((f64, f64), (f64, f64)) {
        (
            self.azimuth.to_radians().sin_cos(),
            self.elevation.to_radians().sin_cos(),
        )
    }

    /// How far a place on the ground is along the view: what is farther is hidden by what is nearer.
    pub fn depth(&self, east: f64, north: f64) -> f64 {
        let ((sin, cos), _) = self.angles();
        east * sin + north * cos
    }

    /// Width and height that a box of such sides takes on the page.
    pub fn extent(&self, (east, north, up): Point) -> (f64, f64) {
        let ((sin, cos), (lift, flat)) = self.angles();
        let across = east * cos.abs() + north * sin.abs();
        let back = east * sin.abs() + north * cos.abs();
        (across, back * lift + up * flat)
    }
}

/// Values along one axis, of which plotters draws what it is given: marks are ours.
#[derive(Clone)]
pub struct Axis3 {
    low: f64,
    high: f64,
    /// plotters counts towards the viewer what we count towards north.
    turned: bool,
}

impl Ranged for Axis3 {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.low) / (self.high - self.low);
        let share = if self.turned { 1.0 - share } else { share };
        // Whole numbers, as far as there are.
        (f64::from(limit.0) + share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        Vec::new()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

/// East, up, north.
pub type Coordinates3 = Cartesian3d<Axis3, Axis3, Axis3>;

/// A box between two corners, seen in the middle of a rectangle of a page.
pub struct Space {
    pub low: Point,
    pub high: Point,
    pub view: View,
    /// Of plotters, in parts of a point from the page's upper left corner.
    pub coordinates: Coordinates3,
}

impl Space {
    /// As large as `rect` can show it. `lengths` are those of the sides, each in the same unit.
    pub fn new(low: Point, high: Point, lengths: Point, view: View, rect: Rect) -> Space {
        let (width, height) = view.extent(lengths);
        let scale = (rect.width / width).min(rect.height / height);
        let axis = |low: f64, high: f64, turned: bool| Axis3 { low, high, turned };
        let range = |from: f64, to: f64| parts(from)..parts(to);
        let (across, down) = (range(rect.x, rect.right()), range(rect.y, rect.bottom()));
        let mut coordinates: Coordinates3 = Cartesian3d::new(
            axis(low.0, high.0, false),
            axis(low.2, high.2, false),
            axis(low.1, high.1, true),
            (across.clone(), down.clone()),
        );
        let size = |length: f64| parts(length * scale).max(1);
        coordinates.set_coord_pixel_range(
            across.clone(),
            down.clone(),
            (size(lengths.0), size(lengths.2), size(lengths.1)),
        );
        coordinates.set_projection(across, down, |mut builder| {
            builder.yaw = -view.azimuth.to_radians();
            builder.pitch = view.elevation.to_radians();
            builder.into_matrix()
        });
        Space {
            low,
            high,
            view,
            coordinates,
        }
    }

    /// Where a point is on the page.
    pub fn place(&self, (east, north, up): Point) -> (f64, f64) {
        let (x, y) = self.coordinates.translate(&(east, up, north));
        (f64::from(x) / PARTS, f64::from(y) / PARTS)
    }

    /// The corner of the ground that is nearest to the viewer, as ends of the two axes.
    pub fn nearest(&self) -> (f64, f64) {
        let ((sin, cos), _) = self.view.angles();
        let east = if sin > 0.0 { self.low.0 } else { self.high.0 };
        let north = if cos > 0.0 { self.low.1 } else { self.high.1 };
        (east, north)
    }

    /// The corner of the ground opposite to that.
    pub fn farthest(&self) -> (f64, f64) {
        let (east, north) = self.nearest();
        (self.low.0 + self.high.0 - east, self.low.1 + self.high.1 - north)
    }

    /// The corners of the ground whose upright edges are the leftmost and the rightmost on the page.
    pub fn outermost(&self) -> [(f64, f64); 2] {
        let ((sin, cos), _) = self.view.angles();
        let east = if cos > 0.0 { self.low.0 } else { self.high.0 };
        let north = if sin > 0.0 { self.high.1 } else { self.low.1 };
        let opposite = (self.low.0 + self.high.0 - east, self.low.1 + self.high.1 - north);
        [(east, north), opposite]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(azimuth: f64, elevation: f64) -> Space {
        let view = View { azimuth, elevation };
        let rect = Rect::new(0.0, 0.0, 400.0, 400.0);
        Space::new(
            (0.0, 0.0, 0.0),
            (10.0, 10.0, 10.0),
            (10.0, 10.0, 10.0),
            view,
            rect,
        )
    }

    #[test]
    fn from_above_it_is_a_map_and_from_the_side_a_section() {
        let above = space(0.0, 90.0);
        let near = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() < 0.1 && (a.1 - b.1).abs() < 0.1;
        assert!(
            near(above.place((0.0, 0.0, 5.0)), (0.0, 400.0)),
            "{:?}",
            above.place((0.0, 0.0, 5.0))
        );
        assert!(near(above.place((10.0, 10.0, 0.0)), (400.0, 0.0)));
        let side = space(0.0, 0.0);
        assert!(near(side.place((10.0, 3.0, 10.0)), (400.0, 0.0)));
        assert!(near(side.place((0.0, 8.0, 0.0)), (0.0, 400.0)));
        // Looking east, north is to the left.
        let east = space(90.0, 0.0);
        assert!(near(east.place((3.0, 10.0, 0.0)), (0.0, 400.0)));
        assert_eq!(east.outermost()[0].1, 10.0);
    }

    #[test]
    fn places_are_those_of_the_formula() {
        for (azimuth, elevation) in [(30.0, 25.0), (200.0, 40.0), (-75.0, 10.0)] {
            let space = space(azimuth, elevation);
            let (a, e) = (f64::to_radians(azimuth), f64::to_radians(elevation));
            let (width, height) = space.view.extent((10.0, 10.0, 10.0));
            let scale = (400.0 / width).min(400.0 / height);
            for (x, y, z) in [
                (0.0, 0.0, 0.0),
                (10.0, 2.0, 7.0),
                (5.0, 5.0, 5.0),
                (3.0, 9.0, 1.0),
            ] {
                let (x, y, z): Point = (x, y, z);
                let (u, v, w) = (x - 5.0, y - 5.0, z - 5.0);
                let expected = (
                    200.0 + scale * (u * a.cos() - v * a.sin()),
                    200.0 - scale * (w * e.cos() + (u * a.sin() + v * a.cos()) * e.sin()),
                );
                let found = space.place((x, y, z));
                assert!((found.0 - expected.0).abs() < 0.06 && (found.1 - expected.1).abs() < 0.06);
            }
            // What is nearer is lower on the page, as seen from above.
            let ((ne, nn), (fe, fnorth)) = (space.nearest(), space.farthest());
            assert!(space.place((ne, nn, 0.0)).1 > space.place((fe, fnorth, 0.0)).1);
            assert!(space.view.depth(ne, nn) < space.view.depth(fe, fnorth));
            let corners = [(0.0, 0.0), (0.0, 10.0), (10.0, 0.0), (10.0, 10.0)];
            let across = |(x, y): (f64, f64)| space.place((x, y, 0.0)).0;
            let least = corners.map(across).into_iter().fold(f64::MAX, f64::min);
            let most = corners.map(across).into_iter().fold(f64::MIN, f64::max);
            let [left, right] = space.outermost().map(across);
            assert!((left - least).abs() < 0.05 && (right - most).abs() < 0.05);
        }
    }
}
