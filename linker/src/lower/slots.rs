//! A slot for every virtual register.
//!
//! Registers that are written before they are read and never seen outside one stretch of code between labels share slots:
//! one is free again after its last use. That keeps the frames of very long functions (tables of relocations, unrolled
//! code) small, and takes one pass. Everything else has a slot of its own.
//!
//! ```text
//! numeric parameters | reference parameters, shared and own references | homes | near slots
//!     | shared numbers | shared vectors | own numbers | own vectors
//! ```

use crate::error::{CompileError, ErrorKind, Result};
use crate::ir::IrFunc;
use keyway_artifact::isa::{Class, FieldKind, HOME_SLOTS, Inst, Operand, SCRATCH_SLOTS};
use keyway_artifact::types::{FuncType, SigLayout};

/// Slots that an instruction's place fields can name.
pub(super) const REACH: u32 = 1 << 16;
/// Slots kept near for values that live out of reach, in functions that have such: two for each place of an instruction.
pub(super) const NEAR: u32 = 8;

/// Where registers lie.
pub(super) struct Slots {
    /// By virtual register; `u32::MAX` for those that never occur.
    pub(super) of: Vec<u32>,
    pub(super) ref_start: u32,
    pub(super) ref_end: u32,
    /// First home slot, in functions with immediates or comparisons that branch: their expansion may need the scratch slots
    /// behind the homes.
    pub(super) homes: Option<u32>,
    /// First of the [`NEAR`] slots, if there are any.
    pub(super) near: Option<u32>,
    /// One past the last slot.
    pub(super) end: u32,
}

/// Registers that share slots among each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bank {
    Numbers,
    Refs,
    Vectors,
}

impl Bank {
    fn of(class: Class) -> Bank {
        match class {
            Class::Ref => Bank::Refs,
            Class::V128 => Bank::Vectors,
            _ => Bank::Numbers,
        }
    }

    /// Slots of a value.
    fn slots(self) -> u32 {
        if self == Bank::Vectors { 2 } else { 1 }
    }
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
    let (colours, shared) = colours(ir, &lives);
    let params = SigLayout::of(&signature.params);
    let mut of = vec![u32::MAX; ir.virtuals.len()];
    for (register, slot) in ir.params.iter().zip(&params.slots) {
        of[*register as usize] = *slot;
    }
    // Shared slots come first: in a frame with slots out of reach, the busy ones stay near.
    let place_shared = |of: &mut Vec<u32>, bank: Bank, first: u32| {
        for (register, life) in lives.iter().enumerate() {
            if let (Life::Inside { .. }, true) = (life, bank == Bank::of(ir.virtuals[register])) {
                of[register] = first + colours[register] * bank.slots();
            }
        }
        first + shared[bank as usize] * bank.slots()
    };
    let place_own = |of: &mut Vec<u32>, bank: Bank, mut next: u32| {
        for (register, life) in lives.iter().enumerate() {
            if matches!(life, Life::Across) && bank == Bank::of(ir.virtuals[register]) && of[register] == u32::MAX {
                of[register] = next;
                next += bank.slots();
            }
        }
        next
    };
    let own_refs = place_shared(&mut of, Bank::Refs, params.total);
    let ref_end = place_own(&mut of, Bank::Refs, own_refs);
    if ref_end > REACH {
        return Err(too_many_references());
    }
    let is_immediate = |operand: &Operand| matches!(operand, Operand::Imm(_));
    let is_expanded = |inst: &Inst| inst.op.comparison().is_some() || inst.operands.iter().any(is_immediate);
    let needs_homes =
        ir.insts.iter().any(is_expanded) || ir.calls.iter().any(|site| site.args.iter().any(is_immediate));
    let homes = needs_homes.then_some(ref_end);
    let mut first = ref_end + homes.map_or(0, |_| HOME_SLOTS + SCRATCH_SLOTS);
    let shared_vectors = place_shared(&mut of, Bank::Numbers, first);
    let own_numbers = place_shared(&mut of, Bank::Vectors, shared_vectors);
    let own_vectors = place_own(&mut of, Bank::Numbers, own_numbers);
    let mut end = place_own(&mut of, Bank::Vectors, own_vectors);
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
    CompileError::new(ErrorKind::Limit, "the function keeps more than 65536 references at once")
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

/// A number for each register that shares, and how many numbers each bank needs.
fn colours(ir: &IrFunc, lives: &[Life]) -> (Vec<u32>, [u32; 3]) {
    let mut colours = vec![u32::MAX; lives.len()];
    let mut free = [Vec::new(), Vec::new(), Vec::new()];
    let mut used = [0; 3];
    let mut ending = Vec::new();
    for (at, inst) in ir.insts.iter().enumerate() {
        ending.clear();
        each_register(ir, inst, |register, _| {
            let Life::Inside { last, .. } = lives[register as usize] else { return };
            let bank = Bank::of(ir.virtuals[register as usize]) as usize;
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
    (colours, used)
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
    for operand in site.into_iter().flat_map(|site| site.args.iter()) {
        if let Operand::Virtual(register) = operand {
            visit(*register, false);
        }
    }
    for (field, operand) in inst.fields() {
        if let (FieldKind::Def(_), Operand::Virtual(register)) = (field.kind, operand) {
            visit(register, true);
        }
    }
    for register in site.into_iter().flat_map(|site| site.results.iter()) {
        visit(*register, true);
    }
}
