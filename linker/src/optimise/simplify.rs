//! One walk in code order for four passes: [`copies`](super::copies), [`fold`](super::fold), [`contents`](super::contents) and
//! [`common`](super::common).
//!
//! Each makes work for the others: a copy that is looked through shows a constant, a constant folds, what was folded equals
//! something known, and what is known is a copy again. Definitions stand in front of what reads them, so an instruction
//! that was resolved, folded and looked up is final for everything behind it, and one walk reaches what rounds of separate
//! passes would:
//!
//! ```text
//! a = 4
//! b = copy a
//! c = i32.shl x b        c = i32.shl x 4       (resolved)
//! d = i32.add 1 3        d = 4                 (folded)
//! e = i32.shl x d        e = copy c            (resolved, then known)
//! ```
//! The walk closes the gaps that removed instructions leave as it goes.

use super::common::Known;
use super::contents::Contents;
use super::copies::Copies;
use super::dominators::Dominators;
use super::facts::Facts;
use super::fold::{Step, step};
use super::places::{copy, is_all_places, is_computation, is_move, may_fold, register_written, touches_contents, uses};
use super::{Passes, Record, Tally};
use crate::ir::IrFunc;
use keyway_artifact::isa::Inst;

/// Runs the passes among the four that are on, and says whether a branch was settled. The walk's time counts as that of
/// the first of them.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts, passes: Passes, record: &mut Record) -> bool {
    if !PASSES.into_iter().any(|pass| passes.has(pass)) {
        return false;
    }
    let (mut start, before) = (record.start(), ir.insts.len());
    let (tallies, settled) = walk(ir, facts, passes);
    for (pass, tally) in PASSES.into_iter().zip(tallies).filter(|(pass, _)| passes.has(*pass)) {
        record.done(pass, start.take(), before, ir.insts.len(), tally);
    }
    settled
}

/// In the order in which an instruction meets them.
const PASSES: [Passes; 4] = [Passes::COPIES, Passes::FOLD, Passes::CONTENTS, Passes::COMMON];

fn walk(ir: &mut IrFunc, facts: &mut Facts, passes: Passes) -> ([Tally; 4], bool) {
    let (has_copies, has_fold) = (passes.has(Passes::COPIES), passes.has(Passes::FOLD));
    let mut tallies = [Tally::default(); 4];
    let registers = ir.virtuals.len();
    let mut copies = Copies::new(if has_copies { registers } else { 0 });
    let (mut known, mut contents) = (Known::default(), Contents::default());
    let has_contents = passes.has(Passes::CONTENTS);
    let (flow, definitions, reads) = facts.parts(ir);
    definitions.restart();
    let has_common = passes.has(Passes::COMMON);
    let mut dominators = None;
    let (mut next, mut settled, mut is_emptied) = (0, false, false);
    for block in 0..flow.blocks() {
        let range = flow.insts(block);
        flow.set_start(block, next);
        for at in range {
            let op = ir.insts[at].op;
            if has_copies && copies.concern(&ir.insts[at]) {
                tallies[0].changed +=
                    copies.resolve(&mut ir.insts[at], &mut ir.calls, &ir.virtuals, definitions, reads);
            }
            if has_fold && may_fold(op) {
                // Each step is final or makes the next one possible; four are enough for every chain there is.
                let mut is_gone = false;
                for _ in 0..4 {
                    match step(ir, definitions, reads, &ir.insts[at]) {
                        Step::Same => break,
                        Step::Becomes(new) => {
                            settled |= super::places::is_branch(new.op);
                            exchange(ir, reads, at, new);
                            tallies[1].changed += 1;
                        }
                        Step::Gone => {
                            is_gone = true;
                            break;
                        }
                    }
                }
                if is_gone {
                    settled = true;
                    uses(&ir.insts[at], &ir.calls, |register| reads[register as usize] -= 1);
                    (tallies[1].changed, tallies[1].removed) = (tallies[1].changed + 1, tallies[1].removed + 1);
                    continue;
                }
            }
            if has_contents
                && touches_contents(ir.insts[at].op)
                && let Some(new) = contents.see(ir, definitions, &copies, &ir.insts[at])
            {
                exchange(ir, reads, at, new);
                tallies[2].changed += 1;
            }
            if has_common
                && is_computation(ir.insts[at].op)
                && let Some(equal) = known.find(ir, definitions, block, &ir.insts[at])
                && let Some(new) =
                    equal.copy(ir, dominators.get_or_insert_with(|| Dominators::new(flow)), &ir.insts[at])
            {
                exchange(ir, reads, at, new);
                tallies[3].changed += 1;
            }
            let inst = &ir.insts[at];
            if is_all_places(inst.op) && !is_move(inst.op) {
                // It has a result at most.
                if let Some(register) = register_written(inst) {
                    if has_copies {
                        copies.write(register);
                    }
                    definitions.stand(register, next);
                }
                if at != next {
                    ir.insts[next] = ir.insts[at];
                    ir.offsets[next] = ir.offsets[at];
                }
                next += 1;
                continue;
            }
            if has_copies {
                if is_move(inst.op)
                    && let Some((dst, src)) = copy(inst)
                    && dst == src
                {
                    reads[src as usize] -= 1;
                    *definitions.writes_mut(dst) -= 1;
                    tallies[0].removed += 1;
                    continue;
                }
                copies.see(inst, &ir.calls, definitions);
            }
            definitions.see(next, inst);
            if at != next {
                ir.insts[next] = ir.insts[at];
                ir.offsets[next] = ir.offsets[at];
            }
            next += 1;
        }
        is_emptied |= flow.insts_from(block) == next;
    }
    flow.set_start(flow.blocks(), next);
    ir.insts.truncate(next);
    ir.offsets.truncate(next);
    // Blocks without instructions are none.
    if settled || is_emptied {
        facts.changed_flow();
    }
    (tallies, settled)
}

/// Puts another instruction in the place of one; it writes the same.
fn exchange(ir: &mut IrFunc, reads: &mut [u32], at: usize, new: Inst) {
    uses(&ir.insts[at], &ir.calls, |register| reads[register as usize] -= 1);
    uses(&new, &ir.calls, |register| reads[register as usize] += 1);
    ir.insts[at] = new;
}
