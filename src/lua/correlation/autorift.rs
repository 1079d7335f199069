//! `correlation.autorift`.

use std::sync::Arc;

use mlua::Value;
use serde_json::Value as Json;

use crate::correlation::autorift::operation::{Tracking, PerNode, Precision, autorift};
use crate::correlation::autorift::parameters::{self, Border, Parameters};
use crate::correlation::autorift::prefilter::{self, Method, Prefilter};
use crate::error::{Error, Result};
use crate::lua::module::Module;
use crate::lua::value::{FromScript, Several, describe};
use crate::lua::spec::ValueType;
use crate::options;
use crate::raster::{Grid, Raster};

pub fn define(m: &mut Module) -> Result<()> {
    m.function_with("autorift(reference, secondary, options?)", |_, args, o: Autorift| {
        autorift(&args.get("reference")?, &args.get("secondary")?, o.tracking()?)
    })?;
    Ok(())
}

options! {
    struct Autorift("correlation.AutoriftOptions") {
        /// Pixels from one node to the next; a divisor of `chip`, or at least that. Default `chip`.
        spacing: Option<usize>; parameters::SPACING,
        /// Nodes in the middle of the pixels of this grid instead: axes and CRS of the images, pixels at least as large. Each is
        /// moved to the nearest corner of image pixels.
        grid: Option<Arc<Grid>>,
        /// Width of the smallest chip in pixels.
        chip: usize = 32; parameters::CHIP,
        /// Widest chip, `chip` doubled any number of times, to 256; where narrower ones find nothing wider ones are tried. A Raster
        /// on the grid of nodes gives each its own. Default 2 · `chip`.
        chip_max: Option<Widest>,
        /// The narrowest chip that each node admits.
        chip_min: Option<Raster>,
        /// Height of a chip over its width.
        chip_aspect: f64 = 1.0; parameters::CHIP_ASPECT,
        /// Half the search window in pixels: of n, shifts −n … n − 1 are tried. One for both directions, or `{ x, y }`; numbers, or
        /// Rasters on the grid of nodes, where 0 and masked nodes are not searched.
        search: Nodes = Nodes::constant(25.0),
        /// Smaller search windows, other than 0, are raised to this.
        search_min: usize = 6; parameters::SEARCH_MIN,
        /// Offsets known before, `{ dx, dy }` in pixels, on which the search is centred. Numbers or Rasters.
        prior: Nodes = Nodes::constant(0.0),
        /// What is done to real images first: the mean around a pixel is taken off (`"high_pass"`), and the rest divided by the
        /// standard deviation (`"wallis"`), with gaps between scan lines filled with noise (`"wallis_fill"`); the sum of first
        /// derivatives (`"sobel"`); the Laplacian of 20 log₁₀ (`"log_laplacian"`); 20 log₁₀ (`"db"`).
        prefilter: Method = Method::HighPass,
        /// Side of the prefilter's window; of `"sobel"` and `"log_laplacian"` at most 31. Default 5, for `"wallis_fill"` 21.
        prefilter_width: Option<usize>; prefilter::WIDTH,
        /// Windows with a smaller standard deviation are filled with noise by `"wallis_fill"`.
        prefilter_cutoff: f64 = 0.25; prefilter::CUTOFF,
        /// What real images are compared in. `"uint8"`, the default, is faster: three standard deviations around the mean in 256
        /// steps.
        precision: Option<Precision>,
        /// Steps a pixel of the refinement, for each chip size from the smallest; the last holds for larger ones.
        oversampling: Several<usize> = Several(vec![16, 32, 64, 64]); parameters::OVERSAMPLING,
        /// The first search visits every n-th chip each way; 1 visits all.
        sparse: usize = 4; parameters::SPARSE,
        /// A chip size of which less than this share of the sparse nodes is coherent is left out.
        sparse_share: f64 = 0.01; parameters::SPARSE_SHARE,
        /// Nodes are searched that lie nearer than this to a coherent sparse node, in sparse nodes.
        sparse_reach: f64 = 8.0; parameters::SPARSE_REACH,
        /// Side of the coherence filter's window in chips.
        filter_width: usize = 5; parameters::NODES,
        /// Share of the window's nodes that must agree with a node.
        filter_valid_share: f64 = 8.0 / 25.0; parameters::SHARE,
        /// How much agreeing offsets may differ by, in search windows.
        filter_search_share: f64 = 0.2; parameters::FILTER_SEARCH_SHARE,
        /// How often the coherence filter is applied.
        filter_iterations: usize = 3; parameters::FILTER_ITERATIONS,
        /// Offsets further from the window's median than this many median absolute deviations are dropped.
        filter_deviations: f64 = 4.0; parameters::FILTER_DEVIATIONS,
        /// What the coherence filter does with nodes closer than a chip at the border of the grid and of what has values: `"kept"`
        /// asks no more of them than of nodes a chip apart; `"autorift"` drops a border that is the wider the denser the nodes are,
        /// as autoRIFT 2.1.1 does.
        filter_border: Border = Border::Kept,
        /// Side of the window of medians that close small holes, in nodes.
        fill_width: usize = 3; parameters::NODES,
        /// Share of a chip's pixels that must have a value, in both images.
        min_valid: f64 = 0.5; parameters::SHARE,
    }
}

impl Autorift {
    fn tracking(self) -> Result<Tracking> {
        // Gaps are filled over wider windows.
        let width = if self.prefilter == Method::WallisFill { 21 } else { 5 };
        let width = self.prefilter_width.unwrap_or(width);
        Ok(Tracking {
            parameters: self.parameters(),
            prefilter: Prefilter::new(self.prefilter, width, self.prefilter_cutoff as f32)?,
            precision: self.precision,
            grid: self.grid,
            search: self.search.0,
            prior: self.prior.0,
            chip_min: self.chip_min,
            chip_max: match self.chip_max {
                Some(Widest::Nodes(raster)) => Some(raster),
                _ => None,
            },
        })
    }

    fn parameters(&self) -> Parameters {
        Parameters {
            spacing: self.spacing.unwrap_or(self.chip),
            chip: self.chip,
            chip_max: match self.chip_max {
                None => 2 * self.chip,
                Some(Widest::Pixels(width)) => width,
                // A raster of largest chips goes as far as chips can.
                Some(Widest::Nodes(_)) => Parameters::largest(self.chip),
            },
            chip_aspect: self.chip_aspect,
            search_min: self.search_min,
            sparse: self.sparse,
            sparse_share: self.sparse_share,
            sparse_reach: self.sparse_reach,
            filter_width: self.filter_width,
            filter_valid_share: self.filter_valid_share,
            filter_search_share: self.filter_search_share,
            filter_iterations: self.filter_iterations,
            filter_deviations: self.filter_deviations,
            filter_border: self.filter_border,
            fill_width: self.fill_width,
            oversampling: self.oversampling.0.clone(),
            valid_share: self.min_valid,
        }
    }
}

/// The widest chip of all nodes, or of each.
enum Widest {
    Pixels(usize),
    Nodes(Raster),
}

impl FromScript for Widest {
    fn expected() -> String {
        "a number of pixels, or a Raster on the grid of nodes".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("integer|Raster".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        match Raster::accept(value) {
            Some(raster) => Some(Widest::Nodes(raster)),
            None => usize::accept(value).map(Widest::Pixels),
        }
    }
}

/// A number or raster for x and y alike, or `{ x, y }` of them.
struct Nodes([PerNode; 2]);

impl Nodes {
    fn constant(value: f64) -> Nodes {
        Nodes([PerNode::Constant(value), PerNode::Constant(value)])
    }
}

impl FromScript for Nodes {
    fn expected() -> String {
        "a number of pixels, a Raster on the grid of nodes, or { x, y } of them".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number|Raster|table".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let one = |value: &Value, name: &str| match Raster::accept(value) {
            Some(raster) => Ok(PerNode::Raster(raster)),
            None => match f64::accept(value) {
                Some(v) => Ok(PerNode::Constant(v)),
                None => Err(Error::argument(name, Self::expected(), describe(value))),
            },
        };
        match value {
            Value::Table(pair) if pair.raw_len() == 2 => Ok(Nodes([
                one(&pair.raw_get(1)?, &format!("{name}[1]"))?,
                one(&pair.raw_get(2)?, &format!("{name}[2]"))?,
            ])),
            value => {
                let both = one(value, name)?;
                Ok(Nodes([both.clone(), both]))
            }
        }
    }
    fn literal(&self) -> Json {
        match &self.0 {
            [PerNode::Constant(both), _] => Json::from(*both),
            _ => Json::Null,
        }
    }
}
