//! Which numbers a parameter takes: said once, checked by what computes with it, and told by errors, help and completion.

use super::{Error, Result};

/// A range of numbers, and what else they must be. Every one but `ANY` asks for finite numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Domain {
    low: Option<f64>,
    high: Option<f64>,
    /// `low` itself is too small.
    beyond_low: bool,
    /// `high` itself is too large.
    beyond_high: bool,
    form: Form,
    unit: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Any,
    Finite,
    NotZero,
    Odd,
    Even,
    PowerOfTwo,
    MultipleOf(u32),
}

impl Form {
    fn of_fact(fact: &str) -> Option<Form> {
        Some(match fact {
            "odd" => Form::Odd,
            "even" => Form::Even,
            "not 0" => Form::NotZero,
            "a power of 2" => Form::PowerOfTwo,
            other => Form::MultipleOf(other.strip_prefix("a multiple of ")?.parse().ok()?),
        })
    }
}

impl Domain {
    pub const ANY: Domain = Domain {
        low: None,
        high: None,
        beyond_low: false,
        beyond_high: false,
        form: Form::Any,
        unit: None,
    };

    /// Any number but infinities and NaN.
    pub const FINITE: Domain = Domain::ANY.of(Form::Finite);

    pub const NOT_ZERO: Domain = Domain::ANY.of(Form::NotZero);

    /// From the smallest value to the largest.
    pub const PERCENT: Domain = Domain::within(0.0, 100.0);

    pub const fn above(low: f64) -> Domain {
        Domain {
            low: Some(low),
            beyond_low: true,
            ..Domain::ANY
        }
    }

    pub const fn at_least(low: f64) -> Domain {
        Domain {
            low: Some(low),
            ..Domain::ANY
        }
    }

    /// From `low` to `high`, both among them.
    pub const fn within(low: f64, high: f64) -> Domain {
        Domain::at_least(low).up_to(high)
    }

    pub const fn up_to(self, high: f64) -> Domain {
        Domain {
            high: Some(high),
            beyond_high: false,
            ..self
        }
    }

    pub const fn below(self, high: f64) -> Domain {
        Domain {
            high: Some(high),
            beyond_high: true,
            ..self
        }
    }

    pub const fn odd(self) -> Domain {
        self.of(Form::Odd)
    }

    pub const fn even(self) -> Domain {
        self.of(Form::Even)
    }

    pub const fn power_of_two(self) -> Domain {
        self.of(Form::PowerOfTwo)
    }

    pub const fn multiple_of(self, divisor: u32) -> Domain {
        self.of(Form::MultipleOf(divisor))
    }

    const fn of(self, form: Form) -> Domain {
        Domain { form, ..self }
    }

    /// What the numbers count, as errors say it: `pixels`, `metres`, `days`.
    pub const fn in_unit(self, unit: &'static str) -> Domain {
        Domain {
            unit: Some(unit),
            ..self
        }
    }

    pub fn unit(&self) -> Option<&'static str> {
        self.unit
    }

    /// Whether these are more than numbers of any kind.
    pub fn any(&self) -> bool {
        Domain { unit: None, ..*self } == Domain::ANY
    }

    pub fn admit(&self, value: f64) -> bool {
        if self.any() {
            return true;
        }
        let above = self.low.is_none_or(|low| match self.beyond_low {
            true => value > low,
            false => value >= low,
        });
        let below = self.high.is_none_or(|high| match self.beyond_high {
            true => value < high,
            false => value <= high,
        });
        let formed = match self.form {
            Form::Any | Form::Finite => true,
            Form::NotZero => value != 0.0,
            Form::Odd => value.rem_euclid(2.0) == 1.0,
            Form::Even => value.rem_euclid(2.0) == 0.0,
            Form::PowerOfTwo => value >= 1.0 && value.fract() == 0.0 && value.log2().fract() == 0.0,
            Form::MultipleOf(divisor) => value.rem_euclid(f64::from(divisor)) == 0.0,
        };
        value.is_finite() && above && below && formed
    }

    /// # Errors
    /// When `value`, which errors call `name`, is not among them.
    pub fn check(&self, name: &str, value: f64) -> Result<f64> {
        match self.admit(value) {
            true => Ok(value),
            false => Err(Error::argument(name, self.expected("number"), value)),
        }
    }

    /// As `check`, for what is counted.
    ///
    /// # Errors
    /// When `value` is not among them.
    pub fn check_count(&self, name: &str, value: usize) -> Result<usize> {
        match self.admit(value as f64) {
            true => Ok(value),
            false => Err(Error::argument(name, self.expected("integer"), value)),
        }
    }

    /// "an odd number of pixels from 3 to 101"; `noun` is what any number would be called.
    pub fn expected(&self, noun: &str) -> String {
        let form = match self.form {
            Form::Any | Form::NotZero => String::new(),
            Form::Finite => "finite ".into(),
            Form::Odd => "odd ".into(),
            Form::Even => "even ".into(),
            Form::PowerOfTwo => "power of 2".into(),
            Form::MultipleOf(divisor) => format!("multiple of {divisor}"),
        };
        let noun = match (self.form, self.unit) {
            (Form::PowerOfTwo | Form::MultipleOf(_), _) => "",
            // What is odd or even is whole.
            (Form::Odd | Form::Even, _) => "number",
            (Form::Any | Form::Finite | Form::NotZero, Some(_)) => "number",
            (Form::Any | Form::Finite | Form::NotZero, None) => noun,
        };
        let mut text = format!("{form}{noun}");
        let article = if text.starts_with(['a', 'e', 'i', 'o', 'u']) {
            "an"
        } else {
            "a"
        };
        text.insert_str(0, &format!("{article} "));
        if let Some(unit) = self.unit {
            text.push_str(&format!(" of {unit}"));
        }
        if self.form == Form::NotZero {
            text.push_str(" other than 0");
        }
        if let Some(range) = self.range() {
            // "a number of at least 0", but "a number above 0" and "a number from 0 to 1".
            let of = if range.starts_with("at ") { " of" } else { "" };
            text.push_str(&format!("{of} {range}"));
        }
        text
    }

    /// "odd, from 3 to 101", as it follows a description; `None` where any number will do.
    pub fn fact(&self) -> Option<String> {
        let form = match self.form {
            Form::Any | Form::Finite => None,
            Form::NotZero => Some("not 0".to_string()),
            Form::Odd => Some("odd".to_string()),
            Form::Even => Some("even".to_string()),
            Form::PowerOfTwo => Some("a power of 2".to_string()),
            Form::MultipleOf(divisor) => Some(format!("a multiple of {divisor}")),
        };
        let parts: Vec<String> = form.into_iter().chain(self.range()).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// What `fact` told: "odd, from 3 to 101". `None` for any other text.
    pub fn of_fact(fact: &str) -> Option<Domain> {
        let (form, range) = match fact.split_once(", ") {
            Some((form, range)) => (Form::of_fact(form)?, Some(range)),
            None => match Form::of_fact(fact) {
                Some(form) => (form, None),
                None => (Form::Any, Some(fact)),
            },
        };
        let mut domain = Domain::ANY.of(form);
        for part in range.into_iter().flat_map(|range| range.split(" and ")) {
            let (bound, number) = part.rsplit_once(' ')?;
            let number: f64 = number.parse().ok()?;
            match bound
                .strip_prefix("from ")
                .and_then(|rest| rest.strip_suffix(" to"))
            {
                Some(low) => (domain.low, domain.high) = (Some(low.parse().ok()?), Some(number)),
                None => match bound {
                    "at least" => domain.low = Some(number),
                    "above" => (domain.low, domain.beyond_low) = (Some(number), true),
                    "at most" => domain.high = Some(number),
                    "below" => (domain.high, domain.beyond_high) = (Some(number), true),
                    _ => return None,
                },
            }
        }
        Some(domain)
    }

    fn range(&self) -> Option<String> {
        let low = self.low.map(|low| match self.beyond_low {
            true => format!("above {low}"),
            false => format!("at least {low}"),
        });
        let high = self.high.map(|high| match self.beyond_high {
            true => format!("below {high}"),
            false => format!("at most {high}"),
        });
        match (self.low, self.high, low, high) {
            (Some(low), Some(high), ..) if !self.beyond_low && !self.beyond_high => {
                Some(format!("from {low} to {high}"))
            }
            (.., Some(low), Some(high)) => Some(format!("{low} and {high}")),
            (.., low, high) => low.or(high),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn say_what_they_admit() {
        let cases: [(Domain, &str, &[f64], &[f64]); 9] = [
            (
                Domain::FINITE,
                "a finite number",
                &[-3.0],
                &[f64::NAN, f64::INFINITY],
            ),
            (
                Domain::NOT_ZERO,
                "a number other than 0",
                &[-3.0],
                &[0.0, f64::NAN],
            ),
            (
                Domain::above(0.0),
                "a number above 0",
                &[1e-9, 7.0],
                &[0.0, -1.0, f64::NAN, f64::INFINITY],
            ),
            (Domain::at_least(0.0), "a number of at least 0", &[0.0], &[-1e-9]),
            (
                Domain::within(0.0, 100.0),
                "a number from 0 to 100",
                &[0.0, 100.0],
                &[100.1],
            ),
            (
                Domain::above(0.0).up_to(1.0),
                "a number above 0 and at most 1",
                &[1.0],
                &[0.0, 1.1],
            ),
            (
                Domain::within(3.0, 101.0).odd().in_unit("pixels"),
                "an odd number of pixels from 3 to 101",
                &[3.0, 101.0],
                &[1.0, 4.0, 3.5, 103.0],
            ),
            (
                Domain::at_least(8.0).power_of_two(),
                "a power of 2 of at least 8",
                &[8.0, 64.0],
                &[4.0, 24.0],
            ),
            (
                Domain::within(0.0, 64.0).multiple_of(4),
                "a multiple of 4 from 0 to 64",
                &[0.0, 36.0],
                &[2.0, 68.0],
            ),
        ];
        for (domain, text, good, bad) in cases {
            assert_eq!(domain.expected("number"), text);
            assert!(good.iter().all(|v| domain.admit(*v)), "{text}");
            assert!(bad.iter().all(|v| !domain.admit(*v)), "{text}");
            if let Some(fact) = domain.fact() {
                let told = Domain { unit: None, ..domain };
                assert_eq!(Domain::of_fact(&fact), Some(told), "{fact}");
            }
        }
        assert_eq!(Domain::of_fact("as long as it takes"), None);
        assert!(Domain::ANY.admit(f64::NAN) && Domain::ANY.fact().is_none());
        assert_eq!(Domain::within(3.0, 9.0).odd().fact().unwrap(), "odd, from 3 to 9");
    }
}
