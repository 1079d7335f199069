//! Where on a figure its maps are, for displays that tell the coordinates under a pointer.

use serde::Serialize;

use super::figure::{AxesKind, Figure};
use super::layout;
use super::panel;
use super::style::Style;
use crate::error::Result;
use crate::raster::{Crs, Transformer};

/// Along each side of a map so many places have their longitude and latitude told; between them displays interpolate.
const LATTICE: usize = 17;

/// One map of a figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapPlace {
    /// Left, top, width and height, in parts of the figure.
    pub at: [f64; 4],
    /// Coordinates of the left and the right side.
    pub x: [f64; 2],
    /// Of the lower and the upper one.
    pub y: [f64; 2],
    /// What they are in; none of pixels.
    pub crs: Option<String>,
    /// Longitudes and latitudes in degrees, row by row from the upper left corner; none where they are not known, or are what `x` and `y` are.
    pub lonlat: Vec<[f64; 2]>,
}

impl Figure {
    /// The maps of the figure, in the order of its axes; charts are none.
    ///
    /// # Errors
    /// As `picture`.
    pub fn map_places(&self) -> Result<Vec<MapPlace>> {
        let style = Style::new(self.font_size);
        let panels = panel::panels(self)?;
        let layout = layout::layout(self, &panels, &style)?;
        let mut found = Vec::new();
        for (panel, placement) in panels.iter().zip(&layout.panels) {
            if !matches!(panel.axes.kind, AxesKind::Map(_)) {
                continue;
            }
            let rect = placement.rect;
            let (x, y) = ([panel.x.start, panel.x.end], [panel.y.start, panel.y.end]);
            let crs = panel.crs.as_ref();
            found.push(MapPlace {
                at: [
                    rect.x / layout.width,
                    rect.y / layout.height,
                    rect.width / layout.width,
                    rect.height / layout.height,
                ],
                x,
                y,
                crs: crs.map(|crs| crs.name().to_string()),
                // A map whose places on the globe are not known is one all the same.
                lonlat: crs
                    .filter(|crs| !crs.is_geographic())
                    .and_then(|crs| lattice(crs, x, y).ok())
                    .unwrap_or_default(),
            });
        }
        Ok(found)
    }
}

fn lattice(crs: &Crs, x: [f64; 2], y: [f64; 2]) -> Result<Vec<[f64; 2]>> {
    let transformer = Transformer::new(crs, &Crs::wgs84()?)?;
    let part = |i: usize| i as f64 / (LATTICE - 1) as f64;
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for row in 0..LATTICE {
        for col in 0..LATTICE {
            xs.push(x[0] + (x[1] - x[0]) * part(col));
            ys.push(y[1] + (y[0] - y[1]) * part(row));
        }
    }
    transformer.apply(&mut xs, &mut ys);
    // To a centimetre.
    let rounded = |degrees: f64| (degrees * 1e7).round() / 1e7;
    Ok(xs
        .into_iter()
        .zip(ys)
        .map(|(x, y)| [rounded(x), rounded(y)])
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{Axes, Coordinates, Scatter};

    #[test]
    fn charts_are_no_maps() {
        assert_eq!(Figure::of(Axes::chart()).map_places().unwrap(), []);
    }

    #[test]
    fn a_map_tells_where_its_corners_are() {
        let mut axes = Axes::map(Coordinates::Map);
        axes.x.limits = Some((500_000.0, 506_000.0));
        axes.y.limits = Some((0.0, 3_000.0));
        let points = Scatter::new(vec![500_000.0, 506_000.0], vec![0.0, 3_000.0]);
        axes.add_in(Crs::parse("EPSG:32632").unwrap(), points);
        let [place] = Figure::of(axes).map_places().unwrap().try_into().unwrap();
        assert_eq!((place.x, place.y), ([500_000.0, 506_000.0], [0.0, 3_000.0]));
        let [left, top, width, height] = place.at;
        assert!(
            left > 0.0 && top >= 0.0 && left + width <= 1.0 && top + height < 1.0,
            "{:?}",
            place.at
        );
        assert_eq!(place.lonlat.len(), LATTICE * LATTICE);
        // The central meridian of zone 32, and the equator.
        assert_eq!(place.lonlat[LATTICE * (LATTICE - 1)], [9.0, 0.0]);
        assert!(place.lonlat[0][1] > 0.027 && place.lonlat[LATTICE - 1][0] > 9.05);
    }
}
