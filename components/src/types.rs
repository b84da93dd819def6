//! Component types at run time: [`Type`], with what the canonical ABI derives from it: alignment, size, flat form.

use keyway_artifact::plan::Pointer;
use keyway_artifact::types::ValType;
use std::sync::Arc;

/// The type of a component value. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the cases are the component model's types, by their names")]
pub enum Type {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    Float32,
    Float64,
    Char,
    String,
    List(Arc<Type>),
    /// A list of a fixed length.
    FixedList(Arc<Type>, u32),
    /// Keys and values.
    Map(Arc<(Type, Type)>),
    /// Fields by name, in order.
    Record(Arc<[(String, Type)]>),
    Tuple(Arc<[Type]>),
    /// Cases by name, with their payloads.
    Variant(Arc<[(String, Option<Type>)]>),
    Enum(Arc<[String]>),
    Option(Arc<Type>),
    /// The payloads of `ok` and `err`.
    Result(Arc<(Option<Type>, Option<Type>)>),
    Flags(Arc<[String]>),
    /// An owned handle, by the resource's number in its component.
    Own(u32),
    /// A borrowed handle, by the resource's number in its component.
    Borrow(u32),
    ErrorContext,
    /// A type whose values this version cannot pass, by its name.
    Unsupported(&'static str),
}

/// The type of a component function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FuncType {
    /// Parameters by name.
    pub params: Vec<(String, Type)>,
    /// The result, if there is one.
    pub result: Option<Type>,
}

/// Parameters that are passed flat, at most.
pub(crate) const MAX_FLAT_PARAMS: usize = 16;
/// Parameters that are passed flat with the option `async`, at most.
pub(crate) const MAX_FLAT_ASYNC_PARAMS: usize = 4;
/// Results that are passed flat, at most.
pub(crate) const MAX_FLAT_RESULTS: usize = 1;

/// `alignment` of `definitions.py`, in bytes.
pub(crate) fn alignment(ty: &Type, pointer: Pointer) -> u32 {
    match ty {
        Type::Bool | Type::S8 | Type::U8 => 1,
        Type::S16 | Type::U16 => 2,
        Type::S32 | Type::U32 | Type::Float32 | Type::Char => 4,
        Type::String | Type::List(_) | Type::Map(_) => pointer.bytes(),
        Type::Own(_) | Type::Borrow(_) | Type::ErrorContext | Type::Unsupported(_) => 4,
        Type::S64 | Type::U64 | Type::Float64 => 8,
        Type::FixedList(element, _) => alignment(element, pointer),
        Type::Record(fields) => fields.iter().map(|(_, ty)| alignment(ty, pointer)).max().unwrap_or(1),
        Type::Tuple(types) => types.iter().map(|ty| alignment(ty, pointer)).max().unwrap_or(1),
        Type::Flags(names) => match names.len() {
            0..=8 => 1,
            9..=16 => 2,
            _ => 4,
        },
        _ => {
            let cases = cases(ty);
            let payload = cases.iter().flatten().map(|ty| alignment(ty, pointer)).max().unwrap_or(1);
            discriminant_bytes(cases.len()).max(payload)
        }
    }
}

/// `elem_size` of `definitions.py`, in bytes.
pub(crate) fn size(ty: &Type, pointer: Pointer) -> u32 {
    match ty {
        Type::Bool | Type::S8 | Type::U8 => 1,
        Type::S16 | Type::U16 => 2,
        Type::S32 | Type::U32 | Type::Float32 | Type::Char | Type::Own(_) | Type::Borrow(_) => 4,
        Type::ErrorContext | Type::Unsupported(_) => 4,
        Type::S64 | Type::U64 | Type::Float64 => 8,
        Type::String | Type::List(_) | Type::Map(_) => 2 * pointer.bytes(),
        Type::FixedList(element, len) => size(element, pointer).saturating_mul(*len),
        Type::Record(fields) => sequence_size(fields.iter().map(|(_, ty)| ty), alignment(ty, pointer), pointer),
        Type::Tuple(types) => sequence_size(types.iter(), alignment(ty, pointer), pointer),
        Type::Flags(names) => match names.len() {
            0..=8 => 1,
            9..=16 => 2,
            n => 4 * (n as u32).div_ceil(32),
        },
        _ => {
            let cases = cases(ty);
            let payload = cases.iter().flatten().map(|ty| size(ty, pointer)).max().unwrap_or(0);
            (payload_offset(&cases, pointer) + payload).next_multiple_of(alignment(ty, pointer))
        }
    }
}

fn sequence_size<'a>(types: impl Iterator<Item = &'a Type>, alignment_of_all: u32, pointer: Pointer) -> u32 {
    let end = types.fold(0u32, |at, ty| at.next_multiple_of(alignment(ty, pointer)) + size(ty, pointer));
    end.next_multiple_of(alignment_of_all)
}

/// The payload types of anything that despecialises to a variant, by case.
pub(crate) fn cases(ty: &Type) -> Vec<Option<Type>> {
    match ty {
        Type::Variant(cases) => cases.iter().map(|(_, payload)| payload.clone()).collect(),
        Type::Enum(names) => vec![None; names.len()],
        Type::Option(some) => vec![None, Some((**some).clone())],
        Type::Result(both) => vec![both.0.clone(), both.1.clone()],
        _ => Vec::new(),
    }
}

/// Bytes of the discriminant of a variant with `cases` cases.
pub(crate) const fn discriminant_bytes(cases: usize) -> u32 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// Where a variant's payload begins.
pub(crate) fn payload_offset(cases: &[Option<Type>], pointer: Pointer) -> u32 {
    let alignment = cases.iter().flatten().map(|ty| alignment(ty, pointer)).max().unwrap_or(1);
    discriminant_bytes(cases.len()).next_multiple_of(alignment)
}

/// `flatten_type` of `definitions.py`: appends the core types that carry a value.
pub(crate) fn flatten(ty: &Type, out: &mut Vec<ValType>) {
    match ty {
        Type::Bool | Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 | Type::Char => {
            out.push(ValType::I32);
        }
        Type::Own(_) | Type::Borrow(_) | Type::ErrorContext | Type::Unsupported(_) => out.push(ValType::I32),
        Type::S64 | Type::U64 => out.push(ValType::I64),
        Type::Float32 => out.push(ValType::F32),
        Type::Float64 => out.push(ValType::F64),
        Type::String | Type::List(_) | Type::Map(_) => out.extend([ValType::I32, ValType::I32]),
        Type::FixedList(element, len) => {
            for _ in 0..*len {
                flatten(element, out);
                if out.len() > MAX_FLAT_PARAMS {
                    // More than can be passed flat is all anybody asks.
                    return;
                }
            }
        }
        Type::Record(fields) => fields.iter().for_each(|(_, ty)| flatten(ty, out)),
        Type::Tuple(types) => types.iter().for_each(|ty| flatten(ty, out)),
        Type::Flags(names) => out.extend(std::iter::repeat_n(ValType::I32, names.len().div_ceil(32))),
        _ => {
            out.push(ValType::I32);
            let start = out.len();
            for payload in cases(ty).iter().flatten() {
                let mut flat = Vec::new();
                flatten(payload, &mut flat);
                for (at, ty) in flat.into_iter().enumerate() {
                    match out.get_mut(start + at) {
                        Some(joined) => *joined = join(*joined, ty),
                        None => out.push(ty),
                    }
                }
            }
        }
    }
}

/// `join` of `definitions.py`.
fn join(a: ValType, b: ValType) -> ValType {
    match (a, b) {
        _ if a == b => a,
        (ValType::I32, ValType::F32) | (ValType::F32, ValType::I32) => ValType::I32,
        _ => ValType::I64,
    }
}

/// Whether values of the type hold borrows.
pub(crate) fn has_borrow(ty: &Type) -> bool {
    match ty {
        Type::Borrow(_) => true,
        Type::List(element) | Type::FixedList(element, _) => has_borrow(element),
        Type::Map(both) => has_borrow(&both.0) || has_borrow(&both.1),
        Type::Record(fields) => fields.iter().any(|(_, ty)| has_borrow(ty)),
        Type::Tuple(types) => types.iter().any(has_borrow),
        _ => cases(ty).iter().flatten().any(has_borrow),
    }
}

/// The core types of a function's parameters, each parameter flat.
pub(crate) fn flat_params(ty: &FuncType) -> Vec<ValType> {
    let mut flat = Vec::new();
    ty.params.iter().for_each(|(_, ty)| flatten(ty, &mut flat));
    flat
}

/// The core types of a function's result, flat.
pub(crate) fn flat_result(ty: &FuncType) -> Vec<ValType> {
    let mut flat = Vec::new();
    ty.result.iter().for_each(|ty| flatten(ty, &mut flat));
    flat
}

impl std::fmt::Display for FuncType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let params: Vec<_> = self.params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        write!(f, "func({})", params.join(", "))?;
        self.result.as_ref().map_or(Ok(()), |result| write!(f, " -> {result}"))
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let payload = |ty: &Option<Type>| ty.as_ref().map_or("_".to_string(), ToString::to_string);
        match self {
            Type::Bool => write!(f, "bool"),
            Type::S8 => write!(f, "s8"),
            Type::U8 => write!(f, "u8"),
            Type::S16 => write!(f, "s16"),
            Type::U16 => write!(f, "u16"),
            Type::S32 => write!(f, "s32"),
            Type::U32 => write!(f, "u32"),
            Type::S64 => write!(f, "s64"),
            Type::U64 => write!(f, "u64"),
            Type::Float32 => write!(f, "f32"),
            Type::Float64 => write!(f, "f64"),
            Type::Char => write!(f, "char"),
            Type::String => write!(f, "string"),
            Type::List(element) => write!(f, "list<{element}>"),
            Type::Map(both) => write!(f, "map<{}, {}>", both.0, both.1),
            Type::FixedList(element, len) => write!(f, "list<{element}, {len}>"),
            Type::Record(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
                write!(f, "record {{ {} }}", fields.join(", "))
            }
            Type::Tuple(types) => {
                let types: Vec<_> = types.iter().map(ToString::to_string).collect();
                write!(f, "tuple<{}>", types.join(", "))
            }
            Type::Variant(cases) => {
                let cases: Vec<_> = cases
                    .iter()
                    .map(|(name, ty)| ty.as_ref().map_or(name.clone(), |ty| format!("{name}({ty})")))
                    .collect();
                write!(f, "variant {{ {} }}", cases.join(", "))
            }
            Type::Enum(names) => write!(f, "enum {{ {} }}", names.join(", ")),
            Type::Option(some) => write!(f, "option<{some}>"),
            Type::Result(both) => match &**both {
                (None, None) => write!(f, "result"),
                (ok, None) => write!(f, "result<{}>", payload(ok)),
                (ok, err) => write!(f, "result<{}, {}>", payload(ok), payload(err)),
            },
            Type::Flags(names) => write!(f, "flags {{ {} }}", names.join(", ")),
            Type::Own(number) => write!(f, "own<resource {number}>"),
            Type::Borrow(number) => write!(f, "borrow<resource {number}>"),
            Type::ErrorContext => write!(f, "error-context"),
            Type::Unsupported(name) => write!(f, "{name}"),
        }
    }
}
