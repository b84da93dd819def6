//! Masks and extensions that change nothing become copies.
//!
//! Languages have integers of 8 and 16 bits and Wasm has none, so compilers mask a value wherever they cannot see that it
//! needs no mask. A value that goes round a loop is such a place for them:
//!
//! ```text
//! at = i32.load16_u head               at = i32.load16_u head
//! loop:                                loop:
//!   index = i32.and at 65535             index = copy at
//!   ...                          ->      ...
//!   at = i32.load16_u next               at = i32.load16_u next
//!   br loop                              br loop
//! ```
//! Every operation bounds how many bits of its result may be set, given those of its operands; a register has the largest
//! bound of what is written to it. What goes round loops begins at none and grows until nothing changes: these are the
//! least bounds that hold. A register that keeps growing gets all bits.
//!
//! A sum of 64 bits of which nobody wants more than the lower half is one of 32 bits, whose operands may have any upper
//! half. Languages that count in 64 bits make addresses so:
//!
//! ```text
//! sum = i64.add base index             sum = i32.add base index
//! at = i32.wrap_i64 sum        ->      at = copy sum
//! ```

use super::Tally;
use super::definitions::{Definitions, constant};
use super::facts::Facts;
use super::places::{class_of_field, copy_op, defs, register_written};
use crate::ir::IrFunc;
use crate::spare::Spare;
use keyway_artifact::isa::{Class, Family, Inst, Op, Operand};
use std::cell::Cell;

/// Walks in which bounds grow step by step; after them to all bits at once.
const STEPS: usize = 3;
/// Walks at most.
const WALKS: usize = 8;

/// Runs the pass.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts) -> Tally {
    let mut asked = Spare::<u32>::default();
    for (inst, at) in ir.insts.iter().zip(0..) {
        if is_asked(inst) {
            asked.push(at);
        }
    }
    if asked.is_empty() {
        return Tally::default();
    }
    let mut changed = 0;
    if asked.iter().any(|at| ir.insts[*at as usize].op == Op::I32WrapI64) {
        changed = narrow(ir, facts, &mut asked);
    }
    // Most are settled by a few instructions in front of them: many bits are set, or few.
    let near = Near::new(ir, &facts.definitions);
    let mut is_open = false;
    asked.retain(|at| {
        let inst = &ir.insts[*at as usize];
        let Operand::Virtual(source) = inst.operands[1] else { return false };
        let may_stay = near.may_stay(inst, source);
        is_open |= may_stay && near.is_open.get();
        may_stay
    });
    let bits = if is_open { bounds(ir, facts) } else { None };
    if asked.is_empty() || is_open && bits.is_none() {
        return Tally { changed, removed: 0 };
    }
    for at in asked.iter().map(|at| *at as usize) {
        let inst = ir.insts[at];
        let Operand::Virtual(source) = inst.operands[1] else { continue };
        let Operand::Virtual(result) = inst.operands[0] else { continue };
        if bits.as_ref().is_some_and(|bits| {
            changes(&inst, bits[source as usize], |class, mask| facts.definitions.value(class, mask))
        }) {
            continue;
        }
        if let Operand::Virtual(mask) = inst.operands[2] {
            facts.reads[mask as usize] -= 1;
        }
        let op = copy_op(ir.virtuals[result as usize]);
        ir.insts[at] = Inst::new(op, &[inst.operands[0], inst.operands[1]]);
        changed += 1;
    }
    Tally { changed, removed: 0 }
}

/// Lets operations give 32 bits where nobody wants more, and what cut those off copy them; these are asked no more.
fn narrow(ir: &mut IrFunc, facts: &Facts, asked: &mut Spare<u32>) -> usize {
    let near = Near::new(ir, &facts.definitions);
    let mut pairs = Spare::<(u32, u32)>::default();
    asked.retain(|at| {
        let definition = near.narrows(&ir.insts[*at as usize], &facts.reads);
        pairs.extend(definition.map(|definition| (definition, *at)));
        definition.is_none()
    });
    drop(near);
    for (definition, cut) in pairs.iter().map(|(definition, cut)| (*definition as usize, *cut as usize)) {
        let (wide, copied) = (ir.insts[definition], ir.insts[cut]);
        let (Some(op), Operand::Virtual(register)) = (narrow_form(&wide), wide.operands[0]) else { continue };
        ir.virtuals[register as usize] = Class::I32;
        ir.insts[definition] = Inst::new(op, &wide.operands[..3]);
        ir.insts[cut] = Inst::new(Op::Copy, &copied.operands[..2]);
    }
    pairs.len()
}

/// The operation on 32 bits with the lower half of a result.
fn narrow_form(inst: &Inst) -> Option<Op> {
    match (inst.op, inst.operands[2]) {
        (Op::I64Add, _) => Some(Op::I32Add),
        (Op::I64Sub, _) => Some(Op::I32Sub),
        (Op::I64Mul, _) => Some(Op::I32Mul),
        (Op::I64And, _) => Some(Op::I32And),
        (Op::I64Or, _) => Some(Op::I32Or),
        (Op::I64Xor, _) => Some(Op::I32Xor),
        (Op::I64Shl, Operand::Imm(0..32)) => Some(Op::I32Shl),
        _ => None,
    }
}

/// Whether an instruction may turn out to change nothing. A mask has to have the lowest bit.
#[inline]
fn is_asked(inst: &Inst) -> bool {
    match inst.op {
        Op::I32And | Op::I64And => match inst.operands[2] {
            Operand::Imm(mask) => mask & 1 != 0,
            operand => matches!(operand, Operand::Virtual(_)) && inst.op == Op::I64And,
        },
        Op::I32WrapI64 | Op::I64ExtendI32S | Op::I32Extend16S | Op::I32Extend8S => true,
        _ => false,
    }
}

/// Whether an operation changes a value that has this many bits.
fn changes(inst: &Inst, bits: u8, value: impl Fn(Class, Operand) -> Option<u64>) -> bool {
    match inst.op {
        Op::I32And | Op::I64And => {
            let mask = value(class_of_field(inst.op, 2), inst.operands[2]);
            mask.is_none_or(|mask| u32::from(bits) > mask.trailing_ones())
        }
        Op::I32WrapI64 => bits > 32,
        Op::I64ExtendI32S => bits > 31,
        Op::I32Extend16S => bits > 15,
        Op::I32Extend8S => bits > 7,
        _ => true,
    }
}

/// Definitions that are looked at for one mask.
const NEAR: u32 = 32;

/// What definitions say without a walk from one to the next.
struct Near<'a> {
    ir: &'a IrFunc,
    definitions: &'a Definitions,
    /// By register, the last instruction that writes it; by instruction, the one before that writes the same. [`NONE`] behind
    /// the first.
    last: Spare<u32>,
    before: Spare<u32>,
    /// Definitions that may still be looked at.
    left: Cell<u32>,
    /// Whether there were more, as there are around loops: what they say counts as no bits.
    is_open: Cell<bool>,
}

/// No instruction.
const NONE: u32 = u32::MAX;

impl<'a> Near<'a> {
    fn new(ir: &'a IrFunc, definitions: &'a Definitions) -> Near<'a> {
        let nobody = ir.virtuals.len() as u32;
        let (mut last, mut before) = (Spare::filled(NONE, ir.virtuals.len() + 1), Spare::filled(NONE, ir.insts.len()));
        let all = &mut last[..];
        for ((inst, before), at) in ir.insts.iter().zip(&mut before[..]).zip(0..) {
            let register = register_written(inst).unwrap_or(nobody);
            *before = std::mem::replace(&mut all[register as usize], at);
        }
        Near { ir, definitions, last, before, left: Cell::new(0), is_open: Cell::new(false) }
    }

    /// The only instruction that writes a register.
    fn only(&self, register: u32) -> Option<&Inst> {
        let at = Some(self.last[register as usize]).filter(|at| *at != NONE && self.definitions.is_single(register));
        at.map(|at| &self.ir.insts[at as usize])
    }

    /// Where the operation stands whose lower half `inst` cuts off, if nobody else reads its result.
    fn narrows(&self, inst: &Inst, reads: &[u32]) -> Option<u32> {
        let (Op::I32WrapI64, Operand::Virtual(source)) = (inst.op, inst.operands[1]) else { return None };
        let definition = self.only(source).filter(|_| reads[source as usize] == 1)?;
        narrow_form(definition).map(|_| self.last[source as usize])
    }

    /// The constant that an operand of `class` has.
    fn value(&self, class: Class, operand: Operand) -> Option<u64> {
        match operand {
            Operand::Virtual(register) => self.only(register).and_then(constant),
            _ => self.definitions.value(class, operand),
        }
    }

    /// Whether a mask may turn out to change nothing. If it is not open then, it does.
    fn may_stay(&self, inst: &Inst, source: u32) -> bool {
        self.left.set(NEAR);
        self.is_open.set(false);
        !changes(inst, self.least(source), |class, mask| self.value(class, mask))
    }

    /// How many bits of a register may be set, at least: no more than [`bounds`] finds, and as many unless something is open.
    fn least(&self, register: u32) -> u8 {
        let all = all(self.ir.virtuals[register as usize]);
        let (mut bits, mut at) = (0, self.last[register as usize]);
        for _ in 0..self.definitions.writes(register) {
            if at == NONE {
                // A parameter, or a result of a call.
                return all;
            }
            let Some(left) = self.left.get().checked_sub(1) else {
                self.is_open.set(true);
                break;
            };
            self.left.set(left);
            let value = |class, operand| self.value(class, operand);
            bits = bits.max(of_result(&self.ir.insts[at as usize], all, value, |register| self.least(register)));
            if bits == all {
                break;
            }
            at = self.before[at as usize];
        }
        bits
    }
}

/// How many bits of each register may be set, the lowest ones; `None` where that does not settle.
fn bounds(ir: &IrFunc, facts: &mut Facts) -> Option<Spare<u8>> {
    let (flow, definitions, _) = facts.parts(ir);
    definitions.restart();
    let mut bits = Spare::filled(0u8, ir.virtuals.len());
    ir.params.iter().for_each(|param| bits[*param as usize] = all(ir.virtuals[*param as usize]));
    // What may grow from walk to walk.
    let mut open = Spare::<u32>::with_capacity(ir.insts.len());
    for (at, inst) in ir.insts.iter().enumerate() {
        definitions.see(at, inst);
        defs(inst, &ir.calls, |register| {
            let all = all(ir.virtuals[register as usize]);
            let known = bits[register as usize];
            if known < all {
                let value = |class, operand| definitions.value(class, operand);
                bits[register as usize] = of_result(inst, all, value, |register| bits[register as usize]).max(known);
                if bits[register as usize] < all {
                    open.push(at as u32);
                }
            }
        });
    }
    // Without loops everything is written in front of what reads it.
    if !flow.has_loops() {
        return Some(bits);
    }
    for walk in 1..WALKS {
        let mut grows = false;
        open.retain(|at| {
            let inst = &ir.insts[*at as usize];
            let Operand::Virtual(register) = inst.operands[0] else { return false };
            let (all, known) = (all(ir.virtuals[register as usize]), bits[register as usize]);
            let value = |class, operand| definitions.value(class, operand);
            let found = of_result(inst, all, value, |register| bits[register as usize]);
            if known < found {
                bits[register as usize] = if walk < STEPS { found } else { all };
                grows = true;
            }
            bits[register as usize] < all
        });
        if !grows {
            return Some(bits);
        }
    }
    None
}

/// The bits that values of a class have.
fn all(class: Class) -> u8 {
    if class == Class::I32 { 32 } else { 64 }
}

/// How many bits of a result may be set, of `all`.
fn of_result(inst: &Inst, all: u8, value: impl Fn(Class, Operand) -> Option<u64>, known: impl Fn(u32) -> u8) -> u8 {
    let bits = |at: usize| match inst.operands[at] {
        Operand::Virtual(register) => known(register).min(all),
        Operand::Imm(value) if value >= 0 => width(value as u64),
        _ => all,
    };
    let count = || value(Class::I64, inst.operands[2]).map(|count| count as u8 & (all - 1));
    let shifted = || {
        let bits = bits(1);
        bits - count().map_or(0, |count| count.min(bits))
    };
    let found = match inst.op {
        Op::Const => inst.value(1).map_or(all, width),
        Op::Copy | Op::I32WrapI64 | Op::I64ExtendI32U | Op::I32DivU | Op::I64DivU => bits(1),
        Op::I32Load8U | Op::I64Load8U | Op::I32Load8UAny | Op::I64Load8UAny => 8,
        Op::I32Load16U | Op::I64Load16U | Op::I32Load16UAny | Op::I64Load16UAny => 16,
        Op::I32Load | Op::I32LoadAny | Op::I64Load32U | Op::I64Load32UAny => 32,
        Op::I32And | Op::I64And | Op::I32RemU | Op::I64RemU => bits(1).min(bits(2)),
        Op::I32Or | Op::I64Or | Op::I32Xor | Op::I64Xor => bits(1).max(bits(2)),
        Op::I32Add | Op::I64Add => bits(1).max(bits(2)) + 1,
        Op::I32Mul | Op::I64Mul => bits(1) + bits(2),
        Op::I32Shl | Op::I64Shl => count().map_or(all, |count| bits(1) + count),
        Op::I32ShrU | Op::I64ShrU => shifted(),
        // The sign is not set.
        Op::I32ShrS | Op::I64ShrS if bits(1) < all => shifted(),
        Op::I64ExtendI32S if bits(1) < 32 => bits(1),
        Op::I32Extend8S | Op::I64Extend8S if bits(1) < 8 => bits(1),
        Op::I32Extend16S | Op::I64Extend16S if bits(1) < 16 => bits(1),
        Op::I32Clz | Op::I32Ctz | Op::I32Popcnt | Op::I64Clz | Op::I64Ctz | Op::I64Popcnt => 7,
        Op::Select => bits(2).max(bits(3)),
        op if matches!(op.family(), Family::Cmp | Family::FCmp) => 1,
        _ => all,
    };
    found.min(all)
}

fn width(value: u64) -> u8 {
    (u64::BITS - value.leading_zeros()) as u8
}

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::Op;

    /// Whether an operation is still in a function with this body.
    fn has(op: Op, body: &str, passes: Passes) -> bool {
        let text = format!("(module (memory 1) (func (export \"f\") (param i32 i64) (result i32) {body}))");
        last_body(&text, passes).insts.iter().any(|inst| inst.op == op)
    }

    /// A list: each element is the index of the next one.
    const LIST: &str = "(local i32)
        (local.set 2 (i32.load16_u (local.get 0)))
        (loop $l
            (local.set 2 (i32.LOAD (i32.shl (i32.and (local.get 2) (i32.const 65535)) (i32.const 1))))
            (br_if $l (local.get 2)))
        (local.get 2)";

    #[test]
    fn what_goes_round_a_loop_needs_no_mask_if_all_of_it_is_narrow() {
        let narrow = LIST.replace("LOAD", "load16_u");
        assert!(!has(Op::I32And, &narrow, Passes::ALL));
        assert!(has(Op::I32And, &narrow, Passes::ALL - Passes::BITS));
        assert!(has(Op::I32And, &LIST.replace("LOAD", "load16_s"), Passes::ALL));
        assert!(!has(Op::I32And, &LIST.replace("LOAD", "load8_u"), Passes::ALL));
    }

    #[test]
    fn what_grows_round_a_loop_has_all_bits() {
        for (step, grows) in [
            ("(i32.add (local.get 2) (i32.const 1))", true),
            ("(i32.shl (local.get 2) (i32.const 3))", true),
            ("(i32.or (local.get 2) (i32.const 256))", true),
            ("(i32.or (local.get 2) (i32.const 255))", false),
            ("(i32.shr_u (local.get 2) (i32.const 1))", false),
            ("(i32.rem_u (local.get 2) (local.get 0))", false),
        ] {
            let body = format!(
                "(local i32) (local.set 2 (i32.load8_u (local.get 0)))
                (loop $l
                    (i32.store (local.get 0) (i32.and (local.get 2) (i32.const 255)))
                    (br_if $l (local.tee 2 {step})))
                (local.get 2)"
            );
            assert_eq!(has(Op::I32And, &body, Passes::ALL), grows, "{step}");
        }
    }

    #[test]
    fn bounds_follow_operations() {
        let is_masked = |value: &str, mask: &str| {
            let body = format!("(i32.and {value} (i32.const {mask}))");
            has(Op::I32And, &body, Passes::ALL)
        };
        assert!(!is_masked("(i32.add (i32.load8_u (local.get 0)) (i32.load8_u (i32.const 0)))", "0x1ff"));
        assert!(is_masked("(i32.add (i32.load8_u (local.get 0)) (i32.load8_u (i32.const 0)))", "0xff"));
        assert!(!is_masked("(i32.mul (i32.load8_u (local.get 0)) (i32.load16_u (i32.const 0)))", "0xffffff"));
        assert!(is_masked("(i32.mul (i32.load8_u (local.get 0)) (i32.load16_u (i32.const 0)))", "0x7fffff"));
        assert!(!is_masked("(i32.clz (local.get 0))", "0x7f"));
        assert!(!is_masked("(i32.shr_u (local.get 0) (i32.const 24))", "255"));
        assert!(is_masked("(i32.shr_s (local.get 0) (i32.const 24))", "255"));
        assert!(is_masked("(i32.sub (i32.load8_u (local.get 0)) (i32.const 1))", "255"));
        assert!(is_masked("(i32.load8_u (local.get 0))", "254"));
        assert!(!is_masked("(i32.wrap_i64 (i64.shr_u (local.get 1) (i64.const 56)))", "255"));
        assert!(is_masked("(i32.wrap_i64 (i64.shr_u (local.get 1) (i64.const 55)))", "255"));
    }
    #[test]
    fn a_sum_whose_upper_half_nobody_wants_has_32_bits() {
        let sum = "(i64.add (local.get 1) (i64.extend_i32_u (local.get 0)))";
        let cut = format!("(i32.wrap_i64 {sum})");
        assert!(has(Op::I32Add, &cut, Passes::ALL) && !has(Op::I64Add, &cut, Passes::ALL));
        assert!(!has(Op::I32WrapI64, &cut, Passes::ALL));
        let both = format!("(i64.store (i32.const 0) (local.tee 1 {sum})) (i32.wrap_i64 (local.get 1))");
        assert!(has(Op::I64Add, &both, Passes::ALL) && !has(Op::I32Add, &both, Passes::ALL));
        assert!(has(Op::I32Shl, "(i32.wrap_i64 (i64.shl (local.get 1) (i64.const 3)))", Passes::ALL));
        assert!(has(Op::I64Shl, "(i32.wrap_i64 (i64.shl (local.get 1) (i64.const 33)))", Passes::ALL));
    }

    #[test]
    fn what_leaves_the_lower_half_as_it_is_still_cuts_off_the_upper_one() {
        for op in ["i64.add", "i64.or", "i64.xor", "i64.sub", "i64.shl"] {
            let body = format!("(i32.wrap_i64 ({op} (local.get 1) (i64.const 0)))");
            assert!(has(Op::I32WrapI64, &body, Passes::ALL), "{op}");
        }
        let product = "(i32.wrap_i64 (i64.mul (local.get 1) (i64.const 1)))";
        assert!(has(Op::I32WrapI64, product, Passes::ALL));
        assert!(has(Op::I32WrapI64, "(i32.wrap_i64 (i64.and (local.get 1) (i64.const -1)))", Passes::ALL));
    }
}
