//! A network over an image of any size: the operation, and how it is made.

use std::ops::Range;
use std::sync::Arc;

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

use super::bands::{self, Expected};
use super::lattice::{Axis, Blend, Reach, Spacing};
use super::network::Network;
use super::products::{Activation, Product};
use super::turns::Augment;
use crate::bounds::process;
use crate::error::{Error, Result};
use crate::raster::{Affine, Band, DType, Grid, Port, Raster, Unit, Window};

/// Side of a window where neither the model nor the user says.
const TILE: usize = 512;

/// How a network is run over an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// (rows, cols) of a window; None for the size that the network takes, or 512 pixels, as multiples of its stride.
    pub tile: Option<(usize, usize)>,
    /// Pixels that a window has in common with the next; None for an eighth of it.
    pub overlap: Option<usize>,
    /// Windows are multiples of it, and begin at multiples of it: 32 for a U-Net of five levels.
    pub stride: usize,
    pub blend: Blend,
    /// Windows that the network takes at a time.
    pub batch: usize,
    pub augment: Augment,
    /// Which output of the network, by its number.
    pub output: usize,
    pub activation: Activation,
    pub products: Vec<Product>,
    /// Names of the channels of the output; may be empty.
    pub classes: Vec<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            tile: None,
            overlap: None,
            stride: 1,
            blend: Blend::Hann,
            batch: 1,
            augment: Augment::None,
            output: 0,
            activation: Activation::Softmax,
            products: vec![Product::Classes],
            classes: Vec::new(),
        }
    }
}

/// What the network makes of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub channels: usize,
    /// Down and across.
    pub reach: (Reach, Reach),
    /// Bytes that the process grew by when it was found out: about what the network keeps for itself, for one window at a time.
    pub arena: usize,
}

/// See the module.
pub struct Apply {
    pub(super) network: Arc<dyn Network>,
    /// Of each input of the network, its bands.
    pub(super) expected: Vec<Vec<Expected>>,
    pub(super) settings: Settings,
    pub(super) shape: Shape,
    /// Down and across.
    pub(super) axes: (Axis, Axis),
}

/// The products of `settings` of a network over `images`, one for each of its inputs, which lie on one grid.
///
/// Pixels are masked where a band of an input is; of coarser outputs where all pixels of a cell are. Windows without a valid pixel are not
/// computed. Inputs are filled as `expected` says where they are masked, and beyond the image.
///
/// Probabilities are blended, not logits, so that a class is the most probable one after blending. Flips and turns are averaged in the same way.
///
/// # Errors
/// Images that the network does not take: their number, grids, bands and units; settings that make no sense for it; what the network
/// fails with on the window of zeros that shows its output.
pub fn apply(
    network: &Arc<dyn Network>,
    expected: &[Vec<Expected>],
    images: &[Raster],
    settings: &Settings,
) -> Result<Raster> {
    let inputs = network.inputs();
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let Some(first) = images.first().filter(|_| images.len() == inputs.len()) else {
        return Err(Error::argument(
            "images",
            format!(
                "one for each of the {} inputs of the model ({})",
                inputs.len(),
                names.join(", ")
            ),
            images.len(),
        ));
    };
    if expected.len() != inputs.len() {
        return Err(Error::argument(
            "described inputs",
            inputs.len().to_string(),
            expected.len(),
        ));
    }
    let mut ports = Vec::new();
    for ((image, expected), name) in images.iter().zip(expected).zip(&names) {
        first.check_grid(image)?;
        expected.iter().try_for_each(Expected::check)?;
        ports.extend(
            bands::taken(image, expected, name)?
                .into_iter()
                .map(|band| band.port),
        );
    }
    let tile = tile(network.as_ref(), expected, settings)?;
    let shape = probe(network.as_ref(), expected, tile, settings)?;
    let operation = Apply::new(
        network.clone(),
        expected.to_vec(),
        settings.clone(),
        shape,
        &first.grid,
    )?;
    let grid = Arc::new(operation.grid(&first.grid)?);
    let bands = operation.bands();
    let ports = Port::lattice(&grid, Arc::new(operation), ports);
    let bands = bands
        .into_iter()
        .zip(ports)
        .map(|((name, dtype, unit, nodata), port)| Band {
            name,
            dtype,
            unit,
            nodata,
            port,
        });
    Ok(first.with_grid(grid, bands.collect()))
}

/// (rows, cols) of a window.
fn tile(network: &dyn Network, expected: &[Vec<Expected>], settings: &Settings) -> Result<(usize, usize)> {
    if settings.stride == 0 || settings.batch == 0 {
        return Err(Error::argument(
            "stride and batch",
            "at least 1",
            format!("{} and {}", settings.stride, settings.batch),
        ));
    }
    let usual = (TILE / settings.stride * settings.stride).max(settings.stride);
    let mut tile = settings.tile.unwrap_or((usual, usual));
    for (input, expected) in network.inputs().iter().zip(expected) {
        let [_, channels, rows, cols] = input.shape.as_slice() else {
            return Err(Error::message(format!(
                "input `{}` of the model has {} axes; images go in as batch × bands × rows × cols",
                input.name,
                input.shape.len()
            )));
        };
        if let Some(channels) = channels.filter(|channels| *channels != expected.len()) {
            return Err(Error::argument(
                format!("bands for `{}`", input.name),
                format!("{channels}, which the network takes"),
                expected.len(),
            ));
        }
        let fixed = (rows.unwrap_or(tile.0), cols.unwrap_or(tile.1));
        if settings.tile.is_some_and(|tile| tile != fixed) {
            return Err(Error::argument(
                "tile",
                format!("{} × {}, the only size that the network takes", fixed.0, fixed.1),
                format!("{} × {}", tile.0, tile.1),
            ));
        }
        tile = fixed;
    }
    if tile.0 == 0 || tile.1 == 0 {
        return Err(Error::argument(
            "tile",
            "at least one pixel",
            format!("{} × {}", tile.0, tile.1),
        ));
    }
    if settings.augment == Augment::Dihedral && tile.0 != tile.1 {
        return Err(Error::argument(
            "augment",
            "flips, where windows are no squares",
            format!("dihedral, with {} × {}", tile.0, tile.1),
        ));
    }
    Ok(tile)
}

/// Which sizes the network takes no others than.
fn is_fixed(network: &dyn Network) -> (bool, bool) {
    let fixed = |axis: usize| {
        network
            .inputs()
            .iter()
            .any(|input| input.shape.get(axis).is_some_and(Option::is_some))
    };
    (fixed(2), fixed(3))
}

/// What the network makes of a window of zeros.
fn probe(
    network: &dyn Network,
    expected: &[Vec<Expected>],
    tile: (usize, usize),
    settings: &Settings,
) -> Result<Shape> {
    let port = network.outputs().get(settings.output).ok_or_else(|| {
        let names = network.outputs().iter().map(|output| output.name.clone());
        Error::not_found("output of the model", settings.output.to_string(), names)
    })?;
    let zeros: Vec<ArrayD<f32>> = expected
        .iter()
        .map(|bands| ArrayD::zeros(vec![1, bands.len(), tile.0, tile.1]))
        .collect();
    let before = process::resident();
    let found = network.run(&zeros)?;
    let arena = process::resident().saturating_sub(before);
    let found = found
        .get(settings.output)
        .map(|output| output.shape().to_vec())
        .unwrap_or_default();
    let reach = |window: usize, cells: usize| {
        if cells > 0 && window.is_multiple_of(cells) {
            return Some(Reach::Pixels {
                scale: window / cells,
                margin: 0,
            });
        }
        let margin = window.checked_sub(cells).filter(|used| used.is_multiple_of(2))? / 2;
        (cells > 0).then_some(Reach::Pixels { scale: 1, margin })
    };
    let shape = match *found.as_slice() {
        [1] => Some((1, Some(Reach::One), Some(Reach::One))),
        [1, channels] => Some((channels, Some(Reach::One), Some(Reach::One))),
        [1, rows, cols] => Some((1, reach(tile.0, rows), reach(tile.1, cols))),
        [1, channels, rows, cols] => Some((channels, reach(tile.0, rows), reach(tile.1, cols))),
        _ => None,
    };
    match shape {
        Some((channels, Some(down), Some(across))) if channels > 0 => Ok(Shape {
            channels,
            reach: (down, across),
            arena,
        }),
        _ => Err(Error::message(format!(
            "output `{}` of the model is {found:?} for a window of {} × {}: it has no pixels that lie evenly on the window; \
             choose a tile that is a multiple of its stride",
            port.name, tile.0, tile.1
        ))),
    }
}

impl Apply {
    fn new(
        network: Arc<dyn Network>,
        expected: Vec<Vec<Expected>>,
        mut settings: Settings,
        shape: Shape,
        grid: &Grid,
    ) -> Result<Apply> {
        let size = tile(network.as_ref(), &expected, &settings)?;
        let overlap = settings.overlap.unwrap_or_else(|| {
            let used = |reach: Reach| match reach {
                Reach::Pixels { margin, .. } => 2 * margin,
                Reach::One => 0,
            };
            match shape.reach {
                (Reach::One, _) | (_, Reach::One) => 0,
                (down, across) => (size.0.min(size.1) / 8).max(used(down)).max(used(across)),
            }
        });
        settings.tile = Some(size);
        settings.overlap = Some(overlap);
        let fixed = is_fixed(network.as_ref());
        let spacing = |window: usize, fixed: bool| Spacing {
            window,
            overlap,
            stride: settings.stride,
            can_shrink: !fixed && settings.augment != Augment::Dihedral,
        };
        let axes = (
            Axis::new(grid.rows, spacing(size.0, fixed.0), shape.reach.0)?,
            Axis::new(grid.cols, spacing(size.1, fixed.1), shape.reach.1)?,
        );
        if settings.products.is_empty() {
            return Err(Error::argument("output", "at least one", "none"));
        }
        if !settings.classes.is_empty() && settings.classes.len() != shape.channels {
            return Err(Error::argument(
                "classes",
                format!("a name for each of the {} channels of the output", shape.channels),
                settings.classes.join(", "),
            ));
        }
        if settings.products.contains(&Product::Classes) && shape.channels > 255 {
            return Err(Error::argument("classes", "at most 255", shape.channels));
        }
        Ok(Apply {
            network,
            expected,
            settings,
            shape,
            axes,
        })
    }

    /// The grid of the output: coarser where the network's is. The one pixel of a window lies in its middle.
    fn grid(&self, grid: &Grid) -> Result<Grid> {
        let (down, across) = (&self.axes.0, &self.axes.1);
        if (down.scale, across.scale) == (1, 1) && (down.cells, across.cells) == (grid.rows, grid.cols) {
            return Ok(grid.clone());
        }
        let shift = |axis: &Axis, reach: Reach| match reach {
            Reach::One => (axis.window as f64 - axis.scale as f64) / 2.0,
            Reach::Pixels { .. } => 0.0,
        };
        let moved = grid
            .transform
            .moved(shift(across, self.shape.reach.1), shift(down, self.shape.reach.0));
        let [x0, xc, xr, y0, yc, yr] = moved.to_gdal();
        let (c, r) = (across.scale as f64, down.scale as f64);
        let transform = Affine::from_gdal([x0, xc * c, xr * r, y0, yc * c, yr * r]);
        Grid::new(grid.crs.clone(), transform, down.cells, across.cells)
    }

    /// Name, type, unit and nodata of each band that is made.
    fn bands(&self) -> Vec<(String, DType, Unit, Option<f64>)> {
        let channel = |prefix: &str, index: usize| match self.settings.classes.get(index) {
            Some(name) => name.clone(),
            None if self.shape.channels == 1 => prefix.to_string(),
            None => format!("{prefix}_{index}"),
        };
        let several = self.settings.products.len() > 1;
        let mut bands = Vec::new();
        for product in &self.settings.products {
            let one = || Unit::Other("1".into());
            match product {
                Product::Classes => {
                    let class = Unit::Other("class".into());
                    bands.push(("class".to_string(), DType::U8, class, Some(255.0)));
                }
                Product::Confidence => bands.push(("confidence".to_string(), DType::F32, one(), None)),
                Product::Probabilities => {
                    bands.extend(
                        (0..self.shape.channels)
                            .map(|i| (channel("probability", i), DType::F32, one(), None)),
                    );
                }
                Product::Values => bands.extend((0..self.shape.channels).map(|i| {
                    let name = channel("value", i);
                    let name = if several { format!("{name}_value") } else { name };
                    (name, DType::F32, Unit::Unknown, None)
                })),
            }
        }
        bands
    }

    /// The windows that `out` is made of: rows and columns of the lattice.
    pub(super) fn touching(&self, out: Window) -> (Range<usize>, Range<usize>) {
        let cells = |first: isize, count: usize| first as usize..first as usize + count;
        (
            self.axes.0.touching(&cells(out.row, out.rows)),
            self.axes.1.touching(&cells(out.col, out.cols)),
        )
    }

    /// A window of the lattice, which may reach outside the image.
    pub(super) fn window(&self, row: usize, col: usize) -> Window {
        let (down, across) = (&self.axes.0, &self.axes.1);
        Window::new(down.origin(row), across.origin(col), down.window, across.window)
    }
}
