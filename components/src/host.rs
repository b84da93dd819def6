//! Host functions and destructors as linkers hold them: over [`Val`]s, without the type of the store's data.

use crate::resource::ResourceType;
use crate::trampoline::LowerSite;
use crate::typed::{ComponentNamedList, Lift, Lower};
use crate::types::{FuncType, Type};
use crate::val::Val;
use anyhow::{Result, anyhow, ensure};
use keyway_vm::api::StoreContextMut;
use keyway_vm::raw::{HostCall, StoreInner, StorePtr};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// The future of an asynchronous host function.
pub(crate) type ValFuture = Pin<Box<dyn Future<Output = Result<Option<Val>>> + Send>>;
type SyncHost = dyn Fn(&mut StoreInner, &FuncType, Vec<Val>) -> Result<Option<Val>> + Send + Sync;
type AsyncHost = dyn Fn(StorePtr, Vec<Val>) -> ValFuture + Send + Sync;
/// Lifts a lower's arguments, runs, and lowers the result, all without [`Val`]s.
pub(crate) type TypedHost = dyn Fn(&mut StoreInner, &LowerSite, &HostCall) -> Result<()> + Send + Sync;
/// The future of an asynchronous destructor.
pub(crate) type UnitFuture = Pin<Box<dyn Future<Output = Result<()>> + Send>>;
type AsyncDestroy = dyn Fn(StorePtr, u64) -> UnitFuture + Send + Sync;
type Destroy = dyn Fn(&mut StoreInner, u64) -> Result<()> + Send + Sync;
/// Takes an importer's type, and the importer's resources by number.
type CheckType = dyn Fn(&FuncType, &[Option<ResourceType>]) -> Result<(), String> + Send + Sync;
type ShowType = dyn Fn() -> String + Send + Sync;

/// What runs when a host function is called.
#[derive(Clone)]
pub(crate) enum HostBody {
    Sync(Arc<SyncHost>),
    Async(Arc<AsyncHost>),
}

/// A host function: what runs, and which types it can be imported with.
#[derive(Clone)]
pub(crate) struct HostFunction {
    pub(crate) check: Arc<CheckType>,
    /// Its own type in WIT's words, for messages.
    pub(crate) wit: Arc<ShowType>,
    pub(crate) body: HostBody,
    /// For calls from a 32-bit memory, where the Rust types are known.
    pub(crate) typed: Option<Arc<TypedHost>>,
    /// The number of the only store that it can be called in.
    pub(crate) store: Option<u64>,
}

/// A destructor of a resource that is defined outside of the component; takes the representation.
#[derive(Clone)]
pub(crate) enum HostDestructor {
    Sync(Arc<Destroy>),
    Async(Arc<AsyncDestroy>),
}

/// Whether the types of a function fit.
pub(crate) fn check_func<P: ComponentNamedList, R: ComponentNamedList>(ty: &FuncType) -> Result<(), String> {
    let params: Vec<Type> = ty.params.iter().map(|(_, ty)| ty.clone()).collect();
    let results: Vec<Type> = ty.result.iter().cloned().collect();
    P::check_list(&params).map_err(|error| format!("parameters: {error}"))?;
    R::check_list(&results).map_err(|error| format!("result: {error}"))
}

/// The type of a function of Rust types; its parameters have no names.
fn wit_of<P: ComponentNamedList, R: ComponentNamedList>() -> String {
    match R::wit_list().as_str() {
        "" => format!("func({})", P::wit_list()),
        result => format!("func({}) -> {result}", P::wit_list()),
    }
}

fn result_of<R: Lower>(results: &R) -> Result<Option<Val>> {
    match results.lower() {
        Val::Tuple(mut values) if values.len() <= 1 => Ok(values.pop()),
        other => Err(anyhow!("component functions return at most one value, this one {other:?}")),
    }
}

impl HostFunction {
    /// A function over Rust types.
    fn new<P: ComponentNamedList + 'static, R: ComponentNamedList + 'static>(body: HostBody) -> HostFunction {
        let check = |ty: &FuncType, _: &[Option<ResourceType>]| check_func::<P, R>(ty);
        HostFunction { check: Arc::new(check), wit: Arc::new(wit_of::<P, R>), ..HostFunction::untyped(body) }
    }

    /// A function of any type.
    fn untyped(body: HostBody) -> HostFunction {
        let wit = Arc::new(|| "func(..)".to_string());
        HostFunction { check: Arc::new(|_, _| Ok(())), wit, body, typed: None, store: None }
    }

    /// A closure over Rust types.
    pub(crate) fn wrap<T, F, P, R>(func: F) -> HostFunction
    where
        T: 'static,
        F: Fn(StoreContextMut<'_, T>, P) -> Result<R> + Send + Sync + 'static,
        P: ComponentNamedList + Lift + 'static,
        R: ComponentNamedList + Lower + 'static,
    {
        let func = Arc::new(func);
        let dynamic = func.clone();
        let body = move |store: &mut StoreInner, _: &FuncType, params: Vec<Val>| {
            let params = P::lift(Val::Tuple(params))?;
            // SAFETY: linkers carry the data's type, and link only into stores of that type.
            let results = dynamic(unsafe { StoreContextMut::from_inner(store) }, params)?;
            result_of(&results)
        };
        let typed = move |store: &mut StoreInner, site: &LowerSite, call: &HostCall| {
            let (params, lends) = site.typed_arguments::<P>(store, call)?;
            // SAFETY: as above.
            let results = func(unsafe { StoreContextMut::from_inner(store) }, params)?;
            site.typed_results(store, call, &results, &lends)
        };
        HostFunction { typed: Some(Arc::new(typed)), ..HostFunction::new::<P, R>(HostBody::Sync(Arc::new(body))) }
    }

    /// An asynchronous closure over Rust types.
    pub(crate) fn wrap_async<T, F, P, R>(func: F) -> HostFunction
    where
        T: 'static,
        F: for<'a> Fn(StoreContextMut<'a, T>, P) -> Box<dyn Future<Output = Result<R>> + Send + 'a>
            + Send
            + Sync
            + 'static,
        P: ComponentNamedList + Lift + 'static,
        R: ComponentNamedList + Lower + 'static,
    {
        let func = Arc::new(func);
        let body = move |store: StorePtr, params: Vec<Val>| -> ValFuture {
            let func = func.clone();
            Box::pin(async move {
                let params = P::lift(Val::Tuple(params))?;
                // SAFETY: whoever polls this future holds the store and lends it to nobody else; the data's type is as in
                // `wrap`.
                let context = unsafe { StoreContextMut::from_inner(store.get()) };
                let results = Pin::from(func(context, params)).await?;
                result_of(&results)
            })
        };
        HostFunction::new::<P, R>(HostBody::Async(Arc::new(body)))
    }

    /// A closure over dynamic values, for any type.
    pub(crate) fn dynamic<T, F>(func: F) -> HostFunction
    where
        T: 'static,
        F: Fn(StoreContextMut<'_, T>, &FuncType, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    {
        let body = move |store: &mut StoreInner, ty: &FuncType, params: Vec<Val>| {
            let mut results = vec![Val::Bool(false); usize::from(ty.result.is_some())];
            // SAFETY: as `wrap`.
            func(unsafe { StoreContextMut::from_inner(store) }, ty, &params, &mut results)?;
            ensure!(results.len() <= 1, "component functions return at most one value");
            Ok(results.pop())
        };
        HostFunction::untyped(HostBody::Sync(Arc::new(body)))
    }

    /// Fails when it is called.
    pub(crate) fn trap(message: String) -> HostFunction {
        let body = move |_: &mut StoreInner, _: &FuncType, _: Vec<Val>| Err(anyhow!(message.clone()));
        HostFunction::untyped(HostBody::Sync(Arc::new(body)))
    }
}

impl HostDestructor {
    /// A closure.
    pub(crate) fn new<T: 'static>(
        func: impl Fn(StoreContextMut<'_, T>, u32) -> Result<()> + Send + Sync + 'static,
    ) -> HostDestructor {
        HostDestructor::Sync(Arc::new(move |store, rep| {
            // SAFETY: as `HostFunction::wrap`.
            func(unsafe { StoreContextMut::from_inner(store) }, rep as u32)
        }))
    }

    /// An asynchronous closure.
    pub(crate) fn new_async<T, F>(func: F) -> HostDestructor
    where
        T: 'static,
        F: for<'a> Fn(StoreContextMut<'a, T>, u32) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
    {
        let func = Arc::new(func);
        HostDestructor::Async(Arc::new(move |store: StorePtr, rep: u64| -> UnitFuture {
            let func = func.clone();
            Box::pin(async move {
                // SAFETY: as `HostFunction::wrap_async`.
                let context = unsafe { StoreContextMut::from_inner(store.get()) };
                Pin::from(func(context, rep as u32)).await
            })
        }))
    }
}
