//! The Alaska Satellite Facility's archive, searched by NASA's Common Metadata Repository (CMR).
//!
//! # Source
//! CMR Search API: granules in UMM-JSON (UMM-G 1.6), paging by the header `CMR-Search-After`. The options bear the names
//! that ASF's own Python client gives them.

mod area;
mod collections;
mod granule;
mod options;
mod request;
mod search;

pub use granule::item;
pub use options::{AsfOptions, LARGEST_PAGE, PAGE, Range};
pub use search::{AsfSearch, CMR};
