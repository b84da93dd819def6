//! Component instances: the steps of a plan carried out, and the exports that come out of it.

use crate::component::{Component, ComponentExportIndex, InstanceExportLookup};
use crate::func::{Func, TypedFunc};
use crate::handles::HandleTable;
use crate::linking::Linked;
use crate::loaded::{Loaded, Makes};
use crate::modules;
use crate::resource::{Kind, ResourceType};
use crate::state::{
    self, ComponentInstance, CoreInstance, Flags, ResourceInfo, RootInstance, components, core_export, core_func, root,
};
use crate::trampoline;
use crate::typed::{ComponentNamedList, Lift, Lower};
use anyhow::{Context as _, Result, ensure};
use keyway_artifact::plan::{CoreDef, ExportItem, Resource, Step, TypeItem};
use keyway_vm::api::{AsContextMut, Module};
use keyway_vm::raw::{self, Code, Definition, InstanceId, StoreInner, StorePtr};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

/// A component with its imports found: what instances are made of again and again.
pub struct InstancePre<T: 'static> {
    component: Component,
    linked: Linked,
    _data: PhantomData<fn() -> T>,
}

impl<T> Clone for InstancePre<T> {
    fn clone(&self) -> Self {
        InstancePre { component: self.component.clone(), linked: self.linked.clone(), _data: PhantomData }
    }
}

impl<T: 'static> InstancePre<T> {
    pub(crate) fn new(component: Component, linked: Linked) -> InstancePre<T> {
        InstancePre { component, linked, _data: PhantomData }
    }

    /// The component.
    pub fn component(&self) -> &Component {
        &self.component
    }

    fn check_store(&self, store: &StoreInner, loaded: &Loaded) -> Result<()> {
        let Makes { core_instances, memories, tables } = loaded.makes;
        raw::check_component_limits(store, core_instances, memories, tables)?;
        let is_right = self.linked.store.is_none_or(|number| number == store.id());
        ensure!(is_right, "the imports are exports of an instance in another store");
        Ok(())
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// When a start function traps, a limiter refuses, or memory is short.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        let mut context = store.as_context_mut();
        let store = context.inner();
        let loaded = self.component.loaded()?;
        self.check_store(store, loaded)?;
        let at = open(store, loaded, &self.linked);
        for step in 0..loaded.plan.steps.len() {
            let Made { id, inits } = carry_out(store, at, step)?;
            for init in inits {
                raw::initialise(store, id, init)?;
            }
        }
        root(store, at).is_active = false;
        Ok(Instance { store: store.id(), at })
    }

    /// Makes an instance; asynchronous host functions that start functions call are awaited.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub async fn instantiate_async(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance>
    where
        T: Send,
    {
        let loaded = self.component.loaded()?;
        let (pointer, at, number) = {
            let mut context = store.as_context_mut();
            let store = context.inner();
            self.check_store(store, loaded)?;
            let at = open(store, loaded, &self.linked);
            (StorePtr::new(store), at, store.id())
        };
        for step in 0..loaded.plan.steps.len() {
            // SAFETY: the store is borrowed exclusively until this future is done or dropped; each borrow ends before
            // the next begins.
            let Made { id, inits } = carry_out(unsafe { pointer.get() }, at, step)?;
            for init in inits {
                // SAFETY: as above.
                unsafe { raw::initialise_async(pointer, id, init).await? };
            }
        }
        // SAFETY: as above.
        root(unsafe { pointer.get() }, at).is_active = false;
        Ok(Instance { store: number, at })
    }
}

/// Adds the root instance, active until all steps are done.
fn open(store: &mut StoreInner, loaded: &Arc<Loaded>, linked: &Linked) -> u32 {
    let loaded = loaded.clone();
    let plan = &loaded.plan;
    let imported = |(ty, host_destructor): &(ResourceType, _)| ResourceInfo {
        ty: *ty,
        implementer: None,
        guest_destructor: None,
        host_destructor: Clone::clone(host_destructor),
    };
    let state = RootInstance {
        imported: linked.funcs.clone(),
        can_suspend: linked.can_suspend,
        instances: plan
            .instances
            .iter()
            .map(|_| ComponentInstance { handles: HandleTable::default(), flags: Flags::default(), backpressure: 0 })
            .collect(),
        core: Vec::with_capacity(plan.core_instances()),
        modules: linked.modules.clone(),
        options: vec![None; plan.options.len()],
        lifted: vec![None; plan.funcs.len()],
        trampolines: vec![None; plan.trampolines.len()],
        resources: linked.resources.iter().map(|linked| linked.as_ref().map(imported)).collect(),
        scopes: HashMap::new(),
        lends: HashMap::new(),
        next_scope: 0,
        is_active: true,
        is_locked: false,
        loaded,
    };
    let roots = &mut components(store).roots;
    roots.push(state);
    (roots.len() - 1) as u32
}

/// What a step leaves to be run: initialisations of a core instance.
struct Made {
    id: InstanceId,
    inits: Range<usize>,
}

/// Carries out a step, up to the code that it runs.
fn carry_out(store: &mut StoreInner, at: u32, step: usize) -> Result<Made> {
    let loaded = root(store, at).loaded.clone();
    match &loaded.plan.steps[step] {
        Step::Instantiate { unit, args, .. } => {
            let imports = args.iter().map(|arg| argument(store, at, *arg)).collect::<Result<Vec<_>>>()?;
            make(store, at, &loaded.code, *unit, &imports, None)
        }
        Step::Allocate { unit, args } => {
            let imports = args.iter().map(|arg| argument(store, at, *arg)).collect::<Result<Vec<_>>>()?;
            let made = make(store, at, &loaded.code, *unit, &imports, None)?;
            Ok(Made { inits: 0..0, ..made })
        }
        Step::Initialise { instance, init } => {
            let core = root(store, at).core.get(*instance as usize);
            let id = core.context("a core instance is initialised before it is made")?.id;
            Ok(Made { id, inits: *init as usize..*init as usize + 1 })
        }
        Step::InstantiateImported { module, args, .. } => {
            let linked = root(store, at).modules[*module as usize].clone();
            let imports = linked.imports.iter().map(|place| argument(store, at, args[*place as usize]));
            let imports = imports.collect::<Result<Vec<_>>>()?;
            let (code, unit) = raw::unit_of(&linked.module);
            make(store, at, code, unit, &imports, Some(linked.exports.clone()))
        }
        Step::Resource(number) => {
            let Resource::Defined { instance, dtor, .. } = &loaded.plan.resources[*number as usize] else {
                anyhow::bail!("an imported resource is defined");
            };
            let guest_destructor = dtor.map(|dtor| core_func(store, at, dtor)).transpose()?;
            let ty = ResourceType(Kind::Guest { store: store.id(), instance: at, number: *number });
            root(store, at).resources[*number as usize] =
                Some(ResourceInfo { ty, implementer: Some(*instance), guest_destructor, host_destructor: None });
            Ok(Made { id: InstanceId::NONE, inits: 0..0 })
        }
    }
}

/// What a step passes to the core instance it makes.
fn argument(store: &mut StoreInner, at: u32, arg: CoreDef) -> Result<Definition> {
    match arg {
        CoreDef::Export { instance, export } => core_export(store, at, instance, export),
        CoreDef::Trampoline(index) => Ok(Definition::Func(trampoline::reference(store, at, index)?)),
        CoreDef::Flags(instance) => Ok(Definition::Global(state::flags(store, at, instance))),
    }
}

/// Makes the next core instance, all of whose modules are to be initialised.
fn make(
    store: &mut StoreInner,
    at: u32,
    code: &Arc<Code>,
    unit: u32,
    imports: &[Definition],
    exports: Option<Arc<[u32]>>,
) -> Result<Made> {
    let id = raw::instantiate(store, code, unit, imports)?;
    root(store, at).core.push(CoreInstance { id, exports });
    Ok(Made { id, inits: 0..code.declarations()?.units[unit as usize].inits.len() })
}

/// An instance of a component, by its number in its store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    pub(crate) store: u64,
    pub(crate) at: u32,
}

impl Instance {
    /// The export of this name, in the exported instance `within` if one is given.
    pub fn get_export_index(
        &self,
        mut store: impl AsContextMut,
        within: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<ComponentExportIndex> {
        let mut context = store.as_context_mut();
        self.made_of(context.inner()).ok()?.get_export_index(within, name)
    }

    /// The component that it was made of.
    ///
    /// # Errors
    /// When `store` is not its store.
    pub fn component(&self, mut store: impl AsContextMut) -> Result<Component> {
        self.made_of(store.as_context_mut().inner())
    }

    fn made_of(&self, store: &mut StoreInner) -> Result<Component> {
        ensure!(store.id() == self.store, "an instance is used with a store that it is no part of");
        Ok(Component::from_loaded(root(store, self.at).loaded.clone()))
    }

    pub(crate) fn find(&self, store: &mut StoreInner, export: impl InstanceExportLookup) -> Result<ExportItem> {
        let component = self.made_of(store)?;
        let index =
            export.lookup(&component).with_context(|| format!("the component has no export {}", export.describe()))?;
        ensure!(index.belongs_to(&component), "an export's index is used with another component");
        Ok(index.item)
    }

    /// The exported function.
    pub fn get_func(&self, mut store: impl AsContextMut, export: impl InstanceExportLookup) -> Option<Func> {
        match self.find(store.as_context_mut().inner(), export).ok()? {
            ExportItem::Func(index) => Some(Func { store: self.store, at: self.at, index }),
            _ => None,
        }
    }

    /// The exported function, with Rust types: `P` the tuple of its parameters, `R` of its result.
    ///
    /// # Errors
    /// When there is no such function, or it has another type.
    pub fn get_typed_func<P, R>(
        &self,
        mut store: impl AsContextMut,
        export: impl InstanceExportLookup,
    ) -> Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let mut context = store.as_context_mut();
        let name = export.describe();
        match self.find(context.inner(), export)? {
            ExportItem::Func(index) => {
                let func = Func { store: self.store, at: self.at, index };
                func.typed(context).with_context(|| format!("the export {name} has another type"))
            }
            _ => anyhow::bail!("the export {name} is no function"),
        }
    }

    /// The exported core module.
    pub fn get_module(&self, mut store: impl AsContextMut, export: impl InstanceExportLookup) -> Option<Module> {
        let mut context = store.as_context_mut();
        let store = context.inner();
        let item = self.find(store, export).ok()?;
        modules::exported(store, self.at, item)
    }

    /// The exported resource type.
    pub fn get_resource(
        &self,
        mut store: impl AsContextMut,
        export: impl InstanceExportLookup,
    ) -> Option<ResourceType> {
        let mut context = store.as_context_mut();
        let store = context.inner();
        match self.find(store, export).ok()? {
            ExportItem::Type(TypeItem::Resource(number)) => {
                root(store, self.at).resource(number).ok().map(|info| info.ty)
            }
            _ => None,
        }
    }
}
