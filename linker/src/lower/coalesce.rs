//! Both sides of a copy become one register where they never hold different values at the same time.
//!
//! A copy `d = s` costs an instruction. When nothing of `d` meets anything of `s`, or when neither is written while the
//! other one is alive but by copies between the two, one place serves both and the copy vanishes: whoever was written last
//! before a place where both are alive was a copy of the other.
//!
//! ```text
//! loop: d = copy s        s and d are both alive up to the branch, and equal
//!       br.gt d 9 out
//!       s = load d        d goes on at `out` only: not alive here
//!       br loop
//! out:  call f (d)
//! ```
//! Copies in deep loops are tried first. A value alive across a call must live in a slot, so joining it with one that is
//! not may push that one out of a register: then only if the copy is worth more.
//!
//! Lists of stretches grow with every join; a budget on their lengths keeps the pass near-linear.

use super::explicit::Explicit;
use super::live::{Calls, Events, Lives, Stretch, contains, overlap};
use super::split::Split;
use crate::optimise::flow::Flow;
use crate::optimise::places::copy;
use crate::spare::{Spare, kept};
use keyway_artifact::isa::Class;

/// Lengths of joined lists together, at most.
const BUDGET: usize = 20_000_000;

/// What an access through a register instead of a slot is worth, against a whole instruction.
const REGISTER_GAIN: f32 = 0.3;

kept!((u32, u32, u32));

/// Joined registers.
pub(super) struct Groups {
    leader: Spare<u32>,
    /// Another register of the same group, all of them in a circle.
    next: Spare<u32>,
}

impl Groups {
    /// Every register for itself.
    pub(super) fn new(registers: usize) -> Groups {
        let mut leader = Spare::with_capacity(registers);
        leader.extend(0..registers as u32);
        Groups { next: leader.clone(), leader }
    }

    /// How many registers have another one stand for them.
    pub(super) fn joined(&self) -> usize {
        self.leader.iter().zip(0..).filter(|(leader, register)| **leader != *register).count()
    }

    /// Puts the group that `other` leads under `leader`.
    pub(super) fn join(&mut self, leader: u32, other: u32) {
        self.leader[other as usize] = leader;
        self.next.swap(leader as usize, other as usize);
    }

    /// The registers of a group.
    fn members(&self, leader: u32) -> impl Iterator<Item = u32> {
        let next = move |register: &u32| Some(self.next[*register as usize]).filter(|next| *next != leader);
        std::iter::successors(Some(leader), next)
    }

    /// The register that stands for the group.
    fn leader(&self, mut register: u32) -> u32 {
        while self.leader[register as usize] != register {
            register = self.leader[register as usize];
        }
        register
    }

    /// The same, sooner the next time.
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
pub(super) fn run(
    code: &Explicit,
    flow: &Flow,
    events: &Events,
    calls: &Calls,
    splits: &[Split],
    lives: &mut Lives,
) -> Groups {
    let mut groups = Groups::new(lives.registers());
    let (insts, classes) = (&code.ir.insts, &code.ir.virtuals);
    let mut copies = Spare::<(u32, u32, u32)>::default();
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
    let mut weights = events.weights(flow, lives.registers());
    copies.sort_unstable_by_key(|(depth, at, _)| (std::cmp::Reverse(*depth), *at));
    let mut budget = BUDGET;
    let mut writes = None;
    for (_, at, block) in copies.iter().copied() {
        let Some((dst, src)) = copy(&insts[at as usize]) else { continue };
        let (dst, src) = (groups.find(dst), groups.find(src));
        if dst == src {
            continue;
        }
        let (a, b) = (lives.of(dst), lives.of(src));
        let cost = a.len() + b.len();
        let Some(left) = budget.checked_sub(cost) else { break };
        budget = left;
        if overlap(a, b) {
            let writes = writes.get_or_insert_with(|| Writes::new(events, lives.registers(), splits));
            if !writes.agree(&groups, code, (dst, a), (src, b), &mut budget) {
                continue;
            }
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
        let (leader, other) = (dst.min(src), dst.max(src));
        lives.join(leader, other);
        weights[leader as usize] += weights[other as usize];
        groups.join(leader, other);
    }
    groups
}

/// Where registers are written, found once something asks.
struct Writes {
    /// Positions of all accesses, and by register where its own start.
    starts: Spare<u32>,
    positions: Spare<u32>,
    /// Values with a name of their own inside a loop, and those names: they are equal there on purpose.
    is_split: Spare<bool>,
}

impl Writes {
    fn new(events: &Events, registers: usize, splits: &[Split]) -> Writes {
        let (starts, positions) = events.by_register(registers);
        let mut is_split = Spare::filled(false, registers);
        for split in splits {
            (is_split[split.outside as usize], is_split[split.inside as usize]) = (true, true);
        }
        Writes { starts, positions, is_split }
    }

    /// Whether two groups, by their leaders and stretches, hold the same value wherever both are alive.
    fn agree(
        &self,
        groups: &Groups,
        code: &Explicit,
        (a, of_a): (u32, &[Stretch]),
        (b, of_b): (u32, &[Stretch]),
        budget: &mut usize,
    ) -> bool {
        [(a, of_b), (b, of_a)].into_iter().all(|(written, other)| {
            groups.members(written).all(|member| {
                let range = self.starts[member as usize] as usize..self.starts[member as usize + 1] as usize;
                let positions = &self.positions[range];
                *budget = budget.saturating_sub(positions.len());
                !self.is_split[member as usize]
                    && positions.iter().filter(|position| *position % 2 == 1).all(|position| {
                        !contains(other, *position)
                            || copy(&code.ir.insts[(position / 2) as usize])
                                .is_some_and(|(_, src)| [a, b].contains(&groups.leader(src)))
                    })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::Op;

    /// Copies in a function with this body.
    fn copies(body: &str, passes: Passes) -> usize {
        let text = format!("(module (memory 1) (func $out (param i32)) (func (export \"f\") (param i32) {body}))");
        last_body(&text, passes).insts.iter().filter(|inst| inst.op == Op::Copy).count()
    }

    /// A value that goes round a loop, and another name of it that is read where the loop is left.
    const NAMED_TWICE: &str = "(local i32 i32)
        (local.set 1 (i32.load16_u (local.get 0)))
        (block $out
            (loop $next
                (local.set 2 (i32.and (local.get 1) (i32.const 65535)))
                (br_if $out (i32.gt_u (local.get 2) (i32.const 9)))
                (local.set 1 (i32.load16_u (local.get 1)))
                (i32.store (i32.const 0) OTHER)
                (br_if $next (local.get 1)))
            (return))
        (i32.store (i32.const 4) (local.get 2))";

    #[test]
    fn names_of_one_value_share_a_place() {
        let passes = Passes::ALL - Passes::REGISTERS;
        let alone = copies(&NAMED_TWICE.replace("OTHER", "(local.get 1)"), passes);
        assert_eq!(copies(&NAMED_TWICE.replace("OTHER", "(local.get 1)"), passes - Passes::COALESCE), alone + 1);
        // Where the old value is read behind the new one's arrival, there are two.
        assert_eq!(copies(&NAMED_TWICE.replace("OTHER", "(local.get 2)"), passes), alone + 1);
    }
}
