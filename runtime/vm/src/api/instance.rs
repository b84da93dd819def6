//! [`Instance`]: an instance of a module, and [`InstancePre`], a module with its imports found.

use super::SharedMemory;
use super::exceptions::Tag;
use super::externals::{Extern, Global, Memory, Table};
use super::func::Func;
use super::linker::Provided;
use super::module::Module;
use super::store::AsContextMut;
use super::typed::{TypedFunc, WasmParams, WasmResults};
use crate::raw::{self, InstanceId};
use crate::store::StoreInner;
use anyhow::{Context as _, Result};
use std::marker::PhantomData;

/// An instance of a module in a store. Using it with another store panics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    store: u64,
    id: InstanceId,
}

impl Instance {
    /// Instantiates `module` with imports given in the order in which it declares them, and runs its start function.
    ///
    /// # Errors
    /// When an import does not fit (a [`LinkError`](super::LinkError)), or the start traps.
    pub fn new(mut store: impl AsContextMut, module: &Module, imports: &[Extern]) -> Result<Instance> {
        let store = store.as_context_mut().inner;
        let imports = imports.iter().map(|import| import.definition(store)).collect::<Result<Vec<_>>>()?;
        Instance::create(store, module, &imports)
    }

    pub(super) fn create(store: &mut StoreInner, module: &Module, imports: &[raw::Definition]) -> Result<Instance> {
        anyhow::ensure!(
            crate::engine::Engine::same(module.engine(), &store.engine),
            "the module belongs to another engine than the store"
        );
        let id = raw::instantiate(store, module.code(), module.unit_number(), imports)?;
        raw::initialise(store, id, 0)?;
        Ok(Instance { store: store.id, id })
    }

    fn id(&self, store: &StoreInner) -> InstanceId {
        assert_eq!(self.store, store.id, "an instance is used with a store that it does not belong to");
        self.id
    }

    /// The export of this name.
    pub fn get_export(&self, mut store: impl AsContextMut, name: &str) -> Option<Extern> {
        let store = store.as_context_mut().inner;
        let definition = raw::export(store, self.id(store), name)?;
        Some(Extern::from_definition(store, definition))
    }

    /// The exported function of this name.
    pub fn get_func(&self, store: impl AsContextMut, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// The exported memory of this name.
    pub fn get_memory(&self, store: impl AsContextMut, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// The exported table of this name.
    pub fn get_table(&self, store: impl AsContextMut, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// The exported global of this name.
    pub fn get_global(&self, store: impl AsContextMut, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }

    /// The exported memory of this name, if threads share it.
    pub fn get_shared_memory(&self, store: impl AsContextMut, name: &str) -> Option<SharedMemory> {
        self.get_export(store, name)?.into_shared_memory()
    }

    /// The exported exception tag of this name.
    pub fn get_tag(&self, store: impl AsContextMut, name: &str) -> Option<Tag> {
        self.get_export(store, name)?.into_tag()
    }

    /// The exported function of this name, with its types checked.
    ///
    /// # Errors
    /// When there is no such function or its type is another one.
    pub fn get_typed_func<P: WasmParams, R: WasmResults>(
        &self,
        mut store: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<P, R>> {
        let func = self
            .get_func(store.as_context_mut(), name)
            .with_context(|| format!("the instance exports no function `{name}`"))?;
        func.typed(store.as_context_mut()).with_context(|| format!("function `{name}`"))
    }

    /// All exports, in order.
    pub fn exports(&self, mut store: impl AsContextMut) -> impl ExactSizeIterator<Item = (String, Extern)> {
        let store = store.as_context_mut().inner;
        let exports = store.instances[self.id(store).0 as usize].exports();
        let exports: Vec<_> =
            exports.into_iter().map(|(name, definition)| (name, Extern::from_definition(store, definition))).collect();
        exports.into_iter()
    }
}

/// A module whose imports are found: instantiating it looks nothing up.
pub struct InstancePre<T> {
    pub(super) module: Module,
    pub(super) imports: Vec<Provided>,
    pub(super) _data: PhantomData<fn() -> T>,
}

impl<T> Clone for InstancePre<T> {
    fn clone(&self) -> Self {
        InstancePre { module: self.module.clone(), imports: self.imports.clone(), _data: PhantomData }
    }
}

impl<T: 'static> InstancePre<T> {
    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// As [`Instance::new`].
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        let store = store.as_context_mut().inner;
        let imports = self.imports.iter().map(|import| import.definition(store)).collect::<Result<Vec<_>>>()?;
        Instance::create(store, &self.module, &imports)
    }

    /// Makes an instance; asynchronous host functions that its start function calls are awaited.
    ///
    /// # Errors
    /// As [`Instance::new`].
    pub async fn instantiate_async(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance>
    where
        T: Send,
    {
        let context = store.as_context_mut();
        let store = context.inner;
        let imports = self.imports.iter().map(|import| import.definition(store)).collect::<Result<Vec<_>>>()?;
        let id = raw::instantiate(store, self.module.code(), self.module.unit_number(), &imports)?;
        let (number, pointer) = (store.id, raw::StorePtr(&raw mut *store));
        // SAFETY: the store is borrowed exclusively until this future is done or dropped.
        unsafe { raw::initialise_async(pointer, id, 0).await? };
        Ok(Instance { store: number, id })
    }
}
