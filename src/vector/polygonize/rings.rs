//! Rings of a part from the arcs around it.
//!
//! The arcs stay packed. What is added to find the rings is 16 bytes for each arc between nodes and 8 for each ring of such; rings that
//! have no node, which most holes are, take nothing. One ring at a time is unpacked, 8 bytes a corner.

use super::Corner;
use super::arcs::begin_first;
use super::code;

/// An arc from node to node, with the part at its left.
struct Step {
    from: Corner,
    /// Where it is among the packed arcs.
    at: u32,
    /// The step that goes on where it ends.
    next: u32,
}

/// A ring of several arcs.
struct Ring {
    /// One of its steps.
    step: u32,
    corners: u32,
}

/// Finds rings; one may be used for part after part.
#[derive(Default)]
pub struct Tracer {
    steps: Vec<Step>,
    /// The first step of each row from that of the first step, where there are many.
    rows: Vec<u32>,
    is_used: Vec<bool>,
    rings: Vec<Ring>,
    /// The outer ring, where it has nodes.
    outer: Option<usize>,
    is_straight_kept: bool,
    corners: Vec<Corner>,
}

/// Of the rings of a part. The first corner of a ring is not repeated at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Size {
    pub rings: usize,
    pub corners: usize,
}

const MANY: usize = 64;

/// What finding the rings of arcs takes in memory.
pub fn tracer_bytes(arcs: &[u8]) -> usize {
    let mut steps = 0;
    let mut at = 0;
    while let Some(head) = code::head(arcs, at) {
        steps += usize::from(head.headings().is_some());
        at = code::corners(arcs, head, |_| ());
    }
    steps * (size_of::<Step>() + size_of::<bool>() + size_of::<Ring>())
}

impl Tracer {
    /// Finds the rings of a part. `is_straight_kept` leaves nodes in straight edges, where other regions have corners.
    pub fn trace(&mut self, arcs: &[u8], is_straight_kept: bool) -> Size {
        self.is_straight_kept = is_straight_kept;
        self.steps.clear();
        self.rings.clear();
        self.outer = None;
        let mut size = Size::default();
        let (mut at, mut is_outer_whole) = (0, false);
        while let Some(head) = code::head(arcs, at) {
            match head.headings() {
                None => {
                    size.rings += 1;
                    size.corners += head.corners;
                    is_outer_whole |= head.is_outer();
                }
                Some(_) => self.steps.push(Step {
                    from: head.start(),
                    at: at as u32,
                    next: 0,
                }),
            }
            at = code::corners(arcs, head, |_| ());
        }
        if self.steps.is_empty() {
            return size;
        }
        self.connect(arcs);
        self.close(arcs);
        size.rings += self.rings.len();
        size.corners += self.rings.iter().map(|ring| ring.corners as usize).sum::<usize>();
        if !is_outer_whole {
            let outer = (0..self.rings.len()).find(|&ring| {
                self.unpack(arcs, ring);
                is_outer(&self.corners)
            });
            self.outer = outer;
        }
        size
    }

    /// Says of each step which goes on where it ends.
    fn connect(&mut self, arcs: &[u8]) {
        let first = |step: &Step| {
            let headings = code::head(arcs, step.at as usize).and_then(code::Head::headings);
            headings.map(|(first, _)| first)
        };
        self.steps.sort_unstable_by(|a, b| {
            let by_heading = || first(a).map(|h| h as u8).cmp(&first(b).map(|h| h as u8));
            a.from.cmp(&b.from).then_with(by_heading)
        });
        let top = self.steps[0].from.0;
        self.rows.clear();
        if self.steps.len() > MANY {
            for (i, step) in (0..).zip(&self.steps) {
                while self.rows.len() <= (step.from.0 - top) as usize {
                    self.rows.push(i);
                }
            }
        }
        for i in 0..self.steps.len() {
            let Some(head) = code::head(arcs, self.steps[i].at as usize) else {
                continue;
            };
            let mut to = head.start();
            code::corners(arcs, head, |corner| to = corner);
            let row = (to.0 - top) as usize;
            let begin = self.rows.get(row).map_or(0, |&at| at as usize);
            let end = self.rows.get(row + 1).map_or(self.steps.len(), |&at| at as usize);
            let there = &self.steps[begin..end];
            let mut next = there.partition_point(|step| step.from < to);
            // Where the part meets itself in a corner two arcs go on. That around the pixel at the right leaves the hole, or the
            // outside, that it has come along on one ring, and what is across the corner on another.
            let right = head.headings().map(|(_, last)| last.turned_right());
            if there.get(next + 1).is_some_and(|other| other.from == to)
                && first(&there[next]) != right
                && first(&there[next + 1]) == right
            {
                next += 1;
            }
            self.steps[i].next = (begin + next) as u32;
        }
    }

    /// The rings of the steps, and how many corners they have.
    fn close(&mut self, arcs: &[u8]) {
        self.is_used.clear();
        self.is_used.resize(self.steps.len(), false);
        for start in 0..self.steps.len() {
            let (mut at, mut corners) = (start, 0);
            while !self.is_used[at] {
                self.is_used[at] = true;
                let (count, is_straight) = self.end_of(arcs, at);
                corners += count - 1 - usize::from(is_straight);
                at = self.steps[at].next as usize;
            }
            if corners > 0 {
                self.rings.push(Ring {
                    step: start as u32,
                    corners: corners as u32,
                });
            }
        }
    }

    /// How many corners a step has, and whether the ring loses the last: the next step goes straight on.
    fn end_of(&self, arcs: &[u8], step: usize) -> (usize, bool) {
        let head = |step: &Step| code::head(arcs, step.at as usize);
        let (here, next) = (&self.steps[step], &self.steps[self.steps[step].next as usize]);
        let Some(here) = head(here) else { return (1, false) };
        let last = here.headings().map(|(_, last)| last);
        let first = head(next).and_then(code::Head::headings).map(|(first, _)| first);
        (here.corners, !self.is_straight_kept && last == first)
    }

    /// The corners of a ring of several arcs, from its first in the order of rows.
    fn unpack(&mut self, arcs: &[u8], ring: usize) {
        let mut corners = std::mem::take(&mut self.corners);
        corners.clear();
        corners.reserve(self.rings[ring].corners as usize + 1);
        let start = self.rings[ring].step as usize;
        let mut at = start;
        let mut is_straight = false;
        loop {
            if let Some(head) = code::head(arcs, self.steps[at].at as usize) {
                let mut place = 0;
                let (skipped, last) = (usize::from(is_straight), head.corners - 1);
                code::corners(arcs, head, |corner| {
                    if place >= skipped && place < last {
                        corners.push(corner);
                    }
                    place += 1;
                });
            }
            is_straight = self.end_of(arcs, at).1;
            at = self.steps[at].next as usize;
            if at == start {
                break;
            }
        }
        if is_straight && !corners.is_empty() {
            corners.remove(0);
        }
        begin_first(&mut corners);
        self.corners = corners;
    }

    /// Calls `each` with the corners of all rings that `trace` has found in these arcs: the outer ring, then those of the holes, each from
    /// its first corner in the order of rows.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn rings<E>(
        &mut self,
        arcs: &[u8],
        mut each: impl FnMut(&[Corner]) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(outer) = self.outer {
            self.unpack(arcs, outer);
            each(&self.corners)?;
        }
        // The outer ring has no node, or is told already.
        for wants_outer in [true, false] {
            let mut at = 0;
            while let Some(head) = code::head(arcs, at) {
                let is_wanted = head.headings().is_none() && head.is_outer() == wants_outer;
                if wants_outer && self.outer.is_some() {
                    break;
                }
                self.corners.clear();
                let corners = &mut self.corners;
                at = match is_wanted {
                    true => code::corners(arcs, head, |corner| corners.push(corner)),
                    false => code::corners(arcs, head, |_| ()),
                };
                if is_wanted {
                    each(&self.corners)?;
                    if wants_outer {
                        break;
                    }
                }
            }
        }
        for ring in 0..self.rings.len() {
            if self.outer != Some(ring) {
                self.unpack(arcs, ring);
                each(&self.corners)?;
            }
        }
        Ok(())
    }
}

/// Anticlockwise, with rows downward.
pub fn is_outer(ring: &[Corner]) -> bool {
    let Some(&last) = ring.last() else { return false };
    let mut before = last;
    let mut sum = 0;
    for &corner in ring {
        sum += i64::from(before.0) * i64::from(corner.1) - i64::from(before.1) * i64::from(corner.0);
        before = corner;
    }
    sum > 0
}
