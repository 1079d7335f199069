//! Filters of complex radar images.

use mlua::Value;

use crate::error::Result;
use crate::filter::impulse_response::{Response, impulse_response};
use crate::lua::args::Options;
use crate::lua::module::Module;
use crate::lua::value::FromScript;
use crate::raster::Raster;

pub fn define(m: &mut Module) -> Result<()> {
    m.function("impulse_response(raster, options?)", |_, args| {
        let (rows, cols) = args.options(|o| {
            let bandwidth = rows_cols(o, "bandwidth", 0.8)?;
            let window = rows_cols(o, "window", 1.0)?;
            let shift = rows_cols(o, "shift", 0.0)?;
            let axis = |i: usize| Response {
                bandwidth: bandwidth[i],
                window: window[i],
                shift: shift[i],
            };
            Ok((axis(0), axis(1)))
        })?;
        impulse_response(&args.get::<Raster>("raster")?, rows, cols)
    })?;
    Ok(())
}

/// `{ rows, cols }`, or one number for both.
fn rows_cols(o: &Options, name: &str, default: f64) -> Result<[f64; 2]> {
    match o.raw(name)? {
        Value::Nil => Ok([default; 2]),
        value => match f64::accept(&value) {
            Some(both) => Ok([both; 2]),
            None => <[f64; 2]>::from_script(&value, name),
        },
    }
}
