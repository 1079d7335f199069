//! Values of pixels as labels of regions, and what pixels measure.

use std::collections::HashMap;

use ndarray::ArrayView1;

use super::{NO_LABEL, Tally};
use crate::earth::ellipsoid;
use crate::error::{Error, Result};
use crate::raster::ground::Measure;
use crate::raster::tile::MASKED_INTEGER;
use crate::raster::{Grid, Pixels};

/// The classes of an image, numbered from 1 as they are met.
pub struct Labels {
    /// With the names of some.
    wanted: Option<Vec<(i64, Option<String>)>>,
    numbers: HashMap<i128, u32>,
    /// The numbers of those values that classes mostly have; where none is known yet, `UNKNOWN`.
    small: [u32; 256],
    values: Vec<i128>,
}

const UNKNOWN: u32 = u32::MAX;

impl Labels {
    /// Of all values, or of those that are wanted.
    pub fn new(wanted: Option<Vec<(i64, Option<String>)>>) -> Labels {
        Labels {
            wanted,
            numbers: HashMap::new(),
            small: [UNKNOWN; 256],
            values: Vec::new(),
        }
    }

    pub fn value(&self, label: u32) -> i128 {
        self.values.get(label as usize - 1).copied().unwrap_or_default()
    }

    pub fn name(&self, label: u32) -> Option<&str> {
        let value = self.value(label);
        let mut wanted = self.wanted.iter().flatten();
        wanted
            .find(|(class, _)| i128::from(*class) == value)?
            .1
            .as_deref()
    }

    fn number(&mut self, value: i128) -> u32 {
        let small = usize::try_from(value).ok().filter(|at| *at < self.small.len());
        match small.map(|at| self.small[at]) {
            Some(number) if number != UNKNOWN => number,
            _ => {
                let number = self.looked_up(value);
                if let Some(at) = small {
                    self.small[at] = number;
                }
                number
            }
        }
    }

    fn looked_up(&mut self, value: i128) -> u32 {
        if let Some(&number) = self.numbers.get(&value) {
            return number;
        }
        let is_wanted = |wanted: &Vec<(i64, _)>| wanted.iter().any(|(class, _)| i128::from(*class) == value);
        let number = match self.wanted.as_ref().is_none_or(is_wanted) {
            true => {
                self.values.push(value);
                self.values.len() as u32
            }
            false => NO_LABEL,
        };
        self.numbers.insert(value, number);
        number
    }

    /// Where the labels of a row of a tile change, and to which, behind what `out` has of the tiles before; `place` is (row, col) of its first
    /// pixel. A row begins without a label.
    ///
    /// # Errors
    /// Values that are not whole numbers.
    pub fn row(
        &mut self,
        pixels: &Pixels,
        row: usize,
        place: (usize, usize),
        out: &mut Vec<(u32, u32)>,
    ) -> Result<()> {
        match pixels {
            Pixels::F32(a) => self.changes(a.row(row), place, out),
            Pixels::F64(a) => self.changes(a.row(row), place, out),
            Pixels::I128(a) => self.changes(a.row(row), place, out),
            Pixels::C32(_) => Err(Error::argument("image", "one of classes", "complex numbers")),
        }
    }

    fn changes<V: Class>(
        &mut self,
        values: ArrayView1<'_, V>,
        (row, col): (usize, usize),
        out: &mut Vec<(u32, u32)>,
    ) -> Result<()> {
        let mut label = out.last().map_or(NO_LABEL, |&(_, label)| label);
        let mut last = None;
        for (i, &value) in values.iter().enumerate() {
            // NaN, which masks, never is the last.
            if last == Some(value) {
                continue;
            }
            last = Some(value);
            let next = match value.class() {
                Ok(None) => NO_LABEL,
                Ok(Some(class)) => self.number(class),
                Err(got) => {
                    let expected = "classes, which are whole numbers (rounding makes some, or a threshold)";
                    let got = format!("{got} in row {}, column {}", row + 1, col + i + 1);
                    return Err(Error::argument("image", expected, got));
                }
            };
            if next != label {
                label = next;
                out.push(((col + i) as u32, label));
            }
        }
        Ok(())
    }
}

/// What classes come as.
trait Class: Copy + PartialEq {
    /// None where it is masked; the value where it is no whole number.
    fn class(self) -> Result<Option<i128>, f64>;
}

impl Class for f32 {
    fn class(self) -> Result<Option<i128>, f64> {
        f64::from(self).class()
    }
}

impl Class for f64 {
    fn class(self) -> Result<Option<i128>, f64> {
        match self.is_nan() {
            true => Ok(None),
            false if self.fract() == 0.0 && self.abs() < 9e15 => Ok(Some(self as i128)),
            false => Err(self),
        }
    }
}

impl Class for i128 {
    fn class(self) -> Result<Option<i128>, f64> {
        Ok((self != MASKED_INTEGER).then_some(self))
    }
}

/// What is summed over the pixels of a region.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Sums {
    pub pixels: u64,
    pub area: f64,
    /// Sum and number of the valid pixels of each band whose mean is wanted.
    pub bands: Vec<(f64, u64)>,
}

impl Tally for Sums {
    fn merge(&mut self, other: Sums) {
        self.pixels += other.pixels;
        self.area += other.area;
        if self.bands.is_empty() {
            self.bands = other.bands;
        } else {
            for (to, (sum, count)) in self.bands.iter_mut().zip(other.bands) {
                to.0 += sum;
                to.1 += count;
            }
        }
    }
}

/// Areas of pixels: m², on the WGS 84 ellipsoid for longitude and latitude, else in the plane of the CRS; without a CRS square units.
pub struct Areas {
    grid: Grid,
    kind: Kind,
    row: Vec<f64>,
}

enum Kind {
    /// All pixels are alike.
    Plane(f64),
    /// Those of a row are: pixels between two parallels, of so many degrees.
    Zone(f64),
    /// Rotated ones, one by one.
    Each,
}

impl Areas {
    pub fn new(grid: &Grid) -> Areas {
        let t = &grid.transform;
        let plane = (t.dx * t.dy - t.rx * t.ry).abs();
        let kind = match &grid.crs {
            Some(crs) => match (crs.turn(), t.is_axis_aligned()) {
                (Some(turn), true) => Kind::Zone(360.0 / turn),
                (Some(_), false) => Kind::Each,
                (None, _) => Kind::Plane(plane * crs.metres_per_unit().unwrap_or(1.0).powi(2)),
            },
            None => Kind::Plane(plane),
        };
        Areas {
            grid: grid.clone(),
            kind,
            row: Vec::new(),
        }
    }

    /// The areas of the pixels of a row: one, or one a pixel.
    ///
    /// # Errors
    /// As `Measure::new`.
    pub fn row(&mut self, row: usize) -> Result<&[f64]> {
        let t = &self.grid.transform;
        match &self.kind {
            Kind::Plane(area) => {
                if self.row.is_empty() {
                    self.row.push(*area);
                }
            }
            Kind::Zone(degrees) => {
                let latitude = |row: usize| (t.y0 + row as f64 * t.dy) * degrees;
                let zone = ellipsoid::zone_area(latitude(row), latitude(row + 1));
                self.row.clear();
                self.row.push(zone * t.dx.abs() * degrees / 360.0);
            }
            Kind::Each => {
                let plane = (t.dx * t.dy - t.rx * t.ry).abs();
                let ground = Measure::new(&self.grid, self.grid.crs()?)?.row(row as isize, 0, self.grid.cols);
                let area = ground
                    .iter()
                    .map(|g| g.x * g.y * (1.0 - g.cosine * g.cosine).sqrt() * plane);
                self.row.clear();
                self.row.extend(area);
            }
        }
        Ok(&self.row)
    }
}
