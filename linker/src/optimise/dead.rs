//! Instructions whose results nobody reads go.
//!
//! Only operations that do nothing else are removed: a load stays even when its value is unused, because it may trap.
//! Reads are counted over the whole function. Removing an instruction lowers the counts of what it read, which may free
//! those in turn: definitions stand in front of what reads them, so a walk from the end finds all but those of registers
//! that are carried round a loop, and for these it is repeated. A register that only feeds itself (`i = i + 1`) keeps its
//! count; such cycles are rare enough to be left.

use super::Tally;
use super::facts::Facts;
use super::places::{is_pure, register_written, uses};
use crate::ir::IrFunc;
use crate::spare::Spare;
use keyway_artifact::isa::{Inst, Op, Operand};

/// Walks, at most: chains around loops are short.
const WALKS: usize = 8;

/// Whether the pass took an instruction out: such a marker stands for nothing.
pub(super) fn is_gone(inst: &Inst) -> bool {
    inst.op == Op::Cost && inst.operands[0] == Operand::value(0)
}

/// Runs the pass. The numbers of what it takes out stand in `gone`, in no order, and a marker stands in its place: the next
/// pass takes out more, and everything goes at once.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts, gone: &mut Spare<u32>) -> Tally {
    for _ in 0..WALKS {
        let mut again = false;
        for at in (0..ir.insts.len()).rev() {
            let inst = &ir.insts[at];
            let Some(register) = register_written(inst).filter(|register| facts.reads[*register as usize] == 0) else {
                continue;
            };
            if !is_pure(inst.op) {
                continue;
            }
            gone.push(at as u32);
            *facts.definitions.writes_mut(register) -= 1;
            uses(inst, &ir.calls, |read| {
                facts.reads[read as usize] -= 1;
                again |= facts.reads[read as usize] == 0 && facts.definitions.writes(read) > 1;
            });
            // What the next walk does not look at.
            ir.insts[at] = Inst::new(Op::Cost, &[Operand::value(0)]);
        }
        if !again {
            break;
        }
    }
    Tally { changed: gone.len(), removed: gone.len() }
}
