//! How files were made: notes of a run, and the records that files carry.

mod keeper;
mod notes;

pub use keeper::{Note, Provenance, RECORD, TAGS};
pub use notes::{is_kept, note, record, tags, write_beside};
