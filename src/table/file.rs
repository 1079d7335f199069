//! Files of tables, whatever their format.

use std::path::Path;

use super::{CsvOptions, Table};
use crate::error::{Error, Result};

impl Table {
    /// Reads a file of CSV or Parquet, told by how it begins.
    ///
    /// # Errors
    /// Those of `read_csv` and `read_parquet`; options of CSV for a file of Parquet.
    pub fn read(path: &Path, options: &CsvOptions) -> Result<Table> {
        if !Table::is_parquet(path)? {
            return Table::read_csv(path, options);
        }
        let meant_for_csv = [
            ("delimiter", options.delimiter.is_some()),
            ("missing", !options.missing.is_empty()),
            ("types", !options.types.is_empty()),
        ];
        no_options_of_csv(path, &meant_for_csv)?;
        Table::read_parquet(path, options.columns.as_deref())
    }

    /// Writes a file in the format that its name ends with: `.csv`, `.tsv`, `.tab` or `.txt`, `.parquet` or `.pq`.
    ///
    /// # Errors
    /// Those of `write_csv` and `write_parquet`; another name.
    pub fn write(&self, path: &Path, options: &CsvOptions) -> Result<()> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("csv" | "tsv" | "tab" | "txt") => self.write_csv(path, options),
            Some("parquet" | "pq") => {
                no_options_of_csv(path, &[("delimiter", options.delimiter.is_some())])?;
                self.write_parquet(path)
            }
            _ => Err(Error::argument(
                "path",
                "a name that ends with .csv, .tsv, .tab, .txt, .parquet or .pq",
                format!("`{}`", path.display()),
            )),
        }
    }
}

fn no_options_of_csv(path: &Path, given: &[(&str, bool)]) -> Result<()> {
    match given.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(Error::file(
            path,
            format!("is Parquet, where the option `{name}` means nothing"),
        )),
        None => Ok(()),
    }
}
