//! Files from archives, complete or not at all.
//!
//! A download is planned first (`wanted`: names, collisions, sizes, checksums), then fetched side by side (`run`: queue,
//! workers; `fetch`: one file) from whatever store holds it (`source`; `web` is HTTP). Bytes go through `part` to a file in
//! `.perilune` of the target folder, and the `ledger` there records what is on the disk, so that a run that is killed at
//! any moment goes on where it was. A file gets its name once it is checked (`checksum`, `format`) and synced.

mod bucket;
mod checksum;
mod coding;
mod estimate;
mod fetch;
mod format;
pub(crate) mod ledger;
mod names;
mod part;
mod progress;
mod report;
mod run;
mod settle;
mod source;
mod wanted;
mod web;

pub use bucket::Buckets;
pub use checksum::{Algorithm, Checksum};
pub use estimate::{Estimate, USD_PER_GB, estimate};
pub use names::{of_url as name_of_url, safe as safe_name};
pub use progress::{Event, Meter, Observer, Silent};
pub use report::{Report, Row, Status};
pub use run::{DownloadOptions, download};
pub use source::{Answer, Body, Chunks, Later, Opened, Signer, Source, Sources, Validator};
pub use wanted::{Assets, Job, Wanted, of_items, parse_address, plan};
pub use web::Web;
