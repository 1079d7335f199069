//! Features burnt into pixels.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::burn::Burnable;
use super::{Feature, Features};
use crate::described;
use crate::error::{Error, Result};
use crate::raster::describe::Description;
use crate::raster::{Band, Crs, DType, Grid, Kind, Operation, Pixels, Port, Raster, Unit, View, Window};
use crate::table::Value;

/// The value that a feature gives to its pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BurnValue {
    Constant(f64),
    /// That of a property, a number or a boolean (1 and 0). A feature in which it is missing masks its pixels.
    Property(String),
    /// The feature's position, from 1.
    Index,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BurnOptions {
    pub value: BurnValue,
    /// Where no feature is; NaN for masked.
    pub background: f64,
    /// Take every pixel that a feature touches, not only those whose centre it covers.
    pub all_touched: bool,
}

impl Default for BurnOptions {
    fn default() -> Self {
        BurnOptions {
            value: BurnValue::Constant(1.0),
            background: f64::NAN,
            all_touched: false,
        }
    }
}

/// Features on a grid, as an operation without inputs. Where features overlap the last one counts. Which pixels a
/// feature covers is said in `burn`.
#[derive(Serialize, Deserialize)]
pub struct Rasterize {
    shapes: Vec<(Burnable, f64)>,
    options: BurnOptions,
    kind: Kind,
    dtype: DType,
}

impl Rasterize {
    /// Features in another CRS than the grid's are brought into it, their edges followed to a hundredth of a pixel. Features or grids
    /// without CRS are taken as they are. Longitudes may be counted otherwise than the grid counts them.
    ///
    /// # Errors
    /// When no feature has the property, or it is not a number in one of them.
    pub fn new(features: &Features, grid: &Grid, options: &BurnOptions) -> Result<Rasterize> {
        let mut shapes = Vec::new();
        let mut values = vec![options.background];
        if let BurnValue::Property(name) = &options.value {
            let found =
                features.is_empty() || features.features.iter().any(|f| f.properties.get(name).is_some());
            if !found {
                return Err(Error::not_found("property", name, features.property_names()));
            }
        }
        for (index, (feature, burnable)) in on_grid(features, grid)?.into_iter().enumerate() {
            let value = burn_value(feature, index, &options.value)?;
            if let Some(burnable) = burnable {
                values.push(value);
                shapes.push((burnable, value));
            }
        }
        let exact = values.iter().all(|v| v.is_nan() || f64::from(*v as f32) == *v);
        let (kind, float) = if exact {
            (Kind::F32, DType::F32)
        } else {
            (Kind::F64, DType::F64)
        };
        // Whole numbers that fit a byte are classes or masks: stored as such.
        let bytes = values
            .iter()
            .all(|v| v.is_nan() || (v.fract() == 0.0 && (0.0..255.0).contains(v)));
        let dtype = if bytes { DType::U8 } else { float };
        Ok(Rasterize {
            shapes,
            options: options.clone(),
            kind,
            dtype,
        })
    }

    fn burn<T: Copy>(&self, window: Window, convert: impl Fn(f64) -> T) -> Array2<T> {
        let mut out = Array2::from_elem((window.rows, window.cols), convert(self.options.background));
        for (shape, value) in &self.shapes {
            let value = convert(*value);
            shape.spans(window, self.options.all_touched, &mut |row, first, last| {
                let (first, last) = ((first - window.col) as usize, (last - window.col) as usize);
                out.row_mut((row - window.row) as usize)
                    .slice_mut(ndarray::s![first..=last])
                    .fill(value);
            });
        }
        out
    }
}

described!(Rasterize, Tiles, "raster.rasterize", 1, |rasterized, site| {
    site.takes(0)?;
    match rasterized.kind {
        Kind::F32 | Kind::F64 => Ok(()),
        kind => Err(Error::argument(
            "kind",
            "f32 or f64",
            format!("{kind:?}").to_lowercase(),
        )),
    }
});

impl Operation for Rasterize {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("rasterize({} features)", self.shapes.len())
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        self.kind
    }

    fn needs(&self, _: usize, _: Window) -> Window {
        Window::EMPTY
    }

    fn compute(&self, out: Window, _: &[View<'_>]) -> Result<Vec<Pixels>> {
        Ok(vec![match self.kind {
            Kind::F64 => Pixels::F64(self.burn(out, |v| v)),
            _ => Pixels::F32(self.burn(out, |v| v as f32)),
        }])
    }
}

/// Features burnt into a window of a grid, (rows, cols) of the window; see `Rasterize`.
///
/// # Errors
/// As `Rasterize::new`.
pub fn rasterize(
    features: &Features,
    grid: &Grid,
    window: Window,
    options: &BurnOptions,
) -> Result<Array2<f32>> {
    Ok(Rasterize::new(features, grid, options)?.burn(window, |v| v as f32))
}

/// Features as a lazy image of one band. Its stored type is the byte where all values are whole numbers below
/// 255 (which marks masked pixels), else a float.
///
/// # Errors
/// As `Rasterize::new`.
pub fn rasterize_image(
    features: &Features,
    grid: &Arc<Grid>,
    name: &str,
    options: &BurnOptions,
) -> Result<Raster> {
    let operation = Rasterize::new(features, grid, options)?;
    let dtype = operation.dtype;
    let port = Port::tiles(grid, Arc::new(operation), Vec::new()).swap_remove(0);
    let nodata = match dtype {
        DType::U8 => 255.0,
        _ => f64::NAN,
    };
    let unit = if options.value == BurnValue::Index {
        Unit::CLASS
    } else {
        Unit::Unknown
    };
    let band = Band {
        name: name.to_string(),
        dtype,
        unit,
        nodata: Some(nodata),
        port,
    };
    Ok(Raster::new(grid.clone(), vec![band]))
}

/// Every feature with its shape in pixel coordinates of the grid, in the grid's CRS.
pub(super) fn on_grid<'a>(
    features: &'a Features,
    grid: &Grid,
) -> Result<Vec<(&'a Feature, Option<Burnable>)>> {
    let shapes = features.over(grid)?;
    let turn = grid.turn().and(grid.crs.as_ref()).and_then(Crs::turn);
    let pairs = features.features.iter().zip(&shapes.features);
    Ok(pairs
        .map(|(f, s)| (f, s.shape.as_ref().map(|s| Burnable::new(s, grid, turn))))
        .collect())
}

fn burn_value(feature: &Feature, index: usize, value: &BurnValue) -> Result<f64> {
    let name = match value {
        BurnValue::Constant(v) => return Ok(*v),
        BurnValue::Index => return Ok((index + 1) as f64),
        BurnValue::Property(name) => name,
    };
    match feature.properties.get(name) {
        None | Some(Value::Missing) => Ok(f64::NAN),
        Some(Value::Bool(b)) => Ok(f64::from(u8::from(*b))),
        Some(Value::Float(x)) => Ok(*x),
        Some(Value::Integer(i)) => Ok(*i as f64),
        Some(other) => Err(Error::argument(
            format!("property `{name}` of feature {}", index + 1),
            "a number or boolean to burn",
            format!("{} (`{other}`)", other.kind()),
        )),
    }
}
