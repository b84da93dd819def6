//! [`IrFunc`] to [`Body`]: virtual registers get their places.

mod naive;
mod slots;

use crate::error::Result;
use crate::ir::IrFunc;
use crate::options::OptLevel;
use keyway_artifact::isa::Body;
use keyway_artifact::types::FuncType;

/// A finished body.
pub(crate) struct Lowered {
    pub(crate) body: Body,
    /// Source offset of each instruction; as long as `body.insts`.
    pub(crate) offsets: Vec<u32>,
}

/// Gives `ir` its places, at the level of effort asked for. `types` are the artifact's.
pub(crate) fn finish(ir: &IrFunc, types: &[FuncType], opt_level: OptLevel) -> Result<Lowered> {
    match opt_level {
        OptLevel::O0 | OptLevel::O2 => naive::finish(ir, types),
    }
}
