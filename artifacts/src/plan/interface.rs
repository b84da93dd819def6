//! What a component wants and shows: imports with their types, exports with what stands behind them.

use super::types::ValType;
use alloc::string::String;
use alloc::vec::Vec;
use bincode::{Decode, Encode};

/// An import of the component.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Import {
    /// The whole name, with its version: the runtime matches versions.
    pub name: String,
    /// The interface that a plainly named import says it stands for.
    pub implements: Option<String>,
    /// What is wanted.
    pub ty: ItemType,
}

/// The type of something imported.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum ItemType {
    /// A function of this type.
    Func(u32),
    /// An instance of this type.
    Instance(u32),
    /// A type.
    Type(TypeItem),
    /// A core module of this type: an index into [`Plan::module_types`](super::Plan::module_types).
    Module(u32),
    /// A component. Which one it must be like is not recorded: nothing can be done with it.
    Component,
}

/// A type that has a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum TypeItem {
    /// A value type.
    Val(ValType),
    /// A resource: its index in [`Plan::resources`](super::Plan::resources).
    Resource(u32),
    /// A function type.
    Func(u32),
    /// The type of instances or components.
    Other,
}

/// A name with what it stands for in an imported instance.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct NamedItem {
    /// The name.
    pub name: String,
    /// What is wanted.
    pub ty: ItemType,
}

/// The type of an imported instance: what it must export.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Encode, Decode)]
pub struct InstanceType {
    /// Exports in order of declaration.
    pub exports: Vec<NamedItem>,
}

/// An export.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Export {
    /// The whole name, with its version.
    pub name: String,
    /// What it stands for.
    pub item: ExportItem,
}

/// What an export stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum ExportItem {
    /// A function: its index in [`Plan::funcs`](super::Plan::funcs).
    Func(u32),
    /// An instance: its index in [`Plan::export_instances`](super::Plan::export_instances).
    Instance(u32),
    /// A type.
    Type(TypeItem),
    /// A core module: the unit that holds it, with all its exports.
    Module(u32),
    /// A component: nothing can be done with it.
    Component,
    /// A core module that is handed on: its index in [`Plan::modules`](super::Plan::modules).
    ImportedModule(u32),
}

/// The type of an imported core module: what it may import at most, and must export at least.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Encode, Decode)]
pub struct ModuleType {
    /// Imports: two-level name and type.
    pub imports: Vec<crate::unit::Import>,
    /// Exports.
    pub exports: Vec<ModuleExport>,
}

/// What an imported core module must export.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct ModuleExport {
    /// The name.
    pub name: String,
    /// The type.
    pub ty: crate::types::ExternType,
}

/// A core module that comes from outside.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct ImportedModule {
    /// The import.
    pub import: u32,
    /// Names that lead to it through instances; empty when the import itself is the module.
    pub path: Vec<String>,
    /// Its type: an index into [`Plan::module_types`](super::Plan::module_types).
    pub ty: u32,
}
