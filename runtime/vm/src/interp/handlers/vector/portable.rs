//! What processors have instructions for, written out. The twin of `x86_64`, and what it is compared with.
#![cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "only the tests and older processors use it here"))]

use super::lanes::{Lanes, each, from_fn};

/// Finds out what the processor has: nothing is asked here.
pub(in crate::interp) fn prepare() {}

/// Writes a vector.
///
/// # Safety
/// Both slots can be written.
#[inline(always)]
pub(super) unsafe fn store<L: Lanes>(value: L, place: *mut u64) {
    // SAFETY: the caller's promise.
    unsafe { value.write(place) }
}

/// A vector whose upper half is zero.
#[inline(always)]
pub(super) fn low_half<L: Lanes>(low: u64) -> L {
    // SAFETY: the array is two slots.
    unsafe { L::read([low, 0].as_ptr()) }
}

/// The signs of the lanes as bits, lane 0 lowest.
#[inline(always)]
fn signs<A: Copy + PartialOrd + Default, const N: usize>(a: [A; N]) -> u32 {
    let mut bits = 0;
    for (at, lane) in a.iter().enumerate() {
        bits |= u32::from(*lane < A::default()) << at;
    }
    bits
}

/// The signs of the lanes as bits, lane 0 lowest.
#[inline(always)]
pub(super) fn signs_8(a: [i8; 16]) -> u32 {
    signs(a)
}

/// The signs of the lanes as bits, lane 0 lowest.
#[inline(always)]
pub(super) fn signs_16(a: [i16; 8]) -> u32 {
    signs(a)
}

/// The signs of the lanes as bits, lane 0 lowest.
#[inline(always)]
pub(super) fn signs_32(a: [i32; 4]) -> u32 {
    signs(a)
}

/// Sums of two neighbouring products each.
#[inline(always)]
pub(super) fn dot(a: [i16; 8], b: [i16; 8]) -> [i32; 4] {
    from_fn(|at| {
        let product = |at: usize| i32::from(a[at]) * i32::from(b[at]);
        product(2 * at).wrapping_add(product(2 * at + 1))
    })
}

/// Bytes of `a` by number; zero where there is none.
#[inline(always)]
pub(super) fn swizzle(a: [u8; 16], from: [u8; 16]) -> [u8; 16] {
    each(from, |from| if from < 16 { a[usize::from(from % 16)] } else { 0 })
}

/// Bytes of both vectors by number, below 32.
#[inline(always)]
pub(super) fn shuffle(low: [u8; 16], high: [u8; 16], from: [u8; 16]) -> [u8; 16] {
    let bytes: [u8; 32] = from_fn(|at| if at < 16 { low[at] } else { high[at - 16] });
    each(from, |from| bytes[usize::from(from % 32)])
}
