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
    };
    let mut out = match (coordinates, &panel.crs) {
        (Coordinates::None, _) => Sides::default(),
        (_, Some(crs)) if crs.is_geographic() => Sides {
            x: degree_side(&panel.x, &across, ticks::longitude),
            y: degree_side(&panel.y, &up, ticks::latitude),
            graticule: None,
        },
        (Coordinates::LonLat, Some(crs)) => lonlat::sides(panel, crs, &across, &up)?,
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
            let mut major = given(list, span);
            // Names of several words stand in several lines rather than on each other.
            if !ruler.upright && !ruler.fits(&major) {
                for (_, label) in &mut major {
                    *label = label.replace(' ', "\n");
                }
            }
            return Side {
                major,
                minor: Vec::new(),
                title: axis.label.clone(),
            };
        }
        (_, Scale::Linear) => ruler.choose(ticks::linear_candidates(low, high, most), span),
        (_, Scale::Log) => ruler.choose(ticks::log_candidates(low, high, most), span),
        (_, Scale::SymLog { linear }) => {
            ruler.choose(ticks::symmetric_candidates(low, high, linear, most), span)
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::figure::Axes;

    fn panel_of<'a>(axes: &'a Axes, crs: &str, x: (f64, f64), y: (f64, f64)) -> Panel<'a> {
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
}
