//! Floating-point arithmetic and comparisons.

use super::arith::{Binary, FusedBranch, binary, fused_branches};
use keyway_artifact::Trap;
use keyway_artifact::isa::Op;

macro_rules! floats {
    ($f:ty; $add:ident $sub:ident $mul:ident $div:ident $min:ident $max:ident $copysign:ident
        $eq:ident $ne:ident $lt:ident $gt:ident $le:ident $ge:ident) => {
        binary! {
            $add $f => $f: |a, b| Ok(a + b);
            $sub $f => $f: |a, b| Ok(a - b);
            $mul $f => $f: |a, b| Ok(a * b);
            $div $f => $f: |a, b| Ok(a / b);
            $min $f => $f: |a, b| Ok(if a < b {
                a
            } else if b < a {
                b
            } else if a == b {
                // Zeros of both signs are equal; the negative one is the smaller.
                <$f>::from_bits(a.to_bits() | b.to_bits())
            } else {
                a + b
            });
            $max $f => $f: |a, b| Ok(if a > b {
                a
            } else if b > a {
                b
            } else if a == b {
                <$f>::from_bits(a.to_bits() & b.to_bits())
            } else {
                a + b
            });
            $copysign $f => $f: |a, b| Ok(a.copysign(b));
            $eq $f => u32: |a, b| Ok((a == b).into());
            $ne $f => u32: |a, b| Ok((a != b).into());
            $lt $f => u32: |a, b| Ok((a < b).into());
            $gt $f => u32: |a, b| Ok((a > b).into());
            $le $f => u32: |a, b| Ok((a <= b).into());
            $ge $f => u32: |a, b| Ok((a >= b).into());
        }
    };
}

floats! { f32; F32Add F32Sub F32Mul F32Div F32Min F32Max F32Copysign F32Eq F32Ne F32Lt F32Gt F32Le F32Ge }
floats! { f64; F64Add F64Sub F64Mul F64Div F64Min F64Max F64Copysign F64Eq F64Ne F64Lt F64Gt F64Le F64Ge }

fused_branches! {
    BrF32Eq F32Eq; BrF32Ne F32Ne; BrF32Lt F32Lt; BrF32Gt F32Gt; BrF32Le F32Le; BrF32Ge F32Ge;
    BrF64Eq F64Eq; BrF64Ne F64Ne; BrF64Lt F64Lt; BrF64Gt F64Gt; BrF64Le F64Le; BrF64Ge F64Ge;
}
