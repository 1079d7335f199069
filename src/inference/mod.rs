//! Models: networks that map bands to bands, run over images of any size.

mod apply;
mod bands;
mod gather;
mod lattice;
mod network;
mod products;
mod turns;
mod windows;

pub use self::apply::{Settings, apply};
pub use self::bands::Expected;
pub use self::lattice::Blend;
pub use self::network::{Network, Port};
pub use self::products::{Activation, Product};
pub use self::turns::Augment;
