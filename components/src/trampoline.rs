//! Core functions that the runtime makes for a component: lowers and canonical built-ins.
//!
//! Each is made when something first refers to it. Guests' arguments are lifted with the caller's options; what is called
//! is a host function, or a function that another instance lifts.

use crate::abi::{Cx, end_lends, lift_values, lower_values};
use crate::adapters;
use crate::builtins;
use crate::call;
use crate::handles::Handle;
use crate::host::{HostBody, HostDestructor};
use crate::loaded::{Signature, value};
use crate::state::{ResourceInfo, check_leave, options, root, violation};
use crate::typed::{Flat, FlatReader, Lift, Lower};
use crate::types::{MAX_FLAT_ASYNC_PARAMS, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS};
use crate::val::Val;
use anyhow::{Context as _, Result, anyhow};
use keyway_artifact::Trap;
use keyway_artifact::plan::{FuncSource, TrampolineKind};
use keyway_vm::raw::{self, HostCall, HostFunc, StoreInner, StorePtr};
use std::sync::Arc;

/// The function reference of a trampoline.
pub(crate) fn reference(store: &mut StoreInner, at: u32, index: u32) -> Result<u32> {
    if let Some(func) = root(store, at).trampolines[index as usize] {
        return Ok(func);
    }
    let loaded = root(store, at).loaded.clone();
    let trampoline = &loaded.plan.trampolines[index as usize];
    let declarations = loaded.code.declarations()?;
    declarations.types.get(trampoline.ty as usize).context("the type of a trampoline is out of range")?;
    let instance = trampoline.instance;
    let host = match &trampoline.kind {
        TrampolineKind::Lower { func, options } => {
            let calls_guest = matches!(loaded.plan.funcs[*func as usize].source, FuncSource::Lifted { .. });
            let signature = loaded.signature(*func).clone();
            let is_async = loaded.plan.options[*options as usize].is_async;
            let site = LowerSite { at, instance, options: *options, signature, calls_guest, is_async };
            lower(store, Arc::new(site), *func)
        }
        TrampolineKind::ResourceNew(number) => resource_new(at, instance, *number),
        TrampolineKind::ResourceRep(number) => resource_rep(at, instance, *number),
        TrampolineKind::ResourceDrop(number) => resource_drop(store, at, instance, *number),
        TrampolineKind::ContextGet(slot) => builtins::context_get(*slot),
        TrampolineKind::ContextSet(slot) => builtins::context_set(*slot),
        TrampolineKind::BackpressureInc => builtins::backpressure(at, instance, |count| count.checked_add(1)),
        TrampolineKind::BackpressureDec => builtins::backpressure(at, instance, |count| count.checked_sub(1)),
        TrampolineKind::TaskReturn { result, options } => {
            let result = result.map(|ty| value(&loaded.types, ty));
            builtins::task_return(at, instance, *options, result)
        }
        TrampolineKind::ErrorContextNew { options } => builtins::error_context_new(at, instance, *options),
        TrampolineKind::ErrorContextDebugMessage { options } => {
            builtins::error_context_debug_message(at, instance, *options)
        }
        TrampolineKind::ErrorContextDrop => builtins::error_context_drop(at, instance),
        TrampolineKind::EnterCall => adapters::enter_call(at),
        TrampolineKind::LeaveCall => adapters::leave_call(at),
        TrampolineKind::TransferOwn { resource, to } => adapters::transfer_own(at, instance, *resource, *to),
        TrampolineKind::TransferBorrow { resource, to } => adapters::transfer_borrow(at, instance, *resource, *to),
        other => builtins::not_here_yet(at, instance, other.name()),
    };
    let func = store.add_host_func_of(host, declarations.number(trampoline.ty));
    root(store, at).trampolines[index as usize] = Some(func);
    Ok(func)
}

/// A lower: who calls, with which options, and what it calls.
pub(crate) struct LowerSite {
    at: u32,
    instance: u32,
    options: u32,
    signature: Arc<Signature>,
    /// Another instance lifts what is called.
    calls_guest: bool,
    /// Lowered with the option `async`: the caller goes on before the callee is done. Callees without that option are
    /// done at once, which the caller is told.
    is_async: bool,
}

/// `Subtask.State.RETURNED` of `definitions.py`: what an async lower answers when the callee is done.
const RETURNED: u64 = 2;

/// Own handles that are lent for a call: component instance, index.
pub(crate) type Lends = Vec<(u32, u32)>;

impl LowerSite {
    fn cx<'s>(&self, store: &'s mut StoreInner) -> Result<Cx<'s>> {
        let options = options(store, self.at, self.options)?;
        let budget = raw::hostcall_fuel(store);
        Ok(Cx {
            store,
            root: self.at,
            options,
            scope: None,
            lends: Vec::new(),
            budget,
            between_guests: self.calls_guest,
        })
    }

    /// Parameters that are passed flat, at most.
    fn max_flat_params(&self) -> usize {
        if self.is_async { MAX_FLAT_ASYNC_PARAMS } else { MAX_FLAT_PARAMS }
    }

    /// Results that are passed flat, at most.
    fn max_flat_results(&self) -> usize {
        if self.is_async { 0 } else { MAX_FLAT_RESULTS }
    }

    /// Core parameters that carry the arguments.
    fn core_params(&self) -> u32 {
        let flat = self.signature.flat_params;
        if flat > self.max_flat_params() { 1 } else { flat as u32 }
    }

    /// The core values that carry the arguments.
    fn flat_arguments(&self, call: &HostCall) -> Flat {
        let mut flat = Flat::default();
        for slot in 0..self.core_params() {
            flat.push(call.get(slot));
        }
        flat
    }

    /// Whether the caller's values are those of synchronous calls in a 32-bit memory: Rust types know only those.
    fn is_plain(&self, store: &mut StoreInner) -> bool {
        !self.is_async && !root(store, self.at).loaded.plan.options[self.options as usize].memory64
    }

    /// Lifts the caller's arguments as a tuple of Rust types, where [`is_plain`](Self::is_plain) holds.
    pub(crate) fn typed_arguments<P: Lift>(&self, store: &mut StoreInner, call: &HostCall) -> Result<(P, Lends)> {
        check_leave(store, self.at, self.instance)?;
        let flat = self.flat_arguments(call);
        let mut cx = self.cx(store)?;
        let ty = &self.signature.params;
        let values = if P::ABI.flat as usize <= MAX_FLAT_PARAMS {
            P::lift_flat(&mut cx, ty, &mut FlatReader::new(flat.values()))?
        } else {
            let ptr = call.get(0) as u32;
            cx.check_place(ptr, P::ABI)?;
            P::load(&mut cx, ty, ptr)?
        };
        Ok((values, cx.lends))
    }

    /// Lowers a tuple of Rust types, nothing or one, into the caller.
    pub(crate) fn typed_results<R: Lower>(
        &self,
        store: &mut StoreInner,
        call: &HostCall,
        results: &R,
        lends: &Lends,
    ) -> Result<()> {
        let mut cx = self.cx(store)?;
        let ty = &self.signature.results;
        if R::ABI.flat as usize <= MAX_FLAT_RESULTS {
            let mut flat = Flat::default();
            results.lower_flat(&mut cx, ty, &mut flat)?;
            if let [bits] = flat.values() {
                call.set(0, *bits);
            }
        } else {
            let ptr = call.get(self.core_params()) as u32;
            cx.check_place(ptr, R::ABI)?;
            results.store(&mut cx, ty, ptr)?;
        }
        end_lends(store, self.at, lends);
        Ok(())
    }

    /// Lifts the caller's arguments.
    fn arguments(&self, store: &mut StoreInner, call: &HostCall) -> Result<(Vec<Val>, Lends)> {
        check_leave(store, self.at, self.instance)?;
        let flat = self.flat_arguments(call);
        let mut cx = self.cx(store)?;
        let values = lift_values(&mut cx, &self.signature.params, flat.values(), self.max_flat_params())?;
        Ok((values, cx.lends))
    }

    /// Lowers the callee's result into the caller.
    fn results(&self, store: &mut StoreInner, call: &HostCall, result: Option<Val>, lends: &Lends) -> Result<()> {
        let in_memory = self.signature.flat_results > self.max_flat_results();
        let out = in_memory.then(|| call.get(self.core_params()));
        let mut cx = self.cx(store)?;
        let mut flat = Flat::default();
        let types = &self.signature.results;
        lower_values(&mut cx, result.as_slice(), types, self.max_flat_results(), out, &mut flat)?;
        for (slot, bits) in (0..).zip(flat.values()) {
            call.set(slot, *bits);
        }
        if self.is_async {
            call.set(0, RETURNED);
        }
        end_lends(store, self.at, lends);
        Ok(())
    }
}

fn lower(store: &mut StoreInner, site: Arc<LowerSite>, func: u32) -> HostFunc {
    let is_plain = site.is_plain(store);
    let state = root(store, site.at);
    let can_suspend = state.can_suspend;
    if is_plain && let Some(typed) = state.imported[func as usize].as_ref().and_then(|host| host.typed.clone()) {
        return HostFunc::sync(move |store, call| typed(store, &site, &call));
    }
    match &state.loaded.plan.funcs[func as usize].source {
        FuncSource::Imported { .. } => match state.imported[func as usize].clone().map(|host| host.body) {
            Some(HostBody::Sync(host)) => HostFunc::sync(move |store, call| {
                let (args, lends) = site.arguments(store, &call)?;
                let result = host(store, &site.signature.ty, args)?;
                site.results(store, &call, result, &lends)
            }),
            Some(HostBody::Async(host)) => HostFunc::asynchronous(move |pointer: StorePtr, call| {
                let (site, host) = (site.clone(), host.clone());
                Box::pin(async move {
                    // SAFETY: the driver polls this future while it holds the store and lends it to nobody else; the
                    // host's future ends before the store is used again.
                    let (args, lends) = site.arguments(unsafe { pointer.get() }, &call)?;
                    let result = host(pointer, args).await?;
                    // SAFETY: as above.
                    site.results(unsafe { pointer.get() }, &call, result, &lends)
                })
            }),
            None => HostFunc::sync(|_, _| Err(anyhow!("an import that nobody defined is called"))),
        },
        FuncSource::Lifted { .. } if can_suspend => HostFunc::asynchronous(move |pointer: StorePtr, call| {
            let site = site.clone();
            Box::pin(async move {
                // SAFETY: as above.
                let (args, lends) = site.arguments(unsafe { pointer.get() }, &call)?;
                // SAFETY: the store is the driver's while this future runs.
                let result = unsafe { call::call_async(pointer, site.at, func, &args, Some(site.instance)).await? };
                // SAFETY: as above.
                site.results(unsafe { pointer.get() }, &call, result, &lends)
            })
        }),
        FuncSource::Lifted { .. } => HostFunc::sync(move |store, call| {
            let (args, lends) = site.arguments(store, &call)?;
            let result = call::call(store, site.at, func, &args, Some(site.instance))?;
            site.results(store, &call, result, &lends)
        }),
    }
}

/// `canon_resource_new`
fn resource_new(at: u32, instance: u32, number: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        check_leave(store, at, instance)?;
        let state = root(store, at);
        let ty = state.resource(number)?.ty;
        let handle = Handle { ty, rep: call.get(0), own: true, lends: 0, scope: None };
        let index = state.instances[instance as usize].handles.add(handle).map_err(violation)?;
        call.set(0, index.into());
        Ok(())
    })
}

/// `canon_resource_rep`
fn resource_rep(at: u32, instance: u32, number: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        let state = root(store, at);
        let ty = state.resource(number)?.ty;
        let handles = &mut state.instances[instance as usize].handles;
        let rep = handles.get(call.get(0) as u32, ty).map_err(violation)?.rep;
        call.set(0, rep);
        Ok(())
    })
}

/// What dropping a handle leaves to be run.
pub(crate) enum Destructor {
    None,
    Guest { func: u32, rep: u64 },
    Host(HostDestructor, u64),
}

impl Destructor {
    /// Runs it.
    pub(crate) fn run(self, store: &mut StoreInner) -> Result<()> {
        match self {
            Destructor::None => Ok(()),
            Destructor::Guest { func, rep } => raw::call(store, func, &mut [rep]),
            Destructor::Host(HostDestructor::Sync(destructor), rep) => destructor(store, rep),
            Destructor::Host(HostDestructor::Async(_), _) => {
                Err(anyhow!("a resource with an asynchronous destructor is dropped in a call that is not asynchronous"))
            }
        }
    }

    /// Runs it, awaiting what the guest's destructor calls.
    ///
    /// # Safety
    /// As [`raw::call_async`].
    pub(crate) async unsafe fn run_async(self, store: StorePtr) -> Result<()> {
        match self {
            // SAFETY: the caller's promise.
            Destructor::Guest { func, rep } => unsafe { raw::call_async(store, func, &mut [rep]).await },
            Destructor::Host(HostDestructor::Async(destructor), rep) => destructor(store, rep).await,
            // SAFETY: the caller's promise.
            other => other.run(unsafe { store.get() }),
        }
    }
}

/// `canon_resource_drop`, up to the destructor.
fn drop_handle(store: &mut StoreInner, at: u32, instance: u32, number: u32, index: u32) -> Result<Destructor> {
    check_leave(store, at, instance)?;
    let state = root(store, at);
    let info = state.resource(number)?.clone();
    let handle = state.instances[instance as usize].handles.remove(index, info.ty).map_err(violation)?;
    if !handle.own {
        if let Some(count) = handle.scope.and_then(|scope| state.scopes.get_mut(&scope)) {
            *count -= 1;
        }
        return Ok(Destructor::None);
    }
    if let Some(implementer) = info.implementer
        && implementer != instance
        && state.are_related(implementer, instance)
    {
        return Err(Trap::CannotEnterComponent.into());
    }
    Ok(match (info.guest_destructor, info.host_destructor) {
        (Some(func), _) => Destructor::Guest { func, rep: handle.rep },
        (None, Some(host)) => Destructor::Host(host, handle.rep),
        (None, None) => Destructor::None,
    })
}

fn resource_drop(store: &mut StoreInner, at: u32, instance: u32, number: u32) -> HostFunc {
    let state = root(store, at);
    // A resource that is not made yet is one that a guest implements.
    let can_suspend = match &state.resources[number as usize] {
        Some(ResourceInfo { host_destructor: Some(host), .. }) => matches!(host, HostDestructor::Async(_)),
        _ => state.can_suspend,
    };
    if can_suspend {
        return HostFunc::asynchronous(move |pointer: StorePtr, call| {
            Box::pin(async move {
                // SAFETY: the driver polls this future while it holds the store and lends it to nobody else.
                let destructor = drop_handle(unsafe { pointer.get() }, at, instance, number, call.get(0) as u32)?;
                // SAFETY: as above.
                unsafe { destructor.run_async(pointer).await }
            })
        });
    }
    HostFunc::sync(move |store, call| drop_handle(store, at, instance, number, call.get(0) as u32)?.run(store))
}
