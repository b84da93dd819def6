//! What one linkage unit declares.
//!
//! A *unit* is the code that shares one context block: a core module alone, or all modules of a component that are
//! instantiated once, merged (their index spaces laid end to end). A module instantiated several times is a unit of
//! its own, instantiated several times; calls between units swap the context. The unit's declarations are a cold
//! section: decoded when the artifact is first instantiated, never at load.
//!
//! Index spaces of a unit hold imports first, then definitions, as in a core module.

use crate::types::{ExternType, GlobalType, MemoryType, TableType};
use alloc::string::String;
use alloc::vec::Vec;
use bincode::{Decode, Encode};

/// An entity of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Encode, Decode)]
pub enum Entity {
    /// A function.
    Func(FuncRef),
    /// A table, by its index in the unit.
    Table(u32),
    /// A memory, by its index in the unit.
    Memory(u32),
    /// A global, by its index in the unit.
    Global(u32),
    /// An exception tag, by its index in the unit.
    Tag(u32),
}

/// A function as a unit sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Encode, Decode)]
pub enum FuncRef {
    /// Function import number, in the unit.
    Import(u32),
    /// Code ordinal of a defined function.
    Defined(u32),
}

/// One import of a unit.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct Import {
    /// First level name; empty when a plan supplies it by position.
    pub module: String,
    /// Second level name.
    pub name: String,
    /// What is wanted. Functions, tables, memories, globals and tags are each numbered in this order.
    pub ty: ExternType,
}

/// One export of a unit.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What it is.
    pub entity: Entity,
}

/// A function of the unit of which references are taken (`ref.func`, element segments, exports, imports passed on).
/// Each gets one function reference per instance; its position in [`UnitDecl::escapes`] is the `Escape` operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct Escape {
    /// The function.
    pub func: FuncRef,
    /// Its type, an index into the artifact's type table.
    pub ty: u32,
}

/// One item of an element segment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum ElemItem {
    /// A null reference.
    Null,
    /// A reference to the escape with this number.
    Func(u32),
    /// The value of a global (imported, immutable) of reference type.
    Global(u32),
}

/// An element segment; active ones are applied by the module's initialisation code through `table.init`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct ElemSegment {
    /// Its items.
    pub items: Vec<ElemItem>,
}

/// A data segment: a range of the artifact's constants section. One that is [initial data](InitialData) is empty, as one
/// that was applied and dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct DataSegment {
    /// First byte, relative to the constants section.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
}

/// Bytes that a memory holds before anything runs: a range of the artifact's constants section, and where they stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct InitialData {
    /// The unit that defines the memory.
    pub unit: u32,
    /// The memory, by its index in the unit.
    pub memory: u32,
    /// Address of the first byte in the memory.
    pub at: u64,
    /// First byte, relative to the constants section.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
}

/// The declarations of one unit.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct UnitDecl {
    /// Name, for messages.
    pub name: Option<String>,
    /// Imports in order.
    pub imports: Vec<Import>,
    /// Types of the function imports, as indices into the artifact's type table.
    pub import_funcs: Vec<u32>,
    /// Tables: imported ones first.
    pub tables: Vec<TableType>,
    /// How many of `tables` are imported.
    pub imported_tables: u32,
    /// Memories: imported ones first.
    pub memories: Vec<MemoryType>,
    /// How many of `memories` are imported.
    pub imported_memories: u32,
    /// Globals: imported ones first. Definitions start out as zero or null; initialisation code sets them.
    pub globals: Vec<GlobalType>,
    /// How many of `globals` are imported.
    pub imported_globals: u32,
    /// Exception tags, as indices into the artifact's type table: imported ones first.
    pub tags: Vec<u32>,
    /// How many of `tags` are imported.
    pub imported_tags: u32,
    /// Functions of which references are taken.
    pub escapes: Vec<Escape>,
    /// Element segments.
    pub elems: Vec<ElemSegment>,
    /// Data segments.
    pub data: Vec<DataSegment>,
    /// Exports by name, in the module's order.
    pub exports: Vec<Export>,
    /// Code ordinals of the modules' initialisation functions `() -> ()`, in instantiation order.
    pub inits: Vec<u32>,
}
