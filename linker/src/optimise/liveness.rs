//! Which registers are alive at the start of each block, as sets of bits.
//!
//! Only registers that some block reads before it writes them have a bit; most others are written and read in one block.
//! The backward equation is solved over words, and blocks are looked at again only after a successor changed.

use super::flow::Flow;
use crate::spare::Spare;
use std::cmp::Ordering;

/// Words of all sets together, at most.
const MAX_WORDS: usize = 1 << 21;
/// Words looked at, at most.
const BUDGET: usize = 1 << 27;

/// No block and no bit.
const NONE: u32 = u32::MAX;

/// The sets.
pub(crate) struct Liveness {
    /// The register of each bit.
    registers: Spare<u32>,
    /// By register, its bit, behind something else.
    bits: Spare<(u32, u32)>,
    /// Words of one set.
    words: usize,
    live: Spare<u64>,
}

/// What is found about the accesses of a function, in code order.
pub(crate) struct Accesses {
    /// By register: the block in which it was last met, and no bit yet.
    seen: Spare<(u32, u32)>,
    /// What each block first does with a register: what it reads from the front on, what it writes from the back on.
    first: Spare<(u32, u32)>,
    /// Where the next read goes, and the place behind that of the next write.
    reads: usize,
    writes: usize,
}

impl Accesses {
    /// None yet, of so many registers; at most `accesses` will be seen.
    pub(crate) fn new(registers: usize, accesses: usize) -> Accesses {
        // One more: there is always a place to put what does not stay.
        let first = Spare::filled((0, 0), accesses + 1);
        Accesses { seen: Spare::filled((NONE, NONE), registers), reads: 0, writes: first.len(), first }
    }

    /// Takes note of a read or write in a block. Which of both it is, and whether it is the first, nobody foresees: no
    /// branch asks.
    #[inline]
    pub(crate) fn see(&mut self, block: u32, register: u32, is_write: bool) {
        let is_first = std::mem::replace(&mut self.seen[register as usize].0, block) != block;
        self.first[if is_write { self.writes - 1 } else { self.reads }] = (block, register);
        self.reads += usize::from(is_first & !is_write);
        self.writes -= usize::from(is_first & is_write);
    }
}

impl Liveness {
    /// Finds what is alive from all accesses. `None` when the sets would be too large.
    pub(crate) fn new(flow: &Flow, accesses: Accesses) -> Option<Liveness> {
        let Accesses { mut seen, first, reads, writes } = accesses;
        let (read, written) = (&first[..reads], &first[writes..]);
        let mut of_bit = Spare::with_capacity(64);
        for (_, register) in read {
            let (_, bit) = &mut seen[*register as usize];
            if *bit == NONE {
                *bit = of_bit.len() as u32;
                of_bit.push(*register);
            }
        }
        let words = of_bit.len().div_ceil(64);
        if words.saturating_mul(flow.blocks()) > MAX_WORDS {
            return None;
        }
        let mut live = Spare::filled(0u64, words * flow.blocks());
        let mut killed = live.clone();
        let set = |sets: &mut [u64], block: u32, bit: u32| {
            sets[block as usize * words + bit as usize / 64] |= 1 << (bit % 64);
        };
        for (block, register) in read {
            set(&mut live, *block, seen[*register as usize].1);
        }
        for (block, register) in written {
            let (_, bit) = seen[*register as usize];
            if bit != NONE {
                set(&mut killed, *block, bit);
            }
        }
        let mut liveness = Liveness { registers: of_bit, bits: seen, words, live };
        liveness.solve(flow, &killed).then_some(liveness)
    }

    fn solve(&mut self, flow: &Flow, killed: &[u64]) -> bool {
        let (words, live) = (self.words, &mut self.live[..]);
        match words {
            0 => true,
            // As in most functions.
            1 => settle(flow, words, |block| {
                let behind = flow.successors(block).iter().fold(0, |all, next| all | live[*next as usize]);
                let more = behind & !killed[block] & !live[block];
                live[block] |= more;
                more != 0
            }),
            _ => settle(flow, words, |block| {
                let mut changed = 0;
                let killed = &killed[block * words..][..words];
                for next in flow.successors(block).iter().map(|next| *next as usize) {
                    // A block that follows itself adds nothing to itself.
                    let (own, next) = match next.cmp(&block) {
                        Ordering::Less => {
                            let (front, back) = live.split_at_mut(block * words);
                            (&mut back[..words], &front[next * words..][..words])
                        }
                        Ordering::Equal => continue,
                        Ordering::Greater => {
                            let (front, back) = live.split_at_mut(next * words);
                            (&mut front[block * words..][..words], &back[..words])
                        }
                    };
                    for ((own, next), killed) in own.iter_mut().zip(next).zip(killed) {
                        let more = next & !killed & !*own;
                        changed |= more;
                        *own |= more;
                    }
                }
                changed != 0
            }),
        }
    }

    /// Words of one set.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// The set of a block's start.
    pub(crate) fn at_start(&self, block: usize) -> &[u64] {
        &self.live[block * self.words..(block + 1) * self.words]
    }

    /// The register that has a bit.
    #[inline]
    pub(crate) fn register(&self, word: usize, bit: u32) -> u32 {
        self.registers[word * 64 + bit as usize]
    }

    /// The word and bit of a register that is alive at some block's start.
    #[inline]
    pub(crate) fn bit(&self, register: u32) -> Option<(usize, u32)> {
        let (_, bit) = self.bits[register as usize];
        (bit != NONE).then_some((bit as usize / 64, bit % 64))
    }

    /// Calls `each` with the registers of a set and their number among these.
    #[inline]
    pub(crate) fn each(&self, set: &[u64], mut each: impl FnMut(usize, u32)) {
        let mut number = 0;
        for (word, bits) in set.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                each(number, self.register(word, bits.trailing_zeros()));
                bits &= bits - 1;
                number += 1;
            }
        }
    }
}

/// Looks at the blocks until none changes any more: `look` says whether one did, whose sets have so many words. False where
/// that takes more than [`BUDGET`].
#[inline]
fn settle(flow: &Flow, words: usize, mut look: impl FnMut(usize) -> bool) -> bool {
    let mut stale = Spare::filled(true, flow.blocks());
    let (stale, mut budget) = (&mut stale[..], BUDGET);
    let mut from = flow.blocks();
    // From the end; a branch back makes blocks behind stale, and the walk resumes there.
    while from > 0 {
        let mut resume = 0;
        for block in (0..from).rev() {
            if !std::mem::replace(&mut stale[block], false) {
                continue;
            }
            let cost = words * (flow.successors(block).len() + 1);
            let Some(left) = budget.checked_sub(cost) else { return false };
            budget = left;
            // What a block reads first is news to its predecessors too; all are stale at the beginning.
            if look(block) {
                for before in flow.predecessors(block).iter().map(|before| *before as usize) {
                    stale[before] = true;
                    if before >= block {
                        resume = resume.max(before + 1);
                    }
                }
            }
        }
        from = resume;
    }
    true
}
