//! What tables hold, in the ledger of memory: Arrow's buffers keep their entries, so that those which several columns share count once.

use arrow_buffer::{MemoryPool, MemoryReservation};

use crate::error::{Error, counted};
use crate::work::{self, Held};

/// The ledger of the context in which a table is made.
#[derive(Debug)]
pub(super) struct Ledger;

impl MemoryPool for Ledger {
    fn reserve(&self, size: usize) -> Box<dyn MemoryReservation> {
        Box::new(Entry {
            size,
            _held: Held::hold(size),
        })
    }

    fn available(&self) -> isize {
        isize::try_from(work::budget::left()).unwrap_or(isize::MAX)
    }

    fn used(&self) -> usize {
        work::current().budget().held()
    }

    fn capacity(&self) -> usize {
        work::memory()
    }
}

#[derive(Debug)]
struct Entry {
    size: usize,
    _held: Held,
}

impl MemoryReservation for Entry {
    fn size(&self) -> usize {
        self.size
    }

    fn resize(&mut self, size: usize) {
        *self = Entry {
            size,
            _held: Held::hold(size),
        };
    }
}

/// No room is left for a table of about so many rows, columns and bytes.
pub(super) fn no_room(rows: usize, columns: usize, bytes: usize) -> Error {
    let (rows, columns) = (counted(rows, "row"), counted(columns, "column"));
    let limit = work::memory();
    let beside = if bytes > limit {
        ""
    } else {
        ", beside what is held already,"
    };
    Error::Memory {
        what: format!("a table of about {rows} and {columns}{beside}"),
        needed_mib: (bytes.max(limit) >> 20) as u64 + 1,
        limit_mib: (limit >> 20) as u64,
        way_out: "read only the columns that are needed, let go of other tables and arrays, or raise the limit with --memory".into(),
    }
}
