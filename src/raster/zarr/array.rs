//! Arrays of a Zarr, read by chunks: fetched many at a time, decoded on all cores, kept for those who read them next.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use super::cache::Chunk;
use super::cache::{Asked, Cache, Key};
use super::metadata::Metadata;
use crate::bounds;
use crate::bytes::objects::{Objects, Piece};
use crate::error::{Error, Result};
use crate::work::{self, current};

/// Requests to a server that are under way at a time, and the bytes that they may bring.
const AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 256 << 20;
/// What a codec may add to bytes that it cannot make fewer.
const OVERHEAD: usize = 1 << 20;

/// Loads that are under way: they share the cores.
static LOADING: AtomicUsize = AtomicUsize::new(0);

/// First byte and length of each chunk of a shard; None of one that is not there.
pub(super) type Index = Arc<Option<Vec<(u64, u64)>>>;

pub struct Array {
    id: u64,
    /// The Zarr's own name, for messages.
    pub path: String,
    /// Full, without a slash before it.
    pub name: String,
    pub metadata: Metadata,
    pub objects: Arc<Objects>,
    cache: Arc<Cache>,
    grid: Vec<usize>,
    /// Where the chunks of shards lie, as far as they were asked for; none of shards that are not there.
    pub(super) indices: Mutex<HashMap<u64, Index>>,
}

/// Chunks that a window of a step is read of: rows and columns of chunks, at one place along the other axes.
#[derive(Clone)]
pub struct Block {
    pub array: Arc<Array>,
    /// The number of the chunk at row 0 and column 0 of chunks.
    pub first: u64,
    pub axes: (usize, usize),
    pub rows: Range<usize>,
    pub cols: Range<usize>,
}

impl Block {
    pub fn is_same(&self, other: &Block) -> bool {
        self.array.id == other.array.id
            && (self.first, self.axes) == (other.first, other.axes)
            && (&self.rows, &self.cols) == (&other.rows, &other.cols)
    }

    /// The numbers of its chunks, row by row.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        let (y, x) = (self.array.stride(self.axes.0), self.array.stride(self.axes.1));
        let (first, cols) = (self.first, self.cols.clone());
        self.rows.clone().flat_map(move |row| {
            cols.clone()
                .map(move |col| first + row as u64 * y + col as u64 * x)
        })
    }

    pub fn bytes(&self) -> usize {
        (self.rows.len() * self.cols.len()).saturating_mul(self.array.metadata.chunk_bytes())
    }
}

/// What is going to be read, each once.
#[derive(Default)]
pub struct Wanted {
    blocks: Vec<Block>,
}

impl Wanted {
    /// Steps one after the other are of the same chunks: those asked for last are looked at.
    pub fn add(&mut self, block: Block) {
        const LOOKED_AT: usize = 16;
        if !self
            .blocks
            .iter()
            .rev()
            .take(LOOKED_AT)
            .any(|last| last.is_same(&block))
        {
            self.blocks.push(block);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Loads them at once, as far as so many bytes hold them; they stay as long as what is answered.
    ///
    /// # Errors
    /// A chunk that cannot be fetched or decoded; `Interrupted`.
    pub fn load(&self, most: usize) -> Result<Vec<Arc<Chunk>>> {
        let mut chunks: Vec<(Arc<Array>, u64)> = Vec::new();
        let mut bytes = 0usize;
        for block in &self.blocks {
            bytes = bytes.saturating_add(block.bytes());
            if bytes > most && !chunks.is_empty() {
                break;
            }
            chunks.extend(block.numbers().map(|number| (block.array.clone(), number)));
        }
        load(&chunks)
    }
}

/// These chunks, in their order, read together.
///
/// # Errors
/// A chunk that cannot be fetched or decoded; `Interrupted`.
pub fn load(chunks: &[(Arc<Array>, u64)]) -> Result<Vec<Arc<Chunk>>> {
    let mut found: Vec<Option<Arc<Chunk>>> = vec![None; chunks.len()];
    // One cache and one place at a time.
    let mut places: Vec<(&Arc<Cache>, Vec<usize>)> = Vec::new();
    for (i, (array, _)) in chunks.iter().enumerate() {
        match places
            .iter_mut()
            .find(|(cache, _)| Arc::ptr_eq(cache, &array.cache))
        {
            Some((_, members)) => members.push(i),
            None => places.push((&array.cache, vec![i])),
        }
    }
    for (cache, members) in places {
        let mut left = members;
        while !left.is_empty() {
            let keys: Vec<Key> = left.iter().map(|&i| (chunks[i].0.id, chunks[i].1)).collect();
            let (mut mine, mut awaited) = (Vec::new(), Vec::new());
            for (&i, asked) in left.iter().zip(cache.ask(&keys)) {
                match asked {
                    Asked::Here(chunk) => found[i] = Some(chunk),
                    Asked::Yours => mine.push(i),
                    Asked::Awaited => awaited.push(i),
                }
            }
            let promised = Promised {
                cache,
                keys: mine.iter().map(|&i| (chunks[i].0.id, chunks[i].1)).collect(),
            };
            let made = made(
                cache,
                &mine.iter().map(|&i| chunks[i].clone()).collect::<Vec<_>>(),
            )?;
            drop(promised);
            for (i, chunk) in mine.into_iter().zip(made) {
                found[i] = Some(chunk);
            }
            if let Some(&i) = awaited.first() {
                cache.wait((chunks[i].0.id, chunks[i].1))?;
            }
            left = awaited;
        }
    }
    Ok(found.into_iter().flatten().collect())
}

/// Chunks that others wait for: whatever comes of it, they look for themselves then.
struct Promised<'a> {
    cache: &'a Cache,
    keys: Vec<Key>,
}

impl Drop for Promised<'_> {
    fn drop(&mut self) {
        if !self.keys.is_empty() {
            self.cache.give_up(self.keys.iter().copied());
        }
    }
}

/// A piece of a file, and the chunks that lie in it: which, from where, how long.
pub(super) struct Job {
    pub piece: Piece,
    pub parts: Vec<(usize, usize, usize)>,
}

fn made(cache: &Cache, chunks: &[(Arc<Array>, u64)]) -> Result<Vec<Arc<Chunk>>> {
    let Some((first, _)) = chunks.first() else {
        return Ok(Vec::new());
    };
    for pair in chunks.chunk_by(|a, b| Arc::ptr_eq(&a.0, &b.0)) {
        pair[0].0.check_readable()?;
    }
    let objects = &first.objects;
    let mut jobs: Vec<Job> = Vec::new();
    let mut sharded: BTreeMap<(u64, u64), Vec<(usize, usize)>> = BTreeMap::new();
    let mut shards: Vec<(Arc<Array>, u64)> = Vec::new();
    for (i, (array, number)) in chunks.iter().enumerate() {
        match array.shard_of(*number) {
            None => jobs.push(Job {
                piece: Piece::whole(array.key(*number), array.largest()),
                parts: vec![(i, 0, usize::MAX)],
            }),
            Some((shard, inside)) => {
                let entry = sharded.entry((array.id, shard)).or_default();
                if entry.is_empty() {
                    shards.push((array.clone(), shard));
                }
                entry.push((i, inside));
            }
        }
    }
    let results: Vec<Mutex<Option<Arc<Chunk>>>> = chunks.iter().map(|_| Mutex::new(None)).collect();
    let keep = |i: usize, bytes: Option<Vec<u8>>| {
        let (array, number) = &chunks[i];
        let chunk = cache.put((array.id, *number), bytes);
        *results[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(chunk);
    };
    let loading = LOADING.fetch_add(1, Ordering::Relaxed) + 1;
    let _done = Loading;
    let threads = (work::threads() / loading).max(1);
    read_indices(objects, &shards, threads)?;
    for (array, shard) in &shards {
        let Some(members) = sharded.get(&(array.id, *shard)) else {
            continue;
        };
        match array.index(*shard).as_deref() {
            Some(Some(index)) => jobs.extend(array.jobs_in_shard(*shard, index, members, &keep)?),
            _ => members.iter().for_each(|&(i, _)| keep(i, None)),
        }
    }
    let largest = chunks.iter().map(|(array, _)| array.metadata.chunk_bytes()).max();
    let at_once = (BYTES_AT_ONCE / largest.unwrap_or(1).max(1)).clamp(1, AT_ONCE);
    let context = current();
    let pieces: Vec<Piece> = jobs.iter().map(|job| job.piece.clone()).collect();
    objects.each(&pieces, at_once, threads, &|number, bytes| {
        let job = &jobs[number];
        let Some(bytes) = bytes else {
            job.parts.iter().for_each(|&(i, ..)| keep(i, None));
            return Ok(());
        };
        if let [(i, 0, usize::MAX)] = job.parts[..] {
            keep(i, Some(chunks[i].0.decoded(chunks[i].1, bytes)?));
        } else {
            for &(i, start, length) in &job.parts {
                let (array, chunk) = &chunks[i];
                let part = bytes.get(start..start + length).map(<[u8]>::to_vec);
                let part = part.ok_or_else(|| array.wrong(*chunk, "its shard is truncated"))?;
                keep(i, Some(array.decoded(*chunk, part)?));
            }
        }
        context.decoded().count(job.parts.len() as u64);
        // Whoever shows how far it is may show what has come, before the first tile is there.
        work::progress().advance(0);
        Ok(())
    })?;
    let taken = results
        .into_iter()
        .map(|chunk| chunk.into_inner().unwrap_or_else(PoisonError::into_inner));
    let chunks: Vec<Arc<Chunk>> = taken.flatten().collect();
    Ok(chunks)
}

struct Loading;

impl Drop for Loading {
    fn drop(&mut self) {
        LOADING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Reads the indices of shards that are not known yet.
fn read_indices(objects: &Objects, shards: &[(Arc<Array>, u64)], threads: usize) -> Result<()> {
    let missing: Vec<&(Arc<Array>, u64)> = shards
        .iter()
        .filter(|(array, shard)| array.index(*shard).is_none())
        .collect();
    let pieces: Vec<Piece> = missing
        .iter()
        .filter_map(|(array, shard)| array.index_piece(*shard))
        .collect();
    objects.each(&pieces, AT_ONCE, threads, &|i, bytes| {
        let (array, shard) = missing[i];
        array.keep_index(*shard, bytes)
    })
}

impl Array {
    pub fn new(
        path: &str,
        name: &str,
        metadata: Metadata,
        objects: &Arc<Objects>,
        cache: &Arc<Cache>,
    ) -> Array {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Array {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            path: path.to_string(),
            name: name.to_string(),
            grid: metadata.grid(),
            metadata,
            objects: objects.clone(),
            cache: cache.clone(),
            indices: Mutex::default(),
        }
    }

    /// A number that no other open array has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Chunks along each axis.
    pub fn grid(&self) -> &[usize] {
        &self.grid
    }

    /// How far apart the numbers of chunks that follow each other along an axis are.
    pub fn stride(&self, axis: usize) -> u64 {
        self.grid[axis + 1..].iter().map(|n| *n as u64).product()
    }

    /// # Errors
    /// Codecs and types that are not known; chunks that do not fit the memory.
    pub fn check_readable(&self) -> Result<()> {
        let metadata = &self.metadata;
        if let Some(reason) = &metadata.trouble {
            return Err(Error::file(&self.path, format!("{} {reason}", self.name)));
        }
        if let crate::raster::zarr::metadata::Element::Other(name) = &metadata.element {
            return Err(Error::file(
                &self.path,
                format!("{} is an array of type {name}, which is not read here", self.name),
            ));
        }
        bounds::fits(
            format!(
                "a chunk of {} ({:?} elements) of {}",
                self.name, metadata.chunk, self.path
            ),
            metadata.chunk.iter().product(),
            metadata.element.bytes(),
            "write it anew in smaller chunks",
        )
    }

    /// The place of a chunk along each axis, in chunks.
    pub(super) fn place(&self, number: u64) -> Vec<usize> {
        let mut left = number;
        let mut place = vec![0; self.grid.len()];
        for (axis, size) in self.grid.iter().enumerate().rev() {
            place[axis] = (left % *size as u64) as usize;
            left /= *size as u64;
        }
        place
    }

    pub(super) fn key_of(&self, place: &[usize]) -> String {
        let key = self.metadata.keys.of(place);
        match self.name.is_empty() {
            true => key,
            false => format!("{}/{key}", self.name),
        }
    }

    /// The file of a chunk of an array without shards.
    fn key(&self, number: u64) -> String {
        self.key_of(&self.place(number))
    }

    /// Bytes of the largest part of the array that a chunk holds.
    pub fn largest_part(&self) -> usize {
        let sides = self.metadata.shape.iter().zip(&self.metadata.chunk);
        let elements: usize = sides.map(|(size, chunk)| *size.min(chunk)).product();
        elements.saturating_mul(self.metadata.element.bytes())
    }

    /// The most bytes that a stored chunk can have.
    pub(super) fn largest(&self) -> usize {
        self.metadata
            .chunk_bytes()
            .saturating_mul(2)
            .saturating_add(OVERHEAD)
    }

    fn wrong(&self, number: u64, reason: impl std::fmt::Display) -> Error {
        let place = self.place(number);
        let place = place.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let file = match self.shard_of(number) {
            Some((shard, _)) => self.shard_key(shard),
            None => self.key(number),
        };
        Error::message(format!(
            "{}: the chunk ({place}) of {} cannot be decoded: {reason}",
            self.objects.called(&file),
            self.name
        ))
    }

    fn decoded(&self, number: u64, stored: Vec<u8>) -> Result<Vec<u8>> {
        let metadata = &self.metadata;
        let (width, part) = (metadata.element.bytes(), metadata.element.part());
        let mut bytes = metadata
            .codecs
            .decode(stored, &metadata.chunk, width, part)
            .map_err(|reason| self.wrong(number, reason))?;
        // Beyond the array's end is nothing to keep.
        if let (Some(&first), Some(&size)) = (self.place(number).first(), metadata.shape.first()) {
            let chunk = metadata.chunk[0];
            let inside = size.saturating_sub(first * chunk).min(chunk);
            let length = bytes.len() / chunk * inside;
            if length < bytes.len() {
                bytes.truncate(length);
                bytes.shrink_to_fit();
            }
        }
        Ok(bytes)
    }

    /// All elements in C order, little-endian.
    ///
    /// # Errors
    /// What does not fit the memory; a chunk that cannot be fetched or decoded.
    pub fn whole(self: &Arc<Array>) -> Result<Vec<u8>> {
        self.check_readable()?;
        let metadata = &self.metadata;
        let width = metadata.element.bytes();
        let elements = metadata
            .shape
            .iter()
            .try_fold(1usize, |all, size| all.checked_mul(*size));
        let elements = elements.unwrap_or(usize::MAX);
        bounds::fits(
            format!("the {elements} elements of {} of {}", self.name, self.path),
            elements,
            width,
            "read a part of it",
        )?;
        let fill = metadata.fill.clone().unwrap_or_else(|| vec![0; width]);
        let mut out = fill.repeat(elements);
        let count: usize = self.grid.iter().product();
        let most = (work::memory() / 4 / metadata.chunk_bytes().max(1)).clamp(1, 256);
        for first in (0..count).step_by(most) {
            let numbers: Vec<u64> = (first..count.min(first + most)).map(|n| n as u64).collect();
            let chunks: Vec<_> = numbers.iter().map(|n| (self.clone(), *n)).collect();
            for (number, chunk) in numbers.iter().zip(load(&chunks)?) {
                if let Some(bytes) = &chunk.bytes {
                    self.place_in(&self.place(*number), bytes, &mut out);
                }
            }
        }
        Ok(out)
    }

    /// Puts the part of a chunk that lies in the array where it belongs.
    fn place_in(&self, place: &[usize], chunk: &[u8], out: &mut [u8]) {
        let metadata = &self.metadata;
        let (width, axes) = (metadata.element.bytes(), metadata.shape.len());
        let Some(last) = axes.checked_sub(1) else {
            out.copy_from_slice(&chunk[..out.len()]);
            return;
        };
        let size = |axis: usize| {
            let start = place[axis] * metadata.chunk[axis];
            (metadata.shape[axis] - start).min(metadata.chunk[axis])
        };
        let mut index = vec![0; axes];
        loop {
            let (mut from, mut to) = (0, 0);
            for axis in 0..axes {
                from = from * metadata.chunk[axis] + index[axis];
                to = to * metadata.shape[axis] + place[axis] * metadata.chunk[axis] + index[axis];
            }
            let line = size(last) * width;
            out[to * width..to * width + line].copy_from_slice(&chunk[from * width..from * width + line]);
            let mut axis = last;
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                index[axis] += 1;
                if index[axis] < size(axis) {
                    break;
                }
                index[axis] = 0;
            }
        }
    }
}
