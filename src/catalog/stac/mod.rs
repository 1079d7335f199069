//! STAC, the SpatioTemporal Asset Catalog: services that answer searches (STAC API 1.0), and catalogues of files.
//!
//! A [`Client`] has read a service's landing page and knows by its conformance classes what may be asked. Its
//! [`ItemSearch`] runs through `catalog::pages`, so that pages, sizes and completeness are those of every search.

mod area;
mod client;
mod conformance;
mod datetime;
mod filter;
mod geoparquet;
mod open;
mod page;
mod query;
mod search;
mod walk;

pub use area::Area;
pub use client::{Client, CollectionQuery};
pub use conformance::{Conformance, Feature};
pub use datetime::Interval;
pub use filter::{Filter, query_json, query_text};
#[cfg(any(test, fuzzing))]
pub(crate) use geoparquet::features as features_of_geoparquet;
pub use open::{Document, open};
pub use query::{Fields, Query, SortKey};
pub use search::{ItemSearch, PAGE};
