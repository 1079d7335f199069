//! The Lua module `correlation`: offsets between images.

use super::module::Module;
use crate::error::Result;

mod network;
mod point_target;

pub fn define(m: &mut Module) -> Result<()> {
    network::define(m)?;
    point_target::define(m)
}
