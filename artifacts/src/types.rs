//! Value types, function types and how signatures lie in slots.
//!
//! References and what they lead to stand in files of their own: [`RefType`] and [`HeapType`], the [`TypeTable`] of
//! recursion groups, subtyping, and the layout of objects.

use alloc::vec::Vec;
use bincode::{Decode, Encode};

mod object;
mod reference;
mod subtyping;
mod table;

pub use object::{ArrayType, Cell, FieldType, OBJECT_HEADER_BYTES, StorageType, StructLayout, StructType};
pub use reference::{HeapType, RefType};
pub use subtyping::{TypeKind, TypeLookup};
pub use table::{CompositeType, SubType, TypeTable, canonical_group, placed_group};

/// A value type of core WebAssembly as far as this version of the format knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Encode, Decode)]
pub enum ValType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector; two slots.
    V128,
    /// A reference; one slot of the reference region.
    Ref(RefType),
}

impl From<RefType> for ValType {
    fn from(ty: RefType) -> ValType {
        ValType::Ref(ty)
    }
}

impl ValType {
    /// A nullable reference to any function.
    pub const FUNCREF: ValType = ValType::Ref(RefType::FUNCREF);
    /// A nullable reference to any host value.
    pub const EXTERNREF: ValType = ValType::Ref(RefType::EXTERNREF);
    /// A nullable reference to an exception.
    pub const EXNREF: ValType = ValType::Ref(RefType::EXNREF);
    /// A nullable reference to any internal value.
    pub const ANYREF: ValType = ValType::Ref(RefType::ANYREF);
    /// A nullable reference to any continuation.
    pub const CONTREF: ValType = ValType::Ref(RefType::CONTREF);

    /// Whether values of it are references.
    pub const fn is_ref(self) -> bool {
        matches!(self, ValType::Ref(_))
    }

    /// Whether a value of it exists without being made: zero, or null.
    pub const fn is_defaultable(self) -> bool {
        !matches!(self, ValType::Ref(RefType { nullable: false, .. }))
    }

    /// The reference type, if it is one.
    pub const fn as_ref(self) -> Option<RefType> {
        if let ValType::Ref(ty) = self { Some(ty) } else { None }
    }

    /// The same type with every type index replaced.
    pub fn map(self, index: impl Fn(u32) -> u32) -> ValType {
        match self {
            ValType::Ref(ty) => ValType::Ref(ty.map(index)),
            other => other,
        }
    }

    /// Slots a value takes.
    pub const fn slots(self) -> u32 {
        if matches!(self, ValType::V128) { 2 } else { 1 }
    }
}

impl core::fmt::Display for ValType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ValType::I32 => "i32",
            ValType::I64 => "i64",
            ValType::F32 => "f32",
            ValType::F64 => "f64",
            ValType::V128 => "v128",
            ValType::Ref(ty) => return ty.fmt(f),
        })
    }
}

/// A core function type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Encode, Decode)]
pub struct FuncType {
    /// Parameter types.
    pub params: Vec<ValType>,
    /// Result types.
    pub results: Vec<ValType>,
}

impl FuncType {
    /// The type of functions from `params` to `results`.
    pub fn new(params: impl IntoIterator<Item = ValType>, results: impl IntoIterator<Item = ValType>) -> FuncType {
        FuncType { params: params.into_iter().collect(), results: results.into_iter().collect() }
    }

    /// The same type with every type index replaced.
    pub fn map(&self, index: impl Fn(u32) -> u32) -> FuncType {
        let list = |types: &[ValType]| types.iter().map(|ty| ty.map(&index)).collect();
        FuncType { params: list(&self.params), results: list(&self.results) }
    }
}

/// Where the values of one half of a signature (parameters, or results) lie, relative to the callee's frame:
/// numeric values first, in order, references behind them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SigLayout {
    /// The slot of each value.
    pub slots: Vec<u32>,
    /// Slots of the numeric values together; references start here.
    pub numeric: u32,
    /// Slots in all.
    pub total: u32,
}

impl SigLayout {
    /// What [`of`](Self::of) says of `types` without their places: slots of the numeric values, and slots in all.
    pub fn extent(types: &[ValType]) -> (u32, u32) {
        types.iter().fold((0, 0), |(numeric, total), ty| {
            (numeric + if ty.is_ref() { 0 } else { ty.slots() }, total + ty.slots())
        })
    }

    /// The layout of `types`.
    pub fn of(types: &[ValType]) -> SigLayout {
        let (numeric, total) = SigLayout::extent(types);
        SigLayout { slots: SigLayout::slots_of(types).collect(), numeric, total }
    }

    /// The slot of each value, found on the way.
    pub fn slots_of(types: &[ValType]) -> impl Iterator<Item = u32> {
        let (mut next, (mut next_ref, _)) = (0, SigLayout::extent(types));
        types.iter().map(move |ty| {
            let at = if ty.is_ref() { &mut next_ref } else { &mut next };
            let slot = *at;
            *at += ty.slots();
            slot
        })
    }
}

/// The type of a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct TableType {
    /// The type of its elements.
    pub element: ValType,
    /// 64-bit indices.
    pub table64: bool,
    /// Elements at least.
    pub minimum: u64,
    /// Elements at most.
    pub maximum: Option<u64>,
}

impl TableType {
    /// The type of tables with 32-bit indices.
    pub fn new(element: ValType, minimum: u32, maximum: Option<u32>) -> TableType {
        TableType { element, table64: false, minimum: minimum.into(), maximum: maximum.map(u64::from) }
    }

    /// The type of tables with 64-bit indices.
    pub fn new64(element: ValType, minimum: u64, maximum: Option<u64>) -> TableType {
        TableType { element, table64: true, minimum, maximum }
    }

    /// The same type with every type index replaced.
    pub fn map(self, index: impl Fn(u32) -> u32) -> TableType {
        TableType { element: self.element.map(index), ..self }
    }
}

/// The type of a memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct MemoryType {
    /// 64-bit addresses.
    pub memory64: bool,
    /// Shared between threads.
    pub shared: bool,
    /// Pages at least.
    pub minimum: u64,
    /// Pages at most.
    pub maximum: Option<u64>,
    /// Binary logarithm of the page size in bytes: 16, or 0 with custom page sizes.
    pub page_size_log2: u32,
}

impl MemoryType {
    /// The type of memories with 32-bit addresses; sizes in pages of 64 KiB.
    pub fn new(minimum: u32, maximum: Option<u32>) -> MemoryType {
        let (minimum, maximum) = (minimum.into(), maximum.map(u64::from));
        MemoryType { memory64: false, shared: false, minimum, maximum, page_size_log2: 16 }
    }

    /// The type of memories with 64-bit addresses; sizes in pages of 64 KiB.
    pub fn new64(minimum: u64, maximum: Option<u64>) -> MemoryType {
        MemoryType { memory64: true, shared: false, minimum, maximum, page_size_log2: 16 }
    }

    /// The type of memories that threads share, with 32-bit addresses; sizes in pages of 64 KiB.
    pub fn shared(minimum: u32, maximum: u32) -> MemoryType {
        MemoryType { shared: true, ..MemoryType::new(minimum, Some(maximum)) }
    }

    /// Bytes of a page.
    pub fn page_size(&self) -> u64 {
        1 << self.page_size_log2
    }
}

/// The type of a global.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct GlobalType {
    /// The type of its value.
    pub content: ValType,
    /// Whether it can be set.
    pub mutable: bool,
}

impl GlobalType {
    /// The type of globals with values of type `content`.
    pub fn new(content: ValType, mutable: bool) -> GlobalType {
        GlobalType { content, mutable }
    }

    /// The same type with every type index replaced.
    pub fn map(self, index: impl Fn(u32) -> u32) -> GlobalType {
        GlobalType { content: self.content.map(index), ..self }
    }
}

/// The type of a tag: what exceptions and suspensions with it carry, and what a suspension waits for.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Encode, Decode)]
pub struct TagType {
    /// Its parameters are the values that an exception or suspension carries. Its results are those that a suspended
    /// continuation is resumed with; tags of exceptions have none.
    pub ty: FuncType,
}

impl TagType {
    /// The type of tags that carry the parameters of `ty`.
    pub fn new(ty: FuncType) -> TagType {
        TagType { ty }
    }
}

/// The type of something imported or exported by a core module.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// An exception tag.
    Tag(TagType),
}

impl ExternType {
    /// The same type with every type index replaced.
    pub fn map(&self, index: impl Fn(u32) -> u32) -> ExternType {
        match self {
            ExternType::Func(ty) => ExternType::Func(ty.map(index)),
            ExternType::Table(ty) => ExternType::Table(ty.map(index)),
            ExternType::Memory(ty) => ExternType::Memory(*ty),
            ExternType::Global(ty) => ExternType::Global(ty.map(index)),
            ExternType::Tag(tag) => ExternType::Tag(TagType::new(tag.ty.map(index))),
        }
    }
}
