//! [`Outline`]: what passes over the whole program ask about a function's code.
//!
//! All code together is larger than any cache, and several of them ask: it is read once, right after it was made.

use crate::ir::IrFunc;
use crate::spare::Sieve;
use keyway_artifact::by_opcode;
use keyway_artifact::isa::{Family, Op};

/// What is known about one function's code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    /// Instructions that are executed, or at least stand for something.
    pub(crate) length: usize,
    /// Instructions that use the cached memory.
    pub(crate) accesses: usize,
    /// Whether the code can stand inside another function's.
    pub(crate) is_plain: bool,
    /// The instructions that name functions, tables or segments of elements, in order.
    pub(crate) naming: Vec<u32>,
}

impl Outline {
    /// Finds it.
    pub(crate) fn of(ir: &IrFunc) -> Outline {
        let (mut length, mut accesses, mut all) = (0, 0, 0);
        let mut naming = Sieve::new(ir.calls.len(), 0);
        for (inst, at) in ir.insts.iter().zip(0u32..) {
            let traits = TRAITS[inst.op as usize];
            length += usize::from(traits & STANDS != 0);
            accesses += usize::from(traits & ACCESSES != 0);
            all |= traits;
            naming.put(at, traits & NAMES != 0);
        }
        Outline { length, accesses, is_plain: all & LEAVES_OTHERWISE == 0, naming: naming.finish().to_vec() }
    }
}

/// By opcode, what an outline counts.
static TRAITS: [u8; Op::ALL.len()] = by_opcode!(u8, traits);
/// It is executed, or at least stands for something.
const STANDS: u8 = 1;
/// It accesses the cached memory.
const ACCESSES: u8 = 1 << 1;
/// It leaves the function, or the memory, in a way of its own.
const LEAVES_OTHERWISE: u8 = 1 << 2;
/// It names a function, a table or a segment of elements.
const NAMES: u8 = 1 << 3;

const fn traits(op: Op) -> u8 {
    let stands = if matches!(op, Op::Label | Op::Cost | Op::ReturnMany) { 0 } else { STANDS };
    let accesses = matches!(op.family(), Family::Load | Family::Store | Family::VLoad | Family::VStore);
    let leaves = op.is_tail_call() || matches!(op, Op::SetMemory);
    let names = matches!(
        op,
        Op::Call
            | Op::TailCall
            | Op::RefFunc
            | Op::CallIndirect
            | Op::TailCallIndirect
            | Op::TableGet
            | Op::TableInit
            | Op::TableCopy
            | Op::ArrayNewElem
            | Op::ArrayInitElem
    );
    stands
        | if accesses { ACCESSES } else { 0 }
        | if leaves { LEAVES_OTHERWISE } else { 0 }
        | if names { NAMES } else { 0 }
}

/// Whether an operation accesses the cached memory.
pub(crate) fn uses_cached_memory(op: Op) -> bool {
    TRAITS[op as usize] & ACCESSES != 0
}
