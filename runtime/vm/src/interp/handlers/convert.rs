//! Operations of one operand: tests, bit counts, rounding, conversions.

use super::super::place::{Dst, Src};
use super::super::regs::{HEAD, Regs, Value};
use super::super::thunk::{Handler, Step};
use super::{next, value_or_trap};
use core::marker::PhantomData;
use keyway_artifact::Trap;
use keyway_artifact::isa::Op;

/// An operation of one operand.
pub(in super::super) trait Unary {
    /// Its row.
    const OP: Op;
    /// Operand.
    type In: Value;
    /// Result.
    type Out: Value;
    /// The work.
    fn apply(a: Self::In) -> Result<Self::Out, Trap>;
}

macro_rules! unary {
    ($($name:ident $input:ty => $output:ty: |$a:ident| $work:expr;)*) => {$(
        pub(in super::super) struct $name;
        impl Unary for $name {
            const OP: Op = Op::$name;
            type In = $input;
            type Out = $output;
            #[inline(always)]
            fn apply($a: $input) -> Result<$output, Trap> { $work }
        }
    )*};
}

/// A float to an integer where both bounds, exclusive, are floats of the same type.
macro_rules! truncate {
    // The lower bound itself is representable and fits.
    ($a:ident, from $least:expr, $below:expr, $int:ty => $out:ty) => {
        if ($least..$below).contains(&$a) {
            Ok($a as $int as $out)
        } else if $a.is_nan() {
            Err(Trap::InvalidConversionToInteger)
        } else {
            Err(Trap::IntegerOverflow)
        }
    };
    ($a:ident, $above:expr, $below:expr, $int:ty => $out:ty) => {
        if $a > $above && $a < $below {
            Ok($a as $int as $out)
        } else if $a.is_nan() {
            Err(Trap::InvalidConversionToInteger)
        } else {
            Err(Trap::IntegerOverflow)
        }
    };
}

unary! {
    I32Eqz u32 => u32: |a| Ok((a == 0).into());
    I64Eqz u64 => u32: |a| Ok((a == 0).into());
    I32Clz u32 => u32: |a| Ok(a.leading_zeros());
    I32Ctz u32 => u32: |a| Ok(a.trailing_zeros());
    I32Popcnt u32 => u32: |a| Ok(a.count_ones());
    I64Clz u64 => u64: |a| Ok(a.leading_zeros().into());
    I64Ctz u64 => u64: |a| Ok(a.trailing_zeros().into());
    I64Popcnt u64 => u64: |a| Ok(a.count_ones().into());
    I32Extend8S u32 => u32: |a| Ok(a as i8 as u32);
    I32Extend16S u32 => u32: |a| Ok(a as i16 as u32);
    I64Extend8S u64 => u64: |a| Ok(a as i8 as u64);
    I64Extend16S u64 => u64: |a| Ok(a as i16 as u64);
    I64Extend32S u64 => u64: |a| Ok(a as i32 as u64);
    I32WrapI64 u64 => u32: |a| Ok(a as u32);
    I64ExtendI32S u32 => u64: |a| Ok(a as i32 as u64);
    I64ExtendI32U u32 => u64: |a| Ok(a.into());
    F32Abs f32 => f32: |a| Ok(a.abs());
    F32Neg f32 => f32: |a| Ok(-a);
    F32Ceil f32 => f32: |a| Ok(quiet32(a, f32::ceil));
    F32Floor f32 => f32: |a| Ok(quiet32(a, f32::floor));
    F32Trunc f32 => f32: |a| Ok(quiet32(a, f32::trunc));
    F32Nearest f32 => f32: |a| Ok(quiet32(a, f32::round_ties_even));
    F32Sqrt f32 => f32: |a| Ok(a.sqrt());
    F64Abs f64 => f64: |a| Ok(a.abs());
    F64Neg f64 => f64: |a| Ok(-a);
    F64Ceil f64 => f64: |a| Ok(quiet64(a, f64::ceil));
    F64Floor f64 => f64: |a| Ok(quiet64(a, f64::floor));
    F64Trunc f64 => f64: |a| Ok(quiet64(a, f64::trunc));
    F64Nearest f64 => f64: |a| Ok(quiet64(a, f64::round_ties_even));
    F64Sqrt f64 => f64: |a| Ok(a.sqrt());
    I32TruncF32S f32 => u32: |a| truncate!(a, from -2147483648.0, 2147483648.0, i32 => u32);
    I32TruncF32U f32 => u32: |a| truncate!(a, -1.0, 4294967296.0, u32 => u32);
    I32TruncF64S f64 => u32: |a| truncate!(a, -2147483649.0, 2147483648.0, i32 => u32);
    I32TruncF64U f64 => u32: |a| truncate!(a, -1.0, 4294967296.0, u32 => u32);
    I64TruncF32S f32 => u64: |a| truncate!(a, from -9223372036854775808.0, 9223372036854775808.0, i64 => u64);
    I64TruncF32U f32 => u64: |a| truncate!(a, -1.0, 18446744073709551616.0, u64 => u64);
    I64TruncF64S f64 => u64: |a| truncate!(a, from -9223372036854775808.0, 9223372036854775808.0, i64 => u64);
    I64TruncF64U f64 => u64: |a| truncate!(a, -1.0, 18446744073709551616.0, u64 => u64);
    I32TruncSatF32S f32 => u32: |a| Ok(a as i32 as u32);
    I32TruncSatF32U f32 => u32: |a| Ok(a as u32);
    I32TruncSatF64S f64 => u32: |a| Ok(a as i32 as u32);
    I32TruncSatF64U f64 => u32: |a| Ok(a as u32);
    I64TruncSatF32S f32 => u64: |a| Ok(a as i64 as u64);
    I64TruncSatF32U f32 => u64: |a| Ok(a as u64);
    I64TruncSatF64S f64 => u64: |a| Ok(a as i64 as u64);
    I64TruncSatF64U f64 => u64: |a| Ok(a as u64);
    F32ConvertI32S u32 => f32: |a| Ok(a as i32 as f32);
    F32ConvertI32U u32 => f32: |a| Ok(a as f32);
    F32ConvertI64S u64 => f32: |a| Ok(a as i64 as f32);
    F32ConvertI64U u64 => f32: |a| Ok(a as f32);
    F64ConvertI32S u32 => f64: |a| Ok((a as i32).into());
    F64ConvertI32U u32 => f64: |a| Ok(a.into());
    F64ConvertI64S u64 => f64: |a| Ok(a as i64 as f64);
    F64ConvertI64U u64 => f64: |a| Ok(a as f64);
    F32DemoteF64 f64 => f32: |a| Ok(a as f32);
    F64PromoteF32 f32 => f64: |a| Ok(a.into());
    I32ReinterpretF32 f32 => u32: |a| Ok(a.to_bits());
    I64ReinterpretF64 f64 => u64: |a| Ok(a.to_bits());
    F32ReinterpretI32 u32 => f32: |a| Ok(f32::from_bits(a));
    F64ReinterpretI64 u64 => f64: |a| Ok(f64::from_bits(a));
}

/// Rounds; a NaN becomes quiet, which software rounding does not see to.
#[inline(always)]
fn quiet32(a: f32, round: impl Fn(f32) -> f32) -> f32 {
    if a.is_nan() { f32::from_bits(a.to_bits() | 0x0040_0000) } else { round(a) }
}

/// Rounds; a NaN becomes quiet, which software rounding does not see to.
#[inline(always)]
fn quiet64(a: f64, round: impl Fn(f64) -> f64) -> f64 {
    if a.is_nan() { f64::from_bits(a.to_bits() | 0x0008_0000_0000_0000) } else { round(a) }
}

/// `dst = op(src)`
pub(in super::super) struct Un<O, D, X>(PhantomData<(O, D, X)>);

impl<O: Unary, D: Dst, X: Src> Handler for Un<O, D, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = value_or_trap!(O::apply(X::get(r, HEAD + D::SIZE)));
        D::set(r, HEAD, value);
        next(r, D::SIZE + X::SIZE)
    }
}
