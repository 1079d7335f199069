//! Small pictures of images, for the terminal and for figures, without computing every pixel where that can be avoided.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use ndarray::{Array2, s};

use super::execute::Run;
use super::operation::PicturePart;
use super::plan::Plan;
use super::{Grid, Pixels, Raster, Window};
use crate::error::Result;
use crate::work::budget;

/// How many pixels become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The pixel nearest to the centre: values stay what they are, as classes must.
    Nearest,
    /// The mean of the valid pixels, which calms speckle.
    Mean,
}

/// Images up to this many pixels are computed whole for a picture that nobody asked for.
const EASY: usize = 16 << 20;
/// Below this nobody waits long enough to want a progress bar.
const QUIET: usize = 4 << 20;
/// Of large images, a mean is taken of this many picked pixels a side.
const OVERSAMPLING: usize = 4;

/// (rows, cols) of a picture of at most `max_rows` × `max_cols` pixels with square ones where the image has them.
pub fn shape(grid: &Grid, max_rows: usize, max_cols: usize) -> (usize, usize) {
    let shrink = |size: usize, max: usize| size as f64 / max.max(1) as f64;
    let factor = shrink(grid.rows, max_rows)
        .max(shrink(grid.cols, max_cols))
        .max(1.0);
    let side = |size: usize| ((size as f64 / factor).round() as usize).clamp(1, size);
    (side(grid.rows), side(grid.cols))
}

/// True where a picture is a matter of moments: small images of little work, and those made pixel by pixel from files,
/// of which only the pixels shown are read.
pub fn is_easy(raster: &Raster) -> bool {
    let plan = Plan::new(&raster.grid, &raster.ports());
    let (read, computed) = plan.work();
    // Picking pixels from a file without overviews still decodes most of its blocks.
    let readable = read <= 32 * EASY;
    readable && (plan.can_reduce() || (raster.grid.window().len() <= EASY && computed <= 4 * EASY))
}

fn can_reduce(raster: &Raster) -> bool {
    Plan::new(&raster.grid, &raster.ports()).can_reduce()
}

/// One array of `shape(…)` (rows, cols) for each band, over the whole image; of complex bands the magnitude, NaN where
/// masked. Pixel (r, c) of the picture covers the same share of the image.
///
/// `Mean` is exact up to sixteen million pixels; of larger images made pixel by pixel from files it is the mean of 4 × 4
/// picked pixels. Files with overviews give those.
///
/// # Errors
/// What `Run::prepare` refuses; what an operation or reading a file fails with; `Interrupted`.
pub fn preview(raster: &Raster, max_rows: usize, max_cols: usize, mode: Mode) -> Result<Vec<Array2<f32>>> {
    let (grid, small) = (&raster.grid, shape(&raster.grid, max_rows, max_cols));
    let full = (grid.rows, grid.cols);
    if small == full {
        let run = Run::prepare(grid, &raster.ports(), grid.window())?;
        return Ok(run.collect_quietly()?.into_iter().map(Pixels::into_f32).collect());
    }
    let large = grid.window().len() > EASY;
    if mode == Mode::Nearest && can_reduce(raster) {
        let mut picture = vec![Array2::from_elem(small, f32::NAN); raster.bands.len()];
        reduced(raster, small, |rows, pixels| {
            for (whole, part) in picture.iter_mut().zip(pixels) {
                whole.slice_mut(s![rows.clone(), ..]).assign(&part.into_f32());
            }
        })?;
        return Ok(picture);
    }
    let cells = Cells::new(raster.bands.len(), full, small, mode);
    if large && can_reduce(raster) {
        let finer = (
            (small.0 * OVERSAMPLING).min(full.0),
            (small.1 * OVERSAMPLING).min(full.1),
        );
        let cells = Cells::new(raster.bands.len(), finer, small, mode);
        reduced(raster, finer, |rows, pixels| {
            cells.add(Window::new(rows.start as isize, 0, rows.len(), finer.1), pixels);
        })?;
        return Ok(cells.finish());
    }
    compute(grid, raster, &cells)?;
    Ok(cells.finish())
}

/// A picture of picked pixels in parts that take little of the memory ceiling.
fn reduced(
    raster: &Raster,
    shape: (usize, usize),
    mut take: impl FnMut(Range<usize>, Vec<Pixels>),
) -> Result<()> {
    let plan = Plan::new(&raster.grid, &raster.ports());
    let row = shape.1.saturating_mul(plan.reduced_bytes()).max(1);
    let at_once = (budget::left() / 8 / row).max(1);
    for first in (0..shape.0).step_by(at_once) {
        let rows = first..(first + at_once).min(shape.0);
        let part = PicturePart {
            shape,
            rows: rows.clone(),
        };
        take(rows, plan.reduced(&part)?);
    }
    Ok(())
}

fn compute(grid: &Arc<Grid>, raster: &Raster, cells: &Cells) -> Result<()> {
    let run = Run::prepare(grid, &raster.ports(), grid.window())?;
    let consume = |_: usize, window: Window, pixels: Vec<Pixels>| {
        cells.add(window, pixels);
        Ok(())
    };
    match grid.window().len() <= QUIET {
        true => run.for_each_quietly(&consume),
        false => run.for_each("picture", &consume),
    }
}

/// The position of the source pixel that each of `count` picture pixels shows, of `size`.
fn picks(size: usize, count: usize) -> Vec<usize> {
    let ratio = size as f64 / count as f64;
    (0..count)
        .map(|i| (((i as f64 + 0.5) * ratio) as usize).min(size - 1))
        .collect()
}

/// Pixels nearest to the centres of those of a picture.
pub(super) fn pick(pixels: &Pixels, part: &PicturePart) -> Pixels {
    let (rows, cols) = pixels.dim();
    let (r, c) = (picks(rows, part.shape.0), picks(cols, part.shape.1));
    let r = &r[part.rows.clone()];
    let shape = (r.len(), c.len());
    match pixels {
        Pixels::I128(a) => Pixels::I128(Array2::from_shape_fn(shape, |(i, j)| a[(r[i], c[j])])),
        Pixels::F32(a) => Pixels::F32(Array2::from_shape_fn(shape, |(i, j)| a[(r[i], c[j])])),
        Pixels::F64(a) => Pixels::F64(Array2::from_shape_fn(shape, |(i, j)| a[(r[i], c[j])])),
        Pixels::C32(a) => Pixels::C32(Array2::from_shape_fn(shape, |(i, j)| a[(r[i], c[j])])),
    }
}

/// Picture pixels, filled from tiles in any order.
struct Cells {
    full: (usize, usize),
    small: (usize, usize),
    mode: Mode,
    /// Sum and count of each picture pixel, for each band.
    sums: Mutex<Vec<Array2<(f64, u32)>>>,
}

impl Cells {
    fn new(bands: usize, full: (usize, usize), small: (usize, usize), mode: Mode) -> Cells {
        Cells {
            full,
            small,
            mode,
            sums: Mutex::new(vec![Array2::from_elem(small, (0.0, 0)); bands]),
        }
    }

    fn add(&self, window: Window, pixels: Vec<Pixels>) {
        let tiles: Vec<Array2<f32>> = pixels.into_iter().map(Pixels::into_f32).collect();
        let (r0, c0) = (window.row as usize, window.col as usize);
        let rows = targets(self.full.0, self.small.0, self.mode, r0, window.rows);
        let cols = targets(self.full.1, self.small.1, self.mode, c0, window.cols);
        let mut sums = self.sums.lock().unwrap_or_else(|e| e.into_inner());
        for (sum, tile) in sums.iter_mut().zip(&tiles) {
            for &(r, i) in &rows {
                for &(c, j) in &cols {
                    let v = tile[(r, c)];
                    if !v.is_nan() {
                        let cell = &mut sum[(i, j)];
                        *cell = (cell.0 + f64::from(v), cell.1 + 1);
                    }
                }
            }
        }
    }

    fn finish(self) -> Vec<Array2<f32>> {
        let mean = |&(sum, count): &(f64, u32)| match count {
            0 => f32::NAN,
            n => (sum / f64::from(n)) as f32,
        };
        let sums = self.sums.into_inner().unwrap_or_else(|e| e.into_inner());
        sums.iter().map(|band| band.map(mean)).collect()
    }
}

/// For the rows (or columns) of a tile that start at `first`: those that go into the picture, and where.
fn targets(size: usize, small: usize, mode: Mode, first: usize, count: usize) -> Vec<(usize, usize)> {
    match mode {
        Mode::Mean => (0..count).map(|i| (i, (first + i) * small / size)).collect(),
        Mode::Nearest => picks(size, small)
            .into_iter()
            .enumerate()
            .filter(|(_, source)| (first..first + count).contains(source))
            .map(|(i, source)| (source - first, i))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::from_arrays;
    use super::super::operation::Operation;
    use super::super::{Affine, Port, Unit, View};
    use super::*;
    use crate::raster::element::Unary;
    use crate::raster::math;

    /// An operation that hides that its source could be reduced.
    struct Opaque;

    impl Operation for Opaque {
        fn name(&self) -> String {
            "opaque".into()
        }
        fn describe(&self) -> Result<crate::raster::describe::Description> {
            Err(crate::error::Error::message("a thing of this test alone"))
        }
        fn needs(&self, _: usize, out: Window) -> Window {
            out
        }
        fn compute(&self, _: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
            Ok(vec![inputs[0].to_pixels()])
        }
    }

    fn image(rows: usize, cols: usize) -> Raster {
        let grid = Grid::new(None, Affine::north_up(0.0, 0.0, 1.0, 1.0), rows, cols).unwrap();
        let values = Array2::from_shape_fn((rows, cols), |(r, c)| match (r * 7 + c * 3) % 11 {
            0 => f32::NAN,
            _ => (r * cols + c) as f32,
        });
        from_arrays(
            Arc::new(grid),
            vec![("a".into(), Pixels::F32(values), Unit::Unknown)],
        )
        .unwrap()
    }

    fn opaque(raster: &Raster) -> Raster {
        let mut bands = raster.bands.clone();
        bands[0].port =
            Port::tiles(&raster.grid, Arc::new(Opaque), vec![bands[0].port.clone()]).swap_remove(0);
        raster.with_bands(bands)
    }

    #[test]
    fn shapes_keep_the_aspect() {
        let grid = |rows, cols| Grid::new(None, Affine::north_up(0.0, 0.0, 1.0, 1.0), rows, cols).unwrap();
        assert_eq!(shape(&grid(100, 200), 50, 50), (25, 50));
        assert_eq!(shape(&grid(10, 20), 50, 50), (10, 20));
        assert_eq!(shape(&grid(1, 10000), 50, 50), (1, 50));
    }

    #[test]
    fn nearest_is_the_same_picked_or_computed() {
        let whole = image(37, 91);
        let negated = math::unary(&whole, Unary::Negate).unwrap();
        assert!(can_reduce(&negated) && !can_reduce(&opaque(&negated)));
        let picked = preview(&negated, 10, 20, Mode::Nearest).unwrap();
        let computed = preview(&opaque(&negated), 10, 20, Mode::Nearest).unwrap();
        assert_eq!(picked[0].dim(), (8, 20));
        for ((r, c), v) in picked[0].indexed_iter() {
            // The centre of the picture's pixel, in pixels of the image.
            let source = [(2 * r + 1) * 37 / 16, (2 * c + 1) * 91 / 40];
            let expected = match (source[0] * 7 + source[1] * 3) % 11 {
                0 => f32::NAN,
                _ => -((source[0] * 91 + source[1]) as f32),
            };
            for found in [*v, computed[0][(r, c)]] {
                assert!(found == expected || found.is_nan() && expected.is_nan());
            }
        }
    }

    #[test]
    fn means_are_of_the_valid_pixels_that_a_cell_covers() {
        let raster = image(40, 60);
        let values = raster
            .read(raster.grid.window())
            .unwrap()
            .swap_remove(0)
            .into_f32();
        let small = preview(&raster, 10, 15, Mode::Mean).unwrap().swap_remove(0);
        assert_eq!(small.dim(), (10, 15));
        for ((r, c), v) in small.indexed_iter() {
            let cell = values.slice(ndarray::s![r * 4..r * 4 + 4, c * 4..c * 4 + 4]);
            let valid: Vec<f32> = cell.iter().copied().filter(|v| !v.is_nan()).collect();
            let mean = valid.iter().sum::<f32>() / valid.len() as f32;
            assert!((v - mean).abs() < 1e-3, "{v} {mean}");
        }
    }

    #[test]
    fn an_image_that_fits_is_shown_as_it_is() {
        let raster = image(5, 6);
        let shown = preview(&raster, 100, 100, Mode::Mean).unwrap();
        let values = raster
            .read(raster.grid.window())
            .unwrap()
            .swap_remove(0)
            .into_f32();
        assert!(
            shown[0]
                .iter()
                .zip(&values)
                .all(|(a, b)| a == b || a.is_nan() && b.is_nan())
        );
    }
}
