//! A page as SVG 1.1. Letters are outlines, so that the page looks the same whatever fonts a reader has; each
//! text carries itself as its label for search and screen readers.

use std::collections::BTreeSet;
use std::fmt::Write;

use base64::Engine;

use super::color::Color;
use super::font::{self, Weight};
use super::scene::{Glyph, Item, Path, PathStep, Rect, Scene, Stroke, Text};
use crate::error::Result;
use crate::work::markup::escaped;

/// The SVG document of a page.
pub fn svg(scene: &Scene) -> Result<String> {
    let mut svg = Svg {
        out: String::new(),
        glyphs: BTreeSet::new(),
        clips: 0,
    };
    svg.draw(&scene.items)?;
    let (width, height) = (number(scene.width), number(scene.height));
    let mut page = String::with_capacity(svg.out.len() + 4096);
    page.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\" \
         width=\"{width}pt\" height=\"{height}pt\" viewBox=\"0 0 {width} {height}\">\n<defs>\n"
    );
    for (weight, glyph) in &svg.glyphs {
        let outline = path_data(&font::outline(*glyph, *weight), 1000.0);
        let _ = writeln!(
            page,
            "<path id=\"{}\" d=\"{outline}\"/>",
            glyph_id(*weight, *glyph)
        );
    }
    page.push_str("</defs>\n");
    if scene.background.a > 0 {
        let _ = writeln!(
            page,
            "<rect width=\"{width}\" height=\"{height}\"{}/>",
            fill_of(scene.background)
        );
    }
    page.push_str(&svg.out);
    page.push_str("</svg>\n");
    Ok(page)
}

struct Svg {
    out: String,
    glyphs: BTreeSet<(Weight, u16)>,
    clips: usize,
}

impl Svg {
    fn draw(&mut self, items: &[Item]) -> Result<()> {
        for item in items {
            self.item(item)?;
        }
        Ok(())
    }

    fn item(&mut self, item: &Item) -> Result<()> {
        match item {
            Item::Rule {
                from,
                to,
                width,
                color,
            } => {
                let stroke = stroke_of(&Stroke::solid(*color, *width));
                let _ = writeln!(
                    self.out,
                    "<path d=\"M{} {}L{} {}\"{stroke}/>",
                    number(from.0),
                    number(from.1),
                    number(to.0),
                    number(to.1)
                );
            }
            Item::Box { rect, fill, stroke } => {
                let stroke = stroke.as_ref().map(stroke_of).unwrap_or_default();
                let _ = writeln!(self.out, "<rect{}{}{stroke}/>", place_of(rect), fill_of(*fill));
            }
            Item::Path { path, fill, stroke } if !path.is_empty() => {
                let stroke = stroke.as_ref().map(stroke_of).unwrap_or_default();
                let data = path_data(path, 1.0);
                let _ = writeln!(
                    self.out,
                    "<path d=\"{data}\" fill-rule=\"evenodd\"{}{stroke}/>",
                    fill_of(*fill)
                );
            }
            Item::Path { .. } => {}
            Item::Marks {
                shape,
                at,
                fills,
                stroke,
            } => self.marks(shape, at, fills, stroke.as_ref()),
            Item::Bitmap { rect, picture } => {
                let png = base64::engine::general_purpose::STANDARD.encode(picture.png(None)?);
                let _ = writeln!(
                    self.out,
                    "<image{} preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" \
                     xlink:href=\"data:image/png;base64,{png}\"/>",
                    place_of(rect)
                );
            }
            Item::Text(text) => self.text(text),
            Item::Clip { rect, items } => {
                let id = self.clips;
                self.clips += 1;
                let _ = writeln!(
                    self.out,
                    "<clipPath id=\"c{id}\"><rect{}/></clipPath>\n<g clip-path=\"url(#c{id})\">",
                    place_of(rect)
                );
                self.draw(items)?;
                self.out.push_str("</g>\n");
            }
        }
        Ok(())
    }

    fn marks(&mut self, shape: &Path, at: &[(f64, f64)], fills: &[Color], stroke: Option<&Stroke>) {
        let Some(first) = fills.first() else {
            return;
        };
        let id = self.clips;
        self.clips += 1;
        let stroke = stroke.map(stroke_of).unwrap_or_default();
        let _ = writeln!(
            self.out,
            "<defs><path id=\"m{id}\" d=\"{}\"{stroke}/></defs>\n<g{}>",
            path_data(shape, 1.0),
            fill_of(*first)
        );
        for (i, &(x, y)) in at.iter().enumerate() {
            let own = match fills.get(i) {
                Some(fill) if fill != first => fill_of(*fill),
                _ => String::new(),
            };
            let _ = writeln!(
                self.out,
                "<use xlink:href=\"#m{id}\" x=\"{}\" y=\"{}\"{own}/>",
                number(x),
                number(y)
            );
        }
        self.out.push_str("</g>\n");
    }

    fn text(&mut self, text: &Text) {
        let turn = if text.rotation == 0.0 {
            String::new()
        } else {
            format!(" rotate({})", number(-text.rotation))
        };
        // Glyphs are stored at 1000 units a font size.
        let scale = text.size / 1000.0;
        let mut letters = String::new();
        for Glyph { glyph, x, y, .. } in text.glyphs() {
            self.glyphs.insert((text.weight, glyph));
            let _ = write!(
                letters,
                "<use xlink:href=\"#{}\" x=\"{}\" y=\"{}\"/>",
                glyph_id(text.weight, glyph),
                number(x / scale),
                number(y / scale)
            );
        }
        let _ = writeln!(
            self.out,
            "<g role=\"img\" aria-label=\"{}\" transform=\"translate({} {}){turn} scale({})\"{}>",
            escaped(&text.text),
            number(text.x),
            number(text.y),
            number(scale),
            fill_of(text.color),
        );
        if let Some((color, width)) = text.halo {
            // Below all letters, so that no letter's outline covers its neighbour.
            let stroke = stroke_of(&Stroke::solid(color, 2.0 * width / scale));
            let _ = writeln!(self.out, "<g{stroke}>{letters}</g>");
        }
        let _ = writeln!(self.out, "{letters}\n</g>");
    }
}

fn glyph_id(weight: Weight, glyph: u16) -> String {
    match weight {
        Weight::Regular => format!("g{glyph}"),
        Weight::Bold => format!("b{glyph}"),
    }
}

/// At most three decimals (a thousandth of a point), none of them trailing zeros.
fn number(v: f64) -> String {
    let text = if v.abs() < 0.1 {
        format!("{v:.6}")
    } else {
        format!("{v:.3}")
    };
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" | "" => "0".to_string(),
        trimmed => trimmed.to_string(),
    }
}

fn place_of(rect: &Rect) -> String {
    format!(
        " x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
        number(rect.x),
        number(rect.y),
        number(rect.width),
        number(rect.height)
    )
}

fn hex(c: Color) -> String {
    format!("#{:02x}{:02x}{:02x}", c.r, c.g, c.b)
}

fn fill_of(color: Color) -> String {
    match color.a {
        0 => " fill=\"none\"".to_string(),
        255 => format!(" fill=\"{}\"", hex(color)),
        a => format!(
            " fill=\"{}\" fill-opacity=\"{}\"",
            hex(color),
            number(f64::from(a) / 255.0)
        ),
    }
}

fn stroke_of(stroke: &Stroke) -> String {
    let mut out = format!(
        " stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
        hex(stroke.color),
        number(stroke.width)
    );
    if stroke.color.a < 255 {
        let _ = write!(
            out,
            " stroke-opacity=\"{}\"",
            number(f64::from(stroke.color.a) / 255.0)
        );
    }
    if !stroke.dash.is_empty() {
        let dash: Vec<String> = stroke.dash.iter().map(|d| number(*d)).collect();
        let _ = write!(out, " stroke-dasharray=\"{}\"", dash.join(" "));
    }
    out
}

fn path_data(path: &Path, scale: f64) -> String {
    let mut out = String::new();
    let mut put = |letter: char, values: &[f64]| {
        out.push(letter);
        for (i, v) in values.iter().enumerate() {
            if i > 0 {
                out.push(' ');
            }
            out.push_str(&number(v * scale));
        }
    };
    for step in &path.0 {
        match *step {
            PathStep::Move(x, y) => put('M', &[x, y]),
            PathStep::Line(x, y) => put('L', &[x, y]),
            PathStep::Cubic(values) => put('C', &values),
            PathStep::Close => put('Z', &[]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::picture::Picture;

    fn page(items: Vec<Item>) -> String {
        svg(&Scene {
            width: 72.0,
            height: 36.0,
            background: Color::WHITE,
            items,
        })
        .unwrap()
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(1.5), "1.5");
        assert_eq!(number(-0.00000001), "0");
        assert_eq!(number(12.34567), "12.346");
        assert_eq!(number(0.009), "0.009");
        assert_eq!(number(100.0), "100");
    }

    #[test]
    fn text_is_outlines_with_its_label() {
        let text = page(vec![Item::Text(Text::new("a<b & \"a\"", 3.0, 4.0, 10.0))]);
        assert!(text.contains("aria-label=\"a&lt;b &amp; &quot;a&quot;\""));
        // `a` is used twice and defined once.
        let a = glyph_id(Weight::Regular, font::line("a", Weight::Regular).0[0].glyph);
        assert_eq!(text.matches(&format!("id=\"{a}\"")).count(), 1);
        assert_eq!(text.matches(&format!("xlink:href=\"#{a}\"")).count(), 2);
        assert!(!text.contains("<text"));
    }

    #[test]
    fn images_are_embedded_once() {
        let text = page(vec![Item::Bitmap {
            rect: Rect::new(1.0, 2.0, 3.0, 4.0),
            picture: Picture::new(2, 2),
        }]);
        assert_eq!(text.matches("data:image/png;base64,iVBOR").count(), 1);
    }

    #[test]
    fn the_page_has_its_size_in_points() {
        assert!(page(vec![]).contains("width=\"72pt\" height=\"36pt\" viewBox=\"0 0 72 36\""));
    }
}
