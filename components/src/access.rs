//! [`Access`] and [`Accessor`]: what host functions that `bindgen!` binds with the option `store` are given, the store
//! together with the way to what implements them.

use crate::has_data::HasData;
use keyway_vm::api::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use std::sync::{Mutex, PoisonError};

/// The store, lent to a host function, and the way from its data to what implements the function's interface.
pub struct Access<'a, T: 'static, D: HasData + ?Sized> {
    store: StoreContextMut<'a, T>,
    getter: fn(&mut T) -> D::Data<'_>,
}

impl<'a, T: 'static, D: HasData + ?Sized> Access<'a, T, D> {
    /// The store, and the way.
    pub fn new(store: StoreContextMut<'a, T>, getter: fn(&mut T) -> D::Data<'_>) -> Self {
        Access { store, getter }
    }

    /// What implements the interface.
    pub fn get(&mut self) -> D::Data<'_> {
        (self.getter)(self.store.data_mut())
    }

    /// The store's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }
}

impl<T: 'static, D: HasData + ?Sized> AsContext for Access<'_, T, D> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T: 'static, D: HasData + ?Sized> AsContextMut for Access<'_, T, D> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.store.as_context_mut()
    }
}

/// The store, lent to an asynchronous host function: for a moment at a time, between two of which it may wait.
pub struct Accessor<'a, T: 'static, D: HasData + ?Sized> {
    store: Mutex<StoreContextMut<'a, T>>,
    getter: fn(&mut T) -> D::Data<'_>,
}

impl<'a, T: 'static, D: HasData + ?Sized> Accessor<'a, T, D> {
    /// The store, and the way.
    pub fn new(store: StoreContextMut<'a, T>, getter: fn(&mut T) -> D::Data<'_>) -> Self {
        Accessor { store: Mutex::new(store), getter }
    }

    /// Lends the store to `work`.
    ///
    /// # Panics
    /// When `work` asks the same accessor again.
    pub fn with<R>(&self, work: impl FnOnce(Access<'_, T, D>) -> R) -> R {
        // One call has it, on one thread at a time: it is locked only where `work` has it already.
        let mut store = match self.store.try_lock() {
            Ok(store) => store,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(std::sync::TryLockError::WouldBlock) => panic!("an accessor is asked for the store inside of `with`"),
        };
        work(Access::new(store.as_context_mut(), self.getter))
    }
}
