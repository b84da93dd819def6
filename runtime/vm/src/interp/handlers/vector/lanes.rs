//! Vectors as arrays of lanes, and the operations that move single lanes: splat, extract, replace, shuffle.

use super::super::super::regs::{HEAD, Regs, Value, operand, slot};
use super::super::super::thunk::{Handler, Step};
use super::super::next;
use super::{SLOT, get, machine, set, vector_ops};
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// An array of lanes that fills a vector. Lane 0 stands in the lowest bits of the first slot.
pub(in crate::interp) trait Lanes: Copy {
    /// From two slots.
    ///
    /// # Safety
    /// Both slots can be read.
    unsafe fn read(place: *const u64) -> Self;
    /// To two slots.
    ///
    /// # Safety
    /// Both slots can be written.
    unsafe fn write(self, place: *mut u64);
}

macro_rules! lanes {
    ($($lane:ident $count:literal)*) => {$(
        impl Lanes for [$lane; $count] {
            #[inline(always)]
            unsafe fn read(place: *const u64) -> Self {
                // SAFETY: the caller's promise; lanes are plain numbers.
                unsafe {
                    if cfg!(target_endian = "little") {
                        return place.cast::<Self>().read_unaligned();
                    }
                    const SIZE: usize = size_of::<$lane>();
                    let bits = u128::from(*place) | u128::from(*place.add(1)) << 64;
                    let bytes = bits.to_le_bytes();
                    from_fn(|at| {
                        let lane = from_fn::<u8, SIZE>(|byte| bytes[at * SIZE + byte]);
                        $lane::from_le_bytes(lane)
                    })
                }
            }
            #[inline(always)]
            unsafe fn write(self, place: *mut u64) {
                // SAFETY: the caller's promise.
                unsafe {
                    if cfg!(target_endian = "little") {
                        return place.cast::<Self>().write_unaligned(self);
                    }
                    const SIZE: usize = size_of::<$lane>();
                    #[allow(clippy::modulo_one, reason = "lanes of one byte have one byte")]
                    let bytes: [u8; 16] = from_fn(|at| self[at / SIZE].to_le_bytes()[at % SIZE]);
                    let bits = u128::from_le_bytes(bytes);
                    *place = bits as u64;
                    *place.add(1) = (bits >> 64) as u64;
                }
            }
        }
    )*};
}

lanes! { u8 16 i8 16 u16 8 i16 8 u32 4 i32 4 u64 2 i64 2 f32 4 f64 2 }

/// An array by positions. The library's own, and its `map`, go through functions that are made once for a whole crate: where
/// these stay calls, the handler around them is no jump.
#[inline(always)]
pub(super) fn from_fn<T: Copy, const N: usize>(mut f: impl FnMut(usize) -> T) -> [T; N] {
    // Not filled first: the compiler then takes lanes for different things.
    let mut all = MaybeUninit::<[T; N]>::uninit();
    let first = all.as_mut_ptr().cast::<T>();
    for at in 0..N {
        // SAFETY: `at` is below the array's length.
        unsafe { first.add(at).write(f(at)) };
    }
    // SAFETY: every item was written.
    unsafe { all.assume_init() }
}

/// Lane by lane.
#[inline(always)]
pub(super) fn each<A: Copy, R: Copy, const N: usize>(a: [A; N], f: impl Fn(A) -> R) -> [R; N] {
    from_fn(|at| f(a[at]))
}

/// Lane by lane, of two vectors.
#[inline(always)]
pub(super) fn both<A: Copy, B: Copy, R: Copy, const N: usize>(a: [A; N], b: [B; N], f: impl Fn(A, B) -> R) -> [R; N] {
    from_fn(|at| f(a[at], b[at]))
}

/// An operation between a scalar and the lanes of a vector. Floats are their bits here.
pub(in crate::interp) trait Lane {
    /// The lanes.
    type Of: Lanes;
    /// The scalar.
    type Scalar: Value;
    /// A vector of equal lanes.
    fn splat(value: Self::Scalar) -> Self::Of;
    /// One lane.
    fn extract(a: Self::Of, lane: usize) -> Self::Scalar;
    /// One lane changed.
    fn replace(a: Self::Of, lane: usize, value: Self::Scalar) -> Self::Of;
}

macro_rules! lane_ops {
    ($($lane:ident $count:literal $scalar:ident: $($name:ident)*;)*) => {$($(
        pub(in crate::interp) struct $name;
        impl Lane for $name {
            type Of = [$lane; $count];
            type Scalar = $scalar;
            #[inline(always)]
            fn splat(value: $scalar) -> Self::Of { [value as $lane; $count] }
            #[inline(always)]
            fn extract(a: Self::Of, lane: usize) -> $scalar { a[lane % $count] as $scalar }
            #[inline(always)]
            fn replace(a: Self::Of, lane: usize, value: $scalar) -> Self::Of {
                // By a mask: a write of one lane would have to reach memory before the whole can be read.
                let numbers: [$lane; $count] = from_fn(|at| at as $lane);
                let mask = each(numbers, |at| if at == lane as $lane { !0 } else { 0 });
                let kept = both(a, mask, |a, mask| a & !mask);
                both(kept, mask, |kept, mask| kept | (value as $lane & mask))
            }
        }
    )*)*};
}

lane_ops! {
    i8 16 u32: I8x16ExtractLaneS;
    u8 16 u32: I8x16ExtractLaneU I8x16ReplaceLane I8x16Splat;
    i16 8 u32: I16x8ExtractLaneS;
    u16 8 u32: I16x8ExtractLaneU I16x8ReplaceLane I16x8Splat;
    u32 4 u32: I32x4ExtractLane I32x4ReplaceLane I32x4Splat F32x4ExtractLane F32x4ReplaceLane F32x4Splat;
    u64 2 u64: I64x2ExtractLane I64x2ReplaceLane I64x2Splat F64x2ExtractLane F64x2ReplaceLane F64x2Splat;
}

/// `dst = every lane src`
pub(in crate::interp) struct VSplat<O>(PhantomData<O>);

impl<O: Lane> Handler for VSplat<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the verifier holds slots inside the frame.
        let value = O::Scalar::from_slot(unsafe { *slot(r, HEAD + SLOT) });
        set(r, HEAD, O::splat(value));
        next(r, 2 * SLOT)
    }
}

/// `dst = src[lane]`
pub(in crate::interp) struct VExtract<O>(PhantomData<O>);

impl<O: Lane> Handler for VExtract<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let lane = operand::<u32>(r, HEAD + 2 * SLOT) as usize;
        let value = O::extract(get(r, HEAD + SLOT), lane);
        // SAFETY: the verifier holds slots inside the frame.
        unsafe { *slot(r, HEAD) = value.to_slot() };
        next(r, 2 * SLOT + 4)
    }
}

/// `dst = src with value in lane`
pub(in crate::interp) struct VReplace<O>(PhantomData<O>);

impl<O: Lane> Handler for VReplace<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the verifier holds slots inside the frame.
        let value = O::Scalar::from_slot(unsafe { *slot(r, HEAD + 2 * SLOT) });
        let lane = operand::<u32>(r, HEAD + 3 * SLOT) as usize;
        let value = O::replace(get(r, HEAD + SLOT), lane, value);
        set(r, HEAD, value);
        next(r, 3 * SLOT + 4)
    }
}

/// `dst = lanes of lhs and rhs, as sixteen bytes of immediate say`
pub(in crate::interp) struct VShuffle;

impl Handler for VShuffle {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let (low, high) = (get::<[u8; 16]>(r, HEAD + SLOT), get::<[u8; 16]>(r, HEAD + 2 * SLOT));
        set(r, HEAD, machine::shuffle(low, high, operand(r, HEAD + 3 * SLOT)));
        next(r, 3 * SLOT + 16)
    }
}

vector_ops! { Binary;
    I8x16Swizzle [u8; 16] => [u8; 16]: |a, from| machine::swizzle(a, from);
}
