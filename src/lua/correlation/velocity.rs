//! `correlation.velocity`.

use jiff::Timestamp;

use crate::correlation::velocity::{VelocityOptions as How, velocity};
use crate::error::{Domain, Error, Result};
use crate::lua::args::Args;
use crate::lua::module::Module;
use crate::options;
use crate::raster::{Property, Raster};

pub fn define(m: &mut Module) -> Result<()> {
    m.function_with("velocity(offsets, options?)", |_, args, o: Velocity| make(args, o))?;
    Ok(())
}

options! {
    struct Velocity("correlation.VelocityOptions") {
        /// When the reference was taken. Default: what the offsets know of their images.
        reference_time: Option<Timestamp>,
        /// When the secondary was taken. Default: what the offsets know of their images.
        secondary_time: Option<Timestamp>,
        /// Days from the reference to the secondary, instead of times.
        days: Option<f64>,
        /// Above 0 on ground that is known to be still; on the grid of the offsets.
        stable: Option<Raster>,
        /// Fewer reliable offsets on still ground are an error.
        min_stable: usize = 10; Domain::at_least(1.0),
        /// Lengths on the ellipsoid; false leaves those of the map.
        ground: bool = true,
    }
}

fn make(args: &Args, o: Velocity) -> Result<Raster> {
    let offsets: Raster = args.get("offsets")?;
    let times = [
        o.reference_time.or_else(|| noted(&offsets, "reference_time")),
        o.secondary_time.or_else(|| noted(&offsets, "secondary_time")),
    ];
    let days = match (o.days, times) {
        (Some(days), _) => days,
        (None, [Some(first), Some(second)]) => {
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
        (None, [first, _]) => {
            let missing = if first.is_none() { "reference_time" } else { "secondary_time" };
            return Err(Error::message(format!(
                "{missing} is missing, and the images had no time; give `reference_time` and `secondary_time`, such as \
                 \"2020-03-01\", or `days`"
            )));
        }
    };
    let how = How {
        days,
        ground: o.ground,
        stable: o.stable,
        min_stable: o.min_stable,
    };
    let mut out = velocity(&offsets, &how)?;
    for (name, time) in ["reference_time", "secondary_time"].into_iter().zip(times) {
        if let Some(time) = time {
            out.properties.insert(name.into(), Property::Text(time.to_string()));
        }
    }
    Ok(out)
}

/// What the tracker noted.
fn noted(offsets: &Raster, name: &str) -> Option<Timestamp> {
    match offsets.properties.get(name) {
        Some(Property::Text(text)) => text.parse().ok(),
        _ => None,
    }
}
