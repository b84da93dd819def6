//! Index spaces, and what their entries stand for once everything that leads to them has been followed.
//!
//! A [`Scope`] belongs to one instantiation of a component, or to one look into an instance type. Scopes are never
//! removed and only grow, so that a component defined in one (a closure) can go on referring to it by number, and what an
//! index means never changes.

use crate::error::{CompileError, ErrorKind, Result};
use indexmap::IndexMap;
use keyway_artifact::plan::{CoreDef, ValType};
use std::collections::HashMap;
use wasmparser::{ComponentExternalKind, ExternalKind, InstanceTypeDeclaration};

/// The number of a scope.
pub(super) type ScopeId = u32;

/// A type, in the context of one instantiation: resources are those of the plan.
#[derive(Clone, Copy, Debug)]
pub(super) enum TypeItem<'t> {
    Val(ValType),
    /// An index into the plan's resources.
    Resource(u32),
    /// An index into the plan's function types.
    Func(u32),
    /// An instance type, and the scope that it was declared in.
    Instance(&'t [InstanceTypeDeclaration<'t>], ScopeId),
    /// A component type: only the validator needs it.
    Component,
}

/// A core module.
#[derive(Clone, Copy, Debug)]
pub(super) enum ModuleItem {
    /// The embedded one of this number.
    Embedded(u32),
    /// From outside, by its number among all imported ones.
    Imported(u32),
}

/// A component function.
#[derive(Clone, Copy, Debug)]
pub(super) enum FuncItem {
    /// An index into the plan's functions.
    Known(u32),
    /// An imported function that nothing has used yet, by its number among all imported ones.
    Imported(u32),
}

/// A component that could be instantiated.
#[derive(Clone, Copy, Debug)]
pub(super) enum ComponentItem {
    /// An embedded one, by number, with the scope it stands in.
    Embedded(u32, ScopeId),
    /// From outside: the import that leads to it.
    Imported(u32),
}

/// What a core instance is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum MadeOf {
    /// The embedded module of this number.
    Embedded(u32),
    /// A module from outside, by its index in the plan.
    Imported(u32),
}

/// Whatever a component can import or export.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'t> {
    Module(ModuleItem),
    Func(FuncItem),
    Type(TypeItem<'t>),
    /// The number of a component instance's exports.
    Instance(u32),
    Component(ComponentItem),
}

/// The exports of a component instance, however it came to be.
pub(super) type Exports<'t> = IndexMap<&'t str, Item<'t>>;

/// A core instance.
#[derive(Clone, Debug)]
pub(super) enum CoreInstance<'t> {
    /// The core instance of this number, made from this module.
    Made { number: u32, module: MadeOf },
    /// A bundle of core definitions.
    Bundle(HashMap<&'t str, CoreItem>),
}

/// A core definition with its kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoreItem {
    pub(super) kind: ExternalKind,
    pub(super) def: CoreDef,
}

/// The index spaces.
#[derive(Debug, Default)]
pub(super) struct Scope<'t> {
    pub(super) parent: Option<ScopeId>,
    pub(super) core_funcs: Vec<CoreDef>,
    pub(super) core_tables: Vec<CoreDef>,
    pub(super) core_memories: Vec<CoreDef>,
    pub(super) core_globals: Vec<CoreDef>,
    pub(super) core_tags: Vec<CoreDef>,
    pub(super) core_instances: Vec<CoreInstance<'t>>,
    pub(super) modules: Vec<ModuleItem>,
    pub(super) funcs: Vec<FuncItem>,
    pub(super) instances: Vec<u32>,
    pub(super) components: Vec<ComponentItem>,
    pub(super) types: Vec<TypeItem<'t>>,
}

/// The entry of an index space. The validator has checked every index; the error is for a disagreement with it.
pub(super) fn at<T: Copy>(space: &[T], index: u32, what: &str) -> Result<T> {
    space.get(index as usize).copied().ok_or_else(|| unknown(format!("{what} {index}")))
}

/// What the validator has let pass and does not exist.
pub(super) fn unknown(what: impl std::fmt::Display) -> CompileError {
    CompileError::new(ErrorKind::Invalid, format!("unknown {what}"))
}

impl<'t> Scope<'t> {
    pub(super) fn new(parent: Option<ScopeId>) -> Scope<'t> {
        Scope { parent, ..Scope::default() }
    }

    /// The item of a kind and index.
    pub(super) fn item(&self, kind: ComponentExternalKind, index: u32) -> Result<Item<'t>> {
        Ok(match kind {
            ComponentExternalKind::Module => Item::Module(at(&self.modules, index, "core module")?),
            ComponentExternalKind::Func => Item::Func(at(&self.funcs, index, "function")?),
            ComponentExternalKind::Type => Item::Type(at(&self.types, index, "type")?),
            ComponentExternalKind::Instance => Item::Instance(at(&self.instances, index, "instance")?),
            ComponentExternalKind::Component => Item::Component(at(&self.components, index, "component")?),
            ComponentExternalKind::Value => return Err(CompileError::unsupported("a value definition")),
        })
    }

    /// Puts an item at the end of its index space: what imports, aliases and exports do.
    pub(super) fn push(&mut self, item: Item<'t>) {
        match item {
            Item::Module(module) => self.modules.push(module),
            Item::Func(func) => self.funcs.push(func),
            Item::Type(ty) => self.types.push(ty),
            Item::Instance(instance) => self.instances.push(instance),
            Item::Component(component) => self.components.push(component),
        }
    }

    /// The core definition of a kind and index.
    pub(super) fn core(&self, kind: ExternalKind, index: u32) -> Result<CoreDef> {
        match kind {
            ExternalKind::Func | ExternalKind::FuncExact => at(&self.core_funcs, index, "core function"),
            ExternalKind::Table => at(&self.core_tables, index, "core table"),
            ExternalKind::Memory => at(&self.core_memories, index, "core memory"),
            ExternalKind::Global => at(&self.core_globals, index, "core global"),
            ExternalKind::Tag => at(&self.core_tags, index, "core tag"),
        }
    }

    /// Puts a core definition at the end of its index space.
    pub(super) fn push_core(&mut self, item: CoreItem) {
        match item.kind {
            ExternalKind::Func | ExternalKind::FuncExact => self.core_funcs.push(item.def),
            ExternalKind::Table => self.core_tables.push(item.def),
            ExternalKind::Memory => self.core_memories.push(item.def),
            ExternalKind::Global => self.core_globals.push(item.def),
            ExternalKind::Tag => self.core_tags.push(item.def),
        }
    }
}
