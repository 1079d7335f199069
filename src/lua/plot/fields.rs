//! Images as arrows, lines along them, and lines of equal value.

use ndarray::Array2;

use super::data::{self, Norming};
use crate::error::{Choice, Domain, Error, Result};
use crate::options;
use crate::plot::{
    Axes, BySpeed, CONTOUR_COUNTS, Color, ColorBar, Colormap, Contours, Dash, Field, LINE_WIDTHS, Lengths,
    Quiver, SPACINGS, Stretch, Streamlines,
};
use crate::raster::preview::Mode;
use crate::raster::{Grid, Raster};

/// Pixels along a side that lines of equal value are found in: more would make them no smoother on paper.
const CONTOURED: usize = 800;
/// As many for vectors: arrows and lines are farther apart than pixels.
const VECTORS: usize = 400;

/// What the two bands of a vector field are along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directions {
    Map,
    EastNorth,
}

impl Choice for Directions {
    const ALL: &'static [(&'static str, Self)] =
        &[("map", Directions::Map), ("east north", Directions::EastNorth)];
}

options! {
    /// Of arrows and of lines along a field.
    pub struct Vectors("plot.VectorOptions") {
        ..norming: Norming,
        /// The two components. Default: the image's two bands in their order.
        bands: Option<[String; 2]>,
        /// What they are along: the map's axes (x, y), or east and north on the ground, which are turned into those.
        components: Directions = Directions::Map,
        /// Of all of them.
        color: Color = Color::BLACK,
        /// Colours by speed: a name (see `plot.colormaps`) or a list of colours to blend. Default: one colour for all.
        colormap: Option<Colormap>,
        /// Label of a colour bar for them. Default: no bar.
        color_bar: Option<String>,
        /// Colour beneath and a little wider, so that they show on any ground. Default: none.
        halo: Option<Color>,
    }
}

impl Vectors {
    /// The field, and the unit of its bands.
    fn read(&self, raster: &Raster, detail: usize) -> Result<(Field, String)> {
        let raster = match &self.bands {
            Some(names) => raster.select(names)?,
            None => raster.clone(),
        };
        let unit = raster.bands.first().map_or("", |band| band.unit.symbol()).to_string();
        let (bands, grid): (Vec<Array2<f32>>, Grid) = data::read(&raster, detail.min(VECTORS), Mode::Mean)?;
        let count = bands.len();
        let [x, y]: [Array2<f32>; 2] = bands.try_into().map_err(|_| {
            Error::argument(
                "bands",
                "two, the components of the field (the option `bands` chooses them)",
                format!("{count} ({})", raster.band_names().join(", ")),
            )
        })?;
        let field = match self.components {
            Directions::Map => Field::new(x, y, Some(grid)),
            Directions::EastNorth => Field::east_north(x, y, grid)?,
        };
        Ok((field, unit))
    }

    fn by_speed(&self) -> Result<Option<BySpeed>> {
        let Some(colormap) = self.colormap.clone() else {
            return Ok(None);
        };
        Ok(Some(BySpeed {
            colormap,
            stretch: self.norming.stretch.or(Stretch::Percentiles(2.0, 98.0))?,
            norm: self.norming.norm()?,
        }))
    }

    /// Gives the panel their colour bar, if it is to have one.
    fn bar(&self, axes: &mut Axes) {
        if self.colormap.is_some() {
            axes.color_bar = self.color_bar.clone().map(ColorBar::new).or(axes.color_bar.take());
        }
    }
}

options! {
    pub struct QuiverLayer("plot.QuiverOptions") {
        ..vectors: Vectors,
        /// Between arrows on the page; never less than a pixel of the image.
        spacing: f64 = Quiver::SPACING; SPACINGS,
        /// Of an arrow as fast as the 98th percentile of the image. Default: the spacing.
        length: Option<f64>; SPACINGS,
        /// How lengths follow speeds; `"sqrt"` shows slow and fast at once.
        lengths: Lengths = Lengths::Linear,
        /// Of an arrow's shaft, in points.
        line_width: f64 = Quiver::WIDTH; Domain::above(0.0).in_unit("points"),
        /// The speed of the arrow in the legend; 0 for none. Default: a round one.
        key: Option<f64>; Quiver::KEYS,
        /// Behind that number. Default: that of the bands.
        unit: Option<String>,
    }
}

pub fn quiver(axes: &mut Axes, raster: &Raster, detail: usize, o: &QuiverLayer) -> Result<()> {
    let (field, unit) = o.vectors.read(raster, detail)?;
    let mut quiver = Quiver::new(field);
    (quiver.spacing, quiver.longest) = (o.spacing, o.length.unwrap_or(o.spacing));
    (quiver.lengths, quiver.width, quiver.key) = (o.lengths, o.line_width, o.key);
    (quiver.color, quiver.halo) = (o.vectors.color, o.vectors.halo);
    quiver.by_speed = o.vectors.by_speed()?;
    quiver.unit = o.unit.clone().unwrap_or(unit);
    o.vectors.bar(axes);
    axes.add(quiver);
    Ok(())
}

options! {
    pub struct StreamlinesLayer("plot.StreamlinesOptions") {
        ..vectors: Vectors,
        /// Between lines on the page.
        spacing: f64 = Streamlines::SPACING; SPACINGS,
        /// Points.
        line_width: f64 = Streamlines::WIDTH; Domain::above(0.0).in_unit("points"),
        /// In the legend.
        label: Option<String>,
    }
}

pub fn streamlines(axes: &mut Axes, raster: &Raster, detail: usize, o: &StreamlinesLayer) -> Result<()> {
    let (field, _) = o.vectors.read(raster, detail)?;
    let mut lines = Streamlines::new(field);
    (lines.spacing, lines.width) = (o.spacing, o.line_width);
    (lines.color, lines.halo) = (o.vectors.color, o.vectors.halo);
    lines.by_speed = o.vectors.by_speed()?;
    lines.label = o.label.clone().unwrap_or_default();
    o.vectors.bar(axes);
    axes.add(lines);
    Ok(())
}

options! {
    pub struct ContoursLayer("plot.ContoursOptions") {
        /// The band, where the image has several.
        band: Option<String>,
        /// Values of the lines. Default: round ones.
        levels: Option<Vec<f64>>,
        /// How many round ones at most.
        count: usize = Contours::COUNT; CONTOUR_COUNTS,
        /// Whether lines that are long enough carry their value.
        labels: bool = true,
        /// Of lines and labels.
        color: Color = Color::BLACK,
        /// Colour beneath them and a little wider, so that they show on any ground. Default: none.
        halo: Option<Color>,
        /// Points.
        line_width: f64 = Contours::WIDTH; LINE_WIDTHS,
        /// Of the lines.
        style: Dash = Dash::Solid,
        /// Lines that are shorter on the page are left out: specks of noise.
        shortest: f64 = Contours::SHORTEST; LINE_WIDTHS,
        /// In the legend.
        label: Option<String>,
    }
}

pub fn contours(axes: &mut Axes, raster: &Raster, detail: usize, o: &ContoursLayer) -> Result<()> {
    let raster = data::chosen(raster, &o.band)?;
    let (mut bands, grid) = data::read(&raster, detail.min(CONTOURED), Mode::Mean)?;
    let values = bands.swap_remove(0);
    let levels = match &o.levels {
        Some(levels) => {
            let mut levels = levels.clone();
            levels.sort_by(f64::total_cmp);
            levels
        }
        None => Contours::round_levels(&values, o.count),
    };
    let mut contours = Contours::new(values, Some(grid), levels);
    (contours.labels, contours.color, contours.halo) = (o.labels, o.color, o.halo);
    (contours.width, contours.dash, contours.shortest) = (o.line_width, o.style, o.shortest);
    contours.label = o.label.clone().unwrap_or_default();
    axes.add(contours);
    Ok(())
}
