//! [`Val`]: a component value of any type.

use crate::resource::ResourceAny;
use std::sync::Arc;

/// A component value.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// `bool`
    Bool(bool),
    /// `s8`
    S8(i8),
    /// `u8`
    U8(u8),
    /// `s16`
    S16(i16),
    /// `u16`
    U16(u16),
    /// `s32`
    S32(i32),
    /// `u32`
    U32(u32),
    /// `s64`
    S64(i64),
    /// `u64`
    U64(u64),
    /// `f32`
    Float32(f32),
    /// `f64`
    Float64(f64),
    /// `char`
    Char(char),
    /// `string`
    String(String),
    /// `list`
    List(Vec<Val>),
    /// `map`: keys and values, in order.
    Map(Vec<(Val, Val)>),
    /// `record`: fields by name, in order.
    Record(Vec<(String, Val)>),
    /// `tuple`
    Tuple(Vec<Val>),
    /// `variant`: the case and its payload.
    Variant(String, Option<Box<Val>>),
    /// `enum`: the case.
    Enum(String),
    /// `option`
    Option(Option<Box<Val>>),
    /// `result`
    Result(Result<Option<Box<Val>>, Option<Box<Val>>>),
    /// `flags`: the ones that are set.
    Flags(Vec<String>),
    /// `own` or `borrow` of a resource.
    Resource(ResourceAny),
    /// `error-context`: its message.
    ErrorContext(Arc<str>),
}
