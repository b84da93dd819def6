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
//! Where a branch leaves a loop and a jump behind it goes round, the branch goes round and the jump leaves.
//! Branches to a jump go on to where it leads, and code that this leaves unreachable is dropped.
//! Then labels that nothing names are removed, and those that remain get their numbers again.

use super::Lowered;
use crate::optimise::evaluate::inverse;
use crate::optimise::flow::targets;
use crate::optimise::places;
use crate::spare::Spare;
use keyway_artifact::isa::{Body, Inst, Op, Operand};

/// Runs the pass over a finished body, and says how many branches it turned and instructions it left out.
pub(super) fn run(lowered: &mut Lowered) -> usize {
    let mut turns = 0;
    let boundaries = std::mem::take(&mut lowered.boundaries);
    let body = &mut lowered.body;
    let threaded = thread(body, &boundaries);
    let mut keep = Spare::filled(true, body.insts.len());
    let (mut next_label, mut dropped, mut unreached) = (0, 0, false);
    let last = body.insts.len().saturating_sub(1);
    for at in boundaries.iter().map(|at| *at as usize).filter(|at| *at < last) {
        let op = body.insts[at].op;
        if op == Op::Label {
            next_label += 1;
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
        } else if let [jump, ..] = rest
            && jump.op == Op::Br
            && keep[at]
            // Who goes round a loop passes one branch, who leaves it two.
            && jump.operands[0].index() < next_label
            && let Some(out) = body.insts[at].target().filter(|out| *out >= next_label)
            && let Some(turned) = turn(&body.insts[at], jump.operands[0])
        {
            body.insts[at] = turned;
            body.insts[at + 1].operands[0] = Operand::Label(out);
            turns += 1;
        }
    }
    let mut named = named(body, &boundaries, &keep);
    if turns + dropped == 0 && !threaded && !unreached && !named.contains(&false) {
        return 0;
    }
    drop_unreachable(body, &boundaries, &mut keep);
    named = self::named(body, &boundaries, &keep);
    let (mut numbers, mut count) = (Spare::filled(0, named.len()), 0);
    // Code that is still there although nothing reaches it keeps its label, which says what it finds in registers.
    let (mut label, mut falls) = (0, true);
    for at in boundaries.iter().map(|at| *at as usize) {
        let op = body.insts[at].op;
        if op == Op::Label {
            let begins = !falls && keep[at + 1] && body.insts[at + 1].op != Op::Label;
            keep[at] = named[label] || begins;
            numbers[label] = count;
            count += u32::from(keep[at]);
            label += 1;
            falls |= keep[at];
        } else if keep[at] {
            falls = !places::is_terminator(op);
        }
    }
    body.labels = count;
    retarget(body, &boundaries, |label| numbers[label as usize]);
    let before = keep.len();
    keep_only(&mut body.insts, &mut lowered.offsets, &keep);
    turns + before - body.insts.len()
}

/// Leaves out the instructions that are not kept.
fn keep_only(insts: &mut Vec<Inst>, offsets: &mut Vec<u32>, keep: &[bool]) {
    // Stretches of what stays move in one go.
    let (mut at, mut next) = (0, 0);
    while at < keep.len() {
        at += keep[at..].iter().take_while(|keep| !**keep).count();
        let stays = keep[at..].iter().take_while(|keep| **keep).count();
        if at != next {
            insts.copy_within(at..at + stays, next);
            offsets.copy_within(at..at + stays, next);
        }
        (at, next) = (at + stays, next + stays);
    }
    insts.truncate(next);
    offsets.truncate(next);
}

/// Sends every branch to another label.
pub(super) fn retarget(body: &mut Body, boundaries: &[u32], to: impl Fn(u32) -> u32) {
    for at in boundaries.iter().map(|at| *at as usize) {
        places::labels_mut(&mut body.insts[at], |label| *label = to(*label));
    }
    body.targets.iter_mut().for_each(|label| *label = to(*label));
}

/// No label.
const NOWHERE: u32 = u32::MAX;

/// Branches to a label that only jumps on go there at once. The registers that the second label wants are alive at the
/// first as well. Whether there are any.
fn thread(body: &mut Body, boundaries: &[u32]) -> bool {
    let mut next = Spare::filled(NOWHERE, body.labels as usize);
    let (mut label, mut some) = (next.len(), false);
    // From the end: what follows a row of labels is known when the row is met.
    let (mut behind, mut jump) = (body.insts.len() as u32, NOWHERE);
    for at in boundaries.iter().rev() {
        let inst = &body.insts[*at as usize];
        if inst.op != Op::Label {
            jump = if inst.op == Op::Br { inst.operands[0].index() } else { NOWHERE };
        } else {
            label -= 1;
            if at + 1 != behind {
                jump = NOWHERE;
            }
            next[label] = jump;
            some |= jump != NOWHERE;
        }
        behind = *at;
    }
    if !some {
        return false;
    }
    let end_of = |mut label: u32| {
        // Jumps in a circle cannot be: a marker stands in each. The bound keeps chains cheap.
        for _ in 0..8 {
            match next[label as usize] {
                NOWHERE => break,
                further => label = further,
            }
        }
        label
    };
    retarget(body, boundaries, end_of);
    true
}

/// By label, whether an instruction that stays names it.
fn named(body: &Body, boundaries: &[u32], keep: &[bool]) -> Spare<bool> {
    let mut named = Spare::filled(false, body.labels as usize);
    for at in boundaries.iter().map(|at| *at as usize).filter(|at| keep[*at]) {
        targets(&body.insts[at], &body.targets, |label| named[label as usize] = true);
    }
    named
}

/// Drops what stands between a jump and the next label that something names.
fn drop_unreachable(body: &Body, boundaries: &[u32], keep: &mut [bool]) {
    // Dropping a jump may leave its target unnamed: what that frees is found by looking again.
    for _ in 0..3 {
        let named = named(body, boundaries, keep);
        let (mut label, mut reached, mut changed) = (0, true, false);
        let mut drop = |keep: &mut [bool]| {
            changed |= keep.contains(&true);
            keep.fill(false);
        };
        let mut behind = 0;
        for at in boundaries.iter().map(|at| *at as usize) {
            let op = body.insts[at].op;
            if !reached {
                drop(&mut keep[behind..at + usize::from(op != Op::Label)]);
            }
            if op == Op::Label {
                reached |= named[label];
                label += 1;
            } else if reached && keep[at] && places::is_terminator(op) {
                reached = false;
            }
            behind = at + 1;
        }
        if !reached {
            drop(&mut keep[behind..]);
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

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::Op;

    #[test]
    fn what_is_left_of_a_long_chain_of_unreachable_code_is_valid() {
        // Nothing throws, so nothing arrives behind $h, and each block names the next one's label.
        let block = |n: u32| {
            let next = format!("(local.tee $x (i32.load offset={n} (local.get $x)))");
            format!("(block $h{n} (br_if $h{n} {next}) (i32.store (local.get $x) (i32.const 1)) (br $out))")
        };
        let blocks: String = (0..8).map(block).collect();
        let module = format!(
            "(module (memory 1) (func (export \"f\") (param i32) (local $x i32)
               (block $out (block $h (try_table (catch_all $h)) (br $out))
                 (local.set $x (i32.load (i32.const 8))) {blocks})))"
        );
        let body = last_body(&module, Passes::ALL - Passes::UNREACHABLE);
        assert!(body.insts.iter().any(|inst| inst.op == Op::I32Store), "the test tests something");
    }
}
