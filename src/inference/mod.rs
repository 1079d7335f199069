//! Models: networks that map bands to bands, run over images of any size.

mod apply;
mod bands;
mod fallback;
mod gather;
mod known;
mod lattice;
mod metadata;
mod model;
mod network;
mod onnx;
mod precision;
mod probe;
mod products;
mod runtime;
mod session;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
mod turns;
mod windows;

pub use self::apply::{Settings, apply, apply_known};
pub use self::bands::Expected;
pub use self::known::Known;
pub use self::lattice::Blend;
pub use self::metadata::{Activation, Band, Class, KEY, Metadata};
pub use self::model::{Model, Opening, sizes};
pub use self::network::{Network, Port};
pub use self::onnx::{Axis, Onnx, Tensor};
pub use self::precision::Precision;
pub use self::products::Product;
pub use self::turns::Augment;
pub use crate::libraries::{Device, Wanted};
