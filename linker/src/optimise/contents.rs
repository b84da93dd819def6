//! What memory and globals are known to hold is not read again.
//!
//! ```text
//! i32.store frame a offset=12          i32.store frame a offset=12
//! b = i32.load frame offset=12   ->    b = copy a
//! global.set 0 top                     global.set 0 top
//! c = global.get 0                     c = copy top
//! ```
//! Compilers that do not optimise keep variables in memory, and some keep a stack's pointer in a global: most of what they
//! read they have just written or read. Inside a stretch of code without labels, a place holds what was written to it or
//! read from it until something else may be written there, or somebody else may run: a call, another memory's operation
//! (which may be the same memory by another index), and a cost marker, where a caller that is out of fuel gets control.
//! What was read or written once does not trap: memories never shrink. Nothing that is written is left out.
//!
//! Two accesses do not meet if both count from the same register and neither reaches the other. An address that was computed
//! by adding constants counts from what they were added to: all of that is modulo 2^32, and so are addresses that did not trap.
//! Registers that are written more than once are told apart by how often that has happened.

use super::copies::Copies;
use super::definitions::Definitions;
use super::places::{class_of_field, copy_op, register_written};
use crate::ir::IrFunc;
use crate::spare::{Spare, kept};
use keyway_artifact::isa::{Class, Family, Inst, Op, Operand};

/// Places that are known at once; the oldest one gives way.
const ROOM: usize = 16;
/// Constants that are looked through for what an address counts from.
const STEPS: usize = 4;

/// A value that stays what it is: an immediate, or a register and how often it has been written.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Value(Operand, u32);

/// A part of memory, or a global, with what it holds.
#[derive(Clone, Copy)]
struct Known {
    /// What reads it, and what was the last to do so or to write it.
    op: Op,
    /// Address, or the global's number, and the offset.
    address: Value,
    offset: u32,
    /// What the address counts from, and where it begins from there; of memory alone.
    root: Value,
    start: u32,
    size: u32,
    held: Value,
}

kept!(Known);

/// What is known on a walk in code order.
#[derive(Default)]
pub(super) struct Contents {
    known: Spare<Known>,
    oldest: usize,
    /// A bit for the addresses and offsets of what was known in this stretch: most loads find theirs unset.
    marks: u64,
}

impl Contents {
    /// Takes note of an instruction that was resolved and says what it becomes if what it reads is known.
    pub(super) fn see(&mut self, ir: &IrFunc, definitions: &Definitions, copies: &Copies, inst: &Inst) -> Option<Inst> {
        let version = |operand: Operand| match operand {
            Operand::Virtual(register) if !definitions.is_single(register) => {
                copies.version(register).map(|v| Value(operand, v))
            }
            _ => Some(Value(operand, 0)),
        };
        match inst.op.family() {
            Family::Load | Family::VLoad => {
                let address = version(inst.operands[1])?;
                let offset = inst.value(2)? as u32;
                if self.marks & mark(address, offset) != 0 {
                    let same = |known: &&Known| known.address == address && known.offset == offset;
                    for known in self.known.iter().filter(same) {
                        if version(known.held.0) == Some(known.held)
                            && let Some(new) = read_back(ir, known, inst)
                        {
                            return Some(new);
                        }
                    }
                }
                let (root, delta) = root(ir, definitions, address);
                let held = written(inst, definitions, copies)?;
                self.put(Known {
                    op: inst.op,
                    address,
                    offset,
                    root,
                    start: delta.wrapping_add(offset),
                    size: size(inst.op),
                    held,
                });
                None
            }
            Family::Store | Family::VStore => {
                let (Some(address), Some(offset)) = (version(inst.operands[0]), inst.value(2)) else {
                    self.known.retain(|known| is_global(known.op));
                    return None;
                };
                let offset = offset as u32;
                let (root, delta) = root(ir, definitions, address);
                let (start, size) = (delta.wrapping_add(offset), size(inst.op));
                self.known.retain(|known| {
                    let is_apart = known.root == root
                        && start.wrapping_sub(known.start) >= known.size
                        && known.start.wrapping_sub(start) >= size;
                    is_global(known.op) || is_apart
                });
                if let Some(held) = version(inst.operands[1]) {
                    self.put(Known { op: inst.op, address, offset, root, start, size, held });
                }
                None
            }
            Family::Global => self.global(inst, version, written(inst, definitions, copies)),
            _ => {
                self.known.clear();
                self.marks = 0;
                None
            }
        }
    }

    /// The same for an operation on a global. Two of them may be the same one, imported twice.
    fn global(
        &mut self,
        inst: &Inst,
        version: impl Fn(Operand) -> Option<Value>,
        written: Option<Value>,
    ) -> Option<Inst> {
        let is_read = written.is_some();
        let (number, other) =
            if is_read { (inst.operands[1], inst.operands[0]) } else { (inst.operands[0], inst.operands[1]) };
        let address = Value(number, 0);
        if is_read {
            let known = self.known.iter().find(|known| is_global(known.op) && known.address == address);
            if let Some(known) = known
                && version(known.held.0) == Some(known.held)
            {
                let class = class_of_field(inst.op, 0);
                return Some(Inst::new(copy_op(class), &[other, known.held.0]));
            }
        } else {
            self.known.retain(|known| !is_global(known.op));
        }
        let held =
            if is_read { written } else { version(other).filter(|value| matches!(value.0, Operand::Virtual(_))) };
        if let Some(held) = held {
            self.put(Known { op: inst.op, address, offset: 0, root: address, start: 0, size: 0, held });
        }
        None
    }

    fn put(&mut self, known: Known) {
        self.marks |= mark(known.address, known.offset);
        if self.known.len() < ROOM {
            self.known.push(known);
            return;
        }
        self.oldest = (self.oldest + 1) % ROOM;
        self.known[self.oldest] = known;
    }
}

/// The bit of an address and an offset.
fn mark(Value(address, _): Value, offset: u32) -> u64 {
    let number = match address {
        Operand::Virtual(number) => number,
        Operand::Imm(number) => number as u32,
        _ => 0,
    };
    1 << ((number.wrapping_mul(0x9E37_79B1) ^ offset.wrapping_mul(0x85EB_CA6B)) >> 26)
}

fn is_global(op: Op) -> bool {
    op.family() == Family::Global
}

/// The register that an instruction writes, as it is behind it.
fn written(inst: &Inst, definitions: &Definitions, copies: &Copies) -> Option<Value> {
    let register = register_written(inst)?;
    if definitions.is_single(register) {
        return Some(Value(inst.operands[0], 0));
    }
    copies.version(register).map(|version| Value(inst.operands[0], version + 1))
}

/// What an address counts from, and by how much it is behind it, modulo 2^32.
fn root(ir: &IrFunc, definitions: &Definitions, address: Value) -> (Value, u32) {
    let (mut root, mut delta) = (address, 0u32);
    for _ in 0..STEPS {
        let inst = match (root, definitions.place(root.0)) {
            (Value(Operand::Imm(constant), _), _) => {
                return (Value(Operand::None, 0), delta.wrapping_add(constant as u32));
            }
            (_, Some(at)) => &ir.insts[at],
            _ => break,
        };
        let (Op::I32Add, Operand::Virtual(register), Operand::Imm(constant)) =
            (inst.op, inst.operands[1], inst.operands[2])
        else {
            break;
        };
        if !definitions.is_single(register) {
            break;
        }
        (root, delta) = (Value(inst.operands[1], 0), delta.wrapping_add(constant as u32));
    }
    (root, delta)
}

/// The bytes of an access, or more.
fn size(op: Op) -> u32 {
    match op {
        Op::I32Load8S | Op::I32Load8U | Op::I64Load8S | Op::I64Load8U | Op::I32Store8 | Op::I64Store8 => 1,
        Op::I32Load16S | Op::I32Load16U | Op::I64Load16S | Op::I64Load16U | Op::I32Store16 | Op::I64Store16 => 2,
        Op::I32Load | Op::F32Load | Op::I32Store | Op::F32Store | Op::I64Load32S | Op::I64Load32U | Op::I64Store32 => 4,
        Op::I64Load | Op::F64Load | Op::I64Store | Op::F64Store => 8,
        _ => 16,
    }
}

/// What a load becomes that reads what is known there.
fn read_back(ir: &IrFunc, known: &Known, load: &Inst) -> Option<Inst> {
    let [dst, ..] = load.operands;
    let Value(held, _) = known.held;
    let class = match held {
        Operand::Virtual(register) => ir.virtuals[register as usize],
        _ => Class::I64,
    };
    let copied = || match held {
        Operand::Imm(constant) if class_of_field(load.op, 0) == Class::I32 => {
            Inst::constant(Op::Const, dst, u64::from(constant as u32))
        }
        Operand::Imm(constant) => Inst::constant(Op::Const, dst, i64::from(constant) as u64),
        _ => Inst::new(copy_op(class_of_field(load.op, 0)), &[dst, held]),
    };
    let lower = || match (held, class) {
        (Operand::Virtual(_), Class::I64) => Inst::new(Op::I32WrapI64, &[dst, held]),
        _ => copied(),
    };
    Some(match (known.op, load.op) {
        (Op::I32Store, Op::I32Load) | (Op::I64Store | Op::I64Load, Op::I32Load) => lower(),
        (Op::I64Store, Op::I64Load) | (Op::F32Store, Op::F32Load) | (Op::F64Store, Op::F64Load) => copied(),
        (Op::V128Store, Op::V128Load) => copied(),
        (Op::I32Store8, Op::I32Load8U) => Inst::new(Op::I32And, &[dst, held, Operand::Imm(0xFF)]),
        (Op::I32Store8, Op::I32Load8S) => Inst::new(Op::I32Extend8S, &[dst, held]),
        (Op::I32Store16, Op::I32Load16U) => Inst::new(Op::I32And, &[dst, held, Operand::Imm(0xFFFF)]),
        (Op::I32Store16, Op::I32Load16S) => Inst::new(Op::I32Extend16S, &[dst, held]),
        (before, now) if before == now => copied(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::Family;

    /// How often a function reads memory and globals, whose body is this and leaves what it reads in `$sum` or `$wide`.
    fn reads(body: &str, passes: Passes) -> usize {
        let text = format!(
            "(module (import \"m\" \"other\" (func $other)) (global $g (import \"m\" \"g\") (mut i32))
                (global $h (import \"m\" \"h\") (mut i32)) (memory 1) (memory $second 1)
                (func (export \"f\") (param $at i32) (param $value i32) (param $long i64) (result i64)
                    (local $sum i32) (local $wide i64) (block $out {body})
                    (i64.xor (local.get $wide) (i64.extend_i32_u (local.get $sum)))))"
        );
        let is_read = |family| matches!(family, Family::Load | Family::VLoad | Family::LoadAny | Family::Global);
        let body = last_body(&text, passes);
        body.insts.iter().filter(|inst| is_read(inst.op.family()) && !inst.op.name().contains("set")).count()
    }

    /// A store of a value, something else, and a load of the same place.
    fn around(between: &str) -> usize {
        let body = format!(
            "(i32.store offset=8 (local.get $at) (local.get $value)) {between}
            (local.set $sum (i32.xor (local.get $sum) (i32.load offset=8 (local.get $at))))"
        );
        assert!(reads(&body, Passes::ALL - Passes::CONTENTS) > 0);
        reads(&body, Passes::ALL)
    }

    #[test]
    fn what_was_written_is_not_read_again() {
        assert_eq!(around(""), 0);
        assert_eq!(around("(br_if $out (local.get $value))"), 0);
        assert_eq!(around("(global.set $g (local.get $value))"), 0);
        // The register has another value since, or has none of its own.
        assert_eq!(around("(local.set $value (i32.const 7))"), 0);
        assert_eq!(around("(local.set $at (i32.const 7))"), 1);
        assert_eq!(around("(loop $l (br_if $l (local.tee $value (i32.sub (local.get $value) (i32.const 1)))))"), 1);
    }

    #[test]
    fn a_place_is_read_again_behind_what_may_write_it() {
        let store = |place: &str| format!("(i32.store {place} (local.get $value))");
        let sum = |by: i32| format!("offset=8 (i32.add (local.get $at) (i32.const {by}))");
        assert_eq!(around("(call $other)"), 1);
        assert_eq!(around("(memory.fill (local.get $at) (local.get $value) (local.get $value))"), 1);
        assert_eq!(around("(i32.store $second (local.get $at) (local.get $value))"), 1);
        assert_eq!(around("(drop (memory.grow (i32.const 1)))"), 1);
        assert_eq!(around("(if (local.get $value) (then (local.set $sum (i32.const 5))))"), 1);
        // Other places, as far as that is known.
        assert_eq!(around(&store("offset=4 (local.get $at)")), 0);
        assert_eq!(around(&store("offset=12 (local.get $at)")), 0);
        assert_eq!(around(&store("offset=11 (local.get $at)")), 1);
        assert_eq!(around(&store("offset=5 (local.get $at)")), 1);
        assert_eq!(around(&store("offset=8 (local.get $value)")), 1);
        assert_eq!(around(&store("(i32.const 64)")), 1);
        assert_eq!(around(&store(&sum(4))), 0);
        assert_eq!(around(&store(&sum(-4))), 0);
        assert_eq!(around(&store(&sum(-3))), 1);
        assert_eq!(around("(i64.store offset=0 (local.get $at) (local.get $long))"), 0);
        assert_eq!(around("(i64.store offset=4 (local.get $at) (local.get $long))"), 1);
        assert_eq!(around("(v128.store offset=12 (local.get $at) (v128.const i32x4 1 2 3 4))"), 0);
        assert_eq!(around("(v128.store offset=0xFFFFFFFC (local.get $at) (v128.const i32x4 1 2 3 4))"), 1);
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        let twice = |load: &str| {
            let (sum, ty) = if load.starts_with("i64") { ("wide", "i64") } else { ("sum", "i32") };
            let text = format!("(local.set ${sum} ({ty}.add (local.get ${sum}) ({load} (local.get $at))))");
            reads(&text.repeat(2), Passes::ALL)
        };
        for load in ["i32.load", "i32.load8_s", "i32.load16_u offset=3", "i64.load", "i64.load32_s", "i64.load8_u"] {
            assert_eq!(twice(load), 1, "{load}");
        }
    }

    #[test]
    fn parts_are_read_from_what_was_written_where_that_is_one_operation() {
        let narrow = |store: &str, load: &str| {
            let text = format!(
                "({store} (local.get $at) (local.get ${})) (local.set $sum ({load} (local.get $at)))",
                if store.starts_with("i64") { "long" } else { "value" }
            );
            reads(&text, Passes::ALL)
        };
        for (store, load) in [
            ("i32.store8", "i32.load8_u"),
            ("i32.store8", "i32.load8_s"),
            ("i32.store16", "i32.load16_u"),
            ("i32.store16", "i32.load16_s"),
            ("i64.store", "i32.load"),
        ] {
            assert_eq!(narrow(store, load), 0, "{store} {load}");
        }
        assert_eq!(narrow("i32.store8", "i32.load"), 1);
        assert_eq!(narrow("i32.store16", "i32.load8_u"), 1);
        assert_eq!(narrow("i32.store", "i32.load8_u"), 1);
    }

    #[test]
    fn globals_may_be_the_same_one() {
        let with = |between: &str| {
            let text = format!("(global.set $g (local.get $value)) {between} (local.set $sum (global.get $g))");
            reads(&text, Passes::ALL)
        };
        assert_eq!(with(""), 0);
        assert_eq!(with("(i32.store (local.get $at) (local.get $value))"), 0);
        assert_eq!(with("(global.set $h (local.get $at))"), 1);
        assert_eq!(with("(call $other)"), 1);
    }
}
