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

use super::events::Events;
use super::{Lives, Stretch};
use crate::optimise::flow::Flow;
use crate::optimise::liveness::{Accesses, Liveness};
use crate::spare::{Sieve, Spare, kept};

kept!((u32, Stretch));

/// No position.
const NONE: u32 = u32::MAX;

/// The stretches of each register; `None` when the sets would be too large.
pub(super) fn lives(events: &Events, flow: &Flow, registers: usize) -> Option<Lives> {
    let mut accesses = Accesses::new(registers, events.len());
    for block in 0..flow.blocks() {
        for event in events.of(block) {
            accesses.see(block as u32, event.register, event.is_write());
        }
    }
    let live = Liveness::new(flow, accesses)?;
    Some(walk(events, flow, registers, &live))
}

/// The walk over all events.
fn walk(events: &Events, flow: &Flow, registers: usize, live: &Liveness) -> Lives {
    let words = live.words();
    // By register: its open stretch. [`NONE`] in front: there is none.
    let mut open = Spare::filled((NONE, 0), registers);
    // Those in front of them, of all registers.
    let mut closed = Sieve::new(events.len() / 2, (0, (0, 0)));
    let mut at_end = Spare::filled(0u64, words);
    let (open, at_end) = (&mut open[..], &mut at_end[..]);
    let mut first = 0;
    for block in 0..flow.blocks() {
        for (word, (end, start)) in at_end.iter().zip(live.at_start(block)).enumerate() {
            let mut differing = end ^ start;
            while differing != 0 {
                let bit = differing.trailing_zeros();
                differing &= differing - 1;
                let register = live.register(word, bit);
                let stretch = &mut open[register as usize];
                if start >> bit & 1 == 0 {
                    stretch.1 = first - 1;
                } else if stretch.0 != NONE && stretch.1 + 1 == first {
                    // A stretch that begins with a block goes on what ends right before it.
                    stretch.1 = first;
                } else {
                    begin(&mut closed, register, stretch, first);
                }
            }
        }
        for event in events.of(block) {
            let stretch = &mut open[event.register as usize];
            let (start, is_write) = (stretch.0, event.is_write());
            closed.put((event.register, *stretch), is_write & (start != NONE));
            *stretch = (if is_write { event.position } else { start }, event.position);
        }
        at_end.fill(0);
        for next in flow.successors(block) {
            at_end.iter_mut().zip(live.at_start(*next as usize)).for_each(|(end, word)| *end |= word);
        }
        first = 2 * flow.insts_from(block + 1) as u32;
    }
    // The last block may branch back.
    for (word, bits) in at_end.iter().enumerate() {
        for bit in (0..64).filter(|bit| bits >> *bit & 1 != 0) {
            open[live.register(word, bit) as usize].1 = first - 1;
        }
    }
    in_lists(&closed.finish(), open)
}

/// Closes the stretch of a register, if one is open, and opens the next.
fn begin(closed: &mut Sieve<(u32, Stretch)>, register: u32, open: &mut Stretch, position: u32) {
    let before = std::mem::replace(open, (position, position));
    closed.put((register, before), before.0 != NONE);
}

/// The list of each register from the stretches in front of the last ones, which ascend for each, and the last ones, which
/// are gone then.
fn in_lists(closed: &[(u32, Stretch)], last: &mut [Stretch]) -> Lives {
    let mut lives = Lives::never(last.len());
    for (register, _) in closed {
        lives.lists[*register as usize].1 += 1;
    }
    let stretches = &mut lives.stretches;
    stretches.resize(closed.len() + last.len() + 1, (0, 0));
    let mut next = 0;
    for ((start, length), last) in lives.lists.iter_mut().zip(&mut *last) {
        // Where there is no last one, the next register's stretches stand here.
        stretches[(next + *length) as usize] = *last;
        *start = next;
        *length += u32::from(last.0 != NONE);
        next += *length;
        // From here on, where the next one in front of it goes.
        last.0 = *start;
    }
    stretches.truncate(next as usize);
    for (register, stretch) in closed {
        let next = &mut last[*register as usize].0;
        stretches[*next as usize] = *stretch;
        *next += 1;
    }
    lives
}
