//! Regions beside a slow and obvious flood fill, rings beside the pixels that they enclose.

use std::collections::BTreeSet;
use std::ops::Range;

use geo::{Contains, Coord, LineString, MultiPolygon, Point, Polygon, Validation};

use super::rings::{Size, Tracer};
use super::scan::Scan;
use super::{Tally, Visit};
use crate::error::Result;

type Pixel = (u32, u32);
type Ring = Vec<Pixel>;

/// With its rings, part by part.
struct Region {
    label: u32,
    first: Pixel,
    tally: Count,
    parts: Vec<Vec<Ring>>,
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Count(usize);

impl Tally for Count {
    fn merge(&mut self, other: Count) {
        self.0 += other.0;
    }
}

#[derive(Default)]
struct All {
    regions: Vec<Region>,
    is_simplified: bool,
    tracer: Tracer,
}

impl Visit<Count> for All {
    fn add(&mut self, tally: &mut Count, cols: Range<usize>) {
        tally.0 += cols.len();
    }
    fn is_wanted(&mut self, _: &Count) -> bool {
        true
    }
    fn take(&mut self, region: super::Region<Count>) -> Result<()> {
        let parts = region.parts().map(|arcs| {
            let size = self.tracer.trace(arcs, self.is_simplified);
            let mut rings = Vec::new();
            let told = self.tracer.rings(arcs, |ring| {
                rings.push(ring.to_vec());
                Ok::<(), ()>(())
            });
            assert_eq!(told, Ok(()));
            let corners = rings.iter().map(Vec::len).sum();
            let rings_there = rings.len();
            assert_eq!(
                size,
                Size {
                    rings: rings_there,
                    corners
                }
            );
            rings
        });
        self.regions.push(Region {
            label: region.label,
            first: region.first,
            parts: parts.collect(),
            tally: region.tally,
        });
        Ok(())
    }
}

/// Where a row's labels change, and to which.
fn changes(row: &[u32]) -> Vec<(u32, u32)> {
    let before = std::iter::once(&0).chain(row);
    let places = (0..).zip(row.iter().zip(before));
    let changes = places.filter(|(_, (label, before))| label != before);
    changes.map(|(col, (label, _))| (col, *label)).collect()
}

fn regions(image: &[Vec<u32>], by_corners: bool, area: Option<f64>) -> Vec<Region> {
    let mut scan = Scan::new(image[0].len(), by_corners, area);
    let mut all = All {
        is_simplified: area.is_some(),
        ..All::default()
    };
    for row in image {
        scan.row(&changes(row), &mut all).unwrap();
    }
    scan.finish(&mut all).unwrap();
    all.regions.sort_by_key(|region| region.first);
    all.regions
}

/// The pixels of each region, in the order of the first ones.
fn flooded(image: &[Vec<u32>], by_corners: bool) -> Vec<(u32, BTreeSet<Pixel>)> {
    let (rows, cols) = (image.len() as i64, image[0].len() as i64);
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for start in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
        let label = image[start.0 as usize][start.1 as usize];
        if label == 0 || seen.contains(&start) {
            continue;
        }
        let (mut pixels, mut open) = (BTreeSet::new(), vec![start]);
        while let Some((row, col)) = open.pop() {
            let is_inside = (0..rows).contains(&row) && (0..cols).contains(&col);
            if !is_inside || image[row as usize][col as usize] != label || !seen.insert((row, col)) {
                continue;
            }
            pixels.insert((row as u32, col as u32));
            for (down, right) in (-1..=1).flat_map(|down| (-1..=1).map(move |right| (down, right))) {
                if by_corners || down == 0 || right == 0 {
                    open.push((row + down, col + right));
                }
            }
        }
        out.push((label, pixels));
    }
    out
}

/// With rows upward, so that what runs anticlockwise on the map does here.
fn shape(region: &Region) -> MultiPolygon {
    let line = |ring: &Ring| {
        let place = |&(row, col): &Pixel| Coord {
            x: f64::from(col),
            y: -f64::from(row),
        };
        LineString::new(ring.iter().map(place).collect())
    };
    let part = |rings: &Vec<Ring>| {
        let mut lines = rings.iter().map(line);
        Polygon::new(lines.next().unwrap(), lines.collect())
    };
    MultiPolygon::new(region.parts.iter().map(part).collect())
}

fn images(count: usize) -> impl Iterator<Item = Vec<Vec<u32>>> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as u32 % below
    };
    (0..count).map(move |i| {
        let (rows, cols, labels) = (1 + next(9), 1 + next(9), 1 + next(4));
        let size = if i % 3 == 0 { 2 } else { 1 };
        let small: Vec<Vec<u32>> = (0..rows)
            .map(|_| (0..cols).map(|_| next(labels + 1)).collect())
            .collect();
        (0..rows * size)
            .map(|row| {
                (0..cols * size)
                    .map(|col| small[(row / size) as usize][(col / size) as usize])
                    .collect()
            })
            .collect()
    })
}

/// The rings around pixels, edge by edge: each goes with its pixel at the left, and where two go on, to the right.
fn traced(pixels: &BTreeSet<Pixel>) -> BTreeSet<Ring> {
    let mut edges: BTreeSet<(Pixel, Pixel)> = BTreeSet::new();
    for &(row, col) in pixels {
        let [a, b, c, d] = [(row, col), (row, col + 1), (row + 1, col + 1), (row + 1, col)];
        // Anticlockwise, with rows downward.
        for (from, to) in [(a, d), (d, c), (c, b), (b, a)] {
            if !edges.remove(&(to, from)) {
                edges.insert((from, to));
            }
        }
    }
    let heading = |(from, to): (Pixel, Pixel)| {
        let signs = |a: u32, b: u32| i64::from(b) - i64::from(a);
        (signs(from.0, to.0), signs(from.1, to.1))
    };
    let mut rings = BTreeSet::new();
    while let Some(&start) = edges.first() {
        let (mut ring, mut edge) = (Vec::new(), start);
        loop {
            edges.remove(&edge);
            let (down, right) = heading(edge);
            let open = edges.iter().chain([&start]).copied();
            let onward: Vec<(Pixel, Pixel)> = open.filter(|e| e.0 == edge.1).collect();
            let turned = onward.iter().find(|e| heading(**e) == (right, -down));
            let next = *turned.unwrap_or(&onward[0]);
            if heading(next) != (down, right) {
                ring.push(edge.1);
            }
            if next == start {
                break;
            }
            edge = next;
        }
        let first = (0..ring.len()).min_by_key(|&i| ring[i]).unwrap();
        ring.rotate_left(first);
        rings.insert(ring);
    }
    rings
}

#[test]
fn rings_are_those_of_a_walk_along_edges() {
    let mut with_holes = 0;
    for image in images(2000).chain(speckled(12)) {
        for by_corners in [false, true] {
            let found = regions(&image, by_corners, None);
            for (region, (_, pixels)) in found.iter().zip(flooded(&image, by_corners)) {
                // Parts are connected by edges.
                let mut alone = vec![vec![0; image[0].len()]; image.len()];
                pixels.iter().for_each(|p| alone[p.0 as usize][p.1 as usize] = 1);
                let parts = flooded(&alone, false);
                assert_eq!(region.parts.len(), parts.len(), "{image:?}");
                for (rings, (_, pixels)) in region.parts.iter().zip(&parts) {
                    let wanted = traced(pixels);
                    // The outer ring is first, and begins with the first corner of all.
                    assert_eq!(Some(&rings[0]), wanted.first(), "{image:?}");
                    assert_eq!(rings.len(), wanted.len(), "{image:?}");
                    assert_eq!(
                        rings.iter().cloned().collect::<BTreeSet<_>>(),
                        wanted,
                        "{image:?}"
                    );
                    with_holes += usize::from(rings.len() > 20);
                }
            }
        }
    }
    assert!(with_holes >= 12, "{with_holes}");
}

/// Large regions with many holes, masked pixels among them.
fn speckled(count: usize) -> impl Iterator<Item = Vec<Vec<u32>>> {
    let mut seed = 1u64;
    let mut next = move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as u32
    };
    (0..count).map(move |i| {
        let (rows, cols) = (30 + i as u32, 60);
        let mut pixel = |row: u32, col: u32| match next() % 12 {
            0 => next() % 4,
            _ => 1 + u32::from((row + col / 2) % 40 > 25),
        };
        let row = |row| (0..cols).map(|col| pixel(row, col)).collect();
        (0..rows).map(row).collect()
    })
}

#[test]
fn regions_are_those_of_a_flood_fill_and_rings_enclose_their_pixels() {
    for image in images(2000) {
        for by_corners in [false, true] {
            let (found, wanted) = (regions(&image, by_corners, None), flooded(&image, by_corners));
            assert_eq!(found.len(), wanted.len(), "{image:?}");
            for (region, (label, pixels)) in found.iter().zip(&wanted) {
                assert_eq!(region.label, *label, "{image:?}");
                assert_eq!(Some(&region.first), pixels.first(), "{image:?}");
                assert_eq!(region.tally.0, pixels.len(), "{image:?}");
                let shape = shape(region);
                assert!(shape.is_valid(), "{image:?} {shape:?}");
                assert_eq!(geo::Area::signed_area(&shape), pixels.len() as f64, "{image:?}");
                for (row, col) in pixels {
                    let centre = Point::new(f64::from(*col) + 0.5, -f64::from(*row) - 0.5);
                    assert!(shape.contains(&centre), "{image:?} {centre:?}");
                }
            }
        }
    }
}

#[test]
fn simplified_regions_are_valid_and_share_their_borders() {
    for image in images(600) {
        for (by_corners, area) in [(false, 0.5), (true, 2.0), (false, 1000.0)] {
            let found = regions(&image, by_corners, Some(area));
            let mut edges = BTreeSet::new();
            for region in &found {
                let shape = shape(region);
                assert!(shape.is_valid(), "{area} {image:?} {shape:?}");
                for ring in region.parts.iter().flatten() {
                    let next = ring.iter().cycle().skip(1);
                    for (&from, &to) in ring.iter().zip(next) {
                        // On one side of each edge, in this direction, lies one region.
                        assert!(edges.insert((from, to)), "{area} {image:?}");
                    }
                }
            }
            let is_full = image.iter().flatten().all(|&label| label != 0);
            if is_full {
                // The areas of all are what the outline of all encloses: nothing overlaps, and nothing is left between.
                let all: f64 = found.iter().map(|r| geo::Area::unsigned_area(&shape(r))).sum();
                let outline = edges.iter().filter(|(from, to)| !edges.contains(&(*to, *from)));
                let doubled: i64 = outline
                    .map(|&((r0, c0), (r1, c1))| {
                        i64::from(r0) * i64::from(c1) - i64::from(r1) * i64::from(c0)
                    })
                    .sum();
                assert_eq!(all, doubled as f64 / 2.0, "{area} {image:?}");
            }
        }
    }
}

#[test]
fn what_is_kept_does_not_grow_with_the_rows() {
    // Each block has one of four labels by chance: no region goes on for long.
    let cols = 64;
    let label = |row: u32, col: u32| {
        let mixed = (row / 3 * 4099 + col / 5).wrapping_mul(0x9e37_79b1);
        1 + (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b) % 1009 % 4
    };
    let row = |row: u32, out: &mut Vec<u32>| {
        out.clear();
        out.extend((0..cols).map(|col| label(row, col)));
    };
    let (mut scan, mut all, mut labels) = (
        Scan::new(cols as usize, true, Some(1.0)),
        All::default(),
        Vec::new(),
    );
    let mut after = [0; 2];
    for (i, rows) in [0..2000, 2000..40_000].into_iter().enumerate() {
        for r in rows {
            row(r, &mut labels);
            scan.row(&changes(&labels), &mut all).unwrap();
            after[i] = after[i].max(scan.bytes());
        }
        assert!(all.regions.len() > 100);
        all.regions.clear();
    }
    assert!(after[1] <= after[0] * 2, "{after:?}");
}
