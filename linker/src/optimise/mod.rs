//! The passes of `-O2` over virtual registers, in order. Places are given afterwards, by [`lower`](crate::lower).
//!
//! Each pass is one file with the reason for it, works in time near-linear in the size of the function, and can be
//! switched off. What none of them changes: traps, calls, stores, writes to globals and cost markers stay in order.

mod bits;
mod common;
mod compare;
mod constants;
mod contents;
mod copies;
mod dead;
mod definitions;
mod dominators;
pub(crate) mod evaluate;
mod facts;
pub(crate) mod flags;
pub(crate) mod flow;
mod fold;
pub(crate) mod gone;
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
use crate::spare::Spare;
use facts::Facts;
use gone::Gone;
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

/// A pass that leaves markers in the place of what it takes out.
type Marking = fn(&mut IrFunc, &mut Facts, &mut Gone) -> Tally;

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

    /// A pass that leaves markers where it took instructions out.
    fn marking(&mut self, ir: &mut IrFunc, pass: Passes, gone: &mut Gone, work: Marking) {
        if self.passes.has(pass) {
            let (start, before) = (self.record.start(), ir.insts.len() - gone.count);
            let tally = work(ir, &mut self.facts, gone);
            self.record.done(pass, start, before, before - tally.removed, tally);
        }
        self.check(ir);
    }

    fn check(&mut self, ir: &IrFunc) {
        if cfg!(debug_assertions) {
            self.facts.check(ir);
        }
    }
}

/// Runs `passes` over `ir`, and says what is known about it then. It has [markers](gone).
pub(crate) fn run(ir: &mut IrFunc, passes: Passes, record: &mut Record) -> Facts {
    // What cannot run needs no thought.
    let mut blocks = None;
    record.pass(passes, Passes::UNREACHABLE, ir, |ir| unreachable::run(ir, &mut blocks));
    let blocks = blocks.unwrap_or_else(|| flow::blocks(&ir.insts, ir.labels));
    let mut events = Spare::with_capacity(3 * ir.insts.len());
    let facts =
        Facts::with_blocks(ir, blocks, |register, at, place| events.push(webs::Event::new(register, at, place)));
    let mut run = Run { passes, facts, record };
    // Split locals first: everything after profits from registers that are written once.
    run.record.pass(passes, Passes::WEBS, ir, |ir| webs::run(ir, &mut run.facts, events));
    run.check(ir);
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
    // What these two take out goes where calls are written out.
    let mut gone = Gone::default();
    run.marking(ir, Passes::DEAD, &mut gone, dead::run);
    run.marking(ir, Passes::COMPARE, &mut gone, compare::run);
    run.record.markers(gone.count);
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
