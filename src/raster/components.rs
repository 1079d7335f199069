//! Connected components of an image, row by row: runs of equal pixels, and the regions that they make up.

use std::ops::Range;

use crate::error::{Error, Result};

/// Runs of pixels that are alike, each with the region that it was given.
pub(super) struct Labeller<K> {
    by_corners: bool,
    above: Vec<(Range<usize>, K, usize)>,
    here: Vec<(Range<usize>, K, usize)>,
}

impl<K: PartialEq + Copy> Labeller<K> {
    pub(super) fn new(by_corners: bool) -> Labeller<K> {
        Labeller {
            by_corners,
            above: Vec::new(),
            here: Vec::new(),
        }
    }

    /// Asks for the region of each run, given those of the runs above that touch it and are like it, from the left. What pixels have in common
    /// is their `key`; those without belong to no run.
    pub(super) fn row(
        &mut self,
        pixels: &[f32],
        key: impl Fn(f32) -> Option<K>,
        mut region: impl FnMut(Range<usize>, K, &[usize]) -> usize,
    ) {
        self.here.clear();
        let reach = usize::from(self.by_corners);
        let (mut first, mut begin, mut over) = (0, 0, Vec::new());
        while let Some(&pixel) = pixels.get(begin) {
            let Some(alike) = key(pixel) else {
                begin += 1;
                continue;
            };
            let other = pixels[begin..].iter().position(|&p| key(p) != Some(alike));
            let end = other.map_or(pixels.len(), |length| begin + length);
            // Those that end before it touch no later one either.
            while self
                .above
                .get(first)
                .is_some_and(|(run, ..)| run.end + reach <= begin)
            {
                first += 1;
            }
            over.clear();
            let touching = self.above[first..]
                .iter()
                .take_while(|(run, ..)| run.start < end + reach);
            over.extend(
                touching
                    .filter(|(_, key, _)| *key == alike)
                    .map(|(.., region)| *region),
            );
            let region = region(begin..end, alike, &over);
            self.here.push((begin..end, alike, region));
            begin = end;
        }
        std::mem::swap(&mut self.above, &mut self.here);
    }
}

/// What is known of a region.
pub(super) trait Known {
    /// Takes in what is known of another that turns out to be the same.
    fn join(&mut self, other: &Self);
}

struct Region<T> {
    /// Itself, for the one that stands for all that were joined.
    parent: u32,
    known: T,
}

/// Two numbers of 32 bits are left to say other things than a region.
const MOST: usize = u32::MAX as usize - 2;

/// Regions in the order in which they begin, with what is known of each.
pub(super) struct Regions<T>(Vec<Region<T>>);

impl<T: Known> Regions<T> {
    pub(super) fn new() -> Regions<T> {
        Regions(Vec::new())
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// # Errors
    /// More regions than `memory` has room for; `row` is how far the image was gone over.
    pub(super) fn check(&self, row: usize, memory: usize) -> Result<()> {
        match self.count() > (memory / size_of::<Region<T>>()).min(MOST) {
            true => Err(Error::message(format!(
                "row {row}: {} regions begin up to here, more than memory has room for; filter the image first, take a part of it, or give \
                 perilune more (--memory)",
                self.count()
            ))),
            false => Ok(()),
        }
    }

    pub(super) fn find(&self, mut region: usize) -> usize {
        while self.0[region].parent as usize != region {
            region = self.0[region].parent as usize;
        }
        region
    }

    /// Of one that stands for others, as `find` gives it.
    pub(super) fn known(&self, root: usize) -> &T {
        &self.0[root].known
    }

    /// The one region of a run, of which `known` is known, and of those that it touches; a new one where it touches none.
    pub(super) fn connect(&mut self, over: &[usize], known: T) -> usize {
        let Some(&first) = over.first() else {
            let number = self.count();
            self.0.push(Region {
                parent: number as u32,
                known,
            });
            return number;
        };
        let mut root = self.find(first);
        for &other in over {
            let other = self.find(other);
            if other == root {
                continue;
            }
            // The older one stays: paths lead to where they began.
            let (older, newer) = (root.min(other), root.max(other));
            let (before, after) = self.0.split_at_mut(newer);
            before[older].known.join(&after[0].known);
            after[0].parent = older as u32;
            root = older;
        }
        self.0[root].known.join(&known);
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

    /// Lets every region be found in one step.
    pub(super) fn flatten(&mut self) {
        // Parents are older, and were done before.
        for region in 0..self.count() {
            let parent = self.0[region].parent as usize;
            self.0[region].parent = self.0[parent].parent;
        }
    }
}
