//! The dates of images that other images tell by their numbers.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::describe::{Description, Site};
use super::image::{Raster, in_order_of_time, times};
use super::operation::Operation;
use super::reduce::{Reducer, reduce};
use super::{Band, DType, Kind, Pixels, Port, Unit, View, Window};
use crate::described;
use crate::error::{Error, Result};

/// Takes numbers of images, from 1, for what is said of these; other numbers are masked.
#[derive(Serialize, Deserialize)]
struct OfImage {
    values: Vec<f64>,
}

described!(OfImage, Tiles, "raster.of_image", 1, |of_image, site: &Site| {
    site.takes(1)?.on_grid()?.real()?;
    match of_image.values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::argument("values", "finite numbers", value)),
        None => Ok(()),
    }
});

impl Operation for OfImage {
    fn name(&self) -> String {
        "dates of images".into()
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        // Days since 1970 leave an f32 minutes.
        Kind::F64
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let numbers = inputs[0].f64();
        let value = |number: f64| match number >= 1.0 {
            true => self.values.get(number as usize - 1).copied().unwrap_or(f64::NAN),
            false => f64::NAN,
        };
        let values = Array2::from_shape_fn((out.rows, out.cols), |at| value(numbers[at]));
        Ok(vec![Pixels::F64(values)])
    }
}

/// How dates are written as numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Calendar {
    /// Days, with fractions.
    Since(Timestamp),
    /// 1 for the first of January, in UTC.
    DayOfYear,
}

impl Calendar {
    pub const UNIX: Calendar = Calendar::Since(Timestamp::UNIX_EPOCH);

    fn number(self, time: Timestamp) -> f64 {
        match self {
            Calendar::Since(origin) => (time.as_nanosecond() - origin.as_nanosecond()) as f64 / 86_400e9,
            Calendar::DayOfYear => f64::from(time.to_zoned(TimeZone::UTC).date().day_of_year()),
        }
    }

    /// As the conventions of CF write it.
    fn unit(self) -> Unit {
        let origin = match self {
            Calendar::Since(origin) => origin.to_zoned(TimeZone::UTC),
            Calendar::DayOfYear => return Unit::Other("d".into()),
        };
        let is_midnight = origin.time() == jiff::civil::Time::midnight();
        let format = if is_midnight {
            "%Y-%m-%d"
        } else {
            "%Y-%m-%dT%H:%M:%SZ"
        };
        Unit::Other(format!("days since {}", origin.strftime(format)))
    }

    /// A band of the dates of `images`, whose numbers `like` holds.
    ///
    /// # Errors
    /// An image without a time, by its number.
    pub fn dated(self, like: Band, images: &[Raster]) -> Result<Band> {
        let values = times(images)?.into_iter().map(|time| self.number(time)).collect();
        let port = Port::tiles(
            &like.port.node.grid,
            Arc::new(OfImage { values }),
            vec![like.port.clone()],
        );
        let (dtype, nodata) = match self {
            Calendar::Since(_) => (DType::F64, None),
            Calendar::DayOfYear => (DType::U16, Some(0.0)),
        };
        let port = port
            .into_iter()
            .next()
            .ok_or_else(|| Error::message("no dates were made"))?;
        Ok(Band {
            dtype,
            unit: self.unit(),
            nodata,
            port,
            ..like
        })
    }
}

/// The date of the smallest or the largest value of each band, of equal ones the earliest.
///
/// # Errors
/// As `reduce`; an image without a time.
pub fn date_of(images: &[Raster], extreme: Reducer, calendar: Calendar) -> Result<Raster> {
    let (order, _) = in_order_of_time(images)?;
    let ordered: Vec<Raster> = order.iter().map(|i| images[*i].clone()).collect();
    let mut made = reduce(&ordered, &[extreme])?;
    let bands = made.bands.into_iter().map(|band| calendar.dated(band, &ordered));
    made.bands = bands.collect::<Result<_>>()?;
    Ok(made)
}
