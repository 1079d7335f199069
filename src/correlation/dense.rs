//! Dense fields of offsets: a window at every node of a lattice, as an operation of the engine.

use std::sync::{Arc, Mutex, OnceLock};

use ndarray::{Array2, CowArray, Ix2, s};
use num_complex::Complex32;

use super::gross::{Gross, GrossOffsets, at_places, bands_of, check_crs, nearest_rows};
use super::images::{ImagePair, Input, append_complex, append_real};
use super::matching::{Chips, Match, WindowMatcher};
use super::method::Method;
use super::metres::Metres;
use super::plane::Signal;
use super::points::WindowPair;
use super::reason::Reason;
use super::settings::Extent;
use super::vocabulary::{band, deviation, note_images};
use crate::described;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::raster::describe::{Described, Description, Site, from_json, of_port, to_json};
use crate::raster::{Affine, Grid, Kind, Operation, Pixels, Port, Raster, View, Window};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Nodes along a side of a tile: each takes about a millisecond, so small tiles cost little and keep all cores busy.
const TILE: usize = 16;

/// A lazy image of offsets: a pixel for every window that lies wholly in the reference, windows `skip` pixels apart from the
/// upper left corner on; its centre is the centre of the window. Bands dx_px, dy_px, dx_m and dy_m (east and north,
/// where the images have a CRS), dx_std_px and dy_std_px (standard deviations, the roots of cov_xx and cov_yy), correlation, snr, cov_xx, cov_yy, cov_xy, and
/// reason (the codes of `Reason`); NaN
/// where a window failed. Offsets include the gross offsets; those of an image are read before the first window is matched.
///
/// # Errors
/// Parameters that `method` refuses; a skip of 0; a window larger than the image.
pub fn dense(pair: &ImagePair, method: &Method, skip: Extent, gross: &GrossOffsets) -> Result<Raster> {
    let image = &pair.reference.grid;
    let grid = Arc::new(nodes(image, method, skip)?);
    let mut inputs = vec![
        pair.reference.bands[0].port.clone(),
        pair.secondary.bands[0].port.clone(),
    ];
    let known = OnceLock::new();
    match gross {
        GrossOffsets::Raster(raster) => inputs.extend(bands_of(raster, pair)?.ports()),
        GrossOffsets::Constant(gross) => {
            let _ = known.set(Array2::from_elem((1, 1), Some(*gross)));
        }
        GrossOffsets::Table(table) => {
            let found = nearest_rows(table, &centres(&grid, method, skip))?;
            let _ = known.set(at_nodes(&grid, found)?);
        }
    }
    let operation = Arc::new(Dense {
        pair: pair.clone(),
        method: method.clone(),
        skip,
        takes_offsets: known.get().is_none(),
        gross: known,
        metres: Metres::of(image),
        matchers: Mutex::new(Vec::new()),
    });
    let names = operation.bands();
    let bands = Port::tiles(&grid, operation, inputs)
        .into_iter()
        .zip(names)
        .map(|(port, name)| band(name, port))
        .collect();
    let mut field = pair.reference.with_grid(grid, bands);
    note_images(&mut field, &pair.reference, &pair.secondary);
    Ok(field)
}

/// The nodes of windows `skip` pixels apart in an image.
fn nodes(image: &Grid, method: &Method, skip: Extent) -> Result<Grid> {
    method.check()?;
    if skip.is_empty() {
        return Err(Error::argument(
            "skip",
            "an integer of at least 1, or { rows, cols } of such",
            skip,
        ));
    }
    let window = method.window();
    if window.rows > image.rows || window.cols > image.cols {
        return Err(method.too_large(image));
    }
    node_grid(image, window, skip)
}

/// The pixels of the reference (x, y) in which the windows of nodes are centred, row by row.
fn centres(nodes: &Grid, method: &Method, skip: Extent) -> Vec<(i64, i64)> {
    let window = method.window();
    let at = |node: usize, skip: usize, window: usize| (node * skip + window / 2) as i64;
    (0..nodes.rows)
        .flat_map(|i| (0..nodes.cols).map(move |j| (i, j)))
        .map(|(i, j)| (at(j, skip.cols, window.cols), at(i, skip.rows, window.rows)))
        .collect()
}

fn at_nodes(nodes: &Grid, known: Vec<Option<Gross>>) -> Result<Array2<Option<Gross>>> {
    Array2::from_shape_vec((nodes.rows, nodes.cols), known)
        .map_err(|e| Error::message(format!("gross offsets of the nodes: {e}")))
}

/// A pixel for every window, its centre at the window's.
fn node_grid(image: &Grid, window: Extent, skip: Extent) -> Result<Grid> {
    let count = |size: usize, window: usize, skip: usize| (size - window) / skip + 1;
    let (t, (across, down)) = (&image.transform, (skip.cols as f64, skip.rows as f64));
    let (x0, y0) = t.apply(
        (window.cols as f64 - across) / 2.0,
        (window.rows as f64 - down) / 2.0,
    );
    let transform = Affine {
        x0,
        dx: t.dx * across,
        rx: t.rx * down,
        y0,
        ry: t.ry * across,
        dy: t.dy * down,
    };
    Grid::new(
        image.crs.clone(),
        transform,
        count(image.rows, window.rows, skip.rows),
        count(image.cols, window.cols, skip.cols),
    )
}

struct Dense {
    pair: ImagePair,
    method: Method,
    skip: Extent,
    /// One for all nodes, or one each; of the third and fourth input, once they have been looked up, where there are those.
    gross: OnceLock<Array2<Option<Gross>>>,
    takes_offsets: bool,
    metres: Option<Metres>,
    /// Those that no tile uses at the moment: their plans and buffers serve again.
    matchers: Mutex<Vec<Box<dyn WindowMatcher>>>,
}

impl Dense {
    fn bands(&self) -> Vec<&'static str> {
        let mut bands = vec!["dx_px", "dy_px"];
        if self.metres.is_some() {
            bands.extend(["dx_m", "dy_m"]);
        }
        bands.extend(["dx_std_px", "dy_std_px", "correlation", "snr"]);
        bands.extend(["cov_xx", "cov_yy", "cov_xy", "reason"]);
        bands
    }

    fn gross(&self, row: isize, col: isize) -> Option<Gross> {
        match self.gross.get() {
            // Before they are looked up, none is as good a guess as any.
            None => Some(Gross::default()),
            Some(one) if one.dim() == (1, 1) => one[(0, 0)],
            Some(each) => each.get((row as usize, col as usize)).copied().flatten(),
        }
    }

    /// True where all nodes have the same, so that corners tell what a tile needs.
    fn is_even(&self) -> bool {
        self.gross.get().is_none_or(|gross| gross.dim() == (1, 1))
    }

    /// The pixels of both images that a node takes.
    fn place(&self, row: isize, col: isize, gross: Gross) -> WindowPair {
        let window = self.method.window();
        let x = col as i64 * self.skip.cols as i64 + (window.cols / 2) as i64;
        let y = row as i64 * self.skip.rows as i64 + (window.rows / 2) as i64;
        WindowPair::new(&self.pair, &self.method, x, y, gross)
    }

    fn values(&self, row: isize, col: isize, m: &Match, out: &mut [Array2<f32>], at: (usize, usize)) {
        let metres = self.metres.map(|metres| {
            let window = self.method.window();
            let centre =
                |node: isize, skip: usize, window: usize| node as f64 * skip as f64 + window as f64 / 2.0;
            metres.at(
                centre(col, self.skip.cols, window.cols),
                centre(row, self.skip.rows, window.rows),
                m.dx,
                m.dy,
            )
        });
        let values = [m.dx, m.dy]
            .into_iter()
            .chain(metres.into_iter().flat_map(|(east, north)| [east, north]))
            .chain([
                deviation(m.cov_xx),
                deviation(m.cov_yy),
                m.peak,
                m.snr,
                m.cov_xx,
                m.cov_yy,
                m.cov_xy,
                f64::from(m.reason.code()),
            ]);
        for (band, value) in out.iter_mut().zip(values) {
            band[at] = value as f32;
        }
    }
}

/// What a `Dense` is, without its images.
#[derive(Serialize, Deserialize)]
struct Parameters {
    method: Method,
    signal: Signal,
    skip: Extent,
    /// None where inputs say them.
    gross: Option<Known>,
}

/// Gross offsets of (rows, cols) nodes, row by row.
#[derive(Serialize, Deserialize)]
struct Known {
    nodes: (usize, usize),
    offsets: Vec<Option<Gross>>,
}

impl Described for Dense {
    const NAME: &'static str = "correlation.dense";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Parameters {
            method: self.method.clone(),
            signal: self.pair.signal,
            skip: self.skip,
            gross: match self.gross.get() {
                Some(gross) if !self.takes_offsets => Some(Known {
                    nodes: gross.dim(),
                    offsets: gross.iter().copied().collect(),
                }),
                _ => None,
            },
        })
    }

    fn again(parameters: &Json, site: &Site) -> Result<Dense> {
        let p: Parameters = from_json(Self::NAME, parameters)?;
        let (reference, secondary) = match (site.inputs, &p.gross) {
            ([reference, secondary], Some(_)) | ([reference, secondary, _, _], None) => {
                (reference, secondary)
            }
            (_, gross) => return Err(site.wrong_inputs(if gross.is_some() { 2 } else { 4 })),
        };
        let takes_offsets = p.gross.is_none();
        let gross = OnceLock::new();
        if let Some(Known { nodes, offsets }) = p.gross {
            let known = Array2::from_shape_vec(nodes, offsets)
                .map_err(|e| Error::message(format!("gross offsets of the nodes: {e}")))?;
            if known.dim() != (1, 1) && known.dim() != (site.grid.rows, site.grid.cols) {
                return Err(Error::message("there are not as many gross offsets as nodes"));
            }
            let _ = gross.set(known);
        }
        let input = match p.signal {
            Signal::Complex => Input::Complex,
            Signal::Real => Input::Amplitude,
        };
        Ok(Dense {
            pair: ImagePair::new(&of_port(reference), &of_port(secondary), input)?,
            metres: Metres::of(&reference.node.grid),
            method: p.method,
            skip: p.skip,
            gross,
            takes_offsets,
            matchers: Mutex::new(Vec::new()),
        })
    }

    fn check(&self, site: &Site) -> Result<()> {
        let nodes = nodes(&self.pair.reference.grid, &self.method, self.skip)?;
        let known = self.gross.get().into_iter().flatten().flatten();
        known.copied().try_for_each(Gross::check)?;
        if let [_, _, offsets @ ..] = site.inputs {
            offsets
                .iter()
                .try_for_each(|port| check_crs(&port.node.grid, &self.pair))?;
        }
        match nodes.matches(site.grid) {
            true => Ok(()),
            false => Err(Error::GridMismatch {
                left: nodes.to_string(),
                right: site.grid.to_string(),
            }),
        }
    }
}

described!(Dense, Tiles);

impl Operation for Dense {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        let m = &self.method;
        let (window, search, skip) = (m.window(), m.search(), self.skip);
        format!(
            "correlation.{}(window {window}, search {search}, skip {skip})",
            m.name()
        )
    }

    fn outputs(&self) -> usize {
        self.bands().len()
    }

    fn is_prepared(&self) -> bool {
        self.gross.get().is_some()
    }

    fn prepare(&self, inputs: &[Port]) -> Result<()> {
        let [_, _, dx, dy] = inputs else {
            return Err(Error::message("the gross offsets have no input"));
        };
        let grid = nodes(&self.pair.reference.grid, &self.method, self.skip)?;
        let bands = [("dx_px", dx), ("dy_px", dy)].map(|(name, port)| band(name, port.clone()));
        let offsets = Raster::new(dx.node.grid.clone(), bands.into());
        let image = &self.pair.reference.grid;
        let places: Vec<(f64, f64)> = centres(&grid, &self.method, self.skip)
            .into_iter()
            .map(|(x, y)| image.pixel_centre(y as isize, x as isize))
            .collect();
        let _ = self.gross.set(at_nodes(&grid, at_places(&offsets, &places)?)?);
        Ok(())
    }

    fn tile(&self) -> Option<(usize, usize)> {
        Some((TILE, TILE))
    }

    fn needs(&self, index: usize, out: Window) -> Window {
        if out.is_empty() || index > 1 {
            return Window::EMPTY;
        }
        let (last_row, last_col) = (out.row_end() - 1, out.col_end() - 1);
        let corner = |row: isize, col: isize, gross: Gross| {
            let place = self.place(row, col, gross);
            if index == 0 {
                place.reference
            } else {
                place.secondary
            }
        };
        if index == 0 || self.is_even() {
            let Some(gross) = self.gross(0, 0).or((index == 0).then(Gross::default)) else {
                return Window::EMPTY;
            };
            return corner(out.row, out.col, gross).hull(&corner(last_row, last_col, gross));
        }
        let mut needed = Window::EMPTY;
        for row in out.row..out.row_end() {
            for col in out.col..out.col_end() {
                if let Some(gross) = self.gross(row, col) {
                    needed = needed.hull(&corner(row, col, gross));
                }
            }
        }
        needed
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let idle = self.matchers.lock().unwrap_or_else(|e| e.into_inner()).pop();
        let mut matcher = idle.unwrap_or_else(|| self.method.matcher(self.pair.signal));
        let bands = self.bands().len();
        let mut made = vec![Array2::from_elem((out.rows, out.cols), f32::NAN); bands];
        let (reference, secondary) = (
            Tile::new(&inputs[0], self.pair.signal),
            Tile::new(&inputs[1], self.pair.signal),
        );
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for i in 0..out.rows {
            interrupt::check()?;
            for j in 0..out.cols {
                let (row, col) = (out.row + i as isize, out.col + j as isize);
                let found = match self.gross(row, col) {
                    None => Match::failed(Reason::Nodata),
                    Some(gross) => {
                        let place = self.place(row, col, gross);
                        reference.cut(place.reference, &mut a);
                        secondary.cut(place.secondary, &mut b);
                        let mut found = matcher.run(Chips {
                            reference: &a,
                            secondary: &b,
                            place: place.secondary,
                            image: self.pair.secondary_extent(),
                        });
                        found.dx += gross.dx as f64;
                        found.dy += gross.dy as f64;
                        found
                    }
                };
                self.values(row, col, &found, &mut made, (i, j));
            }
        }
        self.matchers
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .push(matcher);
        Ok(made.into_iter().map(Pixels::F32).collect())
    }
}

/// The input of a tile as the matchers take it.
struct Tile<'a> {
    window: Window,
    pixels: TilePixels<'a>,
}

enum TilePixels<'a> {
    Complex(CowArray<'a, Complex32, Ix2>),
    Real(CowArray<'a, f32, Ix2>),
}

impl<'a> Tile<'a> {
    fn new(view: &'a View<'_>, signal: Signal) -> Tile<'a> {
        let pixels = match (signal, view.kind()) {
            (Signal::Complex, Kind::C32) => TilePixels::Complex(view.c32()),
            _ => TilePixels::Real(view.f32()),
        };
        Tile {
            window: view.window,
            pixels,
        }
    }

    /// `part` must lie in the tile, as what was asked for does.
    fn cut(&self, part: Window, out: &mut Vec<Complex32>) {
        let (r, c) = (
            (part.row - self.window.row) as usize,
            (part.col - self.window.col) as usize,
        );
        let area = s![r..r + part.rows, c..c + part.cols];
        out.clear();
        match &self.pixels {
            TilePixels::Complex(pixels) => append_complex(&pixels.slice(area), out),
            TilePixels::Real(pixels) => append_real(&pixels.slice(area), out),
        }
    }
}
