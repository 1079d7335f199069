//! Least-squares inversion of a network of pairs to a series over dates.

use super::band::Band;
use crate::bounds;
use crate::error::{Domain, Error, Result};
use crate::statistics;

/// What was measured between two dates: `value = series[secondary] − series[reference]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub reference: usize,
    pub secondary: usize,
    /// NaN where the measurement failed; then it takes no part.
    pub value: f64,
    /// Inverse variance in any unit; 1 for all gives the ordinary fit.
    pub weight: f64,
}

/// How many standard deviations a robust fit lets a residual pull by.
pub const TUNING: Domain = Domain::above(0.0);

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Robust {
    None,
    /// Huber's weights min(1, k·s/|r|), s = 1.4826·median|r|: beyond k·s a residual pulls no harder. k = 1.345 keeps 95 % of
    /// the efficiency where the errors are normal.
    Huber(f64),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Inversion {
    /// One value a date, 0 at the reference date; NaN for dates that no chain of measured pairs joins to it.
    pub series: Vec<f64>,
    /// Standard errors of the series: from the spread of the residuals and the weights; NaN without redundancy.
    pub sigma: Vec<f64>,
    /// Measured − fitted, one a pair; NaN where the measurement failed or a date is not joined.
    pub residuals: Vec<f64>,
    /// What the robust fit made of the weights, as a factor 0…1; NaN as the residuals.
    pub factors: Vec<f64>,
    /// Weighted root mean square of the residuals with unit mean weight: √(Σw·r²/Σw).
    pub rms: f64,
    /// Measured pairs minus unknowns.
    pub redundancy: usize,
    pub iterations: usize,
}

const MOST_ITERATIONS: usize = 100;

/// Bytes of the lists that have an entry a date, and of that entry's row of the system.
const HELD_PER_DATE: usize = 128;

/// Finds the series s that minimises `Σ w·(value − (s[secondary] − s[reference]))²`, with `s[fixed] = 0`; robustly by iterated
/// reweighting.
///
/// # Nodata
/// A pair whose value is NaN takes no part. Dates that are then not joined to `fixed` are NaN.
///
/// # Errors
/// Pairs of dates that are not there or of a date with itself; weights that are not positive and finite; infinite values.
///
/// # Source
/// Berardino et al. 2002, A new algorithm for surface deformation monitoring based on small baseline differential SAR
/// interferograms, IEEE TGRS 40(11), doi:10.1109/TGRS.2002.803792, eq. 10–12 for a connected network. Huber 1964,
/// Robust estimation of a location parameter, doi:10.1214/aoms/1177703732; Holland and Welsch 1977, Robust regression using
/// iteratively reweighted least-squares, doi:10.1080/03610927708827533.
pub fn invert(dates: usize, pairs: &[Pair], fixed: usize, robust: Robust) -> Result<Inversion> {
    check(dates, pairs, fixed, robust)?;
    bounds::fits(
        format!("a series of {dates} dates"),
        dates,
        HELD_PER_DATE,
        "number the dates from 1 without gaps",
    )?;
    let joined = joined(dates, pairs, fixed);
    let used: Vec<usize> = (0..pairs.len())
        .filter(|&i| pairs[i].value.is_finite() && joined[pairs[i].reference])
        .collect();
    // Unknowns are the joined dates but the fixed one, in order, so that neighbours in time are neighbours in the matrix.
    let mut unknown = vec![None; dates];
    let mut unknowns = 0;
    for date in (0..dates).filter(|&d| joined[d] && d != fixed) {
        unknown[date] = Some(unknowns);
        unknowns += 1;
    }
    let system = System {
        pairs,
        used: &used,
        unknown: &unknown,
        unknowns,
    };
    let mut factors = vec![1.0; pairs.len()];
    let mut series = system.solve(&factors)?;
    let mut iterations = 1;
    if let Robust::Huber(k) = robust {
        while iterations < MOST_ITERATIONS {
            let scale = 1.4826 * median(used.iter().map(|&i| system.scaled_residual(&series, i).abs()));
            // Half of the pairs fit exactly: there is no spread to measure the others by.
            if scale <= 1e-12 * largest(&used, pairs) {
                break;
            }
            for &i in &used {
                let size = system.scaled_residual(&series, i).abs();
                factors[i] = if size <= k * scale { 1.0 } else { k * scale / size };
            }
            let next = system.solve(&factors)?;
            iterations += 1;
            let change = series
                .iter()
                .zip(&next)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            series = next;
            if change <= 1e-9 * scale {
                break;
            }
        }
    }
    system.report(&series, &factors, &joined, fixed, iterations)
}

fn check(dates: usize, pairs: &[Pair], fixed: usize, robust: Robust) -> Result<()> {
    if fixed >= dates {
        return Err(Error::argument(
            "the reference date",
            format!("one of the {dates} dates"),
            fixed + 1,
        ));
    }
    for (i, pair) in pairs.iter().enumerate() {
        let name = |part: &str| format!("{part} of pair {}", i + 1);
        for (part, date) in [
            ("the reference", pair.reference),
            ("the secondary", pair.secondary),
        ] {
            if date >= dates {
                return Err(Error::argument(
                    name(part),
                    format!("one of the {dates} dates"),
                    date + 1,
                ));
            }
        }
        if pair.reference == pair.secondary {
            let both = format!("{} and {}", pair.reference + 1, pair.secondary + 1);
            return Err(Error::argument(name("the dates"), "two different ones", both));
        }
        if pair.value.is_infinite() {
            return Err(Error::argument(
                name("the value"),
                "finite, or NaN where there is none",
                pair.value,
            ));
        }
        if !(pair.weight > 0.0 && pair.weight.is_finite()) {
            return Err(Error::argument(
                name("the weight"),
                "a positive number",
                pair.weight,
            ));
        }
    }
    match robust {
        Robust::Huber(k) => TUNING.check("the robust fit's tuning", k).map(drop),
        Robust::None => Ok(()),
    }
}

/// Which dates a chain of measured pairs joins to `fixed`.
fn joined(dates: usize, pairs: &[Pair], fixed: usize) -> Vec<bool> {
    let mut neighbours = vec![Vec::new(); dates];
    for pair in pairs.iter().filter(|p| p.value.is_finite()) {
        neighbours[pair.reference].push(pair.secondary);
        neighbours[pair.secondary].push(pair.reference);
    }
    let mut joined = vec![false; dates];
    joined[fixed] = true;
    let mut open = vec![fixed];
    while let Some(date) = open.pop() {
        for &next in &neighbours[date] {
            if !joined[next] {
                joined[next] = true;
                open.push(next);
            }
        }
    }
    joined
}

/// 0 for no values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    match values.is_empty() {
        true => 0.0,
        false => statistics::median(&mut values),
    }
}

fn largest(used: &[usize], pairs: &[Pair]) -> f64 {
    let scaled = |i: &usize| pairs[*i].value.abs() * pairs[*i].weight.sqrt();
    used.iter().map(scaled).fold(0.0, f64::max)
}

/// The normal equations of the pairs that take part.
struct System<'a> {
    pairs: &'a [Pair],
    used: &'a [usize],
    /// Position of each date among the unknowns; None for the fixed date and for those that are not joined.
    unknown: &'a [Option<usize>],
    unknowns: usize,
}

impl System<'_> {
    fn matrix(&self, factors: &[f64]) -> Band {
        let ends = |i: usize| {
            (
                self.unknown[self.pairs[i].reference],
                self.unknown[self.pairs[i].secondary],
            )
        };
        let width = self.used.iter().filter_map(|&i| match ends(i) {
            (Some(a), Some(b)) => Some(a.abs_diff(b)),
            _ => None,
        });
        let mut matrix = Band::zeros(self.unknowns, width.max().unwrap_or(0));
        for &i in self.used {
            let weight = self.pairs[i].weight * factors[i];
            let (a, b) = ends(i);
            for end in [a, b].into_iter().flatten() {
                matrix.add(end, end, weight);
            }
            if let (Some(a), Some(b)) = (a, b) {
                matrix.add(a, b, -weight);
            }
        }
        matrix
    }

    /// The unknowns.
    fn solve(&self, factors: &[f64]) -> Result<Vec<f64>> {
        let mut right = vec![0.0; self.unknowns];
        for &i in self.used {
            let pair = &self.pairs[i];
            let pull = pair.weight * factors[i] * pair.value;
            if let Some(b) = self.unknown[pair.secondary] {
                right[b] += pull;
            }
            if let Some(a) = self.unknown[pair.reference] {
                right[a] -= pull;
            }
        }
        self.matrix(factors).factor()?.solve(&mut right);
        Ok(right)
    }

    fn value_at(&self, series: &[f64], date: usize) -> f64 {
        self.unknown[date].map_or(0.0, |i| series[i])
    }

    fn residual(&self, series: &[f64], i: usize) -> f64 {
        let pair = &self.pairs[i];
        pair.value - (self.value_at(series, pair.secondary) - self.value_at(series, pair.reference))
    }

    /// The residual in standard deviations, up to a common factor.
    fn scaled_residual(&self, series: &[f64], i: usize) -> f64 {
        self.residual(series, i) * self.pairs[i].weight.sqrt()
    }

    fn report(
        &self,
        series: &[f64],
        factors: &[f64],
        joined: &[bool],
        fixed: usize,
        iterations: usize,
    ) -> Result<Inversion> {
        let mut residuals = vec![f64::NAN; self.pairs.len()];
        let mut kept = vec![f64::NAN; self.pairs.len()];
        let (mut squares, mut weights) = (0.0, 0.0);
        for &i in self.used {
            let residual = self.residual(series, i);
            let weight = self.pairs[i].weight * factors[i];
            (residuals[i], kept[i]) = (residual, factors[i]);
            squares += weight * residual * residual;
            weights += weight;
        }
        let redundancy = self.used.len() - self.unknowns;
        let variance = if redundancy > 0 {
            squares / redundancy as f64
        } else {
            f64::NAN
        };
        let mut sigma = vec![f64::NAN; joined.len()];
        sigma[fixed] = 0.0;
        if redundancy > 0 {
            let cholesky = self.matrix(factors).factor()?;
            let mut column = vec![0.0; self.unknowns];
            for (date, position) in self.unknown.iter().enumerate() {
                if let Some(i) = *position {
                    column.fill(0.0);
                    column[i] = 1.0;
                    cholesky.solve(&mut column);
                    sigma[date] = (variance * column[i]).sqrt();
                }
            }
        }
        let all = (0..joined.len()).map(|d| {
            if joined[d] {
                self.value_at(series, d)
            } else {
                f64::NAN
            }
        });
        Ok(Inversion {
            series: all.collect(),
            sigma,
            residuals,
            factors: kept,
            rms: if weights > 0.0 {
                (squares / weights).sqrt()
            } else {
                f64::NAN
            },
            redundancy,
            iterations,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded by tests/reference/network.py: numpy.linalg.lstsq of the rows √w·(s[secondary] − s[reference]) = √w·value,
    /// with one neighbour network and one of long pairs, some values missing.
    const RECORD: &str = include_str!("../../../tests/fixtures/network/lstsq.json");

    fn numbers(value: &serde_json::Value) -> Vec<f64> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap_or(f64::NAN))
            .collect()
    }

    fn recorded() -> Vec<(usize, Vec<Pair>, serde_json::Value)> {
        let record: serde_json::Value = serde_json::from_str(RECORD).unwrap();
        let case = |case: &serde_json::Value| {
            let (a, b) = (numbers(&case["reference"]), numbers(&case["secondary"]));
            let (values, weights) = (numbers(&case["values"]), numbers(&case["weights"]));
            let pairs = (0..a.len()).map(|i| Pair {
                reference: a[i] as usize,
                secondary: b[i] as usize,
                value: values[i],
                weight: weights[i],
            });
            (
                case["dates"].as_u64().unwrap() as usize,
                pairs.collect(),
                case.clone(),
            )
        };
        record.as_array().unwrap().iter().map(case).collect()
    }

    #[test]
    fn equals_numpys_least_squares() {
        for (dates, pairs, case) in recorded() {
            let found = invert(dates, &pairs, 0, Robust::None).unwrap();
            for (key, values) in [
                ("series", &found.series),
                ("sigma", &found.sigma),
                ("residuals", &found.residuals),
            ] {
                for (i, (a, b)) in values.iter().zip(numbers(&case[key])).enumerate() {
                    assert!(
                        (a - b).abs() < 1e-10 || (a.is_nan() && b.is_nan()),
                        "{key} {i}: {a} {b}"
                    );
                }
            }
        }
    }

    #[test]
    fn another_reference_date_moves_the_series_only() {
        let (dates, pairs, _) = recorded().swap_remove(0);
        let (a, b) = (
            invert(dates, &pairs, 0, Robust::None).unwrap(),
            invert(dates, &pairs, 7, Robust::None).unwrap(),
        );
        for i in 0..dates {
            assert!((a.series[i] - a.series[7] - b.series[i]).abs() < 1e-10);
        }
    }

    /// A pair that is far off is seen through: the others agree, so it loses nearly all of its weight.
    #[test]
    fn the_robust_fit_sees_through_blunders() {
        let (dates, mut pairs, _) = recorded().swap_remove(0);
        pairs.iter_mut().for_each(|p| p.weight = 1.0);
        let clean = invert(dates, &pairs, 0, Robust::None).unwrap();
        pairs[10].value += 50.0;
        pairs[31].value -= 80.0;
        let plain = invert(dates, &pairs, 0, Robust::None).unwrap();
        let robust = invert(dates, &pairs, 0, Robust::Huber(1.345)).unwrap();
        let off = |found: &Inversion| {
            let squares = found
                .series
                .iter()
                .zip(&clean.series)
                .map(|(a, b)| (a - b).powi(2));
            (squares.sum::<f64>() / dates as f64).sqrt()
        };
        assert!(
            off(&plain) > 5.0 && off(&robust) < 0.05 * off(&plain),
            "{} {}",
            off(&plain),
            off(&robust)
        );
        assert!(robust.factors[10] < 0.05 && robust.factors[31] < 0.05);
    }

    /// Huber's estimate is where the bounded residuals cancel at every date.
    #[test]
    fn the_robust_fit_solves_hubers_equations() {
        let (dates, mut pairs, _) = recorded().swap_remove(1);
        pairs[5].value += 3.0;
        let k = 1.345;
        let found = invert(dates, &pairs, 0, Robust::Huber(k)).unwrap();
        let scaled = |i: usize| found.residuals[i] * pairs[i].weight.sqrt();
        let measured: Vec<usize> = (0..pairs.len())
            .filter(|&i| found.residuals[i].is_finite())
            .collect();
        let scale = 1.4826 * median(measured.iter().map(|&i| scaled(i).abs()));
        let mut pull = vec![0.0; dates];
        for &i in &measured {
            let bounded = pairs[i].weight.sqrt() * scaled(i).clamp(-k * scale, k * scale);
            pull[pairs[i].secondary] += bounded;
            pull[pairs[i].reference] -= bounded;
        }
        for (date, pull) in pull.iter().enumerate().skip(1) {
            assert!(pull.abs() < 1e-6 * scale, "{date}: {pull} of {scale}");
        }
    }

    #[test]
    fn what_is_not_joined_is_nan() {
        let pair = |reference, secondary, value| Pair {
            reference,
            secondary,
            value,
            weight: 1.0,
        };
        let pairs = [pair(0, 1, 2.0), pair(1, 2, f64::NAN), pair(2, 3, 5.0)];
        let found = invert(4, &pairs, 0, Robust::None).unwrap();
        assert_eq!(found.series[..2], [0.0, 2.0]);
        assert!(found.series[2].is_nan() && found.series[3].is_nan() && found.residuals[2].is_nan());
        // Without redundancy there is no spread to tell errors from.
        assert!(found.sigma[1].is_nan() && found.redundancy == 0);
        let nothing = invert(3, &[], 1, Robust::Huber(1.345)).unwrap();
        assert!(nothing.series[0].is_nan() && nothing.series[1] == 0.0);
    }

    #[test]
    fn wrong_pairs_are_named() {
        let pair = |reference, secondary, value, weight| Pair {
            reference,
            secondary,
            value,
            weight,
        };
        let error = |p: Pair| invert(3, &[p], 0, Robust::None).unwrap_err().to_string();
        assert!(
            error(pair(0, 3, 1.0, 1.0)).contains("the secondary of pair 1 must be one of the 3 dates, got 4")
        );
        assert!(error(pair(1, 1, 1.0, 1.0)).contains("two different ones"));
        assert!(error(pair(0, 1, f64::INFINITY, 1.0)).contains("finite"));
        assert!(error(pair(0, 1, 1.0, 0.0)).contains("positive"));
    }
}
