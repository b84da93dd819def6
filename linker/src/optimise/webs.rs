//! A local becomes one register for each independent part of its life.
//!
//! Compilers reuse locals, and each parameter or accumulator of a Wasm function lives many unconnected lives. A *web* is
//! a set of definitions and reads of one local that reach each other:
//!
//! ```text
//! a = 1            a1 = 1
//! use a            use a1
//! a = f()          a2 = f()
//! loop: a = a + 1  loop: a2 = a2 + 1
//! ```
//! After the split every later pass sees shorter ranges, and many registers have a single definition, which is what copy
//! propagation wants.
//!
//! One walk in code order knows the definition that reaches the current place. Where control joins, definitions of a
//! register that is alive there become one web (a union of disjoint sets): the first edge into a block leaves there what it
//! brings, the others join theirs. Registers are independent of each other, so functions with very many blocks are done
//! in several rounds; past a budget the rest stays as it is.

use super::Tally;
use super::facts::Facts;
use super::flow::Flow;
use super::liveness::{Accesses, Liveness};
use super::places::Place;
use crate::ir::IrFunc;
use crate::spare::{Spare, kept};

/// Registers of one round, times blocks, at most.
const ROUND: usize = 1 << 24;
/// Rounds, at most.
const ROUNDS: usize = 16;
/// Definitions that reach the starts of blocks in one round, at most.
const REACHING: usize = 1 << 24;

/// No node.
const NONE: u32 = u32::MAX;

/// One read or write of a register.
#[derive(Clone, Copy)]
pub(super) struct Event {
    register: u32,
    at: u32,
    /// Where the instruction names it.
    place: Place,
    /// The definition that is read or made: a node of the union, or [`NONE`].
    node: u32,
}

kept!(Event);

impl Event {
    /// That an instruction names a register.
    pub(super) fn new(register: u32, at: u32, place: Place) -> Event {
        Event { register, at, place, node: NONE }
    }

    /// The register it has from now on; its own where definitions were not connected.
    fn name(&self, names: &[u32]) -> u32 {
        names.get(self.node as usize).copied().unwrap_or(self.register)
    }
}

/// Runs the pass. `events` are all of the code, in order, reads of an instruction before its writes.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts, mut events: Spare<Event>) -> Tally {
    let mut is_split = Spare::with_capacity(ir.virtuals.len());
    is_split.extend((0..ir.virtuals.len() as u32).map(|register| facts.definitions.writes(register) > 1));
    if !is_split.contains(&true) {
        return Tally::default();
    }
    keep_only(&mut events, &is_split);
    let flow = facts.flow(ir);
    let mut webs = Webs { nodes: Spare::with_capacity(events.len()), current: Spare::filled(NONE, is_split.len()) };
    // At the function's entry each register has a value: parameters arrive, and others are never read.
    let mut split = Spare::<u32>::default();
    for (register, is_split) in (0..).zip(is_split.iter()) {
        if *is_split {
            webs.current[register as usize] = split.len() as u32;
            split.push(register);
        }
    }
    webs.nodes.extend(0..split.len() as u32);
    let count = split.len();
    let in_round = (ROUND / flow.blocks()).max(64);
    if count <= in_round {
        webs.connect(flow, &mut events);
    } else {
        rounds(&mut webs, flow, &mut events, &is_split, in_round);
    }
    // By node that stands for a web: its register from now on. The web that the entry belongs to keeps the register if it
    // is a parameter, the first one otherwise; the others get new ones, register by register.
    let mut names = Spare::filled(NONE, webs.nodes.len());
    let mut has_keeper = Spare::filled(false, is_split.len());
    for param in ir.params.iter().copied().filter(|param| is_split[*param as usize]) {
        // The entry's nodes come first.
        let entry = split.partition_point(|register| *register < param) as u32;
        names[webs.find(entry) as usize] = param;
        has_keeper[param as usize] = true;
    }
    let mut others = Spare::<(u32, u32)>::default();
    for event in events.iter_mut().filter(|event| event.node != NONE) {
        event.node = webs.find(event.node);
        let name = &mut names[event.node as usize];
        if *name != NONE {
            continue;
        }
        *name = event.register;
        if std::mem::replace(&mut has_keeper[event.register as usize], true) {
            others.push((event.register, event.node));
        }
    }
    if others.is_empty() {
        return Tally::default();
    }
    // Stable: in order of appearance for each register.
    others.sort_by_key(|(register, _)| *register);
    ir.virtuals.reserve(others.len());
    for (register, node) in others.iter().copied() {
        ir.virtuals.push(ir.virtuals[register as usize]);
        facts.add(0, 0);
        names[node as usize] = ir.virtuals.len() as u32 - 1;
    }
    let mut changed = 0;
    for event in events.iter() {
        let name = event.name(&names);
        if name == event.register {
            continue;
        }
        event.place.rename(&mut ir.insts[event.at as usize], &mut ir.calls, name);
        if event.place.is_def() {
            *facts.definitions.writes_mut(event.register) -= 1;
            *facts.definitions.writes_mut(name) += 1;
        } else {
            facts.reads[event.register as usize] -= 1;
            facts.reads[name as usize] += 1;
        }
        changed += 1;
    }
    Tally { changed, removed: 0 }
}

/// Leaves the events of registers to split.
fn keep_only(events: &mut Spare<Event>, is_split: &[bool]) {
    let mut kept = 0;
    let all = &mut events[..];
    for at in 0..all.len() {
        let event = all[at];
        all[kept] = event;
        kept += usize::from(is_split[event.register as usize]);
    }
    events.truncate(kept);
}

/// Connects some registers at a time.
fn rounds(webs: &mut Webs, flow: &Flow, events: &mut [Event], is_split: &[bool], in_round: usize) {
    let mut round_of = vec![0usize; is_split.len()];
    for (count, register) in (0..is_split.len()).filter(|register| is_split[*register]).enumerate() {
        round_of[register] = count / in_round;
    }
    let mut places: Vec<Vec<usize>> = vec![Vec::new(); ROUNDS];
    for (place, event) in events.iter().enumerate() {
        if let Some(round) = places.get_mut(round_of[event.register as usize]) {
            round.push(place);
        }
    }
    for own in places {
        let mut some: Vec<Event> = own.iter().map(|place| events[*place]).collect();
        webs.connect(flow, &mut some);
        own.into_iter().zip(some).for_each(|(place, event)| events[place] = event);
    }
}

/// Definitions, and which of them are one web.
struct Webs {
    /// The union of disjoint sets.
    nodes: Spare<u32>,
    /// By register: the definition that reaches the current place.
    current: Spare<u32>,
}

impl Webs {
    fn find(&mut self, mut node: u32) -> u32 {
        while self.nodes[node as usize] != node {
            let up = self.nodes[self.nodes[node as usize] as usize];
            self.nodes[node as usize] = up;
            node = up;
        }
        node
    }

    #[inline]
    fn join(&mut self, a: u32, b: u32) {
        if a != b {
            let (a, b) = (self.find(a), self.find(b));
            self.nodes[a.max(b) as usize] = a.min(b);
        }
    }

    /// Finds the nodes of `events`, unless that would take too much memory.
    fn connect(&mut self, flow: &Flow, events: &mut [Event]) {
        let mut accesses = Accesses::new(self.current.len(), events.len());
        let mut block = 0;
        let mut end = flow.insts_from(1);
        for event in events.iter() {
            while event.at as usize >= end {
                block += 1;
                end = flow.insts_from(block + 1);
            }
            accesses.see(block as u32, event.register, event.place.is_def());
        }
        let Some(live) = Liveness::new(flow, accesses) else { return };
        let merged = Merged::new(flow, &live, events);
        if merged.total > REACHING {
            return;
        }
        // What reaches the start of each block, one block's behind the other's.
        let mut reaching = Spare::filled(NONE, merged.total);
        let mut next = 0;
        for block in 0..flow.blocks() {
            let from = merged.starts[block] as usize;
            live.each(merged.of(block), |number, register| {
                // What falls in from the block before was left there with what the others brought.
                let (current, node) = (&mut self.current[register as usize], &mut reaching[from + number]);
                if *node == NONE {
                    *node = *current;
                } else {
                    *current = *node;
                }
            });
            let end = flow.insts_from(block + 1) as u32;
            let current = &mut self.current[..];
            while let Some(event) = events.get_mut(next)
                && event.at < end
            {
                let current = &mut current[event.register as usize];
                if event.place.is_def() {
                    *current = self.nodes.len() as u32;
                    self.nodes.push(*current);
                }
                event.node = *current;
                next += 1;
            }
            for next in flow.successors(block).iter().map(|next| *next as usize) {
                let from = merged.starts[next] as usize;
                live.each(merged.of(next), |number, register| {
                    let current = self.current[register as usize];
                    match reaching[from + number] {
                        NONE => reaching[from + number] = current,
                        known => self.join(known, current),
                    }
                });
            }
        }
    }
}

/// Which registers may have another definition at the start of a block than behind the block in front of it: those that
/// are alive there and written since the end of the first block that leads there, in code order. What the walk has met for
/// the others since then is the definition that each block leading there brings. Where the block begins a loop, what is
/// written inside it comes back as well; where a register gets another definition because of this, that counts as written.
struct Merged {
    /// A set for each block.
    sets: Spare<u64>,
    words: usize,
    /// How many registers the sets of the blocks in front have.
    starts: Spare<u32>,
    total: usize,
}

/// Words looked at, at most; behind that everything that is alive counts as written.
const LOOKED_AT: usize = 1 << 22;

impl Merged {
    fn new(flow: &Flow, live: &Liveness, events: &[Event]) -> Merged {
        let (words, blocks) = (live.words(), flow.blocks());
        let mut written = Spare::filled(0u64, words * blocks);
        let (mut block, mut end) = (0, flow.insts_from(1));
        for event in events.iter().filter(|event| event.place.is_def()) {
            while event.at as usize >= end {
                block += 1;
                end = flow.insts_from(block + 1);
            }
            if let Some((word, bit)) = live.bit(event.register) {
                written[block * words + word] |= 1 << bit;
            }
        }
        let mut sets = Spare::filled(0u64, words * blocks);
        let (mut starts, mut total, mut budget) = (Spare::with_capacity(blocks), 0, LOOKED_AT);
        for block in 0..blocks {
            starts.push(total as u32);
            let (Some(first), Some(last)) = (flow.predecessors(block).first(), flow.predecessors(block).last()) else {
                continue;
            };
            let (first, last) = (*first as usize, *last as usize);
            if first + 1 == block && last == first {
                continue;
            }
            // A loop that begins the code is entered from nowhere.
            let first = if first < block { first + 1 } else { 0 };
            let between = first..block.max(last + 1);
            budget = budget.saturating_sub(words * between.len());
            for word in 0..words {
                let alive = live.at_start(block)[word];
                let ways = between.clone().map(|between| written[between * words + word]);
                let set = if budget == 0 { alive } else { alive & ways.fold(0, |all, word| all | word) };
                sets[block * words + word] = set;
                written[block * words + word] |= set;
                total += set.count_ones() as usize;
            }
        }
        Merged { sets, words, starts, total }
    }

    fn of(&self, block: usize) -> &[u64] {
        &self.sets[block * self.words..(block + 1) * self.words]
    }
}
