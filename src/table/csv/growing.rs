//! Columns of CSV text while it is read, and what is known of their types.

use crate::table::Column;
use crate::table::builder::Builder;
use crate::table::cell::{is_code, narrowest};
use crate::table::kind::ColumnType;
use crate::work::{self, Held};

/// What to make of a column's cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    Skip,
    /// Said by the reader: another cell is an error.
    Given(ColumnType),
    /// That of the cells so far; None while none is present. Another cell makes the type wider.
    Guess(Option<ColumnType>),
    /// The cells so far are of several types, of which this is the common one; they are looked at and read later.
    Wider(ColumnType),
    /// What `Wider` found, when all is read again.
    Sure(ColumnType),
}

/// A column's cells in one piece of the text.
#[derive(Debug)]
pub(super) struct Cells {
    plan: Plan,
    /// None while all cells are missing, or where the type is `Wider`.
    builder: Option<Builder>,
    missing: usize,
}

/// What they became.
#[derive(Debug)]
pub(super) enum Piece {
    Skipped,
    Missing,
    Read(Column),
    Wider(ColumnType),
}

#[derive(Debug)]
pub(super) struct Part {
    pub rows: usize,
    pub columns: Vec<Piece>,
}

impl Cells {
    pub fn new(plan: Plan) -> Cells {
        let builder = match plan {
            Plan::Given(kind) | Plan::Sure(kind) | Plan::Guess(Some(kind)) => Some(Builder::new(kind)),
            Plan::Skip | Plan::Guess(None) | Plan::Wider(_) => None,
        };
        Cells {
            plan,
            builder,
            missing: 0,
        }
    }

    #[inline]
    pub fn is_skipped(&self) -> bool {
        self.plan == Plan::Skip
    }

    /// # Errors
    /// The type that the cell cannot be read as; None where that cannot be, unless the file has changed.
    #[inline]
    pub fn add(&mut self, cell: Option<&str>) -> Result<(), Option<ColumnType>> {
        let Some(cell) = cell else {
            match &mut self.builder {
                Some(builder) => builder.push_null(1),
                None => self.missing += 1,
            }
            return Ok(());
        };
        let code = matches!(self.plan, Plan::Guess(Some(kind)) if kind.is_numeric()) && is_code(cell);
        let read = !code && self.builder.as_mut().is_some_and(|builder| builder.parse(cell));
        if read { Ok(()) } else { self.other(cell) }
    }

    /// A cell that is no more of what came before.
    #[cold]
    fn other(&mut self, cell: &str) -> Result<(), Option<ColumnType>> {
        match self.plan {
            Plan::Skip => {}
            Plan::Given(kind) => return Err(Some(kind)),
            Plan::Sure(_) => return Err(None),
            Plan::Guess(None) => {
                let kind = narrowest(cell);
                let mut builder = Builder::new(kind);
                builder.push_null(self.missing);
                let held = builder.parse(cell);
                self.plan = Plan::Guess(Some(kind));
                self.builder = Some(builder);
                if !held {
                    return self.other(cell);
                }
            }
            Plan::Guess(Some(kind)) => {
                // Of times that no unit holds together only their texts are exact.
                let common = match (kind, narrowest(cell)) {
                    (ColumnType::Time, ColumnType::Time) => ColumnType::Text,
                    (kind, this) => kind.common(this),
                };
                self.plan = Plan::Wider(common);
                self.builder = None;
            }
            Plan::Wider(ColumnType::Text) => {}
            Plan::Wider(kind) => self.plan = Plan::Wider(kind.common(narrowest(cell))),
        }
        Ok(())
    }

    pub fn finish(self) -> Piece {
        match (self.plan, self.builder) {
            (Plan::Skip, _) => Piece::Skipped,
            (Plan::Wider(kind), _) => Piece::Wider(kind),
            (_, Some(builder)) => Piece::Read(builder.finish()),
            (_, None) => Piece::Missing,
        }
    }
}

/// A column of the pieces so far.
#[derive(Debug)]
pub(super) struct Growing {
    pub plan: Plan,
    builder: Option<Builder>,
    /// What it takes of the ledger of memory.
    held: Vec<Held>,
    bytes: usize,
}

impl Growing {
    pub fn new(plan: Plan) -> Growing {
        Growing {
            plan,
            builder: None,
            held: Vec::new(),
            bytes: 0,
        }
    }

    pub fn is_wanted(&self) -> bool {
        self.plan != Plan::Skip
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends a piece of so many rows after `before` others, of `expected` in all; false where the ledger has no room.
    pub fn add(&mut self, piece: Piece, before: usize, rows: usize, expected: usize) -> bool {
        match (piece, self.plan) {
            (Piece::Skipped, _) | (_, Plan::Skip) => {}
            (Piece::Missing, _) => {
                if let Some(builder) = &mut self.builder {
                    builder.push_null(rows);
                }
            }
            (Piece::Wider(kind), Plan::Guess(None)) => self.widen(kind),
            (Piece::Wider(kind), Plan::Guess(Some(old)) | Plan::Wider(old)) => self.widen(kind.common(old)),
            (Piece::Wider(_), _) => {}
            (Piece::Read(column), Plan::Wider(old)) => self.widen(old.common(column.kind())),
            (Piece::Read(column), Plan::Guess(Some(old))) if old != column.kind() && column.present() > 0 => {
                self.widen(old.common(column.kind()));
            }
            (Piece::Read(column), _) => return self.append(&column, before, expected),
        }
        true
    }

    fn append(&mut self, column: &Column, before: usize, expected: usize) -> bool {
        let bytes = column.bytes();
        let Some(held) = Held::within(bytes, work::memory()) else {
            self.bytes += bytes;
            return false;
        };
        self.held.push(held);
        self.bytes += bytes;
        if self.plan == Plan::Guess(None) {
            self.plan = Plan::Guess(Some(column.kind()));
        }
        let builder = self.builder.get_or_insert_with(|| {
            let mut builder = Builder::with_capacity(column.kind(), expected);
            builder.push_null(before);
            builder
        });
        if !builder.append(column) {
            self.widen(ColumnType::Text);
        }
        true
    }

    fn widen(&mut self, kind: ColumnType) {
        *self = Growing::new(Plan::Wider(kind));
    }

    /// What to read when all is read again.
    pub fn once_more(&self) -> Plan {
        match self.plan {
            Plan::Wider(kind) => Plan::Sure(kind),
            _ => Plan::Skip,
        }
    }

    /// The column of so many rows; None where it was not read.
    pub fn finish(self, rows: usize) -> Option<Column> {
        let kind = match self.plan {
            Plan::Skip | Plan::Wider(_) => return None,
            Plan::Given(kind) | Plan::Sure(kind) => kind,
            Plan::Guess(kind) => kind.unwrap_or(ColumnType::Float),
        };
        let column = self.builder.map_or_else(
            || {
                let mut missing = Builder::new(kind);
                missing.push_null(rows);
                missing.finish()
            },
            Builder::finish,
        );
        Some(column.entered())
    }
}
