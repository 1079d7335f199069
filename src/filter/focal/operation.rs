//! Focal statistics of images.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kernel::{FocalKernel, KernelShape};
use super::{focal_max, focal_mean, focal_median, focal_min, focal_mode, focal_percentile, focal_std};
use super::{mode, rank, wide};
use crate::described;
use crate::earth::ellipsoid::metres_per_degree;
use crate::error::{Domain, Error, Remedy, Result};
use crate::raster::describe::{Description, Site};
use crate::raster::{Grid, Kind, Operation, Pixels, Raster, View, Window};

/// What is taken of the valid pixels under the kernel; the functions `focal_…` say how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    Mean,
    Median,
    Min,
    Max,
    /// Population standard deviation.
    Std,
    Mode,
    /// 0 to 100.
    Percentile(f64),
}

impl Statistic {
    /// A percentile.
    ///
    /// # Errors
    /// A number that is not within 0 … 100.
    pub fn percentile(percentile: f64) -> Result<Statistic> {
        Domain::PERCENT
            .check("percentile", percentile)
            .map(Statistic::Percentile)
    }

    fn name(self) -> &'static str {
        match self {
            Statistic::Mean => "mean",
            Statistic::Median => "median",
            Statistic::Min => "min",
            Statistic::Max => "max",
            Statistic::Std => "std",
            Statistic::Mode => "mode",
            Statistic::Percentile(_) => "percentile",
        }
    }

    /// True where every result is one of the pixels.
    fn chooses(self) -> bool {
        matches!(self, Statistic::Min | Statistic::Max | Statistic::Mode)
    }
}

#[derive(Serialize, Deserialize)]
struct Focal {
    kernel: FocalKernel,
    statistic: Statistic,
}

described!(Focal, Tiles, "filter.focal", 1, Focal::check);

impl Focal {
    fn check(&self, site: &Site) -> Result<()> {
        site.takes(1)?.on_grid()?.real()?;
        match self.statistic {
            Statistic::Percentile(p) => Statistic::percentile(p).map(drop),
            _ => Ok(()),
        }
    }
}

impl Operation for Focal {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        let percentile = match self.statistic {
            Statistic::Percentile(p) => format!("{p}, "),
            _ => String::new(),
        };
        format!(
            "filter.focal_{}({percentile}{})",
            self.statistic.name(),
            self.kernel
        )
    }

    fn kind(&self, inputs: &[Kind]) -> Kind {
        let kind = inputs.first().copied().unwrap_or(Kind::F32);
        if self.statistic.chooses() {
            kind
        } else {
            kind.floating()
        }
    }

    fn needs(&self, _index: usize, out: Window) -> Window {
        let (rows, cols) = self.kernel.halo();
        out.grow(rows, cols)
    }

    fn scratch_bytes(&self, out: Window) -> usize {
        let shape = (out.rows, out.cols);
        match self.statistic {
            Statistic::Median | Statistic::Percentile(_) => rank::scratch_bytes(&self.kernel, shape),
            Statistic::Mode => mode::scratch_bytes(&self.kernel, shape),
            _ => 0,
        }
    }

    fn compute(&self, _out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        match inputs[0].kind() {
            Kind::I128 if self.statistic.chooses() => {
                let chosen = wide::choose(inputs[0].i128().view(), &self.kernel, self.statistic);
                return Ok(vec![Pixels::I128(chosen)]);
            }
            Kind::F64 | Kind::I128 => {
                let padded = inputs[0].f64();
                let filter = if self.statistic.chooses() {
                    wide::choose::<f64>
                } else {
                    wide::compute
                };
                return Ok(vec![Pixels::F64(filter(
                    padded.view(),
                    &self.kernel,
                    self.statistic,
                ))]);
            }
            Kind::F32 | Kind::C32 => {}
        }
        let padded = inputs[0].f32();
        let filter = match self.statistic {
            Statistic::Mean => focal_mean,
            Statistic::Median => focal_median,
            Statistic::Min => focal_min,
            Statistic::Max => focal_max,
            Statistic::Std => focal_std,
            Statistic::Mode => focal_mode,
            Statistic::Percentile(p) => {
                return Ok(vec![Pixels::F32(focal_percentile(
                    padded.view(),
                    &self.kernel,
                    p,
                ))]);
            }
        };
        Ok(vec![Pixels::F32(filter(padded.view(), &self.kernel))])
    }
}

/// Every band of an image through a focal statistic, in f32, or f64 where the band needs it. Names and units stay. Min, max and mode
/// keep integer types; all else becomes a float. Decibels are taken as they are: the mean of
/// decibels is not that of powers.
///
/// # Errors
/// Complex bands.
pub fn focal(raster: &Raster, kernel: &FocalKernel, statistic: Statistic) -> Result<Raster> {
    if let Some(band) = raster.bands.iter().find(|b| b.kind() == Kind::C32) {
        return Err(Error::argument(
            format!("band `{}`", band.name),
            format!("real; {}", Remedy::Real),
            "complex pixels",
        ));
    }
    let operation = Arc::new(Focal {
        kernel: kernel.clone(),
        statistic,
    });
    let mut out = raster.map_tiles(|_| Ok(operation.clone()))?;
    for (new, old) in out.bands.iter_mut().zip(&raster.bands) {
        if statistic.chooses() && old.dtype.integer_range().is_some() {
            new.dtype = old.dtype;
            new.nodata = old.nodata;
        }
    }
    Ok(out)
}

/// A kernel of a radius in metres on `grid`. Pixels need not be square: the radius becomes two numbers of
/// pixels, across and down.
///
/// On a projected grid metres are those of the map, as its CRS defines them. On a grid in degrees they are
/// those of the WGS 84 ellipsoid at the latitude of the grid's centre, so over many degrees of latitude the
/// footprint is right in the middle only.
///
/// # Errors
/// A grid without a CRS; a radius that `FocalKernel::new` refuses once it is in pixels.
pub fn kernel_in_metres(grid: &Grid, shape: KernelShape, radius_m: f64) -> Result<FocalKernel> {
    Domain::at_least(0.0)
        .in_unit("metres")
        .check("radius", radius_m)?;
    let (dx_m, dy_m) = pixel_size_m(grid)?;
    let (rx, ry) = (radius_m / dx_m, radius_m / dy_m);
    FocalKernel::new(shape, rx, ry).map_err(|_| {
        Error::argument(
            "radius",
            "smaller: a kernel reaches at most 512 pixels",
            format!("{radius_m} m, which is {rx:.1} × {ry:.1} pixels of {dx_m:.3} × {dy_m:.3} m"),
        )
    })
}

/// Pixel width and height in metres, at the centre of the grid.
fn pixel_size_m(grid: &Grid) -> Result<(f64, f64)> {
    let (dx, dy) = grid.resolution();
    let Some(crs) = &grid.crs else {
        return Err(Error::message(format!(
            "a radius in metres needs an image with a CRS; give the radius in pixels (`unit = \"px\"`), or {}",
            Remedy::ImageCrs
        )));
    };
    if let Some(metres) = crs.metres_per_unit() {
        return Ok((dx * metres, dy * metres));
    }
    if !crs.is_geographic() {
        return Err(Error::message(format!(
            "a radius in metres needs a projected or geographic CRS, and {crs} is neither; give the radius in \
             pixels (`unit = \"px\"`)"
        )));
    }
    let (_, latitude) = grid
        .transform
        .apply(grid.cols as f64 / 2.0, grid.rows as f64 / 2.0);
    let (east, north) = metres_per_degree(latitude);
    Ok((dx * east, dy * north))
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::raster::execute::Run;
    use crate::raster::memory::from_arrays;
    use crate::raster::{Affine, Crs, DType, Transformer, Unit};

    fn grid(crs: Option<&str>, transform: Affine, rows: usize, cols: usize) -> Arc<Grid> {
        let crs = crs.map(|name| Crs::parse(name).unwrap());
        Arc::new(Grid::new(crs, transform, rows, cols).unwrap())
    }

    fn image(rows: usize, cols: usize) -> (Array2<f32>, Raster) {
        let pixels = Array2::from_shape_fn((rows, cols), |(y, x)| match (x * 7 + y * 11) % 13 {
            0 => f32::NAN,
            _ => ((x * 131 + y * 71) % 97) as f32 * 0.5 - 10.0,
        });
        let grid = grid(None, Affine::north_up(0.0, 0.0, 1.0, 1.0), rows, cols);
        let band = ("VV".to_string(), Pixels::F32(pixels.clone()), Unit::Decibel);
        (pixels, from_arrays(grid, vec![band]).unwrap())
    }

    #[test]
    fn any_tile_gives_the_pixels_of_the_whole() {
        let (pixels, raster) = image(45, 58);
        let kernel = FocalKernel::new(KernelShape::Circle, 4.0, 2.5).unwrap();
        let mut padded = Array2::from_elem((45 + 4, 58 + 8), f32::NAN);
        padded.slice_mut(ndarray::s![2..47, 4..62]).assign(&pixels);
        for (statistic, filter) in [
            (Statistic::Median, focal_median as fn(_, &_) -> _),
            (Statistic::Mean, focal_mean),
            (Statistic::Std, focal_std),
            (Statistic::Min, focal_min),
            (Statistic::Max, focal_max),
            (Statistic::Mode, focal_mode),
            (Statistic::Percentile(20.0), |p, k| focal_percentile(p, k, 20.0)),
        ] {
            let filtered = focal(&raster, &kernel, statistic).unwrap();
            let whole: Array2<f32> = filter(padded.view(), &kernel);
            for tile in [(1, 58), (16, 16), (45, 3), (512, 512)] {
                let run = Run::prepare(&filtered.grid, &filtered.ports(), filtered.grid.window()).unwrap();
                let got = run
                    .with_tile(tile.0, tile.1)
                    .collect_quietly()
                    .unwrap()
                    .swap_remove(0)
                    .into_f32();
                let same = got.iter().zip(&whole).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{statistic:?} in tiles {tile:?}");
            }
        }
    }

    #[test]
    fn bands_keep_what_the_statistic_leaves() {
        let (_, raster) = image(5, 6);
        let classes = raster.cast(DType::U8).unwrap();
        let kernel = FocalKernel::circle(2.0).unwrap();
        let dtype = |r: &Raster, s| focal(r, &kernel, s).unwrap().bands[0].dtype;
        assert_eq!(dtype(&classes, Statistic::Mode), DType::U8);
        assert_eq!(dtype(&classes, Statistic::Median), DType::F32);
        assert_eq!(dtype(&raster, Statistic::Max), DType::F32);
        let median = focal(&raster, &kernel, Statistic::Median).unwrap();
        assert_eq!(
            (median.bands[0].name.as_str(), &median.bands[0].unit),
            ("VV", &Unit::Decibel)
        );
        assert_eq!(
            median.bands[0].port.node.name(),
            "filter.focal_median(circle, radius 2 px)"
        );
        let p90 = focal(&raster, &kernel, Statistic::percentile(90.0).unwrap()).unwrap();
        assert_eq!(
            p90.bands[0].port.node.name(),
            "filter.focal_percentile(90, circle, radius 2 px)"
        );
    }

    #[test]
    fn complex_bands_and_wrong_percentiles_are_refused() {
        let grid = grid(None, Affine::north_up(0.0, 0.0, 1.0, 1.0), 2, 2);
        let slc = Pixels::masked(Kind::C32, 2, 2);
        let raster = from_arrays(grid, vec![("HH".into(), slc, Unit::Unknown)]).unwrap();
        let kernel = FocalKernel::circle(1.0).unwrap();
        let message = focal(&raster, &kernel, Statistic::Mean)
            .err()
            .unwrap()
            .to_string();
        assert_eq!(
            message,
            "band `HH` must be real; take a real part of it first, got complex pixels"
        );
        for wrong in [-1.0, 101.0, f64::NAN] {
            assert!(Statistic::percentile(wrong).is_err());
        }
    }

    #[test]
    fn metres_become_pixels() {
        let circle = |grid: &Grid, radius| kernel_in_metres(grid, KernelShape::Circle, radius);
        let utm = grid(Some("EPSG:32610"), Affine::north_up(5e5, 4e6, 10.0, 20.0), 8, 8);
        assert_eq!(circle(&utm, 100.0).unwrap().radii(), (10.0, 5.0));
        // California zone 5 in US survey feet: 1200 / 3937 m each.
        let feet = grid(Some("EPSG:2229"), Affine::north_up(6e6, 2e6, 10.0, 10.0), 8, 8);
        let (rx, _) = circle(&feet, 100.0).unwrap().radii();
        assert!((rx - 100.0 / (10.0 * 1200.0 / 3937.0)).abs() < 1e-6, "{rx}");
        // Degrees against an azimuthal equidistant projection about the grid's centre, where distances are
        // true.
        let degrees = grid(
            Some("EPSG:4326"),
            Affine::north_up(10.0, 60.001, 1e-3, 1e-3),
            2,
            2,
        );
        let local = Crs::parse("+proj=aeqd +lat_0=60 +lon_0=10.001 +datum=WGS84").unwrap();
        let (mut xs, mut ys) = ([10.002, 10.001], [60.0, 60.001]);
        Transformer::new(&Crs::wgs84().unwrap(), &local)
            .unwrap()
            .apply(&mut xs, &mut ys);
        let (rx, ry) = circle(&degrees, 1000.0).unwrap().radii();
        assert!((rx * xs[0] - 1000.0).abs() < 1e-3, "{rx} of {} m", xs[0]);
        assert!((ry * ys[1] - 1000.0).abs() < 1e-3, "{ry} of {} m", ys[1]);
    }

    #[test]
    fn metres_that_cannot_become_pixels() {
        let error = |grid: &Grid, radius| {
            kernel_in_metres(grid, KernelShape::Square, radius)
                .unwrap_err()
                .to_string()
        };
        let plain = grid(None, Affine::north_up(0.0, 0.0, 1.0, 1.0), 2, 2);
        assert!(
            error(&plain, 10.0).contains("unit = \"px\""),
            "{}",
            error(&plain, 10.0)
        );
        let utm = grid(Some("EPSG:32610"), Affine::north_up(5e5, 4e6, 10.0, 10.0), 8, 8);
        assert_eq!(
            error(&utm, 1e5),
            "radius must be smaller: a kernel reaches at most 512 pixels, got 100000 m, which is 10000.0 × 10000.0 \
             pixels of 10.000 × 10.000 m"
        );
        assert_eq!(
            error(&utm, -3.0),
            "radius must be a number of metres of at least 0, got -3"
        );
    }
}
