//! Bounds of an area in another CRS: its inside, edges and limbs are followed, poles looked for, longitudes counted on.

use super::{Bounds, Crs, Grid, Transformer, Window};
use crate::error::{Error, Result};

/// Pieces of the area's sides in the lattice that is followed, and of each outer edge, where extremes lie.
const STEPS: usize = 32;
const EDGE_STEPS: usize = 512;
/// Halvings on the way to a limb, between a node that has an image and one that has none.
const HALVINGS: usize = 24;

/// Bounds of an area given in one CRS, in another. In longitude and latitude they are the arc that holds the area: from a
/// west within ±180° eastward, beyond 180° where the area crosses it; all around and up to the pole where one lies inside.
///
/// # Errors
/// When nothing of the area has an image.
pub fn transform_bounds(bounds: &Bounds, from: &Crs, to: &Crs) -> Result<Bounds> {
    if from == to {
        return Ok(*bounds);
    }
    let transformer = Transformer::new(from, to)?;
    let nodes = lattice(bounds, &transformer);
    let rim = rim(bounds, &transformer, &nodes);
    let images = || nodes.iter().map(|n| n.1).chain(rim.iter().copied());
    let finite = images().filter(|(x, y)| x.is_finite() && y.is_finite());
    let plain = Bounds::around(finite).ok_or_else(|| {
        Error::argument(
            "bounds",
            format!("an area that {to} covers"),
            format!("{bounds} in {from}"),
        )
    })?;
    match to.turn() {
        Some(turn) => Ok(around(
            bounds,
            &plain,
            turn,
            &nodes,
            &rim,
            &Transformer::new(to, from)?,
        )),
        None => Ok(plain),
    }
}

type Point = (f64, f64);

/// (place, image) of the nodes of a lattice over the area, row by row.
fn lattice(bounds: &Bounds, transformer: &Transformer) -> Vec<(Point, Point)> {
    let at = |low: f64, size: f64, i: usize| low + size * (i as f64 / STEPS as f64);
    let side = STEPS + 1;
    let places = (0..side * side).map(|i| {
        (
            at(bounds.min_x, bounds.width(), i % side),
            at(bounds.min_y, bounds.height(), i / side),
        )
    });
    let places: Vec<Point> = places.collect();
    places.iter().copied().zip(images(transformer, &places)).collect()
}

fn images(transformer: &Transformer, places: &[Point]) -> Vec<Point> {
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = places.iter().copied().unzip();
    transformer.apply(&mut xs, &mut ys);
    xs.into_iter().zip(ys).collect()
}

/// Images along the edges of the area, and at the limbs that the lattice crosses.
fn rim(bounds: &Bounds, transformer: &Transformer, nodes: &[(Point, Point)]) -> Vec<Point> {
    let b = bounds;
    let mut places = Vec::new();
    for i in 0..=EDGE_STEPS {
        let t = i as f64 / EDGE_STEPS as f64;
        let (x, y) = (b.min_x + b.width() * t, b.min_y + b.height() * t);
        places.extend([(x, b.min_y), (x, b.max_y), (b.min_x, y), (b.max_x, y)]);
    }
    let seen = |i: usize| nodes[i].1.0.is_finite();
    // The last place with an image and the first without.
    let mut limbs: Vec<(Point, Point)> = neighbours()
        .filter(|&(i, j)| seen(i) != seen(j))
        .map(|(i, j)| if seen(i) { (i, j) } else { (j, i) })
        .map(|(i, j)| (nodes[i].0, nodes[j].0))
        .collect();
    for _ in 0..HALVINGS {
        let middles: Vec<Point> = limbs
            .iter()
            .map(|(a, b)| ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0))
            .collect();
        for ((limb, &middle), image) in limbs.iter_mut().zip(&middles).zip(images(transformer, &middles)) {
            match image.0.is_finite() {
                true => limb.0 = middle,
                false => limb.1 = middle,
            }
        }
    }
    places.extend(limbs.into_iter().map(|(inside, _)| inside));
    images(transformer, &places)
}

/// Neighbours in the lattice.
fn neighbours() -> impl Iterator<Item = (usize, usize)> {
    let side = STEPS + 1;
    (0..side * side).flat_map(move |i| {
        let right = (i % side < STEPS).then_some((i, i + 1));
        let up = (i / side < STEPS).then_some((i, i + side));
        right.into_iter().chain(up)
    })
}

/// The arc of longitudes, and the latitudes, of an area whose images have the bounds `plain`.
fn around(
    area: &Bounds,
    plain: &Bounds,
    turn: f64,
    nodes: &[(Point, Point)],
    rim: &[Point],
    back: &Transformer,
) -> Bounds {
    let pole = turn / 4.0;
    let whole = Bounds {
        min_x: -turn / 2.0,
        max_x: turn / 2.0,
        ..*plain
    };
    let mut out = *plain;
    let poles = [pole, -pole].map(|latitude| holds_pole(area, latitude, turn, back));
    if poles[0] {
        out.max_y = pole;
    }
    if poles[1] {
        out.min_y = -pole;
    }
    if poles[0] || poles[1] {
        return Bounds {
            min_x: whole.min_x,
            max_x: whole.max_x,
            ..out
        };
    }
    // Longitudes counted on from node to node: neighbours are less than half a turn apart. A pole has none.
    let image = |i: usize| {
        let (lon, lat) = nodes[i].1;
        (lat.abs() < pole * (1.0 - 1e-12)).then_some(lon)
    };
    let beside = |lon: f64, other: f64| lon + turn * ((other - lon) / turn).round();
    let side = STEPS + 1;
    let mut counted: Vec<Option<f64>> = vec![None; nodes.len()];
    for start in 0..nodes.len() {
        if counted[start].is_some() || image(start).is_none_or(|lon| !lon.is_finite()) {
            continue;
        }
        // Parts that no lattice path joins start within half a turn of what came before.
        let before = counted.iter().flatten().next().copied();
        counted[start] = image(start).map(|lon| before.map_or(lon, |other| beside(lon, other)));
        let mut open = vec![start];
        while let Some(i) = open.pop() {
            let Some(lon) = counted[i] else { continue };
            let (row, col) = (i / side, i % side);
            let near = [
                (col > 0).then(|| i - 1),
                (col < STEPS).then_some(i + 1),
                (row > 0).then(|| i - side),
                (row < STEPS).then_some(i + side),
            ];
            for j in near.into_iter().flatten() {
                let next = image(j).filter(|v| v.is_finite());
                if let (None, Some(next)) = (counted[j], next) {
                    counted[j] = Some(beside(next, lon));
                    open.push(j);
                }
            }
        }
    }
    let range = |low: f64, high: f64, v: f64| (low.min(v), high.max(v));
    let (mut west, mut east) = counted
        .iter()
        .flatten()
        .fold((f64::MAX, f64::MIN), |(low, high), &v| range(low, high, v));
    if west > east {
        return out;
    }
    // The rim widens the arc by little.
    let middle = (west + east) / 2.0;
    for &(lon, lat) in rim {
        if lon.is_finite() && lat.abs() < pole * (1.0 - 1e-12) && east - west < turn {
            (west, east) = range(west, east, beside(lon, middle));
        }
    }
    if east - west >= turn * (1.0 - 1e-12) && (west - whole.min_x).abs() > turn {
        (west, east) = (whole.min_x, whole.max_x);
    }
    // A hair beyond 180° is 180°.
    let turns = ((west - whole.min_x) / turn + 1e-9).floor() * turn;
    Bounds {
        min_x: west - turns,
        max_x: (east - turns).min(west - turns + turn),
        ..out
    }
}

/// Whether the area holds a pole with all meridians around it.
fn holds_pole(area: &Bounds, latitude: f64, turn: f64, back: &Transformer) -> bool {
    let hair = 1e-6;
    let inside = |&(x, y): &Point| {
        let (dx, dy) = (1e-9 * area.width(), 1e-9 * area.height());
        x >= area.min_x - dx && x <= area.max_x + dx && y >= area.min_y - dy && y <= area.max_y + dy
    };
    let circle: Vec<Point> = (0..8)
        .map(|i| (turn * (f64::from(i) / 8.0 - 0.5), latitude * (1.0 - hair)))
        .collect();
    images(back, &circle).iter().all(inside)
}

/// The window of `target` that `source` touches: where a mosaic needs it.
///
/// # Errors
/// When both have a CRS and nothing of the source has an image in the target's.
pub(super) fn footprint(source: &Grid, target: &Grid) -> Result<Window> {
    let bounds = match (&source.crs, &target.crs) {
        (Some(a), Some(b)) => transform_bounds(&source.bounds(), a, b)?,
        _ => source.bounds(),
    };
    // Slack for edges that bend between the points that were followed.
    let (wide, high) = (bounds.width() / 64.0, bounds.height() / 64.0);
    let turn = target.crs.as_ref().and_then(Crs::turn);
    let mut found = Window::EMPTY;
    for offset in turns(turn) {
        let corners = [
            (bounds.min_x - wide + offset, bounds.min_y - high),
            (bounds.max_x + wide + offset, bounds.min_y - high),
            (bounds.min_x - wide + offset, bounds.max_y + high),
            (bounds.max_x + wide + offset, bounds.max_y + high),
        ];
        let Some(b) = Bounds::around(corners.map(|(x, y)| target.to_pixel(x, y))) else {
            return Ok(target.window());
        };
        let limit = |v: f64| v.clamp(-1e12, 1e12) as isize;
        let (row, col) = (limit(b.min_y.floor()) - 1, limit(b.min_x.floor()) - 1);
        let (row_end, col_end) = (limit(b.max_y.ceil()) + 1, limit(b.max_x.ceil()) + 1);
        let window = Window::new(row, col, (row_end - row) as usize, (col_end - col) as usize);
        found = found.hull(&window.intersect(&target.window()));
    }
    Ok(found)
}

/// Columns of a grid, of which those a full turn of longitude apart are the same place.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    count: usize,
    /// Columns in a full turn, where columns count longitudes.
    pub turn: Option<f64>,
}

impl Columns {
    pub fn new(grid: &Grid) -> Columns {
        Columns {
            count: grid.cols,
            turn: grid.turn(),
        }
    }

    /// The same longitude, as the column within half a turn of another one.
    pub fn beside(&self, x: f64, other: f64) -> f64 {
        match self.turn {
            Some(turn) => x + turn * ((other - x) / turn).round(),
            None => x,
        }
    }

    /// The column within half a turn of the middle of the grid.
    pub fn wrapped(&self, x: f64) -> f64 {
        self.beside(x, self.count as f64 / 2.0)
    }

    /// The column in the grid, where it has the longitude.
    pub fn inside(&self, x: f64) -> f64 {
        match self.turn {
            Some(turn) if !(0.0..self.count as f64).contains(&x) => x.rem_euclid(turn),
            _ => x,
        }
    }

    /// The column that holds the pixels of `col`: itself, or the one a turn away. None outside the grid.
    pub fn column(&self, col: isize) -> Option<isize> {
        let inside = |c: isize| (c >= 0 && c < self.count as isize).then_some(c);
        inside(col).or_else(|| {
            self.turn?;
            inside(self.inside(col as f64 + 0.5).floor() as isize)
        })
    }

    /// A window that reaches beyond the grid to one side, a turn away: what lies there is at the other end.
    pub fn turned(&self, window: &Window) -> Option<Window> {
        let turn = self.turn?;
        let offset = match window {
            w if w.col < 0 => turn,
            w if w.col_end() > self.count as isize => -turn,
            _ => return None,
        };
        // A column more on each side, where a turn is not a whole number of them.
        Some(window.shifted(0, offset.round() as isize).grow(0, 1))
    }
}

/// What may be added to x without leaving the place: whole turns of longitude, or nothing.
pub fn turns(turn: Option<f64>) -> impl Iterator<Item = f64> {
    let reach = if turn.is_some() { 2 } else { 0 };
    (-reach..=reach).map(move |k| f64::from(k) * turn.unwrap_or(0.0))
}

/// The smallest arc that holds all arcs (west, east) of longitude.
pub fn arc(arcs: &[(f64, f64)], turn: f64) -> Option<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> = arcs
        .iter()
        .map(|&(west, east)| (west.rem_euclid(turn), east - west))
        .map(|(west, width)| (west, west + width))
        .collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let &(first, mut reached) = sorted.first()?;
    // The widest gap is outside; at first the one before the first arc.
    let last = sorted.iter().map(|a| a.1).fold(f64::MIN, f64::max);
    let (mut gap, mut west) = (first + turn - last, first);
    for &(start, end) in &sorted {
        if start - reached > gap {
            (gap, west) = (start - reached, start);
        }
        reached = reached.max(end);
    }
    let west = west - turn * ((west + turn / 2.0) / turn).floor();
    Some((west, west + turn - gap.max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees(bounds: [f64; 4], from: &str) -> [f64; 4] {
        let [min_x, min_y, max_x, max_y] = bounds;
        let area = Bounds {
            min_x,
            min_y,
            max_x,
            max_y,
        };
        let b = transform_bounds(&area, &Crs::parse(from).unwrap(), &Crs::wgs84().unwrap()).unwrap();
        [b.min_x, b.min_y, b.max_x, b.max_y]
    }

    fn near(found: [f64; 4], expected: [f64; 4], tolerance: f64) {
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() < tolerance, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn poles_and_the_antimeridian() {
        // pyproj 3.7: (3333250, 3333250) of EPSG:3031 lies at 48.461525° S.
        let all = degrees([-3333250.0, -3333250.0, 3333250.0, 3333250.0], "EPSG:3031");
        near(all, [-180.0, -90.0, 180.0, -48.461_525], 1e-5);
        // Right of the pole, between y = ±100 km: about 90° E.
        let part = degrees([500000.0, -100000.0, 900000.0, 100000.0], "EPSG:3031");
        let slope = (1.0f64 / 5.0).atan().to_degrees();
        assert!((part[0] - (90.0 - slope)).abs() < 1e-6 && (part[2] - (90.0 + slope)).abs() < 1e-6);
        // Below it, across 180°.
        let below = degrees([-100000.0, -900000.0, 100000.0, -500000.0], "EPSG:3031");
        assert!((below[0] - (180.0 - slope)).abs() < 1e-6 && (below[2] - (180.0 + slope)).abs() < 1e-6);
        // UTM zone 60, its eastern half and beyond: 177° E is its middle.
        let utm = degrees([600000.0, 0.0, 900000.0, 100000.0], "EPSG:32660");
        assert!(
            utm[0] > 177.0 && utm[0] < 179.0 && utm[2] > 180.0 && utm[2] < 181.0,
            "{utm:?}"
        );
        let world = 20037508.342789244;
        near(
            degrees([-world, -world, world, world], "EPSG:3857"),
            [-180.0, -85.051_128_78, 180.0, 85.051_128_78],
            1e-6,
        );
    }

    #[test]
    fn a_full_disc_has_the_longitudes_of_its_limb() {
        // The limb seen from 35 786 023 m over the equator: acos(a / (a + h)) = 81.3° away.
        let disc = degrees(
            [-5.6e6, -5.6e6, 5.6e6, 5.6e6],
            "+proj=geos +h=35786023 +lon_0=140.7 +sweep=y +ellps=GRS80",
        );
        let limb = (6378137.0f64 / (6378137.0 + 35786023.0)).acos().to_degrees();
        near(
            [disc[0], disc[2], disc[0], disc[2]],
            [140.7 - limb, 140.7 + limb, 140.7 - limb, 140.7 + limb],
            0.1,
        );
    }

    #[test]
    fn the_smallest_arc() {
        let close = |a: Option<(f64, f64)>, b: (f64, f64)| {
            let a = a.unwrap();
            assert!(
                (a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9,
                "{a:?} {b:?}"
            );
        };
        close(arc(&[(170.0, 180.0), (-180.0, -170.0)], 360.0), (170.0, 190.0));
        close(arc(&[(-10.0, 5.0), (20.0, 30.0)], 360.0), (-10.0, 30.0));
        close(arc(&[(-180.0, 180.0)], 360.0), (-180.0, 180.0));
        close(arc(&[(7.0, 7.0)], 360.0), (7.0, 7.0));
        assert_eq!(arc(&[], 360.0), None);
    }
}
