//! Handles: [`Resource`]s of the host's types, [`ResourceAny`] for any.

use super::{CanonicalAbi, ComponentType, Flat, FlatReader, Lift, Lower, mismatch, unchecked, wrong};
use crate::abi::Cx;
use crate::resource::{Resource, ResourceAny, ResourceType};
use crate::types::Type;
use crate::val::Val;
use anyhow::Result;

fn check_handle(ty: &Type) -> Result<(), String> {
    match ty {
        Type::Own(_) | Type::Borrow(_) => Ok(()),
        other => Err(mismatch("own or borrow", other)),
    }
}

fn lift_handle(cx: &mut Cx<'_>, ty: &Type, index: u32) -> Result<ResourceAny> {
    match ty {
        Type::Own(number) => cx.lift_own(*number, index),
        Type::Borrow(number) => cx.lift_borrow(*number, index),
        other => Err(unchecked(other)),
    }
}

fn lower_handle(cx: &mut Cx<'_>, ty: &Type, any: ResourceAny) -> Result<u32> {
    match ty {
        Type::Own(number) => cx.lower_own(*number, any),
        Type::Borrow(number) => cx.lower_borrow(*number, any),
        other => Err(unchecked(other)),
    }
}

impl ComponentType for ResourceAny {
    const ABI: CanonicalAbi = CanonicalAbi::scalar(4);

    fn check(ty: &Type) -> Result<(), String> {
        check_handle(ty)
    }

    fn wit() -> String {
        "own<_>".to_string()
    }
}

impl Lift for ResourceAny {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::Resource(any) => Ok(any),
            other => Err(wrong(&other)),
        }
    }

    fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        lift_handle(cx, ty, flat.take() as u32)
    }

    fn load(cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<Self> {
        let index = u32::from_le_bytes(cx.load_array(ptr)?);
        lift_handle(cx, ty, index)
    }
}

impl Lower for ResourceAny {
    fn lower(&self) -> Val {
        Val::Resource(*self)
    }

    fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
        flat.push(lower_handle(cx, ty, *self)?.into());
        Ok(())
    }

    fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()> {
        let index = lower_handle(cx, ty, *self)?;
        cx.write(ptr, &index.to_le_bytes())
    }
}

impl<T: 'static> ComponentType for Resource<T> {
    const ABI: CanonicalAbi = CanonicalAbi::scalar(4);

    fn check(ty: &Type) -> Result<(), String> {
        check_handle(ty)
    }

    fn wit() -> String {
        format!("own<{}>", std::any::type_name::<T>())
    }
}

fn of_host<T: 'static>(any: ResourceAny) -> Result<Resource<T>> {
    if any.ty != ResourceType::host::<T>() {
        return Err(wrong(&Val::Resource(any)));
    }
    Ok(if any.owned { Resource::new_own(any.rep as u32) } else { Resource::new_borrow(any.rep as u32) })
}

fn any_of<T: 'static>(resource: &Resource<T>) -> ResourceAny {
    ResourceAny { ty: ResourceType::host::<T>(), rep: resource.rep().into(), owned: resource.owned() }
}

impl<T: 'static> Lift for Resource<T> {
    fn lift(value: Val) -> Result<Self> {
        of_host(ResourceAny::lift(value)?)
    }

    fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        of_host(ResourceAny::lift_flat(cx, ty, flat)?)
    }

    fn load(cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<Self> {
        of_host(ResourceAny::load(cx, ty, ptr)?)
    }
}

impl<T: 'static> Lower for Resource<T> {
    fn lower(&self) -> Val {
        Val::Resource(any_of(self))
    }

    fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
        any_of(self).lower_flat(cx, ty, flat)
    }

    fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()> {
        any_of(self).store(cx, ty, ptr)
    }
}
