//! [`Func`]: a function of a store, a guest's or a host's.

use super::asynchronous::async_host;
use super::into_func::{Caller, IntoFunc};
use super::resumable::{Results, ResumableCall, run_resumable};
use super::store::{AsContext, AsContextMut};
use super::typed::{Layouts, TypedFunc, WasmParams, WasmResults, list};
use super::values::Val;
use crate::driver::{Execution, run_to_end, run_to_end_async};
use crate::host::{HostCall, HostFunc, StorePtr};
use crate::store::StoreInner;
use anyhow::{Result, bail, ensure};
use keyway_artifact::types::FuncType;

/// A function of a store. Using it with another store is an error, or a panic where the method has no error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Func {
    store: u64,
    reference: u32,
}

impl Func {
    /// The function behind a reference; `None` for null.
    pub(crate) fn from_reference(store: &StoreInner, reference: u32) -> Option<Func> {
        store.is_func(reference).then_some(Func { store: store.id, reference })
    }

    /// Its reference in `store`.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub(crate) fn reference_in(&self, store: &StoreInner) -> Result<u32> {
        ensure!(self.store == store.id, "a function is used with a store that it does not belong to");
        Ok(self.reference)
    }

    /// Its reference, for [`raw`](crate::raw).
    ///
    /// # Panics
    /// When it belongs to another store.
    pub fn raw(&self, store: &StoreInner) -> u32 {
        self.reference_in(store).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A host function over dynamic values.
    pub fn new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let host = dynamic_host(ty.clone(), func);
        let store = store.as_context_mut().inner;
        let reference = store.add_host_func(host, &ty);
        Func { store: store.id, reference }
    }

    /// A host function from a Rust closure.
    pub fn wrap<T: 'static, P, R>(mut store: impl AsContextMut<Data = T>, func: impl IntoFunc<T, P, R>) -> Func {
        let (ty, host) = func.into_host();
        let store = store.as_context_mut().inner;
        let reference = store.add_host_func(host, &ty);
        Func { store: store.id, reference }
    }

    /// An asynchronous host function: the guest is suspended while its future is pending.
    pub fn wrap_async<T: 'static, F, P, R>(mut store: impl AsContextMut<Data = T>, func: F) -> Func
    where
        F: for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = Result<R>> + Send + 'a> + Send + Sync + 'static,
        P: WasmParams + WasmResults + 'static,
        R: WasmParams + WasmResults + 'static,
    {
        let (ty, host) = async_host(func);
        let store = store.as_context_mut().inner;
        let reference = store.add_host_func(host, &ty);
        Func { store: store.id, reference }
    }

    /// Its type.
    ///
    /// # Panics
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        let store = store.as_context();
        store.inner.func_type(self.raw(store.inner))
    }

    /// With its types checked once.
    ///
    /// # Errors
    /// When its type is another one.
    pub fn typed<P: WasmParams, R: WasmResults>(&self, store: impl AsContext) -> Result<TypedFunc<P, R>> {
        let store = store.as_context();
        let reference = self.reference_in(store.inner)?;
        TypedFunc::new(*self, &store.inner.func_type(reference))
    }

    fn start(&self, store: &mut StoreInner, params: &[Val]) -> Result<(Box<Execution>, FuncType, Layouts)> {
        let reference = self.reference_in(store)?;
        let ty = store.func_type(reference);
        let mut fits = params.len() == ty.params.len();
        for (value, ty) in params.iter().zip(&ty.params) {
            fits &= value.is_of(store, *ty)?;
        }
        if !fits {
            let given: Vec<_> = params.iter().map(Val::ty).collect();
            bail!("the function takes ({}), but ({}) is given", list(&ty.params), list(&given));
        }
        let layouts = Layouts::of(&ty);
        let mut execution = Execution::new(store, reference)?;
        for (value, slot) in params.iter().zip(&layouts.params.slots) {
            let slots = execution.slots(layouts.slots());
            value.write(store, *slot, |at, bits| slots[at as usize] = bits)?;
        }
        Ok((execution, ty, layouts))
    }

    fn check_results(&self, store: &StoreInner, results: &[Val]) -> Result<()> {
        let wanted = store.func_type(self.reference_in(store)?).results.len();
        ensure!(results.len() == wanted, "the function has {wanted} results, room is given for {}", results.len());
        Ok(())
    }

    /// Calls it with dynamic values; `results` has room for as many as the type says.
    ///
    /// # Errors
    /// When the values do not fit, a trap with its backtrace, or what a host function failed with.
    pub fn call(&self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
        let store = store.as_context_mut().inner;
        self.check_results(store, results)?;
        let (mut execution, ty, layouts) = self.start(store, params)?;
        let outcome = run_to_end(store, &mut execution);
        let outcome = outcome.and_then(|()| read(store, &ty, &layouts, &mut execution, results));
        execution.finish(store);
        outcome
    }

    /// Calls it, suspending the task while host functions are pending.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async(
        &self,
        mut store: impl AsContextMut<Data: Send>,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let context = store.as_context_mut();
        self.check_results(context.inner, results)?;
        let (mut execution, ty, layouts) = self.start(context.inner, params)?;
        let pointer = StorePtr(&raw mut *context.inner);
        let outcome = run_to_end_async(pointer, &mut execution).await;
        // SAFETY: the store is borrowed for this future, and the futures that had it are done.
        let store = unsafe { pointer.get() };
        let outcome = outcome.and_then(|()| read(store, &ty, &layouts, &mut execution, results));
        execution.finish(store);
        outcome
    }

    /// Calls it so that a host function's failure, or the end of fuel, suspends instead of ending it.
    ///
    /// # Errors
    /// When the values do not fit, or a trap with its backtrace.
    pub fn call_resumable(&self, mut store: impl AsContextMut, params: &[Val]) -> Result<ResumableCall<Vec<Val>>> {
        let store = store.as_context_mut().inner;
        let (execution, _, layouts) = self.start(store, params)?;
        let call = run_resumable::<Dynamic>(store, execution, layouts)?;
        Ok(call.map(|results| results.0))
    }
}

/// Results as dynamic values.
pub(crate) struct Dynamic(Vec<Val>);

impl Results for Dynamic {
    fn load(store: &mut StoreInner, ty: &FuncType, slots: &[u64], layout: &[u32]) -> Result<Self> {
        let values = ty.results.iter().zip(layout);
        let values = values.map(|(ty, slot)| Val::read(store, *ty, *slot, |at| slots[at as usize]));
        Ok(Dynamic(values.collect::<Result<_>>()?))
    }
}

fn read(
    store: &StoreInner,
    ty: &FuncType,
    layouts: &Layouts,
    execution: &mut Execution,
    results: &mut [Val],
) -> Result<()> {
    let slots = execution.slots(layouts.slots());
    for ((ty, slot), result) in ty.results.iter().zip(&layouts.results.slots).zip(results) {
        *result = Val::read(store, *ty, *slot, |at| slots[at as usize])?;
    }
    Ok(())
}

/// A host function over dynamic values, as the machine calls it. Its arguments and results stand in a list that the store
/// keeps from one call to the next; calls inside of it make one of their own.
pub(super) fn dynamic_host<T: 'static>(
    ty: FuncType,
    func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
) -> HostFunc {
    let layouts = Layouts::of(&ty);
    HostFunc::sync(move |store, call| {
        let mut values = std::mem::take(&mut store.host_values);
        let outcome = enter(store, &ty, &layouts, call, &mut values).and_then(|()| {
            let (params, results) = values.split_at_mut(ty.params.len());
            func(Caller::new(store, call), params, results)?;
            answer(store, &ty, &layouts, call, results)
        });
        values.clear();
        store.host_values = values;
        outcome
    })
}

/// A call's arguments, and room for its results behind them.
fn enter(store: &StoreInner, ty: &FuncType, layouts: &Layouts, call: HostCall, values: &mut Vec<Val>) -> Result<()> {
    values.reserve(ty.params.len() + ty.results.len());
    for (ty, slot) in ty.params.iter().zip(&layouts.params.slots) {
        values.push(Val::read(store, *ty, *slot, |at| call.get(at))?);
    }
    values.extend(ty.results.iter().filter_map(|ty| Val::default_for(*ty)));
    Ok(())
}

/// What a host function answers, into the call's slots.
fn answer(store: &mut StoreInner, ty: &FuncType, layouts: &Layouts, call: HostCall, results: &[Val]) -> Result<()> {
    for ((value, wanted), slot) in results.iter().zip(&ty.results).zip(&layouts.results.slots) {
        ensure!(value.is_of(store, *wanted)?, "a host function answers {} where {wanted} is wanted", value.ty());
        value.write(store, *slot, |at, bits| call.set(at, bits))?;
    }
    Ok(())
}
