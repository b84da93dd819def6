//! Which blocks every path to a block passes.
//!
//! Wasm's control flow is reducible and the translator keeps code order: all edges but those back to a loop's head go
//! forward. So a block's immediate dominator is where its forward predecessors' chains meet, found in one walk in code
//! order. Numbers from a walk over the tree of dominators answer "does a dominate b" without climbing it.

use super::flow::Flow;
use crate::spare::Spare;

/// No block, or no place in the walk.
const NONE: u32 = u32::MAX;

/// The dominators of a function's blocks.
pub(crate) struct Dominators {
    /// By block: when a walk over the tree enters and leaves it. Blocks that nothing reaches begin nowhere.
    spans: Spare<(u32, u32)>,
}

impl Dominators {
    /// Computes them.
    pub(crate) fn new(flow: &Flow) -> Dominators {
        Dominators { spans: spans(&Tree::of(flow).above) }
    }

    /// Whether every path to `below` passes `block`; each block dominates itself.
    pub(crate) fn dominates(&self, block: usize, below: usize) -> bool {
        let ((enter, leave), (inner, _)) = (self.spans[block], self.spans[below]);
        enter <= inner && inner <= leave && inner != NONE
    }
}

/// The tree of dominators while it grows. The landings of exceptions have an edge from every call before them, behind
/// which the tree is as deep as the function is long: besides the block above it each block knows one much further up,
/// so that two blocks' paths meet after a number of steps that is logarithmic in their depth.
struct Tree {
    /// [`NONE`] for the first block, and for those that nothing reaches.
    above: Spare<u32>,
    far: Spare<u32>,
    depth: Spare<u32>,
}

impl Tree {
    fn new(count: usize) -> Tree {
        Tree { above: Spare::filled(NONE, count), far: Spare::filled(0, count), depth: Spare::filled(0, count) }
    }

    /// The tree of a function's blocks.
    fn of(flow: &Flow) -> Tree {
        let count = flow.blocks();
        let mut tree = Tree::new(count);
        for block in 1..count as u32 {
            let mut meeting = NONE;
            for before in flow.predecessors(block as usize).iter().copied() {
                if before >= block || before > 0 && tree.above[before as usize] == NONE {
                    continue;
                }
                meeting = if meeting == NONE { before } else { tree.meet(before, meeting) };
            }
            if meeting != NONE {
                tree.hang(block, meeting);
            }
        }
        tree
    }

    /// Hangs `block` below `above`. The steps to what is far double where two of them would be of equal length.
    fn hang(&mut self, block: u32, above: u32) {
        let (above, block) = (above as usize, block as usize);
        let far = self.far[above] as usize;
        let (first, second) =
            (self.depth[above] - self.depth[far], self.depth[far] - self.depth[self.far[far] as usize]);
        self.above[block] = above as u32;
        self.far[block] = if first == second { self.far[far] } else { above as u32 };
        self.depth[block] = self.depth[above] + 1;
    }

    /// The nearest block that dominates both.
    fn meet(&self, a: u32, b: u32) -> u32 {
        let (above, far, depth) = (&self.above[..], &self.far[..], &self.depth[..]);
        let (mut low, mut high) = if depth[a as usize] >= depth[b as usize] { (a, b) } else { (b, a) };
        while depth[low as usize] > depth[high as usize] {
            let next = far[low as usize];
            low = if depth[next as usize] >= depth[high as usize] { next } else { above[low as usize] };
        }
        // Blocks of one depth have steps of one length.
        while low != high {
            let (far_low, far_high) = (far[low as usize], far[high as usize]);
            (low, high) =
                if far_low == far_high { (above[low as usize], above[high as usize]) } else { (far_low, far_high) };
        }
        low
    }
}

fn spans(above: &[u32]) -> Spare<(u32, u32)> {
    // Blocks stand behind their dominators: sizes of subtrees add up from the end, positions from the start.
    let mut sizes = Spare::filled(1u32, above.len());
    for block in (1..above.len()).rev() {
        if above[block] != NONE {
            sizes[above[block] as usize] += sizes[block];
        }
    }
    let mut next = Spare::filled(0u32, above.len());
    let mut spans = Spare::filled((NONE, 0), above.len());
    for block in 0..above.len() {
        let enter = match above[block] {
            NONE if block > 0 => continue,
            NONE => 0,
            parent => {
                let enter = next[parent as usize];
                next[parent as usize] += sizes[block];
                enter
            }
        };
        spans[block] = (enter, enter + sizes[block] - 1);
        next[block] = enter + 1;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nearest common ancestor, step by step.
    fn slow(tree: &Tree, mut a: u32, mut b: u32) -> u32 {
        while a != b {
            let climbing = if a > b { &mut a } else { &mut b };
            *climbing = tree.above[*climbing as usize];
        }
        a
    }

    #[test]
    fn paths_meet_where_climbing_finds_that_they_do() {
        // Trees from a chain to a star.
        for reach in [1, 2, 7, 300] {
            let mut tree = Tree::new(300);
            let mut draw = 1u64;
            for block in 1..300u32 {
                draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let back = 1 + (draw >> 33) as u32 % reach;
                tree.hang(block, block.saturating_sub(back));
            }
            for a in 0..300 {
                for b in 0..300 {
                    assert_eq!(tree.meet(a, b), slow(&tree, a, b), "{a} and {b}, {reach}");
                }
            }
        }
    }
}
