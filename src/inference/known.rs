//! A network, with what must be known of it to run it over images.

use std::sync::Arc;

use super::bands::Expected;
use super::metadata::Activation;
use super::model::Model;
use super::network::Network;
use crate::raster::Class;

/// Of a network that takes windows of any size and does not say what they must be multiples of: that of encoders of five levels.
const STRIDE: usize = 32;

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
    pub fn names(&self) -> impl Iterator<Item = &str> {
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

/// Which sizes the network takes no others than.
pub fn is_fixed(network: &dyn Network) -> (bool, bool) {
    let fixed = |axis: usize| {
        let mut inputs = network.inputs().iter();
        inputs.any(|input| input.shape.get(axis).is_some_and(Option::is_some))
    };
    (fixed(2), fixed(3))
}

/// Whether an input is fixed to one window at a time.
pub fn takes_one(network: &dyn Network) -> bool {
    network
        .inputs()
        .iter()
        .any(|input| input.shape.first() == Some(&Some(1)))
}
