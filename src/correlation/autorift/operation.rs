//! The engine operation: two images to a lazy raster of offsets on the grid of nodes.

use std::ops::RangeInclusive;
use std::sync::Arc;

use ndarray::Array2;
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::matcher::Sample;
use super::pair::{PreparedPair, in_bytes, in_complex, in_floats};
use super::parameters::Parameters;
use super::prefilter::Prefilter;
use super::track::{Field, Tracked, Watch, track};
use crate::correlation::vocabulary::{band, note_images};
use crate::described;
use crate::error::{Choice, Error, Remedy, Result};
use crate::raster::describe::{Described, Description, Site, from_json, to_json};
use crate::raster::whole::{Inputs, WholeOperation};
use crate::raster::{Affine, Grid, Kind, Port, Raster};
use crate::work;
use serde_json::Value as Json;

/// What a pair is compared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Real images in 8 bits: the filtered image's mean and three standard deviations around it.
    U8,
    F32,
    /// Complex images as they are.
    Complex,
}

/// What is asked for of real images; complex ones have no other.
impl Choice for Precision {
    const ALL: &'static [(&'static str, Self)] = &[("uint8", Precision::U8), ("float32", Precision::F32)];
}

/// A value for every node: one for all, or a raster on the grid of nodes.
#[derive(Clone)]
pub enum PerNode {
    Constant(f64),
    Raster(Raster),
}

/// How a pair of rasters is tracked.
#[derive(Clone)]
pub struct Tracking {
    pub parameters: Parameters,
    pub prefilter: Prefilter,
    /// Where nothing is asked for, 8 bits for real images and complex for complex ones.
    pub precision: Option<Precision>,
    /// The grid of nodes, each in the middle of its pixel; the images' grid in pixels `spacing` times as large where none
    /// is given. Its spacing is then the parameters'.
    pub grid: Option<Arc<Grid>>,
    /// x and y of each: half the search window in pixels, offsets known before.
    pub search: [PerNode; 2],
    pub prior: [PerNode; 2],
    /// Chip widths that a node admits; none for those of the parameters.
    pub chip_min: Option<Raster>,
    pub chip_max: Option<Raster>,
}

impl Default for Tracking {
    fn default() -> Tracking {
        Tracking {
            parameters: Parameters::default(),
            prefilter: Prefilter::HighPass { width: 5 },
            precision: None,
            grid: None,
            search: [PerNode::Constant(25.0), PerNode::Constant(25.0)],
            prior: [PerNode::Constant(0.0), PerNode::Constant(0.0)],
            chip_min: None,
            chip_max: None,
        }
    }
}

/// Half search windows are at most this wide: beyond it an offset known before is wanted.
const LARGEST_SEARCH: f64 = 1000.0;
/// Constants of nodes.
const SEARCHES: RangeInclusive<f64> = 1.0..=LARGEST_SEARCH;
const PRIORS: RangeInclusive<f64> = -1e6..=1e6;
const CHIPS: RangeInclusive<f64> = 1.0..=1e6;

const BANDS: [&str; 10] = [
    "dx_px",
    "dy_px",
    "interp_mask",
    "chip_size_x",
    "chip_size_y",
    "correlation",
    "snr",
    "dx_std_px",
    "dy_std_px",
    "reason",
];

/// Offsets of `secondary` against `reference` by autoRIFT, on a grid of nodes; see `track` for the method.
///
/// Bands: `dx_px` and `dy_px`, what is at (x, y) in the reference is at (x + dx, y + dy) in the secondary image, in pixels, x to
/// the right and y **down** the rows (autoRIFT's own Dy is up); `interp_mask`, 1 where the offset is a median of its
/// neighbours; `chip_size_x` and `chip_size_y`, px; `correlation`, of the chip's match; `snr`, its square over the mean square of
/// the other correlations of the search; `dx_std_px` and `dy_std_px`, standard deviations of the offset, see
/// `peak::deviation`; `reason`, a code of `Reason` for every node. The others are masked at nodes without a reliable offset, and
/// the four before `reason` where it is interpolated.
///
/// The images may be larger than memory: filtered images that do not fit go to scratch files, and are read by strips.
///
/// # Errors
/// Images of more than one band, on different grids, smaller than a chip, one complex and one not; parameters out of
/// range; rasters of nodes on another grid than the nodes'.
pub fn autorift(reference: &Raster, secondary: &Raster, mut options: Tracking) -> Result<Raster> {
    let first = reference.only_band("correlation.autorift (the reference)")?;
    let second = secondary.only_band("correlation.autorift (the secondary)")?;
    reference.check_grid(secondary)?;
    let complex = [first, second].map(|b| b.dtype.is_complex() || b.kind() == Kind::C32);
    if complex[0] != complex[1] {
        return Err(Error::Unit {
            message: format!(
                "band `{}` is {} and band `{}` is {}; {}",
                first.name,
                first.dtype,
                second.name,
                second.dtype,
                Remedy::Amplitudes
            ),
        });
    }
    let precision = match (options.precision, complex[0]) {
        (None, true) => Precision::Complex,
        (None, false) => Precision::U8,
        (Some(Precision::Complex), false) => {
            return Err(Error::argument(
                "precision",
                "uint8 or float32 for real images",
                "complex",
            ));
        }
        (Some(asked), _) => asked,
    };
    let image = &reference.grid;
    let grid = match &options.grid {
        Some(grid) => grid.clone(),
        None => Arc::new(coarsened(image, options.parameters.spacing)?),
    };
    let spacing = node_spacing(image, &grid)?;
    options.parameters.spacing = spacing;
    check_parameters(&options.parameters, image)?;
    let mut ports = vec![first.port.clone(), second.port.clone()];
    let mut slot = |value: &PerNode, name: &str, range: RangeInclusive<f64>| match value {
        PerNode::Constant(v) => {
            check_constant(name, *v, &range)?;
            Ok(Value::Constant(*v as f32))
        }
        PerNode::Raster(raster) => {
            let band = raster.only_band(name)?;
            if !raster.grid.matches(&grid) {
                return Err(Error::message(format!(
                    "{name} must lie on the grid of nodes,\n  {grid}\nbut lies on\n  {}\nbring it there first, or give that grid as `grid`",
                    raster.grid
                )));
            }
            ports.push(band.port.clone());
            Ok(Value::Input(ports.len() - 1))
        }
    };
    let [sx, sy] = &options.search;
    let [px, py] = &options.prior;
    let search = [slot(sx, "search", SEARCHES)?, slot(sy, "search", SEARCHES)?];
    let prior = [slot(px, "prior", PRIORS)?, slot(py, "prior", PRIORS)?];
    let (least, most) = (options.parameters.chip as f64, options.parameters.chip_max as f64);
    let chips =
        |raster: Option<Raster>, constant: f64| raster.map_or(PerNode::Constant(constant), PerNode::Raster);
    let chip_min = slot(&chips(options.chip_min, least), "chip_min", CHIPS)?;
    let chip_max = slot(&chips(options.chip_max, most), "chip_max", CHIPS)?;
    let operation = Autorift {
        parameters: options.parameters,
        prefilter: options.prefilter,
        precision,
        nodes: grid.clone(),
        search,
        prior,
        chip: [chip_min, chip_max],
    };
    let outputs = Port::whole(&grid, Arc::new(operation), ports);
    let bands = BANDS
        .iter()
        .zip(outputs)
        .map(|(name, port)| band(name, port))
        .collect();
    let mut out = Raster::new(grid, bands);
    note_images(&mut out, reference, secondary);
    Ok(out)
}

fn check_constant(name: &str, v: f64, range: &RangeInclusive<f64>) -> Result<()> {
    match range.contains(&v) {
        true => Ok(()),
        false => Err(Error::argument(
            name,
            format!("from {} to {}", range.start(), range.end()),
            v,
        )),
    }
}

fn check_parameters(parameters: &Parameters, image: &Grid) -> Result<()> {
    parameters.check()?;
    let chip = (parameters.height(parameters.chip), parameters.chip);
    if image.rows < chip.0 || image.cols < chip.1 {
        return Err(Error::argument(
            "chip",
            format!(
                "no larger than the images of {} × {} (rows × cols)",
                image.rows, image.cols
            ),
            format!("{} × {}", chip.0, chip.1),
        ));
    }
    Ok(())
}

/// The grid of pixels `spacing` times as large: a node in the middle of each.
fn coarsened(image: &Grid, spacing: usize) -> Result<Grid> {
    let (rows, cols) = (image.rows / spacing.max(1), image.cols / spacing.max(1));
    if rows == 0 || cols == 0 {
        return Err(Error::argument(
            "spacing",
            format!(
                "at most the size of the images, {} × {} (rows × cols)",
                image.rows, image.cols
            ),
            spacing,
        ));
    }
    let (t, n) = (image.transform, spacing as f64);
    let transform = Affine {
        dx: t.dx * n,
        rx: t.rx * n,
        ry: t.ry * n,
        dy: t.dy * n,
        ..t
    };
    Grid::new(image.crs.clone(), transform, rows, cols)
}

/// Image pixels from one node to the next.
fn node_spacing(image: &Grid, nodes: &Grid) -> Result<usize> {
    if image.crs != nodes.crs {
        return Err(Error::GridMismatch {
            left: image.to_string(),
            right: nodes.to_string(),
        });
    }
    let at = |col: f64, row: f64| {
        let (x, y) = nodes.transform.apply(col, row);
        image.to_pixel(x, y)
    };
    let (origin, right, down) = (at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0));
    let across = (right.0 - origin.0, right.1 - origin.1);
    let along = (down.0 - origin.0, down.1 - origin.1);
    let (rows, cols) = (nodes.rows as f64, nodes.cols as f64);
    // Half a pixel over the whole grid.
    if (across.1 * cols).abs() > 0.5 || (along.0 * rows).abs() > 0.5 || across.0 < 1.0 || along.1 < 1.0 {
        return Err(Error::argument(
            "grid",
            "a grid with the images' axes and pixels at least as large",
            nodes,
        ));
    }
    Ok(across.0.round() as usize)
}

/// A value for every node, of the operation's inputs.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Value {
    Constant(f32),
    Input(usize),
}

/// Inputs 0 and 1 are the images, the others lie on the grid of nodes.
#[derive(Clone)]
struct Autorift {
    parameters: Parameters,
    prefilter: Prefilter,
    precision: Precision,
    nodes: Arc<Grid>,
    search: [Value; 2],
    prior: [Value; 2],
    chip: [Value; 2],
}

/// What an `Autorift` is, without its grid.
#[derive(Serialize, Deserialize)]
struct Choices {
    parameters: Parameters,
    prefilter: Prefilter,
    precision: Precision,
    search: [Value; 2],
    prior: [Value; 2],
    chip: [Value; 2],
}

impl Described for Autorift {
    const NAME: &'static str = "correlation.autorift";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Choices {
            parameters: self.parameters.clone(),
            prefilter: self.prefilter,
            precision: self.precision,
            search: self.search,
            prior: self.prior,
            chip: self.chip,
        })
    }

    fn again(parameters: &Json, site: &Site) -> Result<Autorift> {
        let d: Choices = from_json(Self::NAME, parameters)?;
        Ok(Autorift {
            parameters: d.parameters,
            prefilter: d.prefilter,
            precision: d.precision,
            nodes: site.grid.clone(),
            search: d.search,
            prior: d.prior,
            chip: d.chip,
        })
    }

    fn check(&self, site: &Site) -> Result<()> {
        let mut inputs = 2;
        let named = [
            (self.search, "search", SEARCHES),
            (self.prior, "prior", PRIORS),
            (self.chip, "chip", CHIPS),
        ];
        for (values, name, range) in named {
            for value in values {
                match value {
                    Value::Constant(v) => check_constant(name, f64::from(v), &range)?,
                    Value::Input(index) if index == inputs => inputs += 1,
                    Value::Input(index) => {
                        return Err(Error::argument(
                            format!("the input of {name}"),
                            inputs.to_string(),
                            index,
                        ));
                    }
                }
            }
        }
        let (images, rasters) = site.takes(inputs)?.inputs.split_at(2);
        let image = &images[0].node.grid;
        Site {
            inputs: images,
            grid: image,
            ..*site
        }
        .on_grid()?;
        Site {
            inputs: rasters,
            ..*site
        }
        .on_grid()?
        .real()?;
        let images = Site {
            inputs: images,
            ..*site
        };
        match self.precision {
            Precision::Complex => images.complex()?,
            Precision::U8 | Precision::F32 => images.real()?,
        };
        let spacing = node_spacing(image, site.grid)?;
        if self.parameters.spacing != spacing {
            return Err(Error::argument(
                "spacing",
                format!("that of the nodes, {spacing}"),
                self.parameters.spacing,
            ));
        }
        self.prefilter.check()?;
        check_parameters(&self.parameters, image)
    }
}

described!(Autorift, Whole);

impl WholeOperation for Autorift {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("correlation.autorift(chip {} px)", self.parameters.chip)
    }

    fn outputs(&self) -> usize {
        BANDS.len()
    }

    fn on_part(&self, grid: &Arc<Grid>) -> Option<Arc<dyn WholeOperation>> {
        Some(Arc::new(Autorift {
            nodes: grid.clone(),
            ..self.clone()
        }))
    }

    fn run(&self, inputs: &Inputs<'_>) -> Result<Vec<Array2<f32>>> {
        // Both images as f32 and as samples, and their masks.
        let memory = inputs.memory() / 6;
        let tracked = match self.precision {
            Precision::U8 => self.track(
                inputs,
                &PreparedPair::<u8> {
                    reference: in_bytes(inputs, 0, &self.prefilter, memory)?,
                    secondary: in_bytes(inputs, 1, &self.prefilter, memory)?,
                },
            ),
            Precision::F32 => self.track(
                inputs,
                &PreparedPair::<f32> {
                    reference: in_floats(inputs, 0, &self.prefilter, memory)?,
                    secondary: in_floats(inputs, 1, &self.prefilter, memory)?,
                },
            ),
            Precision::Complex => self.track(
                inputs,
                &PreparedPair::<Complex32> {
                    reference: in_complex(inputs, 0, memory)?,
                    secondary: in_complex(inputs, 1, memory)?,
                },
            ),
        }?;
        Ok(bands(tracked))
    }
}

impl Autorift {
    fn track<S: Sample + bytemuck::Pod>(
        &self,
        inputs: &Inputs<'_>,
        pair: &PreparedPair<S>,
    ) -> Result<Tracked> {
        let image = inputs.grid(0);
        let shape = (self.nodes.rows, self.nodes.cols);
        let place = |(row, col): (usize, usize)| {
            let (x, y) = self.nodes.pixel_centre(row as isize, col as isize);
            image.to_pixel(x, y)
        };
        let read = |value: Value| match value {
            Value::Constant(v) => Ok(Array2::from_elem(shape, v)),
            Value::Input(index) => inputs.read(index, self.nodes.window()).map(|p| p.into_f32()),
        };
        let field = Field {
            x: Array2::from_shape_fn(shape, |at| place(at).0.round() as i32),
            y: Array2::from_shape_fn(shape, |at| place(at).1.round() as i32),
            limit_x: limited(read(self.search[0])?)?,
            limit_y: limited(read(self.search[1])?)?,
            prior_x: read(self.prior[0])?,
            prior_y: read(self.prior[1])?,
            chip_min: read(self.chip[0])?,
            chip_max: read(self.chip[1])?,
        };
        track(pair, &field, &self.parameters, work::threads(), &Reported)
    }
}

/// Search limits within what a search can be.
fn limited(limits: Array2<f32>) -> Result<Array2<f32>> {
    match limits.iter().find(|&&v| f64::from(v) > LARGEST_SEARCH) {
        Some(v) => {
            let expected =
                format!("at most {LARGEST_SEARCH} px at every node; give offsets known before as `prior`");
            Err(Error::argument("search", expected, v))
        }
        None => Ok(limits),
    }
}

/// Tells the engine's progress how far a search has come.
struct Reported;

impl Watch for Reported {
    fn start(&self, chip: usize, nodes: usize) {
        work::progress().start(nodes as u64, &format!("chips of {chip} px"));
    }

    fn advance(&self, nodes: usize) {
        work::progress().advance(nodes as u64);
    }

    fn finish(&self) {
        work::progress().finish();
    }
}

/// The bands in their order, all but the reason masked where there is no offset.
fn bands(tracked: Tracked) -> Vec<Array2<f32>> {
    let mut interpolated = tracked.interpolated.map(|&v| f32::from(u8::from(v)));
    let (mut width, mut height) = (tracked.chip_size_x, tracked.chip_size_y);
    for ((at, &dx), &dy) in tracked.dx.indexed_iter().zip(&tracked.dy) {
        if dx.is_nan() || dy.is_nan() {
            interpolated[at] = f32::NAN;
            width[at] = f32::NAN;
            height[at] = f32::NAN;
        }
    }
    vec![
        tracked.dx,
        tracked.dy,
        interpolated,
        width,
        height,
        tracked.correlation,
        tracked.snr,
        tracked.dx_std,
        tracked.dy_std,
        tracked.reason.map(|reason| f32::from(reason.code())),
    ]
}
