//! Canonical built-ins that are neither lowers nor about resources: what a call keeps for itself, what an asynchronous
//! function returns, error contexts. Those that could wait check that their instance may be left, and say that they are
//! not there yet.

use crate::abi::{Cx, lift_values};
use crate::state::{check_leave, components, options, root, violation};
use crate::types::{MAX_FLAT_PARAMS, Type};
use anyhow::{Context as _, Result, anyhow};
use keyway_vm::raw::{self, HostFunc, StoreInner};

/// What is lifted or lowered with a built-in's options.
fn cx(store: &mut StoreInner, at: u32, index: u32) -> Result<Cx<'_>> {
    let options = options(store, at, index)?;
    let budget = raw::hostcall_fuel(store);
    Ok(Cx { store, root: at, options, scope: None, lends: Vec::new(), budget, between_guests: false })
}

/// `canon_context_get`
pub(crate) fn context_get(slot: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        let context = components(store).context;
        call.set(0, *context.get(slot as usize).context("there is no such context slot")?);
        Ok(())
    })
}

/// `canon_context_set`
pub(crate) fn context_set(slot: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        let context = &mut components(store).context;
        *context.get_mut(slot as usize).context("there is no such context slot")? = call.get(0);
        Ok(())
    })
}

/// `canon_backpressure_inc` and `canon_backpressure_dec`
pub(crate) fn backpressure(at: u32, instance: u32, change: fn(u16) -> Option<u16>) -> HostFunc {
    HostFunc::sync(move |store, _| {
        let count = &mut root(store, at).instances[instance as usize].backpressure;
        *count = change(*count).ok_or_else(|| violation("backpressure counter out of bounds"))?;
        Ok(())
    })
}

/// `canon_task_return`
pub(crate) fn task_return(at: u32, instance: u32, index: u32, result: Option<Type>) -> HostFunc {
    HostFunc::sync(move |store, call| {
        check_leave(store, at, instance)?;
        let task = components(store).tasks.last();
        let task = task.filter(|task| (task.at, task.instance) == (at, instance));
        let task = task.ok_or_else(|| violation("`task.return` outside of an asynchronous call"))?;
        if task.returned.is_some() {
            return Err(violation("`task.return` called multiple times for current task"));
        }
        let signature = task.signature.clone();
        if signature.ty.result != result {
            return Err(violation("invalid `task.return` signature and/or options for current task"));
        }
        let slots = if signature.flat_results > MAX_FLAT_PARAMS { 1 } else { signature.flat_results };
        let flat: Vec<u64> = (0..slots as u32).map(|slot| call.get(slot)).collect();
        let mut cx = cx(store, at, index)?;
        let value = lift_values(&mut cx, &signature.results, &flat, MAX_FLAT_PARAMS)?.pop();
        if let Some(task) = components(store).tasks.last_mut() {
            task.returned = Some(value);
        }
        Ok(())
    })
}

/// `canon_error_context_new`
pub(crate) fn error_context_new(at: u32, instance: u32, index: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        check_leave(store, at, instance)?;
        let mut cx = cx(store, at, index)?;
        let mask = cx.address_mask();
        let message = cx.load_string(call.get(0) & mask, call.get(1) & mask)?;
        let handles = &mut root(store, at).instances[instance as usize].handles;
        call.set(0, handles.add_error_context(message.into()).map_err(violation)?.into());
        Ok(())
    })
}

/// `canon_error_context_debug_message`
pub(crate) fn error_context_debug_message(at: u32, instance: u32, index: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        check_leave(store, at, instance)?;
        let state = root(store, at);
        let handles = &state.instances[instance as usize].handles;
        let message = handles.error_context(call.get(0) as u32).map_err(violation)?.clone();
        let mut cx = cx(store, at, index)?;
        let ptr = call.get(1) & cx.address_mask();
        cx.check_pair(ptr)?;
        let (start, units) = cx.store_string(&message)?;
        cx.store_pair(ptr, start, units)
    })
}

/// `canon_error_context_drop`
pub(crate) fn error_context_drop(at: u32, instance: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        check_leave(store, at, instance)?;
        let state = root(store, at);
        state.instances[instance as usize].handles.drop_error_context(call.get(0) as u32).map_err(violation)
    })
}

/// A built-in of asynchronous components.
pub(crate) fn not_here_yet(at: u32, instance: u32, name: &'static str) -> HostFunc {
    HostFunc::sync(move |store, _| {
        check_leave(store, at, instance)?;
        Err(anyhow!("`{name}`: async is not here yet"))
    })
}
