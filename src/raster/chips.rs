//! Many small windows of an image, read once and kept in memory.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, s};

use super::memory::from_arrays;
use super::reframe::moved;
use super::{Affine, Grid, Pixels, Raster, Window};
use crate::error::{Error, Result};
use crate::interrupt;

/// Windows of `rows` × `cols` pixels whose upper left pixels are `corners` (row, col), one under the other in the order
/// given: chip k takes rows k·rows… of the result, which lies in plain pixel coordinates. What is outside the image is masked.
///
/// Chips near each other are read as one window, so that a block of the file that several of them share is decoded once.
///
/// # Errors
/// No corners, or chips without pixels; and what reading says.
pub fn chips(raster: &Raster, corners: &[(isize, isize)], rows: usize, cols: usize) -> Result<Raster> {
    if corners.is_empty() || rows == 0 || cols == 0 {
        return Err(Error::argument(
            "chips",
            "at least one, of at least 1 × 1 pixels",
            format!("{} of {rows} × {cols} (rows × cols)", corners.len()),
        ));
    }
    let (total, kinds) = (rows * corners.len(), raster.bands.iter().map(|b| b.kind()));
    let mut strips: Vec<Pixels> = kinds.map(|kind| Pixels::masked(kind, total, cols)).collect();
    let windows: Vec<Window> = corners
        .iter()
        .map(|&(r, c)| Window::new(r, c, rows, cols))
        .collect();
    for (hull, members) in groups(&windows) {
        interrupt::check()?;
        if hull.intersect(&raster.grid.window()).is_empty() {
            continue;
        }
        let part = moved(raster, Arc::new(raster.grid.subgrid(&hull)), hull.row, hull.col);
        for (strip, read) in strips.iter_mut().zip(part.read(part.grid.window())?) {
            for &k in &members {
                let at = windows[k].shifted(-hull.row, -hull.col);
                match (&mut *strip, &read) {
                    (Pixels::I128(strip), Pixels::I128(read)) => put(strip, read.view(), k, at),
                    (Pixels::F32(strip), Pixels::F32(read)) => put(strip, read.view(), k, at),
                    (Pixels::F64(strip), Pixels::F64(read)) => put(strip, read.view(), k, at),
                    (Pixels::C32(strip), Pixels::C32(read)) => put(strip, read.view(), k, at),
                    _ => return Err(Error::message("a band was read in another kind than it has")),
                }
            }
        }
    }
    let pixels = Affine::from_gdal([0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    let grid = Arc::new(Grid::new(None, pixels, total, cols)?);
    let named = raster.bands.iter().zip(strips);
    let arrays = named.map(|(band, strip)| (band.name.clone(), strip, band.unit.clone()));
    let mut strip = from_arrays(grid, arrays.collect())?;
    (strip.time, strip.properties) = (raster.time, raster.properties.clone());
    Ok(strip)
}

fn put<T: Copy>(strip: &mut Array2<T>, read: ArrayView2<'_, T>, k: usize, at: Window) {
    let (row, col) = (at.row as usize, at.col as usize);
    let source = read.slice(s![row..row + at.rows, col..col + at.cols]);
    strip
        .slice_mut(s![k * at.rows..(k + 1) * at.rows, ..])
        .assign(&source);
}

/// Windows to be read together with the chips inside each: their hull has at most four times the chips' pixels.
fn groups(windows: &[Window]) -> Vec<(Window, Vec<usize>)> {
    let mut order: Vec<usize> = (0..windows.len()).collect();
    order.sort_by_key(|&k| (windows[k].row, windows[k].col));
    let mut groups: Vec<(Window, Vec<usize>)> = Vec::new();
    for k in order {
        let window = windows[k];
        if let Some((hull, members)) = groups.last_mut() {
            let grown = hull.hull(&window);
            if grown.len() <= 4 * window.len() * (members.len() + 1) {
                *hull = grown;
                members.push(k);
                continue;
            }
        }
        groups.push((window, vec![k]));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_chips_are_read_together_and_far_ones_apart() {
        let at = |row, col| Window::new(row, col, 10, 10);
        let near = groups(&[at(0, 0), at(5, 20), at(3, 8)]);
        assert_eq!(near.len(), 1);
        assert_eq!(near[0].0, Window::new(0, 0, 15, 30));
        let far = groups(&[at(0, 0), at(1000, 1000), at(5, 5)]);
        assert_eq!(far.len(), 2);
        assert_eq!(far[0].1, [0, 2]);
    }
}
