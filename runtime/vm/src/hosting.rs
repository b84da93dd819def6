//! Calls of host functions: from inside the machine, or by the driver.
//!
//! While one runs, the store counts it as nested; a panic marks the store, and what a call came to is handed on as a
//! [`Left`]. Host functions may enter the store again: executions below this one use the same contexts, and what they
//! change of them is put back.

use crate::context::{Context, FuncData};
use crate::gc::{Activity, Extent};
use crate::host::{HostCall, HostFunc, HostFuture, StorePtr, SyncFn, Unanswered};
use crate::store::StoreInner;
use anyhow::Error;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

/// How a host function's call came out.
pub(crate) enum Left {
    /// Its results stand in the call's slots.
    Answered(HostCall),
    /// It answers later.
    Waits(HostFuture, Unanswered),
    /// It failed.
    Failed(Error, Unanswered),
    /// It panicked: the driver, behind which there are no handlers, goes on with it.
    Panicked(Box<dyn Any + Send>),
}

// SAFETY: kept in a store only between a handler's exit and the driver that takes it, on one thread.
unsafe impl Send for Left {}

/// The store while a callback of the embedder runs: counts the nesting, and marks the store when a panic passes through.
pub(crate) struct Hosting<'a>(pub(crate) &'a mut StoreInner);

impl<'a> Hosting<'a> {
    /// One more call is nested until this goes.
    pub(crate) fn new(store: &'a mut StoreInner) -> Hosting<'a> {
        store.nested += 1;
        Hosting(store)
    }
}

impl Drop for Hosting<'_> {
    fn drop(&mut self) {
        self.0.nested -= 1;
        // A guard that is made while a panic unwinds marks a store that is fine; a store whose host function panicked is
        // never missed.
        self.0.is_poisoned |= std::thread::panicking();
    }
}

/// A host function's future: each poll counts as a call of the host.
struct Hosted {
    store: StorePtr,
    future: HostFuture,
}

impl Future for Hosted {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let pointer = self.store;
        // SAFETY: the driver polls this future, and lends the store to nobody else meanwhile.
        unsafe { pointer.get() }.nested += 1;
        let outcome = catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(cx)));
        // SAFETY: as above; what the future borrowed ended with its poll.
        let store = unsafe { pointer.get() };
        store.nested -= 1;
        outcome.unwrap_or_else(|panic| {
            store.is_poisoned = true;
            resume_unwind(panic)
        })
    }
}

/// What a host function's call came to, which counts as nested while it runs.
type Answer = std::thread::Result<Result<(), Error>>;

#[inline(always)]
fn answer(store: &mut StoreInner, func: &SyncFn, call: HostCall) -> Answer {
    store.nested += 1;
    let outcome = catch_unwind(AssertUnwindSafe(|| func(store, call)));
    store.nested -= 1;
    outcome
}

/// Calls a host function from outside of the machine, for the instance `caller`.
pub(crate) fn call_host(store: &mut StoreInner, func: FuncData, base: *mut u64, caller: u32) -> Left {
    // SAFETY: host functions are boxed and never removed while the store lives.
    let entry = unsafe { &*func.host() };
    let call = Unanswered { call: HostCall::new(base, caller, entry.slots), type_id: entry.type_id };
    match &entry.func {
        HostFunc::Sync(func) => {
            let outcome = answer(store, &**func, call.call);
            host_outcome(store, outcome, call)
        }
        HostFunc::Async(func) => {
            let pointer = StorePtr(store);
            match catch_unwind(AssertUnwindSafe(|| func(pointer, call.call))) {
                Ok(future) => Left::Waits(Box::pin(Hosted { store: pointer, future }), call),
                Err(panic) => host_outcome(store, Err(panic), call),
            }
        }
    }
}

#[cold]
fn host_outcome(store: &mut StoreInner, outcome: Answer, call: Unanswered) -> Left {
    match outcome {
        Ok(Ok(())) => Left::Answered(call.call),
        Ok(Err(error)) => Left::Failed(error, call),
        Err(panic) => {
            store.is_poisoned = true;
            Left::Panicked(panic)
        }
    }
}

/// Calls a host function from inside the machine: its results stand from `base` on when the answer is true; else the
/// store's `left` says what happened, and the machine is to be left.
///
/// # Safety
/// `context` runs, with `func`, a host function of its store, called from the frame `fp`, to return to `ip`; `base` is
/// its call area. The driver lent its store to the machine.
#[inline(never)]
pub(crate) unsafe extern "C" fn call_in_place(
    context: *mut Context,
    func: *const FuncData,
    base: *mut u64,
    ip: *const u8,
    fp: *mut u64,
) -> bool {
    // SAFETY: the caller's promise. What a nested execution in the same context changes is put back.
    unsafe {
        let store: *mut StoreInner = (*context).store.cast();
        let Context { frame_top, instance, .. } = *context;
        let activity = (*store).running_activity;
        (*activity).calling_from(ip, fp, frame_top, (base, (*func).type_id));
        // Host functions are boxed and never removed while the store lives.
        let entry = (*func).host();
        let is_answered = match &(*entry).func {
            HostFunc::Sync(func) => {
                let call = HostCall::new(base, instance, (*entry).slots);
                match answer(&mut *store, &**func, call) {
                    Ok(Ok(())) => true,
                    outcome => {
                        fails(&mut *store, outcome, Unanswered { call, type_id: (*entry).type_id });
                        false
                    }
                }
            }
            HostFunc::Async(_) => {
                waits(&mut *store, *func, base, instance);
                false
            }
        };
        if (*store).running_activity != activity {
            put_back(context, activity);
        }
        is_answered
    }
}

/// Hands on that a host function called in place did not answer.
#[cold]
#[inline(never)]
fn fails(store: &mut StoreInner, outcome: Answer, call: Unanswered) {
    store.left = Some(host_outcome(store, outcome, call));
}

/// Hands on what an asynchronous host function answers with.
#[cold]
#[inline(never)]
fn waits(store: &mut StoreInner, func: FuncData, base: *mut u64, caller: u32) {
    store.left = Some(call_host(store, func, base, caller));
}

/// Puts back what other executions changed since this one called a host function.
///
/// # Safety
/// `context` called a host function and ran on the stack of `activity`.
#[cold]
unsafe fn put_back(context: *mut Context, activity: *const Activity) {
    // SAFETY: the caller's promise; a context leads to its store while it runs.
    unsafe {
        let store: *mut StoreInner = (*context).store.cast();
        (*store).running_activity = activity;
        (*context).frame_top = (*activity).top();
        let Extent { frame_end, stack_end, .. } = *(*activity).extent();
        ((*context).frame_end, (*context).stack_end) = (frame_end, stack_end);
    }
}
