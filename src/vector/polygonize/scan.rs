//! The pass over the rows.

use super::arcs::{Arcs, Heading, NONE, Whole, begin_first};
use super::regions::Regions;
use super::rings::is_outer;
use super::simplify::{Corners, simplify};
use super::{Corner, NO_LABEL, Tally, Visit};
use crate::error::Result;

/// Pixels of one label beside each other. The first run of a row is what lies at the left of the image; a run ends where the next
/// begins.
#[derive(Clone, Copy)]
struct Run {
    start: u32,
    label: u32,
    part: u32,
}

const OUTSIDE: Run = Run {
    start: 0,
    label: NO_LABEL,
    part: NONE,
};

pub struct Scan<T> {
    cols: usize,
    row: u32,
    above: Vec<Run>,
    here: Vec<Run>,
    regions: Regions<T>,
    arcs: Arcs,
    /// The end of the arc that comes down to this row at each corner; where none does, whatever was there.
    down: Vec<u32>,
    /// Arcs that became whole in this row, with the parts at their left and right.
    whole: Vec<(Whole, u32, u32)>,
    /// The area of triangles that are left out, in pixels.
    simplify: Option<(f64, Corners)>,
}

impl<T: Tally> Scan<T> {
    /// For rows of `cols` pixels. `by_corners` makes pixels that meet in a corner one region. `area`, in pixels, is how large the
    /// triangles are that simplification takes away; None for borders along pixels.
    pub fn new(cols: usize, by_corners: bool, area: Option<f64>) -> Scan<T> {
        Scan {
            cols,
            row: 0,
            above: vec![OUTSIDE],
            here: Vec::new(),
            regions: Regions::new(by_corners),
            arcs: Arcs::default(),
            down: vec![NONE; cols + 1],
            whole: Vec::new(),
            simplify: area.map(|area| (area, Corners::new(cols + 1))),
        }
    }

    /// What is kept between rows.
    pub fn bytes(&self) -> usize {
        self.regions.bytes()
            + self.arcs.bytes()
            + self.down.len() * size_of::<u32>()
            + (self.above.capacity() + self.here.capacity()) * size_of::<Run>()
            + self.simplify.as_ref().map_or(0, |(_, corners)| corners.bytes())
    }

    /// The next row: where its labels change, and to which. It begins without a label.
    ///
    /// # Errors
    /// Those of the visitor.
    pub fn row(&mut self, changes: &[(u32, u32)], visit: &mut impl Visit<T>) -> Result<()> {
        let run = |start, label| Run {
            start,
            label,
            part: NONE,
        };
        self.here.clear();
        self.here.push(OUTSIDE);
        self.here
            .extend(changes.iter().map(|&(start, label)| run(start, label)));
        if changes.last().is_some_and(|&(_, label)| label != NO_LABEL) {
            self.here.push(run(self.cols as u32, NO_LABEL));
        }
        self.pass(visit)
    }

    /// After the last row: the regions that reach down to it.
    ///
    /// # Errors
    /// Those of the visitor.
    pub fn finish(&mut self, visit: &mut impl Visit<T>) -> Result<()> {
        self.here.clear();
        self.here.push(OUTSIDE);
        self.pass(visit)
    }

    fn pass(&mut self, visit: &mut impl Visit<T>) -> Result<()> {
        self.connect(visit);
        self.follow();
        for (mut arc, left, right) in self.whole.drain(..) {
            if let Some((area, corners)) = &self.simplify {
                simplify(&mut arc.corners, arc.headings.is_none(), *area, corners);
                if arc.headings.is_none() {
                    begin_first(&mut arc.corners);
                    arc.is_outer = is_outer(&arc.corners);
                }
                arc.turns = turns(&arc.corners, arc.headings.is_none());
            }
            self.regions.border(&arc, left, right);
            self.arcs.put_back(arc.corners);
        }
        for run in &self.above {
            if run.part == NONE {
                continue;
            }
            if let Some(region) = self.regions.finish(run.part, self.row)
                && visit.is_wanted(&region.tally)
            {
                visit.take(region)?;
            }
        }
        let named = self.here.iter_mut().map(|run| &mut run.part);
        self.regions.settle(named.filter(|part| **part != NONE));
        std::mem::swap(&mut self.above, &mut self.here);
        self.row += 1;
        // Looked up now and then only: it takes a step for each column.
        if self.row.is_multiple_of(256) {
            self.forget_corners();
        }
        Ok(())
    }

    fn forget_corners(&mut self) {
        let row = self.row;
        let Some((_, corners)) = &mut self.simplify else {
            return;
        };
        let mut oldest = row;
        for pair in self.above.windows(2) {
            oldest = oldest.min(self.arcs.top(self.down[pair[1].start as usize]));
        }
        corners.forget(oldest);
    }

    /// Which part each run of the row belongs to.
    fn connect(&mut self, visit: &mut impl Visit<T>) {
        let (above, here) = (&self.above, &mut self.here);
        let mut first = 0;
        for i in 1..here.len() {
            let Run { start, label, .. } = here[i];
            let end = here.get(i + 1).map_or(self.cols as u32, |next| next.start);
            if label == NO_LABEL {
                continue;
            }
            let ends = |run: usize| above.get(run + 1).map_or(u32::MAX, |next| next.start);
            while ends(first) <= start {
                first += 1;
            }
            let mut part = NONE;
            let mut over = first;
            while over < above.len() && above[over].start < end {
                if above[over].label == label {
                    part = match part {
                        NONE => self.regions.find(above[over].part),
                        part => self.regions.join(part, above[over].part),
                    };
                }
                over += 1;
            }
            if part == NONE {
                part = self.regions.begin(label, (self.row, start));
            }
            self.regions.add(part, self.row, |tally| {
                visit.add(tally, start as usize..end as usize)
            });
            here[i].part = part;
        }
    }

    /// Arcs through the corners between the row above and this one. They turn or meet only where a run begins in one of the two.
    fn follow(&mut self) {
        if let Some((_, corners)) = &mut self.simplify {
            corners.begin_row();
        }
        let (mut above, mut here) = (0, 0);
        let mut across = NONE;
        loop {
            let start = |runs: &[Run], at: usize| runs.get(at + 1).map_or(u32::MAX, |run| run.start);
            let (up, low) = (start(&self.above, above), start(&self.here, here));
            let col = up.min(low);
            if col == u32::MAX {
                return;
            }
            let (a, c) = (self.above[above], self.here[here]);
            above += usize::from(up == col);
            here += usize::from(low == col);
            let (b, d) = (self.above[above], self.here[here]);
            if a.label != c.label || b.label != d.label {
                across = self.corner(col, [a, b, c, d], across);
                if let Some((_, corners)) = &mut self.simplify {
                    corners.add(col);
                }
            }
        }
    }

    /// A corner where an arc turns, or several meet, among the runs at its upper left, upper right, lower left and lower right. Takes the
    /// arc that comes from the left and gives that which goes on to the right.
    fn corner(&mut self, col: u32, [a, b, c, d]: [Run; 4], across: u32) -> u32 {
        let at = (self.row, col);
        let (up, low) = (a.label != b.label, c.label != d.label);
        let (left, right) = (a.label != c.label, b.label != d.label);
        // Of an arc downward the head goes down where the greater label is at its left, in the east; of one to the right, where it is in
        // the north.
        let (down_is_head, right_is_head) = (d.label > c.label, b.label > d.label);
        let coming = self.down[col as usize];
        for (one, across, others) in [(a, d, [b, c]), (b, c, [a, d])] {
            let is_pair = one.label == across.label && one.label != NO_LABEL;
            if is_pair && others.iter().all(|other| other.label != one.label) {
                self.regions.join_by_corner(one.part, across.part);
            }
        }
        match (up, left, low, right) {
            (true, true, false, false) => {
                self.arcs.grow(coming, at);
                if let Some(whole) = self.arcs.join(coming, across) {
                    self.keep(whole, a, b);
                }
                NONE
            }
            (true, false, false, true) => {
                self.arcs.grow(coming, at);
                coming
            }
            (false, true, true, false) => {
                self.arcs.grow(across, at);
                self.down[col as usize] = across;
                NONE
            }
            (false, false, true, true) => {
                let (down, right) = self.arcs.begin(at, down_is_head);
                self.down[col as usize] = down;
                right
            }
            _ => {
                if up {
                    self.stop(coming, at, Heading::South, a, b);
                }
                if left {
                    self.stop(across, at, Heading::East, a, c);
                }
                let heading = |is_head: bool, away: Heading| if is_head { away } else { away.reversed() };
                if low {
                    let heading = heading(down_is_head, Heading::South);
                    self.down[col as usize] = self.arcs.begin_at_node(at, down_is_head, heading);
                }
                match right {
                    true => {
                        let heading = heading(right_is_head, Heading::East);
                        self.arcs.begin_at_node(at, right_is_head, heading)
                    }
                    false => NONE,
                }
            }
        }
    }

    /// An arc between two runs has come to a node on its way `onward`.
    fn stop(&mut self, end: u32, at: (u32, u32), onward: Heading, one: Run, other: Run) {
        self.arcs.grow(end, at);
        let heading = match self.arcs.end(end).is_head {
            true => onward,
            false => onward.reversed(),
        };
        if let Some(whole) = self.arcs.stop(end, heading) {
            self.keep(whole, one, other);
        }
    }

    /// The greater label is at the left of an arc.
    fn keep(&mut self, whole: Whole, one: Run, other: Run) {
        let (left, right) = match one.label > other.label {
            true => (one, other),
            false => (other, one),
        };
        self.whole.push((whole, left.part, right.part));
    }
}

/// Whether steps along rows and along columns take turns, round a ring also from its end to its beginning.
fn turns(corners: &[Corner], is_ring: bool) -> bool {
    let steps = corners.len() - usize::from(!is_ring);
    let onward = corners.iter().zip(corners.iter().cycle().skip(1)).take(steps);
    let along_row = |(a, b): (&Corner, &Corner)| a.0 == b.0 && a.1 != b.1;
    let along_col = |(a, b): (&Corner, &Corner)| a.1 == b.1 && a.0 != b.0;
    let mut kinds = onward.map(|step| (along_row(step), along_col(step)));
    let Some(first) = kinds.next() else { return false };
    let (mut last, mut alternate) = (first, first.0 || first.1);
    for kind in kinds {
        alternate &= kind == (last.1, last.0);
        last = kind;
    }
    alternate && (!is_ring || steps.is_multiple_of(2))
}
