//! Bands whose values run in a circle: phases and directions, of which π and −π, or 0° and 360°, are one. Between two of them lies no
//! mean of their numbers, so they are resampled as unit vectors.

use std::f64::consts::PI;
use std::sync::Arc;

use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::describe::Description;
use super::element::{Binary, Element};
use super::graph::Work;
use super::image::{Band, Raster};
use super::operation::Operation;
use super::tile::MASKED_COMPLEX;
use super::{Grid, Kind, Pixels, Port, View, Window};
use crate::described;
use crate::error::{Error, Result};

/// The ends of the circle, which are one value.
pub type Cycle = (f64, f64);

/// A mean vector shorter than this has no direction.
const NO_DIRECTION: f32 = 1e-6;

/// The circle in which the values of a port run, where they do: phases, what `cyclic` marks, and what keeps their values.
pub fn cycle_of(port: &Port) -> Option<Cycle> {
    match &port.node.work {
        Work::Tiles(operation) => match operation.cycle() {
            None if operation.keeps_values() => cycle_of(port.node.inputs.first()?),
            cycle => cycle,
        },
        Work::Element(Element::Binary(Binary::Atan2)) => Some((-PI, PI)),
        Work::Element(Element::Binary(Binary::Mask)) => cycle_of(port.node.inputs.first()?),
        _ => None,
    }
}

fn check_cycle((low, high): Cycle) -> Result<()> {
    match low < high && (high - low).is_finite() {
        true => Ok(()),
        false => Err(Error::argument(
            "high",
            format!("a number above low ({low})"),
            high,
        )),
    }
}

/// The same values, said to run in a circle from `low` to `high`.
///
/// # Errors
/// When `low` is not below `high`, or a band is complex.
pub fn cyclic(raster: &Raster, low: f64, high: f64) -> Result<Raster> {
    check_cycle((low, high))?;
    if let Some(band) = raster.bands.iter().find(|b| b.kind() == Kind::C32) {
        let found = format!("`{}`, which is complex: its phase is", band.name);
        return Err(Error::argument("band", "real", found));
    }
    let mark: Arc<dyn Operation> = Arc::new(Marked((low, high)));
    let one = |b: &Band| Band {
        port: Port::tiles(&raster.grid, mark.clone(), vec![b.port.clone()]).swap_remove(0),
        ..b.clone()
    };
    Ok(raster.with_bands(raster.bands.iter().map(one).collect()))
}

/// A port whose values run in `cycle` through an operation on complex numbers, as unit vectors.
pub fn as_vectors(
    port: &Port,
    grid: &Arc<Grid>,
    cycle: Cycle,
    target: &Arc<Grid>,
    operation: Arc<dyn Operation>,
) -> Port {
    let vectors = Port::tiles(grid, Arc::new(Vectors(cycle)), vec![port.clone()]).swap_remove(0);
    let moved = Port::tiles(target, operation, vec![vectors]).swap_remove(0);
    Port::tiles(target, Arc::new(Angles(cycle)), vec![moved]).swap_remove(0)
}

#[derive(Serialize, Deserialize)]
struct Marked(Cycle);

described!(Marked, Tiles, "raster.cyclic", 1, |marked, site| {
    site.takes(1)?.on_grid()?.real()?;
    check_cycle(marked.0)
});

impl Operation for Marked {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("cyclic({}, {})", self.0.0, self.0.1)
    }
    fn kind(&self, inputs: &[Kind]) -> Kind {
        inputs.first().copied().unwrap_or(Kind::F32)
    }
    fn is_pointwise(&self) -> bool {
        true
    }
    fn cycle(&self) -> Option<Cycle> {
        Some(self.0)
    }
    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }
    fn compute(&self, _: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        Ok(vec![inputs[0].to_pixels()])
    }
}

#[derive(Serialize, Deserialize)]
struct Vectors(Cycle);

described!(Vectors, Tiles, "raster.unit_vectors", 1, |vectors, site| {
    site.takes(1)?.on_grid()?.real()?;
    check_cycle(vectors.0)
});

impl Operation for Vectors {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        "unit vectors".into()
    }
    fn kind(&self, _: &[Kind]) -> Kind {
        Kind::C32
    }
    fn is_pointwise(&self) -> bool {
        true
    }
    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }
    fn compute(&self, _: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let (low, high) = self.0;
        let vector = |v: f64| match v.is_nan() {
            true => MASKED_COMPLEX,
            false => {
                let (sin, cos) = ((v - low) / (high - low) * 2.0 * PI).sin_cos();
                Complex32::new(cos as f32, sin as f32)
            }
        };
        Ok(vec![Pixels::C32(inputs[0].f64().mapv(vector))])
    }
}

#[derive(Serialize, Deserialize)]
struct Angles(Cycle);

described!(Angles, Tiles, "raster.directions", 1, |angles, site| {
    site.takes(1)?.on_grid()?.complex()?;
    check_cycle(angles.0)
});

impl Operation for Angles {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        "directions of vectors".into()
    }
    fn is_pointwise(&self) -> bool {
        true
    }
    fn cycle(&self) -> Option<Cycle> {
        Some(self.0)
    }
    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }
    fn compute(&self, _: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let (low, high) = self.0;
        let angle = |z: Complex32| {
            if z.re.is_nan() || z.norm() < NO_DIRECTION {
                return f32::NAN;
            }
            let turn = f64::from(z.im).atan2(f64::from(z.re)) / (2.0 * PI);
            (low + turn.rem_euclid(1.0) * (high - low)) as f32
        };
        Ok(vec![Pixels::F32(inputs[0].c32().mapv(angle))])
    }
}
