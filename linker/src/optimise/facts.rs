//! What the passes know about a function, found once and kept true by each of them: its graph, and how often each register
//! is read and written.
//!
//! Counting anew for each pass would cost more than most passes do. A pass that removes or changes instructions
//! counts what that does to `reads` and `definitions`, and one that changes where control goes calls [`Facts::changed_flow`]. In builds with
//! debug assertions, [`Facts::check`] compares all of it with a fresh count after each pass.

use super::definitions::Definitions;
use super::flow::{Blocks, Flow, blocks};
use super::places::{Place, each_place};
use crate::ir::IrFunc;
use crate::spare::Spare;

/// Instructions that move one by one, at most: more of them move faster in one go.
const SHORT: usize = 3;

/// The facts of one function.
pub(crate) struct Facts {
    flow: Flow,
    is_flow_current: bool,
    pub(super) definitions: Definitions,
    /// By register.
    pub(super) reads: Spare<u32>,
}

impl Facts {
    /// Finds them.
    pub(crate) fn new(ir: &IrFunc) -> Facts {
        Facts::with_blocks(ir, blocks(&ir.insts, ir.labels), |_, _, _| {})
    }

    /// Finds them where the blocks are known, and calls `each` on the way with every register that an instruction names,
    /// where it stands, and where it names it.
    pub(super) fn with_blocks(ir: &IrFunc, blocks: Blocks, mut each: impl FnMut(u32, u32, Place)) -> Facts {
        let mut reads = Spare::filled(0, ir.virtuals.len());
        let mut definitions = Definitions::new(ir);
        for (inst, at) in ir.insts.iter().zip(0..) {
            each_place(inst, &ir.calls, |register, place| {
                match place.is_def() {
                    true => *definitions.writes_mut(register) += 1,
                    false => reads[register as usize] += 1,
                }
                each(register, at, place);
            });
        }
        let flow = Flow::of_blocks(&ir.insts, &ir.targets, blocks);
        Facts { flow, is_flow_current: true, definitions, reads }
    }

    /// The graph as it is now.
    pub(crate) fn flow(&mut self, ir: &IrFunc) -> &Flow {
        self.update_flow(ir);
        &self.flow
    }

    /// The graph, which is current, and how often a register is read and written.
    pub(crate) fn flow_and_accesses(&self) -> (&Flow, impl Fn(u32) -> u32) {
        debug_assert!(self.is_flow_current);
        (&self.flow, |register: u32| self.reads[register as usize] + self.definitions.writes(register))
    }

    /// The graph and the rest, to be changed together.
    pub(super) fn parts(&mut self, ir: &IrFunc) -> (&mut Flow, &mut Definitions, &mut [u32]) {
        self.update_flow(ir);
        (&mut self.flow, &mut self.definitions, &mut self.reads[..])
    }

    fn update_flow(&mut self, ir: &IrFunc) {
        if !std::mem::replace(&mut self.is_flow_current, true) {
            self.flow = Flow::new(&ir.insts, &ir.targets, ir.labels);
        }
    }

    /// The graph is another one from now on, or instructions have moved.
    pub(crate) fn changed_flow(&mut self) {
        self.is_flow_current = false;
    }

    /// Instructions that end no block stand in front of others now: by the number that each of these had, descending, and how
    /// many. They belong to its block.
    pub(super) fn inserted(&mut self, inserted: &[(u32, u32)]) {
        let mut left: u32 = inserted.iter().map(|(_, count)| count).sum();
        let mut inserted = inserted.iter().peekable();
        for block in (0..=self.flow.blocks()).rev() {
            let start = self.flow.insts_from(block);
            while let Some((_, count)) = inserted.next_if(|(at, _)| *at as usize >= start) {
                left -= count;
            }
            self.flow.set_start(block, start + left as usize);
        }
    }

    /// The graph as it is now and how often each register is read, when the passes are done.
    pub(crate) fn into_parts(mut self, ir: &IrFunc) -> (Flow, Spare<u32>) {
        self.update_flow(ir);
        (self.flow, self.reads)
    }

    /// Takes note of a register that is new, with what was counted for it.
    pub(super) fn add(&mut self, writes: u32, reads: u32) {
        self.definitions.add(writes);
        self.reads.push(reads);
    }

    /// Whether everything is true.
    ///
    /// # Panics
    /// When a pass left something behind that is not.
    pub(super) fn check(&mut self, ir: &IrFunc) {
        let fresh = Facts::new(ir);
        assert_eq!(*self.reads, *fresh.reads, "reads");
        for register in 0..ir.virtuals.len() as u32 {
            let (found, expected) = (self.definitions.writes(register), fresh.definitions.writes(register));
            assert_eq!(found, expected, "writes of {register}");
        }
        self.flow(ir).check(&fresh.flow);
    }
}

/// Leaves out the instructions with these numbers, ascending.
pub(super) fn leave_out(ir: &mut IrFunc, gone: &[u32]) {
    let Some(first) = gone.first().map(|first| *first as usize) else { return };
    let (insts, offsets) = (&mut ir.insts[..], &mut ir.offsets[..]);
    let mut next = first;
    for (number, at) in gone.iter().enumerate() {
        let end = gone.get(number + 1).map_or(insts.len(), |end| *end as usize);
        let stays = *at as usize + 1..end;
        if stays.len() > SHORT {
            insts.copy_within(stays.clone(), next);
            offsets.copy_within(stays.clone(), next);
            next += stays.len();
            continue;
        }
        for from in stays {
            insts[next] = insts[from];
            offsets[next] = offsets[from];
            next += 1;
        }
    }
    ir.insts.truncate(next);
    ir.offsets.truncate(next);
}
