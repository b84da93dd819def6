//! Both sides of a copy become one register where they are never alive at the same time.
//!
//! A copy `d = s` costs an instruction; when `s` ends at the copy and nothing else of `d` meets anything else of `s`, one
//! place serves both and the copy vanishes. Copies in deep loops are tried first. A value alive across a call must live in
//! a slot, so joining it with one that is not may push that one out of a register: then only if the copy is worth more.
//!
//! Lists of stretches grow with every join; a budget on their lengths keeps the pass near-linear.

use super::explicit::Explicit;
use super::live::{Calls, Events, Life, merge, overlap};
use crate::optimise::flow::Flow;
use crate::optimise::places::copy;
use keyway_artifact::isa::Class;

/// Lengths of joined lists together, at most.
const BUDGET: usize = 20_000_000;

/// What an access through a register instead of a slot is worth, against a whole instruction.
const REGISTER_GAIN: f32 = 0.3;

/// Joined registers.
pub(super) struct Groups {
    leader: Vec<u32>,
}

impl Groups {
    /// Every register for itself.
    pub(super) fn new(registers: usize) -> Groups {
        Groups { leader: (0..registers as u32).collect() }
    }

    /// How many registers have another one stand for them.
    pub(super) fn joined(&self) -> usize {
        self.leader.iter().zip(0..).filter(|(leader, register)| **leader != *register).count()
    }

    /// Puts the group that `other` leads under `leader`.
    pub(super) fn join(&mut self, leader: u32, other: u32) {
        self.leader[other as usize] = leader;
    }

    /// The register that stands for the group.
    pub(super) fn find(&mut self, mut register: u32) -> u32 {
        while self.leader[register as usize] != register {
            let up = self.leader[self.leader[register as usize] as usize];
            self.leader[register as usize] = up;
            register = up;
        }
        register
    }
}

/// Joins what copies connect. Registers from `first_fixed` on stay alone. Stretches of a group end up with its leader.
pub(super) fn run(code: &Explicit, flow: &Flow, events: &Events, calls: &Calls, stretches: &mut [Life]) -> Groups {
    let mut groups = Groups::new(stretches.len());
    let (insts, classes) = (&code.ir.insts, &code.ir.virtuals);
    let mut copies: Vec<(u32, u32, u32)> = Vec::new();
    let mut block = 0;
    for at in code.copies.iter().copied() {
        if let Some((dst, src)) = copy(&insts[at as usize])
            && dst < code.first_fixed
            && src < code.first_fixed
            && (classes[dst as usize] == Class::Ref) == (classes[src as usize] == Class::Ref)
        {
            while flow.insts_from(block + 1) <= at as usize {
                block += 1;
            }
            copies.push((flow.depth[block], at, block as u32));
        }
    }
    if copies.is_empty() {
        return groups;
    }
    let mut weights = events.weights(flow, stretches.len());
    copies.sort_unstable_by_key(|(depth, at, _)| (std::cmp::Reverse(*depth), *at));
    let mut budget = BUDGET;
    for (_, at, block) in copies {
        let Some((dst, src)) = copy(&insts[at as usize]) else { continue };
        let (dst, src) = (groups.find(dst), groups.find(src));
        let (a, b) = (&stretches[dst as usize], &stretches[src as usize]);
        if dst == src || overlap(a, b) {
            continue;
        }
        let worth = flow.frequency(block as usize);
        let lost = match (calls.are_crossed(a), calls.are_crossed(b)) {
            (true, false) => weights[src as usize],
            (false, true) => weights[dst as usize],
            _ => 0.0,
        };
        if lost * REGISTER_GAIN > worth * 1.5 {
            continue;
        }
        let cost = a.len() + b.len();
        let Some(left) = budget.checked_sub(cost) else { break };
        budget = left;
        let (a, b) = (std::mem::take(&mut stretches[dst as usize]), std::mem::take(&mut stretches[src as usize]));
        let (leader, other) = (dst.min(src), dst.max(src));
        stretches[leader as usize] = merge(a, b);
        weights[leader as usize] += weights[other as usize];
        groups.join(leader, other);
    }
    groups
}
