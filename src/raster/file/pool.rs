//! Open datasets, lent to one thread at a time. GDAL datasets may move between threads but not be shared.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use serde::{Deserialize, Serialize};

use super::floating::Blocks;
use super::hdf5_read::StoredImage;
use super::layout::{self, Layout};
use super::plain::Plain;
use super::probe::{Use, try_out};
use super::remote::{drivers_for, reach, why};
use super::truncated::{container_of, with_reason};
use super::{arrays, initialise, message_of, quieten_hdf5};
use crate::bytes;
use crate::bytes::stamp::Stamp;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::raster::describe::Site;
use crate::raster::tiling::KEPT_OPEN;

static POOL: Mutex<VecDeque<Idle>> = Mutex::new(VecDeque::new());
/// A dataset was given back.
static GIVEN_BACK: Condvar = Condvar::new();

fn pool() -> MutexGuard<'static, VecDeque<Idle>> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Idle {
    /// Of the source.
    id: u64,
    container: String,
    stamp: Option<Stamp>,
    dataset: Dataset,
}

/// Bytes, and the version that the server states, of a file on one.
pub type Served = (u64, Option<String>);

/// Of the file that GDAL opens by a name; None for what is no file of the system.
fn stamp_of(container: &str) -> Option<Stamp> {
    Stamp::of(Path::new(container)).ok()
}

/// Whether a file holds what it held; one that is gone does while it is open.
fn is_what_it_was(then: Option<&Stamp>, now: Option<&Stamp>) -> bool {
    match (then, now) {
        (Some(then), Some(now)) => now.holds_the_same(then),
        (then, now) => then.is_none() && now.is_none(),
    }
}

/// Closes idle datasets of a file that has changed since, before it is opened again: netCDF's library finds an open file by its name, and
/// would hand on what stood there before.
pub fn close_changed(name: &str) {
    let container = container_of(name);
    let now = stamp_of(container);
    let mut pool = pool();
    let (kept, changed) = std::mem::take(&mut *pool)
        .into_iter()
        .partition(|idle| idle.container != container || is_what_it_was(idle.stamp.as_ref(), now.as_ref()));
    *pool = kept;
    drop(pool);
    // Closed outside the lock: closing can take long.
    drop::<VecDeque<Idle>>(changed);
    arrays::close_changed(container);
}

/// A file as it was when it was opened.
pub struct SourceFile {
    id: u64,
    /// What the user called it.
    pub path: String,
    /// What GDAL calls it.
    pub name: String,
    /// Where the image is a view of an array of `name`.
    pub layout: Option<Layout>,
    pub rows: usize,
    pub cols: usize,
    /// When it was opened.
    stamp: Option<Stamp>,
    served: Option<Served>,
    lending: Mutex<Lending>,
    /// Where they are such as we decode ourselves; found out with the first that is read.
    pub(super) blocks: OnceLock<Option<Blocks>>,
    pub(super) plain: OnceLock<Option<Plain>>,
    /// Where its pixels are read without GDAL, which then is not kept open.
    pub(super) stored: OnceLock<StoredImage>,
}

/// How the datasets of a file are lent.
struct Lending {
    /// How many are.
    out: usize,
    /// How long it took to open one.
    opening: Duration,
    /// How long threads have waited for one since.
    waited: Duration,
}

impl SourceFile {
    /// Opens `name` and keeps the dataset for the first reader.
    ///
    /// # Errors
    /// When GDAL cannot open it, or its library crashes on it.
    pub(super) fn open(path: &str, name: &str) -> Result<(Arc<SourceFile>, Lent)> {
        SourceFile::laid_out(path, name, None)
    }

    /// Opens the array of `name` that `layout` is of, as it says.
    ///
    /// # Errors
    /// As `open`; a layout that does not fit the array.
    pub(super) fn laid_out(
        path: &str,
        name: &str,
        layout: Option<Layout>,
    ) -> Result<(Arc<SourceFile>, Lent)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let stamp = stamp_of(container_of(name));
        initialise();
        let start = Instant::now();
        let dataset = open_dataset(path, name, layout.as_ref())?;
        let opening = start.elapsed();
        // What has been opened is known, and asks nobody.
        let served = bytes::served(container_of(name));
        let (cols, rows) = dataset.raster_size();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let file = Arc::new(SourceFile {
            id,
            path: path.to_string(),
            name: name.to_string(),
            layout,
            rows,
            cols,
            stamp,
            served,
            lending: Mutex::new(Lending {
                out: 1,
                opening,
                waited: Duration::ZERO,
            }),
            blocks: OnceLock::new(),
            plain: OnceLock::new(),
            stored: OnceLock::new(),
        });
        let lent = Lent {
            file: file.clone(),
            dataset: Some(dataset),
            sound: true,
        };
        Ok((file, lent))
    }

    /// Bytes of the file when it was opened, and whether it lies on a server; None where nobody says.
    pub fn size(&self) -> (Option<u64>, bool) {
        let here = self.stamp.as_ref().map(Stamp::bytes);
        let there = self.served.as_ref().map(|(size, _)| *size);
        (here.or(there), there.is_some())
    }

    /// A number that no other open file has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether a dataset is kept open for the next reader.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        pool().iter().any(|idle| idle.id == self.id)
    }

    fn changed(&self) -> Error {
        Error::file(
            &self.path,
            "the file has changed on disk since it was opened; open it again",
        )
    }

    /// # Errors
    /// When the file is another than it was when it was opened.
    pub fn check(&self) -> Result<()> {
        let now = stamp_of(container_of(&self.name));
        match now.is_none() || is_what_it_was(self.stamp.as_ref(), now.as_ref()) {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }

    fn lending(&self) -> MutexGuard<'_, Lending> {
        self.lending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle dataset, now or soon; None where another is to be opened. Either counts as lent. The file is opened another time only when its threads have waited for one another as long as that takes:
    /// so neither costs more than twice what it must, and a few windows are read without a file open for each thread.
    fn idle(&self) -> Result<Option<Dataset>> {
        const AT_ONCE: Duration = Duration::from_millis(50);
        let mut pool = pool();
        loop {
            let found = pool.iter().position(|idle| idle.id == self.id);
            let idle = found.and_then(|i| pool.remove(i)).map(|idle| idle.dataset);
            let mut lending = self.lending();
            let patience = lending.opening.saturating_sub(lending.waited);
            if idle.is_some() || lending.out == 0 || patience.is_zero() {
                lending.out += 1;
                return Ok(idle);
            }
            drop(lending);
            let start = Instant::now();
            let waited = GIVEN_BACK.wait_timeout(pool, patience.min(AT_ONCE));
            pool = waited.unwrap_or_else(PoisonError::into_inner).0;
            self.lending().waited += start.elapsed();
            interrupt::check()?;
        }
    }

    /// A dataset for this thread alone, given back when it is dropped.
    ///
    /// # Errors
    /// When the file is another than it was when it was opened; `Interrupted`.
    pub fn lend(self: &Arc<SourceFile>) -> Result<Lent> {
        quieten_hdf5();
        self.check()?;
        let mut lent = Lent {
            dataset: self.idle()?,
            file: self.clone(),
            sound: true,
        };
        if lent.dataset.is_none() {
            let start = Instant::now();
            let dataset = open_dataset(&self.path, &self.name, self.layout.as_ref())?;
            if dataset.raster_size() != (self.cols, self.rows) {
                return Err(self.changed());
            }
            let mut lending = self.lending();
            (lending.opening, lending.waited) = (start.elapsed(), Duration::ZERO);
            drop(lending);
            lent.dataset = Some(dataset);
        }
        Ok(lent)
    }
}

impl Drop for SourceFile {
    fn drop(&mut self) {
        pool().retain(|idle| idle.id != self.id);
    }
}

fn open_dataset(path: &str, name: &str, layout: Option<&Layout>) -> Result<Dataset> {
    initialise();
    quieten_hdf5();
    close_changed(name);
    if let Some(Layout::View(view)) = layout {
        return layout::open(path, name, view);
    }
    let drivers = drivers_for(name);
    let options = DatasetOptions {
        allowed_drivers: drivers.as_deref(),
        open_flags: GdalOpenFlags::GDAL_OF_RASTER
            | GdalOpenFlags::GDAL_OF_READONLY
            | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR,
        // GDAL takes every valid range for one of stored numbers; `Encoding` tells them apart. `@`: other drivers do not know it.
        open_options: Some(&["@HONOUR_VALID_RANGE=NO"]),
        ..Default::default()
    };
    reach(name)?;
    try_out(name, Use::Image)?;
    bytes::forget_refusals();
    let opened = layout::as_stored(layout, || Dataset::open_ex(name, options));
    if let (Ok(_), Some(broken)) = (&opened, bytes::broken()) {
        return Err(broken);
    }
    opened.map_err(|e| {
        if let Some(reason) = why(name) {
            return reason;
        }
        let text = message_of(&e);
        // GDAL starts many messages with the name that we put in front already.
        let text = text
            .trim_start_matches('`')
            .trim_start_matches(name)
            .trim_start_matches(['\'', ':', ',', ' ']);
        with_reason(path, || format!("cannot be opened as an image: {text}"))
    })
}

/// A file and its state, as data.
#[derive(Serialize, Deserialize)]
pub struct Stated {
    /// What the user called it, and what GDAL does.
    path: String,
    name: String,
    /// Bytes, and nanoseconds since 1970; none for what is no file of the system.
    size: Option<u64>,
    modified: Option<i64>,
    /// What a server states of its file: an entity tag, or the time of the last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    layout: Option<Layout>,
}

impl Stated {
    pub fn of(file: &SourceFile) -> Stated {
        Stated {
            path: file.path.clone(),
            name: file.name.clone(),
            size: file.size().0,
            modified: file.stamp.as_ref().map(Stamp::modified),
            version: file.served.as_ref().and_then(|(_, version)| version.clone()),
            layout: file.layout.clone(),
        }
    }

    /// Opens the file again.
    ///
    /// # Errors
    /// What must not be read there, is gone, or has changed.
    pub fn open(self, site: &Site) -> Result<(Arc<SourceFile>, Lent)> {
        let name = (site.file)(&self.name)?;
        let (file, lent) = SourceFile::laid_out(&self.path, &name, self.layout)?;
        let now = Stated::of(&file);
        match (now.size, now.modified, now.version) == (self.size, self.modified, self.version) {
            true => Ok((file, lent)),
            false => Err(changed_since_described(&self.path)),
        }
    }
}

pub fn changed_since_described(path: &str) -> Error {
    Error::file(
        path,
        "the file has changed since the graph was described; open it again",
    )
}

pub struct Lent {
    file: Arc<SourceFile>,
    dataset: Option<Dataset>,
    sound: bool,
}

impl Lent {
    /// # Errors
    /// When it was given back.
    pub(super) fn dataset(&self) -> Result<&Dataset> {
        self.dataset
            .as_ref()
            .ok_or_else(|| Error::file(&self.file.path, "the dataset was given back"))
    }

    /// After an error the dataset is closed rather than lent again.
    pub fn discard(&mut self) {
        self.sound = false;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let evicted = {
            let mut pool = pool();
            self.file.lending().out -= 1;
            // What is closed is closed outside the lock: that can take long.
            let closed = self
                .dataset
                .take_if(|_| !self.sound || self.file.stored.get().is_some());
            if let Some(dataset) = self.dataset.take() {
                pool.push_front(Idle {
                    id: self.file.id,
                    container: container_of(&self.file.name).to_string(),
                    stamp: self.file.stamp.clone(),
                    dataset,
                });
            }
            let last = match pool.len() > KEPT_OPEN {
                true => pool.pop_back(),
                false => None,
            };
            (closed, last)
        };
        // One that does not come back is told too: who waits for it opens another.
        GIVEN_BACK.notify_all();
        drop(evicted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threads take turns while opening costs more than waiting did, and no longer.
    #[test]
    fn a_file_is_opened_again_when_waiting_has_cost_as_much() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif").to_string_lossy().into_owned();
        initialise();
        let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
        drop(driver.create_with_band_type::<f32, _>(&path, 4, 3, 1).unwrap());
        let (file, first) = SourceFile::open(&path, &path).unwrap();
        let address = |lent: &Lent| lent.dataset().unwrap().c_dataset() as usize;
        let one = address(&first);
        file.lending().opening = Duration::from_secs(100);
        let (file, first) = (&file, Mutex::new(Some(first)));
        std::thread::scope(|scope| {
            let second = scope.spawn(|| address(&file.lend().unwrap()));
            while file.lending().waited.is_zero() && !second.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
            first.lock().unwrap().take();
            assert_eq!(second.join().unwrap(), one);
        });
        let first = file.lend().unwrap();
        assert_eq!(address(&first), one);
        let waited = file.lending().waited;
        file.lending().opening = waited;
        let second = file.lend().unwrap();
        assert_ne!(address(&second), one);
        assert!(file.lending().waited.is_zero());
        assert_eq!(file.lending().out, 2);
        drop((first, second));
        assert_eq!(file.lending().out, 0);
    }
}
