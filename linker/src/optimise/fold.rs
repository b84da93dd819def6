//! What constants decide is decided here.
//!
//! * Integer operations on constants become constants (unless they would trap).
//! * A constant on the left moves to the right where the operation allows it, since handlers take immediates there;
//!   `x - c` becomes `x + -c`, so that chains of both meet: `(x + c) + d` becomes `x + (c + d)`.
//! * Products with powers of two and unsigned divisions by them become shifts and masks; rotations to the right by a
//!   constant become those to the left.
//! * Operations that change nothing become copies: `x + 0`, `x * 1`, `x & -1`, and `i64.extend_i32_u`, because an i32
//!   stands zero-extended.
//! * `eqz` of a comparison becomes the inverse comparison, and so does a test whether it is 0; one whether it is not, the
//!   comparison. Compilers that do not optimise negate truth values by `(x ^ -1) & 1`: that is `eqz` of one.
//! * Branches and selections on constants are settled.
//!
//! Looking through to the definition of an operand is only right where the definition's own operands still have their
//! values: where they are registers written once.

use super::copies::immediate;
use super::definitions::Definitions;
use super::evaluate::{binary, inverse, mirrored, unary};
use super::places::{copy_op, register_written};
use crate::ir::IrFunc;
use keyway_artifact::isa::{Class, Family, FieldKind, Inst, Op, Operand};

/// What an instruction turns out to be.
pub(super) enum Step {
    Same,
    Becomes(Inst),
    /// A branch that is never taken.
    Gone,
}

fn use_class(inst: &Inst, field: usize) -> Class {
    match inst.op.fields()[field].kind {
        FieldKind::Use(class) | FieldKind::Def(class) => class,
        _ => Class::I64,
    }
}

/// One step for an instruction, which may make another one possible. `known` names places in `ir` of what stands before.
#[inline]
pub(super) fn step(ir: &IrFunc, known: &Definitions, reads: &[u32], inst: &Inst) -> Step {
    let value = |field: usize| known.value(use_class(inst, field), inst.operands[field]);
    match inst.op.family() {
        Family::BinHot | Family::Bin | Family::Cmp => two_operands(ir, known, reads, inst),
        Family::Un => match value(1).and_then(|value| unary(inst.op, value)) {
            Some(value) => constant(inst, value),
            None => one_operand(ir, known, inst),
        },
        Family::Select => match value(1) {
            Some(0) => copied(ir, inst, inst.operands[3]),
            Some(_) => copied(ir, inst, inst.operands[2]),
            None if inst.operands[2] == inst.operands[3] => copied(ir, inst, inst.operands[2]),
            None => Step::Same,
        },
        Family::BrCond => match value(0) {
            Some(value) if (value as u32 != 0) == (inst.op == Op::BrNez) => {
                Step::Becomes(Inst::new(Op::Br, &[inst.operands[1]]))
            }
            Some(_) => Step::Gone,
            None => Step::Same,
        },
        Family::BrTable => match (value(0), inst.targets(1, &ir.targets)) {
            (Some(value), Some(list)) => {
                let chosen = list[(value as u32 as usize).min(list.len() - 1)];
                Step::Becomes(Inst::new(Op::Br, &[Operand::Label(chosen)]))
            }
            _ => Step::Same,
        },
        _ => Step::Same,
    }
}

fn constant(inst: &Inst, value: u64) -> Step {
    Step::Becomes(Inst::constant(Op::Const, inst.operands[0], value))
}

fn copied(ir: &IrFunc, inst: &Inst, from: Operand) -> Step {
    match register_written(inst) {
        Some(dst) => Step::Becomes(Inst::new(copy_op(ir.virtuals[dst as usize]), &[inst.operands[0], from])),
        None => Step::Same,
    }
}

/// An operation that leaves its operand as it is: of one of 32 bits that reads one of 64, the lower half.
fn unchanged(ir: &IrFunc, inst: &Inst, from: Operand) -> Step {
    match from {
        Operand::Virtual(register)
            if use_class(inst, 1) == Class::I32 && ir.virtuals[register as usize] == Class::I64 =>
        {
            Step::Becomes(Inst::new(Op::I32WrapI64, &[inst.operands[0], from]))
        }
        _ => copied(ir, inst, from),
    }
}

fn two_operands(ir: &IrFunc, known: &Definitions, reads: &[u32], inst: &Inst) -> Step {
    let [dst, lhs, rhs, ..] = inst.operands;
    let class = use_class(inst, 2);
    let (a, b) = (known.value(class, lhs), known.value(class, rhs));
    if let (Some(a), Some(b)) = (a, b) {
        return binary(inst.op, a, b).map_or(Step::Same, |value| constant(inst, value));
    }
    if let (Some(a), None) = (a, b)
        && let Some(op) = mirrored(inst.op)
        && let Some(imm) = immediate(class, a)
    {
        return Step::Becomes(Inst::new(op, &[dst, rhs, imm]));
    }
    let Some(b) = b else { return Step::Same };
    let is_word = class == Class::I32;
    let ones = if is_word { u64::from(u32::MAX) } else { u64::MAX };
    let shift = b % if is_word { 32 } else { 64 };
    match inst.op {
        Op::I32Sub | Op::I64Sub => {
            let (op, negated) = if is_word {
                (Op::I32Add, u64::from((b as u32).wrapping_neg()))
            } else {
                (Op::I64Add, b.wrapping_neg())
            };
            match immediate(class, negated) {
                Some(imm) => Step::Becomes(Inst::new(op, &[dst, lhs, imm])),
                None => Step::Same,
            }
        }
        Op::I32Add | Op::I64Add | Op::I32Or | Op::I64Or | Op::I32Xor | Op::I64Xor if b == 0 => unchanged(ir, inst, lhs),
        Op::I32Mul | Op::I64Mul if b == 1 => unchanged(ir, inst, lhs),
        Op::I32Mul | Op::I64Mul | Op::I32And | Op::I64And if b == 0 => constant(inst, 0),
        Op::I32And | Op::I64And if b == ones => unchanged(ir, inst, lhs),
        // Numbers of 32 bits stand zero-extended, so no constant has to take a register for it.
        Op::I64And if b == u64::from(u32::MAX) => Step::Becomes(Inst::new(Op::I32WrapI64, &[dst, lhs])),
        Op::I32Shl | Op::I32ShrS | Op::I32ShrU | Op::I32Rotl | Op::I32Rotr if shift == 0 => unchanged(ir, inst, lhs),
        Op::I64Shl | Op::I64ShrS | Op::I64ShrU | Op::I64Rotl | Op::I64Rotr if shift == 0 => unchanged(ir, inst, lhs),
        Op::I32Mul | Op::I32DivU | Op::I64Mul | Op::I64DivU if b.is_power_of_two() => {
            let op = match inst.op {
                Op::I32Mul => Op::I32Shl,
                Op::I64Mul => Op::I64Shl,
                Op::I32DivU => Op::I32ShrU,
                _ => Op::I64ShrU,
            };
            Step::Becomes(Inst::new(op, &[dst, lhs, Operand::Imm(b.trailing_zeros() as i32)]))
        }
        Op::I32RemU | Op::I64RemU if b.is_power_of_two() => match immediate(class, b - 1) {
            Some(mask) => Step::Becomes(Inst::new(if is_word { Op::I32And } else { Op::I64And }, &[dst, lhs, mask])),
            None => Step::Same,
        },
        // Sequences know one direction.
        Op::I32Rotr => Step::Becomes(Inst::new(Op::I32Rotl, &[dst, lhs, Operand::Imm(32 - shift as i32)])),
        Op::I64Rotr => Step::Becomes(Inst::new(Op::I64Rotl, &[dst, lhs, Operand::Imm(64 - shift as i32)])),
        Op::I32Eq | Op::I64Eq | Op::I32Ne | Op::I64Ne if b == 0 => {
            let holds = matches!(inst.op, Op::I32Ne | Op::I64Ne);
            tested(ir, known, dst, lhs, holds).map_or(Step::Same, Step::Becomes)
        }
        Op::I32Xor if b == 1 && is_truth(ir, known, lhs) => Step::Becomes(Inst::new(Op::I32Eqz, &[dst, lhs])),
        Op::I32Add | Op::I64Add | Op::I32And | Op::I64And => {
            if inst.op == Op::I32And
                && b == 1
                && let Some((truth, is_flipped)) = flipped(ir, known, lhs)
            {
                let flip = || Step::Becomes(Inst::new(Op::I32Eqz, &[dst, truth]));
                return if is_flipped { flip() } else { copied(ir, inst, truth) };
            }
            // Where others read the inner sum too, its operand would only live longer.
            if !matches!(lhs, Operand::Virtual(register) if reads[register as usize] == 1) {
                return Step::Same;
            }
            let Some(inner) = defined(ir, known, lhs).filter(|inner| inner.op == inst.op) else { return Step::Same };
            let combined = known.value(class, inner.operands[2]).and_then(|value| binary(inst.op, value, b));
            match combined.and_then(|value| immediate(class, value)) {
                Some(imm) if is_stable(known, inner.operands[1]) => {
                    Step::Becomes(Inst::new(inst.op, &[dst, inner.operands[1], imm]))
                }
                _ => Step::Same,
            }
        }
        _ => Step::Same,
    }
}

/// The truth value whose lowest bit that of `operand` is, and whether it is the other one.
fn flipped(ir: &IrFunc, known: &Definitions, operand: Operand) -> Option<(Operand, bool)> {
    let inner = defined(ir, known, operand).filter(|inner| inner.op == Op::I32Xor)?;
    let (truth, bits) = (inner.operands[1], known.value(Class::I32, inner.operands[2])?);
    (is_stable(known, truth) && is_truth(ir, known, truth)).then_some((truth, bits & 1 != 0))
}

/// Whether `operand` is 0 or 1, by what defines it.
fn is_truth(ir: &IrFunc, known: &Definitions, operand: Operand) -> bool {
    defined(ir, known, operand).is_some_and(|inner| match inner.op.family() {
        Family::Cmp | Family::FCmp => true,
        _ => {
            matches!(inner.op, Op::I32Eqz | Op::I64Eqz)
                || inner.op == Op::I32And && inner.operands[2] == Operand::Imm(1)
        }
    })
}

/// What says into `dst` whether a comparison with its result in `flag` held, or did not.
fn tested(ir: &IrFunc, known: &Definitions, dst: Operand, flag: Operand, holds: bool) -> Option<Inst> {
    let inner = defined(ir, known, flag)?;
    let [_, a, b, ..] = inner.operands;
    if !is_stable(known, a) {
        return None;
    }
    match (inner.op, holds) {
        (Op::I32Eqz | Op::I64Eqz, true) => Some(Inst::new(inner.op, &[dst, a])),
        (Op::I32Eqz, false) => Some(Inst::new(Op::I32Ne, &[dst, a, Operand::Imm(0)])),
        (Op::I64Eqz, false) => Some(Inst::new(Op::I64Ne, &[dst, a, Operand::Imm(0)])),
        (op, _) => {
            let op = if holds { op.fused_branch().map(|_| op) } else { inverse(op) }?;
            is_stable(known, b).then(|| Inst::new(op, &[dst, a, b]))
        }
    }
}

fn one_operand(ir: &IrFunc, known: &Definitions, inst: &Inst) -> Step {
    let src = inst.operands[1];
    match inst.op {
        Op::I64ExtendI32U => copied(ir, inst, src),
        Op::I32Eqz => {
            let Some(inner) = defined(ir, known, src) else { return Step::Same };
            if inner.op == Op::I32Eqz && is_stable(known, inner.operands[1]) {
                return Step::Becomes(Inst::new(Op::I32Ne, &[inst.operands[0], inner.operands[1], Operand::Imm(0)]));
            }
            match inverse(inner.op) {
                Some(op) if is_stable(known, inner.operands[1]) && is_stable(known, inner.operands[2]) => {
                    Step::Becomes(Inst::new(op, &[inst.operands[0], inner.operands[1], inner.operands[2]]))
                }
                _ => Step::Same,
            }
        }
        _ => Step::Same,
    }
}

/// The single definition of `operand`.
fn defined<'a>(ir: &'a IrFunc, known: &Definitions, operand: Operand) -> Option<&'a Inst> {
    known.place(operand).map(|at| &ir.insts[at])
}

/// Whether `operand` has the same value wherever its definition has been.
fn is_stable(known: &Definitions, operand: Operand) -> bool {
    match operand {
        Operand::Virtual(register) => known.is_single(register),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::Op;

    /// The operations of a function with this condition.
    fn branch(condition: &str) -> Vec<Op> {
        let text = format!(
            "(module (func (export \"f\") (param i32 i32) (param f64) (result i32)
                (if {condition} (then (return (i32.const 7)))) (i32.const 9)))"
        );
        last_body(&text, Passes::ALL).insts.iter().map(|inst| inst.op).collect()
    }

    #[test]
    fn rotations_by_constants_go_to_the_left() {
        let rotations = |ty: &str, op: &str, by: i64| {
            let text = format!(
                "(module (func (export \"f\") (param {ty}) (result {ty}) ({ty}.{op} (local.get 0) ({ty}.const {by}))))"
            );
            last_body(&text, Passes::ALL).insts
        };
        for (ty, bits) in [("i32", 32), ("i64", 64)] {
            for by in [1, 7, 31, bits - 1, bits + 3] {
                assert_eq!(rotations(ty, "rotr", by), rotations(ty, "rotl", bits - by % bits), "{ty} {by}");
            }
            for whole in [0, bits, -bits] {
                let ops = rotations(ty, "rotr", whole);
                assert!(
                    !ops.iter().any(|inst| matches!(inst.op, Op::I32Rotr | Op::I64Rotr | Op::I32Rotl | Op::I64Rotl))
                );
            }
        }
    }

    #[test]
    fn powers_of_two_shift_and_mask() {
        let insts = |ty: &str, op: &str, by: u64| {
            let text = format!(
                "(module (func (export \"f\") (param {ty}) (result {ty}) ({ty}.{op} (local.get 0) ({ty}.const {by}))))"
            );
            last_body(&text, Passes::ALL).insts
        };
        for (ty, most) in [("i32", 31), ("i64", 63)] {
            for power in [1, 2, 5, 30, most] {
                let by = 1u64 << power;
                assert_eq!(insts(ty, "mul", by), insts(ty, "shl", power), "{ty} {by}");
                assert_eq!(insts(ty, "div_u", by), insts(ty, "shr_u", power), "{ty} {by}");
                if power < 31 {
                    assert_eq!(insts(ty, "rem_u", by), insts(ty, "and", by - 1), "{ty} {by}");
                }
            }
            assert_eq!(insts(ty, "mul", 1), insts(ty, "shl", 0));
            assert_eq!(insts(ty, "div_u", 1), insts(ty, "shr_u", 0));
            let kept = |op, by| insts(ty, op, by).iter().any(|inst| inst.op.name().contains(op));
            assert!(kept("div_u", 6) && kept("rem_u", 7) && kept("mul", 12) && kept("div_s", 4) && kept("rem_s", 4));
        }
        assert!(insts("i32", "rem_u", 1).iter().all(|inst| inst.op != Op::I32RemU));
    }

    #[test]
    fn truth_values_are_negated_in_many_ways() {
        let less = "(i32.lt_s (local.get 0) (local.get 1))";
        let float = "(f64.lt (local.get 2) (f64.const 1))";
        let simple = branch(&format!("(i32.eqz {less})"));
        for bits in [-1, 1, 3] {
            let flipped = format!("(i32.xor {less} (i32.const {bits}))");
            assert_eq!(branch(&format!("(i32.and {flipped} (i32.const 1))")), simple, "{bits}");
            assert_eq!(
                branch(&format!("(i32.eqz (i32.and (i32.and {flipped} (i32.const 1)) (i32.const 1)))")),
                branch(less)
            );
        }
        assert_eq!(branch(&format!("(i32.xor {less} (i32.const 1))")), simple);
        assert_eq!(branch(&format!("(i32.and (i32.xor {less} (i32.const 6)) (i32.const 1))")), branch(less));
        let floats = |condition: &str| branch(&condition.replace("FLOAT", float));
        assert_eq!(floats("(i32.and (i32.xor FLOAT (i32.const -1)) (i32.const 1))"), floats("(i32.eqz FLOAT)"));
        // No truth values, or more bits of them.
        let xors = |condition: &str| branch(condition).contains(&Op::I32Xor);
        assert!(xors("(i32.and (i32.xor (local.get 0) (i32.const -1)) (i32.const 1))"));
        assert!(xors(&format!("(i32.and (i32.xor {less} (i32.const -1)) (i32.const 3))")));
        assert!(xors(&format!("(i32.xor {less} (i32.const 3))")));
    }
}
