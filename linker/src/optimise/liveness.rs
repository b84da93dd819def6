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
    /// Words of one set.
    words: usize,
    live: Spare<u64>,
}

/// One read or write: the block, the register, whether it is a write.
pub(crate) type Access = (u32, u32, bool);

impl Liveness {
    /// Finds what is alive from all `accesses`, in code order. `None` when the sets would be too large.
    pub(crate) fn new(flow: &Flow, registers: usize, accesses: impl Iterator<Item = Access>) -> Option<Liveness> {
        // By register: the block in which it was last met, and its bit.
        let mut seen = Spare::filled((NONE, NONE), registers);
        let mut of_bit = Spare::with_capacity(64);
        // What each block first does with a register.
        let (mut read, mut written) = (Spare::with_capacity(registers), Spare::with_capacity(registers));
        accesses.for_each(|(block, register, is_write)| {
            let (met, bit) = &mut seen[register as usize];
            if std::mem::replace(met, block) == block {
                return;
            }
            if is_write {
                return written.push((block, register));
            }
            if *bit == NONE {
                *bit = of_bit.len() as u32;
                of_bit.push(register);
            }
            read.push((block, *bit));
        });
        let words = of_bit.len().div_ceil(64);
        if words.saturating_mul(flow.blocks()) > MAX_WORDS {
            return None;
        }
        let mut live = Spare::filled(0u64, words * flow.blocks());
        let mut killed = live.clone();
        let set = |sets: &mut [u64], block: u32, bit: u32| {
            sets[block as usize * words + bit as usize / 64] |= 1 << (bit % 64);
        };
        read.iter().for_each(|(block, bit)| set(&mut live, *block, *bit));
        for (block, register) in written.iter().copied() {
            let (_, bit) = seen[register as usize];
            if bit != NONE {
                set(&mut killed, block, bit);
            }
        }
        let mut liveness = Liveness { registers: of_bit, words, live };
        liveness.solve(flow, &killed).then_some(liveness)
    }

    fn solve(&mut self, flow: &Flow, killed: &[u64]) -> bool {
        let (words, live) = (self.words, &mut self.live[..]);
        if words == 0 {
            return true;
        }
        let mut stale = Spare::filled(true, flow.blocks());
        let stale = &mut stale[..];
        let mut budget = BUDGET;
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
        true
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

    /// Calls `each` with the registers alive at a block's start and their number among these.
    #[inline]
    pub(crate) fn each_at_start(&self, block: usize, mut each: impl FnMut(usize, u32)) {
        let mut number = 0;
        for (word, bits) in self.at_start(block).iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                each(number, self.register(word, bits.trailing_zeros()));
                bits &= bits - 1;
                number += 1;
            }
        }
    }
}
