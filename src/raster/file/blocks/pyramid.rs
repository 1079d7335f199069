//! The blocks of an image and of its overviews, compressed as the pixels come.
//!
//! A block of the image is compressed when its pixels are there, and what it alone makes of the first overview goes to a canvas of that. What lies across
//! blocks, of images with odd sides, and all smaller overviews are made of canvases when all blocks have come. So nothing depends on their order.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use super::encode::Encoder;
use super::levels::{Axis, block, blocks};
use super::reduce::{Fill, Pixels, Sample, average, mode, nearest};
use super::scratch::{Canvas, Place, Scratch};
use super::store::store;
use super::unwritten;
use crate::error::Result;
use crate::raster::file::described::Seen;
use crate::raster::{self, Window};
use crate::work::{self, workers};

/// How overviews are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Of the image, or of the overview before.
    Average,
    Mode,
    /// Of the image.
    Nearest,
}

/// What is made of pixels of any type.
pub trait Blocks: Send + Sync {
    /// How many bands lie in its blocks.
    fn bands(&self) -> usize;

    /// Takes the pixels of all bands in a window; the answer is what came by of each.
    ///
    /// # Errors
    /// What cannot be written.
    fn take(&self, window: Window, bands: Vec<raster::Pixels>) -> io::Result<Vec<Seen>>;

    /// Makes the overviews, where pixels of these bands were masked.
    ///
    /// # Errors
    /// What cannot be written; `Interrupted`.
    fn reduce(&self, masked: &[bool], path: &Path) -> Result<()>;

    /// The images, largest first, with the places of their blocks.
    fn images(&self) -> Vec<((usize, usize), Vec<Place>)>;
}

/// The image, or an overview.
struct Level {
    rows: usize,
    cols: usize,
    /// What its rows and columns are made of: those of the image, or of the overview before.
    down: Axis,
    across: Axis,
    blocks: Mutex<Vec<Place>>,
    /// Its pixels, where something is made of them later.
    canvas: Option<Canvas>,
}

impl Level {
    fn window(&self) -> Window {
        Window::new(0, 0, self.rows, self.cols)
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.blocks.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn canvas(&self) -> io::Result<&Canvas> {
        self.canvas
            .as_ref()
            .ok_or_else(|| io::Error::other("an overview has no pixels"))
    }

    fn axes(&self) -> (&Axis, &Axis) {
        (&self.down, &self.across)
    }
}

/// Pixels on both sides of the edges of blocks, where pixels of the first overview lie across.
struct Seams {
    /// Rows of the image, four for each edge.
    rows: Option<Canvas>,
    /// Columns of it, laid down as rows.
    columns: Option<Canvas>,
}

/// Rows or columns that are kept on each side of an edge: an overview's are made of three at most.
const BESIDE: usize = 2;

pub struct Pyramid<T> {
    levels: Vec<Level>,
    /// Of blocks.
    side: usize,
    method: Method,
    encoder: Encoder,
    scratch: Arc<Scratch>,
    seams: Seams,
    /// Where its first block lies in the file, where each has its place and takes as many bytes.
    placed: Option<u64>,
    /// The number of its first band in the file.
    first: usize,
    /// What masked pixels of each band are stored as, and whether the file says so in any case.
    fills: Vec<(T, bool)>,
}

/// How an image is cut, reduced and encoded.
#[derive(Clone)]
pub struct Plan {
    /// Of the image and its overviews.
    pub sizes: Vec<(usize, usize)>,
    /// Of blocks.
    pub side: usize,
    pub method: Method,
}

impl<T: Sample> Pyramid<T> {
    /// Of these bands of an image, from the one of number `first` on.
    pub fn new(
        plan: &Plan,
        encoder: Encoder,
        first: usize,
        fills: Vec<(T, bool)>,
        scratch: &Arc<Scratch>,
    ) -> Pyramid<T> {
        let pixel = fills.len() * size_of::<T>();
        let Plan { sizes, side, method } = plan;
        let level = |(i, &(rows, cols)): (usize, &(usize, usize))| {
            let source = match method {
                Method::Average | Method::Mode => sizes[i.saturating_sub(1)],
                Method::Nearest => sizes[0],
            };
            Level {
                rows,
                cols,
                down: Axis::new(source.0, rows),
                across: Axis::new(source.1, cols),
                blocks: Mutex::new(vec![
                    Place { start: 0, bytes: 0 };
                    rows.div_ceil(*side) * cols.div_ceil(*side)
                ]),
                canvas: (i > 0).then(|| scratch.canvas((rows, cols), pixel)),
            }
        };
        let levels: Vec<Level> = sizes.iter().enumerate().map(level).collect();
        let seam = |axis: fn(&Level) -> &Axis, length: usize| {
            let count = levels
                .get(1)
                .map_or(0, |level| axis(level).across_blocks(*side).len());
            let edges = sizes[0].0.max(sizes[0].1).div_ceil(*side);
            (*method != Method::Nearest && count > 0)
                .then(|| scratch.canvas((2 * BESIDE * edges, length), pixel))
        };
        let seams = Seams {
            rows: seam(|level| &level.down, sizes[0].1),
            columns: seam(|level| &level.across, sizes[0].0),
        };
        Pyramid {
            side: *side,
            method: *method,
            scratch: Arc::clone(scratch),
            placed: None,
            levels,
            encoder,
            seams,
            first,
            fills,
        }
    }

    /// The same of one band whose blocks are the pixels as they are, from this place in the file on.
    pub fn placed(self, start: u64) -> Pyramid<T> {
        let bytes = (self.side * self.side * size_of::<T>()) as u32;
        for (i, place) in self.levels[0].places().iter_mut().enumerate() {
            let start = start + i as u64 * u64::from(bytes);
            *place = Place { start, bytes };
        }
        Pyramid {
            placed: Some(start),
            ..self
        }
    }

    fn columns(&self, level: &Level) -> usize {
        level.cols.div_ceil(self.side)
    }

    /// What masks pixels of each band, where some of these are.
    fn fills(&self, masked: &[bool]) -> Vec<Fill<T>> {
        let fill =
            |((fill, declared), masked): (&(T, bool), &bool)| Fill((*declared || *masked).then_some(*fill));
        self.fills.iter().zip(masked).map(fill).collect()
    }

    /// A part of an image that is all there is of a block.
    fn complete(
        &self,
        at: (usize, usize),
        part: Window,
        mut samples: Vec<T>,
        masked: &[bool],
    ) -> io::Result<()> {
        if self.levels.len() > 1 {
            self.make_of(at, part, &samples, masked)?;
        }
        self.pack(0, at, part, &mut samples)
    }

    /// Writes a window of blocks that have their places. What is beyond the image stays a hole of the file: 0.
    fn lay(&self, start: u64, window: Window, pixels: &raster::Pixels) -> io::Result<Seen> {
        /// Of bytes at a time, which stay in the cache of a core.
        const STRIP: usize = 128 << 10;
        let mut seen = Seen::default();
        let mut samples = Vec::new();
        let block_bytes = (self.side * self.side * size_of::<T>()) as u64;
        for (at, part) in blocks(window, self.side) {
            let rows = (STRIP / (part.cols * size_of::<T>())).clamp(1, part.rows);
            samples.resize(rows * part.cols, T::of(0.0));
            let begin = start + (at.0 * self.columns(&self.levels[0]) + at.1) as u64 * block_bytes;
            let (top, left) = (part.row as usize % self.side, part.col as usize % self.side);
            for row in (0..part.rows).step_by(rows) {
                let rows = rows.min(part.rows - row);
                let from = (
                    (part.row - window.row) as usize + row,
                    (part.col - window.col) as usize,
                    part.cols,
                );
                let lines = samples.chunks_exact_mut(part.cols).take(rows);
                store(pixels, from, (0, 1), self.fills[0].0, lines, &mut seen);
                let lines = &samples[..rows * part.cols];
                // Rows as wide as blocks follow one another.
                let width = if part.cols == self.side {
                    lines.len()
                } else {
                    part.cols
                };
                for (i, line) in lines.chunks_exact(width).enumerate() {
                    let pixel = (top + row + i) * self.side + left;
                    let place = begin + (pixel * size_of::<T>()) as u64;
                    self.scratch.packed.lay(place, bytemuck::cast_slice(line))?;
                }
            }
        }
        Ok(seen)
    }

    /// Compresses a block of a level.
    fn pack(&self, level: usize, at: (usize, usize), part: Window, samples: &mut [T]) -> io::Result<()> {
        let mut out = Vec::new();
        let bytes = bytemuck::cast_slice_mut(samples);
        let encoded = self
            .encoder
            .encode(bytes, (part.rows, part.cols), &mut out)
            .map_err(io::Error::other)?;
        let level = &self.levels[level];
        let place = self.scratch.packed.add(encoded)?;
        level.places()[at.0 * self.columns(level) + at.1] = place;
        Ok(())
    }

    /// What overviews have of a block of the image.
    fn make_of(&self, at: (usize, usize), part: Window, samples: &[T], masked: &[bool]) -> io::Result<()> {
        let (row, col) = (part.row as usize, part.col as usize);
        let pixels = Pixels {
            samples,
            row,
            col,
            stride: self.side,
            bands: self.bands(),
        };
        let (rows, cols) = (row..row + part.rows, col..col + part.cols);
        let mut out = Vec::new();
        match self.method {
            Method::Nearest => {
                for level in &self.levels[1..] {
                    let these = (
                        level.down.nearest_within(&rows),
                        level.across.nearest_within(&cols),
                    );
                    nearest(&pixels, level.axes(), these.clone(), &mut out);
                    write(level, these, &out)?;
                }
                Ok(())
            }
            Method::Average | Method::Mode => {
                let level = &self.levels[1];
                let these = (level.down.within(&rows), level.across.within(&cols));
                self.reduced(&pixels, level, these.clone(), &self.fills(masked), &mut out);
                write(level, these, &out)?;
                self.keep_seams(at, part, samples)
            }
        }
    }

    /// Keeps what lies beside the edges of a block.
    fn keep_seams(&self, (y, x): (usize, usize), part: Window, samples: &[T]) -> io::Result<()> {
        let bands = self.bands();
        // Of the edge before and the one behind: the first row of the canvas, and the first of the block.
        let beside = |at: usize, size: usize| {
            let before = (at > 0).then(|| (4 * (at - 1) + BESIDE, 0, BESIDE.min(size)));
            let behind = (size == self.side).then_some((4 * at, self.side - BESIDE, BESIDE));
            before.into_iter().chain(behind)
        };
        if let Some(canvas) = &self.seams.rows {
            for (row, from, count) in beside(y, part.rows) {
                let window = Window::new(row as isize, part.col, count, part.cols);
                canvas.write(
                    window,
                    bytemuck::cast_slice(&samples[from * self.side * bands..]),
                    self.side,
                )?;
            }
        }
        if let Some(canvas) = &self.seams.columns {
            let mut column = Vec::with_capacity(part.rows * bands);
            for (row, from, count) in beside(x, part.cols) {
                for i in 0..count {
                    column.clear();
                    for line in samples.chunks_exact(self.side * bands).take(part.rows) {
                        column.extend_from_slice(&line[(from + i) * bands..][..bands]);
                    }
                    let window = Window::new((row + i) as isize, part.row, 1, part.rows);
                    canvas.write(window, bytemuck::cast_slice(&column), part.rows)?;
                }
            }
        }
        Ok(())
    }

    /// The pixels of the first overview that lie across edges of blocks.
    fn close_seams(&self, fills: &[Fill<T>]) -> io::Result<()> {
        let (Some(level), bands) = (self.levels.get(1), self.bands()) else {
            return Ok(());
        };
        let (mut samples, mut out) = (Vec::new(), Vec::new());
        if let Some(canvas) = &self.seams.columns {
            for (i, edge) in level.across.across_blocks(self.side) {
                let span = level.across.spans[i];
                for rows in pieces(level.rows, self.side) {
                    let of = level.down.source_of(&rows);
                    let width = span.end - span.first;
                    samples.resize(of.len() * width * bands, T::of(0.0));
                    let mut column = vec![T::of(0.0); of.len() * bands];
                    for col in span.first..span.end {
                        let row = (4 * (edge / self.side - 1) + BESIDE + col) - edge;
                        let window = Window::new(row as isize, of.start as isize, 1, of.len());
                        canvas.read(window, bytemuck::cast_slice_mut(&mut column), of.len())?;
                        for (line, pixel) in column.chunks_exact(bands).enumerate() {
                            samples[(line * width + col - span.first) * bands..][..bands]
                                .copy_from_slice(pixel);
                        }
                    }
                    let pixels = Pixels {
                        samples: &samples,
                        row: of.start,
                        col: span.first,
                        stride: width,
                        bands,
                    };
                    self.reduced(&pixels, level, (rows.clone(), i..i + 1), fills, &mut out);
                    write(level, (rows, i..i + 1), &out)?;
                }
            }
        }
        if let Some(canvas) = &self.seams.rows {
            for (i, edge) in level.down.across_blocks(self.side) {
                let span = level.down.spans[i];
                for cols in pieces(level.cols, self.side) {
                    let of = level.across.source_of(&cols);
                    let row = (4 * (edge / self.side - 1) + BESIDE + span.first) - edge;
                    let window =
                        Window::new(row as isize, of.start as isize, span.end - span.first, of.len());
                    samples.resize(window.len() * bands, T::of(0.0));
                    canvas.read(window, bytemuck::cast_slice_mut(&mut samples), of.len())?;
                    let pixels = Pixels {
                        samples: &samples,
                        row: span.first,
                        col: of.start,
                        stride: of.len(),
                        bands,
                    };
                    self.reduced(&pixels, level, (i..i + 1, cols.clone()), fills, &mut out);
                    write(level, (i..i + 1, cols), &out)?;
                }
            }
        }
        Ok(())
    }

    /// Pixels of a level that are made of those of the one before.
    fn reduced(
        &self,
        pixels: &Pixels<'_, T>,
        level: &Level,
        these: (Range<usize>, Range<usize>),
        fills: &[Fill<T>],
        out: &mut Vec<T>,
    ) {
        match self.method {
            Method::Mode => mode(pixels, level.axes(), these, fills, out),
            Method::Average | Method::Nearest => average(pixels, level.axes(), these, fills, out),
        }
    }

    /// The pixels of a block of an overview, in a block's own rows.
    fn block_of(&self, number: usize, part: Window, fills: &[Fill<T>], samples: &mut [T]) -> io::Result<()> {
        /// As many rows at a time as need little memory.
        const ROWS: usize = 64;
        let level = &self.levels[number];
        if number == 1 || self.method == Method::Nearest {
            // They are there already.
            return level
                .canvas()?
                .read(part, bytemuck::cast_slice_mut(samples), self.side);
        }
        let (source, bands) = (self.levels[number - 1].canvas()?, self.bands());
        let (mut read, mut out) = (Vec::new(), Vec::new());
        let (first, end) = (part.row as usize, part.row_end() as usize);
        let cols = part.col as usize..part.col_end() as usize;
        let across = level.across.source_of(&cols);
        for rows in (first..end).step_by(ROWS).map(|row| row..(row + ROWS).min(end)) {
            let down = level.down.source_of(&rows);
            let window = Window::new(
                down.start as isize,
                across.start as isize,
                down.len(),
                across.len(),
            );
            read.resize(window.len() * bands, T::of(0.0));
            source.read(window, bytemuck::cast_slice_mut(&mut read), window.cols)?;
            let pixels = Pixels {
                samples: &read,
                row: down.start,
                col: across.start,
                stride: window.cols,
                bands,
            };
            self.reduced(&pixels, level, (rows.clone(), cols.clone()), fills, &mut out);
            let lines = samples[(rows.start - first) * self.side * bands..].chunks_mut(self.side * bands);
            for (line, from) in lines.zip(out.chunks_exact(cols.len() * bands)) {
                line[..from.len()].copy_from_slice(from);
            }
        }
        Ok(())
    }
}

/// Numbers of a level in parts of a block's side.
fn pieces(size: usize, side: usize) -> impl Iterator<Item = Range<usize>> {
    (0..size)
        .step_by(side)
        .map(move |first| first..(first + side).min(size))
}

/// Writes rows and columns of a level.
fn write<T: Sample>(
    level: &Level,
    (rows, cols): (Range<usize>, Range<usize>),
    samples: &[T],
) -> io::Result<()> {
    let window = Window::new(rows.start as isize, cols.start as isize, rows.len(), cols.len());
    match window.is_empty() {
        true => Ok(()),
        false => level
            .canvas()?
            .write(window, bytemuck::cast_slice(samples), window.cols),
    }
}

impl<T: Sample> Blocks for Pyramid<T> {
    fn bands(&self) -> usize {
        self.fills.len()
    }

    fn take(&self, window: Window, bands: Vec<raster::Pixels>) -> io::Result<Vec<Seen>> {
        if let (Some(start), [pixels]) = (self.placed, bands.as_slice()) {
            return Ok(vec![self.lay(start, window, pixels)?]);
        }
        let count = self.bands();
        let image = self.levels[0].window();
        let mut all = vec![Seen::default(); count];
        for (at, part) in blocks(window, self.side) {
            let whole = block(at, self.side).intersect(&image);
            let stride = if part == whole { self.side } else { part.cols };
            let mut samples = vec![
                T::of(0.0);
                count
                    * if part == whole {
                        self.side * self.side
                    } else {
                        part.len()
                    }
            ];
            let mut masked = vec![false; count];
            let (row, col) = ((part.row - window.row) as usize, (part.col - window.col) as usize);
            for (band, pixels) in bands.iter().enumerate() {
                let mut seen = Seen::default();
                let lines = samples.chunks_mut(stride * count).take(part.rows);
                store(
                    pixels,
                    (row, col, part.cols),
                    (band, count),
                    self.fills[band].0,
                    lines,
                    &mut seen,
                );
                masked[band] = seen.masked;
                all[band].add(seen);
            }
            if part != whole {
                let mut block = vec![T::of(0.0); self.side * self.side * count];
                let (bytes, out) = (
                    bytemuck::cast_slice(&samples),
                    bytemuck::cast_slice_mut(&mut block),
                );
                if !self.scratch.parts.add(
                    ((self.first, at.0, at.1), whole.len()),
                    part,
                    bytes,
                    &mut masked,
                    out,
                )? {
                    continue;
                }
                samples = block;
            }
            self.complete(at, whole, samples, &masked)?;
        }
        Ok(all)
    }

    fn reduce(&self, masked: &[bool], path: &Path) -> Result<()> {
        let failed = |e| unwritten(path, &e);
        let fills = self.fills(masked);
        self.close_seams(&fills).map_err(failed)?;
        for (number, level) in self.levels.iter().enumerate().skip(1) {
            let is_made = self.method != Method::Nearest && number > 1 && number + 1 < self.levels.len();
            let (columns, count) = (self.columns(level), level.places().len());
            let blank = || vec![T::of(0.0); self.side * self.side * self.bands()];
            workers::for_each(work::threads(), count, blank, |samples, index| {
                let at = (index / columns, index % columns);
                let part = block(at, self.side).intersect(&level.window());
                let mut done = || {
                    self.block_of(number, part, &fills, samples)?;
                    if is_made {
                        level
                            .canvas()?
                            .write(part, bytemuck::cast_slice(samples), self.side)?;
                    }
                    self.pack(number, at, part, samples)
                };
                done().map_err(failed)?;
                work::progress().advance(1);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn images(&self) -> Vec<((usize, usize), Vec<Place>)> {
        let image = |level: &Level| ((level.rows, level.cols), level.places().clone());
        self.levels.iter().map(image).collect()
    }
}
