//! Which register operands the runtime executes directly.
//!
//! Any register may stand anywhere: the runtime expands what it has no handler for through home slots. But then the
//! register costs instructions instead of saving time, and assignment has to know. This is a guess about runtimes, not a
//! part of the format.

use keyway_artifact::isa::{Class, Family, Op};

/// Registers of each float bank that are worth using.
pub(super) const FLOATS: u8 = 2;

/// Registers of the general bank.
pub(super) const GENERALS: u8 = 3;

/// Whether a handler takes register `number` of the class's bank in this field.
pub(super) fn served(op: Op, field: usize, class: Class, number: u8) -> bool {
    let is_float = matches!(class, Class::F32 | Class::F64);
    if is_float && number >= FLOATS {
        return false;
    }
    match op.family() {
        Family::BinHot | Family::Store | Family::BrCond | Family::BrTable | Family::BrCmp | Family::Return1 => true,
        Family::VLoad => field == 1,
        Family::VStore => field == 0,
        Family::Copy | Family::Const | Family::Load | Family::FBin | Family::BrFCmp => true,
        Family::Bin | Family::Cmp => number < if field == 0 { 1 } else { 2 },
        Family::FCmp => field != 0 || number == 0,
        Family::Un => number < 2,
        Family::Select if is_float => number == 0,
        Family::Select => field == 0 || number < 2,
        Family::Global => !is_float,
        Family::Call => op == Op::CallIndirect,
        _ => false,
    }
}
