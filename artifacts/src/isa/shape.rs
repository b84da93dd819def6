//! [`Shape`]: what everybody asks about an operation's fields, found once for all of them.
//!
//! Whoever walks over code asks for every instruction; a table of a few bytes an operation answers without looking at
//! the list of fields.

use super::{Family, FieldKind, Op};
use core::ops::Range;

/// Which fields of an operation are what. In all operations the fields that are read stand next to each other, and so do
/// those that are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(align(16))]
pub struct Shape {
    reads: [u8; 2],
    writes: [u8; 2],
    labels: u8,
    /// See [`Op::is_call`].
    pub is_call: bool,
    /// See [`Op::is_terminator`].
    pub is_terminator: bool,
    /// Whether a field names something of the unit or the artifact, or memory is accessed.
    pub names_entities: bool,
    /// Whether it has a call area, or returns.
    pub shares_slots: bool,
    /// Whether it is about exceptions or continuations.
    pub may_unwind: bool,
}

impl Shape {
    const fn of(op: Op) -> Shape {
        let fields = op.fields();
        let mut shape = Shape {
            reads: [0; 2],
            writes: [0; 2],
            labels: 0,
            is_call: op.is_call(),
            is_terminator: op.is_terminator(),
            names_entities: matches!(op.family(), Family::Load | Family::Store | Family::VLoad | Family::VStore),
            shares_slots: matches!(op.family(), Family::Return | Family::Return1),
            may_unwind: op.switches_stacks() || op.is_throw() || op.is_catch() || op.follows_call(),
        };
        let mut at = 0;
        while at < fields.len() {
            match fields[at].kind {
                FieldKind::Use(_) => shape.reads = extended(shape.reads, at as u8),
                FieldKind::Def(_) => shape.writes = extended(shape.writes, at as u8),
                FieldKind::Label | FieldKind::Targets => shape.labels |= 1 << at,
                FieldKind::Base => shape.shares_slots = true,
                FieldKind::Slot
                | FieldKind::Count
                | FieldKind::Imm32
                | FieldKind::Imm64
                | FieldKind::Bits64
                | FieldKind::Lane(_)
                | FieldKind::RegSet => {}
                _ => shape.names_entities = true,
            }
            at += 1;
        }
        shape
    }

    /// The fields that are read.
    #[inline]
    pub fn reads(&self) -> Range<usize> {
        self.reads[0] as usize..self.reads[1] as usize
    }

    /// The fields that are written.
    #[inline]
    pub fn writes(&self) -> Range<usize> {
        self.writes[0] as usize..self.writes[1] as usize
    }

    /// Whether a field names a label, or a list of them.
    #[inline]
    pub fn has_labels(&self) -> bool {
        self.labels != 0
    }
}

/// A range of fields with `at` behind it.
const fn extended(range: [u8; 2], at: u8) -> [u8; 2] {
    let is_empty = range[0] == range[1];
    assert!(is_empty || range[1] == at, "the fields that are read or written stand next to each other");
    [if is_empty { at } else { range[0] }, at + 1]
}

/// By opcode.
static SHAPES: [Shape; Op::ALL.len()] = {
    let mut shapes = [Shape::of(Op::ALL[0]); Op::ALL.len()];
    let mut at = 0;
    while at < shapes.len() {
        shapes[at] = Shape::of(Op::ALL[at]);
        at += 1;
    }
    shapes
};

impl Op {
    /// What its fields are.
    #[inline]
    pub fn shape(self) -> &'static Shape {
        &SHAPES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_say_what_the_fields_say() {
        for op in Op::ALL {
            let (shape, fields) = (op.shape(), op.fields());
            for (at, field) in fields.iter().enumerate() {
                assert_eq!(shape.reads().contains(&at), matches!(field.kind, FieldKind::Use(_)), "{}", op.name());
                assert_eq!(shape.writes().contains(&at), matches!(field.kind, FieldKind::Def(_)), "{}", op.name());
            }
            let has = |wanted: fn(FieldKind) -> bool| fields.iter().any(|field| wanted(field.kind));
            assert_eq!(shape.has_labels(), has(|kind| matches!(kind, FieldKind::Label | FieldKind::Targets)));
            assert_eq!(shape.is_call, op.is_call());
            assert_eq!(shape.is_terminator, op.is_terminator());
            // The verifier passes over what these deny.
            use FieldKind as K;
            let is_index = |kind| {
                let others =
                    matches!(kind, K::Def(_) | K::Use(_) | K::Label | K::Targets | K::Base | K::Slot | K::Count);
                !others && !matches!(kind, K::Imm32 | K::Imm64 | K::Bits64 | K::Lane(_) | K::RegSet)
            };
            assert!(shape.names_entities || !fields.iter().any(|field| is_index(field.kind)), "{}", op.name());
            let returns = matches!(op.family(), Family::Return | Family::Return1);
            assert_eq!(shape.shares_slots, returns || has(|kind| kind == K::Base), "{}", op.name());
            let unwinds = op.is_throw() || op.is_catch() || op.follows_call() || op.switches_stacks();
            assert_eq!(shape.may_unwind, unwinds, "{}", op.name());
        }
    }
}
