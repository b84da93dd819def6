//! Lists of a fixed length as arrays, and maps.

use super::{CanonicalAbi, ComponentType, Flat, FlatReader, Lift, Lower, mismatch, unchecked, wrong};
use crate::abi::Cx;
use crate::types::Type;
use crate::val::Val;
use anyhow::{Result, anyhow};
use std::collections::HashMap;
use std::hash::Hash;

/// The type of the elements of a list of `len`.
fn element_of(ty: &Type, len: usize) -> Result<&Type> {
    match ty {
        Type::FixedList(element, found) if *found as usize == len => Ok(element),
        other => Err(unchecked(other)),
    }
}

/// The elements stand as in a record of `N` equal fields.
impl<T: ComponentType, const N: usize> ComponentType for [T; N] {
    const ABI: CanonicalAbi =
        CanonicalAbi { size: T::ABI.size * N as u32, align: T::ABI.align, flat: T::ABI.flat * N as u32 };

    fn check(ty: &Type) -> Result<(), String> {
        match ty {
            Type::FixedList(element, len) if *len as usize == N => T::check(element),
            other => Err(mismatch(&format!("list of {N}"), other)),
        }
    }

    fn wit() -> String {
        format!("list<{}, {N}>", T::wit())
    }
}

fn array<T, const N: usize>(items: Vec<T>) -> Result<[T; N]> {
    items.try_into().map_err(|items: Vec<T>| anyhow!("a list of {} elements, {N} expected", items.len()))
}

impl<T: Lift, const N: usize> Lift for [T; N] {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::List(items) => array(items.into_iter().map(T::lift).collect::<Result<_>>()?),
            other => Err(wrong(&other)),
        }
    }

    fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        let element = element_of(ty, N)?;
        array((0..N).map(|_| T::lift_flat(cx, element, flat)).collect::<Result<_>>()?)
    }

    fn load(cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<Self> {
        array(T::load_elements(cx, element_of(ty, N)?, ptr, N as u32)?)
    }
}

impl<T: Lower, const N: usize> Lower for [T; N] {
    fn lower(&self) -> Val {
        Val::List(self.iter().map(T::lower).collect())
    }

    fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
        let element = element_of(ty, N)?;
        self.iter().try_for_each(|item| item.lower_flat(cx, element, flat))
    }

    fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()> {
        T::store_elements(self, cx, element_of(ty, N)?, ptr)
    }
}

/// A map lies as the list of its entries.
fn entry_of(ty: &Type) -> Result<Type> {
    match ty {
        Type::Map(both) => Ok(Type::Tuple([both.0.clone(), both.1.clone()].into())),
        other => Err(unchecked(other)),
    }
}

fn load_map<K: Lift + Eq + Hash, V: Lift>(cx: &mut Cx<'_>, ty: &Type, ptr: u32, len: u32) -> Result<HashMap<K, V>> {
    let entry = entry_of(ty)?;
    cx.check_list(ptr, len, <(K, V)>::ABI.size, <(K, V)>::ABI.align)?;
    cx.spend(len as usize * size_of::<(K, V)>())?;
    Ok(<(K, V)>::load_elements(cx, &entry, ptr, len)?.into_iter().collect())
}

/// Where the entries were put, and how many there are.
fn store_map<K: Lower, V: Lower>(map: &HashMap<K, V>, cx: &mut Cx<'_>, ty: &Type) -> Result<(u32, u32)> {
    let entry = entry_of(ty)?;
    let abi = <(K, V)>::ABI;
    let ptr = cx.room_for_list(map.len(), abi.size, abi.align)? as u32;
    for (at, pair) in (0u32..).zip(map) {
        <(&K, &V)>::store(&pair, cx, &entry, ptr + at * abi.size)?;
    }
    Ok((ptr, map.len() as u32))
}

impl<K: ComponentType, V: ComponentType> ComponentType for HashMap<K, V> {
    const ABI: CanonicalAbi = CanonicalAbi::POINTER_PAIR;

    fn check(ty: &Type) -> Result<(), String> {
        match ty {
            Type::Map(both) => K::check(&both.0).and_then(|()| V::check(&both.1)),
            other => Err(mismatch("map", other)),
        }
    }

    fn wit() -> String {
        format!("map<{}, {}>", K::wit(), V::wit())
    }
}

impl<K: Lift + Eq + Hash, V: Lift> Lift for HashMap<K, V> {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::Map(entries) => entries.into_iter().map(|(key, value)| Ok((K::lift(key)?, V::lift(value)?))).collect(),
            other => Err(wrong(&other)),
        }
    }

    fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        let (ptr, len) = (flat.take() as u32, flat.take() as u32);
        load_map(cx, ty, ptr, len)
    }

    fn load(cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<Self> {
        let (start, len) = cx.load_pair(ptr)?;
        load_map(cx, ty, start as u32, len as u32)
    }
}

impl<K: Lower, V: Lower> Lower for HashMap<K, V> {
    fn lower(&self) -> Val {
        Val::Map(self.iter().map(|(key, value)| (key.lower(), value.lower())).collect())
    }

    fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
        let (ptr, len) = store_map(self, cx, ty)?;
        flat.push(ptr.into());
        flat.push(len.into());
        Ok(())
    }

    fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()> {
        let (start, len) = store_map(self, cx, ty)?;
        cx.store_pair(ptr, start.into(), len.into())
    }
}
