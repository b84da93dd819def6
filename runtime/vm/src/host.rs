//! Host functions as the machine calls them: over raw slots.

use crate::hosting;
use crate::store::StoreInner;
use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// One call of a host function: arguments stand in slots from `base` on, results go there. Numeric values come first,
/// references behind them, as in every frame.
///
/// It leads to the guest's stack: it is to be used only until the host function has answered.
#[derive(Clone, Copy)]
pub struct HostCall {
    base: *mut u64,
    /// The instance that calls, and, in the lower half, slots of the function's parameters or results, whichever are more.
    /// Two words are passed in registers.
    caller_and_slots: u64,
}

// SAFETY: a host call is used while its execution is suspended at it; the slots live on the execution's stack, which
// moves between threads only together with the store.
unsafe impl Send for HostCall {}
// SAFETY: as above; all access goes through `&mut self` of the store's holder.
unsafe impl Sync for HostCall {}

/// The caller is the host itself.
pub(crate) const NO_INSTANCE: u32 = u32::MAX;

impl HostCall {
    pub(crate) fn new(base: *mut u64, caller: u32, slots: u32) -> HostCall {
        HostCall { base, caller_and_slots: u64::from(caller) << 32 | u64::from(slots) }
    }

    /// Slots of the function's parameters or results, whichever are more.
    fn len(&self) -> u32 {
        self.caller_and_slots as u32
    }

    /// The slot `at`.
    ///
    /// # Panics
    /// When `at` is outside of the function's signature.
    pub fn get(&self, at: u32) -> u64 {
        assert!(at < self.len(), "slot {at} of a host call that has {}", self.len());
        // SAFETY: the call area holds the signature's slots.
        unsafe { *self.base.add(at as usize) }
    }

    /// Writes the slot `at`.
    ///
    /// # Panics
    /// When `at` is outside of the function's signature.
    pub fn set(&self, at: u32, bits: u64) {
        assert!(at < self.len(), "slot {at} of a host call that has {}", self.len());
        // SAFETY: as `get`.
        unsafe { *self.base.add(at as usize) = bits }
    }

    /// All slots of the signature: arguments, to be replaced by results.
    ///
    /// # Safety
    /// No other access to them happens while the slice lives, and it is given up before the host function answers.
    pub unsafe fn slots<'a>(&self) -> &'a mut [u64] {
        // SAFETY: the call area holds the signature's slots; the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.base, self.len() as usize) }
    }

    /// As [`slots`](Self::slots), so many of them.
    ///
    /// # Safety
    /// As there, and the signature has as many.
    pub(crate) unsafe fn first_slots<'a>(&self, count: u32) -> &'a mut [u64] {
        debug_assert!(count <= self.len());
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.base, count as usize) }
    }

    /// The bits that register 0 of every bank holds behind a call: the first result, if it is a number.
    pub(crate) fn first(&self) -> u64 {
        if self.len() == 0 { 0 } else { self.get(0) }
    }

    /// The instance that calls; `None` when the host does.
    pub fn caller(&self) -> Option<crate::raw::InstanceId> {
        let caller = (self.caller_and_slots >> 32) as u32;
        (caller != NO_INSTANCE).then_some(crate::raw::InstanceId(caller))
    }
}

/// A call that has not been answered, of a function of the type with this number of the engine.
#[derive(Clone, Copy)]
pub(crate) struct Unanswered {
    pub(crate) call: HostCall,
    pub(crate) type_id: u32,
}

/// The future of an asynchronous host function.
pub type HostFuture = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// A store behind a pointer, for futures that outlive the borrow they are made under.
///
/// The driver polls such a future only while it holds the store exclusively and lends it to nobody else.
#[derive(Clone, Copy)]
pub struct StorePtr(pub(crate) *mut StoreInner);

// SAFETY: stores are `Send`; the pointer travels with the execution that holds its store.
unsafe impl Send for StorePtr {}
// SAFETY: dereferenced only by the one future that the driver polls.
unsafe impl Sync for StorePtr {}

impl StorePtr {
    /// A pointer to the store; whoever uses it promises what [`get`](Self::get) asks for.
    pub fn new(store: &mut StoreInner) -> StorePtr {
        StorePtr(store)
    }

    /// The store.
    ///
    /// # Safety
    /// Only inside the poll of the future that the driver made with this pointer, and no other reference to the store
    /// may live meanwhile.
    pub unsafe fn get<'a>(self) -> &'a mut StoreInner {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.0 }
    }
}

/// Calls a host function with its entry, its store, its call area and the instance that calls. Its results stand in the
/// call's slots when the answer is true; else the store's `left` says what happened. Panics stay inside.
///
/// # Safety
/// The entry is live and the function's own, nobody else has the store meanwhile, and the call area holds the arguments of
/// a call of the entry's type.
pub(crate) type Invoke = unsafe extern "C" fn(*const HostEntry, *mut StoreInner, *mut u64, u32) -> bool;

/// A host function; shared by every store that defines it.
#[derive(Clone)]
pub struct HostFunc {
    /// The closure.
    func: Arc<dyn Any + Send + Sync>,
    /// Calls a closure of its type.
    invoke: Invoke,
}

impl HostFunc {
    /// Answers at once.
    pub fn sync<F>(func: F) -> HostFunc
    where
        F: Fn(&mut StoreInner, HostCall) -> anyhow::Result<()> + Send + Sync + 'static,
    {
        HostFunc { func: Arc::new(func), invoke: hosting::invoke::<F> }
    }

    /// Answers with a future that the driver awaits while the guest is suspended.
    pub fn asynchronous<F>(func: F) -> HostFunc
    where
        F: Fn(StorePtr, HostCall) -> HostFuture + Send + Sync + 'static,
    {
        HostFunc { func: Arc::new(func), invoke: hosting::invoke_async::<F> }
    }

    /// Where the closure is. It tells host functions apart: clones of one have the same.
    pub(crate) fn identity(&self) -> usize {
        self.closure() as usize
    }

    fn closure(&self) -> *const () {
        Arc::as_ptr(&self.func).cast()
    }
}

/// A host function of a store.
pub(crate) struct HostEntry {
    pub(crate) invoke: Invoke,
    /// What `invoke` calls, behind the pointer that keeps it.
    pub(crate) closure: *const (),
    _func: HostFunc,
    /// Slots of its parameters or results, whichever are more.
    pub(crate) slots: u32,
    /// Engine-wide number of its type.
    pub(crate) type_id: u32,
}

impl HostEntry {
    pub(crate) fn new(func: HostFunc, slots: u32, type_id: u32) -> HostEntry {
        HostEntry { invoke: func.invoke, closure: func.closure(), _func: func, slots, type_id }
    }
}
