//! The join of two searches against the loop that asks for each granule, over generated catalogues.

use geo::{Geometry, Intersects};
use jiff::{SignedDuration, Timestamp};
use perilune::catalog::footprint;
use perilune::catalog::item::span;
use perilune::catalog::join::{JoinOptions, Match, join};
use perilune::catalog::list::List;
use serde_json::{Value, json};
use stac::Item;

struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// `n` slanted footprints of `size`°; a part of them over the antimeridian, written as archives do.
fn items(prefix: &str, n: usize, size: f64, random: &mut Random) -> Vec<Item> {
    let start: Timestamp = "2008-01-01T00:00:00Z".parse().unwrap();
    (0..n)
        .map(|i| {
            let (x, y) = (170.0 + 20.0 * random.next(), -30.0 + 20.0 * random.next());
            let wrap = |x: f64| if x > 180.0 { x - 360.0 } else { x };
            let corners = [(0.0, 0.0), (1.0, 0.2), (0.8, 1.2), (-0.2, 1.0), (0.0, 0.0)];
            let ring: Vec<Value> = corners
                .iter()
                .map(|(u, v)| json!([wrap(x + size * u), y + size * v]))
                .collect();
            let time = start + SignedDuration::from_secs((random.next() * 200.0 * 86_400.0) as i64);
            serde_json::from_value(json!({
                "type": "Feature", "stac_version": "1.0.0", "id": format!("{prefix}{i}"),
                "geometry": { "type": "Polygon", "coordinates": [ring] },
                "properties": { "datetime": time.to_string() }, "links": [], "assets": {}
            }))
            .unwrap()
        })
        .collect()
}

fn list(items: &[Item]) -> List {
    List::new(items.to_vec()).unwrap()
}

fn day(time: Timestamp) -> i64 {
    time.as_second().div_euclid(86_400)
}

/// The notebook's loop: for each granule, all tiles over it of the day before, the day, the day after; then the nearest date.
fn loop_over_granules(left: &[Item], right: &[Item]) -> Vec<(usize, Vec<usize>)> {
    let shapes: Vec<Geometry> = right.iter().map(|i| footprint::of(i).unwrap().unwrap()).collect();
    let mut out = Vec::new();
    for (index, item) in left.iter().enumerate() {
        let shape = footprint::of(item).unwrap().unwrap();
        let own = span(item).unwrap().start;
        let found: Vec<usize> = (0..right.len())
            .filter(|&r| {
                (day(span(&right[r]).unwrap().start) - day(own)).abs() <= 1 && shapes[r].intersects(&shape)
            })
            .collect();
        let key = |r: usize| {
            let time = span(&right[r]).unwrap().start;
            ((day(time) - day(own)).abs(), time.duration_since(own).abs())
        };
        if let Some(nearest) = found.iter().copied().min_by_key(|&r| key(r)) {
            let date = day(span(&right[nearest]).unwrap().start);
            let kept = found
                .into_iter()
                .filter(|&r| day(span(&right[r]).unwrap().start) == date);
            out.push((index, kept.collect()));
        }
    }
    out
}

#[test]
fn the_join_is_the_loop_over_all_granules() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let left = items("a", 2000, 0.6, &mut random);
    let right = items("b", 4000, 1.4, &mut random);
    let options = JoinOptions {
        by_day: true,
        nearest: true,
        ..JoinOptions::default()
    };
    let joined = join(&list(&left), &list(&right), &options).unwrap();
    let ours: Vec<(usize, Vec<usize>)> = joined.matches.iter().map(|m| (m.left, m.right.clone())).collect();
    let theirs = loop_over_granules(&left, &right);
    assert!(
        theirs.len() > 500 && theirs.iter().any(|(_, r)| r.len() > 1),
        "{}",
        theirs.len()
    );
    assert_eq!(ours, theirs);
}

#[test]
fn times_overlaps_and_coverages_are_those_of_a_plain_loop() {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    let left = items("a", 150, 1.0, &mut random);
    let right = items("b", 2500, 1.2, &mut random);
    let options = JoinOptions {
        within_s: 6.5 * 86_400.0,
        overlap: 0.3,
        coverage: 0.5,
        ..JoinOptions::default()
    };
    let ours = join(&list(&left), &list(&right), &options).unwrap().matches;
    // Shares by a grid of points are good to 0.03: what is nearer to a limit may go either way.
    let (mut kept, mut dropped) = (0, 0);
    for (index, item) in left.iter().enumerate() {
        let shape = footprint::of(item).unwrap().unwrap();
        let own = span(item).unwrap();
        let found = ours.iter().find(|m| m.left == index);
        let (mut surely, mut doubtful) = (Vec::new(), false);
        for (r, candidate) in right.iter().enumerate() {
            let other = footprint::of(candidate).unwrap().unwrap();
            let near = own.gap(span(candidate).unwrap()) <= options.within_s && other.intersects(&shape);
            let share = if near {
                grid_share(&shape, std::slice::from_ref(&other))
            } else {
                0.0
            };
            doubtful |= (share - options.overlap).abs() < 0.03;
            if share >= options.overlap + 0.03 {
                surely.push(r);
            } else if share < options.overlap - 0.03 {
                assert!(
                    found.is_none_or(|m| !m.right.contains(&r)),
                    "{index} {r}: {share}"
                );
            }
        }
        let shapes: Vec<Geometry> = surely
            .iter()
            .map(|r| footprint::of(&right[*r]).unwrap().unwrap())
            .collect();
        let share = grid_share(&shape, &shapes);
        if share >= options.coverage + 0.03 {
            let found = found.unwrap_or_else(|| panic!("{index} has no match, but is covered by {share}"));
            assert!(surely.iter().all(|r| found.right.contains(r)), "{index}");
            kept += 1;
        } else if share < options.coverage - 0.03 && !doubtful {
            assert!(found.is_none(), "{index}: covered by {share} alone");
            dropped += 1;
        }
        if let Some(m) = found.filter(|_| !doubtful) {
            assert!(
                (share - m.coverage).abs() < 0.03,
                "{index}: {share} {}",
                m.coverage
            );
        }
    }
    assert!(kept > 10 && dropped > 10, "{kept} {dropped}");
}

/// The share of points inside `shape` that `others` hold.
fn grid_share(shape: &Geometry, others: &[Geometry]) -> f64 {
    use geo::BoundingRect;
    let mut inside = 0;
    let mut covered = 0;
    let parts: Vec<geo::Polygon> = match shape {
        Geometry::Polygon(p) => vec![p.clone()],
        Geometry::MultiPolygon(m) => m.0.clone(),
        _ => vec![],
    };
    for part in parts {
        let b = part.bounding_rect().unwrap();
        // Points of one spacing everywhere, so that parts weigh by their area.
        let step = 0.03;
        let (nx, ny) = ((b.width() / step) as usize, (b.height() / step) as usize);
        for i in 0..nx {
            for j in 0..ny {
                let p = geo::Point::new(
                    b.min().x + step * (i as f64 + 0.5),
                    b.min().y + step * (j as f64 + 0.5),
                );
                if part.intersects(&p) {
                    inside += 1;
                    covered += usize::from(others.iter().any(|o| o.intersects(&p)));
                }
            }
        }
    }
    f64::from(covered as u32) / f64::from(inside.max(1))
}

#[test]
fn items_without_place_or_time_are_named() {
    let mut random = Random(3);
    let mut left = items("a", 3, 1.0, &mut random);
    let right = left.clone();
    left[0].geometry = None;
    left[1].properties.datetime = None;
    let joined = join(&list(&left), &list(&right), &JoinOptions::default()).unwrap();
    assert_eq!(joined.left_out, ["a0", "a1"]);
    let own: Vec<&Match> = joined
        .matches
        .iter()
        .filter(|m| m.right.contains(&m.left))
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].left, own[0].seconds), (2, 0.0));
    assert!((own[0].coverage - 1.0).abs() < 1e-9);
    let error = join(
        &list(&left),
        &list(&right),
        &JoinOptions {
            overlap: 50.0,
            ..JoinOptions::default()
        },
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("overlap must be a share from 0 to 1, got 50"),
        "{error}"
    );
}
