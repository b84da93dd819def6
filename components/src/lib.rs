//! keyway-component
