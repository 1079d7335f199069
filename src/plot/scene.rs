//! What a figure looks like, before it is either pixels or SVG: a list of shapes on a page.
//! Lengths are points (1/72 inch), x to the right, y down from the page's upper left corner.

use super::color::Color;
use super::font::{self, Weight};
use super::picture::Picture;
use crate::error::Choice;

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    pub fn new(x: f64, y: f64, width: f64, height: f64) -> Rect {
        Rect { x, y, width, height }
    }

    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub fn centre(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Grown by `by` on every side (shrunk where negative).
    pub fn grown(&self, by: f64) -> Rect {
        Rect::new(
            self.x - by,
            self.y - by,
            self.width + 2.0 * by,
            self.height + 2.0 * by,
        )
    }

    pub fn contains(&self, x: f64, y: f64) -> bool {
        x >= self.x && x <= self.right() && y >= self.y && y <= self.bottom()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PathStep {
    Move(f64, f64),
    Line(f64, f64),
    /// Two control points and the end.
    Cubic([f64; 6]),
    Close,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Path(pub Vec<PathStep>);

impl Path {
    /// A line through the points; a NaN breaks it.
    pub fn polyline(points: impl IntoIterator<Item = (f64, f64)>) -> Path {
        let mut steps = Vec::new();
        let mut pen_down = false;
        for (x, y) in points {
            if !(x.is_finite() && y.is_finite()) {
                pen_down = false;
                continue;
            }
            steps.push(if pen_down {
                PathStep::Line(x, y)
            } else {
                PathStep::Move(x, y)
            });
            pen_down = true;
        }
        Path(steps)
    }

    pub fn polygon(points: impl IntoIterator<Item = (f64, f64)>) -> Path {
        let mut path = Path::polyline(points);
        path.0.push(PathStep::Close);
        path
    }

    pub fn circle(radius: f64) -> Path {
        // The cubic that touches a quarter circle at its ends and its middle.
        let k = radius * 4.0 / 3.0 * (2f64.sqrt() - 1.0);
        let r = radius;
        Path(vec![
            PathStep::Move(r, 0.0),
            PathStep::Cubic([r, k, k, r, 0.0, r]),
            PathStep::Cubic([-k, r, -r, k, -r, 0.0]),
            PathStep::Cubic([-r, -k, -k, -r, 0.0, -r]),
            PathStep::Cubic([k, -r, r, -k, r, 0.0]),
            PathStep::Close,
        ])
    }

    pub fn moved(&self, x: f64, y: f64) -> Path {
        let step = |step: &PathStep| match *step {
            PathStep::Move(a, b) => PathStep::Move(a + x, b + y),
            PathStep::Line(a, b) => PathStep::Line(a + x, b + y),
            PathStep::Cubic([a, b, c, d, e, f]) => {
                PathStep::Cubic([a + x, b + y, c + x, d + y, e + x, f + y])
            }
            PathStep::Close => PathStep::Close,
        };
        Path(self.0.iter().map(step).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.len() < 2
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Stroke {
    pub color: Color,
    pub width: f64,
    /// Lengths of dashes and gaps in turn; empty for a solid line.
    pub dash: Vec<f64>,
}

impl Stroke {
    pub fn solid(color: Color, width: f64) -> Stroke {
        Stroke {
            color,
            width,
            dash: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Choice for Anchor {
    const ALL: &'static [(&'static str, Self)] = &[
        ("left", Anchor::Start),
        ("center", Anchor::Middle),
        ("right", Anchor::End),
    ];
}

/// Which line of the text lies at its y: the letters' feet, their heads (capitals), half of that, or the
/// lowest descender of the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Baseline,
    Top,
    Middle,
    Bottom,
}

/// Text of one or more lines, turned about its anchor point.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    pub text: String,
    pub x: f64,
    pub y: f64,
    pub size: f64,
    pub color: Color,
    pub weight: Weight,
    pub anchor: Anchor,
    pub level: Level,
    /// Degrees, counter-clockwise.
    pub rotation: f64,
    /// Colour and width of an outline around the letters, for legibility on images.
    pub halo: Option<(Color, f64)>,
}

impl Text {
    /// Black regular text, its anchor at the start of its baseline.
    pub fn new(text: impl Into<String>, x: f64, y: f64, size: f64) -> Text {
        Text {
            text: text.into(),
            x,
            y,
            size,
            color: Color::BLACK,
            weight: Weight::Regular,
            anchor: Anchor::Start,
            level: Level::Baseline,
            rotation: 0.0,
            halo: None,
        }
    }

    pub fn anchored(mut self, anchor: Anchor, level: Level) -> Text {
        self.anchor = anchor;
        self.level = level;
        self
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A horizontal or vertical line that keeps to whole pixels.
    Rule {
        from: (f64, f64),
        to: (f64, f64),
        width: f64,
        color: Color,
    },
    /// A rectangle that keeps to whole pixels.
    Box {
        rect: Rect,
        fill: Color,
        stroke: Option<Stroke>,
    },
    Path {
        path: Path,
        fill: Color,
        stroke: Option<Stroke>,
    },
    /// One shape, drawn around each of many points. `fills` holds one colour for all or one for each.
    Marks {
        shape: Path,
        at: Vec<(f64, f64)>,
        fills: Vec<Color>,
        stroke: Option<Stroke>,
    },
    /// Pixels stretched over a rectangle, without smoothing.
    Bitmap {
        rect: Rect,
        picture: Picture,
    },
    Text(Text),
    /// Items of which only what lies within the rectangle shows. Clips do not nest.
    Clip {
        rect: Rect,
        items: Vec<Item>,
    },
}

/// A page of shapes, drawn in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pub width: f64,
    pub height: f64,
    pub background: Color,
    pub items: Vec<Item>,
}

/// A glyph with the place of its origin relative to the anchor of its text, before rotation, in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glyph {
    pub glyph: u16,
    pub character: char,
    pub x: f64,
    pub y: f64,
}

impl Text {
    /// Every glyph, line by line.
    pub fn glyphs(&self) -> Vec<Glyph> {
        let lines: Vec<&str> = self.text.lines().collect();
        let below = (lines.len().max(1) - 1) as f64 * font::LINE_HEIGHT * self.size;
        let first_baseline = match self.level {
            Level::Baseline => -below,
            Level::Top => font::CAP_HEIGHT * self.size,
            Level::Middle => font::CAP_HEIGHT * self.size - font::height(&self.text, self.size) / 2.0,
            Level::Bottom => -below - font::DESCENT * self.size,
        };
        let mut out = Vec::new();
        for (i, text) in lines.iter().enumerate() {
            let (placed, width) = font::line(text, self.weight);
            let start = match self.anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => -width / 2.0,
                Anchor::End => -width,
            };
            let y = first_baseline + i as f64 * font::LINE_HEIGHT * self.size;
            out.extend(placed.iter().map(|p| Glyph {
                glyph: p.glyph,
                character: p.character,
                x: (start + p.x) * self.size,
                y,
            }));
        }
        out
    }
}
