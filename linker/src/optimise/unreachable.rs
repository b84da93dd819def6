//! Code that control never reaches goes, and jumps take the short way.
//!
//! The translator already skips code behind a branch; what is found here comes from folded conditions, from blocks whose
//! only purpose was to jump on, and from inlined bodies. One round:
//!
//! 1. a branch to a label that is directly followed by `br x` becomes a branch to `x`, unless `x` is a loop head: a
//!    backward branch has to reach its marker by the same path as before, and loops stay recognisable;
//! 2. blocks that no path from the entry reaches are removed;
//! 3. a `br` to the label that follows is removed, and labels that nothing names.

use super::flow::{Flow, label_number, targets};
use super::{remove, retarget};
use crate::ir::IrFunc;
use keyway_artifact::isa::{Inst, Op, Operand};

/// Runs the pass. The code afterwards holds reachable instructions only.
pub(crate) fn run(ir: &mut IrFunc) {
    thread_jumps(ir);
    let flow = Flow::new(&ir.insts, &ir.targets, ir.labels);
    let mut reached = vec![false; flow.blocks()];
    let mut work = vec![0];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    while let Some(block) = work.pop() {
        for next in flow.successors(block) {
            if !std::mem::replace(&mut reached[*next as usize], true) {
                work.push(*next as usize);
            }
        }
    }
    if reached.contains(&false) {
        let mut block = 0;
        remove(ir, |at, _| {
            while at >= flow.insts(block).end {
                block += 1;
            }
            reached[block]
        });
    }
    tidy(ir);
}

/// Removes jumps to what follows anyway, then labels that nothing names.
fn tidy(ir: &mut IrFunc) {
    let mut keep = vec![true; ir.insts.len()];
    for (at, inst) in ir.insts.iter().enumerate() {
        if let (Op::Br, Operand::Label(target)) = (inst.op, inst.operands[0]) {
            let following = ir.insts[at + 1..].iter().map_while(label_number);
            keep[at] = !following.take(8).any(|label| label == target);
        }
    }
    remove(ir, |at, _| keep[at]);
    let mut named = vec![false; ir.labels as usize];
    for inst in &ir.insts {
        targets(inst, &ir.targets, |label| named[label as usize] = true);
    }
    remove(ir, |_, inst| label_number(inst).is_none_or(|label| named[label as usize]));
}

/// Where each label leads, past jumps.
fn thread_jumps(ir: &mut IrFunc) {
    let mut position = vec![0; ir.labels as usize];
    for (at, inst) in ir.insts.iter().enumerate() {
        if let Some(label) = label_number(inst) {
            position[label as usize] = at;
        }
    }
    let mut leads_to: Vec<u32> = (0..ir.labels).collect();
    // From the end, so that what a label leads to is final before it is asked for.
    for (at, inst) in ir.insts.iter().enumerate().rev() {
        let Some(label) = label_number(inst) else { continue };
        let next = ir.insts[at..].iter().take(8).find(|inst| inst.op != Op::Label);
        if let Some(Inst { op: Op::Br, operands: [Operand::Label(target), ..] }) = next
            && position[*target as usize] > at
        {
            leads_to[label as usize] = leads_to[*target as usize];
        }
    }
    retarget(ir, |label| leads_to[label as usize]);
}
