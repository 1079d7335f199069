//! Medians over images in which each counts by its error, by another weight, or by both.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::describe::{Description, Site};
use super::image::Raster;
use super::operation::Operation;
use super::tile::{PixelsView, integer_to_f64};
use super::weighted::{Given, Known, Series, check_known, named};
use super::{Grid, Kind, Pixels, Port, View, Window};
use crate::described;
use crate::error::Result;

/// The standard deviation of normal values over their median absolute deviation (Rousseeuw and Croux 1993, doi:10.1080/01621459.1993.10476408).
const MAD: f64 = 1.4826;
/// Weights that sum up to this much less than half are half: equal weights have rounding in their sums.
const ROUNDING: f64 = 1e-12;

/// Each image's values, then its error and its weight where they are images.
#[derive(Serialize, Deserialize)]
struct WeightedMedian {
    images: usize,
    errors: Vec<Known>,
    weights: Vec<Known>,
    double: bool,
}

described!(
    WeightedMedian,
    Tiles,
    "raster.weighted_median",
    1,
    WeightedMedian::check
);

impl WeightedMedian {
    fn check(&self, site: &Site) -> Result<()> {
        let inputs = self.images + check_known(self.images, &self.errors, &self.weights)?;
        site.takes(inputs)?.on_grid()?.real().map(drop)
    }
}

/// What an image says of itself, at each pixel.
enum Said<'a, 'v> {
    Number(f64),
    Image(&'a View<'v>),
}

impl Said<'_, '_> {
    fn at(&self, at: (usize, usize)) -> f64 {
        match self {
            Said::Number(v) => *v,
            Said::Image(view) => match &view.pixels {
                PixelsView::F32(a) => f64::from(a[at]),
                PixelsView::F64(a) => a[at],
                PixelsView::I128(a) => integer_to_f64(a[at]),
                PixelsView::C32(a) => f64::from(a[at].norm()),
            },
        }
    }
}

impl Operation for WeightedMedian {
    fn name(&self) -> String {
        "weighted median".into()
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        if self.double { Kind::F64 } else { Kind::F32 }
    }

    fn outputs(&self) -> usize {
        3
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let mut views = inputs.iter();
        let mut images = Vec::with_capacity(self.images);
        for i in 0..self.images {
            let Some(values) = views.next() else { break };
            let mut said = |list: &[Known]| match list.get(i) {
                None => Said::Number(1.0),
                Some(Known::Number(v)) => Said::Number(*v),
                Some(Known::Input) => views.next().map_or(Said::Number(f64::NAN), Said::Image),
            };
            images.push((Said::Image(values), said(&self.errors), said(&self.weights)));
        }
        let mut found: [Array2<f64>; 3] = std::array::from_fn(|_| Array2::zeros((out.rows, out.cols)));
        let mut known = Vec::with_capacity(self.images);
        for row in 0..out.rows {
            for col in 0..out.cols {
                let at = (row, col);
                known.clear();
                known.extend(
                    images.iter().filter_map(|(value, error, weight)| {
                        counted(value.at(at), error.at(at), weight.at(at))
                    }),
                );
                for (array, result) in found.iter_mut().zip(middle(&mut known)) {
                    array[at] = result;
                }
            }
        }
        let pixels = |array: Array2<f64>| match self.double {
            true => Pixels::F64(array),
            false => Pixels::F32(array.mapv(|v| v as f32)),
        };
        Ok(found.into_iter().map(pixels).collect())
    }
}

/// A value and what it counts, unless it, its error or its weight says nothing.
fn counted(value: f64, error: f64, weight: f64) -> Option<(f64, f64)> {
    let is_known = |v: &f64| *v > 0.0 && v.is_finite();
    let counts = Some(weight / (error * error)).filter(is_known)?;
    (value.is_finite() && is_known(&error) && is_known(&weight)).then_some((value, counts))
}

/// Median, count and the median's standard error of the scatter.
fn middle(known: &mut [(f64, f64)]) -> [f64; 3] {
    let (mut sum, mut squares) = (0.0, 0.0);
    for (_, weight) in known.iter() {
        sum += weight;
        squares += weight * weight;
    }
    let median = half(known, sum);
    let error = match known.len() {
        // Two values or one say nothing of a scatter.
        0..=2 => f64::NAN,
        _ => {
            known
                .iter_mut()
                .for_each(|(value, _)| *value = (*value - median).abs());
            (std::f64::consts::FRAC_PI_2).sqrt() * MAD * half(known, sum) * squares.sqrt() / sum
        }
    };
    [median, known.len() as f64, error]
}

/// The value up to which half of all weights lie; the middle between two where that is so between them. NaN of none.
fn half(known: &mut [(f64, f64)], sum: f64) -> f64 {
    known.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut below = 0.0;
    for (i, (value, weight)) in known.iter().enumerate() {
        below += weight;
        let over = below - sum / 2.0;
        if over.abs() <= ROUNDING * sum {
            return known.get(i + 1).map_or(*value, |(next, _)| (value + next) / 2.0);
        }
        if over > 0.0 {
            return *value;
        }
    }
    f64::NAN
}

/// The weighted median of each series, `<band>_median`, with `<band>_count` and `<band>_scatter_error`.
///
/// # Errors
/// A series without errors and weights, or not one for each image.
pub fn weighted_median(grid: &Arc<Grid>, series: Vec<Series>) -> Result<Raster> {
    let mut bands = Vec::new();
    for one in series {
        let kind = one.values.iter().map(Port::kind).reduce(Kind::join);
        let operation = WeightedMedian {
            images: one.values.len(),
            errors: one.errors.iter().map(Known::of).collect(),
            weights: one.weights.iter().map(Known::of).collect(),
            double: kind.unwrap_or(Kind::F32).floating() == Kind::F64,
        };
        check_known(operation.images, &operation.errors, &operation.weights)?;
        let mut inputs = Vec::new();
        for (i, values) in one.values.iter().enumerate() {
            inputs.push(values.clone());
            for given in [one.errors.get(i), one.weights.get(i)].into_iter().flatten() {
                if let Given::Image(port) = given {
                    inputs.push(port.clone());
                }
            }
        }
        let found = Port::tiles(grid, Arc::new(operation), inputs);
        let names = vec!["median", "count", "scatter_error"];
        bands.extend(named(&one.like, names, found));
    }
    Ok(Raster::new(grid.clone(), bands))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_weights_lie_on_either_side() {
        let of = |known: &[(f64, f64)]| middle(&mut known.to_vec());
        assert_eq!(of(&[(5.0, 1.0), (1.0, 1.0), (3.0, 1.0)])[0], 3.0);
        assert_eq!(of(&[(5.0, 0.1), (1.0, 0.1), (3.0, 0.1), (4.0, 0.1)])[0], 3.5);
        assert_eq!(of(&[(1.0, 1.0), (2.0, 1.0), (9.0, 10.0)])[0], 9.0);
        let [median, count, error] = of(&[]);
        assert!(median.is_nan() && count == 0.0 && error.is_nan());
        assert!(of(&[(1.0, 1.0), (2.0, 1.0)])[2].is_nan());
        // |1, 0, 1, 4| weighed alike: their middle is 1, of four values.
        let [_, _, error] = of(&[(2.0, 1.0), (3.0, 1.0), (4.0, 1.0), (7.0, 1.0), (3.0, 1.0)]);
        assert!((error - (std::f64::consts::PI / 2.0).sqrt() * MAD / 5f64.sqrt()).abs() < 1e-12);
        assert_eq!(counted(1.0, 0.0, 1.0), None);
        assert_eq!(counted(1.0, f64::NAN, 1.0), None);
        assert_eq!(counted(f64::NAN, 1.0, 1.0), None);
        assert_eq!(counted(1.0, 2.0, 3.0), Some((1.0, 0.75)));
    }
}
