//! The embedded typeface (DejaVu Sans): measures and outlines.

use std::sync::OnceLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

use super::scene::{Path, PathStep};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    Regular,
    Bold,
}

/// Height of capitals and digits, in font sizes.
pub const CAP_HEIGHT: f64 = 0.729;
/// How far letters reach below the baseline, in font sizes.
pub const DESCENT: f64 = 0.236;
/// Distance of baselines, in font sizes.
pub const LINE_HEIGHT: f64 = 1.2;

/// A glyph of the typeface and where it starts on the line, in font sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    pub glyph: u16,
    pub x: f64,
    /// What it shows.
    pub character: char,
}

/// The file of the typeface.
pub fn bytes(weight: Weight) -> &'static [u8] {
    match weight {
        Weight::Regular => dejavu::sans::regular(),
        Weight::Bold => dejavu::sans::bold(),
    }
}

fn face(weight: Weight) -> &'static Face<'static> {
    static REGULAR: OnceLock<Face<'static>> = OnceLock::new();
    static BOLD: OnceLock<Face<'static>> = OnceLock::new();
    let cell = match weight {
        Weight::Regular => &REGULAR,
        Weight::Bold => &BOLD,
    };
    // The bytes are compiled in; a test parses both.
    cell.get_or_init(|| Face::parse(bytes(weight), 0).expect("the embedded font is sound"))
}

/// The glyphs of one line and its width, in font sizes, kerned. Characters without a glyph show as a box.
pub fn line(text: &str, weight: Weight) -> (Vec<Placed>, f64) {
    let face = face(weight);
    let em = f64::from(face.units_per_em());
    let mut pen = 0.0;
    let mut previous: Option<GlyphId> = None;
    let mut placed = Vec::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let shown = if is_minus(before, c, rest.as_str()) {
            '−'
        } else {
            c
        };
        before = Some(c);
        let glyph = face.glyph_index(shown).unwrap_or(GlyphId(0));
        if let Some(left) = previous {
            pen += f64::from(kerning(face, left, glyph)) / em;
        }
        placed.push(Placed {
            glyph: glyph.0,
            x: pen,
            character: shown,
        });
        pen += f64::from(face.glyph_hor_advance(glyph).unwrap_or(0)) / em;
        previous = Some(glyph);
    }
    (placed, pen)
}

/// Whether `c` is a hyphen in the place of a minus sign: before a number, and behind nothing that it could join to it, as it
/// does in `2023-01-05`, `S1-22` and `m s-1`.
fn is_minus(before: Option<char>, c: char, rest: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ')' | ']' | '.' | '°' | '%');
    let number = rest
        .strip_prefix('.')
        .unwrap_or(rest)
        .starts_with(|c: char| c.is_ascii_digit());
    c == '-' && number && !before.is_some_and(joins)
}

fn kerning(face: &Face, left: GlyphId, right: GlyphId) -> i16 {
    let Some(table) = face.tables().kern else {
        return 0;
    };
    table
        .subtables
        .into_iter()
        .filter(|t| t.horizontal && !t.has_cross_stream && !t.variable)
        .find_map(|t| t.glyphs_kerning(left, right))
        .unwrap_or(0)
}

/// How far a glyph moves the pen, in font sizes.
pub fn advance(glyph: u16, weight: Weight) -> f64 {
    let face = face(weight);
    f64::from(face.glyph_hor_advance(GlyphId(glyph)).unwrap_or(0)) / f64::from(face.units_per_em())
}

/// Of the whole typeface, in font sizes.
pub struct Measures {
    /// Left, bottom, right, top.
    pub bounds: [f64; 4],
    pub ascent: f64,
}

pub fn measures(weight: Weight) -> Measures {
    let face = face(weight);
    let em = f64::from(face.units_per_em());
    let b = face.global_bounding_box();
    Measures {
        bounds: [b.x_min, b.y_min, b.x_max, b.y_max].map(|v| f64::from(v) / em),
        ascent: f64::from(face.ascender()) / em,
    }
}

/// Width of the longest line, in the unit of `size`.
pub fn width(text: &str, size: f64, weight: Weight) -> f64 {
    text.lines().map(|l| line(l, weight).1).fold(0.0, f64::max) * size
}

/// Height from the top of the first line's capitals to the last baseline, in the unit of `size`.
pub fn height(text: &str, size: f64) -> f64 {
    let lines = text.lines().count().max(1);
    ((lines - 1) as f64 * LINE_HEIGHT + CAP_HEIGHT) * size
}

/// Outline of a glyph in font sizes, y down, its origin at the start of the baseline.
pub fn outline(glyph: u16, weight: Weight) -> Path {
    let face = face(weight);
    let mut pen = Pen {
        path: Path::default(),
        scale: 1.0 / f64::from(face.units_per_em()),
        at: (0.0, 0.0),
    };
    face.outline_glyph(GlyphId(glyph), &mut pen);
    pen.path
}

struct Pen {
    path: Path,
    scale: f64,
    at: (f64, f64),
}

impl Pen {
    fn point(&self, x: f32, y: f32) -> (f64, f64) {
        (f64::from(x) * self.scale, -f64::from(y) * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.at = self.point(x, y);
        self.path.0.push(PathStep::Move(self.at.0, self.at.1));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.at = self.point(x, y);
        self.path.0.push(PathStep::Line(self.at.0, self.at.1));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x0, y0), (x1, y1), (x, y)) = (self.at, self.point(x1, y1), self.point(x, y));
        let third = |end: f64, control: f64| end + (control - end) * 2.0 / 3.0;
        self.path.0.push(PathStep::Cubic([
            third(x0, x1),
            third(y0, y1),
            third(x, x1),
            third(y, y1),
            x,
            y,
        ]));
        self.at = (x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.point(x1, y1), self.point(x2, y2), self.point(x, y));
        self.path.0.push(PathStep::Cubic([x1, y1, x2, y2, x, y]));
        self.at = (x, y);
    }

    fn close(&mut self) {
        self.path.0.push(PathStep::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_before_numbers_are_minus_signs() {
        for (written, set) in [
            ("-22 dB", "−22 dB"),
            ("shift (-1.5, -.2)", "shift (−1.5, −.2)"),
            ("x=-3", "x=−3"),
            ("2023-01-05", "2023-01-05"),
            ("S1-22, m s-1, 1e-5, a - 5, -x", "S1-22, m s-1, 1e-5, a - 5, -x"),
        ] {
            assert_eq!(
                line(written, Weight::Regular),
                line(set, Weight::Regular),
                "{written}"
            );
        }
        assert_ne!(line("-22", Weight::Regular), line("a-22", Weight::Regular));
    }

    #[test]
    fn both_faces_parse_and_hold_the_constants() {
        for weight in [Weight::Regular, Weight::Bold] {
            let face = face(weight);
            let em = f64::from(face.units_per_em());
            let h = face.glyph_bounding_box(face.glyph_index('H').unwrap()).unwrap();
            assert!((f64::from(h.y_max) / em - CAP_HEIGHT).abs() < 0.001);
            assert!((f64::from(-face.descender()) / em - DESCENT).abs() < 0.001);
        }
    }

    #[test]
    fn the_signs_of_the_field_have_glyphs() {
        for weight in [Weight::Regular, Weight::Bold] {
            for c in "−·°²³σγµμθφλβδé×±≤≥√→⁻⁰¹⁴⁵⁶⁷⁸⁹₀₁₂′″–—…\u{2009}".chars()
            {
                assert!(face(weight).glyph_index(c).is_some(), "no glyph for {c:?}");
            }
        }
    }

    #[test]
    fn widths_add_up_with_kerning() {
        // DejaVu Sans advances: digits 1303 of 2048 units, A 1401, V 1401, and the pair AV draws together.
        assert!((width("00", 10.0, Weight::Regular) - 2.0 * 1303.0 / 204.8).abs() < 1e-9);
        assert!(width("AV", 10.0, Weight::Regular) < 2.0 * 1401.0 / 204.8);
        assert_eq!(
            width("1\n222", 9.0, Weight::Regular),
            width("222", 9.0, Weight::Regular)
        );
    }

    #[test]
    fn outlines_stand_on_the_baseline() {
        let (placed, _) = line("H", Weight::Regular);
        let path = outline(placed[0].glyph, Weight::Regular);
        let ys: Vec<f64> = path
            .0
            .iter()
            .filter_map(|s| match s {
                PathStep::Move(_, y) | PathStep::Line(_, y) => Some(*y),
                _ => None,
            })
            .collect();
        assert_eq!(ys.iter().copied().fold(f64::MIN, f64::max), 0.0);
        assert!((ys.iter().copied().fold(f64::MAX, f64::min) + CAP_HEIGHT).abs() < 0.001);
    }
}
