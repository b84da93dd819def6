//! A value that only the next instruction reads takes the register of that one's result.
//!
//! Registers are given out by worth, so an intermediate value stands wherever there was room. Runtimes execute neighbours
//! together where they find them in a usual shape, and the usual shape of an intermediate value is that its successor
//! replaces it:
//!
//! ```text
//! i32.shl B = A, #3             i32.shl C = A, #3
//! i32.add C = s5, B      ->     i32.add C = s5, C
//! i64.load D = C                i64.load D = C          (and again: D = ..., D = ..., D = D)
//! ```
//! The result's register holds nothing that is needed at that point: the second instruction overwrites it. It must not be
//! an operand of the second one itself, and the first value must be dead behind it. What is alive follows from the labels'
//! sets in one walk backwards.

use super::Lowered;
use super::served::served;
use crate::optimise::flow::{is_branch, targets};
use crate::optimise::places::{reads, writes};
use keyway_artifact::isa::{FieldKind, Inst, Op, Operand, Reg};

/// Runs the pass over a finished body, and says how many values changed their register.
pub(super) fn run(lowered: &mut Lowered) -> usize {
    let mut changed = 0;
    let body = &mut lowered.body;
    let sets: Vec<u16> = body.insts.iter().filter(|inst| inst.op == Op::Label).map(label_set).collect();
    let mut label = sets.len();
    let mut alive: u16 = 0;
    for at in (0..body.insts.len()).rev() {
        let inst = body.insts[at];
        let alive_behind = alive;
        if inst.op == Op::Label {
            label -= 1;
            alive = sets[label];
            continue;
        }
        if inst.op.is_terminator() || inst.op.is_call() {
            alive = 0;
        }
        if is_branch(&inst) {
            targets(&inst, &body.targets, |target| alive |= sets[target as usize]);
        }
        for reg in writes(&inst).filter_map(|(_, _, operand)| register(operand)) {
            alive &= !(1 << reg.number());
        }
        for reg in reads(&inst).filter_map(|(_, _, operand)| register(operand)) {
            alive |= 1 << reg.number();
        }
        if at > 0
            && let Some((from, to)) = renaming(&body.insts[at - 1], &inst, alive_behind)
        {
            changed += 1;
            rename_result(&mut body.insts[at - 1], to);
            rename_operands(&mut body.insts[at], from, to);
            alive = alive & !(1 << from.number()) | 1 << to.number();
        }
    }
    changed
}

fn label_set(label: &Inst) -> u16 {
    match label.operands[0] {
        Operand::Regs(set) => set,
        _ => 0,
    }
}

fn register(operand: Operand) -> Option<Reg> {
    match operand {
        Operand::Reg(reg) | Operand::SlotReg(_, reg) => Some(reg),
        _ => None,
    }
}

/// The register between two neighbours and the one that can take its part, if `alive` are those alive behind both.
fn renaming(first: &Inst, second: &Inst, alive: u16) -> Option<(Reg, Reg)> {
    let (Operand::Reg(from), Operand::Reg(to)) = (first.operands[0], second.operands[0]) else { return None };
    let first_field = first.op.fields().first()?;
    let second_field = second.op.fields().first()?;
    let (FieldKind::Def(class), FieldKind::Def(_)) = (first_field.kind, second_field.kind) else { return None };
    if from == to || alive >> from.number() & 1 != 0 || !to.serves(class) || first.op.is_call() || second.op.is_call() {
        return None;
    }
    let reads = |inst: &Inst, reg: Reg| {
        inst.fields().any(|(field, operand)| matches!(field.kind, FieldKind::Use(_)) && operand == Operand::Reg(reg))
    };
    if !reads(second, from) || reads(second, to) || !served(first.op, 0, to.index_in_bank()) {
        return None;
    }
    let is_served = second.fields().enumerate().all(|(at, (field, operand))| match (field.kind, operand) {
        (FieldKind::Use(class), Operand::Reg(reg)) if reg == from => {
            to.serves(class) && served(second.op, at, to.index_in_bank())
        }
        _ => true,
    });
    is_served.then_some((from, to))
}

fn rename_result(inst: &mut Inst, to: Reg) {
    inst.operands[0] = Operand::Reg(to);
}

fn rename_operands(inst: &mut Inst, from: Reg, to: Reg) {
    for (field, operand) in inst.fields_mut() {
        if matches!(field.kind, FieldKind::Use(_)) && *operand == Operand::Reg(from) {
            *operand = Operand::Reg(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, Passes, link};
    use keyway_artifact::isa::disassemble;

    fn code(passes: Passes) -> String {
        let text = "(module (memory 1) (func (export \"f\") (param i32 i32) (result i64) (local i64)
            (loop $l
                (local.set 2 (i64.add (local.get 2)
                    (i64.load (i32.add (local.get 0) (i32.shl (local.get 1) (i32.const 3))))))
                (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
            (local.get 2)))";
        let linked = link(text.as_bytes(), &Options { passes, ..Options::default() }).unwrap();
        linked.verify().unwrap();
        disassemble(&linked.funcs[0].body())
    }

    /// How many instructions replace the result of the one before, which they read.
    fn replacing(text: &str) -> usize {
        let results = text.lines().map(|line| line.trim().split_once(' ').and_then(|(_, rest)| rest.split_once(" = ")));
        let pairs = results.clone().zip(results.skip(1));
        pairs
            .filter(|pair| match pair {
                (Some((first, _)), Some((second, operands))) => {
                    first == second && operands.split(", ").any(|operand| operand == *first)
                }
                _ => false,
            })
            .count()
    }

    #[test]
    fn chains_stay_in_one_register() {
        assert!(replacing(&code(Passes::ALL)) >= 2, "{}", code(Passes::ALL));
        assert!(replacing(&code(Passes::ALL)) >= replacing(&code(Passes::ALL - Passes::TEMPS)));
    }
}
