//! The archives, against servers on the loopback interface.
//!
//! One test binary, one module a file in tests/catalog.

#[path = "catalog/common.rs"]
mod common;
#[path = "catalog/replay.rs"]
mod replay;
