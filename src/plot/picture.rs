//! Pixels ready for a screen or a PNG file.

use crate::error::{Error, Result};

/// An RGBA image, 8 bits a channel, straight opacity, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// `height` × `width` × 4 bytes.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// All pixels transparent.
    pub fn new(width: usize, height: usize) -> Picture {
        Picture {
            width,
            height,
            pixels: vec![0; width * height * 4],
        }
    }

    /// The bytes (r, g, b, a) of a pixel.
    pub fn get(&self, x: usize, y: usize) -> [u8; 4] {
        let at = (y * self.width + x) * 4;
        [
            self.pixels[at],
            self.pixels[at + 1],
            self.pixels[at + 2],
            self.pixels[at + 3],
        ]
    }

    /// Scaled to another size: each new pixel is the mean of what it covers, weighted by opacity.
    pub fn resized(&self, width: usize, height: usize) -> Picture {
        let mut out = Picture::new(width, height);
        if self.width == 0 || self.height == 0 {
            return out;
        }
        let columns: Vec<Vec<(usize, f64)>> = (0..width).map(|x| cover(x, width, self.width)).collect();
        for y in 0..height {
            let rows = cover(y, height, self.height);
            for (x, columns) in columns.iter().enumerate() {
                let (mut sum, mut total) = ([0.0; 4], 0.0);
                for &(row, row_share) in &rows {
                    for &(column, column_share) in columns {
                        let share = row_share * column_share;
                        let [r, g, b, a] = self.get(column, row).map(f64::from);
                        sum[0] += r * a * share;
                        sum[1] += g * a * share;
                        sum[2] += b * a * share;
                        sum[3] += a * share;
                        total += share;
                    }
                }
                if sum[3] > 0.0 {
                    let at = (y * width + x) * 4;
                    for c in 0..3 {
                        out.pixels[at + c] = (sum[c] / sum[3]).round() as u8;
                    }
                    out.pixels[at + 3] = (sum[3] / total).round() as u8;
                }
            }
        }
        out
    }

    /// As a PNG file, with its resolution where `dpi` is given.
    ///
    /// # Errors
    /// A picture without pixels, or larger than PNG holds.
    pub fn png(&self, dpi: Option<f64>) -> Result<Vec<u8>> {
        let opaque = self.pixels.chunks_exact(4).all(|p| p[3] == 255);
        let mut bytes = Vec::new();
        let failed = |e: png::EncodingError| Error::message(format!("encoding a PNG picture: {e}"));
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_color(if opaque {
            png::ColorType::Rgb
        } else {
            png::ColorType::Rgba
        });
        encoder.set_compression(png::Compression::Balanced);
        if let Some(dpi) = dpi {
            let per_metre = (dpi / 0.0254).round() as u32;
            encoder.set_pixel_dims(Some(png::PixelDimensions {
                xppu: per_metre,
                yppu: per_metre,
                unit: png::Unit::Meter,
            }));
        }
        let mut writer = encoder.write_header().map_err(failed)?;
        if opaque {
            let rgb: Vec<u8> = self
                .pixels
                .chunks_exact(4)
                .flat_map(|p| [p[0], p[1], p[2]])
                .collect();
            writer.write_image_data(&rgb).map_err(failed)?;
        } else {
            writer.write_image_data(&self.pixels).map_err(failed)?;
        }
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }
}

/// The source pixels under target pixel `at`, each with the share of it that is covered.
fn cover(at: usize, target: usize, source: usize) -> Vec<(usize, f64)> {
    let scale = source as f64 / target as f64;
    if scale <= 1.0 {
        let centre = ((at as f64 + 0.5) * scale) as usize;
        return vec![(centre.min(source - 1), 1.0)];
    }
    let (from, to) = (at as f64 * scale, (at + 1) as f64 * scale);
    (from as usize..(to.ceil() as usize).min(source))
        .map(|i| (i, to.min((i + 1) as f64) - from.max(i as f64)))
        .filter(|(_, share)| *share > 1e-9)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkers(width: usize, height: usize) -> Picture {
        let mut p = Picture::new(width, height);
        for (i, pixel) in p.pixels.chunks_exact_mut(4).enumerate() {
            let level = if (i % width + i / width).is_multiple_of(2) {
                0
            } else {
                200
            };
            pixel.copy_from_slice(&[level, level, level, 255]);
        }
        p
    }

    #[test]
    fn shrinking_is_the_mean() {
        let small = checkers(8, 6).resized(4, 3);
        assert!(small.pixels.chunks_exact(4).all(|p| p == [100, 100, 100, 255]));
    }

    #[test]
    fn transparent_pixels_do_not_darken_their_neighbours() {
        let mut p = Picture::new(2, 1);
        p.pixels[..4].copy_from_slice(&[200, 100, 50, 255]);
        assert_eq!(p.resized(1, 1).get(0, 0), [200, 100, 50, 128]);
    }

    #[test]
    fn growing_repeats_pixels() {
        let big = checkers(2, 1).resized(4, 2);
        assert_eq!(big.get(1, 1)[0], 0);
        assert_eq!(big.get(2, 1)[0], 200);
    }

    #[test]
    fn png_survives_a_round_trip() {
        for picture in [checkers(5, 4), Picture::new(3, 2)] {
            let bytes = picture.png(Some(150.0)).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
                .read_info()
                .unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            assert_eq!(
                (info.width as usize, info.height as usize),
                (picture.width, picture.height)
            );
            assert_eq!(reader.info().pixel_dims.unwrap().xppu, 5906);
            let expected: Vec<u8> = match info.color_type {
                png::ColorType::Rgb => picture.pixels.chunks(4).flat_map(|p| p[..3].to_vec()).collect(),
                _ => picture.pixels.clone(),
            };
            assert_eq!(pixels, expected);
        }
    }
}
