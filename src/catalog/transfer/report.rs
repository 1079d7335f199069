//! What a download has brought.

use std::path::PathBuf;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Fetched,
    /// It was there already.
    Present,
    Failed,
    /// In a dry run: it would be fetched.
    Planned,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Fetched => "fetched",
            Status::Present => "present",
            Status::Failed => "failed",
            Status::Planned => "planned",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Row {
    /// Below the folder.
    pub name: String,
    pub path: PathBuf,
    /// Without its secrets.
    pub url: String,
    /// The size of the file; in a dry run, where it is known.
    pub bytes: Option<u64>,
    /// Bytes that came over the network in this run.
    pub received: u64,
    pub status: Status,
    /// True where a published checksum was compared.
    pub verified: bool,
    /// By what: `MD5 of the catalogue`, `size and format (TIFF)`, …
    pub how: String,
    pub error: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Report {
    pub rows: Vec<Row>,
    pub seconds: f64,
}

/// Failures that an error lists in full.
const LISTED: usize = 20;

impl Report {
    pub fn received(&self) -> u64 {
        self.rows.iter().map(|row| row.received).sum()
    }

    /// The sum of the sizes that are known.
    pub fn bytes(&self) -> u64 {
        self.rows.iter().filter_map(|row| row.bytes).sum()
    }

    pub fn count(&self, status: Status) -> usize {
        self.rows.iter().filter(|row| row.status == status).count()
    }

    /// The report, if no file has failed.
    ///
    /// # Errors
    /// One error that lists every file that failed and why.
    pub fn whole(self) -> Result<Report> {
        let failed: Vec<&Row> = self
            .rows
            .iter()
            .filter(|row| row.status == Status::Failed)
            .collect();
        if failed.is_empty() {
            return Ok(self);
        }
        let mut text = format!(
            "{} of {} files could not be fetched; the others are complete, and what has arrived of these is kept: run the same again to go on",
            failed.len(),
            self.rows.len()
        );
        for row in failed.iter().take(LISTED) {
            text.push_str(&format!(
                "\n  {}: {}",
                row.name,
                row.error.as_deref().unwrap_or("")
            ));
        }
        if failed.len() > LISTED {
            text.push_str(&format!("\n  and {} more", failed.len() - LISTED));
        }
        Err(Error::message(text))
    }
}
