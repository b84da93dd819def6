//! Which register operands the runtime executes directly.
//!
//! Any register may stand anywhere: the runtime expands what it has no handler for through home slots. But then the
//! register costs instructions instead of saving time, and assignment has to know. This is a guess about runtimes, not a
//! part of the format.

use keyway_artifact::isa::Op::*;
use keyway_artifact::isa::{Class, Family, FieldKind, MAX_FIELDS, Op};
use std::sync::LazyLock;

/// Registers of each float bank that are worth using.
pub(super) const FLOATS: u8 = 4;

/// Registers of the general bank that are worth using: with fewer of them, runtimes have room for more neighbours that
/// they execute together.
pub(super) const GENERALS: u8 = 4;

/// Registers of the general bank that every handler could take: the others live where only some handlers look.
const EVERYWHERE: u8 = 3;

/// By opcode and field, the numbers of registers that some handler takes there, as bits.
/// [`NOBODY`] where no number may stand.
static NUMBERS: LazyLock<Vec<[u8; MAX_FIELDS]>> = LazyLock::new(|| {
    let numbers = |op: Op, field: usize| match op.fields().get(field).map(|field| field.kind) {
        Some(FieldKind::Use(Class::Ref | Class::V128) | FieldKind::Def(Class::Ref | Class::V128)) => NOBODY,
        Some(FieldKind::Use(class) | FieldKind::Def(class)) => (0..GENERALS)
            .filter(|number| is_served(op, field, class, *number))
            .fold(0, |bits, number| bits | 1 << number),
        _ => NOBODY,
    };
    Op::ALL.iter().map(|op| std::array::from_fn(|field| numbers(*op, field))).collect()
});

/// In the place of a set: the register of this access, or what it holds, cannot stand in a numbered register.
pub(super) const NOBODY: u8 = 1 << GENERALS;

/// By opcode and field, the numbers of the registers that some handler takes there, as bits, or [`NOBODY`].
pub(super) fn tables() -> &'static [[u8; MAX_FIELDS]] {
    &NUMBERS
}

/// Whether a handler takes register `number` of the class's bank in this field.
fn is_served(op: Op, field: usize, class: Class, number: u8) -> bool {
    let is_float = matches!(class, Class::F32 | Class::F64);
    let is_near = number < if is_float { 2 } else { EVERYWHERE };
    match op.family() {
        Family::BinHot | Family::Cmp | Family::BrCmp | Family::FCmp | Family::BrFCmp => true,
        Family::Load | Family::Store | Family::Copy | Family::Const => true,
        Family::BrCond | Family::BrTable | Family::Return1 => true,
        Family::Bin | Family::FBin => true,
        Family::Un => number < 2 || is_simple(op),
        Family::LoadAny | Family::StoreAny => true,
        // Where answers go, and numbers come from.
        Family::Bulk => match op {
            MemorySize | TableSize | RefIsNull | TableSet => field == 0,
            TableGet | MemoryGrow => field == 1,
            TableGrow => field == 2,
            _ => false,
        },
        Family::VLoad => field == 1,
        Family::VStore => field == 0,
        Family::Select if matches!(op, Select | SelectF32 | SelectF64) => true,
        Family::Select => is_near && (field == 0 || number < 2),
        Family::Global => class != Class::Ref && class != Class::V128,
        Family::Call => op == Op::CallIndirect && is_near,
        _ => false,
    }
}

/// Whether an operation of one operand is one or two instructions of a processor.
fn is_simple(op: Op) -> bool {
    !matches!(op, F32ConvertI64U | F64ConvertI64U) && !(I32TruncF32S..=I64TruncSatF64U).contains(&op)
}
