//! The marks along the sides of a panel of known size: where they are and what they say.

use super::axis::{Axis, Scale, TickChoice};
use super::figure::{AxesKind, Coordinates};
use super::font::{self, Weight};
use super::lonlat;
use super::panel::Panel;
use super::span::Span;
use super::style::Style;
use super::ticks::{self, Tick, Ticks};
use super::time_ticks;
use crate::error::Result;
use crate::raster::Crs;

/// One side: marks as parts (0 to 1) of its length, from the left or the bottom.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Side {
    pub major: Vec<(f64, String)>,
    pub minor: Vec<f64>,
    pub title: String,
    /// Its labels read upwards: names that find no room side by side.
    pub turned: bool,
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
        AxesKind::Chart => {
            return Ok(Sides {
                x: chart_side(&panel.axes.x, &panel.x, &across),
                y: chart_side(&panel.axes.y, &panel.y, &up),
                graticule: None,
            });
        }
        AxesKind::Map(coordinates) => coordinates,
        AxesKind::Space => return Ok(Sides::default()),
    };
    let mut out = match (coordinates, &panel.crs) {
        (Coordinates::None, _) => Sides::default(),
        (Coordinates::LonLat, Some(crs)) if !crs.is_geographic() => lonlat::sides(panel, crs, &across, &up)?,
        (_, crs) => {
            let (x, y) = of_map(crs.as_ref(), (&panel.x, &across), (&panel.y, &up));
            Sides {
                x,
                y,
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

/// The marks of a map along x and y in its own coordinates: degrees, or metres or kilometres on both sides, whatever their own lengths ask for.
pub fn of_map(crs: Option<&Crs>, x: (&Span, &Ruler), y: (&Span, &Ruler)) -> (Side, Side) {
    if crs.is_some_and(Crs::is_geographic) {
        return (
            degree_side(x.0, x.1, ticks::longitude),
            degree_side(y.0, y.1, ticks::latitude),
        );
    }
    let metres = crs.and_then(Crs::metres_per_unit).is_some_and(|m| m == 1.0);
    let longest = (x.0.end - x.0.start).abs().max((y.0.end - y.0.start).abs());
    let kilometres = metres && longest >= 1500.0;
    let named = |name: &str| match (crs, metres, kilometres) {
        (Some(_), true, true) => format!("{name} (km)"),
        (Some(_), true, false) => format!("{name} (m)"),
        (Some(_), false, _) => name.to_string(),
        (None, ..) => String::new(),
    };
    (
        metre_side(x.0, x.1, kilometres, named("Easting")),
        metre_side(y.0, y.1, kilometres, named("Northing")),
    )
}

/// A side's length and the size of its letters.
pub struct Ruler {
    pub length: f64,
    pub size: f64,
    pub upright: bool,
}

impl Ruler {
    /// How many marks may be wished for.
    pub fn most(&self, at_most: usize) -> usize {
        let room = if self.upright { 2.0 } else { 3.4 };
        ((self.length / (room * self.size)) as usize).clamp(1, at_most)
    }

    fn extent(&self, label: &str) -> f64 {
        if self.upright {
            font::height(label, self.size)
        } else {
            font::width(label, self.size, Weight::Regular)
        }
    }

    /// Names in as many lines as the distance to the next asks for.
    fn wrapped(&self, marks: &[(f64, String)]) -> Vec<(f64, String)> {
        let mut at: Vec<f64> = marks.iter().map(|(at, _)| at * self.length).collect();
        at.sort_by(f64::total_cmp);
        let apart = at
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(f64::MAX, f64::min);
        let room = apart - GAP * self.size;
        let line = |text: &str| {
            let mut out = String::new();
            let mut taken = 0.0;
            for word in text.split(' ') {
                let width = font::width(word, self.size, Weight::Regular);
                let with_space = taken + font::width(" ", self.size, Weight::Regular) + width;
                let joins = taken > 0.0 && with_space <= room;
                if !out.is_empty() {
                    out.push(if joins { ' ' } else { '\n' });
                }
                out.push_str(word);
                taken = if joins { with_space } else { width };
            }
            out
        };
        let label = |text: &str| text.lines().map(line).collect::<Vec<_>>().join("\n");
        marks.iter().map(|(at, text)| (*at, label(text))).collect()
    }

    /// True where no two labels touch.
    pub fn fits(&self, marks: &[(f64, String)]) -> bool {
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

    /// The finest of candidates for so many marks that find room. Fewer than three labels say little, so that more are tried for then, and at
    /// last two that are farthest apart.
    fn choose<I: IntoIterator<Item = Ticks>>(
        &self,
        at_most: usize,
        candidates: impl Fn(usize) -> I,
        span: &Span,
    ) -> Ticks {
        let most = self.most(at_most);
        let fits = |t: &Ticks| self.fits(&placed(&t.major, span));
        let chosen = ticks::finest(candidates(most), fits);
        if chosen.major.len() >= 3 {
            return chosen;
        }
        let finer = ticks::finest(candidates(most + 3), fits);
        if finer.major.len() > chosen.major.len() && fits(&finer) {
            return finer;
        }
        if chosen.major.len() == 2 {
            return chosen;
        }
        let outer = |mut t: Ticks| {
            let last = t.major.pop()?;
            t.major.truncate(1);
            t.minor.clear();
            t.major.push(last);
            (t.major.len() == 2 && fits(&t)).then_some(t)
        };
        candidates(4 * most).into_iter().find_map(outer).unwrap_or(chosen)
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

pub fn chart_side(axis: &Axis, span: &Span, ruler: &Ruler) -> Side {
    let (low, high) = span.ends();
    let chosen = match (&axis.ticks, axis.scale) {
        (TickChoice::None, _) => Ticks::default(),
        (TickChoice::At(list), _) => {
            let mut major = given(list, span);
            let mut turned = false;
            // Names of several words stand in several lines rather than on each other, and longer ones read upwards.
            if !ruler.upright && !ruler.fits(&major) {
                let lines = ruler.wrapped(&major);
                turned = !ruler.fits(&lines);
                match turned {
                    true => major
                        .iter_mut()
                        .for_each(|(_, label)| *label = label.replace('\n', " ")),
                    false => major = lines,
                }
            }
            return Side {
                major,
                title: axis.label.clone(),
                turned,
                ..Side::default()
            };
        }
        (_, Scale::Linear) => ruler.choose(9, |most| ticks::linear_candidates(low, high, most), span),
        (_, Scale::Log) => ruler.choose(9, |most| ticks::log_candidates(low, high, most), span),
        (_, Scale::SymLog { linear }) => ruler.choose(
            9,
            |most| ticks::symmetric_candidates(low, high, linear, most),
            span,
        ),
        (_, Scale::Time) => ruler.choose(9, |most| time_ticks::candidates(low, high, most), span),
    };
    Side {
        major: placed(&chosen.major, span),
        minor: chosen.minor.iter().map(|v| span.position(*v)).collect(),
        title: with_factor(&axis.label, &chosen.factor),
        turned: false,
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
        scale: span.scale,
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
    let candidates = |most: usize| {
        ticks::degree_steps(high - low, most)
            .into_iter()
            .map(move |step| Ticks {
                major: ticks::multiples(low, high, step)
                    .into_iter()
                    .map(|at| Tick {
                        at,
                        label: name(at, ticks::decimals(step)),
                    })
                    .collect(),
                ..Ticks::default()
            })
    };
    Side {
        major: placed(&ruler.choose(6, candidates, span).major, span),
        ..Side::default()
    }
}

fn metre_side(span: &Span, ruler: &Ruler, kilometres: bool, title: String) -> Side {
    let (low, high) = span.ends();
    let unit = if kilometres { 1000.0 } else { 1.0 };
    let candidates = |most: usize| {
        ticks::steps((high - low) / unit, most).map(move |step| Ticks {
            major: ticks::multiples(low / unit, high / unit, step)
                .into_iter()
                .map(|v| Tick {
                    at: v * unit,
                    label: ticks::plain(v, ticks::decimals(step)),
                })
                .collect(),
            ..Ticks::default()
        })
    };
    Side {
        major: placed(&ruler.choose(6, candidates, span).major, span),
        title,
        ..Side::default()
    }
}

#[cfg(test)]
pub mod testing {
    use super::*;
    use crate::plot::figure::Axes;

    pub fn panel_of<'a>(axes: &'a Axes, crs: &str, x: (f64, f64), y: (f64, f64)) -> Panel<'a> {
        Panel {
            axes,
            marks: Vec::new(),
            x: Span::linear(x.0, x.1),
            y: Span::linear(y.0, y.1),
            crs: Some(Crs::parse(crs).unwrap()),
            aspect: None,
            scale: None,
            legend: Vec::new(),
        }
    }

    pub fn labels(side: &Side) -> Vec<&str> {
        side.major.iter().map(|(_, l)| l.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{labels, panel_of};
    use super::*;
    use crate::plot::figure::Axes;

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
    fn names_that_find_no_room_are_wrapped_or_turned() {
        let mut axis = Axis::default();
        let names = ["open water", "bare ground in winter", "Jan\n(12)"];
        let list = names.iter().enumerate().map(|(i, n)| (i as f64, n.to_string()));
        axis.ticks = TickChoice::At(list.collect());
        let of = |length: f64| {
            let ruler = Ruler {
                length,
                size: 8.0,
                upright: false,
            };
            chart_side(&axis, &Span::linear(-0.5, 2.5), &ruler)
        };
        assert_eq!(labels(&of(600.0)), names);
        let wrapped = of(200.0);
        assert_eq!(
            labels(&wrapped),
            ["open water", "bare ground in\nwinter", "Jan\n(12)"]
        );
        assert!(!wrapped.turned);
        let turned = of(90.0);
        assert_eq!(
            labels(&turned),
            ["open water", "bare ground in winter", "Jan (12)"]
        );
        assert!(turned.turned);
    }

    #[test]
    fn one_label_is_too_few() {
        // A third of a degree under 75 points: steps of a tenth do not fit, of a fifth leave one.
        let ruler = Ruler {
            length: 75.0,
            size: 8.1,
            upright: false,
        };
        let side = degree_side(&Span::linear(-119.777, -119.743), &ruler, ticks::longitude);
        assert_eq!(labels(&side).len(), 2, "{side:?}");
        assert!(ruler.fits(&side.major));
        // Three where there is room, though they are closer than usual.
        let ruler = Ruler {
            length: 100.0,
            size: 8.1,
            upright: true,
        };
        let side = metre_side(&Span::linear(-4200.0, 8300.0), &ruler, false, String::new());
        assert!(side.major.len() >= 5 && ruler.fits(&side.major), "{side:?}");
    }
}
