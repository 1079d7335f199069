//! The container format of Blosc 1: a header, blocks, and in each block one stream or one for every byte of an element, shuffled.
//!
//! # Source
//! Blosc chunk format, README_CHUNK_FORMAT.rst of C-Blosc 1.21; the streams of BloscLZ are those of FastLZ, level 2, with its far distances.

use flate2::{Decompress, FlushDecompress, Status};

const HEADER: usize = 16;
const SHUFFLED: u8 = 0x1;
const PLAIN: u8 = 0x2;
const BITS_SHUFFLED: u8 = 0x4;
const UNSPLIT: u8 = 0x10;
/// What decides whether blocks are split, where the header says nothing against it.
const MOST_SPLITS: usize = 16;
const LEAST_STREAM: usize = 128;
/// The nearest distance in BloscLZ that takes two bytes more.
const FAR: usize = 8191;

fn word(bytes: &[u8], at: usize) -> Result<usize, String> {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    let four = four.ok_or("the Blosc data end before their time")?;
    Ok(u32::from_le_bytes(four) as usize)
}

/// The bytes that a Blosc container holds, of which there must be `expected`.
///
/// # Errors
/// What is wrong with the container; another number of bytes than expected.
pub fn decompress(source: &[u8], expected: usize) -> Result<Vec<u8>, String> {
    if source.len() < HEADER {
        return Err(format!("{} bytes are no Blosc container", source.len()));
    }
    let (version, flags, typesize) = (source[0], source[2], usize::from(source[3]).max(1));
    let (bytes, block, held) = (word(source, 4)?, word(source, 8)?, word(source, 12)?);
    if version > 2 {
        return Err(format!("Blosc containers of format {version} are not read"));
    }
    if bytes != expected {
        return Err(format!("they hold {bytes} bytes in place of {expected}"));
    }
    if held > source.len() {
        return Err(format!("they are truncated: {} bytes of {held}", source.len()));
    }
    if flags & PLAIN != 0 {
        let plain = source.get(HEADER..HEADER + bytes);
        return plain
            .map(<[u8]>::to_vec)
            .ok_or_else(|| format!("they are truncated: {} bytes of {}", source.len(), HEADER + bytes));
    }
    if bytes == 0 {
        return Ok(Vec::new());
    }
    if block == 0 {
        return Err("their blocks have no bytes".into());
    }
    let mut out = vec![0; bytes];
    let mut streams = vec![0; block.min(bytes)];
    let mut decoder = Decoder::new(flags >> 5)?;
    for (i, target) in out.chunks_mut(block).enumerate() {
        let mut at = word(source, HEADER + 4 * i)?;
        let whole = target.len() == block;
        let splits =
            flags & UNSPLIT == 0 && whole && typesize <= MOST_SPLITS && block / typesize >= LEAST_STREAM;
        let count = if splits { typesize } else { 1 };
        let streams = &mut streams[..target.len()];
        let each = target.len() / count;
        // What a block holds beyond whole elements is in no stream of a split one.
        for stream in streams[..each * count].chunks_exact_mut(each) {
            let length = word(source, at)?;
            let coded = source
                .get(at + 4..(at + 4).saturating_add(length))
                .ok_or("the Blosc data end before their time")?;
            at += 4 + length;
            match length == each {
                true => stream.copy_from_slice(coded),
                false => decoder.decode(coded, stream)?,
            }
        }
        if flags & SHUFFLED != 0 && typesize > 1 {
            unshuffle(typesize, streams, target);
        } else if flags & BITS_SHUFFLED != 0 && target.len() >= typesize {
            unshuffle_bits(typesize, streams, target);
        } else {
            target.copy_from_slice(streams);
        }
    }
    Ok(out)
}

/// Bytes of elements that were put in order of their place in the element.
pub fn unshuffle(typesize: usize, from: &[u8], to: &mut [u8]) {
    fn fixed<const N: usize>(from: &[u8], to: &mut [u8]) {
        let count = to.len() / N;
        let planes: [&[u8]; N] = std::array::from_fn(|j| &from[j * count..(j + 1) * count]);
        for (i, element) in to.chunks_exact_mut(N).enumerate() {
            for (byte, plane) in element.iter_mut().zip(planes) {
                *byte = plane[i];
            }
        }
    }
    let count = to.len() / typesize;
    match typesize {
        1 => to.copy_from_slice(from),
        2 => {
            let (low, rest) = from.split_at(count);
            for ((pair, &a), &b) in to.chunks_exact_mut(2).zip(low).zip(rest) {
                pair.copy_from_slice(&[a, b]);
            }
        }
        4 => fixed::<4>(from, to),
        8 => fixed::<8>(from, to),
        _ => {
            for (i, element) in to.chunks_exact_mut(typesize).enumerate() {
                for (j, byte) in element.iter_mut().enumerate() {
                    *byte = from[j * count + i];
                }
            }
        }
    }
    let rest = count * typesize;
    to[rest..].copy_from_slice(&from[rest..]);
}

/// The same for bits. Blosc leaves a number of elements that eight does not divide as it is.
fn unshuffle_bits(typesize: usize, from: &[u8], to: &mut [u8]) {
    let count = to.len() / typesize;
    if !count.is_multiple_of(8) {
        to.copy_from_slice(from);
        return;
    }
    let line = count / 8;
    let rest = count * typesize;
    to[..rest].fill(0);
    for j in 0..typesize {
        for bit in 0..8 {
            let plane = &from[(j * 8 + bit) * line..][..line];
            for (group, &bits) in plane.iter().enumerate() {
                for k in 0..8 {
                    to[(group * 8 + k) * typesize + j] |= (bits >> k & 1) << bit;
                }
            }
        }
    }
    to[rest..].copy_from_slice(&from[rest..]);
}

/// Decodes the streams of one kind.
enum Decoder {
    BloscLz,
    Lz4,
    Snappy,
    Zlib(Box<Decompress>),
    Zstd,
}

impl Decoder {
    fn new(format: u8) -> Result<Decoder, String> {
        Ok(match format {
            0 => Decoder::BloscLz,
            1 => Decoder::Lz4,
            2 => Decoder::Snappy,
            3 => Decoder::Zlib(Box::new(Decompress::new(true))),
            4 => Decoder::Zstd,
            other => return Err(format!("Blosc's compressor {other} is not known")),
        })
    }

    /// Fills `out`.
    fn decode(&mut self, coded: &[u8], out: &mut [u8]) -> Result<(), String> {
        let wrong = |reason: String| format!("a stream of the Blosc data is damaged ({reason})");
        let made = match self {
            Decoder::BloscLz => blosclz(coded, out).ok_or("BloscLZ".to_string()).map_err(wrong)?,
            Decoder::Lz4 => {
                lz4_flex::block::decompress_into(coded, out).map_err(|e| wrong(format!("LZ4: {e}")))?
            }
            Decoder::Snappy => snap::raw::Decoder::new()
                .decompress(coded, out)
                .map_err(|e| wrong(format!("Snappy: {e}")))?,
            Decoder::Zlib(inflate) => {
                inflate.reset(true);
                let status = inflate
                    .decompress(coded, out, FlushDecompress::Finish)
                    .map_err(|e| wrong(format!("zlib: {e}")))?;
                match status {
                    Status::StreamEnd => inflate.total_out() as usize,
                    _ => return Err(wrong("zlib: it does not end".into())),
                }
            }
            Decoder::Zstd => {
                zstd::bulk::decompress_to_buffer(coded, out).map_err(|e| wrong(format!("Zstandard: {e}")))?
            }
        };
        match made == out.len() {
            true => Ok(()),
            false => Err(wrong(format!("{made} bytes in place of {}", out.len()))),
        }
    }
}

/// How many bytes of `out` were filled; None where the stream is damaged.
fn blosclz(coded: &[u8], out: &mut [u8]) -> Option<usize> {
    let (mut at, mut done) = (0, 0_usize);
    let next = |at: &mut usize| {
        let byte = coded.get(*at).copied();
        *at += 1;
        byte.map(usize::from)
    };
    let mut control = next(&mut at)? & 31;
    loop {
        if control >= 32 {
            let mut length = (control >> 5) - 1;
            let high = (control & 31) << 8;
            if length == 6 {
                loop {
                    let more = next(&mut at)?;
                    length += more;
                    if more != 255 {
                        break;
                    }
                }
            }
            let low = next(&mut at)?;
            length += 3;
            let distance = match (low, high) {
                (255, h) if h == 31 << 8 => (next(&mut at)? << 8) + next(&mut at)? + FAR,
                _ => high + low,
            } + 1;
            let from = done.checked_sub(distance)?;
            if done + length > out.len() {
                return None;
            }
            if distance >= length {
                out.copy_within(from..from + length, done);
            } else {
                for i in 0..length {
                    out[done + i] = out[from + i];
                }
            }
            done += length;
        } else {
            let length = control + 1;
            let literal = coded.get(at..at + length)?;
            out.get_mut(done..done + length)?.copy_from_slice(literal);
            at += length;
            done += length;
        }
        if at >= coded.len() {
            return Some(done);
        }
        control = next(&mut at)?;
    }
}
