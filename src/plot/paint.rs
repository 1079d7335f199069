//! A page as pixels, anti-aliased.

use tiny_skia::{
    FillRule, LineCap, LineJoin, Mask, Paint, PathBuilder, Pixmap, PremultipliedColorU8, StrokeDash,
    Transform,
};

use super::color::Color;
use super::font;
use super::picture::Picture;
use super::scene::{Glyph, Item, Path, PathStep, Rect, Scene, Stroke, Text};
use crate::bounds;
use crate::error::{Error, Result};

/// Pictures larger than this would need gigabytes; 100 million pixels is a poster at 300 dpi.
const MOST_PIXELS: f64 = 1e8;

/// What a pixel takes while it is drawn: its colour, the colours, values and shares of the image under it.
const HELD_PER_PIXEL: usize = 24;

/// How many pixels across and down a page of so many points has at `dpi` pixels an inch.
///
/// # Errors
/// A page of no or more than a hundred million pixels, or of more than the memory ceiling allows.
pub fn pixels(width: f64, height: f64, dpi: f64) -> Result<(u32, u32)> {
    let [width, height] = [width, height].map(|points| (points * dpi / 72.0).round());
    if !(width >= 1.0 && height >= 1.0 && width * height <= MOST_PIXELS) {
        return Err(Error::argument(
            "figure size",
            "between 1 and 100 million pixels",
            format!("{width} × {height}"),
        ));
    }
    bounds::fits(
        format!("a figure of {width} × {height} pixels"),
        (width * height) as usize,
        HELD_PER_PIXEL,
        "make it smaller, or lower its dpi",
    )?;
    Ok((width as u32, height as u32))
}

/// The pixels of a page at `dpi` pixels an inch.
///
/// # Errors
/// Those of `pixels`.
pub fn paint(scene: &Scene, dpi: f64) -> Result<Picture> {
    let scale = dpi / 72.0;
    let (width, height) = pixels(scene.width, scene.height, dpi)?;
    let Some(mut pixmap) = Pixmap::new(width, height) else {
        return Err(Error::argument(
            "figure size",
            "a possible size",
            format!("{width} × {height}"),
        ));
    };
    pixmap.fill(color_of(scene.background));
    let mut painter = Painter {
        pixmap,
        scale,
        clip: None,
    };
    painter.draw(&scene.items);
    Ok(Picture {
        width: width as usize,
        height: height as usize,
        pixels: painter.pixmap.take_demultiplied(),
    })
}

struct Painter {
    pixmap: Pixmap,
    scale: f64,
    clip: Option<(Rect, Mask)>,
}

/// Whole pixels: left, top, right, bottom.
type Cells = (i32, i32, i32, i32);

impl Painter {
    fn draw(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Rule {
                    from,
                    to,
                    width,
                    color,
                } => self.rule(*from, *to, *width, *color),
                Item::Box { rect, fill, stroke } => {
                    self.fill_cells(self.cells(rect), *fill);
                    if let Some(stroke) = stroke {
                        self.outline(rect, stroke);
                    }
                }
                Item::Path { path, fill, stroke } => {
                    let at = Transform::from_scale(self.scale as f32, self.scale as f32);
                    if let Some(path) = native(path) {
                        self.shape(&path, at, *fill, stroke.as_ref());
                    }
                }
                Item::Marks {
                    shape,
                    at,
                    fills,
                    stroke,
                } => self.marks(shape, at, fills, stroke.as_ref()),
                Item::Bitmap { rect, picture } => self.bitmap(rect, picture),
                Item::Text(text) => self.text(text),
                Item::Clip { rect, items } => {
                    self.clip = self.mask(rect).map(|mask| (*rect, mask));
                    self.draw(items);
                    self.clip = None;
                }
            }
        }
    }

    fn mask(&self, rect: &Rect) -> Option<Mask> {
        let mut mask = Mask::new(self.pixmap.width(), self.pixmap.height())?;
        let (left, top, right, bottom) = self.cells(rect);
        let stride = self.pixmap.width() as usize;
        for y in top.max(0)..bottom.min(self.pixmap.height() as i32) {
            let row = &mut mask.data_mut()[y as usize * stride..][..stride];
            row[left.clamp(0, stride as i32) as usize..right.clamp(0, stride as i32) as usize].fill(255);
        }
        Some(mask)
    }

    fn cells(&self, rect: &Rect) -> Cells {
        let round = |v: f64| (v * self.scale).round() as i32;
        (
            round(rect.x),
            round(rect.y),
            round(rect.right()),
            round(rect.bottom()),
        )
    }

    /// Fills whole pixels, within the clip.
    fn fill_cells(&mut self, cells: Cells, color: Color) {
        if color.a == 0 {
            return;
        }
        let (left, top, right, bottom) = self.clipped(cells);
        let stride = self.pixmap.width() as usize;
        for y in top..bottom {
            for x in left..right {
                let pixel = &mut self.pixmap.pixels_mut()[y as usize * stride + x as usize];
                *pixel = blend(*pixel, color);
            }
        }
    }

    fn clipped(&self, (left, top, right, bottom): Cells) -> Cells {
        let mut bounds = (0, 0, self.pixmap.width() as i32, self.pixmap.height() as i32);
        if let Some((rect, _)) = &self.clip {
            let c = self.cells(rect);
            bounds = (
                bounds.0.max(c.0),
                bounds.1.max(c.1),
                bounds.2.min(c.2),
                bounds.3.min(c.3),
            );
        }
        (
            left.clamp(bounds.0, bounds.2.max(bounds.0)),
            top.clamp(bounds.1, bounds.3.max(bounds.1)),
            right.clamp(bounds.0, bounds.2.max(bounds.0)),
            bottom.clamp(bounds.1, bounds.3.max(bounds.1)),
        )
    }

    /// A line of a whole number of pixels, at least one, around its position.
    fn rule(&mut self, from: (f64, f64), to: (f64, f64), width: f64, color: Color) {
        let thick = (width * self.scale).round().max(1.0) as i32;
        let across = |v: f64| {
            let start = (v * self.scale - f64::from(thick) / 2.0).round() as i32;
            (start, start + thick)
        };
        let along = |a: f64, b: f64| {
            let (a, b) = ((a * self.scale).round() as i32, (b * self.scale).round() as i32);
            (a.min(b), a.max(b))
        };
        let cells = if (from.1 - to.1).abs() < (from.0 - to.0).abs() {
            let ((left, right), (top, bottom)) = (along(from.0, to.0), across(from.1));
            (left, top, right, bottom)
        } else {
            let ((left, right), (top, bottom)) = (across(from.0), along(from.1, to.1));
            (left, top, right, bottom)
        };
        self.fill_cells(cells, color);
    }

    fn outline(&mut self, rect: &Rect, stroke: &Stroke) {
        let half = (stroke.width * self.scale).round().max(1.0) / 2.0 / self.scale;
        let (x0, y0, x1, y1) = (rect.x, rect.y, rect.right(), rect.bottom());
        for y in [y0, y1] {
            self.rule((x0 - half, y), (x1 + half, y), stroke.width, stroke.color);
        }
        for x in [x0, x1] {
            self.rule((x, y0 + half), (x, y1 - half), stroke.width, stroke.color);
        }
    }

    fn shape(&mut self, path: &tiny_skia::Path, at: Transform, fill: Color, stroke: Option<&Stroke>) {
        let mask = self.clip.as_ref().map(|(_, mask)| mask);
        if fill.a > 0 {
            self.pixmap
                .fill_path(path, &paint_of(fill), FillRule::EvenOdd, at, mask);
        }
        if let Some(stroke) = stroke.filter(|s| s.color.a > 0 && s.width > 0.0) {
            let native = native_stroke(stroke);
            self.pixmap
                .stroke_path(path, &paint_of(stroke.color), &native, at, mask);
        }
    }

    fn marks(&mut self, shape: &Path, at: &[(f64, f64)], fills: &[Color], stroke: Option<&Stroke>) {
        let (Some(path), Some(first)) = (native(shape), fills.first()) else {
            return;
        };
        for (i, &(x, y)) in at.iter().enumerate() {
            let place = Transform::from_translate(x as f32, y as f32)
                .post_scale(self.scale as f32, self.scale as f32);
            let fill = fills.get(i).unwrap_or(first);
            self.shape(&path, place, *fill, stroke);
        }
    }

    fn bitmap(&mut self, rect: &Rect, picture: &Picture) {
        if picture.width == 0 || picture.height == 0 {
            return;
        }
        let whole = self.cells(rect);
        let (left, top, right, bottom) = self.clipped(whole);
        let (width, height) = (f64::from(whole.2 - whole.0), f64::from(whole.3 - whole.1));
        let source = |at: i32, start: i32, length: f64, count: usize| {
            (((f64::from(at - start) + 0.5) / length * count as f64) as usize).min(count - 1)
        };
        let stride = self.pixmap.width() as usize;
        let columns: Vec<usize> = (left..right)
            .map(|x| source(x, whole.0, width, picture.width))
            .collect();
        for y in top..bottom {
            let row = source(y, whole.1, height, picture.height);
            let pixels = &mut self.pixmap.pixels_mut()[y as usize * stride + left as usize..];
            for (pixel, &column) in pixels.iter_mut().zip(&columns) {
                let [r, g, b, a] = picture.get(column, row);
                *pixel = blend(*pixel, Color { r, g, b, a });
            }
        }
    }

    fn text(&mut self, text: &Text) {
        let (sin, cos) = (-text.rotation).to_radians().sin_cos();
        let mut builder = PathBuilder::new();
        for Glyph {
            glyph, x: dx, y: dy, ..
        } in text.glyphs()
        {
            let (mut x, mut y) = (text.x + dx * cos - dy * sin, text.y + dx * sin + dy * cos);
            // Feet on whole pixels keep small horizontal letters sharp; so do columns for turned ones.
            if text.rotation == 0.0 {
                y = (y * self.scale).round() / self.scale;
            } else if text.rotation == 90.0 {
                x = (x * self.scale).round() / self.scale;
            }
            let outline = font::outline(glyph, text.weight);
            append(&mut builder, &outline, |px, py| {
                let (px, py) = (px * text.size, py * text.size);
                (x + px * cos - py * sin, y + px * sin + py * cos)
            });
        }
        let Some(path) = builder.finish() else {
            return;
        };
        let scale = Transform::from_scale(self.scale as f32, self.scale as f32);
        let mask = self.clip.as_ref().map(|(_, mask)| mask);
        if let Some((color, width)) = text.halo {
            let stroke = native_stroke(&Stroke::solid(color, 2.0 * width));
            self.pixmap
                .stroke_path(&path, &paint_of(color), &stroke, scale, mask);
        }
        self.pixmap
            .fill_path(&path, &paint_of(text.color), FillRule::Winding, scale, mask);
    }
}

fn color_of(c: Color) -> tiny_skia::Color {
    tiny_skia::Color::from_rgba8(c.r, c.g, c.b, c.a)
}

fn paint_of(color: Color) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(color_of(color));
    paint.anti_alias = true;
    paint
}

fn native_stroke(stroke: &Stroke) -> tiny_skia::Stroke {
    // tiny-skia wants an even number of positive lengths.
    let dash: Vec<f32> = stroke.dash.iter().map(|d| *d as f32).collect();
    let dash = if dash.len() % 2 == 1 {
        [&dash[..], &dash[..]].concat()
    } else {
        dash
    };
    tiny_skia::Stroke {
        width: stroke.width as f32,
        line_cap: LineCap::Butt,
        line_join: LineJoin::Round,
        dash: StrokeDash::new(dash, 0.0),
        ..tiny_skia::Stroke::default()
    }
}

fn native(path: &Path) -> Option<tiny_skia::Path> {
    let mut builder = PathBuilder::with_capacity(path.0.len(), path.0.len());
    append(&mut builder, path, |x, y| (x, y));
    builder.finish()
}

fn append(builder: &mut PathBuilder, path: &Path, place: impl Fn(f64, f64) -> (f64, f64)) {
    let place = |x: f64, y: f64| {
        let (x, y) = place(x, y);
        (x as f32, y as f32)
    };
    for step in &path.0 {
        match *step {
            PathStep::Move(x, y) => {
                let (x, y) = place(x, y);
                builder.move_to(x, y);
            }
            PathStep::Line(x, y) => {
                let (x, y) = place(x, y);
                builder.line_to(x, y);
            }
            PathStep::Cubic([x1, y1, x2, y2, x, y]) => {
                let ((x1, y1), (x2, y2), (x, y)) = (place(x1, y1), place(x2, y2), place(x, y));
                builder.cubic_to(x1, y1, x2, y2, x, y);
            }
            PathStep::Close => builder.close(),
        }
    }
}

fn blend(under: PremultipliedColorU8, over: Color) -> PremultipliedColorU8 {
    let top = tiny_skia::ColorU8::from_rgba(over.r, over.g, over.b, over.a).premultiply();
    if over.a == 255 {
        return top;
    }
    let rest = 255 - u32::from(over.a);
    let mix = |top: u8, under: u8| (u32::from(top) + (u32::from(under) * rest + 127) / 255).min(255) as u8;
    let alpha = mix(top.alpha(), under.alpha());
    PremultipliedColorU8::from_rgba(
        mix(top.red(), under.red()).min(alpha),
        mix(top.green(), under.green()).min(alpha),
        mix(top.blue(), under.blue()).min(alpha),
        alpha,
    )
    .unwrap_or(top)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::{Anchor, Level};

    fn page(items: Vec<Item>) -> Picture {
        let scene = Scene {
            width: 36.0,
            height: 36.0,
            background: Color::WHITE,
            items,
        };
        paint(&scene, 72.0).unwrap()
    }

    fn dark(picture: &Picture) -> usize {
        picture.pixels.chunks(4).filter(|p| p[0] < 128).count()
    }

    #[test]
    fn rules_cover_whole_pixels() {
        let picture = page(vec![Item::Rule {
            from: (4.0, 10.3),
            to: (20.0, 10.3),
            width: 0.8,
            color: Color::BLACK,
        }]);
        assert_eq!(dark(&picture), 16);
        assert_eq!(picture.get(4, 10), [0, 0, 0, 255]);
        assert!(picture.pixels.chunks(4).all(|p| p[0] == 0 || p[0] == 255));
    }

    #[test]
    fn clips_hold_for_every_item() {
        let clip = Rect::new(10.0, 10.0, 8.0, 8.0);
        let all = Rect::new(0.0, 0.0, 36.0, 36.0);
        let mut solid = Picture::new(1, 1);
        solid.pixels.copy_from_slice(&[0, 0, 0, 255]);
        let corner = |x: f64, y: f64| (x * 36.0, y * 36.0);
        let items = [
            Item::Box {
                rect: all,
                fill: Color::BLACK,
                stroke: None,
            },
            Item::Bitmap {
                rect: all,
                picture: solid,
            },
            Item::Path {
                path: Path::polygon([
                    corner(0.0, 0.0),
                    corner(1.0, 0.0),
                    corner(1.0, 1.0),
                    corner(0.0, 1.0),
                ]),
                fill: Color::BLACK,
                stroke: None,
            },
            Item::Marks {
                shape: Path::circle(30.0),
                at: vec![(18.0, 18.0)],
                fills: vec![Color::BLACK],
                stroke: None,
            },
        ];
        for item in items {
            let picture = page(vec![Item::Clip {
                rect: clip,
                items: vec![item],
            }]);
            assert_eq!(dark(&picture), 64);
        }
    }

    #[test]
    fn text_is_centred_where_it_is_put() {
        let mut text = Text::new("H", 18.0, 18.0, 20.0).anchored(Anchor::Middle, Level::Middle);
        for rotation in [0.0, 90.0, 180.0] {
            text.rotation = rotation;
            let picture = page(vec![Item::Text(text.clone())]);
            let (mut x, mut y, mut n) = (0.0, 0.0, 0.0);
            for row in 0..36 {
                for col in 0..36 {
                    let ink = 255.0 - f64::from(picture.get(col, row)[0]);
                    x += ink * (col as f64 + 0.5);
                    y += ink * (row as f64 + 0.5);
                    n += ink;
                }
            }
            assert!(
                n > 0.0 && (x / n - 18.0).abs() < 0.6 && (y / n - 18.0).abs() < 0.6,
                "{rotation}"
            );
        }
    }

    #[test]
    fn absurd_sizes_are_refused() {
        let scene = Scene {
            width: 1e6,
            height: 1e6,
            background: Color::WHITE,
            items: vec![],
        };
        let message = paint(&scene, 300.0).unwrap_err().to_string();
        assert!(message.contains("100 million pixels"), "{message}");
    }
}
