//! Archives: what lies where on the servers of the field, and bringing it here without losing a byte.
//!
//! `http` sends requests as a good guest does (budget per host, Retry-After, timeouts that hold) and follows
//! redirects itself, so that `credentials` decides anew at every hop what a host may see. On it stand the searches
//! (`stac`, `asf`, `itslive`), all of which answer with STAC items, the `join` of two searches, and `transfer`.
//! Nothing here knows pixels or Lua.

pub mod archive;
pub mod asf;
pub mod footprint;
pub mod item;
pub mod items;
pub mod itslive;
pub mod join;
pub mod list;
pub mod pages;
pub mod snapshot;
pub mod stac;
pub mod transfer;
