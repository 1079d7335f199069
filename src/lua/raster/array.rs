//! The class Array: pixels in memory, out of the lazy graph.

use std::sync::Arc;

use mlua::{Lua, MultiValue, Table, Value};
use ndarray::Array2;

use crate::bind_class;
use crate::options;
use crate::work::Held;
use crate::error::{Error, Result};
use crate::lua::args::Args;
use crate::lua::class::{Builder, Class};
use crate::lua::value::{FromScript, describe};
use crate::raster::element::kind_of;
use crate::raster::integer::is_wide;
use crate::raster::memory::from_arrays;
use crate::raster::stats::Moments;
use crate::raster::tile::{MASKED_INTEGER, f64_to_integer, integer_to_f64};
use crate::work;
use crate::raster::{DType, Grid, Pixels, Raster, Unit, Window};

/// Bands of pixels over a window of an image.
pub struct Array {
    pub grid: Arc<Grid>,
    pub bands: Vec<ArrayBand>,
    /// The image that it was read from, for time and properties.
    origin: Raster,
}

#[derive(Clone)]
pub struct ArrayBand {
    pub name: String,
    pub unit: Unit,
    counted: Arc<Counted>,
}

/// Pixels and the memory that was reserved for them.
struct Counted {
    pixels: Pixels,
    _held: Held,
}

impl ArrayBand {
    pub fn pixels(&self) -> &Pixels {
        &self.counted.pixels
    }
}

/// Reserves memory under the ceiling; arrays that no script can reach any more make way first.
pub(super) fn reserve(lua: &Lua, bytes: usize, what: impl Fn() -> String) -> Result<Held> {
    let reserved = || Held::within(bytes, work::memory());
    if let Some(held) = reserved() {
        return Ok(held);
    }
    lua.gc_collect()?;
    // Objects with finalisers go in the second round.
    lua.gc_collect()?;
    reserved().ok_or_else(|| Error::Memory {
        what: what(),
        needed_mib: (bytes >> 20) as u64 + 1,
        limit_mib: (work::memory() >> 20) as u64,
        way_out: "read a window, resample to a coarser grid first, let go of other arrays, or raise the limit with --memory".into(),
    })
}

bind_class!(Array);

impl Array {
    /// Computes a window, which must lie inside the image.
    pub fn read(lua: &Lua, raster: &Raster, window: Window) -> Result<Array> {
        let pixel: usize = raster.bands.iter().map(|b| b.kind().bytes()).sum();
        let held = reserve(lua, window.len().saturating_mul(pixel), || {
            let (bands, rows, cols) = (raster.bands.len(), window.rows, window.cols);
            format!("an array of {bands} × {rows} × {cols} (bands × rows × cols)")
        })?;
        let pixels = raster.read(window)?;
        let bands = raster.bands.iter().zip(pixels).map(|(band, pixels)| ArrayBand {
            name: band.name.clone(),
            unit: band.unit.clone(),
            counted: Arc::new(Counted {
                _held: Held::hold(window.len() * pixels.kind().bytes()),
                pixels,
            }),
        });
        let bands = bands.collect();
        drop(held);
        Ok(Array {
            grid: Arc::new(raster.grid.subgrid(&window)),
            bands,
            origin: raster.with_bands(Vec::new()),
        })
    }

    fn with_bands(&self, bands: Vec<ArrayBand>) -> Array {
        Array {
            grid: self.grid.clone(),
            bands,
            origin: self.origin.clone(),
        }
    }

    fn shape(&self) -> (usize, usize) {
        (self.grid.rows, self.grid.cols)
    }

    fn names(&self) -> Vec<String> {
        self.bands.iter().map(|b| b.name.clone()).collect()
    }

    /// The band called `name`, or the only one.
    fn band(&self, name: Option<String>) -> Result<&ArrayBand> {
        match (name, self.bands.as_slice()) {
            (None, [band]) => Ok(band),
            (None, _) => Err(Error::argument(
                "band",
                format!("one of: {}", self.names().join(", ")),
                "none",
            )),
            (Some(name), bands) => bands
                .iter()
                .find(|b| b.name == name)
                .ok_or_else(|| Error::not_found("band", name, self.names())),
        }
    }

    fn to_raster(&self) -> Result<Raster> {
        let arrays = self
            .bands
            .iter()
            .map(|b| (b.name.clone(), b.pixels().clone(), b.unit.clone()));
        let mut raster = from_arrays(self.grid.clone(), arrays.collect())?;
        raster.time = self.origin.time;
        raster.properties = self.origin.properties.clone();
        Ok(raster)
    }
}

impl Class for Array {
    const NAME: &'static str = "Array";

    fn define(c: &mut Builder<Self>) {
        c.field("rows", |_, this| Ok(this.shape().0))
            .field("cols", |_, this| Ok(this.shape().1))
            .field("bands", |_, this| Ok(this.names()))
            .field("grid", |_, this| Ok(this.grid.as_ref().clone()))
            .dynamic_fields(
                |lua, this, name| {
                    let band = this.bands.iter().find(|b| b.name == name);
                    let one = band.map(|b| this.with_bands(vec![b.clone()]));
                    Ok(one.map(|a| lua.create_userdata(a)).transpose()?.map(Value::UserData))
                },
                Array::names,
            )
            .text(|this| {
                let (rows, cols) = this.shape();
                format!("Array {rows} × {cols} (rows × cols): {}", this.names().join(", "))
            })
            .listing(|this| Ok(show(this)));
        c.method("get(row, col)", |_, this, args| {
            let (rows, cols) = this.shape();
            let row = args.checked("row", &format!("from 0 to {}", rows - 1), |r: &usize| *r < rows)?;
            let col = args.checked("col", &format!("from 0 to {}", cols - 1), |c: &usize| *c < cols)?;
            Ok(values_at(this, row, col))
        })
        .method("totable(band?)", |lua, this, args| totable(lua, this.band(args.get("band")?)?))
        .method("values(band?)", |lua, this, args| {
            let band = this.band(args.get("band")?)?;
            if let Pixels::I128(a) = band.pixels() {
                let valid = a.iter().filter(|v| **v != MASKED_INTEGER);
                return Ok(lua.create_sequence_from(valid.map(|&v| integer(v)))?);
            }
            let valid: Vec<f64> = real(band)?.iter().copied().filter(|v| !v.is_nan()).collect();
            Ok(lua.create_sequence_from(valid)?)
        })
        .method("count(band?)", |_, this, args| Ok(moments(this, args)?.count()))
        .method("min(band?)", |_, this, args| valid(moments(this, args)?, |m| m.min()))
        .method("max(band?)", |_, this, args| valid(moments(this, args)?, |m| m.max()))
        .method("mean(band?)", |_, this, args| valid(moments(this, args)?, |m| m.mean()))
        .method("std(band?)", |_, this, args| valid(moments(this, args)?, |m| m.std()))
        .method("sum(band?)", |_, this, args| {
            let m = moments(this, args)?;
            Ok(m.sum())
        })
        .method("raster()", |_, this, _| this.to_raster());
    }
}

/// One value for each band; of a complex band two, real and imaginary part.
fn values_at(array: &Array, row: usize, col: usize) -> MultiValue {
    let mut values = MultiValue::new();
    for band in &array.bands {
        match band.pixels() {
            Pixels::I128(a) => values.push_back(integer(a[(row, col)])),
            Pixels::F32(a) => values.push_back(Value::Number(a[(row, col)].into())),
            Pixels::F64(a) => values.push_back(Value::Number(a[(row, col)])),
            Pixels::C32(a) => {
                values.push_back(Value::Number(a[(row, col)].re.into()));
                values.push_back(Value::Number(a[(row, col)].im.into()));
            }
        }
    }
    values
}

/// A whole number where Lua has it; a number where it does not (2⁶³ and above), NaN where masked.
fn integer(v: i128) -> Value {
    i64::try_from(v).map_or_else(|_| Value::Number(integer_to_f64(v)), Value::Integer)
}

fn totable(lua: &Lua, band: &ArrayBand) -> Result<Table> {
    if let Pixels::I128(a) = band.pixels() {
        let rows = lua.create_table_with_capacity(a.nrows(), 0)?;
        for row in a.rows() {
            rows.raw_push(lua.create_sequence_from(row.iter().map(|&v| integer(v)))?)?;
        }
        return Ok(rows);
    }
    let values = real(band)?;
    let rows = lua.create_table_with_capacity(values.nrows(), 0)?;
    for row in values.rows() {
        rows.raw_push(lua.create_sequence_from(row.iter().copied())?)?;
    }
    Ok(rows)
}

fn real(band: &ArrayBand) -> Result<Array2<f64>> {
    match band.pixels() {
        Pixels::C32(_) => Err(Error::argument(
            "band",
            "real; read `image:real()`, `:imag()`, `:abs()` or `:phase()`",
            format!("`{}`, which is complex", band.name),
        )),
        pixels => Ok(pixels.clone().into_f64()),
    }
}

fn moments(array: &Array, args: &Args) -> Result<Moments> {
    Ok(Moments::of(array.band(args.get("band")?)?.pixels()))
}

/// Nil where no pixel is valid.
fn valid(moments: Moments, value: impl Fn(&Moments) -> f64) -> Result<Option<f64>> {
    Ok((moments.count() > 0).then(|| value(&moments)))
}

/// Up to 8 × 8 values of each band.
fn show(array: &Array) -> String {
    const SIDE: usize = 8;
    let (rows, cols) = array.shape();
    let mut text = format!("Array {rows} × {cols} (rows × cols)");
    for band in &array.bands {
        text.push_str(&format!("\n{}", band.name));
        let cell = |row: usize, col: usize| match band.pixels() {
            Pixels::I128(a) if a[(row, col)] == MASKED_INTEGER => format!("{:>20}", "NaN"),
            Pixels::I128(a) => format!("{:>20}", a[(row, col)]),
            Pixels::F32(a) => format!("{:>11.5}", a[(row, col)]),
            Pixels::F64(a) => format!("{:>11.5}", a[(row, col)]),
            Pixels::C32(a) => format!("{:>20.4}", a[(row, col)]),
        };
        for row in 0..rows.min(SIDE) {
            let cells: Vec<String> = (0..cols.min(SIDE)).map(|col| cell(row, col)).collect();
            let more = if cols > SIDE { "  …" } else { "" };
            text.push_str(&format!("\n {}{more}", cells.join(" ")));
        }
        if rows > SIDE {
            text.push_str("\n           …");
        }
    }
    text
}

options! {
    pub struct FromTable("raster.FromTableOptions") {
        /// Of the band.
        name: String = "b1".to_string(),
        /// Of its values: `power`, `dB`, `m`…
        unit: Option<Unit>,
        /// Pixel type, as `Raster:cast` takes.
        dtype: DType = DType::F32,
    }
}

/// `raster.from_table(grid, rows, options?)`
pub fn from_table(lua: &Lua, args: &Args, o: FromTable) -> Result<Raster> {
    let FromTable { name, dtype, .. } = o;
    let unit = o.unit.unwrap_or(Unit::Unknown);
    let grid: Arc<Grid> = args.get("grid")?;
    let lines: Vec<Table> = args.get("rows")?;
    let expected = || format!("{} lists of {} numbers, as the grid", grid.rows, grid.cols);
    if lines.len() != grid.rows {
        return Err(Error::argument("rows", expected(), format!("{} lists", lines.len())));
    }
    let cells = grid.rows.saturating_mul(grid.cols);
    let _held = reserve(lua, cells.saturating_mul(12), || {
        format!("an image of {} × {} (rows × cols) numbers", grid.rows, grid.cols)
    })?;
    let expected = "a number, or false for a masked pixel";
    let pixels = if is_wide(dtype) {
        Pixels::I128(table_cells(&lines, &grid, MASKED_INTEGER, expected, &|value| match value {
            Value::Integer(v) => Some(i128::from(*v)),
            value => f64::accept(value).map(f64_to_integer),
        })?)
    } else {
        Pixels::F64(table_cells(&lines, &grid, f64::NAN, expected, &f64::accept)?)
    };
    let pixels = pixels.into_kind(kind_of(dtype));
    let raster = from_arrays(grid, vec![(name, pixels, unit)])?;
    if dtype.is_float() { Ok(raster) } else { raster.cast(dtype) }
}

fn table_cells<T: Copy>(
    lines: &[Table],
    grid: &Grid,
    masked: T,
    expected: &str,
    accept: &dyn Fn(&Value) -> Option<T>,
) -> Result<Array2<T>> {
    let mut values = Array2::from_elem((grid.rows, grid.cols), masked);
    for (r, (line, mut row)) in lines.iter().zip(values.rows_mut()).enumerate() {
        if line.raw_len() != grid.cols {
            let lists = format!("{} lists of {} numbers, as the grid", grid.rows, grid.cols);
            let got = format!("{} in rows[{}]", line.raw_len(), r + 1);
            return Err(Error::argument("rows", lists, got));
        }
        for (c, cell) in row.iter_mut().enumerate() {
            *cell = match line.raw_get::<Value>(c + 1)? {
                Value::Boolean(false) => masked,
                value => accept(&value).ok_or_else(|| {
                    let name = format!("rows[{}][{}]", r + 1, c + 1);
                    Error::argument(name, expected, describe(&value))
                })?,
            };
        }
    }
    Ok(values)
}
