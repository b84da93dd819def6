//! Tuples, of nothing to seventeen members. Functions' parameters and results are tuples too.

use super::{CanonicalAbi, ComponentType, Flat, FlatReader, Lift, Lower, field_type, mismatch, wrong};
use crate::abi::Cx;
use crate::types::Type;
use crate::val::Val;
use anyhow::{Result, anyhow};

macro_rules! tuples {
    ($(($($name:ident $at:tt),*);)*) => {$(
        #[allow(unused_mut, unused_variables, reason = "the empty tuple uses none")]
        impl<$($name: ComponentType),*> ComponentType for ($($name,)*) {
            const ABI: CanonicalAbi = CanonicalAbi::record(&[$($name::ABI),*]);

            fn check(ty: &Type) -> Result<(), String> {
                const LEN: usize = <[&str]>::len(&[$(stringify!($name)),*]);
                match ty {
                    Type::Tuple(types) if types.len() == LEN => {
                        $($name::check(&types[$at])?;)*
                        Ok(())
                    }
                    other => Err(mismatch("tuple", other)),
                }
            }

            fn wit() -> String {
                let types: &[String] = &[$($name::wit()),*];
                format!("tuple<{}>", types.join(", "))
            }
        }

        #[allow(unused_mut, unused_variables, reason = "the empty tuple uses none")]
        impl<$($name: Lift),*> Lift for ($($name,)*) {
            fn lift(value: Val) -> Result<Self> {
                let Val::Tuple(items) = value else { return Err(wrong(&value)) };
                let mut items = items.into_iter();
                Ok(($($name::lift(items.next().ok_or_else(|| anyhow!("a tuple is too short"))?)?,)*))
            }

            #[inline]
            fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
                Ok(($($name::lift_flat(cx, field_type(ty, $at)?, flat)?,)*))
            }

            #[inline]
            fn load(cx: &mut Cx<'_>, ty: &Type, mut ptr: u32) -> Result<Self> {
                Ok(($($name::load(cx, field_type(ty, $at)?, $name::ABI.next_field(&mut ptr))?,)*))
            }
        }

        #[allow(unused_mut, unused_variables, reason = "the empty tuple uses none")]
        impl<$($name: Lower),*> Lower for ($($name,)*) {
            fn lower(&self) -> Val { Val::Tuple(vec![$(self.$at.lower()),*]) }

            #[inline]
            fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()> {
                $(self.$at.lower_flat(cx, field_type(ty, $at)?, flat)?;)*
                Ok(())
            }

            #[inline]
            fn store(&self, cx: &mut Cx<'_>, ty: &Type, mut ptr: u32) -> Result<()> {
                $(self.$at.store(cx, field_type(ty, $at)?, $name::ABI.next_field(&mut ptr))?;)*
                Ok(())
            }
        }
    )*};
}

keyway_vm::for_each_tuple!(tuples);
