//! The line of least squares over time, by a fold.

use super::Port;
use super::Unit;
use super::fold::{self, Wanted};
use super::image::{Band, Raster, float_of, years};
use super::reduce::{Reducer, reduce};
use crate::error::{Error, Result};

/// The line of least squares through each band over the images' times, in years of 365.25 days since the first: `<band>_slope` in units a year,
/// `<band>_offset`, the line at the first image's time, `<band>_residual`, the root mean square of what it leaves, standard errors of slope and offset, and
/// `<band>_r2`.
///
/// # Errors
/// As `reduce`; an image without a time; images of fewer than two times.
pub fn linear_fit(images: &[Raster]) -> Result<Raster> {
    // Its checks are those of any reduction.
    let template = reduce(images, &[Reducer::Mean])?;
    let mut times = years(images)?;
    let start = times.iter().copied().fold(f64::INFINITY, f64::min);
    times.iter_mut().for_each(|time| *time -= start);
    if times.iter().all(|time| *time == 0.0) {
        return Err(Error::argument(
            "images",
            "of two times at least",
            format!("{}, all of one", images.len()),
        ));
    }
    let wanted = [
        (Wanted::Slope, "slope"),
        (Wanted::Offset, "offset"),
        (Wanted::Residual, "residual"),
        (Wanted::SlopeStdError, "slope_std_error"),
        (Wanted::OffsetStdError, "offset_std_error"),
        (Wanted::R2, "r2"),
    ];
    let mut bands = Vec::new();
    for (b, like) in template.bands.iter().enumerate() {
        let ports: Vec<Port> = images.iter().map(|i| i.bands[b].port.clone()).collect();
        let found = fold::fold(&template.grid, &ports, &times, &wanted.map(|(w, _)| w));
        for ((what, name), port) in wanted.into_iter().zip(found) {
            let unit = match what {
                Wanted::Slope | Wanted::SlopeStdError => like.unit.per_year(),
                Wanted::R2 => Unit::Other("1".into()),
                _ => like.unit.clone(),
            };
            bands.push(Band {
                name: format!("{}_{name}", like.name),
                dtype: float_of(port.kind()),
                unit,
                nodata: None,
                port,
            });
        }
    }
    Ok(Raster::new(template.grid, bands))
}

#[cfg(test)]
pub mod tests {
    use std::sync::Arc;

    use super::super::stack::Stack;
    use super::super::{Affine, Grid, Pixels, Property, memory};
    use super::*;

    /// The numbers of all lines of a name that tests/reference/over_time.py wrote.
    pub fn recorded(name: &str) -> Vec<Vec<f64>> {
        let lines = include_str!("../statistics/series/over_time.txt").lines();
        let lines = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let found: Vec<Vec<f64>> = lines
            .map(|line| line.split(' ').map(|x| x.parse().unwrap()).collect())
            .collect();
        assert_eq!(found.len(), 6, "{name}");
        found
    }

    pub fn near(found: f64, recorded: f64, what: &str) {
        let off = (found - recorded).abs();
        assert!(
            off <= 1e-7 * recorded.abs().max(1e-3),
            "{what}: {found} for {recorded}"
        );
    }

    /// Images of one pixel: bands `v` and `v_error`, the property `span`; after every third time one that is masked.
    pub fn stack(times: &[f64], values: &[f64], errors: &[f64], spans: &[f64]) -> Stack {
        let grid = Arc::new(Grid::new(None, Affine::PIXELS, 1, 1).unwrap());
        let image = |time: f64, value: f64, error: f64, span: f64| {
            let pixel = |v: f64| Pixels::F64(ndarray::Array2::from_elem((1, 1), v));
            let arrays = vec![
                ("v".to_string(), pixel(value), Unit::Unknown),
                ("v_error".to_string(), pixel(error), Unit::Unknown),
            ];
            let mut image = memory::from_arrays(grid.clone(), arrays).unwrap();
            let milliseconds = (time * 365.25 * 86_400_000.0).round() as i64;
            image.time = Some(jiff::Timestamp::from_millisecond(milliseconds).unwrap());
            image.properties.insert("span".into(), Property::Number(span));
            image
        };
        let mut items = Vec::new();
        for i in 0..times.len() {
            items.push(image(times[i], values[i], errors[i], spans[i]));
            if i % 3 == 1 {
                items.push(image(times[i] + 1e-5, f64::NAN, 1.0, 1.0));
            }
        }
        Stack { items }
    }

    pub fn results(image: &Raster) -> Vec<f64> {
        let read = image.read(image.grid.window()).unwrap();
        read.into_iter().map(|pixels| pixels.into_f64()[(0, 0)]).collect()
    }

    fn fit(times: &[f64], values: &[f64]) -> Vec<f64> {
        let ones = vec![1.0; times.len()];
        let stack = stack(times, values, &ones, &ones);
        let images = stack
            .items
            .iter()
            .map(|image| image.select(&["v".into()]).unwrap());
        results(&linear_fit(&images.collect::<Vec<_>>()).unwrap())
    }

    #[test]
    fn lines_are_those_of_scipy() {
        let recorded_lines = recorded("line");
        let series = recorded("line_times").into_iter().zip(recorded("line_values"));
        for ((times, values), line) in series.zip(recorded_lines) {
            let found = fit(&times, &values);
            // The offset is at the first image, that of scipy at time 0.
            near(found[0], line[0], "slope");
            near(found[1], line[1] + line[0] * times[0], "offset");
            near(found[3], line[2], "standard error of the slope");
            near(found[5], line[4], "r²");
        }
        // scipy.stats.linregress of these: slope, intercept, stderr, intercept_stderr, rvalue².
        let found = fit(&[0.0, 0.5, 1.25, 2.0, 3.5, 4.0], &[3.1, 2.4, 4.0, 4.4, 6.9, 6.1]);
        for (at, recorded) in [
            (0, 1.0110843373493976),
            (1, 2.587550200803213),
            (3, 0.18052079731145557),
            (4, 0.43012023818891537),
            (5, 0.8869111410521109),
        ] {
            near(found[at], recorded, "of six values");
        }
    }

    #[test]
    fn two_values_tell_a_line_without_errors() {
        let found = fit(&[0.0, 2.0], &[1.0, 5.0]);
        near(found[0], 2.0, "slope");
        assert!(found[3].is_nan() && found[4].is_nan());
        near(found[5], 1.0, "r²");
    }
}
