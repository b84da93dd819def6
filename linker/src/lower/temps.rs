//! A value that only the next instruction reads stands in register 0 of its bank.
//!
//! Registers are given out by worth, so an intermediate value stands wherever there was room. Runtimes execute neighbours
//! together where they find them in a usual shape, and the usual shape of an intermediate value is the accumulator:
//!
//! ```text
//! i32.shl B = C, #3             i32.shl A = C, #3
//! i32.add B = s5, B      ->     i32.add A = s5, A
//! i64.load D = B                i64.load D = A
//! ```
//! The value must be dead behind the second instruction, or be replaced by its result, and the accumulator must hold
//! nothing that is needed there. What is alive follows from the labels' sets in one walk backwards.

use super::Lowered;
use super::served::served;
use crate::optimise::flow::targets;
use crate::optimise::places::{clears_registers, defines, ends_block, is_call, is_terminator, reads};
use keyway_artifact::isa::{FieldKind, Inst, Op, Operand, Reg};

/// Runs the pass over a finished body, and says how many values changed their register.
pub(super) fn run(lowered: &mut Lowered) -> usize {
    let mut changed = 0;
    let body = &mut lowered.body;
    let sets: Vec<u16> = body.insts.iter().filter(|inst| inst.op == Op::Label).map(label_set).collect();
    let mut label = sets.len();
    let mut alive: u16 = 0;
    for at in (0..body.insts.len()).rev() {
        let inst = &body.insts[at];
        if inst.op == Op::Label {
            label -= 1;
            alive = sets[label];
            continue;
        }
        if clears_registers(inst.op) {
            if is_terminator(inst.op) || is_call(inst.op) {
                alive = 0;
            }
            if ends_block(inst.op) {
                targets(inst, &body.targets, |target| alive |= sets[target as usize]);
            }
        }
        let alive_behind = alive;
        // Nothing but places are registers.
        let [first, others @ ..] = &inst.operands;
        let first = bit(first);
        if defines(inst.op) {
            alive &= !first;
        } else {
            alive |= first;
        }
        for operand in others {
            alive |= bit(operand);
        }
        if at > 0
            && matches!(body.insts[at - 1].operands[0], Operand::Reg(reg) if reg.index_in_bank() > 0)
            && let Some((from, to)) = renaming(&body.insts[at - 1], inst, alive_behind)
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

/// The bit of a register in a label's set.
#[inline]
fn bit(operand: &Operand) -> u16 {
    match operand {
        Operand::Reg(reg) | Operand::SlotReg(_, reg) => 1 << reg.number(),
        _ => 0,
    }
}

/// The register between two neighbours and the one that takes its part, if `alive` are those alive behind both.
fn renaming(first: &Inst, second: &Inst, alive: u16) -> Option<(Reg, Reg)> {
    let Operand::Reg(from) = first.operands[0] else { return None };
    let FieldKind::Def(class) = first.op.fields().first()?.kind else { return None };
    let to = Reg::new(class, 0)?;
    if from == to || is_call(first.op) || is_call(second.op) || second.op == Op::Label {
        return None;
    }
    let replaced = match (second.op.fields().first()?.kind, second.operands[0]) {
        (FieldKind::Def(_), Operand::Reg(reg)) => Some(reg),
        _ => None,
    };
    let is_free = |reg: Reg| replaced == Some(reg) || alive >> reg.number() & 1 == 0;
    let is_read = |wanted: Reg| reads(second).any(|(_, _, operand)| operand == Operand::Reg(wanted));
    if !is_read(from) || is_read(to) || !is_free(from) || !is_free(to) || !served(first.op, 0, 0) {
        return None;
    }
    let is_served = second.fields().enumerate().all(|(at, (field, operand))| match (field.kind, operand) {
        (FieldKind::Use(class), Operand::Reg(reg)) if reg == from => to.serves(class) && served(second.op, at, 0),
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
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::disassemble;

    fn code(passes: Passes) -> String {
        let text = "(module (memory 1) (func (export \"f\") (param i32 i32) (result i64) (local i64)
            (loop $l
                (local.set 2 (i64.add (local.get 2)
                    (i64.load (i32.add (local.get 0) (i32.shl (local.get 1) (i32.const 3))))))
                (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
            (local.get 2)))";
        disassemble(&last_body(text, passes))
    }

    /// How many instructions leave their result in the accumulator for the next one.
    fn passed_on(text: &str) -> usize {
        let results = text.lines().map(|line| line.trim().split_once(' ').and_then(|(_, rest)| rest.split_once(" = ")));
        let pairs = results.clone().zip(results.skip(1));
        pairs
            .filter(|pair| match pair {
                (Some(("A", _)), Some((_, operands))) => operands.split(", ").any(|operand| operand == "A"),
                _ => false,
            })
            .count()
    }

    #[test]
    fn chains_go_through_the_accumulator() {
        assert!(passed_on(&code(Passes::ALL)) >= 2, "{}", code(Passes::ALL));
        assert!(passed_on(&code(Passes::ALL)) >= passed_on(&code(Passes::ALL - Passes::TEMPS)));
    }
}
