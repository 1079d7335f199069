//! Scale bars: a round length on the ground, measured at the middle of the map.

use super::color::Color;
use super::figure::Corner;
use super::font::{self, Weight};
use super::legend;
use super::panel::Panel;
use super::scene::{Anchor, Item, Level, Rect, Text};
use super::style::Style;
use super::ticks;
use crate::earth::antimeridian::wrapped;
use crate::earth::ellipsoid::metres_per_degree;
use crate::error::Result;
use crate::raster::{Crs, Transformer};

/// Ground metres per map unit along x in the middle of a panel; None without a CRS.
///
/// Projected maps are measured through longitude and latitude, so that a projection's own distortion (Web Mercator's, say) is taken
/// into account.
pub fn metres_per_unit(panel: &Panel) -> Result<Option<f64>> {
    let Some(crs) = &panel.crs else {
        return Ok(None);
    };
    let (x, y) = (panel.x.value(0.5), panel.y.value(0.5));
    if crs.is_geographic() {
        return Ok(Some(metres_per_degree(y).0));
    }
    let half = (panel.x.end - panel.x.start).abs() * 1e-3;
    let (mut xs, mut ys) = ([x - half, x + half], [y, y]);
    Transformer::new(crs, &Crs::wgs84()?)?.apply(&mut xs, &mut ys);
    let (per_lon, per_lat) = metres_per_degree((ys[0] + ys[1]) / 2.0);
    let east = wrapped(xs[1] - xs[0]) * per_lon;
    let metres = east.hypot((ys[1] - ys[0]) * per_lat) / (2.0 * half);
    // At a pole, or outside where the projection is defined, the CRS's own unit has to do.
    let ground = (metres.is_finite() && ys[0].abs() < 89.9).then_some(metres);
    Ok(ground.or_else(|| crs.metres_per_unit()))
}

/// `500 m`, `2 km`.
pub fn length_label(metres: f64) -> String {
    let (value, unit) = if metres >= 1000.0 {
        (metres / 1000.0, "km")
    } else {
        (metres, "m")
    };
    format!("{} {unit}", ticks::plain(value, ticks::decimals(value)))
}

/// The bar in a corner of a panel; nothing where the map has no length on the ground.
pub fn draw(panel: &Panel, rect: &Rect, corner: Corner, s: &Style) -> Result<Vec<Item>> {
    let Some(per_unit) = metres_per_unit(panel)?.filter(|m| *m > 0.0) else {
        return Ok(Vec::new());
    };
    let metres_per_point = per_unit * (panel.x.end - panel.x.start).abs() / rect.width;
    let length = ticks::round_below(0.24 * rect.width * metres_per_point);
    let (bar, label) = (length / metres_per_point, length_label(length));
    if !(bar.is_finite() && bar > 2.0) {
        return Ok(Vec::new());
    }
    let text_width = font::width(&label, s.tick, Weight::Regular);
    let (pad, thick, cap) = (s.tick * 0.5, s.tick * 0.16, s.tick * 0.45);
    let width = bar.max(text_width) + 2.0 * pad;
    let height = font::CAP_HEIGHT * s.tick + s.tick * 0.35 + cap + 2.0 * pad;
    let frame = legend::in_corner(rect, (width, height), corner, s);
    let (middle, foot) = (frame.x + width / 2.0, frame.bottom() - pad);
    let (left, right) = (middle - bar / 2.0, middle + bar / 2.0);
    let rule = |from, to| Item::Rule {
        from,
        to,
        width: thick,
        color: Color::BLACK,
    };
    let level = foot - thick / 2.0;
    Ok(vec![
        Item::Box {
            rect: frame,
            fill: Color::WHITE.with_opacity(0.78),
            stroke: None,
        },
        rule((left, level), (right, level)),
        rule((left + thick / 2.0, foot - cap), (left + thick / 2.0, foot)),
        rule((right - thick / 2.0, foot - cap), (right - thick / 2.0, foot)),
        Item::Text(Text::new(label, middle, frame.y + pad, s.tick).anchored(Anchor::Middle, Level::Top)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::figure::{Axes, Coordinates};
    use crate::plot::span::Span;

    fn metres(crs: &str, x: (f64, f64), y: (f64, f64)) -> f64 {
        let axes = Axes::map(Coordinates::Map);
        let panel = Panel {
            axes: &axes,
            marks: Vec::new(),
            x: Span::linear(x.0, x.1),
            y: Span::linear(y.0, y.1),
            crs: Some(Crs::parse(crs).unwrap()),
            aspect: None,
            scale: None,
            legend: Vec::new(),
        };
        metres_per_unit(&panel).unwrap().unwrap()
    }

    #[test]
    fn degrees_shrink_towards_the_poles() {
        // Snyder 1987, table 3: a degree of longitude on the Clarke ellipsoid is near 111.32 km at the equator and
        // 55.80 km at 60°; on WGS 84, 111.320 and 55.800.
        assert!((metres("EPSG:4326", (10.0, 11.0), (-0.5, 0.5)) - 111_319.49).abs() < 0.1);
        assert!((metres("EPSG:4326", (10.0, 11.0), (59.5, 60.5)) - 55_800.0).abs() < 1.0);
    }

    #[test]
    fn projections_are_measured_on_the_ground() {
        // The scale of UTM is 0.9996 on its central meridian; Web Mercator's is near 1 / cos(latitude).
        let utm = metres("EPSG:32611", (499_000.0, 501_000.0), (3_749_000.0, 3_751_000.0));
        assert!((utm - 1.0 / 0.9996).abs() < 1e-6, "{utm}");
        let mercator = metres("EPSG:3857", (-1000.0, 1000.0), (8_399_000.0, 8_400_500.0));
        assert!((mercator - 0.5).abs() < 0.003, "{mercator}");
    }

    #[test]
    fn lengths_are_round() {
        assert_eq!(ticks::round_below(1999.0), 1000.0);
        assert_eq!(ticks::round_below(2000.0), 2000.0);
        assert_eq!(ticks::round_below(0.7), 0.5);
        assert_eq!(ticks::round_below(97_000.0), 50_000.0);
        assert_eq!(length_label(500.0), "500 m");
        assert_eq!(length_label(2000.0), "2 km");
        assert_eq!(length_label(0.5), "0.5 m");
        assert_eq!(length_label(20_000_000.0), "20\u{2009}000 km");
    }
}
