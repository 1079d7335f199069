//! Multi-temporal speckle filter of Quegan and Yu.

use std::sync::Arc;

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::moments::LocalMoments;
use super::padded::Padded;
use super::speckle::{check_power, check_size};
use crate::described;
use crate::error::{Error, Result};
use crate::raster::describe::{Description, Site};
use crate::raster::doubt;
use crate::raster::{Band, DType, Operation, Pixels, Port, Raster, View, Window};

/// Quegan and Yu's filter: every image keeps its own local mean, and shares with the others what differs from it.
///
/// `padded`: co-registered images, as power, all of one shape, grown by (size − 1) / 2 pixels on every side, NaN outside
/// the image and where masked. `size`: width of the square window in pixels, odd. Returns as many images, without the halo.
///
/// With Iᵢ the pixel in image i and μᵢ the mean of its window, image k becomes μₖ / N′ · Σᵢ Iᵢ / μᵢ. The sum runs over the N′
/// images that have a valid pixel there and a mean above 0; where none has, the result is μₖ.
///
/// # Nodata
/// Footprints are respected: an image that is masked at a pixel drops out of the others' sum there, and stays masked.
/// Masked pixels and those outside the image drop out of the window.
///
/// # Source
/// S. Quegan and J. J. Yu, "Filtering of multichannel SAR images", IEEE TGRS 39(11), 2001, doi:10.1109/36.964973, the
/// simplified form, for images whose speckle is uncorrelated.
pub fn filter_tiles(padded: &[ArrayView2<'_, f32>], size: usize) -> Vec<Array2<f32>> {
    let tiles: Vec<Padded> = padded.iter().map(|p| Padded::new(p.view(), size / 2)).collect();
    let Some(first) = tiles.first() else {
        return Vec::new();
    };
    let (rows, cols) = (first.rows, first.cols);
    let mut outputs = vec![vec![0f32; rows * cols]; tiles.len()];
    let mut local: Vec<LocalMoments> = tiles.iter().map(|t| LocalMoments::new(t, size)).collect();
    let (mut sum, mut count) = (vec![0f64; cols], vec![0f64; cols]);
    for row in 0..rows {
        sum.fill(0.0);
        count.fill(0.0);
        for (tile, local) in tiles.iter().zip(&mut local) {
            local.compute(tile, row);
            add_ratio(
                tile.centre(row),
                tile.centre_weights(row),
                &local.mean,
                &mut sum,
                &mut count,
            );
        }
        for ((tile, local), output) in tiles.iter().zip(&local).zip(&mut outputs) {
            let out = &mut output[row * cols..(row + 1) * cols];
            scale(&local.mean, &sum, &count, out);
            tile.mask_row(row, out);
        }
    }
    let array = |pixels| Array2::from_shape_vec((rows, cols), pixels).unwrap_or_default();
    outputs.into_iter().map(array).collect()
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn add_ratio(pixels: &[f32], weights: &[f32], mean: &[f64], sum: &mut [f64], count: &mut [f64]) {
    let n = sum.len();
    let (pixels, mean, count) = (&pixels[..n], &mean[..n], &mut count[..n]);
    if weights.is_empty() {
        for c in 0..n {
            let counts = mean[c] > 0.0;
            sum[c] += if counts {
                f64::from(pixels[c]) / mean[c]
            } else {
                0.0
            };
            count[c] += if counts { 1.0 } else { 0.0 };
        }
    } else {
        let weights = &weights[..n];
        for c in 0..n {
            let counts = weights[c] != 0.0 && mean[c] > 0.0;
            sum[c] += if counts {
                f64::from(pixels[c]) / mean[c]
            } else {
                0.0
            };
            count[c] += if counts { 1.0 } else { 0.0 };
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn scale(mean: &[f64], sum: &[f64], count: &[f64], out: &mut [f32]) {
    let n = out.len();
    let (mean, sum, count) = (&mean[..n], &sum[..n], &count[..n]);
    for c in 0..n {
        let ratio = if count[c] > 0.0 { sum[c] / count[c] } else { 1.0 };
        out[c] = (mean[c] * ratio) as f32;
    }
}

/// `filter_tiles` as an operation of the engine: as many outputs as inputs, all in power.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Quegan {
    size: usize,
    images: usize,
}

impl Quegan {
    /// # Errors
    /// A size that is even, below 3 or above 101; no image.
    pub fn new(size: usize, images: usize) -> Result<Quegan> {
        if images == 0 {
            return Err(Error::argument("images", "at least one", images));
        }
        let size = check_size(size)?;
        Ok(Quegan { size, images })
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(self.images)?.on_grid()?.real()?;
        Quegan::new(self.size, self.images).map(drop)
    }
}

described!(Quegan, Tiles, "filter.quegan", 1, Quegan::check);

impl Operation for Quegan {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("filter.quegan(size {}, {} images)", self.size, self.images)
    }

    fn outputs(&self) -> usize {
        self.images
    }

    fn needs(&self, _index: usize, out: Window) -> Window {
        out.grow(self.size / 2, self.size / 2)
    }

    fn compute(&self, _out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let pixels: Vec<_> = inputs.iter().map(View::f32).collect();
        let views: Vec<_> = pixels.iter().map(|p| p.view()).collect();
        Ok(filter_tiles(&views, self.size)
            .into_iter()
            .map(Pixels::F32)
            .collect())
    }
}

/// Images of one place, in power, through the filter of Quegan and Yu, band by band: the first bands of all images
/// together, the second bands of all images together, and so on. See `filter_tiles`. Returns as many images, each with
/// its own time and properties.
///
/// # Errors
/// No image; grids or band names that differ; bands in dB, amplitude or complex; sizes as `Quegan::new`.
pub fn quegan(images: &[Raster], size: usize) -> Result<Vec<Raster>> {
    let operation = Arc::new(Quegan::new(size, images.len())?);
    let first = &images[0];
    for image in images {
        check_power(image)?;
        first.check_grid(image)?;
        if image.band_names() != first.band_names() {
            return Err(Error::argument(
                "images",
                format!("images of the same bands ({})", first.band_names().join(", ")),
                image.band_names().join(", "),
            ));
        }
    }
    let looked_at: Vec<Raster> = images
        .iter()
        .map(|i| doubt::bands_as_power(i, "filter.quegan"))
        .collect();
    let mut filtered: Vec<Vec<Band>> = vec![Vec::new(); images.len()];
    for index in 0..first.bands.len() {
        let inputs = looked_at.iter().map(|i| i.bands[index].port.clone()).collect();
        let ports = Port::tiles(&first.grid, operation.clone(), inputs);
        for ((bands, image), port) in filtered.iter_mut().zip(images).zip(ports) {
            bands.push(Band {
                dtype: DType::F32,
                nodata: None,
                port,
                ..image.bands[index].clone()
            });
        }
    }
    Ok(images
        .iter()
        .zip(filtered)
        .map(|(i, bands)| i.with_bands(bands))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    /// Four images of one scene, each with its own speckle, level and footprint.
    fn images(rows: usize, cols: usize) -> Vec<Array2<f32>> {
        let mut images: Vec<_> = (0..4).map(|i| scene(rows, cols, 1 + i, i as u64)).collect();
        images[1] = with_holes(images[1].clone());
        for ((_, c), v) in images[2].indexed_iter_mut() {
            *v = if c > 2 * cols / 3 { f32::NAN } else { *v };
        }
        images[3].mapv_inplace(|v| 3.0 * v);
        images
    }

    fn slow(images: &[Array2<f32>], row: usize, col: usize, size: usize) -> Vec<f64> {
        let at = |i: &Array2<f32>| f64::from(i[(row, col)]);
        let mean = |i: &Array2<f32>| mean_and_variance(window(i, row, col, size).iter().map(|p| p.2)).0;
        let (mut sum, mut count) = (0.0, 0);
        for image in images.iter().filter(|i| at(i).is_finite()) {
            if mean(image) > 0.0 {
                sum += at(image) / mean(image);
                count += 1;
            }
        }
        let filtered = |image: &Array2<f32>| match (at(image).is_finite(), count) {
            (false, _) => f64::NAN,
            (true, 0) => mean(image),
            (true, n) => mean(image) * sum / f64::from(n),
        };
        images.iter().map(filtered).collect()
    }

    fn filter(images: &[Array2<f32>], size: usize) -> Vec<Array2<f32>> {
        let padded: Vec<_> = images.iter().map(|i| padded(i.view(), size / 2)).collect();
        let views: Vec<_> = padded.iter().map(|p| p.view()).collect();
        filter_tiles(&views, size)
    }

    #[test]
    fn equals_the_formula_and_respects_footprints() {
        for (rows, cols) in SHAPES {
            let images = images(rows, cols);
            let out = filter(&images, 5);
            for r in 0..rows {
                for c in 0..cols {
                    for (k, want) in slow(&images, r, c, 5).into_iter().enumerate() {
                        let got = f64::from(out[k][(r, c)]);
                        assert!(
                            got.is_nan() && want.is_nan() || (got - want).abs() <= 1e-6 * want.abs(),
                            "image {k} at ({r}, {c}): {got}, not {want}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn tiles_do_not_show() {
        for k in 0..3 {
            check_tiles(2, |p| {
                let scaled = p.mapv(|v| 2.0 * v + 0.1);
                let squared = p.mapv(|v| if v > 0.5 { f32::NAN } else { v * v });
                filter_tiles(&[p.view(), scaled.view(), squared.view()], 5).swap_remove(k)
            });
        }
    }

    #[test]
    fn looks_rise_with_the_number_of_images() {
        let images: Vec<_> = (0..8).map(|i| speckle(120, 120, 1, 100 + i)).collect();
        let out = filter(&images, 9);
        for image in out {
            let (mean, variance) = mean_and_variance(image.iter().map(|&v| f64::from(v)));
            assert!((mean - 1.0).abs() < 0.03, "{mean}");
            // 8 images of one look; the local means, of 81 pixels, cost a little of that.
            assert!(
                (6.5..8.5).contains(&(mean * mean / variance)),
                "{}",
                mean * mean / variance
            );
        }
    }

    #[test]
    fn one_image_alone_stays_as_it_is() {
        let image = scene(30, 40, 2, 1);
        let out = filter(std::slice::from_ref(&image), 7).swap_remove(0);
        for (a, b) in out.iter().zip(&image) {
            assert!((a - b).abs() <= 1e-6 * b.abs());
        }
    }

    #[test]
    fn leaves_constants_alone() {
        let images: Vec<_> = [0.1f32, 0.5, 7.0].map(|v| Array2::from_elem((12, 13), v)).into();
        for (out, image) in filter(&images, 5).iter().zip(&images) {
            assert_eq!(out, image);
        }
        assert!(filter_tiles(&[], 5).is_empty());
    }
}
