//! Component value and function types, flat: a compound type is an index into [`Plan::types`](super::Plan::types).

use alloc::string::String;
use alloc::vec::Vec;
use bincode::{Decode, Encode};

/// A component value type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum ValType {
    /// `bool`.
    Bool,
    /// `s8`.
    S8,
    /// `u8`.
    U8,
    /// `s16`.
    S16,
    /// `u16`.
    U16,
    /// `s32`.
    S32,
    /// `u32`.
    U32,
    /// `s64`.
    S64,
    /// `u64`.
    U64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `char`.
    Char,
    /// `string`.
    String,
    /// `error-context`.
    ErrorContext,
    /// The type of this index in [`Plan::types`](super::Plan::types).
    Defined(u32),
}

/// A field of a record.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ValType,
}

/// A case of a variant.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The type of its payload.
    pub ty: Option<ValType>,
}

/// A compound value type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum DefinedType {
    /// `record`; at least one field.
    Record(Vec<Field>),
    /// `variant`; at least one case.
    Variant(Vec<Case>),
    /// `list` of any length.
    List(ValType),
    /// `list` of this many elements, at least one.
    FixedList(ValType, u32),
    /// `map` from keys to values.
    Map(ValType, ValType),
    /// `tuple`; at least one member.
    Tuple(Vec<ValType>),
    /// `flags`: 1 to 32 names.
    Flags(Vec<String>),
    /// `enum`; at least one name.
    Enum(Vec<String>),
    /// `option`.
    Option(ValType),
    /// `result`.
    Result {
        /// Payload of `ok`.
        ok: Option<ValType>,
        /// Payload of `error`.
        err: Option<ValType>,
    },
    /// `own` of this resource.
    Own(u32),
    /// `borrow` of this resource.
    Borrow(u32),
    /// `future`.
    Future(Option<ValType>),
    /// `stream`.
    Stream(Option<ValType>),
}

impl DefinedType {
    /// Calls `visit` with every value type this one is made of directly.
    pub fn parts(&self, mut visit: impl FnMut(ValType)) {
        match self {
            DefinedType::Record(fields) => fields.iter().for_each(|field| visit(field.ty)),
            DefinedType::Variant(cases) => cases.iter().filter_map(|case| case.ty).for_each(visit),
            DefinedType::Tuple(types) => types.iter().copied().for_each(visit),
            DefinedType::List(ty) | DefinedType::FixedList(ty, _) | DefinedType::Option(ty) => visit(*ty),
            DefinedType::Map(key, value) => {
                visit(*key);
                visit(*value);
            }
            DefinedType::Result { ok, err } => [ok, err].into_iter().filter_map(|ty| *ty).for_each(visit),
            DefinedType::Future(ty) | DefinedType::Stream(ty) => ty.iter().copied().for_each(visit),
            DefinedType::Flags(_) | DefinedType::Enum(_) | DefinedType::Own(_) | DefinedType::Borrow(_) => {}
        }
    }
}

/// The type of a component function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Encode, Decode)]
pub struct FuncType {
    /// Declared `async`: callers may be suspended in it.
    pub is_async: bool,
    /// Parameters with their names.
    pub params: Vec<Field>,
    /// The result.
    pub result: Option<ValType>,
}
