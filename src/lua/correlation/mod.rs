//! The Lua module `correlation`: offsets between images.

use super::module::Module;
use crate::error::Result;

mod ampcor;
mod autorift;
mod network;
mod point_target;
mod simple;
mod values;
mod velocity;

pub fn define(m: &mut Module) -> Result<()> {
    ampcor::define(m)?;
    network::define(m)?;
    point_target::define(m)?;
    simple::define(m)?;
    autorift::define(m)?;
    velocity::define(m)
}
