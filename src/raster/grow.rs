//! Region growing: what of a mask hangs together with seeds.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::describe::{Description, Site};
use super::element::{Binary, Unary};
use super::math::{self, Operand};
use super::operation::{Scene, SceneOperation};
use super::{Band, Raster};
use crate::described;
use crate::error::{Error, Result};
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
        let most = scene.memory() / size_of::<Region>();
        let mut regions = Regions::default();
        let mut labeller = Labeller::new(self.by_corners);
        let mut codes = vec![0.0; cols];
        for row in 0..rows {
            interrupt::check()?;
            scene.read_row(row, &mut codes)?;
            labeller.row(&codes, |run, over| {
                let is_seeded = codes[run.clone()].contains(&2.0);
                regions.connect(over, is_seeded)
            });
            if regions.0.len() > most {
                return Err(Error::message(format!(
                    "row {row}: {} regions begin up to here, more than memory has room for; filter the mask first, take a part of the \
                     image, or give perilune more (--memory)",
                    regions.0.len()
                )));
            }
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
            labeller.row(&codes, |run, over| {
                let region = over.first().copied().unwrap_or(begun);
                begun += usize::from(over.is_empty());
                if regions.is_seeded(region) {
                    out[run].fill(1.0);
                }
                region
            });
            scene.write_row(row, &out)?;
        }
        Ok(())
    }
}

/// Runs of pixels that are set, each with the region that it was given.
struct Labeller {
    by_corners: bool,
    above: Vec<(Range<usize>, usize)>,
    here: Vec<(Range<usize>, usize)>,
}

impl Labeller {
    fn new(by_corners: bool) -> Labeller {
        Labeller {
            by_corners,
            above: Vec::new(),
            here: Vec::new(),
        }
    }

    /// Asks for the region of each run, given those of the runs above that touch it, from the left.
    fn row(&mut self, codes: &[f32], mut region: impl FnMut(Range<usize>, &[usize]) -> usize) {
        self.here.clear();
        let reach = usize::from(self.by_corners);
        let (mut first, mut start, mut over) = (0, 0, Vec::new());
        while let Some(skip) = codes[start..].iter().position(|code| *code >= 1.0) {
            let begin = start + skip;
            let length = codes[begin..]
                .iter()
                .position(|code| code.is_nan() || *code < 1.0);
            let end = length.map_or(codes.len(), |length| begin + length);
            // Those that end before it touch no later one either.
            while self
                .above
                .get(first)
                .is_some_and(|(run, _)| run.end + reach <= begin)
            {
                first += 1;
            }
            over.clear();
            let touching = self.above[first..]
                .iter()
                .take_while(|(run, _)| run.start < end + reach);
            over.extend(touching.map(|(_, region)| *region));
            let region = region(begin..end, &over);
            self.here.push((begin..end, region));
            start = end;
        }
        std::mem::swap(&mut self.above, &mut self.here);
    }
}

struct Region {
    /// Itself, for the one that stands for all that were joined.
    parent: u32,
    is_seeded: bool,
}

#[derive(Default)]
struct Regions(Vec<Region>);

impl Regions {
    fn find(&self, mut region: usize) -> usize {
        while self.0[region].parent as usize != region {
            region = self.0[region].parent as usize;
        }
        region
    }

    fn is_seeded(&self, region: usize) -> bool {
        self.0[self.find(region)].is_seeded
    }

    /// The one region of a run and of those that it touches; a new one where it touches none.
    fn connect(&mut self, over: &[usize], is_seeded: bool) -> usize {
        let Some(&first) = over.first() else {
            let number = self.0.len();
            self.0.push(Region {
                parent: number as u32,
                is_seeded,
            });
            return number;
        };
        let mut root = self.find(first);
        let mut is_seeded = is_seeded;
        for &other in over {
            let other = self.find(other);
            is_seeded |= self.0[other].is_seeded;
            // The older one stays: paths lead to where they began.
            let (older, newer) = (root.min(other), root.max(other));
            self.0[newer].parent = older as u32;
            root = older;
        }
        self.0[root].is_seeded |= is_seeded;
        // Found again in one step.
        for &other in over {
            self.shorten(other, root);
        }
        first
    }

    fn shorten(&mut self, mut region: usize, root: usize) {
        while self.0[region].parent as usize != root && region != root {
            let next = self.0[region].parent as usize;
            self.0[region].parent = root as u32;
            region = next;
        }
    }
}
