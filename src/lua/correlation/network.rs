//! Inversion of pair networks.

use mlua::{Lua, Table, Value};

use crate::correlation::network::{Pair, Robust, TUNING, invert};
use crate::error::{Domain, Error, Result};
use crate::lua::args::Args;
use crate::lua::module::Module;
use crate::lua::value::{FromScript, describe};
use crate::options;

pub fn define(m: &mut Module) -> Result<()> {
    m.function_with("invert(pairs, values, options?)", inverted)?;
    Ok(())
}

options! {
    struct Task("correlation.InvertOptions") {
        /// How many dates there are. Default: the largest number in `pairs`.
        dates: Option<usize>; Domain::at_least(1.0),
        /// The date at which the series is 0, from 1.
        reference: usize = 1; Domain::at_least(1.0),
        /// One a pair, proportional to the inverse variance. Default 1 for all.
        weights: Option<Vec<f64>>; Domain::above(0.0),
        /// Huber's estimate by iterated reweighting, so that blunders lose their pull.
        robust: bool = false,
        /// Of the robust fit: residuals beyond this many standard deviations pull no harder.
        tuning: f64 = 1.345; TUNING,
    }
}

fn inverted(lua: &Lua, args: &Args, task: Task) -> Result<Table> {
    let robust = if task.robust { Robust::Huber(task.tuning) } else { Robust::None };
    let ends: Vec<Table> = args.get("pairs")?;
    let values: Vec<Value> = args.get("values")?;
    let count = |name: &str, got: usize| match got == ends.len() {
        true => Ok(()),
        false => Err(Error::argument(name, format!("one for each of the {} pairs", ends.len()), got)),
    };
    count("values", values.len())?;
    if let Some(weights) = &task.weights {
        count("weights", weights.len())?;
    }
    let mut pairs = Vec::with_capacity(ends.len());
    for (i, (end, value)) in ends.iter().zip(&values).enumerate() {
        let date = |position: usize, name: &str| -> Result<usize> {
            let given = match end.raw_get::<Value>(position)? {
                Value::Nil => end.raw_get::<Value>(name)?,
                given => given,
            };
            let label = format!("{name} of pairs[{}]", i + 1);
            match usize::from_script(&given, &label)? {
                0 => Err(Error::argument(label, "the number of a date, from 1", 0)),
                date => Ok(date - 1),
            }
        };
        let value = match value {
            Value::Boolean(false) => f64::NAN,
            value => f64::accept(value).ok_or_else(|| {
                let expected = "a number, or NaN or false where there is none";
                Error::argument(format!("values[{}]", i + 1), expected, describe(value))
            })?,
        };
        pairs.push(Pair {
            reference: date(1, "reference")?,
            secondary: date(2, "secondary")?,
            value,
            weight: task.weights.as_ref().map_or(1.0, |w| w[i]),
        });
    }
    let most = pairs.iter().map(|p| p.reference.max(p.secondary) + 1).max().unwrap_or(1);
    let found = invert(task.dates.unwrap_or(most), &pairs, task.reference - 1, robust)?;
    let table = lua.create_table()?;
    table.raw_set("series", found.series)?;
    table.raw_set("sigma", found.sigma)?;
    table.raw_set("residuals", found.residuals)?;
    table.raw_set("factors", found.factors)?;
    table.raw_set("rms", found.rms)?;
    table.raw_set("redundancy", found.redundancy)?;
    table.raw_set("iterations", found.iterations)?;
    Ok(table)
}
