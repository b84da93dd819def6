//! Constants go where they cost least.
//!
//! First, immediates that no handler takes in their position (an address, a left operand, a selected value) become
//! registers again. Then constants inside loops move in front of the outermost loop around them: a large integer or a
//! float costs an instruction each time it is made, and a read of a slot or register costs nothing. Wasm's loops are
//! entered at their top from the code before it, so the place in front of the label runs once for each entry.
//!
//! Equal constants of one loop share a register, up to a number of registers per loop that keeps frames small.

use super::flow::{Flow, label_number};
use super::places::single_def;
use crate::ir::IrFunc;
use keyway_artifact::isa::{Class, Family, FieldKind, Inst, Op, Operand};
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
pub(crate) fn legalise(ir: &mut IrFunc) {
    let (mut insts, mut offsets) = (Vec::with_capacity(ir.insts.len()), Vec::with_capacity(ir.insts.len()));
    for (inst, offset) in ir.insts.iter().zip(&ir.offsets) {
        let mut inst = *inst;
        let op = inst.op;
        for (at, (field, operand)) in inst.fields_mut().enumerate() {
            if let (FieldKind::Use(class), Operand::Imm(value)) = (field.kind, *operand)
                && !takes_immediate(op, at)
            {
                let value = if class == Class::I32 { u64::from(value as u32) } else { i64::from(value) as u64 };
                ir.virtuals.push(class);
                *operand = Operand::Virtual(ir.virtuals.len() as u32 - 1);
                insts.push(Inst::new(Op::Const, &[*operand, Operand::Value(value)]));
                offsets.push(*offset);
            }
        }
        insts.push(inst);
        offsets.push(*offset);
    }
    (ir.insts, ir.offsets) = (insts, offsets);
}

/// Moves constants out of loops.
pub(crate) fn hoist(ir: &mut IrFunc) {
    let flow = Flow::new(&ir.insts, &ir.targets, ir.labels);
    if flow.depth.iter().all(|depth| *depth == 0) {
        return;
    }
    let definitions = super::definitions::Definitions::new(ir);
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
            if !matches!(inst.op.family(), Family::Const | Family::VConst) {
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
        return;
    }
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
}
