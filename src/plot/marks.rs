//! The marks along the sides of a panel of known size: where they are and what they say.

use super::figure::{Axis, Coordinates, Kind, Scale, TickChoice};
use super::font::{self, Weight};
use super::panel::Panel;
use super::span::Span;
use super::style::Style;
use super::ticks::{self, Tick, Ticks};
use super::time_ticks;
use crate::error::Result;
use crate::raster::{Crs, Transformer};

/// One side: marks as parts (0 to 1) of its length, from the left or the bottom.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Side {
    pub major: Vec<(f64, String)>,
    pub minor: Vec<f64>,
    pub title: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sides {
    pub x: Side,
    pub y: Side,
    /// Steps in degrees of a map labelled with longitude and latitude over another CRS.
    pub graticule: Option<(f64, f64)>,
}

/// Labels keep this distance, in font sizes.
const GAP: f64 = 0.7;

/// The marks of a panel of `width` × `height` points.
pub fn sides(panel: &Panel, width: f64, height: f64, style: &Style) -> Result<Sides> {
    let across = Ruler {
        length: width,
        size: style.tick,
        upright: false,
    };
    let up = Ruler {
        length: height,
        size: style.tick,
        upright: true,
    };
    let coordinates = match panel.axes.kind {
        Kind::Chart => {
            return Ok(Sides {
                x: chart_side(&panel.axes.x, &panel.x, &across),
                y: chart_side(&panel.axes.y, &panel.y, &up),
                graticule: None,
            });
        }
        Kind::Map(coordinates) => coordinates,
    };
    let mut out = match (coordinates, &panel.crs) {
        (Coordinates::None, _) => Sides::default(),
        (_, Some(crs)) if crs.is_geographic() => Sides {
            x: degree_side(&panel.x, &across, ticks::longitude),
            y: degree_side(&panel.y, &up, ticks::latitude),
            graticule: None,
        },
        (Coordinates::LonLat, Some(crs)) => lonlat_sides(panel, crs, &across, &up)?,
        (_, crs) => {
            // Both sides in the same unit, whatever their own lengths ask for.
            let metres = crs
                .as_ref()
                .and_then(Crs::metres_per_unit)
                .is_some_and(|m| m == 1.0);
            let longest = (panel.x.end - panel.x.start)
                .abs()
                .max((panel.y.end - panel.y.start).abs());
            let kilometres = metres && longest >= 1500.0;
            let named = |name: &str| match (crs, metres, kilometres) {
                (Some(_), true, true) => format!("{name} (km)"),
                (Some(_), true, false) => format!("{name} (m)"),
                (Some(_), false, _) => name.to_string(),
                (None, ..) => String::new(),
            };
            Sides {
                x: metre_side(&panel.x, &across, kilometres, named("Easting")),
                y: metre_side(&panel.y, &up, kilometres, named("Northing")),
                graticule: None,
            }
        }
    };
    for (side, axis, span) in [
        (&mut out.x, &panel.axes.x, &panel.x),
        (&mut out.y, &panel.axes.y, &panel.y),
    ] {
        if !axis.label.is_empty() {
            side.title = axis.label.clone();
        }
        match &axis.ticks {
            TickChoice::Auto => {}
            TickChoice::None => side.major.clear(),
            TickChoice::At(list) => side.major = given(list, span),
        }
    }
    Ok(out)
}

/// A side's length and the size of its letters.
struct Ruler {
    length: f64,
    size: f64,
    upright: bool,
}

impl Ruler {
    /// How many marks may be wished for.
    fn most(&self, at_most: usize) -> usize {
        let room = if self.upright { 2.6 } else { 3.4 };
        ((self.length / (room * self.size)) as usize).clamp(1, at_most)
    }

    fn extent(&self, label: &str) -> f64 {
        if self.upright {
            font::height(label, self.size)
        } else {
            font::width(label, self.size, Weight::Regular)
        }
    }

    /// True where no two labels touch.
    fn fits(&self, marks: &[(f64, String)]) -> bool {
        let mut ends: Vec<(f64, f64)> = marks
            .iter()
            .map(|(at, label)| {
                let half = self.extent(label) / 2.0;
                (at * self.length - half, at * self.length + half)
            })
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        ends.windows(2)
            .all(|pair| pair[0].1 + GAP * self.size <= pair[1].0)
    }

    fn choose(&self, candidates: impl IntoIterator<Item = Ticks>, span: &Span) -> Ticks {
        ticks::finest(candidates, |t| self.fits(&placed(&t.major, span)))
    }
}

fn placed(major: &[Tick], span: &Span) -> Vec<(f64, String)> {
    major
        .iter()
        .map(|t| (span.position(t.at), t.label.clone()))
        .collect()
}

fn given(list: &[(f64, String)], span: &Span) -> Vec<(f64, String)> {
    list.iter()
        .map(|(at, label)| (span.position(*at), label.clone()))
        .filter(|(p, _)| (-1e-9..=1.0 + 1e-9).contains(p))
        .collect()
}

fn chart_side(axis: &Axis, span: &Span, ruler: &Ruler) -> Side {
    let (low, high) = span.ends();
    let most = ruler.most(9);
    let chosen = match (&axis.ticks, axis.scale) {
        (TickChoice::None, _) => Ticks::default(),
        (TickChoice::At(list), _) => {
            return Side {
                major: given(list, span),
                minor: Vec::new(),
                title: axis.label.clone(),
            };
        }
        (_, Scale::Linear) => ruler.choose(ticks::linear_candidates(low, high, most), span),
        (_, Scale::Log) => ruler.choose(ticks::log_candidates(low, high, most), span),
        (_, Scale::Time) => ruler.choose(time_ticks::candidates(low, high, most), span),
    };
    Side {
        major: placed(&chosen.major, span),
        minor: chosen.minor.iter().map(|v| span.position(*v)).collect(),
        title: with_factor(&axis.label, &chosen.factor),
    }
}

/// The marks of a colour bar of `length` points, and its label.
pub fn bar_side(span: &Span, label: &str, length: f64, upright: bool, style: &Style) -> Side {
    let ruler = Ruler {
        length,
        size: style.tick,
        upright,
    };
    let axis = Axis {
        label: label.to_string(),
        ..Axis::default()
    };
    chart_side(&axis, span, &ruler)
}

/// The power of ten goes to the unit: `Area (m²)` and `×10⁶` make `Area (10⁶ m²)`.
fn with_factor(label: &str, factor: &str) -> String {
    if factor.is_empty() {
        return label.to_string();
    }
    match label.rfind(" (") {
        _ if label.is_empty() => factor.to_string(),
        Some(at) if label.ends_with(')') => {
            let power = factor.trim_start_matches('×');
            format!("{} ({power} {}", &label[..at], &label[at + 2..])
        }
        _ => format!("{label} ({factor})"),
    }
}

fn degree_side(span: &Span, ruler: &Ruler, name: fn(f64, usize) -> String) -> Side {
    let (low, high) = span.ends();
    let candidates = ticks::degree_steps(high - low, ruler.most(6))
        .into_iter()
        .map(|step| Ticks {
            major: ticks::multiples(low, high, step)
                .into_iter()
                .map(|at| Tick {
                    at,
                    label: name(at, ticks::decimals(step)),
                })
                .collect(),
            ..Ticks::default()
        });
    Side {
        major: placed(&ruler.choose(candidates, span).major, span),
        ..Side::default()
    }
}

fn metre_side(span: &Span, ruler: &Ruler, kilometres: bool, title: String) -> Side {
    let (low, high) = span.ends();
    let unit = if kilometres { 1000.0 } else { 1.0 };
    let candidates = ticks::steps((high - low) / unit, ruler.most(6)).map(|step| Ticks {
        major: ticks::multiples(low / unit, high / unit, step)
            .into_iter()
            .map(|v| Tick {
                at: v * unit,
                label: ticks::plain(v, ticks::decimals(step)),
            })
            .collect(),
        ..Ticks::default()
    });
    Side {
        major: placed(&ruler.choose(candidates, span).major, span),
        minor: Vec::new(),
        title,
    }
}

/// Points along a side at which longitude or latitude is computed.
const SAMPLES: usize = 257;

fn lonlat_sides(panel: &Panel, crs: &Crs, across: &Ruler, up: &Ruler) -> Result<Sides> {
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
pub fn unwrapped(longitudes: &[f64]) -> Vec<f64> {
    let mut turn = 0.0;
    let mut previous = f64::NAN;
    longitudes
        .iter()
        .map(|&lon| {
            let step = lon + turn - previous;
            if step > 180.0 {
                turn -= 360.0;
            } else if step < -180.0 {
                turn += 360.0;
            }
            if lon.is_finite() {
                previous = lon + turn;
            }
            lon + turn
        })
        .collect()
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
    if !(low < high) {
        return (Vec::new(), None);
    }
    let mut last = (Vec::new(), None);
    for step in ticks::degree_steps(high - low, ruler.most(6)) {
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
        if marks.is_empty() && !last.0.is_empty() {
            break;
        }
        let fits = ruler.fits(&marks);
        last = (marks, Some(step));
        if fits {
            break;
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
    use crate::plot::figure::Axes;

    fn panel_of<'a>(axes: &'a Axes, crs: &str, x: (f64, f64), y: (f64, f64)) -> Panel<'a> {
        Panel {
            axes,
            layers: Vec::new(),
            x: Span::linear(x.0, x.1),
            y: Span::linear(y.0, y.1),
            crs: Some(Crs::parse(crs).unwrap()),
            aspect: None,
            scale: None,
            legend: Vec::new(),
        }
    }

    fn labels(side: &Side) -> Vec<&str> {
        side.major.iter().map(|(_, l)| l.as_str()).collect()
    }

    #[test]
    fn the_factor_joins_the_unit() {
        assert_eq!(with_factor("Area (m²)", "×10⁶"), "Area (10⁶ m²)");
        assert_eq!(with_factor("Pixels", "×10⁶"), "Pixels (×10⁶)");
        assert_eq!(with_factor("", "×10⁶"), "×10⁶");
        assert_eq!(with_factor("Area (m²)", ""), "Area (m²)");
    }

    #[test]
    fn utm_maps_are_in_kilometres_or_metres() {
        let axes = Axes::map(Coordinates::Map);
        let style = Style::new(9.0);
        let wide = panel_of(
            &axes,
            "EPSG:32611",
            (600_000.0, 612_000.0),
            (3_770_000.0, 3_779_000.0),
        );
        let s = sides(&wide, 300.0, 225.0, &style).unwrap();
        assert_eq!(labels(&s.x), ["600", "602", "604", "606", "608", "610", "612"]);
        assert_eq!(labels(&s.y)[0], "3770");
        assert_eq!(
            (s.x.title.as_str(), s.y.title.as_str()),
            ("Easting (km)", "Northing (km)")
        );
        let close = panel_of(
            &axes,
            "EPSG:32611",
            (600_000.0, 601_000.0),
            (3_770_000.0, 3_770_500.0),
        );
        let s = sides(&close, 300.0, 150.0, &style).unwrap();
        assert_eq!(labels(&s.y)[0], "3\u{2009}770\u{2009}000");
        assert_eq!(s.x.title, "Easting (m)");
    }

    #[test]
    fn longitudes_on_a_utm_map_are_where_proj_puts_them() {
        let axes = Axes::map(Coordinates::LonLat);
        let panel = panel_of(
            &axes,
            "EPSG:32611",
            (580_000.0, 620_000.0),
            (3_750_000.0, 3_780_000.0),
        );
        let s = sides(&panel, 300.0, 225.0, &Style::new(9.0)).unwrap();
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
        let s = sides(&panel, 300.0, 240.0, &Style::new(9.0)).unwrap();
        let names = labels(&s.x);
        assert!(names.iter().any(|n| n.starts_with("180")), "{names:?}");
        assert!(
            names.iter().any(|n| n.ends_with('W')) && names.iter().any(|n| n.ends_with('E')),
            "{names:?}"
        );
    }

    #[test]
    fn labels_never_touch() {
        let axes = Axes::map(Coordinates::Map);
        let panel = panel_of(
            &axes,
            "EPSG:32611",
            (600_000.0, 600_800.0),
            (3_770_000.0, 3_770_800.0),
        );
        for width in [20.0, 60.0, 100.0, 200.0, 500.0] {
            let s = sides(&panel, width, width, &Style::new(9.0)).unwrap();
            let ruler = Ruler {
                length: width,
                size: Style::new(9.0).tick,
                upright: false,
            };
            assert!(
                ruler.fits(&s.x.major) || s.x.major.len() <= 1,
                "{width}: {:?}",
                s.x.major
            );
        }
    }

    #[test]
    fn a_polar_graticule_has_all_meridians() {
        let axes = Axes::map(Coordinates::LonLat);
        let panel = panel_of(&axes, "EPSG:3031", (-3e6, 3e6), (-3e6, 3e6));
        let lines = graticule(&panel, (30.0, 10.0)).unwrap();
        // 13 multiples of 30 from −180 to 180, and the parallels from 90°S to 50°S.
        assert_eq!(
            lines.iter().filter(|l| l[0].0.hypot(l[0].1) < 1.0).count() >= 13,
            true
        );
        assert!(lines.len() >= 17);
    }
}
