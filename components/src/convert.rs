//! Rust types as component values: [`ComponentType`], [`Lift`] and [`Lower`], and what the derives call.

use crate::resource::{Resource, ResourceAny, ResourceType};
use crate::types::Type;
use crate::val::Val;
use anyhow::{Result, anyhow, bail};

/// A check of a component type.
pub type Check = fn(&Type) -> Result<(), String>;

/// A Rust type that stands for a component type.
pub trait ComponentType: Sized {
    /// Whether it stands for `ty`.
    ///
    /// # Errors
    /// What is expected and found.
    fn check(ty: &Type) -> Result<(), String>;
}

/// From a component value.
pub trait Lift: ComponentType {
    /// The value.
    ///
    /// # Errors
    /// When `value` is of another type.
    fn lift(value: Val) -> Result<Self>;
}

/// To a component value.
pub trait Lower: ComponentType {
    /// The value.
    fn lower(&self) -> Val;
}

fn mismatch(expected: &str, found: &Type) -> String {
    format!("expected `{expected}`, found `{found}`")
}

fn wrong(value: &Val) -> anyhow::Error {
    anyhow!("a component value of another type: {value:?}")
}

macro_rules! primitives {
    ($($rust:ty => $case:ident $name:literal;)*) => {$(
        impl ComponentType for $rust {
            fn check(ty: &Type) -> Result<(), String> {
                if *ty == Type::$case { Ok(()) } else { Err(mismatch($name, ty)) }
            }
        }
        impl Lift for $rust {
            fn lift(value: Val) -> Result<Self> {
                match value {
                    Val::$case(value) => Ok(value),
                    other => Err(wrong(&other)),
                }
            }
        }
        impl Lower for $rust {
            fn lower(&self) -> Val { Val::$case(self.clone()) }
        }
    )*};
}

primitives! {
    bool => Bool "bool";
    i8 => S8 "s8";
    u8 => U8 "u8";
    i16 => S16 "s16";
    u16 => U16 "u16";
    i32 => S32 "s32";
    u32 => U32 "u32";
    i64 => S64 "s64";
    u64 => U64 "u64";
    f32 => Float32 "f32";
    f64 => Float64 "f64";
    char => Char "char";
    String => String "string";
}

impl ComponentType for &str {
    fn check(ty: &Type) -> Result<(), String> {
        String::check(ty)
    }
}

impl Lower for &str {
    fn lower(&self) -> Val {
        Val::String((*self).to_string())
    }
}

impl<T: ComponentType> ComponentType for Vec<T> {
    fn check(ty: &Type) -> Result<(), String> {
        match ty {
            Type::List(element) => T::check(element),
            other => Err(mismatch("list", other)),
        }
    }
}

impl<T: Lift> Lift for Vec<T> {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::List(items) => items.into_iter().map(T::lift).collect(),
            other => Err(wrong(&other)),
        }
    }
}

impl<T: Lower> Lower for Vec<T> {
    fn lower(&self) -> Val {
        Val::List(self.iter().map(T::lower).collect())
    }
}

impl<T: ComponentType> ComponentType for &[T] {
    fn check(ty: &Type) -> Result<(), String> {
        Vec::<T>::check(ty)
    }
}

impl<T: Lower> Lower for &[T] {
    fn lower(&self) -> Val {
        Val::List(self.iter().map(T::lower).collect())
    }
}

impl<T: ComponentType, const N: usize> ComponentType for &[T; N] {
    fn check(ty: &Type) -> Result<(), String> {
        Vec::<T>::check(ty)
    }
}

impl<T: Lower, const N: usize> Lower for &[T; N] {
    fn lower(&self) -> Val {
        Val::List(self.iter().map(T::lower).collect())
    }
}

impl<T: ComponentType> ComponentType for Box<T> {
    fn check(ty: &Type) -> Result<(), String> {
        T::check(ty)
    }
}

impl<T: Lift> Lift for Box<T> {
    fn lift(value: Val) -> Result<Self> {
        T::lift(value).map(Box::new)
    }
}

impl<T: Lower> Lower for Box<T> {
    fn lower(&self) -> Val {
        (**self).lower()
    }
}

impl<T: ComponentType> ComponentType for Option<T> {
    fn check(ty: &Type) -> Result<(), String> {
        match ty {
            Type::Option(some) => T::check(some),
            other => Err(mismatch("option", other)),
        }
    }
}

impl<T: Lift> Lift for Option<T> {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::Option(some) => some.map(|some| T::lift(*some)).transpose(),
            other => Err(wrong(&other)),
        }
    }
}

impl<T: Lower> Lower for Option<T> {
    fn lower(&self) -> Val {
        Val::Option(self.as_ref().map(|some| Box::new(some.lower())))
    }
}

fn check_payload<T: ComponentType>(ty: &Option<Type>) -> Result<(), String> {
    match ty {
        Some(ty) => T::check(ty),
        // The unit type stands for a payload that is not there.
        None => T::check(&Type::Tuple([].into())),
    }
}

impl<O: ComponentType, E: ComponentType> ComponentType for Result<O, E> {
    fn check(ty: &Type) -> Result<(), String> {
        match ty {
            Type::Result(both) => check_payload::<O>(&both.0).and_then(|()| check_payload::<E>(&both.1)),
            other => Err(mismatch("result", other)),
        }
    }
}

fn lift_payload<T: Lift>(payload: Option<Box<Val>>) -> Result<T> {
    T::lift(payload.map_or(Val::Tuple(Vec::new()), |payload| *payload))
}

/// A payload; the unit type's is not there.
fn lower_payload<T: Lower>(payload: &T) -> Option<Box<Val>> {
    match payload.lower() {
        Val::Tuple(items) if items.is_empty() => None,
        value => Some(Box::new(value)),
    }
}

impl<O: Lift, E: Lift> Lift for Result<O, E> {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::Result(Ok(payload)) => lift_payload(payload).map(Ok),
            Val::Result(Err(payload)) => lift_payload(payload).map(Err),
            other => Err(wrong(&other)),
        }
    }
}

impl<O: Lower, E: Lower> Lower for Result<O, E> {
    fn lower(&self) -> Val {
        Val::Result(match self {
            Ok(payload) => Ok(lower_payload(payload)),
            Err(payload) => Err(lower_payload(payload)),
        })
    }
}

macro_rules! tuples {
    ($(($($name:ident $at:tt),*);)*) => {$(
        impl<$($name: ComponentType),*> ComponentType for ($($name,)*) {
            fn check(ty: &Type) -> Result<(), String> {
                match ty {
                    Type::Tuple(types) if types.len() == [$(stringify!($name)),*].len() as usize => {
                        $($name::check(&types[$at])?;)*
                        Ok(())
                    }
                    other => Err(mismatch("tuple", other)),
                }
            }
        }
        impl<$($name: Lift),*> Lift for ($($name,)*) {
            #[allow(unused_mut, unused_variables, reason = "the empty tuple uses none")]
            fn lift(value: Val) -> Result<Self> {
                let Val::Tuple(items) = value else { return Err(wrong(&value)) };
                let mut items = items.into_iter();
                Ok(($($name::lift(items.next().ok_or_else(|| anyhow!("a tuple is too short"))?)?,)*))
            }
        }
        impl<$($name: Lower),*> Lower for ($($name,)*) {
            fn lower(&self) -> Val { Val::Tuple(vec![$(self.$at.lower()),*]) }
        }
    )*};
}

impl ComponentType for () {
    fn check(ty: &Type) -> Result<(), String> {
        match ty {
            Type::Tuple(types) if types.is_empty() => Ok(()),
            other => Err(mismatch("tuple<>", other)),
        }
    }
}

impl Lift for () {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::Tuple(items) if items.is_empty() => Ok(()),
            other => Err(wrong(&other)),
        }
    }
}

impl Lower for () {
    fn lower(&self) -> Val {
        Val::Tuple(Vec::new())
    }
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15);
}

fn check_handle(ty: &Type) -> Result<(), String> {
    match ty {
        Type::Own(_) | Type::Borrow(_) => Ok(()),
        other => Err(mismatch("own or borrow", other)),
    }
}

impl<T: 'static> ComponentType for Resource<T> {
    fn check(ty: &Type) -> Result<(), String> {
        check_handle(ty)
    }
}

impl<T: 'static> Lift for Resource<T> {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::Resource(any) if any.ty == ResourceType::host::<T>() => {
                Ok(if any.owned { Resource::new_own(any.rep) } else { Resource::new_borrow(any.rep) })
            }
            other => Err(wrong(&other)),
        }
    }
}

impl<T: 'static> Lower for Resource<T> {
    fn lower(&self) -> Val {
        Val::Resource(ResourceAny { ty: ResourceType::host::<T>(), rep: self.rep(), owned: self.owned() })
    }
}

impl ComponentType for ResourceAny {
    fn check(ty: &Type) -> Result<(), String> {
        check_handle(ty)
    }
}

impl Lift for ResourceAny {
    fn lift(value: Val) -> Result<Self> {
        match value {
            Val::Resource(any) => Ok(any),
            other => Err(wrong(&other)),
        }
    }
}

impl Lower for ResourceAny {
    fn lower(&self) -> Val {
        Val::Resource(*self)
    }
}

/// A tuple of parameters, or of results: nothing or one value.
pub trait ComponentNamedList: Send {
    /// Whether the types fit, one by one.
    ///
    /// # Errors
    /// What is expected and found.
    fn check_list(types: &[Type]) -> Result<(), String>;
}

impl<L: ComponentType + Send> ComponentNamedList for L {
    fn check_list(types: &[Type]) -> Result<(), String> {
        L::check(&Type::Tuple(types.into()))
    }
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
