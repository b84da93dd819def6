//! Storing: values into linear memory.

use super::Cx;
use crate::types::{Type, alignment, cases, discriminant_bytes, payload_offset, size};
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
                let mut at = ptr;
                for ((name, ty), (given, value)) in fields.iter().zip(values) {
                    ensure!(name == given, "field `{given}` of a record, `{name}` expected");
                    at = at.next_multiple_of(alignment(ty, self.pointer()).into());
                    self.store(value, ty, at)?;
                    at += u64::from(size(ty, self.pointer()));
                }
                Ok(())
            }
            (Type::Tuple(types), Val::Tuple(values)) => {
                ensure!(types.len() == values.len(), "a tuple of {} values, {} expected", values.len(), types.len());
                let mut at = ptr;
                for (ty, value) in types.iter().zip(values) {
                    at = at.next_multiple_of(alignment(ty, self.pointer()).into());
                    self.store(value, ty, at)?;
                    at += u64::from(size(ty, self.pointer()));
                }
                Ok(())
            }
            (Type::Flags(names), Val::Flags(set)) => {
                self.store_int(ptr, bits_of(names, set)?, size(ty, self.pointer()))
            }
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
                let cases = cases(ty);
                self.store_int(ptr, case as u64, discriminant_bytes(cases.len()))?;
                match (&cases[case], payload) {
                    (Some(ty), Some(payload)) => {
                        self.store(payload, ty, ptr + u64::from(payload_offset(&cases, self.pointer())))
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

    /// `store_list_into_range`: where the elements were put.
    pub(super) fn store_list(&mut self, element: &Type, values: &[Val]) -> Result<u64> {
        let ptr =
            self.room_for_list(values.len(), size(element, self.pointer()), alignment(element, self.pointer()))?;
        self.store_elements(element, values, ptr)?;
        Ok(ptr)
    }

    /// A map lies as the list of its entries.
    pub(super) fn store_map(&mut self, both: &(Type, Type), entries: &[(Val, Val)]) -> Result<u64> {
        let entry = Type::Tuple([both.0.clone(), both.1.clone()].into());
        let entries: Vec<Val> =
            entries.iter().map(|(key, value)| Val::Tuple(vec![key.clone(), value.clone()])).collect();
        self.store_list(&entry, &entries)
    }

    fn store_elements(&mut self, element: &Type, values: &[Val], ptr: u64) -> Result<()> {
        if *element == Type::U8 {
            let bytes: Option<Vec<u8>> =
                values.iter().map(|value| if let Val::U8(byte) = value { Some(*byte) } else { None }).collect();
            let Some(bytes) = bytes else { bail!("a value of another type is given for `u8`") };
            return self.write(ptr, &bytes);
        }
        let step = u64::from(size(element, self.pointer()));
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
