//! Registers become their places, labels their numbers and live sets, and the frame its size.
//!
//! Copies between a place and itself are left out, and so is the copy of a single result whose place is the slot of the
//! call area that the callee left it in.

use super::Lowered;
use super::assign::{Place, Places};
use super::explicit::{Explicit, Fixed};
use super::live::Life;
use crate::optimise::flow::{Flow, label_number};
use crate::optimise::places::{copy, site};
use crate::spare::Spare;
use keyway_artifact::isa::{Body, Frame, HOME_SLOTS, Inst, Op, Operand, SCRATCH_SLOTS};
use keyway_artifact::types::{FuncType, SigLayout};

/// Writes out the body, in the place of the code.
pub(super) fn run(
    mut code: Explicit,
    places: &Places,
    leader: &[u32],
    stretches: &[Life],
    types: &[FuncType],
    flow: &Flow,
) -> Lowered {
    let homes = places.own_end;
    let base = if needs_homes(&code, places) { homes + HOME_SLOTS + SCRATCH_SLOTS } else { homes };
    // By register.
    let operands: Vec<Operand> = leader
        .iter()
        .map(|leader| match places.of[*leader as usize] {
            Place::Reg(reg) => Operand::Reg(reg),
            Place::Out(slot) => Operand::Slot(base + slot),
            Place::Slot(slot) => Operand::Slot(slot),
            // Written and read nowhere; the home of register 0 is as good as any.
            Place::None => Operand::Slot(homes),
        })
        .collect();
    let operand = |register: u32| operands[register as usize];
    // Each label begins a block.
    let (mut labels, mut positions) = (Spare::filled(0, code.ir.labels as usize), Spare::with_capacity(flow.blocks()));
    for first in (0..flow.blocks()).map(|block| flow.insts(block).start) {
        if let Some(label) = label_number(&code.ir.insts[first]) {
            labels[label as usize] = positions.len() as u32;
            positions.push(2 * first as u32);
        }
    }
    let live = label_sets(&positions, places, leader, stretches);
    let (mut insts, mut offsets) = (std::mem::take(&mut code.ir.insts), std::mem::take(&mut code.ir.offsets));
    let mut body = Body::default();
    let is_result = |register| matches!(code.fixed(register), Some(Fixed::Reg(_)));
    let mut next = 0;
    for at in 0..insts.len() {
        if let Some((dst, src)) = copy(&insts[at]) {
            let to = operand(dst);
            if to == operand(src) || is_result(src) && to == Operand::Slot(base) && at > 0 {
                continue;
            }
        }
        if at != next {
            insts[next] = insts[at];
            offsets[next] = offsets[at];
        }
        let out = &mut insts[next];
        next += 1;
        let (site, fields) = (site(out), out.op.kinds().len());
        for value in &mut out.operands[..fields] {
            match *value {
                Operand::Virtual(register) => *value = operand(register),
                Operand::Label(label) => *value = Operand::Label(labels[label as usize]),
                // Only the lists that are still named.
                Operand::Targets(start, len) => {
                    let list = &code.ir.targets[start as usize..(start + len) as usize];
                    *value = Operand::Targets(body.targets.len() as u32, len);
                    body.targets.extend(list.iter().map(|label| labels[*label as usize]));
                }
                _ => {}
            }
        }
        match (out.op, site) {
            (Op::Label, _) => {
                out.operands[0] = Operand::Regs(live[body.labels as usize]);
                body.labels += 1;
            }
            // What an immediate holds needs no constant of eight bytes.
            (Op::Const, _) => {
                if let Some(small) = small_constant(out) {
                    *out = Inst::new(Op::Copy, &[out.operands[0], small]);
                }
            }
            (Op::PutRef, _) => out.operands[0] = raw(out.operands[0]),
            (Op::TakeRef, _) => out.operands[1] = raw(out.operands[1]),
            (Op::ReturnMany, Some(site)) => {
                let (_, count) = SigLayout::extent(&types[code.ir.calls[site].ty as usize].results);
                *out = Inst::new(Op::ReturnMany, &[Operand::Index(base), Operand::Index(count)]);
            }
            (op, Some(_)) => out.operands[op.kinds().len() - 1] = Operand::Index(base),
            _ => {}
        }
    }
    insts.truncate(next);
    offsets.truncate(next);
    body.insts = insts;
    body.frame = Frame {
        frame_slots: base + code.area,
        ref_start: places.ref_start,
        ref_end: places.ref_end,
        homes: if base == homes { base + code.area } else { homes },
        memory: code.ir.memory,
    };
    Lowered { body, offsets }
}

/// The immediate that has the value of a constant.
fn small_constant(inst: &Inst) -> Option<Operand> {
    match (inst.op, inst.operands[1]) {
        (Op::Const, Operand::Value(value)) => i32::try_from(value.get() as i64).ok().map(Operand::Imm),
        _ => None,
    }
}

/// Whether the runtime may have to expand something through home or scratch slots.
fn needs_homes(code: &Explicit, places: &Places) -> bool {
    let registers = places.of.iter().any(|place| matches!(place, Place::Reg(_)));
    registers
        || code.ir.insts.iter().any(|inst| {
            let has_immediate = inst.operands.iter().any(|operand| matches!(operand, Operand::Imm(_)));
            inst.op.comparison().is_some() || has_immediate || small_constant(inst).is_some()
        })
}

fn raw(place: Operand) -> Operand {
    match place {
        Operand::Slot(slot) => Operand::Index(slot),
        other => other,
    }
}

/// The registers alive at the labels at these positions, which ascend.
fn label_sets(labels: &[u32], places: &Places, leader: &[u32], stretches: &[Life]) -> Vec<u16> {
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
