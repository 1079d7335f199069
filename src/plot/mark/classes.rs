//! Whole-numbered classes, each in its colour.

use ndarray::Array2;

use super::{Ink, Mark, Page, fits_grid};
use crate::error::Result;
use crate::plot::bitmap::{fill_pixels, filling, sampled};
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::picture::Picture;
use crate::plot::place::Frame;
use crate::plot::reach::Extent;
use crate::plot::scene::Item;
use crate::raster::Grid;

/// One value of a classified image.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    pub value: i64,
    pub name: String,
    pub color: Color,
}

/// Whole-numbered classes, each with its colour; pixels of no listed class are transparent.
#[derive(Debug, Clone)]
pub struct Classes {
    pub values: Array2<f32>,
    pub grid: Option<Grid>,
    pub classes: Vec<Class>,
}

impl Mark for Classes {
    fn check(&self) -> Result<()> {
        fits_grid(self.grid.as_ref(), self.values.dim())
    }

    fn grid(&self) -> Option<&Grid> {
        self.grid.as_ref()
    }

    fn reach(&self, extent: &mut Extent) {
        extent.image(self.grid.as_ref(), self.values.dim());
    }

    fn entries(&self, _: &Ink) -> Vec<LegendEntry> {
        let entry = |class: &Class| LegendEntry {
            label: class.name.clone(),
            key: Key::Patch {
                fill: class.color,
                outline: Some(Color::grey(90)),
            },
        };
        self.classes.iter().map(entry).collect()
    }

    fn is_legend_beside(&self) -> bool {
        true
    }

    fn draw(&self, _: &Ink, frame: &Frame, page: &Page) -> Vec<Item> {
        let cells = page.cells;
        let (values, _) = sampled(
            &self.values,
            self.grid.as_ref().map(|g| &g.transform),
            frame,
            cells,
            false,
        );
        let mut table: Vec<(i64, Color)> = self.classes.iter().map(|c| (c.value, c.color)).collect();
        table.sort_by_key(|(value, _)| *value);
        let values: Vec<f32> = values.iter().copied().collect();
        let mut picture = Picture::new(cells.0, cells.1);
        fill_pixels(&mut picture, |i| {
            if !values[i].is_finite() {
                return Color::TRANSPARENT;
            }
            let value = values[i].round() as i64;
            match table.binary_search_by_key(&value, |(v, _)| *v) {
                Ok(at) => table[at].1,
                Err(_) => Color::TRANSPARENT,
            }
        });
        filling(frame, picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::Rect;
    use crate::plot::span::Span;
    use crate::plot::style::Style;

    #[test]
    fn classes_without_a_colour_are_transparent() {
        let l = Classes {
            values: ndarray::array![[0.0, 1.0, 7.0, f32::NAN]],
            grid: None,
            classes: vec![
                Class {
                    value: 1,
                    name: "water".into(),
                    color: Color::rgb(0, 0, 255),
                },
                Class {
                    value: 0,
                    name: "land".into(),
                    color: Color::rgb(0, 255, 0),
                },
            ],
        };
        let frame = Frame {
            rect: Rect::new(0.0, 0.0, 4.0, 1.0),
            x: Span::linear(0.0, 4.0),
            y: Span::linear(1.0, 0.0),
        };
        let page = Page {
            cells: (4, 1),
            style: &Style::new(9.0),
        };
        let items = l.draw(&Ink::default(), &frame, &page);
        let [Item::Bitmap { picture: p, .. }] = items.as_slice() else {
            panic!("{items:?}");
        };
        assert_eq!(p.get(0, 0), [0, 255, 0, 255]);
        assert_eq!(p.get(1, 0), [0, 0, 255, 255]);
        assert_eq!((p.get(2, 0)[3], p.get(3, 0)[3]), (0, 0));
    }
}
