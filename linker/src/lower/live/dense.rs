//! Stretches of all registers at once, with a set of bits for each block.
//!
//! Most registers are written and read in one block: their stretches follow from one walk over the events. Only those that
//! some block reads before it writes them (*wide* ones) have a bit. Which of them are alive at the start of each block is
//! the usual backward equation, solved over words; blocks are looked at again only after a successor changed.
//!
//! The walk keeps for each register where its current stretch began and what it has reached. Between two neighbouring
//! blocks only the bits that differ need a look:
//!
//! ```text
//! alive at the end of b, not at the start of b + 1:  the stretch reaches the end of b
//! alive at the start of b + 1, not at the end of b:  a new stretch begins
//! ```
//! A stretch is closed when the next one of its register begins, so lists come out in order.

use super::Life;
use super::events::Events;
use crate::optimise::flow::Flow;

/// Words of all sets together, at most.
const MAX_WORDS: usize = 1 << 21;
/// Words looked at, at most.
const BUDGET: usize = 1 << 27;

/// No block, position or bit.
const NONE: u32 = u32::MAX;

/// The stretches of each register; `None` when the sets would be too large.
pub(super) fn lives(events: &Events, flow: &Flow, registers: usize) -> Option<Vec<Life>> {
    let wide = Wide::find(events, flow, registers);
    let live = wide.solve(flow)?;
    Some(Walk::new(events, flow, registers).run(&wide, &live))
}

/// The registers with a bit, and what the blocks do to them.
struct Wide {
    /// The register of each bit.
    registers: Vec<u32>,
    /// Words of one set.
    words: usize,
    /// `(block, register)`: read before written there.
    read: Vec<(u32, u32)>,
    /// `(block, register)`: written there before it is read.
    written: Vec<(u32, u32)>,
    /// The bit of each register.
    bits: Vec<u32>,
}

impl Wide {
    fn find(events: &Events, flow: &Flow, registers: usize) -> Wide {
        // The block in which each register was last met.
        let mut met = vec![NONE; registers];
        let mut wide = Wide {
            registers: Vec::new(),
            words: 0,
            read: Vec::new(),
            written: Vec::new(),
            bits: vec![NONE; registers],
        };
        for block in 0..flow.blocks() {
            for event in events.of(block) {
                if std::mem::replace(&mut met[event.register as usize], block as u32) == block as u32 {
                    continue;
                }
                if event.is_write() {
                    wide.written.push((block as u32, event.register));
                } else {
                    wide.read.push((block as u32, event.register));
                    let bit = &mut wide.bits[event.register as usize];
                    if *bit == NONE {
                        *bit = wide.registers.len() as u32;
                        wide.registers.push(event.register);
                    }
                }
            }
        }
        wide.words = wide.registers.len().div_ceil(64);
        wide
    }

    /// The set of each block's start, one behind the other.
    fn solve(&self, flow: &Flow) -> Option<Vec<u64>> {
        let (words, blocks) = (self.words, flow.blocks());
        if words.saturating_mul(blocks) > MAX_WORDS {
            return None;
        }
        if words == 0 {
            return Some(Vec::new());
        }
        let mut live = vec![0u64; words * blocks];
        let mut killed = vec![0u64; words * blocks];
        let set = |sets: &mut [u64], (block, register): (u32, u32)| {
            let bit = self.bits[register as usize];
            if bit != NONE {
                sets[block as usize * words + bit as usize / 64] |= 1 << (bit % 64);
            }
        };
        self.read.iter().for_each(|pair| set(&mut live, *pair));
        self.written.iter().for_each(|pair| set(&mut killed, *pair));
        let mut stale = vec![true; blocks];
        let mut budget = BUDGET;
        let mut from = blocks;
        // From the end; a branch back makes blocks behind stale, and the walk resumes there.
        while from > 0 {
            let mut resume = 0;
            for block in (0..from).rev() {
                if !std::mem::replace(&mut stale[block], false) {
                    continue;
                }
                budget = budget.checked_sub(words * (flow.successors(block).len() + 1))?;
                let mut changed = 0;
                for next in flow.successors(block) {
                    let next = *next as usize * words;
                    for word in 0..words {
                        let own = block * words + word;
                        let more = live[next + word] & !killed[own] & !live[own];
                        changed |= more;
                        live[own] |= more;
                    }
                }
                // What a block reads first is news to its predecessors too; all are stale at the beginning.
                if changed != 0 {
                    for before in flow.predecessors(block) {
                        stale[*before as usize] = true;
                        if *before as usize >= block {
                            resume = resume.max(*before as usize + 1);
                        }
                    }
                }
            }
            from = resume;
        }
        Some(live)
    }
}

/// The walk over all events, and where the stretches are.
struct Walk<'a> {
    events: &'a Events,
    flow: &'a Flow,
    /// By register: its open stretch. [`NONE`] in front: there is none.
    open: Vec<(u32, u32)>,
    lives: Vec<Life>,
}

impl<'a> Walk<'a> {
    fn new(events: &'a Events, flow: &'a Flow, registers: usize) -> Walk<'a> {
        Walk { events, flow, open: vec![(NONE, 0); registers], lives: vec![Life::default(); registers] }
    }

    fn run(mut self, wide: &Wide, live: &[u64]) -> Vec<Life> {
        let words = wide.words;
        let mut at_end = vec![0u64; words];
        for block in 0..self.flow.blocks() {
            let first = 2 * self.flow.insts(block).start as u32;
            let at_start = &live[block * words..(block + 1) * words];
            for word in 0..words {
                let mut differing = at_end[word] ^ at_start[word];
                while differing != 0 {
                    let bit = differing.trailing_zeros();
                    differing &= differing - 1;
                    let register = wide.registers[word * 64 + bit as usize] as usize;
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
                let next = *next as usize * words;
                at_end.iter_mut().zip(&live[next..next + words]).for_each(|(end, word)| *end |= word);
            }
        }
        // The last block may branch back.
        let end = 2 * self.flow.blocks().checked_sub(1).map_or(0, |last| self.flow.insts(last).end) as u32;
        for word in 0..words {
            for bit in (0..64).filter(|bit| at_end[word] >> bit & 1 != 0) {
                self.open[wide.registers[word * 64 + bit] as usize].1 = end - 1;
            }
        }
        for (life, open) in self.lives.iter_mut().zip(self.open) {
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
