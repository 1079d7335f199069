//! Says once that a file's band that is taken for power, because it states no unit, holds what no power is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::describe::Description;
use super::element::{Binary, Element};
use super::graph::{Node, Work};
use super::operation::Operation;
use super::{Band, Grid, Kind, Pixels, PixelsView, Port, Raster, Unit, View, Window};
use crate::described;
use crate::error::Result;
use crate::work;

#[derive(Serialize, Deserialize)]
struct AsPower {
    /// Who takes it for power: `to_db`, `filter.lee`.
    by: String,
    band: String,
    /// The file's band, as its reader is named.
    source: String,
}

described!(AsPower, Tiles, "raster.as_power", 1, |_, site| site
    .takes(1)?
    .on_grid()
    .map(drop));

impl Operation for AsPower {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        "as power".into()
    }

    fn kind(&self, inputs: &[Kind]) -> Kind {
        inputs.first().copied().unwrap_or(Kind::F32)
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, _: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let negative = match &inputs[0].pixels {
            PixelsView::I128(_) | PixelsView::C32(_) => false,
            PixelsView::F32(a) => a.iter().any(|v| *v < 0.0),
            PixelsView::F64(a) => a.iter().any(|v| *v < 0.0),
        };
        if negative {
            work::warn_once(&self.source, || {
                format!(
                    "{}: band `{}` ({}) states no unit and is taken for power, but holds negative values; if they are \
                     decibels, say so before: `:set_unit \"dB\"`",
                    self.by, self.band, self.source
                )
            });
        }
        Ok(vec![inputs[0].to_pixels()])
    }
}

/// The file's band that a port hands on, whole or in part, filtered or not; None of what was computed of several.
fn source(port: &Port) -> Option<Arc<Node>> {
    let mut node = &port.node;
    loop {
        node = match (&node.work, node.inputs.as_slice()) {
            (Work::Tiles(operation), []) if operation.block().is_some() => return Some(node.clone()),
            (Work::Tiles(_) | Work::Scene(_), [input]) => &input.node,
            (Work::Element(Element::Binary(Binary::Mask)), [input, _]) => &input.node,
            _ => return None,
        };
    }
}

/// True for what `as_power` looks at.
pub fn is_unstated(unit: &Unit, port: &Port) -> bool {
    *unit == Unit::Unknown && source(port).is_some()
}

/// The same pixels, looked at on their way.
pub fn as_power(grid: &Arc<Grid>, by: &str, band: &str, port: Port) -> Port {
    let Some(source) = source(&port) else { return port };
    let operation = AsPower {
        by: by.to_string(),
        band: band.to_string(),
        source: source.name(),
    };
    Port::tiles(grid, Arc::new(operation), vec![port]).swap_remove(0)
}

/// Every band of an image that states no unit, looked at by who takes it for power.
pub fn bands_as_power(raster: &Raster, by: &str) -> Raster {
    let one = |b: &Band| match is_unstated(&b.unit, &b.port) {
        true => Band {
            port: as_power(&raster.grid, by, &b.name, b.port.clone()),
            ..b.clone()
        },
        false => b.clone(),
    };
    raster.with_bands(raster.bands.iter().map(one).collect())
}
