//! Images one after the other as an animation.

use std::path::Path;

use super::data;
use super::{MAP, MapFigure, alone};
use crate::error::{Error, Result};
use crate::options;
use crate::plot::animation::{self, Pace};
use crate::plot::{ColorBar, Figure, Picture, Stretch};
use crate::raster::Raster;

options! {
    pub struct Animation("plot.AnimationOptions") {
        ..map: MapFigure,
        /// One for each picture. Default: the dates, or the names of the bands.
        titles: Option<Vec<String>>,
        /// How long each picture stays.
        seconds: f64 = 0.5; Pace::SECONDS.in_unit("seconds"),
        /// How often it runs; 0 for ever.
        loops: usize = 0; Pace::LOOPS,
    }
}

/// The figure of one image, with given limits of colour.
pub fn frame(images: &[Raster], index: usize, o: &Animation, limits: Option<(f64, f64)>) -> Result<Figure> {
    let MapFigure { size, panel, layer } = &o.map;
    let by_band = images
        .windows(2)
        .any(|p| p[0].bands[0].name != p[1].bands[0].name);
    let mut figure = alone(size, panel, MAP, |axes, detail| {
        let (mut image, label) = data::image(&images[index], layer, detail)?;
        if let Some((low, high)) = limits {
            image.stretch = Stretch::Fixed(Some(low), Some(high));
        }
        axes.color_bar = label.map(ColorBar::new);
        axes.add(image);
        Ok(())
    })?;
    let title = match o.titles.as_ref().and_then(|titles| titles.get(index)) {
        Some(title) => title.clone(),
        None => data::title_of(&images[index], by_band),
    };
    figure.title = std::mem::replace(&mut figure.axes[0].title, title);
    Ok(figure)
}

/// Every image is read twice, once for the limits that all share, so that one is in memory at a time.
pub fn write(images: &[Raster], path: &Path, o: &Animation) -> Result<()> {
    if images.is_empty() {
        return Err(Error::argument("images", "at least one image", "none"));
    }
    let stretch = &o.map.layer.norming.stretch;
    let limits = match (stretch.min, stretch.max) {
        (Some(low), Some(high)) => (low, high),
        _ => shared_limits(images, o)?,
    };
    // All are as large as the first.
    let (width, height) = frame(images, 0, o, Some(limits))?.size()?;
    let pace = Pace {
        seconds: o.seconds,
        loops: u16::try_from(o.loops).unwrap_or(0),
    };
    animation::write(path, images.len(), pace, |index| -> Result<Picture> {
        crate::interrupt::check()?;
        let mut figure = frame(images, index, o, Some(limits))?;
        (figure.width, figure.height) = (Some(width), Some(height));
        figure.picture()
    })
}

/// From the lowest to the highest of the limits that the images have alone.
fn shared_limits(images: &[Raster], o: &Animation) -> Result<(f64, f64)> {
    let mut shared: Option<(f64, f64)> = None;
    for index in 0..images.len() {
        let figure = frame(images, index, o, None)?;
        for placed in &figure.axes[0].marks {
            for limits in placed.mark.limits(None)? {
                let (low, high) = shared.unwrap_or((limits.low, limits.high));
                shared = Some((low.min(limits.low), high.max(limits.high)));
            }
        }
    }
    Ok(shared.unwrap_or((0.0, 1.0)))
}
