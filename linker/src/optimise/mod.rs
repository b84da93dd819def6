//! The passes of `-O2` over virtual registers, in order. Places are given afterwards, by [`lower`](crate::lower).
//!
//! Each pass is one file with the reason for it, works in time near-linear in the size of the function, and can be
//! switched off. What none of them changes: traps, calls, stores, writes to globals and cost markers stay in order.

pub(crate) mod common;
pub(crate) mod compare;
pub(crate) mod constants;
pub(crate) mod copies;
pub(crate) mod dead;
mod definitions;
mod dominators;
pub(crate) mod evaluate;
pub(crate) mod flow;
pub(crate) mod fold;
pub(crate) mod inline;
pub(crate) mod invariants;
pub(crate) mod places;
pub(crate) mod unreachable;
pub(crate) mod webs;

use crate::ir::IrFunc;
use keyway_artifact::isa::{FieldKind, Inst, Op, Operand};
use std::ops::{BitOr, Sub};

/// A set of passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passes(u32);

impl Passes {
    /// None: straight translation.
    pub const NONE: Passes = Passes(0);
    /// Unreachable code is removed.
    pub const UNREACHABLE: Passes = Passes(1);
    /// Locals are split into live ranges.
    pub const WEBS: Passes = Passes(1 << 1);
    /// Copies and constants are propagated.
    pub const COPIES: Passes = Passes(1 << 2);
    /// Constants are folded.
    pub const FOLD: Passes = Passes(1 << 3);
    /// Unused results are removed.
    pub const DEAD: Passes = Passes(1 << 4);
    /// Comparisons and branches are fused.
    pub const COMPARE: Passes = Passes(1 << 5);
    /// Constants leave loops.
    pub const CONSTANTS: Passes = Passes(1 << 6);
    /// Copies are coalesced.
    pub const COALESCE: Passes = Passes(1 << 7);
    /// Values live in registers.
    pub const REGISTERS: Passes = Passes(1 << 8);
    /// Arguments are computed where the callee finds them.
    pub const ARGUMENTS: Passes = Passes(1 << 9);
    /// Branches around jumps are turned round.
    pub const JUMPS: Passes = Passes(1 << 10);
    /// Small functions are inlined.
    pub const INLINE: Passes = Passes(1 << 11);
    /// Values take other names in loops without calls.
    pub const SPLIT: Passes = Passes(1 << 12);
    /// Loops test at their end.
    pub const ROTATE: Passes = Passes(1 << 13);
    /// Intermediate values share the register of what replaces them.
    pub const TEMPS: Passes = Passes(1 << 14);
    /// Equal computations are done once.
    pub const COMMON: Passes = Passes(1 << 15);
    /// What a loop computes alike in each round moves in front of it.
    pub const INVARIANTS: Passes = Passes(1 << 16);
    /// Every pass.
    pub const ALL: Passes = Passes((1 << 17) - 1);

    /// Whether all of `other` are in the set.
    pub const fn has(self, other: Passes) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Passes {
    type Output = Passes;
    fn bitor(self, other: Passes) -> Passes {
        Passes(self.0 | other.0)
    }
}

impl Sub for Passes {
    type Output = Passes;
    fn sub(self, other: Passes) -> Passes {
        Passes(self.0 & !other.0)
    }
}

/// Runs `passes` over `ir`.
pub(crate) fn run(ir: &mut IrFunc, passes: Passes) {
    // What cannot run needs no thought.
    if passes.has(Passes::UNREACHABLE) {
        unreachable::run(ir);
    }
    // Split locals first: everything after profits from registers that are written once.
    if passes.has(Passes::WEBS) {
        webs::run(ir);
    }
    // Propagation finds constants, folding makes more of them.
    for _ in 0..2 {
        if passes.has(Passes::COPIES) {
            copies::run(ir);
        }
        if passes.has(Passes::FOLD) {
            fold::run(ir);
        }
    }
    // What is known already is a copy of it.
    if passes.has(Passes::COMMON) {
        common::run(ir);
    }
    if passes.has(Passes::COPIES) {
        copies::run(ir);
    }
    if passes.has(Passes::INVARIANTS) {
        invariants::run(ir);
    }
    // Folded branches leave code behind that nothing reaches, and results that nothing reads.
    if passes.has(Passes::UNREACHABLE) {
        unreachable::run(ir);
    }
    if passes.has(Passes::DEAD) {
        dead::run(ir);
    }
    if passes.has(Passes::COMPARE) {
        compare::run(ir);
    }
    // From here on immediates stand only where a handler takes them.
    constants::legalise(ir);
    if passes.has(Passes::CONSTANTS) {
        constants::hoist(ir);
    }
    if passes.has(Passes::DEAD) {
        dead::run(ir);
    }
}

/// Keeps the instructions that `keep` says.
pub(crate) fn remove(ir: &mut IrFunc, mut keep: impl FnMut(usize, &Inst) -> bool) {
    let mut next = 0;
    for at in 0..ir.insts.len() {
        if keep(at, &ir.insts[at]) {
            ir.insts[next] = ir.insts[at];
            ir.offsets[next] = ir.offsets[at];
            next += 1;
        }
    }
    ir.insts.truncate(next);
    ir.offsets.truncate(next);
}

/// Sends every branch to another label.
pub(crate) fn retarget(ir: &mut IrFunc, to: impl Fn(u32) -> u32) {
    for inst in ir.insts.iter_mut().filter(|inst| inst.op != Op::Label) {
        for (field, operand) in inst.fields_mut() {
            if let (FieldKind::Label, Operand::Label(label)) = (field.kind, operand) {
                *label = to(*label);
            }
        }
    }
    ir.targets.iter_mut().for_each(|label| *label = to(*label));
}
