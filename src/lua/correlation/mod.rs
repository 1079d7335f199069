//! The Lua module `correlation`: offsets between images.

use super::module::Module;
use crate::error::Result;

mod autorift;

pub fn define(m: &mut Module) -> Result<()> {
    autorift::define(m)
}
