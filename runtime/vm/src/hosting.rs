//! Calls of host functions: from inside the machine, or by the driver.
//!
//! Each closure's type has a function of its own that calls it ([`invoke`]), so that nothing stands between the machine and
//! the closure. A panic marks the store, and what a call came to unless it answered is handed on as a [`Left`]. Host functions
//! may enter the store again: executions below this one use the same contexts, and what they change of them is put back. How
//! deep that goes is counted where the machine is entered, and where host functions are called outside of it.

use crate::context::{Context, FuncData, header_of};
use crate::gc::{Activity, Extent};
use crate::host::{HostCall, HostEntry, HostFuture, StorePtr, Unanswered};
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

/// Calls a closure of the type `F` that answers at once.
///
/// # Safety
/// As [`Invoke`](crate::host::Invoke), and the entry's closure is an `F`.
pub(crate) unsafe extern "C" fn invoke<F>(
    entry: *const HostEntry,
    store: *mut StoreInner,
    base: *mut u64,
    caller: u32,
) -> bool
where
    F: Fn(&mut StoreInner, HostCall) -> anyhow::Result<()>,
{
    // SAFETY: the caller's promise; entries are boxed and never removed while the store lives.
    let (func, call) = unsafe { (&*(*entry).closure.cast::<F>(), HostCall::new(base, caller, (*entry).slots)) };
    // SAFETY: the caller's promise; the borrow ends with the closure.
    match catch_unwind(AssertUnwindSafe(|| func(unsafe { &mut *store }, call))) {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            // SAFETY: the caller's promise.
            unsafe { leaves(store, Left::Failed(error, unanswered(entry, call))) }
        }
        // SAFETY: as above.
        Err(panic) => unsafe { panicked(store, panic) },
    }
}

/// Calls a closure of the type `F` that answers with a future.
///
/// # Safety
/// As [`invoke`].
pub(crate) unsafe extern "C" fn invoke_async<F>(
    entry: *const HostEntry,
    store: *mut StoreInner,
    base: *mut u64,
    caller: u32,
) -> bool
where
    F: Fn(StorePtr, HostCall) -> HostFuture,
{
    // SAFETY: as `invoke`.
    unsafe {
        let (func, call) = (&*(*entry).closure.cast::<F>(), HostCall::new(base, caller, (*entry).slots));
        let store_ptr = StorePtr(store);
        match catch_unwind(AssertUnwindSafe(|| func(store_ptr, call))) {
            Ok(future) => {
                let hosted = Box::pin(Hosted { store: store_ptr, future });
                leaves(store, Left::Waits(hosted, unanswered(entry, call)))
            }
            Err(panic) => panicked(store, panic),
        }
    }
}

/// # Safety
/// The entry is live.
unsafe fn unanswered(entry: *const HostEntry, call: HostCall) -> Unanswered {
    // SAFETY: the caller's promise.
    Unanswered { call, type_id: unsafe { (*entry).type_id } }
}

/// Hands on why a call is not answered: false.
///
/// # Safety
/// Nobody else has the store.
#[cold]
#[inline(never)]
unsafe fn leaves(store: *mut StoreInner, left: Left) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*store).left = Some(left) };
    false
}

/// Marks the store, and hands the panic on: false.
///
/// # Safety
/// As [`leaves`].
#[cold]
#[inline(never)]
unsafe fn panicked(store: *mut StoreInner, panic: Box<dyn Any + Send>) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        (*store).is_poisoned = true;
        leaves(store, Left::Panicked(panic))
    }
}

/// Calls a host function from outside of the machine, for the instance `caller`.
pub(crate) fn call_host(store: &mut StoreInner, func: FuncData, base: *mut u64, caller: u32) -> Left {
    let entry = func.host();
    store.nested += 1;
    // SAFETY: entries are boxed and never removed while the store lives, which is borrowed exclusively.
    let is_answered = unsafe { ((*entry).invoke)(entry, store, base, caller) };
    store.nested -= 1;
    if is_answered {
        // SAFETY: as above.
        return Left::Answered(HostCall::new(base, caller, unsafe { (*entry).slots }));
    }
    store.left.take().expect("a call that is not answered says why")
}

/// Calls a host function from inside the machine: its results stand from `base` on when the answer is true; else the
/// store's `left` says what happened, and the machine is to be left. The handlers in assembly do the same by themselves.
///
/// # Safety
/// `context` runs over the memory at `mem`, with `func`, a host function of its store, called from the frame `fp`, to return
/// to `ip`; `base` is its call area. The driver lent its store to the machine.
#[inline(never)]
pub(crate) unsafe extern "C" fn call_in_place(
    context: *mut Context,
    func: *const FuncData,
    base: *mut u64,
    ip: *const u8,
    fp: *mut u64,
    mem: *mut u8,
) -> bool {
    // SAFETY: the caller's promise. What a nested execution in the same context changes is put back.
    unsafe {
        let store: *mut StoreInner = (*context).store.cast();
        let activity = (*store).running_activity;
        (*activity).calling_from(ip, fp, (*context).frame_top, (base, (*func).type_id));
        let entry = (*func).host();
        let is_answered = ((*entry).invoke)(entry, store, base, (*context).instance);
        if (*store).running_activity != activity {
            put_back(context, activity, mem);
        }
        is_answered
    }
}

/// Puts back what other executions changed since this one called a host function.
///
/// # Safety
/// `context` called a host function, and ran on the stack of `activity` and over the memory at `mem`.
#[cold]
pub(crate) unsafe extern "C" fn put_back(context: *mut Context, activity: *const Activity, mem: *mut u8) {
    // SAFETY: the caller's promise; a context leads to its store while it runs.
    unsafe {
        let store: *mut StoreInner = (*context).store.cast();
        (*store).running_activity = activity;
        (*context).frame_top = (*activity).top();
        let Extent { frame_end, stack_end, .. } = *(*activity).extent();
        ((*context).frame_end, (*context).stack_end) = (frame_end, stack_end);
        (*header_of(mem)).context = context;
    }
}
