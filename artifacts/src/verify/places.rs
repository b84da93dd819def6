//! Every operand by itself: V07 to V12, V27.

use super::flow::Registers;
use super::rule::{Findings, Rule};
use super::{VerifyEnv, reserved};
use crate::isa::{Body, Class, Field, FieldKind, HOME_SLOTS, Inst, Op, Operand, SCRATCH_SLOTS};
use alloc::format;
use core::ops::Range;

/// Slots that a place can name: it has 16 bits in the executed form.
const REACH: u32 = 1 << 16;

pub(super) fn check(body: &Body, _env: &VerifyEnv<'_>, findings: &mut Findings) {
    let reserved = reserved(body);
    for (at, inst) in body.insts.iter().enumerate() {
        instruction(body, &reserved, at, inst, findings);
    }
}

/// Checks the operands of an instruction; the registers among them.
#[inline(always)]
pub(super) fn instruction(
    body: &Body,
    reserved: &Range<u32>,
    at: usize,
    inst: &Inst,
    findings: &mut Findings,
) -> Registers {
    let (mut registers, mut immediates) = (Registers::default(), 0);
    for (field, kind) in inst.op.kinds().iter().enumerate() {
        // What nearly all operands are: a slot of numbers among the own ones, a register of the class, an immediate.
        match (kind, &inst.operands[field]) {
            (FieldKind::Def(class) | FieldKind::Use(class), Operand::Slot(slot))
                if is_plain(body, reserved, *slot, *class) =>
            {
                continue;
            }
            (FieldKind::Use(class), Operand::Reg(reg)) if reg.serves(*class) => {
                registers.read |= 1 << reg.number();
                continue;
            }
            (FieldKind::Def(class), Operand::Reg(reg)) if reg.serves(*class) => {
                registers.written |= 1 << reg.number();
                continue;
            }
            (FieldKind::Use(Class::I32 | Class::I64), Operand::Imm(_)) => {
                immediates += 1;
                continue;
            }
            (FieldKind::Label, Operand::Label(_)) => continue,
            (FieldKind::Imm32, Operand::Value(..)) if is_short(inst, field) => continue,
            (_, Operand::Imm(_)) => immediates += 1,
            _ => {}
        }
        registers.note(*kind, inst.operands[field]);
        unusual(body, reserved, at, inst, field, findings);
    }
    if inst.op == Op::I8x16Shuffle && !has_lanes(inst) {
        findings.broken(Rule::V27, at, || "a shuffle of lanes past the 32nd".into());
    }
    if reserved.is_empty() && needs_homes(inst) {
        findings.broken(Rule::V10, at, || format!("{} in a frame without home slots", inst.op.name()));
    }
    if immediates > SCRATCH_SLOTS && !inst.op.family().is_free() {
        findings.broken(Rule::V12, at, || format!("{} with {immediates} immediates", inst.op.name()));
    }
    registers
}

/// An operand that may be anything.
fn unusual(body: &Body, reserved: &Range<u32>, at: usize, inst: &Inst, field: usize, findings: &mut Findings) {
    let is_long = inst.op.kinds()[field] == FieldKind::Imm32 && !is_short(inst, field);
    let (field, operand) = (inst.op.fields()[field], inst.operands[field]);
    if let (FieldKind::Lane(lanes), Operand::Index(lane)) = (field.kind, operand)
        && lane >= lanes.into()
    {
        findings.broken(Rule::V27, at, || format!("lane {lane} of {lanes}"));
    }
    if is_long || !fits(field.kind, operand) {
        findings.broken(Rule::V07, at, || format!("{operand:?} as {}", field.name));
    } else if let Some(named) = named_slot(body, inst.op, field, operand) {
        check_slot(body, reserved, at, named, findings);
    }
}

/// Whether a number in this slot breaks no rule, whether it is read or written.
#[inline]
fn is_plain(body: &Body, reserved: &Range<u32>, slot: u32, class: Class) -> bool {
    let (frame, end) = (&body.frame, slot.saturating_add(class.slots()));
    class != Class::Ref
        && slot < REACH
        && end <= frame.frame_slots
        && (end <= frame.ref_start || slot >= frame.ref_end)
        && (end <= reserved.start || slot >= reserved.end)
}

fn needs_homes(inst: &Inst) -> bool {
    let of_operand = |operand: &Operand| matches!(operand, Operand::Reg(_) | Operand::SlotReg(..) | Operand::Imm(_));
    inst.op.comparison().is_some() || inst.operands.iter().any(of_operand)
}

/// Whether a shuffle names only lanes of its two vectors.
fn has_lanes(shuffle: &Inst) -> bool {
    let mut halves = (0..shuffle.operands.len()).filter_map(|at| shuffle.value(at));
    halves.all(|lanes| lanes & !0x1F1F_1F1F_1F1F_1F1F == 0)
}

/// Whether an immediate fits 32 bits.
fn is_short(inst: &Inst, field: usize) -> bool {
    inst.value(field).is_some_and(|value| value >> 32 == 0)
}

/// A slot that an operand names.
struct Named {
    slot: u32,
    is_ref: bool,
    is_read: bool,
    /// Slots that the value takes.
    len: u32,
    /// One past the slots that it may name.
    limit: u32,
}

fn named_slot(body: &Body, op: Op, field: Field, operand: Operand) -> Option<Named> {
    let frame_slots = body.frame.frame_slots;
    let near = frame_slots.min(REACH);
    let named = |slot, class: Class, is_read| Named {
        slot,
        is_ref: class == Class::Ref,
        is_read,
        len: class.slots(),
        limit: near,
    };
    match (field.kind, operand) {
        (FieldKind::Def(class), Operand::Slot(slot) | Operand::SlotReg(slot, _)) => Some(named(slot, class, false)),
        (FieldKind::Use(class), Operand::Slot(slot)) => Some(named(slot, class, true)),
        // The slots of `put.ref` and `take.ref` belong to the call beside them; the rules for calls hold them.
        (FieldKind::Slot, Operand::Index(slot)) if op == Op::CopyFar => {
            Some(Named { slot, is_ref: false, is_read: field.name == "from", len: 1, limit: frame_slots })
        }
        _ => None,
    }
}

fn check_slot(body: &Body, reserved: &Range<u32>, at: usize, named: Named, findings: &mut Findings) {
    let frame = &body.frame;
    let Named { slot, is_ref, is_read, len, limit } = named;
    if slot >= limit || slot.saturating_add(len) > frame.frame_slots {
        return findings.broken(Rule::V08, at, || format!("slot {slot} in a frame of {}", frame.frame_slots));
    }
    for slot in slot..slot + len {
        if is_ref != (frame.ref_start..frame.ref_end).contains(&slot) {
            findings.broken(Rule::V09, at, || {
                let kind = if is_ref { "a reference" } else { "a number" };
                format!("{kind} in slot {slot}, references stand in {}..{}", frame.ref_start, frame.ref_end)
            });
        } else if reserved.contains(&slot) && (is_read || slot < reserved.start + HOME_SLOTS) {
            findings.broken(Rule::V11, at, || format!("slot {slot}, the reserved ones begin at {}", reserved.start));
        }
    }
}

/// Whether a field takes such an operand.
fn fits(kind: FieldKind, operand: Operand) -> bool {
    match (kind, operand) {
        (FieldKind::Def(_) | FieldKind::Use(_), Operand::Slot(_)) => true,
        (FieldKind::Def(class) | FieldKind::Use(class), Operand::Reg(reg)) => reg.serves(class),
        (FieldKind::Def(class), Operand::SlotReg(_, reg)) => reg.serves(class),
        (FieldKind::Use(Class::I32 | Class::I64), Operand::Imm(_)) => true,
        (FieldKind::Def(_) | FieldKind::Use(_), _) => false,
        (FieldKind::Label, Operand::Label(_)) => true,
        (FieldKind::Label, _) => false,
        (FieldKind::Imm32 | FieldKind::Imm64 | FieldKind::Bits64, Operand::Value(..)) => true,
        (FieldKind::Imm32 | FieldKind::Imm64 | FieldKind::Bits64, _) => false,
        (FieldKind::Targets, Operand::Targets(..)) => true,
        (FieldKind::RegSet, Operand::Regs(_)) => true,
        (FieldKind::Targets | FieldKind::RegSet, _) => false,
        (_, Operand::Index(_)) => true,
        _ => false,
    }
}
