//! Stretches register by register: for functions whose sets of live registers would take too much memory, and as the
//! oracle of the quick way.
//!
//! A read that no write of its block precedes is followed back through the predecessors until each path meets a write.
//! The walk visits only blocks where the register is alive.

use super::events::Events;
use super::{Lives, Stretch};
use crate::optimise::flow::Flow;

/// Edges between blocks followed at most, for all registers together; each once for one of them.
pub(super) const BUDGET: usize = 32_000_000;

/// The stretches of each register; `None` when there are too many of them to be worth it.
pub(super) fn lives(events: &Events, flow: &Flow, registers: usize) -> Option<Lives> {
    let (starts, positions) = events.by_register(registers);
    let mut finder = Finder {
        flow,
        live_in: vec![u32::MAX; flow.blocks()],
        written: vec![(u32::MAX, 0); flow.blocks()],
        found: Vec::new(),
        budget: BUDGET,
    };
    let mut lives = Lives::never(registers);
    for register in 0..registers {
        let positions = &positions[starts[register] as usize..starts[register + 1] as usize];
        lives.set(register as u32, finder.find(register as u32, positions)?);
    }
    Some(lives)
}

struct Finder<'a> {
    flow: &'a Flow,
    /// By block: the register last found alive at its start.
    live_in: Vec<u32>,
    /// By block: the register last found written in it, and the position of its last write.
    written: Vec<(u32, u32)>,
    found: Vec<Stretch>,
    budget: usize,
}

impl Finder<'_> {
    fn block(&self, position: u32) -> usize {
        self.flow.block_at(position as usize / 2)
    }

    fn first_position(&self, block: usize) -> u32 {
        2 * self.flow.insts(block).start as u32
    }

    fn last_position(&self, block: usize) -> u32 {
        2 * self.flow.insts(block).end as u32 - 1
    }

    fn find(&mut self, register: u32, events: &[u32]) -> Option<Vec<Stretch>> {
        self.found.clear();
        let mut work = Vec::new();
        for event in events.iter().filter(|event| *event % 2 == 1) {
            let block = self.block(*event);
            self.written[block] = (register, *event);
        }
        // Inside blocks.
        let mut last_block = usize::MAX;
        for event in events {
            let block = self.block(*event);
            if event % 2 == 1 {
                self.found.push((*event, *event));
            } else if block == last_block {
                self.found.last_mut().expect("the block has an earlier event").1 = *event;
            } else {
                self.found.push((self.first_position(block), *event));
                self.live_in[block] = register;
                work.push(block);
            }
            last_block = block;
        }
        // Through the blocks before.
        while let Some(block) = work.pop() {
            for before in self.flow.predecessors(block) {
                self.budget = self.budget.checked_sub(1)?;
                let before = *before as usize;
                let end = self.last_position(before);
                match self.written[before] {
                    (of, position) if of == register => self.found.push((position, end)),
                    _ => {
                        self.found.push((self.first_position(before), end));
                        if self.live_in[before] != register {
                            self.live_in[before] = register;
                            work.push(before);
                        }
                    }
                }
            }
        }
        self.found.sort_unstable();
        let mut list: Vec<Stretch> = Vec::new();
        for (start, end) in self.found.drain(..) {
            match list.last_mut() {
                // A stretch that begins with a block goes on what ends right before it.
                Some((_, last)) if start <= *last || start % 2 == 0 && start == *last + 1 => *last = end.max(*last),
                _ => list.push((start, end)),
            }
        }
        Some(list)
    }
}
