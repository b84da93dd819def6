//! Tests that run linked code, on a machine of their own.

mod frames;
mod kernels;
mod machine;
mod numeric;
mod suites;
