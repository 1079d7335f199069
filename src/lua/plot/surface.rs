//! Heights as a surface in space.

use super::data::{self, Norming};
use crate::error::{Error, Result};
use crate::options;
use crate::plot::{Axes, AxesKind, ColorBar, Colormap, Stretch, Surface, View};
use crate::raster::Raster;
use crate::raster::preview::Mode;

options! {
    pub struct SurfaceLayer("plot.SurfaceLayerOptions") {
        ..norming: Norming,
        /// An image of one band on the grid of the heights, which its colours show. Default: the heights.
        drape: Option<Raster>,
        /// A name (see `plot.colormaps`) or a list of colours to blend. Default `"viridis"`; `"terrain"` of heights; `"RdBu_r"` where symmetric.
        colormap: Option<Colormap>,
        /// Of the colour bar. Default: the name and the unit of what the colours show.
        label: Option<String>,
        /// Whether there is one.
        color_bar: bool = true,
        /// Of the axis that goes up: quantity and unit. Default: the band's name and unit.
        height_label: Option<String>,
        /// The direction that one looks into, clockwise from north: 0 from the south, 90 from the west.
        azimuth: f64 = Surface::VIEW.azimuth; Surface::AZIMUTHS,
        /// How far above the horizon one looks from: 0 from the side, 90 from above.
        elevation: f64 = Surface::VIEW.elevation; Surface::ELEVATIONS,
        /// How many times as high as true heights are shown; where it is not 1 the figure says so. Default: a round number by which they differ by at most
        /// a fifth of the ground's longer side, 1 at least.
        exaggeration: Option<f64>; Surface::EXAGGERATIONS,
        /// How dark slopes away from the light are; 0 leaves the colours as on the colour bar.
        shading: f64 = Surface::SHADING; Surface::SHADINGS,
        /// Facets along the longer side, if the image has as many pixels.
        facets: usize = 240; Surface::FACETS,
    }
}

/// Units in which heights are as long as the metres of a map.
const METRES: [&str; 6] = ["", "m", "metre", "metres", "meter", "meters"];

pub fn surface(axes: &mut Axes, heights: &Raster, o: SurfaceLayer) -> Result<()> {
    let heights = data::chosen(heights, &None)?;
    let band = &heights.bands[0];
    if heights.grid.crs.is_some() && !METRES.contains(&band.unit.symbol()) {
        return Err(Error::argument(
            "heights",
            "in metres, as the map is (`heights:set_unit(\"m\")` where they are)",
            format!("{} in {}", band.name, band.unit),
        ));
    }
    let (mut read, grid) = data::read(&heights, o.facets + 1, Mode::Mean)?;
    let mut surface = Surface::new(read.swap_remove(0), grid);
    let shown = match &o.drape {
        None => heights.clone(),
        Some(drape) => {
            let drape = data::chosen(drape, &None)?;
            if drape.grid != heights.grid {
                return Err(Error::message(
                    "drape and heights lie on different grids; bring it onto theirs first: `drape:align(heights)`",
                ));
            }
            surface.drape = Some(data::read(&drape, o.facets + 1, Mode::Mean)?.0.swap_remove(0));
            drape
        }
    };
    let stretch = o.norming.stretch.or(match o.drape {
        Some(_) => Stretch::Percentiles(2.0, 98.0),
        None => Stretch::Fixed(None, None),
    })?;
    surface.colormap = match (&o.colormap, stretch) {
        (Some(colormap), _) => colormap.clone(),
        (None, Stretch::Symmetric(_)) => Colormap::named("RdBu_r")?,
        (None, _) if o.drape.is_none() => Colormap::named("terrain")?,
        (None, _) => Colormap::default(),
    };
    (surface.stretch, surface.norm) = (stretch, o.norming.norm()?);
    surface.view = View {
        azimuth: o.azimuth,
        elevation: o.elevation,
    };
    (surface.exaggeration, surface.shading) = (o.exaggeration, o.shading);
    surface.label = o.height_label.unwrap_or_else(|| data::label_of(band));
    surface.ground = [axes.x.label.clone(), axes.y.label.clone()];
    let label = o.label.unwrap_or_else(|| data::label_of(&shown.bands[0]));
    axes.color_bar = o.color_bar.then(|| ColorBar::new(label));
    axes.kind = AxesKind::Space;
    axes.add(surface);
    Ok(())
}
