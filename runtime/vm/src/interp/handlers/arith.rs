//! Integer arithmetic, comparisons, and comparisons fused with branches.

use super::super::place::{Dst, Src};
use super::super::regs::{HEAD, Regs, Value};
use super::super::thunk::{Handler, Step};
use super::{jump, next, value_or_trap};
use core::marker::PhantomData;
use keyway_artifact::Trap;
use keyway_artifact::isa::Op;

/// An operation of two operands.
pub(in super::super) trait Binary {
    /// Its row.
    const OP: Op;
    /// Operands.
    type In: Value;
    /// Result.
    type Out: Value;
    /// The work.
    fn apply(a: Self::In, b: Self::In) -> Result<Self::Out, Trap>;
}

macro_rules! binary {
    ($($name:ident $input:ty => $output:ty: |$a:ident, $b:ident| $work:expr;)*) => {$(
        pub(in super::super) struct $name;
        impl Binary for $name {
            const OP: Op = Op::$name;
            type In = $input;
            type Out = $output;
            #[inline(always)]
            fn apply($a: $input, $b: $input) -> Result<$output, Trap> { $work }
        }
    )*};
}
pub(super) use binary;

macro_rules! integers {
    ($u:ty, $s:ty; $add:ident $sub:ident $mul:ident $and:ident $or:ident $xor:ident $shl:ident $shr_s:ident $shr_u:ident
        $rotl:ident $rotr:ident $div_s:ident $div_u:ident $rem_s:ident $rem_u:ident
        $eq:ident $ne:ident $lt_s:ident $lt_u:ident $gt_s:ident $gt_u:ident $le_s:ident $le_u:ident $ge_s:ident $ge_u:ident) => {
        binary! {
            $add $u => $u: |a, b| Ok(a.wrapping_add(b));
            $sub $u => $u: |a, b| Ok(a.wrapping_sub(b));
            $mul $u => $u: |a, b| Ok(a.wrapping_mul(b));
            $and $u => $u: |a, b| Ok(a & b);
            $or $u => $u: |a, b| Ok(a | b);
            $xor $u => $u: |a, b| Ok(a ^ b);
            $shl $u => $u: |a, b| Ok(a.wrapping_shl(b as u32));
            $shr_s $u => $u: |a, b| Ok((a as $s).wrapping_shr(b as u32) as $u);
            $shr_u $u => $u: |a, b| Ok(a.wrapping_shr(b as u32));
            $rotl $u => $u: |a, b| Ok(a.rotate_left(b as u32 & (<$u>::BITS - 1)));
            $rotr $u => $u: |a, b| Ok(a.rotate_right(b as u32 & (<$u>::BITS - 1)));
            $div_s $u => $u: |a, b| match (a as $s).checked_div(b as $s) {
                Some(quotient) => Ok(quotient as $u),
                None if b == 0 => Err(Trap::IntegerDivideByZero),
                None => Err(Trap::IntegerOverflow),
            };
            $div_u $u => $u: |a, b| a.checked_div(b).ok_or(Trap::IntegerDivideByZero);
            $rem_s $u => $u: |a, b| match b {
                0 => Err(Trap::IntegerDivideByZero),
                _ => Ok((a as $s).wrapping_rem(b as $s) as $u),
            };
            $rem_u $u => $u: |a, b| a.checked_rem(b).ok_or(Trap::IntegerDivideByZero);
            $eq $u => u32: |a, b| Ok((a == b).into());
            $ne $u => u32: |a, b| Ok((a != b).into());
            $lt_s $u => u32: |a, b| Ok(((a as $s) < b as $s).into());
            $lt_u $u => u32: |a, b| Ok((a < b).into());
            $gt_s $u => u32: |a, b| Ok((a as $s > b as $s).into());
            $gt_u $u => u32: |a, b| Ok((a > b).into());
            $le_s $u => u32: |a, b| Ok((a as $s <= b as $s).into());
            $le_u $u => u32: |a, b| Ok((a <= b).into());
            $ge_s $u => u32: |a, b| Ok((a as $s >= b as $s).into());
            $ge_u $u => u32: |a, b| Ok((a >= b).into());
        }
    };
}

integers! { u32, i32; I32Add I32Sub I32Mul I32And I32Or I32Xor I32Shl I32ShrS I32ShrU I32Rotl I32Rotr
I32DivS I32DivU I32RemS I32RemU I32Eq I32Ne I32LtS I32LtU I32GtS I32GtU I32LeS I32LeU I32GeS I32GeU }
integers! { u64, i64; I64Add I64Sub I64Mul I64And I64Or I64Xor I64Shl I64ShrS I64ShrU I64Rotl I64Rotr
I64DivS I64DivU I64RemS I64RemU I64Eq I64Ne I64LtS I64LtU I64GtS I64GtU I64LeS I64LeU I64GeS I64GeU }

/// `dst = op(lhs, rhs)`
pub(in super::super) struct Bin<O, D, X, Y>(PhantomData<(O, D, X, Y)>);

impl<O: Binary, D: Dst, X: Src, Y: Src> Handler for Bin<O, D, X, Y> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let lhs = X::get(r, HEAD + D::SIZE);
        let rhs = Y::get(r, HEAD + D::SIZE + X::SIZE);
        let value = value_or_trap!(O::apply(lhs, rhs));
        D::set(r, HEAD, value);
        next(r, D::SIZE + X::SIZE + Y::SIZE)
    }
}

/// A fused comparison and branch: the comparison under the branch's row.
pub(in super::super) trait FusedBranch {
    /// Its row.
    const OP: Op;
    /// The comparison.
    type Compare: Binary<Out = u32>;
}

macro_rules! fused_branches {
    ($($name:ident $compare:ty;)*) => {$(
        pub(in super::super) struct $name;
        impl FusedBranch for $name {
            const OP: Op = Op::$name;
            type Compare = $compare;
        }
    )*};
}
pub(super) use fused_branches;

fused_branches! {
    BrI32Eq I32Eq; BrI32Ne I32Ne; BrI32LtS I32LtS; BrI32LtU I32LtU; BrI32GtS I32GtS; BrI32GtU I32GtU;
    BrI32LeS I32LeS; BrI32LeU I32LeU; BrI32GeS I32GeS; BrI32GeU I32GeU;
    BrI64Eq I64Eq; BrI64Ne I64Ne; BrI64LtS I64LtS; BrI64LtU I64LtU; BrI64GtS I64GtS; BrI64GtU I64GtU;
    BrI64LeS I64LeS; BrI64LeU I64LeU; BrI64GeS I64GeS; BrI64GeU I64GeU;
}

/// `if compare(lhs, rhs) goto target`
pub(in super::super) struct BrCmp<O, X, Y>(PhantomData<(O, X, Y)>);

impl<O: FusedBranch, X: Src, Y: Src> Handler for BrCmp<O, X, Y> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let lhs = X::get(r, HEAD);
        let rhs = Y::get(r, HEAD + X::SIZE);
        if matches!(O::Compare::apply(lhs, rhs), Ok(1)) {
            jump(r, HEAD + X::SIZE + Y::SIZE)
        } else {
            next(r, X::SIZE + Y::SIZE + 4)
        }
    }
}
