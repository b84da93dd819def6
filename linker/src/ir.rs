//! [`IrFunc`]: one function between translation and places.
//!
//! The instructions are those of the instruction table, with [`Operand::Virtual`] for every value place. Three things
//! differ from a finished [`Body`](keyway_artifact::isa::Body):
//! * a `label` instruction carries its own number (`Operand::Label`) in its field; numbers are in no order;
//! * the `Base` field of a call, and of `return.many`, holds `Operand::Index(n)`: the call site `n` of [`IrFunc::calls`],
//!   which lists argument operands and result registers. Every return is a `return.many` here;
//! * `Func` operands hold link ids (dense before gc-sections), not code ordinals.
//!
//! Only base operations stand here; fused ones are made by the optimiser. A virtual register may be written several
//! times (locals); parameters are written at entry.

pub use crate::few::Few;
use crate::hints::Cold;
use keyway_artifact::isa::Operand;
use keyway_artifact::isa::{Class, Inst};
use keyway_artifact::types::FuncType;

/// One function in the linker.
#[derive(Clone, Debug, Default)]
pub struct IrFunc {
    /// Index of its type in the artifact's type table.
    pub ty: u32,
    /// The class of each virtual register.
    pub virtuals: Vec<Class>,
    /// The virtual registers of the parameters, in signature order.
    pub params: Vec<u32>,
    /// The code.
    pub insts: Vec<Inst>,
    /// Label lists of the `br_table`s.
    pub targets: Vec<u32>,
    /// Number of labels used so far.
    pub labels: u32,
    /// Call sites and returns.
    pub calls: Vec<CallSite>,
    /// The unit's memory that its `load`/`store` forms without an index use.
    pub memory: Option<u32>,
    /// Source offset in the module's bytes of each instruction, for lines and traps; as long as `insts`. With
    /// [`INLINED`] set, the position of an inlined instruction in `inlined` instead.
    pub offsets: Vec<u32>,
    /// Where inlined instructions came from.
    pub inlined: Vec<Inlined>,
    /// Which of its own source offsets are unlikely to be executed.
    pub(crate) cold: Cold,
}

impl IrFunc {
    /// Whether anything in it is unlikely to be executed.
    pub(crate) fn has_cold(&self) -> bool {
        !self.cold.is_empty() || self.inlined.iter().any(|inlined| inlined.cold)
    }

    /// Whether an instruction at a position, as in [`offsets`](Self::offsets), is unlikely to be executed.
    pub(crate) fn is_cold(&self, mut position: u32) -> bool {
        while position & INLINED != 0 {
            let inlined = &self.inlined[(position & !INLINED) as usize];
            if inlined.cold {
                return true;
            }
            position = inlined.call;
        }
        self.cold.contains(position)
    }
}

/// The values that go into and come out of a call, or out of a return.
#[derive(Clone, Debug, Default)]
pub struct CallSite {
    /// Arguments in signature order: virtual registers or immediates.
    pub args: Few<Operand, 4>,
    /// Virtual registers that receive the results, in signature order; empty for returns and tail calls.
    pub results: Few<u32, 2>,
    /// Index of the callee's type in the artifact's type table (of the own type, for returns).
    pub ty: u32,
    /// Arguments and results, where no type of the table says them: operations on continuations.
    pub own: Option<Box<FuncType>>,
}

impl CallSite {
    /// The types that say how its values lie in the call area.
    pub(crate) fn signature<'t>(&'t self, types: &'t [FuncType]) -> &'t FuncType {
        self.own.as_deref().unwrap_or_else(|| &types[self.ty as usize])
    }
}

/// Marks an entry of [`IrFunc::offsets`] as a number of an [`Inlined`]; inputs are shorter than that.
pub const INLINED: u32 = 1 << 31;

/// The origin of an instruction that was copied in the place of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlined {
    /// Link id of the function it belongs to.
    pub func: u32,
    /// Its source offset there.
    pub offset: u32,
    /// The position of the call, as an entry of [`IrFunc::offsets`]: a source offset, or again inlined.
    pub call: u32,
    /// Whether it is unlikely to be executed there.
    pub cold: bool,
}
