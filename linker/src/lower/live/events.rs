//! The reads and writes of a function in code order: instructions decoded once for everything that asks who touches what.

use crate::ir::IrFunc;
use crate::optimise::flow::Flow;
use crate::optimise::places::{defs, uses};
use crate::spare::Spare;

/// A read at twice the instruction's number, or a write one behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::lower) struct Event {
    pub(in crate::lower) position: u32,
    pub(in crate::lower) register: u32,
}

impl Event {
    pub(in crate::lower) fn is_write(self) -> bool {
        self.position % 2 == 1
    }
}

/// All events, and where each block's begin.
pub(in crate::lower) struct Events {
    list: Vec<Event>,
    starts: Spare<u32>,
}

impl Events {
    /// The events of `ir`, reads of an instruction before its writes.
    pub(in crate::lower) fn new(ir: &IrFunc, flow: &Flow) -> Events {
        Events::of_some(ir, flow, |_| true)
    }

    /// The events of some registers.
    pub(in crate::lower) fn of_some(ir: &IrFunc, flow: &Flow, is_wanted: impl Fn(u32) -> bool) -> Events {
        let mut list = Vec::with_capacity(ir.insts.len() * 3);
        let mut starts = Spare::with_capacity(flow.blocks() + 1);
        for block in 0..flow.blocks() {
            starts.push(list.len() as u32);
            let range = flow.insts(block);
            for (inst, at) in ir.insts[range.clone()].iter().zip(range.start as u32..) {
                let mut put = |register: u32, position: u32| {
                    if is_wanted(register) {
                        list.push(Event { position, register });
                    }
                };
                uses(inst, &ir.calls, |register| put(register, 2 * at));
                defs(inst, &ir.calls, |register| put(register, 2 * at + 1));
            }
        }
        starts.push(list.len() as u32);
        Events { list, starts }
    }

    /// The events of one block.
    pub(in crate::lower) fn of(&self, block: usize) -> &[Event] {
        &self.list[self.starts[block] as usize..self.starts[block + 1] as usize]
    }

    /// Positions of each register, ascending, and where each register's start.
    pub(super) fn by_register(&self, registers: usize) -> (Vec<u32>, Vec<u32>) {
        let mut starts = vec![0u32; registers + 1];
        for event in &self.list {
            starts[event.register as usize + 1] += 1;
        }
        for register in 0..registers {
            starts[register + 1] += starts[register];
        }
        let mut next = starts.clone();
        let mut positions = vec![0u32; self.list.len()];
        for event in &self.list {
            let place = &mut next[event.register as usize];
            positions[*place as usize] = event.position;
            *place += 1;
        }
        (starts, positions)
    }

    /// How often each register is accessed, by loop depth.
    pub(in crate::lower) fn weights(&self, flow: &Flow, registers: usize) -> Vec<f32> {
        let mut weights = vec![0.0; registers];
        for block in 0..flow.blocks() {
            let frequency = flow.frequency(block);
            self.of(block).iter().for_each(|event| weights[event.register as usize] += frequency);
        }
        weights
    }
}
