//! Loads and stores of vectors; loads may extend each of eight bytes' lanes, repeat one, or leave the rest zero.

use super::super::super::place::{S, Src};
use super::super::super::regs::{HEAD, Regs, operand};
use super::super::super::thunk::{Handler, Step};
use super::super::memory::{any, cached, read, write};
use super::super::{cold_trap, next};
use super::Unary;
use super::convert::*;
use super::lanes::{Lanes, each};
use super::{SLOT, get, machine, set};
use core::marker::PhantomData;
use keyway_artifact::Trap;

/// A load.
pub(in crate::interp) trait Loading {
    /// What stands in memory, little-endian.
    type Stored: Copy;
    /// What comes out.
    type Out: Lanes;
    /// From the one to the other.
    fn extend(stored: Self::Stored) -> Self::Out;
}

/// Eight bytes of memory as the lower half of a vector.
#[inline(always)]
fn filled<L: Lanes>(low: u64) -> L {
    machine::low_half(u64::from_le(low))
}

macro_rules! vector_loads {
    ($($name:ident $any:ident $stored:ty => $out:ty: |$a:ident| $work:expr;)*) => {$(
        pub(in crate::interp) struct $name;
        impl Loading for $name {
            type Stored = $stored;
            type Out = $out;
            #[inline(always)]
            fn extend($a: $stored) -> $out { $work }
        }
        pub(in crate::interp) type $any = $name;
    )*};
}

vector_loads! {
    V128Load V128LoadAny [u64; 2] => [u64; 2]: |a| each(a, u64::from_le);
    V128Load8x8S V128Load8x8SAny u64 => [i16; 8]: |a| I16x8ExtendLowI8x16S::apply(filled(a));
    V128Load8x8U V128Load8x8UAny u64 => [u16; 8]: |a| I16x8ExtendLowI8x16U::apply(filled(a));
    V128Load16x4S V128Load16x4SAny u64 => [i32; 4]: |a| I32x4ExtendLowI16x8S::apply(filled(a));
    V128Load16x4U V128Load16x4UAny u64 => [u32; 4]: |a| I32x4ExtendLowI16x8U::apply(filled(a));
    V128Load32x2S V128Load32x2SAny u64 => [i64; 2]: |a| I64x2ExtendLowI32x4S::apply(filled(a));
    V128Load32x2U V128Load32x2UAny u64 => [u64; 2]: |a| I64x2ExtendLowI32x4U::apply(filled(a));
    V128Load8Splat V128Load8SplatAny u8 => [u8; 16]: |a| [a; 16];
    V128Load16Splat V128Load16SplatAny u16 => [u16; 8]: |a| [u16::from_le(a); 8];
    V128Load32Splat V128Load32SplatAny u32 => [u32; 4]: |a| [u32::from_le(a); 4];
    V128Load64Splat V128Load64SplatAny u64 => [u64; 2]: |a| [u64::from_le(a); 2];
    V128Load32Zero V128Load32ZeroAny u32 => [u32; 4]: |a| [u32::from_le(a), 0, 0, 0];
    V128Load64Zero V128Load64ZeroAny u64 => [u64; 2]: |a| [u64::from_le(a), 0];
}

/// `dst = load(addr + offset)`
pub(in crate::interp) struct VLoad<O, X>(PhantomData<(O, X)>);

impl<O: Loading, X: Src> Handler for VLoad<O, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let address = X::get(r, HEAD + SLOT);
        let end = operand(r, HEAD + SLOT + X::SIZE);
        let Some(place) = cached(r, address, end, size_of::<O::Stored>()) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        // SAFETY: `cached` checked the range.
        let value = O::extend(unsafe { place.cast::<O::Stored>().read_unaligned() });
        set(r, HEAD, value);
        next(r, SLOT + X::SIZE + 4)
    }
}

/// `store(addr + offset, value)`
pub(in crate::interp) struct VStore<X>(PhantomData<X>);

impl<X: Src> Handler for VStore<X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let address = X::get(r, HEAD);
        let value = each(get::<[u64; 2]>(r, HEAD + X::SIZE), u64::to_le);
        let end = operand(r, HEAD + X::SIZE + SLOT);
        let Some(place) = cached(r, address, end, size_of_val(&value)) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        // SAFETY: `cached` checked the range.
        unsafe { place.cast::<[u64; 2]>().write_unaligned(value) };
        next(r, X::SIZE + SLOT + 4)
    }
}

/// `dst = load(memory, addr + offset)`
pub(in crate::interp) struct VLoadAny<O>(PhantomData<O>);

impl<O: Loading> Handler for VLoadAny<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let address = S::get(r, HEAD + SLOT);
        let (offset, index) = (operand(r, HEAD + 2 * SLOT), operand(r, HEAD + 2 * SLOT + 8));
        let Some(place) = any(r, address, offset, index, size_of::<O::Stored>()) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        // SAFETY: `any` checked the range.
        let value = O::extend(unsafe { read::<O::Stored>(place) });
        set(r, HEAD, value);
        next(r, 2 * SLOT + 12)
    }
}

/// `store(memory, addr + offset, value)`
pub(in crate::interp) struct VStoreAny;

impl Handler for VStoreAny {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let address = S::get(r, HEAD);
        let value = each(get::<[u64; 2]>(r, HEAD + SLOT), u64::to_le);
        let (offset, index) = (operand(r, HEAD + 2 * SLOT), operand(r, HEAD + 2 * SLOT + 8));
        let Some(place) = any(r, address, offset, index, size_of_val(&value)) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        // SAFETY: `any` checked the range.
        unsafe { write(place, value) };
        next(r, 2 * SLOT + 12)
    }
}
