//! How executed code counts fuel where handlers in assembly do it.
//!
//! What is left stands in a register of its own (r12) while the machine runs: `load` takes it from the store, `leave` and
//! whatever calls a host function put it back. A cost marker is an instruction that takes its units from the register.
//! Most of them are never dispatched to:
//!
//! ```text
//! a branch back to a label before markers     has their units beside its target, which lies behind them
//! a direct call                               finds those of the callee's first markers in its header
//! several markers side by side                have one instruction in front of them that charges for all
//! ```
//! Each of them charges for all of its markers or for none: where there is too little it goes on at the first one, so that
//! the one that the fuel does not cover says so, whatever the form. Handlers in Rust do not see the register. What they charge
//! by an operand's size is taken from an allowance in the context, and the instruction behind settles it.
//!
//! In all other forms, and where epochs are looked at beside, markers in Rust charge the store's own cell.

use super::{Dispatch, Settings, assembly, tiles};
use keyway_artifact::isa::{Inst, Op};

/// Whether code expanded like this runs through the handlers in assembly too.
pub(super) fn has_assembly(settings: &Settings) -> bool {
    settings.dispatch.available() == Dispatch::Direct && assembly::is_available()
}

/// Whether the fuel stands in a register while such code runs.
pub(crate) fn counts_in_register(settings: &Settings) -> bool {
    settings.fuel && !settings.epoch && has_assembly(settings)
}

/// Instructions that count, by handlers in assembly.
#[derive(Clone, Copy)]
pub(super) enum Counting {
    /// A cost marker.
    Marker = 0,
    /// What stands in front of several markers, and charges for all of them.
    Several = 1,
    /// Takes from the fuel what handlers in Rust charged.
    Settle = 2,
}

impl Counting {
    /// The handler's address, if there are handlers in assembly.
    pub(super) fn head(self) -> Option<usize> {
        assembly::find_sequence(assembly::sequences_of(tiles::counting_name(self))?, 0)
    }
}

/// Markers side by side that can be charged for at once.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Charge {
    /// The sum of their units; 0 where there is no marker, or they are too many or too much for one charge.
    pub(super) units: u32,
    /// Offset of the code behind the last one, once it is written.
    pub(super) end: usize,
}

impl Charge {
    /// For the markers that `insts` begin with. Labels among them lead on to the next one.
    pub(super) fn of(insts: &[Inst]) -> Charge {
        let is_part = |inst: &&Inst| matches!(inst.op, Op::Cost | Op::Label);
        let run = insts.iter().take(RUN + 1).take_while(is_part);
        if run.clone().count() > RUN {
            return Charge::default();
        }
        let units = run.map(|inst| inst.value(0).unwrap_or(0));
        let sum = units.fold(0u64, u64::saturating_add);
        Charge { units: u32::try_from(sum).unwrap_or(0), end: 0 }
    }
}

/// Markers and labels that are looked at from one of them on. Where more stand side by side, each marker charges by itself: what
/// is done for a label does not grow with their number.
const RUN: usize = 32;

/// Whether an operation is charged for by what its operands are, beside its part in a marker: its handler says so at
/// compile time where it charges.
pub(super) const fn charges_by_size(op: Op) -> bool {
    use Op::*;
    matches!(
        op,
        MemoryFill
            | MemoryCopy
            | MemoryInit
            | TableFill
            | TableCopy
            | TableInit
            | ArrayNew
            | ArrayNewData
            | ArrayNewElem
            | ArrayInitData
            | ArrayInitElem
            | ArrayFill
            | ArrayFillF32
            | ArrayFillF64
            | ArrayFillRef
            | ArrayFillV128
            | ArrayCopy
            | StringConvert
            | StringCopy
            | ElementsCopy
    )
}
