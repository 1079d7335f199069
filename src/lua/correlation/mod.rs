//! The Lua module `correlation`: offsets between images.

use super::module::Module;
use crate::error::Result;

mod ampcor;
mod network;
mod point_target;
mod simple;
mod values;

pub fn define(m: &mut Module) -> Result<()> {
    ampcor::define(m)?;
    network::define(m)?;
    point_target::define(m)?;
    simple::define(m)
}
