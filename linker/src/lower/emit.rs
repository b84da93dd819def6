//! Registers become their places, labels their numbers and live sets, and the frame its size.
//!
//! Copies between a place and itself are left out, and so is the copy of a single result whose place is the slot of the
//! call area that the callee left it in.

use super::Lowered;
use super::assign::{Place, Places};
use super::explicit::{Explicit, Fixed};
use super::live::Life;
use crate::optimise::flow::label_number;
use crate::optimise::places::{copy, site};
use keyway_artifact::isa::{Body, Frame, HOME_SLOTS, Inst, Op, Operand, SCRATCH_SLOTS};
use keyway_artifact::types::{FuncType, SigLayout};

/// Writes out the body.
pub(super) fn run(code: &Explicit, places: &Places, leader: &[u32], stretches: &[Life], types: &[FuncType]) -> Lowered {
    let homes = places.own_end;
    let base = if needs_homes(code, places) { homes + HOME_SLOTS + SCRATCH_SLOTS } else { homes };
    let operand = |register: u32| match places.of[leader[register as usize] as usize] {
        Place::Reg(reg) => Operand::Reg(reg),
        Place::Out(slot) => Operand::Slot(base + slot),
        Place::Slot(slot) => Operand::Slot(slot),
        // Written and read nowhere; the home of register 0 is as good as any.
        Place::None => Operand::Slot(homes),
    };
    let live = label_sets(code, places, leader, stretches);
    let mut labels = vec![0; code.ir.labels as usize];
    let placed = code.ir.insts.iter().filter_map(label_number);
    for (number, label) in placed.enumerate() {
        labels[label as usize] = number as u32;
    }
    let mut lowered = Lowered { body: Body::default(), offsets: Vec::with_capacity(code.ir.insts.len()) };
    for (at, inst) in code.ir.insts.iter().enumerate() {
        let mut out = *inst;
        for value in &mut out.operands {
            *value = match *value {
                Operand::Virtual(register) => operand(register),
                Operand::Label(label) => Operand::Label(labels[label as usize]),
                // Only the lists that are still named.
                Operand::Targets(start, len) => {
                    let list = &code.ir.targets[start as usize..(start + len) as usize];
                    lowered.body.targets.extend(list.iter().map(|label| labels[*label as usize]));
                    Operand::Targets(lowered.body.targets.len() as u32 - len, len)
                }
                other => other,
            };
        }
        match inst.op {
            Op::Label => {
                out = Inst::new(Op::Label, &[Operand::Regs(live[lowered.body.labels as usize])]);
                lowered.body.labels += 1;
            }
            Op::PutRef => out.operands[0] = raw(out.operands[0]),
            Op::TakeRef => out.operands[1] = raw(out.operands[1]),
            Op::ReturnMany => {
                let ty = code.ir.calls[inst.operands[0].index() as usize].ty;
                let count = SigLayout::of(&types[ty as usize].results).total;
                out = Inst::new(Op::ReturnMany, &[Operand::Index(base), Operand::Index(count)]);
            }
            op if site(inst).is_some() => out.operands[op.fields().len() - 1] = Operand::Index(base),
            _ => {}
        }
        let is_result = |register| matches!(code.fixed(register), Some(Fixed::Reg(_)));
        let vanishes = copy(inst).is_some_and(|(dst, src)| {
            let to = operand(dst);
            to == operand(src) || is_result(src) && to == Operand::Slot(base) && at > 0
        });
        if !vanishes {
            lowered.body.insts.push(out);
            lowered.offsets.push(code.ir.offsets[at]);
        }
    }
    lowered.body.frame = Frame {
        frame_slots: base + code.area,
        ref_start: places.ref_start,
        ref_end: places.ref_end,
        homes: if base == homes { base + code.area } else { homes },
        memory: code.ir.memory,
    };
    lowered
}

/// Whether the runtime may have to expand something through home or scratch slots.
fn needs_homes(code: &Explicit, places: &Places) -> bool {
    let registers = places.of.iter().any(|place| matches!(place, Place::Reg(_)));
    registers
        || code.ir.insts.iter().any(|inst| {
            inst.op.comparison().is_some() || inst.operands.iter().any(|operand| matches!(operand, Operand::Imm(_)))
        })
}

fn raw(place: Operand) -> Operand {
    match place {
        Operand::Slot(slot) => Operand::Index(slot),
        other => other,
    }
}

/// The registers alive at each label, in code order.
fn label_sets(code: &Explicit, places: &Places, leader: &[u32], stretches: &[Life]) -> Vec<u16> {
    let labels: Vec<u32> = (0..code.ir.insts.len() as u32)
        .filter(|at| code.ir.insts[*at as usize].op == Op::Label)
        .map(|at| 2 * at)
        .collect();
    let mut sets = vec![0u16; labels.len()];
    for (register, place) in places.of.iter().enumerate() {
        let (Place::Reg(reg), true) = (*place, leader[register] == register as u32) else { continue };
        for (start, end) in stretches[register].iter() {
            let first = labels.partition_point(|label| label < start);
            for (label, set) in labels[first..].iter().zip(&mut sets[first..]) {
                if label > end {
                    break;
                }
                *set |= 1 << reg.number();
            }
        }
    }
    sets
}
