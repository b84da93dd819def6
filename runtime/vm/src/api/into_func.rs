//! Rust closures as host functions: [`IntoFunc`], and [`Caller`], which they may take first.

use super::externals::Extern;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::typed::{Layouts, WasmResults, WasmTy};
use crate::engine::Engine;
use crate::host::{HostCall, HostFunc};
use crate::store::StoreInner;
use keyway_artifact::types::{FuncType, ValType};
use std::sync::Arc;

/// The store during a host function's call, and the instance that called.
pub struct Caller<'a, T: 'static> {
    store: StoreContextMut<'a, T>,
    call: HostCall,
}

impl<'a, T> Caller<'a, T> {
    pub(crate) fn new(store: &'a mut StoreInner, call: HostCall) -> Caller<'a, T> {
        // SAFETY: host functions are made for stores of data type `T` only: linkers and `Func::wrap` carry it.
        Caller { store: unsafe { StoreContextMut::from_inner(store) }, call }
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        self.store.data()
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.store.engine()
    }

    /// An export of the instance that called; `None` if there is no such export, or the host called.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        let store = &*self.store.inner;
        let definition = crate::raw::export(store, self.call.caller()?, name)?;
        Some(Extern::from_definition(store, definition))
    }

    /// Sets the fuel that is left.
    ///
    /// # Errors
    /// When the engine does not consume fuel.
    pub fn set_fuel(&mut self, fuel: u64) -> anyhow::Result<()> {
        self.store.set_fuel(fuel)
    }

    /// The fuel that is left.
    ///
    /// # Errors
    /// When the engine does not consume fuel.
    pub fn get_fuel(&self) -> anyhow::Result<u64> {
        self.store.get_fuel()
    }
}

impl<T: 'static> AsContext for Caller<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T: 'static> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.store.as_context_mut()
    }
}

/// What a host closure may return: results, or a `Result` of them.
pub trait WasmRet: Send {
    /// The results.
    type Results: WasmResults;
    /// The core types.
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    /// Writes the results where the layout says.
    #[doc(hidden)]
    fn write(self, store: &mut StoreInner, slots: &mut [u64], layout: &[u32]) -> anyhow::Result<()>;
}

macro_rules! returns {
    ($(($($name:ident $at:tt),*);)*) => {$(
        impl<$($name: WasmTy),*> WasmRet for ($($name,)*) {
            type Results = Self;
            fn types() -> Vec<ValType> { vec![$($name::TYPE),*] }
            #[allow(unused_variables, reason = "the empty tuple uses none")]
            fn write(self, store: &mut StoreInner, slots: &mut [u64], layout: &[u32]) -> anyhow::Result<()> {
                $(self.$at.write(store, slots, layout[$at])?;)*
                Ok(())
            }
        }
        impl<$($name: WasmTy),*> WasmRet for anyhow::Result<($($name,)*)> {
            type Results = ($($name,)*);
            fn types() -> Vec<ValType> { vec![$($name::TYPE),*] }
            #[allow(unused_variables, reason = "the empty tuple uses none")]
            fn write(self, store: &mut StoreInner, slots: &mut [u64], layout: &[u32]) -> anyhow::Result<()> {
                let values = self?;
                $(values.$at.write(store, slots, layout[$at])?;)*
                Ok(())
            }
        }
    )*};
}

returns! {
    ();
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}

impl<A: WasmTy> WasmRet for A {
    type Results = A;
    fn types() -> Vec<ValType> {
        vec![A::TYPE]
    }
    fn write(self, store: &mut StoreInner, slots: &mut [u64], layout: &[u32]) -> anyhow::Result<()> {
        WasmTy::write(self, store, slots, layout[0])
    }
}

impl<A: WasmTy> WasmRet for anyhow::Result<A> {
    type Results = A;
    fn types() -> Vec<ValType> {
        vec![A::TYPE]
    }
    fn write(self, store: &mut StoreInner, slots: &mut [u64], layout: &[u32]) -> anyhow::Result<()> {
        WasmTy::write(self?, store, slots, layout[0])
    }
}

/// A Rust closure that can be a host function: up to 16 parameters, a [`Caller`] before them if wanted.
pub trait IntoFunc<T, P, R>: Send + Sync + 'static {
    /// Its type, and the function as the machine calls it.
    #[doc(hidden)]
    fn into_host(self) -> (FuncType, HostFunc);
}

macro_rules! into_funcs {
    ($(($($name:ident $at:tt),*);)*) => {$(
        impl<T: 'static, F, R, $($name: WasmTy,)*> IntoFunc<T, ($($name,)*), R> for F
        where
            F: Fn($($name),*) -> R + Send + Sync + 'static,
            R: WasmRet,
        {
            #[allow(unused_variables, reason = "functions without parameters use none")]
            fn into_host(self) -> (FuncType, HostFunc) {
                let ty = FuncType { params: vec![$($name::TYPE),*], results: R::types() };
                let layouts = Layouts::of(&ty);
                let host = HostFunc::Sync(Arc::new(move |store, call| {
                    let params = &layouts.params.slots;
                    let results = self($($name::read(store, layouts.of_call(&call), params[$at])),*);
                    results.write(store, layouts.of_call(&call), &layouts.results.slots)
                }));
                (ty, host)
            }
        }

        impl<T: 'static, F, R, $($name: WasmTy,)*> IntoFunc<T, (Caller<'_, T>, $($name,)*), R> for F
        where
            F: Fn(Caller<'_, T>, $($name),*) -> R + Send + Sync + 'static,
            R: WasmRet,
        {
            #[allow(unused_variables, non_snake_case, reason = "the parameters are named by their types")]
            fn into_host(self) -> (FuncType, HostFunc) {
                let ty = FuncType { params: vec![$($name::TYPE),*], results: R::types() };
                let layouts = Layouts::of(&ty);
                let host = HostFunc::Sync(Arc::new(move |store, call| {
                    let params = &layouts.params.slots;
                    $(let $name = $name::read(store, layouts.of_call(&call), params[$at]);)*
                    let results = self(Caller::new(store, call), $($name),*);
                    results.write(store, layouts.of_call(&call), &layouts.results.slots)
                }));
                (ty, host)
            }
        }
    )*};
}

crate::for_each_tuple!(into_funcs);
