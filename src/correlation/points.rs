//! Offsets at points: windows around given pixels, each read by itself.

use std::sync::Mutex;

use super::gross::Gross;
use super::images::{ChipReader, ImagePair};
use super::matching::{Chips, Match};
use super::method::Method;
use super::metres::Metres;
use super::reason::Reason;
use super::vocabulary::deviation;
use crate::error::{Error, Result};
use crate::raster::Window;
use crate::table::{Column, Table};
use crate::work::{self, workers};

/// The centre of a window: a pixel of the reference, counted from 0. A window of w pixels covers x − w/2 … x + w/2 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub id: i64,
    pub x: i64,
    pub y: i64,
}

/// One row a point, in the order given: id, x, y, dx_px, dy_px, dx_std_px, dy_std_px, correlation, snr, cov_xx, cov_yy, cov_xy,
/// reason, and dx_m, dy_m
/// (east and north) where the images have a CRS. Offsets include the gross offset. `gross` holds one for all points or
/// one each; None where it is not known.
///
/// # Errors
/// Parameters that `Method::check` refuses; gross offsets that are neither one nor one a point; a window larger than the
/// images; what reading the images fails with; `Interrupted`.
pub fn at_points(
    pair: &ImagePair,
    points: &[Point],
    gross: &[Option<Gross>],
    method: &Method,
) -> Result<Table> {
    method.check()?;
    if gross.len() != 1 && gross.len() != points.len() {
        return Err(Error::argument(
            "gross",
            format!("one offset, or one for each of the {} points", points.len()),
            gross.len(),
        ));
    }
    let (window, grid) = (method.window(), &pair.reference.grid);
    if window.rows > grid.rows || window.cols > grid.cols {
        return Err(method.too_large(grid));
    }
    let matches = match_all(pair, points, gross, method)?;
    table(pair, points, &matches)
}

fn match_all(
    pair: &ImagePair,
    points: &[Point],
    gross: &[Option<Gross>],
    method: &Method,
) -> Result<Vec<Match>> {
    let reference = ChipReader::new(&pair.reference, pair.signal)?;
    let secondary = ChipReader::new(&pair.secondary, pair.signal)?;
    let progress = work::progress();
    let found = Mutex::new(vec![Match::failed(Reason::Nodata); points.len()]);
    progress.start(points.len() as u64, method.name());
    let worker = || (method.matcher(pair.signal), Vec::new(), Vec::new());
    let done = workers::for_each(work::threads(), points.len(), worker, |(matcher, a, b), index| {
        let (point, gross) = (&points[index], gross[index.min(gross.len() - 1)]);
        if let Some(gross) = gross {
            let place = WindowPair::new(pair, method, point.x, point.y, gross);
            reference.read(place.reference, a)?;
            secondary.read(place.secondary, b)?;
            let mut one = matcher.run(Chips {
                reference: a,
                secondary: b,
                place: place.secondary,
                image: pair.secondary_extent(),
            });
            one.dx += gross.dx as f64;
            one.dy += gross.dy as f64;
            found.lock().unwrap_or_else(|e| e.into_inner())[index] = one;
        }
        progress.advance(1);
        Ok(())
    });
    progress.finish();
    done.map(|()| found.into_inner().unwrap_or_else(|e| e.into_inner()))
}

/// What is read for one window.
pub(super) struct WindowPair {
    pub reference: Window,
    pub secondary: Window,
}

impl WindowPair {
    /// Around pixel (x, y) of the reference.
    pub fn new(pair: &ImagePair, method: &Method, x: i64, y: i64, gross: Gross) -> WindowPair {
        let (window, chip) = (method.window(), method.chip());
        let (row, col) = (
            y as isize - (window.rows / 2) as isize,
            x as isize - (window.cols / 2) as isize,
        );
        let reference = Window::new(row, col, window.rows, window.cols);
        let secondary = Window::new(
            row + pair.shift.0 + gross.dy as isize - ((chip.rows - window.rows) / 2) as isize,
            col + pair.shift.1 + gross.dx as isize - ((chip.cols - window.cols) / 2) as isize,
            chip.rows,
            chip.cols,
        );
        WindowPair { reference, secondary }
    }
}

fn table(pair: &ImagePair, points: &[Point], matches: &[Match]) -> Result<Table> {
    let integer = |f: fn(&Point) -> i64| Column::integers(points.iter().map(|p| Some(f(p))));
    let number = |f: fn(&Match) -> f64| Column::floats(matches.iter().map(f).collect());
    let reason = |m: &Match| Some(m.reason.name().to_string());
    let mut columns = vec![
        ("id", integer(|p| p.id)),
        ("x", integer(|p| p.x)),
        ("y", integer(|p| p.y)),
        ("dx_px", number(|m| m.dx)),
        ("dy_px", number(|m| m.dy)),
        ("dx_std_px", number(|m| deviation(m.cov_xx))),
        ("dy_std_px", number(|m| deviation(m.cov_yy))),
        ("correlation", number(|m| m.peak)),
        ("snr", number(|m| m.snr)),
        ("cov_xx", number(|m| m.cov_xx)),
        ("cov_yy", number(|m| m.cov_yy)),
        ("cov_xy", number(|m| m.cov_xy)),
        ("reason", Column::texts(matches.iter().map(reason))),
    ];
    if let Some(metres) = Metres::of(&pair.reference.grid) {
        let (east, north) = points
            .iter()
            .zip(matches)
            .map(|(p, m)| metres.at(p.x as f64 + 0.5, p.y as f64 + 0.5, m.dx, m.dy))
            .unzip();
        columns.extend([("dx_m", Column::floats(east)), ("dy_m", Column::floats(north))]);
    }
    Table::new(columns.into_iter().map(|(n, c)| (n.to_string(), c)).collect())
}
