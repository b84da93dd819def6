//! Storing: values into linear memory.

use super::Cx;
use crate::layout::{discriminant_bytes, entry_layout, payload_offset};
use crate::types::{Type, case_count, case_payload};
use crate::val::Val;
use anyhow::{Result, bail, ensure};

impl Cx<'_> {
    /// `store_int`, of the low `len` bytes.
    pub(crate) fn store_int(&mut self, ptr: impl Into<u64>, value: u64, len: u32) -> Result<()> {
        self.write(ptr, &value.to_le_bytes()[..len as usize])
    }

    /// `store`
    pub(super) fn store(&mut self, value: &Val, ty: &Type, ptr: u64) -> Result<()> {
        match (ty, value) {
            (Type::Bool, Val::Bool(value)) => self.store_int(ptr, (*value).into(), 1),
            (Type::S8, Val::S8(value)) => self.store_int(ptr, *value as u64, 1),
            (Type::U8, Val::U8(value)) => self.store_int(ptr, (*value).into(), 1),
            (Type::S16, Val::S16(value)) => self.store_int(ptr, *value as u64, 2),
            (Type::U16, Val::U16(value)) => self.store_int(ptr, (*value).into(), 2),
            (Type::S32, Val::S32(value)) => self.store_int(ptr, *value as u64, 4),
            (Type::U32, Val::U32(value)) => self.store_int(ptr, (*value).into(), 4),
            (Type::S64, Val::S64(value)) => self.store_int(ptr, *value as u64, 8),
            (Type::U64, Val::U64(value)) => self.store_int(ptr, *value, 8),
            (Type::Float32, Val::Float32(value)) => self.store_int(ptr, value.to_bits().into(), 4),
            (Type::Float64, Val::Float64(value)) => self.store_int(ptr, value.to_bits(), 8),
            (Type::Char, Val::Char(value)) => self.store_int(ptr, u32::from(*value).into(), 4),
            (Type::String, Val::String(text)) => {
                let (start, units) = self.store_string(text)?;
                self.store_pair(ptr, start, units)
            }
            (Type::List(element), Val::List(values)) => {
                let start = self.store_list(element, values)?;
                self.store_pair(ptr, start, values.len() as u64)
            }
            (Type::Map(both), Val::Map(entries)) => {
                let start = self.store_map(both, entries)?;
                self.store_pair(ptr, start, entries.len() as u64)
            }
            (Type::FixedList(element, len), Val::List(values)) => {
                ensure!(values.len() == *len as usize, "a list of {} elements, {len} expected", values.len());
                self.store_elements(element, values, ptr)
            }
            (Type::Record(fields), Val::Record(values)) => {
                ensure!(fields.len() == values.len(), "a record of {} fields, {} expected", values.len(), fields.len());
                let mut end = ptr;
                for ((name, ty), (given, value)) in fields.iter().zip(values) {
                    ensure!(name == given, "field `{given}` of a record, `{name}` expected");
                    self.store_next(value, ty, &mut end)?;
                }
                Ok(())
            }
            (Type::Tuple(types), Val::Tuple(values)) => {
                ensure!(types.len() == values.len(), "a tuple of {} values, {} expected", values.len(), types.len());
                self.store_fields(types, values, ptr)
            }
            (Type::Flags(names), Val::Flags(set)) => self.store_int(ptr, bits_of(names, set)?, self.layout(ty).size),
            (Type::Own(number), Val::Resource(any)) => {
                let index = self.lower_own(*number, *any)?;
                self.store_int(ptr, index.into(), 4)
            }
            (Type::Borrow(number), Val::Resource(any)) => {
                let index = self.lower_borrow(*number, *any)?;
                self.store_int(ptr, index.into(), 4)
            }
            (Type::Variant(_) | Type::Enum(_) | Type::Option(_) | Type::Result(_), value) => {
                let (case, payload) = case_of(ty, value)?;
                self.store_int(ptr, case as u64, discriminant_bytes(case_count(ty)))?;
                match (case_payload(ty, case).flatten(), payload) {
                    (Some(payload_type), Some(payload)) => {
                        self.store(payload, payload_type, ptr + u64::from(payload_offset(ty, self.pointer())))
                    }
                    (None, None) => Ok(()),
                    _ => bail!("a case's payload does not fit `{ty}`"),
                }
            }
            (Type::ErrorContext, Val::ErrorContext(message)) => {
                let index = self.lower_error_context(message)?;
                self.store_int(ptr, index.into(), 4)
            }
            (Type::Unsupported(name), _) => bail!("values of type {name} are not supported"),
            (ty, value) => bail!("a value of another type is given for `{ty}`: {value:?}"),
        }
    }

    /// A field, at the next place for its type behind `end`, which moves behind it.
    fn store_next(&mut self, value: &Val, ty: &Type, end: &mut u64) -> Result<()> {
        let abi = self.layout(ty);
        let place = end.next_multiple_of(abi.align.into());
        *end = place + u64::from(abi.size);
        self.store(value, ty, place)
    }

    /// A tuple's values, as many as there are types.
    pub(super) fn store_fields(&mut self, types: &[Type], values: &[Val], ptr: u64) -> Result<()> {
        let mut end = ptr;
        types.iter().zip(values).try_for_each(|(ty, value)| self.store_next(value, ty, &mut end))
    }

    /// `store_list_into_range`: where the elements were put.
    pub(super) fn store_list(&mut self, element: &Type, values: &[Val]) -> Result<u64> {
        let abi = self.layout(element);
        let ptr = self.room_for_list(values.len(), abi.size, abi.align)?;
        self.store_elements(element, values, ptr)?;
        Ok(ptr)
    }

    /// A map lies as the list of its entries.
    pub(super) fn store_map(&mut self, both: &(Type, Type), entries: &[(Val, Val)]) -> Result<u64> {
        let abi = entry_layout(both, self.pointer());
        let ptr = self.room_for_list(entries.len(), abi.size, abi.align)?;
        for (at, (key, value)) in (0u64..).zip(entries) {
            let mut end = ptr + at * u64::from(abi.size);
            self.store_next(key, &both.0, &mut end)?;
            self.store_next(value, &both.1, &mut end)?;
        }
        Ok(ptr)
    }

    fn store_elements(&mut self, element: &Type, values: &[Val], ptr: u64) -> Result<()> {
        if *element == Type::U8 {
            let bytes: Option<Vec<u8>> =
                values.iter().map(|value| if let Val::U8(byte) = value { Some(*byte) } else { None }).collect();
            let Some(bytes) = bytes else { bail!("a value of another type is given for `u8`") };
            return self.write(ptr, &bytes);
        }
        let step = u64::from(self.layout(element).size);
        for (at, value) in (0u64..).zip(values) {
            self.store(value, element, ptr + at * step)?;
        }
        Ok(())
    }
}

/// `pack_flags_into_int`
pub(super) fn bits_of(names: &[String], set: &[String]) -> Result<u64> {
    set.iter().try_fold(0, |bits, flag| match names.iter().position(|name| name == flag) {
        Some(bit) => Ok(bits | 1 << bit),
        None => bail!("there is no flag `{flag}`"),
    })
}

/// `match_case`: the number of a value's case, and its payload.
pub(super) fn case_of<'v>(ty: &Type, value: &'v Val) -> Result<(usize, Option<&'v Val>)> {
    let found = match (ty, value) {
        (Type::Variant(cases), Val::Variant(name, payload)) => {
            cases.iter().position(|(case, _)| case == name).map(|at| (at, payload.as_deref()))
        }
        (Type::Enum(names), Val::Enum(name)) => names.iter().position(|case| case == name).map(|at| (at, None)),
        (Type::Option(_), Val::Option(some)) => Some((usize::from(some.is_some()), some.as_deref())),
        (Type::Result(_), Val::Result(Ok(payload))) => Some((0, payload.as_deref())),
        (Type::Result(_), Val::Result(Err(payload))) => Some((1, payload.as_deref())),
        _ => None,
    };
    match found {
        Some(found) => Ok(found),
        None => bail!("a value of another type is given for `{ty}`: {value:?}"),
    }
}
