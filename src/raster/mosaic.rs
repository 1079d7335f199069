//! Many images into one.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::align::{align, grid_over};
use super::describe::{Description, Site};
use super::extent::{footprint, transform_bounds, turns};
use super::image::{Band, Raster};
use super::operation::Operation;
use super::tile::{MASKED_COMPLEX, MASKED_INTEGER};
use super::warp::Resampling;
use super::{Bounds, Crs, Grid, Kind, Pixels, Port, View, Window};
use crate::described;
use crate::error::{Choice, Error, Remedy, Result};

/// Which image wins where several are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    First,
    Last,
    Minimum,
    Maximum,
    Mean,
}

impl Choice for Overlap {
    const ALL: &'static [(&'static str, Self)] = &[
        ("first", Overlap::First),
        ("last", Overlap::Last),
        ("min", Overlap::Minimum),
        ("max", Overlap::Maximum),
        ("mean", Overlap::Mean),
    ];
}

#[derive(Serialize, Deserialize)]
struct Mosaic {
    overlap: Overlap,
    /// Where each input has pixels, on the common grid.
    footprints: Vec<Window>,
}

described!(Mosaic, Tiles, "raster.mosaic", 1, Mosaic::check);

impl Operation for Mosaic {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("mosaic({})", self.overlap.name())
    }

    fn kind(&self, inputs: &[Kind]) -> Kind {
        let kind = Kind::common(inputs);
        match self.overlap {
            Overlap::Mean => kind.floating(),
            _ => kind,
        }
    }

    fn needs(&self, index: usize, out: Window) -> Window {
        self.footprints[index].intersect(&out)
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let kind = self.kind(&inputs.iter().map(View::kind).collect::<Vec<_>>());
        let present = inputs.iter().filter(|v| !v.window.is_empty());
        Ok(vec![match kind {
            // Means are not of this kind.
            Kind::I128 => Pixels::I128(self.merge(
                out,
                present.map(|v| (v.window, v.i128())),
                MASKED_INTEGER,
                |v| v == MASKED_INTEGER,
                |a, _| a,
                |v, _| v,
                |v, old| v < old,
            )),
            Kind::F32 => Pixels::F32(self.merge(
                out,
                present.map(|v| (v.window, v.f32())),
                f32::NAN,
                f32::is_nan,
                |a, b| a + b,
                |v, n| v / n as f32,
                |v, old| v < old,
            )),
            Kind::F64 => Pixels::F64(self.merge(
                out,
                present.map(|v| (v.window, v.f64())),
                f64::NAN,
                f64::is_nan,
                |a, b| a + b,
                |v, n| v / f64::from(n),
                |v, old| v < old,
            )),
            Kind::C32 => Pixels::C32(self.merge(
                out,
                present.map(|v| (v.window, v.c32())),
                MASKED_COMPLEX,
                |z| z.re.is_nan(),
                |a, b| a + b,
                |v, n| v / n as f32,
                |v, old| v.norm() < old.norm(),
            )),
        }])
    }
}

impl Mosaic {
    fn check(&self, site: &Site) -> Result<()> {
        site.takes(self.footprints.len())?.on_grid()?;
        if site.inputs.is_empty() {
            return Err(site.wrong_inputs("at least 1"));
        }
        let image = site.grid.window();
        let within = |first: isize, count: usize, size: usize| {
            usize::try_from(first).is_ok_and(|first| count <= size && first <= size - count)
        };
        let outside = self
            .footprints
            .iter()
            .find(|f| !(within(f.row, f.rows, image.rows) && within(f.col, f.cols, image.cols)));
        match outside {
            Some(outside) => Err(Error::argument(
                "footprints",
                format!("windows within the image ({image})"),
                outside,
            )),
            None => Ok(()),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn merge<'a, T: Copy + 'a>(
        &self,
        out: Window,
        inputs: impl Iterator<Item = (Window, ndarray::CowArray<'a, T, ndarray::Ix2>)>,
        masked: T,
        is_masked: impl Fn(T) -> bool,
        add: impl Fn(T, T) -> T,
        divide: impl Fn(T, u32) -> T,
        less: impl Fn(&T, &T) -> bool,
    ) -> Array2<T> {
        let mut result = Array2::from_elem((out.rows, out.cols), masked);
        let mut counts = (self.overlap == Overlap::Mean).then(|| Array2::<u32>::zeros((out.rows, out.cols)));
        for (window, pixels) in inputs {
            let (r0, c0) = ((window.row - out.row) as usize, (window.col - out.col) as usize);
            for ((r, c), &v) in pixels.indexed_iter() {
                if is_masked(v) {
                    continue;
                }
                let at = (r0 + r, c0 + c);
                let old = result[at];
                let empty = is_masked(old);
                match self.overlap {
                    _ if empty => result[at] = v,
                    Overlap::First => {}
                    Overlap::Last => result[at] = v,
                    Overlap::Minimum if less(&v, &old) => result[at] = v,
                    Overlap::Maximum if less(&old, &v) => result[at] = v,
                    Overlap::Mean => result[at] = add(old, v),
                    _ => {}
                }
                if let Some(counts) = &mut counts {
                    counts[at] += 1;
                }
            }
        }
        if let Some(counts) = counts {
            result.zip_mut_with(&counts, |v, &n| {
                if n > 1 {
                    *v = divide(*v, n)
                }
            });
        }
        result
    }
}

/// One image of many with the same bands, on `grid`, or on the first image's CRS and pixels over the area of all.
///
/// # Errors
/// No image; images of different numbers of bands; without a grid, a first image that is rotated; what `align` refuses; an
/// image of which nothing has a place in the CRS of the result.
pub fn mosaic(
    images: &[Raster],
    overlap: Overlap,
    grid: Option<Arc<Grid>>,
    method: Resampling,
) -> Result<Raster> {
    let first = images
        .first()
        .ok_or_else(|| Error::argument("images", "at least one image", "none"))?;
    for image in &images[1..] {
        if image.bands.len() != first.bands.len() {
            let expected = format!("the first image's bands ({})", first.band_names().join(", "));
            return Err(Error::argument("images", expected, image.band_names().join(", ")));
        }
    }
    let grid = match grid {
        Some(grid) => grid,
        None => {
            let grids: Vec<Arc<Grid>> = images.iter().map(|image| image.grid.clone()).collect();
            Arc::new(grown_over(&first.grid, &grids)?)
        }
    };
    let footprints: Vec<Window> = images
        .iter()
        .map(|i| footprint(&i.grid, &grid))
        .collect::<Result<_>>()?;
    let aligned: Vec<Raster> = images
        .iter()
        .map(|i| align(i, &grid, method))
        .collect::<Result<_>>()?;
    let operation: Arc<dyn Operation> = Arc::new(Mosaic { overlap, footprints });
    let bands = (0..first.bands.len())
        .map(|b| {
            let ports: Vec<Port> = aligned.iter().map(|i| i.bands[b].port.clone()).collect();
            let like = &aligned[0].bands[b];
            let port = Port::tiles(&grid, operation.clone(), ports).swap_remove(0);
            let mean = overlap == Overlap::Mean && like.dtype.integer_range().is_some();
            let dtype = if mean {
                super::image::float_of(port.kind())
            } else {
                like.dtype
            };
            Band {
                dtype,
                port,
                ..like.clone()
            }
        })
        .collect();
    Ok(first.with_grid(grid, bands))
}

/// The lattice of `first`, grown to hold all of `grids`.
///
/// # Errors
/// A lattice that is rotated; grids that have no place in its CRS.
pub fn grown_over(first: &Grid, grids: &[Arc<Grid>]) -> Result<Grid> {
    if !first.transform.is_axis_aligned() {
        return Err(Error::message(format!(
            "the first image is rotated; {}",
            Remedy::MosaicGrid
        )));
    }
    let mut bounds = first.bounds();
    let turn = first.crs.as_ref().and_then(Crs::turn);
    for grid in grids {
        let other = match (&grid.crs, &first.crs) {
            (Some(a), Some(b)) => transform_bounds(&grid.bounds(), a, b)?,
            _ => grid.bounds(),
        };
        // Of the ways to count longitudes, that which leaves the smallest area.
        let unions = turns(turn).map(|offset| {
            bounds.union(&Bounds {
                min_x: other.min_x + offset,
                max_x: other.max_x + offset,
                ..other
            })
        });
        let near = |b: &Bounds| (b.min_x - bounds.min_x).abs();
        bounds = unions
            .min_by(|a, b| a.width().total_cmp(&b.width()).then(near(a).total_cmp(&near(b))))
            .unwrap_or(bounds);
    }
    // Once around is all.
    if let Some(turn) = turn.filter(|turn| bounds.width() > *turn) {
        let own = first.bounds();
        bounds.min_x = bounds.min_x.max(own.max_x - turn).min(own.min_x);
        bounds.max_x = own.max_x.max(bounds.min_x + turn);
    }
    let (dx, dy) = first.resolution();
    let own = first.bounds();
    // Outward to whole pixels of the first image; what is whole up to rounding stays.
    let out = |length: f64, pixel: f64| (length / pixel - 1e-3).ceil().max(0.0) * pixel;
    let grown = Bounds {
        min_x: own.min_x - out(own.min_x - bounds.min_x, dx),
        min_y: own.min_y - out(own.min_y - bounds.min_y, dy),
        max_x: own.max_x + out(bounds.max_x - own.max_x, dx),
        max_y: own.max_y + out(bounds.max_y - own.max_y, dy),
    };
    grid_over(first.crs.clone(), &grown, (dx, dy))
}
