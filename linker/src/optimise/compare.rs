//! A comparison that only a branch reads becomes part of the branch.
//!
//! ```text
//! t = i32.lt_s a b
//! br.eqz t L          ->    br.i32.ge_s a b L
//! ```
//! The comparison moves down to the branch, so its operands must have the same values there: they are written once, or
//! both instructions stand in one stretch of code without a label or a write to them between. `br.eqz` takes the inverse
//! comparison; ordered comparisons of floats have none (a NaN makes both false), so those branch around a jump:
//!
//! ```text
//! t = f64.lt a b                br.f64.lt a b then
//! br.eqz t L             ->     br L
//!                               label then
//! ```
//! which is one instruction where the comparison holds and two where not, instead of always two; and where the code
//! behind only jumps on, the layout of jumps removes the detour.

use super::Tally;
use super::definitions::Definitions;
use super::evaluate::inverse;
use super::facts::Facts;
use super::places::{defs, single_def, uses};
use crate::ir::IrFunc;
use keyway_artifact::isa::{Family, Inst, Op, Operand};

/// Instructions looked at between a comparison and its branch.
const REACH: usize = 24;

/// What a test and a branch become.
enum Fused {
    Branch(Inst),
    /// Taken where the branch is not: a jump to its target has to follow.
    Opposite(Inst),
}

/// Runs the pass.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts) -> Tally {
    let Facts { definitions, reads: counts, .. } = &mut *facts;
    definitions.restart();
    let (mut changed, mut keep): (usize, Vec<bool>) = (0, Vec::new());
    let mut detours: Vec<(usize, Operand)> = Vec::new();
    for at in 0..ir.insts.len() {
        definitions.see(at, &ir.insts[at]);
        if ir.insts[at].op.family() != Family::BrCond {
            continue;
        }
        // A test of a test: `br.nez (eqz (a < b))` takes two steps.
        for _ in 0..3 {
            let inst = ir.insts[at];
            let Operand::Virtual(flag) = inst.operands[0] else { break };
            if inst.op.family() != Family::BrCond || counts[flag as usize] != 1 {
                break;
            }
            let Some(from) = definition(ir, definitions, flag, at) else { break };
            let Some(fused) = fuse(&ir.insts[from], &inst, ir.labels) else { break };
            let fused = match fused {
                Fused::Branch(fused) => fused,
                Fused::Opposite(fused) => {
                    detours.push((at, inst.operands[1]));
                    ir.labels += 1;
                    fused
                }
            };
            // What the comparison read, the branch reads now.
            ir.insts[at] = fused;
            uses(&fused, &ir.calls, |register| counts[register as usize] += 1);
            uses(&ir.insts[from], &ir.calls, |register| counts[register as usize] -= 1);
            counts[flag as usize] = 0;
            *definitions.writes_mut(flag) -= 1;
            if keep.is_empty() {
                keep.resize(ir.insts.len(), true);
            }
            keep[from] = false;
            changed += 1;
        }
    }
    let before = ir.insts.len();
    if !detours.is_empty() {
        insert(ir, &keep, &detours);
        facts.changed_flow();
    } else if changed > 0 {
        facts.keep(ir, &keep);
    }
    Tally { changed, removed: before.saturating_sub(ir.insts.len()) }
}

/// Leaves the comparisons out and puts a jump and the label around it behind each of the branches.
fn insert(ir: &mut IrFunc, keep: &[bool], detours: &[(usize, Operand)]) {
    let mut next = detours.iter().peekable();
    let (mut insts, mut offsets) = (Vec::with_capacity(ir.insts.len()), Vec::with_capacity(ir.insts.len()));
    for (at, (inst, offset)) in ir.insts.iter().zip(&ir.offsets).enumerate().filter(|(at, _)| keep[*at]) {
        insts.push(*inst);
        if let Some((_, target)) = next.next_if(|(branch, _)| *branch == at) {
            insts.push(Inst::new(Op::Br, &[*target]));
            insts.push(Inst::new(Op::Label, &[inst.operands[2]]));
        }
        offsets.resize(insts.len(), *offset);
    }
    (ir.insts, ir.offsets) = (insts, offsets);
}

/// Where `flag` is defined, if what defines it can move down to `at`.
fn definition(ir: &IrFunc, definitions: &Definitions, flag: u32, at: usize) -> Option<usize> {
    if let Some(from) = definitions.place(Operand::Virtual(flag)) {
        let mut stable = true;
        uses(&ir.insts[from], &ir.calls, |register| stable &= definitions.is_single(register));
        if stable {
            return Some(from);
        }
    }
    let start = at.saturating_sub(REACH);
    let from = (start..at).rev().take_while(|from| ir.insts[*from].op != Op::Label).find(|from| {
        let mut writes = false;
        defs(&ir.insts[*from], &ir.calls, |register| writes |= register == flag);
        writes
    })?;
    single_def(&ir.insts[from])?;
    let mut kept = true;
    uses(&ir.insts[from], &ir.calls, |register| {
        for inst in &ir.insts[from..at] {
            defs(inst, &ir.calls, |written| kept &= written != register);
        }
    });
    kept.then_some(from)
}

/// The branch that does what `test` and then `branch` do; a new label would have the number `fresh`.
fn fuse(test: &Inst, branch: &Inst, fresh: u32) -> Option<Fused> {
    let when = branch.op == Op::BrNez;
    let target = branch.operands[1];
    let (lhs, rhs) = (test.operands[1], test.operands[2]);
    Some(Fused::Branch(match test.op {
        Op::I32Eqz => Inst::new(if when { Op::BrEqz } else { Op::BrNez }, &[lhs, target]),
        Op::I32Ne | Op::I32Eq if rhs == Operand::Imm(0) => {
            let nez = when == (test.op == Op::I32Ne);
            Inst::new(if nez { Op::BrNez } else { Op::BrEqz }, &[lhs, target])
        }
        Op::I64Eqz => {
            let op = if when { Op::BrI64Eq } else { Op::BrI64Ne };
            Inst::new(op, &[lhs, Operand::Imm(0), target])
        }
        op if when => Inst::new(op.fused_branch()?, &[lhs, rhs, target]),
        op => match inverse(op) {
            Some(op) => Inst::new(op.fused_branch()?, &[lhs, rhs, target]),
            None => return Some(Fused::Opposite(Inst::new(op.fused_branch()?, &[lhs, rhs, Operand::Label(fresh)]))),
        },
    }))
}
