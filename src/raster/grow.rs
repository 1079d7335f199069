//! Region growing: what of a mask hangs together with seeds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::components::{Known, Labeller, Regions};
use super::describe::{Description, Site};
use super::element::{Binary, Unary};
use super::math::{self, Operand};
use super::operation::{Scene, SceneOperation};
use super::{Band, Raster};
use crate::described;
use crate::error::Result;
use crate::interrupt;

/// The pixels of `within` (1, others 0) that are connected, through pixels of `within`, to one that is a seed, too: regions grown
/// from seeds. Both are masks: what is not 0 counts. `by_corners` connects pixels that meet in a corner, not only those that share an edge.
///
/// It goes over the image twice, row by row; what is kept is a number for each region begun.
///
/// # Nodata
/// What is masked in `within` is masked in the result and connects nothing; masked seeds are none.
///
/// # Errors
/// Images on different grids or of several bands.
///
/// # Source
/// R. Adams and L. Bischof, Seeded region growing, IEEE Transactions on Pattern Analysis and Machine Intelligence 16(6), 1994,
/// doi:10.1109/34.295913, for a criterion that is the mask; components by A. Rosenfeld and J. L. Pfaltz, Journal of the ACM 13(4), 1966,
/// doi:10.1145/321356.321357.
pub fn grow(seeds: &Raster, within: &Raster, by_corners: bool) -> Result<Raster> {
    seeds.only_band("the seeds")?;
    within.only_band("where they grow")?;
    let zero = Operand::Number(0.0);
    let is_set =
        |image: &Raster| math::binary(&Operand::Raster(image.clone()), Binary::NotEqual, &zero, true);
    let mask = is_set(within)?;
    let seeds = Operand::Raster(math::unary(&is_set(seeds)?, Unary::Unmask(0.0))?);
    // 1 where they can grow, 2 at the seeds there.
    let both = math::binary(&Operand::Raster(mask.clone()), Binary::Multiply, &seeds, true)?;
    let code = math::binary(
        &Operand::Raster(mask.clone()),
        Binary::Add,
        &Operand::Raster(both),
        true,
    )?;
    let grown = code.map_scenes(|_| Ok(Arc::new(Grow { by_corners })))?;
    let bands = grown.bands.into_iter().zip(&mask.bands).map(|(band, like)| Band {
        port: band.port,
        ..like.clone()
    });
    Ok(within.with_bands(bands.collect()))
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Grow {
    by_corners: bool,
}

impl Grow {
    fn check(&self, site: &Site) -> Result<()> {
        site.takes(1)?.on_grid()?.real().map(drop)
    }
}

described!(Grow, Scene, "raster.grow", 1, Grow::check);

impl SceneOperation for Grow {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!(
            "raster.grow(connectivity {})",
            if self.by_corners { 8 } else { 4 }
        )
    }

    fn run(&self, scene: &mut dyn Scene) -> Result<()> {
        let (rows, cols) = scene.shape();
        let mut regions = Regions::new();
        let mut labeller = Labeller::new(self.by_corners);
        let mut codes = vec![0.0; cols];
        for row in 0..rows {
            interrupt::check()?;
            scene.read_row(row, &mut codes)?;
            labeller.row(&codes, can_grow, |run, (), over| {
                let is_seeded = codes[run].contains(&2.0);
                regions.connect(over, Seeded(is_seeded))
            });
            regions.check(row, scene.memory())?;
        }
        // The same runs begin the same regions again.
        let mut begun = 0;
        let mut labeller = Labeller::new(self.by_corners);
        let mut out = vec![0.0; cols];
        for row in 0..rows {
            interrupt::check()?;
            scene.read_row(row, &mut codes)?;
            for (out, code) in out.iter_mut().zip(&codes) {
                *out = if code.is_nan() { f32::NAN } else { 0.0 };
            }
            labeller.row(&codes, can_grow, |run, (), over| {
                let region = over.first().copied().unwrap_or(begun);
                begun += usize::from(over.is_empty());
                if regions.known(regions.find(region)).0 {
                    out[run].fill(1.0);
                }
                region
            });
            scene.write_row(row, &out)?;
        }
        Ok(())
    }
}

fn can_grow(code: f32) -> Option<()> {
    (code >= 1.0).then_some(())
}

struct Seeded(bool);

impl Known for Seeded {
    fn join(&mut self, other: &Seeded) {
        self.0 |= other.0;
    }
}
