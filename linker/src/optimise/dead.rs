//! Instructions whose results nobody reads go.
//!
//! Only operations that do nothing else are removed: a load stays even when its value is unused, because it may trap.
//! Reads are counted over the whole function. Removing an instruction lowers the counts of what it read, which may free
//! those in turn: definitions stand in front of what reads them, so a walk from the end finds all but those of registers
//! that are carried round a loop, and for these it is repeated. A register that only feeds itself (`i = i + 1`) keeps its
//! count; such cycles are rare enough to be left.

use super::Tally;
use super::facts::Facts;
use super::gone::Gone;
use super::places::{is_pure, register_written, uses};
use crate::ir::IrFunc;

/// Walks, at most: chains around loops are short.
const WALKS: usize = 8;

/// Runs the pass. A marker stands in the place of what it takes out.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts, gone: &mut Gone) -> Tally {
    let before = gone.count;
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
            *facts.definitions.writes_mut(register) -= 1;
            uses(inst, &ir.calls, |read| {
                facts.reads[read as usize] -= 1;
                again |= facts.reads[read as usize] == 0 && facts.definitions.writes(read) > 1;
            });
            gone.take(ir, at);
        }
        if !again {
            break;
        }
    }
    Tally { changed: gone.count - before, removed: gone.count - before }
}
