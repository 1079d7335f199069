//! Which runs of pixels are one region, and what is known of it: two layers of a union-find whose numbers are used again once no run names them.
//!
//! A part is connected by edges. A group is connected as the caller asked: its parts may meet in corners.

use super::arcs::{NONE, Whole};
use super::{Region, Tally, code};

struct Part<T> {
    /// Itself, for the part that stands for all that were joined.
    parent: u32,
    group: u32,
    last_row: u32,
    label: u32,
    first: (u32, u32),
    tally: T,
    arcs: Vec<u8>,
}

struct Group<T> {
    parent: u32,
    /// Of its parts, those that may go on.
    open: u32,
    label: u32,
    first: (u32, u32),
    tally: T,
    /// The first pixels and the borders of those that do not.
    done: Vec<((u32, u32), Vec<u8>)>,
}

pub struct Regions<T> {
    parts: Vec<Part<T>>,
    free_parts: Vec<u32>,
    /// Numbers that stand for nothing of their own any more, but that a run of this row may name.
    joined_parts: Vec<u32>,
    groups: Vec<Group<T>>,
    free_groups: Vec<u32>,
    joined_groups: Vec<u32>,
    /// Whether parts that meet in a corner are one region.
    by_corners: bool,
    border_bytes: usize,
}

impl<T: Tally> Regions<T> {
    pub fn new(by_corners: bool) -> Regions<T> {
        Regions {
            parts: Vec::new(),
            free_parts: Vec::new(),
            joined_parts: Vec::new(),
            groups: Vec::new(),
            free_groups: Vec::new(),
            joined_groups: Vec::new(),
            by_corners,
            border_bytes: 0,
        }
    }

    pub fn bytes(&self) -> usize {
        self.border_bytes
            + self.parts.capacity() * size_of::<Part<T>>()
            + self.groups.capacity() * size_of::<Group<T>>()
    }

    /// A part of one pixel so far.
    pub fn begin(&mut self, label: u32, first: (u32, u32)) -> u32 {
        let number = self.free_parts.pop().unwrap_or(self.parts.len() as u32);
        let group = match self.by_corners {
            true => self.begin_group(label, first),
            false => NONE,
        };
        let part = Part {
            parent: number,
            group,
            last_row: first.0,
            label,
            first,
            tally: T::default(),
            arcs: Vec::new(),
        };
        match self.parts.get_mut(number as usize) {
            Some(free) => *free = part,
            None => self.parts.push(part),
        }
        number
    }

    fn begin_group(&mut self, label: u32, first: (u32, u32)) -> u32 {
        let number = self.free_groups.pop().unwrap_or(self.groups.len() as u32);
        let group = Group {
            parent: number,
            open: 1,
            label,
            first,
            tally: T::default(),
            done: Vec::new(),
        };
        match self.groups.get_mut(number as usize) {
            Some(free) => *free = group,
            None => self.groups.push(group),
        }
        number
    }

    pub fn find(&mut self, mut part: u32) -> u32 {
        loop {
            let parent = self.parts[part as usize].parent;
            if parent == part {
                return part;
            }
            let above = self.parts[parent as usize].parent;
            self.parts[part as usize].parent = above;
            part = above;
        }
    }

    fn find_group(&mut self, mut group: u32) -> u32 {
        loop {
            let parent = self.groups[group as usize].parent;
            if parent == group {
                return group;
            }
            let above = self.groups[parent as usize].parent;
            self.groups[group as usize].parent = above;
            group = above;
        }
    }

    /// Two that share an edge are one. What stands for both.
    pub fn join(&mut self, a: u32, b: u32) -> u32 {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return a;
        }
        self.join_by_corner(a, b);
        // The one with more to move stays.
        let more = |part: u32| self.parts[part as usize].arcs.len();
        let (stays, goes) = if more(a) >= more(b) { (a, b) } else { (b, a) };
        let (group, by_corners) = (self.parts[goes as usize].group, self.by_corners);
        let gone = &mut self.parts[goes as usize];
        gone.parent = stays;
        let (arcs, tally) = (std::mem::take(&mut gone.arcs), std::mem::take(&mut gone.tally));
        let (first, last_row) = (gone.first, gone.last_row);
        let part = &mut self.parts[stays as usize];
        part.arcs.extend_from_slice(&arcs);
        part.tally.merge(tally);
        part.first = part.first.min(first);
        part.last_row = part.last_row.max(last_row);
        self.joined_parts.push(goes);
        if by_corners {
            let group = self.find_group(group);
            self.groups[group as usize].open -= 1;
        }
        stays
    }

    /// Two that share a corner are one region, where corners connect.
    pub fn join_by_corner(&mut self, a: u32, b: u32) {
        if !self.by_corners {
            return;
        }
        let (a, b) = (self.find(a), self.find(b));
        let (a, b) = (self.parts[a as usize].group, self.parts[b as usize].group);
        let (a, b) = (self.find_group(a), self.find_group(b));
        if a == b {
            return;
        }
        let more = |group: u32| self.groups[group as usize].done.len();
        let (stays, goes) = if more(a) >= more(b) { (a, b) } else { (b, a) };
        let gone = &mut self.groups[goes as usize];
        gone.parent = stays;
        let (done, tally) = (std::mem::take(&mut gone.done), std::mem::take(&mut gone.tally));
        let (first, open) = (gone.first, gone.open);
        let group = &mut self.groups[stays as usize];
        group.done.extend(done);
        group.tally.merge(tally);
        group.first = group.first.min(first);
        group.open += open;
        self.joined_groups.push(goes);
    }

    /// More pixels of a part, in this row.
    pub fn add(&mut self, part: u32, row: u32, add: impl FnOnce(&mut T)) {
        let part = &mut self.parts[part as usize];
        part.last_row = row;
        add(&mut part.tally);
    }

    /// An arc between the parts at its left and at its right; NONE where there is none.
    pub fn border(&mut self, arc: &Whole, left: u32, right: u32) {
        for (part, at_right) in [(left, false), (right, true)] {
            if part != NONE {
                let part = self.find(part);
                let arcs = &mut self.parts[part as usize].arcs;
                let before = arcs.len();
                code::write(arcs, arc, at_right);
                self.border_bytes += arcs.len() - before;
            }
        }
    }

    /// Ends a part, unless it has been or has pixels in `row`. The region, where this was the last that could go on.
    pub fn finish(&mut self, part: u32, row: u32) -> Option<Region<T>> {
        let number = self.find(part);
        let part = &mut self.parts[number as usize];
        if part.last_row >= row {
            return None;
        }
        // Another run of the row above may name it again.
        part.last_row = u32::MAX;
        self.joined_parts.push(number);
        let (arcs, tally) = (std::mem::take(&mut part.arcs), std::mem::take(&mut part.tally));
        let (label, first, group) = (part.label, part.first, part.group);
        if !self.by_corners {
            self.border_bytes -= arcs.len();
            return Some(Region {
                label,
                first,
                tally,
                borders: arcs,
                others: Vec::new(),
            });
        }
        let number = self.find_group(group);
        let group = &mut self.groups[number as usize];
        group.tally.merge(tally);
        group.done.push((first, arcs));
        group.open -= 1;
        if group.open > 0 {
            return None;
        }
        let mut done = std::mem::take(&mut group.done);
        done.sort_unstable_by_key(|(first, _)| *first);
        let mut borders = done.into_iter().map(|(_, arcs)| arcs);
        let region = Region {
            label: group.label,
            first: group.first,
            tally: std::mem::take(&mut group.tally),
            borders: borders.next().unwrap_or_default(),
            others: borders.collect(),
        };
        self.border_bytes -= region.parts().map(<[u8]>::len).sum::<usize>();
        self.joined_groups.push(number);
        Some(region)
    }

    /// Ends a row: `named` are the parts of its runs, which from here on are named by the numbers that stand for them. All
    /// other numbers may be used again.
    pub fn settle<'a>(&mut self, named: impl Iterator<Item = &'a mut u32>) {
        for part in named {
            *part = self.find(*part);
            if self.by_corners {
                let group = self.find_group(self.parts[*part as usize].group);
                self.parts[*part as usize].group = group;
            }
        }
        self.free_parts.append(&mut self.joined_parts);
        self.free_groups.append(&mut self.joined_groups);
    }
}
