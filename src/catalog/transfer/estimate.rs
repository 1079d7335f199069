//! What a download would bring and cost, without fetching it.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::report::{Report, Row, Status};
use super::run::DownloadOptions;
use super::source::Sources;
use super::wanted::Job;
use crate::bytes::http::redacted;
use crate::error::{Error, Result, free_space};

/// What AWS asks for bytes that leave it, in US dollars for 10^9 bytes (the first 10 TB of a month, from us-west-2 to the
/// internet; within the region they are free). An assumption that the user may replace.
pub const USD_PER_GB: f64 = 0.09;

#[derive(Debug, Clone)]
pub struct Estimate {
    pub report: Report,
    /// Bytes that would be fetched, as far as sizes are known, and the number of files whose size is not.
    pub bytes: u64,
    pub unknown: usize,
    /// Bytes of these for which the user pays, and what they would cost.
    pub paid_bytes: u64,
    pub cost_usd: f64,
    /// Free on the disk; `None` where the system does not say.
    pub free: Option<u64>,
}

/// Asks the servers for the sizes that nobody has published and looks for what is there. Nothing is written.
///
/// # Errors
/// When an address cannot be fetched from at all. What a server answers is in the report.
pub async fn estimate(
    sources: Sources,
    jobs: Vec<Job>,
    options: &DownloadOptions,
    usd_per_gb: f64,
) -> Result<Estimate> {
    let started = std::time::Instant::now();
    let slots = Arc::new(Semaphore::new(options.at_once.max(1)));
    let mut set = JoinSet::new();
    let (mut rows, mut pays) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
    for (index, job) in jobs.into_iter().enumerate() {
        let source = sources.of(&job.url)?.clone();
        let path = options.dir.join(&job.name);
        let there = std::fs::metadata(&path)
            .ok()
            .filter(std::fs::Metadata::is_file)
            .map(|meta| meta.len());
        pays.push(job.requester_pays);
        rows.push(Row {
            name: job.name.clone(),
            path,
            url: redacted(&job.url),
            bytes: job.size,
            received: 0,
            status: Status::Planned,
            verified: false,
            how: String::new(),
            error: None,
        });
        let (signer, slots) = (sources.signer.clone(), slots.clone());
        set.spawn(async move {
            let _slot = slots.acquire_owned().await;
            let size = match job.size {
                Some(size) => Ok(Some(size)),
                None => match &signer {
                    Some(signer) => match signer.sign(&job.url, false).await {
                        Ok(url) => source.probe(&url).await,
                        Err(failure) => Err(failure),
                    },
                    None => source.probe(&job.url).await,
                },
            };
            (index, there, size)
        });
    }
    while let Some(ended) = set.join_next().await {
        let (index, there, size) = ended.map_err(|e| Error::message(e.to_string()))?;
        let row = &mut rows[index];
        match size {
            Ok(size) => {
                row.bytes = size;
                if !options.overwrite && there.is_some() && there == size {
                    (row.status, row.how) = (Status::Present, "size".into());
                }
            }
            Err(failure) => (row.status, row.error) = (Status::Failed, Some(failure.to_string())),
        }
    }
    let planned = |row: &&Row| row.status == Status::Planned;
    let bytes = rows.iter().filter(planned).filter_map(|row| row.bytes).sum();
    let unknown = rows
        .iter()
        .filter(planned)
        .filter(|row| row.bytes.is_none())
        .count();
    let paid_bytes = rows
        .iter()
        .zip(&pays)
        .filter(|(row, pays)| planned(row) && **pays)
        .filter_map(|(row, _)| row.bytes)
        .sum();
    let folder = options
        .dir
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(std::path::Path::new("."));
    Ok(Estimate {
        bytes,
        unknown,
        paid_bytes,
        cost_usd: paid_bytes as f64 / 1e9 * usd_per_gb,
        free: free_space(folder),
        report: Report {
            rows,
            seconds: started.elapsed().as_secs_f64(),
        },
    })
}
