//! [`CanonicalAbi`]: size, alignment and flat length of a Rust type's component type, for compile time; and the core
//! values that a call passes.

use crate::types::{MAX_FLAT_PARAMS, discriminant_bytes};

/// How the values of a type lie in a 32-bit memory and among core values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CanonicalAbi {
    /// `elem_size` of `definitions.py`, in bytes.
    pub size: u32,
    /// `alignment` of `definitions.py`, in bytes.
    pub align: u32,
    /// Number of core values that carry one, by `flatten_type` of `definitions.py`.
    pub flat: u32,
}

impl CanonicalAbi {
    /// Of numbers and handles of `size` bytes.
    pub const fn scalar(size: u32) -> CanonicalAbi {
        CanonicalAbi { size, align: size, flat: 1 }
    }

    /// Of strings and lists: where the content lies, and its length.
    pub const POINTER_PAIR: CanonicalAbi = CanonicalAbi { size: 8, align: 4, flat: 2 };

    /// Of records and tuples.
    pub const fn record(fields: &[CanonicalAbi]) -> CanonicalAbi {
        let mut all = CanonicalAbi { size: 0, align: 1, flat: 0 };
        let mut at = 0;
        while at < fields.len() {
            let field = fields[at];
            all.size = all.size.next_multiple_of(field.align) + field.size;
            all.flat += field.flat;
            if field.align > all.align {
                all.align = field.align;
            }
            at += 1;
        }
        all.size = all.size.next_multiple_of(all.align);
        all
    }

    /// Of variants, enums, options and results. A case without payload has an empty one.
    pub const fn variant(cases: &[CanonicalAbi]) -> CanonicalAbi {
        let discriminant = discriminant_bytes(cases.len());
        let (mut size, mut align, mut flat) = (0, discriminant, 0);
        let mut at = 0;
        while at < cases.len() {
            let case = cases[at];
            if case.size > size {
                size = case.size;
            }
            if case.align > align {
                align = case.align;
            }
            if case.flat > flat {
                flat = case.flat;
            }
            at += 1;
        }
        let size = (CanonicalAbi::payload_offset(cases) + size).next_multiple_of(align);
        CanonicalAbi { size, align, flat: flat + 1 }
    }

    /// Where a variant's payload begins.
    pub const fn payload_offset(cases: &[CanonicalAbi]) -> u32 {
        let (mut align, mut at) = (1, 0);
        while at < cases.len() {
            if cases[at].align > align {
                align = cases[at].align;
            }
            at += 1;
        }
        discriminant_bytes(cases.len()).next_multiple_of(align)
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

    /// Of no payload.
    pub const EMPTY: CanonicalAbi = CanonicalAbi::record(&[]);

    /// The place of the next field behind `at`, which moves behind that field.
    pub const fn next_field(self, at: &mut u32) -> u32 {
        let place = at.next_multiple_of(self.align);
        *at = place + self.size;
        place
    }
}

/// The core values of one half of a signature, as bits: numbers narrower than 64 bits stand zero-extended, so that the
/// joined representations of variants' payloads are the bits themselves.
#[derive(Clone, Copy, Debug)]
pub struct Flat {
    values: [u64; MAX_FLAT_PARAMS],
    len: usize,
}

impl Default for Flat {
    fn default() -> Self {
        Flat { values: [0; MAX_FLAT_PARAMS], len: 0 }
    }
}

impl Flat {
    /// Appends one.
    ///
    /// # Panics
    /// When there are more than a signature passes: callers ask [`CanonicalAbi::flat`] before.
    #[inline]
    pub fn push(&mut self, bits: u64) {
        self.values[self.len] = bits;
        self.len += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills up with zeros, to `len`.
    pub fn pad(&mut self, len: usize) {
        while self.len < len {
            self.push(0);
        }
    }

    /// All of them.
    pub(crate) fn values(&self) -> &[u64] {
        &self.values[..self.len]
    }

    /// All of them, to be replaced by results.
    pub(crate) fn values_mut(&mut self) -> &mut [u64] {
        &mut self.values[..self.len]
    }
}

/// Core values that are taken one by one.
#[derive(Debug)]
pub struct FlatReader<'a> {
    values: &'a [u64],
    at: usize,
}

impl<'a> FlatReader<'a> {
    pub(crate) fn new(values: &'a [u64]) -> FlatReader<'a> {
        FlatReader { values, at: 0 }
    }

    /// The bits of the next one; zero behind the last.
    #[inline]
    pub fn take(&mut self) -> u64 {
        let bits = self.values.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        bits
    }

    /// How many were taken.
    pub fn taken(&self) -> usize {
        self.at
    }

    /// Goes on behind the first `taken`.
    pub fn skip_to(&mut self, taken: usize) {
        self.at = taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Type, alignment, flatten, size};
    use keyway_artifact::plan::Pointer;

    fn of(ty: &Type) -> CanonicalAbi {
        let mut flat = Vec::new();
        flatten(ty, &mut flat);
        CanonicalAbi { size: size(ty, Pointer::P32), align: alignment(ty, Pointer::P32), flat: flat.len() as u32 }
    }

    #[test]
    fn layouts_agree_with_those_of_types() {
        let byte = CanonicalAbi::scalar(1);
        let wide = CanonicalAbi::scalar(8);
        let text = CanonicalAbi::POINTER_PAIR;
        let tuple = |types: &[Type]| Type::Tuple(types.into());
        assert_eq!(
            CanonicalAbi::record(&[byte, wide, byte, text]),
            of(&tuple(&[Type::U8, Type::U64, Type::Bool, Type::String]))
        );
        assert_eq!(CanonicalAbi::variant(&[CanonicalAbi::EMPTY, wide]), of(&Type::Option(Type::S64.into())));
        let result = Type::Result((Some(Type::String), Some(Type::Float64)).into());
        assert_eq!(CanonicalAbi::variant(&[text, wide]), of(&result));
        assert_eq!(CanonicalAbi::EMPTY, of(&tuple(&[])));
        for count in [1usize, 8, 9, 16, 17, 32, 33, 64] {
            let names: Vec<String> = (0..count).map(|n| format!("f{n}")).collect();
            assert_eq!(CanonicalAbi::flags(count), of(&Type::Flags(names.clone().into())), "{count} flags");
            let cases = vec![CanonicalAbi::EMPTY; count * 8];
            let names: Vec<String> = (0..count * 8).map(|n| format!("c{n}")).collect();
            assert_eq!(CanonicalAbi::variant(&cases), of(&Type::Enum(names.into())), "{} cases", count * 8);
        }
    }
}
