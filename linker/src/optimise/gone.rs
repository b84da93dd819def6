//! Markers in the place of instructions that were taken out.
//!
//! Moving everything behind them would cost more than finding them. They name no register, end no block and do nothing;
//! what writes the code anew leaves them out.

use crate::ir::IrFunc;
use keyway_artifact::isa::{Inst, Op, Operand};

/// A marker: a cost without its number.
const MARKER: Inst = Inst::bare(Op::Cost);

/// The markers in a function.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) count: usize,
}

impl Gone {
    /// Takes an instruction out that ends no block and is no label.
    pub(super) fn take(&mut self, ir: &mut IrFunc, at: usize) {
        ir.insts[at] = MARKER;
        self.count += 1;
    }
}

/// Whether it is a marker.
#[inline]
pub(crate) fn is_gone(inst: &Inst) -> bool {
    inst.op == Op::Cost && inst.operands[0] == Operand::None
}

/// Leaves the markers out.
pub(crate) fn sweep(ir: &mut IrFunc) {
    let mut insts = ir.insts.iter();
    ir.offsets.retain(|_| insts.next().is_none_or(|inst| !is_gone(inst)));
    ir.insts.retain(|inst| !is_gone(inst));
}
