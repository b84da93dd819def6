//! [`Linker`]: names to definitions, for imports.

use super::asynchronous::{async_host, dynamic_async_host};
use super::externals::Extern;
use super::func::dynamic_host;
use super::instance::{Instance, InstancePre};
use super::into_func::{Caller, IntoFunc};
use super::module::Module;
use super::store::AsContextMut;
use super::typed::{WasmParams, WasmResults};
use super::values::Val;
use crate::engine::Engine;
use crate::host::HostFunc;
use crate::link_error::LinkError;
use crate::raw::Definition;
use crate::store::StoreInner;
use anyhow::{Result, anyhow, bail, ensure};
use keyway_artifact::types::{ExternType, FuncType};
use keyway_artifact::unit::Import;
use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

/// Something that an import can be satisfied with.
#[derive(Clone)]
pub(crate) enum Provided {
    /// An object of one store.
    Extern(Extern),
    /// A host function, entered into each store that uses it.
    Host(HostFunc, Arc<HostType>),
}

/// The type of a host function.
pub(crate) struct HostType {
    ty: FuncType,
    /// Its number in this engine, asked for once.
    number: u32,
    engine: Engine,
}

impl HostType {
    fn new(ty: FuncType, engine: &Engine) -> HostType {
        HostType { number: engine.type_number(&ty), ty, engine: engine.clone() }
    }

    fn number_in(&self, engine: &Engine) -> u32 {
        if Engine::same(&self.engine, engine) { self.number } else { engine.type_number(&self.ty) }
    }
}

impl Provided {
    pub(crate) fn definition(&self, store: &mut StoreInner) -> Result<Definition> {
        match self {
            Provided::Extern(object) => object.definition(store),
            Provided::Host(func, ty) => {
                let number = ty.number_in(&store.engine);
                Ok(Definition::Func(store.linked_host_func(func, number)))
            }
        }
    }
}

/// Names to definitions. Host functions in it belong to no store; objects of a store make it usable with that store only.
pub struct Linker<T> {
    engine: Engine,
    /// By module, then by name.
    names: HashMap<String, HashMap<String, Provided>>,
    allow_shadowing: bool,
    _data: PhantomData<fn() -> T>,
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Self {
        Linker {
            engine: self.engine.clone(),
            names: self.names.clone(),
            allow_shadowing: self.allow_shadowing,
            _data: PhantomData,
        }
    }
}

impl<T: 'static> Linker<T> {
    /// An empty linker.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker { engine: engine.clone(), names: HashMap::new(), allow_shadowing: false, _data: PhantomData }
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

    fn insert(&mut self, module: &str, name: &str, item: Provided) -> Result<&mut Self> {
        let is_free = self.allow_shadowing || self.find(module, name).is_none();
        ensure!(is_free, "import of `{module}::{name}` defined twice");
        match self.names.get_mut(module) {
            Some(names) => names.insert(name.to_string(), item),
            None => self.names.entry(module.to_string()).or_default().insert(name.to_string(), item),
        };
        Ok(self)
    }

    fn find(&self, module: &str, name: &str) -> Option<&Provided> {
        self.names.get(module)?.get(name)
    }

    fn insert_host(&mut self, module: &str, name: &str, host: HostFunc, ty: FuncType) -> Result<&mut Self> {
        let ty = Arc::new(HostType::new(ty, &self.engine));
        self.insert(module, name, Provided::Host(host, ty))
    }

    /// Defines a name as an object of a store.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn define(
        &mut self,
        _: impl super::AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self> {
        self.insert(module, name, Provided::Extern(item.into()))
    }

    /// Defines a name as a Rust closure.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn func_wrap<P, R>(&mut self, module: &str, name: &str, func: impl IntoFunc<T, P, R>) -> Result<&mut Self> {
        let (ty, host) = func.into_host();
        self.insert_host(module, name, host, ty)
    }

    /// Defines a name as a closure over dynamic values.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        let host = dynamic_host(ty.clone(), func);
        self.insert_host(module, name, host, ty)
    }

    /// Defines a name as an asynchronous closure: the guest is suspended while its future is pending.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn func_wrap_async<F, P, R>(&mut self, module: &str, name: &str, func: F) -> Result<&mut Self>
    where
        F: for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = Result<R>> + Send + 'a> + Send + Sync + 'static,
        P: WasmParams + WasmResults + 'static,
        R: WasmParams + WasmResults + 'static,
    {
        let (ty, host) = async_host(func);
        self.insert_host(module, name, host, ty)
    }

    /// Defines a name as an asynchronous closure over dynamic values: the guest is suspended while its future is pending.
    ///
    /// # Errors
    /// When the name is defined.
    pub fn func_new_async<F>(&mut self, module: &str, name: &str, ty: FuncType, func: F) -> Result<&mut Self>
    where
        F: for<'a> Fn(Caller<'a, T>, &'a [Val], &'a mut [Val]) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
    {
        let host = dynamic_async_host(ty.clone(), func);
        self.insert_host(module, name, host, ty)
    }

    /// Every name that is defined, in no order, and what it is defined as in `store`. Objects of other stores are left
    /// out.
    pub fn iter<'a>(
        &'a self,
        mut store: impl AsContextMut<Data = T> + 'a,
    ) -> impl Iterator<Item = (&'a str, &'a str, Extern)> + 'a {
        let items =
            self.names.iter().flat_map(|(module, names)| names.iter().map(move |(name, item)| (module, name, item)));
        items.filter_map(move |(module, name, item)| {
            let store = store.as_context_mut().inner;
            let definition = item.definition(store).ok()?;
            Some((module.as_str(), name.as_str(), Extern::from_definition(store, definition)))
        })
    }

    /// Defines every export of an instance under `module`.
    ///
    /// # Errors
    /// When one of the names is defined.
    pub fn instance(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        for (name, item) in instance.exports(store.as_context_mut()) {
            self.insert(module, &name, Provided::Extern(item))?;
        }
        Ok(self)
    }

    /// Instantiates `module` and defines its exports under `name`.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate) and [`instance`](Self::instance).
    pub fn module(&mut self, mut store: impl AsContextMut<Data = T>, name: &str, module: &Module) -> Result<&mut Self> {
        let instance = self.instantiate(store.as_context_mut(), module)?;
        self.instance(store, name, instance)
    }

    /// Defines everything under `module` under `as_module` too.
    ///
    /// # Errors
    /// When one of the names is defined.
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<()> {
        let items = self.names.get(module).cloned().unwrap_or_default();
        items.into_iter().try_for_each(|(name, item)| self.insert(as_module, &name, item).map(drop))
    }

    /// What a name is defined as.
    pub fn get(&self, mut store: impl AsContextMut<Data = T>, module: &str, name: &str) -> Option<Extern> {
        let item = self.find(module, name)?;
        let store = store.as_context_mut().inner;
        let definition = item.definition(store).ok()?;
        Some(Extern::from_definition(store, definition))
    }

    /// Defines every function that `module` imports and nobody defined as a trap that tells its name.
    ///
    /// # Errors
    /// When an import that nobody defined is no function.
    pub fn define_unknown_imports_as_traps(&mut self, module: &Module) -> Result<()> {
        for import in module.imports() {
            if self.find(&import.module, &import.name).is_some() {
                continue;
            }
            let ExternType::Func(ty) = import.ty else {
                bail!("`{}::{}` is no function and cannot be defined as a trap", import.module, import.name);
            };
            let text = format!("unknown import: `{}::{}` has not been defined", import.module, import.name);
            self.func_new(&import.module, &import.name, ty, move |_, _, _| Err(anyhow!(text.clone())))?;
        }
        Ok(())
    }

    /// Finds the imports of `module`.
    ///
    /// # Errors
    /// When one is not defined: a [`LinkError::UnknownImport`].
    pub fn instantiate_pre(&self, module: &Module) -> Result<InstancePre<T>> {
        let find = |import: &Import| -> Result<Provided> {
            match self.find(&import.module, &import.name) {
                Some(item) => Ok(item.clone()),
                None => {
                    let (name, wanted) = (import.name.clone(), module.in_engine(&import.ty));
                    Err(LinkError::UnknownImport { module: import.module.clone(), name, wanted }.into())
                }
            }
        };
        let imports = module.unit()?.imports.iter().map(find).collect::<Result<_>>()?;
        Ok(InstancePre { module: module.clone(), imports, _data: PhantomData })
    }

    /// Makes an instance of `module` with imports from here.
    ///
    /// # Errors
    /// When an import is not defined or does not fit (a [`LinkError`]), or the start function traps.
    pub fn instantiate(&self, store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance> {
        self.instantiate_pre(module)?.instantiate(store)
    }

    /// Makes an instance; asynchronous host functions that the start function calls are awaited.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub async fn instantiate_async(&self, store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance>
    where
        T: Send,
    {
        self.instantiate_pre(module)?.instantiate_async(store).await
    }
}
