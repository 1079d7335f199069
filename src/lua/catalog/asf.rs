//! `catalog.asf`.

use mlua::Lua;

use super::search::LuaSearch;
use super::values::{AreaShape, Period, listed};
use crate::catalog::asf::{AsfOptions, AsfSearch, LARGEST_PAGE, PAGE, Range};
use crate::error::{Domain, Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::Args;
use crate::lua::value::{FromScript, Several, describe};
use crate::options;

pub fn search(_: &Lua, _: &Args, mut o: AsfTable) -> Result<LuaSearch> {
    let url = o.url.take();
    Ok(LuaSearch::new(AsfSearch::new(o.asf_options(), url.as_deref())?))
}

options! {
    /// The names are those of ASF's own client.
    pub struct AsfTable("catalog.AsfOptions") {
        ..period: Period,
        /// `"ALOS"`, `"Sentinel-1"` (all its satellites), `"SENTINEL-1A"`, …
        platform: Option<Several<String>>,
        /// `"RTC_HI_RES"`, `"SLC"`, `"GRD_HD"`, `"CSLC"`, `"RTC"`, `"BURST"`, …
        processingLevel: Option<Several<String>>,
        /// `"SLC-BURST"`, `"OPERA-S1"`, `"OPERA-S1-CALVAL"`, `"ALOS PALSAR"`, `"NISAR"`, … as in ASF's client; `processingLevel` narrows it to
        /// the collections of that level.
        dataset: Option<Several<String>>,
        /// `"PALSAR"`, `"C-SAR"`, …
        instrument: Option<Several<String>>,
        /// `"FBD"`, `"IW"`, …
        beamMode: Option<Several<String>>,
        /// `"IW1"`, …
        beamSwath: Option<Several<String>>,
        /// As the archive writes it: `"HH+HV"`, `"VV+VH"`, `"VV"`, …
        polarization: Option<Several<String>>,
        /// `"ASCENDING"` or `"DESCENDING"`.
        flightDirection: Option<Several<String>>,
        /// `"LEFT"` or `"RIGHT"`.
        lookDirection: Option<Several<String>>,
        /// The path (track): 64, `"80-90"`, or a list.
        relativeOrbit: Option<Several<Numbers>>,
        /// The orbit since the launch: 21000, `"21000-21100"`, or a list.
        absoluteOrbit: Option<Several<Numbers>>,
        /// ASF's frame for Sentinel-1 and ALOS, ESA's for the other missions.
        frame: Option<Several<Numbers>>,
        /// Degrees.
        offNadirAngle: Option<Several<f64>>,
        /// The area: a Geometry, WKT, or GeoJSON, in longitude and latitude.
        intersectsWith: Option<AreaShape>,
        /// First and last day of the year, such as `{ 305, 60 }`.
        season: Option<[u32; 2]>,
        /// Names of scenes.
        granule_list: Option<Several<String>>,
        /// Names of products (`<scene>-<level>`).
        product_list: Option<Several<String>>,
        /// Of scenes that belong together, as the archive numbers them.
        groupID: Option<Several<String>>,
        /// Of airborne missions: the name of the flights.
        campaign: Option<Several<String>>,
        /// Of Sentinel-1 bursts: the number along the track.
        relativeBurstID: Option<Several<i64>>,
        /// Of Sentinel-1 bursts: the number since the launch.
        absoluteBurstID: Option<Several<i64>>,
        /// `"064_135523_IW2"`.
        fullBurstID: Option<Several<String>>,
        /// `"T064_135523_IW2"`.
        operaBurstID: Option<Several<String>>,
        /// Concept ids of CMR, such as `"C2803501758-ASF"`.
        collections: Option<Several<String>>,
        /// Short names of CMR's collections.
        shortName: Option<Several<String>>,
        /// Stop here. Default: all.
        maxResults: Option<usize>; Domain::at_least(1.0),
        /// Granules a request; fewer where the server gives up.
        page: usize = PAGE; Domain::within(1.0, LARGEST_PAGE as f64),
        /// Give an answer that has fewer granules than CMR counts, with a note, in place of an error.
        partial: bool = false,
        /// Another CMR than NASA's.
        url: Option<String>,
    }
}

impl AsfTable {
    fn asf_options(self) -> AsfOptions {
        let (start, end) = self.period.ends();
        AsfOptions {
            start,
            end,
            platform: listed(self.platform),
            processing_level: listed(self.processingLevel),
            dataset: listed(self.dataset),
            instrument: listed(self.instrument),
            beam_mode: listed(self.beamMode),
            beam_swath: listed(self.beamSwath),
            polarization: listed(self.polarization),
            flight_direction: listed(self.flightDirection),
            look_direction: listed(self.lookDirection),
            relative_orbit: ranges(self.relativeOrbit),
            absolute_orbit: ranges(self.absoluteOrbit),
            frame: ranges(self.frame),
            off_nadir_angle: listed(self.offNadirAngle),
            intersects_with: self.intersectsWith.map(|AreaShape(shape)| shape),
            season: self.season.map(|days| days.map(|d| u16::try_from(d).unwrap_or(u16::MAX))),
            granule_list: listed(self.granule_list),
            product_list: listed(self.product_list),
            group_id: listed(self.groupID),
            campaign: listed(self.campaign),
            relative_burst_id: listed(self.relativeBurstID),
            absolute_burst_id: listed(self.absoluteBurstID),
            full_burst_id: listed(self.fullBurstID),
            opera_burst_id: listed(self.operaBurstID),
            collections: listed(self.collections),
            short_name: listed(self.shortName),
            max_results: self.maxResults,
            page: self.page,
            partial: self.partial,
        }
    }
}

fn ranges(several: Option<Several<Numbers>>) -> Vec<Range> {
    listed(several).into_iter().map(|Numbers(range)| range).collect()
}

/// Numbers, or texts such as `"80-90"`.
pub struct Numbers(Range);

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
        Self::accept(value).ok_or_else(|| Error::argument(name, Self::expected(), describe(value)))
    }
}
