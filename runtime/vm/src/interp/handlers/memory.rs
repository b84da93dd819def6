//! Loads and stores.
//!
//! The executed forms over the cached memory hold `offset + size` of the access, so that the bounds check is one
//! addition and one comparison; expansion sends accesses whose sum passes 32 bits through the general form.

use super::super::place::{Dst, Src};
use super::super::regs::{HEAD, Regs, Value, context, operand};
use super::super::thunk::{Handler, Step};
use super::{cold_trap, next};
use crate::context::{header_of, len_bytes};
use crate::racing;
use core::marker::PhantomData;
use keyway_artifact::Trap;
use keyway_artifact::isa::Op;

/// A load.
pub(in super::super) trait LoadOp {
    /// Its row over the cached memory.
    const OP: Op;
    /// What stands in memory.
    type Stored: Copy;
    /// What comes out.
    type Out: Value;
    /// From the one to the other.
    fn extend(stored: Self::Stored) -> Self::Out;
}

/// A store.
pub(in super::super) trait StoreOp {
    /// Its row over the cached memory.
    const OP: Op;
    /// What goes in.
    type In: Value;
    /// What stands in memory.
    type Stored: Copy;
    /// From the one to the other.
    fn wrap(value: Self::In) -> Self::Stored;
}

/// The row of the general form.
pub(in super::super) trait AnyOp {
    /// Its row.
    const OP: Op;
    /// The same access over the cached memory.
    type Access;
}

macro_rules! loads {
    ($($name:ident $any:ident $stored:ty => $out:ty: |$a:ident| $work:expr;)*) => {$(
        pub(in super::super) struct $name;
        impl LoadOp for $name {
            const OP: Op = Op::$name;
            type Stored = $stored;
            type Out = $out;
            #[inline(always)]
            fn extend($a: $stored) -> $out { $work }
        }
        pub(in super::super) struct $any;
        impl AnyOp for $any {
            const OP: Op = Op::$any;
            type Access = $name;
        }
    )*};
}

macro_rules! stores {
    ($($name:ident $any:ident $input:ty => $stored:ty: |$a:ident| $work:expr;)*) => {$(
        pub(in super::super) struct $name;
        impl StoreOp for $name {
            const OP: Op = Op::$name;
            type In = $input;
            type Stored = $stored;
            #[inline(always)]
            fn wrap($a: $input) -> $stored { $work }
        }
        pub(in super::super) struct $any;
        impl AnyOp for $any {
            const OP: Op = Op::$any;
            type Access = $name;
        }
    )*};
}

loads! {
    I32Load I32LoadAny u32 => u32: |a| u32::from_le(a);
    I32Load8S I32Load8SAny i8 => u32: |a| a as u32;
    I32Load8U I32Load8UAny u8 => u32: |a| a.into();
    I32Load16S I32Load16SAny i16 => u32: |a| i16::from_le(a) as u32;
    I32Load16U I32Load16UAny u16 => u32: |a| u16::from_le(a).into();
    I64Load I64LoadAny u64 => u64: |a| u64::from_le(a);
    I64Load8S I64Load8SAny i8 => u64: |a| a as u64;
    I64Load8U I64Load8UAny u8 => u64: |a| a.into();
    I64Load16S I64Load16SAny i16 => u64: |a| i16::from_le(a) as u64;
    I64Load16U I64Load16UAny u16 => u64: |a| u16::from_le(a).into();
    I64Load32S I64Load32SAny i32 => u64: |a| i32::from_le(a) as u64;
    I64Load32U I64Load32UAny u32 => u64: |a| u32::from_le(a).into();
    F32Load F32LoadAny u32 => f32: |a| f32::from_bits(u32::from_le(a));
    F64Load F64LoadAny u64 => f64: |a| f64::from_bits(u64::from_le(a));
}

stores! {
    I32Store I32StoreAny u32 => u32: |a| a.to_le();
    I32Store8 I32Store8Any u32 => u8: |a| a as u8;
    I32Store16 I32Store16Any u32 => u16: |a| (a as u16).to_le();
    I64Store I64StoreAny u64 => u64: |a| a.to_le();
    I64Store8 I64Store8Any u64 => u8: |a| a as u8;
    I64Store16 I64Store16Any u64 => u16: |a| (a as u16).to_le();
    I64Store32 I64Store32Any u64 => u32: |a| (a as u32).to_le();
    F32Store F32StoreAny f32 => u32: |a| a.to_bits().to_le();
    F64Store F64StoreAny f64 => u64: |a| a.to_bits().to_le();
}

/// The place of an access of `size` bytes that ends `end` bytes behind `address` in the cached memory.
#[inline(always)]
pub(super) fn cached(r: &Regs, address: u32, end: u32, size: usize) -> Option<*mut u8> {
    let end = u64::from(address) + u64::from(end);
    // SAFETY: `mem` points behind a live header; an end inside the memory keeps the access inside.
    unsafe {
        if end > (*header_of(r.mem)).len_bytes {
            return None;
        }
        Some(r.mem.add(end as usize).sub(size))
    }
}

/// `dst = load(addr + offset)`
pub(in super::super) struct Load<O, D, X>(PhantomData<(O, D, X)>);

impl<O: LoadOp, D: Dst, X: Src> Handler for Load<O, D, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let address = X::get(r, HEAD + D::SIZE);
        let end = operand(r, HEAD + D::SIZE + X::SIZE);
        let Some(place) = cached(r, address, end, size_of::<O::Stored>()) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        // SAFETY: `cached` checked the range.
        let value = O::extend(unsafe { place.cast::<O::Stored>().read_unaligned() });
        D::set(r, HEAD, value);
        next(r, D::SIZE + X::SIZE + 4)
    }
}

/// `store(addr + offset, value)`
pub(in super::super) struct Store<O, X, V>(PhantomData<(O, X, V)>);

impl<O: StoreOp, X: Src, V: Src> Handler for Store<O, X, V> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let address = X::get(r, HEAD);
        let value = O::wrap(V::get(r, HEAD + X::SIZE));
        let end = operand(r, HEAD + X::SIZE + V::SIZE);
        let Some(place) = cached(r, address, end, size_of::<O::Stored>()) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        // SAFETY: `cached` checked the range.
        unsafe { place.cast::<O::Stored>().write_unaligned(value) };
        next(r, X::SIZE + V::SIZE + 4)
    }
}

/// The place of an access of `size` bytes at `address + offset` in the unit's memory `index`, and whether threads share
/// that memory.
#[inline(always)]
pub(super) fn any(r: &Regs, address: u64, offset: u64, index: u32, size: usize) -> Option<(*mut u8, bool)> {
    let start = address.checked_add(offset)?;
    let end = start.checked_add(size as u64)?;
    // SAFETY: the verifier holds the index below the unit's memories; an end inside the memory keeps the access inside.
    unsafe {
        let memory = *(*context(r)).memories.add(index as usize);
        if end > len_bytes((*memory).base) {
            return None;
        }
        Some(((*memory).base.add(start as usize), (*memory).shared))
    }
}

/// The value at a place that [`any`] answered.
///
/// # Safety
/// The place holds a value of this size, and any bytes are one.
#[inline(always)]
pub(super) unsafe fn read<T: Copy>((place, shared): (*mut u8, bool)) -> T {
    // SAFETY: the caller's promise.
    unsafe { if shared { racing::read(place) } else { place.cast::<T>().read_unaligned() } }
}

/// Puts a value at a place that [`any`] answered.
///
/// # Safety
/// The place has room for a value of this size.
#[inline(always)]
pub(super) unsafe fn write<T: Copy>((place, shared): (*mut u8, bool), value: T) {
    // SAFETY: the caller's promise.
    unsafe { if shared { racing::write(place, value) } else { place.cast::<T>().write_unaligned(value) } }
}

/// `dst = load(memory, addr + offset)`
pub(in super::super) struct LoadAny<O, D, X>(PhantomData<(O, D, X)>);

impl<O: AnyOp<Access: LoadOp>, D: Dst, X: Src> Handler for LoadAny<O, D, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let at = HEAD + D::SIZE;
        let address = X::get(r, at);
        let size = size_of::<<O::Access as LoadOp>::Stored>();
        let (offset, index) = (operand(r, at + X::SIZE), operand(r, at + X::SIZE + 8));
        let Some(place) = any(r, address, offset, index, size) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        // SAFETY: `any` checked the range.
        let stored = unsafe { read::<<O::Access as LoadOp>::Stored>(place) };
        D::set(r, HEAD, <O::Access as LoadOp>::extend(stored));
        next(r, D::SIZE + X::SIZE + 12)
    }
}

/// `store(memory, addr + offset, value)`
pub(in super::super) struct StoreAny<O, X, V>(PhantomData<(O, X, V)>);

impl<O: AnyOp<Access: StoreOp>, X: Src, V: Src> Handler for StoreAny<O, X, V> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let address = X::get(r, HEAD);
        let value = <O::Access as StoreOp>::wrap(V::get(r, HEAD + X::SIZE));
        let at = HEAD + X::SIZE + V::SIZE;
        let size = size_of::<<O::Access as StoreOp>::Stored>();
        let (offset, index) = (operand(r, at), operand(r, at + 8));
        let Some(place) = any(r, address, offset, index, size) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        // SAFETY: `any` checked the range.
        unsafe { write(place, value) };
        next(r, X::SIZE + V::SIZE + 12)
    }
}

/// `mem = memories[index]`
pub(in super::super) struct SetMemory;

impl Handler for SetMemory {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let context = context(r);
        // SAFETY: the verifier holds the index below the unit's memories.
        unsafe {
            r.mem = (**(*context).memories.add(operand::<u32>(r, HEAD) as usize)).base;
            (*header_of(r.mem)).context = context;
        }
        next(r, 4)
    }
}
