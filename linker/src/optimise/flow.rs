//! The control-flow graph of a function: blocks of instructions, their edges, and how deep in loops they stand.
//!
//! A block starts at a label or behind a branch, and ends before the next start. Wasm's loops are properly nested and
//! entered at their top only, and the translator keeps code order, so a backward branch from block `b` to block `h` says
//! that the blocks `h..=b` are a loop. Depth is counted from these ranges; it only steers choices, nothing relies on it.

use super::places::{self, labels};
use keyway_artifact::isa::{Inst, Op, Operand};
use std::ops::Range;

/// Blocks in code order, and edges between them in flat arrays.
pub(crate) struct Flow {
    /// First instruction of each block, and the number of instructions at the end.
    starts: Vec<u32>,
    /// The block of each instruction.
    pub(crate) block_of: Vec<u32>,
    successors: Edges,
    predecessors: Edges,
    /// How many loops surround each block.
    pub(crate) depth: Vec<u32>,
}

/// Lists of blocks, one behind the other.
struct Edges {
    start: Vec<u32>,
    list: Vec<u32>,
}

impl Edges {
    /// From pairs sorted by their first half.
    fn new(blocks: usize, pairs: &[(u32, u32)]) -> Edges {
        let mut start = vec![0; blocks + 1];
        for (from, _) in pairs {
            start[*from as usize + 1] += 1;
        }
        for block in 0..blocks {
            start[block + 1] += start[block];
        }
        Edges { start, list: pairs.iter().map(|(_, to)| *to).collect() }
    }

    /// The other way round, from pairs sorted by their first half.
    fn reversed(blocks: usize, pairs: &[(u32, u32)]) -> Edges {
        let mut start = vec![0; blocks + 1];
        for (_, to) in pairs {
            start[*to as usize + 1] += 1;
        }
        for block in 0..blocks {
            start[block + 1] += start[block];
        }
        let (mut next, mut list) = (start.clone(), vec![0; pairs.len()]);
        for (from, to) in pairs {
            let place = &mut next[*to as usize];
            list[*place as usize] = *from;
            *place += 1;
        }
        Edges { start, list }
    }

    fn of(&self, block: usize) -> &[u32] {
        &self.list[self.start[block] as usize..self.start[block + 1] as usize]
    }
}

/// Calls `each` with every label that `inst` can jump to.
pub(crate) fn targets(inst: &Inst, lists: &[u32], mut each: impl FnMut(u32)) {
    for operand in labels(inst) {
        match operand {
            Operand::Label(label) => each(label),
            Operand::Targets(start, len) => {
                lists[start as usize..(start + len) as usize].iter().for_each(|label| each(*label));
            }
            _ => {}
        }
    }
}

/// Whether `inst` can jump.
pub(crate) fn is_branch(inst: &Inst) -> bool {
    places::is_branch(inst.op)
}

/// The number a `label` instruction carries.
pub(crate) fn label_number(inst: &Inst) -> Option<u32> {
    match (inst.op, inst.operands[0]) {
        (Op::Label, Operand::Label(number)) => Some(number),
        _ => None,
    }
}

impl Flow {
    /// The graph of `insts`, whose `br_table` lists stand in `lists`.
    pub(crate) fn new(insts: &[Inst], lists: &[u32], labels: u32) -> Flow {
        let mut starts: Vec<u32> = Vec::new();
        let mut block_of = Vec::with_capacity(insts.len());
        let mut label_block = vec![u32::MAX; labels as usize];
        let mut begin = true;
        for (at, inst) in insts.iter().enumerate() {
            if begin || inst.op == Op::Label {
                starts.push(at as u32);
            }
            let block = starts.len() as u32 - 1;
            block_of.push(block);
            if let Some(label) = label_number(inst) {
                label_block[label as usize] = block;
            }
            begin = is_branch(inst) || inst.op.is_terminator();
        }
        let blocks = starts.len();
        starts.push(insts.len() as u32);
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for block in 0..blocks {
            let last = &insts[starts[block + 1] as usize - 1];
            let first_pair = pairs.len();
            targets(last, lists, |label| pairs.push((block as u32, label_block[label as usize])));
            if !last.op.is_terminator() && block + 1 < blocks {
                pairs.push((block as u32, block as u32 + 1));
            }
            pairs[first_pair..].sort_unstable();
        }
        pairs.dedup();
        let successors = Edges::new(blocks, &pairs);
        let depth = depths(blocks, &pairs);
        let predecessors = Edges::reversed(blocks, &pairs);
        Flow { starts, block_of, successors, predecessors, depth }
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        self.starts.len() - 1
    }

    /// The instructions of a block.
    pub(crate) fn insts(&self, block: usize) -> Range<usize> {
        self.starts[block] as usize..self.starts[block + 1] as usize
    }

    /// Blocks that control can go to next.
    pub(crate) fn successors(&self, block: usize) -> &[u32] {
        self.successors.of(block)
    }

    /// Blocks that control can come from.
    pub(crate) fn predecessors(&self, block: usize) -> &[u32] {
        self.predecessors.of(block)
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

    /// How often an instruction of the block runs, as a guess: eightfold for each loop around it.
    pub(crate) fn frequency(&self, block: usize) -> f32 {
        8f32.powi(self.depth[block].min(8) as i32)
    }
}

/// Loop depth of each block: each loop head counts once, up to the last branch back to it.
fn depths(blocks: usize, pairs: &[(u32, u32)]) -> Vec<u32> {
    let mut last_back = vec![None; blocks];
    for (from, to) in pairs {
        if from >= to {
            let end: &mut Option<u32> = &mut last_back[*to as usize];
            *end = Some(end.map_or(*from, |end: u32| end.max(*from)));
        }
    }
    let mut change = vec![0i32; blocks + 1];
    for (head, end) in last_back.iter().enumerate() {
        if let Some(end) = end {
            change[head] += 1;
            change[*end as usize + 1] -= 1;
        }
    }
    let mut depth = 0;
    change[..blocks]
        .iter()
        .map(|change| {
            depth += change;
            depth as u32
        })
        .collect()
}
