//! Instants as whole nanoseconds since 1970, or, where one of them lies beyond the years 1677 to 2262, as whole microseconds.

use arrow_array::builder::Int64Builder;
use arrow_array::{Array, ArrayRef, Int64Array, TimestampMicrosecondArray, TimestampNanosecondArray};
use jiff::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Nanosecond,
    Microsecond,
}

impl Unit {
    const fn nanoseconds(self) -> i64 {
        match self {
            Unit::Nanosecond => 1,
            Unit::Microsecond => 1000,
        }
    }

    /// Units in a day.
    const fn day(self) -> i64 {
        86_400_000_000_000 / self.nanoseconds()
    }
}

/// A column of instants.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    pub(super) units: Int64Array,
    pub(super) unit: Unit,
}

impl Times {
    pub fn len(&self) -> usize {
        self.units.len()
    }

    pub fn get(&self, row: usize) -> Option<Timestamp> {
        if self.units.is_null(row) {
            return None;
        }
        instant(self.units.value(row), self.unit)
    }

    /// Whether all of them are midnights, UTC.
    pub fn are_dates(&self) -> bool {
        let day = self.unit.day();
        self.units.iter().flatten().all(|units| units % day == 0)
    }

    pub(super) fn with_units(&self, units: Int64Array) -> Times {
        Times {
            units,
            unit: self.unit,
        }
    }

    /// As Arrow has them, in UTC.
    pub(super) fn to_arrow(&self) -> ArrayRef {
        match self.unit {
            Unit::Nanosecond => std::sync::Arc::new(
                self.units
                    .reinterpret_cast::<arrow_array::types::TimestampNanosecondType>()
                    .with_timezone_utc(),
            ),
            Unit::Microsecond => std::sync::Arc::new(
                self.units
                    .reinterpret_cast::<arrow_array::types::TimestampMicrosecondType>()
                    .with_timezone_utc(),
            ),
        }
    }

    pub(super) fn of_nanoseconds(array: &TimestampNanosecondArray) -> Times {
        Times {
            units: array.reinterpret_cast(),
            unit: Unit::Nanosecond,
        }
    }

    pub(super) fn of_microseconds(array: &TimestampMicrosecondArray) -> Times {
        Times {
            units: array.reinterpret_cast(),
            unit: Unit::Microsecond,
        }
    }
}

fn instant(units: i64, unit: Unit) -> Option<Timestamp> {
    match unit {
        Unit::Nanosecond => Timestamp::from_nanosecond(units.into()).ok(),
        Unit::Microsecond => Timestamp::from_microsecond(units).ok(),
    }
}

/// Makes `Times` one by one.
#[derive(Debug)]
pub(super) struct TimeBuilder {
    units: Int64Builder,
    unit: Unit,
}

impl TimeBuilder {
    pub fn with_capacity(rows: usize) -> TimeBuilder {
        TimeBuilder {
            units: Int64Builder::with_capacity(rows),
            unit: Unit::Nanosecond,
        }
    }

    pub fn push_null(&mut self, count: usize) {
        self.units.append_nulls(count);
    }

    /// False, and nothing done, where no unit holds this instant and those before it.
    pub fn push(&mut self, time: Timestamp) -> bool {
        let nanoseconds = time.as_nanosecond();
        if self.unit == Unit::Nanosecond
            && let Ok(units) = i64::try_from(nanoseconds)
        {
            self.units.append_value(units);
            return true;
        }
        if nanoseconds % 1000 != 0 || !self.settle_for_microseconds() {
            return false;
        }
        self.units.append_value(time.as_microsecond());
        true
    }

    pub fn append(&mut self, times: &Times) -> bool {
        if times.unit == self.unit {
            self.units.append_array(&times.units);
            return true;
        }
        if !self.settle_for_microseconds() {
            return false;
        }
        if times.unit == Unit::Microsecond {
            self.units.append_array(&times.units);
            return true;
        }
        // Their fractions may be finer than this unit; nothing is added then.
        if times.units.iter().flatten().any(|ns| ns % 1000 != 0) {
            return false;
        }
        let units: Int64Array = times.units.unary(|ns| ns / 1000);
        self.units.append_array(&units);
        true
    }

    /// False where an instant is finer than a microsecond.
    fn settle_for_microseconds(&mut self) -> bool {
        if self.unit == Unit::Microsecond {
            return true;
        }
        let values = self.units.values_slice_mut();
        if values.iter().any(|ns| ns % 1000 != 0) {
            return false;
        }
        values.iter_mut().for_each(|ns| *ns /= 1000);
        self.unit = Unit::Microsecond;
        true
    }

    pub fn finish(mut self) -> Times {
        let mut units = self.units.finish();
        units.shrink_to_fit();
        Times {
            units,
            unit: self.unit,
        }
    }

    pub fn len(&self) -> usize {
        self.units.values_slice().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(texts: &[&str]) -> Option<Times> {
        let mut builder = TimeBuilder::with_capacity(0);
        texts
            .iter()
            .all(|text| builder.push(text.parse().unwrap()))
            .then(|| builder.finish())
    }

    #[test]
    fn every_instant_is_kept_or_refused() {
        let far = "0800-12-25T10:00:00.000001Z";
        let fine = "2020-01-05T10:00:00.123456789Z";
        for texts in [
            vec![fine],
            vec![far],
            vec!["2020-01-05T10:00:00.5Z", far],
            vec![far, "2020-01-05T00:00:00Z"],
        ] {
            let times = built(&texts).unwrap();
            for (row, text) in texts.iter().enumerate() {
                assert_eq!(times.get(row).unwrap(), text.parse::<Timestamp>().unwrap());
            }
        }
        assert!(built(&[fine, far]).is_none() && built(&[far, fine]).is_none());
        let (near, distant) = (built(&[fine]).unwrap(), built(&[far]).unwrap());
        for (first, second) in [(&near, &distant), (&distant, &near)] {
            let mut builder = TimeBuilder::with_capacity(0);
            assert!(builder.append(first) && !builder.append(second));
            assert_eq!(builder.finish(), *first);
        }
    }
}
