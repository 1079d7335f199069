//! The Lua module `learning`: labelled chips, training, measures.

use super::module::Module;
use crate::error::Result;

mod engine;

pub fn define(m: &mut Module) -> Result<()> {
    engine::define(m)
}
