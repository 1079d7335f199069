//! What stands around a box in space: its walls, lines, marks and titles.

use super::color::Color;
use super::font::{self, Weight};
use super::place::stroked;
use super::scene::{Anchor, Item, Level, Path, Rect, Stroke, Text};
use super::sides::Side;
use super::space::{Point, Space};
use super::style::{FRAME, Style};
use super::ticks;

/// An edge of the box that carries marks.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    pub from: Point,
    pub to: Point,
    beside: Beside,
}

/// Where the marks of an edge stand.
#[derive(Debug, Clone, Copy)]
enum Beside {
    /// On the ground, towards a point beyond `from`.
    Ground(Point),
    /// Of the edge that goes up: -1 to the left, 1 to the right.
    Wall(f64),
}

impl Edge {
    fn ends(&self, space: &Space) -> ((f64, f64), (f64, f64)) {
        (space.place(self.from), space.place(self.to))
    }

    /// On the page, in points.
    pub fn length(&self, space: &Space) -> f64 {
        let (a, b) = self.ends(space);
        (b.0 - a.0).hypot(b.1 - a.1)
    }

    /// Whether it goes rather up and down the page than across it.
    pub fn is_steep(&self, space: &Space) -> bool {
        let (a, b) = self.ends(space);
        (b.1 - a.1).abs() > (b.0 - a.0).abs()
    }

    /// The direction on the page to which its marks point, of length 1.
    fn outward(&self, space: &Space) -> (f64, f64) {
        let beyond = match self.beside {
            Beside::Ground(beyond) => beyond,
            Beside::Wall(side) => return (side, 0.0),
        };
        let (a, b) = (space.place(self.from), space.place(beyond));
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        match dx.hypot(dy) {
            length if length > 0.5 => (dx / length, dy / length),
            // Seen along the ground.
            _ => (0.0, 1.0),
        }
    }

    fn at(&self, space: &Space, part: f64) -> (f64, f64) {
        let (a, b) = self.ends(space);
        (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part)
    }
}

/// The edges towards east and north that are nearest to the viewer, and the one that goes up where the longer of them begins: there the
/// titles of both have room.
pub fn edges(space: &Space) -> [Edge; 3] {
    let (low, high) = (space.low, space.high);
    let (east, north) = space.nearest();
    let (far_east, far_north) = space.farthest();
    let [left, right] = space.outermost();
    // How far a corner is on the page from the one that is nearest.
    let away = |corner: (f64, f64)| {
        let (a, b) = (
            space.place((corner.0, corner.1, low.2)),
            space.place((east, north, low.2)),
        );
        (a.0 - b.0).hypot(a.1 - b.1)
    };
    let (corner, side) = match away(right) > away(left) {
        true => (right, 1.0),
        false => (left, -1.0),
    };
    [
        Edge {
            from: (low.0, north, low.2),
            to: (high.0, north, low.2),
            beside: Beside::Ground((low.0, north + (north - far_north), low.2)),
        },
        Edge {
            from: (east, low.1, low.2),
            to: (east, high.1, low.2),
            beside: Beside::Ground((east + (east - far_east), low.1, low.2)),
        },
        Edge {
            from: (corner.0, corner.1, low.2),
            to: (corner.0, corner.1, high.2),
            beside: Beside::Wall(side),
        },
    ]
}

/// The ground and the two walls behind it.
pub fn walls(space: &Space) -> [[Point; 4]; 3] {
    let (a, b) = (space.low, space.high);
    let (east, north) = space.farthest();
    [
        [(a.0, a.1, a.2), (b.0, a.1, a.2), (b.0, b.1, a.2), (a.0, b.1, a.2)],
        [
            (a.0, north, a.2),
            (b.0, north, a.2),
            (b.0, north, b.2),
            (a.0, north, b.2),
        ],
        [
            (east, a.1, a.2),
            (east, b.1, a.2),
            (east, b.1, b.2),
            (east, a.1, b.2),
        ],
    ]
}

/// Lines at the marks along the ground and up the walls, and around these.
pub fn grid(space: &Space, sides: &[Side; 3]) -> Vec<Vec<Point>> {
    let (a, b) = (space.low, space.high);
    let (east, north) = space.farthest();
    let (near_east, near_north) = space.nearest();
    let along = |low: f64, high: f64| move |(part, _): &(f64, String)| low + (high - low) * part;
    let x = sides[0].major.iter().map(along(a.0, b.0));
    let y = sides[1].major.iter().map(along(a.1, b.1));
    let z = sides[2].major.iter().map(along(a.2, b.2));
    let mut lines: Vec<Vec<Point>> = Vec::new();
    lines.extend(x.map(|x| vec![(x, near_north, a.2), (x, north, a.2), (x, north, b.2)]));
    lines.extend(y.map(|y| vec![(near_east, y, a.2), (east, y, a.2), (east, y, b.2)]));
    lines.extend(z.map(|z| vec![(near_east, north, z), (east, north, z), (east, near_north, z)]));
    lines.push(vec![
        (near_east, north, a.2),
        (east, north, a.2),
        (east, near_north, a.2),
    ]);
    lines.push(vec![
        (near_east, north, b.2),
        (east, north, b.2),
        (east, near_north, b.2),
    ]);
    lines.push(vec![(east, north, a.2), (east, north, b.2)]);
    lines
}

/// An edge shorter than this many letters is seen from its end and carries nothing.
const SHORTEST: f64 = 1.5;

/// The edges with their marks, labels and titles.
pub fn marks(space: &Space, sides: &[Side; 3], s: &Style) -> Vec<Item> {
    let mut lines = Vec::new();
    for (edge, side) in edges(space).iter().zip(sides) {
        if edge.length(space) < SHORTEST * s.tick {
            continue;
        }
        let (from, to) = edge.ends(space);
        lines.extend(Path::polyline([from, to]).0);
        let (dx, dy) = edge.outward(space);
        for (part, _) in &side.major {
            let at = edge.at(space, *part);
            let length = s.tick_length();
            lines.extend(Path::polyline([at, (at.0 + dx * length, at.1 + dy * length)]).0);
        }
    }
    stroked(Path(lines), Stroke::solid(FRAME, s.line()))
        .into_iter()
        .chain(texts(space, sides, s).into_iter().map(Item::Text))
        .collect()
}

/// Labels and titles of all edges: first of that which goes up, then of the others what does not lie on those.
fn texts(space: &Space, sides: &[Side; 3], s: &Style) -> Vec<Text> {
    let mut out: Vec<Text> = Vec::new();
    for (edge, side) in edges(space).iter().zip(sides).rev() {
        if edge.length(space) < SHORTEST * s.tick {
            continue;
        }
        for text in labels(space, edge, side, s) {
            let own = around(&corners(&text)).grown(0.15 * s.tick);
            let meets = |other: &&Text| {
                let other = around(&corners(other));
                own.x < other.right()
                    && other.x < own.right()
                    && own.y < other.bottom()
                    && other.y < own.bottom()
            };
            // The boxes around what is aslant are larger than it.
            let straight = |text: &Text| text.rotation % 90.0 == 0.0;
            if !straight(&text)
                || !out
                    .iter()
                    .filter(|other| straight(other))
                    .any(|other| meets(&other))
            {
                out.push(text);
            }
        }
    }
    out
}

fn around(points: &[(f64, f64)]) -> Rect {
    let (mut left, mut top, mut right, mut bottom) = (f64::MAX, f64::MAX, f64::MIN, f64::MIN);
    for (x, y) in points {
        (left, right) = (left.min(*x), right.max(*x));
        (top, bottom) = (top.min(*y), bottom.max(*y));
    }
    Rect::new(left, top, right - left, bottom - top)
}

fn labels(space: &Space, edge: &Edge, side: &Side, s: &Style) -> Vec<Text> {
    let (dx, dy) = edge.outward(space);
    let off = s.tick_length() + s.tick_pad();
    let anchor = match dx {
        dx if dx < -0.35 => Anchor::End,
        dx if dx > 0.35 => Anchor::Start,
        _ => Anchor::Middle,
    };
    let level = match dy {
        dy if dy > 0.35 => Level::Top,
        dy if dy < -0.35 => Level::Bottom,
        _ => Level::Middle,
    };
    let mut out = Vec::new();
    let mut room: f64 = 0.0;
    for (part, label) in &side.major {
        let at = edge.at(space, *part);
        out.push(Text::new(label, at.0 + dx * off, at.1 + dy * off, s.tick).anchored(anchor, level));
        let (width, height) = (
            font::width(label, s.tick, Weight::Regular),
            font::height(label, s.tick),
        );
        room = room.max(width * dx.abs() + height * dy.abs());
    }
    if !side.title.is_empty() {
        let (from, to) = edge.ends(space);
        // Titles go along their edge and are read from the left, or upwards.
        let mut along = (to.0 - from.0, to.1 - from.1);
        if matches!(edge.beside, Beside::Wall(_)) {
            along = (0.0, -1.0);
        } else if along.0 < 0.0 {
            along = (-along.0, -along.1);
        }
        let length = along.0.hypot(along.1);
        // How far the middle of the title has to be from the edge, measured in the direction in which labels stand.
        let across = ((along.0 * dy - along.1 * dx) / length).abs().max(0.3);
        let away = off + room + (s.label_pad() + 0.5 * font::CAP_HEIGHT * s.label) / across;
        let middle = edge.at(space, 0.5);
        let mut title = Text::new(&side.title, middle.0 + dx * away, middle.1 + dy * away, s.label)
            .anchored(Anchor::Middle, Level::Middle);
        title.rotation = (-along.1).atan2(along.0).to_degrees();
        out.push(title);
    }
    out
}

/// How much higher than true heights are shown.
pub fn note(rect: &Rect, exaggeration: f64, s: &Style) -> Item {
    let times = ticks::plain(exaggeration, ticks::decimals(exaggeration));
    let mut text = Text::new(
        format!("Vertical exaggeration {times}×"),
        rect.right() - 0.4 * s.tick,
        rect.y + 0.4 * s.tick,
        0.9 * s.tick,
    )
    .anchored(Anchor::End, Level::Top);
    text.color = Color::grey(70);
    Item::Text(text)
}

/// What the box takes on the page with all that stands around it.
pub fn bounds(space: &Space, sides: &[Side; 3], s: &Style) -> Rect {
    let mut points = Vec::new();
    for x in [space.low.0, space.high.0] {
        for y in [space.low.1, space.high.1] {
            for z in [space.low.2, space.high.2] {
                points.push(space.place((x, y, z)));
            }
        }
    }
    points.extend(texts(space, sides, s).iter().flat_map(corners));
    around(&points)
}

/// Of the box around a text.
fn corners(text: &Text) -> [(f64, f64); 4] {
    let (width, height) = (
        font::width(&text.text, text.size, text.weight),
        font::height(&text.text, text.size),
    );
    let left = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let top = match text.level {
        Level::Top => 0.0,
        Level::Middle => -height / 2.0,
        Level::Baseline | Level::Bottom => -height,
    };
    // Letters such as g reach below their line.
    let bottom = top + height + font::DESCENT * text.size;
    let (sin, cos) = text.rotation.to_radians().sin_cos();
    let corner = |x: f64, y: f64| (text.x + x * cos + y * sin, text.y - x * sin + y * cos);
    [
        corner(left, top),
        corner(left + width, top),
        corner(left + width, bottom),
        corner(left, bottom),
    ]
}
