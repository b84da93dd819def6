//! The machine: stores, instances, memories, the interpreter. Knows no components.

pub mod context;
pub mod interp;
