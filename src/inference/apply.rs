//! A network over an image of any size: the operation, and how it is made.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::bands;
use super::known::{Known, is_fixed, takes_one};
use super::lattice::{Axis, Blend, Reach, Spacing};
use super::metadata::{Activation, Metadata};
use super::model::{Model, Opening};
use super::network::Network;
use super::probe::{Shape, probe};
use super::products::Product;
use super::turns::Augment;
use crate::bounds;
use crate::error::{Error, Result};
use crate::libraries::Wanted;
use crate::raster::describe::{Described, Site, from_json, to_json};
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
        let [batch, channels, rows, cols] = input.shape.as_slice() else {
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
        match batch {
            Some(count) if *count != 1 => {
                return Err(Error::message(format!(
                    "input `{}` of the model takes {count} windows at a time, no more and no fewer; export it with a free first axis (in PyTorch: \
                     dynamic_axes)",
                    input.name
                )));
            }
            _ => {}
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

/// The number of the output that is wanted.
fn output(network: &dyn Network, settings: &Settings) -> Result<usize> {
    let Some(name) = &settings.output else {
        return Ok(0);
    };
    let names = || network.outputs().iter().map(|output| output.name.as_str());
    let found = names().position(|output| output == name);
    found.ok_or_else(|| Error::not_found("output of the model", name, names()))
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
        if settings.batch > 1 && takes_one(known.network.as_ref()) {
            let expected = "1, which is all that the network takes at a time (its first axis is no free one)";
            return Err(Error::argument("batch", expected, settings.batch));
        }
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
            device: Wanted::Auto,
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
