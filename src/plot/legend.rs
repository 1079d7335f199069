//! Legends: their size, the emptiest corner for them, and their look.

use super::arrow::arrow;
use super::color::Color;
use super::figure::Corner;
use super::font::{self, Weight};
use super::key::{Key, LegendEntry};
use super::scene::{Anchor, Item, Level, Path, Rect, Stroke, Text};
use super::style::{HALO, Style};
use super::symbols::symbols;

/// Width and height of a legend of so many columns, without the space around it.
pub fn size(entries: &[LegendEntry], columns: usize, s: &Style) -> (f64, f64) {
    let lines = entries.len().div_ceil(columns) as f64;
    (
        2.0 * pad(s) + columns as f64 * column_width(entries, s) - column_gap(s),
        2.0 * pad(s) + lines * font::CAP_HEIGHT * s.tick + (lines - 1.0).max(0.0) * line_gap(s),
    )
}

/// How many columns stand side by side in `width`; one at least.
pub fn columns(entries: &[LegendEntry], width: f64, s: &Style) -> usize {
    let fit = (width + column_gap(s)) / column_width(entries, s);
    (fit as usize).clamp(1, entries.len().max(1))
}

/// Of the longest entry, with the gap behind it.
fn column_width(entries: &[LegendEntry], s: &Style) -> f64 {
    let widest = entries
        .iter()
        .map(|e| font::width(&e.label, s.tick, Weight::Regular))
        .fold(0.0, f64::max);
    key_width(entries, s) + key_gap(s) + widest + column_gap(s)
}

fn column_gap(s: &Style) -> f64 {
    s.tick * 1.6
}

fn pad(s: &Style) -> f64 {
    s.tick * 0.6
}

/// Of the longest arrow, where it is longer than usual.
fn key_width(entries: &[LegendEntry], s: &Style) -> f64 {
    let arrows = entries.iter().map(|e| match e.key {
        Key::Arrow { length, .. } => length,
        _ => 0.0,
    });
    arrows.fold(s.tick * 1.9, f64::max)
}

fn key_gap(s: &Style) -> f64 {
    s.tick * 0.65
}

fn line_gap(s: &Style) -> f64 {
    s.tick * 0.62
}

/// The corner of the panel whose box covers the fewest of the data's points or lies on their marks; of equals, the first of upper right,
/// upper left, lower right, lower left.
pub fn emptiest(panel: &Rect, size: (f64, f64), points: &[(f64, f64)], s: &Style) -> Corner {
    [
        Corner::UpperRight,
        Corner::UpperLeft,
        Corner::LowerRight,
        Corner::LowerLeft,
    ]
    .into_iter()
    .min_by_key(|corner| {
        // A point is the middle of a mark.
        let box_ = in_corner(panel, size, *corner, s).grown(0.4 * s.tick);
        points.iter().filter(|(x, y)| box_.contains(*x, *y)).count()
    })
    .unwrap_or(Corner::UpperRight)
}

/// A box of a size in a corner of a panel, a little off its frame.
pub fn in_corner(panel: &Rect, (width, height): (f64, f64), corner: Corner, s: &Style) -> Rect {
    let off = s.tick * 0.7;
    let x = match corner {
        Corner::UpperLeft | Corner::LowerLeft => panel.x + off,
        Corner::UpperRight | Corner::LowerRight => panel.right() - off - width,
    };
    let y = match corner {
        Corner::UpperLeft | Corner::UpperRight => panel.y + off,
        Corner::LowerLeft | Corner::LowerRight => panel.bottom() - off - height,
    };
    Rect::new(x, y, width, height)
}

/// The legend with its upper left corner at (x, y), row by row.
pub fn draw(
    entries: &[LegendEntry],
    (x, y): (f64, f64),
    columns: usize,
    framed: bool,
    s: &Style,
) -> Vec<Item> {
    let (width, height) = size(entries, columns, s);
    let mut items = Vec::new();
    if framed {
        items.push(Item::Box {
            rect: Rect::new(x, y, width, height),
            fill: Color::WHITE.with_opacity(0.85),
            stroke: Some(Stroke::solid(Color::grey(205), s.line())),
        });
    }
    // Without a frame the keys keep to the legend's edge.
    let (left, top) = if framed { (x + pad(s), y + pad(s)) } else { (x, y) };
    for (i, entry) in entries.iter().enumerate() {
        let line = font::CAP_HEIGHT * s.tick + line_gap(s);
        let middle = top + (i / columns) as f64 * line + font::CAP_HEIGHT * s.tick / 2.0;
        let left = left + (i % columns) as f64 * column_width(entries, s);
        let keys = key_width(entries, s);
        items.extend(key(&entry.key, (left, keys), middle, s));
        items.push(Item::Text(
            Text::new(&entry.label, left + keys + key_gap(s), middle, s.tick)
                .anchored(Anchor::Start, Level::Middle),
        ));
    }
    items
}

fn key(key: &Key, (left, width): (f64, f64), middle: f64, s: &Style) -> Vec<Item> {
    match key {
        Key::Arrow {
            color,
            length,
            width: thickness,
            halo,
        } => {
            let tail = left + (width - length) / 2.0;
            let path = arrow((tail, middle), (tail + length, middle), *thickness);
            let shape = |fill, stroke| Item::Path {
                path: path.clone(),
                fill,
                stroke,
            };
            let beneath = halo.map(|c| shape(Color::TRANSPARENT, Some(Stroke::solid(c, 1.0))));
            beneath.into_iter().chain([shape(*color, None)]).collect()
        }
        Key::Patch { fill, outline } => {
            let height = s.tick * 0.8;
            vec![Item::Box {
                rect: Rect::new(left, middle - height / 2.0, width, height),
                fill: *fill,
                stroke: outline.map(|c| Stroke::solid(c, s.line())),
            }]
        }
        Key::Line {
            color,
            width: stroke,
            dash,
            marker,
            halo,
        } => {
            let mut items = Vec::new();
            let line = |color: Color, thickness: f64| Item::Path {
                path: Path::polyline([(left, middle), (left + width, middle)]),
                fill: Color::TRANSPARENT,
                stroke: Some(Stroke {
                    color,
                    width: thickness,
                    dash: dash.pattern(*stroke),
                }),
            };
            if *stroke > 0.0 {
                items.extend(halo.map(|color| line(color, stroke + HALO)));
                items.push(line(*color, *stroke));
            }
            if let Some((shape, size)) = marker {
                items.push(symbols(
                    *shape,
                    *size,
                    vec![(left + width / 2.0, middle)],
                    vec![*color],
                    None,
                ));
            }
            items
        }
        Key::ErrorBar {
            color,
            width: stroke,
            cap,
            marker,
        } => {
            let (x, half) = (left + width / 2.0, 0.62 * s.tick);
            let (low, high) = (middle + half, middle - half);
            let ends = [low, high].map(|y| Path::polyline([(x - cap / 2.0, y), (x + cap / 2.0, y)]).0);
            let mut steps = Path::polyline([(x, low), (x, high)]).0;
            steps.extend(ends.into_iter().flatten());
            let bar = Item::Path {
                path: Path(steps),
                fill: Color::TRANSPARENT,
                stroke: Some(Stroke::solid(*color, *stroke)),
            };
            let point =
                marker.map(|(shape, size)| symbols(shape, size, vec![(x, middle)], vec![*color], None));
            [bar].into_iter().chain(point).collect()
        }
        Key::Mark { color, marker, size } => {
            let at = vec![(left + width / 2.0, middle)];
            vec![symbols(*marker, size.max(4.0), at, vec![*color], None)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Dash;

    #[test]
    fn the_emptiest_corner_is_found() {
        let panel = Rect::new(0.0, 0.0, 100.0, 100.0);
        let s = Style::new(9.0);
        let size = (30.0, 20.0);
        assert_eq!(emptiest(&panel, size, &[], &s), Corner::UpperRight);
        let rising: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), 100.0 - f64::from(i))).collect();
        assert_eq!(emptiest(&panel, size, &rising, &s), Corner::UpperLeft);
        let mut cross = rising.clone();
        cross.extend((0..50).map(|i| (f64::from(i), f64::from(i))));
        assert_eq!(emptiest(&panel, size, &cross, &s), Corner::LowerRight);
    }

    #[test]
    fn a_legend_grows_with_its_entries() {
        let entry = |label: &str| LegendEntry {
            label: label.into(),
            key: Key::Patch {
                fill: Color::BLACK,
                outline: None,
            },
        };
        let s = Style::new(9.0);
        let one = size(&[entry("water")], 1, &s);
        let both = [entry("water"), entry("permanent water")];
        let two = size(&both, 1, &s);
        assert!(two.0 > one.0 && two.1 > one.1);
        let beside = size(&both, 2, &s);
        assert!(beside.0 > two.0 && beside.1 == one.1);
        assert_eq!(
            [
                columns(&both, beside.0, &s),
                columns(&both, two.0, &s),
                columns(&both, 900.0, &s)
            ],
            [2, 1, 2]
        );
    }

    #[test]
    fn a_line_is_shown_in_its_whole_length_over_its_halo() {
        let s = Style::new(10.0);
        let width = key_width(&[], &s);
        let shown = key(
            &Key::Line {
                color: Color::WHITE,
                width: 1.5,
                dash: Dash::Solid,
                marker: None,
                halo: Some(Color::BLACK),
            },
            (20.0, width),
            5.0,
            &s,
        );
        let whole = Path::polyline([(20.0, 5.0), (20.0 + width, 5.0)]);
        let drawn = |item: &Item| match item {
            Item::Path {
                path,
                stroke: Some(stroke),
                ..
            } => {
                assert_eq!(path.0, whole.0);
                (stroke.color, stroke.width)
            }
            _ => panic!("a line has nothing but paths"),
        };
        let drawn: Vec<_> = shown.iter().map(drawn).collect();
        assert_eq!(drawn, [(Color::BLACK, 1.5 + HALO), (Color::WHITE, 1.5)]);
    }
}
