//! Tables from and to CSV text.

mod blocks;
mod growing;
mod read;
mod records;
mod write;

use super::ColumnType;
use crate::error::{Error, Result};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct CsvOptions {
    /// The character between cells. None when reading: of comma, semicolon, tab and `|` the one that is most frequent
    /// in the first line (comma when there is none). None when writing: tab for `.tsv` and `.tab`, else comma.
    pub delimiter: Option<char>,
    /// Further texts that stand for a missing value when reading, such as `NA` or `-9999`. Empty cells are missing anyway,
    /// and `NaN` in a column of numbers.
    pub missing: Vec<String>,
    /// Columns whose type is not to be inferred.
    pub types: Vec<(String, ColumnType)>,
    /// The columns to read, in this order. None for all.
    pub columns: Option<Vec<String>>,
}

fn delimiter_byte(delimiter: char) -> Result<u8> {
    u8::try_from(delimiter)
        .ok()
        .filter(|d| d.is_ascii() && !matches!(d, b'"' | b'\n' | b'\r'))
        .ok_or_else(|| {
            Error::argument(
                "delimiter",
                "one ASCII character other than a quote or a line end",
                format!("`{delimiter}`"),
            )
        })
}
