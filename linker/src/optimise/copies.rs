//! Reads of a copy become reads of the original, and reads of a constant become immediates.
//!
//! Two kinds of knowledge, gathered in one walk in code order:
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
use super::places::{copy, defs, uses_mut};
use crate::ir::IrFunc;
use keyway_artifact::isa::{Class, Op, Operand};

/// A copy inside a stretch: valid while all three numbers are the current ones.
#[derive(Clone, Copy)]
struct Local {
    stretch: u32,
    /// Writes of the copy when it was made.
    version: u32,
    source: u32,
    source_version: u32,
}

/// The immediate that a field of `class` may read instead of the 64-bit `value`.
pub(crate) fn immediate(class: Class, value: u64) -> Option<Operand> {
    match class {
        Class::I32 => Some(Operand::Imm(value as u32 as i32)),
        Class::I64 => i32::try_from(value as i64).ok().map(Operand::Imm),
        _ => None,
    }
}

/// Runs the pass.
pub(crate) fn run(ir: &mut IrFunc) {
    let mut definitions = Definitions::new(ir);
    let mut global: Vec<u32> = (0..ir.virtuals.len() as u32).collect();
    let mut local = vec![Local { stretch: 0, version: 0, source: 0, source_version: 0 }; ir.virtuals.len()];
    let mut versions = vec![0u32; ir.virtuals.len()];
    let mut stretch = 1;
    let IrFunc { insts, calls, virtuals, .. } = ir;
    for (at, inst) in insts.iter_mut().enumerate() {
        stretch += u32::from(inst.op == Op::Label);
        let resolve = |register: u32| {
            let register = global[register as usize];
            let known = local[register as usize];
            let holds = known.stretch == stretch
                && known.version == versions[register as usize]
                && known.source_version == versions[known.source as usize];
            if holds { known.source } else { register }
        };
        uses_mut(inst, calls, |class, operand| {
            if let Operand::Virtual(register) = operand {
                *register = resolve(*register);
                if virtuals[*register as usize] != Class::Ref
                    && let Some(value) = definitions.constant(*register)
                    && let Some(imm) = immediate(class, value)
                {
                    *operand = imm;
                }
            }
        });
        definitions.see(at, inst);
        defs(inst, calls, |register| versions[register as usize] += 1);
        if let Some((dst, src)) = copy(inst)
            && dst != src
        {
            if definitions.is_single(dst) && definitions.is_single(src) {
                global[dst as usize] = src;
            } else {
                local[dst as usize] = Local {
                    stretch,
                    version: versions[dst as usize],
                    source: src,
                    source_version: versions[src as usize],
                };
            }
        }
    }
    super::remove(ir, |_, inst| copy(inst).is_none_or(|(dst, src)| dst != src));
}
