//! Arrays in memory as images.

use std::sync::Arc;

use super::describe::{Described, Description, Site, from_json, to_json};
use super::image::{Band, Raster, float_of};
use super::operation::{Operation, PicturePart};
use super::stored::Stored;
use super::{DType, Grid, Kind, Pixels, Port, Unit, View, Window, preview};
use crate::described;
use crate::error::{Error, Result};
use serde_json::Value as Json;

struct Memory(Pixels);

impl Described for Memory {
    const NAME: &'static str = "raster.array";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Stored::of(&self.0))
    }

    fn again(parameters: &Json, site: &Site) -> Result<Memory> {
        let pixels = from_json::<Stored>(Self::NAME, parameters)?.pixels()?;
        match pixels.dim() == (site.grid.rows, site.grid.cols) {
            true => Ok(Memory(pixels)),
            false => Err(Error::message("an array is of another size than its grid")),
        }
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(0).map(drop)
    }
}

described!(Memory, Tiles);

impl Operation for Memory {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        "array".into()
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        self.0.kind()
    }

    fn can_reduce(&self) -> bool {
        true
    }

    fn reduced(&self, part: &PicturePart) -> Result<Vec<Pixels>> {
        Ok(vec![preview::pick(&self.0, part)])
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, _: &[View<'_>]) -> Result<Vec<Pixels>> {
        let (rows, cols) = self.0.dim();
        Ok(vec![self.0.view(Window::new(0, 0, rows, cols), out).to_pixels()])
    }
}

/// An image of arrays, one per band, each of the grid's shape (rows, cols). Values that are not finite are masked.
///
/// # Errors
/// When an array has another shape than the grid.
pub fn from_arrays(grid: Arc<Grid>, arrays: Vec<(String, Pixels, Unit)>) -> Result<Raster> {
    let mut bands = Vec::with_capacity(arrays.len());
    for (name, mut pixels, unit) in arrays {
        if pixels.dim() != (grid.rows, grid.cols) {
            let (rows, cols) = pixels.dim();
            let expected = format!("{} × {} (rows × cols), as the grid", grid.rows, grid.cols);
            return Err(Error::argument(
                format!("array of band `{name}`"),
                expected,
                format!("{rows} × {cols}"),
            ));
        }
        match &mut pixels {
            Pixels::I128(_) => {}
            Pixels::F32(a) => a.mapv_inplace(|v| if v.is_finite() { v } else { f32::NAN }),
            Pixels::F64(a) => a.mapv_inplace(|v| if v.is_finite() { v } else { f64::NAN }),
            Pixels::C32(a) => a.mapv_inplace(|z| {
                if z.is_finite() {
                    z
                } else {
                    super::tile::MASKED_COMPLEX
                }
            }),
        }
        let dtype = match &pixels {
            Pixels::I128(a) if a.iter().any(|&v| v > i128::from(i64::MAX)) => DType::U64,
            Pixels::I128(_) => DType::I64,
            pixels => float_of(pixels.kind()),
        };
        let port = Port::tiles(&grid, Arc::new(Memory(pixels)), Vec::new()).swap_remove(0);
        bands.push(Band {
            name,
            dtype,
            unit,
            nodata: None,
            port,
        });
    }
    Ok(Raster::new(grid, bands))
}
