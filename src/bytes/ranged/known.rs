//! Files on servers that this process has met: opened again without asking for their size, and those that are not there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

use super::{Error, First, Remote, Way};
use crate::bytes::http::{Failure, Http};
use crate::bytes::s3::S3;
use crate::error::Result;

/// What is known of an address.
#[derive(Clone)]
pub enum Found {
    File(Arc<Remote<'static>>),
    /// The server has no such file, or does not show it to this user.
    Absent(Box<Failure>),
}

/// Who opens a file by itself, this long after its last byte came, gets what the server has by then.
const OLD: Duration = Duration::from_secs(60);
/// A file that was not there may be by then.
const SOON: Duration = Duration::from_secs(60);
/// Files that nobody reads any more and that are kept all the same.
const MOST: usize = 4096;

static KNOWN: Mutex<Option<HashMap<String, (Found, Instant)>>> = Mutex::new(None);
/// By buckets: which of the user's ways in has opened it.
static WAYS: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

/// What this process knows of an address already, without asking its server.
pub fn known(address: &Url) -> Option<Found> {
    earlier(address.as_ref(), false)
}

/// The file at an address of the web or of S3. `anew`: as the server has it now, also where it was not there a moment ago; else as it was when this
/// process opened it first.
///
/// # Errors
/// When the server cannot be asked, or does not serve parts of files; when a stop is asked for.
pub fn find(address: &Url, anew: bool) -> Result<Found> {
    let name = address.to_string();
    if let Some(found) = earlier(&name, anew) {
        return Ok(found);
    }
    let found = match open(Http::shared()?, address, First::Head) {
        Ok(remote) => match earlier(&name, false) {
            // What has come of it still holds.
            Some(Found::File(file)) if file.is_same(&remote) => {
                file.touch();
                return Ok(Found::File(file));
            }
            _ => Found::File(Arc::new(remote)),
        },
        Err(Error::Request(failure)) if matches!(failure.status(), Some(401 | 403 | 404 | 410)) => {
            Found::Absent(Box::new(failure))
        }
        Err(other) => return Err(other.into()),
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if known.len() >= MOST {
        known.retain(|_, (found, _)| matches!(found, Found::File(file) if Arc::strong_count(file) > 1));
    }
    known.insert(name, (found.clone(), Instant::now()));
    Ok(found)
}

fn earlier(name: &str, anew: bool) -> Option<Found> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let (found, since) = known.as_ref()?.get(name)?;
    let holds = match found {
        Found::File(file) => !anew || file.age() < OLD,
        Found::Absent(_) => !anew && since.elapsed() < SOON,
    };
    holds.then(|| found.clone())
}

/// A range of this file has failed: who opens it next asks the server whether it is still the same.
pub(super) fn doubt(number: u64) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it = |found: &Found| matches!(found, Found::File(file) if file.number == number);
    let doubted = known.as_mut().map(|known| {
        let names: Vec<String> = known
            .iter()
            .filter(|(_, (found, _))| is_it(found))
            .map(|(name, _)| name.clone())
            .collect();
        names
            .iter()
            .filter_map(|name| known.remove(name))
            .collect::<Vec<_>>()
    });
    drop(known);
    // Its blocks go with it, outside the lock.
    drop(doubted);
}

/// Opens the file at an address of the web or of S3 in the first of the user's ways that is let in.
///
/// # Errors
/// As [`Remote::open`].
pub fn open<'a>(http: &'a Http, address: &Url, first: First) -> Result<Remote<'a>, Error> {
    if address.scheme() != "s3" {
        return Remote::open(http, Way::Web, address, first);
    }
    let bucket = address.host_str().unwrap_or("").to_string();
    let ways = S3::ways_of_user()?;
    let lock = || WAYS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = lock().as_ref().and_then(|ways| ways.get(&bucket).copied());
    let last = ways.len().saturating_sub(1);
    let mut refused = None;
    for (number, way) in ways.into_iter().enumerate().skip(known.unwrap_or(0).min(last)) {
        match Remote::open(http, Way::Bucket(Arc::new(way)), address, first) {
            Ok(remote) => {
                lock().get_or_insert_default().insert(bucket, number);
                return Ok(remote);
            }
            Err(Error::Request(failure)) if number < last && matches!(failure.status(), Some(401 | 403)) => {
                refused = Some(failure);
            }
            Err(other) => return Err(other),
        }
    }
    Err(refused.map_or_else(
        || Error::Other(crate::error::Error::message("no way to ask buckets is known")),
        Error::Request,
    ))
}
