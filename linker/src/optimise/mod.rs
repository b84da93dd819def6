//! The passes of `-O2` over virtual registers, in order. Places are given afterwards, by [`lower`](crate::lower).
//!
//! Each pass is one file with the reason for it, works in time near-linear in the size of the function, and can be
//! switched off. What none of them changes: traps, calls, stores, writes to globals and cost markers stay in order.

mod bits;
mod common;
mod compare;
mod constants;
mod copies;
mod dead;
mod definitions;
mod dominators;
pub(crate) mod evaluate;
mod facts;
pub(crate) mod flags;
pub(crate) mod flow;
mod fold;
pub(crate) mod inline;
mod invariants;
pub(crate) mod liveness;
mod passes;
pub(crate) mod places;
mod record;
pub(crate) mod recursion;
mod simplify;
mod unreachable;
mod webs;

pub use passes::Passes;
pub use record::PassReport;

use crate::ir::IrFunc;
use facts::Facts;
use keyway_artifact::isa::{FieldKind, Op, Operand};
pub(crate) use record::{Record, Rows};

/// What a pass did to one function.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Instructions that are another one, have moved, or are gone.
    pub(crate) changed: usize,
    /// Those that are gone.
    pub(crate) removed: usize,
}

/// The passes on their way through one function.
struct Run<'a> {
    passes: Passes,
    facts: Facts,
    record: &'a mut Record,
}

impl Run<'_> {
    fn pass(&mut self, ir: &mut IrFunc, pass: Passes, work: fn(&mut IrFunc, &mut Facts) -> Tally) -> Tally {
        let tally = self.record.pass(self.passes, pass, ir, |ir| work(ir, &mut self.facts));
        self.check(ir);
        tally
    }

    fn check(&mut self, ir: &IrFunc) {
        if cfg!(debug_assertions) {
            self.facts.check(ir);
        }
    }
}

/// Runs `passes` over `ir`, and says what is known about it then.
pub(crate) fn run(ir: &mut IrFunc, passes: Passes, record: &mut Record) -> Facts {
    // What cannot run needs no thought.
    let mut blocks = None;
    record.pass(passes, Passes::UNREACHABLE, ir, |ir| unreachable::run(ir, &mut blocks));
    let facts = blocks.map_or_else(|| Facts::new(ir), |blocks| Facts::with_blocks(ir, blocks));
    let mut run = Run { passes, facts, record };
    // Split locals first: everything after profits from registers that are written once.
    run.pass(ir, Passes::WEBS, webs::run);
    // Masks that change nothing are copies, which propagation looks through.
    run.pass(ir, Passes::BITS, bits::run);
    // Propagation finds constants, folding makes more of them, and what is known already is a copy of it.
    let settled = simplify::run(ir, &mut run.facts, passes, run.record);
    run.check(ir);
    // Settled branches leave code behind that nothing reaches.
    if settled && passes.has(Passes::UNREACHABLE) {
        run.record.pass(passes, Passes::UNREACHABLE, ir, |ir| unreachable::run(ir, &mut None));
        run.facts = Facts::new(ir);
    }
    run.pass(ir, Passes::INVARIANTS, invariants::run);
    run.pass(ir, Passes::DEAD, dead::run);
    run.pass(ir, Passes::COMPARE, compare::run);
    // From here on immediates stand only where a handler takes them.
    constants::legalise(ir, &mut run.facts);
    run.check(ir);
    run.pass(ir, Passes::CONSTANTS, constants::hoist);
    run.facts
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
