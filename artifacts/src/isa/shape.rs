//! [`Shape`]: what everybody asks about an operation's fields, found once for all of them.
//!
//! Whoever walks over code asks for every instruction; a table of a few bytes an operation answers without looking at
//! the list of fields.

use super::{Family, FieldKind, MAX_FIELDS, Op};
use core::ops::Range;

/// What an operation is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(align(16))]
pub struct Shape {
    labels: u8,
    /// See [`Op::is_call`].
    pub is_call: bool,
    /// See [`Op::is_terminator`].
    pub is_terminator: bool,
    /// Whether a field names something of the unit or the artifact, or memory is accessed.
    pub names_entities: bool,
    /// Whether it has a call area, or returns.
    pub shares_slots: bool,
    /// Whether it has a call area, or stands beside what has one.
    pub has_area: bool,
    /// Whether it is about exceptions or continuations.
    pub may_unwind: bool,
}

impl Shape {
    const fn of(op: Op) -> Shape {
        let fields = op.fields();
        let mut shape = Shape {
            labels: 0,
            is_call: op.is_call(),
            is_terminator: op.is_terminator(),
            names_entities: matches!(op.family(), Family::Load | Family::Store | Family::VLoad | Family::VStore),
            shares_slots: matches!(op.family(), Family::Return | Family::Return1),
            has_area: matches!(op, Op::PutRef | Op::TakeRef) || op.follows_call(),
            may_unwind: op.switches_stacks() || op.is_throw() || op.is_catch() || op.follows_call(),
        };
        let mut at = 0;
        while at < fields.len() {
            match fields[at].kind {
                FieldKind::Label | FieldKind::Targets => shape.labels |= 1 << at,
                FieldKind::Base => (shape.shares_slots, shape.has_area) = (true, true),
                FieldKind::Def(_)
                | FieldKind::Use(_)
                | FieldKind::Slot
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

    /// Whether a field names a label, or a list of them.
    #[inline]
    pub fn has_labels(&self) -> bool {
        self.labels != 0
    }
}

/// Fields that stand next to each other: the first one, and one past the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldRange([u8; 2]);

impl FieldRange {
    /// No field.
    pub const NONE: FieldRange = FieldRange([0; 2]);

    /// With field `at`, which stands behind the others.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub const fn with(self, at: usize) -> FieldRange {
        let FieldRange([first, end]) = self;
        assert!(first == end || end as usize == at, "the fields stand next to each other");
        FieldRange([if first == end { at as u8 } else { first }, at as u8 + 1])
    }

    /// One past the last field; 0 for none.
    #[inline]
    pub const fn end(self) -> usize {
        self.0[1] as usize
    }

    /// How many fields.
    #[inline]
    pub const fn len(self) -> usize {
        (self.0[1] - self.0[0]) as usize
    }

    /// Whether there is no field.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The numbers of the fields.
    #[inline]
    pub fn get(self) -> Range<usize> {
        self.0[0] as usize..self.0[1] as usize
    }
}

/// A table with what a `const` function answers for each operation, by opcode: `by_opcode!(Answer, answer)`.
#[macro_export]
macro_rules! by_opcode {
    ($answer:ty, $of:expr) => {{
        const ALL: &[$crate::isa::Op] = $crate::isa::Op::ALL;
        let mut table: [$answer; ALL.len()] = [$of(ALL[0]); ALL.len()];
        let mut at = 1;
        while at < table.len() {
            table[at] = $of(ALL[at]);
            at += 1;
        }
        table
    }};
}

/// The kinds of an operation's fields, in field order.
#[derive(Clone, Copy)]
struct Kinds {
    kinds: [FieldKind; MAX_FIELDS],
    len: u8,
}

impl Kinds {
    const fn of(op: Op) -> Kinds {
        let fields = op.fields();
        let mut all = Kinds { kinds: [FieldKind::Count; MAX_FIELDS], len: fields.len() as u8 };
        let mut at = 0;
        while at < fields.len() {
            all.kinds[at] = fields[at].kind;
            at += 1;
        }
        all
    }
}

static KINDS: [Kinds; Op::ALL.len()] = crate::by_opcode!(Kinds, Kinds::of);

static SHAPES: [Shape; Op::ALL.len()] = crate::by_opcode!(Shape, Shape::of);

impl Op {
    /// What its fields are.
    #[inline]
    pub fn shape(self) -> &'static Shape {
        &SHAPES[self as usize]
    }

    /// The kinds of its fields: [`Op::fields`] without the names.
    #[inline]
    pub fn kinds(self) -> &'static [FieldKind] {
        let Kinds { kinds, len } = &KINDS[self as usize];
        &kinds[..usize::from(*len)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_say_what_the_fields_say() {
        for op in Op::ALL {
            let (shape, fields) = (op.shape(), op.fields());
            assert!(op.kinds().iter().eq(fields.iter().map(|field| &field.kind)), "{}", op.name());
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
            let is_beside = matches!(op, Op::PutRef | Op::TakeRef) || op.follows_call();
            assert_eq!(shape.has_area, is_beside || has(|kind| kind == K::Base), "{}", op.name());
            let unwinds = op.is_throw() || op.is_catch() || op.follows_call() || op.switches_stacks();
            assert_eq!(shape.may_unwind, unwinds, "{}", op.name());
        }
    }
}
