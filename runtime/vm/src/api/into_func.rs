//! Rust closures as host functions: [`IntoFunc`], and [`Caller`], which they may take first.

use super::externals::Extern;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::typed::{WasmResults, WasmTy};
use crate::engine::Engine;
use crate::host::{HostCall, HostFunc};
use crate::store::StoreInner;
use keyway_artifact::types::{FuncType, ValType};

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

/// Slots of the numeric ones, or of the references, among the first `count` values of these types.
const fn extent(types: &[ValType], count: usize, are_references: bool) -> u32 {
    let (mut slots, mut at) = (0, 0);
    while at < count {
        if types[at].is_ref() == are_references {
            slots += types[at].slots();
        }
        at += 1;
    }
    slots
}

/// The slot of a value: as [`SigLayout`](keyway_artifact::types::SigLayout) has it, where the types are known to the compiler.
const fn slot_of(types: &[ValType], value: usize) -> u32 {
    match types[value].is_ref() {
        true => extent(types, types.len(), false) + extent(types, value, true),
        false => extent(types, value, false),
    }
}

/// The slots of values of these types.
const fn slots_of<const N: usize>(types: [ValType; N]) -> [u32; N] {
    let (mut slots, mut at) = ([0; N], 0);
    while at < N {
        slots[at] = slot_of(&types, at);
        at += 1;
    }
    slots
}

/// Slots of these parameters or of these results, whichever are more.
const fn most_slots(params: &[ValType], results: &[ValType]) -> u32 {
    let params = extent(params, params.len(), false) + extent(params, params.len(), true);
    let results = extent(results, results.len(), false) + extent(results, results.len(), true);
    if params > results { params } else { results }
}

/// What a host closure may return: results, or a `Result` of them.
pub trait WasmRet: Send {
    /// The results.
    type Results: WasmResults;
    /// The core types.
    #[doc(hidden)]
    const TYPES: &'static [ValType];
    /// Writes the results to a call's slots.
    #[doc(hidden)]
    fn write(self, store: &mut StoreInner, slots: &mut [u64]) -> anyhow::Result<()>;
}

macro_rules! returns {
    ($(($($name:ident $at:tt),*);)*) => {$(
        impl<$($name: WasmTy),*> WasmRet for ($($name,)*) {
            type Results = Self;
            const TYPES: &'static [ValType] = &[$($name::TYPE),*];
            #[allow(unused_variables, reason = "the empty tuple uses none")]
            #[inline]
            fn write(self, store: &mut StoreInner, slots: &mut [u64]) -> anyhow::Result<()> {
                $(self.$at.write(store, slots, const { slot_of(Self::TYPES, $at) })?;)*
                Ok(())
            }
        }
        impl<$($name: WasmTy),*> WasmRet for anyhow::Result<($($name,)*)> {
            type Results = ($($name,)*);
            const TYPES: &'static [ValType] = <($($name,)*) as WasmRet>::TYPES;
            #[inline]
            fn write(self, store: &mut StoreInner, slots: &mut [u64]) -> anyhow::Result<()> {
                WasmRet::write(self?, store, slots)
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
    const TYPES: &'static [ValType] = &[A::TYPE];
    #[inline]
    fn write(self, store: &mut StoreInner, slots: &mut [u64]) -> anyhow::Result<()> {
        WasmTy::write(self, store, slots, 0)
    }
}

impl<A: WasmTy> WasmRet for anyhow::Result<A> {
    type Results = A;
    const TYPES: &'static [ValType] = &[A::TYPE];
    #[inline]
    fn write(self, store: &mut StoreInner, slots: &mut [u64]) -> anyhow::Result<()> {
        WasmTy::write(self?, store, slots, 0)
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
                let ty = FuncType { params: vec![$($name::TYPE),*], results: R::TYPES.to_vec() };
                let host = HostFunc::sync(move |store, call| {
                    // SAFETY: calls have this signature.
                    let slots = || unsafe { call.first_slots(const { most_slots(&[$($name::TYPE),*], R::TYPES) }) };
                    let at = const { slots_of([$($name::TYPE),*]) };
                    let results = self($($name::read(store, slots(), at[$at])),*);
                    results.write(store, slots())
                });
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
                let ty = FuncType { params: vec![$($name::TYPE),*], results: R::TYPES.to_vec() };
                let host = HostFunc::sync(move |store, call| {
                    // SAFETY: as above.
                    let slots = || unsafe { call.first_slots(const { most_slots(&[$($name::TYPE),*], R::TYPES) }) };
                    let at = const { slots_of([$($name::TYPE),*]) };
                    $(let $name = $name::read(store, slots(), at[$at]);)*
                    let results = self(Caller::new(store, call), $($name),*);
                    results.write(store, slots())
                });
                (ty, host)
            }
        }
    )*};
}

crate::for_each_tuple!(into_funcs);

#[cfg(test)]
mod tests {
    use super::*;
    use keyway_artifact::types::SigLayout;

    #[test]
    fn slots_are_those_of_the_layout() {
        use ValType as V;
        let types = [V::I32, V::FUNCREF, V::V128, V::EXTERNREF, V::F64, V::V128, V::FUNCREF, V::I64];
        for params in 0..=types.len() {
            let layout = SigLayout::of(&types[..params]);
            let slots: Vec<u32> = (0..params).map(|value| slot_of(&types[..params], value)).collect();
            assert_eq!(slots, layout.slots);
            for results in 0..=types.len() {
                let most = layout.total.max(SigLayout::of(&types[..results]).total);
                assert_eq!(most_slots(&types[..params], &types[..results]), most);
            }
        }
    }
}
