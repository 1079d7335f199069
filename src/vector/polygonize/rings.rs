//! Rings of a part from the arcs around it.

use super::arcs::Heading;
use super::code::{self, Border};
use super::{Corner, Ring};

/// An arc from node to node, with the part at its left.
struct Step {
    from: Corner,
    to: Corner,
    first: Heading,
    last: Heading,
    corners: Vec<Corner>,
    is_used: bool,
}

/// The outer ring, then those of the holes by their first corners; each begins with its first corner in the order of rows.
/// `is_straight_kept` leaves nodes in straight edges, where other regions have corners.
pub fn rings(arcs: &[u8], is_straight_kept: bool) -> Vec<Ring> {
    let mut rings = Vec::new();
    let mut steps = Vec::new();
    for Border {
        mut corners,
        headings,
    } in code::read(arcs)
    {
        match headings {
            None => rings.push(corners),
            Some((first, last)) => {
                // The next arc begins with it.
                let from = corners[0];
                let to = corners.pop().unwrap_or(from);
                steps.push(Step {
                    from,
                    to,
                    first,
                    last,
                    corners,
                    is_used: false,
                });
            }
        }
    }
    steps.sort_unstable_by_key(|step| (step.from, step.first as u8));
    for start in 0..steps.len() {
        let mut ring = Ring::new();
        let mut at = start;
        while !steps[at].is_used {
            let step = &mut steps[at];
            step.is_used = true;
            ring.append(&mut step.corners);
            let (to, last) = (step.to, step.last);
            at = steps.partition_point(|step| step.from < to);
            // Where the part meets itself in a corner two arcs go on. That around the pixel at the right leaves the hole, or the
            // outside, that it has come along on one ring, and what is across the corner on another.
            if steps[at].first != last.turned_right()
                && steps.get(at + 1).is_some_and(|next| next.from == to)
                && steps[at + 1].first == last.turned_right()
            {
                at += 1;
            }
        }
        if !ring.is_empty() {
            rings.push(ring);
        }
    }
    for ring in &mut rings {
        if !is_straight_kept {
            drop_straight(ring);
        }
        let first = (0..ring.len()).min_by_key(|&i| ring[i]).unwrap_or(0);
        ring.rotate_left(first);
    }
    rings.sort_unstable_by_key(|ring| (!is_outer(ring), ring[0]));
    rings
}

/// Corners in the middle of straight edges along rows and columns.
fn drop_straight(ring: &mut Ring) {
    let (Some(&first), Some(&last)) = (ring.first(), ring.last()) else {
        return;
    };
    let (mut before, mut kept, mut i) = (last, 0, 0);
    while i < ring.len() {
        let corner = ring[i];
        let after = ring.get(i + 1).copied().unwrap_or(first);
        let is_straight =
            (before.0 == corner.0 && corner.0 == after.0) || (before.1 == corner.1 && corner.1 == after.1);
        if !is_straight {
            ring[kept] = corner;
            kept += 1;
        }
        before = corner;
        i += 1;
    }
    ring.truncate(kept);
}

/// Anticlockwise, with rows downward.
fn is_outer(ring: &[Corner]) -> bool {
    doubled_area(ring) > 0
}

fn doubled_area(ring: &[Corner]) -> i64 {
    let Some(&last) = ring.last() else { return 0 };
    let mut before = last;
    let mut sum = 0;
    for &corner in ring {
        sum += i64::from(before.0) * i64::from(corner.1) - i64::from(before.1) * i64::from(corner.0);
        before = corner;
    }
    sum
}
