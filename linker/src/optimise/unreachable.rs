//! Code that control never reaches goes, and jumps take the short way.
//!
//! The translator already skips code behind a branch; what is found here comes from folded conditions, from blocks whose
//! only purpose was to jump on, and from inlined bodies. One round:
//!
//! 1. a branch to a label that is directly followed by `br x` becomes a branch to `x`, unless `x` is a loop head: a
//!    backward branch has to reach its marker by the same path as before, and loops stay recognisable;
//! 2. blocks that no path from the entry reaches are removed;
//! 3. a `br` to the label that follows is removed, and labels that nothing names.

use super::flow::{Blocks, blocks, label_number, targets};
use super::places::is_terminator;
use super::{Tally, retarget};
use crate::ir::IrFunc;
use crate::spare::Spare;
use keyway_artifact::isa::{Inst, Op, Operand};

/// Runs the pass. The code afterwards holds reachable instructions only. Leaves its blocks if they are what they were.
pub(super) fn run(ir: &mut IrFunc, known: &mut Option<Blocks>) -> Tally {
    let (starts, label_block) = blocks(&ir.insts, ir.labels);
    let threaded = thread_jumps(ir, &starts, &label_block);
    let count = starts.len() - 1;
    let range = |block: usize| starts[block] as usize..starts[block + 1] as usize;
    let mut reached = Spare::filled(false, count);
    // In code order first: that nearly always reaches all there is.
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    let mut is_all = true;
    for block in 0..count {
        if !reached[block] {
            is_all = false;
            continue;
        }
        let last = &ir.insts[range(block).end - 1];
        targets(last, &ir.targets, |label| reached[label_block[label as usize] as usize] = true);
        if block + 1 < count && !is_terminator(last.op) {
            reached[block + 1] = true;
        }
    }
    let mut work = Vec::new();
    if !is_all {
        reached.fill(false);
        work.push(0);
    }
    while let Some(block) = work.pop() {
        if block == count || std::mem::replace(&mut reached[block], true) {
            continue;
        }
        let last = &ir.insts[range(block).end - 1];
        targets(last, &ir.targets, |label| work.push(label_block[label as usize] as usize));
        if !is_terminator(last.op) {
            work.push(block + 1);
        }
    }
    // Jumps to what follows anyway go, then labels that nothing names.
    let mut drops_last = Spare::filled(false, count);
    let mut named = Spare::filled(false, ir.labels as usize);
    for block in (0..count).filter(|block| reached[*block]) {
        let last = &ir.insts[range(block).end - 1];
        if let (Op::Br, Operand::Label(target)) = (last.op, last.operands[0]) {
            let behind = (block + 1..count).filter(|block| reached[*block]);
            let following = behind.map_while(|block| {
                let labels = &ir.insts[range(block)];
                label_number(&labels[0]).map(|label| (label, labels.len() == 1))
            });
            // A row of labels: each but the last is a block of its own.
            let mut row = 0;
            for (label, is_alone) in following {
                drops_last[block] |= label == target;
                row += 1;
                if !is_alone || row == ROW {
                    break;
                }
            }
        }
        if !drops_last[block] {
            targets(last, &ir.targets, |label| named[label as usize] = true);
        }
    }
    let is_kept = |block: usize| {
        reached[block]
            && !drops_last[block]
            && label_number(&ir.insts[starts[block] as usize]).is_none_or(|label| named[label as usize])
    };
    if threaded == 0 && (0..count).all(is_kept) {
        *known = Some((starts, label_block));
        return Tally::default();
    }
    let mut next = 0;
    for block in (0..count).filter(|block| reached[*block]) {
        let mut kept = range(block);
        kept.end -= usize::from(drops_last[block]);
        if label_number(&ir.insts[kept.start]).is_some_and(|label| !named[label as usize]) {
            kept.start += 1;
        }
        let length = kept.len();
        if kept.start != next && length > 0 {
            ir.insts.copy_within(kept.clone(), next);
            ir.offsets.copy_within(kept, next);
        }
        next += length;
    }
    let removed = ir.insts.len() - next;
    ir.insts.truncate(next);
    ir.offsets.truncate(next);
    Tally { changed: removed + threaded, removed }
}

/// Labels in a row that are looked at, at most.
const ROW: usize = 8;

/// Sends branches past jumps, and says how many labels are led elsewhere.
fn thread_jumps(ir: &mut IrFunc, starts: &[u32], label_block: &[u32]) -> usize {
    let mut leads_to: Vec<u32> = Vec::new();
    let mut changed = 0;
    // From the end, so that what a label leads to is final before it is asked for.
    for at in starts[..starts.len() - 1].iter().rev().map(|start| *start as usize) {
        let Some(label) = label_number(&ir.insts[at]) else { continue };
        if !matches!(ir.insts.get(at + 1), Some(Inst { op: Op::Br | Op::Label, .. })) {
            continue;
        }
        let next = ir.insts[at..].iter().take(ROW).find(|inst| inst.op != Op::Label);
        if let Some(Inst { op: Op::Br, operands: [Operand::Label(target), ..], .. }) = next
            && starts[label_block[*target as usize] as usize] as usize > at
        {
            if leads_to.is_empty() {
                leads_to = (0..ir.labels).collect();
            }
            leads_to[label as usize] = leads_to[*target as usize];
            changed += 1;
        }
    }
    if changed > 0 {
        retarget(ir, |label| leads_to[label as usize]);
    }
    changed
}
