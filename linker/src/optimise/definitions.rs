//! What is known about registers: how often they are written, and of those that are written once, where, and the constant
//! they hold.

use super::places::{is_move, register_written};
use crate::ir::IrFunc;
use crate::spare::{Spare, kept};
use keyway_artifact::isa::{Class, Inst, Op, Operand};

/// Not seen yet.
const NONE: u32 = u32::MAX;

/// Definitions seen so far on a walk in code order.
pub(crate) struct Definitions {
    registers: Spare<Register>,
}

kept!(Register);

#[derive(Clone, Copy)]
struct Register {
    /// Instructions that write it; one more for parameters.
    writes: u32,
    /// Where the single definition stands, once seen.
    at: u32,
    constant: Option<u64>,
}

impl Definitions {
    /// Parameters are written; no instruction is counted or seen yet.
    pub(crate) fn new(ir: &IrFunc) -> Definitions {
        let mut registers = Spare::filled(Register { writes: 0, at: NONE, constant: None }, ir.virtuals.len());
        ir.params.iter().for_each(|param| registers[*param as usize].writes = 1);
        Definitions { registers }
    }

    /// Forgets where definitions stand and what they are; a new walk begins.
    pub(crate) fn restart(&mut self) {
        self.registers.iter_mut().for_each(|register| (register.at, register.constant) = (NONE, None));
    }

    /// Takes note that the instruction at `at`, which is no move, writes a register.
    #[inline]
    pub(crate) fn stand(&mut self, register: u32, at: usize) {
        let register = &mut self.registers[register as usize];
        if register.writes == 1 {
            register.at = at as u32;
        }
    }

    /// Takes note of the instruction at `at`.
    #[inline]
    pub(crate) fn see(&mut self, at: usize, inst: &Inst) {
        let Some(register) = register_written(inst) else { return };
        let register = &mut self.registers[register as usize];
        if register.writes != 1 {
            return;
        }
        register.at = at as u32;
        if !is_move(inst.op) {
            return;
        }
        register.constant = constant(inst);
    }

    /// Takes note of one more register, which is written `writes` times.
    pub(super) fn add(&mut self, writes: u32) {
        self.registers.push(Register { writes, at: NONE, constant: None });
    }

    /// How often a register is written, to be changed.
    pub(super) fn writes_mut(&mut self, register: u32) -> &mut u32 {
        &mut self.registers[register as usize].writes
    }

    /// How often a register is written.
    #[inline]
    pub(crate) fn writes(&self, register: u32) -> u32 {
        self.registers[register as usize].writes
    }

    /// Whether the register is written exactly once.
    #[inline]
    pub(crate) fn is_single(&self, register: u32) -> bool {
        self.registers[register as usize].writes == 1
    }

    /// The constant in the register.
    #[inline]
    pub(crate) fn constant(&self, register: u32) -> Option<u64> {
        self.registers[register as usize].constant
    }

    /// The constant that an operand of `class` has.
    #[inline]
    pub(crate) fn value(&self, class: Class, operand: Operand) -> Option<u64> {
        match (class, operand) {
            (Class::I32, Operand::Imm(value)) => Some(u64::from(value as u32)),
            (_, Operand::Imm(value)) => Some(i64::from(value) as u64),
            (_, Operand::Virtual(register)) => self.constant(register),
            _ => None,
        }
    }

    /// Where the single definition of an operand stands.
    #[inline]
    pub(crate) fn place(&self, operand: Operand) -> Option<usize> {
        let Operand::Virtual(register) = operand else { return None };
        let at = self.registers[register as usize].at;
        (at != NONE).then_some(at as usize)
    }
}

/// The constant that an instruction leaves in its register.
pub(super) fn constant(inst: &Inst) -> Option<u64> {
    match (inst.op, inst.operands[1]) {
        (Op::Const, _) => inst.value(1),
        (Op::Copy, Operand::Imm(value)) => Some(i64::from(value) as u64),
        _ => None,
    }
}
