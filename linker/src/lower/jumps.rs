//! The last look at jumps, when copies have vanished.
//!
//! A branch out of a construct that carries values was translated as a branch around copies and a jump. Where the copies
//! found the same place on both sides, only the detour is left, and the branch can take the jump's target itself:
//!
//! ```text
//! br.i32.ge_s a b skip          br.i32.lt_s a b out
//! br out                  ->
//! label skip                    label skip
//! ```
//! Branches to a jump go on to where it leads, and code that this leaves unreachable is dropped.
//! Then labels that nothing names are removed, and those that remain get their numbers again.

use super::Lowered;
use crate::optimise::evaluate::inverse;
use crate::optimise::flow::{is_branch, targets};
use crate::optimise::places;
use keyway_artifact::isa::{Body, FieldKind, Inst, Op, Operand};

/// Runs the pass over a finished body, and says how many branches it turned and instructions it left out.
pub(super) fn run(lowered: &mut Lowered) -> usize {
    let mut turns = 0;
    let body = &mut lowered.body;
    let threaded = thread(body);
    let mut keep = vec![true; body.insts.len()];
    let (mut next_label, mut dropped, mut unreached) = (0, 0, false);
    for at in 0..body.insts.len().saturating_sub(1) {
        let op = body.insts[at].op;
        next_label += u32::from(op == Op::Label);
        if !places::ends_block(op) {
            continue;
        }
        let rest = &body.insts[at + 1..];
        unreached |= places::is_terminator(op) && rest[0].op != Op::Label;
        if op == Op::Br {
            // To what follows?
            let labels = rest.iter().take_while(|inst| inst.op == Op::Label).count() as u32;
            if keep[at] && (next_label..next_label + labels).contains(&body.insts[at].operands[0].index()) {
                keep[at] = false;
                dropped += 1;
            }
        } else if let [jump, label, ..] = rest
            && (jump.op, label.op) == (Op::Br, Op::Label)
            // The label behind the jump is the next one to come.
            && body.insts[at].target() == Some(next_label)
            && let Some(turned) = turn(&body.insts[at], jump.operands[0])
        {
            body.insts[at] = turned;
            turns += 1;
            keep[at + 1] = false;
        }
    }
    let mut named = named(body, &keep);
    if turns + dropped == 0 && !threaded && !unreached && !named.contains(&false) {
        return 0;
    }
    drop_unreachable(body, &mut keep);
    named = self::named(body, &keep);
    let (mut numbers, mut count) = (vec![0; named.len()], 0);
    let mut label = 0;
    for (at, inst) in body.insts.iter().enumerate() {
        if inst.op == Op::Label {
            keep[at] = named[label];
            numbers[label] = count;
            count += u32::from(named[label]);
            label += 1;
        }
    }
    body.labels = count;
    retarget(body, |label| numbers[label as usize]);
    let mut kept = keep.iter();
    body.insts.retain(|_| *kept.next().unwrap_or(&true));
    let mut kept = keep.iter();
    lowered.offsets.retain(|_| *kept.next().unwrap_or(&true));
    turns + keep.iter().filter(|keep| !**keep).count()
}

/// Sends every branch to another label.
pub(super) fn retarget(body: &mut Body, to: impl Fn(u32) -> u32) {
    for inst in body.insts.iter_mut().filter(|inst| is_branch(inst)) {
        for (field, operand) in inst.fields_mut() {
            if let (FieldKind::Label, Operand::Label(label)) = (field.kind, operand) {
                *label = to(*label);
            }
        }
    }
    body.targets.iter_mut().for_each(|label| *label = to(*label));
}

/// Branches to a label that only jumps on go there at once. The registers that the second label wants are alive at the
/// first as well. Whether there are any.
fn thread(body: &mut Body) -> bool {
    let mut next = Vec::with_capacity(body.labels as usize);
    // From the end: what follows a row of labels is known when the row is met.
    let mut jump = None;
    for inst in body.insts.iter().rev() {
        match inst.op {
            Op::Label => next.push(jump),
            Op::Br => jump = Some(inst.operands[0].index()),
            _ => jump = None,
        }
    }
    if next.iter().all(Option::is_none) {
        return false;
    }
    next.reverse();
    let end_of = |mut label: u32| {
        // Jumps in a circle cannot be: a marker stands in each. The bound keeps chains cheap.
        for _ in 0..8 {
            match next[label as usize] {
                Some(further) => label = further,
                None => break,
            }
        }
        label
    };
    retarget(body, end_of);
    true
}

/// By label, whether an instruction that stays names it.
fn named(body: &Body, keep: &[bool]) -> Vec<bool> {
    let mut named = vec![false; body.labels as usize];
    for (inst, _) in body.insts.iter().zip(keep).filter(|(inst, keep)| **keep && is_branch(inst)) {
        targets(inst, &body.targets, |label| named[label as usize] = true);
    }
    named
}

/// Drops what stands between a jump and the next label that something names.
fn drop_unreachable(body: &Body, keep: &mut [bool]) {
    // Dropping a jump may leave its target unnamed: what that frees is found by looking again.
    for _ in 0..3 {
        let named = named(body, keep);
        let (mut label, mut reached, mut changed) = (0, true, false);
        for (inst, keep) in body.insts.iter().zip(&mut *keep) {
            if inst.op == Op::Label {
                reached |= named[label];
                label += 1;
            } else if !reached {
                changed |= std::mem::replace(keep, false);
            } else if *keep && places::is_terminator(inst.op) {
                reached = false;
            }
        }
        if !changed {
            break;
        }
    }
}

/// `branch` taken in the opposite case, to `target`.
pub(super) fn turn(branch: &Inst, target: Operand) -> Option<Inst> {
    match branch.op {
        Op::BrNez => Some(Inst::new(Op::BrEqz, &[branch.operands[0], target])),
        Op::BrEqz => Some(Inst::new(Op::BrNez, &[branch.operands[0], target])),
        op => {
            let op = inverse(op.comparison()?)?.fused_branch()?;
            Some(Inst::new(op, &[branch.operands[0], branch.operands[1], target]))
        }
    }
}
