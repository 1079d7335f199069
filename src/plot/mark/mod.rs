//! What axes can show: one kind of mark a file. Coordinates are those of the axes (map coordinates on maps); NaN leaves a gap
//! everywhere.

mod band;
mod bars;
mod boxes;
mod cells;
mod classes;
mod contours;
mod error_bars;
mod field;
mod guide;
mod histogram;
mod image;
mod line;
pub mod look;
mod note;
mod polygons;
mod quiver;
mod rgb;
mod scatter;
mod streamlines;
mod surface;

use std::fmt;
use std::sync::Arc;

pub use self::band::Band;
pub use self::bars::{BarSeries, Bars};
pub use self::boxes::{BoxSummary, Boxes};
pub use self::cells::Cells;
pub use self::classes::{Class, Classes};
pub use self::contours::Contours;
pub use self::error_bars::ErrorBars;
pub use self::field::{BySpeed, Field};
pub use self::guide::Guide;
pub use self::histogram::Histogram;
pub use self::image::Image;
pub use self::line::Line;
pub use self::look::{Dash, LINE_WIDTHS, MARKER_SIZES, Marker, OPACITIES};
pub use self::note::Note;
pub use self::polygons::Polygons;
pub use self::quiver::{Lengths, Quiver};
pub use self::rgb::Rgb;
pub use self::scatter::Scatter;
pub use self::streamlines::Streamlines;
pub use self::surface::Surface;

use super::color::Color;
use super::colormap::Colormap;
use super::key::LegendEntry;
use super::place::{Frame, Obstacles};
use super::reach::Extent;
use super::scene::Item;
use super::stretch::{Limits, Norm, Stretch};
use super::style::Style;
use crate::error::{Error, Result};
use crate::raster::{Bounds, Grid, Transformer};

/// One thing that a panel shows. It is asked in this order: whether it is sound (`check`), where it lies (`transformed`,
/// `turned`, `reach`), which colours it has (`colors`, `limits`), what the legend says of it (`entries`), where it leaves room for that
/// (`obstacles`), and what it looks like (`draw`).
pub trait Mark: fmt::Debug + Send + Sync {
    /// Arrays that must be equally long are, and numbers make sense.
    ///
    /// # Errors
    /// What does not fit, with both sizes.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The grid of its pixels, whose CRS is that of the map.
    fn grid(&self) -> Option<&Grid> {
        None
    }

    /// What it covers.
    fn reach(&self, extent: &mut Extent);

    /// The colours that it wants of the panel: its own, or None for the next of those that series take in turn.
    fn colors(&self) -> Vec<Option<Color>> {
        Vec::new()
    }

    /// What it shows by colour, for a colour bar.
    fn valued(&self) -> Option<Valued<'_>> {
        None
    }

    /// The limits of its colours; `shared` are those of all panels.
    ///
    /// # Errors
    /// Percentiles or limits that make no sense.
    fn limits(&self, shared: Option<Limits>) -> Result<Vec<Limits>> {
        match (self.valued(), shared) {
            (None, _) => Ok(Vec::new()),
            (Some(_), Some(shared)) => Ok(vec![shared]),
            (Some(valued), None) => Ok(vec![valued.limits()?]),
        }
    }

    /// Height over width of a panel that it fills alone, with axes of its own.
    fn aspect(&self) -> Option<f64> {
        None
    }

    /// Its lines in the legend.
    fn entries(&self, _ink: &Ink) -> Vec<LegendEntry> {
        Vec::new()
    }

    /// Whether its legend stands beside maps rather than on them.
    fn is_legend_beside(&self) -> bool {
        false
    }

    /// Where a legend would be in its way.
    fn obstacles(&self, _frame: &Frame, _out: &mut Obstacles) {}

    /// Whether it is nothing but letters, which are specks where they are smaller than pixels.
    fn is_text(&self) -> bool {
        false
    }

    /// Its shapes in a panel, to be clipped to it.
    fn draw(&self, ink: &Ink, frame: &Frame, page: &Page) -> Vec<Item>;

    /// The same with its coordinates moved to another CRS, edges of areas followed within `tolerance` units of it (a ten-thousandth of the
    /// areas' size without); None for what stays as it is. Pixels are never resampled here.
    ///
    /// # Errors
    /// Coordinates that cannot be followed.
    fn transformed(
        &self,
        _transformer: &Transformer,
        _tolerance: Option<f64>,
    ) -> Result<Option<Arc<dyn Mark>>> {
        Ok(None)
    }

    /// The same where it lies on images that reach from `images.min_x` to `images.max_x`, in a CRS in which longitudes come
    /// back after `turn`: points move, lines and areas are drawn once for each turn in which they meet the images. None for
    /// what stays where it is.
    fn turned(&self, _images: &Bounds, _turn: f64) -> Option<Arc<dyn Mark>> {
        None
    }
}

/// The colours of a mark in its panel.
#[derive(Debug, Clone, Default)]
pub struct Ink {
    /// Its own, or those that series take in turn.
    pub colors: Vec<Color>,
    /// Of what is shown by colour; of the three bands of a composite.
    pub limits: Vec<Limits>,
}

impl Ink {
    /// The first colour; black for what has none.
    pub fn color(&self) -> Color {
        self.colors.first().copied().unwrap_or(Color::BLACK)
    }
}

/// What is drawn on.
pub struct Page<'a> {
    /// The panel's size in pixels (width, height).
    pub cells: (usize, usize),
    pub style: &'a Style,
}

/// Values that are shown by colour.
pub struct Valued<'a> {
    pub values: Box<dyn Iterator<Item = &'a f32> + 'a>,
    pub colormap: &'a Colormap,
    pub stretch: Stretch,
    pub norm: Norm,
}

impl Valued<'_> {
    /// # Errors
    /// Limits or percentiles that are not finite or do not rise; percentiles beyond 0 to 100.
    pub fn limits(self) -> Result<Limits> {
        self.norm.limits(self.stretch, self.values)
    }
}

/// That two lists are of one length.
fn same_length(what: &str, x: usize, other: usize) -> Result<()> {
    if x == other {
        return Ok(());
    }
    Err(Error::argument(what, format!("as long as x ({x})"), other))
}

/// That pixels are as many as their grid says.
fn fits_grid(grid: Option<&Grid>, shape: (usize, usize)) -> Result<()> {
    match grid {
        Some(grid) if shape != (grid.rows, grid.cols) => Err(Error::argument(
            "image",
            format!("of its grid's size ({} × {}, rows × cols)", grid.rows, grid.cols),
            format!("{} × {}", shape.0, shape.1),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn lengths_must_agree() {
        let line = Line::new(vec![1.0, 2.0], vec![1.0]);
        assert_eq!(
            line.check().unwrap_err().to_string(),
            "y must be as long as x (2), got 1"
        );
        let grid = Grid::new(None, crate::raster::Affine::north_up(0.0, 0.0, 1.0, 1.0), 2, 3).unwrap();
        let image = Image::new(Array2::zeros((3, 2)), Some(grid));
        assert_eq!(
            image.check().unwrap_err().to_string(),
            "image must be of its grid's size (2 × 3, rows × cols), got 3 × 2"
        );
    }
}
