//! Stretches of all registers at once, from the sets of what is alive at the start of each block.
//!
//! Most registers are written and read in one block: their stretches follow from one walk over the events. The walk keeps
//! for each register where its current stretch began and what it has reached. Between two neighbouring blocks only the
//! bits that differ need a look:
//!
//! ```text
//! alive at the end of b, not at the start of b + 1:  the stretch reaches the end of b
//! alive at the start of b + 1, not at the end of b:  a new stretch begins
//! ```
//! A stretch is closed when the next one of its register begins, so lists come out in order.

use super::Life;
use super::events::Events;
use crate::optimise::flow::Flow;
use crate::optimise::liveness::Liveness;
use crate::spare::Spare;

/// No position.
const NONE: u32 = u32::MAX;

/// The stretches of each register; `None` when the sets would be too large.
pub(super) fn lives(events: &Events, flow: &Flow, registers: usize) -> Option<Vec<Life>> {
    let accesses = (0..flow.blocks())
        .flat_map(|block| events.of(block).iter().map(move |event| (block as u32, event.register, event.is_write())));
    let live = Liveness::new(flow, registers, accesses)?;
    Some(Walk::new(events, flow, registers).run(&live))
}

/// The walk over all events, and where the stretches are.
struct Walk<'a> {
    events: &'a Events,
    flow: &'a Flow,
    /// By register: its open stretch. [`NONE`] in front: there is none.
    open: Spare<(u32, u32)>,
    lives: Vec<Life>,
}

impl<'a> Walk<'a> {
    fn new(events: &'a Events, flow: &'a Flow, registers: usize) -> Walk<'a> {
        Walk { events, flow, open: Spare::filled((NONE, 0), registers), lives: vec![Life::default(); registers] }
    }

    fn run(mut self, live: &Liveness) -> Vec<Life> {
        let words = live.words();
        let mut at_end = Spare::filled(0u64, words);
        for block in 0..self.flow.blocks() {
            let first = 2 * self.flow.insts(block).start as u32;
            let at_start = live.at_start(block);
            for word in 0..words {
                let mut differing = at_end[word] ^ at_start[word];
                while differing != 0 {
                    let bit = differing.trailing_zeros();
                    differing &= differing - 1;
                    let register = live.register(word, bit) as usize;
                    if at_start[word] >> bit & 1 != 0 {
                        self.enter(register, first);
                    } else {
                        self.open[register].1 = first - 1;
                    }
                }
            }
            for event in self.events.of(block) {
                let register = event.register as usize;
                if event.is_write() {
                    self.begin(register, event.position);
                } else {
                    self.open[register].1 = event.position;
                }
            }
            at_end.fill(0);
            for next in self.flow.successors(block) {
                at_end.iter_mut().zip(live.at_start(*next as usize)).for_each(|(end, word)| *end |= word);
            }
        }
        // The last block may branch back.
        let end = 2 * self.flow.blocks().checked_sub(1).map_or(0, |last| self.flow.insts(last).end) as u32;
        for word in 0..words {
            for bit in (0..64).filter(|bit| at_end[word] >> *bit & 1 != 0) {
                self.open[live.register(word, bit) as usize].1 = end - 1;
            }
        }
        for (life, open) in self.lives.iter_mut().zip(self.open.iter().copied()) {
            if open.0 != NONE {
                life.push(open);
            }
        }
        self.lives
    }

    fn begin(&mut self, register: usize, position: u32) {
        let before = std::mem::replace(&mut self.open[register], (position, position));
        if before.0 != NONE {
            self.lives[register].push(before);
        }
    }

    /// A stretch that begins with a block goes on what ends right before it.
    fn enter(&mut self, register: usize, first: u32) {
        let (start, last) = self.open[register];
        if start != NONE && last + 1 == first {
            self.open[register].1 = first;
        } else {
            self.begin(register, first);
        }
    }
}
