//! Masked pixels filled between the valid images before and after, in time.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::describe::{Description, Site};
use super::image::{Band, Raster, float_of, in_order_of_time};
use super::operation::Operation;
use super::reduce::{Reducer, reduce};
use super::stack::Stack;
use super::{Kind, Pixels, Port, View, Window};
use crate::described;
use crate::error::{Error, Result};

#[derive(Serialize, Deserialize)]
struct Interpolate {
    /// Of the images, which are in their order, in years.
    times: Vec<f64>,
    /// Between the valid images on both sides, in years.
    max_gap: Option<f64>,
}

described!(Interpolate, Tiles, "raster.interpolate", 1, Interpolate::check);

impl Interpolate {
    fn check(&self, site: &Site) -> Result<()> {
        site.takes(self.times.len())?.on_grid()?.real()?;
        if self.times.is_empty() {
            return Err(site.wrong_inputs("at least 1"));
        }
        if !self.times.iter().all(|time| time.is_finite()) || !self.times.is_sorted() {
            return Err(Error::argument("times", "finite numbers in order", "others"));
        }
        match self.max_gap {
            Some(gap) if gap.is_nan() || gap <= 0.0 => Err(Error::argument("max_gap", "above 0", gap)),
            _ => Ok(()),
        }
    }
}

/// Each image with its masked pixels filled, linearly in time between the last valid image before and the next after it; pixels with none before or
/// none after stay masked. Order, times and properties are those of the stack.
///
/// # Errors
/// As `reduce`; images without a time, or two of one time.
pub fn interpolate(stack: &Stack, max_gap_days: Option<f64>) -> Result<Stack> {
    let images = &stack.items;
    // Its checks are those of any reduction.
    let template = reduce(images, &[Reducer::Mean])?;
    let (order, times) = in_order_of_time(images)?;
    if let Some(at) = times.windows(2).position(|pair| pair[0] == pair[1]) {
        return Err(Error::message(format!(
            "images {} and {} are of one time; make one of them first, as the mean of their day does",
            order[at] + 1,
            order[at + 1] + 1
        )));
    }
    let mut items: Vec<Raster> = images.iter().map(|image| image.with_bands(Vec::new())).collect();
    for b in 0..template.bands.len() {
        let ports: Vec<Port> = order.iter().map(|i| images[*i].bands[b].port.clone()).collect();
        let operation = Interpolate {
            times: times.clone(),
            max_gap: max_gap_days.map(|days| days / 365.25),
        };
        let found = Port::tiles(&template.grid, Arc::new(operation), ports);
        for (i, port) in order.iter().zip(found) {
            let like = &images[*i].bands[b];
            items[*i].bands.push(Band {
                dtype: float_of(port.kind()),
                nodata: None,
                port,
                ..like.clone()
            });
        }
    }
    Ok(Stack { items })
}

impl Operation for Interpolate {
    fn name(&self) -> String {
        "interpolate in time".into()
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn kind(&self, inputs: &[Kind]) -> Kind {
        Kind::common(inputs).floating()
    }

    fn outputs(&self) -> usize {
        self.times.len()
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let kind = self.kind(&inputs.iter().map(View::kind).collect::<Vec<_>>());
        Ok(match kind {
            Kind::F64 => {
                let mut images: Vec<Array2<f64>> =
                    inputs.iter().map(|view| view.f64().into_owned()).collect();
                self.fill(&mut images, out, |a, b, share| a + (b - a) * share);
                images.into_iter().map(Pixels::F64).collect()
            }
            _ => {
                let mut images: Vec<Array2<f32>> =
                    inputs.iter().map(|view| view.f32().into_owned()).collect();
                self.fill(&mut images, out, |a, b, share| {
                    (f64::from(a) + (f64::from(b) - f64::from(a)) * share) as f32
                });
                images.into_iter().map(Pixels::F32).collect()
            }
        })
    }
}

impl Interpolate {
    fn fill<T: num_traits::Float>(
        &self,
        images: &mut [Array2<T>],
        out: Window,
        between: impl Fn(T, T, f64) -> T,
    ) {
        for row in 0..out.rows {
            for col in 0..out.cols {
                let at = (row, col);
                let mut before: Option<usize> = None;
                for i in 0..images.len() {
                    let value = images[i][at];
                    if value.is_nan() {
                        continue;
                    }
                    if let Some(last) = before.filter(|last| i - last > 1) {
                        let gap = self.times[i] - self.times[last];
                        let first = images[last][at];
                        // A gap of as many days as are allowed must not fail by rounding.
                        if self.max_gap.is_none_or(|most| gap <= most * (1.0 + 1e-9)) {
                            for (time, image) in self.times[last + 1..i].iter().zip(&mut images[last + 1..i])
                            {
                                image[at] = between(first, value, (time - self.times[last]) / gap);
                            }
                        }
                    }
                    before = Some(i);
                }
            }
        }
    }
}
