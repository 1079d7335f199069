//! The Lua module `learning`: labelled chips, training, measures.

use super::module::Module;
use crate::error::Result;

mod augment;
mod dataset;
mod engine;
mod evaluate;
mod train;
mod values;

pub fn define(m: &mut Module) -> Result<()> {
    dataset::define(m)?;
    engine::define(m)?;
    evaluate::define(m)?;
    train::define(m)
}
