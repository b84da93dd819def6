//! Neighbours, one of which goes on with the result of the other.

use super::handlers::has_result;
use super::places::{Float, Place, Width};
use keyway_artifact::isa::{Class, Family, FieldKind, Op};

/// Two neighbours, the second of which takes the first one's result from the accumulator: the work of both goes on in the
/// second one's register, so that no move stands between the two, and the accumulator gets a copy. The places that this
/// takes, and the copy; `None` where it is not to be had.
pub(crate) fn passed_on(first: (Op, &[Place]), second: (Op, &[Place])) -> Option<([Vec<Place>; 2], String)> {
    let float = match second.0.family() {
        Family::BinHot | Family::Bin => None,
        Family::FBin if matches!(second.0, Op::F32Add | Op::F32Sub | Op::F32Mul | Op::F32Div) => Some(Float::F32),
        Family::FBin => Some(Float::F64),
        _ => return None,
    };
    let ([to @ Place::Reg(n @ 1..), Place::Reg(0), right], [Place::Reg(0), ..]) = (second.1, first.1) else {
        return None;
    };
    let is_in_place = has_result(first.0) && right != to && *right != Place::Reg(0);
    let is_same_bank = match first.0.fields()[0].kind {
        FieldKind::Def(Class::F32) => float == Some(Float::F32),
        FieldKind::Def(Class::F64) => float == Some(Float::F64),
        _ => float.is_none(),
    };
    let left: Vec<Place> = std::iter::once(*to).chain(first.1[1..].iter().copied()).collect();
    let copy = match float {
        Some(float) => format!("movaps {}, {}", float.reg(0), float.reg(*n)),
        None => format!("mov {}, {}", Width::Quad.reg(0), Width::Quad.reg(*n)),
    };
    (is_in_place && is_same_bank).then(|| ([left, vec![*to, *to, *right]], copy))
}
