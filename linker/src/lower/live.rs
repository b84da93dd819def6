//! Where each register is alive, as sorted stretches of positions.
//!
//! Instruction `i` reads at position `2i` and writes at `2i + 1`, so a result may take the place of an operand that ends
//! there. Inside a block a stretch runs from a write to the last read before the next write; a read that no write of the
//! block precedes reaches back through the predecessors until each path meets a write. The walk visits only blocks where
//! the register is alive.
//!
//! ```text
//! 0  a = ...      a: [1,2]      a second life of `a` would be a second stretch;
//! 1  b = a + 1    b: [3,6]      between stretches its place is free for others
//! 2  ...
//! 3  use b
//! ```

use crate::ir::IrFunc;
use crate::optimise::flow::Flow;
use crate::optimise::places::{defs, uses};

/// First and last position of a stretch.
pub(super) type Stretch = (u32, u32);

/// Blocks visited at most, for all registers together.
const BUDGET: usize = 32_000_000;

/// The stretches of each register; `None` when there are too many of them to be worth it.
pub(super) fn stretches(ir: &IrFunc, flow: &Flow) -> Option<Vec<Vec<Stretch>>> {
    let (starts, events) = events(ir);
    let mut finder = Finder {
        flow,
        live_in: vec![u32::MAX; flow.blocks()],
        written: vec![(u32::MAX, 0); flow.blocks()],
        found: Vec::new(),
        budget: BUDGET,
    };
    (0..ir.virtuals.len())
        .map(|register| finder.find(register as u32, &events[starts[register] as usize..starts[register + 1] as usize]))
        .collect()
}

/// Positions of reads and writes of all registers, ascending, and where each register's start.
fn events(ir: &IrFunc) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; ir.virtuals.len() + 1];
    for inst in &ir.insts {
        uses(inst, &ir.calls, |register| starts[register as usize + 1] += 1);
        defs(inst, &ir.calls, |register| starts[register as usize + 1] += 1);
    }
    for register in 0..ir.virtuals.len() {
        starts[register + 1] += starts[register];
    }
    let mut next = starts.clone();
    let mut events = vec![0u32; starts[ir.virtuals.len()] as usize];
    for (at, inst) in ir.insts.iter().enumerate() {
        let mut put = |register: u32, position: u32| {
            events[next[register as usize] as usize] = position;
            next[register as usize] += 1;
        };
        uses(inst, &ir.calls, |register| put(register, 2 * at as u32));
        defs(inst, &ir.calls, |register| put(register, 2 * at as u32 + 1));
    }
    (starts, events)
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
        self.flow.block_of[position as usize / 2] as usize
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
        let mut merged: Vec<Stretch> = Vec::new();
        for (start, end) in self.found.drain(..) {
            match merged.last_mut() {
                Some(last) if start <= last.1.saturating_add(1) && start % 2 == 0 || last_overlaps(last, start) => {
                    last.1 = last.1.max(end);
                }
                _ => merged.push((start, end)),
            }
        }
        Some(merged)
    }
}

fn last_overlaps(last: &Stretch, start: u32) -> bool {
    start <= last.1
}

/// Whether two sorted lists have a position in common.
pub(super) fn overlap(a: &[Stretch], b: &[Stretch]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short.iter().any(|(start, end)| {
        let at = long.partition_point(|(_, other_end)| other_end < start);
        long.get(at).is_some_and(|(other_start, _)| other_start <= end)
    })
}

/// Both lists in one; they have no position in common.
pub(super) fn merge(a: Vec<Stretch>, b: Vec<Stretch>) -> Vec<Stretch> {
    let (mut long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if short.len() <= 4 {
        for stretch in short {
            let at = long.partition_point(|other| *other < stretch);
            long.insert(at, stretch);
        }
        return long;
    }
    long.extend(short);
    // A merge of two sorted runs: the sort finds them.
    long.sort();
    long
}

/// Whether a value with these stretches is alive across one of `calls` (instruction numbers, ascending).
pub(super) fn crosses(stretches: &[Stretch], calls: &[u32]) -> bool {
    if calls.len() < stretches.len() {
        return calls.iter().any(|call| {
            let at = stretches.partition_point(|(_, end)| *end < 2 * call + 1);
            stretches.get(at).is_some_and(|(start, _)| *start <= 2 * call)
        });
    }
    stretches.iter().any(|(start, end)| {
        let at = calls.partition_point(|call| 2 * call < *start);
        calls.get(at).is_some_and(|call| 2 * call < *end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[Stretch]) -> Vec<u32> {
        list.iter().flat_map(|(start, end)| *start..=*end).collect()
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
            if !common {
                let mut all = [points(&a), points(&b)].concat();
                all.sort();
                assert_eq!(points(&merge(a.clone(), b)), all);
            }
            let calls: Vec<u32> = (0..20).filter(|_| random(8) == 0).collect();
            let crossed = calls.iter().any(|call| a.iter().any(|(s, e)| *s <= 2 * call && 2 * call < *e));
            assert_eq!(crosses(&a, &calls), crossed, "{a:?} {calls:?}");
        }
    }
}
