//! From the bytes of a chunk to its elements, in C order and little-endian: the codecs of Zarr 2 and 3.
//!
//! # Source
//! Zarr core specification, version 3.0, and its codecs (bytes, blosc, gzip, zstd, crc32c, transpose); Zarr storage specification, version 2;
//! numcodecs for the formats of version 2.

use std::io::Read;

use serde_json::Value as Json;

use super::blosc;

/// A step from what is stored to the elements, or back.
#[derive(Debug, Clone, PartialEq)]
pub enum Codec {
    Blosc,
    Zlib,
    Gzip,
    /// Written by this level.
    Zstd(i32),
    /// With its size before it, as numcodecs writes it.
    Lz4,
    Crc32c,
    Shuffle(usize),
    /// Differences of little-endian integers of this width.
    Delta(usize),
}

/// All that is done to a chunk before it is stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Codecs {
    /// Of the axes as they are stored, the axis of the array that each is; none where they are in its order.
    pub order: Option<Vec<usize>>,
    pub big_endian: bool,
    /// In the order in which they are applied when a chunk is written.
    pub bytes: Vec<Codec>,
}

/// Codecs that are known, by the names of both versions.
const NAMES: &str = "blosc, zlib, gzip, zstd, lz4, crc32c, shuffle, delta, transpose, sharding_indexed";

/// The level of Zstandard, where it matters to nobody.
const LEVEL: i32 = 3;

impl Codec {
    /// By its name and its parameters. `width`: of an element, in bytes.
    ///
    /// # Errors
    /// A codec that is not known here.
    pub fn named(name: &str, parameters: &Json, width: usize) -> Result<Codec, String> {
        Ok(match name.strip_prefix("numcodecs.").unwrap_or(name) {
            "blosc" => Codec::Blosc,
            "zlib" => Codec::Zlib,
            "gzip" => Codec::Gzip,
            "zstd" => Codec::Zstd(LEVEL),
            "lz4" => Codec::Lz4,
            "crc32c" if name == "crc32c" => Codec::Crc32c,
            "shuffle" => {
                let size = parameters.get("elementsize").and_then(Json::as_u64).unwrap_or(4);
                Codec::Shuffle(usize::try_from(size).map_err(|e| e.to_string())?.max(1))
            }
            "delta" => {
                let same = |key: &str| parameters.get(key).and_then(Json::as_str);
                let kind = same("dtype").unwrap_or_default();
                let is_integer =
                    kind.starts_with(['<', '|']) && kind.get(1..2).is_some_and(|k| k == "i" || k == "u");
                if !is_integer || same("astype").is_some_and(|other| other != kind) {
                    return Err(format!(
                        "is written by the codec delta of {kind}, which is not known here"
                    ));
                }
                Codec::Delta(width)
            }
            _ => {
                return Err(format!(
                    "is written by the codec {name}, which is not known here (there are {NAMES}); write it anew with one of these"
                ));
            }
        })
    }

    fn decode(&self, bytes: Vec<u8>, expected: usize) -> Result<Vec<u8>, String> {
        // A checksum may come before or after.
        let most = expected + 64;
        match self {
            Codec::Blosc => blosc::decompress(&bytes, expected),
            Codec::Zlib => inflated(flate2::read::ZlibDecoder::new(bytes.as_slice()), expected, most),
            Codec::Gzip => inflated(
                flate2::read::MultiGzDecoder::new(bytes.as_slice()),
                expected,
                most,
            ),
            Codec::Zstd(_) => zstd::bulk::decompress(&bytes, most)
                .map_err(|e| format!("the Zstandard data are damaged or truncated ({e})")),
            Codec::Lz4 => {
                let size = bytes
                    .get(..4)
                    .and_then(|four| four.try_into().ok())
                    .map(u32::from_le_bytes);
                let size = size.ok_or("the LZ4 data are truncated")? as usize;
                if size > most {
                    return Err(format!("they hold {size} bytes in place of {expected}"));
                }
                let mut out = vec![0; size];
                let made = lz4_flex::block::decompress_into(&bytes[4..], &mut out)
                    .map_err(|e| format!("the LZ4 data are damaged or truncated ({e})"))?;
                out.truncate(made);
                Ok(out)
            }
            Codec::Crc32c => {
                let (data, sum) = bytes.split_last_chunk::<4>().ok_or("the checksum is missing")?;
                match crc32c(data) == u32::from_le_bytes(*sum) {
                    true => Ok(data.to_vec()),
                    false => Err("the checksum is another than that of the bytes: they are damaged".into()),
                }
            }
            Codec::Shuffle(size) => {
                let mut out = vec![0; bytes.len()];
                blosc::unshuffle(*size, &bytes, &mut out);
                Ok(out)
            }
            Codec::Delta(width) => {
                let mut out = bytes;
                match width {
                    1 => summed(&mut out, u8::from_le_bytes, u8::to_le_bytes, u8::wrapping_add),
                    2 => summed(&mut out, u16::from_le_bytes, u16::to_le_bytes, u16::wrapping_add),
                    4 => summed(&mut out, u32::from_le_bytes, u32::to_le_bytes, u32::wrapping_add),
                    _ => summed(&mut out, u64::from_le_bytes, u64::to_le_bytes, u64::wrapping_add),
                }
                Ok(out)
            }
        }
    }

    /// # Errors
    /// A codec that nothing is written by.
    fn encode(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        match self {
            Codec::Zstd(level) => zstd::bulk::compress(&bytes, *level).map_err(|e| e.to_string()),
            Codec::Crc32c => {
                let sum = crc32c(&bytes);
                let mut out = bytes;
                out.extend_from_slice(&sum.to_le_bytes());
                Ok(out)
            }
            other => Err(format!("nothing is written by the codec {other:?}")),
        }
    }
}

fn summed<T: Copy, const N: usize>(
    bytes: &mut [u8],
    from: fn([u8; N]) -> T,
    to: fn(T) -> [u8; N],
    add: fn(T, T) -> T,
) {
    let mut last: Option<T> = None;
    for chunk in bytes.as_chunks_mut::<N>().0 {
        let value = from(*chunk);
        let value = last.map_or(value, |last| add(last, value));
        *chunk = to(value);
        last = Some(value);
    }
}

fn inflated(decoder: impl Read, expected: usize, most: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(expected);
    decoder
        .take(most as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|e| format!("the compressed data are damaged or truncated ({e})"))?;
    Ok(out)
}

impl Codecs {
    /// The elements of a chunk of this shape, of `width` bytes each, whose parts of `part` bytes are swapped where they are big-endian.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn decode(
        &self,
        stored: Vec<u8>,
        shape: &[usize],
        width: usize,
        part: usize,
    ) -> Result<Vec<u8>, String> {
        let expected = shape.iter().product::<usize>() * width;
        let mut bytes = stored;
        for codec in self.bytes.iter().rev() {
            bytes = codec.decode(bytes, expected)?;
        }
        if bytes.len() != expected {
            return Err(format!(
                "it holds {} bytes in place of {expected}: it is truncated, or not of this array",
                bytes.len()
            ));
        }
        if self.big_endian && part > 1 {
            bytes.chunks_exact_mut(part).for_each(<[u8]>::reverse);
        }
        Ok(match &self.order {
            Some(order) => in_order(&bytes, shape, order, width),
            None => bytes,
        })
    }

    /// What is stored of a chunk's elements.
    ///
    /// # Errors
    /// A codec that nothing is written by.
    pub fn encode(&self, elements: Vec<u8>) -> Result<Vec<u8>, String> {
        self.bytes
            .iter()
            .try_fold(elements, |bytes, codec| codec.encode(bytes))
    }
}

/// Elements in C order of `shape`, of those that are stored with the axes in `order`.
fn in_order(stored: &[u8], shape: &[usize], order: &[usize], width: usize) -> Vec<u8> {
    // Of each axis of the array, how far apart its elements are stored.
    let mut strides = vec![0; shape.len()];
    let mut step = width;
    for &axis in order.iter().rev() {
        strides[axis] = step;
        step *= shape[axis];
    }
    let mut out = Vec::with_capacity(stored.len());
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    while out.len() < stored.len() {
        out.extend_from_slice(&stored[at..at + width]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    out
}

/// CRC-32C (Castagnoli), RFC 3720, appendix B.4.
pub fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let mut value = i as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 {
                    value >> 1 ^ 0x82F6_3B78
                } else {
                    value >> 1
                };
                bit += 1;
            }
            table[i] = value;
            i += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc: u32, byte| {
        crc >> 8 ^ TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize]
    })
}
