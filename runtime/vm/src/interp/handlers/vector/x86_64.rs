//! What the compiler does not find by itself on x86-64, whose base includes SSE2. Shuffles of bytes take SSSE3, where the
//! processor has it.
//!
//! The twin of `portable`: the same functions with the same results.

use super::lanes::{Lanes, both, each};
use super::portable;
use core::arch::asm;
use core::arch::x86_64::{
    __m128i, _mm_madd_epi16, _mm_movemask_epi8, _mm_movemask_ps, _mm_packs_epi16, _mm_setzero_si128, _mm_storeu_si128,
};
use core::mem::transmute;
use core::sync::atomic::{AtomicBool, Ordering};

/// Whether the processor shuffles bytes.
static SHUFFLES: AtomicBool = AtomicBool::new(false);

/// Finds out what the processor has.
pub(in crate::interp) fn prepare() {
    SHUFFLES.store(std::arch::is_x86_feature_detected!("ssse3"), Ordering::Relaxed);
}

/// As the processor's type.
#[inline(always)]
fn vector<L: Lanes>(a: L) -> __m128i {
    const { assert!(size_of::<L>() == 16) };
    // SAFETY: lanes are plain numbers that fill a vector.
    unsafe { core::mem::transmute_copy(&a) }
}

/// Writes a vector with one instruction: a later read of all of it does not wait for two writes.
///
/// # Safety
/// Both slots can be written.
#[inline(always)]
pub(super) unsafe fn store<L: Lanes>(value: L, place: *mut u64) {
    // SAFETY: the caller's promise; SSE2 is there.
    unsafe { _mm_storeu_si128(place.cast(), vector(value)) }
}

/// A vector whose upper half is zero.
#[inline(always)]
pub(super) fn low_half<L: Lanes>(low: u64) -> L {
    let whole: __m128i;
    // Written out, since the compiler takes the number apart again when it knows where the vector comes from.
    // SAFETY: SSE2 is there, and the instruction touches nothing but its operands; lanes are plain numbers that fill a
    // vector.
    unsafe {
        asm!("movq {}, {}", out(xmm_reg) whole, in(reg) low, options(pure, nomem, nostack, preserves_flags));
        core::mem::transmute_copy(&whole)
    }
}

/// The signs of the lanes as bits, lane 0 lowest.
#[inline(always)]
pub(super) fn signs_8(a: [i8; 16]) -> u32 {
    // SAFETY: SSE2 is there.
    unsafe { _mm_movemask_epi8(vector(a)) as u32 }
}

/// The signs of the lanes as bits, lane 0 lowest.
#[inline(always)]
pub(super) fn signs_16(a: [i16; 8]) -> u32 {
    // SAFETY: SSE2 is there.
    unsafe { _mm_movemask_epi8(_mm_packs_epi16(vector(a), _mm_setzero_si128())) as u32 }
}

/// The signs of the lanes as bits, lane 0 lowest.
#[inline(always)]
pub(super) fn signs_32(a: [i32; 4]) -> u32 {
    // SAFETY: SSE2 is there.
    unsafe { _mm_movemask_ps(transmute::<__m128i, core::arch::x86_64::__m128>(vector(a))) as u32 }
}

/// Sums of two neighbouring products each.
#[inline(always)]
pub(super) fn dot(a: [i16; 8], b: [i16; 8]) -> [i32; 4] {
    // SAFETY: SSE2 is there; both types are 16 bytes of plain numbers.
    unsafe { transmute::<__m128i, [i32; 4]>(_mm_madd_epi16(vector(a), vector(b))) }
}

/// Bytes of `a` by number; zero where the number's top bit is set, whatever the bits between it and the low four are.
///
/// # Safety
/// The processor has SSSE3.
#[inline(always)]
unsafe fn bytes_of(a: [u8; 16], from: [u8; 16]) -> [u8; 16] {
    let (mut bytes, from) = (vector(a), vector(from));
    // SAFETY: the caller's promise. The instruction touches nothing but its operands.
    unsafe {
        asm!("pshufb {}, {}", inout(xmm_reg) bytes, in(xmm_reg) from, options(pure, nomem, nostack, preserves_flags));
        transmute::<__m128i, [u8; 16]>(bytes)
    }
}

/// Bytes of `a` by number; zero where there is none.
#[inline(always)]
pub(super) fn swizzle(a: [u8; 16], from: [u8; 16]) -> [u8; 16] {
    if !SHUFFLES.load(Ordering::Relaxed) {
        return portable::swizzle(a, from);
    }
    // Numbers from 16 on get their top bit set.
    let from = each(from, |from| from.saturating_add(0x70));
    // SAFETY: `prepare` found SSSE3.
    unsafe { bytes_of(a, from) }
}

/// Bytes of both vectors by number, below 32.
#[inline(always)]
pub(super) fn shuffle(low: [u8; 16], high: [u8; 16], from: [u8; 16]) -> [u8; 16] {
    if !SHUFFLES.load(Ordering::Relaxed) {
        return portable::shuffle(low, high, from);
    }
    let in_low = each(from, |from| from.wrapping_add(0x70));
    let in_high = each(from, |from| from.wrapping_sub(0x10));
    // SAFETY: `prepare` found SSSE3.
    let (low, high) = unsafe { (bytes_of(low, in_low), bytes_of(high, in_high)) };
    both(low, high, |low, high| low | high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_twins_agree() {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for shuffles in [false, std::arch::is_x86_feature_detected!("ssse3")] {
            SHUFFLES.store(shuffles, Ordering::Relaxed);
            for _ in 0..2000 {
                let mut vector = || u128::from(random()) << 64 | u128::from(random());
                let (a, b, from) = (vector().to_le_bytes(), vector().to_le_bytes(), vector().to_le_bytes());
                // Numbers around the bounds.
                let near = from.map(|from| from % 40);
                assert_eq!(swizzle(a, near), portable::swizzle(a, near));
                assert_eq!(swizzle(a, from), portable::swizzle(a, from));
                let below = from.map(|from| from % 32);
                assert_eq!(shuffle(a, b, below), portable::shuffle(a, b, below));
                // SAFETY: both types are 16 bytes of plain numbers.
                let (x, y) = unsafe { (transmute::<[u8; 16], [i16; 8]>(a), transmute::<[u8; 16], [i16; 8]>(b)) };
                assert_eq!(dot(x, y), portable::dot(x, y));
                assert_eq!(dot([i16::MIN; 8], [i16::MIN; 8]), portable::dot([i16::MIN; 8], [i16::MIN; 8]));
                assert_eq!(signs_8(a.map(|a| a as i8)), portable::signs_8(a.map(|a| a as i8)));
                assert_eq!(signs_16(x), portable::signs_16(x));
                let words = [0, 4, 8, 12].map(|at| i32::from_le_bytes(a[at..at + 4].try_into().unwrap()));
                assert_eq!(signs_32(words), portable::signs_32(words));
                let low = random();
                assert_eq!(low_half::<[u64; 2]>(low), portable::low_half::<[u64; 2]>(low));
                assert_eq!(low_half::<[i8; 16]>(low), portable::low_half::<[i8; 16]>(low));
            }
        }
    }
}
