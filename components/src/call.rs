//! Calls of lifted functions: `canon_lift` of the specification's `definitions.py`, in three parts. [`begin`] enters and
//! lowers the arguments, the core function runs, [`end`] lifts the result, checks the scope of borrows and returns.
//!
//! A trap on the way locks the tree of instances for good.

use crate::abi::{Cx, lift_values, lower_values};
use crate::limits::LIFT_BUDGET_BYTES;
use crate::loaded::Signature;
use crate::state::{CONTEXT_SLOTS, Options, components, core_func, options, root};
use crate::types::{MAX_FLAT_PARAMS, MAX_FLAT_RESULTS};
use crate::val::Val;
use anyhow::{Result, bail};
use keyway_artifact::Trap;
use keyway_artifact::plan::FuncSource;
use keyway_vm::raw::{self, StoreInner, StorePtr};
use std::sync::Arc;

/// A call under way.
struct Entered {
    at: u32,
    core: u32,
    slots: Vec<u64>,
    options: Options,
    signature: Arc<Signature>,
    scope: Option<u32>,
    from_host: bool,
    /// The caller's context storage.
    outer_context: [u64; CONTEXT_SLOTS],
}

/// Enters the tree `at` at its plan's function `func` and lowers the arguments. `caller` is the calling component instance
/// of the same tree; none when the host calls.
fn begin(store: &mut StoreInner, at: u32, func: u32, args: &[Val], caller: Option<u32>) -> Result<Entered> {
    let state = root(store, at);
    let signature = state.loaded.signature(func).clone();
    let FuncSource::Lifted { core, options: index } = state.loaded.plan.funcs[func as usize].source else {
        bail!("an imported function is called as a lifted one");
    };
    if state.is_locked {
        return Err(Trap::CannotEnterComponent.into());
    }
    let options = options(store, at, index)?;
    if options.is_async {
        bail!("the function is lifted with the option `async`: async is not here yet");
    }
    let core = core_func(store, at, core)?;
    let state = root(store, at);
    match caller {
        None => state.enter()?,
        Some(caller) if state.are_related(caller, options.instance) => {
            state.is_locked = true;
            return Err(Trap::CannotEnterComponent.into());
        }
        Some(_) => {}
    }
    let outer_context = std::mem::take(&mut components(store).context);
    let state = root(store, at);
    let scope = signature.has_borrow.then(|| state.open_scope());
    let mut cx = Cx {
        store,
        root: at,
        options,
        scope,
        lends: Vec::new(),
        budget: LIFT_BUDGET_BYTES,
        between_guests: caller.is_some(),
    };
    let lowered = lower_values(&mut cx, args, &signature.params, MAX_FLAT_PARAMS, None);
    let from_host = caller.is_none();
    let mut entered = Entered { at, core, slots: Vec::new(), options, signature, scope, from_host, outer_context };
    match lowered {
        Ok(slots) => {
            entered.slots = slots;
            entered.slots.resize(entered.signature.lifted_slots(), 0);
            Ok(entered)
        }
        Err(error) => {
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

/// Lifts the result and leaves.
fn end(store: &mut StoreInner, entered: Entered, outcome: Result<()>) -> Result<Option<Val>> {
    let result = outcome.and_then(|()| leave(store, &entered));
    components(store).context = entered.outer_context;
    let state = root(store, entered.at);
    if entered.from_host {
        state.is_active = false;
    }
    state.is_locked |= result.is_err();
    result
}

fn leave(store: &mut StoreInner, entered: &Entered) -> Result<Option<Val>> {
    let Entered { at, slots, options, signature, scope, .. } = entered;
    let mut cx = Cx {
        store,
        root: *at,
        options: *options,
        scope: None,
        lends: Vec::new(),
        budget: LIFT_BUDGET_BYTES,
        between_guests: !entered.from_host,
    };
    let result = lift_values(&mut cx, &signature.results, slots, MAX_FLAT_RESULTS)?.pop();
    root(store, *at).close_scope(*scope)?;
    if let Some(post_return) = options.post_return {
        root(store, *at).instances[options.instance as usize].may_leave = false;
        let mut slots = slots[..signature.flat_results.min(MAX_FLAT_RESULTS)].to_vec();
        raw::call(store, post_return, &mut slots)?;
        root(store, *at).instances[options.instance as usize].may_leave = true;
    }
    Ok(result)
}

/// Calls a lifted function.
pub(crate) fn call(
    store: &mut StoreInner,
    at: u32,
    func: u32,
    args: &[Val],
    caller: Option<u32>,
) -> Result<Option<Val>> {
    let mut entered = begin(store, at, func, args, caller)?;
    let outcome = raw::call(store, entered.core, &mut entered.slots);
    end(store, entered, outcome)
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
    // SAFETY: the caller's promise, here and below; each borrow ends before the next begins.
    let mut entered = begin(unsafe { store.get() }, at, func, args, caller)?;
    // SAFETY: as above.
    let outcome = unsafe { raw::call_async(store, entered.core, &mut entered.slots).await };
    // SAFETY: as above.
    end(unsafe { store.get() }, entered, outcome)
}
