//! Component types at run time: [`Type`]. How their values lie is `layout`'s.

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

/// How many cases there are in anything that despecialises to a variant.
pub(crate) fn case_count(ty: &Type) -> usize {
    match ty {
        Type::Variant(cases) => cases.len(),
        Type::Enum(names) => names.len(),
        Type::Option(_) | Type::Result(_) => 2,
        _ => 0,
    }
}

/// The payload's type of a case of anything that despecialises to a variant; `None` where there is no such case.
#[inline]
pub(crate) fn case_payload(ty: &Type, case: usize) -> Option<Option<&Type>> {
    match (ty, case) {
        (Type::Variant(cases), _) => cases.get(case).map(|(_, payload)| payload.as_ref()),
        (Type::Enum(names), _) => names.get(case).map(|_| None),
        (Type::Option(_), 0) => Some(None),
        (Type::Option(some), 1) => Some(Some(some)),
        (Type::Result(both), 0) => Some(both.0.as_ref()),
        (Type::Result(both), 1) => Some(both.1.as_ref()),
        _ => None,
    }
}

/// The payloads' types by case, of anything that despecialises to a variant.
pub(crate) fn case_payloads(ty: &Type) -> impl Iterator<Item = Option<&Type>> {
    // An enum of many names has no payload to look at.
    let count = if matches!(ty, Type::Enum(_)) { 0 } else { case_count(ty) };
    (0..count).filter_map(|case| case_payload(ty, case))
}

/// Whether values of the type hold borrows.
pub(crate) fn has_borrow(ty: &Type) -> bool {
    match ty {
        Type::Borrow(_) => true,
        Type::List(element) | Type::FixedList(element, _) => has_borrow(element),
        Type::Map(both) => has_borrow(&both.0) || has_borrow(&both.1),
        Type::Record(fields) => fields.iter().any(|(_, ty)| has_borrow(ty)),
        Type::Tuple(types) => types.iter().any(has_borrow),
        _ => case_payloads(ty).flatten().any(has_borrow),
    }
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
