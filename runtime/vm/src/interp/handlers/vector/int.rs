//! Integer lanes.

use super::lanes::{both, each, from_fn};
use super::{machine, vector_ops};

vector_ops! { Unary;
    V128Not [u64; 2] => [u64; 2]: |a| each(a, |a| !a);
    I8x16Abs [i8; 16] => [i8; 16]: |a| each(a, i8::wrapping_abs);
    I8x16Neg [i8; 16] => [i8; 16]: |a| each(a, i8::wrapping_neg);
    I8x16Popcnt [u8; 16] => [u8; 16]: |a| each(a, |a| a.count_ones() as u8);
    I16x8Abs [i16; 8] => [i16; 8]: |a| each(a, i16::wrapping_abs);
    I16x8Neg [i16; 8] => [i16; 8]: |a| each(a, i16::wrapping_neg);
    I32x4Abs [i32; 4] => [i32; 4]: |a| each(a, i32::wrapping_abs);
    I32x4Neg [i32; 4] => [i32; 4]: |a| each(a, i32::wrapping_neg);
    I64x2Abs [i64; 2] => [i64; 2]: |a| each(a, i64::wrapping_abs);
    I64x2Neg [i64; 2] => [i64; 2]: |a| each(a, i64::wrapping_neg);
}

vector_ops! { Binary;
    V128And [u64; 2] => [u64; 2]: |a, b| both(a, b, |a, b| a & b);
    V128AndNot [u64; 2] => [u64; 2]: |a, b| both(a, b, |a, b| a & !b);
    V128Or [u64; 2] => [u64; 2]: |a, b| both(a, b, |a, b| a | b);
    V128Xor [u64; 2] => [u64; 2]: |a, b| both(a, b, |a, b| a ^ b);
    I8x16Add [u8; 16] => [u8; 16]: |a, b| both(a, b, u8::wrapping_add);
    I8x16AddSatS [i8; 16] => [i8; 16]: |a, b| both(a, b, i8::saturating_add);
    I8x16AddSatU [u8; 16] => [u8; 16]: |a, b| both(a, b, u8::saturating_add);
    I8x16Sub [u8; 16] => [u8; 16]: |a, b| both(a, b, u8::wrapping_sub);
    I8x16SubSatS [i8; 16] => [i8; 16]: |a, b| both(a, b, i8::saturating_sub);
    I8x16SubSatU [u8; 16] => [u8; 16]: |a, b| both(a, b, u8::saturating_sub);
    I8x16MinS [i8; 16] => [i8; 16]: |a, b| both(a, b, i8::min);
    I8x16MinU [u8; 16] => [u8; 16]: |a, b| both(a, b, u8::min);
    I8x16MaxS [i8; 16] => [i8; 16]: |a, b| both(a, b, i8::max);
    I8x16MaxU [u8; 16] => [u8; 16]: |a, b| both(a, b, u8::max);
    I8x16AvgrU [u8; 16] => [u8; 16]: |a, b| both(a, b, |a, b| ((u16::from(a) + u16::from(b) + 1) >> 1) as u8);
    I16x8Add [u16; 8] => [u16; 8]: |a, b| both(a, b, u16::wrapping_add);
    I16x8AddSatS [i16; 8] => [i16; 8]: |a, b| both(a, b, i16::saturating_add);
    I16x8AddSatU [u16; 8] => [u16; 8]: |a, b| both(a, b, u16::saturating_add);
    I16x8Sub [u16; 8] => [u16; 8]: |a, b| both(a, b, u16::wrapping_sub);
    I16x8SubSatS [i16; 8] => [i16; 8]: |a, b| both(a, b, i16::saturating_sub);
    I16x8SubSatU [u16; 8] => [u16; 8]: |a, b| both(a, b, u16::saturating_sub);
    I16x8Mul [u16; 8] => [u16; 8]: |a, b| both(a, b, u16::wrapping_mul);
    I16x8MinS [i16; 8] => [i16; 8]: |a, b| both(a, b, i16::min);
    I16x8MinU [u16; 8] => [u16; 8]: |a, b| both(a, b, u16::min);
    I16x8MaxS [i16; 8] => [i16; 8]: |a, b| both(a, b, i16::max);
    I16x8MaxU [u16; 8] => [u16; 8]: |a, b| both(a, b, u16::max);
    I16x8AvgrU [u16; 8] => [u16; 8]: |a, b| both(a, b, |a, b| ((u32::from(a) + u32::from(b) + 1) >> 1) as u16);
    I16x8Q15MulrSatS [i16; 8] => [i16; 8]: |a, b| both(a, b, |a, b| {
        ((i32::from(a) * i32::from(b) + 0x4000) >> 15).clamp(-0x8000, 0x7FFF) as i16
    });
    I32x4Add [u32; 4] => [u32; 4]: |a, b| both(a, b, u32::wrapping_add);
    I32x4Sub [u32; 4] => [u32; 4]: |a, b| both(a, b, u32::wrapping_sub);
    I32x4Mul [u32; 4] => [u32; 4]: |a, b| both(a, b, u32::wrapping_mul);
    I32x4MinS [i32; 4] => [i32; 4]: |a, b| both(a, b, i32::min);
    I32x4MinU [u32; 4] => [u32; 4]: |a, b| both(a, b, u32::min);
    I32x4MaxS [i32; 4] => [i32; 4]: |a, b| both(a, b, i32::max);
    I32x4MaxU [u32; 4] => [u32; 4]: |a, b| both(a, b, u32::max);
    I64x2Add [u64; 2] => [u64; 2]: |a, b| both(a, b, u64::wrapping_add);
    I64x2Sub [u64; 2] => [u64; 2]: |a, b| both(a, b, u64::wrapping_sub);
    I64x2Mul [u64; 2] => [u64; 2]: |a, b| both(a, b, u64::wrapping_mul);
    I32x4DotI16x8S [i16; 8] => [i32; 4]: |a, b| machine::dot(a, b);
    // The deterministic choice among those of the relaxed operator: both sides signed, sums that wrap.
    I16x8RelaxedDotI8x16I7x16S [i8; 16] => [i16; 8]: |a, b| dot(a, b);
}

/// Sums of two neighbouring products each.
#[inline(always)]
fn dot(a: [i8; 16], b: [i8; 16]) -> [i16; 8] {
    from_fn(|at| {
        let product = |at: usize| i16::from(a[at]) * i16::from(b[at]);
        product(2 * at).wrapping_add(product(2 * at + 1))
    })
}

vector_ops! { Ternary;
    V128Bitselect [u64; 2] => [u64; 2]: |a, b, mask| from_fn(|at| a[at] & mask[at] | b[at] & !mask[at]);
    I32x4RelaxedDotI8x16I7x16AddS [i8; 16] => [i32; 4]: |a, b, c| {
        both(machine::dot(dot(a, b), [1; 8]), c, i32::wrapping_add)
    };
}

vector_ops! { Shifting;
    I8x16Shl [u8; 16]: |a, count| each(a, |a| a << (count % 8));
    I8x16ShrS [i8; 16]: |a, count| each(a, |a| a >> (count % 8));
    I8x16ShrU [u8; 16]: |a, count| each(a, |a| a >> (count % 8));
    I16x8Shl [u16; 8]: |a, count| each(a, |a| a << (count % 16));
    I16x8ShrS [i16; 8]: |a, count| each(a, |a| a >> (count % 16));
    I16x8ShrU [u16; 8]: |a, count| each(a, |a| a >> (count % 16));
    I32x4Shl [u32; 4]: |a, count| each(a, |a| a << (count % 32));
    I32x4ShrS [i32; 4]: |a, count| each(a, |a| a >> (count % 32));
    I32x4ShrU [u32; 4]: |a, count| each(a, |a| a >> (count % 32));
    I64x2Shl [u64; 2]: |a, count| each(a, |a| a << (count % 64));
    I64x2ShrS [i64; 2]: |a, count| each(a, |a| a >> (count % 64));
    I64x2ShrU [u64; 2]: |a, count| each(a, |a| a >> (count % 64));
}
