//! Values of an image at points.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::extent::Columns;
use super::graph::Work;
use super::resample::{Resampling, interpolate};
use super::tile::MASKED_INTEGER;
use super::zarr::array::{Chunk, Wanted as WantedChunks};
use super::{Band, Kind, Pixels, Raster, Window};
use crate::error::{Choice, Error, Result};
use crate::work::{self, budget, workers};

/// Points of one neighbourhood, this many pixels a side, are read together.
const NEIGHBOURHOOD: f64 = 64.0;

/// A value at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampled {
    /// NaN where it is masked or outside.
    Number(f64),
    /// Of a band of 64-bit integers, exactly; None where it is masked or outside.
    Integer(Option<i128>),
}

impl Sampled {
    /// NaN where it is masked.
    pub fn number(self) -> f64 {
        match self {
            Sampled::Number(v) => v,
            Sampled::Integer(v) => v.map_or(f64::NAN, |v| v as f64),
        }
    }
}

/// A point: its place in the list, its column and its row.
type Wanted = (usize, f64, f64);

/// Whether a place, in the raster's CRS, lies in its pixels, however its longitude is counted.
pub fn is_inside(raster: &Raster, columns: &Columns, (x, y): (f64, f64)) -> bool {
    let (col, row) = raster.grid.to_pixel(x, y);
    let inside = |v: f64, size: usize| v >= 0.0 && v < size as f64;
    inside(columns.inside(col), raster.grid.cols) && inside(row, raster.grid.rows)
}

/// As `sample` of each of many images, `points` of which are given by its position: image by image, on all cores.
///
/// # Errors
/// As `sample`.
pub fn sample_all<'a>(
    images: &[Raster],
    points: impl Fn(usize) -> &'a [(f64, f64)] + Sync,
    method: Resampling,
) -> Result<Vec<Vec<Vec<Sampled>>>> {
    let found: Vec<OnceLock<Vec<Vec<Sampled>>>> = images.iter().map(|_| OnceLock::new()).collect();
    let _loaded = load(images, &points, method)?;
    workers::for_each(
        work::threads(),
        images.len(),
        || (),
        |(), i| {
            let values = sample(&images[i], points(i), method)?;
            found[i].get_or_init(|| values);
            Ok(())
        },
    )?;
    Ok(found.into_iter().filter_map(OnceLock::into_inner).collect())
}

/// Loads what the points are read of in cubes, all of it at the same time; it stays as long as what is answered.
fn load<'a>(
    images: &[Raster],
    points: &(impl Fn(usize) -> &'a [(f64, f64)] + Sync),
    method: Resampling,
) -> Result<Vec<Arc<Chunk>>> {
    let reach = if method == Resampling::Nearest { 0 } else { 2 };
    let mut wanted = WantedChunks::default();
    for (i, image) in images.iter().enumerate() {
        let sources = image.bands.iter().filter_map(|band| match &band.port.node.work {
            Work::Tiles(operation) if operation.chunks().is_some() => Some(operation),
            _ => None,
        });
        let sources: Vec<_> = sources.collect();
        if sources.is_empty() || work::rehearsal().is_some() {
            continue;
        }
        let columns = Columns::new(&image.grid);
        for &point in points(i)
            .iter()
            .filter(|point| is_inside(image, &columns, **point))
        {
            let (col, row) = image.grid.to_pixel(point.0, point.1);
            let pixel = Window::new(row.floor() as isize, columns.inside(col).floor() as isize, 1, 1);
            for source in &sources {
                source.want(pixel.grow(reach, reach), &mut wanted);
            }
        }
    }
    wanted.load(budget::left() / 2)
}

/// Values of every band at map points (x, y) in the raster's CRS: one row per point, NaN where masked or outside; of complex bands
/// the magnitude. `nearest` takes the pixel that holds the point; `bilinear` and `cubic` interpolate between pixel centres as
/// `Warp` does, with the same rule for masked pixels, and give numbers of integers, too.
///
/// # Errors
/// When the method is none of these.
pub fn sample(raster: &Raster, points: &[(f64, f64)], method: Resampling) -> Result<Vec<Vec<Sampled>>> {
    let reach = match method {
        Resampling::Nearest => 0,
        Resampling::Bilinear => 1,
        Resampling::Cubic => 2,
        other => {
            let expected = "\"nearest\", \"bilinear\" or \"cubic\" at a point";
            return Err(Error::argument(
                "resampling",
                expected,
                format!("\"{}\"", other.name()),
            ));
        }
    };
    let columns = Columns::new(&raster.grid);
    let exact = |kind: Kind| kind == Kind::I128 && method == Resampling::Nearest;
    let nothing = |band: &Band| match exact(band.kind()) {
        true => Sampled::Integer(None),
        false => Sampled::Number(f64::NAN),
    };
    let mut out = vec![raster.bands.iter().map(nothing).collect::<Vec<_>>(); points.len()];
    let mut near: BTreeMap<(isize, isize), Vec<Wanted>> = BTreeMap::new();
    for (i, &point) in points.iter().enumerate() {
        if is_inside(raster, &columns, point) {
            let (col, row) = raster.grid.to_pixel(point.0, point.1);
            let col = columns.inside(col);
            let place = |v: f64| (v / NEIGHBOURHOOD).floor() as isize;
            near.entry((place(row), place(col)))
                .or_default()
                .push((i, col, row));
        }
    }
    let whole = raster.grid.window();
    for points in near.values() {
        let held = |&(_, col, row): &Wanted| Window::new(row.floor() as isize, col.floor() as isize, 1, 1);
        let wanted = points
            .iter()
            .map(held)
            .reduce(|a, b| a.hull(&b))
            .unwrap_or(Window::EMPTY)
            .grow(reach, reach);
        // Its columns beyond the seam are at the other end of the image.
        let beyond = columns.turned(&wanted).map(|w| w.intersect(&whole));
        let windows = [Some(wanted.intersect(&whole)), beyond];
        let mut parts = Vec::new();
        for window in windows.into_iter().flatten().filter(|w| !w.is_empty()) {
            let numbers = |pixels: Pixels| match exact(pixels.kind()) {
                true => pixels,
                false => Pixels::F64(pixels.into_f64()),
            };
            let bands: Vec<Pixels> = raster.read(window)?.into_iter().map(numbers).collect();
            parts.push((window, bands));
        }
        for &(i, col, row) in points {
            for band in 0..raster.bands.len() {
                let find = |r: isize, c: isize| {
                    let pixel = Window::new(r, columns.column(c)?, 1, 1);
                    let (w, bands) = parts.iter().find(|(w, _)| w.contains(&pixel))?;
                    let at = ((pixel.row - w.row) as usize, (pixel.col - w.col) as usize);
                    Some((&bands[band], at))
                };
                out[i][band] = match out[i][band] {
                    Sampled::Integer(_) => {
                        Sampled::Integer(match find(row.floor() as isize, col.floor() as isize) {
                            Some((Pixels::I128(a), at)) => Some(a[at]).filter(|v| *v != MASKED_INTEGER),
                            _ => None,
                        })
                    }
                    Sampled::Number(_) => {
                        let at = |r: isize, c: isize| match find(r, c) {
                            Some((Pixels::F64(a), at)) => a[at],
                            _ => f64::NAN,
                        };
                        Sampled::Number(interpolate(method, (col, row), (1.0, 1.0), at))
                    }
                };
            }
        }
    }
    Ok(out)
}
