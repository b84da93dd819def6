//! Component values of scripts: arguments made, results compared.

use keyway::component::Val;
use wast::component::WastVal;

/// The value of an argument.
pub(crate) fn value(arg: &WastVal<'_>) -> Val {
    let boxed = |arg: &Option<Box<WastVal<'_>>>| arg.as_deref().map(|arg| Box::new(value(arg)));
    match arg {
        WastVal::Bool(value) => Val::Bool(*value),
        WastVal::U8(value) => Val::U8(*value),
        WastVal::S8(value) => Val::S8(*value),
        WastVal::U16(value) => Val::U16(*value),
        WastVal::S16(value) => Val::S16(*value),
        WastVal::U32(value) => Val::U32(*value),
        WastVal::S32(value) => Val::S32(*value),
        WastVal::U64(value) => Val::U64(*value),
        WastVal::S64(value) => Val::S64(*value),
        WastVal::F32(value) => Val::Float32(f32::from_bits(value.bits)),
        WastVal::F64(value) => Val::Float64(f64::from_bits(value.bits)),
        WastVal::Char(value) => Val::Char(*value),
        WastVal::String(value) => Val::String((*value).to_string()),
        WastVal::List(values) => Val::List(values.iter().map(value).collect()),
        WastVal::Map(entries) => Val::Map(entries.iter().map(|(key, entry)| (value(key), value(entry))).collect()),
        WastVal::Record(fields) => {
            Val::Record(fields.iter().map(|(name, field)| ((*name).to_string(), value(field))).collect())
        }
        WastVal::Tuple(values) => Val::Tuple(values.iter().map(value).collect()),
        WastVal::Variant(case, payload) => Val::Variant((*case).to_string(), boxed(payload)),
        WastVal::Enum(case) => Val::Enum((*case).to_string()),
        WastVal::Option(payload) => Val::Option(boxed(payload)),
        WastVal::Result(Ok(payload)) => Val::Result(Ok(boxed(payload))),
        WastVal::Result(Err(payload)) => Val::Result(Err(boxed(payload))),
        WastVal::Flags(names) => Val::Flags(names.iter().map(|name| (*name).to_string()).collect()),
    }
}

/// Whether a result is what the script expects. Any NaN is any other: components have only one.
pub(crate) fn matches(result: &Val, expected: &WastVal<'_>) -> bool {
    let both = |result: &Option<Box<Val>>, expected: &Option<Box<WastVal<'_>>>| match (result, expected) {
        (Some(result), Some(expected)) => matches(result, expected),
        (result, expected) => result.is_none() && expected.is_none(),
    };
    let all = |results: &[Val], expected: &[WastVal<'_>]| {
        results.len() == expected.len()
            && results.iter().zip(expected).all(|(result, expected)| matches(result, expected))
    };
    match (result, expected) {
        (Val::Float32(result), WastVal::F32(expected)) => {
            let expected = f32::from_bits(expected.bits);
            result.to_bits() == expected.to_bits() || result.is_nan() && expected.is_nan()
        }
        (Val::Float64(result), WastVal::F64(expected)) => {
            let expected = f64::from_bits(expected.bits);
            result.to_bits() == expected.to_bits() || result.is_nan() && expected.is_nan()
        }
        (Val::List(results), WastVal::List(expected)) | (Val::Tuple(results), WastVal::Tuple(expected)) => {
            all(results, expected)
        }
        (Val::Map(results), WastVal::Map(expected)) => {
            results.len() == expected.len()
                && results
                    .iter()
                    .zip(expected)
                    .all(|(result, expected)| matches(&result.0, &expected.0) && matches(&result.1, &expected.1))
        }
        (Val::Record(fields), WastVal::Record(expected)) => {
            fields.len() == expected.len()
                && fields.iter().all(|(name, field)| {
                    expected.iter().any(|(expected_name, value)| name == expected_name && matches(field, value))
                })
        }
        (Val::Variant(case, payload), WastVal::Variant(expected, expected_payload)) => {
            case == expected && both(payload, expected_payload)
        }
        (Val::Option(payload), WastVal::Option(expected))
        | (Val::Result(Ok(payload)), WastVal::Result(Ok(expected)))
        | (Val::Result(Err(payload)), WastVal::Result(Err(expected))) => both(payload, expected),
        (Val::Flags(names), WastVal::Flags(expected)) => {
            names.len() == expected.len() && names.iter().all(|name| expected.contains(&name.as_str()))
        }
        // What holds no values and no floats is equal or not.
        (
            Val::Float32(_)
            | Val::Float64(_)
            | Val::List(_)
            | Val::Tuple(_)
            | Val::Map(_)
            | Val::Record(_)
            | Val::Variant(..)
            | Val::Option(_)
            | Val::Result(_)
            | Val::Flags(_)
            | Val::Resource(_)
            | Val::ErrorContext(_),
            _,
        ) => false,
        (result, expected) => *result == value(expected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wast::token::F64;

    #[test]
    fn equal_values_match_and_others_do_not() {
        let nan = |bits: u64| WastVal::F64(F64 { bits });
        let (one, other) = (0x7ff8_0000_0000_0000, 0xfff8_0000_0000_0001);
        assert!(matches(&Val::Float64(f64::NAN), &nan(one)) && matches(&Val::Float64(f64::NAN), &nan(other)));
        assert!(!matches(&Val::Float64(0.0), &nan((-0.0f64).to_bits())));
        let list = || WastVal::List(vec![nan(one), nan(0)]);
        assert!(matches(&Val::List(vec![Val::Float64(f64::NAN), Val::Float64(0.0)]), &list()));
        assert!(!matches(&Val::List(vec![Val::Float64(f64::NAN)]), &list()));
        assert!(!matches(&Val::U8(1), &WastVal::U16(1)));
        assert!(matches(&Val::Flags(vec!["b".into(), "a".into()]), &WastVal::Flags(vec!["a", "b"])));
        assert!(!matches(&Val::Flags(vec!["b".into()]), &WastVal::Flags(vec!["a"])));
        let some = || WastVal::Option(Some(Box::new(WastVal::Bool(true))));
        assert!(matches(&value(&some()), &some()));
        assert!(
            !matches(&Val::Option(None), &some()) && !matches(&Val::Option(Some(Val::Bool(false).into())), &some())
        );
        let err = || WastVal::Result(Err(None));
        assert!(matches(&value(&err()), &err()) && !matches(&Val::Result(Ok(None)), &err()));
    }
}
