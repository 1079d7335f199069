//! A GeoTIFF in one order: its directories, then the blocks of each, from the first to the last. GDAL writes blocks as they come, which depends on threads and
//! on the memory that there is; the same pixels are to be the same file.
//!
//! # Source
//! TIFF 6.0, <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>, section 2; BigTIFF,
//! <https://www.awaresystems.be/imaging/tiff/bigtiff.html>.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use gdal::Dataset;
use gdal_sys::{CPLErr, GDALRasterBandH};

use super::{last_message, message_of, reset_message};
use crate::error::free_space;
use crate::interrupt;

/// Where blocks lie and how long they are: of tiles, of strips.
const OFFSETS: [u16; 2] = [324, 273];
const LENGTHS: [u16; 2] = [325, 279];
/// Directories inside of directories: GDAL writes none here, and files with such stay as they are.
const NESTED: [u16; 4] = [330, 34665, 34853, 40965];
/// More directories than overviews and masks ever are.
const MOST: usize = 1000;
/// Values begin at multiples of it.
const ALIGNED: u64 = 8;

/// Blanks what lies beyond the image in the blocks at its right and lower edge: GDAL leaves there what its memory held, or nodata, by how a
/// block came about. The dataset must have been flushed.
///
/// # Errors
/// What GDAL says.
pub fn blank_edges(dataset: &Dataset) -> Result<(), String> {
    for index in 1..=dataset.raster_count() {
        let band = dataset.rasterband(index).map_err(|e| message_of(&e))?;
        // SAFETY: the band, and overviews of it, live as long as the dataset.
        unsafe {
            let handle = band.c_rasterband();
            blank_edges_of(handle)?;
            for overview in 0..gdal_sys::GDALGetOverviewCount(handle) {
                blank_edges_of(gdal_sys::GDALGetOverview(handle, overview))?;
            }
        }
    }
    Ok(())
}

/// # Safety
/// The band is alive.
unsafe fn blank_edges_of(band: GDALRasterBandH) -> Result<(), String> {
    let (mut across, mut down) = (0, 0);
    // SAFETY: the band is alive; plain numbers.
    let (cols, rows, bytes) = unsafe {
        gdal_sys::GDALGetBlockSize(band, &mut across, &mut down);
        let kind = gdal_sys::GDALGetRasterDataType(band);
        (
            gdal_sys::GDALGetRasterBandXSize(band),
            gdal_sys::GDALGetRasterBandYSize(band),
            gdal_sys::GDALGetDataTypeSizeBytes(kind),
        )
    };
    if across < 1 || down < 1 || bytes < 1 {
        return Ok(());
    }
    let (last_x, last_y) = ((cols - 1) / across, (rows - 1) / down);
    let (used_x, used_y) = (cols - last_x * across, rows - last_y * down);
    let line = (across * bytes) as usize;
    let mut block = vec![0_u8; line * down as usize];
    for y in 0..=last_y {
        for x in 0..=last_x {
            let used = (
                if y == last_y { used_y } else { down },
                if x == last_x { used_x } else { across },
            );
            if used == (down, across) {
                continue;
            }
            reset_message();
            // SAFETY: the buffer is of one block; the band is alive.
            let read = unsafe { gdal_sys::GDALReadBlock(band, x, y, block.as_mut_ptr().cast()) };
            if read != CPLErr::CE_None {
                return Err(last_message());
            }
            for (row, bytes_of_row) in block.chunks_exact_mut(line).enumerate() {
                let from = if row < used.0 as usize {
                    (used.1 * bytes) as usize
                } else {
                    0
                };
                bytes_of_row[from..].fill(0);
            }
            // SAFETY: as above.
            let written = unsafe { gdal_sys::GDALWriteBlock(band, x, y, block.as_mut_ptr().cast()) };
            if written != CPLErr::CE_None {
                return Err(last_message());
            }
        }
    }
    Ok(())
}

struct Field {
    tag: u16,
    kind: u16,
    count: u64,
    bytes: Vec<u8>,
}

struct Directory {
    fields: Vec<Field>,
    /// Offset and length of each.
    blocks: Vec<(u64, u64)>,
}

/// How numbers of the two kinds of TIFF are written; all are little-endian.
#[derive(Clone, Copy)]
struct Form {
    is_big: bool,
}

impl Form {
    /// Bytes of an offset.
    fn word(self) -> usize {
        if self.is_big { 8 } else { 4 }
    }

    fn header(self) -> u64 {
        if self.is_big { 16 } else { 8 }
    }

    fn entry(self) -> usize {
        if self.is_big { 20 } else { 12 }
    }

    fn count(self) -> usize {
        if self.is_big { 8 } else { 2 }
    }

    fn put(self, out: &mut Vec<u8>, number: u64) {
        out.extend_from_slice(&number.to_le_bytes()[..self.word()]);
    }
}

/// Puts the file in order. Files of other kinds stay as they are, and so does this one where the disk has no room for it twice.
///
/// # Errors
/// What the file system says; when a stop was asked for.
pub fn settle(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let free = path.parent().and_then(free_space);
    if free.is_some_and(|free| free < length) {
        return Ok(());
    }
    let Some((form, directories)) = read(&file) else {
        return Ok(());
    };
    let beside = path.with_extension("settled");
    write(&file, form, directories, &beside)?;
    fs::rename(&beside, path)
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn size_of(kind: u16) -> Option<u64> {
    Some(match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => return None,
    })
}

/// None of what this does not know.
fn read(file: &File) -> Option<(Form, Vec<Directory>)> {
    let at = |place: u64, count: usize| -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        file.read_exact_at(&mut bytes, place).ok()?;
        Some(bytes)
    };
    let start = at(0, 16)?;
    let form = match &start[..4] {
        b"II\x2a\0" => Form { is_big: false },
        b"II\x2b\0" => Form { is_big: true },
        _ => return None,
    };
    let length = file.metadata().ok()?.len();
    let mut next = number(match form.is_big {
        true => &start[8..16],
        false => &start[4..8],
    });
    let mut directories = Vec::new();
    while next != 0 && directories.len() < MOST {
        let count = usize::try_from(number(&at(next, form.count())?))
            .ok()
            .filter(|count| *count < 4096)?;
        let body = next + form.count() as u64;
        let entries = at(body, count * form.entry())?;
        let mut fields = Vec::with_capacity(count);
        for entry in entries.chunks_exact(form.entry()) {
            let (tag, kind) = (number(&entry[..2]) as u16, number(&entry[2..4]) as u16);
            let values = number(&entry[4..4 + form.word()]);
            let field = &entry[4 + form.word()..];
            let bytes = values
                .checked_mul(size_of(kind)?)
                .filter(|bytes| *bytes <= length)? as usize;
            let bytes = match bytes <= form.word() {
                true => field[..bytes].to_vec(),
                false => at(number(field), bytes)?,
            };
            if NESTED.contains(&tag) {
                return None;
            }
            fields.push(Field {
                tag,
                kind,
                count: values,
                bytes,
            });
        }
        let numbers = |tags: [u16; 2]| -> Option<Vec<u64>> {
            let field = fields.iter().find(|field| tags.contains(&field.tag))?;
            let size = size_of(field.kind)? as usize;
            Some(field.bytes.chunks_exact(size).map(number).collect())
        };
        let (offsets, lengths) = (numbers(OFFSETS)?, numbers(LENGTHS)?);
        if offsets.len() != lengths.len() {
            return None;
        }
        directories.push(Directory {
            fields,
            blocks: offsets.into_iter().zip(lengths).collect(),
        });
        next = number(&at(body + (count * form.entry()) as u64, form.word())?);
    }
    (next == 0 && !directories.is_empty()).then_some((form, directories))
}

fn aligned(place: u64) -> u64 {
    place.div_ceil(ALIGNED) * ALIGNED
}

/// A directory's fields with room for its values behind them; the answer is where that ends.
fn end_of(form: Form, directory: &Directory, begin: u64) -> u64 {
    let entries = form.count() + directory.fields.len() * form.entry() + form.word();
    directory
        .fields
        .iter()
        .fold(begin + entries as u64, |end, field| {
            match field.bytes.len() <= form.word() {
                true => end,
                false => aligned(end) + field.bytes.len() as u64,
            }
        })
}

fn write(file: &File, form: Form, mut directories: Vec<Directory>, target: &Path) -> io::Result<()> {
    let unfit = || io::Error::other("a block lies beyond what its directory can say");
    let mut begins = Vec::new();
    let mut end = form.header();
    for directory in &directories {
        begins.push(aligned(end));
        end = end_of(form, directory, aligned(end));
    }
    let first = aligned(end);
    let mut place = first;
    for directory in &mut directories {
        let mut offsets = Vec::with_capacity(directory.blocks.len());
        for (offset, length) in &directory.blocks {
            // Blocks that were never written lie nowhere.
            let is_there = *offset != 0 && *length != 0;
            offsets.push(if is_there { place } else { 0 });
            place += if is_there { *length } else { 0 };
        }
        for field in directory
            .fields
            .iter_mut()
            .filter(|field| OFFSETS.contains(&field.tag))
        {
            let size = size_of(field.kind).ok_or_else(unfit)? as usize;
            field.bytes.clear();
            for offset in &offsets {
                let bytes = offset.to_le_bytes();
                if bytes[size..].iter().any(|byte| *byte != 0) {
                    return Err(unfit());
                }
                field.bytes.extend_from_slice(&bytes[..size]);
            }
        }
    }
    let mut head = Vec::new();
    match form.is_big {
        true => head.extend_from_slice(b"II\x2b\0\x08\0\0\0"),
        false => head.extend_from_slice(b"II\x2a\0"),
    }
    form.put(&mut head, begins[0]);
    for (i, directory) in directories.iter().enumerate() {
        head.resize(begins[i] as usize, 0);
        let count = (directory.fields.len() as u64).to_le_bytes();
        head.extend_from_slice(&count[..form.count()]);
        let entries = form.count() + directory.fields.len() * form.entry() + form.word();
        let mut values = begins[i] + entries as u64;
        let mut outside: Vec<(u64, &[u8])> = Vec::new();
        for field in &directory.fields {
            head.extend_from_slice(&field.tag.to_le_bytes());
            head.extend_from_slice(&field.kind.to_le_bytes());
            form.put(&mut head, field.count);
            match field.bytes.len() <= form.word() {
                true => {
                    head.extend_from_slice(&field.bytes);
                    head.resize(head.len() + form.word() - field.bytes.len(), 0);
                }
                false => {
                    values = aligned(values);
                    form.put(&mut head, values);
                    outside.push((values, &field.bytes));
                    values += field.bytes.len() as u64;
                }
            }
        }
        form.put(&mut head, begins.get(i + 1).copied().unwrap_or(0));
        for (at, bytes) in outside {
            head.resize(at as usize, 0);
            head.extend_from_slice(bytes);
        }
    }
    head.resize(first as usize, 0);
    let mut out = BufWriter::with_capacity(1 << 20, File::create_new(target)?);
    out.write_all(&head)?;
    let mut buffer = Vec::new();
    for (offset, length) in directories.iter().flat_map(|directory| &directory.blocks) {
        if *offset == 0 || *length == 0 {
            continue;
        }
        interrupt::check().map_err(io::Error::other)?;
        buffer.resize(usize::try_from(*length).map_err(io::Error::other)?, 0);
        file.read_exact_at(&mut buffer, *offset)?;
        out.write_all(&buffer)?;
    }
    // Closing says nothing of what is lost.
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}
