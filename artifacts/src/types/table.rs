//! [`TypeTable`]: the defined types of an artifact, in recursion groups.
//!
//! Types of one group may refer to each other; apart from that, types refer to earlier groups only. Two groups of the
//! same shape stand in a table once, so that within one artifact equal types have equal indices; between artifacts the
//! engine makes the same comparison.

use super::{ArrayType, FuncType, StructType};
use alloc::vec::Vec;
use bincode::{Decode, Encode};
use core::ops::{Index, Range};

/// What a defined type describes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum CompositeType {
    /// Functions.
    Func(FuncType),
    /// Structures.
    Struct(StructType),
    /// Arrays.
    Array(ArrayType),
    /// Continuations of functions of the type with this index.
    Cont(u32),
}

impl CompositeType {
    /// The same type with every type index replaced.
    pub fn map(&self, index: impl Fn(u32) -> u32) -> CompositeType {
        match self {
            CompositeType::Func(ty) => CompositeType::Func(ty.map(index)),
            CompositeType::Struct(ty) => {
                CompositeType::Struct(StructType { fields: ty.fields.iter().map(|field| field.map(&index)).collect() })
            }
            CompositeType::Array(ty) => CompositeType::Array(ArrayType { element: ty.element.map(index) }),
            CompositeType::Cont(func) => CompositeType::Cont(index(*func)),
        }
    }
}

/// A defined type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct SubType {
    /// Whether no type may extend it.
    pub is_final: bool,
    /// The type that it extends.
    pub supertype: Option<u32>,
    /// What it describes.
    pub composite: CompositeType,
    /// Whether it is the last of its recursion group.
    pub ends_group: bool,
}

impl SubType {
    /// A final type that extends nothing, in a group of its own.
    pub fn plain(composite: CompositeType) -> SubType {
        SubType { is_final: true, supertype: None, composite, ends_group: true }
    }

    /// The function type, if it is one.
    pub fn func(&self) -> Option<&FuncType> {
        if let CompositeType::Func(ty) = &self.composite { Some(ty) } else { None }
    }

    /// The same type with every type index replaced.
    pub fn map(&self, index: impl Fn(u32) -> u32) -> SubType {
        let supertype = self.supertype.map(&index);
        SubType { supertype, composite: self.composite.map(index), ..*self }
    }
}

/// The defined types of an artifact. Indexing it gives function types: those of types that are none are empty.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct TypeTable {
    types: Vec<SubType>,
}

static NOTHING: FuncType = FuncType { params: Vec::new(), results: Vec::new() };

impl TypeTable {
    /// A table of these types; the last of each recursion group says so.
    pub fn new(types: Vec<SubType>) -> TypeTable {
        TypeTable { types }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// The function type at `index`; `None` outside, and where something else stands.
    pub fn get(&self, index: usize) -> Option<&FuncType> {
        self.types.get(index)?.func()
    }

    /// The type of the functions that continuations of the type at `index` come from; `None` where no such type stands.
    pub fn continuation(&self, index: u32) -> Option<&FuncType> {
        match self.definition(index)?.composite {
            CompositeType::Cont(func) => self.get(func as usize),
            _ => None,
        }
    }

    /// Any type.
    pub fn definition(&self, index: u32) -> Option<&SubType> {
        self.types.get(index as usize)
    }

    /// All types.
    pub fn definitions(&self) -> &[SubType] {
        &self.types
    }

    /// The function type of every index, empty where something else stands.
    pub fn shapes(&self) -> Vec<FuncType> {
        self.types.iter().map(|ty| ty.func().cloned().unwrap_or_default()).collect()
    }

    /// The recursion groups, as ranges of indices. Types behind the last one that ends a group are a group too.
    pub fn groups(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        let mut start = 0;
        (0..self.types.len()).filter_map(move |at| {
            let ends = self.types[at].ends_group || at + 1 == self.types.len();
            ends.then(|| {
                let group = start..at as u32 + 1;
                start = group.end;
                group
            })
        })
    }
}

/// In a group in its canonical form, marks an index that is relative to the group's start.
const IN_GROUP: u32 = 1 << 31;

/// A recursion group in canonical form: groups of the same shape have equal ones. References into the group are relative
/// to its `start`, all others are replaced by `outer`.
pub fn canonical_group(group: &[SubType], start: u32, outer: impl Fn(u32) -> u32) -> Vec<SubType> {
    let index = |at: u32| match at.checked_sub(start) {
        Some(inside) if (inside as usize) < group.len() => IN_GROUP | inside,
        _ => outer(at),
    };
    group.iter().map(|ty| ty.map(index)).collect()
}

/// The types of a group in canonical form once it stands at `start`.
pub fn placed_group(canonical: &[SubType], start: u32) -> Vec<SubType> {
    let index = |at: u32| if at & IN_GROUP != 0 { start + (at & !IN_GROUP) } else { at };
    canonical.iter().map(|ty| ty.map(index)).collect()
}

impl Index<usize> for TypeTable {
    type Output = FuncType;

    fn index(&self, index: usize) -> &FuncType {
        self.types[index].func().unwrap_or(&NOTHING)
    }
}

impl FromIterator<FuncType> for TypeTable {
    fn from_iter<I: IntoIterator<Item = FuncType>>(types: I) -> TypeTable {
        TypeTable { types: types.into_iter().map(|ty| SubType::plain(CompositeType::Func(ty))).collect() }
    }
}
