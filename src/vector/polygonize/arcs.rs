//! Arcs that are being followed: chains of corners that grow at both ends and join.

use super::Corner;

/// Where an arc goes at one of its ends, along its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Heading {
    North = 0,
    East = 1,
    South = 2,
    West = 3,
}

impl Heading {
    pub fn of(code: u8) -> Heading {
        [Heading::North, Heading::East, Heading::South, Heading::West][usize::from(code & 3)]
    }

    pub fn turned_right(self) -> Heading {
        Heading::of(self as u8 + 1)
    }

    pub fn reversed(self) -> Heading {
        Heading::of(self as u8 + 2)
    }
}

/// No corner, no end.
pub const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Link {
    corner: Corner,
    next: u32,
}

/// One end of an arc. Arcs run with their greater label at the left; a head is the end to which an arc runs.
#[derive(Clone, Copy)]
pub struct End {
    link: u32,
    /// The other end of the same arc.
    other: u32,
    pub is_head: bool,
    /// At a node: the arc does not go on, and has this direction there.
    at_node: Option<Heading>,
    /// The least row of the arc; the same at both ends.
    top: u32,
}

/// An arc that is whole.
pub struct Whole {
    /// In the direction of the arc; rings begin with their first corner in the order of rows.
    pub corners: Vec<Corner>,
    /// Directions of its first and last step; None of rings: arcs that close in themselves, without a node.
    pub headings: Option<(Heading, Heading)>,
    /// Steps along rows and along columns take turns.
    pub turns: bool,
    /// Of rings: what is at the left is inside.
    pub is_outer: bool,
}

#[derive(Default)]
pub struct Arcs {
    links: Vec<Link>,
    free_link: Vec<u32>,
    ends: Vec<End>,
    free_end: Vec<u32>,
    /// Room of arcs that were whole.
    spare: Vec<Vec<Corner>>,
}

impl Arcs {
    pub fn bytes(&self) -> usize {
        self.links.capacity() * size_of::<Link>()
            + self.ends.capacity() * size_of::<End>()
            + (self.free_link.capacity() + self.free_end.capacity()) * size_of::<u32>()
    }

    /// Takes back the room of an arc that nobody needs any more.
    pub fn put_back(&mut self, mut corners: Vec<Corner>) {
        // That of a long one is not kept.
        if corners.capacity() <= 1024 && self.spare.len() < 1024 {
            corners.clear();
            self.spare.push(corners);
        }
    }

    pub fn end(&self, end: u32) -> End {
        self.ends[end as usize]
    }

    pub fn top(&self, end: u32) -> u32 {
        self.ends[end as usize].top
    }

    fn link(&mut self, corner: Corner, next: u32) -> u32 {
        let link = Link { corner, next };
        match self.free_link.pop() {
            Some(at) => {
                self.links[at as usize] = link;
                at
            }
            None => {
                self.links.push(link);
                self.links.len() as u32 - 1
            }
        }
    }

    fn new_end(&mut self, end: End) -> u32 {
        match self.free_end.pop() {
            Some(at) => {
                self.ends[at as usize] = end;
                at
            }
            None => {
                self.ends.push(end);
                self.ends.len() as u32 - 1
            }
        }
    }

    /// An arc that begins to grow from a corner in two directions; `first_is_head` of the ends returned.
    pub fn begin(&mut self, corner: Corner, first_is_head: bool) -> (u32, u32) {
        let link = self.link(corner, NONE);
        let end = |is_head| End {
            link,
            other: NONE,
            is_head,
            at_node: None,
            top: corner.0,
        };
        let first = self.new_end(end(first_is_head));
        let second = self.new_end(end(!first_is_head));
        self.ends[first as usize].other = second;
        self.ends[second as usize].other = first;
        (first, second)
    }

    /// An arc that begins at a node; the end that grows is its head or not. `heading` is the arc's there.
    pub fn begin_at_node(&mut self, corner: Corner, is_head: bool, heading: Heading) -> u32 {
        let (grows, node) = self.begin(corner, is_head);
        self.ends[node as usize].at_node = Some(heading);
        grows
    }

    /// A further corner at an end.
    pub fn grow(&mut self, end: u32, corner: Corner) {
        let End { link, is_head, .. } = self.end(end);
        let new = if is_head {
            let new = self.link(corner, NONE);
            self.links[link as usize].next = new;
            new
        } else {
            self.link(corner, link)
        };
        self.ends[end as usize].link = new;
    }

    /// An end has come to a node, which was added to it. The arc, where both have.
    pub fn stop(&mut self, end: u32, heading: Heading) -> Option<Whole> {
        self.ends[end as usize].at_node = Some(heading);
        let other = self.end(self.end(end).other);
        other.at_node?;
        Some(self.take(end))
    }

    /// A head and a tail meet in the last corner of `a`. The arc, where they are of one, or where both go to nodes.
    pub fn join(&mut self, a: u32, b: u32) -> Option<Whole> {
        let (of_a, of_b) = (self.end(a), self.end(b));
        if of_a.other == b {
            return Some(self.take(a));
        }
        let (head, tail) = if of_a.is_head { (of_a, of_b) } else { (of_b, of_a) };
        self.links[head.link as usize].next = tail.link;
        let top = head.top.min(tail.top);
        let (start, finish) = (head.other, tail.other);
        for (end, other) in [(start, finish), (finish, start)] {
            let end = &mut self.ends[end as usize];
            (end.other, end.top) = (other, top);
        }
        self.free_end.extend([a, b]);
        let are_at_nodes = [start, finish].iter().all(|&end| self.end(end).at_node.is_some());
        are_at_nodes.then(|| self.take(start))
    }

    /// The corners of a whole arc, whose room becomes free.
    fn take(&mut self, end: u32) -> Whole {
        let one = self.end(end);
        let other = self.end(one.other);
        let (head, tail) = if one.is_head { (one, other) } else { (other, one) };
        let mut corners = self.spare.pop().unwrap_or_default();
        let mut at = tail.link;
        loop {
            let link = self.links[at as usize];
            corners.push(link.corner);
            self.free_link.push(at);
            if at == head.link {
                break;
            }
            at = link.next;
        }
        self.free_end.extend([end, one.other]);
        let headings = tail.at_node.zip(head.at_node);
        let mut is_outer = false;
        if headings.is_none() {
            begin_first(&mut corners);
            // From the upper left corner of what it encloses it goes down there.
            is_outer = corners
                .first()
                .zip(corners.get(1))
                .is_some_and(|(a, b)| a.1 == b.1);
        }
        Whole {
            corners,
            headings,
            turns: true,
            is_outer,
        }
    }
}

/// Turns a ring so that it begins with its first corner in the order of rows.
pub fn begin_first(ring: &mut [Corner]) {
    let first = (0..ring.len()).min_by_key(|&i| ring[i]).unwrap_or(0);
    ring.rotate_left(first);
}
