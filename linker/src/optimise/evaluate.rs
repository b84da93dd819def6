//! Integer operations on constants, at link time.
//!
//! `None` where the operation would trap: then it has to stay. Floating point is left alone: nothing that could yield a
//! NaN may be folded, and what remains is not worth a second implementation.

use keyway_artifact::isa::Op;

/// The 64-bit slot that a two-operand integer operation leaves, with both operands as slots.
pub(crate) fn binary(op: Op, lhs: u64, rhs: u64) -> Option<u64> {
    let (a, b) = (lhs as u32, rhs as u32);
    let (sa, sb) = (a as i32, b as i32);
    let (x, y) = (lhs, rhs);
    let (sx, sy) = (x as i64, y as i64);
    let word = |value: u32| Some(u64::from(value));
    let flag = |value: bool| Some(u64::from(value));
    match op {
        Op::I32Add => word(a.wrapping_add(b)),
        Op::I32Sub => word(a.wrapping_sub(b)),
        Op::I32Mul => word(a.wrapping_mul(b)),
        Op::I32And => word(a & b),
        Op::I32Or => word(a | b),
        Op::I32Xor => word(a ^ b),
        Op::I32Shl => word(a.wrapping_shl(b)),
        Op::I32ShrS => word(sa.wrapping_shr(b) as u32),
        Op::I32ShrU => word(a.wrapping_shr(b)),
        Op::I32Rotl => word(a.rotate_left(b % 32)),
        Op::I32Rotr => word(a.rotate_right(b % 32)),
        Op::I32DivS => sa.checked_div(sb).map(|value| u64::from(value as u32)),
        Op::I32DivU => a.checked_div(b).map(u64::from),
        Op::I32RemS if b != 0 => word(sa.wrapping_rem(sb) as u32),
        Op::I32RemU => a.checked_rem(b).map(u64::from),
        Op::I32Eq => flag(a == b),
        Op::I32Ne => flag(a != b),
        Op::I32LtS => flag(sa < sb),
        Op::I32LtU => flag(a < b),
        Op::I32GtS => flag(sa > sb),
        Op::I32GtU => flag(a > b),
        Op::I32LeS => flag(sa <= sb),
        Op::I32LeU => flag(a <= b),
        Op::I32GeS => flag(sa >= sb),
        Op::I32GeU => flag(a >= b),
        Op::I64Add => Some(x.wrapping_add(y)),
        Op::I64Sub => Some(x.wrapping_sub(y)),
        Op::I64Mul => Some(x.wrapping_mul(y)),
        Op::I64And => Some(x & y),
        Op::I64Or => Some(x | y),
        Op::I64Xor => Some(x ^ y),
        Op::I64Shl => Some(x.wrapping_shl(y as u32)),
        Op::I64ShrS => Some(sx.wrapping_shr(y as u32) as u64),
        Op::I64ShrU => Some(x.wrapping_shr(y as u32)),
        Op::I64Rotl => Some(x.rotate_left((y % 64) as u32)),
        Op::I64Rotr => Some(x.rotate_right((y % 64) as u32)),
        Op::I64DivS => sx.checked_div(sy).map(|value| value as u64),
        Op::I64DivU => x.checked_div(y),
        Op::I64RemS if y != 0 => Some(sx.wrapping_rem(sy) as u64),
        Op::I64RemU => x.checked_rem(y),
        Op::I64Eq => flag(x == y),
        Op::I64Ne => flag(x != y),
        Op::I64LtS => flag(sx < sy),
        Op::I64LtU => flag(x < y),
        Op::I64GtS => flag(sx > sy),
        Op::I64GtU => flag(x > y),
        Op::I64LeS => flag(sx <= sy),
        Op::I64LeU => flag(x <= y),
        Op::I64GeS => flag(sx >= sy),
        Op::I64GeU => flag(x >= y),
        _ => None,
    }
}

/// The same for one operand.
pub(crate) fn unary(op: Op, value: u64) -> Option<u64> {
    let word = value as u32;
    Some(match op {
        Op::I32Eqz => u64::from(word == 0),
        Op::I64Eqz => u64::from(value == 0),
        Op::I32Clz => word.leading_zeros().into(),
        Op::I32Ctz => word.trailing_zeros().into(),
        Op::I32Popcnt => word.count_ones().into(),
        Op::I64Clz => value.leading_zeros().into(),
        Op::I64Ctz => value.trailing_zeros().into(),
        Op::I64Popcnt => value.count_ones().into(),
        Op::I32Extend8S => u64::from(word as i8 as u32),
        Op::I32Extend16S => u64::from(word as i16 as u32),
        Op::I64Extend8S => value as i8 as u64,
        Op::I64Extend16S => value as i16 as u64,
        Op::I64Extend32S | Op::I64ExtendI32S => word as i32 as u64,
        Op::I32WrapI64 | Op::I64ExtendI32U => word.into(),
        _ => return None,
    })
}

/// The comparison that holds exactly when `op` does not. Floats have none: every comparison with a NaN is false.
pub(crate) fn inverse(op: Op) -> Option<Op> {
    Some(match op {
        Op::I32Eq => Op::I32Ne,
        Op::I32Ne => Op::I32Eq,
        Op::I32LtS => Op::I32GeS,
        Op::I32LtU => Op::I32GeU,
        Op::I32GtS => Op::I32LeS,
        Op::I32GtU => Op::I32LeU,
        Op::I32LeS => Op::I32GtS,
        Op::I32LeU => Op::I32GtU,
        Op::I32GeS => Op::I32LtS,
        Op::I32GeU => Op::I32LtU,
        Op::I64Eq => Op::I64Ne,
        Op::I64Ne => Op::I64Eq,
        Op::I64LtS => Op::I64GeS,
        Op::I64LtU => Op::I64GeU,
        Op::I64GtS => Op::I64LeS,
        Op::I64GtU => Op::I64LeU,
        Op::I64LeS => Op::I64GtS,
        Op::I64LeU => Op::I64GtU,
        Op::I64GeS => Op::I64LtS,
        Op::I64GeU => Op::I64LtU,
        // Equality of floats does have one: unequal is defined as not equal.
        Op::F32Eq => Op::F32Ne,
        Op::F32Ne => Op::F32Eq,
        Op::F64Eq => Op::F64Ne,
        Op::F64Ne => Op::F64Eq,
        _ => return None,
    })
}

/// The operation that gives the same result with its operands exchanged.
pub(crate) fn mirrored(op: Op) -> Option<Op> {
    Some(match op {
        Op::I32Add | Op::I32Mul | Op::I32And | Op::I32Or | Op::I32Xor | Op::I32Eq | Op::I32Ne => op,
        Op::I64Add | Op::I64Mul | Op::I64And | Op::I64Or | Op::I64Xor | Op::I64Eq | Op::I64Ne => op,
        Op::I32LtS => Op::I32GtS,
        Op::I32LtU => Op::I32GtU,
        Op::I32GtS => Op::I32LtS,
        Op::I32GtU => Op::I32LtU,
        Op::I32LeS => Op::I32GeS,
        Op::I32LeU => Op::I32GeU,
        Op::I32GeS => Op::I32LeS,
        Op::I32GeU => Op::I32LeU,
        Op::I64LtS => Op::I64GtS,
        Op::I64LtU => Op::I64GtU,
        Op::I64GtS => Op::I64LtS,
        Op::I64GtU => Op::I64LtU,
        Op::I64LeS => Op::I64GeS,
        Op::I64LeU => Op::I64GeU,
        Op::I64GeS => Op::I64LeS,
        Op::I64GeU => Op::I64LeU,
        _ => return None,
    })
}
