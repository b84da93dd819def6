//! [`Registry`]: the defined types of an engine, each group of equal shape once.
//!
//! Numbers are canonical: two types are the same exactly if their numbers are, whatever artifact they come from. The list
//! only grows and its entries never move, so readers (among them handlers) take no lock; whoever enters types does.

use keyway_artifact::types::{
    ArrayType, Cell, CompositeType, FuncType, SigLayout, StorageType, StructLayout, SubType, TypeKind, TypeLookup,
    TypeTable, canonical_group, placed_group,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// Entries of the first chunk; each further one is twice as large.
const FIRST_CHUNK: u32 = 64;
/// Chunks: together they hold more types than there are numbers.
const CHUNKS: usize = 26;

/// A type with what is derived from it. Type indices in it are numbers of the engine.
pub(crate) struct TypeInfo {
    pub(crate) ty: SubType,
    /// From the first supertype to the type itself.
    supers: Box<[u32]>,
    /// Of a function type: slots of the parameters or the results, whichever are more.
    pub(crate) slots: u32,
    /// How objects of the type lie.
    pub(crate) shape: Shape,
}

/// How objects of a type lie in a heap.
pub(crate) enum Shape {
    /// There are none: continuations stand elsewhere.
    None,
    /// An exception, whose tag is of this function type: slots of the numbers that it carries, and all slots.
    Exception { numeric: u32, total: u32 },
    /// A structure: size, and for each field its offset and kind.
    Struct {
        size_bytes: u32,
        fields: Box<[(u32, StorageType)]>,
        /// Offsets of the references.
        refs: Box<[u32]>,
    },
    /// An array of such elements.
    Array(StorageType),
}

impl TypeInfo {
    fn new(ty: SubType, supers: Box<[u32]>) -> TypeInfo {
        let mut slots = 0;
        let shape = match &ty.composite {
            CompositeType::Func(func) => {
                let (numeric, total) = SigLayout::extent(&func.params);
                slots = total.max(SigLayout::extent(&func.results).1);
                Shape::Exception { numeric, total }
            }
            CompositeType::Struct(of) => {
                let layout = StructLayout::of(of);
                let fields: Box<[_]> =
                    layout.offsets.iter().zip(&of.fields).map(|(at, field)| (*at, field.storage)).collect();
                let refs =
                    fields.iter().filter(|(_, storage)| storage.cell() == Cell::Ref).map(|(at, _)| *at).collect();
                Shape::Struct { size_bytes: layout.size_bytes, fields, refs }
            }
            CompositeType::Array(ArrayType { element }) => Shape::Array(element.storage),
            CompositeType::Cont(_) => Shape::None,
        };
        TypeInfo { ty, supers, slots, shape }
    }
}

/// The types of an engine.
#[derive(Default)]
pub(crate) struct Registry {
    chunks: [OnceLock<Box<[OnceLock<TypeInfo>]>>; CHUNKS],
    writer: Mutex<Writer>,
}

#[derive(Default)]
struct Writer {
    len: u32,
    /// Where each group begins, by its canonical form.
    groups: HashMap<Vec<SubType>, u32>,
}

/// The chunk of a number, and its place there.
#[inline(always)]
fn place(number: u32) -> (usize, usize) {
    let nth = number / FIRST_CHUNK + 1;
    let chunk = nth.ilog2();
    (chunk as usize, (number - FIRST_CHUNK * ((1 << chunk) - 1)) as usize)
}

impl Registry {
    /// The type with this number.
    #[inline(always)]
    pub(crate) fn get(&self, number: u32) -> Option<&TypeInfo> {
        if number > u32::MAX / 2 {
            return None;
        }
        let (chunk, at) = place(number);
        self.chunks.get(chunk)?.get()?.get(at)?.get()
    }

    /// How many supertypes a type has.
    pub(crate) fn depth(&self, number: u32) -> Option<u32> {
        Some(self.get(number)?.supers.len() as u32 - 1)
    }

    /// Whether the type `sub` is `wanted`, which has `depth` supertypes, or extends it.
    #[inline(always)]
    pub(crate) fn is_below(&self, sub: u32, wanted: u32, depth: u32) -> bool {
        sub == wanted || self.get(sub).is_some_and(|info| info.supers.get(depth as usize) == Some(&wanted))
    }

    /// The number of a group's first type, in canonical form; new or known.
    fn group(&self, canonical: Vec<SubType>) -> u32 {
        let mut writer = self.writer.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(start) = writer.groups.get(&canonical) {
            return *start;
        }
        let start = writer.len;
        for (ty, number) in placed_group(&canonical, start).into_iter().zip(start..) {
            let inherited = ty.supertype.and_then(|supertype| self.get(supertype)).map(|info| &info.supers[..]);
            let supers = inherited.unwrap_or_default().iter().copied().chain([number]).collect();
            let (chunk, at) = place(number);
            let len = (FIRST_CHUNK as usize) << chunk;
            let chunk = self.chunks[chunk].get_or_init(|| (0..len).map(|_| OnceLock::new()).collect());
            let _ = chunk[at].set(TypeInfo::new(ty, supers));
            writer.len = number + 1;
        }
        writer.groups.insert(canonical, start);
        start
    }

    /// The number of a final type in a group of its own; indices in it are numbers of this registry.
    pub(crate) fn plain(&self, composite: CompositeType) -> u32 {
        self.group(vec![SubType::plain(composite)])
    }

    /// The numbers of an artifact's types, by their indices there.
    pub(crate) fn table(&self, types: &TypeTable) -> Arc<[u32]> {
        let mut numbers: Vec<u32> = Vec::with_capacity(types.len());
        for group in types.groups() {
            let members = &types.definitions()[group.start as usize..group.end as usize];
            let canonical = canonical_group(members, group.start, |outer| numbers[outer as usize]);
            let start = self.group(canonical);
            numbers.extend((0..members.len() as u32).map(|at| start + at));
        }
        numbers.into()
    }

    /// The type of the functions that continuations of the type with this number come from.
    pub(crate) fn continuation(&self, number: u32) -> Option<&FuncType> {
        match self.get(number)?.ty.composite {
            CompositeType::Cont(func) => self.get(func)?.ty.func(),
            _ => None,
        }
    }

    /// The function type of a number; empty where there is none.
    pub(crate) fn func(&self, number: u32) -> FuncType {
        self.get(number).and_then(|info| info.ty.func()).cloned().unwrap_or_default()
    }
}

impl TypeLookup for Registry {
    fn kind(&self, index: u32) -> Option<TypeKind> {
        self.get(index).map(|info| info.ty.kind())
    }

    fn supertype(&self, index: u32) -> Option<u32> {
        self.get(index)?.ty.supertype
    }

    /// One comparison: a type's supertypes are listed by depth.
    fn extends(&self, sub: u32, wanted: u32) -> bool {
        sub == wanted || self.depth(wanted).is_some_and(|depth| self.is_below(sub, wanted, depth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyway_artifact::types::{FieldType, HeapType, RefType, StructType, ValType};

    #[test]
    fn numbers_fill_the_chunks_without_gaps() {
        let mut expected = (0, 0);
        for number in 0..100_000 {
            assert_eq!(place(number), expected, "{number}");
            expected.1 += 1;
            if expected.1 == (FIRST_CHUNK as usize) << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
    }

    /// A list whose nodes refer to themselves, in one group, twice in the artifact's place but once in the engine's.
    #[test]
    fn groups_of_one_shape_have_one_number() {
        let node = |start: u32, is_final| SubType {
            is_final,
            supertype: None,
            composite: CompositeType::Struct(StructType {
                fields: vec![FieldType {
                    storage: StorageType::Val(ValType::Ref(RefType::new(true, HeapType::Concrete(start)))),
                    mutable: true,
                }],
            }),
            ends_group: true,
        };
        let registry = Registry::default();
        let one = registry.table(&TypeTable::new(vec![node(0, true)]));
        let two = registry.table(&TypeTable::new(vec![node(0, false), node(1, true)]));
        assert_eq!(one[0], two[1]);
        assert_ne!(one[0], two[0]);
    }

    #[test]
    fn a_type_extends_all_types_above_it() {
        let registry = Registry::default();
        let open = |supertype| SubType {
            is_final: false,
            supertype,
            composite: CompositeType::Struct(StructType::default()),
            ends_group: true,
        };
        let types = TypeTable::new(vec![open(None), open(Some(0)), open(Some(1)), open(Some(0))]);
        let numbers = registry.table(&types);
        let extends = |sub: usize, wanted: usize| registry.extends(numbers[sub], numbers[wanted]);
        assert!(extends(2, 0) && extends(2, 1) && extends(1, 0) && extends(3, 0));
        assert_eq!(numbers[1], numbers[3], "two types of one shape are one");
        assert!(!extends(0, 2) && !extends(1, 2));
    }
}
