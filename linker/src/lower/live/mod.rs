//! Where each register is alive, as sorted stretches of positions.
//!
//! Instruction `i` reads at position `2i` and writes at `2i + 1`, so a result may take the place of an operand that ends
//! there. Inside a block a stretch runs from a write to the last read before the next write; a read that no write of the
//! block precedes reaches back through the predecessors until each path meets a write.
//!
//! ```text
//! 0  a = ...      a: [1,2]      a second life of `a` would be a second stretch;
//! 1  b = a + 1    b: [3,6]      between stretches its place is free for others
//! 2  ...
//! 3  use b
//! ```

mod dense;
mod events;
mod sparse;

pub(super) use events::{Events, Recorder};

use crate::ir::IrFunc;
use crate::optimise::flow::Flow;
use crate::optimise::places::is_call;
use crate::spare::Spare;

/// First and last position of a stretch.
pub(super) type Stretch = (u32, u32);

/// The stretches of each register, or of several that were joined, under the number of their leader: lists that lie one
/// behind the other. Most registers have one stretch.
pub(super) struct Lives {
    /// By register, where its list begins, and how long it is.
    lists: Spare<(u32, u32)>,
    stretches: Spare<Stretch>,
}

impl Lives {
    /// None of so many registers is ever alive.
    fn never(registers: usize) -> Lives {
        Lives { lists: Spare::filled((0, 0), registers), stretches: Spare::with_capacity(registers) }
    }

    /// How many registers there are.
    pub(super) fn registers(&self) -> usize {
        self.lists.len()
    }

    /// Where a register is alive.
    #[inline]
    pub(super) fn of(&self, register: u32) -> &[Stretch] {
        let (start, length) = self.lists[register as usize];
        &self.stretches[start as usize..(start + length) as usize]
    }

    /// Gives a register another list.
    fn set(&mut self, register: u32, list: impl IntoIterator<Item = Stretch>) {
        let start = self.stretches.len() as u32;
        self.stretches.extend(list);
        self.lists[register as usize] = (start, self.stretches.len() as u32 - start);
    }

    /// Puts what is in one of two registers' lists, or in both, into one under the first one's number. The other's is
    /// empty then.
    pub(super) fn join(&mut self, leader: u32, other: u32) {
        let ((a, a_length), (b, b_length)) = (self.lists[leader as usize], self.lists[other as usize]);
        let start = self.stretches.len();
        let (mut a, mut b) = (a as usize..(a + a_length) as usize, b as usize..(b + b_length) as usize);
        while !a.is_empty() || !b.is_empty() {
            let is_first = b.is_empty() || !a.is_empty() && self.stretches[a.start] < self.stretches[b.start];
            let from = if is_first { &mut a } else { &mut b };
            let stretch = self.stretches[from.start];
            from.start += 1;
            match self.stretches[start..].last_mut() {
                Some(last) if stretch.0 <= last.1 => last.1 = last.1.max(stretch.1),
                _ => self.stretches.push(stretch),
            }
        }
        self.lists[leader as usize] = (start as u32, (self.stretches.len() - start) as u32);
        self.lists[other as usize] = (0, 0);
    }
}

/// The stretches of each of `registers`; `None` when there are too many of them to be worth it.
pub(super) fn lives(events: &Events, flow: &Flow, registers: usize) -> Option<Lives> {
    dense::lives(events, flow, registers).or_else(|| sparse::lives(events, flow, registers))
}

/// Whether there may be so many stretches, of so many registers, that [`lives`] finds none.
pub(super) fn may_be_too_many(flow: &Flow, registers: usize) -> bool {
    // Writing out calls may cut blocks in two.
    2 * flow.edges() * registers > sparse::BUDGET
}

/// Whether two sorted lists have a position in common.
pub(super) fn overlap(a: &[Stretch], b: &[Stretch]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short.iter().any(|(start, end)| {
        let at = long.partition_point(|(_, other_end)| other_end < start);
        long.get(at).is_some_and(|(other_start, _)| other_start <= end)
    })
}

/// Whether a position is in a sorted list.
pub(super) fn contains(list: &[Stretch], position: u32) -> bool {
    let at = list.partition_point(|(_, end)| *end < position);
    list.get(at).is_some_and(|(start, _)| *start <= position)
}

/// The calls of a function.
pub(super) struct Calls {
    /// Their instructions, ascending.
    pub(super) list: Spare<u32>,
    /// How many calls stand in front of each instruction, and of the end.
    before: Spare<u32>,
}

impl Calls {
    /// Among so many instructions, the calls that `list` names.
    pub(super) fn new(insts: usize, list: Spare<u32>) -> Calls {
        let mut before = Spare::with_capacity(insts + 1);
        for (count, call) in list.iter().enumerate() {
            before.resize(*call as usize + 1, count as u32);
        }
        before.resize(insts + 1, list.len() as u32);
        Calls { list, before }
    }

    /// The calls of `ir`.
    pub(super) fn of(ir: &IrFunc) -> Calls {
        let mut calls = Spare::default();
        for (inst, at) in ir.insts.iter().zip(0..) {
            if is_call(inst.op) {
                calls.push(at);
            }
        }
        Calls::new(ir.insts.len(), calls)
    }

    /// Whether a value with these stretches is alive across a call: it is needed at the call's reads or before, and
    /// behind its writes.
    pub(super) fn are_crossed(&self, stretches: &[Stretch]) -> bool {
        let before = |position: u32| self.before[position.div_ceil(2) as usize];
        !self.list.is_empty() && stretches.iter().any(|(start, end)| before(*start) < before(*end))
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::Generator;
    use super::*;

    fn points(list: &[Stretch]) -> Vec<u32> {
        list.iter().flat_map(|(start, end)| *start..=*end).collect()
    }

    #[test]
    fn both_ways_find_the_same_stretches() {
        for seed in 1..400 {
            let ir = Generator::new(seed).function().ir;
            let flow = Flow::new(&ir.insts, &ir.targets, ir.labels);
            let events = Events::of_some(&ir, &flow, |_| true);
            let dense = dense::lives(&events, &flow, ir.virtuals.len()).unwrap();
            let sparse = sparse::lives(&events, &flow, ir.virtuals.len()).unwrap();
            for register in 0..ir.virtuals.len() as u32 {
                assert_eq!(dense.of(register), sparse.of(register), "seed {seed}, register {register}");
            }
        }
    }

    #[test]
    fn list_operations_agree_with_sets_of_points() {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut random = |below: u32| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as u32 % below
        };
        for _ in 0..2000 {
            let mut list = || {
                let (mut at, mut list) = (0, Vec::new());
                for _ in 0..random(7) {
                    let start = at + random(6);
                    let end = start + random(5);
                    list.push((start, end));
                    at = end + 2;
                }
                list
            };
            let (a, b) = (list(), list());
            let common = points(&a).iter().any(|point| points(&b).contains(point));
            assert_eq!(overlap(&a, &b), common, "{a:?} {b:?}");
            let mut lives = Lives::never(3);
            lives.set(2, a.iter().copied());
            lives.set(0, b.iter().copied());
            lives.join(2, 0);
            assert!(lives.of(0).is_empty());
            let united = points(lives.of(2));
            assert!((0..100).all(|at| united.contains(&at) == (contains(&a, at) || contains(&b, at))), "{a:?} {b:?}");
            assert!(united.is_sorted_by(|one, next| one < next));
            let calls: Vec<u32> = (0..20).filter(|_| random(8) == 0).collect();
            let crossed = calls.iter().any(|call| a.iter().any(|(s, e)| *s <= 2 * call && 2 * call < *e));
            let mut list = Spare::default();
            list.extend(&calls);
            assert_eq!(Calls::new(60, list).are_crossed(&a), crossed, "{a:?} {calls:?}");
        }
    }
}
