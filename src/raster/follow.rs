//! Edges on their way into another CRS, where straight lines become curves: parallels and meridians over a projected grid.

use super::Transformer;
use crate::bounds;
use crate::error::Result;

type Point = (f64, f64);

/// Where an edge is looked at and divided: not at its middle, where the two halves of a bend may meet the chord.
const AT: f64 = 0.4;
/// Divisions of an edge: at a seam no number of them is enough.
const DEPTH: usize = 24;
/// A vertex and what comes of it, before and after a division.
const HELD_PER_VERTEX: usize = 4 * size_of::<(Point, Point, bool)>();

/// A line with vertices added until the images of its straight edges are followed within `tolerance`, in units of the CRS that
/// the transformer leads to. The vertices are in the CRS that it comes from, the line's own among them.
///
/// # Errors
/// When so many vertices do not fit the memory ceiling.
pub fn follow(line: &[Point], transformer: &Transformer, tolerance: f64) -> Result<Vec<Point>> {
    let images = |places: &[Point]| -> Vec<Point> {
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = places.iter().copied().unzip();
        transformer.apply(&mut xs, &mut ys);
        xs.into_iter().zip(ys).collect()
    };
    // Vertices with their images, and whether the edge to the next is still to be looked at.
    let mut vertices: Vec<(Point, Point, bool)> = line
        .iter()
        .zip(images(line))
        .map(|(&place, image)| (place, image, true))
        .collect();
    for _ in 0..DEPTH {
        let open: Vec<usize> = (1..vertices.len()).filter(|&i| vertices[i - 1].2).collect();
        if open.is_empty() {
            break;
        }
        bounds::fits(
            format!("a line that is followed within {tolerance} units"),
            vertices.len() + open.len(),
            HELD_PER_VERTEX,
            "take a coarser grid, or cut the shape first",
        )?;
        let places: Vec<Point> = open
            .iter()
            .map(|&i| along(vertices[i - 1].0, vertices[i].0))
            .collect();
        let mut found = open
            .iter()
            .zip(places.iter().copied().zip(images(&places)))
            .peekable();
        let mut next: Vec<(Point, Point, bool)> = Vec::with_capacity(vertices.len() + open.len());
        for (i, vertex) in vertices.iter().enumerate() {
            if let Some((_, (place, image))) = found.next_if(|(open, _)| **open == i) {
                let ends = (vertices[i - 1].1, vertex.1);
                // Where there is no image, the vertex that is added lets the caller say so.
                let unseen = image.0.is_nan() && ends.0.0.is_finite() && ends.1.0.is_finite();
                if unseen || distance(image, ends) > tolerance {
                    next.push((place, image, !unseen));
                } else if let Some(last) = next.last_mut() {
                    last.2 = false;
                }
            }
            next.push(*vertex);
        }
        vertices = next;
    }
    Ok(vertices.into_iter().map(|(place, ..)| place).collect())
}

fn along(a: Point, b: Point) -> Point {
    (a.0 + (b.0 - a.0) * AT, a.1 + (b.1 - a.1) * AT)
}

/// From a point to a segment.
fn distance(p: Point, (a, b): (Point, Point)) -> f64 {
    let (x, y) = (b.0 - a.0, b.1 - a.1);
    let length2 = x * x + y * y;
    let t = match length2 > 0.0 {
        true => (((p.0 - a.0) * x + (p.1 - a.1) * y) / length2).clamp(0.0, 1.0),
        false => 0.0,
    };
    (p.0 - a.0 - t * x).hypot(p.1 - a.1 - t * y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Crs;

    #[test]
    fn a_parallel_becomes_a_circle() {
        let (from, to) = (Crs::wgs84().unwrap(), Crs::parse("EPSG:3031").unwrap());
        let transformer = Transformer::new(&from, &to).unwrap();
        let line = follow(&[(-180.0, -80.0), (180.0, -80.0)], &transformer, 50.0).unwrap();
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = line.iter().copied().unzip();
        transformer.apply(&mut xs, &mut ys);
        let radius = xs[0].hypot(ys[0]);
        for (x, y) in xs.windows(2).zip(ys.windows(2)) {
            let (x, y) = ((x[0] + x[1]) / 2.0, (y[0] + y[1]) / 2.0);
            assert!(
                radius - x.hypot(y) <= 50.0,
                "a chord {} m inside",
                radius - x.hypot(y)
            );
        }
        // A meridian stays straight.
        assert_eq!(
            follow(&[(10.0, -80.0), (10.0, -60.0)], &transformer, 50.0)
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn vertices_are_kept_and_single_points_are_no_edges() {
        let crs = Crs::wgs84().unwrap();
        let transformer = Transformer::new(&crs, &Crs::parse("EPSG:32632").unwrap()).unwrap();
        let line = [(8.0, 46.0), (9.5, 47.0), (9.5, 46.0)];
        let found = follow(&line, &transformer, 1.0).unwrap();
        assert!(line.iter().all(|v| found.contains(v)));
        assert_eq!(follow(&line[..1], &transformer, 1.0).unwrap(), &line[..1]);
        assert_eq!(follow(&[], &transformer, 1.0).unwrap(), &[]);
    }
}
