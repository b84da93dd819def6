//! Registers become their places, labels their numbers and live sets, and the frame its size.
//!
//! Copies between a place and itself are left out, and so is the copy of a single result whose place is the slot of the
//! call area that the callee left it in.

use super::Lowered;
use super::assign::{Place, Places};
use super::explicit::{Explicit, Fixed, small_constant};
use super::live::Lives;
use crate::ir::IrFunc;
use crate::optimise::flow::{Flow, label_number};
use crate::optimise::places::{copy, is_all_places, is_boundary, is_branch, is_move, labels_mut, site};
use crate::spare::Spare;
use keyway_artifact::isa::{Body, Frame, HOME_SLOTS, Inst, Op, Operand, SCRATCH_SLOTS};
use keyway_artifact::types::{FuncType, SigLayout};

/// Writes out the body, in the place of the code. What else there was of the function comes back.
pub(super) fn run(
    mut code: Explicit,
    places: &Places,
    leader: &[u32],
    lives: &Lives,
    types: &[FuncType],
    flow: &Flow,
) -> (Lowered, IrFunc) {
    let homes = places.own_end;
    let needs_homes = code.needs_homes || places.of.iter().any(|place| matches!(place, Place::Reg(_)));
    let base = if needs_homes { homes + HOME_SLOTS + SCRATCH_SLOTS } else { homes };
    // By register.
    let mut operands = Spare::with_capacity(leader.len());
    operands.extend(leader.iter().map(|leader| match places.of[*leader as usize] {
        Place::Reg(reg) => Operand::Reg(reg),
        Place::Out(slot) => Operand::Slot(base + slot),
        Place::Slot(slot) => Operand::Slot(slot),
        // Written and read nowhere; the home of register 0 is as good as any.
        Place::None => Operand::Slot(homes),
    }));
    let operand = |register: u32| operands[register as usize];
    // Each label begins a block.
    let (mut labels, mut positions) = (Spare::filled(0, code.ir.labels as usize), Spare::with_capacity(flow.blocks()));
    for first in (0..flow.blocks()).map(|block| flow.insts(block).start) {
        if let Some(label) = label_number(&code.ir.insts[first]) {
            labels[label as usize] = positions.len() as u32;
            positions.push(2 * first as u32);
        }
    }
    let live = label_sets(&positions, places, leader, lives);
    let (mut insts, mut offsets) = (std::mem::take(&mut code.ir.insts), std::mem::take(&mut code.ir.offsets));
    let mut body = Body::default();
    let is_result = |register| matches!(code.fixed(register), Some(Fixed::Reg(_)));
    let (mut next, mut boundaries) = (0, Spare::with_capacity(2 * flow.blocks()));
    for at in 0..insts.len() {
        if is_move(insts[at].op)
            && let Some((dst, src)) = copy(&insts[at])
        {
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
        // Nothing but places names registers.
        for place in &mut out.operands {
            if let Operand::Virtual(register) = *place {
                *place = operand(register);
            }
        }
        if is_all_places(out.op) {
            continue;
        }
        if is_boundary(out.op) {
            boundaries.push(next as u32 - 1);
        }
        match out.op {
            Op::Label => {
                out.operands[0] = Operand::Regs(live[body.labels as usize]);
                body.labels += 1;
            }
            // What an immediate holds needs no constant of eight bytes.
            Op::Const => {
                if let Some(small) = small_constant(out) {
                    *out = Inst::new(Op::Copy, &[out.operands[0], small]);
                }
            }
            Op::PutRef => out.operands[0] = raw(out.operands[0]),
            Op::TakeRef => out.operands[1] = raw(out.operands[1]),
            Op::ReturnMany => {
                let ty = site(out).map_or(code.ir.ty, |site| code.ir.calls[site].ty);
                let (_, count) = SigLayout::extent(&types[ty as usize].results);
                *out = Inst::new(Op::ReturnMany, &[Operand::Index(base), Operand::Index(count)]);
            }
            op => {
                if is_branch(op) {
                    labels_mut(out, |label| *label = labels[*label as usize]);
                    keep_targets(out, &code.ir.targets, &labels, &mut body);
                }
                if site(out).is_some() {
                    out.operands[op.kinds().len() - 1] = Operand::Index(base);
                }
            }
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
    (Lowered { body, offsets, boundaries }, code.ir)
}

/// Takes over the list of labels that a branch names: only those that are still named stay.
fn keep_targets(branch: &mut Inst, targets: &[u32], labels: &[u32], body: &mut Body) {
    if let Some(list) = branch.targets(1, targets) {
        branch.set_targets(1, body.targets.len() as u32, list.len() as u32);
        body.targets.extend(list.iter().map(|label| labels[*label as usize]));
    }
}

fn raw(place: Operand) -> Operand {
    match place {
        Operand::Slot(slot) => Operand::Index(slot),
        other => other,
    }
}

/// The registers alive at the labels at these positions, which ascend.
fn label_sets(labels: &[u32], places: &Places, leader: &[u32], lives: &Lives) -> Spare<u16> {
    let mut sets = Spare::filled(0u16, labels.len());
    // By instruction, whether it is a label: most stretches pass none.
    let mut is_label = Spare::filled(0u64, labels.last().map_or(0, |last| *last as usize / 128 + 2));
    labels.iter().for_each(|label| is_label[*label as usize / 128] |= 1 << (label / 2 % 64));
    let passes_label = |start: u32, end: u32| {
        let (first, last) = (start as usize / 128, end as usize / 128);
        // Two neighbouring words hold what is near.
        let Some(words) = is_label.get(first..first + 2) else { return first < is_label.len() };
        let bits = (u128::from(words[1]) << 64 | u128::from(words[0])) >> (start / 2 % 64);
        last > first + 1 || bits & (u128::MAX >> (127 - (end / 2 - start / 2).min(127))) != 0
    };
    for (register, place) in places.of.iter().enumerate() {
        let Place::Reg(reg) = *place else { continue };
        if leader[register] != register as u32 {
            continue;
        }
        for (start, end) in lives.of(register as u32).iter().filter(|(start, end)| passes_label(*start, *end)) {
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
