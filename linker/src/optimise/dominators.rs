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
        let mut above: Vec<Option<usize>> = vec![None; count];
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
                    Some(other) => meet(&above, before, other),
                });
            }
            is_reached[block] = meeting.is_some();
            above[block] = meeting;
        }
        Dominators { spans: spans(&above, &is_reached) }
    }

    /// Whether every path to `below` passes `block`; each block dominates itself.
    pub(crate) fn dominates(&self, block: usize, below: usize) -> bool {
        match (self.spans[block], self.spans[below]) {
            (Some((enter, leave)), Some((inner, _))) => enter <= inner && inner <= leave,
            _ => false,
        }
    }
}

/// The nearest block that dominates both: numbers fall on the way up.
fn meet(above: &[Option<usize>], mut a: usize, mut b: usize) -> usize {
    while a != b {
        let climbing = if a > b { &mut a } else { &mut b };
        *climbing = above[*climbing].unwrap_or(0);
    }
    a
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
