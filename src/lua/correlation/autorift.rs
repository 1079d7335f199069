//! `correlation.autorift`.

use std::sync::Arc;

use mlua::Value;

use crate::correlation::autorift::operation::{Options as Tracking, PerNode, Precision, autorift};
use crate::correlation::autorift::parameters::{Border, Parameters};
use crate::correlation::autorift::prefilter::Prefilter;
use crate::error::{Error, Result};
use crate::lua::args::{Args, Options};
use crate::lua::module::Module;
use crate::lua::value::{FromScript, describe};
use crate::raster::{Grid, Raster};

pub fn define(m: &mut Module) -> Result<()> {
    m.function("autorift(reference, secondary, options?)", |_, args| track(args))?;
    Ok(())
}

fn track(args: &Args) -> Result<Raster> {
    let options = args.options(|o| {
        let grid = o.get::<Arc<Grid>>("grid")?;
        let name = o.choice("prefilter", &Prefilter::NAMES)?.unwrap_or("high_pass");
        // Gaps are filled over wider windows.
        let width = if name == "wallis_fill" { 21 } else { 5 };
        let width = o.get_or("prefilter_width", width)?;
        let cutoff = o.get_or("prefilter_cutoff", 0.25)?;
        let precision = o.choice("precision", &["uint8", "float32"])?;
        Ok(Tracking {
            parameters: parameters(o)?,
            prefilter: Prefilter::new(name, width, cutoff)?,
            precision: precision.map(|p| if p == "uint8" { Precision::U8 } else { Precision::F32 }),
            grid,
            search: per_node(o, "search", 25.0)?,
            prior: per_node(o, "prior", 0.0)?,
            chip_min: o.get("chip_min")?,
            chip_max: match o.raw("chip_max")? {
                Value::UserData(_) => o.get("chip_max")?,
                _ => None,
            },
        })
    })?;
    autorift(&args.get("reference")?, &args.get("secondary")?, options)
}

fn parameters(o: &Options) -> Result<Parameters> {
    let d = Parameters::default();
    let chip = o.get_or("chip", d.chip)?;
    // A raster of largest chips goes as far as chips can.
    let chip_max = match o.raw("chip_max")? {
        Value::UserData(_) => Parameters::largest(chip),
        _ => o.get_or("chip_max", 2 * chip)?,
    };
    let oversampling = match o.raw("oversampling")? {
        Value::Nil => d.oversampling.clone(),
        one @ Value::Integer(_) => vec![usize::from_script(&one, "oversampling")?],
        list => Vec::from_script(&list, "oversampling")?,
    };
    Ok(Parameters {
        spacing: o.get_or("spacing", chip)?,
        chip,
        chip_max,
        chip_aspect: o.get_or("chip_aspect", d.chip_aspect)?,
        search_min: o.get_or("search_min", d.search_min)?,
        sparse: o.get_or("sparse", d.sparse)?,
        sparse_share: o.get_or("sparse_share", d.sparse_share)?,
        sparse_reach: o.get_or("sparse_reach", d.sparse_reach)?,
        filter_width: o.get_or("filter_width", d.filter_width)?,
        filter_valid_share: o.get_or("filter_valid_share", d.filter_valid_share)?,
        filter_search_share: o.get_or("filter_search_share", d.filter_search_share)?,
        filter_iterations: o.get_or("filter_iterations", d.filter_iterations)?,
        filter_deviations: o.get_or("filter_deviations", d.filter_deviations)?,
        filter_border: match o.choice("filter_border", &["kept", "autorift"])? {
            Some("autorift") => Border::Autorift,
            _ => Border::Kept,
        },
        fill_width: o.get_or("fill_width", d.fill_width)?,
        oversampling,
        valid_share: o.get_or("min_valid", d.valid_share)?,
    })
}

/// A number or raster for x and y alike, or `{ x, y }` of them.
fn per_node(o: &Options, name: &str, default: f64) -> Result<[PerNode; 2]> {
    let one = |value: &Value, name: &str| match value {
        Value::UserData(_) => Raster::from_script(value, name).map(PerNode::Raster),
        other => match f64::accept(other) {
            Some(v) => Ok(PerNode::Constant(v)),
            None => Err(Error::argument(
                name,
                "a number of pixels, a Raster on the grid of nodes, or { x, y } of them",
                describe(other),
            )),
        },
    };
    match o.raw(name)? {
        Value::Nil => Ok([PerNode::Constant(default), PerNode::Constant(default)]),
        Value::Table(pair) if pair.raw_len() == 2 => Ok([
            one(&pair.raw_get(1)?, &format!("{name}[1]"))?,
            one(&pair.raw_get(2)?, &format!("{name}[2]"))?,
        ]),
        value => {
            let both = one(&value, name)?;
            Ok([both.clone(), both])
        }
    }
}
