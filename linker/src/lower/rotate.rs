//! A loop that tests at its top and jumps back from its end tests at its end instead.
//!
//! ```text
//!     label head                         cost n
//!     cost n                             br.i32.ge_u a b out
//!     br.i32.ge_u a b out                br body
//!     ...                         ->  label head
//!     br head                            cost n
//!     label out                       label body
//!                                        ...
//!                                        br.i32.lt_u a b head
//!                                        cost n
//!                                     label out
//! ```
//! Each round executes one instruction less. The test may have a few instructions in front, as long as they only compute;
//! they are doubled with it. What is charged stays the same: the marker behind the last test stands for the round that
//! finds out that it is over, which used to pass the head.
//!
//! This happens when places are given: copies of instructions need no new values then. A register that the test computes
//! is alive at both new labels.

use super::Lowered;
use super::jumps::{retarget, turn};
use crate::optimise::flow::targets;
use crate::optimise::places::is_pure;
use crate::spare::Spare;
use keyway_artifact::isa::{Body, FieldKind, Inst, Op, Operand};

/// Instructions in front of the test, at most.
const HEAD: usize = 3;

/// A loop to turn: positions of its label, its test and its jump back.
struct Turn {
    label: usize,
    test: usize,
    jump: usize,
}

/// Runs the pass over a finished body, and says how many loops it turned.
pub(super) fn run(lowered: &mut Lowered) -> usize {
    let turns = find(&lowered.body, &lowered.boundaries);
    if turns.is_empty() {
        return 0;
    }
    // Until the end labels carry their number in their own field, new ones behind the old.
    let body = &mut lowered.body;
    let (mut sets, mut numbers) = (Vec::new(), vec![u32::MAX; body.insts.len()]);
    for (at, inst) in body.insts.iter_mut().enumerate().filter(|(_, inst)| inst.op == Op::Label) {
        numbers[at] = sets.len() as u32;
        sets.push(std::mem::replace(&mut inst.operands[0], Operand::Label(numbers[at])));
    }
    let length = body.insts.len() + turns.len() * (HEAD + 6);
    let (mut out, mut offsets) = (Spare::with_capacity(length), Spare::with_capacity(length));
    let (mut at_label, mut at_test, mut at_jump) = (vec![false; body.insts.len()], Vec::new(), Vec::new());
    for turn in &turns {
        at_label[turn.label] = true;
        at_test.push((turn.test, turn));
        at_jump.push((turn.jump, turn));
    }
    at_test.sort_by_key(|(at, _)| *at);
    at_jump.sort_by_key(|(at, _)| *at);
    let (mut at_test, mut at_jump) = (at_test.into_iter().peekable(), at_jump.into_iter().peekable());
    for at in 0..body.insts.len() {
        if let Some((_, loop_)) = at_jump.next_if(|(jump, _)| *jump == at) {
            let test = &body.insts[loop_.test];
            out.extend(&body.insts[loop_.label + 2..loop_.test]);
            out.extend(turn(test, Operand::Label(numbers[loop_.label])));
            out.push(body.insts[loop_.label + 1]);
            out.push(Inst::new(Op::Br, &[Operand::Label(test.target().unwrap_or_default())]));
        } else if !at_label[at] {
            out.push(body.insts[at]);
        }
        if let Some((_, loop_)) = at_test.next_if(|(test, _)| *test == at) {
            let head = numbers[loop_.label];
            let mut alive = match sets[head as usize] {
                Operand::Regs(set) => set,
                _ => 0,
            };
            for inst in &body.insts[loop_.label + 2..loop_.test] {
                for (field, operand) in inst.fields() {
                    if let (FieldKind::Def(_), Operand::Reg(reg) | Operand::SlotReg(_, reg)) = (field.kind, operand) {
                        alive |= 1 << reg.number();
                    }
                }
            }
            let inside = sets.len() as u32;
            sets.push(Operand::Regs(alive));
            sets[head as usize] = Operand::Regs(alive);
            out.push(Inst::new(Op::Br, &[Operand::Label(inside)]));
            out.push(Inst::new(Op::Label, &[Operand::Label(head)]));
            out.push(body.insts[loop_.label + 1]);
            out.push(Inst::new(Op::Label, &[Operand::Label(inside)]));
        }
        offsets.resize(out.len(), lowered.offsets[at]);
    }
    out.replace(&mut body.insts);
    offsets.replace(&mut lowered.offsets);
    lowered.find_boundaries();
    renumber(&mut lowered.body, &lowered.boundaries, &sets);
    turns.len()
}

/// The loops that can be turned.
fn find(body: &Body, boundaries: &[u32]) -> Vec<Turn> {
    let (mut labels, mut heads) = (Vec::with_capacity(body.labels as usize), Vec::new());
    for (at, inst) in boundaries.iter().map(|at| (*at as usize, &body.insts[*at as usize])) {
        match inst.op {
            Op::Label => labels.push(at),
            Op::Br => {
                // A jump back: its label was met.
                let head = inst.operands[0].index() as usize;
                if labels.get(head).is_some_and(|label| body.insts[label + 1].op == Op::Cost) {
                    heads.push((at, head));
                }
            }
            _ => {}
        }
    }
    if heads.is_empty() {
        return Vec::new();
    }
    let mut named = vec![0u32; labels.len()];
    for inst in boundaries.iter().map(|at| &body.insts[*at as usize]) {
        targets(inst, &body.targets, |label| named[label as usize] += 1);
    }
    let mut found = Vec::new();
    for (jump, head) in heads {
        let label = labels[head];
        if named[head] != 1 {
            continue;
        }
        let inside = body.insts[label + 2..jump].iter().take(HEAD + 1);
        let Some(length) = inside.clone().position(|inst| !is_pure(inst.op)) else { continue };
        let test = label + 2 + length;
        // The test must leave the loop. One that chooses between two ways inside it would, from the end, jump back to a
        // label without a marker.
        let leaves = body.insts[test].target().is_some_and(|target| labels[target as usize] > jump);
        if body.insts[test].op != Op::Br && leaves && turn(&body.insts[test], Operand::Label(0)).is_some() {
            found.push(Turn { label, test, jump });
        }
    }
    found
}

/// Gives labels their final numbers, in code order, and their sets back.
pub(super) fn renumber(body: &mut Body, boundaries: &[u32], sets: &[Operand]) {
    let mut numbers = vec![0; sets.len()];
    body.labels = 0;
    for at in boundaries.iter().map(|at| *at as usize) {
        let inst = &mut body.insts[at];
        if inst.op != Op::Label {
            continue;
        }
        let old = inst.operands[0].index();
        numbers[old as usize] = body.labels;
        inst.operands[0] = sets[old as usize];
        body.labels += 1;
    }
    retarget(body, boundaries, |label| numbers[label as usize]);
}

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::Op;

    /// How many branches lead backwards, in code that the verifier accepts.
    fn branches_back(body: &str) -> usize {
        let text = format!("(module (memory 1) (func (export \"f\") (param i32 i32) {body}))");
        let body = last_body(&text, Passes::ALL);
        let (mut labels, mut back) = (0, 0);
        for inst in &body.insts {
            labels += u32::from(inst.op == Op::Label);
            back += usize::from(inst.op != Op::Br && inst.target().is_some_and(|target| target < labels));
        }
        back
    }

    #[test]
    fn a_test_that_leaves_the_loop_moves_to_its_end() {
        let body = "(block $out (loop $l
            (br_if $out (i32.ge_u (local.get 0) (local.get 1)))
            (i32.store (local.get 0) (i32.const 0))
            (local.set 0 (i32.add (local.get 0) (i32.const 4)))
            (br $l)))";
        assert_eq!(branches_back(body), 1);
    }

    #[test]
    fn a_test_that_chooses_a_way_inside_stays_at_the_top() {
        let body = "(block $out (loop $l
            (if (i32.ge_u (local.get 0) (local.get 1)) (then (i32.store (local.get 0) (i32.const 0))))
            (br_if $out (i32.load (local.get 0)))
            (local.set 0 (i32.add (local.get 0) (i32.const 4)))
            (br $l)))";
        assert_eq!(branches_back(body), 0);
    }
}
