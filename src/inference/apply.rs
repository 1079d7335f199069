//! A network over an image of any size: the operation, and how it is made.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::bands::{self, Expected};
use super::device::Device;
use super::lattice::{Axis, Blend, Reach, Spacing};
use super::metadata::{Activation, Metadata};
use super::model::{Model, Opening};
use super::network::Network;
use super::onnx::{self, Tensor};
use super::products::Product;
use super::turns::Augment;
use crate::bounds::{self, process};
use crate::error::{Error, Result};
use crate::raster::describe::{Described, Site, from_json, to_json};
use crate::raster::{Affine, Band, Class, DType, Grid, Port, Raster, Unit, Window};

/// Side of a window where neither the model nor the user says.
const TILE: usize = 512;

/// Of a network that takes windows of any size and does not say what they must be multiples of: that of encoders of five levels.
const STRIDE: usize = 32;

/// Side of the window on which a network is tried whose file says that its output is as large as its input.
const TRIAL: usize = 128;

/// How a network is run over an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// (rows, cols) of a window; None for the size that the network takes, or 512 pixels, as multiples of its stride.
    pub tile: Option<(usize, usize)>,
    /// Pixels that a window has in common with the next; None for an eighth of it.
    pub overlap: Option<usize>,
    pub blend: Blend,
    /// Windows that the network takes at a time.
    pub batch: usize,
    pub augment: Augment,
    /// Which output of the network, by its name; the first unless given.
    pub output: Option<String>,
    pub products: Vec<Product>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            tile: None,
            overlap: None,
            blend: Blend::Hann,
            batch: 1,
            augment: Augment::None,
            output: None,
            products: vec![Product::Classes],
        }
    }
}

/// A network, and what must be known of it to run it over images.
#[derive(Clone)]
pub struct Known {
    pub network: Arc<dyn Network>,
    /// Of each of its inputs, the bands.
    pub expected: Vec<Vec<Expected>>,
    pub activation: Activation,
    /// In the order of the channels; empty where they are not known.
    pub classes: Vec<Class>,
    /// Of masked pixels in a map of classes.
    pub nodata: u8,
    /// Windows are multiples of it, and begin at multiples of it.
    pub stride: usize,
    /// None of a network that is in no file.
    pub model: Option<Model>,
}

impl Known {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.classes.iter().map(|class| class.name.as_str())
    }

    /// A network of which nothing is known but how many bands each input has.
    pub fn nothing_of(network: Arc<dyn Network>, bands: &[usize]) -> Known {
        Known {
            network,
            expected: bands
                .iter()
                .map(|count| vec![Expected::default(); *count])
                .collect(),
            activation: Activation::Logits,
            classes: Vec::new(),
            nodata: u8::MAX,
            stride: 1,
            model: None,
        }
    }

    /// What the metadata of a model say. Inputs whose bands they do not name take so many as `bands` says, of any name and unit.
    pub fn of(model: &Model, bands: &[usize]) -> Known {
        let (metadata, network) = (model.metadata(), model.network());
        let is_any = is_fixed(network.as_ref()) == (false, false);
        let inputs = network.inputs().iter().enumerate();
        let expected = inputs.map(|(number, input)| {
            let own: Vec<Expected> = metadata
                .bands
                .iter()
                .filter(|band| match &band.input {
                    Some(name) => *name == input.name,
                    None => number == 0,
                })
                .map(Expected::of)
                .collect();
            match own.is_empty() {
                true => vec![Expected::default(); bands.get(number).copied().unwrap_or(0)],
                false => own,
            }
        });
        Known {
            expected: expected.collect(),
            activation: metadata.activation.unwrap_or_default(),
            classes: metadata.classes.iter().map(Class::from).collect(),
            nodata: metadata.nodata.unwrap_or(u8::MAX),
            stride: metadata.stride.unwrap_or(if is_any { STRIDE } else { 1 }),
            network: network.clone(),
            model: Some(model.clone()),
        }
    }
}

/// What the network makes of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub channels: usize,
    /// Down and across.
    pub reach: (Reach, Reach),
    /// Bytes that the process grew by when it was found out, for the pixels of a whole window: about what the network keeps for itself, for
    /// one window at a time.
    pub arena: usize,
}

/// See the module.
pub struct Apply {
    pub(super) known: Known,
    pub(super) settings: Settings,
    /// The number of the output that is wanted.
    pub(super) output: usize,
    pub(super) shape: Shape,
    /// Down and across.
    pub(super) axes: (Axis, Axis),
}

/// The products of `settings` of a model over `images`, one for each of its inputs, which lie on one grid.
///
/// # Errors
/// As `apply_known`.
pub fn apply(model: &Model, images: &[Raster], settings: &Settings) -> Result<Raster> {
    let bands: Vec<usize> = images.iter().map(|image| image.bands.len()).collect();
    apply_known(&Known::of(model, &bands), images, settings)
}

/// The products of `settings` of a network over `images`, one for each of its inputs, which lie on one grid.
///
/// Pixels are masked where a band of an input is; of coarser outputs where all pixels of a cell are. Windows without a valid pixel are not
/// computed. Inputs are filled as `Expected` says where they are masked, and beyond the image.
///
/// Probabilities are blended, not logits, so that a class is the most probable one after blending. Flips and turns are averaged in the same way.
///
/// # Errors
/// Images that the network does not take: their number, grids, bands and units; settings that make no sense for it; what the network
/// fails with on the window of zeros that shows its output.
pub fn apply_known(known: &Known, images: &[Raster], settings: &Settings) -> Result<Raster> {
    let inputs = known.network.inputs();
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let Some(first) = images.first().filter(|_| images.len() == inputs.len()) else {
        let expected = match names.as_slice() {
            [name] => format!("one, for `{name}`"),
            names => format!(
                "one for each of the {} inputs of the model ({})",
                names.len(),
                names.join(", ")
            ),
        };
        return Err(Error::argument("images", expected, images.len()));
    };
    let mut ports = Vec::new();
    for ((image, expected), name) in images.iter().zip(&known.expected).zip(&names) {
        first.check_grid(image)?;
        let bands = bands::taken(image, expected, name)?;
        ports.extend(bands.into_iter().map(|band| band.port));
    }
    let operation = Apply::new(known.clone(), settings.clone(), &first.grid)?;
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
fn tile(known: &Known, settings: &Settings) -> Result<(usize, usize)> {
    if settings.batch == 0 {
        return Err(Error::argument("batch", "at least 1", 0));
    }
    let usual = (TILE / known.stride * known.stride).max(known.stride);
    let mut tile = settings.tile.unwrap_or((usual, usual));
    for (input, expected) in known.network.inputs().iter().zip(&known.expected) {
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
    let got = format!("{} × {}", tile.0, tile.1);
    if tile.0 == 0 || tile.1 == 0 {
        return Err(Error::argument("tile", "at least one pixel", got));
    }
    if settings.augment == Augment::Dihedral && tile.0 != tile.1 {
        return Err(Error::argument(
            "augment",
            "flips, where windows are no squares",
            format!("dihedral, with {got}"),
        ));
    }
    let bands: usize = known.expected.iter().map(Vec::len).sum();
    bounds::fits(
        format!("a window of {got} with {bands} bands"),
        tile.0.saturating_mul(tile.1),
        bands.saturating_mul(size_of::<f32>()),
        "take a smaller tile",
    )?;
    Ok(tile)
}

/// Which sizes the network takes no others than.
fn is_fixed(network: &dyn Network) -> (bool, bool) {
    let fixed = |axis: usize| {
        let mut inputs = network.inputs().iter();
        inputs.any(|input| input.shape.get(axis).is_some_and(Option::is_some))
    };
    (fixed(2), fixed(3))
}

/// The number of the output that is wanted.
fn output(network: &dyn Network, settings: &Settings) -> Result<usize> {
    let Some(name) = &settings.output else {
        return Ok(0);
    };
    let names = || network.outputs().iter().map(|output| output.name.as_str());
    let found = names().position(|output| output == name);
    found.ok_or_else(|| Error::not_found("output of the model", name, names()))
}

/// What the network makes of a window. Where its file says that the output is as large as the input, a small window shows whether that is so.
fn probe(known: &Known, tile: (usize, usize), output: usize) -> Result<Shape> {
    let side = TRIAL.next_multiple_of(known.stride.max(1));
    let small = (tile.0.min(side), tile.1.min(side));
    if small != tile && is_said_as_large(known, output) {
        let as_large = Reach::Pixels { scale: 1, margin: 0 };
        match tried(known, small, output) {
            Ok(shape) if shape.reach == (as_large, as_large) => {
                let more = (tile.0 * tile.1).div_ceil(small.0 * small.1);
                return Ok(Shape {
                    arena: shape.arena.saturating_mul(more),
                    ..shape
                });
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            // The file is wrong, or the network takes no window as small: its own size shows it.
            _ => {}
        }
    }
    tried(known, tile, output)
}

/// Whether the file calls rows and columns of the output as it calls those of all inputs.
fn is_said_as_large(known: &Known, output: usize) -> bool {
    let (Some(model), Some(port)) = (&known.model, known.network.outputs().get(output)) else {
        return false;
    };
    let called = |tensor: &Tensor| match tensor.axes.as_deref() {
        Some([_, _, onnx::Axis::Any(rows), onnx::Axis::Any(cols)])
            if !rows.is_empty() && !cols.is_empty() =>
        {
            Some((rows.clone(), cols.clone()))
        }
        _ => None,
    };
    let onnx = model.onnx();
    let found = onnx
        .outputs
        .iter()
        .find(|tensor| tensor.name == port.name)
        .and_then(called);
    found.is_some() && onnx.inputs.iter().all(|input| called(input) == found)
}

/// What the network makes of a window of zeros.
fn tried(known: &Known, tile: (usize, usize), output: usize) -> Result<Shape> {
    let zeros: Vec<ArrayD<f32>> = known
        .expected
        .iter()
        .map(|bands| ArrayD::zeros(vec![1, bands.len(), tile.0, tile.1]))
        .collect();
    let before = process::resident();
    let found = known.network.run(&zeros)?;
    let arena = process::resident().saturating_sub(before);
    known.network.rest();
    let found = found
        .get(output)
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
            "output {} of the model is {found:?} for a window of {} × {}: it has no pixels that lie evenly on the window; \
             choose a tile that is a multiple of its stride",
            output + 1,
            tile.0,
            tile.1
        ))),
    }
}

impl Apply {
    /// For images on `grid`.
    fn new(known: Known, mut settings: Settings, grid: &Grid) -> Result<Apply> {
        let size = tile(&known, &settings)?;
        let output = output(known.network.as_ref(), &settings)?;
        let shape = probe(&known, size, output)?;
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
        let fixed = is_fixed(known.network.as_ref());
        let spacing = |window: usize, fixed: bool| Spacing {
            window,
            overlap,
            stride: known.stride,
            can_shrink: !fixed && settings.augment != Augment::Dihedral,
        };
        let axes = (
            Axis::new(grid.rows, spacing(size.0, fixed.0), shape.reach.0)?,
            Axis::new(grid.cols, spacing(size.1, fixed.1), shape.reach.1)?,
        );
        // More windows than there are come never together.
        settings.batch = settings.batch.min(axes.1.count);
        let operation = Apply {
            known,
            settings,
            output,
            shape,
            axes,
        };
        operation.check_products()?;
        Ok(operation)
    }

    fn check_products(&self) -> Result<()> {
        let (known, products, channels) = (&self.known, &self.settings.products, self.shape.channels);
        if products.is_empty() {
            return Err(Error::argument("output", "at least one", "none"));
        }
        if let Some(twice) = (1..products.len()).find(|i| products[..*i].contains(&products[*i])) {
            return Err(Error::argument(
                "output",
                "each product once",
                format!("{:?} twice", products[twice]).to_lowercase(),
            ));
        }
        let is_of_two = channels == 1 && known.classes.len() == 2;
        if !known.classes.is_empty() && known.classes.len() != channels && !is_of_two {
            return Err(Error::argument(
                "classes",
                format!("a name for each of the {channels} channels of the output"),
                known.names().collect::<Vec<_>>().join(", "),
            ));
        }
        let of_classes = products.iter().any(|product| product.of_probabilities());
        if of_classes && known.activation == Activation::Values {
            return Err(Error::argument(
                "output",
                "\"values\": the model gives quantities, no classes",
                "another",
            ));
        }
        if products.contains(&Product::Classes) && channels > 256 {
            return Err(Error::argument("classes", "at most 256", channels));
        }
        let masked = usize::from(known.nodata);
        if products.contains(&Product::Classes) && known.classes.is_empty() && masked < channels.max(2) {
            return Err(Error::argument(
                "nodata",
                format!("none of the classes 0 to {}", channels.max(2) - 1),
                masked,
            ));
        }
        Ok(())
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
        let (channels, names) = (self.shape.channels, self.known.names().collect::<Vec<_>>());
        let channel = |prefix: &str, index: usize| match (names.get(index), channels) {
            // One number of two classes is the probability of the second.
            (_, 1) => names.last().unwrap_or(&prefix).to_string(),
            (Some(name), _) => name.to_string(),
            (None, _) => format!("{prefix}_{index}"),
        };
        let several = self.settings.products.contains(&Product::Probabilities);
        let share = || Unit::Other("1".into());
        let mut bands = Vec::new();
        for product in &self.settings.products {
            match product {
                Product::Classes => {
                    let nodata = f64::from(self.known.nodata);
                    let unit = Unit::Class(self.known.classes.clone());
                    bands.push(("class".to_string(), DType::U8, unit, Some(nodata)));
                }
                Product::Confidence => bands.push(("confidence".to_string(), DType::F32, share(), None)),
                Product::Probabilities => {
                    bands.extend(
                        (0..channels).map(|i| (channel("probability", i), DType::F32, share(), None)),
                    );
                }
                Product::Values => bands.extend((0..channels).map(|i| {
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

/// What an `Apply` is made of again.
#[derive(Serialize, Deserialize)]
struct Parameters {
    name: String,
    sha256: String,
    /// As an ONNX file keeps it.
    metadata: String,
    /// Of each input, how many.
    bands: Vec<usize>,
    settings: Settings,
}

impl Described for Apply {
    const NAME: &'static str = "inference.apply";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        let model = self.known.model.as_ref();
        to_json(&Parameters {
            name: model.map_or(String::new(), |model| model.path().display().to_string()),
            sha256: self.known.network.identity().to_string(),
            metadata: model.map_or(String::new(), |model| model.metadata().to_json()),
            bands: self.known.expected.iter().map(Vec::len).collect(),
            settings: self.settings.clone(),
        })
    }

    fn again(parameters: &Json, site: &Site) -> Result<Apply> {
        let parameters: Parameters = from_json(Self::NAME, parameters)?;
        let bands = parameters
            .bands
            .iter()
            .fold(0_usize, |sum, count| sum.saturating_add(*count));
        site.takes(bands)?;
        let path = (site.file)(&parameters.name)?;
        let opening = Opening {
            device: Device::Auto,
            given: Metadata::from_json(&parameters.metadata)?,
            ..Opening::default()
        };
        let model = Model::open(Path::new(&path), opening)?;
        if model.network().identity() != parameters.sha256 {
            return Err(Error::file(
                model.path(),
                "the model has changed since the graph was described: its SHA-256 is another",
            ));
        }
        let Some(first) = site.inputs.first() else {
            return Err(site.wrong_inputs("at least 1"));
        };
        let known = Known::of(&model, &parameters.bands);
        Apply::new(known, parameters.settings, &first.node.grid)
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(self.known.expected.iter().map(Vec::len).sum())?
            .real()?;
        let Some(first) = site.inputs.first() else {
            return Ok(());
        };
        let of = Site {
            grid: &first.node.grid,
            ..*site
        };
        of.on_grid()?;
        let grid = self.grid(&first.node.grid)?;
        match grid.matches(site.grid) {
            true => Ok(()),
            false => Err(Error::GridMismatch {
                left: site.grid.to_string(),
                right: grid.to_string(),
            }),
        }
    }
}
