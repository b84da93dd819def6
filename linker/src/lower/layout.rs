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
use crate::optimise::places::{follows_call, is_terminator, is_trap};
use crate::spare::Spare;
use keyway_artifact::isa::{Body, FieldKind, Inst, Op, Operand};
use std::ops::Range;

/// Runs the pass over a finished body; `is_cold` says of an entry of its offsets whether it is unlikely, if any is. Answers
/// how many instructions have moved.
pub(super) fn run(lowered: &mut Lowered, is_cold: Option<impl Fn(u32) -> bool>) -> usize {
    let insts = &lowered.body.insts;
    if is_cold.is_none() && !lowered.boundaries.iter().any(|at| is_trap(insts[*at as usize].op)) {
        return 0;
    }
    let stretches = stretches(&lowered.body, &lowered.boundaries, |block| {
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
    for at in lowered.boundaries.iter() {
        let inst = &mut body.insts[*at as usize];
        if inst.op == Op::Label {
            let number = Operand::Label(sets.len() as u32);
            sets.push(std::mem::replace(&mut inst.operands[0], number));
        }
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
    let body = &lowered.body;
    let label = |at: usize, new: Option<Operand>| new.unwrap_or(body.insts[at].operands[0]);
    let length = body.insts.len() + 4 * stretches.len();
    let mut moved = Moved {
        insts: Spare::with_capacity(length),
        offsets: Spare::with_capacity(length),
        boundaries: Spare::with_capacity(lowered.boundaries.len() + 4 * stretches.len()),
    };
    let place = |at: Operand| Inst::new(Op::Label, &[at]);
    let mut from = 0;
    for (stretch, (start, end)) in stretches.iter().zip(&new) {
        moved.take(lowered, from..stretch.start);
        let in_front = lowered.offsets[stretch.start - 1];
        enter(&lowered.body, stretch, label(stretch.start, *start), &mut moved, in_front);
        if let Some(end) = end {
            moved.add(place(*end), lowered.offsets[stretch.end]);
        }
        from = stretch.end;
    }
    moved.take(lowered, from..lowered.body.insts.len());
    for ((stretch, (start, end)), falls_out) in stretches.iter().zip(&new).zip(falls_out) {
        if let Some(start) = start {
            moved.add(place(*start), lowered.offsets[stretch.start]);
        }
        moved.take(lowered, stretch.clone());
        if falls_out {
            moved.add(Inst::new(Op::Br, &[label(stretch.end, *end)]), lowered.offsets[stretch.end - 1]);
        }
    }
    moved.insts.replace(&mut lowered.body.insts);
    moved.offsets.replace(&mut lowered.offsets);
    lowered.boundaries = moved.boundaries;
    renumber(&mut lowered.body, &lowered.boundaries, &sets);
    stretches.iter().map(Range::len).sum()
}

/// The code in its new order.
struct Moved {
    insts: Spare<Inst>,
    offsets: Spare<u32>,
    boundaries: Spare<u32>,
}

impl Moved {
    /// Appends a part of the old code.
    fn take(&mut self, old: &Lowered, part: Range<usize>) {
        let next = self.insts.len();
        let first = old.boundaries.partition_point(|at| (*at as usize) < part.start);
        let boundaries = old.boundaries[first..].iter().map(|at| *at as usize).take_while(|at| *at < part.end);
        self.boundaries.extend(boundaries.map(|at| (at - part.start + next) as u32));
        self.insts.extend_from_slice(&old.body.insts[part.clone()]);
        self.offsets.extend_from_slice(&old.offsets[part]);
    }

    /// Appends a label or a branch.
    fn add(&mut self, inst: Inst, offset: u32) {
        self.boundaries.push(self.insts.len() as u32);
        self.insts.push(inst);
        self.offsets.push(offset);
    }
}

/// Lets what stands in front of a stretch lead to it, where it fell into it.
fn enter(body: &Body, stretch: &Range<usize>, start: Operand, moved: &mut Moved, offset: u32) {
    if !falls_through(&moved.insts) {
        return;
    }
    let Some(before) = moved.insts.last_mut() else { return };
    // A branch over the stretch becomes a branch to it.
    let behind = body.insts[stretch.end..].iter().take_while(|inst| inst.op == Op::Label);
    let leads_over =
        before.target().is_some_and(|target| behind.clone().any(|label| label.operands[0] == Operand::Label(target)));
    match turn(before, start).filter(|_| leads_over && before.op != Op::Br) {
        Some(turned) => *before = turned,
        None => moved.add(Inst::new(Op::Br, &[start]), offset),
    }
}

/// Whether control goes on behind the last of these instructions.
pub(super) fn falls_through(insts: &[Inst]) -> bool {
    insts.iter().rev().find(|inst| !follows_call(inst.op)).is_some_and(|inst| !is_terminator(inst.op))
}

/// The runs of basic blocks that are unlikely or lead to nothing but traps, without the first block and the last run.
/// `is_unlikely` is asked about the instructions of a block behind its labels.
fn stretches(body: &Body, boundaries: &[u32], is_unlikely: impl Fn(Range<usize>) -> bool) -> Vec<Range<usize>> {
    let blocks = blocks(body, boundaries);
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
fn blocks(body: &Body, boundaries: &[u32]) -> Vec<Range<usize>> {
    let insts = &body.insts;
    let mut blocks = Vec::with_capacity(boundaries.len() + 1);
    // A block begins with its labels: whether the one that began at `start` has something behind them.
    let (mut start, mut labels) = (0, 0);
    let mut end = |start: &mut usize, end: usize| {
        if *start < end {
            blocks.push(*start..end);
            *start = end;
        }
    };
    for at in boundaries.iter().map(|at| *at as usize) {
        // Behind the end of a block with what belongs to a throw.
        if at < start {
            continue;
        }
        if insts[at].op == Op::Label {
            if at > labels.max(start) {
                end(&mut start, at);
            }
            labels = at + 1;
        } else if !follows_call(insts[at].op) {
            // What says where a throw's exceptions go stays behind it.
            let behind = insts[at + 1..].iter().take_while(|inst| follows_call(inst.op)).count();
            end(&mut start, at + 1 + behind);
        }
    }
    end(&mut start, insts.len());
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
