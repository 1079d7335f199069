//! Operations on the whole scene: run once before the tiles, kept in memory or in a scratch file, read by tiles.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ndarray::{Array2, s};

use super::operation::{Scene, SceneOperation};
use super::{Pixels, Window};
use crate::bounds::held::{self, Held};
use crate::error::{Error, Result};
use crate::{interrupt, scratch, settings};

pub struct SceneNode {
    pub operation: Arc<dyn SceneOperation>,
    kept: OnceLock<Kept>,
}

enum Kept {
    Memory(Array2<f32>, #[allow(dead_code)] Held),
    Scratch(Scratch),
}

/// Rows of f32 in a file that has no name any more: it vanishes with the process, however that ends.
struct Scratch {
    file: File,
    cols: usize,
    path: PathBuf,
}

impl SceneNode {
    pub fn new(operation: Arc<dyn SceneOperation>) -> SceneNode {
        SceneNode {
            operation,
            kept: OnceLock::new(),
        }
    }

    pub fn is_ready(&self) -> bool {
        self.kept.get().is_some()
    }

    /// Runs the operation. `strip` evaluates rows of the input. The result goes to a scratch file where it, or all that is kept with it,
    /// would take too much of the ceiling.
    pub fn prepare(
        &self,
        (rows, cols): (usize, usize),
        strip_rows: usize,
        strip: &mut dyn FnMut(Window) -> Result<Array2<f32>>,
    ) -> Result<()> {
        if self.is_ready() {
            return Ok(());
        }
        let bytes = rows * cols * size_of::<f32>();
        let memory = settings::memory();
        let small = Some(bytes).filter(|bytes| *bytes <= memory / 4);
        let target = match small.and_then(|bytes| Held::within(bytes, memory / 2)) {
            Some(held) => Kept::Memory(Array2::from_elem((rows, cols), f32::NAN), held),
            None => Kept::Scratch(Scratch::new(rows, cols)?),
        };
        // The input is computed in what is left beside it.
        let work_memory = held::left() / 2;
        let _working = Held::hold(work_memory);
        let mut run = Run {
            rows,
            cols,
            strip_rows,
            strip,
            held: None,
            target,
            memory: work_memory,
        };
        self.operation.run(&mut run)?;
        // Another thread cannot be here: scenes are prepared before the tiles are shared out.
        let _ = self.kept.set(run.target);
        Ok(())
    }

    pub fn read(&self, window: Window) -> Result<Pixels> {
        let (r0, c0) = (window.row as usize, window.col as usize);
        match self.kept.get() {
            Some(Kept::Memory(array, _)) => Ok(Pixels::F32(
                array
                    .slice(s![r0..r0 + window.rows, c0..c0 + window.cols])
                    .to_owned(),
            )),
            Some(Kept::Scratch(scratch)) => {
                let mut out = Array2::zeros((window.rows, window.cols));
                for (r, mut row) in out.rows_mut().into_iter().enumerate() {
                    if let Some(row) = row.as_slice_mut() {
                        scratch.read(r0 + r, c0, row)?;
                    }
                }
                Ok(Pixels::F32(out))
            }
            None => Err(Error::message(format!(
                "{}: the scene was read before it was made",
                self.operation.name()
            ))),
        }
    }
}

struct Run<'a> {
    rows: usize,
    cols: usize,
    strip_rows: usize,
    strip: &'a mut dyn FnMut(Window) -> Result<Array2<f32>>,
    held: Option<(usize, Array2<f32>)>,
    target: Kept,
    memory: usize,
}

impl Scene for Run<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    fn read_row(&mut self, row: usize, out: &mut [f32]) -> Result<()> {
        let within = |held: &(usize, Array2<f32>)| (held.0..held.0 + held.1.nrows()).contains(&row);
        if !self.held.as_ref().is_some_and(within) {
            interrupt::check()?;
            let first = row - row % self.strip_rows;
            let window = Window::new(
                first as isize,
                0,
                self.strip_rows.min(self.rows - first),
                self.cols,
            );
            self.held = None;
            self.held = Some((first, (self.strip)(window)?));
        }
        if let Some((first, strip)) = &self.held {
            for (o, &v) in out.iter_mut().zip(strip.row(row - first)) {
                *o = v;
            }
        }
        Ok(())
    }

    fn write_row(&mut self, row: usize, pixels: &[f32]) -> Result<()> {
        if row.is_multiple_of(64) {
            interrupt::check()?;
        }
        match &mut self.target {
            Kept::Memory(array, _) => {
                for (o, &v) in array.row_mut(row).iter_mut().zip(pixels) {
                    *o = v;
                }
                Ok(())
            }
            Kept::Scratch(scratch) => scratch.write(row, pixels),
        }
    }

    fn memory(&self) -> usize {
        self.memory
    }
}

/// A file of `bytes` zeros that has no name any more, and the name that it had, for messages.
pub(super) fn scratch_file(bytes: u64) -> Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = scratch::folder()?;
    // A file of any size can be made; what is written to it has to fit.
    if let Ok(disk) = rustix::fs::statvfs(&folder)
        && disk.f_blocks > 0
        && bytes / disk.f_frsize > disk.f_bavail
    {
        return Err(Error::message(format!(
            "an image that is gone over several times needs {} MiB of scratch space; {} has {} MiB free; take a part of it, or resample it first",
            bytes >> 20,
            folder.display(),
            (disk.f_bavail * disk.f_frsize) >> 20
        )));
    }
    let path = folder.join(format!("rows-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let io = |e| Error::io(&path, e);
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(io)?;
    std::fs::remove_file(&path).map_err(io)?;
    file.set_len(bytes).map_err(io)?;
    Ok((file, path))
}

impl Scratch {
    fn new(rows: usize, cols: usize) -> Result<Scratch> {
        let (file, path) = scratch_file(rows.saturating_mul(cols).saturating_mul(size_of::<f32>()) as u64)?;
        Ok(Scratch { file, cols, path })
    }

    fn offset(&self, row: usize, col: usize) -> u64 {
        ((row * self.cols + col) * size_of::<f32>()) as u64
    }

    fn read(&self, row: usize, col: usize, out: &mut [f32]) -> Result<()> {
        let mut bytes = vec![0; size_of_val(out)];
        self.file
            .read_exact_at(&mut bytes, self.offset(row, col))
            .map_err(|e| Error::io(&self.path, e))?;
        for (o, b) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *o = f32::from_ne_bytes(*b);
        }
        Ok(())
    }

    fn write(&self, row: usize, pixels: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = pixels.iter().flat_map(|v| v.to_ne_bytes()).collect();
        self.file
            .write_all_at(&bytes, self.offset(row, 0))
            .map_err(|e| Error::io(&self.path, e))
    }
}
