//! Images of several variables, computed slab by slab: all steps of time that share chunks together, window by window, each chunk once.

use std::ops::Range;
use std::path::Path;

use super::netcdf::Variable;
use super::netcdf::code::{Stored, stored};
use super::netcdf::image::clash;
use super::options::Packing;
use crate::bounds;
use crate::error::Result;
use crate::interrupt;
use crate::raster::execute::Run;
use crate::raster::{Grid, Pixels, Port, Raster, Window};
use crate::work::{self, budget};

/// Elements of a slab's window, at most, unless one chunk has more.
const LARGEST: usize = 8 << 20;
/// Rows and columns of a window, about.
const WINDOW: usize = 256;

/// Takes the pixels of a window: the variable, its steps, and a plane for each of them.
pub type Take<'a> = dyn Fn(&Variable, Range<usize>, Window, Vec<Stored>) -> Result<()> + Sync + 'a;

/// How cubes are cut.
pub struct Slabs<'a> {
    pub path: &'a Path,
    /// Times, rows and columns that are computed at once: whole chunks.
    pub shape: [usize; 3],
}

/// As many whole chunks as make a window of some 256 × 256 pixels.
pub fn whole_chunks(chunk: [usize; 3], grid: &Grid) -> [usize; 3] {
    let elements = chunk.iter().fold(1usize, |all, n| all.saturating_mul(*n));
    let most = (LARGEST / elements.max(1)).max(1);
    let count = |chunk: usize, size: usize| (WINDOW / chunk.max(1)).clamp(1, size.div_ceil(chunk.max(1)));
    let mut rows = count(chunk[1], grid.rows);
    let mut cols = count(chunk[2], grid.cols);
    while rows * cols > most {
        match rows >= cols {
            true => rows = rows.div_ceil(2),
            false => cols = cols.div_ceil(2),
        }
    }
    [chunk[0], chunk[1] * rows, chunk[2] * cols]
}

impl<'a> Slabs<'a> {
    /// Of windows that the memory holds, where one chunk of one variable fits.
    pub fn fitting(path: &'a Path, chunk: [usize; 3], grid: &Grid, variables: &[Variable]) -> Slabs<'a> {
        let mut slabs = Slabs {
            path,
            shape: whole_chunks(chunk, grid),
        };
        let one = &variables[..variables.len().min(1)];
        while !slabs.fits(one) && (slabs.shape[1] > chunk[1] || slabs.shape[2] > chunk[2]) {
            let half = |size: usize, chunk: usize| (size / chunk / 2).max(1) * chunk;
            match slabs.shape[1] >= slabs.shape[2] && slabs.shape[1] > chunk[1] || slabs.shape[2] == chunk[2]
            {
                true => slabs.shape[1] = half(slabs.shape[1], chunk[1]),
                false => slabs.shape[2] = half(slabs.shape[2], chunk[2]),
            }
        }
        slabs
    }

    /// Hands all pixels on, slab after slab, from any thread.
    ///
    /// # Errors
    /// Slabs that the memory does not hold; what computing the pixels fails with; valid pixels that would be read as masked ones; those of `take`.
    pub fn each(&self, variables: &[Variable], take: &Take<'_>) -> Result<()> {
        let steps = variables.iter().map(|v| v.images.len()).max().unwrap_or(0);
        let depth = self.shape[0];
        for start in (0..steps).step_by(depth) {
            interrupt::check()?;
            let mut left = variables;
            // As many at a time as the memory holds, since variables may share what they are made of.
            while !left.is_empty() {
                let count = (1..=left.len())
                    .rev()
                    .find(|n| self.fits(&left[..*n]))
                    .unwrap_or(1);
                let (now, later) = left.split_at(count);
                self.slab(now, start..steps.min(start + depth), take)?;
                left = later;
            }
        }
        Ok(())
    }

    /// Bytes of the pixels of a window of these, and of what is made of them.
    fn needed(&self, variables: &[Variable], depth: usize) -> usize {
        let area = self.shape[1].saturating_mul(self.shape[2]);
        let kinds = variables
            .iter()
            .filter_map(|v| v.images.first()?.bands.first())
            .map(|band| band.kind().bytes() + 16);
        kinds.fold(0usize, |all, bytes| {
            all.saturating_add(area.saturating_mul(depth).saturating_mul(bytes))
        })
    }

    fn fits(&self, variables: &[Variable]) -> bool {
        let steps = variables.iter().map(|v| v.images.len()).max().unwrap_or(0);
        let depth = self.shape[0].min(steps);
        self.needed(variables, depth).saturating_mul(work::threads()) <= budget::left() / 2
    }

    /// What lies at one place along time.
    fn slab(&self, variables: &[Variable], steps: Range<usize>, take: &Take<'_>) -> Result<()> {
        let images: Vec<&[Raster]> = variables.iter().map(|v| &v.images[steps.clone()]).collect();
        let Some(first) = images.first().and_then(|images| images.first()) else {
            return Ok(());
        };
        let grid = &first.grid;
        bounds::fits(
            format!("{:?} elements (times, rows, columns) at once", self.shape),
            self.needed(&variables[..1], steps.len()),
            1,
            "ask for smaller chunks",
        )?;
        let ports: Vec<Port> = images
            .iter()
            .flat_map(|images| images.iter())
            .flat_map(Raster::ports)
            .collect();
        let run = Run::prepare(grid, &ports, grid.window())?.with_tile(self.shape[1], self.shape[2]);
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        run.for_each(&format!("writing {name}"), &|_, window, pixels| {
            let mut pixels = pixels.into_iter();
            for variable in variables {
                let layers = pixels.by_ref().take(steps.len());
                let mut planes = Vec::with_capacity(steps.len());
                for (step, layer) in steps.clone().zip(layers) {
                    let what = &variable.what;
                    let layer = match what.packing.filter(|_| step >= variable.stored) {
                        Some(packing) => packed(layer, packing),
                        None => layer,
                    };
                    let (values, seen) = stored(what, layer);
                    if seen.is_lost(what.fill) {
                        return Err(clash(self.path, what, seen, "fill"));
                    }
                    planes.push(values);
                }
                take(variable, steps.clone(), window, planes)?;
            }
            Ok(())
        })
    }
}

fn packed(pixels: Pixels, Packing { scale, offset }: Packing) -> Pixels {
    Pixels::F64(pixels.into_f64().mapv_into(|v| (v - offset) / scale))
}
