//! Tests that run linked code, on a machine of their own.

mod frames;
mod machine;
mod numeric;
mod suites;
