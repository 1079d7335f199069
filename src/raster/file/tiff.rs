//! What the first directory of a TIFF says, as bytes: for what GDAL tells dearly.
//!
//! # Source
//! TIFF 6.0, <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>, section 2; BigTIFF,
//! <https://www.awaresystems.be/imaging/tiff/bigtiff.html>; GeoTIFF 1.1, <https://docs.ogc.org/is/19-008r4/19-008r4.html>, section 7.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Directories with more entries, and tags with more bytes than these, are left to GDAL.
const MOST_ENTRIES: u64 = 512;
const MOST_BYTES: u64 = 64 << 10;
/// The keys of a GeoTIFF, their numbers and their texts.
const GEO_KEYS: [u16; 3] = [34735, 34736, 34737];

/// Items of GDAL's own, units of bands among them.
const GDAL_METADATA: u16 = 42112;

/// What a GeoTIFF says of itself.
#[derive(Debug, PartialEq)]
pub struct Said {
    /// The bytes that it states its CRS by: the same bytes are the same CRS.
    pub keys: Vec<u8>,
    /// Whether units of bands may be among its items.
    pub has_units: bool,
}

/// None where it states no CRS or that cannot be read, and of other files.
pub fn said(file: &File) -> Option<Said> {
    let directory = Directory::first(file)?;
    let items = directory.tags.iter().find(|entry| entry.tag == GDAL_METADATA);
    let has_units = items.is_some_and(|items| {
        let role = b"unittype";
        let mut parts = directory.value(items).unwrap_or(role.to_vec());
        parts.make_ascii_lowercase();
        parts.windows(role.len()).any(|part| part == role)
    });
    let mut keys = vec![u8::from(directory.order.is_big)];
    for tag in GEO_KEYS {
        let value = match directory.tags.iter().find(|entry| entry.tag == tag) {
            Some(entry) => directory.value(entry)?,
            None if tag == GEO_KEYS[0] => return None,
            None => Vec::new(),
        };
        keys.extend((value.len() as u64).to_le_bytes());
        keys.extend(value);
    }
    Some(Said { keys, has_units })
}

struct Order {
    is_big: bool,
}

impl Order {
    /// A number of up to eight bytes.
    fn number(&self, bytes: &[u8]) -> u64 {
        let push = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        match self.is_big {
            true => bytes.iter().fold(0, push),
            false => bytes.iter().rev().fold(0, push),
        }
    }
}

/// What a directory says of one thing, as its bytes, little-endian.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub tag: u16,
    /// The number of its type.
    pub kind: u16,
    pub count: u64,
    pub value: Vec<u8>,
}

/// All that the first directory of a little-endian file says, but for what `leave` lists. None of other files.
pub fn fields(file: &File, leave: &[u16]) -> Option<Vec<Field>> {
    let directory = Directory::first(file).filter(|directory| !directory.order.is_big)?;
    let wanted = directory.tags.iter().filter(|entry| !leave.contains(&entry.tag));
    let length = file.metadata().ok()?.len();
    let field = |entry: &Entry| {
        let value = (entry.bytes <= length).then(|| read(file, entry.place, entry.bytes))?;
        Some(Field {
            tag: entry.tag,
            kind: entry.kind,
            count: entry.count,
            value: value?,
        })
    };
    wanted.map(field).collect()
}

struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    bytes: u64,
    /// Where they are: the place of the field itself, or what it says.
    place: u64,
}

struct Directory<'a> {
    file: &'a File,
    order: Order,
    tags: Vec<Entry>,
}

impl<'a> Directory<'a> {
    fn first(file: &'a File) -> Option<Directory<'a>> {
        let head = read(file, 0, 16)?;
        let order = Order {
            is_big: match &head[..2] {
                b"II" => false,
                b"MM" => true,
                _ => return None,
            },
        };
        // (bytes of the count of entries, of an entry, of a count or an offset)
        let (start, sizes) = match order.number(&head[2..4]) {
            42 => (order.number(&head[4..8]), (2, 12, 4)),
            43 if order.number(&head[4..6]) == 8 => (order.number(&head[8..16]), (8, 20, 8)),
            _ => return None,
        };
        let count = order.number(&read(file, start, sizes.0)?);
        if count > MOST_ENTRIES {
            return None;
        }
        let first = start.checked_add(sizes.0)?;
        let list = read(file, first, count * sizes.1)?;
        let entry = |(i, bytes): (usize, &[u8])| {
            let kind = order.number(&bytes[2..4]) as u16;
            let width = match kind {
                1 | 2 | 6 | 7 => 1,
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                _ => 8,
            };
            let (count, field) = bytes[4..].split_at(sizes.2);
            let count = order.number(count);
            let bytes = count.saturating_mul(width);
            let place = match bytes <= sizes.2 as u64 {
                true => first + i as u64 * sizes.1 + 4 + sizes.2 as u64,
                false => order.number(field),
            };
            let tag = order.number(&list[i * sizes.1 as usize..][..2]) as u16;
            Entry {
                tag,
                kind,
                count,
                bytes,
                place,
            }
        };
        let tags = list
            .chunks_exact(sizes.1 as usize)
            .enumerate()
            .map(entry)
            .collect();
        Some(Directory { file, order, tags })
    }

    fn value(&self, entry: &Entry) -> Option<Vec<u8>> {
        (entry.bytes <= MOST_BYTES).then(|| read(self.file, entry.place, entry.bytes))?
    }
}

fn read(file: &File, place: u64, bytes: u64) -> Option<Vec<u8>> {
    let mut out = vec![0; usize::try_from(bytes).ok()?];
    file.read_exact_at(&mut out, place).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    /// A directory of one tag of the keys, of `count` shorts at `place`, or in the field itself.
    fn little(count: u32, field: [u8; 4], rest: &[u8]) -> Vec<u8> {
        let mut bytes = b"II\x2a\0\x08\0\0\0\x01\0".to_vec();
        bytes.extend(34735u16.to_le_bytes());
        bytes.extend(3u16.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(field);
        bytes.extend([0; 4]);
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn keys_are_told_apart_by_their_bytes() {
        let keys = |bytes: &[u8]| said(&file(bytes)).map(|said| said.keys);
        let apart = little(4, 26u32.to_le_bytes(), &[1, 0, 1, 0, 0, 0, 9, 0]);
        let found = keys(&apart).unwrap();
        assert!(found.windows(8).any(|w| w == [1, 0, 1, 0, 0, 0, 9, 0]));
        let inside = keys(&little(2, [1, 0, 7, 0], &[])).unwrap();
        assert!(inside.windows(4).any(|w| w == [1, 0, 7, 0]) && inside != found);
        // Beyond the end, no TIFF, no keys.
        assert_eq!(keys(&little(400, 26u32.to_le_bytes(), &[1, 0])), None);
        assert_eq!(keys(b"II\x2a\0\xff\xff\xff\xff0000000000"), None);
        assert_eq!(keys(b"CDF\x01aaaaaaaaaaaaaaaaaaaaaaaa"), None);
        let mut other = apart.clone();
        other[10] = 1;
        assert_eq!(keys(&other), None);
    }

    proptest! {
        #[test]
        fn whatever_a_file_holds_ends_in_an_answer(
            mut bytes in prop::collection::vec(any::<u8>(), 0..400),
            head in prop_oneof![Just(b"II\x2a\0\x08\0\0\0"), Just(b"MM\0\x2a\0\0\0\x08"), Just(b"II\x2b\0\x08\0\0\0")],
            count in 0u8..40,
        ) {
            bytes.splice(..8.min(bytes.len()), *head);
            if let Some(place) = bytes.get_mut(8..10) {
                place.copy_from_slice(&[count, 0]);
            }
            let _ = said(&file(&bytes));
        }
    }

    #[test]
    fn big_files_of_the_other_order_are_read_too() {
        let mut bytes = b"MM\0\x2b\0\x08\0\0".to_vec();
        bytes.extend(16u64.to_be_bytes());
        bytes.extend(1u64.to_be_bytes());
        bytes.extend(34735u16.to_be_bytes());
        bytes.extend(3u16.to_be_bytes());
        bytes.extend(4u64.to_be_bytes());
        bytes.extend([0, 1, 0, 1, 0, 0, 0, 5]);
        let found = said(&file(&bytes)).unwrap();
        assert!(!found.has_units);
        let found = found.keys;
        assert!(found.windows(8).any(|w| w == [0, 1, 0, 1, 0, 0, 0, 5]));
    }
}
