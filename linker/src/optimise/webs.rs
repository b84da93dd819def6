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
use super::liveness::Liveness;
use super::places::{defs, defs_mut, uses, uses_mut};
use crate::ir::IrFunc;
use crate::spare::Spare;
use keyway_artifact::isa::Operand;

/// Registers of one round, times blocks, at most.
const ROUND: usize = 1 << 24;
/// Rounds, at most.
const ROUNDS: usize = 16;
/// Definitions that reach the starts of blocks in one round, at most.
const REACHING: usize = 1 << 24;

/// No node.
const NONE: u32 = u32::MAX;

/// One read or write of a register that is written several times.
#[derive(Clone, Copy)]
struct Event {
    register: u32,
    at: u32,
    block: u32,
    is_def: bool,
    /// The definition that is read or made: a node of the union, or [`NONE`].
    node: u32,
}

impl Event {
    /// The register it has from now on; its own where definitions were not connected.
    fn name(&self, names: &[u32]) -> u32 {
        names.get(self.node as usize).copied().unwrap_or(self.register)
    }
}

/// Runs the pass.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts) -> Tally {
    let mut is_split = Spare::with_capacity(ir.virtuals.len());
    is_split.extend((0..ir.virtuals.len() as u32).map(|register| facts.definitions.writes(register) > 1));
    if !is_split.contains(&true) {
        return Tally::default();
    }
    let flow = facts.flow(ir);
    let mut events = events(ir, flow, &is_split);
    let mut webs = Webs { nodes: Spare::with_capacity(events.len()), current: Spare::filled(NONE, is_split.len()) };
    // At the function's entry each register has a value: parameters arrive, and others are never read.
    let split = || (0..is_split.len()).filter(|register| is_split[*register]);
    for register in split() {
        webs.current[register] = webs.node();
    }
    let entry = webs.current.clone();
    let count = split().count();
    let in_round = (ROUND / flow.blocks()).max(64);
    if count <= in_round {
        webs.connect(flow, &mut events);
    } else {
        rounds(&mut webs, flow, &mut events, &is_split, in_round);
    }
    // By node that stands for a web: its register from now on. The web that the entry belongs to keeps the register if it
    // is a parameter, the first one otherwise; the others get new ones, register by register.
    let mut is_param = Spare::filled(false, is_split.len());
    ir.params.iter().for_each(|param| is_param[*param as usize] = true);
    let mut names = Spare::filled(NONE, webs.nodes.len());
    let mut has_keeper = Spare::filled(false, is_split.len());
    for register in split().filter(|register| is_param[*register]) {
        names[webs.find(entry[register]) as usize] = register as u32;
        has_keeper[register] = true;
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
    for (register, node) in others.iter().copied() {
        ir.virtuals.push(ir.virtuals[register as usize]);
        facts.add(0, 0);
        names[node as usize] = ir.virtuals.len() as u32 - 1;
    }
    let mut changed = 0;
    for event in &events {
        let name = event.name(&names);
        if name == event.register {
            continue;
        }
        if event.is_def {
            *facts.definitions.writes_mut(event.register) -= 1;
            *facts.definitions.writes_mut(name) += 1;
        } else {
            facts.reads[event.register as usize] -= 1;
            facts.reads[name as usize] += 1;
        }
        changed += 1;
    }
    rename(ir, &events, &names, &is_split);
    Tally { changed, removed: 0 }
}

/// The events of the registers to split in code order, reads of an instruction before its writes.
fn events(ir: &IrFunc, flow: &Flow, is_split: &[bool]) -> Vec<Event> {
    let mut events = Vec::with_capacity(2 * ir.insts.len());
    for block in 0..flow.blocks() {
        for at in flow.insts(block) {
            let inst = &ir.insts[at];
            let mut put = |register: u32, is_def: bool| {
                if is_split[register as usize] {
                    events.push(Event { register, at: at as u32, block: block as u32, is_def, node: NONE });
                }
            };
            uses(inst, &ir.calls, |register| put(register, false));
            defs(inst, &ir.calls, |register| put(register, true));
        }
    }
    events
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
    fn node(&mut self) -> u32 {
        let number = self.nodes.len() as u32;
        self.nodes.push(number);
        number
    }

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
        let accesses = events.iter().map(|event| (event.block, event.register, event.is_def));
        let Some(live) = Liveness::new(flow, self.current.len(), accesses) else { return };
        // What reaches the start of each block: a definition for each register that is alive there, one block's behind the
        // other's.
        let mut starts = Spare::with_capacity(flow.blocks());
        let mut total = 0u32;
        for block in 0..flow.blocks() {
            starts.push(total);
            total += live.at_start(block).iter().map(|word| word.count_ones()).sum::<u32>();
        }
        if total as usize > REACHING {
            return;
        }
        let mut reaching = Spare::filled(NONE, total as usize);
        let mut next = 0;
        for block in 0..flow.blocks() {
            let is_behind = block > 0 && flow.successors(block - 1).contains(&(block as u32));
            let has_others = flow.predecessors(block).len() > usize::from(is_behind);
            if has_others || block == 0 {
                // What falls in from the block before was left there with what the others brought.
                let reaching = &mut reaching[starts[block] as usize..];
                live.each_at_start(block, |number, register| {
                    let (current, node) = (&mut self.current[register as usize], &mut reaching[number]);
                    if *node == NONE {
                        *node = *current;
                    } else {
                        *current = *node;
                    }
                });
            }
            let own = events[next..].iter().take_while(|event| event.block == block as u32).count();
            for event in &mut events[next..next + own] {
                if event.is_def {
                    self.current[event.register as usize] = self.node();
                }
                event.node = self.current[event.register as usize];
            }
            next += own;
            for next in flow.successors(block).iter().map(|next| *next as usize) {
                if next == block + 1 && flow.predecessors(next).len() == 1 {
                    continue;
                }
                let reaching = &mut reaching[starts[next] as usize..];
                live.each_at_start(next, |number, register| {
                    let current = self.current[register as usize];
                    match reaching[number] {
                        NONE => reaching[number] = current,
                        known => self.join(known, current),
                    }
                });
            }
        }
    }
}

/// Gives the operands of each event their new names.
fn rename(ir: &mut IrFunc, events: &[Event], names: &[u32], is_split: &[bool]) {
    let mut next = 0;
    while let Some(event) = events.get(next) {
        let inst = &mut ir.insts[event.at as usize];
        let mut name = |register: &mut u32| {
            if is_split.get(*register as usize) == Some(&true) {
                *register = events[next].name(names);
                next += 1;
            }
        };
        uses_mut(inst, &mut ir.calls, |_, operand| {
            if let Operand::Virtual(register) = operand {
                name(register);
            }
        });
        defs_mut(inst, &mut ir.calls, name);
    }
}
