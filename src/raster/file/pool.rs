//! Open datasets, lent to one thread at a time. GDAL datasets may move between threads but not be shared.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::UNIX_EPOCH;

use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use serde::{Deserialize, Serialize};

use super::floating::Blocks;
use super::layout::{self, Layout};
use super::probe::{Use, try_out};
use super::remote::{drivers_for, reach, why};
use super::truncated::{container_of, with_reason};
use super::{arrays, initialise, message_of, quieten_hdf5};
use crate::bytes;
use crate::error::{Error, Result};
use crate::raster::describe::Site;
use crate::raster::tiling::KEPT_OPEN;

static POOL: Mutex<VecDeque<Idle>> = Mutex::new(VecDeque::new());

struct Idle {
    /// Of the source.
    id: u64,
    container: String,
    state: Option<State>,
    dataset: Dataset,
}

/// Bytes, and the time of the last change in nanoseconds since 1970.
pub type State = (u64, i64);

/// Bytes, and the version that the server states, of a file on one.
pub type Served = (u64, Option<String>);

/// The state of the file that GDAL opens by a name; None for what is no file of the system.
fn state_of(container: &str) -> Option<State> {
    let state = std::fs::metadata(container).ok()?;
    let since = state.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((state.len(), i64::try_from(since.as_nanos()).ok()?))
}

/// Closes idle datasets of a file that has changed since, before it is opened again: netCDF's library finds an open file by its name, and
/// would hand on what stood there before.
pub fn close_changed(name: &str) {
    let container = container_of(name);
    let now = state_of(container);
    let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
    let (kept, changed) = std::mem::take(&mut *pool)
        .into_iter()
        .partition(|idle| idle.container != container || idle.state == now);
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
    state: Option<State>,
    served: Option<Served>,
    /// Where they are such as we decode ourselves; found out with the first that is read.
    pub(super) blocks: OnceLock<Option<Blocks>>,
}

impl SourceFile {
    /// Opens `name` and keeps the dataset for the first reader.
    pub fn open(path: &str, name: &str) -> Result<(Arc<SourceFile>, Lent)> {
        SourceFile::laid_out(path, name, None)
    }

    /// Opens the array of `name` that `layout` is of, as it says.
    pub fn laid_out(path: &str, name: &str, layout: Option<Layout>) -> Result<(Arc<SourceFile>, Lent)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let state = state_of(container_of(name));
        let dataset = open_dataset(path, name, layout.as_ref())?;
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
            state,
            served,
            blocks: OnceLock::new(),
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
        let here = self.state.map(|(size, _)| size);
        let there = self.served.as_ref().map(|(size, _)| *size);
        (here.or(there), there.is_some())
    }

    /// A number that no other open file has.
    pub fn id(&self) -> u64 {
        self.id
    }

    fn changed(&self) -> Error {
        Error::file(
            &self.path,
            "the file has changed on disk since it was opened; open it again",
        )
    }

    /// A dataset for this thread alone, given back when it is dropped.
    ///
    /// # Errors
    /// When the file is another than it was when it was opened.
    pub fn lend(self: &Arc<SourceFile>) -> Result<Lent> {
        quieten_hdf5();
        // One that is gone can be read while it is open.
        if state_of(container_of(&self.name)).is_some_and(|now| Some(now) != self.state) {
            return Err(self.changed());
        }
        let idle = {
            let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
            pool.iter()
                .position(|idle| idle.id == self.id)
                .and_then(|i| pool.remove(i))
        };
        let dataset = match idle {
            Some(idle) => idle.dataset,
            None => {
                let dataset = open_dataset(&self.path, &self.name, self.layout.as_ref())?;
                if dataset.raster_size() != (self.cols, self.rows) {
                    return Err(self.changed());
                }
                dataset
            }
        };
        Ok(Lent {
            file: self.clone(),
            dataset: Some(dataset),
            sound: true,
        })
    }
}

impl Drop for SourceFile {
    fn drop(&mut self) {
        let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
        pool.retain(|idle| idle.id != self.id);
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
            modified: file.state.map(|(_, modified)| modified),
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
    pub fn dataset(&self) -> Result<&Dataset> {
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
        let Some(dataset) = self.dataset.take() else {
            return;
        };
        if !self.sound {
            return;
        }
        let evicted = {
            let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
            pool.push_front(Idle {
                id: self.file.id,
                container: container_of(&self.file.name).to_string(),
                state: self.file.state,
                dataset,
            });
            if pool.len() > KEPT_OPEN {
                pool.pop_back()
            } else {
                None
            }
        };
        // Closed outside the lock: closing can take long.
        drop(evicted);
    }
}
