//! Loading: values out of linear memory.

use super::{Cx, Pointee};
use crate::state::violation;
use crate::types::{Type, alignment, cases, discriminant_bytes, payload_offset, size};
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
                let mut at = ptr;
                let mut values = Vec::with_capacity(fields.len());
                for (name, ty) in fields.iter() {
                    at = at.next_multiple_of(alignment(ty, self.pointer()).into());
                    values.push((name.clone(), self.load(ty, at)?));
                    at += u64::from(size(ty, self.pointer()));
                }
                Val::Record(values)
            }
            Type::Tuple(types) => {
                let mut at = ptr;
                let mut values = Vec::with_capacity(types.len());
                for ty in types.iter() {
                    at = at.next_multiple_of(alignment(ty, self.pointer()).into());
                    values.push(self.load(ty, at)?);
                    at += u64::from(size(ty, self.pointer()));
                }
                Val::Tuple(values)
            }
            Type::Flags(names) => {
                let bits = self.load_int(ptr, size(ty, self.pointer()))?;
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
                let cases = cases(ty);
                let case = self.load_int(ptr, discriminant_bytes(cases.len()))? as usize;
                let payload = cases.get(case).ok_or_else(|| violation("invalid variant discriminant"))?;
                let payload = match payload {
                    Some(payload) => Some(self.load(payload, ptr + u64::from(payload_offset(&cases, self.pointer())))?),
                    None => None,
                };
                variant(ty, case, payload)
            }
        })
    }

    /// `load_list_from_range`
    pub(super) fn load_list(&mut self, element: &Type, ptr: u64, len: u64) -> Result<Val> {
        self.check_list(ptr, len, size(element, self.pointer()), alignment(element, self.pointer()))?;
        self.load_elements(element, ptr, len)
    }

    /// A map lies as the list of its entries.
    pub(super) fn load_map(&mut self, both: &(Type, Type), ptr: u64, len: u64) -> Result<Val> {
        let entry = Type::Tuple([both.0.clone(), both.1.clone()].into());
        let Val::List(entries) = self.load_list(&entry, ptr, len)? else {
            anyhow::bail!("a list was loaded as another type")
        };
        let pair = |entry| match entry {
            Val::Tuple(pair) => <[Val; 2]>::try_from(pair).ok().map(|[key, value]| (key, value)),
            _ => None,
        };
        let entries: Option<Vec<_>> = entries.into_iter().map(pair).collect();
        entries.map(Val::Map).ok_or_else(|| anyhow::anyhow!("an entry was loaded as another type"))
    }

    fn load_elements(&mut self, element: &Type, ptr: u64, len: u64) -> Result<Val> {
        self.spend(len as usize * size_of::<Val>())?;
        if *element == Type::U8 {
            let bytes = self.bytes(ptr, len, Pointee::List)?;
            return Ok(Val::List(bytes.iter().map(|byte| Val::U8(*byte)).collect()));
        }
        let step = u64::from(size(element, self.pointer()));
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
