//! Whole arcs as bytes: most steps from corner to corner are short, and borders of large regions are kept for long.

use super::Corner;
use super::arcs::{Heading, Whole};

/// Appends an arc for the region at its left, or at its right.
pub fn write(out: &mut Vec<u8>, arc: &Whole, at_right: bool) {
    let mut flags = u8::from(at_right);
    if let Some((first, last)) = arc.headings {
        flags |= 2 | ((first as u8) << 2) | ((last as u8) << 4);
    }
    // Most regions have one arc, of a few short steps.
    out.reserve(2 * arc.corners.len() + 12);
    out.push(flags);
    number(out, arc.corners.len() as u64);
    let mut before = (0, 0);
    for &(row, col) in &arc.corners {
        signed(out, i64::from(row) - before.0);
        signed(out, i64::from(col) - before.1);
        before = (row.into(), col.into());
    }
}

/// Takes the arcs apart that `write` has put one after the other.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    pub fn new(bytes: &[u8]) -> Reader<'_> {
        Reader { bytes, at: 0 }
    }

    /// Appends the corners of the next arc, with the region at its left, to `rings` where it closes in itself, else to `steps`. Directions of its
    /// first and last step; None of a ring.
    pub fn next(
        &mut self,
        rings: &mut Vec<Corner>,
        steps: &mut Vec<Corner>,
    ) -> Option<Option<(Heading, Heading)>> {
        let flags = *self.bytes.get(self.at)?;
        self.at += 1;
        let is_ring = flags & 2 == 0;
        let out = if is_ring { rings } else { steps };
        let first = out.len();
        let count = take(self.bytes, &mut self.at) as usize;
        out.reserve(count);
        let mut corner = (0i64, 0i64);
        for _ in 0..count {
            corner.0 += unsigned(take(self.bytes, &mut self.at));
            corner.1 += unsigned(take(self.bytes, &mut self.at));
            out.push((corner.0 as u32, corner.1 as u32));
        }
        let headings = (!is_ring).then(|| (Heading::of(flags >> 2), Heading::of(flags >> 4)));
        if flags & 1 == 0 {
            return Some(headings);
        }
        out[first..].reverse();
        Some(headings.map(|(first, last)| (last.reversed(), first.reversed())))
    }
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
