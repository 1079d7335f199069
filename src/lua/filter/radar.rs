//! Filters of complex radar images.

use mlua::Value;

use crate::error::Result;
use crate::filter::impulse_response::{BANDWIDTH, Response, SHIFT, WINDOW, impulse_response};
use crate::lua::module::Module;
use crate::lua::value::FromScript;
use crate::lua::spec::ValueType;
use crate::options;
use crate::raster::Raster;

pub fn define(m: &mut Module) -> Result<()> {
    m.function_with("impulse_response(raster, options?)", |_, args, o: Shape| {
        let axis = |i: usize| Response {
            bandwidth: o.bandwidth.0[i],
            window: o.window.0[i],
            shift: o.shift.0[i],
        };
        impulse_response(&args.get::<Raster>("raster")?, axis(0), axis(1))
    })?;
    Ok(())
}

options! {
    struct Shape("filter.ImpulseResponseOptions") {
        /// Processed bandwidth over sampling rate: one number, or `{ rows, cols }`.
        bandwidth: RowsCols = RowsCols([0.8; 2]); BANDWIDTH,
        /// Coefficient α of the spectral window α + (1 − α)·cos(2πf/B): 1 is none, 0.75 that of Sentinel-1 in range.
        window: RowsCols = RowsCols([1.0; 2]); WINDOW,
        /// How far the content moves, in pixels, `{ rows, cols }`: to larger rows and columns where positive.
        shift: RowsCols = RowsCols([0.0; 2]); SHIFT,
    }
}

/// `{ rows, cols }`, or one number for both.
struct RowsCols([f64; 2]);

impl FromScript for RowsCols {
    fn expected() -> String {
        "a number, or { rows, cols }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number|number[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        if let Some(both) = f64::accept(value) {
            return Some(RowsCols([both; 2]));
        }
        <[f64; 2]>::accept(value).map(RowsCols)
    }
    fn literal(&self) -> serde_json::Value {
        match self.0 {
            [rows, cols] if rows == cols => rows.into(),
            both => both.as_slice().into(),
        }
    }
}
