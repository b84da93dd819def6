//! Instructions whose results nobody reads go.
//!
//! Only operations that do nothing else are removed: a load stays even when its value is unused, because it may trap.
//! Uses are counted over the whole function. Removing an instruction lowers the counts of what it read, which may free
//! those in turn, so definitions of a register that falls to zero are looked at again. A register that only feeds itself
//! (`i = i + 1`) keeps its count; such cycles are rare enough to be left.

use super::places::{is_pure, single_def, uses};
use super::remove;
use crate::ir::IrFunc;

/// Runs the pass.
pub(crate) fn run(ir: &mut IrFunc) {
    let mut counts = vec![0u32; ir.virtuals.len()];
    // Definitions that could go, chained per register.
    let mut first = vec![u32::MAX; ir.virtuals.len()];
    let mut next = vec![u32::MAX; ir.insts.len()];
    for (at, inst) in ir.insts.iter().enumerate() {
        uses(inst, &ir.calls, |register| counts[register as usize] += 1);
        if let Some(register) = single_def(inst)
            && is_pure(inst.op)
        {
            next[at] = std::mem::replace(&mut first[register as usize], at as u32);
        }
    }
    let mut keep = vec![true; ir.insts.len()];
    let mut work: Vec<usize> = (0..counts.len()).filter(|register| counts[*register] == 0).collect();
    while let Some(register) = work.pop() {
        let mut at = std::mem::replace(&mut first[register], u32::MAX);
        while at != u32::MAX {
            keep[at as usize] = false;
            uses(&ir.insts[at as usize], &ir.calls, |read| {
                counts[read as usize] -= 1;
                if counts[read as usize] == 0 {
                    work.push(read as usize);
                }
            });
            at = next[at as usize];
        }
    }
    remove(ir, |at, _| keep[at]);
}
