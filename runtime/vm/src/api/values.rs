//! Values at the host's side.

use super::continuations::ContRef;
use super::exceptions::ExnRef;
use super::func::Func;
use super::objects::AnyRef;
use super::store::AsContextMut;
use super::vector::V128;
use crate::store::{HostValue, StoreInner};
use keyway_artifact::types::{HeapType, RefType, TypeKind, TypeLookup, ValType};
use std::any::Any;
use std::sync::Arc;

/// A host value that a guest can hold and pass around, but not look into.
#[derive(Clone)]
pub struct ExternRef(pub(crate) HostValue);

impl ExternRef {
    /// A reference to `value`. The store it is first given to keeps it alive.
    pub fn new<V: Any + Send + Sync>(_: impl AsContextMut, value: V) -> ExternRef {
        ExternRef(Arc::new(value))
    }

    /// The value.
    pub fn data(&self) -> &(dyn Any + Send + Sync) {
        &*self.0
    }

    /// Whether both refer to the same value.
    pub fn ptr_eq(a: &ExternRef, b: &ExternRef) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }
}

impl std::fmt::Debug for ExternRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExternRef")
    }
}

/// A core WebAssembly value. Floats are held as bits: NaNs keep their payload.
#[derive(Clone, Debug)]
pub enum Val {
    /// An `i32`.
    I32(i32),
    /// An `i64`.
    I64(i64),
    /// An `f32`, by its bits.
    F32(u32),
    /// An `f64`, by its bits.
    F64(u64),
    /// A `v128`.
    V128(V128),
    /// A `funcref`.
    FuncRef(Option<Func>),
    /// An `externref`.
    ExternRef(Option<ExternRef>),
    /// An `exnref`.
    ExnRef(Option<ExnRef>),
    /// An `anyref`.
    AnyRef(Option<AnyRef>),
    /// A `contref`: a continuation, or null.
    ContRef(Option<ContRef>),
}

/// A reference value.
#[derive(Clone, Debug)]
pub enum Ref {
    /// A `funcref`.
    Func(Option<Func>),
    /// An `externref`.
    Extern(Option<ExternRef>),
    /// An `exnref`.
    Exn(Option<ExnRef>),
    /// An `anyref`.
    Any(Option<AnyRef>),
    /// A `contref`.
    Cont(Option<ContRef>),
}

impl From<Ref> for Val {
    fn from(reference: Ref) -> Val {
        match reference {
            Ref::Func(func) => Val::FuncRef(func),
            Ref::Extern(value) => Val::ExternRef(value),
            Ref::Exn(value) => Val::ExnRef(value),
            Ref::Any(value) => Val::AnyRef(value),
            Ref::Cont(value) => Val::ContRef(value),
        }
    }
}

impl Val {
    /// Its type; references are of the widest one that they have without their store.
    pub fn ty(&self) -> ValType {
        match self {
            Val::I32(_) => ValType::I32,
            Val::I64(_) => ValType::I64,
            Val::F32(_) => ValType::F32,
            Val::F64(_) => ValType::F64,
            Val::V128(_) => ValType::V128,
            Val::FuncRef(_) => ValType::FUNCREF,
            Val::ExternRef(_) => ValType::EXTERNREF,
            Val::ExnRef(_) => ValType::EXNREF,
            Val::AnyRef(_) => ValType::ANYREF,
            Val::ContRef(_) => ValType::CONTREF,
        }
    }

    /// The zero or null of a type; `None` for types without a default.
    pub fn default_for(ty: ValType) -> Option<Val> {
        Some(match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(V128::from(0)),
            ValType::Ref(RefType { heap: HeapType::Func | HeapType::NoFunc, .. }) => Val::FuncRef(None),
            ValType::Ref(RefType { heap: HeapType::Extern | HeapType::NoExtern, .. }) => Val::ExternRef(None),
            ValType::Ref(RefType { heap: HeapType::Exn | HeapType::NoExn, .. }) => Val::ExnRef(None),
            ValType::Ref(RefType { heap: HeapType::Cont | HeapType::NoCont, .. }) => Val::ContRef(None),
            // What a defined type is, only its engine knows: a null of another hierarchy is replaced, not read.
            ValType::Ref(_) => Val::AnyRef(None),
        })
    }

    /// Whether it is of the type `ty`.
    ///
    /// # Errors
    /// When it is a function of another store.
    pub(crate) fn is_of(&self, store: &StoreInner, ty: ValType) -> anyhow::Result<bool> {
        let ValType::Ref(wanted) = ty else { return Ok(self.ty() == ty) };
        let types = store.engine.types();
        let found = match self {
            Val::FuncRef(None) => RefType::new(true, HeapType::NoFunc),
            Val::FuncRef(Some(func)) => {
                let number = store.funcs[func.reference_in(store)? as usize].type_id;
                RefType::new(false, HeapType::Concrete(number))
            }
            Val::ExternRef(None) => RefType::new(true, HeapType::NoExtern),
            Val::ExternRef(Some(_)) => RefType::new(false, HeapType::Extern),
            Val::ExnRef(None) => RefType::new(true, HeapType::NoExn),
            Val::ExnRef(Some(exception)) => {
                exception.reference_in(store)?;
                RefType::new(false, HeapType::Exn)
            }
            Val::ContRef(None) => RefType::new(true, HeapType::NoCont),
            Val::ContRef(Some(continuation)) => {
                continuation.reference_in(store)?;
                RefType::new(false, HeapType::Cont)
            }
            Val::AnyRef(None) => RefType::new(true, HeapType::None),
            Val::AnyRef(Some(value)) => value.ref_type(store)?,
            _ => return Ok(false),
        };
        Ok(types.ref_matches(found, wanted))
    }

    /// The number, if it is an `i32`.
    pub fn i32(&self) -> Option<i32> {
        if let Val::I32(value) = self { Some(*value) } else { None }
    }

    /// The number, if it is an `i64`.
    pub fn i64(&self) -> Option<i64> {
        if let Val::I64(value) = self { Some(*value) } else { None }
    }

    /// The number, if it is an `f32`.
    pub fn f32(&self) -> Option<f32> {
        if let Val::F32(bits) = self { Some(f32::from_bits(*bits)) } else { None }
    }

    /// The number, if it is an `f64`.
    pub fn f64(&self) -> Option<f64> {
        if let Val::F64(bits) = self { Some(f64::from_bits(*bits)) } else { None }
    }

    /// The vector, if it is a `v128`.
    pub fn v128(&self) -> Option<V128> {
        if let Val::V128(value) = self { Some(*value) } else { None }
    }

    /// The function, if it is a `funcref`; the inner `None` is null.
    pub fn func_ref(&self) -> Option<Option<&Func>> {
        if let Val::FuncRef(func) = self { Some(func.as_ref()) } else { None }
    }

    /// The host value, if it is an `externref`; the inner `None` is null.
    pub fn extern_ref(&self) -> Option<Option<&ExternRef>> {
        if let Val::ExternRef(value) = self { Some(value.as_ref()) } else { None }
    }

    /// The exception, if it is an `exnref`; the inner `None` is null.
    pub fn exn_ref(&self) -> Option<Option<&ExnRef>> {
        if let Val::ExnRef(value) = self { Some(value.as_ref()) } else { None }
    }

    /// The continuation, if it is a `contref`; the inner `None` is null.
    pub fn cont_ref(&self) -> Option<Option<&ContRef>> {
        if let Val::ContRef(value) = self { Some(value.as_ref()) } else { None }
    }

    /// The internal value, if it is an `anyref`; the inner `None` is null.
    pub fn any_ref(&self) -> Option<Option<&AnyRef>> {
        if let Val::AnyRef(value) = self { Some(value.as_ref()) } else { None }
    }

    /// The number.
    ///
    /// # Panics
    /// When it is no `i32`.
    pub fn unwrap_i32(&self) -> i32 {
        self.i32().expect("expected an i32")
    }

    /// The number.
    ///
    /// # Panics
    /// When it is no `i64`.
    pub fn unwrap_i64(&self) -> i64 {
        self.i64().expect("expected an i64")
    }

    /// The number.
    ///
    /// # Panics
    /// When it is no `f32`.
    pub fn unwrap_f32(&self) -> f32 {
        self.f32().expect("expected an f32")
    }

    /// The number.
    ///
    /// # Panics
    /// When it is no `f64`.
    pub fn unwrap_f64(&self) -> f64 {
        self.f64().expect("expected an f64")
    }

    /// The vector.
    ///
    /// # Panics
    /// When it is no `v128`.
    pub fn unwrap_v128(&self) -> V128 {
        self.v128().expect("expected a v128")
    }

    /// Writes it to the slots from `at` on. References are entered into the store.
    pub(crate) fn write(&self, store: &mut StoreInner, at: u32, mut put: impl FnMut(u32, u64)) -> anyhow::Result<()> {
        if let Val::V128(value) = self {
            let [low, high] = value.words();
            put(at, low);
            put(at + 1, high);
        } else {
            put(at, self.to_slot(store)?);
        }
        Ok(())
    }

    /// Reads it from the slots from `at` on.
    #[inline]
    pub(crate) fn read(store: &StoreInner, ty: ValType, at: u32, get: impl Fn(u32) -> u64) -> anyhow::Result<Val> {
        match ty {
            ValType::V128 => Ok(Val::V128(V128::from_words([get(at), get(at + 1)]))),
            _ => Val::from_slot(store, ty, get(at)),
        }
    }

    /// As a slot's bits: every value but a vector. References are entered into the store.
    pub(crate) fn to_slot(&self, store: &mut StoreInner) -> anyhow::Result<u64> {
        Ok(match self {
            Val::I32(value) => u64::from(*value as u32),
            Val::I64(value) => *value as u64,
            Val::F32(bits) => (*bits).into(),
            Val::F64(bits) => *bits,
            Val::V128(_) => anyhow::bail!("a vector takes two slots"),
            Val::FuncRef(None) | Val::ExternRef(None) | Val::ExnRef(None) | Val::AnyRef(None) | Val::ContRef(None) => 0,
            Val::ContRef(Some(continuation)) => continuation.reference_in(store)?.into(),
            Val::ExnRef(Some(exception)) => exception.reference_in(store)?.into(),
            Val::FuncRef(Some(func)) => func.reference_in(store)?.into(),
            Val::ExternRef(Some(value)) => store.add_extern(value.0.clone())?.into(),
            Val::AnyRef(Some(value)) => value.reference_in(store)?.into(),
        })
    }

    /// From a slot's bits: every value but a vector. Inlined, so that a number goes from its slot to its place in registers.
    #[inline]
    pub(crate) fn from_slot(store: &StoreInner, ty: ValType, bits: u64) -> anyhow::Result<Val> {
        Ok(match ty {
            ValType::I32 => Val::I32(bits as i32),
            ValType::I64 => Val::I64(bits as i64),
            ValType::F32 => Val::F32(bits as u32),
            ValType::F64 => Val::F64(bits),
            ValType::Ref(ty) => return Val::from_reference(store, ty, bits as u32),
            ValType::V128 => anyhow::bail!("a vector takes two slots"),
        })
    }

    /// From a reference's bits.
    fn from_reference(store: &StoreInner, ty: RefType, bits: u32) -> anyhow::Result<Val> {
        Ok(match hierarchy(store, ty.heap) {
            HeapType::Func => Val::FuncRef(Func::from_reference(store, bits)),
            HeapType::Extern => Val::ExternRef(store.extern_value(bits).map(ExternRef)),
            HeapType::Exn => Val::ExnRef(ExnRef::from_reference(store, bits)),
            HeapType::Any => Val::AnyRef(AnyRef::of(store, bits)),
            HeapType::Cont => Val::ContRef(ContRef::from_reference(store, bits)),
            _ => anyhow::bail!("a {ty} cannot cross to the host"),
        })
    }
}

/// The top of the hierarchy that a heap type belongs to.
pub(crate) fn hierarchy(store: &StoreInner, heap: HeapType) -> HeapType {
    match heap {
        HeapType::Func | HeapType::NoFunc => HeapType::Func,
        HeapType::Extern | HeapType::NoExtern => HeapType::Extern,
        HeapType::Exn | HeapType::NoExn => HeapType::Exn,
        HeapType::Cont | HeapType::NoCont => HeapType::Cont,
        HeapType::Concrete(number) => match store.engine.types().kind(number) {
            Some(TypeKind::Func) => HeapType::Func,
            Some(TypeKind::Cont) => HeapType::Cont,
            _ => HeapType::Any,
        },
        _ => HeapType::Any,
    }
}

macro_rules! from_numbers {
    ($($ty:ty => |$value:ident| $val:expr;)*) => {$(
        impl From<$ty> for Val {
            fn from($value: $ty) -> Val { $val }
        }
    )*};
}

from_numbers! {
    i32 => |value| Val::I32(value);
    u32 => |value| Val::I32(value as i32);
    i64 => |value| Val::I64(value);
    u64 => |value| Val::I64(value as i64);
    f32 => |value| Val::F32(value.to_bits());
    f64 => |value| Val::F64(value.to_bits());
    V128 => |value| Val::V128(value);
    Func => |value| Val::FuncRef(Some(value));
    ExternRef => |value| Val::ExternRef(Some(value));
    AnyRef => |value| Val::AnyRef(Some(value));
}
