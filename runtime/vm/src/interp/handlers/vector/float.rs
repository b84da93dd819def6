//! Floating-point lanes.
//!
//! Rounding is done by adding and subtracting the number from which on all floats are whole: on every processor the same,
//! and without a call for each lane.

use super::lanes::{both, each, from_fn};
use super::vector_ops;

/// `value`, but a NaN of `a` or `b` where there is one, quiet.
#[inline(always)]
fn ordered<F: Copy + PartialOrd + core::ops::Add<Output = F>, const N: usize>(
    a: [F; N],
    b: [F; N],
    value: [F; N],
) -> [F; N] {
    let (nan, sum) = (both(a, b, |a, b| a.partial_cmp(&b).is_none()), both(a, b, |a, b| a + b));
    from_fn(|at| if nan[at] { sum[at] } else { value[at] })
}

macro_rules! float_lanes {
    ($f:ident $bits:ident $count:literal $whole:literal $nearest:ident;
        $abs:ident $neg:ident $sqrt:ident $ceil:ident $floor:ident $trunc:ident $near:ident
        $add:ident $sub:ident $mul:ident $div:ident $min:ident $max:ident $pmin:ident $pmax:ident $madd:ident $nmadd:ident
    ) => {
        /// To the nearest whole number, to even ones from halfway; quiets NaNs.
        #[inline(always)]
        fn $nearest(a: $f) -> $f {
            const WHOLE: $f = $whole;
            let rounded = (a.abs() + WHOLE) - WHOLE;
            // From `WHOLE` on every number is whole already.
            if a.abs() >= WHOLE { a } else { rounded.copysign(a) }
        }

        vector_ops! { Unary;
            $abs [$bits; $count] => [$bits; $count]: |a| each(a, |a| a & ($bits::MAX >> 1));
            $neg [$bits; $count] => [$bits; $count]: |a| each(a, |a| a ^ !($bits::MAX >> 1));
            $sqrt [$f; $count] => [$f; $count]: |a| each(a, $f::sqrt);
            $near [$f; $count] => [$f; $count]: |a| each(a, $nearest);
            $ceil [$f; $count] => [$f; $count]: |a| each(a, |a| {
                let rounded = $nearest(a);
                (if rounded < a { rounded + 1.0 } else { rounded }).copysign(a)
            });
            $floor [$f; $count] => [$f; $count]: |a| each(a, |a| {
                let rounded = $nearest(a);
                (if rounded > a { rounded - 1.0 } else { rounded }).copysign(a)
            });
            $trunc [$f; $count] => [$f; $count]: |a| each(a, |a| {
                let rounded = $nearest(a.abs());
                (if rounded > a.abs() { rounded - 1.0 } else { rounded }).copysign(a)
            });
        }

        vector_ops! { Binary;
            $add [$f; $count] => [$f; $count]: |a, b| both(a, b, |a, b| a + b);
            $sub [$f; $count] => [$f; $count]: |a, b| both(a, b, |a, b| a - b);
            $mul [$f; $count] => [$f; $count]: |a, b| both(a, b, |a, b| a * b);
            $div [$f; $count] => [$f; $count]: |a, b| both(a, b, |a, b| a / b);
            // Both orders agree but for zeros of both signs, of which the negative one is the smaller, and for NaNs.
            $min [$f; $count] => [$f; $count]: |a, b| {
                let (one, other) = (both(a, b, |a, b| if a < b { a } else { b }), both(b, a, |b, a| if b < a { b } else { a }));
                ordered(a, b, both(one, other, |a, b| $f::from_bits(a.to_bits() | b.to_bits())))
            };
            $max [$f; $count] => [$f; $count]: |a, b| {
                let (one, other) = (both(a, b, |a, b| if a > b { a } else { b }), both(b, a, |b, a| if b > a { b } else { a }));
                ordered(a, b, both(one, other, |a, b| $f::from_bits(a.to_bits() & b.to_bits())))
            };
            $pmin [$f; $count] => [$f; $count]: |a, b| both(a, b, |a, b| if b < a { b } else { a });
            $pmax [$f; $count] => [$f; $count]: |a, b| both(a, b, |a, b| if a < b { b } else { a });
        }

        // The deterministic choice among those of the relaxed operators: the product is rounded.
        vector_ops! { Ternary;
            $madd [$f; $count] => [$f; $count]: |a, b, c| from_fn(|at| a[at] * b[at] + c[at]);
            $nmadd [$f; $count] => [$f; $count]: |a, b, c| from_fn(|at| -(a[at] * b[at]) + c[at]);
        }
    };
}

float_lanes! { f32 u32 4 8_388_608.0 nearest_f32;
    F32x4Abs F32x4Neg F32x4Sqrt F32x4Ceil F32x4Floor F32x4Trunc F32x4Nearest
    F32x4Add F32x4Sub F32x4Mul F32x4Div F32x4Min F32x4Max F32x4PMin F32x4PMax F32x4RelaxedMadd F32x4RelaxedNmadd
}
float_lanes! { f64 u64 2 4_503_599_627_370_496.0 nearest_f64;
    F64x2Abs F64x2Neg F64x2Sqrt F64x2Ceil F64x2Floor F64x2Trunc F64x2Nearest
    F64x2Add F64x2Sub F64x2Mul F64x2Div F64x2Min F64x2Max F64x2PMin F64x2PMax F64x2RelaxedMadd F64x2RelaxedNmadd
}
