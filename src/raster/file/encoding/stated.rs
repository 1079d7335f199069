//! The same of attributes as JSON has them, which tells numbers from text and whole ones from others.

use serde_json::{Map, Value as Json};

use super::super::open::OpenOptions;
use super::{Encoding, packed, wrap, wrap_integer};
use crate::raster::DType;
use crate::raster::integer::{is_wide, whole};
use crate::raster::zarr::metadata::number;

/// What is said of an array's numbers.
pub struct Stated<'a> {
    pub dtype: DType,
    /// A number that stands for no value, exactly where it is a whole one.
    pub fill: Option<(f64, Option<i128>)>,
    pub attributes: &'a Map<String, Json>,
}

impl Stated<'_> {
    fn listed(&self, name: &str) -> Vec<&Json> {
        match self.attributes.get(name) {
            Some(Json::Array(list)) => list.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        }
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.listed(name).first().and_then(|v| number(v))
    }

    fn range(&self) -> Option<(f64, f64)> {
        let range: Vec<f64> = self
            .listed("valid_range")
            .into_iter()
            .filter_map(number)
            .collect();
        if let [low, high] = range[..] {
            return Some((low, high));
        }
        match (self.number("valid_min"), self.number("valid_max")) {
            (None, None) => None,
            (low, high) => Some((low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY))),
        }
    }

    /// Whether the range is one of values and not of stored numbers: numbers of a float type beside stored integers.
    fn is_unpacked(&self) -> bool {
        let names = ["valid_range", "valid_min", "valid_max"];
        !self.dtype.is_float()
            && names
                .iter()
                .any(|name| self.listed(name).iter().any(|v| v.is_f64()))
    }
}

fn integer(v: &Json) -> Option<i128> {
    v.as_i64()
        .map(i128::from)
        .or_else(|| v.as_u64().map(i128::from))
        .or_else(|| number(v).and_then(whole))
}

impl Encoding {
    /// The type of the stored numbers.
    pub fn stored(&self) -> DType {
        match self.wrapped {
            true => self
                .dtype
                .with_sign(self.dtype.integer_range().is_some_and(|(low, _)| low == 0.0)),
            false => self.dtype,
        }
    }

    /// Of what an array says of its numbers.
    pub fn of_stated(stated: &Stated<'_>, options: &OpenOptions) -> Encoding {
        let unsigned = stated.attributes.get("_Unsigned");
        let unsigned = unsigned.and_then(|v| {
            v.as_str()
                .map(str::to_lowercase)
                .or(v.as_bool().map(|b| b.to_string()))
        });
        let dtype = match unsigned.as_deref() {
            Some("true") => stated.dtype.with_sign(false),
            Some("false") => stated.dtype.with_sign(true),
            _ => stated.dtype,
        };
        let respelt = unsigned.is_some();
        let own = |v: f64| if respelt { wrap(v, dtype) } else { v };
        let own_integer = |v: i128| if respelt { wrap_integer(v, dtype) } else { v };
        let listed: Vec<&Json> = ["_FillValue", "missing_value"]
            .into_iter()
            .flat_map(|name| stated.listed(name))
            .collect();
        let missing: Vec<f64> = match options.nodata {
            Some(nodata) => vec![nodata],
            None => {
                let fill = stated.fill.map(|(v, _)| v);
                let mut all: Vec<f64> = Vec::new();
                for v in fill
                    .into_iter()
                    .chain(listed.iter().filter_map(|v| number(v)))
                    .map(own)
                {
                    if !v.is_nan() && !all.contains(&v) {
                        all.push(v);
                    }
                }
                all
            }
        };
        let missing_integers = match options.nodata {
            _ if !is_wide(dtype) => Vec::new(),
            Some(nodata) => whole(nodata).into_iter().collect(),
            None => {
                let fill = stated.fill.and_then(|(v, exact)| exact.or_else(|| whole(v)));
                fill.into_iter()
                    .chain(listed.iter().filter_map(|v| integer(v)))
                    .map(own_integer)
                    .collect()
            }
        };
        let (scale, offset) = (
            stated.number("scale_factor").unwrap_or(1.0),
            stated.number("add_offset").unwrap_or(0.0),
        );
        let is_scale = scale.is_finite() && scale != 0.0 && offset.is_finite();
        let scale_offset =
            (is_scale && !dtype.is_complex() && (scale, offset) != (1.0, 0.0)).then_some((scale, offset));
        let valid = match stated.range() {
            Some(range) if scale_offset.is_some() && stated.is_unpacked() => {
                Some(packed(range, scale, offset, dtype))
            }
            Some((low, high)) => Some((own(low), own(high))),
            None => None,
        };
        Encoding {
            dtype,
            wrapped: dtype != stated.dtype,
            missing,
            missing_integers,
            valid,
            scale_offset: scale_offset.filter(|_| !options.raw),
        }
    }
}
