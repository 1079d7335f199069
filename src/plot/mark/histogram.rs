//! Bars over bins.

use super::{Ink, Mark, Page};
use crate::error::{Domain, Error, Result};
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles, stroked};
use crate::plot::reach::Extent;
use crate::plot::scene::{Item, Path, Rect, Stroke};
use crate::plot::stretch::Stretch;

/// Bars over bins.
#[derive(Debug, Clone)]
pub struct Histogram {
    /// One more than `counts`, ascending.
    pub edges: Vec<f64>,
    pub counts: Vec<f64>,
    pub label: String,
    pub color: Option<Color>,
    /// Filled bars; otherwise their outline only.
    pub filled: bool,
    pub opacity: f64,
}

impl Histogram {
    pub const BINS: Domain = Domain::at_least(1.0);

    pub fn new(edges: Vec<f64>, counts: Vec<f64>) -> Histogram {
        Histogram {
            edges,
            counts,
            label: String::new(),
            color: None,
            filled: true,
            opacity: 1.0,
        }
    }

    /// Counts finite values in `bins` equal bins over `range` (default: smallest to largest). A bin holds its lower
    /// edge, the last one its upper edge too; values outside are not counted.
    ///
    /// # Errors
    /// No bins; a range that is not ascending.
    pub fn of(
        values: impl IntoIterator<Item = f32> + Clone,
        bins: usize,
        range: Option<(f64, f64)>,
    ) -> Result<Histogram> {
        Histogram::BINS.check_count("bins", bins)?;
        // A count, an edge and a bar to draw.
        crate::bounds::fits(
            format!("a histogram of {bins} bins"),
            bins,
            64,
            "ask for fewer bins",
        )?;
        let (low, high) = match range {
            Some(range) => range,
            None => {
                let all: Vec<f32> = values.clone().into_iter().collect();
                let limits = Stretch::MinMax.limits(&all)?;
                (limits.low, limits.high)
            }
        };
        if !(low < high && low.is_finite() && high.is_finite()) {
            return Err(Error::argument(
                "range",
                "two finite numbers, the lower first",
                format!("{low} and {high}"),
            ));
        }
        let mut counts = vec![0.0; bins];
        for v in values {
            let v = f64::from(v);
            if v >= low && v <= high {
                let bin = ((v - low) / (high - low) * bins as f64) as usize;
                counts[bin.min(bins - 1)] += 1.0;
            }
        }
        let edges = (0..=bins)
            .map(|i| low + (high - low) * i as f64 / bins as f64)
            .collect();
        Ok(Histogram::new(edges, counts))
    }

    /// Counts as probability density: the bars' area is 1.
    pub fn density(mut self) -> Histogram {
        let total: f64 = self.counts.iter().sum();
        if total > 0.0 {
            for (count, edge) in self.counts.iter_mut().zip(self.edges.windows(2)) {
                *count /= total * (edge[1] - edge[0]);
            }
        }
        self
    }
}

impl Mark for Histogram {
    fn check(&self) -> Result<()> {
        if self.edges.len() == self.counts.len() + 1 {
            return Ok(());
        }
        Err(Error::argument(
            "edges",
            format!("one more than counts ({})", self.counts.len() + 1),
            self.edges.len(),
        ))
    }

    fn reach(&self, extent: &mut Extent) {
        extent.x.points(&self.edges);
        extent.y.floor(0.0);
        extent.y.points(&self.counts);
    }

    fn colors(&self) -> Vec<Option<Color>> {
        vec![self.color]
    }

    fn entries(&self, ink: &Ink) -> Vec<LegendEntry> {
        let key = match self.filled {
            true => Key::Patch {
                fill: ink.color().with_opacity(self.opacity),
                outline: None,
            },
            false => Key::Patch {
                fill: Color::TRANSPARENT,
                outline: Some(ink.color()),
            },
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        for (count, edge) in self.counts.iter().zip(self.edges.windows(2)) {
            let middle = (edge[0] + edge[1]) / 2.0;
            out.path(
                &[frame.clamped(middle, 0.0), frame.clamped(middle, *count)],
                frame,
            );
        }
    }

    fn draw(&self, ink: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let color = ink.color();
        // Bars stand on zero, or on the frame where the axis is logarithmic.
        let foot = frame.clamped(self.edges[0], 0.0).1;
        if self.filled {
            let fill = color.with_opacity(self.opacity);
            return self
                .counts
                .iter()
                .zip(self.edges.windows(2))
                .filter(|(count, _)| **count != 0.0 && count.is_finite())
                .map(|(&count, edge)| {
                    let (x0, top) = frame.clamped(edge[0], count);
                    let (x1, _) = frame.clamped(edge[1], count);
                    let (left, right) = (x0.min(x1), x0.max(x1));
                    let (upper, lower) = (top.min(foot), top.max(foot));
                    Item::Box {
                        rect: Rect::new(left, upper, right - left, lower - upper),
                        fill,
                        stroke: None,
                    }
                })
                .collect();
        }
        let mut outline = vec![(frame.clamped(self.edges[0], 0.0).0, foot)];
        for (&count, edge) in self.counts.iter().zip(self.edges.windows(2)) {
            outline.push(frame.clamped(edge[0], count));
            outline.push(frame.clamped(edge[1], count));
        }
        outline.push((frame.clamped(self.edges[self.edges.len() - 1], 0.0).0, foot));
        stroked(Path::polyline(outline), Stroke::solid(color, 1.2))
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_their_lower_edge_and_the_last_its_upper() {
        // numpy.histogram([0, 1, 1.5, 2, 3, 4], bins=4)
        let h = Histogram::of([0.0, 1.0, 1.5, 2.0, 3.0, 4.0, f32::NAN], 4, None).unwrap();
        assert_eq!(h.counts, [1.0, 2.0, 1.0, 2.0]);
        assert_eq!(h.edges, [0.0, 1.0, 2.0, 3.0, 4.0]);
        let h = Histogram::of([-1.0, 0.0, 0.6, 5.0], 2, Some((0.0, 1.0))).unwrap();
        assert_eq!(h.counts, [1.0, 1.0]);
        assert!(Histogram::of([1.0], 0, None).is_err());
        assert!(Histogram::of([1.0], 3, Some((1.0, 1.0))).is_err());
    }

    #[test]
    fn density_has_area_one() {
        let h = Histogram::of((0..100).map(|i| (i * i) as f32), 7, None)
            .unwrap()
            .density();
        let area: f64 = h
            .counts
            .iter()
            .zip(h.edges.windows(2))
            .map(|(c, e)| c * (e[1] - e[0]))
            .sum();
        assert!((area - 1.0).abs() < 1e-12);
    }
}
