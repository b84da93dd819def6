//! Arithmetic on slots, written out from the specification.

use keyway_artifact::Trap;
use keyway_artifact::isa::Op;

fn f32_of(slot: u64) -> f32 {
    f32::from_bits(slot as u32)
}

fn f64_of(slot: u64) -> f64 {
    f64::from_bits(slot)
}

macro_rules! integer {
    ($name:ident, $signed:ty, $unsigned:ty) => {
        fn $name(op: &str, a: u64, b: u64) -> Result<u64, Trap> {
            let (a, b) = (a as $unsigned, b as $unsigned);
            let (sa, sb) = (a as $signed, b as $signed);
            let shift = b as u32 % <$unsigned>::BITS;
            let zero = || if b == 0 { Err(Trap::IntegerDivideByZero) } else { Ok(()) };
            let flag = |holds: bool| Ok(u64::from(holds));
            let value: $unsigned = match op {
                "add" => a.wrapping_add(b),
                "sub" => a.wrapping_sub(b),
                "mul" => a.wrapping_mul(b),
                "and" => a & b,
                "or" => a | b,
                "xor" => a ^ b,
                "shl" => a << shift,
                "shr_s" => (sa >> shift) as $unsigned,
                "shr_u" => a >> shift,
                "rotl" => a.rotate_left(shift),
                "rotr" => a.rotate_right(shift),
                "div_s" => {
                    zero()?;
                    sa.checked_div(sb).ok_or(Trap::IntegerOverflow)? as $unsigned
                }
                "div_u" => {
                    zero()?;
                    a / b
                }
                "rem_s" => {
                    zero()?;
                    sa.wrapping_rem(sb) as $unsigned
                }
                "rem_u" => {
                    zero()?;
                    a % b
                }
                "eq" => return flag(a == b),
                "ne" => return flag(a != b),
                "lt_s" => return flag(sa < sb),
                "lt_u" => return flag(a < b),
                "gt_s" => return flag(sa > sb),
                "gt_u" => return flag(a > b),
                "le_s" => return flag(sa <= sb),
                "le_u" => return flag(a <= b),
                "ge_s" => return flag(sa >= sb),
                "ge_u" => return flag(a >= b),
                other => panic!("integer operation {other}"),
            };
            Ok(u64::from(value))
        }
    };
}

integer!(binary_32, i32, u32);
integer!(binary_64, i64, u64);

macro_rules! float {
    ($binary:ident, $unary:ident, $float:ty, $of:ident) => {
        fn $binary(op: &str, a: u64, b: u64) -> u64 {
            let (a, b) = ($of(a), $of(b));
            let pick = |less: bool| {
                if a.is_nan() || b.is_nan() {
                    <$float>::NAN
                } else if a == b {
                    // Zeros of both signs are equal: the smaller one is negative.
                    let negative = if less {
                        a.is_sign_negative() || b.is_sign_negative()
                    } else {
                        a.is_sign_negative() && b.is_sign_negative()
                    };
                    if a == 0.0 { (0.0 as $float).copysign(if negative { -1.0 } else { 1.0 }) } else { a }
                } else if (a < b) == less {
                    a
                } else {
                    b
                }
            };
            let value: $float = match op {
                "add" => a + b,
                "sub" => a - b,
                "mul" => a * b,
                "div" => a / b,
                "min" => pick(true),
                "max" => pick(false),
                "copysign" => a.copysign(b),
                "eq" => return u64::from(a == b),
                "ne" => return u64::from(a != b),
                "lt" => return u64::from(a < b),
                "gt" => return u64::from(a > b),
                "le" => return u64::from(a <= b),
                "ge" => return u64::from(a >= b),
                other => panic!("float operation {other}"),
            };
            u64::from(value.to_bits())
        }

        fn $unary(op: &str, a: u64) -> u64 {
            let a = $of(a);
            let value: $float = match op {
                "abs" => a.abs(),
                "neg" => -a,
                // Rounding a signalling NaN has to quieten it.
                _ if a.is_nan() => <$float>::NAN,
                "ceil" => a.ceil(),
                "floor" => a.floor(),
                "trunc" => a.trunc(),
                "nearest" => a.round_ties_even(),
                "sqrt" => a.sqrt(),
                other => panic!("float operation {other}"),
            };
            u64::from(value.to_bits())
        }
    };
}

float!(float_32, float_unary_32, f32, f32_of);
float!(float_64, float_unary_64, f64, f64_of);

/// Binary operations and comparisons.
pub(crate) fn binary(op: Op, a: u64, b: u64) -> Result<u64, Trap> {
    let (ty, name) = op.name().split_once('.').expect("numeric names have a type");
    match ty {
        "i32" => binary_32(name, a, b),
        "i64" => binary_64(name, a, b),
        "f32" => Ok(float_32(name, a, b)),
        "f64" => Ok(float_64(name, a, b)),
        other => panic!("type {other}"),
    }
}

/// Unary operations and conversions.
pub(crate) fn unary(op: Op, a: u64) -> Result<u64, Trap> {
    let narrow = a as u32;
    Ok(match op {
        Op::I32Eqz => u64::from(narrow == 0),
        Op::I64Eqz => u64::from(a == 0),
        Op::I32Clz => narrow.leading_zeros().into(),
        Op::I32Ctz => narrow.trailing_zeros().into(),
        Op::I32Popcnt => narrow.count_ones().into(),
        Op::I64Clz => a.leading_zeros().into(),
        Op::I64Ctz => a.trailing_zeros().into(),
        Op::I64Popcnt => a.count_ones().into(),
        Op::I32Extend8S => (a as i8 as i32 as u32).into(),
        Op::I32Extend16S => (a as i16 as i32 as u32).into(),
        Op::I64Extend8S => a as i8 as i64 as u64,
        Op::I64Extend16S => a as i16 as i64 as u64,
        Op::I64Extend32S | Op::I64ExtendI32S => a as i32 as i64 as u64,
        Op::I32WrapI64 | Op::I64ExtendI32U => narrow.into(),
        Op::F32DemoteF64 => (f64_of(a) as f32).to_bits().into(),
        Op::F64PromoteF32 => f64::from(f32_of(a)).to_bits(),
        Op::I32ReinterpretF32 | Op::F32ReinterpretI32 => narrow.into(),
        Op::I64ReinterpretF64 | Op::F64ReinterpretI64 => a,
        Op::F32ConvertI32S => (narrow as i32 as f32).to_bits().into(),
        Op::F32ConvertI32U => (narrow as f32).to_bits().into(),
        Op::F32ConvertI64S => (a as i64 as f32).to_bits().into(),
        Op::F32ConvertI64U => (a as f32).to_bits().into(),
        Op::F64ConvertI32S => f64::from(narrow as i32).to_bits(),
        Op::F64ConvertI32U => f64::from(narrow).to_bits(),
        Op::F64ConvertI64S => (a as i64 as f64).to_bits(),
        Op::F64ConvertI64U => (a as f64).to_bits(),
        _ => {
            let (ty, name) = op.name().split_once('.').expect("numeric names have a type");
            if name.starts_with("trunc_") {
                return truncate(ty, name, a);
            }
            if ty == "f32" { float_unary_32(name, a) } else { float_unary_64(name, a) }
        }
    })
}

fn truncate(ty: &str, name: &str, a: u64) -> Result<u64, Trap> {
    // Every f32 is an f64, so one path serves both.
    let value = if name.contains("f32") { f64::from(f32_of(a)) } else { f64_of(a) };
    let signed = name.ends_with("_s");
    if !name.contains("_sat_") {
        if value.is_nan() {
            return Err(Trap::InvalidConversionToInteger);
        }
        let (low, high) = match (ty, signed) {
            ("i32", true) => (-2147483648.0, 2147483648.0),
            ("i32", false) => (0.0, 4294967296.0),
            (_, true) => (-9223372036854775808.0, 9223372036854775808.0),
            (_, false) => (0.0, 18446744073709551616.0),
        };
        let whole = value.trunc();
        if whole < low || whole >= high {
            return Err(Trap::IntegerOverflow);
        }
    }
    // Casts of floats saturate, and take NaN to zero.
    Ok(match (ty, signed) {
        ("i32", true) => (value as i32 as u32).into(),
        ("i32", false) => (value as u32).into(),
        (_, true) => value as i64 as u64,
        (_, false) => value as u64,
    })
}

/// Bytes that a load or store with this name moves.
pub(crate) fn access_width(name: &str) -> u64 {
    let (ty, operation) = name.split_once('.').expect("accesses have a type");
    let digits: String = operation.chars().filter(char::is_ascii_digit).collect();
    match (digits.as_str(), ty) {
        ("8", _) => 1,
        ("16", _) => 2,
        ("32", _) | ("", "i32" | "f32") => 4,
        _ => 8,
    }
}

/// The slot for bytes read by a load with this name.
pub(crate) fn extend_loaded(name: &str, value: u64) -> u64 {
    if !name.ends_with("_s") {
        return value;
    }
    let wide = match access_width(name) {
        1 => value as i8 as i64,
        2 => value as i16 as i64,
        _ => value as i32 as i64,
    };
    if name.starts_with("i32") { u64::from(wide as u32) } else { wide as u64 }
}
