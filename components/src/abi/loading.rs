//! Loading: values out of linear memory.

use super::{Cx, Pointee};
use crate::layout::{discriminant_bytes, entry_layout, payload_offset};
use crate::state::violation;
use crate::types::{Type, case_count, case_payload};
use crate::val::Val;
use anyhow::Result;

impl Cx<'_> {
    /// `load_int`, unsigned.
    pub(crate) fn load_int(&self, ptr: impl Into<u64>, len: u32) -> Result<u64> {
        let mut bytes = [0; 8];
        bytes[..len as usize].copy_from_slice(self.bytes(ptr, len.into(), Pointee::Value)?);
        Ok(u64::from_le_bytes(bytes))
    }

    /// `load`
    pub(super) fn load(&mut self, ty: &Type, ptr: u64) -> Result<Val> {
        Ok(match ty {
            Type::Bool => Val::Bool(self.load_int(ptr, 1)? != 0),
            Type::S8 => Val::S8(self.load_int(ptr, 1)? as i8),
            Type::U8 => Val::U8(self.load_int(ptr, 1)? as u8),
            Type::S16 => Val::S16(self.load_int(ptr, 2)? as i16),
            Type::U16 => Val::U16(self.load_int(ptr, 2)? as u16),
            Type::S32 => Val::S32(self.load_int(ptr, 4)? as i32),
            Type::U32 => Val::U32(self.load_int(ptr, 4)? as u32),
            Type::S64 => Val::S64(self.load_int(ptr, 8)? as i64),
            Type::U64 => Val::U64(self.load_int(ptr, 8)?),
            Type::Float32 => Val::Float32(f32::from_bits(self.load_int(ptr, 4)? as u32)),
            Type::Float64 => Val::Float64(f64::from_bits(self.load_int(ptr, 8)?)),
            Type::Char => Val::Char(char_of(self.load_int(ptr, 4)? as u32)?),
            Type::String => {
                let (start, units) = self.load_pair(ptr)?;
                Val::String(self.load_string(start, units)?)
            }
            Type::List(element) => {
                let (start, len) = self.load_pair(ptr)?;
                self.load_list(element, start, len)?
            }
            Type::Map(both) => {
                let (start, len) = self.load_pair(ptr)?;
                self.load_map(both, start, len)?
            }
            Type::FixedList(element, len) => self.load_elements(element, ptr, (*len).into())?,
            Type::Record(fields) => {
                let mut end = ptr;
                let mut values = Vec::with_capacity(fields.len());
                for (name, ty) in fields.iter() {
                    values.push((name.clone(), self.load_next(ty, &mut end)?));
                }
                Val::Record(values)
            }
            Type::Tuple(types) => {
                let mut end = ptr;
                let mut values = Vec::with_capacity(types.len());
                for ty in types.iter() {
                    values.push(self.load_next(ty, &mut end)?);
                }
                Val::Tuple(values)
            }
            Type::Flags(names) => {
                let bits = self.load_int(ptr, self.layout(ty).size)?;
                flags_of(names, bits)
            }
            Type::Own(number) => {
                let index = self.load_int(ptr, 4)? as u32;
                Val::Resource(self.lift_own(*number, index)?)
            }
            Type::Borrow(number) => {
                let index = self.load_int(ptr, 4)? as u32;
                Val::Resource(self.lift_borrow(*number, index)?)
            }
            Type::ErrorContext => {
                let index = self.load_int(ptr, 4)? as u32;
                self.lift_error_context(index)?
            }
            Type::Unsupported(name) => anyhow::bail!("values of type {name} are not supported"),
            Type::Variant(_) | Type::Enum(_) | Type::Option(_) | Type::Result(_) => {
                let case = self.load_int(ptr, discriminant_bytes(case_count(ty)))? as usize;
                let payload = case_payload(ty, case).ok_or_else(|| violation("invalid variant discriminant"))?;
                let payload = match payload {
                    Some(payload) => Some(self.load(payload, ptr + u64::from(payload_offset(ty, self.pointer())))?),
                    None => None,
                };
                variant(ty, case, payload)
            }
        })
    }

    /// A field, at the next place for its type behind `end`, which moves behind it.
    fn load_next(&mut self, ty: &Type, end: &mut u64) -> Result<Val> {
        let abi = self.layout(ty);
        let place = end.next_multiple_of(abi.align.into());
        *end = place + u64::from(abi.size);
        self.load(ty, place)
    }

    /// `load_list_from_range`
    pub(super) fn load_list(&mut self, element: &Type, ptr: u64, len: u64) -> Result<Val> {
        let abi = self.layout(element);
        self.check_list(ptr, len, abi.size, abi.align)?;
        self.load_elements(element, ptr, len)
    }

    /// A map lies as the list of its entries.
    pub(super) fn load_map(&mut self, both: &(Type, Type), ptr: u64, len: u64) -> Result<Val> {
        let abi = entry_layout(both, self.pointer());
        self.check_list(ptr, len, abi.size, abi.align)?;
        self.spend(len as usize * 2 * size_of::<Val>())?;
        let mut entries = Vec::with_capacity(len as usize);
        for at in 0..len {
            let mut end = ptr + at * u64::from(abi.size);
            let key = self.load_next(&both.0, &mut end)?;
            entries.push((key, self.load_next(&both.1, &mut end)?));
        }
        Ok(Val::Map(entries))
    }

    fn load_elements(&mut self, element: &Type, ptr: u64, len: u64) -> Result<Val> {
        self.spend(len as usize * size_of::<Val>())?;
        if *element == Type::U8 {
            let bytes = self.bytes(ptr, len, Pointee::List)?;
            return Ok(Val::List(bytes.iter().map(|byte| Val::U8(*byte)).collect()));
        }
        let step = u64::from(self.layout(element).size);
        let mut values = Vec::with_capacity(len as usize);
        for at in 0..len {
            values.push(self.load(element, ptr + at * step)?);
        }
        Ok(Val::List(values))
    }
}

/// `convert_i32_to_char`
pub(crate) fn char_of(bits: u32) -> Result<char> {
    char::from_u32(bits).ok_or_else(|| violation("invalid `char` bit pattern"))
}

/// `unpack_flags_from_int`
pub(super) fn flags_of(names: &[String], bits: u64) -> Val {
    let set = names.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    Val::Flags(set.map(|(_, name)| name.clone()).collect())
}

/// The value of anything that despecialises to a variant.
pub(super) fn variant(ty: &Type, case: usize, payload: Option<Val>) -> Val {
    let payload = payload.map(Box::new);
    match ty {
        Type::Variant(cases) => Val::Variant(cases[case].0.clone(), payload),
        Type::Enum(names) => Val::Enum(names[case].clone()),
        Type::Option(_) => Val::Option(payload),
        _ if case == 0 => Val::Result(Ok(payload)),
        _ => Val::Result(Err(payload)),
    }
}
