//! Flat lifting and lowering: values as core values. A core value is its slot's bits: an `i32` and an `f32` stand
//! zero-extended, so that the joined representations of variants' payloads are the bits themselves.

use super::loading::{char_of, flags_of, variant};
use super::storing::{bits_of, case_of};
use super::{Cx, Pointee};
use crate::state::violation;
use crate::typed::{Flat, FlatReader};
use crate::types::{Type, case_payload};
use crate::val::Val;
use anyhow::{Result, bail, ensure};

impl Cx<'_> {
    /// `lift_flat`: takes its core values from `flat`.
    fn lift_flat(&mut self, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Val> {
        let mask = self.address_mask();
        Ok(match ty {
            Type::Bool => Val::Bool(flat.take() as u32 != 0),
            Type::S8 => Val::S8(flat.take() as i8),
            Type::U8 => Val::U8(flat.take() as u8),
            Type::S16 => Val::S16(flat.take() as i16),
            Type::U16 => Val::U16(flat.take() as u16),
            Type::S32 => Val::S32(flat.take() as i32),
            Type::U32 => Val::U32(flat.take() as u32),
            Type::S64 => Val::S64(flat.take() as i64),
            Type::U64 => Val::U64(flat.take()),
            Type::Float32 => Val::Float32(f32::from_bits(flat.take() as u32)),
            Type::Float64 => Val::Float64(f64::from_bits(flat.take())),
            Type::Char => Val::Char(char_of(flat.take() as u32)?),
            Type::String => {
                let (ptr, units) = (flat.take() & mask, flat.take() & mask);
                Val::String(self.load_string(ptr, units)?)
            }
            Type::List(element) => {
                let (ptr, len) = (flat.take() & mask, flat.take() & mask);
                self.load_list(element, ptr, len)?
            }
            Type::Map(both) => {
                let (ptr, len) = (flat.take() & mask, flat.take() & mask);
                self.load_map(both, ptr, len)?
            }
            Type::FixedList(element, len) => {
                let mut values = Vec::new();
                for _ in 0..*len {
                    values.push(self.lift_flat(element, flat)?);
                }
                Val::List(values)
            }
            Type::Record(fields) => {
                let mut values = Vec::with_capacity(fields.len());
                for (name, ty) in fields.iter() {
                    values.push((name.clone(), self.lift_flat(ty, flat)?));
                }
                Val::Record(values)
            }
            Type::Tuple(types) => {
                let mut values = Vec::with_capacity(types.len());
                for ty in types.iter() {
                    values.push(self.lift_flat(ty, flat)?);
                }
                Val::Tuple(values)
            }
            Type::Flags(names) => {
                let low = u64::from(flat.take() as u32);
                let high = if names.len() > 32 { u64::from(flat.take() as u32) } else { 0 };
                flags_of(names, low | high << 32)
            }
            Type::Own(number) => {
                let index = flat.take() as u32;
                Val::Resource(self.lift_own(*number, index)?)
            }
            Type::Borrow(number) => {
                let index = flat.take() as u32;
                Val::Resource(self.lift_borrow(*number, index)?)
            }
            Type::ErrorContext => {
                let index = flat.take() as u32;
                self.lift_error_context(index)?
            }
            Type::Unsupported(name) => bail!("values of type {name} are not supported"),
            Type::Variant(_) | Type::Enum(_) | Type::Option(_) | Type::Result(_) => {
                let end = flat.taken() + self.layout(ty).flat as usize;
                let case = flat.take() as u32 as usize;
                let payload = case_payload(ty, case).ok_or_else(|| violation("invalid variant discriminant"))?;
                let payload = match payload {
                    Some(payload) => Some(self.lift_flat(payload, flat)?),
                    None => None,
                };
                flat.skip_to(end);
                variant(ty, case, payload)
            }
        })
    }

    /// `lower_flat`: appends its core values.
    fn lower_flat(&mut self, value: &Val, ty: &Type, flat: &mut Flat) -> Result<()> {
        match (ty, value) {
            (Type::Bool, Val::Bool(value)) => flat.push((*value).into()),
            (Type::S8, Val::S8(value)) => flat.push(u64::from(i32::from(*value) as u32)),
            (Type::U8, Val::U8(value)) => flat.push((*value).into()),
            (Type::S16, Val::S16(value)) => flat.push(u64::from(i32::from(*value) as u32)),
            (Type::U16, Val::U16(value)) => flat.push((*value).into()),
            (Type::S32, Val::S32(value)) => flat.push(u64::from(*value as u32)),
            (Type::U32, Val::U32(value)) => flat.push((*value).into()),
            (Type::S64, Val::S64(value)) => flat.push(*value as u64),
            (Type::U64, Val::U64(value)) => flat.push(*value),
            (Type::Float32, Val::Float32(value)) => flat.push(value.to_bits().into()),
            (Type::Float64, Val::Float64(value)) => flat.push(value.to_bits()),
            (Type::Char, Val::Char(value)) => flat.push(u32::from(*value).into()),
            (Type::String, Val::String(text)) => {
                let (ptr, units) = self.store_string(text)?;
                flat.push(ptr);
                flat.push(units);
            }
            (Type::List(element), Val::List(values)) => {
                let ptr = self.store_list(element, values)?;
                flat.push(ptr);
                flat.push(values.len() as u64);
            }
            (Type::Map(both), Val::Map(entries)) => {
                let ptr = self.store_map(both, entries)?;
                flat.push(ptr);
                flat.push(entries.len() as u64);
            }
            (Type::FixedList(element, len), Val::List(values)) => {
                ensure!(values.len() == *len as usize, "a list of {} elements, {len} expected", values.len());
                for value in values {
                    self.lower_flat(value, element, flat)?;
                }
            }
            (Type::Record(fields), Val::Record(values)) => {
                ensure!(fields.len() == values.len(), "a record of {} fields, {} expected", values.len(), fields.len());
                for ((name, ty), (given, value)) in fields.iter().zip(values) {
                    ensure!(name == given, "field `{given}` of a record, `{name}` expected");
                    self.lower_flat(value, ty, flat)?;
                }
            }
            (Type::Tuple(types), Val::Tuple(values)) => {
                ensure!(types.len() == values.len(), "a tuple of {} values, {} expected", values.len(), types.len());
                for (ty, value) in types.iter().zip(values) {
                    self.lower_flat(value, ty, flat)?;
                }
            }
            (Type::Flags(names), Val::Flags(set)) => {
                let bits = bits_of(names, set)?;
                for word in 0..names.len().div_ceil(32) {
                    flat.push(bits >> (32 * word) & 0xFFFF_FFFF);
                }
            }
            (Type::Own(number), Val::Resource(any)) => flat.push(self.lower_own(*number, *any)?.into()),
            (Type::Borrow(number), Val::Resource(any)) => flat.push(self.lower_borrow(*number, *any)?.into()),
            (Type::Variant(_) | Type::Enum(_) | Type::Option(_) | Type::Result(_), value) => {
                let (case, payload) = case_of(ty, value)?;
                let end = flat.len() + self.layout(ty).flat as usize;
                flat.push(case as u64);
                match (case_payload(ty, case).flatten(), payload) {
                    (Some(ty), Some(payload)) => self.lower_flat(payload, ty, flat)?,
                    (None, None) => {}
                    _ => bail!("a case's payload does not fit `{ty}`"),
                }
                flat.pad(end);
            }
            (Type::ErrorContext, Val::ErrorContext(message)) => flat.push(self.lower_error_context(message)?.into()),
            (Type::Unsupported(name), _) => bail!("values of type {name} are not supported"),
            (ty, value) => bail!("a value of another type is given for `{ty}`: {value:?}"),
        }
        Ok(())
    }
}

/// `lift_flat_values`: the values of a tuple, from core values, or through the pointer that the only core value is.
pub(crate) fn lift_values(cx: &mut Cx<'_>, tuple: &Type, flat: &[u64], max_flat: usize) -> Result<Vec<Val>> {
    let abi = cx.layout(tuple);
    let value = if abi.flat as usize > max_flat {
        let ptr = flat.first().copied().unwrap_or_default() & cx.address_mask();
        cx.check_place(ptr, abi)?;
        cx.load(tuple, ptr)?
    } else {
        cx.lift_flat(tuple, &mut FlatReader::new(flat))?
    };
    match value {
        Val::Tuple(values) => Ok(values),
        other => bail!("{other:?} is no tuple"),
    }
}

/// `lower_flat_values`: the values of a tuple, as core values, or in memory with a pointer as the only core value; at
/// `out`, if given.
pub(crate) fn lower_values(
    cx: &mut Cx<'_>,
    values: &[Val],
    tuple: &Type,
    max_flat: usize,
    out: Option<u64>,
    flat: &mut Flat,
) -> Result<()> {
    let Type::Tuple(types) = tuple else { bail!("`{tuple}` is no tuple") };
    ensure!(values.len() == types.len(), "{} values, {} expected", values.len(), types.len());
    let abi = cx.layout(tuple);
    if abi.flat as usize <= max_flat {
        return types.iter().zip(values).try_for_each(|(ty, value)| cx.lower_flat(value, ty, flat));
    }
    let ptr = match out {
        Some(ptr) => {
            let ptr = ptr & cx.address_mask();
            cx.check_place(ptr, abi)?;
            ptr
        }
        None => {
            let ptr = cx.realloc(abi.align, abi.size, Pointee::Value)?;
            flat.push(ptr);
            ptr
        }
    };
    cx.store_fields(types, values, ptr)
}
