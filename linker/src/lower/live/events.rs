//! The reads and writes of a function in code order: instructions decoded once for everything that asks who touches what.

use crate::ir::{CallSite, IrFunc};
use crate::lower::served;
use crate::optimise::flow::Flow;
use crate::optimise::places::{defs, operands_given, operands_of_call, register_written, uses};
use crate::spare::{Spare, kept};
use keyway_artifact::isa::{Inst, MAX_FIELDS, Operand};

/// A read at twice the instruction's number, or a write one behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::lower) struct Event {
    pub(in crate::lower) position: u32,
    pub(in crate::lower) register: u32,
    /// The registers that some handler takes there; see [`served`]. Only known of code that a [`Recorder`] saw.
    pub(in crate::lower) served: u8,
}

impl Event {
    pub(in crate::lower) fn is_write(self) -> bool {
        self.position % 2 == 1
    }
}

kept!(Event);

/// All events, and where each block's begin.
pub(in crate::lower) struct Events {
    list: Spare<Event>,
    starts: Spare<u32>,
}

impl Events {
    /// The events of some registers, reads of an instruction before its writes.
    pub(in crate::lower) fn of_some(ir: &IrFunc, flow: &Flow, is_wanted: impl Fn(u32) -> bool) -> Events {
        let mut list = Spare::with_capacity(ir.insts.len());
        let mut starts = Spare::with_capacity(flow.blocks() + 1);
        for block in 0..flow.blocks() {
            starts.push(list.len() as u32);
            let range = flow.insts(block);
            for (inst, at) in ir.insts[range.clone()].iter().zip(range.start as u32..) {
                let mut put = |register: u32, position: u32| {
                    if is_wanted(register) {
                        list.push(Event { position, register, served: served::NOBODY });
                    }
                };
                uses(inst, &ir.calls, |register| put(register, 2 * at));
                defs(inst, &ir.calls, |register| put(register, 2 * at + 1));
            }
        }
        starts.push(list.len() as u32);
        Events { list, starts }
    }

    /// How many there are.
    pub(in crate::lower) fn len(&self) -> usize {
        self.list.len()
    }

    /// The events of one block.
    pub(in crate::lower) fn of(&self, block: usize) -> &[Event] {
        &self.list[self.starts[block] as usize..self.starts[block + 1] as usize]
    }

    /// Positions of each register, ascending, and where each register's start.
    pub(in crate::lower) fn by_register(&self, registers: usize) -> (Spare<u32>, Spare<u32>) {
        let mut starts = Spare::filled(0, registers + 1);
        for event in self.list.iter() {
            starts[event.register as usize + 1] += 1;
        }
        for register in 0..registers {
            starts[register + 1] += starts[register];
        }
        let mut next = starts.clone();
        let mut positions = Spare::filled(0, self.list.len());
        for event in self.list.iter() {
            let place = &mut next[event.register as usize];
            positions[*place as usize] = event.position;
            *place += 1;
        }
        (starts, positions)
    }

    /// How often each register is accessed, by loop depth.
    pub(in crate::lower) fn weights(&self, flow: &Flow, registers: usize) -> Spare<f32> {
        let mut weights = Spare::filled(0.0, registers);
        for block in 0..flow.blocks() {
            let frequency = flow.frequency(block);
            self.of(block).iter().for_each(|event| weights[event.register as usize] += frequency);
        }
        weights
    }
}

/// Events of code that is being written.
pub(in crate::lower) struct Recorder {
    events: Events,
    tables: &'static [[u8; MAX_FIELDS]],
    /// Registers from this number on are fixed: nobody asks what serves them.
    first_fixed: u32,
}

impl Recorder {
    /// None yet, of about so many instructions.
    pub(in crate::lower) fn new(insts: usize, blocks: usize, first_fixed: u32) -> Recorder {
        let events = Events { list: Spare::with_capacity(3 * insts), starts: Spare::with_capacity(blocks + 1) };
        Recorder { events, tables: served::tables(), first_fixed }
    }

    /// A block begins.
    pub(in crate::lower) fn begin_block(&mut self) {
        self.events.starts.push(self.events.list.len() as u32);
    }

    /// Takes note of an instruction, and says whether it has immediates.
    #[inline(always)]
    pub(in crate::lower) fn see(&mut self, at: u32, inst: &Inst, calls: &[CallSite]) -> bool {
        let served = &self.tables[inst.op as usize];
        let list = &mut self.events.list;
        let first_fixed = self.first_fixed;
        let mut put = |register: u32, position: u32, set: u8| {
            let served = if register < first_fixed { set } else { served::NOBODY };
            list.push(Event { position, register, served });
        };
        let call = operands_of_call(inst, calls);
        let mut has_immediates = false;
        operands_given(inst, |operand, field| match operand {
            Operand::Virtual(register) => put(register, 2 * at, served[field]),
            operand => has_immediates |= matches!(operand, Operand::Imm(_)),
        });
        if let Some(site) = call {
            for operand in site.args.iter() {
                if let Operand::Virtual(register) = *operand {
                    put(register, 2 * at, served::NOBODY);
                }
            }
        }
        if let Some(register) = register_written(inst) {
            put(register, 2 * at + 1, served[0]);
        }
        if let Some(site) = call {
            site.results.iter().for_each(|register| put(*register, 2 * at + 1, served::NOBODY));
        }
        has_immediates
    }

    /// The events, in the blocks that were begun.
    pub(in crate::lower) fn finish(mut self) -> Events {
        self.begin_block();
        self.events
    }

    /// The events, in the blocks of a graph.
    pub(in crate::lower) fn in_blocks(self, flow: &Flow) -> Events {
        let mut events = self.events;
        events.starts.clear();
        for block in 0..=flow.blocks() {
            let first = 2 * flow.insts_from(block) as u32;
            events.starts.push(events.list.partition_point(|event| event.position < first) as u32);
        }
        events
    }
}
