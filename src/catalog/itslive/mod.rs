//! ITS_LIVE, NASA's archive of glacier velocities: its granules by search and by name, and its data cubes by place.
//!
//! `Query` says what is wanted; `stac` asks the STAC service for it, `urls` the older service of addresses. All answers are STAC items with the
//! properties of the collection `itslive-granules`: `platform`, `date_dt`, `percent_valid_pixels`, `proj:code`, `version`.

mod area;
pub mod cubes;
pub mod filter;
pub mod names;
mod projection;
pub mod query;
pub mod stac;
pub mod urls;

pub use area::Area;
pub use cubes::{Cube, Cubes};
pub use filter::{Candidate, Filter, Preference};
pub use names::{Acquisition, Frame, Granule, projection_of};
pub use query::Query;
pub use stac::{ENDPOINT as STAC_SERVICE, PAGE, StacSearch};
pub use urls::{ENDPOINT as URL_SERVICE, Serialization, UrlSearch};

/// The collection of velocity granules at the STAC service.
pub const GRANULES: &str = "itslive-granules";

/// What to tell a user whose search found nothing: both services have been seen to miss what they have.
fn nothing_found(service: &str) -> String {
    let other = if service == "stac" { "urls" } else { "stac" };
    format!(
        "no granule was found. Both services have answered searches by area wrongly with nothing; before you take it for an answer, \
         check that longitude comes before latitude, enlarge the area or give its bbox, ask with less of percent_valid_pixels, \
         or ask the other service with service = \"{other}\""
    )
}
