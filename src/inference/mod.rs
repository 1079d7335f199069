//! Models: networks that map bands to bands, run over images of any size.

mod network;

pub use self::network::{Network, Port};
