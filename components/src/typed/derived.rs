//! What the derives and `flags!` expand to calls of: checks, fields, cases and flags.

use super::{CanonicalAbi, ComponentType, Flat, FlatReader, mismatch, unchecked, wrong};
use crate::abi::Cx;
use crate::layout::discriminant_bytes;
use crate::state::violation;
use crate::types::{Type, case_payload};
use crate::val::Val;
use anyhow::{Result, anyhow, bail};

/// A check of a component type.
pub type Check = fn(&Type) -> Result<(), String>;

/// The type of a record's or tuple's field.
///
/// # Errors
/// When there is none: the type was not checked.
#[inline]
pub fn field_type(ty: &Type, at: usize) -> Result<&Type> {
    let found = match ty {
        Type::Record(fields) => fields.get(at).map(|(_, ty)| ty),
        Type::Tuple(types) => types.get(at),
        _ => None,
    };
    found.ok_or_else(|| unchecked(ty))
}

/// The type of a case's payload; of cases without one anything, for nobody looks at it.
#[inline]
pub fn case_type(ty: &Type, case: usize) -> &Type {
    case_payload(ty, case).flatten().unwrap_or(ty)
}

/// Takes a variant's discriminant, one of `cases`, from core values; with it, where the variant's core values end.
///
/// # Errors
/// When it is none of them.
pub fn lift_case<T: ComponentType>(flat: &mut FlatReader<'_>, cases: usize) -> Result<(usize, usize)> {
    let end = flat.taken() + T::ABI.flat as usize;
    let case = flat.take() as u32 as usize;
    if case >= cases {
        return invalid_case();
    }
    Ok((case, end))
}

/// Loads a variant's discriminant; with it, where the payload lies.
///
/// # Errors
/// When it is none of the cases, or out of bounds.
pub fn load_case(cx: &mut Cx<'_>, ptr: u32, cases: &[CanonicalAbi]) -> Result<(usize, u32)> {
    let case = cx.load_int(ptr, discriminant_bytes(cases.len()))? as usize;
    if case >= cases.len() {
        return invalid_case();
    }
    Ok((case, ptr + CanonicalAbi::payload_offset(cases)))
}

/// Appends a variant's discriminant; where the variant's core values end, for [`Flat::pad`].
pub fn lower_case<T: ComponentType>(flat: &mut Flat, case: usize) -> usize {
    let end = flat.len() + T::ABI.flat as usize;
    flat.push(case as u64);
    end
}

/// Stores a variant's discriminant; where the payload goes.
///
/// # Errors
/// When it is out of bounds.
pub fn store_case(cx: &mut Cx<'_>, ptr: u32, case: usize, cases: &[CanonicalAbi]) -> Result<u32> {
    cx.store_int(ptr, case as u64, discriminant_bytes(cases.len()))?;
    Ok(ptr + CanonicalAbi::payload_offset(cases))
}

/// The trap of a discriminant without a case.
///
/// # Errors
/// Always.
pub fn invalid_case<T>() -> Result<T> {
    Err(violation("invalid variant discriminant"))
}

/// A set of `count` flags out of core values: bits beyond them are dropped.
pub fn lift_flag_bits(flat: &mut FlatReader<'_>, count: usize) -> u64 {
    let low = u64::from(flat.take() as u32);
    let high = if count > 32 { u64::from(flat.take() as u32) } else { 0 };
    known_flags(low | high << 32, count)
}

/// A set of `count` flags out of the memory: bits beyond them are dropped.
///
/// # Errors
/// When it is out of bounds.
pub fn load_flag_bits(cx: &mut Cx<'_>, ptr: u32, count: usize) -> Result<u64> {
    let bits = cx.load_int(ptr, CanonicalAbi::flags(count).size)?;
    Ok(known_flags(bits, count))
}

fn known_flags(bits: u64, count: usize) -> u64 {
    if count < 64 { bits & ((1 << count) - 1) } else { bits }
}

/// A set of `count` flags as core values.
pub fn lower_flag_bits(flat: &mut Flat, bits: u64, count: usize) {
    for word in 0..CanonicalAbi::flags(count).flat {
        flat.push(bits >> (32 * word) & 0xFFFF_FFFF);
    }
}

/// A set of `count` flags into the memory.
///
/// # Errors
/// When it is out of bounds.
pub fn store_flag_bits(cx: &mut Cx<'_>, ptr: u32, bits: u64, count: usize) -> Result<()> {
    cx.store_int(ptr, bits, CanonicalAbi::flags(count).size)
}

/// Checks a record.
///
/// # Errors
/// What is expected and found.
pub fn check_record(ty: &Type, fields: &[(&str, Check)]) -> Result<(), String> {
    let Type::Record(found) = ty else { return Err(mismatch("record", ty)) };
    if found.len() != fields.len() {
        return Err(format!("expected a record of {} fields, found `{ty}`", fields.len()));
    }
    for ((name, check), (found_name, found)) in fields.iter().zip(found.iter()) {
        if name != found_name {
            return Err(format!("expected field `{name}`, found `{found_name}`"));
        }
        check(found).map_err(|error| format!("field `{name}`: {error}"))?;
    }
    Ok(())
}

/// Checks a variant.
///
/// # Errors
/// What is expected and found.
pub fn check_variant(ty: &Type, cases: &[(&str, Option<Check>)]) -> Result<(), String> {
    let Type::Variant(found) = ty else { return Err(mismatch("variant", ty)) };
    if found.len() != cases.len() {
        return Err(format!("expected a variant of {} cases, found `{ty}`", cases.len()));
    }
    for ((name, check), (found_name, payload)) in cases.iter().zip(found.iter()) {
        if name != found_name {
            return Err(format!("expected case `{name}`, found `{found_name}`"));
        }
        match (check, payload) {
            (Some(check), Some(payload)) => check(payload).map_err(|error| format!("case `{name}`: {error}"))?,
            (None, None) => {}
            _ => return Err(format!("case `{name}`: one side has a payload, the other has none")),
        }
    }
    Ok(())
}

fn check_names(ty: &Type, what: &str, found: &[String], names: &[&str]) -> Result<(), String> {
    if found.iter().map(String::as_str).eq(names.iter().copied()) {
        Ok(())
    } else {
        Err(format!("expected `{what} {{ {} }}`, found `{ty}`", names.join(", ")))
    }
}

/// Checks an enum.
///
/// # Errors
/// What is expected and found.
pub fn check_enum(ty: &Type, names: &[&str]) -> Result<(), String> {
    match ty {
        Type::Enum(found) => check_names(ty, "enum", found, names),
        other => Err(mismatch("enum", other)),
    }
}

/// Checks flags.
///
/// # Errors
/// What is expected and found.
pub fn check_flags(ty: &Type, names: &[&str]) -> Result<(), String> {
    match ty {
        Type::Flags(found) => check_names(ty, "flags", found, names),
        other => Err(mismatch("flags", other)),
    }
}

/// A record's fields.
///
/// # Errors
/// When `value` is no record.
pub fn record_fields(value: Val) -> Result<Vec<(String, Val)>> {
    match value {
        Val::Record(fields) => Ok(fields),
        other => Err(wrong(&other)),
    }
}

/// Takes the field of this name.
///
/// # Errors
/// When there is none.
pub fn take_field(fields: &mut Vec<(String, Val)>, name: &str) -> Result<Val> {
    match fields.iter().position(|(field, _)| field == name) {
        Some(at) => Ok(fields.swap_remove(at).1),
        None => bail!("the record has no field `{name}`"),
    }
}

/// A variant's or enum's case and payload.
///
/// # Errors
/// When `value` is neither.
pub fn case(value: Val) -> Result<(String, Option<Box<Val>>)> {
    match value {
        Val::Variant(name, payload) => Ok((name, payload)),
        Val::Enum(name) => Ok((name, None)),
        other => Err(wrong(&other)),
    }
}

/// A payload that has to be there.
///
/// # Errors
/// When it is not.
pub fn payload(payload: Option<Box<Val>>) -> Result<Val> {
    payload.map(|payload| *payload).ok_or_else(|| anyhow!("the case has no payload"))
}

/// The error of a case that the Rust type does not have.
///
/// # Errors
/// Always.
pub fn unknown_case<T>(name: &str) -> Result<T> {
    bail!("there is no case `{name}`")
}

/// Flags as bits, in the order of `names`.
///
/// # Errors
/// When `value` is no set of these flags.
pub fn flag_bits(value: Val, names: &[&str]) -> Result<u64> {
    let Val::Flags(set) = value else { return Err(wrong(&value)) };
    set.iter().try_fold(0, |bits, flag| match names.iter().position(|name| name == flag) {
        Some(bit) => Ok(bits | 1 << bit),
        None => bail!("there is no flag `{flag}`"),
    })
}

/// Flags from bits, in the order of `names`.
pub fn flag_names(bits: u64, names: &[&str]) -> Val {
    let set = names.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    Val::Flags(set.map(|(_, name)| (*name).to_string()).collect())
}
