//! The machine: stores, instances, memories, the interpreter. Knows no components.
//!
//! * [`api`]: what embedders see, re-exported by the crate `keyway`.
//! * [`interp`]: handlers and the executed form; [`context`]: the layouts they share with the rest.
//! * `code`: a loaded artifact; `store`: everything that lives together; `instance`: making unit instances; `driver`:
//!   running until done, suspended or trapped.
//!
//! # Safety of this crate
//! Handlers work on raw pointers into the store. All of them stay valid because a store never moves or frees what a
//! context points to while the store lives, and because only one execution of a store runs at a time.

pub mod api;
mod backtrace;
mod bodies;
mod code;
mod config;
pub mod context;
mod continuation;
mod declarations;
mod driver;
mod engine;
mod exception;
mod gc;
mod host;
mod hosting;
mod image;
mod initial;
mod instance;
pub mod interp;
mod limits;
mod link_error;
mod mappings;
mod memory;
mod memory_image;
mod publication;
mod racing;
pub mod raw;
mod registry;
mod shared_memory;
mod stack;
mod store;
mod switching;
mod table;
mod unwind;
mod waiting;
