//! Where directories and blocks of a GeoTIFF lie. The smallest overview comes first, and blocks of an image band by band, row by row.
//!
//! # Source
//! TIFF 6.0, <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>, section 2; BigTIFF,
//! <https://www.awaresystems.be/imaging/tiff/bigtiff.html>; Cloud Optimized GeoTIFF, <https://docs.ogc.org/is/21-026/21-026.html>; GDAL's page of the
//! driver COG, section "Header ghost area".

use crate::raster::file::tiff::Field;

const NEW_SUBFILE_TYPE: u16 = 254;
const WIDTH: u16 = 256;
const LENGTH: u16 = 257;
pub const TILE_OFFSETS: u16 = 324;
pub const TILE_BYTES: u16 = 325;
/// What an overview says like its image: bits of a sample, compression, photometric interpretation, samples of a pixel, their arrangement, predictor,
/// colours, sides of tiles, extra samples, kinds of samples, GDAL's nodata.
const SHARED: [u16; 12] = [258, 259, 262, 277, 284, 317, 320, 322, 323, 338, 339, 42113];

const SHORT: u16 = 3;
const LONG: u16 = 4;
const LONG8: u16 = 16;

/// Bytes before and after each block.
const LEADER: u64 = 4;
const TRAILER: u64 = 4;

/// One image of the file: rows, columns, and how many bytes each of its blocks has, row by row.
pub struct Image {
    pub size: (usize, usize),
    pub blocks: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrangement {
    /// Cloud Optimised: what the file says of itself, directories, framed blocks.
    Cog,
    /// Directories, then blocks.
    Plain,
    /// Blocks, which lie from `FIRST` on already, then directories.
    Behind,
}

/// Where the first block lies, where directories come behind.
pub const FIRST: u64 = 16;

/// What a file holds beside its blocks.
pub struct Layout {
    /// Its start. Where directories come first, they are in it.
    pub head: Vec<u8>,
    /// What comes behind the blocks.
    pub tail: Vec<u8>,
    /// Bytes of the whole file.
    end: u64,
}

/// What GDAL, and readers like it, look for behind the header to know in which order things are.
fn promises() -> Vec<u8> {
    // The space is there for a YES in place of NO, by who edits the file.
    let text = "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\n\
                KNOWN_INCOMPATIBLE_EDITION=NO\n ";
    format!("GDAL_STRUCTURAL_METADATA_SIZE={:06} bytes\n{text}", text.len()).into_bytes()
}

impl Layout {
    /// `fields` are what the image says of itself, in any order; of `images` the first is the image, and overviews follow.
    pub fn new(fields: &[Field], images: &[Image], arrangement: Arrangement) -> Layout {
        let small = Layout::of(fields, images, arrangement, false);
        match small.end <= u64::from(u32::MAX) {
            true => small,
            false => Layout::of(fields, images, arrangement, true),
        }
    }

    fn of(fields: &[Field], images: &[Image], arrangement: Arrangement, is_big: bool) -> Layout {
        let mut head = match is_big {
            false => b"II\x2a\0\0\0\0\0".to_vec(),
            true => b"II\x2b\0\x08\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
        };
        let frame = match arrangement {
            Arrangement::Cog => (LEADER, TRAILER),
            Arrangement::Plain | Arrangement::Behind => (0, 0),
        };
        if arrangement == Arrangement::Cog {
            head.extend(promises());
        }
        let bytes = |image: &Image| -> u64 {
            let blocks = image.blocks.iter();
            blocks.map(|bytes| frame.0 + u64::from(*bytes) + frame.1).sum()
        };
        let first = match arrangement {
            Arrangement::Cog | Arrangement::Plain => head.len() as u64,
            Arrangement::Behind => FIRST + images.iter().map(bytes).sum::<u64>(),
        }
        .next_multiple_of(8);
        let mut directories: Vec<Directory> = images
            .iter()
            .enumerate()
            .map(|(i, image)| Directory::new(fields, image, i > 0, is_big))
            .collect();
        let mut at = first;
        for directory in &mut directories {
            directory.start = at;
            at = (at + directory.bytes()).next_multiple_of(8);
        }
        let mut place = match arrangement {
            Arrangement::Cog | Arrangement::Plain => at,
            Arrangement::Behind => FIRST,
        };
        for (directory, image) in directories.iter_mut().zip(images).rev() {
            let mut places = Vec::with_capacity(image.blocks.len());
            for bytes in &image.blocks {
                places.push(place + frame.0);
                place += frame.0 + u64::from(*bytes) + frame.1;
            }
            directory.set_places(&places);
        }
        let starts: Vec<u64> = directories.iter().map(|directory| directory.start).collect();
        let field = if is_big { 8..16 } else { 4..8 };
        let size = field.len();
        head[field].copy_from_slice(&first.to_le_bytes()[..size]);
        let mut written = Vec::new();
        for (directory, next) in directories.iter().zip(starts.iter().skip(1).chain([&0])) {
            directory.write(*next, &mut written);
            written.resize(written.len().next_multiple_of(8), 0);
        }
        let end = at.max(place);
        match arrangement {
            Arrangement::Cog | Arrangement::Plain => {
                head.resize(first as usize, 0);
                head.extend(written);
                Layout {
                    head,
                    tail: Vec::new(),
                    end,
                }
            }
            Arrangement::Behind => {
                head.resize(FIRST as usize, 0);
                // From the end of the last block on.
                let mut tail = vec![0; (first - place) as usize];
                tail.extend(written);
                Layout { head, tail, end }
            }
        }
    }
}

struct Directory {
    fields: Vec<Field>,
    is_big: bool,
    start: u64,
}

impl Directory {
    fn new(fields: &[Field], image: &Image, is_overview: bool, is_big: bool) -> Directory {
        let own = [NEW_SUBFILE_TYPE, WIDTH, LENGTH, TILE_OFFSETS, TILE_BYTES];
        let shared =
            |field: &&Field| !own.contains(&field.tag) && (!is_overview || SHARED.contains(&field.tag));
        let mut fields: Vec<Field> = fields.iter().filter(shared).cloned().collect();
        if is_overview {
            fields.push(number(NEW_SUBFILE_TYPE, 1, LONG));
        }
        fields.push(side(WIDTH, image.size.1));
        fields.push(side(LENGTH, image.size.0));
        let (kind, width) = if is_big { (LONG8, 8) } else { (LONG, 4) };
        fields.push(Field {
            tag: TILE_OFFSETS,
            kind,
            count: image.blocks.len() as u64,
            value: vec![0; image.blocks.len() * width],
        });
        fields.push(Field {
            tag: TILE_BYTES,
            kind: LONG,
            count: image.blocks.len() as u64,
            value: image
                .blocks
                .iter()
                .flat_map(|bytes| bytes.to_le_bytes())
                .collect(),
        });
        fields.sort_by_key(|field| field.tag);
        Directory {
            fields,
            is_big,
            start: 0,
        }
    }

    fn set_places(&mut self, places: &[u64]) {
        let width = if self.is_big { 8 } else { 4 };
        if let Some(field) = self.fields.iter_mut().find(|field| field.tag == TILE_OFFSETS) {
            // Those that need more bytes are of a layout that is not taken.
            field.value = places
                .iter()
                .flat_map(|place| place.to_le_bytes()[..width].to_vec())
                .collect();
        }
    }

    /// Bytes of a count of entries, of an entry, and of an offset.
    fn sizes(&self) -> (usize, usize, usize) {
        if self.is_big { (8, 20, 8) } else { (2, 12, 4) }
    }

    /// Bytes of the directory itself, then of what does not fit its entries.
    fn bytes(&self) -> u64 {
        let (count, entry, offset) = self.sizes();
        let own = (count + self.fields.len() * entry + offset).next_multiple_of(8);
        let apart = self.fields.iter().map(|field| field.value.len());
        let apart: usize = apart
            .filter(|bytes| *bytes > offset)
            .map(|bytes| bytes.next_multiple_of(8))
            .sum();
        (own + apart) as u64
    }

    fn write(&self, next: u64, out: &mut Vec<u8>) {
        let (count, entry, offset) = self.sizes();
        let own = (count + self.fields.len() * entry + offset).next_multiple_of(8);
        let begin = out.len();
        let mut apart = Vec::new();
        out.extend(&(self.fields.len() as u64).to_le_bytes()[..count]);
        for field in &self.fields {
            out.extend(field.tag.to_le_bytes());
            out.extend(field.kind.to_le_bytes());
            out.extend(&field.count.to_le_bytes()[..offset]);
            let mut value = field.value.clone();
            if value.len() > offset {
                let place = self.start + (own + apart.len()) as u64;
                apart.extend(&value);
                apart.resize(apart.len().next_multiple_of(8), 0);
                value = place.to_le_bytes().to_vec();
            }
            value.resize(offset, 0);
            out.extend(value);
        }
        out.extend(&next.to_le_bytes()[..offset]);
        out.resize(begin + own, 0);
        out.extend(apart);
    }
}

fn number(tag: u16, value: u32, kind: u16) -> Field {
    Field {
        tag,
        kind,
        count: 1,
        value: value.to_le_bytes().to_vec(),
    }
}

fn side(tag: u16, size: usize) -> Field {
    match u16::try_from(size) {
        Ok(size) => Field {
            tag,
            kind: SHORT,
            count: 1,
            value: size.to_le_bytes().to_vec(),
        },
        Err(_) => number(tag, size as u32, LONG),
    }
}

/// A block with what readers of streams look for before and after it: how many bytes it has, and its last four.
pub fn framed(block: &[u8], out: &mut Vec<u8>) {
    out.extend((block.len() as u32).to_le_bytes());
    out.extend(block);
    let mut last = [0; TRAILER as usize];
    let known = block.len().min(last.len());
    let unknown = last.len() - known;
    last[unknown..].copy_from_slice(&block[block.len() - known..]);
    out.extend(last);
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use gdal::Dataset;

    use super::*;

    const SIDE: usize = 8192;
    const BLOCK: u64 = (SIDE * SIDE) as u64;

    /// Of bytes in blocks of `SIDE`², as they are.
    fn fields() -> Vec<Field> {
        let shorts = [
            (258, 8),
            (259, 1),
            (262, 1),
            (277, 1),
            (284, 1),
            (322, SIDE),
            (323, SIDE),
            (339, 1),
        ];
        shorts.map(|(tag, value)| side(tag, value)).into()
    }

    /// Files with holes, of which each block says its number in its first and its last pixel, read by GDAL.
    #[test]
    fn files_beyond_4_gib_are_read_to_their_last_block() {
        let folder = tempfile::tempdir().unwrap();
        gdal::DriverManager::register_all();
        for (arrangement, rows, is_big) in [
            (Arrangement::Behind, 70, true),
            (Arrangement::Plain, 70, true),
            (Arrangement::Cog, 70, true),
            (Arrangement::Behind, 3, false),
            (Arrangement::Plain, 3, false),
            (Arrangement::Cog, 3, false),
        ] {
            // Of an image with an overview the file has the latter first.
            let of = |rows: usize| Image {
                size: (rows * SIDE, SIDE),
                blocks: vec![BLOCK as u32; rows],
            };
            let images = match arrangement {
                Arrangement::Behind => vec![of(rows)],
                Arrangement::Plain | Arrangement::Cog => vec![of(rows), of(rows.div_ceil(2))],
            };
            let Layout { head, tail, end } = Layout::new(&fields(), &images, arrangement);
            assert_eq!(head[2] == 0x2b, is_big, "{arrangement:?}");
            let path = folder.path().join("a.tif");
            let file = File::create(&path).unwrap();
            file.write_all_at(&head, 0).unwrap();
            let mut at = head.len() as u64;
            for (level, image) in images.iter().enumerate().rev() {
                for number in 0..image.blocks.len() {
                    let leader = if arrangement == Arrangement::Cog { 4 } else { 0 };
                    let value = [100 * level as u8 + number as u8 + 1];
                    file.write_all_at(&(BLOCK as u32).to_le_bytes()[..leader as usize], at)
                        .unwrap();
                    file.write_all_at(&value, at + leader).unwrap();
                    file.write_all_at(&value, at + leader + BLOCK - 1).unwrap();
                    at += leader + BLOCK + leader;
                }
            }
            file.write_all_at(&tail, at).unwrap();
            file.set_len(end).unwrap();
            drop(file);

            let dataset = Dataset::open(&path).unwrap();
            let band = dataset.rasterband(1).unwrap();
            assert_eq!(dataset.raster_size(), (SIDE, rows * SIDE));
            let pixel = |band: &gdal::raster::RasterBand, row: usize, col: usize| {
                band.read_as::<u8>((col as isize, row as isize), (1, 1), (1, 1), None)
                    .unwrap()
                    .data()[0]
            };
            for number in [0, 1, rows - 1] {
                assert_eq!(
                    pixel(&band, number * SIDE, 0),
                    number as u8 + 1,
                    "{arrangement:?}"
                );
                assert_eq!(pixel(&band, number * SIDE + SIDE - 1, SIDE - 1), number as u8 + 1);
                assert_eq!(pixel(&band, number * SIDE + 1, 0), 0);
            }
            if arrangement != Arrangement::Behind {
                let overview = band.overview(0).unwrap();
                let last = rows.div_ceil(2) - 1;
                assert_eq!(pixel(&overview, last * SIDE, 0), 100 + last as u8 + 1);
            }
        }
    }
}
