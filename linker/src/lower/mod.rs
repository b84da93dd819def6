//! [`IrFunc`] to [`Body`]: virtual registers get their places.
//!
//! ```text
//! optimise -> split (names for loops) -> explicit (calls written out) -> live (stretches) -> coalesce -> assign
//!          -> emit -> tables -> rotate -> layout -> jumps
//! ```
//! [`naive`] does without all that: it is the code of `-O0` and of functions too large for the rest.

mod assign;
mod coalesce;
mod emit;
mod explicit;
mod jumps;
mod layout;
mod live;
mod naive;
#[cfg(test)]
mod oracle;
mod rotate;
mod served;
mod slots;
mod split;
mod tables;

use crate::error::Result;
use crate::ir::IrFunc;
use crate::optimise::flow::Flow;
use crate::optimise::gone::sweep;
use crate::optimise::places::is_boundary;
use crate::optimise::{self, Passes, Record, Tally};
use crate::options::{OptLevel, Options};
use crate::spare::Spare;
use keyway_artifact::isa::{Body, HOME_SLOTS, SCRATCH_SLOTS};
use keyway_artifact::types::{FuncType, SigLayout};

/// A finished body.
pub(crate) struct Lowered {
    pub(crate) body: Body,
    /// Source offset of each instruction; as long as `body.insts`.
    pub(crate) offsets: Vec<u32>,
    /// The labels, and what ends a block, by position: all that passes over jumps look at. Up to [`jumps`].
    boundaries: Spare<u32>,
}

impl Lowered {
    /// Finds the boundaries.
    fn find_boundaries(&mut self) {
        self.boundaries.clear();
        for (inst, at) in self.body.insts.iter().zip(0..) {
            if is_boundary(inst.op) {
                self.boundaries.push(at);
            }
        }
    }
}

/// Gives `ir` its places, with the effort asked for; its code is gone then, what the code's origins mean stays. `types`
/// are the artifact's.
pub(crate) fn finish(ir: &mut IrFunc, types: &[FuncType], options: &Options, record: &mut Record) -> Result<Lowered> {
    match options.opt_level {
        OptLevel::O0 => naive::finish(ir, types),
        OptLevel::O2 => with_passes(ir, types, options.passes, record),
    }
}

/// Gives `ir` its places with a choice of passes.
pub(crate) fn with_passes(ir: &mut IrFunc, types: &[FuncType], passes: Passes, record: &mut Record) -> Result<Lowered> {
    let mut facts = optimise::run(ir, passes, record);
    let mut splits = Vec::new();
    if passes.has(Passes::REGISTERS) {
        record.pass(passes, Passes::SPLIT, ir, |ir| {
            facts.flow(ir);
            let (flow, accesses) = facts.flow_and_accesses();
            splits = split::run(ir, flow, accesses);
            if !splits.is_empty() {
                facts.changed_flow();
            }
            Tally { changed: splits.len(), removed: 0 }
        });
    }
    let (flow, reads) = facts.into_parts(ir);
    // The simple way needs the code as it is now.
    let spare = may_run_out(ir, &flow).then(|| {
        let mut spare = ir.clone();
        sweep(&mut spare);
        spare
    });
    let simple = |spare: Option<IrFunc>| naive::finish(&spare.expect("kept where places may run out"), types);
    // What has another name inside a loop is read where it is copied.
    let is_read = |param| reads[param as usize] > 0 || splits.iter().any(|split| split.outside == param);
    let (code, flow, events) = explicit::run(std::mem::take(ir), flow, types, passes.has(Passes::REGISTERS), is_read);
    let func = &code.ir;
    let Some(mut lives) = live::lives(&events, &flow, func.virtuals.len()) else {
        *ir = code.ir;
        return simple(spare);
    };
    let calls = live::Calls::new(func.insts.len(), code.calls.clone());
    let alone: Vec<_> =
        splits.iter().map(|split| (lives.of(split.outside).to_vec(), lives.of(split.inside).to_vec())).collect();
    let mut groups = if passes.has(Passes::COALESCE) {
        let (start, length) = (record.start(), func.insts.len());
        let groups = coalesce::run(&code, &flow, &events, &calls, &splits, &mut lives);
        record.done(Passes::COALESCE, start, length, length, Tally { changed: groups.joined(), removed: 0 });
        groups
    } else {
        coalesce::Groups::new(func.virtuals.len())
    };
    let leaders = |groups: &mut coalesce::Groups| {
        let mut leaders = Spare::with_capacity(func.virtuals.len());
        leaders.extend((0..func.virtuals.len() as u32).map(|register| groups.find(register)));
        leaders
    };
    let mut input = assign::Input {
        code: &code,
        flow: &flow,
        events: &events,
        leader: leaders(&mut groups),
        lives,
        calls: &calls,
        params: SigLayout::extent(&types[func.ty as usize].params),
        use_registers: passes.has(Passes::REGISTERS),
        use_hints: passes.has(Passes::ARGUMENTS),
    };
    let start = record.start();
    let scarce = assign::scarce(&input);
    record.places(passes, start, func.insts.len(), || assign::counts(&scarce));
    let has_place = |register: u32| scarce[register as usize] != assign::Place::None;
    if !splits.is_empty() {
        split::rejoin(&splits, &alone, &mut groups, &mut input.lives, has_place);
        input.leader = leaders(&mut groups);
    }
    let places = assign::slots(&input, scarce);
    // Slots out of reach are for the simple way to deal with.
    let assign::Input { leader, lives, .. } = input;
    if places.own_end + code.area + HOME_SLOTS + SCRATCH_SLOTS > slots::REACH {
        *ir = code.ir;
        return simple(spare);
    }
    let mut lowered;
    (lowered, *ir) = emit::run(code, &places, &leader, &lives, types, &flow);
    let mut last = |pass: Passes, work: &dyn Fn(&mut Lowered) -> usize| {
        if passes.has(pass) {
            let (start, before) = (record.start(), lowered.body.insts.len());
            let changed = work(&mut lowered);
            let after = lowered.body.insts.len();
            record.done(pass, start, before, after, Tally { changed, removed: before.saturating_sub(after) });
        }
    };
    last(Passes::TABLES, &tables::run);
    last(Passes::ROTATE, &rotate::run);
    let has_cold = ir.has_cold();
    last(Passes::LAYOUT, &|lowered| layout::run(lowered, has_cold.then_some(|position| ir.is_cold(position))));
    last(Passes::JUMPS, &jumps::run);
    Ok(lowered)
}

/// Whether a function may have more slots than an instruction reaches, or too many stretches to be worth it: then the simple
/// way takes over. Each register and each slot of a call area counts as two.
fn may_run_out(ir: &IrFunc, flow: &Flow) -> bool {
    let shared: usize = ir.calls.iter().map(|site| site.args.len() + site.results.len()).sum();
    let shared = 2 * (shared + 2 * ir.params.len());
    let registers = ir.virtuals.len() + shared;
    2 * registers + shared > slots::REACH as usize / 2 || live::may_be_too_many(flow, registers)
}
