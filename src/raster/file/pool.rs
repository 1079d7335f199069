//! Open datasets, lent to one thread at a time. GDAL datasets may move between threads but not be shared.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use gdal::{Dataset, DatasetOptions, GdalOpenFlags};

use super::layout::{self, Layout};
use super::probe::{Use, try_out};
use super::remote::{drivers_for, reach, why};
use super::truncated::with_reason;
use super::{initialise, message_of, quieten_hdf5};
use crate::bytes;
use crate::error::{Error, Result};

/// Idle datasets kept open: enough for a long stack on many threads, far below the usual limit of 1024 open files.
const IDLE: usize = 192;

static POOL: Mutex<VecDeque<(u64, Dataset)>> = Mutex::new(VecDeque::new());

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
}

impl SourceFile {
    /// Opens `name` and keeps the dataset for the first reader.
    pub fn open(path: &str, name: &str) -> Result<(Arc<SourceFile>, Lent)> {
        SourceFile::laid_out(path, name, None)
    }

    /// Opens the array of `name` that `layout` is of, as it says.
    pub fn laid_out(path: &str, name: &str, layout: Option<Layout>) -> Result<(Arc<SourceFile>, Lent)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let dataset = open_dataset(path, name, layout.as_ref())?;
        let (cols, rows) = dataset.raster_size();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let file = Arc::new(SourceFile {
            id,
            path: path.to_string(),
            name: name.to_string(),
            layout,
            rows,
            cols,
        });
        let lent = Lent {
            file: file.clone(),
            dataset: Some(dataset),
            sound: true,
        };
        Ok((file, lent))
    }

    /// A dataset for this thread alone, given back when it is dropped.
    pub fn lend(self: &Arc<SourceFile>) -> Result<Lent> {
        quieten_hdf5();
        let idle = {
            let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
            pool.iter()
                .position(|(id, _)| *id == self.id)
                .and_then(|i| pool.remove(i))
        };
        let dataset = match idle {
            Some((_, dataset)) => dataset,
            None => {
                let dataset = open_dataset(&self.path, &self.name, self.layout.as_ref())?;
                if dataset.raster_size() != (self.cols, self.rows) {
                    return Err(Error::file(
                        &self.path,
                        "the file has changed on disk since it was opened; open it again",
                    ));
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
        pool.retain(|(id, _)| *id != self.id);
    }
}

fn open_dataset(path: &str, name: &str, layout: Option<&Layout>) -> Result<Dataset> {
    initialise();
    quieten_hdf5();
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
            pool.push_front((self.file.id, dataset));
            if pool.len() > IDLE { pool.pop_back() } else { None }
        };
        // Closed outside the lock: closing can take long.
        drop(evicted);
    }
}
