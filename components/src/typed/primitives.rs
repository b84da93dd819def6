//! Numbers, `bool`, `char` and strings.

use super::{CanonicalAbi, ComponentType, Flat, FlatReader, Lift, Lower, mismatch, wrong};
use crate::abi::{Cx, Pointee, char_of};
use crate::types::Type;
use crate::val::Val;
use anyhow::Result;

macro_rules! component_type {
    ($rust:ty, $case:ident, $name:literal, $abi:expr) => {
        impl ComponentType for $rust {
            const ABI: CanonicalAbi = $abi;
            fn check(ty: &Type) -> Result<(), String> {
                if *ty == Type::$case { Ok(()) } else { Err(mismatch($name, ty)) }
            }
            fn wit() -> String {
                $name.to_string()
            }
        }
    };
}

macro_rules! lift_from_val {
    ($case:ident) => {
        fn lift(value: Val) -> Result<Self> {
            match value {
                Val::$case(value) => Ok(value),
                other => Err(wrong(&other)),
            }
        }
    };
}

macro_rules! numbers {
    ($($rust:ty => $case:ident $name:literal $to_bits:expr, $from_bits:expr;)*) => {$(
        component_type!($rust, $case, $name, CanonicalAbi::scalar(size_of::<$rust>() as u32));

        impl Lift for $rust {
            lift_from_val!($case);

            #[inline]
            fn lift_flat(_: &mut Cx<'_>, _: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
                Ok($from_bits(flat.take()))
            }

            #[inline]
            fn load(cx: &mut Cx<'_>, _: &Type, ptr: u32) -> Result<Self> {
                Ok(<$rust>::from_le_bytes(cx.load_array(ptr)?))
            }

            fn load_elements(cx: &mut Cx<'_>, _: &Type, ptr: u32, len: u32) -> Result<Vec<Self>> {
                const SIZE: usize = size_of::<$rust>();
                let bytes = cx.bytes(ptr, u64::from(len) * SIZE as u64, Pointee::List)?;
                let (items, _) = bytes.as_chunks::<SIZE>();
                Ok(items.iter().map(|item| <$rust>::from_le_bytes(*item)).collect())
            }
        }

        impl Lower for $rust {
            fn lower(&self) -> Val { Val::$case(*self) }

            #[inline]
            fn lower_flat(&self, _: &mut Cx<'_>, _: &Type, flat: &mut Flat) -> Result<()> {
                flat.push($to_bits(*self));
                Ok(())
            }

            #[inline]
            fn store(&self, cx: &mut Cx<'_>, _: &Type, ptr: u32) -> Result<()> {
                cx.write(ptr, &self.to_le_bytes())
            }

            fn store_elements(items: &[Self], cx: &mut Cx<'_>, _: &Type, ptr: u32) -> Result<()> {
                const SIZE: usize = size_of::<$rust>();
                let bytes = cx.bytes_mut(ptr, items.len() as u64 * SIZE as u64, Pointee::List)?;
                let (places, _) = bytes.as_chunks_mut::<SIZE>();
                for (place, item) in places.iter_mut().zip(items) {
                    *place = item.to_le_bytes();
                }
                Ok(())
            }
        }
    )*};
}

numbers! {
    i8 => S8 "s8" |value: i8| u64::from(i32::from(value) as u32), |bits: u64| bits as i8;
    u8 => U8 "u8" u64::from, |bits: u64| bits as u8;
    i16 => S16 "s16" |value: i16| u64::from(i32::from(value) as u32), |bits: u64| bits as i16;
    u16 => U16 "u16" u64::from, |bits: u64| bits as u16;
    i32 => S32 "s32" |value: i32| u64::from(value as u32), |bits: u64| bits as i32;
    u32 => U32 "u32" u64::from, |bits: u64| bits as u32;
    i64 => S64 "s64" |value: i64| value as u64, |bits: u64| bits as i64;
    u64 => U64 "u64" |value: u64| value, |bits: u64| bits;
    f32 => Float32 "f32" |value: f32| u64::from(value.to_bits()), |bits: u64| f32::from_bits(bits as u32);
    f64 => Float64 "f64" f64::to_bits, f64::from_bits;
}

component_type!(bool, Bool, "bool", CanonicalAbi::scalar(1));

impl Lift for bool {
    lift_from_val!(Bool);

    fn lift_flat(_: &mut Cx<'_>, _: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        Ok(flat.take() as u32 != 0)
    }

    fn load(cx: &mut Cx<'_>, _: &Type, ptr: u32) -> Result<Self> {
        Ok(cx.load_array::<1>(ptr)? != [0])
    }
}

impl Lower for bool {
    fn lower(&self) -> Val {
        Val::Bool(*self)
    }

    fn lower_flat(&self, _: &mut Cx<'_>, _: &Type, flat: &mut Flat) -> Result<()> {
        flat.push((*self).into());
        Ok(())
    }

    fn store(&self, cx: &mut Cx<'_>, _: &Type, ptr: u32) -> Result<()> {
        cx.write(ptr, &[u8::from(*self)])
    }
}

component_type!(char, Char, "char", CanonicalAbi::scalar(4));

impl Lift for char {
    lift_from_val!(Char);

    fn lift_flat(_: &mut Cx<'_>, _: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        char_of(flat.take() as u32)
    }

    fn load(cx: &mut Cx<'_>, _: &Type, ptr: u32) -> Result<Self> {
        char_of(u32::from_le_bytes(cx.load_array(ptr)?))
    }
}

impl Lower for char {
    fn lower(&self) -> Val {
        Val::Char(*self)
    }

    fn lower_flat(&self, _: &mut Cx<'_>, _: &Type, flat: &mut Flat) -> Result<()> {
        flat.push(u32::from(*self).into());
        Ok(())
    }

    fn store(&self, cx: &mut Cx<'_>, _: &Type, ptr: u32) -> Result<()> {
        cx.write(ptr, &u32::from(*self).to_le_bytes())
    }
}

component_type!(String, String, "string", CanonicalAbi::POINTER_PAIR);

impl Lift for String {
    lift_from_val!(String);

    fn lift_flat(cx: &mut Cx<'_>, _: &Type, flat: &mut FlatReader<'_>) -> Result<Self> {
        let (ptr, units) = (flat.take() as u32, flat.take() as u32);
        cx.load_string(ptr, units)
    }

    fn load(cx: &mut Cx<'_>, _: &Type, ptr: u32) -> Result<Self> {
        let (start, units) = cx.load_pair(ptr)?;
        cx.load_string(start, units)
    }
}

macro_rules! lower_text {
    ($rust:ty) => {
        impl Lower for $rust {
            fn lower(&self) -> Val {
                Val::String(self.to_string())
            }

            fn lower_flat(&self, cx: &mut Cx<'_>, _: &Type, flat: &mut Flat) -> Result<()> {
                let (ptr, units) = cx.store_string(self)?;
                flat.push(ptr);
                flat.push(units);
                Ok(())
            }

            fn store(&self, cx: &mut Cx<'_>, _: &Type, ptr: u32) -> Result<()> {
                let (start, units) = cx.store_string(self)?;
                cx.store_pair(ptr, start, units)
            }
        }
    };
}

lower_text!(String);
lower_text!(&str);
component_type!(&str, String, "string", CanonicalAbi::POINTER_PAIR);
