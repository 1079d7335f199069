//! A value of a column that is too large to be held: it goes to scratch as it is made, compressed, and from there into the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::atomic::{AtomicU64, Ordering};

use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::errors::Result as ParquetResult;
use ::parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use ::parquet::schema::types::ColumnDescPtr;

use crate::scratch;

/// The most bytes that one value has: a page says its length by a signed number of 32 bits, and has few more.
pub const MOST_BYTES: usize = i32::MAX as usize - 64;

/// How hard all is compressed.
pub(super) fn level() -> ZstdLevel {
    ZstdLevel::default()
}

/// Room for the head of a page, which says how long the rest has become.
const ROOM: u64 = 64;

/// A page of one value, compressed.
pub struct Large {
    file: File,
    head: Vec<u8>,
    compressed: u64,
    uncompressed: usize,
}

impl Large {
    /// Takes a value of so many bytes, at most `MOST_BYTES`, and what `fill` says of it.
    ///
    /// # Errors
    /// Scratch that cannot be written; those of `fill`.
    pub fn new<T>(
        bytes: usize,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> io::Result<(Large, T)> {
        let mut file = scratch_file()?;
        file.seek(SeekFrom::Start(ROOM))?;
        let mut packed = zstd::Encoder::new(file, level().compression_level())?;
        // One definition level, 1 for a value that is there, as a run of one, behind the length of all runs; then the length of the value.
        let mut levels = vec![2, 0, 0, 0, 2, 1];
        levels.extend((bytes as u32).to_le_bytes());
        let uncompressed = levels.len() + bytes;
        packed.set_pledged_src_size(Some(uncompressed as u64))?;
        packed.write_all(&levels)?;
        let said = fill(&mut packed)?;
        // Fails where it was not as many bytes.
        let mut file = packed.finish()?;
        let compressed = file.stream_position()? - ROOM;
        let head = head(uncompressed, compressed as usize);
        file.write_all_at(&head, ROOM - head.len() as u64)?;
        let large = Large {
            file,
            head,
            compressed,
            uncompressed,
        };
        Ok((large, said))
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// What the file says of the column with this value alone.
    ///
    /// # Errors
    /// None that a value that was taken has.
    pub(super) fn column(&self, column: ColumnDescPtr) -> ParquetResult<ColumnCloseResult> {
        let start = (ROOM as usize - self.head.len()) as i64;
        let (compressed, uncompressed) = (
            self.head.len() as i64 + self.compressed as i64,
            (self.head.len() + self.uncompressed) as i64,
        );
        let metadata = ColumnChunkMetaData::builder(column)
            .set_encodings(vec![Encoding::RLE, Encoding::PLAIN])
            .set_compression(Compression::ZSTD(level()))
            .set_total_compressed_size(compressed)
            .set_total_uncompressed_size(uncompressed)
            .set_num_values(1)
            .set_data_page_offset(start)
            .build()?;
        let mut index = OffsetIndexBuilder::new();
        index.append_row_count(1);
        index.append_offset_and_size(start, compressed as i32);
        Ok(ColumnCloseResult {
            bytes_written: compressed as u64,
            rows_written: 1,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(index.build()),
        })
    }
}

/// That of a page of one value, in Thrift's compact protocol (`PageHeader` of <https://github.com/apache/parquet-format>, parquet.thrift).
fn head(uncompressed: usize, compressed: usize) -> Vec<u8> {
    const NUMBER: u8 = 5;
    const STRUCT: u8 = 12;
    const NEXT: u8 = 1 << 4;
    const END: u8 = 0;
    let mut out = Vec::new();
    let number = |out: &mut Vec<u8>, value: usize| {
        out.push(NEXT | NUMBER);
        // Signed numbers are doubled.
        let mut left = 2 * value;
        while left >= 128 {
            out.push(left as u8 | 128);
            left >>= 7;
        }
        out.push(left as u8);
    };
    const DATA_PAGE: usize = 0;
    const PLAIN: usize = 0;
    const RLE: usize = 3;
    number(&mut out, DATA_PAGE);
    number(&mut out, uncompressed);
    number(&mut out, compressed);
    // The fifth, after the third: there is no checksum.
    out.push((2 * NEXT) | STRUCT);
    let values = 1;
    for value in [values, PLAIN, RLE, RLE] {
        number(&mut out, value);
    }
    out.extend([END, END]);
    out
}

/// Without a name, so that nothing is left of it.
fn scratch_file() -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let folder = scratch::folder().map_err(io::Error::other)?;
    let path = folder.join(format!("value-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}
