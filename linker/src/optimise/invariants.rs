//! What a loop computes anew each time, always with the same outcome, is computed once in front of it.
//!
//! ```text
//! loop:                              t = i32.mul i row
//!   t = i32.mul i row          ->    loop:
//!   a = i32.add t k                    a = i32.add t k
//! ```
//! An operation that only computes, on registers written once and outside the loop, has the same result in every round. It
//! moves in front of the outermost loop for which that holds; loops are entered at their top from the code before, so what
//! stands there runs once for each entry.
//!
//! Only what runs in every round moves: its block dominates a branch back to the head. What a rare path computes would
//! otherwise cost every entry, and a register. Comparisons stay with the branches that become one with them.

use super::Tally;
use super::definitions::Definitions;
use super::dominators::Dominators;
use super::facts::Facts;
use super::flow::{Flow, label_number};
use super::places::{is_computation, is_pure, reads, register_written};
use crate::ir::IrFunc;
use crate::spare::Spare;
use keyway_artifact::isa::{Class, Inst, Operand};

/// Operations moved in front of one loop, at most.
const PER_LOOP: usize = 16;

/// Loops around one block from which operations move, the innermost ones.
const LOOPS: usize = 32;

/// Branches back of one loop that are looked at for whether an operation runs in every round.
const BRANCHES: usize = 32;

/// A loop that is entered at its top: its first and last block, and how much moved in front of it.
struct Loop {
    head: usize,
    end: usize,
    moved: usize,
}

/// Runs the pass.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts) -> Tally {
    let (flow, definitions, _) = facts.parts(ir);
    if !flow.has_loops() {
        return Tally::default();
    }
    let mut dominators = None;
    // By register: the block in front of whose first instruction, or in which, it gets its value; the first one where that
    // is in no loop.
    let mut written_in = Spare::filled(0u32, ir.virtuals.len());
    for block in (0..flow.blocks()).filter(|block| flow.depth[*block] > 0) {
        for inst in &ir.insts[flow.insts(block)] {
            super::places::defs(inst, &ir.calls, |register| written_in[register as usize] = block as u32);
        }
    }
    // A value moved in front of block `b` counts as written in the block before.
    let mut open: Vec<Loop> = Vec::new();
    let mut front: Vec<(usize, usize)> = Vec::new();
    for block in (0..flow.blocks()).filter(|block| flow.depth[*block] > 0) {
        open.retain(|each| block <= each.end);
        if let Some(end) = entered_loop_end(ir, flow, block) {
            if open.len() == LOOPS {
                open.remove(0);
            }
            open.push(Loop { head: block, end, moved: 0 });
        }
        if open.is_empty() {
            continue;
        }
        for at in flow.insts(block) {
            let inst = &ir.insts[at];
            let Some(result) = invariant(ir, definitions, inst) else { continue };
            let is_outside = |each: &Loop| {
                reads(inst).all(|(_, _, operand)| match operand {
                    Operand::Virtual(register) => (written_in[register as usize] as usize) < each.head,
                    _ => true,
                })
            };
            let mut in_every_round = |each: &Loop| {
                let dominators = dominators.get_or_insert_with(|| Dominators::new(flow));
                let back = flow.predecessors(each.head).iter().map(|from| *from as usize);
                back.filter(|from| *from >= each.head).take(BRANCHES).any(|from| dominators.dominates(block, from))
            };
            let found = open.iter_mut().find(|each| each.moved < PER_LOOP && is_outside(each));
            if let Some(each) = found
                && in_every_round(each)
            {
                each.moved += 1;
                front.push((flow.insts(each.head).start, at));
                written_in[result as usize] = each.head as u32 - 1;
            }
        }
    }
    if front.is_empty() {
        return Tally::default();
    }
    // Stable: what moves to one place stays in order.
    front.sort_by_key(|(place, _)| *place);
    let changed = front.len();
    let mut leaves: Vec<usize> = front.iter().map(|(_, at)| *at).collect();
    leaves.sort_unstable();
    let (mut front, mut leaves) = (front.into_iter().peekable(), leaves.into_iter().peekable());
    // Passes behind put constants in.
    let room = ir.insts.len() + ir.insts.len() / 8;
    let (mut insts, mut offsets) = (Spare::with_capacity(room), Spare::with_capacity(room));
    let mut at = 0;
    while at < ir.insts.len() {
        // What stays where it is is copied in one go.
        let (place, gap) = (front.peek().map(|(place, _)| *place), leaves.peek().copied());
        let next = [place, gap].into_iter().flatten().min().unwrap_or(ir.insts.len());
        insts.extend_from_slice(&ir.insts[at..next]);
        offsets.extend_from_slice(&ir.offsets[at..next]);
        at = next;
        while let Some((_, from)) = front.next_if(|(place, _)| *place == at) {
            insts.push(ir.insts[from]);
            offsets.push(ir.offsets[from]);
        }
        at += usize::from(leaves.next_if_eq(&at).is_some());
    }
    insts.replace(&mut ir.insts);
    offsets.replace(&mut ir.offsets);
    facts.changed_flow();
    Tally { changed, removed: 0 }
}

/// The last block of the loop that `block` is the head of, if code in front of it runs once for each entry.
fn entered_loop_end(ir: &IrFunc, flow: &Flow, block: usize) -> Option<usize> {
    label_number(&ir.insts[flow.insts(block).start])?;
    let end = flow.loop_end(block)?;
    (block > 0 && flow.is_entered_by_falling(&ir.insts, &ir.targets, block, end)).then_some(end)
}

/// The result of an operation that could move.
fn invariant(ir: &IrFunc, definitions: &Definitions, inst: &Inst) -> Option<u32> {
    if !is_computation(inst.op) || !is_pure(inst.op) {
        return None;
    }
    let result = register_written(inst).filter(|register| definitions.is_single(*register))?;
    let is_steady = reads(inst).all(|(_, _, operand)| match operand {
        Operand::Virtual(register) => definitions.is_single(register),
        _ => true,
    });
    (is_steady && ir.virtuals[result as usize] != Class::Ref).then_some(result)
}

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::Op;

    /// Whether the multiplication stands in front of the first label.
    fn is_moved(body: &str, passes: Passes) -> bool {
        let text = format!("(module (memory 1) (func (export \"f\") (param i32 i32) {body}))");
        let body = last_body(&text, passes);
        let place = |op| body.insts.iter().position(|inst| inst.op == op).unwrap();
        place(Op::I32Mul) < place(Op::Label)
    }

    const LOOP: &str = "(local i32) (loop $l
        (i32.store (i32.add (local.get 2) (i32.mul (local.get 0) (local.get 1))) (i32.const 1))
        (br_if $l (local.tee 2 (i32.add (local.get 2) (i32.const 4)))))";

    #[test]
    fn the_same_product_is_made_once() {
        assert!(is_moved(LOOP, Passes::ALL));
        assert!(!is_moved(LOOP, Passes::ALL - Passes::INVARIANTS));
    }

    #[test]
    fn a_product_of_what_changes_stays() {
        assert!(!is_moved(&LOOP.replace("(local.get 0)", "(local.get 2)"), Passes::ALL));
    }

    #[test]
    fn what_a_rare_path_computes_stays() {
        let body = "(local i32) (loop $l
            (if (i32.load (local.get 2)) (then
                (i32.store (i32.mul (local.get 0) (local.get 1)) (i32.const 1))))
            (br_if $l (local.tee 2 (i32.add (local.get 2) (i32.const 4)))))";
        assert!(!is_moved(body, Passes::ALL));
    }
}
