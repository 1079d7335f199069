//! `correlation.velocity`.

use jiff::Timestamp;
use mlua::Value;

use crate::correlation::velocity::{Options as How, velocity};
use crate::error::{Error, Result};
use crate::lua::args::{Args, Options};
use crate::lua::module::Module;
use crate::lua::value::FromScript;
use crate::raster::{Property, Raster};

pub fn define(m: &mut Module) -> Result<()> {
    m.function("velocity(offsets, options?)", |_, args| make(args))?;
    Ok(())
}

fn make(args: &Args) -> Result<Raster> {
    let offsets: Raster = args.get("offsets")?;
    let (times, how) = args.options(|o| {
        let days = o.get::<f64>("days")?;
        let times = [time(o, &offsets, "reference_time")?, time(o, &offsets, "secondary_time")?];
        let how = How {
            days: days.unwrap_or(f64::NAN),
            ground: o.get_or("ground", true)?,
            stable: o.get("stable")?,
            min_stable: o.count("min_stable")?.unwrap_or(10),
        };
        Ok((times, how))
    })?;
    let days = match (how.days.is_nan(), times) {
        (false, _) => how.days,
        (true, [Some(first), Some(second)]) => {
            let days = (second.as_nanosecond() - first.as_nanosecond()) as f64 / 86_400e9;
            if days == 0.0 {
                return Err(Error::argument(
                    "secondary_time",
                    format!("another time than the reference's, {first}"),
                    second,
                ));
            }
            days
        }
        (true, [first, _]) => {
            let missing = if first.is_none() { "reference_time" } else { "secondary_time" };
            return Err(Error::message(format!(
                "{missing} is missing, and the images had no time; give `reference_time` and `secondary_time`, such as \
                 \"2020-03-01\", or `days`"
            )));
        }
    };
    let mut out = velocity(&offsets, &How { days, ..how })?;
    for (name, time) in ["reference_time", "secondary_time"].into_iter().zip(times) {
        if let Some(time) = time {
            out.properties.insert(name.into(), Property::Text(time.to_string()));
        }
    }
    Ok(out)
}

/// The option, or the property that the tracker noted.
fn time(o: &Options, offsets: &Raster, name: &str) -> Result<Option<Timestamp>> {
    if let Value::Nil = o.raw(name)? {
        return Ok(match offsets.properties.get(name) {
            Some(Property::Text(text)) => text.parse().ok(),
            _ => None,
        });
    }
    Timestamp::from_script(&o.raw(name)?, name).map(Some)
}
