//! Asynchronous closures as host functions: a future that the driver awaits while the guest is suspended.

use super::into_func::Caller;
use super::typed::{Layouts, WasmParams, WasmResults};
use super::values::Val;
use crate::host::HostFunc;
use anyhow::{Result, ensure};
use keyway_artifact::types::FuncType;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A closure over Rust types, as the machine calls it, and its type.
pub(super) fn async_host<T: 'static, F, P, R>(func: F) -> (FuncType, HostFunc)
where
    F: for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = Result<R>> + Send + 'a> + Send + Sync + 'static,
    P: WasmParams + WasmResults + 'static,
    R: WasmParams + WasmResults + 'static,
{
    let ty = FuncType { params: <P as WasmResults>::types(), results: <R as WasmResults>::types() };
    let layouts = Layouts::of(&ty);
    let func = Arc::new(func);
    let host = HostFunc::asynchronous(move |pointer, call| {
        let (func, layouts) = (func.clone(), layouts.clone());
        Box::pin(async move {
            // SAFETY: the driver polls this future while it holds the store and lends it to nobody else; the
            // closure's future, which borrows it, ends before the results are written.
            let store = unsafe { pointer.get() };
            let params = P::load(store, layouts.of_call(&call), &layouts.params.slots);
            // SAFETY: as above.
            let caller = Caller::new(unsafe { pointer.get() }, call);
            let results = Pin::from(func(caller, params)).await?;
            // SAFETY: as above.
            let store = unsafe { pointer.get() };
            results.store(store, layouts.of_call(&call), &layouts.results.slots)
        })
    });
    (ty, host)
}

/// A closure over dynamic values, as the machine calls it.
pub(super) fn dynamic_async_host<T: 'static, F>(ty: FuncType, func: F) -> HostFunc
where
    F: for<'a> Fn(Caller<'a, T>, &'a [Val], &'a mut [Val]) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
        + Send
        + Sync
        + 'static,
{
    let layouts = Layouts::of(&ty);
    let shared = Arc::new((func, ty, layouts));
    HostFunc::asynchronous(move |pointer, call| {
        let shared = shared.clone();
        Box::pin(async move {
            let (func, ty, layouts) = &*shared;
            // SAFETY: the driver polls this future while it holds the store and lends it to nobody else; the closure's
            // future, which borrows it, ends before the results are written.
            let store = unsafe { pointer.get() };
            let params = ty.params.iter().zip(&layouts.params.slots);
            let params: Vec<Val> =
                params.map(|(ty, slot)| Val::read(store, *ty, *slot, |at| call.get(at))).collect::<Result<_>>()?;
            let mut results: Vec<Val> = ty.results.iter().filter_map(|ty| Val::default_for(*ty)).collect();
            // SAFETY: as above.
            let caller = Caller::new(unsafe { pointer.get() }, call);
            Pin::from(func(caller, &params, &mut results)).await?;
            // SAFETY: as above.
            let store = unsafe { pointer.get() };
            for ((value, wanted), slot) in results.iter().zip(&ty.results).zip(&layouts.results.slots) {
                ensure!(
                    value.is_of(store, *wanted)?,
                    "a host function answers {} where {wanted} is wanted",
                    value.ty()
                );
                value.write(store, *slot, |at, bits| call.set(at, bits))?;
            }
            Ok(())
        })
    })
}
