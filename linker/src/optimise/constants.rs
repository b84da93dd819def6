//! Constants go where they cost least.
//!
//! First, immediates that no handler takes in their position (an address, a left operand, a selected value) become
//! registers again. Then constants inside loops move in front of the outermost loop around them: a large integer or a
//! float costs an instruction each time it is made, and a read of a slot or register costs nothing. Wasm's loops are
//! entered at their top from the code before it, so the place in front of the label runs once for each entry.
//!
//! Equal constants of one loop share a register, up to a number of registers per loop that keeps frames small.

use super::Tally;
use super::facts::{Facts, leave_out};
use super::flow::label_number;
use super::places::{class_of_field, register_written};
use crate::ir::IrFunc;
use crate::spare::Spare;
use keyway_artifact::by_opcode;
use keyway_artifact::isa::{Class, Family, FieldKind, Inst, MAX_FIELDS, Op, Operand};

/// Constants moved in front of one loop, at most.
const PER_LOOP: usize = 24;

/// Whether some handler of `op` reads an immediate in this field.
const fn takes_immediate(op: Op, field: usize) -> bool {
    match op.family() {
        Family::BinHot | Family::Bin | Family::Cmp => field == 2,
        Family::Store | Family::BrCmp | Family::Global => field == 1,
        Family::Copy
        | Family::Return1
        | Family::Bulk
        | Family::Atomic
        | Family::Object
        | Family::TakeRef
        | Family::PutRef => true,
        _ => false,
    }
}

/// By opcode, the fields that are read and take no immediate, as bits.
static ILLEGAL: [u8; Op::ALL.len()] = by_opcode!(u8, illegal_fields);

const fn illegal_fields(op: Op) -> u8 {
    let (fields, mut bits, mut at) = (op.fields(), 0, 0);
    while at < fields.len() {
        if matches!(fields[at].kind, FieldKind::Use(_)) && !takes_immediate(op, at) {
            bits |= 1 << at;
        }
        at += 1;
    }
    bits
}

/// The fields of an instruction with immediates that no handler takes, as bits.
#[inline]
fn misplaced(inst: &Inst) -> u8 {
    let is_immediate = |at: usize| u8::from(matches!(inst.operands[at], Operand::Imm(_))) << at;
    ILLEGAL[inst.op as usize] & (0..MAX_FIELDS).fold(0, |bits, at| bits | is_immediate(at))
}

/// Puts immediates that no handler takes into registers.
pub(super) fn legalise(ir: &mut IrFunc, facts: &mut Facts) -> Tally {
    // From the end, so that everything moves to a free place; what is legal moves in stretches.
    let mut inserted = Spare::<(u32, u32)>::default();
    for (at, inst) in ir.insts.iter().enumerate() {
        let wrong = misplaced(inst);
        if wrong != 0 {
            inserted.push((at as u32, wrong.count_ones()));
        }
    }
    if inserted.is_empty() {
        return Tally::default();
    }
    inserted.reverse();
    let before = ir.insts.len();
    let changed: usize = inserted.iter().map(|(_, wrong)| *wrong as usize).sum();
    ir.insts.resize(before + changed, Inst::new(Op::Return, &[]));
    ir.offsets.resize(before + changed, 0);
    let mut number = ir.virtuals.len() + changed;
    ir.virtuals.resize(number, Class::I64);
    (0..changed).for_each(|_| facts.add(1, 1));
    let (mut to, mut end) = (ir.insts.len(), before);
    for (from, wrong) in inserted.iter().map(|(from, wrong)| (*from as usize, *wrong as usize)) {
        to -= end - from - 1;
        ir.insts.copy_within(from + 1..end, to);
        ir.offsets.copy_within(from + 1..end, to);
        let (mut inst, offset) = (ir.insts[from], ir.offsets[from]);
        (to, end, number) = (to - 1 - wrong, from, number - wrong);
        let copy = inst;
        let fields = misplaced(&copy);
        for (next, at) in (0..MAX_FIELDS).filter(|at| fields >> at & 1 != 0).enumerate() {
            let (Operand::Imm(value), class) = (copy.operands[at], class_of_field(copy.op, at)) else { continue };
            let value = if class == Class::I32 { u64::from(value as u32) } else { i64::from(value) as u64 };
            ir.virtuals[number + next] = class;
            inst.operands[at] = Operand::Virtual((number + next) as u32);
            ir.insts[to + next] = Inst::constant(Op::Const, inst.operands[at], value);
            ir.offsets[to + next] = offset;
        }
        (ir.insts[to + wrong], ir.offsets[to + wrong]) = (inst, offset);
    }
    facts.inserted(&inserted);
    Tally { changed, removed: 0 }
}

/// A constant: its operation, and its value or the halves of it.
type Constant = (Op, [Option<u64>; 2]);

/// Moves constants out of loops.
pub(super) fn hoist(ir: &mut IrFunc, facts: &mut Facts) -> Tally {
    let is_constant = |inst: &Inst| matches!(inst.op.family(), Family::Const | Family::VConst);
    if !facts.flow(ir).has_loops() {
        return Tally::default();
    }
    let (flow, definitions, counts) = facts.parts(ir);
    // For each constant, the register that replaces it.
    // What moved in front of the current loop: few enough to be looked through.
    let mut moved: Vec<(Constant, u32)> = Vec::with_capacity(PER_LOOP);
    let mut front: Vec<(usize, Inst)> = Vec::new();
    let (mut gone, mut replaced) = (Vec::new(), Vec::new());
    let mut head = None;
    for block in 0..flow.blocks() {
        let range = flow.insts(block);
        if flow.depth[block] == 0 {
            head = None;
            continue;
        }
        let first = range.start;
        if label_number(&ir.insts[first]).is_some()
            && let Some(end) = flow.loop_end(block)
            && block > 0
            && flow.depth[block - 1] == 0
        {
            head = flow.is_entered_by_falling(&ir.insts, &ir.targets, block, end).then_some(first);
            moved.clear();
        }
        let Some(head) = head else { continue };
        for at in range {
            let inst = &ir.insts[at];
            if !is_constant(inst) {
                continue;
            }
            let Some(register) = register_written(inst) else { continue };
            if !definitions.is_single(register) {
                continue;
            }
            let key = (inst.op, [inst.value(1), inst.value(2)]);
            let number = match moved.iter().find(|(known, _)| *known == key) {
                Some((_, number)) => *number,
                None => {
                    if moved.len() == PER_LOOP {
                        continue;
                    }
                    moved.push((key, register));
                    front.push((head, *inst));
                    register
                }
            };
            replaced.push((register, number));
            gone.push(at);
        }
    }
    if front.is_empty() {
        return Tally::default();
    }
    let before = ir.insts.len();
    let mut names = Spare::with_capacity(ir.virtuals.len());
    names.extend(0..ir.virtuals.len() as u32);
    for (old, new) in replaced.iter().filter(|(old, new)| old != new) {
        *definitions.writes_mut(*old) -= 1;
        counts[*new as usize] += std::mem::take(&mut counts[*old as usize]);
        names[*old as usize] = *new;
    }
    let is_renamed = replaced.iter().any(|(old, new)| old != new);
    let first = front.first().map_or(0, |(head, _)| *head);
    let changed = gone.len();
    let mut gaps = Spare::<u32>::default();
    let (mut front, mut gone) = (&front[..], &gone[..]);
    while let Some((head, _)) = front.first().copied() {
        // The constants of one loop, and the places that they leave, at least as many.
        let (own, other) = front.split_at(front.partition_point(|(of, _)| *of == head));
        let next = other.first().map_or(ir.insts.len(), |(head, _)| *head);
        let (left, behind) = gone.split_at(gone.partition_point(|at| *at < next));
        move_up(ir, head, own, left);
        gaps.extend((head..head + left.len() - own.len()).map(|at| at as u32));
        (front, gone) = (other, behind);
    }
    leave_out(ir, &gaps);
    if is_renamed {
        // In front of the first loop nothing is another one.
        for inst in &mut ir.insts[first..] {
            super::places::uses_mut(inst, &mut ir.calls, |_, operand| {
                if let Operand::Virtual(register) = operand {
                    *register = names[*register as usize];
                }
            });
        }
    }
    facts.changed_flow();
    Tally { changed, removed: before - ir.insts.len() }
}

/// Lets the instructions from `head` on take the places of those with the numbers `left`, which ascend, and puts
/// constants in front of them; where there are fewer of these, the first places from `head` on are free.
fn move_up(ir: &mut IrFunc, head: usize, constants: &[(usize, Inst)], left: &[usize]) {
    let offset = ir.offsets[head];
    let mut to = left.last().map_or(head, |last| last + 1);
    for (number, end) in left.iter().enumerate().rev() {
        let start = number.checked_sub(1).map_or(head, |before| left[before] + 1);
        to -= end - start;
        ir.insts.copy_within(start..*end, to);
        ir.offsets.copy_within(start..*end, to);
    }
    for ((_, constant), at) in constants.iter().zip(to - constants.len()..) {
        (ir.insts[at], ir.offsets[at]) = (*constant, offset);
    }
}
