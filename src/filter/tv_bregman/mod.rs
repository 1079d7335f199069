//! Total-variation denoising by the split Bregman method.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use self::pass::{Changes, Rows, pass};
use self::row::Step;
use crate::described;
use crate::error::{Domain, Error, Remedy, Result};
use crate::interrupt;
use crate::raster::describe::{Description, Site};
use crate::raster::{Raster, Scene, SceneOperation};
use crate::work;

mod pass;
mod row;

/// Iterations that are tried before anything is known of an image.
const FIRST_TRY: usize = 32;

/// Solutions of consecutive iterations that are kept until it is known which is the result, where memory allows.
const KEPT: usize = 3;

/// Rows of a sample strip, and how many strips tell beforehand how many iterations there will be.
const STRIP: usize = 32;
const STRIPS: usize = 2;

/// Total-variation denoising by the split Bregman method, as scikit-image defines it: noise goes, edges stay.
///
/// The image u comes from the noisy image f by Gauss–Seidel sweeps over its rows and columns for
/// (w + 4λ)·u = w·f + λ·(u above + u below + u left + u right + div(d − b)), λ = 2w, each followed at the pixel by the
/// shrinkage of its gradient to the right and downwards, s = ∇u + b: isotropic d = s·λ|s| / (λ|s| + 1), anisotropic
/// d = s less 1/λ, not past 0, in each direction; and b = s − d. The gradients are those before the sweep's update.
/// Sweeps end with the first whose root mean square change over the image is at most `tolerance`, or after
/// `max_iterations`. The noisy image itself stands around the image and stays as it is: its second row above, its last
/// row below, its second column on the left, its last on the right.
///
/// The units are those of the input; radar images are best in dB, where speckle is additive and of one strength
/// everywhere. Smaller weights smooth more.
///
/// # Nodata
/// A masked pixel stays masked and drops out of the energy: where a pixel's neighbour is masked, the pixel's own value
/// before its update takes the neighbour's place, so no gradient crosses the edge and nothing pulls the pixel that way.
/// The same holds at a border that has nothing to stand there, as when an image has one row or one column or the value
/// that would is masked. The mean change is over valid pixels. Without masked pixels the result is scikit-image's, to
/// the rounding of f32.
///
/// # Source
/// T. Goldstein and S. Osher, "The split Bregman method for L1-regularized problems", SIAM Journal on Imaging Sciences
/// 2(2), 2009, doi:10.1137/080725891; P. Getreuer, "Rudin–Osher–Fatemi total variation denoising using split Bregman",
/// Image Processing On Line, 2012, doi:10.5201/ipol.2012.g-tvd; scikit-image 0.26, `denoise_tv_bregman`, for the border,
/// the shrinkage and the end of the iteration.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct TvBregman {
    weight: f64,
    max_iterations: usize,
    tolerance: f64,
    isotropic: bool,
}

impl TvBregman {
    /// scikit-image's end of the iteration.
    pub const MAX_ITERATIONS: usize = 100;
    pub const TOLERANCE: f64 = 1e-3;

    pub const WEIGHTS: Domain = Domain::above(0.0);
    pub const ITERATIONS: Domain = Domain::within(1.0, 10_000.0);
    pub const TOLERANCES: Domain = Domain::at_least(0.0);

    /// # Errors
    /// A weight that is not above 0, a tolerance below 0, no iteration or more than 10,000.
    pub fn new(weight: f64, max_iterations: usize, tolerance: f64, isotropic: bool) -> Result<TvBregman> {
        Ok(TvBregman {
            weight: Self::WEIGHTS.check("weight", weight)?,
            max_iterations: Self::ITERATIONS.check_count("max_iterations", max_iterations)?,
            tolerance: Self::TOLERANCES.check("tolerance", tolerance)?,
            isotropic,
        })
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(1)?.on_grid()?.real()?;
        TvBregman::new(self.weight, self.max_iterations, self.tolerance, self.isotropic).map(drop)
    }

    fn step(&self) -> Step {
        Step::new(self.weight, self.isotropic)
    }

    /// How many iterations the scene will probably need, from strips of it.
    fn predict(&self, scene: &mut SceneRows<'_>, threads: usize) -> Result<usize> {
        let (rows, cols) = scene.shape();
        let first_try = FIRST_TRY.min(self.max_iterations);
        if rows < 8 * STRIP * STRIPS {
            return Ok(first_try);
        }
        for iterations in [first_try, self.max_iterations] {
            let mut total = Changes {
                squares: vec![0.0; iterations],
                pixels: 0,
            };
            for strip in 0..STRIPS {
                let first = (rows - STRIP) * (2 * strip + 1) / (2 * STRIPS);
                let mut strip = Strip { scene, first, cols };
                let changes = pass(&mut strip, &self.step(), iterations, 0, threads)?;
                total.pixels += changes.pixels;
                for (sum, squares) in total.squares.iter_mut().zip(changes.squares) {
                    *sum += squares;
                }
            }
            if let Some(stop) = total.stop(self.tolerance) {
                // One more is the cheapest insurance.
                return Ok((stop + 1).min(self.max_iterations));
            }
        }
        Ok(self.max_iterations)
    }
}

described!(TvBregman, Scene, "filter.tv_bregman", 1, TvBregman::check);

/// The end of the iteration is a property of the whole scene, and so are its results. Where four arrays of the scene
/// fit the memory that `scene` offers, one pass usually is enough; else a first pass counts the iterations and a second
/// writes, and only a band of rows is held.
impl SceneOperation for TvBregman {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("filter.tv_bregman(weight {})", self.weight)
    }

    fn run(&self, scene: &mut dyn Scene) -> Result<()> {
        let (rows, cols) = scene.shape();
        let array = rows.saturating_mul(cols).saturating_mul(size_of::<f32>()).max(1);
        let arrays = scene.memory() / array;
        let threads = work::threads();
        let mut scene = SceneRows {
            scene,
            noisy: None,
            kept: Vec::new(),
            write: 0,
        };
        if arrays >= 1 {
            scene.hold()?;
        }
        let mut tried = self.predict(&mut scene, threads)?;
        loop {
            let keep = if arrays > KEPT { KEPT.min(tried) } else { 0 };
            scene.keep(tried, keep);
            let changes = pass(&mut scene, &self.step(), tried, keep, threads)?;
            let stop = match changes.stop(self.tolerance) {
                None if tried < self.max_iterations => {
                    tried = (tried + tried / 2 + 4).min(self.max_iterations);
                    continue;
                }
                stop => stop.unwrap_or(tried),
            };
            if scene.write_kept(stop)? {
                return Ok(());
            }
            scene.write = stop;
            pass(&mut scene, &self.step(), stop, 1, threads)?;
            return Ok(());
        }
    }
}

/// A scene, perhaps held in memory, and solutions that may be its result.
struct SceneRows<'a> {
    scene: &'a mut dyn Scene,
    noisy: Option<Vec<f32>>,
    /// Solutions by their iterations.
    kept: Vec<(usize, Vec<f32>)>,
    /// The iteration that is the result, once that is known.
    write: usize,
}

impl SceneRows<'_> {
    fn hold(&mut self) -> Result<()> {
        let (rows, cols) = self.scene.shape();
        let mut noisy = vec![0f32; rows * cols];
        for (row, pixels) in noisy.chunks_exact_mut(cols.max(1)).enumerate() {
            self.scene.read_row(row, pixels)?;
        }
        self.noisy = Some(noisy);
        Ok(())
    }

    /// Makes room for the last `count` of `iterations`.
    fn keep(&mut self, iterations: usize, count: usize) {
        let (rows, cols) = self.scene.shape();
        let mut arrays: Vec<Vec<f32>> = self.kept.drain(..).map(|(_, a)| a).collect();
        arrays.resize_with(count, || vec![0f32; rows * cols]);
        self.kept = (iterations + 1 - count..).zip(arrays).collect();
    }

    /// Writes the solution of `iteration` if it was kept.
    fn write_kept(&mut self, iteration: usize) -> Result<bool> {
        let (_, cols) = self.scene.shape();
        let Some((_, solution)) = self.kept.iter().find(|(k, _)| *k == iteration) else {
            return Ok(false);
        };
        for (row, pixels) in solution.chunks_exact(cols.max(1)).enumerate() {
            self.scene.write_row(row, pixels)?;
        }
        Ok(true)
    }
}

impl Rows for SceneRows<'_> {
    fn shape(&self) -> (usize, usize) {
        self.scene.shape()
    }

    fn read(&mut self, row: usize, out: &mut [f32]) -> Result<()> {
        match &self.noisy {
            Some(noisy) => {
                interrupt::check()?;
                out.copy_from_slice(&noisy[row * out.len()..][..out.len()]);
                Ok(())
            }
            None => self.scene.read_row(row, out),
        }
    }

    fn take(&mut self, iteration: usize, row: usize, pixels: &[f32]) -> Result<()> {
        if iteration == self.write {
            return self.scene.write_row(row, pixels);
        }
        if let Some((_, solution)) = self.kept.iter_mut().find(|(k, _)| *k == iteration) {
            solution[row * pixels.len()..][..pixels.len()].copy_from_slice(pixels);
        }
        Ok(())
    }
}

/// A few rows of a scene as a scene of their own.
struct Strip<'a, 'b> {
    scene: &'a mut SceneRows<'b>,
    first: usize,
    cols: usize,
}

impl Rows for Strip<'_, '_> {
    fn shape(&self) -> (usize, usize) {
        (STRIP, self.cols)
    }

    fn read(&mut self, row: usize, out: &mut [f32]) -> Result<()> {
        self.scene.read(self.first + row, out)
    }

    fn take(&mut self, _iteration: usize, _row: usize, _pixels: &[f32]) -> Result<()> {
        Ok(())
    }
}

/// Denoises an image in memory, with at most about `memory` bytes beside it; see `TvBregman`. NaN is masked.
/// The result does not depend on `memory`.
///
/// # Errors
/// `Interrupted`.
pub fn denoise(image: ArrayView2<'_, f32>, parameters: &TvBregman, memory: usize) -> Result<Array2<f32>> {
    let mut scene = ArrayScene {
        image,
        out: Array2::from_elem(image.dim(), f32::NAN),
        memory,
    };
    parameters.run(&mut scene)?;
    Ok(scene.out)
}

struct ArrayScene<'a> {
    image: ArrayView2<'a, f32>,
    out: Array2<f32>,
    memory: usize,
}

impl Scene for ArrayScene<'_> {
    fn shape(&self) -> (usize, usize) {
        self.image.dim()
    }

    fn read_row(&mut self, row: usize, out: &mut [f32]) -> Result<()> {
        for (o, &v) in out.iter_mut().zip(self.image.row(row)) {
            *o = v;
        }
        Ok(())
    }

    fn write_row(&mut self, row: usize, pixels: &[f32]) -> Result<()> {
        for (o, &v) in self.out.row_mut(row).iter_mut().zip(pixels) {
            *o = v;
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.memory
    }
}

/// Every band of an image through total-variation denoising; see `TvBregman`.
///
/// # Errors
/// Complex bands.
pub fn tv_bregman(raster: &Raster, parameters: TvBregman) -> Result<Raster> {
    if let Some(band) = raster.bands.iter().find(|b| b.dtype.is_complex()) {
        return Err(Error::Unit {
            message: format!("band `{}` is complex; {}", band.name, Remedy::Decibels),
        });
    }
    raster.map_scenes(|_| Ok(Arc::new(parameters)))
}

#[cfg(test)]
mod tests;
