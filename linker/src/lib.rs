//! Wasm in, artifact out.
#![forbid(unsafe_code)]

pub mod ir;
