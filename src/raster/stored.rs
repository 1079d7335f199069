//! Arrays within descriptions: their bytes, little-endian, row by row, in base 64.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ndarray::Array2;
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::{Kind, Pixels};
use crate::error::{Error, Result};

#[derive(Serialize, Deserialize)]
pub struct Stored {
    kind: Kind,
    rows: usize,
    cols: usize,
    bytes: String,
}

impl Stored {
    pub fn of(pixels: &Pixels) -> Stored {
        let (rows, cols) = pixels.dim();
        let bytes: Vec<u8> = match pixels {
            Pixels::I128(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Pixels::F32(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Pixels::F64(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Pixels::C32(a) => a
                .iter()
                .flat_map(|z| [z.re, z.im])
                .flat_map(f32::to_le_bytes)
                .collect(),
        };
        Stored {
            kind: pixels.kind(),
            rows,
            cols,
            bytes: BASE64_STANDARD.encode(bytes),
        }
    }

    /// # Errors
    /// Bytes that are none, or not as many as the array has.
    pub fn pixels(&self) -> Result<Pixels> {
        let bytes = BASE64_STANDARD
            .decode(&self.bytes)
            .map_err(|e| Error::message(format!("an array's bytes are not in base 64: {e}")))?;
        let shape = (self.rows, self.cols);
        macro_rules! numbers {
            ($number:ty, $size:literal) => {
                bytes
                    .as_chunks::<$size>()
                    .0
                    .iter()
                    .map(|b| <$number>::from_le_bytes(*b))
                    .collect()
            };
        }
        let size = self
            .rows
            .saturating_mul(self.cols)
            .saturating_mul(self.kind.bytes());
        if size != bytes.len() {
            return Err(Error::message(format!(
                "an array of {} × {} (rows × cols) has {} bytes in place of {size}",
                self.rows,
                self.cols,
                bytes.len()
            )));
        }
        let fits = |e: ndarray::ShapeError| Error::message(e.to_string());
        Ok(match self.kind {
            Kind::I128 => Pixels::I128(Array2::from_shape_vec(shape, numbers!(i128, 16)).map_err(fits)?),
            Kind::F32 => Pixels::F32(Array2::from_shape_vec(shape, numbers!(f32, 4)).map_err(fits)?),
            Kind::F64 => Pixels::F64(Array2::from_shape_vec(shape, numbers!(f64, 8)).map_err(fits)?),
            Kind::C32 => {
                let parts: Vec<f32> = numbers!(f32, 4);
                let pairs = parts.as_chunks::<2>().0.iter();
                let values = pairs.map(|&[re, im]| Complex32::new(re, im)).collect();
                Pixels::C32(Array2::from_shape_vec(shape, values).map_err(fits)?)
            }
        })
    }

    pub fn of_doubles(array: &Array2<f64>) -> Stored {
        Stored::of(&Pixels::F64(array.clone()))
    }

    /// # Errors
    /// As `pixels`.
    pub fn doubles(&self) -> Result<Array2<f64>> {
        Ok(self.pixels()?.into_f64())
    }
}
