//! Longitude and latitude along the sides of a map in another CRS, and across it.

use super::panel::Panel;
use super::sides::{Ruler, Side, Sides};
use super::ticks;
use crate::earth::antimeridian::Continuous;
use crate::error::Result;
use crate::raster::{Crs, Transformer};

/// Points along a side at which longitude or latitude is computed.
const SAMPLES: usize = 257;

/// The marks of a map in another CRS, by longitude and latitude.
pub fn sides(panel: &Panel, crs: &Crs, across: &Ruler, up: &Ruler) -> Result<Sides> {
    let transformer = Transformer::new(crs, &Crs::wgs84()?)?;
    let edge = |upright: bool| {
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = (0..SAMPLES)
            .map(|i| i as f64 / (SAMPLES - 1) as f64)
            .map(|p| if upright { (0.0, p) } else { (p, 0.0) })
            .map(|(px, py)| (panel.x.value(px), panel.y.value(py)))
            .unzip();
        transformer.apply(&mut xs, &mut ys);
        (unwrapped(&xs), ys)
    };
    let (bottom, left) = (edge(false), edge(true));
    // Near a pole the map can be turned so that latitude changes along the bottom; each side is labelled with what
    // changes along it.
    let turned = northward(&bottom) > 1.0 && northward(&left) < 1.0;
    let side = |(lon, lat): &(Vec<f64>, Vec<f64>), ruler: &Ruler, longitudes: bool| {
        if longitudes {
            crossings(lon, ruler, ticks::longitude)
        } else {
            crossings(lat, ruler, ticks::latitude)
        }
    };
    let (x, x_step) = side(&bottom, across, !turned);
    let (y, y_step) = side(&left, up, turned);
    let (lon_step, lat_step) = if turned {
        (y_step, x_step)
    } else {
        (x_step, y_step)
    };
    let with = |major| Side {
        major,
        ..Side::default()
    };
    Ok(Sides {
        x: with(x),
        y: with(y),
        graticule: lon_step.zip(lat_step),
    })
}

/// How far a line goes north or south for every unit that it goes east or west.
fn northward((lon, lat): &(Vec<f64>, Vec<f64>)) -> f64 {
    let length = |v: &[f64]| {
        v.windows(2)
            .map(|p| (p[1] - p[0]).abs())
            .filter(|d| d.is_finite() && *d < 90.0)
            .sum::<f64>()
    };
    let middle = lat[lat.len() / 2].to_radians().cos();
    length(lat) / (length(lon) * middle)
}

/// Longitudes without the jump from 180 to −180.
fn unwrapped(longitudes: &[f64]) -> Vec<f64> {
    let mut continuous = Continuous::default();
    longitudes.iter().map(|lon| continuous.next(*lon)).collect()
}

/// Where along a side its coordinate, given at equally spaced points, meets the multiples of a step; and the step.
fn crossings(
    values: &[f64],
    ruler: &Ruler,
    name: fn(f64, usize) -> String,
) -> (Vec<(f64, String)>, Option<f64>) {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = (
        finite().fold(f64::MAX, f64::min),
        finite().fold(f64::MIN, f64::max),
    );
    if low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
        return (Vec::new(), None);
    }
    let marks_of = |step: f64| {
        let mut marks = Vec::new();
        for at in ticks::multiples(low, high, step) {
            for (i, pair) in values.windows(2).enumerate() {
                let (a, b) = (pair[0] - at, pair[1] - at);
                // Near a pole the coordinate can leap; that is no crossing.
                if a.is_finite() && b.is_finite() && (a - b).abs() < 90.0 && (a <= 0.0) != (b <= 0.0) {
                    let part = (i as f64 + a / (a - b)) / (values.len() - 1) as f64;
                    marks.push((part, name(at, ticks::decimals(step))));
                }
            }
        }
        marks
    };
    let mut last = (Vec::new(), None);
    for step in ticks::degree_steps(high - low, ruler.most(6)) {
        let marks = marks_of(step);
        if marks.is_empty() && !last.0.is_empty() {
            break;
        }
        let fits = ruler.fits(&marks);
        last = (marks, Some(step));
        if fits {
            break;
        }
    }
    // One label says nothing of the scale: the two outermost of finer ones, where they find room.
    if last.0.len() < 2 {
        for step in ticks::degree_steps(high - low, 4 * ruler.most(6)) {
            let mut marks = marks_of(step);
            if let (true, Some(end)) = (marks.len() >= 2, marks.pop()) {
                marks.truncate(1);
                marks.push(end);
                if ruler.fits(&marks) {
                    return (marks, Some(step));
                }
            }
        }
    }
    last
}

/// The lines of constant longitude and latitude over a panel, in its own coordinates.
pub fn graticule(panel: &Panel, steps: (f64, f64)) -> Result<Vec<Vec<(f64, f64)>>> {
    let Some(crs) = &panel.crs else {
        return Ok(Vec::new());
    };
    let wgs84 = Crs::wgs84()?;
    let (there, back) = (Transformer::new(crs, &wgs84)?, Transformer::new(&wgs84, crs)?);
    const N: usize = 41;
    let part = |i: usize| i as f64 / (N - 1) as f64;
    let mut rows: Vec<(Vec<f64>, Vec<f64>)> = (0..N)
        .map(|r| {
            (0..N)
                .map(|c| (panel.x.value(part(c)), panel.y.value(part(r))))
                .unzip()
        })
        .collect();
    let (mut lon, mut lat) = (Range::default(), Range::default());
    let mut start = f64::NAN;
    for (xs, ys) in &mut rows {
        there.apply(xs, ys);
        let mut unwrapped_row = unwrapped(xs);
        // Rows start within half a turn of each other.
        let turns = ((start - unwrapped_row[0]) / 360.0).round();
        if turns.is_finite() {
            unwrapped_row.iter_mut().for_each(|v| *v += 360.0 * turns);
        }
        start = unwrapped_row[0];
        unwrapped_row.iter().for_each(|v| lon.add(*v));
        ys.iter().for_each(|v| lat.add(*v));
    }
    let (Some((west, east)), Some((south, north))) = (lon.0, lat.0) else {
        return Ok(Vec::new());
    };
    // A pole inside the panel is met by every meridian.
    let (west, east) = if east - west > 300.0 {
        (-180.0, 180.0)
    } else {
        (west, east)
    };
    let (south, north) = ((south - steps.1).max(-90.0), (north + steps.1).min(90.0));
    const POINTS: usize = 181;
    let along = |a: f64, b: f64| (0..POINTS).map(move |i| a + (b - a) * i as f64 / (POINTS - 1) as f64);
    let mut lines = Vec::new();
    for at in ticks::multiples(west, east, steps.0) {
        lines.push((vec![at; POINTS], along(south, north).collect::<Vec<f64>>()));
    }
    for at in ticks::multiples(south, north, steps.1) {
        lines.push((along(west, east).collect(), vec![at; POINTS]));
    }
    Ok(lines
        .into_iter()
        .map(|(mut xs, mut ys)| {
            back.apply(&mut xs, &mut ys);
            xs.into_iter().zip(ys).collect()
        })
        .collect())
}

#[derive(Default)]
struct Range(Option<(f64, f64)>);

impl Range {
    fn add(&mut self, v: f64) {
        if v.is_finite() {
            let (a, b) = self.0.unwrap_or((v, v));
            self.0 = Some((a.min(v), b.max(v)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::figure::{Axes, Coordinates};
    use crate::plot::sides;
    use crate::plot::sides::testing::{labels, panel_of};
    use crate::plot::style::Style;

    #[test]
    fn longitudes_on_a_utm_map_are_where_proj_puts_them() {
        let axes = Axes::map(Coordinates::LonLat);
        let panel = panel_of(
            &axes,
            "EPSG:32611",
            (580_000.0, 620_000.0),
            (3_750_000.0, 3_780_000.0),
        );
        let s = sides::sides(&panel, 300.0, 225.0, &Style::new(9.0)).unwrap();
        assert!(s.x.major.len() >= 3 && s.y.major.len() >= 2, "{s:?}");
        let back = Transformer::new(&Crs::parse("EPSG:32611").unwrap(), &Crs::wgs84().unwrap()).unwrap();
        for (part, label) in &s.x.major {
            let (mut x, mut y) = ([panel.x.value(*part)], [panel.y.value(0.0)]);
            back.apply(&mut x, &mut y);
            let said: f64 = label.trim_end_matches("°W").parse().unwrap();
            assert!((x[0] + said).abs() < 1e-5, "{label}: {}", x[0]);
        }
        for (part, label) in &s.y.major {
            let (mut x, mut y) = ([panel.x.value(0.0)], [panel.y.value(*part)]);
            back.apply(&mut x, &mut y);
            let said: f64 = label.trim_end_matches("°N").parse().unwrap();
            assert!((y[0] - said).abs() < 1e-5, "{label}: {}", y[0]);
        }
    }

    #[test]
    fn the_date_line_is_no_obstacle() {
        assert_eq!(unwrapped(&[179.0, -179.0, -178.0]), [179.0, 181.0, 182.0]);
        let axes = Axes::map(Coordinates::LonLat);
        // UTM zone 1 south around Fiji, across 180°.
        let panel = panel_of(
            &axes,
            "EPSG:32701",
            (150_000.0, 250_000.0),
            (8_000_000.0, 8_080_000.0),
        );
        let s = sides::sides(&panel, 300.0, 240.0, &Style::new(9.0)).unwrap();
        let names = labels(&s.x);
        assert!(names.iter().any(|n| n.starts_with("180")), "{names:?}");
        assert!(
            names.iter().any(|n| n.ends_with('W')) && names.iter().any(|n| n.ends_with('E')),
            "{names:?}"
        );
    }

    #[test]
    fn a_polar_graticule_has_all_meridians() {
        let axes = Axes::map(Coordinates::LonLat);
        let panel = panel_of(&axes, "EPSG:3031", (-3e6, 3e6), (-3e6, 3e6));
        let lines = graticule(&panel, (30.0, 10.0)).unwrap();
        // 13 multiples of 30 from −180 to 180, and the parallels from 90°S to 50°S.
        assert!(lines.iter().filter(|l| l[0].0.hypot(l[0].1) < 1.0).count() >= 13);
        assert!(lines.len() >= 17);
    }
}
