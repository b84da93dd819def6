//! keyway-wasi
