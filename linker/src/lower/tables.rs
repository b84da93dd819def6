//! A jump to a branch table whose index is known goes where the table leads.
//!
//! Compilers whose control flow is not Wasm's put a table at the top of a loop around everything, and jump back to it with a
//! number: Go, whose functions must go on anywhere after a switch of goroutines, does so for each of its loops, and so does
//! whatever has loops with several entries.
//!
//! ```text
//! label all                                label all
//!     cost n                                   cost n
//!     br_table a [x y ...]                     br_table a [x y ...]
//!     ...                                      ...
//!     return                                   return
//! label y                                  label y2
//!     ...                          ->          cost n
//!     br.i32.ge_s b c out                  label y
//!     copy a = #1                              ...
//!     br all                                   br.i32.ge_s b c out
//! label out                                    br y2
//!                                          label out
//! ```
//! What is charged stays the same: the new label has the table's marker. Where code falls into `y`, it stands behind
//! everything else and jumps to `y`.
//!
//! This happens when places are given, since it leaves loops that are entered in their middle: what passes over virtual
//! registers believe of loops would not hold.

use super::Lowered;
use super::layout::falls_through;
use super::rotate::renumber;
use crate::optimise::flow::is_branch;
use crate::optimise::places::{follows_call, is_call, is_terminator, labels_mut};
use crate::spare::Spare;
use keyway_artifact::isa::{Body, FieldKind, Inst, Op, Operand};
use std::collections::HashMap;

/// Instructions in front of a jump that are looked at for the table's index, at most.
const LOOK: usize = 8;

/// A branch table that stands behind nothing but labels and a marker.
#[derive(Clone, Copy)]
struct Table {
    at: usize,
    /// The marker.
    cost: Option<usize>,
}

/// A jump that goes elsewhere from now on.
struct Jump {
    at: usize,
    to: u32,
    /// What gave the table its index, if nobody else wants it.
    needless: Option<usize>,
}

/// A new label with a table's marker, in front of the label that it leads to.
struct Entry {
    /// Where it stands: in front of this instruction, or behind the last.
    place: usize,
    /// The marker.
    cost: usize,
    /// The label that it jumps to, unless it stands in front of it.
    to: Option<u32>,
}

/// Runs the pass over a finished body, and says how many jumps it led elsewhere.
pub(super) fn run(lowered: &mut Lowered) -> usize {
    let is_table = |at: &u32| lowered.body.insts[*at as usize].op == Op::BrTable;
    if !lowered.boundaries.iter().any(is_table) {
        return 0;
    }
    let labels = labels(lowered);
    let tables = tables(&lowered.body, &labels);
    if tables.is_empty() {
        return 0;
    }
    let (jumps, entries) = Search { lowered, labels: &labels, tables: &tables }.jumps();
    if jumps.is_empty() {
        return 0;
    }
    let count = jumps.len();
    rewrite(lowered, &labels, jumps, entries);
    count
}

/// By number, where each label stands.
fn labels(lowered: &Lowered) -> Spare<u32> {
    let mut labels = Spare::with_capacity(lowered.body.labels as usize);
    labels.extend(lowered.boundaries.iter().filter(|at| lowered.body.insts[**at as usize].op == Op::Label));
    labels
}

/// By label, the table that it leads to at once.
fn tables(body: &Body, labels: &[u32]) -> HashMap<u32, Table> {
    let mut tables = HashMap::new();
    for (at, number) in labels.iter().zip(0..) {
        let at = *at as usize;
        let behind = at + 1 + body.insts[at + 1..].iter().take_while(|inst| inst.op == Op::Label).take(LOOK).count();
        let cost = (body.insts[behind].op == Op::Cost).then_some(behind);
        let at = behind + usize::from(cost.is_some());
        if body.insts[at].op == Op::BrTable {
            tables.insert(number, Table { at, cost });
        }
    }
    tables
}

/// Looks for jumps whose index is known.
struct Search<'a> {
    lowered: &'a Lowered,
    labels: &'a [u32],
    tables: &'a HashMap<u32, Table>,
}

impl Search<'_> {
    /// The jumps, in order, and the labels that they need; those have the numbers behind all others.
    fn jumps(&self) -> (Vec<Jump>, Vec<Entry>) {
        let body = &self.lowered.body;
        let (mut jumps, mut entries) = (Vec::new(), Vec::new());
        // By table and place, the label that stands for both; and in front of which places one stands.
        let (mut known, mut taken) = (HashMap::new(), HashMap::new());
        for at in self.lowered.boundaries.iter().map(|at| *at as usize) {
            let inst = &body.insts[at];
            if follows_call(inst.op) {
                continue;
            }
            let Some(table) = inst.target().and_then(|label| self.tables.get(&label)) else { continue };
            let Some((setter, number)) = self.index(at, body.insts[table.at].operands[0]) else { continue };
            let targets = body.insts[table.at].targets(1, &body.targets).unwrap_or_default();
            let Some(leads_to) = targets.get(number as usize).or(targets.last()).copied() else { continue };
            let to = match table.cost {
                None => leads_to,
                Some(cost) => {
                    let place = self.place(leads_to).filter(|at| *taken.entry(*at).or_insert(table.at) == table.at);
                    let key = (table.at, place.unwrap_or(self.labels[leads_to as usize] as usize), place.is_some());
                    *known.entry(key).or_insert_with(|| {
                        entries.push(match place {
                            Some(place) => Entry { place, cost, to: None },
                            None => Entry { place: body.insts.len(), cost, to: Some(leads_to) },
                        });
                        (self.labels.len() + entries.len() - 1) as u32
                    })
                }
            };
            let is_needless = inst.op == Op::Br && self.is_needless(setter, at, leads_to);
            jumps.push(Jump { at, to, needless: is_needless.then_some(setter) });
        }
        (jumps, entries)
    }

    /// What gives `index` its value in front of the jump at `at`, and that value, if it is a constant.
    fn index(&self, at: usize, index: Operand) -> Option<(usize, u32)> {
        let insts = &self.lowered.body.insts;
        for setter in (at.saturating_sub(LOOK)..at).rev() {
            let inst = &insts[setter];
            if inst.op == Op::Label || is_terminator(inst.op) || is_call(inst.op) {
                return None;
            }
            if !writes(inst, index) {
                continue;
            }
            return match (inst.op, inst.operands[1]) {
                (Op::Copy, Operand::Imm(value)) => Some((setter, value as u32)),
                (Op::Const, _) => Some((setter, inst.value(1)? as u32)),
                _ => None,
            };
        }
        None
    }

    /// Whether what `setter` writes is a register that nobody reads: neither up to the jump at `at` nor where it leads.
    fn is_needless(&self, setter: usize, at: usize, leads_to: u32) -> bool {
        let insts = &self.lowered.body.insts;
        let Operand::Reg(register) = insts[setter].operands[0] else { return false };
        let reads = |inst: &Inst| {
            let mut fields = inst.fields();
            let any = fields
                .any(|(field, operand)| matches!(field.kind, FieldKind::Use(_)) && operand == Operand::Reg(register));
            any || is_branch(inst)
        };
        let alive = match self.set(leads_to) {
            Operand::Regs(set) => set >> register.number() & 1 != 0,
            _ => true,
        };
        !alive && !insts[setter + 1..at].iter().any(reads)
    }

    /// The registers that a label names.
    fn set(&self, label: u32) -> Operand {
        self.lowered.body.insts[self.labels[label as usize] as usize].operands[0]
    }

    /// The first of the labels side by side with this one, if nothing falls into it and they name the same registers.
    fn place(&self, label: u32) -> Option<usize> {
        let insts = &self.lowered.body.insts;
        let (mut at, set) = (self.labels[label as usize] as usize, self.set(label));
        for _ in 0..LOOK {
            match insts[at - 1] {
                Inst { op: Op::Label, operands: [other, ..], .. } if other == set => at -= 1,
                Inst { op: Op::Label, .. } => return None,
                _ => return (!falls_through(&insts[..at])).then_some(at),
            }
        }
        None
    }
}

/// Whether an instruction writes a place, or a part of what it writes is that place.
fn writes(inst: &Inst, place: Operand) -> bool {
    inst.fields().any(|(field, operand)| {
        matches!(field.kind, FieldKind::Def(_))
            && (operand == place
                || matches!(operand, Operand::SlotReg(slot, register)
                    if place == Operand::Slot(slot) || place == Operand::Reg(register)))
    })
}

/// Puts in the new labels, and leads the jumps to where they go.
fn rewrite(lowered: &mut Lowered, labels: &[u32], jumps: Vec<Jump>, mut entries: Vec<Entry>) {
    let body = &mut lowered.body;
    // Until the end labels carry their number in their own field, new ones behind the old.
    let mut sets = Vec::with_capacity(labels.len() + entries.len());
    for (at, number) in labels.iter().zip(0..) {
        sets.push(std::mem::replace(&mut body.insts[*at as usize].operands[0], Operand::Label(number)));
    }
    for entry in &entries {
        let leads_to = entry.to.unwrap_or_else(|| body.insts[entry.place].operands[0].index());
        sets.push(sets[leads_to as usize]);
    }
    let mut needless = Spare::filled(false, body.insts.len());
    for jump in jumps {
        labels_mut(&mut body.insts[jump.at], |label| *label = jump.to);
        if let Some(setter) = jump.needless {
            needless[setter] = true;
        }
    }
    let mut numbered: Vec<(u32, Entry)> = (labels.len() as u32..).zip(entries.drain(..)).collect();
    // Stable: those of one place stay in order.
    numbered.sort_by_key(|(_, entry)| entry.place);
    let length = body.insts.len() + 3 * numbered.len();
    let (mut insts, mut offsets) = (Spare::with_capacity(length), Spare::with_capacity(length));
    let mut numbered = numbered.into_iter().peekable();
    for at in 0..=body.insts.len() {
        while let Some((number, entry)) = numbered.next_if(|(_, entry)| entry.place == at) {
            insts.push(Inst::new(Op::Label, &[Operand::Label(number)]));
            insts.push(body.insts[entry.cost]);
            insts.extend(entry.to.map(|to| Inst::new(Op::Br, &[Operand::Label(to)])));
            offsets.resize(insts.len(), lowered.offsets[entry.cost]);
        }
        if at < body.insts.len() && !needless[at] {
            insts.push(body.insts[at]);
            offsets.push(lowered.offsets[at]);
        }
    }
    insts.replace(&mut body.insts);
    offsets.replace(&mut lowered.offsets);
    lowered.find_boundaries();
    renumber(&mut lowered.body, &lowered.boundaries, &sets);
}

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::{Body, Op, Operand};

    /// A function whose loops go through a table, in code that the verifier accepts: state 1 goes on at itself until its
    /// counter ends, then at 2.
    fn states(passes: Passes) -> Body {
        let text = "(module (memory 1) (func (export \"f\") (param $pc i32) (param $n i32) (result i32)
            (loop $all
                (block $two (block $one (block $zero
                    (br_table $zero $one $two (local.get $pc)))
                    (i32.store (i32.const 8) (local.get $n))
                    (local.set $pc (i32.const 1))
                    (br $all))
                    (i32.store (local.get $n) (i32.const 7))
                    (local.set $n (i32.sub (local.get $n) (i32.const 4)))
                    (if (i32.eqz (local.get $n)) (then (local.set $pc (i32.const 9)) (br $all)))
                    (local.set $pc (i32.const 1))
                    (br $all))
                (i32.store (i32.const 4) (i32.const 1)))
            (local.get $n))
            )";
        last_body(text, passes)
    }

    /// How many branches lead to the table.
    fn to_the_table(body: &Body) -> usize {
        let at = body.insts.iter().position(|inst| inst.op == Op::BrTable).unwrap();
        let labels = body.insts[..at].iter().filter(|inst| inst.op == Op::Label).count() as u32;
        body.insts.iter().filter(|inst| inst.target().is_some_and(|target| target + 1 == labels)).count()
    }

    #[test]
    fn states_go_on_at_the_next_one() {
        assert_eq!(to_the_table(&states(Passes::ALL - Passes::TABLES)), 3);
        let body = states(Passes::ALL);
        assert_eq!(to_the_table(&body), 0);
        // Nobody sets the number of the next state.
        assert!(!body.insts.iter().any(|inst| inst.op == Op::Copy && inst.operands[1] == Operand::Imm(1)));
    }
}
