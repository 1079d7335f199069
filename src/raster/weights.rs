//! Where the errors and weights of weighted means and medians come from: other bands, properties of the images, other images.

use std::collections::BTreeMap;

use super::Band;
use super::image::{Property, Raster};
use super::reduce::{Reducer, reduce};
use super::stack::Stack;
use super::weighted::{Given, Series, check_error_unit, weighted_mean};
use super::weighted_median::weighted_median;
use crate::error::{Error, Result};

/// Where it is said what an image counts.
#[derive(Clone)]
pub enum Source {
    /// A band of the images or, where there is none of this name, a property.
    Named(String),
    /// Such names for each band.
    ByBand(BTreeMap<String, String>),
    /// Images of the same times, with bands of the same names, or one band for all.
    Stack(Stack),
}

impl Source {
    fn names(&self) -> Vec<&str> {
        match self {
            Source::Named(name) => vec![name],
            Source::ByBand(names) => names.values().map(String::as_str).collect(),
            Source::Stack(_) => Vec::new(),
        }
    }

    /// For one band, of each image.
    fn of(&self, stack: &Stack, band: &Band, is_error: bool) -> Result<Vec<Given>> {
        let checked = |given: &Band| {
            if is_error {
                check_error_unit(band, given)?;
            }
            Ok(Given::Image(given.port.clone()))
        };
        match self {
            Source::Named(name)
                if stack
                    .items
                    .iter()
                    .all(|image| image.band_names().contains(&name.as_str())) =>
            {
                stack
                    .items
                    .iter()
                    .map(|image| checked(image.band(name)?))
                    .collect()
            }
            Source::Named(name) => {
                let number = |(i, image): (usize, &Raster)| property(image, i, name);
                stack.items.iter().enumerate().map(number).collect()
            }
            Source::ByBand(names) => match names.get(&band.name) {
                Some(name) => Source::Named(name.clone()).of(stack, band, is_error),
                None => Err(Error::not_found("entry for band", &band.name, names.keys())),
            },
            Source::Stack(other) => {
                let partners = stack.partners(other)?;
                let one = |(image, partner): (&Raster, &Raster)| {
                    image.check_grid(partner)?;
                    match partner.bands.as_slice() {
                        [only] => checked(only),
                        _ => checked(partner.band(&band.name)?),
                    }
                };
                stack.items.iter().zip(&partners).map(one).collect()
            }
        }
    }
}

/// A number above 0 among the properties of image `i`.
fn property(image: &Raster, i: usize, name: &str) -> Result<Given> {
    let found = image.property(name)?.ok_or_else(|| {
        let names = image
            .bands
            .iter()
            .map(|band| &band.name)
            .chain(image.properties.keys());
        Error::not_found("band or property", name, names.cloned())
    });
    let found = found.map_err(|e| Error::message(format!("image {}: {e}", i + 1)))?;
    let number = match &found {
        Property::Number(v) => Some(*v),
        Property::Integer(v) => Some(*v as f64),
        Property::Text(text) => text.parse().ok(),
        Property::Boolean(_) | Property::Computed(_) => None,
    };
    match number {
        Some(v) if v > 0.0 && v.is_finite() => Ok(Given::Number(v)),
        _ => Err(Error::argument(
            format!("property `{name}` of image {}", i + 1),
            "a number above 0",
            found,
        )),
    }
}

/// What is asked of values and their weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Middle {
    Mean,
    Median,
}

/// The mean or the median over the images of each band of `bands` (all, but those that are errors or weights), weighted by 1/error², by weights, or by their product; see `weighted` and `weighted_median`.
///
/// # Errors
/// Neither errors nor weights; names that are neither bands nor properties; properties that are no numbers above 0; another stack of other times, grids or bands; errors in another
/// unit than their values; what `reduce` refuses.
pub fn weighted(
    stack: &Stack,
    middle: Middle,
    error: Option<&Source>,
    weights: Option<&Source>,
    bands: Option<&[String]>,
) -> Result<Raster> {
    if error.is_none() && weights.is_none() {
        return Err(Error::message(
            "what the images are weighted by is missing: give error, weights or both",
        ));
    }
    let first = stack.items.first();
    let named: Vec<&str> = [error, weights]
        .into_iter()
        .flatten()
        .flat_map(Source::names)
        .collect();
    let wanted: Vec<String> = match (bands, error) {
        (Some(bands), _) => bands.to_vec(),
        (None, Some(Source::ByBand(names))) => names.keys().cloned().collect(),
        (None, _) => first
            .into_iter()
            .flat_map(|image| image.band_names())
            .filter(|name| !named.contains(name))
            .map(String::from)
            .collect(),
    };
    if wanted.is_empty() && first.is_some() {
        return Err(Error::message("no band is left: all are errors or weights"));
    }
    let selected = stack.items.iter().map(|image| image.select(&wanted));
    let selected: Vec<Raster> = selected.collect::<Result<_>>()?;
    // Its checks are those of any reduction.
    let template = reduce(&selected, &[Reducer::Mean])?;
    let mut all = Vec::new();
    for (b, like) in template.bands.iter().enumerate() {
        let given = |source: Option<&Source>, is_error: bool| match source {
            Some(source) => source.of(stack, like, is_error),
            None => Ok(Vec::new()),
        };
        all.push(Series {
            like: like.clone(),
            values: selected.iter().map(|image| image.bands[b].port.clone()).collect(),
            errors: given(error, true)?,
            weights: given(weights, false)?,
        });
    }
    match middle {
        Middle::Mean => weighted_mean(&template.grid, all),
        Middle::Median => weighted_median(&template.grid, all),
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::{near, recorded, results, stack};
    use super::*;

    #[test]
    fn weighted_means_and_medians_are_those_of_statsmodels() {
        let (times, values) = (recorded("line_times"), recorded("line_values"));
        let (errors, spans) = (recorded("weighted_error"), recorded("weighted_factor"));
        let (error, span) = (Source::Named("v_error".into()), Source::Named("span".into()));
        for case in 0..6 {
            let mut stack = stack(&times[case], &values[case], &errors[case], &spans[case]);
            let bands = ["v".to_string()];
            // In the order of the recorded lines: mean, standard error, that of the scatter, reduced χ², count.
            for (e, w, name, order) in [
                (Some(&error), None, "weighted_by_error", vec![0, 3, 2, 4, 1]),
                (Some(&error), Some(&span), "weighted_by_both", vec![0, 3, 2, 4, 1]),
                (None, Some(&span), "weighted_by_factor", vec![0, 2, 1]),
            ] {
                let found = results(&weighted(&stack, Middle::Mean, e, w, Some(&bands)).unwrap());
                assert_eq!(found.len(), order.len());
                for (at, recorded) in order.iter().zip(&recorded(name)[case]) {
                    near(found[*at], *recorded, name);
                }
                let medians = results(&weighted(&stack, Middle::Median, e, w, Some(&bands)).unwrap());
                near(
                    medians[0],
                    recorded(&name.replace("by", "median_by"))[case][0],
                    name,
                );
                near(medians[1], values[case].len() as f64, name);
            }
            // An error of 0 or less says nothing of its value.
            let mut spoilt = super::super::line::tests::stack(&[99.0], &[1e6], &[0.0], &[1.0]);
            stack.items.append(&mut spoilt.items);
            let found = results(&weighted(&stack, Middle::Mean, Some(&error), None, Some(&bands)).unwrap());
            near(
                found[0],
                recorded("weighted_by_error")[case][0],
                "without the spoilt",
            );
        }
    }
}
