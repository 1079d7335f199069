//! What work is given and what it tells: a [`Context`] of threads, memory, stop, progress, output and provenance; the ledger of memory; the threads.
//!
//! A run takes the context of the thread that it begins on, and hands it to its workers. So two runs with other ceilings, other stops and
//! other listeners go on side by side in one process, and nothing needs a global setting.

pub mod budget;
mod context;
pub mod decoded;
mod display;
mod ledger;
pub mod markup;
mod messages;
mod output;
mod progress;
pub mod provenance;
mod recorder;
mod rehearsal;
mod resumption;
mod room;
mod traffic;
pub mod workers;

pub use budget::{Budget, Held};
pub use context::{
    Context, Entered, cores, current, memory, output, physical_memory, progress, rehearsal, resumption,
    set_provenance, threads,
};
pub use decoded::Decoded;
pub use display::{Bundle, Display, Form};
pub use messages::{tell, warn, warn_once};
pub use output::{Output, Stream, write_to_process};
pub use progress::{Progress, SideBySide};
pub use recorder::{Record, Recorder};
pub use rehearsal::{PlannedStep, Rehearsal};
pub use resumption::Resumption;
pub use room::Room;
pub use traffic::{count_bytes, count_request, traffic};
