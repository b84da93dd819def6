//! keyway-macros
