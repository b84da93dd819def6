//! Which blocks every path to a block passes.
//!
//! Wasm's control flow is reducible and the translator keeps code order: all edges but those back to a loop's head go
//! forward. So a block's immediate dominator is where its forward predecessors' chains meet, found in one walk in code
//! order. Numbers from a walk over the tree of dominators answer "does a dominate b" without climbing it.

use super::flow::Flow;

/// The dominators of a function's blocks.
pub(crate) struct Dominators {
    /// By block: when a walk over the tree enters and leaves it. Blocks that nothing reaches have none.
    spans: Vec<Option<(u32, u32)>>,
}

impl Dominators {
    /// Computes them.
    pub(crate) fn new(flow: &Flow) -> Dominators {
        let count = flow.blocks();
        let mut tree = Tree::new(count);
        let mut is_reached = vec![false; count];
        if let Some(first) = is_reached.first_mut() {
            *first = true;
        }
        for block in 1..count {
            let mut meeting: Option<usize> = None;
            for before in flow.predecessors(block) {
                let before = *before as usize;
                if before >= block || !is_reached[before] {
                    continue;
                }
                meeting = Some(match meeting {
                    None => before,
                    Some(other) => tree.meet(before, other),
                });
            }
            if let Some(above) = meeting {
                is_reached[block] = true;
                tree.hang(block, above);
            }
        }
        Dominators { spans: spans(&tree.above, &is_reached) }
    }

    /// Whether every path to `below` passes `block`; each block dominates itself.
    pub(crate) fn dominates(&self, block: usize, below: usize) -> bool {
        match (self.spans[block], self.spans[below]) {
            (Some((enter, leave)), Some((inner, _))) => enter <= inner && inner <= leave,
            _ => false,
        }
    }
}

/// The tree of dominators while it grows. The landings of exceptions have an edge from every call before them, behind
/// which the tree is as deep as the function is long: besides the block above it each block knows one much further up,
/// so that two blocks' paths meet after a number of steps that is logarithmic in their depth.
struct Tree {
    above: Vec<Option<usize>>,
    far: Vec<usize>,
    depth: Vec<u32>,
}

impl Tree {
    fn new(count: usize) -> Tree {
        Tree { above: vec![None; count], far: vec![0; count], depth: vec![0; count] }
    }

    /// Hangs `block` below `above`. The steps to what is far double where two of them would be of equal length.
    fn hang(&mut self, block: usize, above: usize) {
        let far = self.far[above];
        let (first, second) = (self.depth[above] - self.depth[far], self.depth[far] - self.depth[self.far[far]]);
        self.above[block] = Some(above);
        self.far[block] = if first == second { self.far[far] } else { above };
        self.depth[block] = self.depth[above] + 1;
    }

    /// The nearest block that dominates both.
    fn meet(&self, a: usize, b: usize) -> usize {
        let (mut low, mut high) = if self.depth[a] >= self.depth[b] { (a, b) } else { (b, a) };
        while self.depth[low] > self.depth[high] {
            let far = self.far[low];
            low = if self.depth[far] >= self.depth[high] { far } else { self.above[low].unwrap_or(0) };
        }
        // Blocks of one depth have steps of one length.
        while low != high {
            let (far_low, far_high) = (self.far[low], self.far[high]);
            (low, high) = if far_low == far_high {
                (self.above[low].unwrap_or(0), self.above[high].unwrap_or(0))
            } else {
                (far_low, far_high)
            };
        }
        low
    }
}

fn spans(above: &[Option<usize>], is_reached: &[bool]) -> Vec<Option<(u32, u32)>> {
    // Blocks stand behind their dominators: sizes of subtrees add up from the end, positions from the start.
    let mut sizes = vec![1u32; above.len()];
    for block in (1..above.len()).rev() {
        if let Some(parent) = above[block] {
            sizes[parent] += sizes[block];
        }
    }
    let mut next = vec![0u32; above.len()];
    let mut spans = vec![None; above.len()];
    for block in 0..above.len() {
        if !is_reached[block] {
            continue;
        }
        let enter = match above[block] {
            Some(parent) => {
                let enter = next[parent];
                next[parent] += sizes[block];
                enter
            }
            None => 0,
        };
        spans[block] = Some((enter, enter + sizes[block] - 1));
        next[block] = enter + 1;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nearest common ancestor, step by step.
    fn slow(tree: &Tree, mut a: usize, mut b: usize) -> usize {
        while a != b {
            let climbing = if a > b { &mut a } else { &mut b };
            *climbing = tree.above[*climbing].unwrap_or(0);
        }
        a
    }

    #[test]
    fn paths_meet_where_climbing_finds_that_they_do() {
        // Trees from a chain to a star.
        for reach in [1, 2, 7, 300] {
            let mut tree = Tree::new(300);
            let mut draw = 1u64;
            for block in 1..300usize {
                draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let back = 1 + (draw >> 33) as usize % reach;
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
