//! The archives, against servers on the loopback interface.
//!
//! One test binary, one module a file in tests/catalog.

#[path = "catalog/archive.rs"]
mod archive;
#[path = "catalog/asf.rs"]
mod asf;
#[path = "catalog/common.rs"]
mod common;
#[path = "catalog/join.rs"]
mod join;
#[path = "catalog/replay.rs"]
mod replay;
#[path = "catalog/faults.rs"]
mod faults;
#[path = "catalog/transfer.rs"]
mod transfer;
#[path = "catalog/transfer_faults.rs"]
mod transfer_faults;
#[path = "catalog/transfer_killed.rs"]
mod transfer_killed;
