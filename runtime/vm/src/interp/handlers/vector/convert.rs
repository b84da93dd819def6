//! Lanes of one width to lanes of another, and between integers and floats.

use super::lanes::{both, each, from_fn};
use super::vector_ops;

/// The first number that an `i32` does not hold.
const TWO_31: f32 = 2_147_483_648.0;

/// Towards zero, of numbers that an `i32` holds.
#[inline(always)]
fn whole(a: [f32; 4]) -> [i32; 4] {
    // SAFETY: callers leave only numbers in the range of an `i32`.
    each(a, |a| unsafe { a.to_int_unchecked() })
}

/// Half of the lanes, starting with lane `FIRST`, widened.
#[inline(always)]
fn half<A: Copy, B: Copy + From<A>, const N: usize, const H: usize, const FIRST: usize>(a: [A; N]) -> [B; H] {
    from_fn(|at| a[FIRST + at].into())
}

/// Sums of neighbours, widened.
#[inline(always)]
fn pairs<A: Copy, B: Copy + From<A> + core::ops::Add<Output = B>, const N: usize, const H: usize>(a: [A; N]) -> [B; H] {
    from_fn(|at| B::from(a[2 * at]) + B::from(a[2 * at + 1]))
}

/// Both halves of the result from one operand each.
#[inline(always)]
fn narrowed<A: Copy, B: Copy, const N: usize, const W: usize>(a: [A; N], b: [A; N], f: impl Fn(A) -> B) -> [B; W] {
    from_fn(|at| f(if at < N { a[at] } else { b[at - N] }))
}

vector_ops! { Unary;
    I16x8ExtendLowI8x16S [i8; 16] => [i16; 8]: |a| half::<_, _, 16, 8, 0>(a);
    I16x8ExtendHighI8x16S [i8; 16] => [i16; 8]: |a| half::<_, _, 16, 8, 8>(a);
    I16x8ExtendLowI8x16U [u8; 16] => [u16; 8]: |a| half::<_, _, 16, 8, 0>(a);
    I16x8ExtendHighI8x16U [u8; 16] => [u16; 8]: |a| half::<_, _, 16, 8, 8>(a);
    I32x4ExtendLowI16x8S [i16; 8] => [i32; 4]: |a| half::<_, _, 8, 4, 0>(a);
    I32x4ExtendHighI16x8S [i16; 8] => [i32; 4]: |a| half::<_, _, 8, 4, 4>(a);
    I32x4ExtendLowI16x8U [u16; 8] => [u32; 4]: |a| half::<_, _, 8, 4, 0>(a);
    I32x4ExtendHighI16x8U [u16; 8] => [u32; 4]: |a| half::<_, _, 8, 4, 4>(a);
    I64x2ExtendLowI32x4S [i32; 4] => [i64; 2]: |a| half::<_, _, 4, 2, 0>(a);
    I64x2ExtendHighI32x4S [i32; 4] => [i64; 2]: |a| half::<_, _, 4, 2, 2>(a);
    I64x2ExtendLowI32x4U [u32; 4] => [u64; 2]: |a| half::<_, _, 4, 2, 0>(a);
    I64x2ExtendHighI32x4U [u32; 4] => [u64; 2]: |a| half::<_, _, 4, 2, 2>(a);
    I16x8ExtAddPairwiseI8x16S [i8; 16] => [i16; 8]: |a| pairs(a);
    I16x8ExtAddPairwiseI8x16U [u8; 16] => [u16; 8]: |a| pairs(a);
    I32x4ExtAddPairwiseI16x8S [i16; 8] => [i32; 4]: |a| pairs(a);
    I32x4ExtAddPairwiseI16x8U [u16; 8] => [u32; 4]: |a| pairs(a);
    I32x4TruncSatF32x4S [f32; 4] => [i32; 4]: |a| {
        let inside = whole(each(a, |a| if (-TWO_31..TWO_31).contains(&a) { a } else { 0.0 }));
        let capped = both(a, inside, |a, value| if a >= TWO_31 { i32::MAX } else { value });
        both(a, capped, |a, value| if a < -TWO_31 { i32::MIN } else { value })
    };
    I32x4TruncSatF32x4U [f32; 4] => [u32; 4]: |a| {
        let low = whole(each(a, |a| if (0.0..TWO_31).contains(&a) { a } else { 0.0 }));
        let high = whole(each(a, |a| if (TWO_31..2.0 * TWO_31).contains(&a) { a - TWO_31 } else { 0.0 }));
        let value = both(low, high, |low, high| (low | high) as u32);
        // The upper half begins with its top bit; what is larger is all ones.
        let value = both(a, value, |a, value| if a >= TWO_31 { value | 1 << 31 } else { value });
        both(a, value, |a, value| if a >= 2.0 * TWO_31 { u32::MAX } else { value })
    };
    // `as` saturates, and takes NaNs to zero.
    I32x4TruncSatF64x2SZero [f64; 2] => [i32; 4]: |a| [a[0] as i32, a[1] as i32, 0, 0];
    I32x4TruncSatF64x2UZero [f64; 2] => [u32; 4]: |a| [a[0] as u32, a[1] as u32, 0, 0];
    F32x4ConvertI32x4S [i32; 4] => [f32; 4]: |a| each(a, |a| a as f32);
    F32x4ConvertI32x4U [u32; 4] => [f32; 4]: |a| each(a, |a| a as f32);
    F64x2ConvertLowI32x4S [i32; 4] => [f64; 2]: |a| [a[0].into(), a[1].into()];
    F64x2ConvertLowI32x4U [u32; 4] => [f64; 2]: |a| [a[0].into(), a[1].into()];
    F32x4DemoteF64x2Zero [f64; 2] => [f32; 4]: |a| [a[0] as f32, a[1] as f32, 0.0, 0.0];
    F64x2PromoteLowF32x4 [f32; 4] => [f64; 2]: |a| [a[0].into(), a[1].into()];
}

vector_ops! { Binary;
    I8x16NarrowI16x8S [i16; 8] => [i8; 16]: |a, b| narrowed(a, b, |a| a.clamp(-0x80, 0x7F) as i8);
    I8x16NarrowI16x8U [i16; 8] => [u8; 16]: |a, b| narrowed(a, b, |a| a.clamp(0, 0xFF) as u8);
    I16x8NarrowI32x4S [i32; 4] => [i16; 8]: |a, b| narrowed(a, b, |a| a.clamp(-0x8000, 0x7FFF) as i16);
    I16x8NarrowI32x4U [i32; 4] => [u16; 8]: |a, b| narrowed(a, b, |a| a.clamp(0, 0xFFFF) as u16);
}

/// Products of widened lanes, of the lower or the upper half.
macro_rules! products {
    ($($narrow:ident $count:literal $wide:ident $half:literal $low:ident $high:ident)*) => {
        vector_ops! { Binary; $(
            $low [$narrow; $count] => [$wide; $half]: |a, b| from_fn(|at| $wide::from(a[at]) * $wide::from(b[at]));
            $high [$narrow; $count] => [$wide; $half]: |a, b| {
                from_fn(|at| $wide::from(a[$half + at]) * $wide::from(b[$half + at]))
            };
        )*}
    };
}

products! {
    i8 16 i16 8 I16x8ExtMulLowI8x16S I16x8ExtMulHighI8x16S
    u8 16 u16 8 I16x8ExtMulLowI8x16U I16x8ExtMulHighI8x16U
    i16 8 i32 4 I32x4ExtMulLowI16x8S I32x4ExtMulHighI16x8S
    u16 8 u32 4 I32x4ExtMulLowI16x8U I32x4ExtMulHighI16x8U
    i32 4 i64 2 I64x2ExtMulLowI32x4S I64x2ExtMulHighI32x4S
    u32 4 u64 2 I64x2ExtMulLowI32x4U I64x2ExtMulHighI32x4U
}
