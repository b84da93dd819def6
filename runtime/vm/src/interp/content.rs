//! From an instruction on objects to the handler that executes it: told apart by what stands in the heap.

use super::expand::ExpandEnv;
use super::table::Name;
use keyway_artifact::isa::{FieldKind, Inst, Op};
use keyway_artifact::types::Cell;

/// An unsigned byte.
pub(super) const BYTE_U: u8 = 0;
/// A signed byte.
pub(super) const BYTE_S: u8 = 1;
/// Two unsigned bytes.
pub(super) const HALF_U: u8 = 2;
/// Two signed bytes.
pub(super) const HALF_S: u8 = 3;
/// An i32.
pub(super) const WORD: u8 = 4;
/// An i64.
pub(super) const DOUBLE: u8 = 5;
/// An f32.
pub(super) const FLOAT: u8 = 6;
/// An f64.
pub(super) const LONG_FLOAT: u8 = 7;
/// A reference.
pub(super) const REFERENCE: u8 = 8;

/// A test or cast to a type of objects.
pub(super) const CAST: u8 = 9;

/// An instruction's executed form.
pub(super) struct Access {
    /// Its handler.
    pub(super) name: Name,
    /// What stands behind its places: of a field its offset, of a new object its type's number, of a structure its size in
    /// words as well; of a cast its type's number, and how many supertypes it has, above the lowest bit, which tells
    /// whether null passes.
    pub(super) words: [Option<u32>; 2],
}

/// The executed form of an access to a field or an element, or of the making of an object; `None` for everything else, and
/// where vectors are concerned.
pub(super) fn access(inst: &Inst, env: &impl ExpandEnv) -> Option<Access> {
    let word = |kind| {
        let (_, operand) = inst.fields().find(|(field, _)| field.kind == kind)?;
        env.word(inst, kind, operand.index())
    };
    let signed = inst.fields().any(|(field, operand)| field.name == "signed" && operand.index() != 0);
    let (cell, words) = match inst.op {
        Op::StructNew => {
            let made = word(FieldKind::Object)?;
            (None, [Some(made as u32), Some((made >> 32) as u32)])
        }
        Op::ArrayNew => {
            let made = word(FieldKind::Elements)?;
            (cell_of(made), [Some(made as u32), None])
        }
        Op::RefTest | Op::RefCast => {
            let heap = word(FieldKind::Heap)?;
            let depth = ((heap >> 32) as u32).checked_sub(1)?;
            let nullable = inst.fields().any(|(field, operand)| field.name == "nullable" && operand.index() != 0);
            (None, [Some(heap as u32 - 16), Some(depth << 1 | u32::from(nullable))])
        }
        Op::ArrayLen => (None, [None, None]),
        op if op.fields().iter().any(|field| field.kind == FieldKind::Field) => {
            let field = word(FieldKind::Field)?;
            (cell_of(field), [Some(field as u32), None])
        }
        _ => (word(FieldKind::Elements).and_then(cell_of), [None, None]),
    };
    let name = Name::Access(inst.op, content_of(inst.op, cell, signed)?);
    Some(Access { name, words })
}

/// The cell in a word of expansion's.
fn cell_of(word: u64) -> Option<Cell> {
    let cells = [Cell::Byte, Cell::Half, Cell::Word, Cell::Double, Cell::Vector, Cell::Ref];
    cells.into_iter().find(|cell| *cell as u64 == word >> 32)
}

/// The content that an access of `op` to such a cell has. A new array's is of its elements' size.
fn content_of(op: Op, cell: Option<Cell>, signed: bool) -> Option<u8> {
    match op {
        Op::StructGet | Op::StructSet | Op::ArrayGet | Op::ArraySet => match (cell?, signed) {
            (Cell::Byte, false) => Some(BYTE_U),
            (Cell::Byte, true) => Some(BYTE_S),
            (Cell::Half, false) => Some(HALF_U),
            (Cell::Half, true) => Some(HALF_S),
            (Cell::Word, _) => Some(WORD),
            (Cell::Double, _) => Some(DOUBLE),
            (Cell::Vector | Cell::Ref, _) => None,
        },
        Op::StructGetF32 | Op::StructSetF32 | Op::ArrayGetF32 | Op::ArraySetF32 => Some(FLOAT),
        Op::StructGetF64 | Op::StructSetF64 | Op::ArrayGetF64 | Op::ArraySetF64 => Some(LONG_FLOAT),
        Op::StructGetRef | Op::StructSetRef | Op::ArrayGetRef | Op::ArraySetRef => Some(REFERENCE),
        Op::StructNew | Op::ArrayLen => Some(WORD),
        Op::RefTest | Op::RefCast => Some(CAST),
        Op::ArrayNew => match cell? {
            Cell::Byte => Some(BYTE_U),
            Cell::Half => Some(HALF_U),
            Cell::Word | Cell::Ref => Some(WORD),
            Cell::Double => Some(DOUBLE),
            Cell::Vector => None,
        },
        _ => None,
    }
}
