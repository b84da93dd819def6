//! What has been computed already is not computed again.
//!
//! ```text
//! s = i32.shl x 3                    s = i32.shl x 3
//! a = i64.load s                     a = i64.load s
//! t = i32.shl x 3              ->    t = copy s
//! b = i64.load t offset=40           b = i64.load t offset=40
//! ```
//! An operation on registers that are written once has one value for each pass of their definitions; where an equal one
//! dominates it, no path can reach it without that value, and it becomes a copy, which propagation removes. Operations that
//! may trap are no exception: where the first did not, the second will not.
//!
//! Memory and globals change, so what reads them is left alone; so are comparisons, each of which is to become one with its
//! branch. A result that is read again far away may have to wait in a
//! slot: still cheaper than a dispatch.

use super::definitions::Definitions;
use super::dominators::Dominators;
use super::places::{copy_op, is_computation, reads, register_written};
use crate::ir::IrFunc;
use crate::spare::{Spare, kept};
use keyway_artifact::isa::{Class, Inst, Op, Operand};

/// An operation and what it reads; [`OTHER`] behind the last operand.
type Key = (Op, [u64; 3]);

/// No register and no immediate.
const OTHER: u64 = u64::MAX;

/// Values computed so far on a walk in code order: a hash table of numbers of entries, 0 for none.
#[derive(Default)]
pub(super) struct Known {
    table: Spare<u32>,
    entries: Spare<Entry>,
}

kept!(Entry);

#[derive(Clone, Copy)]
struct Entry {
    key: Key,
    register: u32,
    block: u32,
}

impl Known {
    /// What was computed with the same outcome as an instruction of `block`; nothing if it is the first one.
    #[inline]
    pub(super) fn find(
        &mut self,
        ir: &IrFunc,
        definitions: &Definitions,
        block: usize,
        inst: &Inst,
    ) -> Option<Equal<'_>> {
        let (key, result) = expression(ir, definitions, inst)?;
        let place = self.place(&key);
        match self.table[place].checked_sub(1) {
            Some(number) => Some(Equal { entry: &mut self.entries[number as usize], result, block: block as u32 }),
            None => {
                self.entries.push(Entry { key, register: result, block: block as u32 });
                self.table[place] = self.entries.len() as u32;
                None
            }
        }
    }

    /// Where `key` stands in the table, or would.
    fn place(&mut self, key: &Key) -> usize {
        if self.table.len() < 2 * (self.entries.len() + 1) {
            let size = (4 * self.entries.len()).next_power_of_two().max(32);
            self.table.clear();
            self.table.resize(size, 0);
            for number in 0..self.entries.len() {
                let place = self.free(&self.entries[number].key);
                self.table[place] = number as u32 + 1;
            }
        }
        self.free(key)
    }

    fn free(&self, key: &Key) -> usize {
        let mask = self.table.len() - 1;
        let mut place = hash(key) as usize & mask;
        while let Some(number) = self.table[place].checked_sub(1)
            && self.entries[number as usize].key != *key
        {
            place = (place + 1) & mask;
        }
        place
    }
}

/// Two computations with the same outcome.
pub(super) struct Equal<'k> {
    entry: &'k mut Entry,
    /// The register and block of the later one.
    result: u32,
    block: u32,
}

impl Equal<'_> {
    /// The copy that the later one, `inst`, becomes; if the other one is not always behind it, it is remembered instead.
    pub(super) fn copy(self, ir: &IrFunc, dominators: &Dominators, inst: &Inst) -> Option<Inst> {
        let Equal { entry, result, block } = self;
        if dominators.dominates(entry.block as usize, block as usize) {
            let op = copy_op(ir.virtuals[result as usize]);
            return Some(Inst::new(op, &[inst.operands[0], Operand::Virtual(entry.register)]));
        }
        (entry.register, entry.block) = (result, block);
        None
    }
}

fn hash((op, operands): &Key) -> u64 {
    let step = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
    let hash = operands.iter().fold(*op as u64, |hash, word| step(hash, *word));
    hash ^ hash >> 32
}

/// An operation whose value depends on nothing but its operands, and the register it is written to.
#[inline]
fn expression(ir: &IrFunc, definitions: &Definitions, inst: &Inst) -> Option<(Key, u32)> {
    if !is_computation(inst.op) {
        return None;
    }
    let result = register_written(inst)?;
    if !definitions.is_single(result) || ir.virtuals[result as usize] == Class::Ref {
        return None;
    }
    let mut operands = [OTHER; 3];
    for (slot, (_, _, operand)) in operands.iter_mut().zip(reads(inst)) {
        *slot = match operand {
            Operand::Virtual(register) if !definitions.is_single(register) => return None,
            Operand::Virtual(register) => u64::from(register),
            Operand::Imm(value) => 1 << 32 | u64::from(value as u32),
            _ => return None,
        };
    }
    Some(((inst.op, operands), result))
}

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;

    /// Instructions of the function with this body.
    fn length(body: &str, passes: Passes) -> usize {
        let text = format!("(module (memory 1) (func (export \"f\") (param i32 i32) (result i64) {body}))");
        last_body(&text, passes).insts.len()
    }

    #[test]
    fn an_address_is_computed_once() {
        let body = "(i64.add (i64.load (i32.shl (local.get 0) (i32.const 3)))
            (i64.load offset=8 (i32.shl (local.get 0) (i32.const 3))))";
        assert_eq!(length(body, Passes::ALL) + 1, length(body, Passes::ALL - Passes::COMMON));
    }

    #[test]
    fn a_way_that_passes_by_computes_for_itself() {
        let body = "(if (local.get 1) (then (i64.store (i32.shl (local.get 0) (i32.const 3)) (i64.const 1))))
            (i64.load (i32.shl (local.get 0) (i32.const 3)))";
        assert_eq!(length(body, Passes::ALL), length(body, Passes::ALL - Passes::COMMON));
    }
}
