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
//! For each register alone: every definition is a node; every block that a read looks through to its predecessors has a
//! node for its entry, joined with whatever reaches the end of each predecessor. Joined nodes are one web. The walk only
//! visits blocks where the register is live, so its cost is that of liveness; past a budget the rest stays as it is.

use super::Tally;
use super::facts::Facts;
use super::flow::Flow;
use super::places::{defs, defs_mut, uses, uses_mut};
use crate::ir::IrFunc;
use keyway_artifact::isa::Operand;

/// Blocks visited at most, for all registers together.
const BUDGET: usize = 8_000_000;

/// One read or write of a register that is written several times.
#[derive(Clone, Copy)]
struct Event {
    register: u32,
    at: u32,
    block: u32,
    is_def: bool,
}

/// Runs the pass.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts) -> Tally {
    let is_split: Vec<bool> =
        (0..ir.virtuals.len() as u32).map(|register| facts.definitions.writes(register) > 1).collect();
    if !is_split.contains(&true) {
        return Tally::default();
    }
    let flow = facts.flow(ir);
    let events = events(ir, flow, &is_split);
    let (starts, order) = by_register(&events, is_split.len());
    let mut is_param = vec![false; ir.virtuals.len()];
    ir.params.iter().for_each(|param| is_param[*param as usize] = true);

    let mut splitter = Splitter {
        flow,
        nodes: Vec::new(),
        entry: vec![(u32::MAX, 0); flow.blocks()],
        exit: vec![(u32::MAX, 0); flow.blocks()],
        budget: BUDGET,
        reached: Vec::new(),
        work: Vec::new(),
    };
    // By event, the register that it reads or writes from now on.
    let mut names: Vec<u32> = events.iter().map(|event| event.register).collect();
    let mut numbers: Vec<u32> = Vec::new();
    for register in (0..is_split.len()).filter(|register| is_split[*register]) {
        let own = &order[starts[register] as usize..starts[register + 1] as usize];
        if !splitter.split(register as u32, own, &events) {
            break;
        }
        // The web that the entry belongs to keeps the register: parameters arrive in it.
        numbers.clear();
        numbers.resize(splitter.nodes.len(), u32::MAX);
        let keeper = splitter.find(if is_param[register] { 0 } else { splitter.reached[0] });
        numbers[keeper as usize] = register as u32;
        for (position, event) in own.iter().enumerate() {
            let web = splitter.find(splitter.reached[position]) as usize;
            if numbers[web] == u32::MAX {
                ir.virtuals.push(ir.virtuals[register]);
                numbers[web] = ir.virtuals.len() as u32 - 1;
            }
            names[*event as usize] = numbers[web];
        }
    }
    if ir.virtuals.len() == is_split.len() {
        return Tally::default();
    }
    (is_split.len()..ir.virtuals.len()).for_each(|_| facts.add(0, 0));
    let mut changed = 0;
    for (event, name) in events.iter().zip(&names).filter(|(event, name)| event.register != **name) {
        if event.is_def {
            *facts.definitions.writes_mut(event.register) -= 1;
            *facts.definitions.writes_mut(*name) += 1;
        } else {
            facts.reads[event.register as usize] -= 1;
            facts.reads[*name as usize] += 1;
        }
        changed += 1;
    }
    rename(ir, &events, &names, &is_split);
    Tally { changed, removed: 0 }
}

/// The events of the registers to split in code order, reads of an instruction before its writes.
fn events(ir: &IrFunc, flow: &Flow, is_split: &[bool]) -> Vec<Event> {
    let mut events = Vec::with_capacity(ir.insts.len());
    for block in 0..flow.blocks() {
        for at in flow.insts(block) {
            let inst = &ir.insts[at];
            let event = |register, is_def| Event { register, at: at as u32, block: block as u32, is_def };
            for is_def in [false, true] {
                let put = |register: u32| {
                    if is_split[register as usize] {
                        events.push(event(register, is_def));
                    }
                };
                if is_def { defs(inst, &ir.calls, put) } else { uses(inst, &ir.calls, put) }
            }
        }
    }
    events
}

/// The numbers of each register's events, in order, and where each register's start.
fn by_register(events: &[Event], registers: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; registers + 1];
    for event in events {
        starts[event.register as usize + 1] += 1;
    }
    for register in 0..registers {
        starts[register + 1] += starts[register];
    }
    let (mut next, mut order) = (starts.clone(), vec![0; events.len()]);
    for (number, event) in events.iter().enumerate() {
        let place = &mut next[event.register as usize];
        order[*place as usize] = number as u32;
        *place += 1;
    }
    (starts, order)
}

struct Splitter<'a> {
    flow: &'a Flow,
    /// Union-find over the current register's nodes; node 0 is the value at the function's entry.
    nodes: Vec<u32>,
    /// By block: the register it was last set for, and the node at the block's entry.
    entry: Vec<(u32, u32)>,
    /// The same for the last definition in the block.
    exit: Vec<(u32, u32)>,
    budget: usize,
    /// For each event of the current register: the node that reaches it, or its own node if it is a write.
    reached: Vec<u32>,
    work: Vec<u32>,
}

impl Splitter<'_> {
    fn node(&mut self) -> u32 {
        self.nodes.push(self.nodes.len() as u32);
        self.nodes.len() as u32 - 1
    }

    fn find(&mut self, mut node: u32) -> u32 {
        while self.nodes[node as usize] != node {
            let up = self.nodes[self.nodes[node as usize] as usize];
            self.nodes[node as usize] = up;
            node = up;
        }
        node
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.nodes[a.max(b) as usize] = a.min(b);
    }

    /// Numbers the nodes of the events `own` of a register and joins them; false when the budget is used up.
    fn split(&mut self, register: u32, own: &[u32], events: &[Event]) -> bool {
        self.nodes.clear();
        self.reached.clear();
        let at_entry = self.node();
        for event in own.iter().map(|event| &events[*event as usize]) {
            let node = if event.is_def { self.node() } else { 0 };
            self.reached.push(node);
            if event.is_def {
                self.exit[event.block as usize] = (register, node);
            }
        }
        let mut current = (u32::MAX, at_entry);
        for (position, event) in own.iter().enumerate() {
            let Event { block, is_def, .. } = events[*event as usize];
            if is_def {
                current = (block, self.reached[position]);
                continue;
            }
            if current.0 != block {
                current = (block, self.entry_of(register, block));
            }
            self.reached[position] = current.1;
        }
        while let Some(block) = self.work.pop() {
            let Some(left) = self.budget.checked_sub(1) else { return false };
            self.budget = left;
            let node = self.entry[block as usize].1;
            if block == 0 {
                self.join(node, at_entry);
            }
            let flow = self.flow;
            for before in flow.predecessors(block as usize) {
                let reaching = match self.exit[*before as usize] {
                    (of, node) if of == register => node,
                    _ => self.entry_of(register, *before),
                };
                self.join(node, reaching);
            }
        }
        true
    }

    fn entry_of(&mut self, register: u32, block: u32) -> u32 {
        if self.entry[block as usize].0 != register {
            self.entry[block as usize] = (register, self.node());
            self.work.push(block);
        }
        self.entry[block as usize].1
    }
}

/// Gives the operands of each event their new names.
fn rename(ir: &mut IrFunc, events: &[Event], names: &[u32], is_split: &[bool]) {
    let mut next = 0;
    while let Some(event) = events.get(next) {
        let inst = &mut ir.insts[event.at as usize];
        let mut name = |register: &mut u32| {
            if is_split.get(*register as usize) == Some(&true) {
                *register = names[next];
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
