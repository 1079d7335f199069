//! Whole arcs as bytes: most steps from corner to corner are short, and borders of large regions are kept for long.

use super::Corner;
use super::arcs::{Heading, Whole};

/// An arc as a region sees it, with the region at its left.
pub struct Border {
    pub corners: Vec<Corner>,
    pub headings: Option<(Heading, Heading)>,
}

/// Appends an arc for the region at its left, or at its right.
pub fn write(out: &mut Vec<u8>, arc: &Whole, at_right: bool) {
    let mut flags = u8::from(at_right);
    if let Some((first, last)) = arc.headings {
        flags |= 2 | ((first as u8) << 2) | ((last as u8) << 4);
    }
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
pub fn read(bytes: &[u8]) -> impl Iterator<Item = Border> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let flags = *bytes.get(at)?;
        at += 1;
        let count = take(bytes, &mut at) as usize;
        let mut corner = (0i64, 0i64);
        let mut corners = Vec::with_capacity(count);
        for _ in 0..count {
            corner.0 += unsigned(take(bytes, &mut at));
            corner.1 += unsigned(take(bytes, &mut at));
            corners.push((corner.0 as u32, corner.1 as u32));
        }
        let headings = (flags & 2 != 0).then(|| (Heading::of(flags >> 2), Heading::of(flags >> 4)));
        if flags & 1 == 0 {
            return Some(Border { corners, headings });
        }
        corners.reverse();
        Some(Border {
            corners,
            headings: headings.map(|(first, last)| (last.reversed(), first.reversed())),
        })
    })
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
