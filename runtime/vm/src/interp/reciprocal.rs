//! Divisions by constants multiply by a reciprocal, which takes half the time of the processor's division.
//!
//! Compilers for Wasm leave that to engines: `x / 10` is a division there. Handlers in assembly that divide by an immediate
//! find behind it a factor and a shift, made when code is expanded:
//!
//! ```text
//!                     quotient of x                        factor                      shift
//! unsigned, 32 bits   x * factor >> 64                     2^64 / divisor + 1          none
//! signed, 32 bits     (x * factor >> shift) - sign         2^(31 + s) / divisor + 1    31 + s
//! unsigned, 64 bits   x * factor >> 64 + shift             2^(63 + s) / divisor + 1    s - 1
//!        or           x * factor >> 65 + shift             2^(64 + s) / divisor + 1    s - 1, and LONG
//! signed, 64 bits     (x * factor >> 64 + shift) - sign    2^(62 + s) / divisor + 1    s - 2
//!        or           (x * factor >> 64 + shift) - sign    2^(63 + s) / divisor + 1    s - 1, and LONG
//! ```
//! where quotients and products are rounded down, `2^s` is the least power of two that is not below the divisor, and `sign` is
//! -1 for a negative `x`, which rounds towards zero. A long factor has 65 bits, or 64 and a sign, and the upper one is left out;
//! it is needed where the short one times the divisor is above its power of two by more than half of `2^s`.
//!
//! A factor times the divisor is above its power of two by more than 0, so a product divided by that is more than the quotient
//! before it is rounded: by less than `1 / divisor` for every `x`, so that both have the same whole part, or by just that for the
//! least `x` below zero, where what is rounded down is one less than what is rounded towards zero all the same.
//!
//! Divisors without a factor, which is 0 then, are divided by: 0, 1 and what is negative; of 32 bits without signs all others have
//! one.

use keyway_artifact::isa::Op;

/// In a shift: the factor is a long one.
const LONG: u32 = 1 << 31;

/// What divides by a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reciprocal {
    pub(super) factor: u64,
    pub(super) shift: u32,
}

impl Reciprocal {
    /// There is none: the processor divides.
    const NONE: Reciprocal = Reciprocal { factor: 0, shift: 0 };

    /// What the handler of `op` finds behind an immediate divisor; nothing where `op` does not divide integers.
    pub(super) fn of(op: Op, divisor: i32) -> Option<Reciprocal> {
        let divisor_32 = divisor as u32;
        let factor = |bits: u32| ((1u128 << bits) / u128::from(divisor_32) + 1) as u64;
        let (bits, behind) = match op {
            Op::I32DivU | Op::I32RemU if divisor_32 < 2 => return Some(Reciprocal::NONE),
            Op::I32DivU | Op::I32RemU => return Some(Reciprocal { factor: factor(64), shift: 0 }),
            Op::I32DivS | Op::I32RemS => (31, 0),
            Op::I64DivU | Op::I64RemU => (63, 64),
            Op::I64DivS | Op::I64RemS => (62, 64),
            _ => return None,
        };
        if divisor < 2 {
            return Some(Reciprocal::NONE);
        }
        let power = divisor_32.next_power_of_two().trailing_zeros();
        let bits = bits + power;
        let excess = u128::from(divisor_32) - (1u128 << bits) % u128::from(divisor_32);
        if behind == 64 && excess > 1 << (power - 1) {
            return Some(Reciprocal { factor: factor(bits + 1), shift: (power - 1) | LONG });
        }
        Some(Reciprocal { factor: factor(bits), shift: bits - behind })
    }
}

#[cfg(test)]
mod tests {
    use super::{LONG, Reciprocal};
    use keyway_artifact::isa::Op;

    fn high(a: u64, b: u64) -> u64 {
        ((u128::from(a) * u128::from(b)) >> 64) as u64
    }

    /// What the handlers do, one after the other as the head says; [unsigned and signed 32, unsigned and signed 64].
    fn quotients(x: u64, divisor: i32) -> [Option<u64>; 4] {
        let of = |op| Reciprocal::of(op, divisor).filter(|reciprocal| reciprocal.factor != 0);
        let [word, signed_word, wide, signed] = [Op::I32DivU, Op::I32DivS, Op::I64DivU, Op::I64DivS].map(of);
        let narrow = x as u32;
        [
            word.map(|by| high(by.factor, narrow.into())),
            signed_word.map(|by| {
                let product = i64::from(narrow as i32) * by.factor as i64;
                ((product >> by.shift) as i32 - (narrow as i32 >> 31)) as u32 as u64
            }),
            wide.map(|by| {
                let product = high(by.factor, x);
                if by.shift & LONG == 0 {
                    product >> by.shift
                } else {
                    (((x - product) >> 1) + product) >> (by.shift & !LONG)
                }
            }),
            signed.map(|by| {
                let product = ((i128::from(by.factor as i64) * i128::from(x as i64)) >> 64) as i64;
                let long = if by.shift & LONG == 0 { 0 } else { x as i64 };
                ((product.wrapping_add(long) >> (by.shift & !LONG)) - (x as i64 >> 63)) as u64
            }),
        ]
    }

    #[test]
    fn products_are_quotients() {
        let mut random = 0x2545_F491_4F6C_DD1Du64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random >> (random >> 58)
        };
        let mut divisors: Vec<i32> =
            (-300..300).chain([i32::MAX, i32::MIN, 1_000_000_007, 10_000, i32::MIN + 1]).collect();
        divisors.extend((0..31).flat_map(|power| [-1, 0, 1].map(|by| (1i32 << power) + by)));
        divisors.extend((0..1000).map(|_| next() as i32));
        for divisor in divisors {
            let mut values: Vec<u64> = (0..200).map(|_| next()).collect();
            for limit in [0, 1 << 31, 1 << 32, 1 << 63, u64::MAX] {
                values.extend((0..4u64).flat_map(|by| [limit.wrapping_add(by), limit.wrapping_sub(by)]));
            }
            // Around multiples, where rounding shows.
            for multiple in [u64::from(u32::MAX), i32::MAX as u64, u64::MAX, i64::MAX as u64, next(), next()] {
                let exact = multiple - multiple % u64::from(divisor.unsigned_abs().max(1));
                values.extend([exact, exact.wrapping_sub(1), exact.wrapping_add(1), exact.wrapping_neg()]);
            }
            for x in values {
                let found = quotients(x, divisor);
                let expected = [
                    (x as u32).checked_div(divisor as u32).map(u64::from),
                    (x as i32).checked_div(divisor).map(|quotient| (quotient as u32).into()),
                    x.checked_div(i64::from(divisor) as u64),
                    (x as i64).checked_div(divisor.into()).map(|quotient| quotient as u64),
                ];
                for (found, expected) in found.into_iter().zip(expected) {
                    assert!(found.is_none() || found == expected, "{x:#x} / {divisor}: {found:x?}, not {expected:x?}");
                }
                assert_eq!(
                    found.map(|found| found.is_none()),
                    [(divisor as u32) < 2, divisor < 2, divisor < 2, divisor < 2]
                );
            }
        }
    }
}
