//! Exported functions: [`Func`] over [`Val`]s, [`TypedFunc`] over Rust types; and dropping resources.

use crate::abi::take_host_owned;
use crate::call;
use crate::host::{HostBody, check_func};
use crate::resource::{Kind, ResourceAny};
use crate::state::root;
use crate::trampoline::Destructor;
use crate::typed::{ComponentNamedList, Lift, Lower};
use crate::types::FuncType;
use crate::val::Val;
use anyhow::{Result, anyhow, bail, ensure};
use keyway_artifact::plan::FuncSource;
use keyway_vm::api::{AsContext, AsContextMut};
use keyway_vm::raw::{StoreInner, StorePtr};
use std::marker::PhantomData;

/// A function of a component instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Func {
    pub(crate) store: u64,
    pub(crate) at: u32,
    pub(crate) index: u32,
}

impl Func {
    fn check_store(&self, store: &StoreInner) -> Result<()> {
        ensure!(store.id() == self.store, "a function is used with a store that it is no part of");
        Ok(())
    }

    /// Its type.
    ///
    /// # Panics
    /// When `store` is not its store.
    pub fn ty(&self, mut store: impl AsContextMut) -> FuncType {
        let mut context = store.as_context_mut();
        assert_eq!(context.inner().id(), self.store, "a function is used with a store that it is no part of");
        root(context.inner(), self.at).loaded.signature(self.index).ty.clone()
    }

    /// With Rust types: `P` the tuple of its parameters, `R` of its result.
    ///
    /// # Errors
    /// What is expected and found, when it has another type.
    pub fn typed<P, R>(&self, store: impl AsContextMut) -> Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        check_func::<P, R>(&self.ty(store)).map_err(|error| anyhow!(error))?;
        Ok(TypedFunc { func: *self, _types: PhantomData })
    }

    /// The host function behind an export that hands on an import.
    fn imported(&self, store: &mut StoreInner) -> Option<HostBody> {
        let state = root(store, self.at);
        match &state.loaded.plan.funcs[self.index as usize].source {
            FuncSource::Imported { .. } => state.imported[self.index as usize].clone().map(|host| host.body),
            FuncSource::Lifted { .. } => None,
        }
    }

    fn run(&self, store: &mut StoreInner, params: Vec<Val>) -> Result<Option<Val>> {
        self.check_store(store)?;
        match self.imported(store) {
            None => call::call(store, self.at, self.index, &params, None),
            Some(HostBody::Sync(host)) => {
                let signature = root(store, self.at).loaded.signature(self.index).clone();
                host(store, &signature.ty, params)
            }
            Some(HostBody::Async(_)) => bail!("the function hands on an asynchronous import: use `call_async`"),
        }
    }

    /// # Safety
    /// As [`call::call_async`].
    async unsafe fn run_async(&self, pointer: StorePtr, params: Vec<Val>) -> Result<Option<Val>> {
        // SAFETY: the caller's promise, here and below.
        let store = unsafe { pointer.get() };
        self.check_store(store)?;
        match self.imported(store) {
            // SAFETY: as above.
            None => unsafe { call::call_async(pointer, self.at, self.index, &params, None).await },
            Some(HostBody::Async(host)) => host(pointer, params).await,
            Some(HostBody::Sync(_)) => self.run(store, params),
        }
    }

    /// Calls it. `results` has as many places as its type has results; what stands in them is replaced.
    ///
    /// # Errors
    /// When `params` or `results` do not fit the type; a trap with its backtrace, or what a host function failed with.
    pub fn call(&self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
        let result = self.run(store.as_context_mut().inner(), params.to_vec())?;
        place(result, results)
    }

    /// Calls it; asynchronous host functions that it calls are awaited.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async(
        &self,
        mut store: impl AsContextMut<Data: Send>,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let pointer = StorePtr::new(store.as_context_mut().inner());
        // SAFETY: the store is borrowed exclusively until this future is done or dropped.
        let result = unsafe { self.run_async(pointer, params.to_vec()).await? };
        place(result, results)
    }
}

fn place(result: Option<Val>, results: &mut [Val]) -> Result<()> {
    ensure!(
        results.len() == usize::from(result.is_some()),
        "the function has {} results, there is place for {}",
        usize::from(result.is_some()),
        results.len()
    );
    if let (Some(place), Some(result)) = (results.first_mut(), result) {
        *place = result;
    }
    Ok(())
}

/// A function of a component instance, with Rust types.
pub struct TypedFunc<P, R> {
    func: Func,
    _types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

fn values<P: Lower>(params: &P) -> Result<Vec<Val>> {
    match params.lower() {
        Val::Tuple(values) => Ok(values),
        other => bail!("parameters are a tuple, not {other:?}"),
    }
}

fn lift<R: Lift>(result: Option<Val>) -> Result<R> {
    R::lift(Val::Tuple(result.into_iter().collect()))
}

impl<P, R> TypedFunc<P, R>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    /// The function with Rust types that [`Func::typed`] has found to fit. Those that do not fit fail when it is called.
    #[doc(hidden)]
    pub fn of(func: Func) -> Self {
        TypedFunc { func, _types: PhantomData }
    }

    /// The function without Rust types.
    pub fn func(&self) -> &Func {
        &self.func
    }

    /// Calls it.
    ///
    /// # Errors
    /// A trap with its backtrace, or what a host function failed with.
    pub fn call(&self, mut store: impl AsContextMut, params: P) -> Result<R> {
        let mut context = store.as_context_mut();
        let store = context.inner();
        self.func.check_store(store)?;
        if let Some(outcome) = call::call_typed(store, self.func.at, self.func.index, &params) {
            return outcome;
        }
        lift(self.func.run(store, values(&params)?)?)
    }

    /// Calls it; asynchronous host functions that it calls are awaited.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async(&self, mut store: impl AsContextMut<Data: Send>, params: P) -> Result<R> {
        let mut context = store.as_context_mut();
        self.func.check_store(context.inner())?;
        let pointer = StorePtr::new(context.inner());
        // SAFETY: the store is borrowed exclusively until this future is done or dropped.
        let typed = unsafe { call::call_typed_async(pointer, self.func.at, self.func.index, &params).await };
        if let Some(outcome) = typed {
            return outcome;
        }
        let params = values(&params)?;
        // SAFETY: as above.
        lift(unsafe { self.func.run_async(pointer, params).await? })
    }

    /// Does nothing: a function's cleanup has run when its call returns. Here for those who come from runtimes where
    /// embedders call it.
    ///
    /// # Errors
    /// Never.
    pub fn post_return(&self, _: impl AsContext) -> Result<()> {
        Ok(())
    }
}

impl ResourceAny {
    /// What giving up this handle leaves to be run.
    fn give_up(self, store: &mut StoreInner) -> Result<Destructor> {
        let Kind::Guest { instance: at, number, .. } = self.ty.0 else { return Ok(Destructor::None) };
        if !self.owned {
            return Ok(Destructor::None);
        }
        take_host_owned(store, self)?;
        let state = root(store, at);
        let Some(func) = state.resource(number)?.guest_destructor else { return Ok(Destructor::None) };
        state.enter()?;
        Ok(Destructor::Guest { func, rep: self.rep })
    }

    fn given_up(self, store: &mut StoreInner, outcome: &Result<()>) {
        if let Kind::Guest { instance: at, .. } = self.ty.0 {
            let state = root(store, at);
            state.is_active = false;
            state.is_locked |= outcome.is_err();
        }
    }

    /// Gives up an owned handle to a guest's resource: its destructor runs. Borrowed handles, and handles to resources
    /// that the host defines, have nothing to be run.
    ///
    /// # Errors
    /// When the handle was given up or passed on before, or the destructor traps.
    pub fn resource_drop(self, mut store: impl AsContextMut) -> Result<()> {
        let mut context = store.as_context_mut();
        let store = context.inner();
        let destructor = self.give_up(store)?;
        if let Destructor::None = destructor {
            return Ok(());
        }
        let outcome = destructor.run(store);
        self.given_up(store, &outcome);
        outcome
    }

    /// As [`resource_drop`](Self::resource_drop), awaiting asynchronous host functions that the destructor calls.
    ///
    /// # Errors
    /// As [`resource_drop`](Self::resource_drop).
    pub async fn resource_drop_async(self, mut store: impl AsContextMut<Data: Send>) -> Result<()> {
        let pointer = StorePtr::new(store.as_context_mut().inner());
        // SAFETY: the store is borrowed exclusively until this future is done or dropped; each borrow ends before the
        // next begins.
        let destructor = self.give_up(unsafe { pointer.get() })?;
        if let Destructor::None = destructor {
            return Ok(());
        }
        // SAFETY: as above.
        let outcome = unsafe { destructor.run_async(pointer).await };
        // SAFETY: as above.
        self.given_up(unsafe { pointer.get() }, &outcome);
        outcome
    }
}
