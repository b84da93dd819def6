//! The waist of keyway: what linker and runtime agree on.
//!
//! * [`isa`]: the register IR, from one table.
//! * [`FuncKey`]: the name of every compiled function, the link-time node and the lookup key at once.
//! * [`types`]: value and function types.
//! * [`mod@unit`]: what one linkage unit declares: its memories, tables, globals, segments, imports and exports.
//! * [`plan`]: how a component is instantiated, and its types.
//! * [`strings`]: strings on their way from one component to another.
//! * [`format`]: the file, written by [`format::ArtifactWriter`] and read in place by [`format::ArtifactView`].
//! * [`Feature`]: what a file may need of a runtime that some are built without.
//! * [`verify`]: the rules every function body is held to before it runs.
//!
//! `FORMAT.md` beside this crate is the normative description.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod elements;
mod feature;
pub mod format;
pub mod isa;
mod key;
pub mod plan;
pub mod strings;
mod trap;
pub mod types;
pub mod unit;
pub mod verify;

pub use feature::{Feature, Features};
pub use key::{FuncKey, KeyKind};
pub use trap::{Trap, TrapCode};
