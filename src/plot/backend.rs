//! Charts that the library plotters draws, as shapes on our pages: in PNG, SVG and PDF alike, with our letters.

use std::convert::Infallible;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};

use super::color::Color;
use super::font::{self, Weight};
use super::picture::Picture;
use super::scene::{Anchor, Item, Level, Path, Rect, Stroke, Text};

/// plotters counts in whole pixels, so that it gets small ones: this many a point.
pub const PARTS: f64 = 64.0;

/// Between filled areas that share an edge the page would shine through where the edge cuts a pixel: opaque ones are this much
/// wider, in points.
const OVERLAP: f64 = 0.35;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// A rectangle of a page as what plotters draws on. Lengths, widths of lines and sizes of letters are in parts of a point.
pub struct Backend<'a> {
    rect: Rect,
    items: &'a mut Vec<Item>,
}

/// What `draw` draws into the rectangle. Nothing keeps it within.
pub fn charted(rect: Rect, draw: impl FnOnce(&DrawingArea<Backend, Shift>)) -> Vec<Item> {
    let mut items = Vec::new();
    let backend = Backend {
        rect,
        items: &mut items,
    };
    let area = backend.into_drawing_area();
    draw(&area);
    drop(area);
    items
}

/// Points as parts of them.
pub fn parts(points: f64) -> i32 {
    (points * PARTS).round() as i32
}

/// A colour of ours for plotters.
pub fn rgba(color: Color) -> plotters::style::RGBAColor {
    plotters::style::RGBAColor(color.r, color.g, color.b, f64::from(color.a) / 255.0)
}

fn color_of(color: BackendColor) -> Color {
    let (r, g, b) = color.rgb;
    Color::rgb(r, g, b).with_opacity(color.alpha)
}

impl Backend<'_> {
    fn place(&self, (x, y): BackendCoord) -> (f64, f64) {
        (
            self.rect.x + f64::from(x) / PARTS,
            self.rect.y + f64::from(y) / PARTS,
        )
    }

    /// A path, filled or as a line; nothing where it has no colour.
    fn path<S: BackendStyle>(&mut self, path: Path, style: &S, fill: bool) {
        let color = color_of(style.color());
        if color.a == 0 || path.is_empty() {
            return;
        }
        let (fill, stroke) = match fill {
            true if color.a == 255 => (color, Some(Stroke::solid(color, OVERLAP))),
            true => (color, None),
            false => {
                let width = f64::from(style.stroke_width()) / PARTS;
                (Color::TRANSPARENT, Some(Stroke::solid(color, width)))
            }
        };
        self.items.push(Item::Path { path, fill, stroke });
    }
}

impl DrawingBackend for Backend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (
            (self.rect.width * PARTS) as u32,
            (self.rect.height * PARTS) as u32,
        )
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        let (x, y) = self.place(point);
        self.items.push(Item::Box {
            rect: Rect::new(x, y, 1.0 / PARTS, 1.0 / PARTS),
            fill: color_of(color),
            stroke: None,
        });
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        let path = Path::polyline([self.place(from), self.place(to)]);
        self.path(path, style, false);
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let ((left, top), (right, bottom)) = (self.place(upper_left), self.place(bottom_right));
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        self.path(Path::polygon(corners), style, fill);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let path = Path::polyline(path.into_iter().map(|p| self.place(p)).collect::<Vec<_>>());
        self.path(path, style, false);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let (x, y) = self.place(center);
        let path = Path::circle(f64::from(radius) / PARTS).moved(x, y);
        self.path(path, style, fill);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> Drawn {
        let path = Path::polygon(vert.into_iter().map(|p| self.place(p)).collect::<Vec<_>>());
        self.path(path, style, true);
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, pos: BackendCoord) -> Drawn {
        let color = color_of(style.color());
        if color.a == 0 {
            return Ok(());
        }
        let (x, y) = self.place(pos);
        let anchor = style.anchor();
        let across = match anchor.h_pos {
            HPos::Left => Anchor::Start,
            HPos::Center => Anchor::Middle,
            HPos::Right => Anchor::End,
        };
        let level = match anchor.v_pos {
            VPos::Top => Level::Top,
            VPos::Center => Level::Middle,
            VPos::Bottom => Level::Bottom,
        };
        let mut item = Text::new(text, x, y, style.size() / PARTS).anchored(across, level);
        (item.color, item.weight) = (color, weight_of(style));
        // Ours turn the other way round.
        item.rotation = match style.transform() {
            FontTransform::None => 0.0,
            FontTransform::Rotate90 => -90.0,
            FontTransform::Rotate180 => 180.0,
            FontTransform::Rotate270 => 90.0,
        };
        self.items.push(Item::Text(item));
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = style.size();
        let width = font::width(text, size, weight_of(style));
        let height = font::height(text, size) + font::DESCENT * size;
        Ok((width.ceil() as u32, height.ceil() as u32))
    }

    /// Three bytes a pixel.
    fn blit_bitmap(&mut self, pos: BackendCoord, (width, height): (u32, u32), src: &[u8]) -> Drawn {
        let (x, y) = self.place(pos);
        let mut picture = Picture::new(width as usize, height as usize);
        for (pixel, color) in picture.pixels.chunks_exact_mut(4).zip(src.chunks_exact(3)) {
            pixel.copy_from_slice(&[color[0], color[1], color[2], 255]);
        }
        let rect = Rect::new(x, y, f64::from(width) / PARTS, f64::from(height) / PARTS);
        self.items.push(Item::Bitmap { rect, picture });
        Ok(())
    }
}

fn weight_of<T: BackendTextStyle>(style: &T) -> Weight {
    match style.style() {
        FontStyle::Bold => Weight::Bold,
        _ => Weight::Regular,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::PathStep;
    use plotters::chart::ChartBuilder;
    use plotters::element::{Circle, PathElement, Rectangle};
    use plotters::style::{BLACK, Color as _, IntoFont, RED, ShapeStyle};

    fn corners(item: &Item) -> Vec<(f64, f64)> {
        let Item::Path { path, .. } = item else {
            panic!("{item:?}");
        };
        let corner = |step: &PathStep| match step {
            PathStep::Move(x, y) | PathStep::Line(x, y) => Some((*x, *y)),
            _ => None,
        };
        path.0.iter().filter_map(corner).collect()
    }

    fn red(stroke_width: u32) -> ShapeStyle {
        ShapeStyle {
            color: RED.mix(1.0),
            filled: false,
            stroke_width,
        }
    }

    #[test]
    fn shapes_land_on_the_page_to_a_part_of_a_point() {
        let rect = Rect::new(10.0, 20.0, 100.0, 50.0);
        let items = charted(rect, |area| {
            assert_eq!(area.dim_in_pixel(), (6400, 3200));
            area.draw(&PathElement::new(vec![(0, 0), (33, 640)], red(96)))
                .unwrap();
            area.draw(&Rectangle::new([(64, 64), (128, 128)], BLACK.filled()))
                .unwrap();
            area.draw(&Circle::new((640, 640), 64, RED.mix(0.5))).unwrap();
        });
        assert_eq!(corners(&items[0]), [(10.0, 20.0), (10.515625, 30.0)]);
        let Item::Path {
            stroke: Some(stroke), ..
        } = &items[0]
        else {
            panic!("{items:?}");
        };
        assert_eq!(*stroke, Stroke::solid(Color::rgb(255, 0, 0), 1.5));
        assert_eq!(
            corners(&items[1]),
            [(11.0, 21.0), (12.0, 21.0), (12.0, 22.0), (11.0, 22.0)]
        );
        assert_eq!(corners(&items[2]), [(21.0, 30.0)]);
    }

    #[test]
    fn letters_are_ours() {
        let rect = Rect::new(0.0, 0.0, 100.0, 50.0);
        let items = charted(rect, |area| {
            let style = ("sans", 8.0 * PARTS).into_font().color(&BLACK);
            let (width, _) = area.estimate_text_size("−12 dB", &style).unwrap();
            let expected = font::width("−12 dB", 8.0 * PARTS, Weight::Regular);
            assert!((f64::from(width) - expected).abs() <= 1.0);
            area.draw_text("−12 dB", &style, (640, 1280)).unwrap();
        });
        let [Item::Text(text)] = items.as_slice() else {
            panic!("{items:?}");
        };
        assert_eq!(
            (text.text.as_str(), text.x, text.y, text.size),
            ("−12 dB", 10.0, 20.0, 8.0)
        );
        assert_eq!(text.level, Level::Top);
    }

    #[test]
    fn a_chart_of_plotters_becomes_shapes() {
        let rect = Rect::new(0.0, 0.0, 200.0, 100.0);
        let items = charted(rect, |area| {
            let mut chart = ChartBuilder::on(area)
                .x_label_area_size(parts(20.0))
                .y_label_area_size(parts(30.0))
                .build_cartesian_2d(0.0..10.0, 0.0..1.0)
                .unwrap();
            chart
                .configure_mesh()
                .label_style(("sans", 7.0 * PARTS))
                .draw()
                .unwrap();
            chart
                .draw_series([PathElement::new(vec![(0.0, 0.0), (10.0, 1.0)], red(64))])
                .unwrap();
        });
        let texts = items.iter().filter(|item| matches!(item, Item::Text(_))).count();
        assert!(texts >= 8, "{texts}");
        let line = corners(items.last().unwrap());
        let (start, end) = (line[0], line[line.len() - 1]);
        assert!(
            (start.0 - 30.0).abs() < 0.1 && (start.1 - 80.0).abs() < 0.1,
            "{line:?}"
        );
        assert!((end.0 - 200.0).abs() < 0.1 && end.1.abs() < 0.1, "{line:?}");
    }
}
