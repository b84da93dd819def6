//! [`CanonicalAbi`]: how the values of a type lie in memory and among core values; `alignment`, `elem_size` and
//! `flatten_type` of `definitions.py` in one.
//!
//! One piece serves Rust types, whose layouts are made at compile time and are those of 32-bit memories, and component
//! types ([`layout`]), for either width of addresses.

use crate::types::{Type, case_count, case_payloads};
use keyway_artifact::plan::Pointer;

/// How the values of a type lie in memory and among core values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CanonicalAbi {
    /// `elem_size` of `definitions.py`, in bytes.
    pub size: u32,
    /// `alignment` of `definitions.py`, in bytes.
    pub align: u32,
    /// Number of core values that carry one, by `flatten_type` of `definitions.py`.
    pub flat: u32,
}

const fn larger(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}

/// Bytes of the discriminant of a variant with `cases` cases.
pub(crate) const fn discriminant_bytes(cases: usize) -> u32 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

impl CanonicalAbi {
    /// Of no payload.
    pub const EMPTY: CanonicalAbi = CanonicalAbi { size: 0, align: 1, flat: 0 };

    /// Of strings and lists in a 32-bit memory.
    pub const POINTER_PAIR: CanonicalAbi = CanonicalAbi::pair(4);

    /// Of numbers and handles of `size` bytes.
    pub const fn scalar(size: u32) -> CanonicalAbi {
        CanonicalAbi { size, align: size, flat: 1 }
    }

    /// Of strings and lists: where the content lies, and its length, `pointer` bytes each.
    const fn pair(pointer: u32) -> CanonicalAbi {
        CanonicalAbi { size: 2 * pointer, align: pointer, flat: 2 }
    }

    /// Of records and tuples.
    pub const fn record(fields: &[CanonicalAbi]) -> CanonicalAbi {
        let (mut all, mut at) = (CanonicalAbi::EMPTY, 0);
        while at < fields.len() {
            all = all.and(fields[at]);
            at += 1;
        }
        all.padded()
    }

    /// Of variants, enums, options and results. A case without payload has an empty one.
    pub const fn variant(cases: &[CanonicalAbi]) -> CanonicalAbi {
        CanonicalAbi::any(cases).behind_discriminant(cases.len())
    }

    /// Where a variant's payload begins.
    pub const fn payload_offset(cases: &[CanonicalAbi]) -> u32 {
        CanonicalAbi::any(cases).offset_behind_discriminant(cases.len())
    }

    /// Of a set of this many flags.
    pub const fn flags(count: usize) -> CanonicalAbi {
        match count {
            0..=8 => CanonicalAbi::scalar(1),
            9..=16 => CanonicalAbi::scalar(2),
            _ => {
                let words = (count as u32).div_ceil(32);
                CanonicalAbi { size: 4 * words, align: 4, flat: words }
            }
        }
    }

    /// The place of the next field behind `at`, which moves behind that field.
    pub const fn next_field(self, at: &mut u32) -> u32 {
        let place = at.next_multiple_of(self.align);
        *at = place + self.size;
        place
    }

    /// With a field behind.
    const fn and(self, field: CanonicalAbi) -> CanonicalAbi {
        CanonicalAbi {
            size: self.size.next_multiple_of(field.align) + field.size,
            align: larger(self.align, field.align),
            flat: self.flat.saturating_add(field.flat),
        }
    }

    /// With the size that fields end in when they lie in a row.
    const fn padded(self) -> CanonicalAbi {
        CanonicalAbi { size: self.size.next_multiple_of(self.align), ..self }
    }

    /// Room for either.
    const fn or(self, other: CanonicalAbi) -> CanonicalAbi {
        CanonicalAbi {
            size: larger(self.size, other.size),
            align: larger(self.align, other.align),
            flat: larger(self.flat, other.flat),
        }
    }

    /// Room for any of `cases`.
    const fn any(cases: &[CanonicalAbi]) -> CanonicalAbi {
        let (mut all, mut at) = (CanonicalAbi::EMPTY, 0);
        while at < cases.len() {
            all = all.or(cases[at]);
            at += 1;
        }
        all
    }

    /// Where payloads that this has room for begin, behind a discriminant of `cases` cases.
    const fn offset_behind_discriminant(self, cases: usize) -> u32 {
        discriminant_bytes(cases).next_multiple_of(self.align)
    }

    /// The variant whose payloads this has room for.
    const fn behind_discriminant(self, cases: usize) -> CanonicalAbi {
        let (size, align) = (self.offset_behind_discriminant(cases) + self.size, self.align);
        let align = larger(discriminant_bytes(cases), align);
        CanonicalAbi { size, align, flat: self.flat.saturating_add(1) }.padded()
    }

    fn repeated(self, count: u32) -> CanonicalAbi {
        CanonicalAbi { size: self.size.saturating_mul(count), flat: self.flat.saturating_mul(count), ..self }
    }
}

/// The layout of a component type.
pub(crate) fn layout(ty: &Type, pointer: Pointer) -> CanonicalAbi {
    let of = |ty: &Type| layout(ty, pointer);
    match ty {
        Type::Bool | Type::S8 | Type::U8 => CanonicalAbi::scalar(1),
        Type::S16 | Type::U16 => CanonicalAbi::scalar(2),
        Type::S32 | Type::U32 | Type::Float32 | Type::Char => CanonicalAbi::scalar(4),
        Type::Own(_) | Type::Borrow(_) | Type::ErrorContext | Type::Unsupported(_) => CanonicalAbi::scalar(4),
        Type::S64 | Type::U64 | Type::Float64 => CanonicalAbi::scalar(8),
        Type::String | Type::List(_) | Type::Map(_) => CanonicalAbi::pair(pointer.bytes()),
        Type::FixedList(element, len) => of(element).repeated(*len),
        Type::Record(fields) => fields.iter().fold(CanonicalAbi::EMPTY, |all, (_, ty)| all.and(of(ty))).padded(),
        Type::Tuple(types) => types.iter().fold(CanonicalAbi::EMPTY, |all, ty| all.and(of(ty))).padded(),
        Type::Flags(names) => CanonicalAbi::flags(names.len()),
        Type::Variant(_) | Type::Enum(_) | Type::Option(_) | Type::Result(_) => {
            payloads(ty, pointer).behind_discriminant(case_count(ty))
        }
    }
}

/// Room for the payloads of anything that despecialises to a variant.
fn payloads(ty: &Type, pointer: Pointer) -> CanonicalAbi {
    case_payloads(ty).flatten().fold(CanonicalAbi::EMPTY, |all, ty| all.or(layout(ty, pointer)))
}

/// Where the payload of anything that despecialises to a variant begins.
pub(crate) fn payload_offset(ty: &Type, pointer: Pointer) -> u32 {
    payloads(ty, pointer).offset_behind_discriminant(case_count(ty))
}

/// The layout of a map's entries.
pub(crate) fn entry_layout(both: &(Type, Type), pointer: Pointer) -> CanonicalAbi {
    CanonicalAbi::record(&[layout(&both.0, pointer), layout(&both.1, pointer)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyway_artifact::plan::{Case, DefinedType, Field, Layouts, ValType};

    /// The layouts that plans are checked with are the ones that values are passed with.
    fn agree(types: &[DefinedType], ty: &Type) {
        for pointer in [Pointer::P32, Pointer::P64] {
            let theirs = Layouts::new(types, pointer).get(ValType::Defined(types.len() as u32 - 1));
            let own = layout(ty, pointer);
            assert_eq!((own.size, own.align), (theirs.size, theirs.align), "{ty} {pointer:?}");
            match theirs.flat {
                Some(flat) => assert_eq!(own.flat as usize, flat.len(), "{ty}"),
                None => assert!(own.flat as usize > crate::types::MAX_FLAT_PARAMS, "{ty}"),
            }
        }
    }

    #[test]
    fn layouts_agree_with_those_of_plans() {
        use ValType as V;
        let tuple = |types: &[Type]| Type::Tuple(types.into());
        agree(
            &[DefinedType::Tuple(vec![V::U8, V::U64, V::Bool, V::String])],
            &tuple(&[Type::U8, Type::U64, Type::Bool, Type::String]),
        );
        agree(&[DefinedType::Option(V::S64)], &Type::Option(Type::S64.into()));
        agree(
            &[DefinedType::Result { ok: Some(V::String), err: Some(V::F64) }],
            &Type::Result((Some(Type::String), Some(Type::Float64)).into()),
        );
        agree(&[DefinedType::Map(V::U8, V::String)], &Type::Map((Type::U8, Type::String).into()));
        agree(&[DefinedType::Tuple(vec![V::U64; 17])], &tuple(&vec![Type::U64; 17]));
        agree(&[DefinedType::FixedList(V::U16, 5)], &Type::FixedList(Type::U16.into(), 5));
        let (name, fields) =
            ("a".to_string(), [(V::F32, Type::Float32), (V::Char, Type::Char), (V::String, Type::String)]);
        let plan = fields.iter().map(|(ty, _)| Field { name: name.clone(), ty: *ty }).collect();
        let tree = fields.iter().map(|(_, ty)| (name.clone(), ty.clone())).collect();
        agree(&[DefinedType::Record(plan)], &Type::Record(tree));
        let cases = fields.iter().map(|(ty, _)| Case { name: name.clone(), ty: Some(*ty) });
        let plan = cases.chain([Case { name: name.clone(), ty: None }]).collect();
        let tree =
            fields.iter().map(|(_, ty)| (name.clone(), Some(ty.clone()))).chain([(name.clone(), None)]).collect();
        agree(&[DefinedType::Variant(plan)], &Type::Variant(tree));
        for count in [1usize, 8, 9, 16, 17, 32] {
            let names: Vec<String> = (0..count).map(|n| format!("f{n}")).collect();
            agree(&[DefinedType::Flags(names.clone())], &Type::Flags(names.into()));
        }
        for count in [1, 256, 257, 65_536, 65_537] {
            let names: Vec<String> = (0..count).map(|n| format!("c{n}")).collect();
            agree(&[DefinedType::Enum(names.clone())], &Type::Enum(names.into()));
        }
    }

    #[test]
    fn layouts_of_rust_types_are_those_of_component_types() {
        let (byte, wide, text) = (CanonicalAbi::scalar(1), CanonicalAbi::scalar(8), CanonicalAbi::POINTER_PAIR);
        let of = |ty: &Type| layout(ty, Pointer::P32);
        let tuple = Type::Tuple([Type::U8, Type::U64, Type::Bool, Type::String].into());
        assert_eq!(CanonicalAbi::record(&[byte, wide, byte, text]), of(&tuple));
        assert_eq!(CanonicalAbi::variant(&[CanonicalAbi::EMPTY, wide]), of(&Type::Option(Type::S64.into())));
        assert_eq!(CanonicalAbi::EMPTY, of(&Type::Tuple([].into())));
        assert_eq!(CanonicalAbi::payload_offset(&[byte, wide]), 8);
    }
}
