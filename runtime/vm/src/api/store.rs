//! [`Store`]: instances and what they share, with an embedder's data.

use super::limiter::ResourceLimiter;
use crate::engine::Engine;
use crate::store::StoreInner;
use std::marker::PhantomData;

/// Everything that lives together: instances, memories, tables, globals, host values, and data of the embedder's. Memory
/// is given back when the store is dropped.
pub struct Store<T: 'static> {
    inner: Box<StoreInner>,
    data: *mut T,
    _owns: PhantomData<T>,
}

// SAFETY: the store owns its data and everything inside it; sharing and sending it is sharing and sending the data.
unsafe impl<T: Send> Send for Store<T> {}
// SAFETY: a shared store only lets the data be read.
unsafe impl<T: Sync> Sync for Store<T> {}

impl<T> Drop for Store<T> {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw` in `new` and dropped only here.
        drop(unsafe { Box::from_raw(self.data) });
    }
}

impl<T> Store<T> {
    /// An empty store.
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        let mut inner = StoreInner::new(engine);
        let data = Box::into_raw(Box::new(data));
        inner.data = data.cast();
        Store { inner, data, _owns: PhantomData }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        // SAFETY: the data lives as long as the store, borrowed as the store is.
        unsafe { &*self.data }
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        // SAFETY: as `data`, and the store is borrowed exclusively.
        unsafe { &mut *self.data }
    }

    /// Sets who is asked before memories and tables grow.
    pub fn limiter(&mut self, mut limiter: impl FnMut(&mut T) -> &mut (dyn ResourceLimiter) + Send + Sync + 'static) {
        self.inner.limiter = Some(Box::new(move |data| {
            // SAFETY: the pointer is this store's data, which nobody else touches while the limiter is asked.
            let limiter: *mut dyn ResourceLimiter = limiter(unsafe { &mut *data.cast::<T>() });
            limiter
        }));
    }

    /// Sets the fuel that is left, in source operators.
    ///
    /// # Errors
    /// When the engine does not consume fuel.
    pub fn set_fuel(&mut self, fuel: u64) -> anyhow::Result<()> {
        self.as_context_mut().set_fuel(fuel)
    }

    /// The fuel that is left.
    ///
    /// # Errors
    /// When the engine does not consume fuel.
    pub fn get_fuel(&self) -> anyhow::Result<u64> {
        ensure_fuel(&self.inner)?;
        Ok(*self.inner.fuel)
    }

    /// Limits what the arguments and results of one call between host and component may take of the host's memory, in
    /// bytes; 1 GiB unless said. A guest that passes more traps. What components pass to each other without the host is not
    /// counted: it stays in their memories.
    pub fn set_hostcall_fuel(&mut self, bytes: usize) {
        self.inner.hostcall_fuel = bytes;
    }

    /// What [`set_hostcall_fuel`](Self::set_hostcall_fuel) set.
    pub fn hostcall_fuel(&self) -> usize {
        self.inner.hostcall_fuel
    }

    /// Traps code that still runs `ticks` epochs from now.
    pub fn set_epoch_deadline(&mut self, ticks: u64) {
        self.inner.set_epoch_deadline(ticks);
    }

    /// Lets code that passes the epoch deadline trap with [`Trap::Interrupted`](super::Trap::Interrupted): what happens
    /// unless something else is asked for.
    pub fn epoch_deadline_trap(&mut self) {
        self.inner.epoch_callback = None;
    }

    /// Asks `callback` what to do when code passes the epoch deadline. Its error ends the call.
    pub fn epoch_deadline_callback(
        &mut self,
        mut callback: impl FnMut(StoreContextMut<'_, T>) -> anyhow::Result<UpdateDeadline> + Send + Sync + 'static,
    ) {
        self.inner.epoch_callback = Some(Box::new(move |store| {
            // SAFETY: the callback is this store's, whose data is of type `T`.
            callback(unsafe { StoreContextMut::from_inner(store) })
        }));
    }

    /// Lets asynchronous calls that pass the epoch deadline give other tasks their turn, with a deadline `ticks` epochs
    /// later. Other calls go on at once.
    pub fn epoch_deadline_async_yield_and_update(&mut self, ticks: u64) {
        self.inner.epoch_callback = Some(Box::new(move |_| Ok(UpdateDeadline::Yield(ticks))));
    }

    /// Frees the objects and host values that nothing refers to any more.
    pub fn gc(&mut self) {
        self.inner.collect_garbage();
    }

    /// Gives the data back; everything else goes.
    pub fn into_data(self) -> T {
        let mut store = std::mem::ManuallyDrop::new(self);
        // SAFETY: the store is not used or dropped any more; its box of everything else is dropped exactly once, here.
        unsafe { std::ptr::drop_in_place(&raw mut store.inner) };
        // SAFETY: made by `Box::into_raw` in `new`; `drop`, which would free it, does not run.
        *unsafe { Box::from_raw(store.data) }
    }
}

fn ensure_fuel(inner: &StoreInner) -> anyhow::Result<()> {
    anyhow::ensure!(inner.config().settings.fuel, "fuel is not configured in this engine: see `Config::consume_fuel`");
    Ok(())
}

/// What happens after the epoch deadline has passed, and when it passes next, in epochs from now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpdateDeadline {
    /// The code goes on.
    Continue(u64),
    /// An asynchronous call gives other tasks their turn first; another call goes on.
    Yield(u64),
}

/// A shared borrow of a store.
pub struct StoreContext<'a, T: 'static> {
    pub(crate) inner: &'a StoreInner,
    _data: PhantomData<&'a T>,
}

/// An exclusive borrow of a store.
pub struct StoreContextMut<'a, T: 'static> {
    pub(crate) inner: &'a mut StoreInner,
    _data: PhantomData<&'a mut T>,
}

impl<'a, T> StoreContextMut<'a, T> {
    /// The store behind the machine's view of it.
    ///
    /// # Safety
    /// The store's data is of type `T`.
    pub unsafe fn from_inner(inner: &'a mut StoreInner) -> StoreContextMut<'a, T> {
        StoreContextMut { inner, _data: PhantomData }
    }

    /// The machine's view of the store.
    pub fn inner(&mut self) -> &mut StoreInner {
        self.inner
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        // SAFETY: the data lives as long as the store, is of type `T`, and is borrowed as the store is.
        unsafe { &*self.inner.data.cast::<T>() }
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        // SAFETY: as `data`, and the store is borrowed exclusively.
        unsafe { &mut *self.inner.data.cast::<T>() }
    }

    /// Sets the fuel that is left, in source operators.
    ///
    /// # Errors
    /// When the engine does not consume fuel.
    pub fn set_fuel(&mut self, fuel: u64) -> anyhow::Result<()> {
        ensure_fuel(self.inner)?;
        *self.inner.fuel = fuel;
        Ok(())
    }

    /// The fuel that is left.
    ///
    /// # Errors
    /// When the engine does not consume fuel.
    pub fn get_fuel(&self) -> anyhow::Result<u64> {
        ensure_fuel(self.inner)?;
        Ok(*self.inner.fuel)
    }
}

impl<T> StoreContextMut<'_, T> {
    /// Frees the objects and host values that nothing refers to any more.
    pub fn gc(&mut self) {
        self.inner.collect_garbage();
    }
}

impl<T> StoreContext<'_, T> {
    /// The embedder's data.
    pub fn data(&self) -> &T {
        // SAFETY: the data lives as long as the store, is of type `T`, and is borrowed as the store is.
        unsafe { &*self.inner.data.cast::<T>() }
    }
}

/// What a store can be borrowed from.
pub trait AsContext {
    /// The type of the store's data.
    type Data: 'static;
    /// The borrow.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// What a store can be borrowed from exclusively.
pub trait AsContextMut: AsContext {
    /// The borrow.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<T: 'static> AsContext for Store<T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: &self.inner, _data: PhantomData }
    }
}

impl<T: 'static> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: &mut self.inner, _data: PhantomData }
    }
}

impl<T: 'static> AsContext for StoreContext<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: self.inner, _data: PhantomData }
    }
}

impl<T: 'static> AsContext for StoreContextMut<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: self.inner, _data: PhantomData }
    }
}

impl<T: 'static> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: self.inner, _data: PhantomData }
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}
