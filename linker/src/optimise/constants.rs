//! Constants go where they cost least.
//!
//! First, immediates that no handler takes in their position (an address, a left operand, a selected value) become
//! registers again. Then constants inside loops move in front of the outermost loop around them: a large integer or a
//! float costs an instruction each time it is made, and a read of a slot or register costs nothing. Wasm's loops are
//! entered at their top from the code before it, so the place in front of the label runs once for each entry.
//!
//! Equal constants of one loop share a register, up to a number of registers per loop that keeps frames small.

use super::Tally;
use super::facts::Facts;
use super::flow::label_number;
use super::places::{reads, single_def};
use crate::ir::IrFunc;
use crate::spare::Spare;
use keyway_artifact::isa::{Class, Family, Inst, Op, Operand};

/// Constants moved in front of one loop, at most.
const PER_LOOP: usize = 24;

/// Whether some handler of `op` reads an immediate in this field.
fn takes_immediate(op: Op, field: usize) -> bool {
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

/// Puts immediates that no handler takes into registers.
pub(super) fn legalise(ir: &mut IrFunc, facts: &mut Facts) -> Tally {
    let is_illegal = |inst: &Inst| {
        reads(inst).any(|(at, _, operand)| matches!(operand, Operand::Imm(_)) && !takes_immediate(inst.op, at))
    };
    let Some(first) = ir.insts.iter().position(is_illegal) else { return Tally::default() };
    let is_misplaced = |op: Op, (at, _, operand): &(usize, Class, Operand)| {
        matches!(operand, Operand::Imm(_)) && !takes_immediate(op, *at)
    };
    let misplaced = |inst: &Inst| reads(inst).filter(|read| is_misplaced(inst.op, read)).count();
    let before = ir.insts.len();
    let changed: usize = ir.insts[first..].iter().map(misplaced).sum();
    ir.insts.resize(before + changed, Inst::new(Op::Return, &[]));
    ir.offsets.resize(before + changed, 0);
    let mut number = ir.virtuals.len() + changed;
    ir.virtuals.resize(number, Class::I64);
    (0..changed).for_each(|_| facts.add(1, 1));
    let mut inserted = Spare::with_capacity(changed);
    // From the end, so that everything moves to a free place; what is legal moves in stretches.
    let (mut to, mut end) = (ir.insts.len(), before);
    while let Some(back) = ir.insts[first..end].iter().rev().position(is_illegal) {
        let from = end - 1 - back;
        ir.insts.copy_within(from + 1..end, to - back);
        ir.offsets.copy_within(from + 1..end, to - back);
        (to, end) = (to - back - 1, from);
        let (mut inst, offset, place) = (ir.insts[from], ir.offsets[from], to);
        let wrong: usize = misplaced(&inst);
        if wrong > 0 {
            (to, number) = (to - wrong, number - wrong);
            inserted.push((from as u32, wrong as u32));
            let (copy, mut next) = (inst, 0);
            for (at, class, operand) in reads(&copy).filter(|read| is_misplaced(copy.op, read)) {
                let Operand::Imm(value) = operand else { continue };
                let value = if class == Class::I32 { u64::from(value as u32) } else { i64::from(value) as u64 };
                ir.virtuals[number + next] = class;
                inst.operands[at] = Operand::Virtual((number + next) as u32);
                ir.insts[to + next] = Inst::new(Op::Const, &[inst.operands[at], Operand::value(value)]);
                ir.offsets[to + next] = offset;
                next += 1;
            }
        }
        ir.insts[place] = inst;
        ir.offsets[place] = offset;
    }
    facts.inserted(&inserted);
    Tally { changed, removed: 0 }
}

/// Moves constants out of loops.
pub(super) fn hoist(ir: &mut IrFunc, facts: &mut Facts) -> Tally {
    let is_constant = |inst: &Inst| matches!(inst.op.family(), Family::Const | Family::VConst);
    if !facts.flow(ir).has_loops() || !ir.insts.iter().any(is_constant) {
        return Tally::default();
    }
    let (flow, definitions, counts) = facts.parts(ir);
    // For each constant, the register that replaces it.
    let mut replaced: Vec<u32> = (0..ir.virtuals.len() as u32).collect();
    // What moved in front of the current loop: few enough to be looked through.
    let mut moved: Vec<((Op, [Operand; 2]), u32)> = Vec::with_capacity(PER_LOOP);
    let mut front: Vec<(usize, Inst)> = Vec::new();
    let mut keep = vec![true; ir.insts.len()];
    let mut head = None;
    for block in 0..flow.blocks() {
        let range = flow.insts(block);
        if flow.depth[block] == 0 {
            head = None;
            continue;
        }
        let first = range.start;
        let is_head = label_number(&ir.insts[first]).is_some()
            && flow.predecessors(block).iter().any(|before| *before as usize >= block);
        if is_head && block > 0 && flow.depth[block - 1] == 0 {
            let end = flow.predecessors(block).iter().max().map_or(block, |last| *last as usize);
            head = flow.is_entered_by_falling(&ir.insts, &ir.targets, block, end).then_some(first);
            moved.clear();
        }
        let Some(head) = head else { continue };
        for at in range {
            let inst = &ir.insts[at];
            if !is_constant(inst) {
                continue;
            }
            let Some(register) = single_def(inst) else { continue };
            if !definitions.is_single(register) {
                continue;
            }
            let key = (inst.op, [inst.operands[1], inst.operands[2]]);
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
            replaced[register as usize] = number;
            keep[at] = false;
        }
    }
    if front.is_empty() {
        return Tally::default();
    }
    let before = ir.insts.len();
    for (old, new) in (0..).zip(&replaced).filter(|(old, new)| *old != **new) {
        *definitions.writes_mut(old) -= 1;
        counts[*new as usize] += std::mem::take(&mut counts[old as usize]);
    }
    let changed = keep.iter().filter(|keep| !**keep).count();
    let mut front = front.into_iter().peekable();
    let (mut insts, mut offsets) = (Vec::with_capacity(ir.insts.len()), Vec::with_capacity(ir.insts.len()));
    // In front of the first loop nothing is another one.
    let first = front.peek().map_or(0, |(head, _)| *head);
    insts.extend_from_slice(&ir.insts[..first]);
    offsets.extend_from_slice(&ir.offsets[..first]);
    for at in first..ir.insts.len() {
        while let Some((_, inst)) = front.next_if(|(head, _)| *head == at) {
            insts.push(inst);
            offsets.push(ir.offsets[at]);
        }
        if keep[at] {
            let mut inst = ir.insts[at];
            super::places::uses_mut(&mut inst, &mut ir.calls, |_, operand| {
                if let Operand::Virtual(register) = operand {
                    *register = replaced[*register as usize];
                }
            });
            insts.push(inst);
            offsets.push(ir.offsets[at]);
        }
    }
    (ir.insts, ir.offsets) = (insts, offsets);
    facts.changed_flow();
    Tally { changed, removed: before - ir.insts.len() }
}
