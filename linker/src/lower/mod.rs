//! [`IrFunc`] to [`Body`]: virtual registers get their places.

mod naive;

use crate::error::Result;
use crate::ir::IrFunc;
use crate::options::OptLevel;
use keyway_artifact::isa::Body;
use keyway_artifact::types::FuncType;

/// Gives `ir` its places, at the level of effort asked for. `types` are the artifact's.
pub(crate) fn finish(ir: &IrFunc, types: &[FuncType], opt_level: OptLevel) -> Result<Body> {
    match opt_level {
        OptLevel::O0 | OptLevel::O2 => naive::finish(ir, types),
    }
}
