//! Layers as shapes on the page.

use super::bitmap;
use super::color::Color;
use super::layer::*;
use super::legend::marks;
use super::panel::{Panel, PanelLayer};
use super::picture::Picture;
use super::scene::{Item, Path, Rect, Stroke, Text};
use super::span::Span;
use super::stretch::Limits;
use super::style::{HALO, Style};

/// A panel's place on the page and the values along its sides.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub rect: Rect,
    pub x: Span,
    pub y: Span,
}

/// Points farther than this outside a panel are cut off; coordinates stay small enough for single precision.
const FAR: f64 = 5000.0;

impl Frame {
    pub fn of(panel: &Panel, rect: Rect) -> Frame {
        Frame {
            rect,
            x: panel.x,
            y: panel.y,
        }
    }

    /// Page coordinates of a point; NaN where it has none.
    pub fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let px = self.rect.x + self.x.position(x) * self.rect.width;
        let py = self.rect.bottom() - self.y.position(y) * self.rect.height;
        if px.is_finite() && py.is_finite() {
            (px, py)
        } else {
            (f64::NAN, f64::NAN)
        }
    }

    /// As `place`, but what lies far outside is brought near, and what a logarithm cannot show lies far below.
    fn clamped(&self, x: f64, y: f64) -> (f64, f64) {
        let px = self.rect.x + self.x.position(x) * self.rect.width;
        let py = match self.y.position(y) {
            p if p.is_nan() && y <= 0.0 => FAR,
            p => self.rect.bottom() - p * self.rect.height,
        };
        (
            px.clamp(self.rect.x - FAR, self.rect.right() + FAR),
            py.clamp(self.rect.y - FAR, self.rect.bottom() + FAR),
        )
    }

    fn points(&self, xs: &[f64], ys: &[f64]) -> Vec<(f64, f64)> {
        xs.iter().zip(ys).map(|(x, y)| self.place(*x, *y)).collect()
    }

    /// Those of the points that show or whose marks may.
    fn visible(&self, points: &[(f64, f64)], margin: f64) -> Vec<(f64, f64)> {
        let near = self.rect.grown(margin);
        points
            .iter()
            .copied()
            .filter(|(x, y)| near.contains(*x, *y))
            .collect()
    }

    /// A line through points, in pieces where it leaves the panel's surroundings or meets a NaN.
    fn line(&self, points: &[(f64, f64)], closed: bool) -> Path {
        let near = self.rect.grown(50.0);
        let mut pieces = Vec::new();
        let mut end: Option<(f64, f64)> = None;
        let closing = closed.then(|| points.first().copied()).flatten();
        let all: Vec<(f64, f64)> = points.iter().copied().chain(closing).collect();
        for pair in all.windows(2) {
            let Some((a, b)) = clip_segment(pair[0], pair[1], &near) else {
                end = None;
                continue;
            };
            if end != Some(a) {
                if !pieces.is_empty() {
                    pieces.push((f64::NAN, f64::NAN));
                }
                pieces.push(a);
            }
            pieces.push(b);
            end = Some(b);
        }
        Path::polyline(pieces)
    }
}

/// The part of a segment within a rectangle (Liang & Barsky 1984, doi:10.1145/357332.357333).
fn clip_segment(a: (f64, f64), b: (f64, f64), rect: &Rect) -> Option<((f64, f64), (f64, f64))> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    if !(dx.is_finite() && dy.is_finite()) {
        return None;
    }
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (p, q) in [
        (-dx, a.0 - rect.x),
        (dx, rect.right() - a.0),
        (-dy, a.1 - rect.y),
        (dy, rect.bottom() - a.1),
    ] {
        if p == 0.0 {
            if q < 0.0 {
                return None;
            }
        } else if p < 0.0 {
            enter = enter.max(q / p);
        } else {
            leave = leave.min(q / p);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |t: f64| match t {
        0.0 => a,
        1.0 => b,
        t => (a.0 + t * dx, a.1 + t * dy),
    };
    Some((at(enter), at(leave)))
}

/// The shapes of a layer in a panel, to be clipped to it. `cells` is the panel's size in pixels (width, height).
pub fn layer(layer: &PanelLayer, frame: &Frame, cells: (usize, usize), style: &Style) -> Vec<Item> {
    let color = layer.color;
    match layer.layer.as_ref() {
        Layer::Image(l) => bitmap(frame, bitmap::image(l, layer.limits[0], frame, cells)),
        Layer::Rgb(l) => bitmap(frame, bitmap::rgb(l, &layer.limits, frame, cells)),
        Layer::Classes(l) => bitmap(frame, bitmap::classes(l, frame, cells)),
        Layer::Line(l) => line(l, color, frame),
        Layer::Scatter(l) => scatter(l, color, layer.limits.first(), frame),
        Layer::ErrorBars(l) => error_bars(l, color, frame),
        Layer::Band(l) => band(l, color, frame),
        Layer::Histogram(l) => histogram(l, color, frame),
        Layer::Polygons(l) => polygons(l, frame),
        Layer::Note(l) => note(l, frame, style),
        Layer::Guide(l) => guide(l, frame),
    }
}

fn bitmap(frame: &Frame, picture: Picture) -> Vec<Item> {
    vec![Item::Bitmap {
        rect: frame.rect,
        picture,
    }]
}

fn stroked(path: Path, stroke: Stroke) -> Option<Item> {
    (!path.is_empty()).then_some(Item::Path {
        path,
        fill: Color::TRANSPARENT,
        stroke: Some(stroke),
    })
}

fn line(l: &Line, color: Color, frame: &Frame) -> Vec<Item> {
    let points = frame.points(&l.x, &l.y);
    let mut items = Vec::new();
    if l.width > 0.0 {
        let stroke = Stroke {
            color,
            width: l.width,
            dash: l.dash.pattern(l.width),
        };
        items.extend(stroked(frame.line(&points, false), stroke));
    }
    if let Some(marker) = l.marker {
        let at = frame.visible(&points, l.marker_size);
        items.push(marks(marker, l.marker_size, at, vec![color], None));
    }
    items
}

fn scatter(l: &Scatter, color: Color, limits: Option<&Limits>, frame: &Frame) -> Vec<Item> {
    let points = frame.points(&l.x, &l.y);
    let (Some(values), Some(limits)) = (&l.values, limits) else {
        let at = frame.visible(&points, l.size);
        return vec![marks(
            l.marker,
            l.size,
            at,
            vec![color.with_opacity(l.opacity)],
            l.outline,
        )];
    };
    let near = frame.rect.grown(l.size);
    let (at, fills): (Vec<_>, Vec<_>) = points
        .iter()
        .zip(values)
        .filter(|((x, y), v)| near.contains(*x, *y) && v.is_finite())
        .map(|(p, v)| {
            let fill = l.colormap.color(limits.position(f64::from(*v)));
            (*p, fill.with_opacity(l.opacity))
        })
        .unzip();
    vec![marks(l.marker, l.size, at, fills, l.outline)]
}

fn error_bars(l: &ErrorBars, color: Color, frame: &Frame) -> Vec<Item> {
    let mut steps = Vec::new();
    let mut bar = |a: (f64, f64), b: (f64, f64), cap: (f64, f64)| {
        for (from, to) in [
            (a, b),
            ((a.0 - cap.0, a.1 - cap.1), (a.0 + cap.0, a.1 + cap.1)),
            ((b.0 - cap.0, b.1 - cap.1), (b.0 + cap.0, b.1 + cap.1)),
        ] {
            if let Some((from, to)) = clip_segment(from, to, &frame.rect.grown(20.0)).filter(|(a, b)| a != b)
            {
                steps.extend(Path::polyline([from, to]).0);
            }
        }
    };
    let half = l.cap / 2.0;
    for (i, (&x, &y)) in l.x.iter().zip(&l.y).enumerate() {
        if let Some((below, above)) = &l.y_error {
            bar(
                frame.clamped(x, y - below[i]),
                frame.clamped(x, y + above[i]),
                (half, 0.0),
            );
        }
        if let Some((below, above)) = &l.x_error {
            bar(
                frame.clamped(x - below[i], y),
                frame.clamped(x + above[i], y),
                (0.0, half),
            );
        }
    }
    let mut items: Vec<Item> = stroked(Path(steps), Stroke::solid(color, l.width))
        .into_iter()
        .collect();
    if let Some(marker) = l.marker {
        let at = frame.visible(&frame.points(&l.x, &l.y), l.marker_size);
        items.push(marks(marker, l.marker_size, at, vec![color], None));
    }
    items
}

fn band(l: &Band, color: Color, frame: &Frame) -> Vec<Item> {
    let finite = |i: usize| l.x[i].is_finite() && l.low[i].is_finite() && l.high[i].is_finite();
    let fill = color.with_opacity(l.opacity);
    let indices: Vec<usize> = (0..l.x.len()).collect();
    indices
        .split(|i| !finite(*i))
        .filter(|run| run.len() > 1)
        .map(|run| {
            let upper = run.iter().map(|&i| frame.clamped(l.x[i], l.high[i]));
            let lower = run.iter().rev().map(|&i| frame.clamped(l.x[i], l.low[i]));
            Item::Path {
                path: Path::polygon(upper.chain(lower)),
                fill,
                stroke: None,
            }
        })
        .collect()
}

fn histogram(l: &Histogram, color: Color, frame: &Frame) -> Vec<Item> {
    // Bars stand on zero, or on the frame where the axis is logarithmic.
    let foot = frame.clamped(l.edges[0], 0.0).1;
    if l.filled {
        let fill = color.with_opacity(l.opacity);
        return l
            .counts
            .iter()
            .zip(l.edges.windows(2))
            .filter(|(count, _)| **count != 0.0 && count.is_finite())
            .map(|(&count, edge)| {
                let (x0, top) = frame.clamped(edge[0], count);
                let (x1, _) = frame.clamped(edge[1], count);
                let (left, right) = (x0.min(x1), x0.max(x1));
                let (upper, lower) = (top.min(foot), top.max(foot));
                Item::Box {
                    rect: Rect::new(left, upper, right - left, lower - upper),
                    fill,
                    stroke: None,
                }
            })
            .collect();
    }
    let mut outline = vec![(frame.clamped(l.edges[0], 0.0).0, foot)];
    for (&count, edge) in l.counts.iter().zip(l.edges.windows(2)) {
        outline.push(frame.clamped(edge[0], count));
        outline.push(frame.clamped(edge[1], count));
    }
    outline.push((frame.clamped(l.edges[l.edges.len() - 1], 0.0).0, foot));
    stroked(Path::polyline(outline), Stroke::solid(color, 1.2))
        .into_iter()
        .collect()
}

fn polygons(l: &Polygons, frame: &Frame) -> Vec<Item> {
    let mut items = Vec::new();
    if let Some(color) = l.halo.filter(|_| l.width > 0.0) {
        let halo = Polygons {
            color: Some(color),
            halo: None,
            fill: Color::TRANSPARENT,
            width: l.width + HALO,
            ..l.clone()
        };
        items = polygons(&halo, frame);
    }
    for polygon in &l.polygons {
        let rings: Vec<Vec<(f64, f64)>> = polygon
            .iter()
            .map(|ring| ring.iter().map(|(x, y)| frame.place(*x, *y)).collect())
            .collect();
        if l.fill.a > 0 && !l.open {
            let near = frame.rect.grown(50.0);
            let steps = rings
                .iter()
                .flat_map(|ring| Path::polygon(clip_polygon(ring, &near)).0)
                .collect();
            let path = Path(steps);
            if path.0.len() > 3 {
                items.push(Item::Path {
                    path,
                    fill: l.fill,
                    stroke: None,
                });
            }
        }
        if l.width > 0.0 {
            let color = l.color.unwrap_or(Color::BLACK);
            let steps = rings
                .iter()
                .flat_map(|ring| frame.line(ring, !l.open).0)
                .collect();
            let stroke = Stroke {
                color,
                width: l.width,
                dash: l.dash.pattern(l.width),
            };
            items.extend(stroked(Path(steps), stroke));
        }
    }
    items
}

/// The part of a polygon within a rectangle (Sutherland & Hodgman 1974, doi:10.1145/360767.360802).
fn clip_polygon(ring: &[(f64, f64)], rect: &Rect) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = ring
        .iter()
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let sides: [(bool, f64, f64); 4] = [
        (true, 1.0, rect.x),
        (true, -1.0, rect.right()),
        (false, 1.0, rect.y),
        (false, -1.0, rect.bottom()),
    ];
    for (along_x, sign, limit) in sides {
        let depth = |p: (f64, f64)| sign * ((if along_x { p.0 } else { p.1 }) - limit);
        let input = std::mem::take(&mut out);
        for (i, &b) in input.iter().enumerate() {
            let a = input[(i + input.len() - 1) % input.len()];
            let (da, db) = (depth(a), depth(b));
            if (da < 0.0) != (db < 0.0) {
                let t = da / (da - db);
                out.push((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
            }
            if db >= 0.0 {
                out.push(b);
            }
        }
    }
    out
}

fn note(l: &Note, frame: &Frame, style: &Style) -> Vec<Item> {
    let (x, y) = frame.place(l.x, l.y);
    if !frame.rect.contains(x, y) {
        return Vec::new();
    }
    let size = l.size.unwrap_or(style.label);
    let mut text = Text::new(&l.text, x, y, size).anchored(l.anchor, l.level);
    text.color = l.color;
    text.rotation = l.rotation;
    text.halo = l.halo.map(|c| (c, size * 0.14));
    vec![Item::Text(text)]
}

fn guide_ends(l: &Guide, frame: &Frame) -> [(f64, f64); 2] {
    let r = frame.rect;
    if l.vertical {
        let x = r.x + frame.x.position(l.at) * r.width;
        [(x, r.bottom()), (x, r.y)]
    } else {
        let y = r.bottom() - frame.y.position(l.at) * r.height;
        [(r.x, y), (r.right(), y)]
    }
}

fn guide(l: &Guide, frame: &Frame) -> Vec<Item> {
    let stroke = Stroke {
        color: l.color,
        width: l.width,
        dash: l.dash.pattern(l.width),
    };
    stroked(frame.line(&guide_ends(l, frame), false), stroke)
        .into_iter()
        .collect()
}

/// Points that stand for what a panel's charts cover, for finding an empty corner.
pub fn obstacles(panel: &Panel, frame: &Frame) -> Vec<(f64, f64)> {
    const STEP: f64 = 3.0;
    let mut out = Vec::new();
    let mut path = |points: &[(f64, f64)]| {
        for pair in points.windows(2) {
            if let Some((a, b)) = clip_segment(pair[0], pair[1], &frame.rect) {
                let parts = ((b.0 - a.0).hypot(b.1 - a.1) / STEP).ceil().max(1.0) as usize;
                out.extend((0..=parts).map(|i| {
                    let t = i as f64 / parts as f64;
                    (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)
                }));
            }
        }
    };
    for PanelLayer { layer, .. } in &panel.layers {
        match layer.as_ref() {
            Layer::Line(l) => path(&frame.points(&l.x, &l.y)),
            Layer::Band(l) => {
                path(&frame.points(&l.x, &l.low));
                path(&frame.points(&l.x, &l.high));
            }
            Layer::Scatter(l) => frame.points(&l.x, &l.y).iter().for_each(|p| path(&[*p, *p])),
            Layer::ErrorBars(l) => {
                for (i, (&x, &y)) in l.x.iter().zip(&l.y).enumerate() {
                    let (below, above) = l.y_error.as_ref().map_or((0.0, 0.0), |(b, a)| (b[i], a[i]));
                    path(&[frame.clamped(x, y - below), frame.clamped(x, y + above)]);
                }
            }
            Layer::Histogram(l) => {
                for (count, edge) in l.counts.iter().zip(l.edges.windows(2)) {
                    let middle = (edge[0] + edge[1]) / 2.0;
                    path(&[frame.clamped(middle, 0.0), frame.clamped(middle, *count)]);
                }
            }
            Layer::Polygons(l) => {
                for ring in l.polygons.iter().flatten() {
                    path(&ring.iter().map(|(x, y)| frame.place(*x, *y)).collect::<Vec<_>>());
                }
            }
            Layer::Note(l) => path(&[frame.place(l.x, l.y); 2]),
            Layer::Guide(l) => path(&guide_ends(l, frame)),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::PathStep;

    fn frame() -> Frame {
        Frame {
            rect: Rect::new(10.0, 10.0, 100.0, 50.0),
            x: Span::linear(0.0, 10.0),
            y: Span::linear(0.0, 5.0),
        }
    }

    #[test]
    fn points_land_where_the_axes_say() {
        assert_eq!(frame().place(0.0, 0.0), (10.0, 60.0));
        assert_eq!(frame().place(10.0, 5.0), (110.0, 10.0));
        assert!(frame().place(f64::NAN, 1.0).0.is_nan());
    }

    #[test]
    fn huge_coordinates_are_cut_before_drawing() {
        let points = [(-1e12, 30.0), (1e12, 30.0)];
        let path = frame().line(&points, false);
        for step in &path.0 {
            if let PathStep::Move(x, _) | PathStep::Line(x, _) = step {
                assert!((-40.0..=160.0).contains(x));
            }
        }
        assert_eq!(path.0.len(), 2);
    }

    #[test]
    fn a_gap_breaks_a_line() {
        let points = [
            (20.0, 20.0),
            (30.0, 20.0),
            (f64::NAN, 20.0),
            (40.0, 20.0),
            (50.0, 20.0),
        ];
        let path = frame().line(&points, false);
        assert_eq!(
            path.0.iter().filter(|s| matches!(s, PathStep::Move(..))).count(),
            2
        );
    }

    #[test]
    fn polygons_around_the_panel_fill_it() {
        let rect = Rect::new(0.0, 0.0, 10.0, 10.0);
        let around = [(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)];
        let clipped = clip_polygon(&around, &rect);
        let area: f64 = (0..clipped.len())
            .map(|i| {
                let (a, b) = (clipped[i], clipped[(i + 1) % clipped.len()]);
                (a.0 * b.1 - b.0 * a.1) / 2.0
            })
            .sum();
        assert!((area.abs() - 100.0).abs() < 1e-3);
        assert!(clip_polygon(&[(20.0, 20.0), (30.0, 20.0), (30.0, 30.0)], &rect).is_empty());
    }
}
