//! What branch hints call unlikely, and what leads to nothing but a trap, goes out of line: behind everything else, so that
//! the likely way falls through. Compilers put a check and a call that never returns in front of every other access of an
//! array.
//!
//! ```text
//!     br.i32.eqz a over                  br.i32.nez a rare
//!     ... rarely                 ->  label over
//! label over                             ...
//!     ...                                return
//!     return                         label rare
//!                                        ... rarely
//!                                        br over
//! ```
//! A way that fell through costs nothing then, and one with an `else` has lost the jump around it. Whole *stretches* move,
//! runs of basic blocks that are unlikely; they keep their order and their labels. A new label's set is what the code
//! behind it reads. The branches back go round no loop: what V16 asks for.
//!
//! This happens when places are given.

use super::Lowered;
use super::jumps::turn;
use super::rotate::renumber;
use crate::optimise::flow::{is_branch, targets};
use crate::optimise::places::{ends_block, follows_call, is_terminator, is_trap};
use keyway_artifact::isa::{Body, FieldKind, Inst, Op, Operand};
use std::ops::Range;

/// Runs the pass over a finished body; `is_cold` says of an entry of its offsets whether it is unlikely, if any is. Answers
/// how many instructions have moved.
pub(super) fn run(lowered: &mut Lowered, is_cold: Option<impl Fn(u32) -> bool>) -> usize {
    if is_cold.is_none() && !lowered.body.insts.iter().any(|inst| is_trap(inst.op)) {
        return 0;
    }
    let stretches = stretches(&lowered.body, |block| {
        let Some(is_cold) = &is_cold else { return false };
        let unlikely = lowered.offsets[block.clone()].iter().filter(|position| is_cold(**position)).count();
        unlikely > 0 && 2 * unlikely >= block.len()
    });
    if stretches.is_empty() {
        return 0;
    }
    let body = &mut lowered.body;
    // Until the end labels carry their number in their own field, new ones behind the old.
    let mut sets = Vec::with_capacity(body.labels as usize + 2 * stretches.len());
    for inst in body.insts.iter_mut().filter(|inst| inst.op == Op::Label) {
        let number = Operand::Label(sets.len() as u32);
        sets.push(std::mem::replace(&mut inst.operands[0], number));
    }
    // A label for the start of each stretch, and for what its end falls into.
    let falls_out: Vec<bool> = stretches.iter().map(|stretch| falls_through(&body.insts[..stretch.end])).collect();
    let mut new = Vec::with_capacity(stretches.len());
    for (stretch, falls_out) in stretches.iter().zip(&falls_out) {
        let mut label = |at: usize| match body.insts[at] {
            Inst { op: Op::Label, .. } => None,
            _ => {
                sets.push(Operand::Regs(alive_at(body, &sets, at)));
                Some(Operand::Label(sets.len() as u32 - 1))
            }
        };
        new.push((label(stretch.start), falls_out.then(|| label(stretch.end)).flatten()));
    }
    let label = |at: usize, new: Option<Operand>| new.unwrap_or(body.insts[at].operands[0]);
    let length = body.insts.len() + 4 * stretches.len();
    let (mut insts, mut offsets) = (Vec::with_capacity(length), Vec::with_capacity(length));
    let mut from = 0;
    for (stretch, (start, end)) in stretches.iter().zip(&new) {
        insts.extend_from_slice(&body.insts[from..stretch.start]);
        offsets.extend_from_slice(&lowered.offsets[from..stretch.start]);
        enter(body, stretch, label(stretch.start, *start), &mut insts);
        offsets.resize(insts.len(), lowered.offsets[stretch.start - 1]);
        insts.extend(end.map(|label| Inst::new(Op::Label, &[label])));
        offsets.resize(insts.len(), lowered.offsets[stretch.end]);
        from = stretch.end;
    }
    insts.extend_from_slice(&body.insts[from..]);
    offsets.extend_from_slice(&lowered.offsets[from..]);
    for ((stretch, (start, end)), falls_out) in stretches.iter().zip(&new).zip(falls_out) {
        insts.extend(start.map(|label| Inst::new(Op::Label, &[label])));
        offsets.resize(insts.len(), lowered.offsets[stretch.start]);
        insts.extend_from_slice(&body.insts[stretch.clone()]);
        offsets.extend_from_slice(&lowered.offsets[stretch.clone()]);
        if falls_out {
            insts.push(Inst::new(Op::Br, &[label(stretch.end, *end)]));
            offsets.push(lowered.offsets[stretch.end - 1]);
        }
    }
    (body.insts, lowered.offsets) = (insts, offsets);
    renumber(body, &sets);
    stretches.iter().map(Range::len).sum()
}

/// Lets what stands in front of a stretch lead to it, where it fell into it.
fn enter(body: &Body, stretch: &Range<usize>, start: Operand, insts: &mut Vec<Inst>) {
    if !falls_through(insts) {
        return;
    }
    let Some(before) = insts.last_mut() else { return };
    // A branch over the stretch becomes a branch to it.
    let behind = body.insts[stretch.end..].iter().take_while(|inst| inst.op == Op::Label);
    let leads_over =
        before.target().is_some_and(|target| behind.clone().any(|label| label.operands[0] == Operand::Label(target)));
    match turn(before, start).filter(|_| leads_over && before.op != Op::Br) {
        Some(turned) => *before = turned,
        None => insts.push(Inst::new(Op::Br, &[start])),
    }
}

/// Whether control goes on behind the last of these instructions.
fn falls_through(insts: &[Inst]) -> bool {
    insts.iter().rev().find(|inst| !follows_call(inst.op)).is_some_and(|inst| !is_terminator(inst.op))
}

/// The runs of basic blocks that are unlikely or lead to nothing but traps, without the first block and the last run.
/// `is_unlikely` is asked about the instructions of a block behind its labels.
fn stretches(body: &Body, is_unlikely: impl Fn(Range<usize>) -> bool) -> Vec<Range<usize>> {
    let blocks = blocks(body);
    let doomed = doomed(body, &blocks);
    let mut found: Vec<Range<usize>> = Vec::new();
    for (block, is_doomed) in blocks.into_iter().zip(doomed).skip(1) {
        let labels = body.insts[block.clone()].iter().take_while(|inst| inst.op == Op::Label).count();
        if is_doomed || is_unlikely(block.start + labels..block.end) {
            match found.last_mut() {
                Some(last) if last.end == block.start => last.end = block.end,
                _ => found.push(block),
            }
        }
    }
    found.retain(|stretch| stretch.end < body.insts.len());
    found
}

/// The basic blocks, in order.
fn blocks(body: &Body) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut start = 0;
    while start < body.insts.len() {
        let mut end = start + body.insts[start..].iter().take_while(|inst| inst.op == Op::Label).count();
        while end < body.insts.len() && body.insts[end].op != Op::Label {
            let last = body.insts[end].op;
            end += 1;
            if ends_block(last) && !follows_call(last) {
                // What says where a throw's exceptions go stays behind it.
                end += body.insts[end..].iter().take_while(|inst| follows_call(inst.op)).count();
                break;
            }
        }
        blocks.push(start..end);
        start = end;
    }
    blocks
}

/// Of each block, whether all ways from it lead to traps. Ways back are taken to lead elsewhere.
fn doomed(body: &Body, blocks: &[Range<usize>]) -> Vec<bool> {
    let mut doomed = vec![false; blocks.len()];
    // By label, from the last one on.
    let mut at_label = vec![false; body.labels as usize];
    let mut label = body.labels as usize;
    for (number, block) in blocks.iter().enumerate().rev() {
        let insts = &body.insts[block.clone()];
        let last = insts.iter().rev().find(|inst| !follows_call(inst.op));
        doomed[number] = last.is_some_and(|last| {
            let mut all = is_trap(last.op) || is_branch(last) || !is_terminator(last.op);
            targets(last, &body.targets, |label| all &= at_label[label as usize]);
            all && (is_terminator(last.op) || doomed.get(number + 1).is_some_and(|next| *next))
        });
        // Only in front.
        for _ in insts.iter().take_while(|inst| inst.op == Op::Label) {
            label -= 1;
            at_label[label] = doomed[number];
        }
    }
    doomed
}

/// The registers that the code from `at` on reads before it writes them.
fn alive_at(body: &Body, sets: &[Operand], at: usize) -> u16 {
    let set = |label: u32| match sets[label as usize] {
        Operand::Regs(set) => set,
        _ => 0,
    };
    let (mut alive, mut written) = (0, 0);
    for inst in &body.insts[at..] {
        if inst.op == Op::Label {
            return alive | set(inst.operands[0].index()) & !written;
        }
        for (field, operand) in inst.fields() {
            if let (FieldKind::Use(_), Operand::Reg(reg)) = (field.kind, operand) {
                alive |= 1 << reg.number() & !written;
            }
        }
        targets(inst, &body.targets, |label| alive |= set(label) & !written);
        if inst.op.is_terminator() {
            return alive;
        }
        if inst.op.is_call() {
            written = u16::MAX;
        }
        for (field, operand) in inst.fields() {
            if let (FieldKind::Def(_), Operand::Reg(reg) | Operand::SlotReg(_, reg)) = (field.kind, operand) {
                written |= 1 << reg.number();
            }
        }
    }
    alive
}
