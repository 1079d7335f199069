//! Ways out for places that lie outside an image: other coordinates that they may be meant in.

use crate::raster::extent::{Columns, transform_bounds};
use crate::raster::{Bounds, Crs, Grid, Transformer};

/// `; did you mean …` where a point in other coordinates would lie in the grid; else nothing.
pub fn place(at: (f64, f64), crs: Option<&Crs>, grid: &Grid) -> String {
    let columns = Columns::new(grid);
    let holds = |at: (f64, f64), crs: Option<&Crs>| {
        let place = match (crs, &grid.crs) {
            (Some(from), Some(to)) if from != to => {
                let Ok(transformer) = Transformer::new(from, to) else { return false };
                let (mut x, mut y) = ([at.0], [at.1]);
                transformer.apply(&mut x, &mut y);
                (x[0], y[0])
            }
            _ => at,
        };
        let (col, row) = grid.to_pixel(place.0, place.1);
        let col = columns.inside(col);
        (0.0..grid.cols as f64).contains(&col) && (0.0..grid.rows as f64).contains(&row)
    };
    let turned = (at.1, at.0);
    if holds(turned, crs) {
        return format!("; did you mean {{ {}, {} }}?", turned.0, turned.1);
    }
    let Some(degrees) = degrees_for(grid, at.0.abs().max(at.1.abs()), crs) else {
        return String::new();
    };
    if holds(at, Some(&degrees)) {
        return "; for degrees say { crs = \"EPSG:4326\" }".into();
    }
    if holds(turned, Some(&degrees)) {
        return format!("; for degrees say {{ {}, {} }} and {{ crs = \"EPSG:4326\" }}", turned.0, turned.1);
    }
    String::new()
}

/// The same for an area.
pub fn area(bounds: &Bounds, crs: Option<&Crs>, grid: &Grid) -> String {
    let largest = [bounds.min_x, bounds.min_y, bounds.max_x, bounds.max_y];
    let largest = largest.iter().fold(0.0, |a: f64, v| a.max(v.abs()));
    let (Some(degrees), Some(own)) = (degrees_for(grid, largest, crs), &grid.crs) else {
        return String::new();
    };
    let meets = |b: &Bounds| transform_bounds(b, &degrees, own).is_ok_and(|b| b.intersects(&grid.bounds()));
    let turned = Bounds {
        min_x: bounds.min_y,
        min_y: bounds.min_x,
        max_x: bounds.max_y,
        max_y: bounds.max_x,
    };
    if meets(bounds) {
        return "; for degrees say { crs = \"EPSG:4326\" }".into();
    }
    if meets(&turned) {
        return "; for degrees say { crs = \"EPSG:4326\" }, longitude before latitude".into();
    }
    // Degrees of elsewhere: that they are no metres is worth a word.
    format!(
        "; the image counts in the units of {own}: for an area in degrees say {{ crs = \"EPSG:4326\" }}"
    )
}

/// Longitude and latitude, where numbers of a projected grid look like them.
fn degrees_for(grid: &Grid, largest: f64, crs: Option<&Crs>) -> Option<Crs> {
    let own = grid.crs.as_ref().filter(|own| !own.is_geographic())?;
    let in_own = crs.is_none_or(|crs| crs == own);
    (in_own && largest <= 360.0).then(Crs::wgs84)?.ok()
}
