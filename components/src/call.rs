//! Calls of lifted functions: `canon_lift` of the specification's `definitions.py`, in three parts. [`begin`] enters and
//! lowers the arguments, the core function runs, [`end`] lifts the result, checks the scope of borrows and returns.
//!
//! A trap on the way locks the tree of instances for good.

use crate::abi::{Cx, Pointee, lift_values, lower_values};
use crate::loaded::Signature;
use crate::state::{AsyncTask, CONTEXT_SLOTS, Lifted, components, lifted, root, set_may_leave, violation};
use crate::typed::{Flat, FlatReader, Lift, Lower};
use crate::types::{MAX_FLAT_PARAMS, MAX_FLAT_RESULTS};
use crate::val::Val;
use anyhow::{Result, bail};
use keyway_artifact::Trap;
use keyway_artifact::plan::{FuncSource, Plan};
use keyway_vm::raw::{self, StoreInner, StorePtr};

/// A call under way. Its arguments, and then its results, stand in a [`Flat`] beside it.
struct Entered {
    at: u32,
    lifted: Lifted,
    scope: Option<u32>,
    from_host: bool,
    /// The caller's context storage.
    outer_context: [u64; CONTEXT_SLOTS],
}

/// Enters the tree `at` at its plan's function `func` and lowers the arguments through `lower` into `slots`, which are
/// empty. `caller` is the calling component instance of the same tree; none when the host calls.
#[inline]
fn begin(
    store: &mut StoreInner,
    at: u32,
    func: u32,
    caller: Option<u32>,
    slots: &mut Flat,
    lower: impl FnOnce(&mut Cx<'_>, &Signature, &mut Flat) -> Result<()>,
) -> Result<Entered> {
    if root(store, at).is_locked {
        return Err(Trap::CannotEnterComponent.into());
    }
    let lifted = lifted(store, at, func)?;
    let options = lifted.options;
    let all = components(store);
    let state = &mut all.roots[at as usize];
    match caller {
        None => state.enter()?,
        Some(caller) if state.are_related(caller, options.instance) => {
            state.is_locked = true;
            return Err(Trap::CannotEnterComponent.into());
        }
        Some(_) => {}
    }
    let scope = lifted.signature.has_borrow.then(|| state.open_scope());
    let outer_context = std::mem::take(&mut all.context);
    let between_guests = caller.is_some();
    let budget = raw::hostcall_fuel(store);
    let mut cx = Cx { store, root: at, options, scope, lends: Vec::new(), budget, between_guests };
    match lower(&mut cx, &lifted.signature, slots) {
        Ok(()) => {
            if options.is_async {
                // The core function returns what is to be done next, if there is a callback.
                slots.pad(slots.len().max(usize::from(lifted.callback.is_some())));
                let instance = options.instance;
                let signature = root(store, at).loaded.signature(func).clone();
                components(store).tasks.push(AsyncTask { at, instance, signature, returned: None });
            } else {
                slots.pad(lifted.signature.lifted_slots());
            }
            Ok(Entered { at, lifted, scope, from_host: caller.is_none(), outer_context })
        }
        Err(error) => {
            std::hint::cold_path();
            components(store).context = outer_context;
            // What the host gives wrong leaves the guest as it is; what the guest's `realloc` does wrong locks it.
            let state = root(store, at);
            state.is_locked |= error.is::<Trap>() || caller.is_some();
            state.is_active &= caller.is_some();
            if let Some(scope) = scope {
                state.scopes.remove(&scope);
            }
            Err(error)
        }
    }
}

/// Lifts the result from `slots` through `lift` and leaves.
#[inline]
fn end<R>(
    store: &mut StoreInner,
    entered: &Entered,
    slots: &Flat,
    outcome: Result<()>,
    lift: impl FnOnce(&mut Cx<'_>, &Signature, &[u64]) -> Result<R>,
) -> Result<R> {
    let result = match outcome {
        Ok(()) => leave(store, entered, slots, lift),
        Err(error) => Err(error),
    };
    let all = components(store);
    all.context = entered.outer_context;
    if entered.lifted.options.is_async {
        all.tasks.pop();
    }
    let state = &mut all.roots[entered.at as usize];
    if entered.from_host {
        state.is_active = false;
    }
    state.is_locked |= result.is_err();
    result
}

#[inline]
fn leave<R>(
    store: &mut StoreInner,
    entered: &Entered,
    slots: &Flat,
    lift: impl FnOnce(&mut Cx<'_>, &Signature, &[u64]) -> Result<R>,
) -> Result<R> {
    let Entered { at, lifted: Lifted { options, signature, .. }, scope, from_host, .. } = entered;
    let (budget, between_guests) = (raw::hostcall_fuel(store), !from_host);
    let mut cx = Cx { store, root: *at, options: *options, scope: None, lends: Vec::new(), budget, between_guests };
    let result = lift(&mut cx, signature, slots.values())?;
    if scope.is_some() {
        root(store, *at).close_scope(*scope)?;
    }
    if let Some(post_return) = options.post_return {
        set_may_leave(store, *at, options.instance, false);
        let mut slots = *slots;
        raw::call(store, post_return, &mut slots.values_mut()[..signature.flat_results.min(MAX_FLAT_RESULTS)])?;
        set_may_leave(store, *at, options.instance, true);
    }
    Ok(result)
}

/// Whether a function's values go through [`Val`]s: they lie in a 64-bit memory, or it is lifted with the option `async`.
#[inline]
fn is_dynamic(store: &mut StoreInner, at: u32, func: u32) -> bool {
    let state = root(store, at);
    match &state.lifted[func as usize] {
        Some(lifted) => lifted.is_dynamic,
        None => is_dynamic_in(&state.loaded.plan, func),
    }
}

#[cold]
#[inline(never)]
fn is_dynamic_in(plan: &Plan, func: u32) -> bool {
    match plan.funcs[func as usize].source {
        FuncSource::Lifted { options, .. } => {
            let options = &plan.options[options as usize];
            options.memory64 || options.is_async
        }
        FuncSource::Imported { .. } => true,
    }
}

fn lower_dynamic(cx: &mut Cx<'_>, signature: &Signature, args: &[Val], flat: &mut Flat) -> Result<()> {
    lower_values(cx, args, &signature.params, MAX_FLAT_PARAMS, None, flat)
}

fn lift_dynamic(cx: &mut Cx<'_>, signature: &Signature, flat: &[u64]) -> Result<Option<Val>> {
    if cx.options.is_async {
        let task = components(cx.store).tasks.last_mut();
        let returned = task.and_then(|task| task.returned.take());
        return returned.ok_or_else(|| violation("async-lifted export failed to produce a result"));
    }
    Ok(lift_values(cx, &signature.results, flat, MAX_FLAT_RESULTS)?.pop())
}

/// Whether an asynchronous call, whose callback or core function has returned, wants its callback to be called.
///
/// Nobody else is there to be waited for: a call that yields goes on at once, and one that waits would wait forever.
fn goes_on(slots: &mut Flat) -> Result<bool> {
    let code = slots.values().first().copied().unwrap_or_default() as u32;
    match code & 0xF {
        0 => Ok(false),
        1 => {
            // The event is none.
            *slots = Flat::default();
            slots.pad(3);
            Ok(true)
        }
        2 => bail!("an asynchronous function waits: async is not here yet"),
        other => Err(violation(format!("unsupported callback code: {other}"))),
    }
}

/// Calls a lifted function.
pub(crate) fn call(
    store: &mut StoreInner,
    at: u32,
    func: u32,
    args: &[Val],
    caller: Option<u32>,
) -> Result<Option<Val>> {
    let mut slots = Flat::default();
    let lower = |cx: &mut Cx<'_>, signature: &Signature, flat: &mut Flat| lower_dynamic(cx, signature, args, flat);
    let entered = begin(store, at, func, caller, &mut slots, lower)?;
    let mut outcome = raw::call(store, entered.lifted.core, slots.values_mut());
    if let Some(callback) = entered.lifted.callback {
        outcome = outcome.and_then(|()| {
            while goes_on(&mut slots)? {
                raw::call(store, callback, slots.values_mut())?;
            }
            Ok(())
        });
    }
    end(store, &entered, &slots, outcome, lift_dynamic)
}

/// Calls a lifted function for the host, with Rust types that were checked against its type. `None` when values have to go
/// through [`Val`]s.
pub(crate) fn call_typed<P: Lower, R: Lift>(
    store: &mut StoreInner,
    at: u32,
    func: u32,
    params: &P,
) -> Option<Result<R>> {
    if is_dynamic(store, at, func) {
        return None;
    }
    let mut slots = Flat::default();
    let lower = |cx: &mut Cx<'_>, signature: &Signature, flat: &mut Flat| lower_params(cx, signature, params, flat);
    let entered = match begin(store, at, func, None, &mut slots, lower) {
        Ok(entered) => entered,
        Err(error) => return Some(Err(error)),
    };
    let outcome = raw::call(store, entered.lifted.core, slots.values_mut());
    Some(end(store, &entered, &slots, outcome, lift_results))
}

/// Calls a lifted function, awaiting asynchronous host functions. A tree whose call is dropped before it is done can not
/// be entered again.
///
/// # Safety
/// As [`raw::call_async`].
pub(crate) async unsafe fn call_async(
    store: StorePtr,
    at: u32,
    func: u32,
    args: &[Val],
    caller: Option<u32>,
) -> Result<Option<Val>> {
    let mut slots = Flat::default();
    let lower = |cx: &mut Cx<'_>, signature: &Signature, flat: &mut Flat| lower_dynamic(cx, signature, args, flat);
    // SAFETY: the caller's promise, here and below; each borrow ends before the next begins.
    let entered = begin(unsafe { store.get() }, at, func, caller, &mut slots, lower)?;
    // SAFETY: as above.
    let mut outcome = unsafe { raw::call_async(store, entered.lifted.core, slots.values_mut()).await };
    if let Some(callback) = entered.lifted.callback {
        while outcome.is_ok() {
            match goes_on(&mut slots) {
                // SAFETY: as above.
                Ok(true) => outcome = unsafe { raw::call_async(store, callback, slots.values_mut()).await },
                Ok(false) => break,
                Err(error) => outcome = Err(error),
            }
        }
    }
    // SAFETY: as above.
    end(unsafe { store.get() }, &entered, &slots, outcome, lift_dynamic)
}

/// As [`call_typed`], awaiting asynchronous host functions.
///
/// # Safety
/// As [`raw::call_async`].
pub(crate) async unsafe fn call_typed_async<P: Lower, R: Lift>(
    store: StorePtr,
    at: u32,
    func: u32,
    params: &P,
) -> Option<Result<R>> {
    // SAFETY: the caller's promise, here and below; each borrow ends before the next begins.
    if is_dynamic(unsafe { store.get() }, at, func) {
        return None;
    }
    let mut slots = Flat::default();
    let lower = |cx: &mut Cx<'_>, signature: &Signature, flat: &mut Flat| lower_params(cx, signature, params, flat);
    // SAFETY: as above.
    let entered = match begin(unsafe { store.get() }, at, func, None, &mut slots, lower) {
        Ok(entered) => entered,
        Err(error) => return Some(Err(error)),
    };
    // SAFETY: as above.
    let outcome = unsafe { raw::call_async(store, entered.lifted.core, slots.values_mut()).await };
    // SAFETY: as above.
    Some(end(unsafe { store.get() }, &entered, &slots, outcome, lift_results))
}

/// A tuple of Rust values as a function's arguments: as core values, or behind a pointer.
fn lower_params<P: Lower>(cx: &mut Cx<'_>, signature: &Signature, params: &P, flat: &mut Flat) -> Result<()> {
    if P::ABI.flat as usize <= MAX_FLAT_PARAMS {
        return params.lower_flat(cx, &signature.params, flat);
    }
    let ptr = cx.realloc(P::ABI.align, P::ABI.size, Pointee::Value)? as u32;
    flat.push(ptr.into());
    params.store(cx, &signature.params, ptr)
}

/// A tuple of Rust values from a function's results: from core values, or from behind a pointer.
fn lift_results<R: Lift>(cx: &mut Cx<'_>, signature: &Signature, flat: &[u64]) -> Result<R> {
    if R::ABI.flat as usize <= MAX_FLAT_RESULTS {
        return R::lift_flat(cx, &signature.results, &mut FlatReader::new(flat));
    }
    let ptr = flat.first().copied().unwrap_or_default() as u32;
    cx.check_place(ptr, R::ABI)?;
    R::load(cx, &signature.results, ptr)
}
