//! The frame of a panel: sides, ticks, labels, titles, grid lines, colour bars.

use super::bar_place::BarPlace;
use super::bitmap::colored;
use super::color::Color;
use super::depth;
use super::figure::AxesKind;
use super::font;
use super::layout::Placement;
use super::lonlat;
use super::panel::{ColorScale, Panel};
use super::scene::{Anchor, Item, Level, Path, Rect, Stroke, Text};
use super::sides::{self, Side};
use super::style::{CHART_GRID, FRAME, Style};
use crate::error::Result;

/// Lines at the ticks.
pub fn grid_lines(panel: &Panel, placement: &Placement, s: &Style) -> Result<Vec<Item>> {
    if !panel.axes.grid {
        return Ok(Vec::new());
    }
    let rect = placement.rect;
    let map = matches!(panel.axes.kind, AxesKind::Map(_));
    let color = if map {
        Color::BLACK.with_opacity(0.3)
    } else {
        CHART_GRID
    };
    if let Some(steps) = placement.sides.graticule {
        let frame = panel.frame(rect);
        let near = rect.grown(200.0);
        let steps = lonlat::graticule(panel, steps)?
            .into_iter()
            .flat_map(|line| {
                let placed = line.into_iter().map(|(x, y)| {
                    let (x, y) = frame.place(x, y);
                    if near.contains(x, y) {
                        (x, y)
                    } else {
                        (f64::NAN, f64::NAN)
                    }
                });
                Path::polyline(placed).0
            })
            .collect();
        return Ok(vec![Item::Path {
            path: Path(steps),
            fill: Color::TRANSPARENT,
            stroke: Some(Stroke::solid(color, s.line())),
        }]);
    }
    let rule = |from, to| Item::Rule {
        from,
        to,
        width: s.line(),
        color,
    };
    let vertical = placement.sides.x.major.iter().map(|(at, _)| {
        let x = rect.x + at * rect.width;
        rule((x, rect.y), (x, rect.bottom()))
    });
    let horizontal = placement.sides.y.major.iter().map(|(at, _)| {
        let y = rect.bottom() - at * rect.height;
        rule((rect.x, y), (rect.right(), y))
    });
    Ok(vertical.chain(horizontal).collect())
}

/// Frame line, ticks, tick labels, axis titles and the panel's title. What has axes of its own is not `boxed`.
pub fn frame(placement: &Placement, title: &str, boxed: bool, s: &Style) -> Vec<Item> {
    let rect = placement.rect;
    let mut items = below(&rect, &placement.sides.x, placement.show.0, s);
    items.extend(left_of(&rect, &placement.sides.y, placement.show.1, s));
    if boxed {
        items.push(Item::Box {
            rect,
            fill: Color::TRANSPARENT,
            stroke: Some(Stroke::solid(FRAME, s.line())),
        });
    }
    if !title.is_empty() {
        items.push(Item::Text(
            Text::new(title, rect.centre().0, rect.y - s.title_pad(), s.title)
                .anchored(Anchor::Middle, Level::Baseline),
        ));
    }
    items
}

fn tick(from: (f64, f64), to: (f64, f64), s: &Style) -> Item {
    Item::Rule {
        from,
        to,
        width: s.line(),
        color: FRAME,
    }
}

fn below(rect: &Rect, side: &Side, labels: bool, s: &Style) -> Vec<Item> {
    let mut items = Vec::new();
    let y = rect.bottom();
    for at in &side.minor {
        let x = rect.x + at * rect.width;
        items.push(tick((x, y), (x, y + 0.6 * s.tick_length()), s));
    }
    for (at, label) in &side.major {
        let x = rect.x + at * rect.width;
        items.push(tick((x, y), (x, y + s.tick_length()), s));
        if labels {
            let top = y + s.tick_length() + s.tick_pad();
            let text = Text::new(label, x, top, s.tick);
            items.push(Item::Text(match side.turned {
                true => Text {
                    rotation: 90.0,
                    ..text.anchored(Anchor::End, Level::Middle)
                },
                false => text.anchored(Anchor::Middle, Level::Top),
            }));
        }
    }
    if labels && !side.title.is_empty() {
        let top = y + depth::labels_height(side, s) + s.label_pad();
        items.push(Item::Text(
            Text::new(&side.title, rect.centre().0, top, s.label).anchored(Anchor::Middle, Level::Top),
        ));
    }
    items
}

fn left_of(rect: &Rect, side: &Side, labels: bool, s: &Style) -> Vec<Item> {
    let mut items = Vec::new();
    for at in &side.minor {
        let y = rect.bottom() - at * rect.height;
        items.push(tick((rect.x - 0.6 * s.tick_length(), y), (rect.x, y), s));
    }
    for (at, label) in &side.major {
        let y = rect.bottom() - at * rect.height;
        items.push(tick((rect.x - s.tick_length(), y), (rect.x, y), s));
        if labels {
            let x = rect.x - s.tick_length() - s.tick_pad();
            items.push(Item::Text(
                Text::new(label, x, y, s.tick).anchored(Anchor::End, Level::Middle),
            ));
        }
    }
    if labels && !side.title.is_empty() {
        let x = rect.x - depth::labels_width(side, s) - s.label_pad();
        items.push(Item::Text(turned(
            &side.title,
            x,
            rect.centre().1,
            s,
            Level::Baseline,
        )));
    }
    items
}

/// Text that reads upwards, its baseline (or the top of its letters) at x.
fn turned(text: &str, x: f64, y: f64, s: &Style, level: Level) -> Text {
    let mut text = Text::new(text, x, y, s.label).anchored(Anchor::Middle, level);
    text.rotation = 90.0;
    text
}

/// A colour bar with its marks and label. Ends beyond which there are values are pointed.
pub fn color_bar(
    label: &str,
    place: BarPlace,
    scale: &ColorScale,
    rect: &Rect,
    dpi: f64,
    s: &Style,
) -> Vec<Item> {
    let upright = place == BarPlace::Right;
    let span = scale.limits.span();
    // Positions along the bar from its low end, and across it from its left or upper side, on the page.
    let point = |along: f64, across: f64| {
        if upright {
            (rect.x + across, rect.bottom() - along)
        } else {
            (rect.x + along, rect.y + across)
        }
    };
    let (length, width) = if upright {
        (rect.height, rect.width)
    } else {
        (rect.width, rect.height)
    };
    let tip = width * 0.8;
    let low = if scale.beyond.0 { tip } else { 0.0 };
    let high = if scale.beyond.1 { length - tip } else { length };
    let body = if upright {
        Rect::new(rect.x, rect.bottom() - high, width, high - low)
    } else {
        Rect::new(rect.x + low, rect.y, high - low, width)
    };
    let mut items = Vec::new();
    for (beyond, start, end, color) in [
        (scale.beyond.0, low, 0.0, scale.colormap.color(0.0)),
        (scale.beyond.1, high, length, scale.colormap.color(1.0)),
    ] {
        if beyond {
            // Reaches into the body, so that no seam shows.
            let inner = start + if end > start { -tip / 2.0 } else { tip / 2.0 };
            let path = Path::polygon([
                point(inner, 0.0),
                point(start, 0.0),
                point(end, width / 2.0),
                point(start, width),
                point(inner, width),
            ]);
            items.push(Item::Path {
                path,
                fill: color,
                stroke: None,
            });
        }
    }
    items.push(Item::Bitmap {
        rect: body,
        picture: gradient(scale, &body, upright, dpi),
    });
    // One outline around the body and its points.
    let mut outline = vec![point(low, width)];
    if scale.beyond.0 {
        outline.push(point(0.0, width / 2.0));
    }
    outline.extend([point(low, 0.0), point(high, 0.0)]);
    if scale.beyond.1 {
        outline.push(point(length, width / 2.0));
    }
    outline.push(point(high, width));
    if scale.beyond == (false, false) {
        items.push(Item::Box {
            rect: body,
            fill: Color::TRANSPARENT,
            stroke: Some(Stroke::solid(FRAME, s.line())),
        });
    } else {
        items.push(Item::Path {
            path: Path::polygon(outline),
            fill: Color::TRANSPARENT,
            stroke: Some(Stroke::solid(FRAME, s.line())),
        });
    }
    let side = sides::bar_side(&span, label, high - low, upright, s);
    if !upright {
        items.extend(
            below(&body, &side, true, s)
                .into_iter()
                .filter(|i| !is_title(i, &side)),
        );
        if !side.title.is_empty() {
            let top = rect.bottom() + depth::labels_height(&side, s) + s.label_pad();
            items.push(Item::Text(
                Text::new(&side.title, rect.centre().0, top, s.label).anchored(Anchor::Middle, Level::Top),
            ));
        }
        return items;
    }
    for at in &side.minor {
        let y = body.bottom() - at * body.height;
        items.push(tick(
            (body.right(), y),
            (body.right() + 0.6 * s.tick_length(), y),
            s,
        ));
    }
    for (at, label) in &side.major {
        let y = body.bottom() - at * body.height;
        items.push(tick((body.right(), y), (body.right() + s.tick_length(), y), s));
        let x = body.right() + s.tick_length() + s.tick_pad();
        items.push(Item::Text(
            Text::new(label, x, y, s.tick).anchored(Anchor::Start, Level::Middle),
        ));
    }
    if !side.title.is_empty() {
        let x = rect.right() + depth::labels_width(&side, s) + s.label_pad() + font::CAP_HEIGHT * s.label;
        items.push(Item::Text(turned(
            &side.title,
            x,
            rect.centre().1,
            s,
            Level::Baseline,
        )));
    }
    items
}

fn is_title(item: &Item, side: &Side) -> bool {
    matches!(item, Item::Text(t) if t.text == side.title)
}

/// The colour map over a body of points, in the page's pixels: viewers that smooth images have nothing to blur.
fn gradient(scale: &ColorScale, body: &Rect, upright: bool, dpi: f64) -> super::picture::Picture {
    let cells = |points: f64| ((points * dpi / 72.0).round() as usize).max(1);
    let (width, height) = (cells(body.width), cells(body.height));
    let values = ndarray::Array2::from_shape_fn((height, width), |(row, col)| {
        let part = if upright {
            1.0 - (row as f64 + 0.5) / height as f64
        } else {
            (col as f64 + 0.5) / width as f64
        };
        part as f32
    });
    let unit = super::stretch::Limits::linear(0.0, 1.0);
    colored(&values, &values.map(|_| 1.0), &scale.colormap, unit, 1.0)
}
