//! Arithmetic on complex bands (single-look complex images). Pixel by pixel, not fused.

use std::sync::Arc;

use ndarray::{Array2, Zip};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::describe::Description;
use super::element::{Binary, Unary};
use super::image::{Band, Raster};
use super::operation::Operation;
use super::tile::MASKED_COMPLEX;
use super::{DType, Grid, Kind, Pixels, Port, Unit, View, Window};
use crate::described;
use crate::error::{Error, Remedy, Result};

/// What a complex band turns into.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Magnitude,
    /// |z|²
    Power,
    /// Angle in radians, −π…π.
    Phase,
    Real,
    Imaginary,
    Conjugate,
}

described!(Part, Tiles, "raster.part", 1, |_, site| site
    .takes(1)?
    .on_grid()?
    .complex()
    .map(drop));

impl Operation for Part {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        if *self == Part::Conjugate {
            Kind::C32
        } else {
            Kind::F32
        }
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn cycle(&self) -> Option<(f64, f64)> {
        let pi = std::f64::consts::PI;
        (*self == Part::Phase).then_some((-pi, pi))
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, _: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let z = inputs[0].c32();
        let real = |f: fn(Complex32) -> f32| Pixels::F32(z.mapv(f));
        Ok(vec![match self {
            Part::Magnitude => real(|z| z.norm()),
            Part::Power => real(|z| z.norm_sqr()),
            Part::Phase => real(|z| z.arg()),
            Part::Real => real(|z| z.re),
            Part::Imaginary => real(|z| z.im),
            Part::Conjugate => Pixels::C32(z.mapv(|z| z.conj())),
        }])
    }
}

#[derive(Serialize, Deserialize)]
struct ComplexBinary(Binary);

described!(
    ComplexBinary,
    Tiles,
    "raster.complex_arithmetic",
    1,
    |arithmetic, site| {
        site.takes(2)?.on_grid()?;
        check_binary(arithmetic.0)
    }
);

impl Operation for ComplexBinary {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        super::element::Element::Binary(self.0).name()
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

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let (a, b) = (inputs[0].c32(), inputs[1].c32());
        let mut result = Array2::from_elem((out.rows, out.cols), MASKED_COMPLEX);
        let f = |x: Complex32, y: Complex32| match self.0 {
            Binary::Add => x + y,
            Binary::Subtract => x - y,
            Binary::Multiply => x * y,
            Binary::Divide => x / y,
            _ => {
                if y.re.is_nan() || y == Complex32::ZERO {
                    MASKED_COMPLEX
                } else {
                    x
                }
            }
        };
        Zip::from(&mut result).and(&a).and(&b).for_each(|o, &x, &y| {
            let z = f(x, y);
            *o = if z.is_finite() { z } else { MASKED_COMPLEX };
        });
        Ok(vec![Pixels::C32(result)])
    }
}

/// # Errors
/// Operations other than +, −, ×, ÷ and masking: complex numbers have no order.
pub(super) fn binary(grid: &Arc<Grid>, op: Binary, a: Port, b: Port) -> Result<Port> {
    check_binary(op)?;
    Ok(Port::tiles(grid, Arc::new(ComplexBinary(op)), vec![a, b]).swap_remove(0))
}

fn check_binary(op: Binary) -> Result<()> {
    match op {
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Mask => Ok(()),
        _ => Err(Error::argument(
            "operands",
            format!("real bands; {}", Remedy::Real),
            "complex ones",
        )),
    }
}

/// A complex number from its real and its imaginary part.
#[derive(Serialize, Deserialize)]
struct Compose;

described!(Compose, Tiles, "raster.complex", 1, |_, site| site
    .takes(2)?
    .on_grid()?
    .real()
    .map(drop));

impl Operation for Compose {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        "complex".into()
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
        let join = |&re: &f32, &im: &f32| {
            if re.is_nan() || im.is_nan() {
                MASKED_COMPLEX
            } else {
                Complex32::new(re, im)
            }
        };
        let (re, im) = (inputs[0].f32(), inputs[1].f32());
        Ok(vec![Pixels::C32(Zip::from(&re).and(&im).map_collect(join))])
    }
}

/// Complex bands from real and imaginary ones, in pairs; masked where one of the two is. Names, time and properties are
/// those of the real parts.
///
/// # Errors
/// Images on different grids or of different numbers of bands; parts that are complex themselves.
pub fn compose(real: &Raster, imaginary: &Raster) -> Result<Raster> {
    real.check_grid(imaginary)?;
    if real.bands.len() != imaginary.bands.len() {
        let expected = format!("{}, as in the real part", real.bands.len());
        return Err(Error::argument(
            "bands of the imaginary part",
            expected,
            imaginary.bands.len(),
        ));
    }
    let one = |(re, im): (&Band, &Band)| {
        if re.kind() == Kind::C32 || im.kind() == Kind::C32 {
            return Err(Error::argument(
                "parts",
                "real bands",
                format!("`{}`, which is complex", re.name),
            ));
        }
        let inputs = vec![re.port.clone(), im.port.clone()];
        Ok(Band {
            name: re.name.clone(),
            dtype: DType::C32,
            unit: re.unit.clone(),
            nodata: None,
            port: Port::tiles(&real.grid, Arc::new(Compose), inputs).swap_remove(0),
        })
    };
    let bands: Result<Vec<Band>> = real.bands.iter().zip(&imaginary.bands).map(one).collect();
    Ok(real.with_bands(bands?))
}

pub fn part(raster: &Raster, part: Part) -> Raster {
    let one = |b: &Band| {
        let port = Port::tiles(&raster.grid, Arc::new(part), vec![b.port.clone()]).swap_remove(0);
        let (dtype, unit) = match part {
            Part::Conjugate => (DType::C32, b.unit.clone()),
            Part::Magnitude => (DType::F32, Unit::Amplitude),
            Part::Power => (DType::F32, Unit::Power),
            Part::Phase => (DType::F32, Unit::Other("rad".into())),
            Part::Real | Part::Imaginary => (DType::F32, Unit::Unknown),
        };
        Band {
            name: b.name.clone(),
            dtype,
            unit,
            nodata: None,
            port,
        }
    };
    raster.with_bands(raster.bands.iter().map(one).collect())
}

/// Of the elementwise functions, complex bands know the magnitude.
///
/// # Errors
/// Every function but the magnitude.
pub(super) fn unary(raster: &Raster, op: Unary) -> Result<Raster> {
    match op {
        Unary::Abs => Ok(part(raster, Part::Magnitude)),
        _ => Err(Error::argument(
            "band",
            format!("real; {}", Remedy::Real),
            "complex",
        )),
    }
}
