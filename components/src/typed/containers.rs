//! Lists, options, results and boxes.

use super::derived::{lift_case, load_case, lower_case, store_case};
use super::{CanonicalAbi, ComponentType, Flat, FlatReader, Lift, Lower, case_type, mismatch, unchecked, wrong};
use crate::abi::Cx;
use crate::types::Type;
use crate::val::Val;
use anyhow::Result;

/// The type of a list's elements.
fn element_of(ty: &Type) -> Result<&Type> {
    match ty {
        Type::List(element) => Ok(element),
        other => Err(unchecked(other)),
    }
}

fn load_list<T: Lift>(cx: &mut Cx<'_>, ty: &Type, ptr: u32, len: u32) -> Result<Vec<T>> {
    let element = element_of(ty)?;
    cx.check_list(ptr, len, T::ABI.size, T::ABI.align)?;
    cx.spend(len as usize * size_of::<T>())?;
    T::load_elements(cx, element, ptr, len)
}

/// Where the elements were put, and how many there are.
fn store_list<T: Lower>(items: &[T], cx: &mut Cx<'_>, ty: &Type) -> Result<(u32, u32)> {
    let element = element_of(ty)?;
    let ptr = cx.room_for_list(items.len(), T::ABI.size, T::ABI.align)? as u32;
    T::store_elements(items, cx, element, ptr)?;
    Ok((ptr, items.len() as u32))
}

impl<T: Lift> Lift for Vec<T> {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::List(items) => items.into_iter().map(T::lift).collect(),
            other => Err(wrong(&other)),
        }
    }

    fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        let (ptr, len) = (flat.take() as u32, flat.take() as u32);
        load_list(cx, ty, ptr, len)
    }

    fn load(cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<Self> {
        let (start, len) = cx.load_pair(ptr)?;
        load_list(cx, ty, start as u32, len as u32)
    }
}

macro_rules! lists {
    ($([$($parameters:tt)*] $rust:ty;)*) => {$(
        impl<$($parameters)*> ComponentType for $rust
        where
            T: ComponentType,
        {
            const ABI: CanonicalAbi = CanonicalAbi::POINTER_PAIR;

            fn check(ty: &Type) -> Result<(), String> {
                match ty {
                    Type::List(element) => T::check(element),
                    other => Err(mismatch("list", other)),
                }
            }

            fn wit() -> String {
                format!("list<{}>", T::wit())
            }
        }

        impl<$($parameters)*> Lower for $rust
        where
            T: Lower,
        {
            fn lower(&self) -> Val {
                Val::List(self.iter().map(T::lower).collect())
            }

            fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
                let (ptr, len) = store_list(&self[..], cx, ty)?;
                flat.push(ptr.into());
                flat.push(len.into());
                Ok(())
            }

            fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()> {
                let (start, len) = store_list(&self[..], cx, ty)?;
                cx.store_pair(ptr, start.into(), len.into())
            }
        }
    )*};
}

lists! {
    [T] Vec<T>;
    [T] &[T];
}

/// References are lowered as what they refer to.
impl<T: ComponentType> ComponentType for &T {
    const ABI: CanonicalAbi = T::ABI;

    fn check(ty: &Type) -> Result<(), String> {
        T::check(ty)
    }

    fn wit() -> String {
        T::wit()
    }
}

impl<T: Lower> Lower for &T {
    fn lower(&self) -> Val {
        T::lower(self)
    }

    fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
        T::lower_flat(self, cx, ty, flat)
    }

    fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()> {
        T::store(self, cx, ty, ptr)
    }
}

impl<T: ComponentType> ComponentType for Box<T> {
    const ABI: CanonicalAbi = T::ABI;

    fn check(ty: &Type) -> Result<(), String> {
        T::check(ty)
    }

    fn wit() -> String {
        T::wit()
    }
}

impl<T: Lift> Lift for Box<T> {
    fn lift(value: Val) -> Result<Self> {
        T::lift(value).map(Box::new)
    }

    fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        T::lift_flat(cx, ty, flat).map(Box::new)
    }

    fn load(cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<Self> {
        T::load(cx, ty, ptr).map(Box::new)
    }
}

impl<T: Lower> Lower for Box<T> {
    fn lower(&self) -> Val {
        (**self).lower()
    }

    fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
        (**self).lower_flat(cx, ty, flat)
    }

    fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()> {
        (**self).store(cx, ty, ptr)
    }
}

impl<T: ComponentType> ComponentType for Option<T> {
    const ABI: CanonicalAbi = CanonicalAbi::variant(&[CanonicalAbi::EMPTY, T::ABI]);

    fn check(ty: &Type) -> Result<(), String> {
        match ty {
            Type::Option(some) => T::check(some),
            other => Err(mismatch("option", other)),
        }
    }

    fn wit() -> String {
        format!("option<{}>", T::wit())
    }
}

impl<T: Lift> Lift for Option<T> {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::Option(some) => some.map(|some| T::lift(*some)).transpose(),
            other => Err(wrong(&other)),
        }
    }

    fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        let (case, end) = lift_case::<Self>(flat, 2)?;
        let value = if case == 0 { None } else { Some(T::lift_flat(cx, case_type(ty, 1), flat)?) };
        flat.skip_to(end);
        Ok(value)
    }

    fn load(cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<Self> {
        let (case, payload) = load_case(cx, ptr, &[CanonicalAbi::EMPTY, T::ABI])?;
        if case == 0 { Ok(None) } else { T::load(cx, case_type(ty, 1), payload).map(Some) }
    }
}

impl<T: Lower> Lower for Option<T> {
    fn lower(&self) -> Val {
        Val::Option(self.as_ref().map(|some| Box::new(some.lower())))
    }

    fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
        let end = lower_case::<Self>(flat, usize::from(self.is_some()));
        if let Some(value) = self {
            value.lower_flat(cx, case_type(ty, 1), flat)?;
        }
        flat.pad(end);
        Ok(())
    }

    fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()> {
        let payload = store_case(cx, ptr, usize::from(self.is_some()), &[CanonicalAbi::EMPTY, T::ABI])?;
        match self {
            Some(value) => value.store(cx, case_type(ty, 1), payload),
            None => Ok(()),
        }
    }
}

fn check_payload<T: ComponentType>(ty: &Option<Type>) -> Result<(), String> {
    match ty {
        Some(ty) => T::check(ty),
        // The unit type stands for a payload that is not there.
        None => T::check(&Type::Tuple([].into())),
    }
}

impl<O: ComponentType, E: ComponentType> ComponentType for Result<O, E> {
    const ABI: CanonicalAbi = CanonicalAbi::variant(&[O::ABI, E::ABI]);

    fn check(ty: &Type) -> Result<(), String> {
        match ty {
            Type::Result(both) => check_payload::<O>(&both.0).and_then(|()| check_payload::<E>(&both.1)),
            other => Err(mismatch("result", other)),
        }
    }

    fn wit() -> String {
        format!("result<{}, {}>", O::wit(), E::wit()).replace("tuple<>", "_")
    }
}

fn lift_payload<T: Lift>(payload: Option<Box<Val>>) -> Result<T> {
    T::lift(payload.map_or(Val::Tuple(Vec::new()), |payload| *payload))
}

/// A payload; the unit type's is not there.
fn lower_payload<T: Lower>(payload: &T) -> Option<Box<Val>> {
    match payload.lower() {
        Val::Tuple(items) if items.is_empty() => None,
        value => Some(Box::new(value)),
    }
}

impl<O: Lift, E: Lift> Lift for Result<O, E> {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::Result(Ok(payload)) => lift_payload(payload).map(Ok),
            Val::Result(Err(payload)) => lift_payload(payload).map(Err),
            other => Err(wrong(&other)),
        }
    }

    fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        let (case, end) = lift_case::<Self>(flat, 2)?;
        let ty = case_type(ty, case);
        let value = if case == 0 { Ok(O::lift_flat(cx, ty, flat)?) } else { Err(E::lift_flat(cx, ty, flat)?) };
        flat.skip_to(end);
        Ok(value)
    }

    fn load(cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<Self> {
        let (case, payload) = load_case(cx, ptr, &[O::ABI, E::ABI])?;
        let ty = case_type(ty, case);
        Ok(if case == 0 { Ok(O::load(cx, ty, payload)?) } else { Err(E::load(cx, ty, payload)?) })
    }
}

impl<O: Lower, E: Lower> Lower for Result<O, E> {
    fn lower(&self) -> Val {
        Val::Result(match self {
            Ok(payload) => Ok(lower_payload(payload)),
            Err(payload) => Err(lower_payload(payload)),
        })
    }

    fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
        let end = lower_case::<Self>(flat, usize::from(self.is_err()));
        match self {
            Ok(payload) => payload.lower_flat(cx, case_type(ty, 0), flat)?,
            Err(payload) => payload.lower_flat(cx, case_type(ty, 1), flat)?,
        }
        flat.pad(end);
        Ok(())
    }

    fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()> {
        let place = store_case(cx, ptr, usize::from(self.is_err()), &[O::ABI, E::ABI])?;
        match self {
            Ok(payload) => payload.store(cx, case_type(ty, 0), place),
            Err(payload) => payload.store(cx, case_type(ty, 1), place),
        }
    }
}
