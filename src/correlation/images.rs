//! Two images to be matched: which pixels of one lie where those of the other do, and chips of them.

use ndarray::ArrayView2;
use num_complex::Complex32;

use super::plane::Signal;
use super::settings::Extent;
use crate::error::{Choice, Error, Remedy, Result};
use crate::raster::execute::Run;
use crate::raster::plan::Plan;
use crate::raster::{Band, Grid, Kind, Raster, View, Window};

/// What the user says the pixels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Complex images are matched as complex ones, real ones as real ones.
    AsTheyAre,
    Complex,
    /// Magnitudes of complex pixels, before anything else; real pixels as they are.
    Amplitude,
    Real,
}

/// Nothing names `AsTheyAre`: it is what is left out.
impl Choice for Input {
    const ALL: &'static [(&'static str, Self)] = &[
        ("complex", Input::Complex),
        ("amplitude", Input::Amplitude),
        ("real", Input::Real),
    ];
}

/// A reference and a secondary image.
#[derive(Clone)]
pub struct ImagePair {
    pub reference: Raster,
    pub secondary: Raster,
    pub signal: Signal,
    /// Pixel (r, c) of the reference lies where pixel (r + shift.0, c + shift.1) of the secondary does.
    pub shift: (isize, isize),
}

impl ImagePair {
    /// Both images have one band, and lie on one lattice of pixels; their extents may differ.
    ///
    /// # Errors
    /// Several bands; other pixels (CRS, pixel size, or origins that are not whole pixels apart); no common pixel; a kind
    /// of pixels that `input` does not ask for.
    pub fn new(reference: &Raster, secondary: &Raster, input: Input) -> Result<ImagePair> {
        let a = reference.only_band("reference")?;
        let b = secondary.only_band("secondary")?;
        let signal = signal(a, b, input)?;
        let shift = shift(&reference.grid, &secondary.grid)?;
        let there = secondary.grid.window().shifted(-shift.0, -shift.1);
        if reference.grid.window().intersect(&there).is_empty() {
            return Err(Error::argument(
                "secondary",
                format!(
                    "an image that overlaps the reference ({})",
                    reference.grid.bounds()
                ),
                secondary.grid.bounds(),
            ));
        }
        Ok(ImagePair {
            reference: reference.clone(),
            secondary: secondary.clone(),
            signal,
            shift,
        })
    }

    pub fn secondary_extent(&self) -> Extent {
        Extent::new(self.secondary.grid.rows, self.secondary.grid.cols)
    }
}

fn signal(a: &Band, b: &Band, input: Input) -> Result<Signal> {
    let complex = [a, b].map(|band| band.kind() == Kind::C32);
    match (input, complex) {
        (Input::AsTheyAre | Input::Complex, [true, true]) => Ok(Signal::Complex),
        (Input::AsTheyAre | Input::Real, [false, false]) | (Input::Amplitude, _) => Ok(Signal::Real),
        (Input::AsTheyAre, _) => Err(Error::argument(
            "images",
            "both complex or both real; `input = \"amplitude\"` matches a complex with a real one",
            "one of each",
        )),
        (wanted, [first, _]) => {
            let wrong = |complex: bool| complex != (wanted == Input::Complex);
            let (role, band) = match wrong(first) {
                true => ("reference", a),
                false => ("secondary", b),
            };
            let (expected, got) = match wanted {
                Input::Complex => ("complex, as input = \"complex\" says".to_string(), "real"),
                _ => (
                    format!("real, as input = \"real\" says; {}", Remedy::Real),
                    "complex",
                ),
            };
            Err(Error::argument(
                format!("{role} band `{}`", band.name),
                expected,
                format!("{got} pixels"),
            ))
        }
    }
}

/// Whole pixels between the origins of two grids of one lattice.
fn shift(reference: &Grid, secondary: &Grid) -> Result<(isize, isize)> {
    let mismatch = || Error::GridMismatch {
        left: reference.to_string(),
        right: secondary.to_string(),
    };
    let (col, row) = secondary.to_pixel(reference.transform.x0, reference.transform.y0);
    let (whole_col, whole_row) = (col.round(), row.round());
    if !(whole_col.abs() < 1e9 && whole_row.abs() < 1e9) {
        return Err(mismatch());
    }
    // The secondary's lattice under the reference's pixels: `matches` compares CRS and pixels over the extent.
    let under = Grid {
        transform: secondary.transform.moved(whole_col, whole_row),
        rows: reference.rows,
        cols: reference.cols,
        crs: secondary.crs.clone(),
    };
    match reference.matches(&under) {
        true => Ok((whole_row as isize, whole_col as isize)),
        false => Err(mismatch()),
    }
}

/// Reads windows of one band, nothing else of its image.
pub struct ChipReader {
    plan: Plan,
    inside: Window,
    signal: Signal,
}

impl ChipReader {
    /// # Errors
    /// What computing the scenes that the image is made of fails with; a memory that the smallest tile does not fit.
    pub fn new(image: &Raster, signal: Signal) -> Result<ChipReader> {
        let (grid, ports) = (&image.grid, image.ports());
        // What needs the whole scene is computed once, before the first chip.
        Run::prepare(grid, &ports, grid.window())?;
        Ok(ChipReader {
            plan: Plan::new(grid, &ports),
            inside: grid.window(),
            signal,
        })
    }

    /// The pixels of `window`, row-major, masked outside the image; into `out`.
    ///
    /// # Errors
    /// What an operation or reading a file fails with; `Interrupted`.
    pub fn read(&self, window: Window, out: &mut Vec<Complex32>) -> Result<()> {
        out.clear();
        let inside = window.intersect(&self.inside);
        if inside.is_empty() {
            out.resize(window.len(), crate::raster::tile::MASKED_COMPLEX);
            return Ok(());
        }
        if let Some(pixels) = self.plan.compute(inside)?.first() {
            append(&pixels.view(inside, window), self.signal, out);
        }
        Ok(())
    }
}

/// The pixels of a view as the matchers take them.
pub fn append(view: &View<'_>, signal: Signal, out: &mut Vec<Complex32>) {
    match signal {
        Signal::Complex => append_complex(&view.c32().view(), out),
        Signal::Real => append_real(&view.f32().view(), out),
    }
}

pub fn append_complex(pixels: &ArrayView2<'_, Complex32>, out: &mut Vec<Complex32>) {
    for row in pixels.rows() {
        match row.as_slice() {
            Some(row) => out.extend_from_slice(row),
            None => out.extend(row),
        }
    }
}

pub fn append_real(pixels: &ArrayView2<'_, f32>, out: &mut Vec<Complex32>) {
    out.extend(pixels.iter().map(|&re| Complex32::new(re, 0.0)));
}
