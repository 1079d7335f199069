//! The archives, against servers on the loopback interface.
//!
//! One test binary, one module a file in tests/catalog.

#[path = "catalog/asf.rs"]
mod asf;
#[path = "catalog/common.rs"]
mod common;
#[path = "catalog/credentials_earthdata.rs"]
mod credentials_earthdata;
#[path = "catalog/join.rs"]
mod join;
#[path = "catalog/replay.rs"]
mod replay;
#[path = "catalog/standin.rs"]
mod standin;
