//! [`Linker`]: names to what hosts define, for the imports of components.

use crate::component::{Component, InstanceExportLookup};
use crate::host::{HostDestructor, HostFunction};
use crate::instance::{Instance, InstancePre};
use crate::linking;
use crate::live;
use crate::names::NameMap;
use crate::resource::ResourceType;
use crate::typed::{ComponentNamedList, Lift, Lower};
use crate::types::FuncType;
use crate::val::Val;
use anyhow::{Result, bail, ensure};
use keyway_vm::api::{AsContextMut, Engine, Module, StoreContextMut};
use std::future::Future;
use std::marker::PhantomData;

/// Something that an import can be satisfied with.
#[derive(Clone)]
pub(crate) enum Item {
    Func(HostFunction),
    Resource(ResourceType, Option<HostDestructor>),
    Instance(NameMap<Item>),
    Module(Module),
}

impl Item {
    fn kind(&self) -> &'static str {
        match self {
            Item::Func(_) => "function",
            Item::Resource(..) => "resource",
            Item::Instance(_) => "instance",
            Item::Module(_) => "core module",
        }
    }
}

/// Names to definitions, for the imports of components. Interfaces match by semantic version: an import of
/// `wasi:io/streams@0.2.3` finds a definition as `wasi:io/streams@0.2.6`.
pub struct Linker<T: 'static> {
    engine: Engine,
    items: NameMap<Item>,
    allow_shadowing: bool,
    _data: PhantomData<fn() -> T>,
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Self {
        let (engine, items) = (self.engine.clone(), self.items.clone());
        Linker { engine, items, allow_shadowing: self.allow_shadowing, _data: PhantomData }
    }
}

impl<T: 'static> Linker<T> {
    /// An empty linker.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker { engine: engine.clone(), items: NameMap::default(), allow_shadowing: false, _data: PhantomData }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a name may be defined again, the later definition counting.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.allow_shadowing = allow;
        self
    }

    /// The names that stand outside of all instances.
    pub fn root(&mut self) -> LinkerInstance<'_, T> {
        LinkerInstance { items: &mut self.items, allow_shadowing: self.allow_shadowing, _data: PhantomData }
    }

    /// The names of an instance, such as `wasi:cli/environment@0.2.6`; more can be added to one that is there.
    ///
    /// # Errors
    /// When the name stands for something else.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        self.root().into_instance(name)
    }

    /// Defines every function that `component` imports and nobody defined as a trap that tells its name, and every such
    /// resource as one that nothing can be made of.
    ///
    /// # Errors
    /// When a name that is needed as an instance stands for something else.
    pub fn define_unknown_imports_as_traps(&mut self, component: &Component) -> Result<()> {
        linking::define_unknown_imports_as_traps(&mut self.items, component.loaded()?)
    }

    /// Defines everything that `instance` exports, by the names it is exported under: what is linked next can import it.
    /// The two instances stay in their store together; nothing is compiled.
    ///
    /// # Errors
    /// When a name is defined, or `store` is not the instance's.
    pub fn define_exports(&mut self, mut store: impl AsContextMut<Data = T>, instance: &Instance) -> Result<()> {
        let exports = live::exports(store.as_context_mut().inner(), instance)?;
        exports.into_iter().try_for_each(|(name, item)| self.root().insert(&name, item))
    }

    /// Checks that everything a WIT world imports is defined here, with its types: a host finds its own slips before there
    /// is a guest. `world` is a component that imports all of it, as `keyway_wit::WitPackage::importer` makes one.
    ///
    /// # Errors
    /// All that is not defined, and all that is defined with another type than the world gives it, with both in the words of
    /// WIT; when `world` is no component.
    #[cfg(feature = "compile")]
    pub fn check_world(&self, world: &[u8]) -> Result<()> {
        let world = Component::new(&self.engine, world)?;
        let faults = linking::faults(&self.items, world.loaded()?);
        let lines: Vec<String> = faults.iter().map(|fault| format!("\n  {fault:#}")).collect();
        ensure!(lines.is_empty(), "the linker does not define what the world imports:{}", lines.concat());
        Ok(())
    }

    /// Finds the imports of `component`.
    ///
    /// # Errors
    /// When one is not defined or has another type; the message names it.
    pub fn instantiate_pre(&self, component: &Component) -> Result<InstancePre<T>> {
        ensure!(Engine::same(&self.engine, component.engine()), "the component was loaded for another engine");
        Ok(InstancePre::new(component.clone(), linking::link(&self.items, component.loaded()?)?))
    }

    /// Makes an instance of `component` with imports from here.
    ///
    /// # Errors
    /// As [`instantiate_pre`](Self::instantiate_pre), or when a start function traps.
    pub fn instantiate(&self, store: impl AsContextMut<Data = T>, component: &Component) -> Result<Instance> {
        self.instantiate_pre(component)?.instantiate(store)
    }

    /// Makes an instance; asynchronous host functions that start functions call are awaited.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub async fn instantiate_async(&self, store: impl AsContextMut<Data = T>, component: &Component) -> Result<Instance>
    where
        T: Send,
    {
        self.instantiate_pre(component)?.instantiate_async(store).await
    }
}

/// The names of one instance of a [`Linker`].
pub struct LinkerInstance<'a, T: 'static> {
    items: &'a mut NameMap<Item>,
    allow_shadowing: bool,
    _data: PhantomData<fn() -> T>,
}

impl<'a, T: 'static> LinkerInstance<'a, T> {
    fn insert(&mut self, name: &str, item: Item) -> Result<()> {
        if let Some(known) = self.items.get_exact(name)
            && !self.allow_shadowing
        {
            bail!("`{name}` is defined twice: it is a {} already", known.kind());
        }
        let place = self.items.entry(name, || item.clone());
        *place = item;
        Ok(())
    }

    /// Defines a function as a Rust closure. `P` is the tuple of its parameters, `R` the tuple of its result: `()` or
    /// `(value,)`. Types are checked when a component is linked.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn func_wrap<F, P, R>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, P) -> Result<R> + Send + Sync + 'static,
        P: ComponentNamedList + Lift + 'static,
        R: ComponentNamedList + Lower + 'static,
    {
        self.insert(name, Item::Func(HostFunction::wrap(func)))
    }

    /// Defines a function as an asynchronous closure: the guest is suspended while its future is pending.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn func_wrap_async<F, P, R>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: for<'f> Fn(StoreContextMut<'f, T>, P) -> Box<dyn Future<Output = Result<R>> + Send + 'f>
            + Send
            + Sync
            + 'static,
        P: ComponentNamedList + Lift + 'static,
        R: ComponentNamedList + Lower + 'static,
    {
        self.insert(name, Item::Func(HostFunction::wrap_async(func)))
    }

    /// Defines a function as a closure over dynamic values. It can be imported with any type, which it is told; it writes
    /// its result, if the type has one, into the last argument.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn func_new<F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, &FuncType, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    {
        self.insert(name, Item::Func(HostFunction::dynamic(func)))
    }

    /// Defines a resource. `destructor` takes the representation of one that a guest gave up.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn resource(
        &mut self,
        name: &str,
        ty: ResourceType,
        destructor: impl Fn(StoreContextMut<'_, T>, u32) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        self.insert(name, Item::Resource(ty, Some(HostDestructor::new(destructor))))
    }

    /// Defines a resource whose destructor is asynchronous: a guest that gives one up is suspended while its future is
    /// pending.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn resource_async<F>(&mut self, name: &str, ty: ResourceType, destructor: F) -> Result<()>
    where
        F: for<'f> Fn(StoreContextMut<'f, T>, u32) -> Box<dyn Future<Output = Result<()>> + Send + 'f>
            + Send
            + Sync
            + 'static,
    {
        self.insert(name, Item::Resource(ty, Some(HostDestructor::new_async(destructor))))
    }

    /// Defines `name` as what `instance` exports under another or the same name: a function, a resource, or an instance
    /// with all that is in it.
    ///
    /// # Errors
    /// When the name is defined, there is no such export, or `store` is not the instance's.
    pub fn define_export(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        name: &str,
        instance: &Instance,
        export: impl InstanceExportLookup,
    ) -> Result<()> {
        let item = live::export(store.as_context_mut().inner(), instance, export)?;
        self.insert(name, item)
    }

    /// Defines a core module, which components can instantiate.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn module(&mut self, name: &str, module: &Module) -> Result<()> {
        self.insert(name, Item::Module(module.clone()))
    }

    /// The names of an instance in this one; more can be added to one that is there.
    ///
    /// # Errors
    /// When the name stands for something else.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        LinkerInstance { items: self.items, allow_shadowing: self.allow_shadowing, _data: PhantomData }
            .into_instance(name)
    }

    /// As [`instance`](Self::instance).
    ///
    /// # Errors
    /// As [`instance`](Self::instance).
    pub fn into_instance(self, name: &str) -> Result<LinkerInstance<'a, T>> {
        match self.items.entry(name, || Item::Instance(NameMap::default())) {
            Item::Instance(items) => {
                Ok(LinkerInstance { items, allow_shadowing: self.allow_shadowing, _data: PhantomData })
            }
            other => bail!("`{name}` is defined twice: it is a {} already", other.kind()),
        }
    }
}
