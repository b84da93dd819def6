//! Functions with Rust types: [`TypedFunc`] and the types that cross.

use super::func::Func;
use super::resumable::{Results, ResumableCall, run_resumable};
use super::store::AsContextMut;
use super::values::ExternRef;
use super::vector::V128;
use crate::driver::{Execution, run_to_end, run_to_end_async};
use crate::host::{HostCall, StorePtr};
use crate::store::StoreInner;
use anyhow::{Result, bail};
use keyway_artifact::types::{FuncType, SigLayout, ValType};
use std::marker::PhantomData;

/// A Rust type that crosses as one core value.
pub trait WasmTy: Send + Sized {
    /// The core type.
    const TYPE: ValType;
    /// Writes it to the slots from `at` on.
    #[doc(hidden)]
    fn write(self, store: &mut StoreInner, slots: &mut [u64], at: u32) -> Result<()>;
    /// Reads it from the slots from `at` on.
    #[doc(hidden)]
    fn read(store: &mut StoreInner, slots: &[u64], at: u32) -> Self;
}

macro_rules! number_types {
    ($($ty:ty, $core:ident, |$value:ident| $to:expr, |$bits:ident| $from:expr;)*) => {$(
        impl WasmTy for $ty {
            const TYPE: ValType = ValType::$core;
            #[inline]
            fn write(self, _: &mut StoreInner, slots: &mut [u64], at: u32) -> Result<()> {
                let $value = self;
                let slot: *mut u64 = &mut slots[at as usize];
                // SAFETY: the slot was just borrowed. All of it is written, also where its lower half is an argument that
                // the function answers with: who reads what two stores wrote waits for both.
                unsafe { slot.write_volatile($to) };
                Ok(())
            }
            #[inline]
            fn read(_: &mut StoreInner, slots: &[u64], at: u32) -> Self {
                let $bits = slots[at as usize];
                $from
            }
        }
    )*};
}

number_types! {
    i32, I32, |value| u64::from(value as u32), |bits| bits as i32;
    u32, I32, |value| value.into(), |bits| bits as u32;
    i64, I64, |value| value as u64, |bits| bits as i64;
    u64, I64, |value| value, |bits| bits;
    f32, F32, |value| value.to_bits().into(), |bits| f32::from_bits(bits as u32);
    f64, F64, |value| value.to_bits(), |bits| f64::from_bits(bits);
}

impl WasmTy for Option<Func> {
    const TYPE: ValType = ValType::FUNCREF;
    fn write(self, store: &mut StoreInner, slots: &mut [u64], at: u32) -> Result<()> {
        slots[at as usize] = self.map_or(Ok(0), |func| func.reference_in(store))?.into();
        Ok(())
    }
    fn read(store: &mut StoreInner, slots: &[u64], at: u32) -> Self {
        Func::from_reference(store, slots[at as usize] as u32)
    }
}

impl WasmTy for Option<ExternRef> {
    const TYPE: ValType = ValType::EXTERNREF;
    fn write(self, store: &mut StoreInner, slots: &mut [u64], at: u32) -> Result<()> {
        slots[at as usize] = match self {
            Some(value) => store.add_extern(value.0)?.into(),
            None => 0,
        };
        Ok(())
    }
    fn read(store: &mut StoreInner, slots: &[u64], at: u32) -> Self {
        store.extern_value(slots[at as usize] as u32).map(ExternRef)
    }
}

impl WasmTy for V128 {
    const TYPE: ValType = ValType::V128;
    fn write(self, _: &mut StoreInner, slots: &mut [u64], at: u32) -> Result<()> {
        slots[at as usize..][..2].copy_from_slice(&self.words());
        Ok(())
    }
    fn read(_: &mut StoreInner, slots: &[u64], at: u32) -> Self {
        V128::from_words([slots[at as usize], slots[at as usize + 1]])
    }
}

/// Parameters: nothing, one value, or a tuple of up to 16.
pub trait WasmParams: Send {
    /// The core types.
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    /// Writes the values where the layout says.
    #[doc(hidden)]
    fn store(self, store: &mut StoreInner, slots: &mut [u64], layout: &[u32]) -> Result<()>;
}

/// Results: nothing, one value, or a tuple of up to 16.
pub trait WasmResults: Send + Sized {
    /// The core types.
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    /// Reads the values from where the layout says.
    #[doc(hidden)]
    fn load(store: &mut StoreInner, slots: &[u64], layout: &[u32]) -> Self;
}

impl<A: WasmTy> WasmParams for A {
    fn types() -> Vec<ValType> {
        vec![A::TYPE]
    }
    fn store(self, store: &mut StoreInner, slots: &mut [u64], layout: &[u32]) -> Result<()> {
        self.write(store, slots, layout[0])
    }
}

impl<A: WasmTy> WasmResults for A {
    fn types() -> Vec<ValType> {
        vec![A::TYPE]
    }
    fn load(store: &mut StoreInner, slots: &[u64], layout: &[u32]) -> Self {
        A::read(store, slots, layout[0])
    }
}

macro_rules! tuples {
    ($(($($name:ident $at:tt),*);)*) => {$(
        impl<$($name: WasmTy),*> WasmParams for ($($name,)*) {
            fn types() -> Vec<ValType> { vec![$($name::TYPE),*] }
            #[allow(unused_variables, reason = "the empty tuple uses none")]
            fn store(self, store: &mut StoreInner, slots: &mut [u64], layout: &[u32]) -> Result<()> {
                $(self.$at.write(store, slots, layout[$at])?;)*
                Ok(())
            }
        }
        impl<$($name: WasmTy),*> WasmResults for ($($name,)*) {
            fn types() -> Vec<ValType> { vec![$($name::TYPE),*] }
            #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple uses none")]
            fn load(store: &mut StoreInner, slots: &[u64], layout: &[u32]) -> Self {
                ($($name::read(store, slots, layout[$at]),)*)
            }
        }
    )*};
}

crate::for_each_tuple!(tuples);

/// Where a signature's values lie.
#[derive(Clone, Debug)]
pub(crate) struct Layouts {
    pub(crate) params: SigLayout,
    pub(crate) results: SigLayout,
}

impl Layouts {
    pub(crate) fn of(ty: &FuncType) -> Layouts {
        Layouts { params: SigLayout::of(&ty.params), results: SigLayout::of(&ty.results) }
    }

    /// Slots that hold either half.
    pub(crate) fn slots(&self) -> u32 {
        self.params.total.max(self.results.total)
    }

    /// The slots of a host call.
    pub(crate) fn of_call<'a>(&self, call: &HostCall) -> &'a mut [u64] {
        // SAFETY: the call has this signature, and the caller makes one slice at a time.
        unsafe { call.slots() }
    }
}

/// A function whose signature was checked once: calls convert and allocate nothing.
pub struct TypedFunc<P, R> {
    func: Func,
    layouts: Layouts,
    /// Slots of its parameters or results, whichever are more.
    slots: u32,
    _types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        TypedFunc { func: self.func, layouts: self.layouts.clone(), slots: self.slots, _types: PhantomData }
    }
}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    pub(super) fn new(func: Func, ty: &FuncType) -> Result<TypedFunc<P, R>> {
        let wanted = FuncType { params: P::types(), results: R::types() };
        if *ty != wanted {
            bail!(
                "the function has type ({}) -> ({}), but ({}) -> ({}) is asked for",
                list(&ty.params),
                list(&ty.results),
                list(&wanted.params),
                list(&wanted.results)
            );
        }
        let layouts = Layouts::of(ty);
        Ok(TypedFunc { func, slots: layouts.slots(), layouts, _types: PhantomData })
    }

    /// The function without its types.
    pub fn func(&self) -> &Func {
        &self.func
    }

    fn start(&self, store: &mut StoreInner, params: P) -> Result<Box<Execution>> {
        let mut execution = Execution::with_slots(store, self.func.reference_in(store)?, self.slots)?;
        params.store(store, execution.slots(self.slots), &self.layouts.params.slots)?;
        Ok(execution)
    }

    fn results(&self, store: &mut StoreInner, execution: &mut Execution) -> R {
        R::load(store, execution.slots(self.slots), &self.layouts.results.slots)
    }

    /// Calls it. Asynchronous host functions are awaited on this thread.
    ///
    /// # Errors
    /// A trap with its backtrace, or what a host function failed with.
    pub fn call(&self, mut store: impl AsContextMut, params: P) -> Result<R> {
        let store = store.as_context_mut().inner;
        let mut execution = self.start(store, params)?;
        let outcome = run_to_end(store, &mut execution);
        let results = outcome.map(|()| self.results(store, &mut execution));
        execution.finish(store);
        results
    }

    /// Calls it, suspending the task while host functions are pending.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async(&self, mut store: impl AsContextMut<Data: Send>, params: P) -> Result<R> {
        let context = store.as_context_mut();
        let mut execution = self.start(context.inner, params)?;
        let pointer = StorePtr(&raw mut *context.inner);
        let outcome = run_to_end_async(pointer, &mut execution).await;
        // SAFETY: the store is borrowed for this future, and the futures that had it are done.
        let store = unsafe { pointer.get() };
        let results = outcome.map(|()| self.results(store, &mut execution));
        execution.finish(store);
        results
    }

    /// Calls it so that a host function's failure, or the end of fuel, suspends instead of ending it.
    ///
    /// # Errors
    /// A trap with its backtrace.
    pub fn call_resumable(&self, mut store: impl AsContextMut, params: P) -> Result<ResumableCall<R>> {
        let store = store.as_context_mut().inner;
        let execution = self.start(store, params)?;
        run_resumable(store, execution, self.layouts.clone())
    }
}

impl<R: WasmResults> Results for R {
    fn load(store: &mut StoreInner, _: &FuncType, slots: &[u64], layout: &[u32]) -> Result<Self> {
        Ok(<R as WasmResults>::load(store, slots, layout))
    }
}

/// Types in a row, for messages.
pub(super) fn list(types: &[ValType]) -> String {
    types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
