//! The symbols of points.

use super::color::Color;
use super::mark::look::Marker;
use super::scene::{Item, Path, Stroke};
use super::style::FRAME;

/// Symbols of a shape and diameter in points.
pub fn symbols(
    marker: Marker,
    size: f64,
    at: Vec<(f64, f64)>,
    fills: Vec<Color>,
    outline: Option<Color>,
) -> Item {
    let r = size / 2.0;
    // Areas that look alike: a square's side is a little below the circle's diameter.
    let q = r * 0.9;
    let shape = match marker {
        Marker::Circle => Path::circle(r),
        Marker::Square => Path::polygon([(-q, -q), (q, -q), (q, q), (-q, q)]),
        Marker::Triangle => Path::polygon([(0.0, -1.1 * r), (r, 0.8 * r), (-r, 0.8 * r)]),
        Marker::Diamond => Path::polygon([(0.0, -1.2 * r), (1.2 * r, 0.0), (0.0, 1.2 * r), (-1.2 * r, 0.0)]),
        Marker::Plus | Marker::Cross => {
            let (a, b) = if marker == Marker::Plus { (r, 0.0) } else { (q, q) };
            let mut steps = Path::polyline([(-a, -b), (a, b)]).0;
            steps.extend(Path::polyline([(-b, a), (b, -a)]).0);
            Path(steps)
        }
    };
    if marker.is_open() {
        // One colour for all: strokes have no colour of each mark's own.
        let color = fills.first().copied().unwrap_or(FRAME);
        return Item::Marks {
            shape,
            at,
            fills: vec![Color::TRANSPARENT],
            stroke: Some(Stroke::solid(color, (size * 0.22).max(0.8))),
        };
    }
    Item::Marks {
        shape,
        at,
        fills,
        stroke: outline.map(|c| Stroke::solid(c, (size * 0.12).clamp(0.4, 1.0))),
    }
}
