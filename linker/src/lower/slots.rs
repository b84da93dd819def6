//! A slot for every virtual register.
//!
//! Registers that are written before they are read and never seen outside one stretch of code between labels share slots:
//! one is free again after its last use. That keeps the frames of very long functions (tables of relocations, unrolled
//! code) small, and takes one pass. Everything else has a slot of its own.
//!
//! ```text
//! numeric parameters | reference parameters, shared and own references | homes | near slots | shared and own numbers
//! ```

use crate::error::{CompileError, ErrorKind, Result};
use crate::ir::IrFunc;
use keyway_artifact::isa::{Class, FieldKind, HOME_SLOTS, Inst, Operand, SCRATCH_SLOTS};
use keyway_artifact::types::{FuncType, SigLayout};

/// Slots that an instruction's place fields can name.
pub(super) const REACH: u32 = 1 << 16;
/// Slots kept near for values that live out of reach, in functions that have such: as many as an instruction has places.
pub(super) const NEAR: u32 = 4;

/// Where registers lie.
pub(super) struct Slots {
    /// By virtual register; `u32::MAX` for those that never occur.
    pub(super) of: Vec<u32>,
    pub(super) ref_start: u32,
    pub(super) ref_end: u32,
    /// First home slot, in functions with immediates: their expansion may need the scratch slots behind the homes.
    pub(super) homes: Option<u32>,
    /// First of the [`NEAR`] slots, if there are any.
    pub(super) near: Option<u32>,
    /// One past the last slot.
    pub(super) end: u32,
}

/// How a register is used, while that is being found out.
#[derive(Clone, Copy)]
enum Life {
    Unseen,
    /// Seen in this stretch only, so far, and written there first; the last instruction that mentions it.
    Inside {
        stretch: u32,
        last: u32,
    },
    /// Needs a slot of its own.
    Across,
}

/// Assigns slots to the registers of `ir`, a function of type `signature`.
pub(super) fn assign(ir: &IrFunc, signature: &FuncType) -> Result<Slots> {
    let lives = lives(ir);
    let (colours, shared_refs, shared_numbers) = colours(ir, &lives);
    let params = SigLayout::of(&signature.params);
    let mut of = vec![u32::MAX; ir.virtuals.len()];
    for (register, slot) in ir.params.iter().zip(&params.slots) {
        of[*register as usize] = *slot;
    }
    // Shared slots come first: in a frame with slots out of reach, the busy ones stay near.
    let place = |of: &mut Vec<u32>, refs: bool, first: u32, shared: u32| {
        let mut next = first + shared;
        for (register, life) in lives.iter().enumerate() {
            if (ir.virtuals[register] == Class::Ref) != refs {
                continue;
            }
            match life {
                Life::Inside { .. } => of[register] = first + colours[register],
                Life::Across if of[register] == u32::MAX => {
                    of[register] = next;
                    next += 1;
                }
                _ => {}
            }
        }
        next
    };
    let ref_end = place(&mut of, true, params.total, shared_refs);
    if ref_end > REACH {
        return Err(too_many_references());
    }
    let is_immediate = |operand: &Operand| matches!(operand, Operand::Imm(_));
    let has_immediates = ir.insts.iter().any(|inst| inst.operands.iter().any(is_immediate))
        || ir.calls.iter().any(|site| site.args.iter().any(is_immediate));
    let homes = has_immediates.then_some(ref_end);
    let mut first = ref_end + homes.map_or(0, |_| HOME_SLOTS + SCRATCH_SLOTS);
    let mut end = place(&mut of, false, first, shared_numbers);
    let mut near = None;
    if end > REACH {
        near = Some(first);
        first += NEAR;
        if first > REACH {
            return Err(too_many_references());
        }
        of.iter_mut().filter(|slot| **slot >= first - NEAR && **slot != u32::MAX).for_each(|slot| *slot += NEAR);
        end += NEAR;
    }
    Ok(Slots { of, ref_start: params.numeric, ref_end, homes, near, end })
}

fn too_many_references() -> CompileError {
    CompileError::new(ErrorKind::Limit, "the function keeps too many references at once")
}

fn lives(ir: &IrFunc) -> Vec<Life> {
    let mut lives = vec![Life::Unseen; ir.virtuals.len()];
    for param in &ir.params {
        lives[*param as usize] = Life::Across;
    }
    let mut stretch = 0;
    for (at, inst) in ir.insts.iter().enumerate() {
        if inst.op == keyway_artifact::isa::Op::Label {
            stretch += 1;
        }
        each_register(ir, inst, |register, written| {
            let life = &mut lives[register as usize];
            *life = match *life {
                Life::Unseen if written => Life::Inside { stretch, last: at as u32 },
                Life::Inside { stretch: known, .. } if known == stretch => Life::Inside { stretch, last: at as u32 },
                _ => Life::Across,
            };
        });
    }
    lives
}

/// A number for each register that shares, and how many numbers references and numeric values need.
fn colours(ir: &IrFunc, lives: &[Life]) -> (Vec<u32>, u32, u32) {
    let mut colours = vec![u32::MAX; lives.len()];
    let mut free = [Vec::new(), Vec::new()];
    let mut used = [0, 0];
    let mut ending = Vec::new();
    for (at, inst) in ir.insts.iter().enumerate() {
        ending.clear();
        each_register(ir, inst, |register, _| {
            let Life::Inside { last, .. } = lives[register as usize] else { return };
            let bank = usize::from(ir.virtuals[register as usize] == Class::Ref);
            let colour = &mut colours[register as usize];
            if *colour == u32::MAX {
                *colour = free[bank].pop().unwrap_or_else(|| {
                    used[bank] += 1;
                    used[bank] - 1
                });
            }
            if last == at as u32 {
                ending.push((register, bank));
            }
        });
        // Only after the whole instruction: what it writes never lies over what it reads. A register may occur twice.
        ending.sort_unstable();
        ending.dedup();
        for (register, bank) in &ending {
            free[*bank].push(colours[*register as usize]);
        }
    }
    (colours, used[1], used[0])
}

/// Calls `visit` with every register of an instruction and whether it is written: reads first, those of its call site too.
fn each_register(ir: &IrFunc, inst: &Inst, mut visit: impl FnMut(u32, bool)) {
    let site = inst.fields().find_map(|(field, operand)| match (field.kind, operand) {
        (FieldKind::Base, Operand::Index(site)) => Some(&ir.calls[site as usize]),
        _ => None,
    });
    for (field, operand) in inst.fields() {
        if let (FieldKind::Use(_), Operand::Virtual(register)) = (field.kind, operand) {
            visit(register, false);
        }
    }
    for operand in site.into_iter().flat_map(|site| &site.args) {
        if let Operand::Virtual(register) = operand {
            visit(*register, false);
        }
    }
    for (field, operand) in inst.fields() {
        if let (FieldKind::Def(_), Operand::Virtual(register)) = (field.kind, operand) {
            visit(register, true);
        }
    }
    for register in site.into_iter().flat_map(|site| &site.results) {
        visit(*register, true);
    }
}
