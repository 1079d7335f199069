//! `Model:apply`.

use mlua::Lua;

use crate::error::{Domain, Error, Result};
use crate::inference::{self, Augment, Blend, Model, Precision, Product, Settings, Wanted};
use crate::lua::args::Args;
use crate::lua::value::Several;
use crate::options;
use crate::raster::Raster;

options! {
    /// How a model is run over images.
    pub struct Applying("inference.ApplyOptions") {
        /// Pixels of a window: one number, or `{ rows, cols }`. Default the size that the network takes; where it takes any, 512, or what of its stride
        /// comes next below.
        tile: Option<Several<usize>>,
        /// Pixels that a window has in common with the next; the distance of windows is a multiple of the network's stride. Default an eighth of the window.
        overlap: Option<usize>,
        /// How windows become one image: `hann` fades them into one another by Hann windows whose weights have the sum 1 everywhere; `crop` takes each
        /// pixel from the window whose middle is nearest, and equals the whole image at once where the overlap is the network's receptive field; `mean`
        /// weighs all the same; `max` takes the largest of each class.
        blend: Blend = Blend::Hann,
        /// Windows that the network takes at a time. It is halved, with a note, where a GPU has no room for as many.
        batch: usize = 1; Domain::at_least(1.0),
        /// Positions in which each window is shown, over which is averaged: `flips` four, `dihedral` the eight of a square.
        augment: Augment = Augment::None,
        /// What is made, one or several: `classes`, the number of the most probable class, as uint8; `confidence`, its probability; `probabilities`, a band a
        /// class; `logits` or `values`, the network's numbers as they are. Default classes, of a model of quantities values.
        output: Option<Several<Product>>,
        /// The output of the network that is meant, by its name. Default the first.
        head: Option<String>,
        /// Where it is computed, as in `inference.open`. Default where the model was opened.
        device: Option<String>,
        /// In which numbers a GPU multiplies, as in `inference.open`. Default as the model was opened.
        precision: Option<Precision>,
    }
}

impl Applying {
    /// # Errors
    /// A tile of more than two numbers.
    fn settings(self, model: &Model) -> Result<Settings> {
        let tile = match self.tile.as_ref().map(|tile| tile.0.as_slice()) {
            None => None,
            Some([side]) => Some((*side, *side)),
            Some([rows, cols]) => Some((*rows, *cols)),
            Some(more) => return Err(Error::argument("tile", "one number, or { rows, cols }", more.len())),
        };
        let usual = match model.metadata().activation {
            Some(inference::Activation::Values) => Product::Values,
            _ => Product::Classes,
        };
        Ok(Settings {
            tile,
            overlap: self.overlap,
            blend: self.blend,
            batch: self.batch,
            augment: self.augment,
            output: self.head,
            products: self.output.map_or(vec![usual], |several| several.0),
        })
    }
}

/// # Errors
/// As `inference::apply`; a device that is not there.
pub fn apply(_: &Lua, model: &Model, args: &Args, options: Applying) -> Result<Raster> {
    let Several(images) = args.get::<Several<Raster>>("images")?;
    let device = options.device.as_deref().map(Wanted::named).transpose()?;
    let model = &model.on(device, options.precision)?;
    inference::apply(model, &images, &options.settings(model)?)
}
