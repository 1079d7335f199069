//! Blocks of pixels as a file holds them: neighbours differenced, or bytes of one weight brought together, then compressed.
//!
//! # Source
//! TIFF 6.0, <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>, section 14; Adobe Photoshop TIFF Technical Note 3 (predictor 3); HDF5 File
//! Format Specification, <https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html>, filter 2 (shuffle).

use std::sync::Mutex;

use zstd::bulk::Compressor;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Codec {
    None,
    /// At a level of libdeflate.
    Deflate(i32),
    Zstd(i32),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Predictor {
    None,
    /// Of whole numbers.
    Horizontal,
    /// Of floats, byte by byte.
    Floating,
    /// The first bytes of all numbers of a block, then the second ones, and so on: HDF5's.
    Shuffled,
}

/// Encodes blocks, on any thread.
pub struct Encoder {
    codec: Codec,
    predictor: Predictor,
    /// Bytes of a number, and numbers of a pixel.
    width: usize,
    bands: usize,
    /// Rows and columns of a block.
    side: usize,
    /// Rows and columns of it that the file takes.
    kept: (usize, usize),
    /// Those that wait for the next block.
    idle: Mutex<Vec<Compressor<'static>>>,
}

impl Encoder {
    pub fn new(codec: Codec, predictor: Predictor, width: usize, bands: usize, side: usize) -> Encoder {
        Encoder {
            codec,
            predictor,
            width,
            bands,
            side,
            kept: (side, side),
            idle: Mutex::default(),
        }
    }

    /// The same where files of small images have smaller blocks: the rows and columns that the image has.
    pub fn keeping(self, kept: (usize, usize)) -> Encoder {
        Encoder { kept, ..self }
    }

    /// Encodes a block of which the pixels of `size` are known; the others become like their neighbours, which takes no space. `block` is spent.
    ///
    /// # Errors
    /// What a library says of its failure.
    pub fn encode<'a>(
        &self,
        block: &'a mut [u8],
        size: (usize, usize),
        out: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], String> {
        self.pad(block, size);
        self.encode_whole(self.cut(block), out)
    }

    /// Encodes a block as it is. It is spent.
    ///
    /// # Errors
    /// What a library says of its failure.
    pub fn encode_whole<'a>(&self, block: &'a mut [u8], out: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
        let mut line = Vec::new();
        for row in block.chunks_exact_mut(self.kept.1 * self.bands * self.width) {
            match (self.predictor, self.width) {
                (Predictor::None | Predictor::Shuffled, _) => {}
                (Predictor::Horizontal, 1) => difference(row, self.bands, u8::wrapping_sub),
                (Predictor::Horizontal, 2) => {
                    difference(bytemuck::cast_slice_mut(row), self.bands, u16::wrapping_sub)
                }
                (Predictor::Horizontal, 4) => {
                    difference(bytemuck::cast_slice_mut(row), self.bands, u32::wrapping_sub)
                }
                (Predictor::Horizontal, _) => {
                    difference(bytemuck::cast_slice_mut(row), self.bands, u64::wrapping_sub)
                }
                (Predictor::Floating, 4) => split_and_difference::<4>(row, self.bands, &mut line),
                (Predictor::Floating, _) => split_and_difference::<8>(row, self.bands, &mut line),
            }
        }
        if self.predictor == Predictor::Shuffled {
            shuffle(block, self.width, &mut line);
        }
        match self.codec {
            Codec::None => Ok(block),
            Codec::Deflate(level) => deflated(block, level, out),
            Codec::Zstd(level) => self.packed(block, level, out),
        }
    }

    fn pad(&self, block: &mut [u8], (rows, cols): (usize, usize)) {
        let pixel = self.bands * self.width;
        let line = self.side * pixel;
        if cols < self.side {
            for row in block.chunks_exact_mut(line).take(rows) {
                let (known, unknown) = row.split_at_mut(cols * pixel);
                let last = &known[known.len() - pixel..];
                unknown
                    .chunks_exact_mut(pixel)
                    .for_each(|one| one.copy_from_slice(last));
            }
        }
        let (known, unknown) = block.split_at_mut(rows * line);
        let last = &known[known.len() - line..];
        unknown
            .chunks_exact_mut(line)
            .for_each(|one| one.copy_from_slice(last));
    }

    /// The rows and columns that the file takes, one after the other.
    fn cut<'a>(&self, block: &'a mut [u8]) -> &'a mut [u8] {
        let (rows, cols) = self.kept;
        let pixel = self.bands * self.width;
        if cols < self.side {
            for row in 1..rows {
                let from = row * self.side * pixel;
                block.copy_within(from..from + cols * pixel, row * cols * pixel);
            }
        }
        &mut block[..rows * cols * pixel]
    }

    fn packed<'a>(&self, block: &[u8], level: i32, out: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
        let idle = || self.idle.lock().unwrap_or_else(|e| e.into_inner());
        let waiting = idle().pop();
        let mut compressor = match waiting {
            Some(compressor) => compressor,
            None => Compressor::new(level).map_err(|e| e.to_string())?,
        };
        out.resize(zstd::zstd_safe::compress_bound(block.len()), 0);
        let bytes = compressor.compress_to_buffer(block, out.as_mut_slice());
        let bytes = bytes.map_err(|e| e.to_string())?;
        idle().push(compressor);
        Ok(&out[..bytes])
    }
}

/// By GDAL, which hands it on to libdeflate where it was built with it.
fn deflated<'a>(block: &[u8], level: i32, out: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    out.resize(block.len() + block.len() / 100 + 1024, 0);
    let mut bytes = 0;
    // SAFETY: both buffers are as long as is said; with a buffer of ours GDAL makes none.
    let made = unsafe {
        gdal_sys::CPLZLibDeflate(
            block.as_ptr().cast(),
            block.len(),
            level,
            out.as_mut_ptr().cast(),
            out.len(),
            &raw mut bytes,
        )
    };
    match made.is_null() || bytes > out.len() {
        true => Err("a block of pixels cannot be deflated".into()),
        false => Ok(&out[..bytes]),
    }
}

/// The first bytes of all numbers, then the second ones and so on.
#[multiversion::multiversion(targets("x86_64+avx2+fma", "x86_64+avx512f+avx512bw+avx512vl+avx512dq"))]
fn shuffle(block: &mut [u8], width: usize, shuffled: &mut Vec<u8>) {
    fn planes<const WIDTH: usize>(block: &[u8], shuffled: &mut [u8]) {
        let numbers = block.as_chunks::<WIDTH>().0;
        for (byte, plane) in shuffled.chunks_exact_mut(numbers.len().max(1)).enumerate() {
            for (one, number) in plane.iter_mut().zip(numbers) {
                *one = number[byte];
            }
        }
    }
    shuffled.resize(block.len(), 0);
    match width {
        2 => planes::<2>(block, shuffled),
        4 => planes::<4>(block, shuffled),
        8 => planes::<8>(block, shuffled),
        // One byte is in its place.
        _ => return,
    }
    block.copy_from_slice(shuffled);
}

/// Each number less that of the pixel before, from the end, so that none is needed twice.
fn difference<T: Copy>(row: &mut [T], bands: usize, minus: impl Fn(T, T) -> T) {
    for i in (bands..row.len()).rev() {
        row[i] = minus(row[i], row[i - bands]);
    }
}

/// The first bytes of all numbers, then the second ones and so on, most significant first; each less that of the pixel before.
#[multiversion::multiversion(targets("x86_64+avx2+fma", "x86_64+avx512f+avx512bw+avx512vl+avx512dq"))]
fn split_and_difference<const WIDTH: usize>(row: &mut [u8], bands: usize, split: &mut Vec<u8>) {
    let count = row.len() / WIDTH;
    split.resize(row.len(), 0);
    for (byte, plane) in split.chunks_exact_mut(count).enumerate() {
        let numbers = row.as_chunks::<WIDTH>().0;
        for (one, number) in plane.iter_mut().zip(numbers) {
            // Numbers are little-endian here.
            *one = number[WIDTH - 1 - byte];
        }
    }
    let (first, rest) = row.split_at_mut(bands);
    first.copy_from_slice(&split[..bands]);
    for ((one, here), before) in rest.iter_mut().zip(&split[bands..]).zip(split.iter()) {
        *one = here.wrapping_sub(*before);
    }
}

#[cfg(test)]
mod tests {
    use super::super::levels::SIDE;
    use super::*;

    /// The differences undone number by number.
    #[test]
    fn differences_can_be_undone() {
        let bands = 3;
        let numbers: Vec<f32> = (0..SIDE * SIDE * bands)
            .map(|i| (i as f32 * 0.37).sin())
            .collect();
        let mut block = bytemuck::cast_slice(&numbers).to_vec();
        let mut out = Vec::new();
        let encoder = Encoder::new(Codec::None, Predictor::Floating, 4, bands, SIDE);
        let line = SIDE * bands;
        let encoded = encoder.encode(&mut block, (SIDE, SIDE), &mut out).unwrap();
        for (row, encoded) in encoded.chunks_exact(line * 4).enumerate() {
            let mut bytes = encoded.to_vec();
            for i in bands..bytes.len() {
                bytes[i] = bytes[i].wrapping_add(bytes[i - bands]);
            }
            for i in 0..line {
                let number = f32::from_be_bytes([
                    bytes[i],
                    bytes[line + i],
                    bytes[2 * line + i],
                    bytes[3 * line + i],
                ]);
                assert_eq!(number, numbers[row * line + i]);
            }
        }
        let numbers: Vec<u16> = (0..SIDE * SIDE * bands)
            .map(|i| (i * i % 65_521) as u16)
            .collect();
        let mut block = bytemuck::cast_slice(&numbers).to_vec();
        let encoder = Encoder::new(Codec::None, Predictor::Horizontal, 2, bands, SIDE);
        let encoded = encoder.encode(&mut block, (SIDE, SIDE), &mut out).unwrap();
        for (row, encoded) in encoded.chunks_exact(line * 2).enumerate() {
            let mut sum = vec![0u16; bands];
            for (i, bytes) in encoded.as_chunks::<2>().0.iter().enumerate() {
                sum[i % bands] = sum[i % bands].wrapping_add(u16::from_le_bytes(*bytes));
                assert_eq!(sum[i % bands], numbers[row * line + i]);
            }
        }
    }

    #[test]
    fn bytes_of_one_weight_come_together_in_what_is_kept() {
        let (side, kept) = (64, (5, 7));
        let numbers: Vec<u32> = (0..side * side).map(|i| (i * 2_654_435) as u32).collect();
        let mut block = bytemuck::cast_slice(&numbers).to_vec();
        let mut out = Vec::new();
        let encoder = Encoder::new(Codec::None, Predictor::Shuffled, 4, 1, side).keeping(kept);
        let encoded = encoder.encode(&mut block, kept, &mut out).unwrap();
        assert_eq!(encoded.len(), 5 * 7 * 4);
        for i in 0..5 * 7 {
            let number = u32::from_le_bytes([0, 1, 2, 3].map(|byte| encoded[byte * 35 + i]));
            assert_eq!(number, numbers[i / 7 * side + i % 7]);
        }
    }

    #[test]
    fn blocks_go_through_their_codecs() {
        let numbers: Vec<u8> = (0..SIDE * SIDE).map(|i| (i / 700 % 7) as u8).collect();
        for (codec, least) in [
            (Codec::Deflate(6), 100),
            (Codec::Zstd(9), 100),
            (Codec::None, SIDE * SIDE),
        ] {
            let (mut block, mut out) = (numbers.clone(), Vec::new());
            let encoder = Encoder::new(codec, Predictor::None, 1, 1, SIDE);
            let encoded = encoder.encode(&mut block, (SIDE, SIDE), &mut out).unwrap();
            assert!(encoded.len() >= least && (codec == Codec::None || encoded.len() < numbers.len() / 20));
            let decoded = match codec {
                Codec::None => encoded.to_vec(),
                Codec::Zstd(_) => zstd::bulk::decompress(encoded, numbers.len()).unwrap(),
                Codec::Deflate(_) => {
                    let mut decoded = Vec::new();
                    let mut decoder = flate2::read::ZlibDecoder::new(encoded);
                    std::io::Read::read_to_end(&mut decoder, &mut decoded).unwrap();
                    decoded
                }
            };
            assert_eq!(decoded, numbers);
        }
    }

    #[test]
    fn what_is_beyond_the_image_is_like_its_edge() {
        let encoder = Encoder::new(Codec::None, Predictor::None, 2, 1, SIDE);
        let mut block = vec![0u8; SIDE * SIDE * 2];
        block[..4].copy_from_slice(&[1, 2, 3, 4]);
        let mut out = Vec::new();
        let encoded = encoder.encode(&mut block, (1, 2), &mut out).unwrap();
        assert_eq!(&encoded[..2], &[1, 2]);
        for row in encoded.chunks_exact(SIDE * 2) {
            assert!(row[2..].as_chunks::<2>().0.iter().all(|pixel| *pixel == [3, 4]));
        }
    }
}
