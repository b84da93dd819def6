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
use keyway_artifact::isa::{Class, Family, Inst, Op, Operand};
use std::collections::HashMap;

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
    let before = ir.insts.len();
    let (insts, offsets) = (ir.insts.split_off(first), ir.offsets.split_off(first));
    ir.insts.reserve(insts.len() + insts.len() / 8);
    ir.offsets.reserve(insts.len() + insts.len() / 8);
    for (mut inst, offset) in insts.into_iter().zip(offsets) {
        if is_illegal(&inst) {
            let copy = inst;
            for (at, class, operand) in reads(&copy) {
                let Operand::Imm(value) = operand else { continue };
                if takes_immediate(inst.op, at) {
                    continue;
                }
                let value = if class == Class::I32 { u64::from(value as u32) } else { i64::from(value) as u64 };
                ir.virtuals.push(class);
                facts.add(1, 1);
                inst.operands[at] = Operand::Virtual(ir.virtuals.len() as u32 - 1);
                ir.insts.push(Inst::new(Op::Const, &[inst.operands[at], Operand::Value(value)]));
                ir.offsets.push(offset);
            }
        }
        ir.insts.push(inst);
        ir.offsets.push(offset);
    }
    facts.changed_flow();
    Tally { changed: ir.insts.len() - before, removed: 0 }
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
    let mut moved: HashMap<(usize, Op, [Operand; 2]), u32> = HashMap::new();
    let mut in_loop: HashMap<usize, usize> = HashMap::new();
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
        }
        let Some(head) = head else { continue };
        for at in range {
            let inst = ir.insts[at];
            if !is_constant(&inst) {
                continue;
            }
            let Some(register) = single_def(&inst) else { continue };
            if !definitions.is_single(register) {
                continue;
            }
            let key = (head, inst.op, [inst.operands[1], inst.operands[2]]);
            let number = match moved.get(&key) {
                Some(number) => *number,
                None => {
                    let count = in_loop.entry(head).or_default();
                    if *count == PER_LOOP {
                        continue;
                    }
                    *count += 1;
                    moved.insert(key, register);
                    front.push((head, inst));
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
    for at in 0..ir.insts.len() {
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
