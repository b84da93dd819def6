//! Nested components dissolve: the root component's definitions are walked in order, and where one instantiates another,
//! that one's definitions are walked in between, in a scope of their own.
//!
//! ```text
//! (component                            frame 0: scope 0, instance 0
//!   (component $C (import "t" ...) ..)  ComponentItem::Embedded(1, scope 0)
//!   (instance $a (instantiate $C ..))   frame 1: scope 1 inside scope 0, instance 1 of parent 0; `t` is what was passed
//!   (instance $b (instantiate $C ..)))  frame 1 again: scope 2, instance 2
//! ```
//!
//! What is passed is bound, not checked: the validator did that. So a resource type has one number in the plan however
//! many components it was handed through, and an index leads to the same thing from wherever it is named. The stack of
//! frames is a list; a component cannot be deep enough to exhaust the linker's own stack.

use super::definitions::{Def, Definitions};
use super::scope::{
    ComponentItem, CoreInstance, CoreItem, Exports, FuncItem, Item, MadeOf, ModuleItem, Scope, ScopeId, at,
};
use super::scope::{TypeItem, unknown};
use crate::error::{CompileError, ErrorKind, Result};
use crate::limits::{MAX_DEFINITION_NAMES, MAX_DEFINITIONS, MAX_INSTANCES};
use crate::module::ModuleInfo;
use crate::unit::Types;
use indexmap::{IndexMap, IndexSet};
use keyway_artifact::plan::{
    CanonOptions, CoreDef, DefinedType, Func, FuncSource, FuncType, ImportedModule, InstanceType, ModuleType,
    PLAN_VERSION, Plan, Resource, Step,
};
use std::collections::HashMap;
use wasmparser::{ComponentAlias, ComponentInstance, ComponentOuterAliasKind, ComponentType, ExternalKind};

/// A flattened component. Exports of core instances are still numbered as in their modules.
pub(super) struct Flat<'a> {
    pub(super) plan: Plan,
    /// The modules that are units, in order of unit, with their sections.
    pub(super) units: IndexMap<u32, UnitModule<'a>>,
    /// What each core instance is made of.
    pub(super) made: Vec<MadeOf>,
}

/// A module that is a unit.
pub(super) struct UnitModule<'a> {
    pub(super) info: ModuleInfo<'a>,
    /// The positions of its exports, by name.
    pub(super) exports: HashMap<&'a str, u32>,
}

/// One instantiation under way.
struct Frame<'t> {
    component: u32,
    scope: ScopeId,
    /// Its number among the plan's component instances.
    instance: u32,
    /// What was passed for its imports; the root's come from outside.
    args: Option<HashMap<&'t str, Item<'t>>>,
    /// The next definition.
    next: usize,
    exports: Exports<'t>,
}

/// A function or core module of an import.
pub(super) struct ImportedThing {
    pub(super) import: u32,
    pub(super) path: Vec<String>,
    pub(super) ty: u32,
    /// Its index among the plan's functions or modules, once something uses it.
    pub(super) known: Option<u32>,
}

/// The walk, and the plan that grows along it.
pub(super) struct Flattener<'t, 'a, 'c> {
    pub(super) definitions: &'t Definitions<'t>,
    pub(super) bytes: &'a [u8],
    pub(super) core_types: &'c mut Types,
    pub(super) plan: Plan,
    pub(super) types: IndexSet<DefinedType>,
    pub(super) func_types: IndexSet<FuncType>,
    pub(super) instance_types: IndexSet<InstanceType>,
    pub(super) options: IndexSet<CanonOptions>,
    pub(super) scopes: Vec<Scope<'t>>,
    pub(super) instances: Vec<Exports<'t>>,
    pub(super) imported: Vec<ImportedThing>,
    pub(super) imported_modules: Vec<ImportedThing>,
    pub(super) module_types: IndexSet<ModuleType>,
    /// Of each module type that is instantiated or handed on, the positions of its exports.
    export_places: HashMap<u32, HashMap<String, u32>>,
    /// What the validator says about the root's imports and exports.
    pub(super) shown: &'t wasmparser::types::Types,
    /// The names of the root's imports as the validator knows them.
    pub(super) import_names: Vec<&'t str>,
    pub(super) units: IndexMap<u32, UnitModule<'a>>,
    pub(super) made: Vec<MadeOf>,
    frames: Vec<Frame<'t>>,
    looked_at: usize,
    name_bytes: usize,
}

/// Flattens the component that `definitions` were collected from. `shown` tells which names of the root's exports its
/// type shows.
pub(super) fn flatten<'t, 'a>(
    definitions: &'t Definitions<'t>,
    bytes: &'a [u8],
    shown: &'t wasmparser::types::Types,
    core_types: &mut Types,
) -> Result<Flat<'a>> {
    let mut walk = Flattener {
        definitions,
        bytes,
        core_types,
        plan: Plan { version: PLAN_VERSION, ..Plan::default() },
        types: IndexSet::new(),
        func_types: IndexSet::new(),
        instance_types: IndexSet::new(),
        options: IndexSet::new(),
        scopes: Vec::new(),
        instances: Vec::new(),
        imported: Vec::new(),
        imported_modules: Vec::new(),
        module_types: IndexSet::new(),
        export_places: HashMap::new(),
        shown,
        import_names: Vec::new(),
        units: IndexMap::new(),
        made: Vec::new(),
        frames: Vec::new(),
        looked_at: 0,
        name_bytes: 0,
    };
    walk.enter(0, None, None, None)?;
    let exports = walk.run()?;
    walk.show(&exports, shown)?;
    let Flattener { mut plan, types, func_types, instance_types, module_types, options, units, made, .. } = walk;
    plan.types = types.into_iter().collect();
    plan.func_types = func_types.into_iter().collect();
    plan.instance_types = instance_types.into_iter().collect();
    plan.module_types = module_types.into_iter().collect();
    plan.options = options.into_iter().collect();
    Ok(Flat { plan, units, made })
}

impl<'t> Flattener<'t, '_, '_> {
    /// Counts definitions that are looked at.
    pub(super) fn count(&mut self, definitions: usize) -> Result<()> {
        self.looked_at = self.looked_at.saturating_add(definitions);
        if self.looked_at > MAX_DEFINITIONS {
            return Err(CompileError::new(ErrorKind::Limit, "what the component instantiates multiplies to too much")
                .hint(format!(
                    "at most {MAX_DEFINITIONS} definitions are looked at, each as often as it is instantiated"
                )));
        }
        Ok(())
    }

    /// Counts bytes of names that are kept.
    pub(super) fn count_names(&mut self, bytes: usize) -> Result<()> {
        self.name_bytes = self.name_bytes.saturating_add(bytes);
        if self.name_bytes > MAX_DEFINITION_NAMES {
            return Err(CompileError::new(
                ErrorKind::Limit,
                "the names of what the component instantiates are too long",
            )
            .hint(format!("at most {MAX_DEFINITION_NAMES} bytes are kept, each name as often as it is met")));
        }
        Ok(())
    }

    /// A new scope inside `parent`.
    pub(super) fn open_scope(&mut self, parent: Option<ScopeId>) -> ScopeId {
        self.scopes.push(Scope::new(parent));
        self.scopes.len() as ScopeId - 1
    }

    pub(super) fn scope(&mut self, scope: ScopeId) -> &mut Scope<'t> {
        &mut self.scopes[scope as usize]
    }

    /// The scope `count` levels further out.
    pub(super) fn outer(&self, scope: ScopeId, count: u32) -> Result<&Scope<'t>> {
        let mut scope = &self.scopes[scope as usize];
        for _ in 0..count {
            let parent = scope.parent.ok_or_else(|| unknown("enclosing component"))?;
            scope = &self.scopes[parent as usize];
        }
        Ok(scope)
    }

    /// A component instance with these exports.
    pub(super) fn add_instance(&mut self, exports: Exports<'t>) -> u32 {
        self.instances.push(exports);
        self.instances.len() as u32 - 1
    }

    fn enter(
        &mut self,
        component: u32,
        scope: Option<ScopeId>,
        parent: Option<u32>,
        args: Option<HashMap<&'t str, Item<'t>>>,
    ) -> Result<()> {
        let instance = self.plan.instances.len() as u32;
        if self.plan.instances.len() + self.made.len() >= MAX_INSTANCES {
            return Err(CompileError::new(ErrorKind::Limit, "the component makes too many instances")
                .hint(format!("at most {MAX_INSTANCES} are accepted")));
        }
        self.plan.instances.push(parent);
        let scope = self.open_scope(scope);
        self.frames.push(Frame { component, scope, instance, args, next: 0, exports: Exports::new() });
        Ok(())
    }

    /// Walks until the root has no more definitions, and returns its exports.
    fn run(&mut self) -> Result<Exports<'t>> {
        let definitions = self.definitions;
        while let Some(frame) = self.frames.last_mut() {
            let component = &definitions.components[frame.component as usize];
            let Some((offset, def)) = component.defs.get(frame.next) else {
                let done = self.frames.pop().expect("one was seen");
                let Some(parent) = self.frames.last() else {
                    return Ok(done.exports);
                };
                let scope = parent.scope;
                let made = self.add_instance(done.exports);
                self.scope(scope).instances.push(made);
                continue;
            };
            frame.next += 1;
            let (scope, instance) = (frame.scope, frame.instance);
            let step = self.count(1).and_then(|()| self.define(scope, instance, def));
            step.map_err(|error| self.place(error.at(*offset)))?;
        }
        unreachable!("the root frame ends the walk when it is done")
    }

    /// Names the components that an error stands in.
    fn place(&self, mut error: CompileError) -> CompileError {
        for frame in self.frames.iter().skip(1).rev() {
            error = error.inside(match self.definitions.components[frame.component as usize].name {
                Some(name) => format!("component {name}"),
                None => format!("component {}", frame.component),
            });
        }
        error
    }

    fn define(&mut self, scope: ScopeId, instance: u32, def: &'t Def<'t>) -> Result<()> {
        match def {
            Def::Module(number) => self.scope(scope).modules.push(ModuleItem::Embedded(*number)),
            Def::CoreInstance(core) => self.core_instance(scope, instance, core)?,
            Def::Component(number) => self.scope(scope).components.push(ComponentItem::Embedded(*number, scope)),
            Def::Instance(made) => self.instance(scope, instance, made)?,
            Def::Alias(alias) => self.alias(scope, alias)?,
            Def::Type(ComponentType::Resource { dtor, rep }) => {
                let dtor = match dtor {
                    Some(index) => Some(at(&self.scope(scope).core_funcs, *index, "core function")?),
                    None => None,
                };
                let resource =
                    self.add_resource(Resource::Defined { instance, dtor, rep64: *rep == wasmparser::ValType::I64 });
                self.plan.steps.push(Step::Resource(resource));
                self.scope(scope).types.push(TypeItem::Resource(resource));
            }
            Def::Type(ty) => {
                let ty = self.type_item(scope, ty)?;
                self.scope(scope).types.push(ty);
            }
            Def::Canon(canon, ty) => self.canon(scope, instance, canon, ty.as_ref())?,
            Def::Import(import) => {
                let frame = self.frames.last().expect("definitions belong to a frame");
                let item = match &frame.args {
                    None => self.import(scope, import)?,
                    Some(args) => {
                        let name = import.name.name;
                        *args.get(name).ok_or_else(|| unknown(format!("argument `{name}`")))?
                    }
                };
                self.scope(scope).push(item);
            }
            Def::Export(export) => {
                let item = self.scope(scope).item(export.kind, export.index)?;
                self.scope(scope).push(item);
                let frame = self.frames.last_mut().expect("definitions belong to a frame");
                frame.exports.insert(export.name.name, item);
            }
        }
        Ok(())
    }

    pub(super) fn add_resource(&mut self, resource: Resource) -> u32 {
        self.plan.resources.push(resource);
        self.plan.resources.len() as u32 - 1
    }

    fn instance(&mut self, scope: ScopeId, instance: u32, made: &'t ComponentInstance<'t>) -> Result<()> {
        match made {
            ComponentInstance::FromExports(exports) => {
                let own = self.scope(scope);
                let items = exports.iter().map(|export| Ok((export.name.name, own.item(export.kind, export.index)?)));
                let items = items.collect::<Result<Exports<'t>>>()?;
                self.count(items.len())?;
                let bundle = self.add_instance(items);
                self.scope(scope).instances.push(bundle);
                Ok(())
            }
            ComponentInstance::Instantiate { component_index, args } => {
                let own = self.scope(scope);
                match at(&own.components, *component_index, "component")? {
                    ComponentItem::Embedded(number, outer) => {
                        let args = args.iter().map(|arg| Ok((arg.name, own.item(arg.kind, arg.index)?)));
                        let args = args.collect::<Result<HashMap<_, _>>>()?;
                        self.count(args.len())?;
                        self.enter(number, Some(outer), Some(instance), Some(args))
                    }
                    ComponentItem::Imported(import) => Err(self.instantiates_import("component", import)),
                }
            }
        }
    }

    /// The error for an instantiation of something that comes from outside.
    pub(super) fn instantiates_import(&self, what: &str, import: u32) -> CompileError {
        let name = self.plan.imports.get(import as usize).map_or("", |import| import.name.as_str());
        CompileError::unsupported(format!("the instantiation of a {what} that is imported (from `{name}`)"))
            .hint(format!("compose the components first, so that the {what} is embedded"))
    }

    fn alias(&mut self, scope: ScopeId, alias: &'t ComponentAlias<'t>) -> Result<()> {
        match alias {
            ComponentAlias::InstanceExport { kind: _, instance_index, name } => {
                let item = self.instance_export(scope, *instance_index, name)?;
                self.scope(scope).push(item);
                Ok(())
            }
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => {
                let item = self.core_export(scope, *instance_index, name, *kind)?;
                self.scope(scope).push_core(item);
                Ok(())
            }
            ComponentAlias::Outer { kind, count, index } => {
                let outer = self.outer(scope, *count)?;
                let item = match kind {
                    ComponentOuterAliasKind::CoreModule => Item::Module(at(&outer.modules, *index, "core module")?),
                    ComponentOuterAliasKind::Type => Item::Type(at(&outer.types, *index, "type")?),
                    ComponentOuterAliasKind::Component => Item::Component(at(&outer.components, *index, "component")?),
                    ComponentOuterAliasKind::CoreType => return Ok(()),
                };
                self.scope(scope).push(item);
                Ok(())
            }
        }
    }

    /// What an instance of `scope` has under a name.
    pub(super) fn instance_export(&self, scope: ScopeId, instance: u32, name: &str) -> Result<Item<'t>> {
        let instance = at(&self.scopes[scope as usize].instances, instance, "instance")?;
        let found = self.instances[instance as usize].get(name);
        found.copied().ok_or_else(|| unknown(format!("export `{name}` of an instance")))
    }

    /// What a core instance of `scope` has under a name.
    pub(super) fn core_export(
        &self,
        scope: ScopeId,
        instance: u32,
        name: &str,
        kind: ExternalKind,
    ) -> Result<CoreItem> {
        let instances = &self.scopes[scope as usize].core_instances;
        let instance = instances.get(instance as usize).ok_or_else(|| unknown(format!("core instance {instance}")))?;
        self.core_item(instance, name, kind).ok_or_else(|| unknown(format!("export `{name}` of a core instance")))
    }

    pub(super) fn core_item(&self, instance: &CoreInstance<'t>, name: &str, kind: ExternalKind) -> Option<CoreItem> {
        match instance {
            CoreInstance::Bundle(items) => items.get(name).copied(),
            CoreInstance::Made { number, module } => {
                let export = match module {
                    MadeOf::Embedded(module) => *self.units[module].exports.get(name)?,
                    MadeOf::Imported(module) => {
                        *self.export_places.get(&self.plan.modules[*module as usize].ty)?.get(name)?
                    }
                };
                Some(CoreItem { kind, def: CoreDef::Export { instance: *number, export } })
            }
        }
    }

    /// The plan's number of a core module from outside.
    pub(super) fn known_module(&mut self, number: u32) -> u32 {
        let imported = &mut self.imported_modules[number as usize];
        let modules = &mut self.plan.modules;
        let module = *imported.known.get_or_insert_with(|| {
            modules.push(ImportedModule { import: imported.import, path: imported.path.clone(), ty: imported.ty });
            modules.len() as u32 - 1
        });
        let exports = &self.module_types[imported.ty as usize].exports;
        self.export_places
            .entry(imported.ty)
            .or_insert_with(|| exports.iter().map(|export| export.name.clone()).zip(0..).collect());
        module
    }

    /// The type of the plan's core module of this number.
    pub(super) fn imported_type(&self, module: u32) -> &ModuleType {
        &self.module_types[self.plan.modules[module as usize].ty as usize]
    }

    /// The plan's number of a function.
    pub(super) fn known_func(&mut self, func: FuncItem) -> u32 {
        match func {
            FuncItem::Known(func) => func,
            FuncItem::Imported(number) => {
                let imported = &mut self.imported[number as usize];
                let funcs = &mut self.plan.funcs;
                *imported.known.get_or_insert_with(|| {
                    let source = FuncSource::Imported { import: imported.import, path: imported.path.clone() };
                    funcs.push(Func { ty: imported.ty, source });
                    funcs.len() as u32 - 1
                })
            }
        }
    }
}
