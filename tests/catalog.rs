//! The archives, against servers on the loopback interface.
//!
//! One test binary, one module a file in tests/catalog.

#[path = "catalog/archive.rs"]
mod archive;
#[path = "catalog/asf.rs"]
mod asf;
#[path = "catalog/common.rs"]
mod common;
#[path = "catalog/credentials_earthdata.rs"]
mod credentials_earthdata;
#[path = "catalog/credentials_hosts.rs"]
mod credentials_hosts;
#[path = "catalog/credentials_planetary.rs"]
mod credentials_planetary;
#[path = "catalog/credentials_s3.rs"]
mod credentials_s3;
#[path = "catalog/credentials_usgs.rs"]
mod credentials_usgs;
#[path = "catalog/faults.rs"]
mod faults;
#[path = "catalog/files.rs"]
mod files;
#[path = "catalog/itslive_cubes.rs"]
mod itslive_cubes;
#[path = "catalog/itslive_names.rs"]
mod itslive_names;
#[path = "catalog/itslive_search.rs"]
mod itslive_search;
#[path = "catalog/join.rs"]
mod join;
#[path = "catalog/pgstac/mod.rs"]
mod pgstac;
#[path = "catalog/ranged.rs"]
mod ranged;
#[path = "catalog/replay.rs"]
mod replay;
#[path = "catalog/script.rs"]
mod script;
#[path = "catalog/stac.rs"]
mod stac;
#[path = "catalog/standin.rs"]
mod standin;
#[path = "catalog/transfer.rs"]
mod transfer;
#[path = "catalog/transfer_faults.rs"]
mod transfer_faults;
#[path = "catalog/transfer_killed.rs"]
mod transfer_killed;
#[path = "catalog/zarr.rs"]
mod zarr;
