//! Tables of named, typed columns.
