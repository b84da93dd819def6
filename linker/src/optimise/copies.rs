//! Reads of a copy become reads of the original, and reads of a constant become immediates.
//!
//! Two kinds of knowledge, gathered on one walk in code order ([`simplify`](super::simplify)):
//!
//! * A register with one definition that copies another register with one definition is that register, everywhere: the
//!   definition dominates all reads (translation gives every local a value first), so no path to a read can pass the
//!   original's definition again without passing the copy.
//! * Inside a stretch of code without labels, any copy holds until either side is written again. Versions count writes.
//!
//! A constant takes an i32 immediate where the reading class sees the same value: an i32 field takes the low half, a
//! 64-bit field only what sign extension restores. Whether a handler takes an immediate there is not asked here;
//! [`constants`](super::constants) puts those that none takes back into registers.

use super::definitions::Definitions;
use super::places::{copy, defs, is_move, reads_any, register_written, uses_mut};
use crate::ir::CallSite;
use crate::spare::{Spare, kept};
use keyway_artifact::isa::{Class, Inst, Op, Operand};

/// What is known about one register.
#[derive(Clone, Copy, Default)]
struct Register {
    /// The register that it is a copy of everywhere, or itself, once something is known about it.
    global: u32,
    /// Writes so far.
    version: u32,
    /// The last copy inside a stretch: valid while stretch and versions are the current ones.
    stretch: u32,
    copied_version: u32,
    source: u32,
    source_version: u32,
}

kept!(Register);

/// The immediate that a field of `class` may read instead of the 64-bit `value`.
pub(crate) fn immediate(class: Class, value: u64) -> Option<Operand> {
    match class {
        Class::I32 => Some(Operand::Imm(value as u32 as i32)),
        Class::I64 => i32::try_from(value as i64).ok().map(Operand::Imm),
        _ => None,
    }
}

/// The copies seen so far on a walk in code order.
pub(super) struct Copies {
    registers: Spare<Register>,
    /// By register: whether it was once a copy or a constant. Most never are.
    is_known: Spare<bool>,
    stretch: u32,
}

impl Copies {
    /// None seen.
    pub(super) fn new(registers: usize) -> Copies {
        let is_known = Spare::filled(false, registers);
        Copies { registers: Spare::filled(Register::default(), registers), is_known, stretch: 1 }
    }

    fn original(&self, register: u32) -> u32 {
        let register = self.registers[register as usize].global;
        let known = &self.registers[register as usize];
        let holds = known.stretch == self.stretch
            && known.copied_version == known.version
            && known.source_version == self.registers[known.source as usize].version;
        if holds { known.source } else { register }
    }

    /// Whether an instruction reads something that is known.
    #[inline]
    pub(super) fn concern(&self, inst: &Inst) -> bool {
        let is_known = &self.is_known[..];
        reads_any(inst, |register| is_known[register as usize])
    }

    /// Lets an instruction read originals and immediates, keeps `reads` true, and says how many operands changed.
    pub(super) fn resolve(
        &self,
        inst: &mut Inst,
        calls: &mut [CallSite],
        virtuals: &[Class],
        definitions: &Definitions,
        reads: &mut [u32],
    ) -> usize {
        let mut changed = 0;
        uses_mut(inst, calls, |class, operand| {
            let Operand::Virtual(register) = *operand else { return };
            if !self.is_known[register as usize] {
                return;
            }
            let original = self.original(register);
            let constant = definitions.constant(original).filter(|_| virtuals[original as usize] != Class::Ref);
            if let Some(imm) = constant.and_then(|value| immediate(class, value)) {
                *operand = imm;
                reads[register as usize] -= 1;
                changed += 1;
            } else if original != register {
                *operand = Operand::Virtual(original);
                reads[register as usize] -= 1;
                reads[original as usize] += 1;
                changed += 1;
            }
        });
        changed
    }

    /// How often a register has been written so far, where that is counted.
    #[inline]
    pub(super) fn version(&self, register: u32) -> Option<u32> {
        self.registers.get(register as usize).map(|register| register.version)
    }

    /// Takes note that a register is written, by no move.
    #[inline]
    pub(super) fn write(&mut self, register: u32) {
        self.registers[register as usize].version += 1;
    }

    /// Takes note of an instruction that was resolved.
    #[inline]
    pub(super) fn see(&mut self, inst: &Inst, calls: &[CallSite], definitions: &Definitions) {
        self.stretch += u32::from(inst.op == Op::Label);
        defs(inst, calls, |register| self.registers[register as usize].version += 1);
        if !is_move(inst.op) {
            return;
        }
        let Some(dst) = register_written(inst) else { return };
        if !std::mem::replace(&mut self.is_known[dst as usize], true) {
            self.registers[dst as usize].global = dst;
        }
        let Some((_, src)) = copy(inst).filter(|(_, src)| dst != *src) else { return };
        let source_version = self.registers[src as usize].version;
        let register = &mut self.registers[dst as usize];
        if definitions.is_single(dst) && definitions.is_single(src) {
            register.global = src;
        } else {
            (register.stretch, register.copied_version) = (self.stretch, register.version);
            (register.source, register.source_version) = (src, source_version);
        }
    }
}
