//! Images made from nothing: coordinates, random numbers, smooth noise. Each pixel depends on its row, column and the
//! seed alone, so tiles, windows and threads do not matter and a script gives the same image everywhere.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::describe::{Described, Description, Site};
use super::image::{Band, Raster};
use super::operation::Operation;
use super::{Crs, DType, Grid, Kind, Pixels, Port, Unit, View, Window};
use crate::described;
use crate::error::{Error, Result};
use crate::statistics::random::Random as Stream;
use serde_json::Value as Json;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// 0 ≤ v < 1
    Uniform,
    /// Mean 0, standard deviation 1.
    Normal,
    /// Gamma of mean 1 and variance 1/looks: the intensity of fully developed speckle (Goodman 1976).
    Speckle { looks: f64 },
    /// Smooth noise in 0…1 with features of `scale` pixels, and `octaves` finer ones of half the size and weight each.
    Smooth { scale: f64, octaves: u32 },
}

impl Distribution {
    fn check(self) -> Result<()> {
        match self {
            Distribution::Speckle { looks } if !(looks > 0.0 && looks.is_finite()) => {
                Err(Error::argument("looks", "a positive number", looks))
            }
            Distribution::Smooth { scale, octaves }
                if !(scale > 0.0 && scale.is_finite() && (1..=32).contains(&octaves)) =>
            {
                Err(Error::argument(
                    "scale and octaves",
                    "a positive size in pixels and 1…32 octaves",
                    format!("{scale} and {octaves}"),
                ))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Random {
    distribution: Distribution,
    seed: u64,
}

described!(Random, Tiles, "raster.random", 1, |random, site| {
    site.takes(0)?;
    random.distribution.check()
});

impl Operation for Random {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("random({:?}, seed {})", self.distribution, self.seed).to_lowercase()
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, _: &[View<'_>]) -> Result<Vec<Pixels>> {
        let at = |r: usize, c: usize| ((out.row + r as isize) as u64, (out.col + c as isize) as u64);
        Ok(vec![Pixels::F32(Array2::from_shape_fn(
            (out.rows, out.cols),
            |(r, c)| {
                let (row, col) = at(r, c);
                self.value(row, col) as f32
            },
        ))])
    }
}

impl Random {
    fn value(&self, row: u64, col: u64) -> f64 {
        let mut stream = stream(self.seed, row, col);
        match self.distribution {
            Distribution::Uniform => stream.uniform(),
            Distribution::Normal => stream.normal_of_two(),
            Distribution::Speckle { looks } => stream.gamma(looks, Stream::normal_of_two) / looks,
            Distribution::Smooth { scale, octaves } => {
                let (mut sum, mut weights, mut weight, mut size) = (0.0, 0.0, 1.0, scale);
                for octave in 0..octaves {
                    sum += weight
                        * lattice(
                            self.seed.wrapping_add(u64::from(octave)),
                            row as f64 / size,
                            col as f64 / size,
                        );
                    weights += weight;
                    weight /= 2.0;
                    size /= 2.0;
                }
                sum / weights
            }
        }
    }
}

/// Random lattice values, blended with the quintic that keeps two derivatives continuous (Perlin 2002).
fn lattice(seed: u64, y: f64, x: f64) -> f64 {
    let (r, c) = (y.floor(), x.floor());
    let fade = |t: f64| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (fy, fx) = (fade(y - r), fade(x - c));
    let value = |dr: f64, dc: f64| stream(seed, (r + dr) as u64, (c + dc) as u64).uniform();
    let top = value(0.0, 0.0) * (1.0 - fx) + value(0.0, 1.0) * fx;
    let bottom = value(1.0, 0.0) * (1.0 - fx) + value(1.0, 1.0) * fx;
    top * (1.0 - fy) + bottom * fy
}

/// A stream of its own for every pixel.
fn stream(seed: u64, row: u64, col: u64) -> Stream {
    let a = Stream::new(seed).bits() ^ row.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let b = Stream::new(a).bits() ^ col.wrapping_mul(0xD1B5_4A32_D192_ED03);
    Stream::new(Stream::new(b).bits())
}

/// An image of random numbers.
///
/// # Errors
/// Looks or a scale that are not positive and finite; octaves that are not 1 to 32.
pub fn random(grid: Arc<Grid>, distribution: Distribution, seed: u64) -> Result<Raster> {
    distribution.check()?;
    let port = Port::tiles(&grid, Arc::new(Random { distribution, seed }), Vec::new()).swap_remove(0);
    let band = Band {
        name: "random".into(),
        dtype: DType::F32,
        unit: Unit::Unknown,
        nodata: None,
        port,
    };
    Ok(Raster::new(grid, vec![band]))
}

struct Coordinates(Arc<Grid>);

impl Described for Coordinates {
    const NAME: &'static str = "raster.coordinates";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        Ok(Json::Null)
    }

    fn again(_: &Json, site: &Site) -> Result<Coordinates> {
        Ok(Coordinates(site.grid.clone()))
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(0).map(drop)
    }
}

described!(Coordinates, Tiles);

impl Operation for Coordinates {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        "coordinates".into()
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        Kind::F64
    }

    fn outputs(&self) -> usize {
        2
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, _: &[View<'_>]) -> Result<Vec<Pixels>> {
        let at = |r: usize, c: usize| self.0.pixel_centre(out.row + r as isize, out.col + c as isize);
        let shape = (out.rows, out.cols);
        Ok(vec![
            Pixels::F64(Array2::from_shape_fn(shape, |(r, c)| at(r, c).0)),
            Pixels::F64(Array2::from_shape_fn(shape, |(r, c)| at(r, c).1)),
        ])
    }
}

/// Two bands, `x` and `y`: the map coordinates of the pixel centres.
pub fn coordinates(grid: Arc<Grid>) -> Raster {
    let ports = Port::tiles(&grid, Arc::new(Coordinates(grid.clone())), Vec::new());
    let unit = unit_of_coordinates(grid.crs.as_ref());
    let bands = ["x", "y"]
        .into_iter()
        .zip(ports)
        .map(|(name, port)| Band {
            name: name.into(),
            dtype: DType::F64,
            unit: unit.clone(),
            nodata: None,
            port,
        })
        .collect();
    Raster::new(grid, bands)
}

/// What coordinates are in: degrees, metres, or pixels where there is no CRS.
pub(super) fn unit_of_coordinates(crs: Option<&Crs>) -> Unit {
    Unit::Other(
        match crs {
            Some(crs) if crs.is_geographic() => "deg",
            Some(_) => "m",
            None => "px",
        }
        .into(),
    )
}
