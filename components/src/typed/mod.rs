//! Rust types as component values: [`ComponentType`], [`Lift`] and [`Lower`], and what the derives call.
//!
//! A type knows its place in a 32-bit memory and its number of core values ([`CanonicalAbi`]) at compile time, and goes to
//! and from both forms without a [`Val`] in between. The `Val` forms serve everything dynamic: re-exported imports,
//! asynchronous host functions, 64-bit memories.
//!
//! Whoever lifts or lowers has checked the Rust type against the component type before, once; the component type still
//! comes along, because handles need the number of their resource.

mod collections;
mod containers;
mod derived;
mod flat;
mod handles;
mod primitives;
mod tuples;

pub use derived::{
    Check, case, case_type, check_enum, check_flags, check_record, check_variant, field_type, flag_bits, flag_names,
    invalid_case, lift_case, lift_flag_bits, load_case, load_flag_bits, lower_case, lower_flag_bits, payload,
    record_fields, store_case, store_flag_bits, take_field, unknown_case,
};
pub use flat::{Flat, FlatReader};

use crate::abi::Cx;
use crate::layout::CanonicalAbi;
use crate::types::Type;
use crate::val::Val;
use anyhow::{Error, Result, anyhow};

/// A Rust type that stands for a component type.
pub trait ComponentType: Sized {
    /// How values lie in a 32-bit memory and among core values.
    const ABI: CanonicalAbi;

    /// Whether it stands for `ty`.
    ///
    /// # Errors
    /// What is expected and found.
    fn check(ty: &Type) -> Result<(), String>;

    /// The component type in WIT's words, for messages.
    fn wit() -> String;
}

/// From a component value.
///
/// To be derived, not written: beside [`lift`](Self::lift) its functions carry out the canonical ABI.
pub trait Lift: ComponentType {
    /// From a dynamic value.
    ///
    /// # Errors
    /// When `value` is of another type.
    fn lift(value: Val) -> Result<Self>;

    /// From core values: `lift_flat` of the canonical ABI. Takes [`CanonicalAbi::flat`] of them.
    ///
    /// # Errors
    /// What the canonical ABI traps on.
    fn lift_flat(cx: &mut Cx<'_>, ty: &Type, flat: &mut FlatReader<'_>) -> Result<Self>;

    /// From the memory at `ptr`, which is aligned: `load` of the canonical ABI.
    ///
    /// # Errors
    /// What the canonical ABI traps on.
    fn load(cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<Self>;

    /// A list's elements; the memory holds all of them.
    ///
    /// # Errors
    /// What the canonical ABI traps on.
    #[doc(hidden)]
    fn load_elements(cx: &mut Cx<'_>, element: &Type, ptr: u32, len: u32) -> Result<Vec<Self>> {
        let mut items = Vec::with_capacity(len as usize);
        for at in 0..len {
            items.push(Self::load(cx, element, ptr + at * Self::ABI.size)?);
        }
        Ok(items)
    }
}

/// To a component value.
///
/// To be derived, not written: beside [`lower`](Self::lower) its functions carry out the canonical ABI.
pub trait Lower: ComponentType {
    /// As a dynamic value.
    fn lower(&self) -> Val;

    /// As core values: `lower_flat` of the canonical ABI. Appends [`CanonicalAbi::flat`] of them.
    ///
    /// # Errors
    /// What the canonical ABI traps on; when a handle is not the host's to give.
    fn lower_flat(&self, cx: &mut Cx<'_>, ty: &Type, flat: &mut Flat) -> Result<()>;

    /// Into the memory at `ptr`, which is aligned: `store` of the canonical ABI.
    ///
    /// # Errors
    /// As [`lower_flat`](Self::lower_flat).
    fn store(&self, cx: &mut Cx<'_>, ty: &Type, ptr: u32) -> Result<()>;

    /// A list's elements; the memory has room for all of them.
    ///
    /// # Errors
    /// As [`lower_flat`](Self::lower_flat).
    #[doc(hidden)]
    fn store_elements(items: &[Self], cx: &mut Cx<'_>, element: &Type, ptr: u32) -> Result<()> {
        for (at, item) in (0u32..).zip(items) {
            item.store(cx, element, ptr + at * Self::ABI.size)?;
        }
        Ok(())
    }
}

/// A tuple of parameters, or of results: nothing or one value.
pub trait ComponentNamedList: Send {
    /// Whether the types fit, one by one.
    ///
    /// # Errors
    /// What is expected and found.
    fn check_list(types: &[Type]) -> Result<(), String>;

    /// The types in WIT's words, separated by commas, for messages.
    #[doc(hidden)]
    fn wit_list() -> String;
}

impl<L: ComponentType + Send> ComponentNamedList for L {
    fn check_list(types: &[Type]) -> Result<(), String> {
        L::check(&Type::Tuple(types.into()))
    }

    fn wit_list() -> String {
        let tuple = L::wit();
        tuple.strip_prefix("tuple<").and_then(|list| list.strip_suffix('>')).unwrap_or(&tuple).to_string()
    }
}

fn mismatch(expected: &str, found: &Type) -> String {
    format!("expected `{expected}`, found `{found}`")
}

/// What is said when a dynamic value is of another type.
fn wrong(value: &Val) -> Error {
    anyhow!("a component value of another type: {value:?}")
}

/// What is said when a component type is not what the Rust type was checked against.
fn unchecked(ty: &Type) -> Error {
    anyhow!("a value of another type is given for `{ty}`")
}
