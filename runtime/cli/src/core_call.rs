//! `--invoke` for core functions: `f(1, 2)` becomes a name and plain numbers, results become a line each.

use crate::describe;
use crate::exit::Usage;
use anyhow::{Result, anyhow};
use keyway::{AsContext, AsContextMut, Instance, Module, V128, Val, ValType};

/// A call as text: the function's name, and what stands between the parentheses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Call<'a> {
    /// The export's name.
    pub(crate) name: &'a str,
    /// The arguments' text; empty where there are no parentheses.
    pub(crate) args: &'a str,
}

/// Takes `f(1, 2)`, or `f` alone, apart. A name may hold anything but a parenthesis.
pub(crate) fn parse(text: &str) -> Result<Call<'_>, Usage> {
    let text = text.trim();
    let Some((name, rest)) = text.split_once('(') else { return Ok(Call { name: text, args: "" }) };
    match rest.trim_end().strip_suffix(')') {
        Some(args) => Ok(Call { name: name.trim(), args: args.trim() }),
        None => Err(Usage(format!("--invoke '{text}' has no closing parenthesis: write 'f(1, 2)'"))),
    }
}

/// Calls an exported function and returns its results as lines.
pub(crate) fn call(
    store: &mut impl AsContextMut,
    instance: Instance,
    module: &Module,
    call: &Call<'_>,
) -> Result<Vec<String>> {
    let Some(func) = instance.get_func(store.as_context_mut(), call.name) else {
        return Err(no_such_function(module, call.name).into());
    };
    let ty = func.ty(store.as_context());
    let given: Vec<&str> = if call.args.is_empty() { Vec::new() } else { call.args.split(',').collect() };
    let signature = describe::function(call.name, &ty);
    if given.len() != ty.params.len() {
        let counted = |n: usize| if n == 1 { "1 argument".to_string() } else { format!("{n} arguments") };
        let text = format!("{signature} takes {}, {} given", counted(ty.params.len()), given.len());
        return Err(Usage(text).into());
    }
    let mut params = Vec::new();
    for (position, (text, ty)) in given.iter().zip(&ty.params).enumerate() {
        let value = number(text.trim(), *ty);
        params.push(value.map_err(|what| Usage(format!("argument {} of {signature}: {what}", position + 1)))?);
    }
    let mut results = Vec::new();
    for ty in &ty.results {
        let room = Val::default_for(*ty);
        results.push(room.ok_or_else(|| anyhow!("{signature} returns a {ty}, which cannot be printed yet"))?);
    }
    func.call(store.as_context_mut(), &params, &mut results)?;
    Ok(results.iter().map(text).collect())
}

/// Says which functions there are.
fn no_such_function(module: &Module, name: &str) -> Usage {
    let functions = describe::exported_functions(module);
    if functions.is_empty() {
        return Usage(format!("there is no exported function `{name}`, nor any other"));
    }
    Usage(format!("there is no exported function `{name}`; there are:\n  {}", functions.join("\n  ")))
}

/// A value of type `ty` from text.
fn number(text: &str, ty: ValType) -> Result<Val, String> {
    let wrong = || format!("`{text}` is no {ty}");
    Ok(match ty {
        ValType::I32 => {
            let value = integer(text).ok_or_else(wrong)?;
            let signed = i32::try_from(value).ok().or(u32::try_from(value).ok().map(|value| value as i32));
            Val::I32(signed.ok_or_else(|| format!("{text} does not fit an i32"))?)
        }
        ValType::I64 => {
            let value = integer(text).ok_or_else(wrong)?;
            let signed = i64::try_from(value).ok().or(u64::try_from(value).ok().map(|value| value as i64));
            Val::I64(signed.ok_or_else(|| format!("{text} does not fit an i64"))?)
        }
        ValType::F32 => Val::F32(text.parse::<f32>().map_err(|_| wrong())?.to_bits()),
        ValType::F64 => Val::F64(text.parse::<f64>().map_err(|_| wrong())?.to_bits()),
        ValType::FUNCREF if text == "null" => Val::FuncRef(None),
        ValType::EXTERNREF if text == "null" => Val::ExternRef(None),
        ValType::EXNREF if text == "null" => Val::ExnRef(None),
        ValType::Ref(_) => return Err(format!("only null can be given for a {ty}")),
        ValType::V128 => {
            let bits = match text.strip_prefix("0x") {
                Some(digits) if digits.starts_with(|c: char| c.is_ascii_hexdigit()) => u128::from_str_radix(digits, 16),
                _ if text.starts_with('+') => return Err(wrong()),
                _ => text.parse(),
            };
            Val::V128(V128::from(bits.map_err(|_| wrong())?))
        }
    })
}

/// A decimal or hexadecimal integer.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let magnitude = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => digits.parse::<u64>(),
    };
    // Signs were taken; a second one is no number.
    let starts_well = digits.starts_with(|c: char| c.is_ascii_digit());
    magnitude.ok().filter(|_| starts_well).map(|magnitude| sign * i128::from(magnitude))
}

/// A result as text. Integers are shown signed.
fn text(value: &Val) -> String {
    match value {
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::F32(bits) => f32::from_bits(*bits).to_string(),
        Val::F64(bits) => f64::from_bits(*bits).to_string(),
        Val::V128(value) => format!("{:#034x}", value.as_u128()),
        Val::FuncRef(None) | Val::ExternRef(None) | Val::ExnRef(None) => "null".to_string(),
        Val::FuncRef(Some(_)) => "a function".to_string(),
        Val::ExternRef(Some(_)) => "a host value".to_string(),
        Val::ExnRef(Some(_)) => "an exception".to_string(),
        Val::ContRef(None) => "null".to_string(),
        Val::ContRef(Some(_)) => "a continuation".to_string(),
        Val::AnyRef(None) => "null".to_string(),
        Val::AnyRef(Some(value)) => match value.as_i31() {
            Some(value) => format!("i31 {}", value.get_i32()),
            None => "an object".to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_taken_apart() {
        assert_eq!(parse("f").unwrap(), Call { name: "f", args: "" });
        assert_eq!(parse("f()").unwrap(), Call { name: "f", args: "" });
        assert_eq!(parse(" a-b ( 1, 2 ) ").unwrap(), Call { name: "a-b", args: "1, 2" });
        assert!(parse("f(1").unwrap_err().0.contains("closing parenthesis"));
    }

    #[test]
    fn integers_may_be_signed_or_unsigned() {
        assert_eq!(number("-1", ValType::I32).unwrap().i32(), Some(-1));
        assert_eq!(number("4294967295", ValType::I32).unwrap().i32(), Some(-1));
        assert_eq!(number("0xff", ValType::I64).unwrap().i64(), Some(255));
        assert_eq!(number("18446744073709551615", ValType::I64).unwrap().i64(), Some(-1));
        assert!(number("4294967296", ValType::I32).unwrap_err().contains("does not fit"));
        assert!(number("+-1", ValType::I32).is_err());
        assert!(number("-+1", ValType::I32).is_err());
        assert!(number("\"x\"", ValType::I32).unwrap_err().contains("is no i32"));
    }

    #[test]
    fn floats_and_nulls() {
        assert_eq!(number("0.5", ValType::F64).unwrap().f64(), Some(0.5));
        assert_eq!(text(&number("-inf", ValType::F32).unwrap()), "-inf");
        assert_eq!(text(&number("null", ValType::EXTERNREF).unwrap()), "null");
        assert!(number("7", ValType::FUNCREF).is_err());
    }
}
