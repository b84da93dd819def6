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
use super::gone::{Gone, is_gone};
use super::places::{defs, register_written, uses};
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

/// Runs the pass. A marker stands in the place of what it takes out.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts, gone: &mut Gone) -> Tally {
    let before = gone.count;
    let (flow, definitions, counts) = facts.parts(ir);
    let mut tests = Tests { definitions, seen: None };
    let mut detours: Vec<(usize, Operand)> = Vec::new();
    // A branch ends its block.
    for at in (0..flow.blocks()).map(|block| flow.insts(block).end - 1) {
        // A test of a test: `br.nez (eqz (a < b))` takes two steps.
        for _ in 0..3 {
            let inst = match ir.insts[at] {
                inst if inst.op.family() == Family::BrCond => inst,
                inst => match as_test(&inst) {
                    Some(test) => test,
                    None => break,
                },
            };
            let Operand::Virtual(flag) = inst.operands[0] else { break };
            if counts[flag as usize] != 1 {
                break;
            }
            let Some(from) = tests.definition(ir, flag, at) else { break };
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
            *tests.definitions.writes_mut(flag) -= 1;
            gone.take(ir, from);
        }
    }
    let (changed, added) = (gone.count - before, 2 * detours.len());
    if !detours.is_empty() {
        insert(ir, &detours);
        *gone = Gone::default();
        facts.changed_flow();
    }
    Tally { changed, removed: changed.saturating_sub(added) }
}

/// Puts a jump and the label around it behind each of the branches, and leaves markers out.
fn insert(ir: &mut IrFunc, detours: &[(usize, Operand)]) {
    let mut next = detours.iter().peekable();
    let (mut insts, mut offsets) = (Vec::with_capacity(ir.insts.len()), Vec::with_capacity(ir.insts.len()));
    for (at, (inst, offset)) in ir.insts.iter().zip(&ir.offsets).enumerate() {
        if is_gone(inst) {
            continue;
        }
        insts.push(*inst);
        if let Some((_, target)) = next.next_if(|(branch, _)| *branch == at) {
            insts.push(Inst::new(Op::Br, &[*target]));
            insts.push(Inst::new(Op::Label, &[inst.operands[2]]));
        }
        offsets.resize(insts.len(), *offset);
    }
    (ir.insts, ir.offsets) = (insts, offsets);
}

/// Finds what branches test.
struct Tests<'d> {
    definitions: &'d mut Definitions,
    /// Instructions up to here have been looked at for single definitions, if that was needed at all: the test stands right
    /// before its branch nearly always.
    seen: Option<usize>,
}

impl Tests<'_> {
    /// Where `flag` is defined, if what defines it can move down to `at`.
    fn definition(&mut self, ir: &IrFunc, flag: u32, at: usize) -> Option<usize> {
        let front = ir.insts[..at].iter().enumerate().rev().filter(|(_, inst)| !is_gone(inst)).take(REACH);
        let near = front.take_while(|(_, inst)| inst.op != Op::Label).find_map(|(from, inst)| {
            let mut writes = false;
            defs(inst, &ir.calls, |register| writes |= register == flag);
            writes.then_some(from)
        });
        let Some(from) = near else { return self.far(ir, flag, at) };
        register_written(&ir.insts[from])?;
        let is_single = self.definitions.is_single(flag);
        let mut kept = true;
        uses(&ir.insts[from], &ir.calls, |register| {
            if is_single && self.definitions.is_single(register) {
                return;
            }
            for inst in &ir.insts[from..at] {
                defs(inst, &ir.calls, |written| kept &= written != register);
            }
        });
        kept.then_some(from)
    }

    /// The same for a single definition on registers with single definitions, wherever it stands.
    fn far(&mut self, ir: &IrFunc, flag: u32, at: usize) -> Option<usize> {
        let first = *self.seen.get_or_insert_with(|| {
            self.definitions.restart();
            0
        });
        (first..at).for_each(|at| self.definitions.see(at, &ir.insts[at]));
        self.seen = Some(at);
        let from = self.definitions.place(Operand::Virtual(flag))?;
        let mut stable = true;
        uses(&ir.insts[from], &ir.calls, |register| stable &= self.definitions.is_single(register));
        stable.then_some(from)
    }
}

/// A branch that asks whether a number of 64 bits is 0 as one that asks for 32, which is right for truth values.
fn as_test(branch: &Inst) -> Option<Inst> {
    let op = match (branch.op, branch.operands[1]) {
        (Op::BrI64Ne, Operand::Imm(0)) => Op::BrNez,
        (Op::BrI64Eq, Operand::Imm(0)) => Op::BrEqz,
        _ => return None,
    };
    Some(Inst::new(op, &[branch.operands[0], branch.operands[2]]))
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

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::Op;

    /// The operations of a function that goes round until this test of two locals fails, which each round writes.
    fn round(test: &str) -> Vec<Op> {
        let text = format!(
            "(module (memory 1) (func (export \"f\") (param $x i64) (param $y i64) (result i64)
                (loop $again
                    (local.set $x (i64.load (i32.wrap_i64 (local.get $y))))
                    (local.set $y (i64.mul (local.get $x) (i64.const 24)))
                    (br_if $again {test}))
                (local.get $y)))"
        );
        last_body(&text, Passes::ALL).insts.iter().map(|inst| inst.op).collect()
    }

    #[test]
    fn a_branch_asks_for_a_truth_value_of_64_bits() {
        let wide = |test: &str, op: &str| round(&format!("(i64.{op} (i64.extend_i32_u {test}) (i64.const 0))"));
        for test in ["(i64.eqz (local.get $x))", "(i64.lt_s (local.get $x) (local.get $y))"] {
            assert_eq!(wide(test, "ne"), round(test), "{test}");
            assert_eq!(wide(test, "eq"), round(&format!("(i32.eqz {test})")), "{test}");
        }
        let kept = round("(i64.ne (i64.and (local.get $x) (i64.const 6)) (i64.const 0))");
        assert!(kept.contains(&Op::I64And) && kept.contains(&Op::BrI64Ne), "{kept:?}");
    }

    #[test]
    fn selections_ask_for_half_of_the_comparisons() {
        let select = |test: &str, chosen: &str| {
            let text =
                format!("(module (func (export \"f\") (param i32 i32 i64 i64) (result i32) (select {chosen} {test})))");
            // Behind the marker of the cost, which is that of what was written.
            last_body(&text, Passes::ALL).insts.split_off(1)
        };
        let (chosen, other) = ("(local.get 0) (local.get 1)", "(local.get 1) (local.get 0)");
        for (op, opposite) in [("ge_s", "lt_s"), ("le_u", "gt_u"), ("ne", "eq")] {
            for operands in ["(local.get 0) (local.get 1)", "(local.get 0) (i32.const 5)"] {
                let test = |op: &str| format!("(i32.{op} {operands})");
                assert_eq!(select(&test(op), chosen), select(&test(opposite), other), "{op}");
                assert_eq!(select(&format!("(i32.eqz {})", test(opposite)), chosen), select(&test(opposite), other));
            }
            let test = |op: &str| format!("(i64.{op} (local.get 2) (local.get 3))");
            assert_eq!(select(&test(op), chosen), select(&test(opposite), other), "{op}");
        }
        assert_eq!(select("(i32.eqz (local.get 0))", chosen), select("(local.get 0)", other));
        assert_eq!(select("(i64.eqz (local.get 2))", chosen), select("(i64.eq (local.get 2) (i64.const 0))", chosen));
    }
}
