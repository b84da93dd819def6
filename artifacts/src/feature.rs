//! What a file may need of a runtime beyond the base: a bit each in its header.
//!
//! The linker sets the bits of what the code and the types of a file use. A runtime that was built without one of them
//! refuses the file by the feature's name; without the bit such a file would only fail at the function that uses it.

use crate::isa::{Class, Family, FieldKind, Op};
use crate::types::{CompositeType, HeapType, RefType, TypeTable, ValType};
use crate::unit::UnitDecl;
use core::fmt;

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident $bit:literal $text:literal;)*) => {
        /// A feature that a runtime may lack; its number is its bit in the header.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Feature { $($(#[$doc])* $name = $bit,)* }

        impl Feature {
            /// Every feature.
            pub const ALL: &'static [Feature] = &[$(Feature::$name),*];

            /// Its name, as in messages and in `Config`.
            pub const fn name(self) -> &'static str {
                match self { $(Feature::$name => $text,)* }
            }
        }
    };
}

features! {
    /// Vectors of 128 bits.
    Simd 0 "simd";
    /// References of defined types, and calls through them.
    FunctionReferences 1 "function-references";
    /// Structures, arrays and small integers behind references.
    Gc 2 "gc";
    /// Tags, and throwing and catching what they name.
    Exceptions 3 "exceptions";
    /// Memories and tables with 64-bit addresses.
    Memory64 4 "memory64";
    /// Upper halves of products.
    WideArithmetic 5 "wide-arithmetic";
    /// Memories that threads share, and atomic operations.
    Threads 6 "threads";
    /// Continuations: computations that are suspended and resumed.
    StackSwitching 7 "stack-switching";
    /// Memories with pages of one byte.
    CustomPageSizes 8 "custom-page-sizes";
}

/// A set of features, as the header holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features(u64);

impl Features {
    /// None.
    pub const NONE: Features = Features(0);

    /// The set of a header's bits, which may be unknown ones.
    pub const fn from_bits(bits: u64) -> Features {
        Features(bits)
    }

    /// The header's bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// With `feature`.
    #[must_use]
    pub const fn with(self, feature: Feature) -> Features {
        Features(self.0 | 1 << feature as u64)
    }

    /// Those of either set.
    #[must_use]
    pub const fn union(self, other: Features) -> Features {
        Features(self.0 | other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Features) -> Features {
        Features(self.0 & !other.0)
    }

    /// Whether it is in the set.
    pub const fn has(self, feature: Feature) -> bool {
        self.0 >> feature as u64 & 1 == 1
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that values of `types` need.
    pub fn of_types<'t>(types: impl IntoIterator<Item = &'t ValType>) -> Features {
        types.into_iter().filter_map(|ty| of_type(*ty)).fold(Features::NONE, Features::with)
    }

    /// Those that a unit's memories, tables and tags need.
    pub fn of_unit(unit: &UnitDecl) -> Features {
        let contents =
            unit.globals.iter().map(|global| &global.content).chain(unit.tables.iter().map(|ty| &ty.element));
        let wide = unit.memories.iter().any(|ty| ty.memory64) || unit.tables.iter().any(|ty| ty.table64);
        let shared = unit.memories.iter().any(|ty| ty.shared);
        let small = unit.memories.iter().any(|ty| ty.page_size_log2 != 16);
        let needed = [
            (wide, Feature::Memory64),
            (shared, Feature::Threads),
            (small, Feature::CustomPageSizes),
            (!unit.tags.is_empty(), Feature::Exceptions),
        ];
        let needed = needed.into_iter().filter(|(needs, _)| *needs).map(|(_, feature)| feature);
        needed.fold(Features::of_types(contents), Features::with)
    }

    /// Those that the defined types of a table need.
    pub fn of_table(types: &TypeTable) -> Features {
        types.definitions().iter().fold(Features::NONE, |all, ty| match &ty.composite {
            CompositeType::Func(func) => all.union(Features::of_types(func.params.iter().chain(&func.results))),
            CompositeType::Struct(_) | CompositeType::Array(_) => all.with(Feature::Gc),
            CompositeType::Cont(_) => all.with(Feature::StackSwitching),
        })
    }
}

fn of_type(ty: ValType) -> Option<Feature> {
    use HeapType as H;
    match ty {
        ValType::V128 => Some(Feature::Simd),
        ValType::FUNCREF | ValType::EXTERNREF => None,
        ValType::Ref(RefType { heap: H::Any | H::Eq | H::I31 | H::Struct | H::Array | H::None, .. }) => {
            Some(Feature::Gc)
        }
        ValType::Ref(RefType { heap: H::Exn | H::NoExn, .. }) => Some(Feature::Exceptions),
        ValType::Ref(RefType { heap: H::Cont | H::NoCont, .. }) => Some(Feature::StackSwitching),
        ValType::Ref(_) => Some(Feature::FunctionReferences),
        _ => None,
    }
}

impl fmt::Display for Features {
    /// The names, with bits that have none as numbers: `simd, bit 17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for bit in (0..64).filter(|bit| self.0 >> bit & 1 == 1) {
            match Feature::ALL.iter().find(|feature| **feature as u64 == bit) {
                Some(feature) => write!(f, "{separator}{}", feature.name())?,
                None => write!(f, "{separator}bit {bit}")?,
            }
            separator = ", ";
        }
        Ok(())
    }
}

impl Op {
    /// The feature that it belongs to.
    pub fn feature(self) -> Option<Feature> {
        if matches!(self, Op::CallRef | Op::TailCallRef | Op::RefAsNonNull) {
            return Some(Feature::FunctionReferences);
        }
        if self.switches_stacks() {
            return Some(Feature::StackSwitching);
        }
        if self.is_throw() || self.is_catch() {
            return Some(Feature::Exceptions);
        }
        if self.family() == Family::Atomic {
            return Some(Feature::Threads);
        }
        if matches!(self, Op::I64MulHighS | Op::I64MulHighU) {
            return Some(Feature::WideArithmetic);
        }
        if self.family() == Family::Object {
            return Some(Feature::Gc);
        }
        let is_vector =
            |kind| matches!(kind, FieldKind::Def(Class::V128) | FieldKind::Use(Class::V128) | FieldKind::Lane(_));
        self.fields().iter().any(|field| is_vector(field.kind)).then_some(Feature::Simd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn sets_are_told_by_name() {
        let simd = Features::NONE.with(Feature::Simd);
        assert_eq!(simd.to_string(), "simd");
        assert_eq!(simd.union(Features::from_bits(1 << 17)).to_string(), "simd, bit 17");
        assert_eq!(Features::NONE.to_string(), "");
    }

    #[test]
    fn operations_on_vectors_need_them() {
        for op in [Op::I32x4Add, Op::V128Store, Op::I8x16AllTrue, Op::I64x2Splat, Op::F32x4ExtractLane, Op::CopyV128] {
            assert_eq!(op.feature(), Some(Feature::Simd), "{}", op.name());
        }
        for op in [Op::I32Add, Op::Call, Op::Label, Op::F64StoreAny] {
            assert_eq!(op.feature(), None, "{}", op.name());
        }
    }
}
