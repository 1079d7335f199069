//! `catalog.asf`.

use mlua::Lua;

use super::search::LuaSearch;
use super::values::{area_option, several, time_options};
use crate::catalog::asf::{AsfOptions, AsfSearch, LARGEST_PAGE, PAGE, Range};
use crate::error::Result;
use crate::lua::value_type::ValueType;
use crate::lua::value::{FromScript, describe};
use crate::lua::{Args, Options};

pub fn search(_: &Lua, args: &Args) -> Result<LuaSearch> {
    let (options, url) = args.options(|o| Ok((read(o)?, o.get::<String>("url")?)))?;
    Ok(LuaSearch::new(AsfSearch::new(options, url.as_deref())?))
}

/// The names are those of ASF's own client.
fn read(o: &Options) -> Result<AsfOptions> {
    let (start, end) = time_options(o)?;
    Ok(AsfOptions {
        dataset: several(o, "dataset")?,
        platform: several(o, "platform")?,
        instrument: several(o, "instrument")?,
        processing_level: several(o, "processingLevel")?,
        beam_mode: several(o, "beamMode")?,
        beam_swath: several(o, "beamSwath")?,
        polarization: several(o, "polarization")?,
        flight_direction: several(o, "flightDirection")?,
        look_direction: several(o, "lookDirection")?,
        relative_orbit: ranges(o, "relativeOrbit")?,
        absolute_orbit: ranges(o, "absoluteOrbit")?,
        frame: ranges(o, "frame")?,
        off_nadir_angle: several(o, "offNadirAngle")?,
        intersects_with: area_option(o, "intersectsWith")?,
        start,
        end,
        season: o.get::<[u32; 2]>("season")?.map(|days| days.map(|d| u16::try_from(d).unwrap_or(u16::MAX))),
        granule_list: several(o, "granule_list")?,
        product_list: several(o, "product_list")?,
        group_id: several(o, "groupID")?,
        campaign: several(o, "campaign")?,
        relative_burst_id: several(o, "relativeBurstID")?,
        absolute_burst_id: several(o, "absoluteBurstID")?,
        full_burst_id: several(o, "fullBurstID")?,
        opera_burst_id: several(o, "operaBurstID")?,
        collections: several(o, "collections")?,
        short_name: several(o, "shortName")?,
        max_results: o.count("maxResults")?,
        page: o
            .checked("page", "an integer from 1 to 2000", |n: &usize| (1..=LARGEST_PAGE).contains(n))?
            .unwrap_or(PAGE),
        partial: o.get_or("partial", false)?,
    })
}

/// Numbers, or texts such as `"80-90"`.
struct Numbers(Range);

impl FromScript for Numbers {
    fn expected() -> String {
        "a whole number, or a range such as \"80-90\"".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("integer|string".into())
    }
    fn accept(value: &mlua::Value) -> Option<Self> {
        match i64::accept(value) {
            Some(number) => Some(Numbers(Range::one(number))),
            None => Range::parse("", &String::accept(value)?).ok().map(Numbers),
        }
    }
    fn from_script(value: &mlua::Value, name: &str) -> Result<Self> {
        Self::accept(value).ok_or_else(|| crate::error::Error::argument(name, Self::expected(), describe(value)))
    }
}

fn ranges(o: &Options, name: &str) -> Result<Vec<Range>> {
    Ok(several::<Numbers>(o, name)?.into_iter().map(|Numbers(range)| range).collect())
}
