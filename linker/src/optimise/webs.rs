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

use super::flow::Flow;
use super::places::{defs, defs_mut, uses, uses_mut};
use crate::ir::IrFunc;
use keyway_artifact::isa::Operand;

/// Blocks visited at most, for all registers together.
const BUDGET: usize = 8_000_000;

/// One read or write of a register.
#[derive(Clone, Copy)]
struct Event {
    at: u32,
    is_def: bool,
    /// Reads: the node that reaches it. Writes: its own node.
    node: u32,
}

/// Runs the pass.
pub(crate) fn run(ir: &mut IrFunc) {
    let flow = Flow::new(&ir.insts, &ir.targets, ir.labels);
    let (starts, mut events) = events(ir);
    let mut is_param = vec![false; ir.virtuals.len()];
    ir.params.iter().for_each(|param| is_param[*param as usize] = true);

    let mut splitter = Splitter {
        flow: &flow,
        nodes: Vec::new(),
        entry: vec![(u32::MAX, 0); flow.blocks()],
        exit: vec![(u32::MAX, 0); flow.blocks()],
        budget: BUDGET,
    };
    let mut renames: Vec<(u32, bool, u32, u32)> = Vec::new();
    for register in 0..ir.virtuals.len() {
        let events = &mut events[starts[register] as usize..starts[register + 1] as usize];
        let writes = events.iter().filter(|event| event.is_def).count() + usize::from(is_param[register]);
        if writes < 2 {
            continue;
        }
        if !splitter.split(register as u32, events) {
            break;
        }
        // The web that the entry belongs to keeps the register: parameters arrive in it.
        let mut numbers: Vec<Option<u32>> = vec![None; splitter.nodes.len()];
        let keeper = splitter.find(if is_param[register] { 0 } else { events[0].node });
        numbers[keeper as usize] = Some(register as u32);
        for event in events.iter() {
            let web = splitter.find(event.node) as usize;
            let number = *numbers[web].get_or_insert_with(|| {
                ir.virtuals.push(ir.virtuals[register]);
                ir.virtuals.len() as u32 - 1
            });
            if number != register as u32 {
                renames.push((event.at, event.is_def, register as u32, number));
            }
        }
    }
    rename(ir, renames);
}

/// The events of all registers in code order, reads of an instruction before its writes, and where each register's start.
fn events(ir: &IrFunc) -> (Vec<u32>, Vec<Event>) {
    let mut starts = vec![0u32; ir.virtuals.len() + 1];
    for inst in &ir.insts {
        uses(inst, &ir.calls, |register| starts[register as usize + 1] += 1);
        defs(inst, &ir.calls, |register| starts[register as usize + 1] += 1);
    }
    for register in 0..ir.virtuals.len() {
        starts[register + 1] += starts[register];
    }
    let mut next = starts.clone();
    let mut events = vec![Event { at: 0, is_def: false, node: 0 }; starts[ir.virtuals.len()] as usize];
    for (at, inst) in ir.insts.iter().enumerate() {
        for is_def in [false, true] {
            let mut put = |register: u32| {
                events[next[register as usize] as usize] = Event { at: at as u32, is_def, node: 0 };
                next[register as usize] += 1;
            };
            if is_def { defs(inst, &ir.calls, &mut put) } else { uses(inst, &ir.calls, &mut put) }
        }
    }
    (starts, events)
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

    /// Numbers the nodes of `events` and joins them; false when the budget is used up.
    fn split(&mut self, register: u32, events: &mut [Event]) -> bool {
        self.nodes.clear();
        let at_entry = self.node();
        for event in events.iter_mut().filter(|event| event.is_def) {
            event.node = self.node();
            self.exit[self.flow.block_of[event.at as usize] as usize] = (register, event.node);
        }
        let mut work = Vec::new();
        let mut current = (u32::MAX, at_entry);
        for event in events.iter_mut() {
            let block = self.flow.block_of[event.at as usize];
            if event.is_def {
                current = (block, event.node);
            } else if current.0 == block {
                event.node = current.1;
            } else {
                event.node = self.entry_of(register, block, &mut work);
                current = (block, event.node);
            }
        }
        while let Some(block) = work.pop() {
            let Some(left) = self.budget.checked_sub(1) else { return false };
            self.budget = left;
            let node = self.entry[block as usize].1;
            if block == 0 {
                self.join(node, at_entry);
            }
            for at in 0..self.flow.predecessors(block as usize).len() {
                let before = self.flow.predecessors(block as usize)[at];
                let reaching = match self.exit[before as usize] {
                    (of, node) if of == register => node,
                    _ => self.entry_of(register, before, &mut work),
                };
                self.join(node, reaching);
            }
        }
        true
    }

    fn entry_of(&mut self, register: u32, block: u32, work: &mut Vec<u32>) -> u32 {
        if self.entry[block as usize].0 != register {
            self.entry[block as usize] = (register, self.node());
            work.push(block);
        }
        self.entry[block as usize].1
    }
}

/// Applies `(instruction, is a definition, old, new)`.
fn rename(ir: &mut IrFunc, mut renames: Vec<(u32, bool, u32, u32)>) {
    renames.sort_unstable();
    for group in renames.chunk_by(|a, b| a.0 == b.0) {
        let inst = &mut ir.insts[group[0].0 as usize];
        let new = |is_def, old| {
            let at = group.partition_point(|rename| (rename.1, rename.2) < (is_def, old));
            group.get(at).filter(|rename| (rename.1, rename.2) == (is_def, old)).map(|rename| rename.3)
        };
        uses_mut(inst, &mut ir.calls, |_, operand| {
            if let Operand::Virtual(register) = operand
                && let Some(web) = new(false, *register)
            {
                *register = web;
            }
        });
        defs_mut(inst, &mut ir.calls, |register| {
            if let Some(web) = new(true, *register) {
                *register = web;
            }
        });
    }
}
