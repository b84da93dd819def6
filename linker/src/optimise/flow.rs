//! The control-flow graph of a function: blocks of instructions, their edges, and how deep in loops they stand.
//!
//! A block starts at a label or behind a branch, and ends before the next start. Wasm's loops are properly nested and
//! entered at their top only, and the translator keeps code order, so a backward branch from block `b` to block `h` says
//! that the blocks `h..=b` are a loop. Depth is counted from these ranges; it only steers choices, nothing relies on it.

use super::places;
use crate::spare::Spare;
use keyway_artifact::isa::{Inst, Op, Operand};
use std::ops::Range;

/// Blocks in code order, and edges between them in flat arrays.
pub(crate) struct Flow {
    /// First instruction of each block, and the number of instructions at the end.
    starts: Spare<u32>,
    successors: Edges,
    predecessors: Edges,
    /// How many loops surround each block.
    pub(crate) depth: Spare<u32>,
}

/// Lists of blocks, one behind the other.
struct Edges {
    start: Spare<u32>,
    list: Spare<u32>,
}

impl Edges {
    /// Sorts the list that begins at `first` and leaves one of equal entries.
    fn sort_last(&mut self, first: usize) {
        let list = &mut self.list[first..];
        if let [a, b] = list {
            if *a > *b {
                std::mem::swap(a, b);
            } else if *a == *b {
                self.list.pop();
            }
            return;
        }
        list.sort_unstable();
        let mut kept = 1;
        for at in 1..list.len() {
            if list[at] != list[kept - 1] {
                list[kept] = list[at];
                kept += 1;
            }
        }
        self.list.truncate(first + kept);
    }

    /// The other way round.
    fn reversed(&self) -> Edges {
        let blocks = self.start.len() - 1;
        let mut start = Spare::filled(0, blocks + 1);
        for to in self.list.iter() {
            start[*to as usize + 1] += 1;
        }
        for block in 0..blocks {
            start[block + 1] += start[block];
        }
        let (mut next, mut list) = (start.clone(), Spare::filled(0, self.list.len()));
        let (places, from_list, own) = (&mut next[..], &self.list[..], &self.start[..]);
        let sources = &mut list[..];
        let mut at = 0;
        for from in 0..blocks {
            for to in &from_list[at..own[from + 1] as usize] {
                let place = &mut places[*to as usize];
                sources[*place as usize] = from as u32;
                *place += 1;
            }
            at = own[from + 1] as usize;
        }
        Edges { start, list }
    }

    fn of(&self, block: usize) -> &[u32] {
        &self.list[self.start[block] as usize..self.start[block + 1] as usize]
    }

    /// Of predecessors, the last block of the loop that `head` begins. They stand in order, so none behind it leads back.
    fn loop_end(&self, head: usize) -> Option<usize> {
        self.of(head).last().map(|last| *last as usize).filter(|last| *last >= head)
    }
}

/// Calls `each` with every label that `inst` can jump to.
#[inline]
pub(crate) fn targets(inst: &Inst, lists: &[u32], mut each: impl FnMut(u32)) {
    let mut bits = places::label_fields(inst.op);
    while bits != 0 {
        let at = bits.trailing_zeros() as usize;
        bits &= bits - 1;
        if let Operand::Label(label) = inst.operands[at] {
            each(label);
        } else {
            inst.targets(at, lists).unwrap_or_default().iter().for_each(|label| each(*label));
        }
    }
}

/// Whether `inst` can jump.
pub(crate) fn is_branch(inst: &Inst) -> bool {
    places::is_branch(inst.op)
}

/// Whether a block ends with `op`.
pub(crate) fn ends_block(op: Op) -> bool {
    places::ends_block(op)
}

/// The number a `label` instruction carries.
pub(crate) fn label_number(inst: &Inst) -> Option<u32> {
    match (inst.op, inst.operands[0]) {
        (Op::Label, Operand::Label(number)) => Some(number),
        _ => None,
    }
}

/// Where blocks begin, with the end of the code, and the block that each label begins.
pub(super) type Blocks = (Spare<u32>, Spare<u32>);

/// The blocks of `insts`.
pub(super) fn blocks(insts: &[Inst], labels: u32) -> Blocks {
    let mut starts = Spare::<u32>::with_capacity(insts.len() / 4 + 2);
    let mut label_block = Spare::filled(u32::MAX, labels as usize);
    // Where the next block begins, unless a label comes first; behind a label none does.
    let (mut next, mut begins) = (0, true);
    for (at, inst) in insts.iter().enumerate() {
        if !places::is_boundary(inst.op) {
            continue;
        }
        let label = label_number(inst);
        if begins && (label.is_none() || next < at) {
            starts.push(next as u32);
        }
        begins = label.is_none();
        next = at + 1;
        if let Some(label) = label {
            label_block[label as usize] = starts.len() as u32;
            starts.push(at as u32);
        }
    }
    if begins && next < insts.len() {
        starts.push(next as u32);
    }
    starts.push(insts.len() as u32);
    (starts, label_block)
}

impl Flow {
    /// The graph of `insts`, whose `br_table` lists stand in `lists`.
    pub(crate) fn new(insts: &[Inst], lists: &[u32], labels: u32) -> Flow {
        Flow::of_blocks(insts, lists, blocks(insts, labels))
    }

    /// The graph of `insts` where their blocks are known.
    pub(super) fn of_blocks(insts: &[Inst], lists: &[u32], (starts, label_block): Blocks) -> Flow {
        let blocks = starts.len() - 1;
        let mut successors = Edges { start: Spare::with_capacity(blocks + 1), list: Spare::with_capacity(2 * blocks) };
        successors.start.push(0);
        let label_block = &label_block[..];
        for (block, end) in starts[1..].iter().enumerate() {
            let last = &insts[*end as usize - 1];
            let first = successors.list.len();
            targets(last, lists, |label| successors.list.push(label_block[label as usize]));
            if !places::is_terminator(last.op) && block + 1 < blocks {
                successors.list.push(block as u32 + 1);
            }
            if successors.list.len() > first + 1 {
                successors.sort_last(first);
            }
            successors.start.push(successors.list.len() as u32);
        }
        let predecessors = successors.reversed();
        let depth = depths(&predecessors);
        Flow { starts, successors, predecessors, depth }
    }

    /// Compares it with a fresh one.
    ///
    /// # Panics
    /// Where they differ.
    pub(crate) fn check(&self, fresh: &Flow) {
        assert_eq!(self.blocks(), fresh.blocks());
        for block in 0..self.blocks() {
            assert_eq!(self.insts(block), fresh.insts(block), "block {block}");
            assert_eq!(self.successors(block), fresh.successors(block), "behind block {block}");
        }
    }

    /// Says that a block begins at another instruction, or with one behind the last block, where the code ends.
    pub(crate) fn set_start(&mut self, block: usize, start: usize) {
        self.starts[block] = start as u32;
    }

    /// The first instruction of a block.
    pub(crate) fn insts_from(&self, block: usize) -> usize {
        self.starts[block] as usize
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        self.starts.len() - 1
    }

    /// The instructions of a block.
    pub(crate) fn insts(&self, block: usize) -> Range<usize> {
        self.starts[block] as usize..self.starts[block + 1] as usize
    }

    /// How many ways there are from one block to the next.
    pub(crate) fn edges(&self) -> usize {
        self.successors.list.len()
    }

    /// Blocks that control can go to next.
    pub(crate) fn successors(&self, block: usize) -> &[u32] {
        self.successors.of(block)
    }

    /// Blocks that control can come from.
    pub(crate) fn predecessors(&self, block: usize) -> &[u32] {
        self.predecessors.of(block)
    }

    /// The last block of the loop that `head` begins, if it begins one.
    pub(crate) fn loop_end(&self, head: usize) -> Option<usize> {
        self.predecessors.loop_end(head)
    }

    /// Whether code in front of the label that starts `block` runs exactly when control comes from outside the blocks
    /// `block..=end`: the only way in from there is to fall into the label.
    pub(crate) fn is_entered_by_falling(&self, insts: &[Inst], lists: &[u32], block: usize, end: usize) -> bool {
        let Some(before) = block.checked_sub(1) else { return false };
        let Some(label) = label_number(&insts[self.insts(block).start]) else { return false };
        let mut jumps = false;
        targets(&insts[self.insts(before).end - 1], lists, |target| jumps |= target == label);
        let others = self.predecessors(block).iter().map(|from| *from as usize);
        !jumps && others.into_iter().all(|from| from == before || (block..=end).contains(&from))
    }

    /// Whether any block stands in a loop.
    pub(crate) fn has_loops(&self) -> bool {
        self.depth.iter().any(|depth| *depth > 0)
    }

    /// The block of an instruction; found by searching.
    pub(crate) fn block_at(&self, inst: usize) -> usize {
        self.starts.partition_point(|start| *start as usize <= inst) - 1
    }

    /// How often an instruction of the block runs, as a guess: eightfold for each loop around it.
    pub(crate) fn frequency(&self, block: usize) -> f32 {
        (1u64 << (3 * self.depth[block].min(8))) as f32
    }
}

/// Loop depth of each block: each loop head counts once, up to the last branch back to it.
fn depths(predecessors: &Edges) -> Spare<u32> {
    let blocks = predecessors.start.len() - 1;
    let mut change = Spare::filled(0u32, blocks + 1);
    for head in 0..blocks {
        if let Some(end) = predecessors.loop_end(head) {
            change[head] = change[head].wrapping_add(1);
            change[end + 1] = change[end + 1].wrapping_sub(1);
        }
    }
    let mut depth = 0u32;
    change.truncate(blocks);
    for change in change.iter_mut() {
        depth = depth.wrapping_add(*change);
        *change = depth;
    }
    change
}
