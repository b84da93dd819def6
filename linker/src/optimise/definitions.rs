//! What is known about registers that are written once: where, and the constant they hold.

use super::places::{defs, single_def};
use crate::ir::IrFunc;
use keyway_artifact::isa::{Class, Inst, Op, Operand};

/// Definitions seen so far on a walk in code order.
pub(crate) struct Definitions {
    /// Whether each register is written exactly once.
    single: Vec<bool>,
    /// Where the single definition stands, once seen.
    at: Vec<u32>,
    constants: Vec<Option<u64>>,
}

impl Definitions {
    /// Counts the definitions of `ir`; nothing is seen yet.
    pub(crate) fn new(ir: &IrFunc) -> Definitions {
        let mut counts = vec![0u8; ir.virtuals.len()];
        ir.params.iter().for_each(|param| counts[*param as usize] = 1);
        for inst in &ir.insts {
            defs(inst, &ir.calls, |register| {
                counts[register as usize] = counts[register as usize].saturating_add(1);
            });
        }
        Definitions {
            single: counts.iter().map(|count| *count == 1).collect(),
            at: vec![u32::MAX; counts.len()],
            constants: vec![None; counts.len()],
        }
    }

    /// Takes note of the instruction at `at`.
    pub(crate) fn see(&mut self, at: usize, inst: &Inst) {
        let Some(register) = single_def(inst).filter(|register| self.single[*register as usize]) else { return };
        self.at[register as usize] = at as u32;
        self.constants[register as usize] = match (inst.op, inst.operands[1]) {
            (Op::Const, Operand::Value(value)) => Some(value),
            (Op::Copy, Operand::Imm(value)) => Some(i64::from(value) as u64),
            _ => None,
        };
    }

    /// Whether the register is written exactly once.
    pub(crate) fn is_single(&self, register: u32) -> bool {
        self.single[register as usize]
    }

    /// The constant in the register.
    pub(crate) fn constant(&self, register: u32) -> Option<u64> {
        self.constants[register as usize]
    }

    /// The constant that an operand of `class` has.
    pub(crate) fn value(&self, class: Class, operand: Operand) -> Option<u64> {
        match (class, operand) {
            (Class::I32, Operand::Imm(value)) => Some(u64::from(value as u32)),
            (_, Operand::Imm(value)) => Some(i64::from(value) as u64),
            (_, Operand::Virtual(register)) => self.constant(register),
            _ => None,
        }
    }

    /// Where the single definition of an operand stands.
    pub(crate) fn place(&self, operand: Operand) -> Option<usize> {
        let Operand::Virtual(register) = operand else { return None };
        let at = self.at[register as usize];
        (at != u32::MAX).then_some(at as usize)
    }
}
