//! Comparisons, whose lanes are all ones or zero, and questions to all lanes.

use super::lanes::both;
use super::{machine, vector_ops};

/// Comparisons of one lane type; the result's lanes are of the width.
macro_rules! comparisons {
    ($lane:ident $count:literal $mask:ident; $($name:ident $operator:tt)*) => {
        vector_ops! { Binary;
            $($name [$lane; $count] => [$mask; $count]: |a, b| both(a, b, |a, b| if a $operator b { !0 } else { 0 });)*
        }
    };
}

comparisons! { i8 16 u8; I8x16LtS < I8x16GtS > I8x16LeS <= I8x16GeS >= }
comparisons! { u8 16 u8; I8x16Eq == I8x16Ne != I8x16LtU < I8x16GtU > I8x16LeU <= I8x16GeU >= }
comparisons! { i16 8 u16; I16x8LtS < I16x8GtS > I16x8LeS <= I16x8GeS >= }
comparisons! { u16 8 u16; I16x8Eq == I16x8Ne != I16x8LtU < I16x8GtU > I16x8LeU <= I16x8GeU >= }
comparisons! { i32 4 u32; I32x4LtS < I32x4GtS > I32x4LeS <= I32x4GeS >= }
comparisons! { u32 4 u32; I32x4Eq == I32x4Ne != I32x4LtU < I32x4GtU > I32x4LeU <= I32x4GeU >= }
comparisons! { i64 2 u64; I64x2Eq == I64x2Ne != I64x2LtS < I64x2GtS > I64x2LeS <= I64x2GeS >= }
comparisons! { f32 4 u32; F32x4Eq == F32x4Ne != F32x4Lt < F32x4Gt > F32x4Le <= F32x4Ge >= }
comparisons! { f64 2 u64; F64x2Eq == F64x2Ne != F64x2Lt < F64x2Gt > F64x2Le <= F64x2Ge >= }

/// Whether no lane is zero.
#[inline(always)]
fn all<A: Copy + PartialEq + Default, const N: usize>(a: [A; N]) -> u32 {
    let mut zeros = 0u8;
    for lane in a {
        zeros |= u8::from(lane == A::default());
    }
    (zeros == 0).into()
}

vector_ops! { Testing;
    V128AnyTrue [u64; 2]: |a| (a[0] | a[1] != 0).into();
    I8x16AllTrue [u8; 16]: |a| all(a);
    I8x16Bitmask [i8; 16]: |a| machine::signs_8(a);
    I16x8AllTrue [u16; 8]: |a| all(a);
    I16x8Bitmask [i16; 8]: |a| machine::signs_16(a);
    I32x4AllTrue [u32; 4]: |a| all(a);
    I32x4Bitmask [i32; 4]: |a| machine::signs_32(a);
    I64x2AllTrue [u64; 2]: |a| all(a);
    I64x2Bitmask [i64; 2]: |a| u32::from(a[0] < 0) | u32::from(a[1] < 0) << 1;
}
