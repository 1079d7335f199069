//! The Lua module `correlation`: offsets between images.

use super::module::Module;
use crate::error::Result;

mod autorift;
mod network;
mod point_target;
mod velocity;

pub fn define(m: &mut Module) -> Result<()> {
    autorift::define(m)?;
    velocity::define(m)?;
    network::define(m)?;
    point_target::define(m)
}
