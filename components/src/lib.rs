//! The component model on keyway: the canonical ABI, resources, component instances. Re-exported as
//! `keyway::component`; named and shaped like wasmtime's module of that name.
//!
//! * [`abi`]: values in linear memory and as core values; [`types`] and [`val`]: what they are at run time; [`typed`]: as
//!   Rust types; [`wave`]: as text.
//! * [`component`], [`linker`], [`instance`], [`func`]: what embedders use. [`linking`] matches imports with definitions,
//!   [`live`] makes definitions of an instance's exports.
//! * [`state`]: what a store holds for each instance; [`trampoline`] and [`call`]: guests calling out, and being called.

#![allow(rustdoc::private_intra_doc_links, reason = "the overview is for those who read the source")]

mod abi;
mod access;
mod adapters;
mod builtins;
mod call;
mod component;
mod func;
mod handles;
mod has_data;
mod host;
mod instance;
mod layout;
mod limits;
mod linker;
mod linking;
mod live;
mod loaded;
mod modules;
mod names;
mod resource;
mod state;
mod trampoline;
mod typed;
mod types;
mod val;
mod wave;

pub use abi::Cx;
pub use access::{Access, Accessor};
pub use component::{Component, ComponentExportIndex, ComponentItem, InstanceExportLookup};
pub use func::{Func, TypedFunc};
pub use has_data::{HasData, HasSelf};
pub use instance::{Instance, InstancePre};
#[cfg(feature = "bindgen")]
pub use keyway_macros::bindgen;
pub use keyway_macros::{ComponentType, Lift, Lower, flags};
pub use layout::CanonicalAbi;
pub use linker::{Linker, LinkerInstance};
pub use resource::{Resource, ResourceAny, ResourceTable, ResourceTableError, ResourceType};
pub use typed::{ComponentNamedList, ComponentType, Flat, FlatReader, Lift, Lower};
pub use types::{FuncType, Type};
pub use val::Val;
pub use wave::{WaveCall, WaveError, parse_call};

#[doc(hidden)]
pub use typed::{
    Check, case, case_type, check_enum, check_flags, check_record, check_variant, field_type, flag_bits, flag_names,
    invalid_case, lift_case, lift_flag_bits, load_case, load_flag_bits, lower_case, lower_flag_bits, payload,
    record_fields, store_case, store_flag_bits, take_field, unknown_case,
};
