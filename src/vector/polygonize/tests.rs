//! Regions beside a slow and obvious flood fill, rings beside the pixels that they enclose.

use std::collections::BTreeSet;
use std::ops::Range;

use geo::{Contains, Coord, LineString, MultiPolygon, Point, Polygon, Validation};

use super::rings::Rings;
use super::scan::Scan;
use super::{Region, Tally, Visit};
use crate::error::Result;

type Pixel = (u32, u32);

#[derive(Debug, Default, Clone, PartialEq)]
struct Count(usize);

impl Tally for Count {
    fn merge(&mut self, other: Count) {
        self.0 += other.0;
    }
}

#[derive(Default)]
struct All(Vec<Region<Count>>);

impl Visit<Count> for All {
    fn add(&mut self, tally: &mut Count, cols: Range<usize>) {
        tally.0 += cols.len();
    }
    fn is_wanted(&mut self, _: u32, _: &Count, _: usize) -> Result<bool> {
        Ok(true)
    }
    fn take(&mut self, region: Region<Count>) -> Result<()> {
        self.0.push(region);
        Ok(())
    }
}

fn regions(image: &[Vec<u32>], by_corners: bool, area: Option<f64>) -> Vec<Region<Count>> {
    let mut scan = Scan::new(image[0].len(), by_corners, area);
    let mut all = All::default();
    for row in image {
        scan.row(row, &mut all).unwrap();
    }
    scan.finish(&mut all).unwrap();
    all.0.sort_by_key(|region| region.first);
    all.0
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
fn shape(region: &Region<Count>) -> MultiPolygon {
    let line = |ring: &[Pixel]| {
        let place = |&(row, col): &Pixel| Coord {
            x: f64::from(col),
            y: -f64::from(row),
        };
        LineString::new(ring.iter().map(place).collect())
    };
    let part = |rings: &Rings| {
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
                for ring in region.parts.iter().flat_map(Rings::iter) {
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
            scan.row(&labels, &mut all).unwrap();
            after[i] = after[i].max(scan.bytes());
        }
        assert!(all.0.len() > 100);
        all.0.clear();
    }
    assert!(after[1] <= after[0] * 2, "{after:?}");
}
