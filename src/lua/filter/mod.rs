//! The Lua module `filter`: speckle and focal filters.

use super::module::Module;
use crate::error::Result;

mod focal;
mod radar;
mod speckle;

pub fn define(m: &mut Module) -> Result<()> {
    focal::define(m)?;
    radar::define(m)?;
    speckle::define(m)
}
