//! The Lua module `filter`: speckle and focal filters.

use super::module::Module;
use crate::error::Result;

mod focal;

pub fn define(m: &mut Module) -> Result<()> {
    focal::define(m)
}
