//! Whole arcs as bytes: steps from corner to corner are short, and borders of large regions are kept for long.
//!
//! An arc takes a byte of flags, the number of its corners, row and column of the first, and its steps, all by numbers of 7 bits a byte.
//! Borders along pixels turn in every corner, from along a row to along a column and back: a step is one signed length, mostly a byte.
//! A hole of one pixel takes some 10 bytes; as coordinates it is 5 × 16.

use super::Corner;
use super::arcs::{Heading, Whole};

/// Between nodes; else the arc is a ring.
const HAS_NODES: u8 = 1;
/// Steps are lengths along rows and columns in turn. The first is along a row or not.
const TURNS: u8 = 2;
const ALONG_ROW: u8 = 4;
/// A ring around its region, not around a hole.
const IS_OUTER: u8 = 8;
/// Headings of the first and last step.
const FIRST: u32 = 4;
const LAST: u32 = 6;

/// Appends an arc for the region at its left, or at its right, which has it the other way round. Rings begin with the same corner both ways.
pub fn write(out: &mut Vec<u8>, arc: &Whole, at_right: bool) {
    let Some((&first, rest)) = arc.corners.split_first() else {
        return;
    };
    // Most regions have one arc, of a few short steps.
    out.reserve(arc.corners.len() + 12);
    match (arc.headings, at_right) {
        (None, false) => append(out, arc, is_outer(arc.is_outer), first, rest.iter()),
        (None, true) => append(out, arc, is_outer(!arc.is_outer), first, rest.iter().rev()),
        (Some((from, to)), false) => append(out, arc, between(from, to), first, rest.iter()),
        (Some((from, to)), true) => {
            let mut corners = arc.corners.iter().rev();
            let first = corners.next().copied().unwrap_or(first);
            append(out, arc, between(to.reversed(), from.reversed()), first, corners);
        }
    }
}

fn is_outer(is_outer: bool) -> u8 {
    if is_outer { IS_OUTER } else { 0 }
}

fn between(first: Heading, last: Heading) -> u8 {
    HAS_NODES | ((first as u8) << FIRST) | ((last as u8) << LAST)
}

#[inline(always)]
fn append<'a>(
    out: &mut Vec<u8>,
    arc: &Whole,
    mut flags: u8,
    first: Corner,
    rest: impl Iterator<Item = &'a Corner> + Clone,
) {
    if arc.turns {
        let is_along_row = rest.clone().next().is_some_and(|next| next.0 == first.0);
        flags |= TURNS | if is_along_row { ALONG_ROW } else { 0 };
    }
    out.push(flags);
    number(out, arc.corners.len() as u64);
    number(out, first.0.into());
    number(out, first.1.into());
    let mut before = first;
    for &corner in rest {
        let down = i64::from(corner.0) - i64::from(before.0);
        let right = i64::from(corner.1) - i64::from(before.1);
        if arc.turns {
            // One of the two is nothing.
            signed(out, down + right);
        } else {
            signed(out, down);
            signed(out, right);
        }
        before = corner;
    }
}

/// What is known of an arc without its corners.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    flags: u8,
    pub corners: usize,
    start: Corner,
    /// Where its steps are.
    at: usize,
}

impl Head {
    /// Directions of its first and last step; None of a ring.
    pub fn headings(self) -> Option<(Heading, Heading)> {
        let heading = |shift| Heading::of(self.flags >> shift);
        (self.flags & HAS_NODES != 0).then(|| (heading(FIRST), heading(LAST)))
    }

    pub fn is_outer(self) -> bool {
        self.flags & IS_OUTER != 0
    }

    pub fn start(self) -> Corner {
        self.start
    }
}

/// The arc at a place in what `write` has put one after the other; None at the end.
pub fn head(bytes: &[u8], at: usize) -> Option<Head> {
    let flags = *bytes.get(at)?;
    let mut at = at + 1;
    let corners = take(bytes, &mut at) as usize;
    let row = take(bytes, &mut at) as u32;
    let start = (row, take(bytes, &mut at) as u32);
    Some(Head {
        flags,
        corners,
        start,
        at,
    })
}

/// Calls `each` with the corners of an arc; where the next one is.
pub fn corners(bytes: &[u8], head: Head, mut each: impl FnMut(Corner)) -> usize {
    let (mut row, mut col) = (i64::from(head.start.0), i64::from(head.start.1));
    let mut at = head.at;
    if head.corners > 0 {
        each(head.start);
    }
    let mut along_row = head.flags & ALONG_ROW != 0;
    for _ in 1..head.corners {
        let step = unsigned(take(bytes, &mut at));
        if head.flags & TURNS == 0 {
            row += step;
            col += unsigned(take(bytes, &mut at));
        } else if along_row {
            col += step;
        } else {
            row += step;
        }
        along_row = !along_row;
        each((row as u32, col as u32));
    }
    at
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 128 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

fn signed(out: &mut Vec<u8>, value: i64) {
    number(out, ((value << 1) ^ (value >> 63)) as u64);
}

fn unsigned(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn take(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut value, mut shift) = (0, 0);
    // What `number` has written ends with a byte below 128.
    while let Some(&byte) = bytes.get(*at) {
        *at += 1;
        value |= u64::from(byte & 127) << shift;
        shift += 7;
        if byte < 128 {
            break;
        }
    }
    value
}
